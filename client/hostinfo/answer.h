/*
 * answer - what hostinfo can say about a word: what it is, and what the system knows of it.
 */
#ifndef CLIENT_HOSTINFO_ANSWER_H
#define CLIENT_HOSTINFO_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "client/hostinfo/known_services.h"
#include "client/hostinfo/lookup.h"
#include "common/address.h"
#include "common/failure.h"
#include "common/interfaces.h"

enum answer_kind {
	ANSWER_SELF, /* no word: this host */
	ANSWER_NAME,
	ANSWER_ADDRESS,
	ANSWER_SERVICE,
	ANSWER_UNKNOWN, /* the word is none of these */
};

/** What is asked, beside the word. */
struct answer_wish {
	int family;           /* AF_UNSPEC, or only addresses of AF_INET or AF_INET6 */
	bool services, names; /* take every word as one: at most one of the two */
	struct lookup_limits limits;
};

/** All texts in it may be a stranger's: escape them. */
struct answer {
	enum answer_kind kind;
	const char *word; /* the caller's */
	bool known;       /* there is something to be said about it */
	bool failed;      /* not everything could be found: failure says what and why */
	struct failure failure;

	/* a name, an address, this host */
	char name
		[HOST_NAME_TEXT]; /* of an address: the one found; of this host: its own */
	struct lookup_host host;  /* what the name leads to; empty if it was not found */
	/* an address */
	struct address address;
	bool named;     /* a name was found */
	bool confirmed; /* it is among those that its name leads to */
	/* a service */
	struct known_service services[SERVICE_PROTOCOLS];
	size_t service_count;
	/* this host */
	struct interface_address *interfaces;
	size_t interface_count;
};

/**
 * Decides what @p word is, and looks it up. The rules, of which the first that applies
 * decides; a wish for services or names leaves out those of the others:
 *
 *  1. with a / in it: a service, NAME/PROTOCOL or PORT/PROTOCOL
 *  2. digits only: a port
 *  3. what address_parse() takes: an address
 *  4. with a colon or a bracket in it, or digits only behind its last dot: meant to be an
 *     address, and none. It is not asked for as a name.
 *  5. in the system's list of services: a service
 *  6. anything else: the name of a host
 *
 * @param answer  receives what was found; to be released with answer_free()
 */
void answer_word(const char *word, const struct answer_wish *wish, struct answer *answer);

/** Describes this host: its name, what the name leads to, and its interfaces.
 *  @p answer as for answer_word(). */
void answer_self(const struct answer_wish *wish, struct answer *answer);

/** Frees what an answer has allocated, not *answer itself. */
void answer_free(struct answer *answer);

#endif
