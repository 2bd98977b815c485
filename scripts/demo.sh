#!/usr/bin/env bash
# The main job, on a sample project made here: import a .env, show what is left of it, run a program that needs a value and
# prove that it got it, and look for the values in every file. Exit status 0 means that all of it held.
set -euo pipefail
cd "$(dirname "$0")/.."
zvault=$PWD/bin/zvault
[ -x "$zvault" ] || { echo "demo: no bin/zvault; run make build" >&2; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export ZVAULT_HOME=$tmp/home
unset ZVAULT_ENV ZVAULT_PROJECT ZVAULT_TOKEN ZVAULT_ADDR
PATH=$(dirname "$zvault"):$PATH
mkdir -p "$tmp/shop"
cd "$tmp/shop"
git init -q

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
step() { printf '$ %s\n' "$*"; "$@"; }
hash() { sha256sum | cut -d' ' -f1; }
fail() { echo "demo: $*" >&2; exit 1; }

# The values are made now, so that none of them is in this repository. They stay in this shell and in the .env.
random() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
password=$(random) stripe=sk_live_$(random) token=$(random)
{
  printf '# The shop'\''s keys\n'
  printf 'DATABASE_PASSWORD="%s"\n\n' "$password"
  printf '# payments\nSTRIPE_KEY=%s\n' "$stripe"
  printf 'export WEBHOOK_TOKEN=%s # rotates in May\n' "$token"
} >.env
want=$(printf %s "$password" | hash)

say "A project with live keys in a .env (values cut short here)"
sed -E 's/(=.{12}).*/\1…/' .env

say "One command moves them into an encrypted vault"
step zvault import .env --remove --yes
[ ! -e .env ] || fail "the plaintext .env is still there"

say "What is left in the project: addresses. This is what an assistant sees, and what you commit"
step cat .env.zvault
for name in DATABASE_PASSWORD STRIPE_KEY WEBHOOK_TOKEN; do
  grep -q "^\(export \)\?$name=.*zvault://" .env.zvault || fail ".env.zvault has no reference for $name"
done

say "The program runs as before: here one that prints the SHA-256 of the password it was given"
# shellcheck disable=SC2016 # the child's shell is to expand it
program='printf %s "$DATABASE_PASSWORD" | sha256sum | cut -d" " -f1'
printf "$ zvault run -- sh -c '%s'\n" "$program"
got=$(zvault run -- sh -c "$program")
echo "$got"
[ "$got" = "$want" ] || fail "the program did not get the value: wanted $want"
echo "the same as that of the value in the .env: yes"

say "No value is in any file of the project or of the vault"
printf '%s\n' "$password" "$stripe" "$token" >"$tmp/values"
if found=$(grep -rlaF -f "$tmp/values" "$tmp/shop" "$tmp/home"); then
  fail "found a value in: $found"
fi
find "$tmp/shop" "$tmp/home" -path '*/.git' -prune -o -type f -print | sed "s#^$tmp/#  clean  #"

say "Done: make help lists what else there is"
