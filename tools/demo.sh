#!/usr/bin/env bash
# From a fresh clone to a comparison: installs the packages it needs, builds, trains a baseline and NoisyMix on built-in
# images, shows both on clean and perturbed test images, and draws decision boundaries of the toy problem.
# usage: tools/demo.sh [DIR]     runs go to DIR (default runs); those of an earlier demo there are replaced
set -euo pipefail
cd "$(dirname "$0")/.."
out="${1:-runs}"

tools/install_packages.sh
echo "building (a few minutes the first time)"
cmake --preset cpu-release >/dev/null
cmake --build --preset cpu-release --target noisymix -- --quiet
noisymix=build/cpu-release/tools/noisymix

for run in demo-baseline demo toy-polygon-baseline toy-polygon-noisymix; do
  rm -rf "${out:?}/$run"
done
mkdir -p "$out"

for run in demo-baseline demo; do
  echo
  echo "training $run"
  "$noisymix" train "$run" --out "$out/$run"
done

echo
"$noisymix" evaluate "$out/demo-baseline" "$out/demo"

echo
echo "drawing decision boundaries of the toy problem"
for scheme in baseline noisymix; do
  "$noisymix" train "toy-polygon-$scheme" --out "$out/toy-polygon-$scheme" >/dev/null
done
"$noisymix" plot boundary "$out/toy-polygon-baseline" "$out/toy-polygon-noisymix" --out "$out/boundaries.png"
"$noisymix" plot curves "$out/demo-baseline" "$out/demo" --out "$out/curves.svg"
