/*
 * local_listener - opens a listening socket at 127.0.0.1: see client/lib/local_listener.h.
 *
 * versus and sockcheck give it to a server as descriptor 3, or close it again and tell the server
 * its port.
 */
#include "client/lib/local_listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

int local_listener_open(const char *port, bool datagrams, char taken[PORT_TEXT],
			struct failure *failure)
{
	const struct sock_place place = { "127.0.0.1", port,
					  datagrams ? SOCK_DGRAM : SOCK_STREAM,
					  SOMAXCONN };
	struct address address;
	int fd = sock_listen(&place, failure);

	if (fd < 0)
		return -1;
	if (address_local(fd, &address) < 0) {
		failure_set(failure, "%s", strerror(errno));
		close(fd);
		return -1;
	}
	snprintf(taken, PORT_TEXT, "%u", address_port(&address));
	return fd;
}
