/*
 * dial_link - the way to a UDP server.
 *
 * UDP has no connecting: whether anybody is there shows only when something is sent. Then
 * a reply comes, or an ICMP message "port unreachable" (RFC 1122, 4.1.3.1), or nothing.
 * The socket is connect(2)ed all the same: datagrams of others are kept away, and only so
 * does the kernel report that ICMP message, as ECONNREFUSED of the next call.
 *
 * So the first datagram is the probe. If it is refused and the host has another address,
 * or -R asks for patience, it is sent again, and the second has to wait until somebody
 * has answered or nobody has objected for a while (DIAL_LINK_DOUBT).
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

enum { DIAL_LINK_DOUBT = 250 /* milliseconds */ };

/** For callers: fd, there and sent_at. The rest is this module's own. */
struct dial_link {
	const struct dial_settings *settings;
	int fd;               /* non-blocking, connected; -1 while there is none */
	struct address there; /* the address that is, or was last, written to */
	int64_t sent_at;      /* when something was last sent, the first datagram perhaps
				 for the second time; nanoseconds */
	struct addrinfo *addresses;
	const struct addrinfo *where; /* that of them in use */
	bool probing;                 /* the first has been sent, to an uncertain end */
	bool settled;                 /* no other address is tried any more */
	bool reported_address;        /* to the user, of all addresses */
	int error;                    /* why the last round of addresses failed */
	int64_t round_at;             /* milliseconds: when the next begins; 0 */
	int64_t rounds_end;           /* milliseconds: none begins later */
	size_t first_length;
	char first[DATAGRAM_LONGEST];
};

/** Finds the server's addresses and makes a socket to the first that can be had.
 *  @param link  zeroed. Whatever is returned, close it by dial_link_close()
 *  @return 0, or -1 with *failure */
int dial_link_open(struct dial_link *link, const struct dial_settings *settings,
		   struct failure *failure);

void dial_link_close(struct dial_link *link);

/** Whether the next datagram may be sent: the first may, the second once it is certain
 *  where to. */
bool dial_link_may_send(const struct dial_link *link);

/** Sends a datagram. @return 0, or -1 with errno: EAGAIN not now, EMSGSIZE too long for
 *  the kernel or the way there; else it is the server, or the way to it */
int dial_link_send(struct dial_link *link, const struct datagram *datagram);

/** Receives a datagram. @return its length, perhaps 0; or -1 with errno: EAGAIN there is
 *  none; else what became of one sent before, which is told once (ECONNREFUSED: nobody is
 *  on that port, and there is nothing left to try) */
ssize_t dial_link_receive(struct dial_link *link, char *buffer, size_t size);

/** Milliseconds until dial_link_turn() has something to do; -1: nothing to wait for. */
int64_t dial_link_wait(const struct dial_link *link);

/** Does what its time has come for: goes on without a reply, or tries all addresses
 *  again. @return 0, or -1 with errno as of dial_link_receive() */
int dial_link_turn(struct dial_link *link);

/** Says what errno means here. @return -1 always */
int dial_link_failed(const struct dial_link *link, int error, struct failure *failure);

#endif
