#!/usr/bin/env bash
# clang-tidy as a compiler, for ccache: unless it is silent, there is neither an object nor a list
# of what was included. Checks besides those of .clang-tidy: GRADMILL_TIDY_CHECKS.
# usage: tests/tidy_compiler.sh OPTION … -MD -MF LIST -o OBJECT -c SOURCE
set -euo pipefail
options=()
while [ $# -gt 0 ]; do
  case $1 in
    -MD | -c) ;;
    -MF) list=$2 && shift ;;
    -o) object=$2 && shift ;;
    *.cc) source=$1 ;;
    *) options+=("$1") ;;
  esac
  shift
done
options+=(-Wno-unknown-warning-option)

findings=$(clang-tidy --quiet "--checks=$GRADMILL_TIDY_CHECKS" "$source" -- "${options[@]}" 2>&1 |
  sed -E '/^[0-9]+ warnings? generated\.$/d') || { printf '%s\n' "$findings"; exit 1; }
[ -z "$findings" ] || { printf '%s\n' "$findings"; exit 1; }
clang++ -w "${options[@]}" -M -MF "$list" -MT "$object" "$source"
echo silent >"$object"
