/*
 * sock - creates sockets: listen, connect, accept, and their options.
 *
 * All sockets are close-on-exec from the start (SOCK_CLOEXEC, accept4(2)); setting the flag
 * later would be a race with fork(2) in another thread. Linux extensions have a POSIX
 * fallback here, so that callers need no #ifdef.
 */
#ifdef __linux__
#define _GNU_SOURCE /* accept4, sendfile */
#endif

#include "common/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#ifdef __linux__
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#endif
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/text.h"

enum {
	PIECE = 16384,
	LOCAL_RETRY = 10, /* milliseconds */
};

static int set_flag(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static int close_keeping_errno(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* flags: SOCK_NONBLOCK, if the system has it, or 0. */
static int open_socket(int family, int type, int flags)
{
#ifdef SOCK_CLOEXEC
	int fd = socket(family, type | flags | SOCK_CLOEXEC, 0);
#else
	int fd = socket(family, type | flags, 0);

	if (fd >= 0 && io_set_close_on_exec(fd) < 0)
		return close_keeping_errno(fd);
#endif
#if !defined(MSG_NOSIGNAL) && defined(SO_NOSIGPIPE)
	if (fd >= 0)
		(void)set_flag(fd, SOL_SOCKET, SO_NOSIGPIPE, 1); /* SOCK_NO_SIGNAL */
#endif
	if (fd >= 0 && type == SOCK_STREAM)
		(void)sock_set_urgent_inline(fd);
	return fd;
}

static bool is_wildcard_v6(const struct address *address)
{
	return address->any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

bool sock_has_no_way(int error)
{
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == ENETUNREACH;
}

bool sock_is_refused(int error)
{
	return error == ECONNREFUSED || error == ENOENT;
}

int sock_listen_at(const struct address *address, const struct sock_place *place,
		   bool alone)
{
	int fd = open_socket(address->any.sa_family, place->type, 0);

	if (fd < 0)
		return -1;
	if (place->type == SOCK_STREAM && set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return close_keeping_errno(fd);
	if (is_wildcard_v6(address)) /* fails on OpenBSD, where IPv6 sockets never take
				      * IPv4 clients */
		(void)set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, !alone);
	if (bind(fd, &address->any, address->length) < 0)
		return close_keeping_errno(fd);
	if (place->type == SOCK_STREAM && listen(fd, place->backlog) < 0)
		return close_keeping_errno(fd);
	return fd;
}

#ifdef __linux__

static int listen_at_used(const struct address *address, int v6only, int backlog)
{
	int fd = open_socket(address->any.sa_family, SOCK_STREAM, SOCK_NONBLOCK);

	if (fd < 0)
		return -1;
	(void)sock_set_nodelay(fd);
	(void)sock_set_keepalive(fd);
	if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
	    set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return close_keeping_errno(fd);
	if (address->any.sa_family == AF_INET6 &&
	    set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only) < 0)
		return close_keeping_errno(fd);
	if (bind(fd, &address->any, address->length) < 0 || listen(fd, backlog) < 0)
		return close_keeping_errno(fd);
	return fd;
}

int sock_listen_beside(int listener, int backlog)
{
	struct address address;
	int v6only = 0;
	socklen_t length = sizeof v6only;

	(void)getsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &length);
	if (address_local(listener, &address) < 0)
		return -1;
	if (address.any.sa_family == AF_UNIX) {
		errno = ENOTSUP;
		return -1;
	}
	if (set_flag(listener, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	return listen_at_used(&address, v6only, backlog);
}

#else

/* Elsewhere SO_REUSEPORT has another meaning, or none: it does not distribute clients. */
int sock_listen_beside(int listener, int backlog)
{
	(void)listener;
	(void)backlog;
	errno = ENOTSUP;
	return -1;
}

#endif

int sock_listen_local(const struct local_address *address, const struct sock_place *place,
		      unsigned mode, struct socket_file *file, struct failure *failure)
{
	int fd = open_socket(AF_UNIX, place->type, 0);
	char text[LOCAL_ADDRESS_TEXT];

	file->owner = 0;
	local_address_text(address, text);
	if (fd < 0)
		return failure_set(failure, "cannot listen on %s: %s", text,
				   strerror(errno));
	if (socket_file_bind(fd, address, mode, file, failure) < 0) {
		close(fd);
		return -1;
	}
	if (place->type == SOCK_STREAM && listen(fd, place->backlog) < 0) {
		failure_set(failure, "cannot listen on %s: %s", text, strerror(errno));
		socket_file_remove(file);
		close(fd);
		return -1;
	}
	return fd;
}

int sock_listen(const struct sock_place *place, struct failure *failure)
{
	struct address_query query = { AF_UNSPEC, place->type, true };
	struct addrinfo *list, *where;
	struct address address, culprit = { .length = 0 };
	char text[ADDRESS_TEXT];
	int fd = -1, error = 0;

	if (address_resolve(place->host, place->port, &query, &list, failure) < 0)
		return -1;
	for (where = list; where != NULL && fd < 0; where = where->ai_next) {
		address_set(&address, where->ai_addr, where->ai_addrlen);
		fd = sock_listen_at(&address, place, true);
		if (fd < 0 && (error == 0 || !sock_has_no_way(errno))) {
			error = errno;
			culprit = address;
		}
	}
	if (fd < 0)
		failure_set(failure, "cannot listen on %s: %s",
			    address_text(&culprit, text), strerror(error));
	freeaddrinfo(list);
	return fd;
}

/* Linux chooses the port in connect(2) if asked so. Elsewhere bind(2) chooses one, which no other
 * socket of this address has. */
static int bind_source(int fd, const struct address *source)
{
	struct address address = *source;

#ifdef IP_BIND_ADDRESS_NO_PORT
	set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
	address_set_port(&address, 0);
	return bind(fd, &address.any, address.length);
}

int sock_connect_start(const struct sockaddr *address, socklen_t length, int type)
{
	return sock_connect_start_from(address, length, type, NULL);
}

int sock_connect_start_from(const struct sockaddr *address, socklen_t length, int type,
			    const struct address *source)
{
#ifdef SOCK_NONBLOCK
	int fd = open_socket(address->sa_family, type, SOCK_NONBLOCK);

	if (fd < 0)
		return -1;
#else
	int fd = open_socket(address->sa_family, type, 0);

	if (fd < 0)
		return -1;
	if (io_set_nonblocking(fd, true) < 0)
		return close_keeping_errno(fd);
#endif
	if (source != NULL && bind_source(fd, source) < 0)
		return close_keeping_errno(fd);
	if (connect(fd, address, length) < 0 && errno != EINPROGRESS && errno != EINTR)
		return close_keeping_errno(fd);
	return fd;
}

/* Linux: a second connect(2) on a socket returns the result of the first, and after
 * a failure the socket can be used again (inet_stream_connect). Elsewhere: poll(2)
 * and SO_ERROR. */
int sock_connect_outcome(int fd, const struct sockaddr *address, socklen_t length)
{
#ifdef __linux__
	if (connect(fd, address, length) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY || errno == EINTR ? EINPROGRESS : errno;
#else
	int ready = io_wait(fd, POLLOUT, 0);

	(void)address;
	(void)length;
	if (ready < 0)
		return errno;
	return ready == 0 ? EINPROGRESS : sock_error(fd);
#endif
}

int sock_connect_restart(int fd, const struct sockaddr *address, socklen_t length,
			 int type)
{
#ifdef __linux__
	(void)type;
	if (connect(fd, address, length) < 0 && errno != EINPROGRESS && errno != EINTR)
		return close_keeping_errno(fd);
	return fd;
#else
	close(fd);
	return sock_connect_start(address, length, type);
#endif
}

bool sock_is_connected_to_itself(int fd)
{
	struct address here, there;

	return address_local(fd, &here) == 0 && here.any.sa_family != AF_UNIX &&
	       address_peer(fd, &there) == 0 && here.length == there.length &&
	       memcmp(&here.v6, &there.v6, here.length) == 0;
}

/* The share of an address in the time until @p end: equal for all that are left, so
 * that an address that drops all packets does not use up the time of the others. */
static int64_t share_of_time(const struct addrinfo *where, int64_t end)
{
	int64_t left = end - clock_milliseconds(), addresses = 0;

	if (end < 0)
		return -1;
	for (; where != NULL; where = where->ai_next)
		addresses++;
	return left > 0 ? (left + addresses - 1) / addresses : 0;
}

static int connect_to(const struct addrinfo *where, int type,
		      const struct address *source, int64_t left)
{
	int fd, ready, error;

	if (left == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	fd = sock_connect_start_from(where->ai_addr, where->ai_addrlen, type, source);
	if (fd < 0)
		return -1;
	ready = io_wait(fd, POLLOUT, left);
	if (ready < 0)
		return close_keeping_errno(fd);
	error = ready == 0 ? ETIMEDOUT : sock_error(fd);
	if (error == 0 && type == SOCK_STREAM && sock_is_connected_to_itself(fd)) {
		sock_set_abortive(fd); /* otherwise TIME_WAIT keeps the port */
		error = ECONNREFUSED;
	}
	if (error != 0) {
		errno = error;
		return close_keeping_errno(fd);
	}
	if (io_set_nonblocking(fd, false) < 0)
		return close_keeping_errno(fd);
	return fd;
}

int sock_connect_datagrams(const struct local_address *address, struct socket_file *own)
{
	const struct sockaddr *name = (const struct sockaddr *)&address->name;
	int fd = open_socket(AF_UNIX, SOCK_DGRAM, 0);

	own->owner = 0;
	if (fd < 0)
		return -1;
	if (io_set_nonblocking(fd, true) < 0 || connect(fd, name, address->length) < 0 ||
	    socket_file_bind_own(fd, own) < 0)
		return close_keeping_errno(fd);
	return fd;
}

int sock_connect_local(const struct local_address *address, int type)
{
	return sock_connect_start((const struct sockaddr *)&address->name,
				  address->length, type);
}

/* While the backlog is full, it tries again: only a blocking connect(2) would wait for room, and
 * an interrupted one cannot be told from a timeout. */
static int connect_local(const struct sock_target *target, struct failure *failure)
{
	int64_t end =
		target->timeout < 0 ? INT64_MAX : clock_milliseconds() + target->timeout;
	struct local_address address;
	char name[LOCAL_ADDRESS_TEXT];
	int fd, error;

	errno = 0;
	if (local_address_parse(target->host, &address, failure) < 0)
		return -1;
	while ((fd = sock_connect_local(&address, target->type)) < 0 && errno == EAGAIN &&
	       clock_milliseconds() < end)
		poll(NULL, 0, LOCAL_RETRY);
	if (fd >= 0 && io_set_nonblocking(fd, false) == 0)
		return fd;
	error = errno == EAGAIN ? ETIMEDOUT : errno;
	if (fd >= 0)
		close(fd);
	text_escape(target->host, strlen(target->host), name, sizeof name);
	failure_set(failure, "cannot connect to %s: %s", name,
		    error == ETIMEDOUT ? "timed out"
				       : local_address_why(error, target->type));
	errno = error;
	return -1;
}

int sock_connect(const struct sock_target *target, struct address *reached,
		 struct failure *failure)
{
	return sock_connect_from(target, NULL, reached, failure);
}

int sock_connect_from(const struct sock_target *target, const struct address *source,
		      struct address *reached, struct failure *failure)
{
	struct address_query query = { target->family, target->type, false };
	int64_t end = target->timeout < 0 ? -1 : clock_milliseconds() + target->timeout;
	const char *name = target->host ? target->host : "localhost";
	struct addrinfo *list, *where;
	char host[ADDRESS_TEXT];
	int fd = -1, error = 0;

	if (local_address_is(name)) {
		fd = connect_local(target, failure);
		if (fd >= 0 && reached != NULL && address_peer(fd, reached) < 0)
			reached->any.sa_family = AF_UNIX;
		return fd;
	}
	if (address_resolve(target->host, target->port, &query, &list, failure) < 0) {
		errno = 0;
		return -1;
	}
	for (where = list; where != NULL && fd < 0; where = where->ai_next) {
		fd = connect_to(where, target->type, source, share_of_time(where, end));
		if (error == 0 || !sock_has_no_way(errno))
			error = errno;
		if (fd >= 0 && reached != NULL)
			address_set(reached, where->ai_addr, where->ai_addrlen);
	}
	freeaddrinfo(list);
	if (fd < 0) {
		text_escape(name, strlen(name), host, sizeof host);
		failure_set(failure, "cannot connect to %s port %s: %s", host,
			    target->port,
			    error == ETIMEDOUT ? "timed out" : strerror(error));
	}
	errno = error;
	return fd;
}

int sock_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return errno;
	return error;
}

int sock_accept(int listener, struct address *peer, bool nonblocking)
{
	int fd;

	memset(peer, 0, sizeof *peer);
	peer->length = (socklen_t)sizeof peer->v6;
#ifdef __linux__
	fd = accept4(listener, &peer->any, &peer->length,
		     SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
#else
	fd = accept(listener, &peer->any, &peer->length);
#endif
	if (fd >= 0)
		address_accepted(peer, fd);
#ifndef __linux__
	/* On BSD accepted sockets inherit O_NONBLOCK, on Linux they do not: set it
	 * in any case. */
	if (fd >= 0 &&
	    (io_set_close_on_exec(fd) < 0 || io_set_nonblocking(fd, nonblocking) < 0))
		return close_keeping_errno(fd);
#endif
	return fd;
}

ssize_t sock_send(int fd, const void *bytes, size_t n, bool more)
{
	return send(fd, bytes, n, MSG_DONTWAIT | (more ? SOCK_MORE : 0));
}

/* Fallback for systems without sendfile(2), and for files that it cannot read. */
static ssize_t copy_file(int fd, int file, uint64_t *offset, size_t n)
{
	char piece[PIECE];
	ssize_t length = pread(file, piece, n < PIECE ? n : PIECE, (off_t)*offset);
	ssize_t sent = length;

	if (length > 0) /* the next piece may share the last segment */
		sent = sock_send(fd, piece, (size_t)length, (size_t)length < n);
	if (sent > 0)
		*offset += (uint64_t)sent;
	return sent;
}

#ifdef __linux__
ssize_t sock_send_file(int fd, int file, uint64_t *offset, size_t n)
{
	off_t from = (off_t)*offset;
	ssize_t sent = sendfile(fd, file, &from, n);

	if (sent < 0 && (errno == EINVAL || errno == ENOSYS))
		return copy_file(fd, file, offset, n);
	*offset = (uint64_t)from;
	return sent;
}
#else
ssize_t sock_send_file(int fd, int file, uint64_t *offset, size_t n)
{
	return copy_file(fd, file, offset, n);
}
#endif

/* SOCK_WITHOUT_SEND_QUEUE: behaves as a system without SIOCOUTQ, for tests on Linux. */
int64_t sock_send_queue(int fd)
{
#if defined(__linux__) && !defined(SOCK_WITHOUT_SEND_QUEUE)
	int length;

	/* TIOCOUTQ has the same number as SIOCOUTQ, whose header musl lacks */
	return ioctl(fd, TIOCOUTQ, &length) < 0 ? -1 : length;
#else
	(void)fd;
	errno = ENOTSUP;
	return -1;
#endif
}

int sock_set_nodelay(int fd)
{
	return set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int sock_set_keepalive(int fd)
{
	return set_flag(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int sock_set_urgent_inline(int fd)
{
	return set_flag(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

unsigned sock_backlog(int listener)
{
#ifdef __linux__
	struct tcp_info info;
	socklen_t size = sizeof info;

	if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return 0;
	return info.tcpi_unacked;
#else
	(void)listener;
	return SOMAXCONN;
#endif
}

static int set_timeout(int fd, int option, int64_t timeout)
{
	struct timeval time = {
		.tv_sec = (time_t)(timeout / 1000),
		.tv_usec = (suseconds_t)(timeout % 1000) * 1000,
	};

	return setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

int sock_set_receive_timeout(int fd, int64_t timeout)
{
	return set_timeout(fd, SO_RCVTIMEO, timeout);
}

int sock_set_send_timeout(int fd, int64_t timeout)
{
	return set_timeout(fd, SO_SNDTIMEO, timeout);
}

int sock_set_timeout(int fd, int64_t timeout)
{
	if (sock_set_receive_timeout(fd, timeout) < 0)
		return -1;
	return sock_set_send_timeout(fd, timeout);
}

int sock_set_abortive(int fd)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}
