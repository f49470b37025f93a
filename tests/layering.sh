#!/usr/bin/env bash
# Fails on any include that points against the architecture. usage: tests/layering.sh SOURCE_DIR
set -euo pipefail
cd "$1/src"

# box: the boxes that it may include, besides itself.
declare -A may=(
  [base]=""
  [ml]="base"
  [formats]="base ml"
  [protocol]="base ml"
  [faults]="base protocol"
  [rpc]="base"
  [wire]="base ml protocol"
  [program]="base"
  [coordinator/core]="base ml protocol"
  [coordinator/ports]="base protocol coordinator/core"
  [coordinator/service]="base ml faults formats protocol coordinator/core coordinator/ports"
  [coordinator/store]="base ml formats protocol coordinator/core coordinator/ports"
  [coordinator/adapter]="base ml protocol rpc wire coordinator/core coordinator/ports coordinator/service"
  [coordinator/command_line]="base program coordinator/core coordinator/service"
  [coordinator]="base faults formats program protocol rpc coordinator/core coordinator/service coordinator/store coordinator/adapter coordinator/command_line"
  [compute_node/worker]="base ml formats protocol compute_node/prediction"
  [compute_node/membership]="base protocol"
  [compute_node/prediction]="base ml formats protocol"
  [compute_node/adapter]="base faults ml protocol rpc wire compute_node/worker compute_node/membership compute_node/prediction"
  [compute_node/command_line]="base program compute_node/worker"
  [compute_node]="base faults ml program protocol rpc compute_node/worker compute_node/membership compute_node/prediction compute_node/adapter compute_node/command_line"
  [client/request]="base ml formats program protocol"
  [client/link]="base protocol"
  [client/report]="base ml formats program protocol client/request"
  [client/commands]="base ml formats program protocol client/request client/report client/link"
  [client/adapter]="base protocol rpc wire client/link"
  [client]="base program protocol client/request client/report client/commands client/link client/adapter"
)

box_of() {
  case "$1" in
    coordinator/*/* | compute_node/*/* | client/*/*) cut -d/ -f1-2 <<<"$1" ;;
    *) cut -d/ -f1 <<<"$1" ;;
  esac
}

failures=0
while IFS=: read -r file include; do
  from=$(box_of "$file")
  case "$include" in
    \"*)
      to=$(box_of "$(tr -d '"' <<<"$include")")
      [ "$from" = "$to" ] && continue
      if [[ -z ${may[$from]+known} || " ${may[$from]} " != *" $to "* ]]; then
        echo "src/$file includes $include: $from may not use $to"
        failures=1
      fi
      ;;
    "<thrift/"* | "<wire/"*)
      case "$file" in
        rpc/* | wire/* | */main.cc | *_handler.h | *_handler.cc | *_link.cc) ;;
        *) echo "src/$file includes $include: Thrift stays in the adapters"; failures=1 ;;
      esac
      ;;
    "<soci/"* | "<sqlite3"*)
      [ "$from" = coordinator/store ] ||
        { echo "src/$file includes $include: SQL stays in coordinator/store"; failures=1; }
      ;;
    "<onnx/"* | "<google/protobuf/"* | "<zip.h>")
      [ "$from" = formats ] || { echo "src/$file includes $include: files stay in formats"; failures=1; }
      ;;
    "<boost/program_options"*)
      [ "$from" = program ] || { echo "src/$file includes $include: options stay in program"; failures=1; }
      ;;
    "<boost/"*)
      [ "$file" = coordinator/service/statistics/duration_sketch.cc ] ||
        { echo "src/$file includes $include: Boost stays in program and the sketch of durations"; failures=1; }
      ;;
  esac
done < <(grep -rnoE --include='*.h' --include='*.cc' '^#include [<"][^>"]+[>"]' . |
  sed -E 's,^\./,,; s/:[0-9]+:#include /:/')
omp=$(grep -rln --include='*.h' --include='*.cc' '#pragma omp' . | grep -v '^./ml/parallel.h$' || true)
[ -z "$omp" ] || { echo "#pragma omp outside of ml/parallel.h: $omp"; failures=1; }
exit $failures
