/*
 * fixture - what a service needs around it to be compared: options of its own for its
 * servers, and a folder of files for them to serve.
 *
 * One entry in fixture.c for each service that needs more than the default. The folder is a
 * temporary one, and goes away with us, however we go: a process of its own waits for that,
 * and removes it.
 */
#ifndef CLIENT_VERSUS_FIXTURE_H
#define CLIENT_VERSUS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "client/load/protocol.h"
#include "common/failure.h"

enum { FIXTURE_PATH = 4096, FIXTURE_OPTIONS = 8 };

struct fixture {
	const struct fixture_needs *needs;
	char folder[FIXTURE_PATH]; /* "": there is none */
	char *text;                /* of the file in it, terminated */
	size_t size;               /* ... and its length */
	int guard;                 /* while it is open, the folder stays */
	pid_t keeper;              /* who removes it; 0: nobody */
};

/** Whether the service serves a file in a load of that kind, whose size is for choice. */
bool fixture_has_file(const char *service, enum load_kind kind);

/**
 * Prepares the fixture for a service.
 *
 * @param size  of the file, in bytes, for the loads that need one; 0: none of these is run
 * @return 0, for fixture_remove(); or -1 with *failure: no folder or file can be made
 */
int fixture_prepare(struct fixture *fixture, const char *service, size_t size,
		    struct failure *failure);

/** The options for its servers in a load of that kind.
 *  @param options  receives them, NULL behind the last; they live as long as the fixture */
void fixture_options(const struct fixture *fixture, enum load_kind kind,
		     const char *options[FIXTURE_OPTIONS]);

/** Whether these options make the servers say nothing but errors. */
bool fixture_is_quiet(const struct fixture *fixture);

/** What the load asks for, or NULL: nothing in particular. */
const char *fixture_path(const struct fixture *fixture, enum load_kind kind);

/** What the servers reply then, without a newline at its end; or NULL: what is right
 *  for the protocol. Lives as long as the fixture. */
const char *fixture_reply(const struct fixture *fixture, enum load_kind kind);

/** Bytes of that reply, with the newline that a greeting ends with; 0 where it is NULL. */
size_t fixture_reply_size(const struct fixture *fixture, enum load_kind kind);

/** Removes what was made. */
void fixture_remove(struct fixture *fixture);

#endif
