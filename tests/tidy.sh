#!/usr/bin/env bash
# Runs clang-tidy over the programs' own sources; with GRADMILL_FULL set, also its path-sensitive
# analysis, which takes as long as all else. usage: tests/tidy.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
cd "$1"
checks=()
[ -n "${GRADMILL_FULL:-}" ] || checks=("--checks=-clang-analyzer-*")
git ls-files 'src/*.cc' | xargs -P "$(nproc)" -n 2 \
  clang-tidy --quiet "${checks[@]}" -p "$2" --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings generated' >&2)
