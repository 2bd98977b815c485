#!/usr/bin/env bash
# Prints the linker flags that stamp version, commit and the commit's date into the binary.
# VERSION, COMMIT and DATE in the environment win over what git says; without git there is only the VERSION file.
set -euo pipefail
cd "$(dirname "$0")/.."
package=github.com/ArcadeLabsInc/zvault/internal/version

version=${VERSION:-}
if [ -z "$version" ]; then
  version=$(git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//' || true)
  [ -n "$version" ] || version=$(cat VERSION)
  if [ -n "$(git status --porcelain --untracked-files=no 2>/dev/null || true)" ]; then
    version=$version+dirty
  fi
fi
commit=${COMMIT:-$(git rev-parse HEAD 2>/dev/null || true)}
date=${DATE:-$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ 2>/dev/null || true)}

printf '%s' "-s -w -X $package.Version=$version -X $package.Commit=$commit -X $package.Date=$date"
