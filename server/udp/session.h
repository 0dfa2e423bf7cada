/*
 * session - a service's session with one peer of a datagram socket: what a connection is for a
 * stream.
 *
 * Safe by default: a reply is no longer than the datagram that it answers. Otherwise an attacker
 * could forge a victim's address, and the victim would get more bytes than the attacker sends. A
 * datagram from a port on which servers answer gets no reply, or two servers could keep each
 * other busy for ever; repetition.h has the rule for other ports.
 */
#ifndef SERVER_UDP_SESSION_H
#define SERVER_UDP_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/datagram.h"
#include "server/core/server.h"
#include "server/core/session.h"

/** What a worker gets: a datagram, and to which of our addresses it was sent. */
struct packet {
	struct address to;
	char bytes[DATAGRAM_LONGEST];
};

/** The size of a packet before its bytes. */
enum { PACKET_HEAD = offsetof(struct packet, bytes) };

/** A worker's buffers. An idle peer needs none. */
struct udp_buffers {
	struct packet packet;
	char reply[DATAGRAM_LONGEST];
};

struct udp_session;

/** Makes one with @p peer, whose replies leave by @p socket, a descriptor.
 *  @return it, or NULL with errno (ENOMEM) */
struct udp_session *udp_session_create(struct server *server, int socket,
				       const struct address *peer);

/** Its address, valid as long as the session. */
const struct address *udp_session_peer(const struct udp_session *session);

/** Begins it, in the process that answers. */
void udp_session_begin(struct udp_session *session);

/** Lets the service answer the packet in @p buffers, of @p n bytes, and sends the reply. */
void udp_session_answer(struct udp_session *session, struct udp_buffers *buffers,
			size_t n);

/** Ends it, and frees it. */
void udp_session_close(struct udp_session *session);

/** Frees it in a process that does not answer, without a message. */
void udp_session_release(struct udp_session *session);

/** Begins, and answers what comes through @p pipe until that is closed: the whole life of a worker
 *  that has one peer. Then closes both. */
void udp_session_serve(struct udp_session *session, struct udp_buffers *buffers,
		       int pipe);

/** Whether a datagram from @p from is to be dropped: it comes from a port on which
 *  well-known services, and ours, answer whatever they get, or from @p local, ourselves. */
bool udp_session_is_reflection(const struct address *from, const struct address *local);

#endif
