#!/usr/bin/env bash
# Builds zvault for every system and processor that a release serves, into bin/cross.
# TARGETS="linux/arm64 …" builds only those.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}
flags=$(scripts/ldflags.sh)
export CGO_ENABLED=0

for target in $targets; do
  os=${target%/*} arch=${target#*/} suffix='' start=$SECONDS
  [ "$os" != windows ] || suffix=.exe
  GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "$flags" -o "bin/cross/zvault-$os-$arch$suffix" ./cmd/zvault
  printf 'cross: %-14s %3d s\n' "$target" $((SECONDS - start))
done
