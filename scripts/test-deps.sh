#!/usr/bin/env bash
# Installs what the tests need and this machine lacks (scripts/test-deps.txt, or the list file given). Quick and silent
# when all is there. Needs a Debian or Ubuntu, and root or sudo, only when something is missing.
#
# usage: test-deps.sh [--check] [LIST]      --check names what is missing and installs nothing
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
check=false
if [ "${1:-}" = --check ]; then
  check=true
  shift
fi
list=${1:-$here/test-deps.txt}

present() { # COMMAND|FILE
  case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# missing prints the packages whose command or file is not there.
missing() {
  local package sign _
  while read -r package sign _; do
    case $package in '' | '#'*) continue ;; esac
    [ -n "$sign" ] || { echo "test-deps: $list: no command or file given for $package" >&2; return 1; }
    present "$sign" || printf '%s ' "$package"
  done <"$list"
}

retry() { # COMMAND...: three times, with a pause
  local try
  for try in 1 2 3; do
    "$@" && return 0
    [ "$try" = 3 ] || sleep $((try * 5))
  done
  return 1
}

need=$(missing)
[ -n "$need" ] || exit 0
if $check || ! command -v apt-get >/dev/null; then
  echo "test-deps: missing: $need(Debian's names; install them, then try again)" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "test-deps: as root, run: apt-get install $need" >&2; exit 1; }
  sudo=(sudo)
fi

echo "test-deps: installing $need"
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # the names are to be split
if ! { retry "${apt[@]}" update && retry "${apt[@]}" install -y --no-install-recommends $need; } >"$log" 2>&1 </dev/null; then
  tail -n 20 "$log" >&2
  echo "test-deps: could not install: $need" >&2
  exit 1
fi
left=$(missing)
if [ -n "$left" ]; then
  echo "test-deps: installed, but still not found: $left" >&2
  exit 1
fi
