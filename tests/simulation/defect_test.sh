#!/usr/bin/env bash
# Fails unless a simulator with a planted defect finds it. usage: defect_test.sh PROGRAM HISTORIES
set -uo pipefail
output=$("$1" --histories "$2" 2>&1)
code=$?
printf '%s\n' "$output"
[ $code -eq 1 ] && grep -Eq '^invariant [a-z_]+ violated.*\(seed [0-9]+\)$' <<<"$output"
