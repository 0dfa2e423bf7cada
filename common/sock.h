/*
 * sock - creates sockets: listen, connect, accept, and their options.
 *
 * Every descriptor created here is close-on-exec and leaves urgent data in the stream.
 * io.h reads and writes them.
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
#include "common/local_address.h"
#include "common/socket_file.h"

/** The default backlog. On Linux, the SOMAXCONN of a C library may be an older one than the kernel's,
 *  4096: musl has 128. The kernel reduces it to net.core.somaxconn (listen(2)). */
#ifdef __linux__
enum { SOCK_BACKLOG = 4096 };
#else
enum { SOCK_BACKLOG = SOMAXCONN };
#endif

/** Where a server listens. */
struct sock_place {
	const char *host; /* name or address; NULL is the wildcard address */
	const char *port; /* number or service name; "0" lets the kernel choose */
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	int backlog;      /* backlog of listen(2) */
};

/**
 * Opens a listening socket: with SO_REUSEADDR, so that a restarted server need not wait
 * for connections in TIME_WAIT, but (on Linux) without sharing a port that is in use.
 * An IPv6 wildcard also takes IPv4 clients. Of several addresses the first that can be
 * bound is used (all of them: listeners.h). A datagram socket is bound only.
 *
 * @return the descriptor (blocking), or -1 with *failure, which names address and
 * reason
 */
int sock_listen(const struct sock_place *place, struct failure *failure);

/**
 * The same for one @p address; only type and backlog of @p place are used.
 *
 * @param alone  no IPv4 socket is opened beside it: an IPv6 wildcard takes IPv4 clients
 * @return the descriptor (blocking), or -1 with errno
 */
int sock_listen_at(const struct address *address, const struct sock_place *place,
		   bool alone);

/**
 * Opens a listening UNIX-domain socket at @p address; only type and backlog of @p place are used.
 *
 * @param mode, file  as for socket_file_bind()
 * @return the descriptor (blocking), or -1 with *failure
 */
int sock_listen_local(const struct local_address *address, const struct sock_place *place,
		      unsigned mode, struct socket_file *file, struct failure *failure);

/**
 * Opens another listening socket at the address of @p listener, with its own backlog: the kernel
 * then distributes new clients over both (SO_REUSEPORT, socket(7)). The options of server
 * sockets are set before it listens. The first socket was bound without SO_REUSEPORT, so its
 * port was not in use; Linux allows to set the option later.
 *
 * @return the descriptor (non-blocking), or -1 with errno (ENOTSUP: the system does not
 *         distribute clients so, or @p listener is a UNIX-domain socket; EADDRINUSE: another user owns @p listener)
 */
int sock_listen_beside(int listener, int backlog);

/** Whether @p error of a connection means that no server listens there, and that one may do so
 *  later: ECONNREFUSED, and ENOENT for a UNIX-domain socket whose file is not there yet. */
bool sock_is_refused(int error);

/** Whether @p error means that this host lacks such an address or a route to it,
 *  often for IPv6. Then the error of another address says more. */
bool sock_has_no_way(int error);

/** The target of a client. */
struct sock_target {
	const char *host; /* name or address; NULL is this machine; or the name of a
			   * UNIX-domain socket: see common/local_address.h */
	const char *port; /* number or service name; not used by a UNIX-domain socket */
	int family;       /* AF_UNSPEC, AF_INET or AF_INET6 */
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	int64_t timeout;  /* milliseconds for all addresses together, -1: none */
};

/**
 * Connects to the first address of the host that answers. Each address gets its share
 * of the timeout. On failure errno is that of the last address with a route (ETIMEDOUT;
 * 0 if there was none), so that a caller can recognize ECONNREFUSED. A connection of
 * the socket to itself counts as refused.
 *
 * @param reached  receives the address that answered; may be NULL
 * @return the descriptor (blocking), or -1 with *failure: host, port and reason
 */
int sock_connect(const struct sock_target *target, struct address *reached,
		 struct failure *failure);

/** The same from the address @p source; NULL: the kernel chooses it. A UNIX-domain socket has no
 *  source. */
int sock_connect_from(const struct sock_target *target, const struct address *source,
		      struct address *reached, struct failure *failure);

/**
 * Starts a non-blocking connect(2).
 *
 * @return a non-blocking descriptor: writable when the connection is established or has
 * failed, and sock_error() tells which; or -1 with errno if it failed at once
 */
int sock_connect_start(const struct sockaddr *address, socklen_t length, int type);

/** The same from the address @p source, whose port does not matter: the kernel chooses one in
 *  connect(2), so one that is in use for another peer can be chosen again. NULL: the kernel
 *  chooses the address, too. */
int sock_connect_start_from(const struct sockaddr *address, socklen_t length, int type,
			    const struct address *source);

/**
 * Connects to a UNIX-domain socket, without blocking. There is no state between: it is connected
 * or has failed when this returns.
 *
 * @return a non-blocking descriptor; or -1 with errno: EAGAIN the backlog is full, and neither
 *         poll(2) nor a signal tells when there is room: try again later
 */
int sock_connect_local(const struct local_address *address, int type);

/**
 * Connects a datagram socket to a UNIX-domain socket. It gets a name of its own, to which the
 * server can reply.
 *
 * @param own  receives the file of this name, if it has one: socket_file_remove() it at the end
 * @return a non-blocking descriptor; or -1 with errno
 */
int sock_connect_datagrams(const struct local_address *address, struct socket_file *own);

/**
 * The result of sock_connect_start() so far, without blocking. The local host has
 * answered before that call returns.
 *
 * @param address, length  the same as there
 * @return 0: established; EINPROGRESS: no result; otherwise the errno of the failure,
 * which is returned once
 */
int sock_connect_outcome(int fd, const struct sockaddr *address, socklen_t length);

/**
 * As sock_connect_start(), with a socket of a failed attempt of the same family and
 * type, after sock_connect_outcome() has returned the failure. Linux allows that, and
 * it costs half of a new socket. POSIX does not promise it, so elsewhere a new one is
 * made.
 *
 * @param fd  closed, if it is not the result
 */
int sock_connect_restart(int fd, const struct sockaddr *address, socklen_t length,
			 int type);

/** Whether a socket is connected to itself: a connection to a free port of the local
 *  host may get just this port as its own (simultaneous open, RFC 9293, 3.5). No
 *  process listens there. Callers of sock_connect_start() must check it. */
bool sock_is_connected_to_itself(int fd);

/** The pending error of a socket (SO_ERROR), which is cleared; 0 for none. */
int sock_error(int fd);

/**
 * Accepts the next client (accept4(2), or accept(2) and two fcntl(2)).
 *
 * @param peer  receives the address of the client
 * @return the descriptor, or -1 with errno: EAGAIN no client waits (any more); EINTR a
 * signal ended the wait of a blocking listener; EMFILE,
 * ENFILE, ENOBUFS, ENOMEM a resource is short; ECONNABORTED and network errors
 * (accept(2)) concern one client that is gone already
 */
int sock_accept(int listener, struct address *peer, bool nonblocking);

/** A flag of send(2): more data follows at once, to fill the last segment. Only
 *  Linux has it. */
#ifdef MSG_MORE
#define SOCK_MORE MSG_MORE
#else
#define SOCK_MORE 0
#endif

/** A flag of send(2): EPIPE without SIGPIPE. macOS lacks it: its sockets have the
 *  option SO_NOSIGPIPE, and all programs that serve or load ignore SIGPIPE. */
#ifdef MSG_NOSIGNAL
#define SOCK_NO_SIGNAL MSG_NOSIGNAL
#else
#define SOCK_NO_SIGNAL 0
#endif

/** Sends as much of @p n bytes as the kernel accepts, without blocking, on any
 *  descriptor.
 *  @param more  adds SOCK_MORE
 *  @return number of bytes accepted, or -1 with errno (EAGAIN: none) */
ssize_t sock_send(int fd, const void *bytes, size_t n, bool more);

/**
 * Sends up to @p n bytes of the open @p file from *@p offset on, and advances *@p
 * offset; the offset of the descriptor stays. On Linux the bytes are not copied to user
 * space (sendfile(2)), unless the kind of @p file does not allow it; then a blocking @p
 * fd blocks.
 *
 * @return number of bytes sent, often fewer than @p n; 0 if the file ends at *offset;
 * or -1 with errno: EAGAIN the send buffer is full, EINTR, an error of the socket or of
 * the file
 */
ssize_t sock_send_file(int fd, int file, uint64_t *offset, size_t n);

/**
 * Bytes in the send queue of a connected stream socket. On TCP: bytes that the kernel
 * of the peer has not acknowledged, sent or not (tcp(7), SIOCOUTQ). It acknowledges
 * what its receive buffer takes, so a full queue shrinks only while the program of the
 * peer reads. On a local socket: memory of the data that the peer has not read, which
 * is more than its bytes.
 *
 * @return the length; -1 with errno ENOTSUP if unknown, or of ioctl(2)
 */
int64_t sock_send_queue(int fd);

/** Sends data at once, without waiting for a full segment (Nagle, RFC 896). Accepted
 *  sockets inherit it from the listening socket. @return 0, or -1 with errno */
int sock_set_nodelay(int fd);

/** Enables keep-alive: the kernel detects a peer that has vanished (RFC 9293,
 *  3.8.4). Accepted sockets inherit it. @return 0, or -1 with errno */
int sock_set_keepalive(int fd);

/**
 * Leaves urgent data (MSG_OOB; RFC 9293, 3.8.5) in the stream. By default the kernel
 * removes the urgent byte and recv(2) never returns it, so a byte of the message is
 * lost. RFC 6093, section 3.2 asks every program to set this option. Accepted TCP
 * sockets inherit it; accepted local sockets do not.
 *
 * @return 0, or -1 with errno
 */
int sock_set_urgent_inline(int fd);

/** Clients in the backlog of a listening TCP socket: exact on Linux (tcp(7),
 *  TCP_INFO); elsewhere the maximum. 0 if it is not a TCP socket. */
unsigned sock_backlog(int listener);

/** Timeout of blocking reads (EAGAIN) in milliseconds; 0: none. The kernel measures
 *  the time, so reads need no further call. @return 0, or -1 with errno */
int sock_set_receive_timeout(int fd, int64_t timeout);

/** The same for blocking writes: the time in which no byte is accepted. */
int sock_set_send_timeout(int fd, int64_t timeout);

/** Both. */
int sock_set_timeout(int fd, int64_t timeout);

/** Makes close(2) reset the connection: no TIME_WAIT, and undelivered data is lost.
 *  @return 0, or -1 with errno */
int sock_set_abortive(int fd);

#endif
