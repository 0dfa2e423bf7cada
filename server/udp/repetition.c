/*
 * repetition - counts the repeated datagrams of one peer.
 *
 *      datagram:  A  B  C  A  B  C  A ...       A is the mark
 *      count:     0  0  0  3  3  3  6 ...       a round counts when the mark arrives again
 *
 * The cost is one comparison of at most 128 bytes for each datagram, and a struct for
 * each peer.
 */
#include "server/udp/repetition.h"

#include <string.h>

/* SILENCE, in milliseconds: longer than two servers need to answer everything in their
 * receive buffers, and longer than the round trip between most hosts. WINDOW: a mark that
 * does not arrive again is replaced after this many datagrams. A receive buffer of the
 * default size holds about 256 datagrams (socket(7), rmem_default), so a loop has fewer
 * datagrams than WINDOW. */
enum { SILENCE = 100, WINDOW = 4096 };

/* CLIENT_PORTS: the lowest port that Linux gives to a client (ip(7),
 * ip_local_port_range). Other systems begin at 49152 (RFC 6335, section 6) or lower. */
enum { CLIENT_PORTS = 32768, LIMIT_OF_SERVER = 1000, LIMIT_OF_CLIENT = 1000000 };

int64_t repetition_default_limit(const struct address *peer)
{
	if (peer->any.sa_family == AF_UNIX)
		return LIMIT_OF_CLIENT;
	return address_port(peer) < CLIENT_PORTS ? LIMIT_OF_SERVER : LIMIT_OF_CLIENT;
}

static size_t compared(size_t length)
{
	return length < REPETITION_COMPARED ? length : REPETITION_COMPARED;
}

static bool is_marked(const struct repetition *r, const char *bytes, size_t length)
{
	size_t n = compared(length);

	return r->marked && r->length == length && memcmp(r->first, bytes, n) == 0 &&
	       memcmp(r->last, bytes + length - n, n) == 0;
}

static void mark(struct repetition *r, const char *bytes, size_t length)
{
	size_t n = compared(length);

	memcpy(r->first, bytes, n);
	memcpy(r->last, bytes + length - n, n);
	r->length = length;
	r->since = 0;
	r->marked = true;
}

/* Subtracts REPETITION_RATE for the time since the last call. */
static void take_off(struct repetition *r, int64_t now)
{
	int64_t paid = (now - r->counted_at) * REPETITION_RATE / 1000;

	if (paid < r->count) {
		r->count -= paid;
		r->counted_at += paid * 1000 / REPETITION_RATE;
		return;
	}
	r->count = 0;
	r->counted_at = now;
}

bool repetition_is_excessive(struct repetition *r, const char *bytes, size_t length,
			     int64_t limit, int64_t now)
{
	if (limit == 0)
		return false;
	if (now < r->silent_until)
		return true;
	if (!is_marked(r, bytes, length)) {
		if (!r->marked || ++r->since == WINDOW)
			mark(r, bytes, length);
		return false;
	}
	take_off(r, now);
	r->count += r->since + 1;
	r->since = 0;
	if (r->count <= limit)
		return false;
	r->count = 0;
	r->silent_until = now + SILENCE;
	return true;
}
