#!/usr/bin/env bash
# Installs the packages it needs, builds everything and runs all tests; the last lines are ctest's summary.
# usage: tools/test.sh [ctest arguments, for example -L engine or -R softmax]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh
cmake --preset cpu-release >/dev/null
cmake --build --preset cpu-release
ctest --preset cpu-release --parallel 2 --timeout 900 "$@"
