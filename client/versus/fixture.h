/*
 * fixture - what a service needs to be compared: options for its servers, and a folder
 * of files to serve.
 *
 * fixture.c has an entry for each service that needs more than the default. The folder
 * is temporary. A process of its own removes it, however versus ends.
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
	char folder[FIXTURE_PATH]; /* "": none */
	char *text;                /* contents of the file in it, terminated */
	size_t size;               /* ... and their length */
	int guard;                 /* the folder exists as long as this descriptor is
				    * open */
	pid_t keeper;              /* the process that removes it; 0: none */
};

/** Whether the service serves a file of selectable size in a load of that kind. */
bool fixture_has_file(const char *service, enum load_kind kind);

/**
 * Prepares the fixture of a service.
 *
 * @param size  of the file, in bytes, for the loads that need one; 0: no such load is
 *              run
 * @return 0, for fixture_remove(); or -1 with *failure: the folder or file cannot be
 * created
 */
int fixture_prepare(struct fixture *fixture, const char *service, size_t size,
		    struct failure *failure);

/** The options of its servers in a load of that kind.
 *  @param options  receives them, terminated by NULL; valid as long as the fixture */
void fixture_options(const struct fixture *fixture, enum load_kind kind,
		     const char *options[FIXTURE_OPTIONS]);

/** Whether these options make the servers log errors only. */
bool fixture_is_quiet(const struct fixture *fixture);

/** The path that the load requests, or NULL. */
const char *fixture_path(const struct fixture *fixture, enum load_kind kind);

/** The reply of the servers, without a newline at its end; NULL: as the protocol
 *  says. Valid as long as the fixture. */
const char *fixture_reply(const struct fixture *fixture, enum load_kind kind);

/** Size of that reply in bytes, with the newline of a greeting; 0 if it is NULL. */
size_t fixture_reply_size(const struct fixture *fixture, enum load_kind kind);

/** Removes the folder and frees the memory. */
void fixture_remove(struct fixture *fixture);

#endif
