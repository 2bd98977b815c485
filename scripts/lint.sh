#!/usr/bin/env bash
# Lints everything: golangci-lint (built from source once a version, kept in the user's cache), go vet for the systems that
# this machine is not, shellcheck for the scripts. Arguments are packages (default ./...).
set -euo pipefail
cd "$(dirname "$0")/.."
version=v2.15.0
export CGO_ENABLED=0

tools=${XDG_CACHE_HOME:-$HOME/.cache}/zvault-tools/golangci-lint-$version-$(go env GOVERSION)
if [ ! -x "$tools/golangci-lint" ]; then
  echo "lint: building golangci-lint $version"
  mkdir -p "$tools"
  (cd "$tools" && GOWORK=off GOFLAGS=-trimpath GOBIN=$tools go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version")
fi
scripts/test-deps.sh scripts/lint-deps.txt

[ $# -gt 0 ] || set -- ./...
"$tools/golangci-lint" run "$@"
for target in darwin/arm64 windows/amd64; do
  GOOS=${target%/*} GOARCH=${target#*/} go vet "$@" || { echo "lint: go vet for $target" >&2; exit 1; }
done
git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck
