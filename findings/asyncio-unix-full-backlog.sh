#!/bin/sh
# Python's asyncio takes a client that waits for a place in a backlog as connected.
#
# Seen with Python 3.11.7 (asyncio's selector event loop), Linux 6.18, 2026-11-29.
#
# The guess: loop.sock_connect() to a UNIX-domain socket whose backlog is full waits, or raises an
# error.
# The behaviour: it returns without an error, and the socket is not connected. connect(2) has
# failed with EAGAIN, which Python raises as BlockingIOError, as it does for EINPROGRESS. asyncio
# then waits until the socket is writable, which an unconnected one is at once, and asks for
# SO_ERROR, which is 0. The first use of the socket fails. See unix-connect-full-backlog.sh.
#
# Output seen:
#   client 1: sock_connect() returned, connected
#   client 2: sock_connect() returned, Transport endpoint is not connected
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.py <<'PYTHON'
import asyncio
import socket


async def main():
    loop = asyncio.get_running_loop()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket")
    listener.listen(0)
    clients = []
    for number in (1, 2):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        clients.append(client)
        await asyncio.wait_for(loop.sock_connect(client, "socket"), 5)
        try:
            client.getpeername()
            state = "connected"
        except OSError as error:
            state = error.strerror
        print(f"client {number}: sock_connect() returned, {state}")


asyncio.run(main())
PYTHON
python3 program.py >seen
cat seen
diff seen - <<'EXPECTED'
client 1: sock_connect() returned, connected
client 2: sock_connect() returned, Transport endpoint is not connected
EXPECTED
echo "as described"
