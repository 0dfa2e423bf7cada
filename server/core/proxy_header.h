/*
 * proxy_header - detects a PROXY protocol header at the beginning of a connection.
 *
 * A load balancer with "send-proxy" writes this header before the client's first byte. A
 * server that does not expect it would treat it as the client's data.
 *
 * Source: The PROXY protocol, versions 1 & 2 (haproxy, doc/proxy-protocol.txt), sections
 * 2.1 and 2.2.
 */
#ifndef SERVER_CORE_PROXY_HEADER_H
#define SERVER_CORE_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/** The result of comparing the first bytes of a connection. */
struct proxy_header {
	unsigned char possible; /* a bit for each signature that still matches; 0: none */
	unsigned char length;   /* bytes compared so far */
};

/** Initialises *header, before the first byte. */
void proxy_header_begin(struct proxy_header *header);

/** @return whether the next bytes must be compared */
static inline bool proxy_header_possible(const struct proxy_header *header)
{
	return header->possible != 0;
}

/** Compares the next @p n bytes of the connection. Only while proxy_header_possible().
 *  @return whether the connection begins with a header: a signature is complete */
bool proxy_header_take(struct proxy_header *header, const char *bytes, size_t n);

#endif
