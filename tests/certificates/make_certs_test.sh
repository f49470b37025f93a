#!/usr/bin/env bash
# What scripts/make-certs refuses: one line, exit code 2, and a folder as it was.
# usage: make_certs_test.sh SOURCE_DIR
set -euo pipefail
make_certs=$1/scripts/make-certs
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() { echo "$*" >&2; exit 1; }

# refused TEXT ARGUMENT...
refused() {
  local text=$1 code=0 said
  shift
  said=$("$make_certs" "$@" 2>&1) || code=$?
  [ "$code" = 2 ] || fail "$*: exit code $code: $said"
  [[ $said == "make-certs: "*"$text"* && $said != *$'\n'* ]] || fail "$*: $said"
}

refused 'cannot make coordinator; is each --host a name or an address?' "$folder/certs" --host 256.1.1.1
[ ! -e "$folder/certs" ] || fail "left behind: $(ls "$folder/certs")"
"$make_certs" "$folder/certs" --host 10.0.0.1 >/dev/null
before=$(ls "$folder/certs")
refused 'cannot make other' "$folder/certs" --name other --host 256.1.1.1
refused 'is there already' "$folder/certs"
[ "$(ls "$folder/certs")" = "$before" ] || fail "changed: $(ls "$folder/certs")"

touch "$folder/file"
refused 'cannot write to' "$folder/file/certs"
refused 'cannot write to' "$folder/file"
