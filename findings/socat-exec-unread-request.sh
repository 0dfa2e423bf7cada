#!/bin/sh
# socat drops the reply of a program that ends without reading what the client has sent.
#
# Seen on socat 1.7.4.4 (Debian 12), Linux 6.18, 2026-11-29.
#
# The guess: with EXEC a program serves a client as under inetd. One that answers without looking at
# its input, such as date, can be used: what it has written reaches the client.
# The behaviour: socat copies between two sockets, and looks first at what comes from the client. If
# the program has ended by then, the write fails with EPIPE, and socat exits at once: the reply,
# which it could read from the other socket, is lost. It depends on the order, so it happens often
# on a busy machine and seldom on an idle one. With the option pipes the reply arrives, and so it
# does with nofork, where the program has the client's socket itself, as under inetd.
#
# Here the program stops socat until a request waits and the program has ended, so that the order
# is certain.
#
# Output seen:
#   EXEC, the client sends nothing: reply
#   EXEC, the client sends a line: nothing
#   EXEC with pipes, the client sends a line: reply
#   EXEC with nofork, the client sends a line: reply
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
if ! command -v socat >/dev/null; then
	unpack socat=1.7.4.4-2 || { echo "skipped: needs socat"; exit 0; }
	PATH=$folder/root/usr/bin:$PATH
	libraries=lib/$(uname -m)-linux-gnu
	export LD_LIBRARY_PATH="$folder/root/usr/$libraries:$folder/root/$libraries"
fi
cat >program <<'PROGRAM'
#!/bin/sh
kill -STOP "$PPID"
(sleep 1; kill -CONT "$PPID") <&- >&- 2>&- &
echo reply
PROGRAM
chmod +x program
# ask NUMBER OPTIONS REQUEST: the request is sent while socat is stopped
ask() {
	timeout 20 socat "UNIX-LISTEN:$1" "EXEC:./program$2" 2>/dev/null &
	for attempt in $(seq 200); do
		[ ! -S "$1" ] || break
		sleep 0.05
	done
	reply=$( (sleep 0.5; printf "$3"; sleep 2) | timeout 20 socat -t 3 - "UNIX-CONNECT:$1") ||
		true
	wait
	echo "${reply:-nothing}"
}
show() {
	echo "EXEC, the client sends nothing: $(ask 1 '' '')"
	echo "EXEC, the client sends a line: $(ask 2 '' 'line\n')"
	echo "EXEC with pipes, the client sends a line: $(ask 3 ,pipes 'line\n')"
	echo "EXEC with nofork, the client sends a line: $(ask 4 ,nofork 'line\n')"
}
show >seen
cat seen
diff seen - <<'EXPECTED'
EXEC, the client sends nothing: reply
EXEC, the client sends a line: nothing
EXEC with pipes, the client sends a line: reply
EXEC with nofork, the client sends a line: reply
EXPECTED
echo "as described"
