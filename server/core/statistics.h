/*
 * statistics - what a server has done so far, in one line.
 *
 * The counters are in memory that forked children share. So each byte is counted even if
 * its child is killed a moment later.
 */
#ifndef SERVER_CORE_STATISTICS_H
#define SERVER_CORE_STATISTICS_H

#include <stdatomic.h>
#include <stddef.h>

/** The workers whose clients are counted apart; others are not shown. */
enum { STATISTICS_WORKERS = 64 };

struct statistics {
	atomic_ullong served; /* clients */
	/* clients that were accepted but could not be served; "dropped" in the
	 * printed line */
	atomic_ullong refused;
	atomic_ullong bytes_in;  /* from clients */
	atomic_ullong bytes_out; /* to clients */

	/* How the clients are shared among the workers of a model that has created them
	 * before the clients come. */
	atomic_uint workers; /* how many there are; 0 or 1: nothing to show */
	atomic_ullong by_worker[STATISTICS_WORKERS];

	/* Not counters, but all processes share them: when a message may be printed again,
	 * for operator_is_due(). */
	atomic_llong full_repeat_at; /* the server is full, by its options */
	atomic_llong lack_repeat_at; /* something lacks: descriptors, memory, processes */
	atomic_llong failure_repeat_at; /* a call keeps failing */
	atomic_llong lost_repeat_at;    /* a client was lost */
	atomic_llong proxy_header_repeat_at;
};

/** @return shared, zeroed counters, or NULL with errno (ENOMEM); never freed */
struct statistics *statistics_create(void);

/** Adds to a counter. The addition is relaxed: the order between counters does not
 *  matter. */
static inline void statistics_add(atomic_ullong *counter, size_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/** Counts a client for this worker, from 0 on. */
static inline void statistics_add_client(struct statistics *statistics, unsigned worker)
{
	if (worker < STATISTICS_WORKERS)
		statistics_add(&statistics->by_worker[worker], 1);
}

/** Prints the line at every level of messages: the counters, and getrusage(2) of this
 *  process and of the children that it has waited for. */
void statistics_print(struct statistics *statistics);

#endif
