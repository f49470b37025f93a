# Completes the command lines of client, coordinator and compute_node in bash: source this. The
# programs themselves say what may stand where; the client asks the coordinator for names.
_gradmill() {
  # bash also splits words at such as '=' and ':'; blanks alone part those that the program gets.
  local line=${COMP_LINE:0:COMP_POINT} word words=()
  for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
    if [[ ${#words[@]} -eq 0 || $line == [[:blank:]]* ]]; then
      line=${line#"${line%%[![:blank:]]*}"}
      words+=("")
    fi
    words[-1]+=$word
    line=${line#"$word"}
  done
  if [[ $line == [[:blank:]]* ]]; then
    words+=("${line#"${line%%[![:blank:]]*}"}")
  else
    words[-1]+=$line
  fi
  local cursor=${words[-1]} program=${1/#'~/'/$HOME/}
  mapfile -t COMPREPLY < <(
    "$program" --complete="$cursor" "${words[@]:1:${#words[@]}-2}" 2>/dev/null </dev/null)
  [[ ${COMPREPLY[0]-} != files ]] || compopt -o default 2>/dev/null
  # What bash replaces begins behind the last character that it splits at.
  COMPREPLY=("${COMPREPLY[@]:1}")
  COMPREPLY=("${COMPREPLY[@]#"${cursor%"${cursor##*[$COMP_WORDBREAKS]}"}"}")
}
complete -F _gradmill client coordinator compute_node
