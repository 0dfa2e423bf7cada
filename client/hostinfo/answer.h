/*
 * answer - what a word is (service, port, address or host), and what the system knows
 * about it.
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

/** The options of a lookup. */
struct answer_wish {
	int family;           /* AF_UNSPEC, or only addresses of AF_INET or AF_INET6 */
	bool services, names; /* take every word as a service, or as a name: at most
			       * one of the two */
	struct lookup_limits limits;
};

/** All its texts are untrusted: escape them. */
struct answer {
	enum answer_kind kind;
	const char *word; /* the caller's */
	bool known;       /* something is known about the word */
	bool failed;      /* a part could not be found: failure says what and why */
	struct failure failure;

	/* a name, an address, this host */
	char name[HOST_NAME_TEXT]; /* of an address: the name found; of this host: its
				   * own name */
	struct lookup_host host;   /* the addresses of the name; empty if it was not
				   * found */
	/* an address */
	struct address address;
	bool named;     /* a name was found */
	bool confirmed; /* the name resolves to the address */
	/* a service */
	struct known_service services[SERVICE_PROTOCOLS];
	size_t service_count;
	/* this host */
	struct interface_address *interfaces;
	size_t interface_count;
};

/**
 * Decides what @p word is, and looks it up. The first rule that applies decides;
 * wish->services or wish->names leaves out the rules of the other kinds:
 *
 *  1. with a /: a service, NAME/PROTOCOL or PORT/PROTOCOL
 *  2. only digits: a port
 *  3. accepted by address_parse(): an address
 *  4. with a colon or a bracket, or with only digits after the last dot: a wrong
 * address; it is not looked up as a name
 *  5. in the services list of the system: a service
 *  6. otherwise: a host name
 *
 * @param answer  receives the result; release it with answer_free()
 */
void answer_word(const char *word, const struct answer_wish *wish, struct answer *answer);

/** Describes this host: its name, the addresses of the name, and its interfaces.
 *  @p answer as for answer_word(). */
void answer_self(const struct answer_wish *wish, struct answer *answer);

/** Frees the memory of an answer, not *answer itself. */
void answer_free(struct answer *answer);

#endif
