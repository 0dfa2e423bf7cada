/*
 * checks_process - what the processes of a server do and have, as /proc shows it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/proc.h"
#include "client/sockcheck/checks.h"
#include "client/sockcheck/talk.h"
#include "client/sockcheck/visits.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

enum {
	CROWD = 64, /* clients: more than the server has descriptors */
	SILENT = 3,
	SETTLE = 100,   /* milliseconds after which a server has done its work */
	OBSERVED = 400, /* ... and for which it is observed */
	LOOK_STEP = 25,
	LOOKS = 16,                   /* ... at least so often */
	BUSY_PERCENT = 60,            /* of the looks: a server without work sleeps */
	LEAK = 32,                    /* a leak for each client is more, also in a room */
	STACKS_KIB = 3 * 1024 * 1024, /* allocators take up to one GiB */
	STACKS_MAPPINGS = 1000, /* a small stack, and its guard page, are two mappings */
	HOLDERS = 8,
	CONNECT_ONE = 50,   /* milliseconds */
	CONNECT_ALL = 1000, /* ... of all together */
	STEP = 10
};

/* How often the server runs, or wants to, while nothing is to do: in percent of the looks, at
 * regular times. Its processor time would say little on a busy machine, where a server that never
 * sleeps gets a small share. -1: unknown. */
static double idle_use(struct check *check)
{
	struct proc_figures figures = { 0 };
	unsigned looks = 0, running = 0;
	int64_t end;

	check_pause(check, SETTLE);
	end = clock_milliseconds() + OBSERVED;
	while (looks < LOOKS || clock_milliseconds() < end) {
		if (!check_pause(check, LOOK_STEP) ||
		    proc_figures_read(&figures, check->server.pid) < 0)
			return -1;
		running += figures.running;
		looks++;
	}
	return 100.0 * running / looks;
}

/* Whether it is busy with nothing; looks twice, as work may just have come. */
static bool measure_busy(struct check *check, double *percent)
{
	*percent = idle_use(check);
	if (*percent >= BUSY_PERCENT)
		*percent = idle_use(check);
	return *percent >= BUSY_PERCENT;
}

static bool fail_busy(struct check *check, const char *when, double percent)
{
	return check_fail(check, "%s, the server runs at %.0f %% of all looks", when,
			  percent);
}

/* One after the other, so that a server with a short backlog accepts as many as it can. Those that
 * it does not accept cost a second at most. */
static bool connect_silent(struct check *check, struct talk *talks, size_t count)
{
	int64_t end = clock_milliseconds() + CONNECT_ALL;

	for (size_t i = 0; i < count; i++) {
		if (!talk_start(&talks[i], check, "a silent client"))
			return check_fail(check, "silent client %zu cannot connect: %s",
					  i + 1, strerror(errno));
		if (talks[i].fd >= 0 && clock_milliseconds() < end)
			io_wait(talks[i].fd, POLLOUT, CONNECT_ONE);
	}
	return true;
}

static void close_all(struct talk *talks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		talk_close(&talks[i]);
}

/* Whether the lack of descriptors makes the server busy: a few silent clients do not. */
static bool expect_not_busy(struct check *check, struct talk *talks)
{
	static const char when[] = "with 64 silent clients and 32 descriptors";
	double percent, few;

	if (measure_busy(check, &percent)) {
		close_all(talks + SILENT, CROWD - SILENT);
		if (!measure_busy(check, &few))
			return fail_busy(check, when, percent);
	}
	return !check_server_is_gone(check, when);
}

void check_no_descriptors(struct check *check)
{
	struct talk *talks = calloc(CROWD, sizeof *talks);
	bool right;

	for (size_t i = 0; talks != NULL && i < CROWD; i++)
		talks[i].fd = talks[i].hearer = -1;
	right = talks != NULL || check_fail(check, "not enough memory");
	right = right && talk_visit(check, "the first client") &&
		connect_silent(check, talks, CROWD) && expect_not_busy(check, talks);
	if (talks != NULL)
		close_all(talks, CROWD);
	free(talks);
	if (right)
		talk_visit(check, "a client after 64 others, which had taken all of 32 "
				  "descriptors,");
}

static void expect_idle(struct check *check)
{
	static const char when[] = "with silent clients only";
	double percent;

	if (measure_busy(check, &percent))
		fail_busy(check, when, percent);
	else if (percent < 0)
		check_skip(check, "needs /proc");
	check_server_is_gone(check, when);
}

void check_idle_cpu(struct check *check)
{
	struct talk talks[SILENT] = { TALK_CLOSED, TALK_CLOSED, TALK_CLOSED };
	struct talk gone = TALK_CLOSED, stays = TALK_CLOSED;

	if (talk_open(&gone, check, "the first client") && talk_exchange(&gone)) {
		talk_reset(&gone);
		if (talk_open(&stays, check, "a client that stays") &&
		    talk_exchange(&stays) && connect_silent(check, talks, SILENT))
			expect_idle(check);
	}
	talk_close(&gone);
	talk_close(&stays);
	close_all(talks, SILENT);
}

/* ---- after many clients ------------------------------------------------------------------ */

/* @return whether the clients were served, so that the figures are known */
static bool take_visits(struct check *check, const struct visits *visits)
{
	if (visits->check.verdict == CHECK_FAILED)
		return check_leave_open(
			check,
			"could not be judged, as not all of %u clients were served: "
			"%.500s",
			visits->clients, visits->check.evidence);
	return visits->check.verdict == CHECK_PASSED ||
	       check_skip(check, "%s", visits->check.evidence);
}

void check_zombies(struct check *check)
{
	const struct visits *visits = visits_of(check->settings);

	/* one may be the child of the last client, for which the server waits later */
	if (take_visits(check, visits) && visits->after.zombies > 1)
		check_fail(check, "%zu zombies after %u clients", visits->after.zombies,
			   visits->clients);
}

void check_descriptor_leak(struct check *check)
{
	const struct visits *visits = visits_of(check->settings);

	if (take_visits(check, visits) &&
	    visits->after.descriptors > visits->before.descriptors + LEAK)
		check_fail(check, "%ju descriptors are open after %u clients, before %ju",
			   (uintmax_t)visits->after.descriptors, visits->clients,
			   (uintmax_t)visits->before.descriptors);
}

void check_thread_leak(struct check *check)
{
	const struct visits *visits = visits_of(check->settings);
	const struct proc_figures *before = &visits->before, *after = &visits->after;

	if (!take_visits(check, visits))
		return;
	if (after->threads > before->threads + LEAK)
		check_fail(check,
			   "%ju threads in %zu processes after %u clients, before %ju in "
			   "%zu",
			   (uintmax_t)after->threads, after->processes, visits->clients,
			   (uintmax_t)before->threads, before->processes);
	/* a thread that has ended, and is neither joined nor detached, keeps its stack */
	if (after->memory_kib > before->memory_kib + STACKS_KIB)
		check_fail(check,
			   "after %u clients the address space has %ju MiB, before %ju: "
			   "the stacks of threads that have ended are not freed",
			   visits->clients, (uintmax_t)after->memory_kib / 1024,
			   (uintmax_t)before->memory_kib / 1024);
	else if (after->mappings > before->mappings + STACKS_MAPPINGS)
		check_fail(check,
			   "after %u clients the address space has %ju mappings, before "
			   "%ju: the stacks of threads that have ended are not freed",
			   visits->clients, (uintmax_t)after->mappings,
			   (uintmax_t)before->mappings);
}

/* ---- a killed child ---------------------------------------------------------------------- */

/* The processes that have the connection of a client; on a UNIX-domain socket, those of all
 * clients. */
static size_t holders_of(const struct check *check, const struct talk *talk,
			 pid_t holders[HOLDERS])
{
	struct address address;

	if (check->settings->local)
		return proc_local_holders(check->server.pid, check->host, holders,
					  HOLDERS);
	if (address_local(talk->fd, &address) < 0)
		return 0;
	return proc_connection_holders(check->server.pid,
				       (unsigned)strtoul(check->port, NULL, 10),
				       address_port(&address), holders, HOLDERS);
}

/* The process that serves a client, if possible another one than @p known; 0: the one that was
 * started, or unknown. */
static pid_t process_of(const struct check *check, const struct talk *talk, pid_t known)
{
	pid_t holders[HOLDERS], found = 0;
	size_t count = holders_of(check, talk, holders);

	for (size_t i = 0; i < count; i++)
		if (holders[i] != check->server.pid && (found == 0 || found == known))
			found = holders[i];
	return found;
}

void check_killed_child(struct check *check)
{
	struct talk a = TALK_CLOSED, b = TALK_CLOSED;
	pid_t child = 0;
	bool separate = false;

	if (talk_open(&a, check, "client A") && talk_exchange(&a)) {
		child = process_of(check, &a, 0);
		if (child == 0)
			check_skip(check, "needs a process for each client");
	}
	if (child > 0 && talk_open(&b, check, "client B") && talk_exchange(&b)) {
		separate = process_of(check, &b, child) != child;
		kill(child, SIGKILL);
		check_pause(check, STEP);
		if (!check_server_is_gone(check,
					  "when the process of client A was killed") &&
		    (!separate || talk_exchange(&b)))
			talk_visit(check,
				   "a client after the process of client A was killed");
	}
	talk_close(&a);
	talk_close(&b);
}

/* ---- the end ----------------------------------------------------------------------------- */

/* Waits until the process that was started has ended. */
static bool awaits_end(struct check *check, const char **why)
{
	struct check_wait wait;

	check_wait_begin(&wait);
	while (!checked_server_has_ended(&check->server)) {
		if (check_wait_is_over(check, &wait, 0, why))
			return false;
		check_pause(check, STEP);
	}
	return true;
}

/* Waits until no process listens on the port or path. */
static bool awaits_free_port(struct check *check)
{
	struct check_wait wait;
	const char *why = "";

	check_wait_begin(&wait);
	while (checked_server_is_open(&check->server)) {
		if (check_wait_is_over(check, &wait, 0, &why))
			return false;
		check_pause(check, STEP);
	}
	return true;
}

void check_sigterm(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	const char *why = "";

	if (!talk_open(&talk, check, "the client") || !talk_exchange(&talk)) {
		talk_close(&talk);
		return;
	}
	checked_server_signal(&check->server, SIGTERM);
	if (!awaits_end(check, &why)) {
		talk_close(&talk); /* it may wait for its clients */
		check->deadline = clock_milliseconds() + check->settings->timeout;
		if (!awaits_end(check, &why))
			check_fail(check, "after SIGTERM the server has not ended: %s",
				   why);
	}
	if (check->verdict == CHECK_PASSED && !awaits_free_port(check))
		check_fail(check,
			   "after SIGTERM the server has ended, but another process "
			   "still listens on its %s",
			   check->settings->local ? "path" : "port");
	talk_close(&talk);
}

void check_rebind(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	bool local = check->settings->local;
	struct failure failure;

	/* the end that closes first has the connection in TIME_WAIT: here the server */
	if (talk_open(&talk, check, "the client") && talk_exchange(&talk)) {
		checked_server_stop(&check->server);
		talk_receive(&talk);
		talk_close(&talk);
		check_pause(check, STEP);
		if (checked_server_start(&check->server, &check->settings->command, true,
					 1024, check->deadline, &failure) < 0)
			check_fail(check, "started again on %s%s: %s",
				   local ? "" : "port ",
				   local ? check->host : check->port, failure.text);
		else
			talk_visit(check, "a client of the second start");
	}
	talk_close(&talk);
}
