#!/usr/bin/env bash
# All checks that need a GPU, in one go and without network: tests, memory checker, speed against PyTorch where that is
# installed, AugMix, a short real training. Writes OUT/gpu_check.txt, OUT/speed.json and the run's files.
# usage: tools/gpu_check.sh [--bin DIR] [--data DIR] [--out DIR] [--minutes N] [--parts LIST] [--python PYTHON]
#   --bin      folder with the programs noisymix, tests_cuda and tests_models, built elsewhere; without it they are built here
#   --data     folder with the CIFAR-10 binary files; without it the training uses the built-in shapes
#   --minutes  time for speed and training together, 25 by default
#   --parts    of doctor,tests,sanitizer,speed,augmix,train; all by default
set -uo pipefail
here="$(cd "$(dirname "$0")/.." && pwd)"
bin="" data="" out="$here/gpu_check" minutes=25 parts=doctor,tests,sanitizer,speed,augmix,train python=python3
while [[ $# -gt 0 ]]; do
  [[ $# -ge 2 ]] || { echo "tools/gpu_check.sh: $1 needs a value" >&2; exit 2; }
  case "$1" in
    --bin) bin="$2" ;; --data) data="$2" ;; --out) out="$2" ;;
    --minutes) minutes="$2" ;; --parts) parts="$2" ;; --python) python="$2" ;;
    *) echo "tools/gpu_check.sh: unknown option $1; expected --bin, --data, --out, --minutes, --parts or --python" >&2; exit 2 ;;
  esac
  shift 2
done

if [[ -z "$bin" ]]; then
  cmake -S "$here" --preset cuda-release >/dev/null && cmake --build "$here/build/cuda-release" || exit 1
  bin="$here/build/gpu-programs"
  mkdir -p "$bin"
  cp "$here/build/cuda-release/tools/noisymix" "$here"/build/cuda-release/tests/tests_{cuda,models} "$bin/" || exit 1
fi
mkdir -p "$out"
report="$out/gpu_check.txt"
export NOISYMIX_FIXTURES="${NOISYMIX_FIXTURES:-$here/tests/fixtures}"
failed=0

wanted() { [[ ",$parts," == *",$1,"* ]]; }
say() { echo "$@" | tee -a "$report"; }
part() {  # part NAME COMMAND...: runs it, keeps its output, notes whether it passed
  local name="$1" start=$SECONDS
  shift
  say ""
  say "== $name: $*"
  "$@" 2>&1 | tee -a "$report"
  local code=${PIPESTATUS[0]}
  [[ $code -eq 77 ]] && say "-- $name: skipped, $((SECONDS - start)) s" && return
  [[ $code -eq 0 ]] && say "-- $name: passed, $((SECONDS - start)) s" && return
  say "-- $name: FAILED with exit code $code, $((SECONDS - start)) s"
  failed=1
}

: >"$report"
say "noisymix GPU check, $(date -u +%Y-%m-%dT%H:%MZ), $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo 'no nvidia-smi')"
if wanted doctor; then part doctor "$bin/noisymix" doctor; fi
if ! "$bin/noisymix" doctor | grep -q '^cuda:0'; then
  say "no usable GPU: nothing more to check"
  exit 1
fi
if wanted tests; then
  part "tests" "$bin/tests_cuda"
  part "golden trajectories" env NOISYMIX_TEST_DEVICE=cuda "$bin/tests_models" --source-file='*training_golden_test.cpp'
fi
if wanted sanitizer && command -v compute-sanitizer >/dev/null; then
  part "memory checker" timeout 600 compute-sanitizer --error-exitcode 9 --print-limit 5 "$bin/tests_cuda" \
    --test-case='*norm*,*mix*,*loss*,*elementwise*,*softmax*,*pool*,*views*,*conv2d*'
fi
if wanted augmix; then part augmix "$bin/noisymix" bench augmix --device cuda; fi
if wanted speed; then
  part speed "$python" "$here/tools/bench/compare_gpu.py" "$bin/noisymix" --python "$python" \
    --minutes "$(awk "BEGIN {print $minutes * 0.6}")" --json "$out/speed.json"
fi
if wanted train; then
  seconds=$(awk "BEGIN {print int($minutes * 60 * 0.35)}")
  if [[ -n "$data" ]]; then
    run=(train cifar10-noisymix-wrn28-4 --set "data.path=$data" --set train.batch=128)
  else
    run=(train demo)
  fi
  rm -rf "$out/run"
  # A stop by the clock is a normal end here: the run keeps its last checkpoint.
  part train bash -c 'timeout --signal=INT "$0" "$@"; code=$?; [[ $code -eq 124 || $code -eq 130 ]] && exit 0; exit $code' \
    "$seconds" "$bin/noisymix" "${run[@]}" --device cuda --set train.precision=bf16 --out "$out/run"
  part evaluate "$bin/noisymix" evaluate "$out/run" --device cuda
fi
say ""
say "$([[ $failed -eq 0 ]] && echo 'all parts passed' || echo 'SOME PARTS FAILED'); report in $report"
exit $failed
