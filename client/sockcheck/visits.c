/*
 * visits - lets two thousand clients come, or a hundred in a room, and counts what is left.
 *
 * The figures before are taken when the server has served some clients, so that threads and
 * descriptors that it makes once do not count. Afterwards the server gets time to tidy up.
 */
#include "client/sockcheck/visits.h"

#include <pthread.h>
#include <stdbool.h>

#include "client/sockcheck/crowd.h"
#include "client/sockcheck/talk.h"

enum {
	FIRST = 100,
	VISITS = 1900,
	AT_ONCE = 4, /* fewer than the backlog of many servers, 5 */
	RESETS = 100,
	TOGETHER = 5,
	ROUNDS = 10,
	IN_ROOM = 2,    /* pairs of clients at once: a pool may be small */
	ROOM_PART = 40, /* in a room a client takes more time: one of so many comes */
	DESCRIPTORS = 4096,
	LONGER = 4, /* times the time of a check */
	STEP = 20
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct visits all;
static bool done;

static unsigned part(const struct check_settings *settings, unsigned clients)
{
	return protocol_has(&settings->protocol, PROTOCOL_ROOM) ? clients / ROOM_PART + 1
								: clients;
}

/* How many clients come, of which two meet in a room. */
static unsigned count_all(const struct check_settings *settings)
{
	bool in_room = protocol_has(&settings->protocol, PROTOCOL_ROOM);

	return (part(settings, FIRST) + part(settings, VISITS)) * (in_room ? 2 : 1);
}

static bool come(struct check *check, unsigned clients, unsigned at_once, bool reset)
{
	if (protocol_has(&check->settings->protocol, PROTOCOL_ROOM))
		at_once = IN_ROOM;
	clients = part(check->settings, clients);
	return crowd_run(
		check, &(struct crowd){ .clients = clients,
					.at_once = clients < at_once ? clients : at_once,
					.exchanges = 1,
					.reset = reset });
}

/* Several clients leave at the same moment: signals of several children may become one. */
static bool leave_together(struct check *check)
{
	struct talk talks[TOGETHER];
	bool open = true;

	for (int i = 0; i < TOGETHER; i++)
		talks[i] = (struct talk)TALK_CLOSED;
	if (protocol_has(&check->settings->protocol, PROTOCOL_ROOM))
		return true;
	for (int round = 0; round < ROUNDS && open; round++) {
		for (int i = 0; i < TOGETHER && open; i++)
			open = (talk_start(&talks[i], check, "a client") ||
				check_fail(check, "a client cannot connect")) &&
			       talk_await_connection(&talks[i]);
		check_pause(check, STEP);
		for (int i = 0; i < TOGETHER; i++)
			talk_close(&talks[i]);
	}
	return open;
}

static bool is_tidy(const struct proc_figures *before, const struct proc_figures *after)
{
	return after->zombies == 0 && after->threads <= before->threads &&
	       after->descriptors <= before->descriptors;
}

/* Reads the figures when the server has become quiet. */
static void settle(struct check *check, const struct proc_figures *before,
		   struct proc_figures *after)
{
	struct check_wait wait;
	const char *why;

	check_wait_begin(&wait);
	do {
		check_pause(check, STEP);
		proc_figures_read(after, check->server.pid);
	} while ((before == NULL || !is_tidy(before, after)) &&
		 !check_wait_is_over(check, &wait, 0, &why));
}

static void visit(const struct check_settings *settings)
{
	static const struct proc_figures nothing = { .threads = UINT64_MAX,
						     .descriptors = UINT64_MAX };
	struct check *check = &all.check;

	all.clients = count_all(settings);
	check_begin(check, settings);
	check->deadline += (LONGER - 1) * settings->timeout;
	if (check_start_server(check, DESCRIPTORS) &&
	    come(check, FIRST, AT_ONCE, false)) {
		settle(check, &nothing, &all.before);
		if (come(check, VISITS, AT_ONCE, false) &&
		    come(check, RESETS, AT_ONCE, true) && leave_together(check)) {
			check_pause(check, STEP);
			/* some servers tidy up when the next client comes */
			if (talk_visit(check, "a client after many others"))
				settle(check, &all.before, &all.after);
		}
	}
	check_end(check);
}

const struct visits *visits_of(const struct check_settings *settings)
{
	pthread_mutex_lock(&lock);
	if (!done)
		visit(settings);
	done = true;
	pthread_mutex_unlock(&lock);
	return &all;
}
