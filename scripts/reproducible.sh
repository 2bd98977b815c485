#!/usr/bin/env bash
# Builds the last commit twice, in two directories with names of different length, the second time with an empty build
# cache, and compares the binaries byte by byte.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

build() { # DIRECTORY
  git clone -q --no-hardlinks "$root" "$1"
  make -s -C "$1" build
}
build "$tmp/a"
GOCACHE=$tmp/cache build "$tmp/a-directory-with-a-longer-name"
a=$tmp/a/bin/zvault
b=$tmp/a-directory-with-a-longer-name/bin/zvault
sum=$(sha256sum <"$a" | cut -d' ' -f1)
if ! cmp "$a" "$b"; then
  echo "reproducible: the two builds differ" >&2
  exit 1
fi
for needle in "$tmp" "$root/"; do
  if grep -aqF "$needle" "$a"; then
    echo "reproducible: the binary names the directory it was built in" >&2
    exit 1
  fi
done
echo "reproducible: sha256 $sum, twice"
