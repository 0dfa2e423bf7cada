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
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# unpack PACKAGE=VERSION...: into ./root, with what they need and is missing here; needs no root
unpack() {
	apt-get -s -q install "$@" 2>/dev/null | awk '/^Inst/ { print $2 }' >missing
	[ -s missing ] && xargs apt-get -q download <missing >/dev/null 2>&1 || return 1
	for package in *.deb; do
		dpkg-deb -x "$package" root
	done
}
if ! command -v ncat >/dev/null; then
	unpack ncat=7.93+dfsg1-1 || { echo "skipped: needs ncat"; exit 0; }
	PATH=$folder/root/usr/bin:$PATH
	libraries=lib/$(uname -m)-linux-gnu
	export LD_LIBRARY_PATH="$folder/root/usr/$libraries:$folder/root/$libraries"
fi
# ask SOCKET PROGRAM SECONDS: for how long the client keeps its side open
ask() {
	timeout 20 ncat -lU "$1" --sh-exec "$2" &
	for attempt in $(seq 200); do
		[ ! -S "$1" ] || break
		sleep 0.05
	done
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
