#!/usr/bin/env bash
# The README's first command does what it says, with the error that the README shows, twice, and
# leaves nothing behind. usage: quickstart.sh SOURCE_DIR
set -euo pipefail
cd "$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tmp" "$folder/state"
export TMPDIR=$folder/tmp XDG_STATE_HOME=$folder/state
err=$folder/err
shown=$(grep -m 1 '^final validation error: ' README.md)
for run in first second; do
  out=$(scripts/quickstart 2>"$err") || { cat "$err"; echo "$run run: exit code $?"; exit 1; }
  [ "$out" = "$shown" ] || { cat "$err"; echo "$run run: $out"; exit 1; }
  [ "$(grep -c '^round [123]/3: validation error 0\.' "$err")" -eq 3 ] || { cat "$err"; exit 1; }
  [ "$(grep -c '^node .* tasks, .* refused' "$err")" -eq 3 ] || { cat "$err"; exit 1; }
done
rmdir "$folder/tmp" "$folder/state"
