/*
 * sock - making sockets: listening, connecting, accepting, and their options.
 *
 * Every descriptor made here is close-on-exec, and takes urgent data inline. How bytes then go through it: io.h.
 */
#ifndef COMMON_SOCK_H
#define COMMON_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/failure.h"

/** What a server wants to listen on. */
struct sock_place {
	const char *host; /* name or address; NULL is the wildcard address */
	const char *port; /* number or service name; "0" lets the kernel choose */
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	int backlog;      /* listen(2)'s: clients that wait to be accepted */
};

/**
 * Opens the listening socket: SO_REUSEADDR, so that a restarted server need not wait for
 * old connections to be forgotten, but (on Linux) never shares a port that is in use; an
 * IPv6 wildcard takes IPv4 clients too. Of several addresses the first that can be bound
 * is taken (all of them: listeners.h). A datagram socket is bound only.
 *
 * @return the descriptor (blocking), or -1 with *failure, which names address and reason
 */
int sock_listen(const struct sock_place *place, struct failure *failure);

/**
 * The same at one @p address; of @p place only type and backlog count.
 *
 * @param alone  there is no socket for IPv4 beside it: an IPv6 wildcard takes its clients
 * @return the descriptor (blocking), or -1 with errno
 */
int sock_listen_at(const struct address *address, const struct sock_place *place,
		   bool alone);

/** Whether @p error says that this host does not have such an address, or no way to it; often
 *  IPv6. When another address failed as well, that one's error says more. */
bool sock_has_no_way(int error);

/** Where a client wants to go. */
struct sock_target {
	const char *host; /* name or address; NULL is this machine */
	const char *port; /* number or service name */
	int family;       /* AF_UNSPEC, AF_INET or AF_INET6 */
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	int64_t timeout;  /* milliseconds for all addresses together, -1 for ever */
};

/**
 * Connects, trying each address of the host in turn until one answers or the time is
 * over, of which each gets its share. On failure errno is that of the last address tried to which there is a way
 * (ETIMEDOUT; 0 when there was none), so that a caller can tell "nobody listens yet" from
 * the rest. A socket that has come to be connected to itself counts as refused.
 *
 * @param reached  receives the address that answered; may be NULL
 * @return the descriptor (blocking), or -1 with *failure: host, port and reason
 */
int sock_connect(const struct sock_target *target, struct address *reached,
		 struct failure *failure);

/**
 * Begins to connect without waiting: for those who open many at once.
 *
 * @return a non-blocking descriptor: it is writable when the connection stands or has
 *         failed, and sock_error() tells which; or -1 with errno when it failed at once
 */
int sock_connect_start(const struct sockaddr *address, socklen_t length, int type);

/**
 * How what sock_connect_start() began stands, without waiting. One's own host has answered
 * before that call even returns.
 *
 * @param address, length  the same as there
 * @return 0 when the connection stands, EINPROGRESS when nothing has come, or else the
 *         errno with which it has failed, which is told once
 */
int sock_connect_outcome(int fd, const struct sockaddr *address, socklen_t length);

/**
 * The same as sock_connect_start(), with a socket that is left from an attempt of the same
 * family and type whose failure sock_connect_outcome() has told. Linux lets one use it
 * again, which costs half of what a new one does; POSIX does not promise it, so elsewhere
 * there is a new one.
 *
 * @param fd  is ours in any case: closed if it is not what is returned
 */
int sock_connect_restart(int fd, const struct sockaddr *address, socklen_t length,
			 int type);

/** Whether a connection has ourselves at its other end: one to a free port of our own host
 *  may be given just that port as its own (simultaneous open, RFC 9293, 3.5). Nobody
 *  listens there, then; who connects by sock_connect_start() must ask. */
bool sock_is_connected_to_itself(int fd);

/** The error that waits on a socket (SO_ERROR), which asking clears; 0 for none. */
int sock_error(int fd);

/**
 * Takes the next client (accept4(2), or accept(2) and two fcntl(2)).
 *
 * @param peer  receives the client's address
 * @return the descriptor, or -1 with errno: EAGAIN nobody waits (any more); EMFILE,
 *         ENFILE, ENOBUFS, ENOMEM no room; ECONNABORTED and network errors (accept(2))
 *         concern one client who is gone already
 */
int sock_accept(int listener, struct address *peer, bool nonblocking);

/** A flag of send(2): more follows at once, with which the last segment may be filled up.
 *  Elsewhere than on Linux it makes no difference. */
#ifdef MSG_MORE
#define SOCK_MORE MSG_MORE
#else
#define SOCK_MORE 0
#endif

/** Sends what the kernel takes now of @p n bytes; never waits, on no descriptor.
 *  @param more  adds SOCK_MORE
 *  @return how many bytes it took, or -1 with errno (EAGAIN: none now) */
ssize_t sock_send(int fd, const void *bytes, size_t n, bool more);

/**
 * Sends up to @p n bytes of the open @p file, from *@p offset on, which it moves on; the
 * file's own offset stays where it is. On Linux they do not pass through our memory
 * (sendfile(2)), unless @p file is of a kind that cannot be sent so; a blocking @p fd then
 * waits for room.
 *
 * @return how many bytes it sent, often fewer than @p n; 0 if the file ends at *offset; or
 *         -1 with errno: EAGAIN no room, EINTR, an error of the socket or of the file
 */
ssize_t sock_send_file(int fd, int file, uint64_t *offset, size_t n);

/**
 * How many bytes the send queue of a connected stream socket holds. On TCP these are the bytes
 * that the peer's kernel has not acknowledged, sent or not (tcp(7), SIOCOUTQ). The peer's
 * kernel acknowledges what its receive buffer takes; so a full queue shrinks only while the
 * peer's program reads. On a local socket the value is the memory of what the peer has not
 * read, which is more than its bytes.
 *
 * @return the length; -1 with errno ENOTSUP where the system cannot tell, or that of ioctl(2)
 */
int64_t sock_send_queue(int fd);

/** Sends what is written at once, without waiting to fill a segment (Nagle, RFC 896).
 *  Accepted sockets inherit it from the listening one. @return 0, or -1 with errno */
int sock_set_nodelay(int fd);

/** Lets the kernel find out in the end that a peer has vanished (RFC 9293, 3.8.4).
 *  Accepted sockets inherit it from the listening one. @return 0, or -1 with errno */
int sock_set_keepalive(int fd);

/**
 * Leaves urgent data (MSG_OOB; RFC 9293, 3.8.5) in the stream, in its place. By default the
 * kernel takes the urgent byte out, and recv(2) never returns it: a byte of the message is
 * lost. RFC 6093, section 3.2 asks every program to set this. Accepted TCP sockets inherit
 * it from the listening one; accepted local sockets do not.
 *
 * @return 0, or -1 with errno
 */
int sock_set_urgent_inline(int fd);

/** How many clients wait on a listening TCP socket to be accepted: exactly on Linux (tcp(7),
 *  TCP_INFO); elsewhere as many as may be. 0 on one that is no TCP socket. */
unsigned sock_backlog(int listener);

/** Lets a blocking read give up (EAGAIN) after @p timeout milliseconds; 0 waits for ever.
 *  The kernel keeps the time: no call is added to each read. @return 0, or -1 with errno */
int sock_set_receive_timeout(int fd, int64_t timeout);

/** The same for a blocking write, which gives up when that long no byte was taken. */
int sock_set_send_timeout(int fd, int64_t timeout);

/** Both. */
int sock_set_timeout(int fd, int64_t timeout);

/** Makes close(2) reset the connection instead of ending it: nothing lingers in
 *  TIME_WAIT, and what was not delivered is lost. @return 0, or -1 with errno */
int sock_set_abortive(int fd);

#endif
