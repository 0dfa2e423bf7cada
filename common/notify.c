/*
 * notify - one datagram for each change of state, as in sd_notify(3).
 *
 * A service manager that waits for READY=1 starts what depends on a server only when the server
 * can accept clients. Without it the manager knows only that the process exists. The socket is
 * opened for each datagram: there are two in the life of a server, and so no descriptor is kept.
 */
#include "common/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/io.h"

int notify_begin(struct notify *notify, struct failure *failure)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct failure why;
	int result = 0;

	memset(notify, 0, sizeof *notify);
	if (name == NULL)
		return 0;
	if (name[0] != '/' && name[0] != '@')
		result = failure_set(failure,
				     "NOTIFY_SOCKET: neither a path from / nor @NAME");
	else if (local_address_parse(name, &notify->to, &why) < 0)
		result = failure_set(failure, "NOTIFY_SOCKET: %s", why.text);
	unsetenv("NOTIFY_SOCKET");
	return result;
}

int notify_send(const struct notify *notify, const char *lines)
{
	const struct timeval limit = { .tv_sec = 1 };
	ssize_t sent;
	int fd, error;

	if (notify->to.length == 0)
		return 0;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	io_set_close_on_exec(fd);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	do
		sent = sendto(fd, lines, strlen(lines), MSG_NOSIGNAL,
			      (const struct sockaddr *)&notify->to.name,
			      notify->to.length);
	while (sent < 0 && errno == EINTR);
	error = errno;
	close(fd);
	errno = error;
	return sent < 0 ? -1 : 0;
}
