/*
 * session - a service's session with one peer of a datagram socket: what a connection is
 * for a stream.
 *
 * Safe by default: a reply is no longer than the datagram that it answers. Otherwise an
 * attacker could forge a victim's address, and the victim would get more bytes than the
 * attacker sends. A datagram from a port on which servers usually answer gets no reply,
 * because two servers could answer each other forever. repetition.h has the rule for
 * other ports.
 */
#ifndef SERVER_UDP_SESSION_H
#define SERVER_UDP_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/datagram.h"
#include "server/core/server.h"
#include "server/core/session.h"

/** What a worker receives: a datagram, and the local address to which it was sent. */
struct packet {
	struct address to;
	char bytes[DATAGRAM_LONGEST];
};

/** The size of a packet without its bytes. */
enum { PACKET_HEAD = offsetof(struct packet, bytes) };

/** A worker's buffers. An idle peer needs none. */
struct udp_buffers {
	struct packet packet;
	char reply[DATAGRAM_LONGEST];
};

struct udp_session;

/** Creates a session with @p peer. Its replies are sent on the descriptor @p socket.
 *  @return the session, or NULL with errno (ENOMEM) */
struct udp_session *udp_session_create(struct server *server, int socket,
				       const struct datagram_peer *peer);

/** Returns the address of the peer, valid as long as the session; of a UNIX-domain socket it has
 *  no name. */
const struct address *udp_session_peer(const struct udp_session *session);

/** Begins the session, in the process that answers. */
void udp_session_begin(struct udp_session *session);

/** Lets the service answer the packet in @p buffers, of @p n bytes, and sends the reply. */
void udp_session_answer(struct udp_session *session, struct udp_buffers *buffers,
			size_t n);

/** Ends the session, and frees it. */
void udp_session_close(struct udp_session *session);

/** Frees the session without a message, in a process that does not answer. */
void udp_session_release(struct udp_session *session);

/** Runs a worker that has one peer: begins the session, answers the packets from @p pipe
 *  until its end, and closes both. */
void udp_session_serve(struct udp_session *session, struct udp_buffers *buffers,
		       int pipe);

/** Returns whether a datagram from @p from must be dropped: it comes from a port on which
 *  well-known services, or those of this suite, answer any datagram, or from @p local
 *  itself. */
bool udp_session_is_reflection(const struct address *from, const struct address *local);

#endif
