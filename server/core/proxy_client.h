/*
 * proxy_client - reads a PROXY protocol header: the client for which a proxy has connected.
 *
 * A server behind a proxy sees the address of the proxy only. With this protocol the proxy
 * sends the client's address before the client's first byte.
 *
 * Source: The PROXY protocol, versions 1 & 2 (haproxy, doc/proxy-protocol.txt), sections
 * 2.1 and 2.2.
 */
#ifndef SERVER_CORE_PROXY_CLIENT_H
#define SERVER_CORE_PROXY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"

/** The longest header of version 2 that is accepted, in bytes. The format allows 65,551. A
 *  header with addresses and a client's certificate name is much shorter. */
enum { PROXY_HEADER_MOST = 4096 };

/** What a header tells. */
struct proxy_client {
	size_t length;   /* of the whole header, in bytes */
	bool known;      /* the address of the client is given */
	bool from_proxy; /* LOCAL: the proxy's own connection, such as a health check */
	struct address address; /* if known; AF_UNIX without a path for a local socket */
};

enum proxy_result { PROXY_INCOMPLETE, PROXY_COMPLETE, PROXY_INVALID };

/**
 * Reads the header at the beginning of the @p n bytes. Bytes after it are ignored.
 *
 * @param why  receives the reason for PROXY_INVALID, a constant text
 * @return PROXY_COMPLETE with *client; PROXY_INCOMPLETE if more bytes are needed;
 *         PROXY_INVALID as soon as no further bytes can make it a valid header
 */
enum proxy_result proxy_client_read(const char *bytes, size_t n,
				    struct proxy_client *client, const char **why);

#endif
