/*
 * loop_options - how many loops there are, and how they share new clients.
 *
 * Each loop has its own descriptors of the listeners, and closes them when the server stops.
 * close(2) takes a descriptor out of a set of epoll(7) only if no other process has the same
 * socket open, which after socket activation is not known. So each loop first removes its
 * descriptors from its set. It costs one descriptor for each loop and listener.
 */
#include "server/core/loop_options.h"

#include <string.h>
#include <unistd.h>

#include "common/listeners.h"

enum { MOST_LOOPS = 256, OPTION_ACCEPT = OPTIONS_LETTERS_FROM + 80 };

static const char *const names[] = {
	[LOOP_SHARED] = "shared",
	[LOOP_EXCLUSIVE] = "exclusive",
	[LOOP_REUSEPORT] = "reuseport",
};

enum { NAMES = sizeof names / sizeof *names };

struct loop_options loop_options = { .loops = 1, .sharing = LOOP_EXCLUSIVE };

const struct option_line loop_option_lines[] = {
	{ 'j', "workers", "N",
	  "run N loops, each in a thread (default 1; 0: one\n"
	  "per CPU)" },
	{ OPTION_ACCEPT, "accept", "HOW",
	  "how the loops share new clients: shared,\n"
	  "exclusive (the default) or reuseport" },
	{ 0 },
};

static unsigned processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > MOST_LOOPS ? MOST_LOOPS : (unsigned)count;
}

int loop_options_take(int letter, const struct options *options, struct failure *failure)
{
	uint64_t number;

	if (letter == 'j') {
		if (options_number(options, letter, 0, MOST_LOOPS, &number, failure) < 0)
			return -1;
		loop_options.loops = number > 0 ? (unsigned)number : processors();
		return 0;
	}
	for (int i = 0; i < NAMES; i++) {
		if (strcmp(options->value, names[i]) != 0)
			continue;
		loop_options.sharing = (enum loop_sharing)i;
		return 0;
	}
	return options_bad_value(failure, options, letter,
				 "is not shared, exclusive or reuseport");
}

int loop_options_check(struct server *server, struct failure *failure)
{
	if (loop_options.loops > 1 && server->datagrams)
		return failure_set(failure,
				   "-j, --workers: with -u there is only one loop");
	server->descriptors = loop_options.loops * (1 + LISTENERS_MOST);
	return 0;
}

/* Closing the sockets that we open beside those of another process would reset the clients
 * that wait in them, at each restart. */
int loop_options_prepare(struct server *server, struct failure *failure)
{
	if (loop_options.sharing == LOOP_REUSEPORT && server->local)
		return failure_set(failure,
				   "--accept reuseport: a UNIX-domain socket cannot be "
				   "opened twice, use shared or exclusive");
	if (loop_options.sharing == LOOP_REUSEPORT && server->handover != NULL)
		return failure_set(failure,
				   "--accept reuseport: the sockets of the other loops "
				   "cannot be handed over (--hand-over), use shared "
				   "or exclusive");
	if (loop_options.sharing == LOOP_REUSEPORT && listeners_are_passed())
		return failure_set(
			failure, "--accept reuseport: the listening socket belongs to "
				 "another process (LISTEN_FDS), use shared or exclusive");
	return 0;
}

int loop_options_listen(const struct server *server, bool first,
			struct listeners *listeners)
{
	if (loop_options.sharing == LOOP_REUSEPORT && !first)
		return listeners_open_beside(&server->listeners, server->backlog,
					     listeners);
	return listeners_duplicate(&server->listeners, listeners);
}
