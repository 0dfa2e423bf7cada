/*
 * proxy_header - recognises a PROXY protocol header at the beginning of a connection.
 *
 * A load balancer with "send-proxy" writes one before the client's first byte. A server that
 * does not expect it takes it for what the client says.
 *
 * Source: The PROXY protocol, versions 1 & 2 (haproxy, doc/proxy-protocol.txt), sections 2.1
 * and 2.2.
 */
#ifndef SERVER_CORE_PROXY_HEADER_H
#define SERVER_CORE_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/** How far the first bytes of a connection agree with a header. */
struct proxy_header {
	unsigned char
		possible;     /* a bit for each signature that may still come; 0: none */
	unsigned char length; /* of the bytes taken so far */
};

/** Begins: no byte has come. */
void proxy_header_begin(struct proxy_header *header);

/** Whether the next bytes are to be looked at. */
static inline bool proxy_header_possible(const struct proxy_header *header)
{
	return header->possible != 0;
}

/** Takes the next @p n bytes of the connection, while proxy_header_possible().
 *  @return whether the connection begins with a header, whose signature is now complete */
bool proxy_header_take(struct proxy_header *header, const char *bytes, size_t n);

#endif
