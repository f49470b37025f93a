#!/usr/bin/env bash
# Fails unless every source is formatted. usage: tests/format.sh SOURCE_DIR
set -euo pipefail
cd "$1"
git ls-files 'src/*.h' 'src/*.cc' 'tests/*.h' 'tests/*.cc' 'bench/*.cc' |
  xargs clang-format --dry-run --Werror
