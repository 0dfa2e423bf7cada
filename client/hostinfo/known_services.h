/*
 * known_services - the names that ports have, as this system's list of services tells
 * (services(5)): "http" is 80/tcp.
 */
#ifndef CLIENT_HOSTINFO_KNOWN_SERVICES_H
#define CLIENT_HOSTINFO_KNOWN_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"

enum { SERVICE_TEXT = 64, SERVICE_PROTOCOLS = 2, SERVICE_ALIASES = 16 };

/** A word such as "http", "domain/udp", "80/tcp" or "80". */
struct service_question {
	char name[SERVICE_TEXT]; /* "" when it is asked for a port */
	unsigned port;
	const char *protocol; /* "tcp", "udp", or NULL: both */
};

/** A service by one protocol. The names are those of the list: escape them. */
struct known_service {
	char name[SERVICE_TEXT];
	unsigned port;
	const char *protocol;
	char aliases[SERVICE_ALIASES][SERVICE_TEXT];
	size_t alias_count; /* what exceeds SERVICE_ALIASES is left out */
};

/** Takes a word apart: NAME, PORT, NAME/PROTOCOL or PORT/PROTOCOL. Whether there is such
 *  a service is not asked. @return 0, or -1 with *failure, which names the culprit */
int service_question_parse(const char *word, struct service_question *question,
			   struct failure *failure);

/** Looks it up; not for use by several threads at a time (getservbyname(3)).
 *  @param found  receives at most one for each protocol: tcp, then udp
 *  @return how many there are */
size_t known_services_find(const struct service_question *question,
			   struct known_service found[SERVICE_PROTOCOLS]);

#endif
