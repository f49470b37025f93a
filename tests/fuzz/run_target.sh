#!/usr/bin/env bash
# Runs one fuzz target, from its seeds alone, so that a run can be repeated. What it learns lies in
# WORK_DIR/corpus; an input that it fails on lies in WORK_DIR, and its path is printed.
# usage: run_target.sh TARGET SEED_DIR WORK_DIR SECONDS
set -euo pipefail
target=$1 seeds=$2 work=$3 seconds=$4
rm -rf "$work/corpus"
mkdir -p "$work/corpus"

# Freed memory is not kept for long: the limit below is on all that the process has.
export ASAN_OPTIONS=quarantine_size_mb=16
export UBSAN_OPTIONS=print_stacktrace=1
exec "$target" -seed=1 -max_total_time="$seconds" -max_len=4096 -timeout=20 \
  -rss_limit_mb=512 -malloc_limit_mb=64 -entropic_scale_per_exec_time=1 \
  -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "$seeds"
