#!/usr/bin/env bash
# Runs every fuzz target of the repository, one after another, and stops at the first finding.
#
# usage: fuzz.sh TIME [REGEXP]      REGEXP picks targets by "package FuzzName"
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?time for each target, as in 30s}
pick=${2:-.}

targets() {
  grep -rEo --include='*_test.go' '^func Fuzz[A-Z][A-Za-z0-9_]*' cmd internal |
    sed -E 's#^(.*)/[^/]*:func (Fuzz.*)$#./\1 \2#' | LC_ALL=C sort
}

chosen=$(targets | grep -E "$pick" || true)
[ -n "$chosen" ] || { echo "fuzz: no fuzz target matches $pick" >&2; exit 1; }
count=0
while read -r package name; do
  echo "== $package $name ($time)"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$package" </dev/null
  count=$((count + 1))
done <<<"$chosen"
echo "fuzz: $count targets, $time each, no finding"
