#!/usr/bin/env bash
# Checks tests/FAULTS.md: every case is there once, no cell is empty, and each test that is named exists.
# usage: tests/fault_cases.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
cases=$(sed -nE 's/^\| ([0-9]+) \|/\1 |/p' "$1/tests/FAULTS.md")
known=$(
  ctest --test-dir "$2" -N | sed -nE 's/^ *Test +#[0-9]+: //p'
  # Of a configuration of its own, which need not be built.
  find "$1/tests/fuzz" -name '*_fuzz.cc' -printf 'fuzz.%f\n' | sed 's/_fuzz\.cc$//'
)
failures=0
complain() {
  echo "tests/FAULTS.md: $*" >&2
  failures=$((failures + 1))
}

for number in {1..49} {53..55}; do
  count=$(grep -cE "^$number \|" <<<"$cases" || true)
  [ "$count" = 1 ] || complain "case $number is there $count times"
done

while IFS='|' read -r number what injected expected tests rest; do
  [ -z "$rest" ] || complain "case $number has more than five cells"
  for cell in "$what" "$injected" "$expected" "$tests"; do
    [[ $cell =~ [a-zA-Z0-9] ]] || complain "case $number has an empty cell"
  done
  names=$(grep -oE '`[^`]+`' <<<"$tests" | tr -d '`' || true)
  if [ -z "$names" ] && [[ $tests != *"no test:"* ]]; then
    complain "case $number names no test, and no reason for having none"
  fi
  for name in $names; do
    # Of a suite with parameters: INSTANCE/SUITE.CASE/PARAMETER.
    grep -qE "(^|[./])${name//./\\.}(/.*)?$" <<<"$known" ||
      complain "case $number names $name, which ctest does not know"
  done
done <<<"$cases"

exit $((failures > 0))
