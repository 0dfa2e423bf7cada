/*
 * notify - one datagram for each change of state, as in sd_notify(3).
 *
 * A service manager that waits for READY=1 starts what depends on a server only when the server
 * can accept clients. Without it the manager knows only that the process exists. It costs
 * a descriptor.
 */
#include "common/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/io.h"
#include "common/local_address.h"
#include "common/sock.h"

static int open_socket(const char *name, struct failure *failure)
{
	const struct timeval limit = { .tv_sec = 1 };
	struct local_address address;
	struct failure why;
	int fd;

	if (name[0] != '/' && name[0] != '@')
		return failure_set(failure,
				   "NOTIFY_SOCKET: neither a path from / nor @NAME");
	if (local_address_parse(name, &address, &why) < 0)
		return failure_set(failure, "NOTIFY_SOCKET: %s", why.text);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&address.name, address.length) == 0) {
		io_set_close_on_exec(fd);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		return fd;
	}
	failure_set(failure, "cannot notify the service manager (NOTIFY_SOCKET): %s",
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int notify_begin(struct notify *notify, struct failure *failure)
{
	const char *name = getenv("NOTIFY_SOCKET");

	notify->fd = -1;
	if (name == NULL)
		return 0;
	notify->fd = open_socket(name, failure);
	unsetenv("NOTIFY_SOCKET");
	return notify->fd < 0 ? -1 : 0;
}

int notify_send(const struct notify *notify, const char *lines)
{
	ssize_t sent;

	if (notify->fd < 0)
		return 0;
	do
		sent = send(notify->fd, lines, strlen(lines), SOCK_NO_SIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}
