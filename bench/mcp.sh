#!/usr/bin/env bash
# Times the MCP server: from start to the end of the first answers, beside `zvault version`, which is the program's bare start; and
# a list of secrets within a running server. See docs/mcp.md.
#
# usage: bench/mcp.sh
#   ROUNDS=50   how often each command runs
#   ZVAULT=bin/zvault
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-50}
zvault=$(realpath "${ZVAULT:-bin/zvault}")
[ -x "$zvault" ] || { echo "bench: no $zvault; run make build" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -o "$tmp/compare" ./bench/compare

hello='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}'
list='{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"zvault_list_secrets"}}'
export ZVAULT_HOME
for size in 50 1000; do
  mkdir -p "$tmp/$size/sample"
  ZVAULT_HOME=$tmp/$size/home
  (
    cd "$tmp/$size/sample"
    head -c $((20 * size)) /dev/urandom | od -An -v -tx1 -w20 | tr -d ' ' | awk '{ print "SECRET_" NR "=" $1 }' >.env
    "$zvault" import .env --yes >/dev/null 2>&1
    printf '%s\n' "$hello" >../hello
    printf '%s\n%s\n' "$hello" "$list" >../list
    printf '#!/bin/sh\nexec "%s" mcp-server <"%s"\n' "$zvault" "$tmp/$size/hello" >../first
    printf '#!/bin/sh\nexec "%s" mcp-server <"%s"\n' "$zvault" "$tmp/$size/list" >../listed
    printf '#!/bin/sh\nexec "%s" version\n' "$zvault" >../version
    chmod +x ../first ../listed ../version
    echo "## $size secrets, $rounds rounds, to the end of the process"
    "$tmp/compare" -rounds "$rounds" "version=../version" "first-answer=../first" "list_secrets=../listed"
  )
done
echo "## in a running server"
CGO_ENABLED=0 go test -run '^$' -bench ListSecrets ./internal/mcp | grep Benchmark
