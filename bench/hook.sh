#!/usr/bin/env bash
# Times `zvault hook` from start to end beside plain `true`, in one go: a command that is judged by its text alone, one in which the vault's
# values are looked for, a prompt, and one that is stopped. See bench/README.md.
#
# usage: bench/hook.sh [--gate]      --gate: exit status 1 if a prompt, the slowest, takes more than 30 ms longer than `true`
#   ROUNDS=100   how often each command runs
#   SIZES=1000   how many secrets
#   ZVAULT=bin/zvault
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-100}
sizes=${SIZES:-1000}
zvault=$(realpath "${ZVAULT:-bin/zvault}")
limit=()
[ "${1:-}" != --gate ] || limit=(-max-added 30ms)

[ -x "$zvault" ] || { echo "bench: no $zvault; run make build" >&2; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
CGO_ENABLED=0 go build -o "$tmp/compare" ./bench/compare
export ZVAULT_HOME

# asked NAME EVENT: a program that puts the event to the hook and fails if the answer is not the one that is wanted.
asked() { # NAME STATUS EVENT
  printf '%s' "$3" >"$tmp/$1.json"
  printf '#!/bin/sh\n%q hook claude-code <%q >/dev/null 2>&1\n[ $? = %d ]\n' "$zvault" "$tmp/$1.json" "$2" >"$tmp/$1"
  chmod +x "$tmp/$1"
}

measure() { # SIZE
  local project=$tmp/$1/sample value
  mkdir -p "$project"
  cd "$project"
  head -c $((20 * $1)) /dev/urandom | od -An -v -tx1 -w20 | tr -d ' ' | awk '{ print "SECRET_" NR "=" $1 }' >.env
  value=$(sed -n 's/^SECRET_1=//p' .env)
  ZVAULT_HOME=$tmp/$1/home
  "$zvault" import .env --remove --yes >/dev/null 2>&1
  asked read 0 '{"hook_event_name":"PreToolUse","tool_name":"Read","tool_input":{"file_path":"main.go"}}'
  asked stopped 2 '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"ls; env"}}'
  asked command 0 '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"go test ./... && git status"}}'
  asked prompt 2 "{\"hook_event_name\":\"UserPromptSubmit\",\"prompt\":\"please use $value for it\"}"
  printf '#!/bin/sh\n/bin/true <%q >/dev/null 2>&1\n[ $? = 0 ]\n' "$tmp/read.json" >"$tmp/true"
  chmod +x "$tmp/true"
  echo
  echo "## $1 secrets, $rounds rounds (each is started by sh, true as well)"
  "$tmp/compare" -rounds "$rounds" "${limit[@]}" "true=$tmp/true" "prompt=$tmp/prompt" "command=$tmp/command" "read=$tmp/read" "stopped=$tmp/stopped"
}

for size in $sizes; do
  (measure "$size")
done
