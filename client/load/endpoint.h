/*
 * load_endpoint - the two ends of the connections of a load: the server, and the addresses from
 * which they come.
 *
 * A connection is known by the addresses and ports of both ends. So one source address has only
 * as many connections to a server as this machine has ports for them (on Linux 28,232, see
 * ip(7), ip_local_port_range). More connections need more source addresses.
 */
#ifndef CLIENT_LOAD_ENDPOINT_H
#define CLIENT_LOAD_ENDPOINT_H

#include "common/address.h"
#include "common/failure.h"
#include "common/local_address.h"

/** Maximum number of source addresses. */
enum { LOAD_SOURCES_MOST = 64 };

/** Source addresses, all of one family. */
struct load_sources {
	unsigned count; /* 0: the kernel chooses */
	struct address list[LOAD_SOURCES_MOST];
};

struct load_endpoint {
	struct address address; /* of the server */
	struct local_address
		local; /* ... if it is a UNIX-domain socket; length 0: it is not */
	struct load_sources sources;
};

/** Parses numeric addresses with commas between them.
 *  @return 0, or -1 with *failure, which names the wrong one */
int load_sources_parse(const char *text, struct load_sources *sources,
		       struct failure *failure);

/** Whether this machine has all of the addresses. @return 0, or -1 with *failure, which
 *  names the first that it has not */
int load_sources_check(const struct load_sources *sources, struct failure *failure);

/** The address for connection number @p number, or NULL if the kernel chooses. */
const struct address *load_source(const struct load_sources *sources, unsigned number);

/** If the server has a loopback address (127.0.0.0/8), no sources are set, and @p connections
 *  are more than a source address has ports: sets as many of 127.0.0.1, 127.0.0.2 ... as are
 *  needed. Linux only: elsewhere these addresses must be configured. */
void load_endpoint_add_sources(struct load_endpoint *endpoint, unsigned connections);

/** Whether the sockets of a load can have names to which a server sends datagrams on a UNIX-domain
 *  socket. Elsewhere than on Linux each name is a file, which a load of thousands does not make. */
#ifdef __linux__
enum { LOAD_LOCAL_DATAGRAMS = true };
#else
enum { LOAD_LOCAL_DATAGRAMS = false };
#endif

/** Starts to connect number @p number, as sock_connect_start(), sock_connect_local() or
 *  sock_connect_datagrams(), and with its result. */
int load_endpoint_connect(const struct load_endpoint *endpoint, unsigned number,
			  int type);

#endif
