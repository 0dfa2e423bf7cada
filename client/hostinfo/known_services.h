/*
 * known_services - names of ports in the services list of the system (services(5)):
 * "http" is 80/tcp.
 */
#ifndef CLIENT_HOSTINFO_KNOWN_SERVICES_H
#define CLIENT_HOSTINFO_KNOWN_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"

enum { SERVICE_TEXT = 64, SERVICE_PROTOCOLS = 2, SERVICE_ALIASES = 16 };

/** A parsed word: "http", "domain/udp", "80/tcp" or "80". */
struct service_question {
	char name[SERVICE_TEXT]; /* "": a port is asked for */
	unsigned port;
	const char *protocol; /* "tcp", "udp", or NULL: both */
};

/** A service with one protocol. Its names are untrusted: escape them. */
struct known_service {
	char name[SERVICE_TEXT];
	unsigned port;
	const char *protocol;
	char aliases[SERVICE_ALIASES][SERVICE_TEXT];
	size_t alias_count; /* more than SERVICE_ALIASES are left out */
};

/** Parses a word: NAME, PORT, NAME/PROTOCOL or PORT/PROTOCOL. It does not look it
 *  up. @return 0, or -1 with *failure, which names the wrong part */
int service_question_parse(const char *word, struct service_question *question,
			   struct failure *failure);

/** Looks it up. Not thread-safe (getservbyname(3)).
 *  @param found  receives at most one entry per protocol: tcp, then udp
 *  @return the number of entries */
size_t known_services_find(const struct service_question *question,
			   struct known_service found[SERVICE_PROTOCOLS]);

#endif
