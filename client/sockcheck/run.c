/*
 * run - runs the checks in parallel.
 *
 * First one client asks, alone: if it gets no reply, no other check says anything. Then each
 * check has a thread, and a server of its own, so that a server that a check has broken does not
 * break others; most of the time is spent waiting. If the server runs already, the checks come one
 * after the other.
 */
#include "client/sockcheck/run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/process.h"

enum { AT_ONCE = 8, DESCRIPTORS = 4096, STACK = 1024 * 1024 };

struct job {
	struct check_settings *settings;
	struct results *results;
	atomic_size_t next;
};

static void store(struct result *result, const struct check *check)
{
	result->made = true;
	result->verdict = check->verdict;
	result->unjudged = check->unjudged;
	snprintf(result->evidence, sizeof result->evidence, "%s", check->evidence);
}

static void run_one(const struct check_settings *settings, struct result *result)
{
	const struct check_kind *kind = result->kind;
	struct check check;

	check_begin(&check, settings);
	if (kind->needs & CHECK_SHARES ||
	    check_start_server(&check,
			       kind->descriptors > 0 ? kind->descriptors : DESCRIPTORS))
		kind->run(&check);
	check_end(&check);
	store(result, &check);
}

/* A thread: runs one check after the other. */
static void *work(void *argument)
{
	struct job *job = argument;
	size_t i;

	while ((i = job->next++) < job->results->count && !checked_server_is_hurried())
		if (job->results->list[i].verdict == CHECK_PASSED)
			run_one(job->settings, &job->results->list[i]);
	return NULL;
}

static void work_side_by_side(struct job *job)
{
	pthread_t threads[AT_ONCE];
	pthread_attr_t attributes;
	size_t count = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	while (job->settings->starts && count < AT_ONCE &&
	       pthread_create(&threads[count], &attributes, work, job) == 0)
		count++;
	pthread_attr_destroy(&attributes);
	if (count == 0)
		work(job);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static bool is_first(const struct check_settings *settings, const struct check_kind *kind)
{
	return strcmp(kind->name, settings->datagrams ? "udp-answers" : "answers") == 0;
}

/* The server does not answer. The first check says so, if it is in the list. */
static void leave_out(struct result *result, bool said, const char *why)
{
	result->verdict = CHECK_SKIPPED;
	result->unjudged = !said;
	result->not_tried = true;
	snprintf(result->evidence, CHECK_EVIDENCE, "not tried: %.500s",
		 said ? "the first check has failed" : why);
}

/* A server that sockcheck has started, and that has said nothing, was often started wrongly. */
static void add_hint(const struct check_settings *settings, struct check *check)
{
	if (!settings->starts || check->heard)
		return;
	if (checked_server_has_ended(&check->server) &&
	    checked_server_ended_well(&check->server))
		check_add(check, "; it must stay in the foreground");
	if (!settings->command.opens_port)
		check_add(check,
			  "; the command has no %s: the server must %s on "
			  "descriptor 3",
			  settings->local ? "{path}" : "{port}",
			  settings->datagrams ? "receive" : "accept");
}

/* The first check, from which the rest is learned. @return whether the server answers */
static bool learn(struct check_settings *settings, struct results *results)
{
	struct check check;
	bool said = false;

	check_begin(&check, settings);
	if (!check_start_server(&check, DESCRIPTORS))
		snprintf(results->trouble, sizeof results->trouble, "%s", check.evidence);
	else if (settings->datagrams)
		check_udp_answers(&check);
	else
		checks_learn(settings, &check);
	if (check.verdict == CHECK_FAILED && results->trouble[0] == '\0')
		add_hint(settings, &check);
	check_end(&check);
	for (size_t i = 0; i < results->count; i++)
		said |= is_first(settings, results->list[i].kind);
	for (size_t i = 0; i < results->count; i++)
		if (is_first(settings, results->list[i].kind))
			store(&results->list[i], &check);
		else if (check.verdict == CHECK_FAILED)
			leave_out(&results->list[i], said, check.evidence);
	return check.verdict != CHECK_FAILED;
}

/* Skips what cannot be checked. */
static void skip(const struct check_settings *settings, struct results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		struct result *result = &results->list[i];
		const char *lacks = checks_lacks(result->kind, settings);

		if (result->verdict != CHECK_PASSED)
			continue;
		if (lacks != NULL) {
			result->verdict = CHECK_SKIPPED;
			snprintf(result->evidence, sizeof result->evidence, "%s", lacks);
		} else if (!checks_applies(result->kind, settings)) {
			result->verdict = CHECK_SKIPPED;
			snprintf(result->evidence, sizeof result->evidence,
				 "has no meaning for %s%s%s",
				 protocol_name(&settings->protocol),
				 !settings->datagrams ? ""
				 : settings->local    ? " with datagrams"
						      : " on UDP",
				 settings->local ? " on a UNIX-domain socket" : "");
		}
	}
}

void run_checks(struct check_settings *settings, struct results *results)
{
	struct job job = { .settings = settings, .results = results };
	int64_t began = clock_milliseconds();

	process_raise_descriptors(DESCRIPTORS);
	if (learn(settings, results)) {
		skip(settings, results);
		work_side_by_side(&job);
	}
	results->seconds = (double)(clock_milliseconds() - began) / 1000;
}
