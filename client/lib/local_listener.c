/*
 * local_listener - opens a listening socket at 127.0.0.1, or a UNIX-domain socket: see
 * client/lib/local_listener.h.
 *
 * versus and sockcheck give it to a server as descriptor 3, or close it again and tell the server
 * its port.
 */
#include "client/lib/local_listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

int local_listener_open(const char *port, bool datagrams, char taken[PORT_TEXT],
			struct failure *failure)
{
	const struct sock_place place = { "127.0.0.1", port,
					  datagrams ? SOCK_DGRAM : SOCK_STREAM,
					  SOCK_BACKLOG };
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

static unsigned next_number(void)
{
	static unsigned number;

	return number++;
}

int local_listener_path(char name[HOST_TEXT], struct failure *failure)
{
	const char *directory = getenv("TMPDIR");
	struct local_address ignored;
	int length =
		snprintf(name, HOST_TEXT, "%s/sockways-%ld-%u.sock",
			 directory != NULL && *directory != '\0' ? directory : "/tmp",
			 (long)getpid(), next_number());

	if (length < 0 || length >= HOST_TEXT)
		return failure_set(failure, "TMPDIR is too long");
	return local_address_parse(name, &ignored, failure);
}

int local_listener_open_unix(bool datagrams, char name[HOST_TEXT],
			     struct socket_file *file, struct failure *failure)
{
	const struct sock_place place = { name, "", datagrams ? SOCK_DGRAM : SOCK_STREAM,
					  SOCK_BACKLOG };
	struct local_address address;

#ifdef __linux__
	snprintf(name, HOST_TEXT, "@sockways-%ld-%u", (long)getpid(), next_number());
#else
	if (local_listener_path(name, failure) < 0)
		return -1;
#endif
	if (local_address_parse(name, &address, failure) < 0)
		return -1;
	return sock_listen_local(&address, &place, SOCKET_FILE_MODE, file, failure);
}
