#!/usr/bin/env bash
# Fails unless the man pages are well-formed and tell every command, option and exit code.
# usage: tests/system/man_pages.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
failed=0
fail() { echo "$*" >&2; failed=1; }

# What the helps name, and no option is left out of its command's section.
expect_all() {
  local page=$1 option
  shift
  for option in $("$@" --help | grep -oE '^  (--[a-z-]+|<[a-z_]+>)'); do
    grep -qE "^ +$option( |$)" <<<"$page" || fail "the page of $1 lacks $option of ${*:2}"
  done
}

for program in client coordinator compute_node; do
  mandoc -T lint -W warning "$2/man/$program.1" || failed=1
  expect_all "$(mandoc -T ascii "$2/man/$program.1" | sed -E 's/.\x08//g')" "$2/bin/$program"
done

page=$(mandoc -T ascii -O width=200 "$2/man/client.1" | sed -E 's/.\x08//g')
general=$(sed -n '/^OPTIONS OF ALL/,/^COMMANDS/p' <<<"$page")
for noun in $("$2/bin/client" --complete= | tail -n +2); do
  for verb in $("$2/bin/client" --complete= "$noun" | tail -n +2); do
    case $noun:$verb in
      gc:* | predict:* | job:gc | job:submit) continue ;;
    esac
    section=$(sed -n "/^   client $noun $verb/,/^   client/p" <<<"$page")
    [ -n "$section" ] || fail "the page of client lacks $noun $verb"
    expect_all "$section$general" "$2/bin/client" "$noun" "$verb"
  done
done
for code in $(sed -nE 's/^  k[A-Za-z]+ = ([0-9]+),.*/\1/p' "$1/src/program/exit_code.h"); do
  sed -n '/^EXIT STATUS/,/^ENVIRONMENT/p' <<<"$page" | grep -qE "^ +$code +[a-z]" ||
    fail "the page of client lacks exit code $code"
done
exit $failed
