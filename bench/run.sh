#!/usr/bin/env bash
# Times `zvault run -- true` beside plain `true` and beside every peer found on the PATH, with the same secrets, in one go.
# See bench/README.md.
#
# usage: bench/run.sh [--gate]      --gate: exit status 1 if zvault is over its budget
#   ROUNDS=100   how often each command runs
#   SIZES="50 1000"   how many secrets
#   ZVAULT=bin/zvault
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-100}
sizes=${SIZES:-50 1000}
zvault=$(realpath "${ZVAULT:-bin/zvault}")
gate=false
[ "${1:-}" != --gate ] || gate=true

[ -x "$zvault" ] || { echo "bench: no $zvault; run make build" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -o "$tmp/compare" ./bench/compare
export ZVAULT_HOME SOPS_AGE_KEY_FILE

has() { command -v "$1" >/dev/null; }

# sample SIZE: a .env with values made here, 40 characters each.
sample() {
  local i
  head -c $((20 * $1)) /dev/urandom | od -An -v -tx1 -w20 | tr -d ' ' |
    while read -r value; do i=$((${i:-0} + 1)); echo "SECRET_$i=$value"; done
}

# budget SIZE: the most that zvault may add to plain true, in ms.
budget() { if [ "$1" -le 50 ]; then echo 12; else echo 20; fi; }

measure() { # SIZE
  local size=$1 project=$tmp/$1/sample
  mkdir -p "$project"
  cd "$project"
  sample "$size" >.env
  ZVAULT_HOME=$tmp/$size/home
  "$zvault" import .env --yes >/dev/null
  local commands=("true=true" "zvault=$zvault run -- true")

  if has sops && has age-keygen; then
    SOPS_AGE_KEY_FILE=$tmp/$size/age.txt
    age-keygen -o "$SOPS_AGE_KEY_FILE" 2>/dev/null
    sops encrypt --age "$(age-keygen -y "$SOPS_AGE_KEY_FILE")" --input-type dotenv --output-type dotenv .env >sops.env
    commands+=("sops=sops exec-env sops.env true")
  else
    echo "bench: sops and age-keygen are not on the PATH: left out"
  fi
  if has dotenvx; then
    cp .env dotenvx.env
    dotenvx encrypt -f dotenvx.env >/dev/null 2>&1
    commands+=("dotenvx=dotenvx run --quiet -f dotenvx.env -- true")
  else
    echo "bench: dotenvx is not on the PATH: left out"
  fi
  if has node; then
    commands+=("node=node -e 0")
  fi

  local limit=()
  if $gate; then limit=(-max-added "$(budget "$size")ms"); fi
  echo
  echo "## $size secrets, $rounds rounds"
  "$tmp/compare" -rounds "$rounds" "${limit[@]}" "${commands[@]}"
}

startup() {
  echo
  echo "## What start-up initialises (packages over 0.05 ms or 32 kB; GODEBUG=inittrace=1)"
  GODEBUG=inittrace=1 "$zvault" version 2>&1 >/dev/null |
    awk '$1 == "init" { n++; ms += $5; kb += $8 / 1024; if ($5 > 0.05 || $8 > 32768) printf "%-60s %6.3f ms %7.1f kB\n", $2, $5, $8 / 1024 }
         END { printf "%-60s %6.3f ms %7.1f kB\n", "all " n " packages", ms, kb }'
}

for size in $sizes; do
  (measure "$size")
done
startup
