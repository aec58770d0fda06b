#!/usr/bin/env bash
# Prints the preset that suits this machine: cuda-release where nvcc and cuDNN's headers are, else cpu-release.
set -euo pipefail

if nvcc="$(command -v nvcc)"; then
  root="$(dirname "$(dirname "$(readlink -f "$nvcc")")")"
  for folder in "$root/include" "$root/targets/x86_64-linux/include" /usr/include /usr/local/include; do
    if [[ -f "$folder/cudnn_backend.h" ]]; then
      echo cuda-release
      exit 0
    fi
  done
fi
echo cpu-release
