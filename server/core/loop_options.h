/*
 * loop_options - the options -j and --accept of a model with several loops.
 */
#ifndef SERVER_CORE_LOOP_OPTIONS_H
#define SERVER_CORE_LOOP_OPTIONS_H

#include "common/failure.h"
#include "common/options.h"
#include "server/core/server.h"

/** How the loops share new clients. */
enum loop_sharing {
	LOOP_SHARED,    /* one listener, in the set of each loop */
	LOOP_EXCLUSIVE, /* the same, and a new client wakes one loop */
	LOOP_REUSEPORT, /* a listener for each loop */
};

struct loop_options {
	unsigned loops;
	enum loop_sharing sharing;
};

/** The values that were given, or the defaults. */
extern struct loop_options loop_options;

/** For struct model. loop_options_check() refuses several loops on a datagram socket;
 *  loop_options_prepare() further listeners beside one that another process has opened. */
extern const struct option_line loop_option_lines[];
int loop_options_take(int letter, const struct options *options, struct failure *failure);
int loop_options_check(struct server *server, struct failure *failure);
int loop_options_prepare(struct server *server, struct failure *failure);

/** Opens the listeners of one loop: copies of the server's; or with LOOP_REUSEPORT, if it is not
 *  the @p first loop, other ones beside them.
 *  @return 0, or -1 with errno */
int loop_options_listen(const struct server *server, bool first,
			struct listeners *listeners);

#endif
