/*
 * lookup - hosts and their names, from the resolver, with a timeout.
 *
 * getaddrinfo(3) and getnameinfo(3) have no timeout: with a silent name server they
 * often block for 10 seconds per server. They cannot be interrupted. So a thread calls
 * them, and after the timeout its result is ignored.
 */
#ifndef CLIENT_HOSTINFO_LOOKUP_H
#define CLIENT_HOSTINFO_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/failure.h"

/** The timeout, and a callback for slow lookups. */
struct lookup_limits {
	int64_t timeout; /* milliseconds; -1: none */
	/* Called after a second without an answer, and again with NULL when waiting
	 * ends. May be NULL. @p question is printable. */
	void (*slow)(const char *question);
};

/** A host as the resolver knows it. Its texts are untrusted: escape them. */
struct lookup_host {
	char canonical[HOST_NAME_TEXT];
	struct address *addresses; /* without duplicates, in the order to try them;
				    * port 0 */
	size_t count;
};

/**
 * Looks up the addresses and the canonical name of a host.
 *
 * @param family  AF_UNSPEC, or AF_INET or AF_INET6 for only such addresses
 * @param host    receives the result; release it with lookup_host_free()
 * @return 0, or -1 with *failure, which names the host; *host is empty then
 */
int lookup_host(const char *name, int family, const struct lookup_limits *limits,
		struct lookup_host *host, struct failure *failure);

/** Frees the memory that lookup_host() has allocated, not *host itself. */
void lookup_host_free(struct lookup_host *host);

/** Looks up the name of the host with this address.
 *  @return 0, or -1 with *failure, which names the address */
int lookup_name(const struct address *address, const struct lookup_limits *limits,
		char name[HOST_NAME_TEXT], struct failure *failure);

#endif
