#!/usr/bin/env bash
# Puts the same load on `zvault server` and on OpenBao, one after the other in one run, both with files for storage and one file
# audit device that writes to the kernel, and on a bare net/http handler. Then on zvault with every entry synced to the disk.
#
# usage: bench/server.sh
#   WIRE=path        the load script (vault-wire.sh) and request.lua beside it; required
#   BAO=bao          OpenBao's binary; left out if there is none
#   ZVAULT=bin/zvault  SECONDS_EACH=5  CONNS="1 16 64"
# Needs curl, jq and wrk. Prints one line a case: name, case, connections, requests/s, p50 ms, p99 ms, errors; then memory.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${WIRE:?path of vault-wire.sh}"
zvault=$(realpath "${ZVAULT:-bin/zvault}")
bao=$(command -v "${BAO:-bao}" || true)
export SECONDS_EACH=${SECONDS_EACH:-5} CONNS=${CONNS:-1 16 64}
tmp=$(mktemp -d)
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; }; server=; }
trap 'stop; rm -rf "$tmp"' EXIT

memory() { awk -v n="$1" '/VmRSS|VmHWM/ {printf "%s\t%s\t%d MB\n", n, $1, $2 / 1024}' "/proc/$server/status"; }

waitfor() { # URL
  local start
  start=$(date +%s%N)
  until curl -s -o "$tmp/body" "$1"; do
    kill -0 "$server" || { cat "$tmp/log" >&2; exit 1; }
    sleep 0.005
  done
  echo "$name	answers after	$((($(date +%s%N) - start) / 1000000)) ms"
}

ours() { # NAME SYNC
  name=$1
  "$zvault" server --data "$tmp/$1" --audit-sync "$2" --listen 127.0.0.1:18201 >"$tmp/log" 2>&1 &
  server=$!
  export VAULT_ADDR=http://127.0.0.1:18201
  waitfor "$VAULT_ADDR/v1/sys/health"
  VAULT_TOKEN=$(sed -n 's/^root token: //p' "$tmp/log") bash "$WIRE" "$1"
  memory "$1"
  stop
}

peer() {
  name=openbao
  cat >"$tmp/bao.hcl" <<HCL
storage "file" { path = "$tmp/bao" }
listener "tcp" { address = "127.0.0.1:18202" tls_disable = true }
disable_mlock = true
audit "file" "main" { options { file_path = "$tmp/bao.audit" } }
HCL
  "$bao" server -config "$tmp/bao.hcl" >"$tmp/log" 2>&1 &
  server=$!
  export VAULT_ADDR=http://127.0.0.1:18202
  waitfor "$VAULT_ADDR/v1/sys/health"
  curl -sS -X PUT -d '{"secret_shares":1,"secret_threshold":1}' "$VAULT_ADDR/v1/sys/init" >"$tmp/init"
  curl -sS -X PUT -d "$(jq -c '{key: .keys[0]}' "$tmp/init")" "$VAULT_ADDR/v1/sys/unseal" >/dev/null
  VAULT_TOKEN=$(jq -r .root_token "$tmp/init") bash "$WIRE" openbao
  memory openbao
  stop
}

bare() {
  CGO_ENABLED=0 go build -o "$tmp/barebin" ./bench/bare
  "$tmp/barebin" 127.0.0.1:18203 &
  server=$!
  sleep 0.3
  for c in $CONNS; do
    BENCH_METHOD=GET BENCH_PATH=/ BENCH_TOKEN=x wrk -t$((c < 2 ? 1 : 2)) -c"$c" -d"${SECONDS_EACH}s" --latency -s "$(dirname "$WIRE")/request.lua" http://127.0.0.1:18203 |
      sed -n "s/^RESULT /bare	get	$c	/p" | tr ' ' '\t'
  done
  stop
}

bare
ours zvault os
if [ -n "$bao" ]; then peer; else echo "server.sh: no OpenBao on the PATH: left out"; fi
ours zvault-synced disk
