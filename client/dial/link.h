/*
 * dial_link - the connected socket to a UDP server.
 *
 * UDP has no handshake: only a sent datagram shows whether a server is there. The
 * result is a reply, an ICMP message "port unreachable" (RFC 1122, 4.1.3.1), or
 * nothing. The socket is nevertheless connect(2)ed: the kernel then drops datagrams of
 * other senders, and reports the ICMP message as ECONNREFUSED of the next call.
 *
 * So the first datagram is a probe. If it is refused, and the host has another address
 * or -R is given, it is sent again. The second datagram waits until a reply has
 * arrived, or until no error has arrived for DIAL_LINK_SETTLE_TIME milliseconds.
 */
#ifndef CLIENT_DIAL_LINK_H
#define CLIENT_DIAL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/lib/dial_stream.h"
#include "client/dial/input.h"
#include "common/datagram.h"
#include "common/socket_file.h"

enum { DIAL_LINK_SETTLE_TIME = 250 /* milliseconds */ };

/** Callers read only fd, there and sent_at. */
struct dial_link {
	const struct dial_settings *settings;
	int fd;               /* non-blocking, connected; -1 while there is none */
	struct address there; /* the current or last address */
	int64_t sent_at;      /* nanoseconds: when the last datagram was sent, or the
			       * first was sent again */
	struct addrinfo *addresses;
	struct local_address local;   /* the server's, if it is a UNIX-domain socket */
	struct socket_file own;       /* the file of our own name there */
	const struct addrinfo *where; /* the current one of them */
	bool probing;                 /* the first datagram is sent, its result is not
				       * known */
	bool settled;                 /* the address is final */
	bool reported_address;        /* "sending to" is printed; not again for each
				       * attempt */
	int error;                    /* why the last round of addresses failed */
	int64_t round_at;             /* milliseconds: start of the next round; 0: none */
	int64_t rounds_end;           /* milliseconds: no round starts later */
	size_t first_length;
	char first[DATAGRAM_LONGEST];
};

/** Resolves the server's addresses and opens a socket to the first possible one. @param
 *  link  zeroed; close it with dial_link_close() in any case
 *  @return 0, or -1 with *failure */
int dial_link_open(struct dial_link *link, const struct dial_settings *settings,
		   struct failure *failure);

void dial_link_close(struct dial_link *link);

/** Whether the next datagram may be sent. The second one waits until the address is
 *  final. */
bool dial_link_may_send(const struct dial_link *link);

/** Sends a datagram. @return 0, or -1 with errno: EAGAIN the send buffer is full,
 *  EMSGSIZE too long for the kernel or the path; other values concern the server or
 *  the path to it */
int dial_link_send(struct dial_link *link, const struct datagram *datagram);

/** Receives a datagram. @return its length, which may be 0; or -1 with errno: EAGAIN
 *  none is queued; other values concern a datagram sent before and are reported once
 *  (ECONNREFUSED: no process listens on that port, and no address is left to try) */
ssize_t dial_link_receive(struct dial_link *link, char *buffer, size_t size);

/** Milliseconds until dial_link_turn() has work; CLOCK_NEVER: no timer runs. */
int64_t dial_link_wait(const struct dial_link *link);

/** Handles an expired timer: takes the address as final, or starts a new round
 *  through all addresses. @return 0, or -1 with errno as dial_link_receive() */
int dial_link_turn(struct dial_link *link);

/** Describes the error. @return -1 always */
int dial_link_failed(const struct dial_link *link, int error, struct failure *failure);

#endif
