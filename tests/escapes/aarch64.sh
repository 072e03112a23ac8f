#!/usr/bin/env bash
# tests/escapes/aarch64.sh FOLDER: which system calls the decoding libraries make on aarch64, by running
# them under qemu-user, and whether the worker's list has each. Debian, the package registries, 1 GB.
#
# qemu-user does not emulate seccomp: no filter is on here. Shown is what the filter must let through, and
# that the libraries give there what they give here; not that an aarch64 kernel takes the filter.
set -eu
root="$(cd "$(dirname "$0")/../.." && pwd)"
mkdir -p "$1"/{state/lists/partial,cache/archives/partial,system,qemu,packages,in}
cd "$1"
python="$root/.venv/bin/python"
if [ ! -x system/usr/bin/python3.11 ]; then
  apt-get download -qq qemu-user-static
  dpkg -x qemu-user-static_*.deb qemu
  apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$PWD/state"
    -o Dir::State::status=/dev/null -o Dir::Cache="$PWD/cache")
  "${apt[@]}" update
  "${apt[@]}" download libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libffi8 libbz2-1.0 liblzma5 libssl3 \
    libsqlite3-0 libuuid1 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib
  for one in *_arm64.deb; do dpkg -x "$one" system; done
  platforms=(--platform manylinux2014_aarch64)
  for one in 17 24 26 27 28 31 34; do platforms+=(--platform "manylinux_2_${one}_aarch64"); done
  "$python" -m pip install -q --target packages "${platforms[@]}" --python-version 3.11 \
    --implementation cp --only-binary=:all: --no-deps \
    av numpy pillow msgspec lxml selectolax pypdf puremagic pymediainfo ijson
fi
cd "$root"
"$python" -m tests.escapes.aarch64 make "$1/in"
qemu="$1/qemu/usr/bin/qemu-aarch64-static"
"$qemu" -strace -D "$1/trace" -L "$1/system" -E PYTHONHOME="$1/system/usr" \
  -E PYTHONPATH="$1/packages:$root/src:$root" -E OPENBLAS_NUM_THREADS=1 \
  "$1/system/usr/bin/python3.11" -m tests.escapes.aarch64_worker "$1/in"
"$python" -m tests.escapes.aarch64 judge "$1"
