#!/usr/bin/env bash
# Runs clang-tidy over the programs' own sources. With GRADMILL_FULL set, also over those that include
# what Thrift generates, which take half of the time, and with its path-sensitive analysis, which
# takes as long as all else. usage: tests/tidy.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
cd "$1"
checks=()
sources=('src/*.cc')
if [ -z "${GRADMILL_FULL:-}" ]; then
  checks=("--checks=-clang-analyzer-*")
  sources+=(':!src/wire' ':!src/*/adapter/*')
fi
git ls-files "${sources[@]}" | xargs -P "$(nproc)" -n 2 \
  clang-tidy --quiet "${checks[@]}" -p "$2" --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings generated' >&2)
