#!/usr/bin/env bash
# Completes command lines as bash does, with a coordinator, without one, and with one that hangs.
# usage: tests/system/completion.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
source "$1/completions/gradmill.bash"
export PATH=$2/bin:$PATH
unset GRADMILL_COORDINATOR
folder=$(mktemp -d)
coordinator=
stop() {
  [ -z "$coordinator" ] || { kill -KILL "$coordinator" && wait "$coordinator"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

compopt() { [ "$*" = "-o default" ] && files=yes; }

# Fails unless the line $1, whose words bash splits into those after $3, gets $2 at its end.
expect() {
  local line=$1 wanted=$2
  shift 2
  COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=() files=
  _gradmill "$1" "${COMP_WORDS[-1]}" ""
  local got="${COMPREPLY[*]}${files:+ (files)}"
  [ "$got" = "$wanted" ] || { echo "'$line' gives '$got' instead of '$wanted'" >&2; exit 1; }
}

expect 'client jo' job client jo
expect 'client  job   sh' show client job sh
expect 'client job show ' latest client job show ''
expect 'client job list --format ' 'text json' client job list --format ''
expect 'client job list --format=' 'text json' client job list --format =
expect 'client job list --format=j' json client job list --format = j
expect 'client node ' 'list stats join leave' client node ''
expect 'client node kill ' '' client node kill ''
expect 'client model import ' ' (files)' client model import ''
expect 'client model import "a file.npz" --mod' --model client model import '"a file.npz"' --mod
expect 'client gc --keep-jobs ' '' client gc --keep-jobs ''
expect 'coordinator 9000 lo' load-balancing coordinator 9000 lo
expect 'coordinator 9000 1 --state-dir ' ' (files)' coordinator 9000 1 --state-dir ''
expect 'compute_node 9001 0 --log-format ' 'text json' compute_node 9001 0 --log-format ''
expect 'client job show --coordinator 127.0.0.1:1 ' latest \
  client job show --coordinator 127.0.0.1 : 1 ''
[ "$(complete -p client)" = 'complete -F _gradmill client' ]

printf '127.0.0.1,1\n' >"$folder/nodes"
"$2/bin/coordinator" 0 1 --state-dir "$folder/state" --nodes "$folder/nodes" 2>"$folder/log" &
coordinator=$!
for ((n = 0; n < 500; ++n)); do
  GRADMILL_COORDINATOR=$(sed -n 's/.*listening on //p' "$folder/log")
  [ -z "$GRADMILL_COORDINATOR" ] || break
  read -rt 0.02 <> <(:) || true
done
export GRADMILL_COORDINATOR
client job submit train --data "$1/data/letters" --preset fast --no-wait --id job-1 >/dev/null
expect 'client job show ' 'latest job-1' client job show ''
expect 'client node leave ' 127.0.0.1:1 client node leave ''
expect 'client node leave 127.0.0.1:' 1 client node leave 127.0.0.1 :

# It accepts connections, and nobody answers.
kill -STOP "$coordinator"
SECONDS=0
expect 'client job show ' latest client job show ''
[ $SECONDS -le 3 ] || { echo "a coordinator that hangs holds the shell for $SECONDS s" >&2; exit 1; }
