#!/usr/bin/env bash
# Writes a man page on stdout: TEMPLATE, with what PROGRAM says of itself by --help in place of the
# lines @ARGUMENTS@, @OPTIONS@, @COMMANDS@ and @COMMON_OPTIONS@ (those that all commands have).
# usage: docs/man/page.sh PROGRAM VERSION DATE TEMPLATE
set -euo pipefail
program=$1 version=$2 date=$3 template=$4

# Without an environment, from which defaults come, too.
ask() { env -i "$program" "$@"; }

# The helps of all commands below the words given.
helps() {
  local word text
  for word in $(ask --complete= "$@" | tail -n +2); do
    text=$(ask "$@" "$word" --help)
    case $text in
      "usage: "*" <verb> [options]"*) helps "$@" "$word" ;;
      *) printf '%s\n' "$text" ;;
    esac
  done
}

# The lines of options that are in all of these helps.
common_options() {
  awk '{ gsub(/  +/, "  ") } /^usage: / { ++count } /^  --/ { ++seen[$0] }
    END { for (line in seen) if (seen[line] == count) print line }' | LC_ALL=C sort
}

# Help texts as roff: $1 says what of them, and options in the list $2 are left out.
roff() {
  WANTED=$1 OMITTED=$2 awk '
    function roffed(text) {
      gsub(/\\/, "\\e", text)
      gsub(/-/, "\\-", text)
      return text ~ /^[.\047]/ ? "\\&" text : text
    }
    BEGIN {
      wanted = ENVIRON["WANTED"]
      n = split(ENVIRON["OMITTED"], lines, "\n")
      for (i = 1; i <= n; ++i) omitted[lines[i]] = 1
    }
    /^usage: / {
      usage = $0
      purpose_at = NR + 2
      heading = ""
      in_text = 0
      sub(/^usage: /, "", usage)
      sub(/ \[options\]$/, "", usage)
      is_known = usage in known  # A command may have two names.
      known[usage] = 1
      if (wanted == "commands" && !is_known) print ".SS " roffed(usage)
    }
    is_known { next }
    NR <= purpose_at {
      if (NR == purpose_at && wanted == "commands") print roffed($0)
      next
    }
    { gsub(/  +/, "  ") }
    /^  / && !in_text {
      split($0, part, "  ")
      split(part[2], word, " ")
      is_argument = part[2] ~ /^</
      if ($0 in omitted || (wanted == "arguments" && !is_argument) ||
          (wanted == "options" && is_argument)) next
      if (heading != "") print ".PP\n" roffed(heading)
      heading = ""
      print ".TP\n\\fB" roffed(word[1]) "\\fR" (word[2] == "" ? "" : " \\fI" roffed(word[2]) "\\fR")
      print roffed(part[3])
      next
    }
    /^[A-Z][A-Za-z ]*:$/ { heading = $0; next }
    /./ && wanted == "commands" { if (!in_text++) print ".PP"; print roffed($0) }'
}

grep -q '^@COMMANDS@$' "$template" && commands=$(helps) || commands=
common=$(common_options <<<"$commands")
while IFS= read -r line; do
  case $line in
    @ARGUMENTS@) ask --help | roff arguments "" ;;
    @OPTIONS@) ask --help | roff options "" ;;
    @COMMON_OPTIONS@) printf 'usage:\n\n\n%s\n' "$common" | roff options "" ;;
    @COMMANDS@) roff commands "$common" <<<"$commands" ;;
    *)
      line=${line//@VERSION@/$version}
      printf '%s\n' "${line//@DATE@/$date}"
      ;;
  esac
done <"$template"
