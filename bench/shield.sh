#!/usr/bin/env bash
# Measures the shield in one run: masking on one core, the proxy beside a bare one, and the start of a command.
# See docs/shield.md.
#
# usage: bench/shield.sh
#   ROUNDS=100   how often each command runs
#   ZVAULT=bin/zvault
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-100}
zvault=$(realpath "${ZVAULT:-bin/zvault}")
[ -x "$zvault" ] || { echo "bench: no $zvault; run make build" >&2; exit 1; }
export CGO_ENABLED=0 ZVAULT_HOME
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go build -o "$tmp/compare" ./bench/compare

echo "## Masking, one core"
GOMAXPROCS=1 go test -run '^$' -bench 'Writer/1000_values$|Overwriter|Copy' ./internal/redact | grep ^Benchmark

echo
echo "## The proxy beside a bare forward proxy that terminates TLS, 64 connections"
go test -run '^$' -bench Proxy -benchtime 1x ./internal/shield/proxy | grep -E 'Benchmark|requests/s'

echo
echo "## Start of a command, 50 secrets, $rounds rounds"
mkdir "$tmp/sample"
cd "$tmp/sample"
ZVAULT_HOME=$tmp/home
head -c 1000 /dev/urandom | od -An -v -tx1 -w20 | tr -d ' ' | awk '{ print "SECRET_" NR "=" $1 }' >.env
"$zvault" import .env --yes >/dev/null
"$tmp/compare" -rounds "$rounds" "true=true" "shield=$zvault shield -q -- true" "run=$zvault run -- true"
