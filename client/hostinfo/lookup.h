/*
 * lookup - hosts and their names, asked of the resolver with a limit to the time.
 *
 * getaddrinfo(3) and getnameinfo(3) return when the resolver thinks it right: where a name
 * server does not answer, often after 10 seconds for each there is. They cannot be
 * interrupted; so a thread asks, and when the time is over nobody waits for it any more.
 */
#ifndef CLIENT_HOSTINFO_LOOKUP_H
#define CLIENT_HOSTINFO_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/failure.h"

/** How long to wait, and whom to tell that it takes long. */
struct lookup_limits {
	int64_t timeout; /* milliseconds; -1 for ever */
	/* Called when there is no answer after a second, and again, with NULL, when the
	 * waiting is over. May be NULL. @p question is fit to print. */
	void (*slow)(const char *question);
};

/** What the resolver knows of a host. Its words are a stranger's: escape them. */
struct lookup_host {
	char canonical[HOST_NAME_TEXT];
	struct address *addresses; /* each once, in the order to try them; port 0 */
	size_t count;
};

/**
 * Looks up the addresses and the canonical name of a host.
 *
 * @param family  AF_UNSPEC, or only addresses of AF_INET or AF_INET6
 * @param host    receives them; to be released with lookup_host_free()
 * @return 0, or -1 with *failure, which names the host; *host is empty then
 */
int lookup_host(const char *name, int family, const struct lookup_limits *limits,
		struct lookup_host *host, struct failure *failure);

/** Frees what lookup_host() has allocated, not *host itself. */
void lookup_host_free(struct lookup_host *host);

/** Looks up the name of the host with this address.
 *  @return 0, or -1 with *failure, which names the address */
int lookup_name(const struct address *address, const struct lookup_limits *limits,
		char name[HOST_NAME_TEXT], struct failure *failure);

#endif
