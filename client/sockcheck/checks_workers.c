/*
 * checks_workers - a pool of N workers, and a number that all clients share.
 *
 * A worker that serves a silent client is taken. So with N - 1 silent clients another one is
 * served, and with N it waits until one of them leaves.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib/proc.h"
#include "client/sockcheck/checks.h"
#include "client/sockcheck/crowd.h"
#include "client/sockcheck/talk.h"
#include "common/clock.h"
#include "common/io.h"

enum {
	STEP = 20,
	ACCEPTED = 50, /* milliseconds after which a silent client is accepted */
	UNANSWERED =
		300 /* without a reply as long as this: it waits, if the server sleeps */
};

/* Whether the server has no reply for a client that has asked: it was quiet for a while. */
static bool waits(struct talk *talk, const struct exchange *exchange, bool *answered)
{
	struct check *check = talk->check;
	struct proc_figures before = { 0 }, now = { 0 };
	int64_t since = clock_milliseconds();

	*answered = false;
	while (!*answered && clock_milliseconds() - since < UNANSWERED) {
		io_wait(talk->hearer, POLLIN, STEP);
		talk_receive(talk);
		*answered = talk_look(talk, exchange) == REPLY_RIGHT;
		if (check->server.pid > 0 &&
		    proc_figures_read(&now, check->server.pid) == 0 &&
		    (now.running || now.activities != before.activities))
			since = clock_milliseconds();
		before = now;
		if (!check_pause(check, 0))
			break;
	}
	return !*answered;
}

static bool ask(struct talk *talk, struct exchange *exchange)
{
	protocol_exchange(&talk->check->settings->protocol, talk_number(), exchange);
	return talk_send(talk, exchange->request, exchange->request_length);
}

/* With N silent clients another one waits; when one leaves, it is served. */
static void expect_no_more(struct check *check, struct talk *silent, unsigned workers)
{
	static const char who[] =
		"a client, after one of as many others as workers left,";
	struct talk next = TALK_CLOSED;
	struct exchange exchange;
	bool answered;

	if (!talk_open(&next, check, who) || !ask(&next, &exchange)) {
		talk_close(&next);
		return;
	}
	if (waits(&next, &exchange, &answered)) {
		talk_close(&silent[0]);
		talk_reply(&next, &exchange);
	} else {
		check_fail(check,
			   "%u silent clients are connected, and another one is "
			   "served: more than %u at once",
			   workers, workers);
	}
	talk_close(&next);
}

static void expect_workers(struct check *check, unsigned workers)
{
	static const char who[] = "a client, with one silent client fewer than workers,";
	struct talk *silent = calloc(workers, sizeof *silent);
	bool right = silent != NULL || check_fail(check, "not enough memory");

	for (unsigned i = 0; silent != NULL && i < workers; i++)
		silent[i].fd = silent[i].hearer = -1;
	for (unsigned i = 0; right && i < workers; i++) {
		if (i + 1 == workers)
			right = talk_visit(check, who);
		right = right &&
			(talk_start(&silent[i], check, "a silent client") ||
			 check_fail(check, "a silent client cannot connect: %s",
				    strerror(errno))) &&
			talk_await_connection(&silent[i]);
		check_pause(check, i + 2 >= workers ? ACCEPTED : 0);
	}
	if (right)
		expect_no_more(check, silent, workers);
	for (unsigned i = 0; silent != NULL && i < workers; i++)
		talk_close(&silent[i]);
	free(silent);
}

void check_workers(struct check *check)
{
	expect_workers(check, check->settings->workers);
}

void check_workers_last(struct check *check)
{
	unsigned workers = check->settings->workers;
	unsigned at_once = workers < CROWD_AT_ONCE ? workers : CROWD_AT_ONCE;

	if (crowd_run(check, &(struct crowd){ .clients = 10 * workers,
					      .at_once = at_once,
					      .exchanges = 1 }) &&
	    crowd_run(check, &(struct crowd){ .clients = 4 * workers,
					      .at_once = at_once,
					      .exchanges = 1,
					      .reset = true }))
		expect_workers(check, workers);
}

/* ---- a shared number --------------------------------------------------------------------- */

enum { ADDERS = 16, ADDITIONS = 100 };

static unsigned long number_of(const struct talk *talk)
{
	char text[32] = "";

	memcpy(text, talk->reply,
	       talk->reply_length < sizeof text ? talk->reply_length : sizeof text - 1);
	return strtoul(text, NULL, 10);
}

/* One client adds one. @return whether it has got the sum */
static bool add_one(struct check *check, unsigned long *sum)
{
	struct talk talk = TALK_CLOSED;
	bool right = talk_open(&talk, check, "the client") && talk_exchange(&talk);

	*sum = right ? number_of(&talk) : 0;
	talk_close(&talk);
	return right;
}

void check_lost_updates(struct check *check)
{
	unsigned long first, last, wanted;

	if (!add_one(check, &first) ||
	    !crowd_run(check, &(struct crowd){ .clients = ADDERS,
					       .at_once = ADDERS,
					       .exchanges = ADDITIONS }) ||
	    !add_one(check, &last))
		return;
	wanted = first + ADDERS * ADDITIONS + 1;
	if (last != wanted)
		check_fail(check,
			   "after %d updates by %d clients at once the number is %lu, "
			   "expected %lu",
			   ADDERS * ADDITIONS, ADDERS, last, wanted);
}
