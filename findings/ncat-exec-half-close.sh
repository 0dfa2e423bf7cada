#!/bin/sh
# A program that ncat runs for a client (-e) loses its reply if the client half-closes.
#
# Seen on ncat 7.93 (Debian 12), Linux 6.18, 2026-11-29.
#
# The guess: ncat turns the end of its own input into a half-close, so on the other side it keeps a
# connection open that is half-closed: the program gets the end of the input, and its reply is
# sent.
# The behaviour: at the end of the input from the socket ncat closes the connection and does not
# wait for the program. A program that answers at the end of its input, such as sort, can never
# answer. One that answers before is cut off as well, if request and half-close arrive together.
# ncat as the client does this after each request from a pipe, so ncat does not work with ncat.
#
# Output seen:
#   sort, the client half-closes: nothing
#   head -n 2 | sort, the client half-closes: nothing
#   head -n 2 | sort, the client waits: a b
set -eu
command -v ncat >/dev/null || { echo "skipped: needs ncat"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# ask SOCKET PROGRAM SECONDS: for how long the client keeps its side open
ask() {
	timeout 20 ncat -lU "$1" --sh-exec "$2" &
	until [ -S "$1" ]; do sleep 0.05; done
	reply=$( (printf 'b\na\n'; sleep "$3") | timeout 20 ncat -U "$1" | tr '\n' ' ')
	wait
	echo "${reply:-nothing}" | sed 's/ $//'
}
show() {
	echo "sort, the client half-closes: $(ask one sort 0)"
	echo "head -n 2 | sort, the client half-closes: $(ask two 'head -n 2 | sort' 0)"
	echo "head -n 2 | sort, the client waits: $(ask three 'head -n 2 | sort' 2)"
}
show >seen
cat seen
diff seen - <<'EXPECTED'
sort, the client half-closes: nothing
head -n 2 | sort, the client half-closes: nothing
head -n 2 | sort, the client waits: a b
EXPECTED
echo "as described"
