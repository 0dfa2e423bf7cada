/*
 * lookup - getaddrinfo(3) and getnameinfo(3) with a timeout.
 *
 * Neither function can be interrupted. So a detached thread calls it and writes a byte to a
 * pipe; the caller waits for the pipe. After a timeout the thread continues in the
 * background until the resolver returns. So each lookup costs a thread and a pipe, and an
 * abandoned one keeps them.
 */
#include "client/hostinfo/lookup.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/text.h"

enum { SLOW = 1000 /* milliseconds */, QUESTION_TEXT = 120 };

/* A question and its answer. Two threads own it, the asking one and the waiting one;
 * the last owner frees it. */
struct lookup {
	atomic_int owners;
	int ended[2];                /* a pipe; a byte means: the answer is complete */
	char subject[QUESTION_TEXT]; /* "host NAME", printable */

	char name[HOST_NAME_TEXT]; /* question or answer */
	int family;
	struct address address; /* length 0: the name is the question */
	struct addrinfo *list;
	int result; /* 0, or -1 with failure */
	struct failure failure;
};

static void lookup_release(struct lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->owners, 1) > 1)
		return;
	if (lookup->list != NULL)
		freeaddrinfo(lookup->list);
	close(lookup->ended[0]);
	close(lookup->ended[1]);
	free(lookup);
}

static void *ask(void *context)
{
	struct lookup *lookup = context;

	if (lookup->address.length > 0)
		lookup->result = address_find_name(&lookup->address, lookup->name,
						   &lookup->failure);
	else
		lookup->result = address_find_host(lookup->name, lookup->family,
						   &lookup->list, &lookup->failure);
	io_write(lookup->ended[1], "", 1);
	lookup_release(lookup);
	return NULL;
}

static struct lookup *lookup_create(void)
{
	struct lookup *lookup = calloc(1, sizeof *lookup);

	if (lookup == NULL)
		return NULL;
	if (pipe(lookup->ended) < 0) {
		free(lookup);
		return NULL;
	}
	io_set_close_on_exec(lookup->ended[0]);
	io_set_close_on_exec(lookup->ended[1]);
	atomic_init(&lookup->owners, 1);
	return lookup;
}

/* @return 0, or an error number */
static int start_asking(struct lookup *lookup)
{
	pthread_t thread;
	int error;

	atomic_store(&lookup->owners, 2);
	error = pthread_create(&thread, NULL, ask, lookup);
	if (error != 0)
		atomic_store(&lookup->owners, 1);
	else
		pthread_detach(thread);
	return error;
}

static void report_slow(const struct lookup_limits *limits, const char *question)
{
	if (limits->slow != NULL)
		limits->slow(question);
}

/* @return more than 0: answered; 0: timeout; -1 with errno */
static int wait_for_answer(const struct lookup *lookup,
			   const struct lookup_limits *limits)
{
	int64_t timeout = limits->timeout;
	bool may_be_slow = timeout < 0 || timeout > SLOW;
	int ready = io_wait(lookup->ended[0], POLLIN, may_be_slow ? SLOW : timeout);
	char byte;

	if (ready == 0 && may_be_slow) {
		report_slow(limits, lookup->subject);
		ready = io_wait(lookup->ended[0], POLLIN,
				timeout < 0 ? -1 : timeout - SLOW);
		report_slow(limits, NULL);
	}
	return ready > 0 ? (int)io_read(lookup->ended[0], &byte, 1) : ready;
}

/* Asks, and waits for the answer. @return 0 with the answer in *lookup, or -1 with
 * *failure */
static int lookup_answer(struct lookup *lookup, const struct lookup_limits *limits,
			 struct failure *failure)
{
	int error = start_asking(lookup);
	int ready = 0;

	if (error == 0) {
		ready = wait_for_answer(lookup, limits);
		error = ready < 0 ? errno : 0;
	}
	if (error != 0)
		return failure_set(failure, "cannot find %s: %s", lookup->subject,
				   strerror(error));
	if (ready == 0)
		return failure_set(failure, "cannot find %s: no answer within %g s",
				   lookup->subject, (double)limits->timeout / 1000);
	if (lookup->result < 0)
		*failure = lookup->failure;
	return lookup->result;
}

static bool is_known(const struct lookup_host *host, const struct address *address)
{
	for (size_t i = 0; i < host->count; i++)
		if (address_compare_host(&host->addresses[i], address) == 0)
			return true;
	return false;
}

/* A hosts file or a name server may list an address twice. */
static int take_addresses(struct lookup_host *host, const struct addrinfo *list)
{
	const struct addrinfo *each;
	size_t most = 0;

	for (each = list; each != NULL; each = each->ai_next)
		most++;
	host->addresses = calloc(most, sizeof *host->addresses);
	if (host->addresses == NULL)
		return -1;
	for (each = list; each != NULL; each = each->ai_next) {
		struct address address;

		address_set(&address, each->ai_addr, each->ai_addrlen);
		if (!is_known(host, &address))
			host->addresses[host->count++] = address;
	}
	return 0;
}

int lookup_host(const char *name, int family, const struct lookup_limits *limits,
		struct lookup_host *host, struct failure *failure)
{
	struct lookup *lookup;
	char shown[QUESTION_TEXT / 2];
	int result;

	memset(host, 0, sizeof *host);
	text_escape(name, strlen(name), shown, sizeof shown);
	if (strlen(name) >= HOST_NAME_TEXT)
		return failure_set(failure, "cannot find host %s: the name is too long",
				   shown);
	lookup = lookup_create();
	if (lookup == NULL)
		return failure_set(failure, "cannot find host %s: %s", shown,
				   strerror(errno));
	snprintf(lookup->subject, sizeof lookup->subject, "host %s", shown);
	memcpy(lookup->name, name, strlen(name) + 1);
	lookup->family = family;
	result = lookup_answer(lookup, limits, failure);
	if (result == 0) {
		const char *canonical = lookup->list->ai_canonname;

		snprintf(host->canonical, sizeof host->canonical, "%s",
			 canonical != NULL ? canonical : name);
		if (take_addresses(host, lookup->list) < 0)
			result = failure_set(failure, "out of memory");
	}
	lookup_release(lookup);
	return result;
}

void lookup_host_free(struct lookup_host *host)
{
	free(host->addresses);
	memset(host, 0, sizeof *host);
}

int lookup_name(const struct address *address, const struct lookup_limits *limits,
		char name[HOST_NAME_TEXT], struct failure *failure)
{
	struct lookup *lookup = lookup_create();
	char text[ADDRESS_TEXT];
	int result;

	address_host_text(address, text);
	if (lookup == NULL)
		return failure_set(failure, "cannot find the name of %s: %s", text,
				   strerror(errno));
	snprintf(lookup->subject, sizeof lookup->subject, "the name of %s", text);
	lookup->address = *address;
	result = lookup_answer(lookup, limits, failure);
	if (result == 0)
		memcpy(name, lookup->name, sizeof lookup->name);
	lookup_release(lookup);
	return result;
}
