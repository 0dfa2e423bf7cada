#!/bin/sh
# systemd-socket-activate starts a server without the environment of its caller.
#
# Seen on systemd 252 (Debian 12), Python 3.11.7, Linux 6.18, 2026-11-29.
#
# The guess: it is a small tool for a shell: it opens the socket, adds LISTEN_FDS and LISTEN_PID to
# the environment, and executes the server.
# The behaviour: the server gets a new environment: TERM, PATH, USER, HOME, and what the tool adds.
# LANG, TMPDIR, LD_LIBRARY_PATH and the settings of the program are missing, unless each is named
# by -E. A test that starts a server by this tool runs it with other settings than the same test
# without it.
#
# Output seen:
#   SETTING=1 systemd-socket-activate: the server has LISTEN_FDS, not SETTING
#   SETTING=1 systemd-socket-activate -E SETTING: the server has LISTEN_FDS and SETTING
set -eu
command -v python3 >/dev/null || { echo "skipped: needs python3"; exit 0; }
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
if ! command -v systemd-socket-activate >/dev/null; then
	unpack systemd || { echo "skipped: needs systemd-socket-activate"; exit 0; }
	PATH=$folder/root/usr/bin:$PATH
	libraries=lib/$(uname -m)-linux-gnu
	export LD_LIBRARY_PATH="$folder/root/usr/$libraries:$folder/root/$libraries:$folder/root/usr/$libraries/systemd"
fi
cat >connect.py <<'PYTHON'
import socket
import sys
import time

for attempt in range(500):  # until it listens
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(sys.argv[1])
        break
    except OSError:
        time.sleep(0.01)
PYTHON
# environment_of SOCKET OPTION...: of a server that is started for the first client
environment_of() {
	socket=$folder/$1
	shift
	python3 connect.py "$socket" &
	SETTING=1 timeout 20 systemd-socket-activate "$@" -l "$socket" env 2>/dev/null
	wait
}
show() {
	grep -q '^LISTEN_FDS=1' environment || return 1
	if grep -q '^SETTING=1' environment; then
		echo "SETTING=1 systemd-socket-activate$1: the server has LISTEN_FDS and SETTING"
	else
		echo "SETTING=1 systemd-socket-activate$1: the server has LISTEN_FDS, not SETTING"
	fi
}
ask() {
	environment_of one >environment
	show ''
	environment_of two -E SETTING >environment
	show ' -E SETTING'
}
ask >seen
cat seen
diff seen - <<'EXPECTED'
SETTING=1 systemd-socket-activate: the server has LISTEN_FDS, not SETTING
SETTING=1 systemd-socket-activate -E SETTING: the server has LISTEN_FDS and SETTING
EXPECTED
echo "as described"
