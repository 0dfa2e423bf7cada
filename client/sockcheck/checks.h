/*
 * checks - the list of all checks, with their texts.
 *
 * TCP: answers, two-at-once, silent-client, reset-before-reply, reset-after-reply, split-input,
 * pipelined, all-bytes, half-close, partial-writes, slow-reader, slow-writer, many-clients, own-answers,
 * no-delay, last-bytes, no-descriptors, idle-cpu, zombies, descriptor-leak, thread-leak,
 * killed-child, aborted-client, workers, workers-last, lost-updates, sigterm, rebind.
 * UDP: udp-answers, udp-own-peer, udp-empty, udp-largest.
 */
#ifndef CLIENT_SOCKCHECK_CHECKS_H
#define CLIENT_SOCKCHECK_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/sockcheck/check.h"

/** What a check needs, beside a server. */
enum check_need {
	CHECK_STARTS = 1,    /* sockcheck must start the server */
	CHECK_WORKERS = 2,   /* the number of workers must be known (-w) */
	CHECK_PORT = 4,      /* the server must open its port itself ({port}) */
	CHECK_DATAGRAMS = 8, /* UDP; all others: TCP */
	CHECK_RESETS = 32,   /* a client must be able to reset: not over a UNIX-domain
				socket */
	CHECK_SHARES = 16    /* it starts its server itself, for several checks */
};

struct check_kind {
	const char *name;
	const char *sentence; /* what a server does that passes */
	const char *why;      /* ... and why that matters */
	const char *bug;      /* what usually causes a failure */
	const char *pages;    /* "write(2), send(2)" */
	unsigned needs;
	unsigned never;       /* not for protocols with one of these traits */
	unsigned only;        /* for protocols with one of these traits only; 0: all */
	uint64_t descriptors; /* limit of the server; 0: the usual one */
	void (*run)(struct check *check);
};

extern const struct check_kind checks[];
extern const size_t checks_count;

/** The check of that name (of @p length bytes); NULL if there is none. */
const struct check_kind *checks_find(const char *name, size_t length);

/** Whether it makes sense for the protocol, on TCP or UDP. */
bool checks_applies(const struct check_kind *kind, const struct check_settings *settings);

/** What it lacks: "needs -- COMMAND"; NULL: nothing. */
const char *checks_lacks(const struct check_kind *kind,
			 const struct check_settings *settings);

/** Makes the first exchanges with the server, and notes in the settings what only an exchange can
 *  show: the text of its replies, and whether it closes after one. This is the check "answers". */
void checks_learn(struct check_settings *settings, struct check *check);

/* The checks; each passes unless check_fail() or check_skip() was called. */
void check_answers(struct check *check);
void check_two_at_once(struct check *check);
void check_silent_client(struct check *check);
void check_split_input(struct check *check);
void check_pipelined(struct check *check);
void check_all_bytes(struct check *check);
void check_half_close(struct check *check);
void check_partial_writes(struct check *check);
void check_own_answers(struct check *check);
void check_no_delay(struct check *check);
void check_last_bytes(struct check *check);
void check_reset_before_reply(struct check *check);
void check_reset_after_reply(struct check *check);
void check_aborted_client(struct check *check);
void check_slow_reader(struct check *check);
void check_slow_writer(struct check *check);
void check_many_clients(struct check *check);
void check_no_descriptors(struct check *check);
void check_idle_cpu(struct check *check);
void check_zombies(struct check *check);
void check_descriptor_leak(struct check *check);
void check_thread_leak(struct check *check);
void check_killed_child(struct check *check);
void check_sigterm(struct check *check);
void check_rebind(struct check *check);
void check_workers(struct check *check);
void check_workers_last(struct check *check);
void check_lost_updates(struct check *check);
void check_udp_answers(struct check *check);
void check_udp_own_peer(struct check *check);
void check_udp_empty(struct check *check);
void check_udp_largest(struct check *check);

#endif
