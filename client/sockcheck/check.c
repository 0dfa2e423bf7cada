/*
 * check - when a check has waited long enough, and what it says then.
 *
 * A clock alone says little: on a busy machine a good server may be late. So a wait looks at
 * the threads of the server in /proc. Where none of them has run for a second, and none wants
 * to, nothing will come any more. Otherwise the wait goes on until the time of the check is over.
 * For a server that sockcheck has not started, the wait ends when nothing has arrived for three
 * seconds.
 */
#include "client/sockcheck/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/lib/proc.h"
#include "common/clock.h"

enum {
	LOOK_AFTER = 200,  /* milliseconds before the first look into /proc */
	IDLE = 1000,       /* asleep as long as this: nothing will come */
	REMOTE_IDLE = 3000 /* the same for a server of which nothing is known */
};

/* How long a process that has closed its sockets may take until its end can be seen. */
enum { END_LOOKS = 10, END_STEP = 20 };

void check_begin(struct check *check, const struct check_settings *settings)
{
	*check = (struct check){ .settings = settings, .verdict = CHECK_PASSED };
	snprintf(check->host, sizeof check->host, "%s", settings->host);
	snprintf(check->port, sizeof check->port, "%s", settings->port);
	check->deadline = clock_milliseconds() + settings->timeout;
}

bool check_start_server(struct check *check, uint64_t descriptors)
{
	struct failure failure;

	if (!check->settings->starts)
		return true;
	if (checked_server_start(&check->server, &check->settings->command, false,
				 descriptors, check->deadline, &failure) < 0)
		return check_fail(check, "%s", failure.text);
	memcpy(check->host, check->server.host, sizeof check->host);
	memcpy(check->port, check->server.port, sizeof check->port);
	return true;
}

void check_end(struct check *check)
{
	checked_server_stop(&check->server);
	checked_server_remove_file(&check->server);
}

static void set_verdict(struct check *check, enum check_verdict verdict,
			const char *format, va_list arguments)
{
	if (check->verdict != CHECK_PASSED)
		return;
	check->verdict = verdict;
	vsnprintf(check->evidence, sizeof check->evidence, format, arguments);
}

bool check_fail(struct check *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_verdict(check, CHECK_FAILED, format, arguments);
	va_end(arguments);
	return false;
}

void check_add(struct check *check, const char *format, ...)
{
	size_t length = strlen(check->evidence);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(check->evidence + length, sizeof check->evidence - length, format,
		  arguments);
	va_end(arguments);
}

bool check_skip(struct check *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_verdict(check, CHECK_SKIPPED, format, arguments);
	va_end(arguments);
	return false;
}

bool check_leave_open(struct check *check, const char *format, ...)
{
	va_list arguments;

	check->unjudged = check->verdict == CHECK_PASSED;
	va_start(arguments, format);
	set_verdict(check, CHECK_SKIPPED, format, arguments);
	va_end(arguments);
	return false;
}

bool check_server_is_gone(struct check *check, const char *when)
{
	char how[CHECKED_STATE];

	if (check->server.pid == 0 || !checked_server_has_ended(&check->server))
		return false;
	check_fail(check, "%s, %s", when,
		   checked_server_describe_end(&check->server, how));
	return true;
}

bool check_server_ends(struct check *check)
{
	if (check->server.pid == 0)
		return false;
	for (int i = 0; i < END_LOOKS && !checked_server_has_ended(&check->server); i++)
		check_pause(check, END_STEP);
	return checked_server_has_ended(&check->server);
}

bool check_end_explains(struct check *check, const char *when)
{
	return check_server_ends(check) && check_server_is_gone(check, when);
}

bool check_pause(struct check *check, int64_t milliseconds)
{
	const struct timespec time = clock_timespec(milliseconds);

	nanosleep(&time, NULL);
	return clock_milliseconds() < check->deadline && !checked_server_is_hurried();
}

void check_wait_begin(struct check_wait *wait)
{
	*wait = (struct check_wait){ .began = clock_milliseconds() };
	wait->quiet_since = wait->began;
}

void check_wait_touch(struct check_wait *wait)
{
	wait->quiet_since = clock_milliseconds();
}

/* Notes whether the server has run since the last look. */
static void look(const struct check *check, struct check_wait *wait, int64_t now)
{
	struct proc_figures figures;

	if (check->server.pid == 0 || proc_figures_read(&figures, check->server.pid) < 0)
		return;
	if (!wait->known || figures.running || figures.activities != wait->activities)
		wait->quiet_since = now;
	wait->known = true;
	wait->activities = figures.activities;
}

bool check_wait_is_over(struct check *check, struct check_wait *wait, uint64_t received,
			const char **why)
{
	int64_t now = clock_milliseconds();

	*why = "";
	if (received != wait->received) {
		wait->received = received;
		wait->quiet_since = now;
	}
	if (checked_server_is_hurried() || now >= check->deadline) {
		*why = "the time of the check is over";
		return true;
	}
	if (now - wait->began < LOOK_AFTER)
		return false;
	look(check, wait, now);
	if (wait->known && now - wait->quiet_since >= IDLE) {
		*why = "the server sleeps";
		return true;
	}
	if (check->server.pid == 0 && now - wait->quiet_since >= REMOTE_IDLE) {
		*why = "nothing arrived for 3 seconds";
		return true;
	}
	return false;
}
