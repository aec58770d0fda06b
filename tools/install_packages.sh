#!/usr/bin/env bash
# Installs the Debian packages noisymix builds with. Does nothing when all are there; asks for root only when needed.
# usage: tools/install_packages.sh [--with-clang]
set -euo pipefail

packages=(g++ cmake ninja-build libeigen3-dev libstb-dev doctest-dev libtomlplusplus-dev libcli11-dev
          nlohmann-json3-dev libjpeg62-turbo-dev libpng-dev zlib1g-dev)
if [[ "${1:-}" == "--with-clang" ]]; then
  packages+=(clang libclang-rt-dev llvm)
fi

missing=()
for package in "${packages[@]}"; do
  if [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]]; then
    missing+=("$package")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

echo "installing packages: ${missing[*]}"
as_root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null || { echo "tools/install_packages.sh: needs root to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
