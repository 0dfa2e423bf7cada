/*
 * listeners - the listening sockets of a server: opened for each address, or inherited.
 *
 * Several sockets instead of one dual-stack socket: a host name may have addresses of both
 * families, and "-a NAME" must listen on all of them. Inherited sockets (socket activation)
 * are only checked.
 */
#include "common/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/text.h"

/* FIRST_ACTIVATED: SD_LISTEN_FDS_START. PORT_TRIES: a port that is free on one
 * address may be in use on another, so several are tried. */
enum { FIRST_ACTIVATED = 3, PORT_TRIES = 32 };

/* The addresses of a name without duplicates, which a hosts file may contain. */
struct addresses {
	struct address all[LISTENERS_MOST];
	unsigned count;
};

void listeners_close(struct listeners *listeners)
{
	while (listeners->count > 0)
		close(listeners->fds[--listeners->count]);
}

/* @return 0, or -1 with errno */
static int add(struct listeners *listeners, int fd)
{
	int error = errno;

	if (fd >= 0) {
		listeners->fds[listeners->count++] = fd;
		return 0;
	}
	listeners_close(listeners);
	errno = error;
	return -1;
}

int listeners_duplicate(const struct listeners *listeners, struct listeners *copies)
{
	copies->count = 0;
	for (unsigned i = 0; i < listeners->count; i++)
		if (add(copies, fcntl(listeners->fds[i], F_DUPFD_CLOEXEC, 0)) < 0)
			return -1;
	return 0;
}

int listeners_open_beside(const struct listeners *listeners, int backlog,
			  struct listeners *others)
{
	others->count = 0;
	for (unsigned i = 0; i < listeners->count; i++)
		if (add(others, sock_listen_beside(listeners->fds[i], backlog)) < 0)
			return -1;
	return 0;
}

int listeners_add_to(const struct listeners *listeners, fd_set *set)
{
	int highest = -1;

	for (unsigned i = 0; i < listeners->count; i++) {
		FD_SET(listeners->fds[i], set);
		if (listeners->fds[i] > highest)
			highest = listeners->fds[i];
	}
	return highest;
}

static bool has_address(const struct addresses *addresses, const struct address *one)
{
	for (unsigned i = 0; i < addresses->count; i++) {
		const struct address *other = &addresses->all[i];

		if (other->length == one->length &&
		    memcmp(&other->v6, &one->v6, one->length) == 0)
			return true;
	}
	return false;
}

static int find_addresses(const struct sock_place *place, struct addresses *addresses,
			  struct failure *failure)
{
	struct address_query query = { AF_UNSPEC, place->type, true };
	struct addrinfo *list, *where;
	char host[ADDRESS_TEXT];

	addresses->count = 0;
	if (address_resolve(place->host, place->port, &query, &list, failure) < 0)
		return -1;
	for (where = list; where != NULL; where = where->ai_next) {
		struct address address;

		address_set(&address, where->ai_addr, where->ai_addrlen);
		if (has_address(addresses, &address))
			continue;
		if (addresses->count == LISTENERS_MOST)
			break;
		addresses->all[addresses->count++] = address;
	}
	freeaddrinfo(list);
	if (where == NULL)
		return 0;
	text_escape(place->host, strlen(place->host), host, sizeof host);
	return failure_set(failure, "cannot listen on %s: it has more than %d addresses",
			   host, LISTENERS_MOST);
}

static void cannot_listen(const struct address *address, struct failure *failure)
{
	char text[ADDRESS_TEXT];
	int error = errno;

	failure_set(failure, "cannot listen on %s: %s", address_text(address, text),
		    strerror(error));
	errno = error;
}

/* The port that the kernel gave to the first socket, for port 0. */
static unsigned chosen_port(const struct listeners *listeners)
{
	struct address local;

	if (listeners->count == 0 || address_local(listeners->fds[0], &local) < 0)
		return 0;
	return address_port(&local);
}

/* @return 0, or -1 with errno and *failure */
static int open_each(const struct addresses *addresses, const struct sock_place *place,
		     struct listeners *listeners, struct failure *left_out,
		     struct failure *failure)
{
	left_out->text[0] = '\0';
	listeners->count = 0;
	for (unsigned i = 0; i < addresses->count; i++) {
		struct address address = addresses->all[i];
		int fd;

		if (address_port(&address) == 0)
			address_set_port(&address, chosen_port(listeners));
		fd = sock_listen_at(&address, place, addresses->count == 1);
		if (fd >= 0) {
			listeners->fds[listeners->count++] = fd;
			continue;
		}
		if (!sock_has_no_way(errno)) {
			cannot_listen(&address, failure);
			return -1;
		}
		if (left_out->text[0] == '\0')
			cannot_listen(&address, left_out);
	}
	if (listeners->count > 0)
		return 0;
	if (failure != NULL)
		*failure = *left_out;
	return -1;
}

int listeners_open(const struct sock_place *place, struct listeners *listeners,
		   struct failure *left_out, struct failure *failure)
{
	struct addresses addresses;
	bool any_port;

	listeners->count = 0;
	if (find_addresses(place, &addresses, failure) < 0)
		return -1;
	any_port = addresses.count > 0 && address_port(&addresses.all[0]) == 0;
	for (int tries = 1;; tries++) {
		bool taken;

		if (open_each(&addresses, place, listeners, left_out, failure) == 0)
			return 0;
		taken = any_port && listeners->count > 0 && errno == EADDRINUSE;
		listeners_close(listeners);
		if (!taken || tries == PORT_TRIES)
			return -1;
	}
}

int listeners_check(int fd, int type)
{
	int value = 0;
	socklen_t length = sizeof value;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) < 0)
		return -1;
	if (value != type) {
		errno = EPROTOTYPE;
		return -1;
	}
	length = sizeof value;
	if (type == SOCK_STREAM &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && !value) {
		errno = EINVAL;
		return -1;
	}
	return io_set_close_on_exec(fd);
}

/* The number of sockets that are passed to this process. */
static uint64_t count_passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t number;

	if (pid == NULL || count == NULL || !text_number(pid, 1, INT32_MAX, &number) ||
	    (pid_t)number != getpid() || !text_number(count, 1, UINT64_MAX, &number))
		return 0;
	return number;
}

bool listeners_are_passed(void)
{
	return count_passed() > 0;
}

int listeners_activated(int type, struct listeners *listeners, struct failure *failure)
{
	uint64_t count = count_passed();

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	listeners->count = 0;
	if (count > LISTENERS_MOST) {
		errno = EMFILE;
		return failure_set(failure,
				   "too many sockets (LISTEN_FDS=%ju): at most %d can be "
				   "served",
				   (uintmax_t)count, LISTENERS_MOST);
	}
	for (unsigned i = 0; i < count; i++) {
		int fd = FIRST_ACTIVATED + (int)i;

		if (listeners_check(fd, type) < 0) {
			listeners->count = 0;
			return failure_set(failure,
					   "descriptor %d (LISTEN_FDS) is not a "
					   "listening %s socket: %s",
					   fd, type == SOCK_STREAM ? "tcp" : "udp",
					   strerror(errno));
		}
		listeners->fds[listeners->count++] = fd;
	}
	return 0;
}
