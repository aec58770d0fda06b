#!/usr/bin/env bash
# Installs the packages it needs, builds everything and runs all tests; the last lines are ctest's summary. With the CUDA
# toolkit and cuDNN's headers on this machine the build includes the CUDA backend, whose tests are skipped without a GPU.
# usage: tools/test.sh [ctest arguments, for example -L engine or -R softmax]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh
preset="$(tools/choose_preset.sh)"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
ctest --preset "$preset" --parallel 2 --timeout 900 "$@"
