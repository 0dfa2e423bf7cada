/*
 * statistics - what a server has done so far, in one line.
 *
 * The counters stand in memory that forked children share, so that each byte is counted
 * even if its child is killed the next instant.
 */
#ifndef SERVER_CORE_STATISTICS_H
#define SERVER_CORE_STATISTICS_H

#include <stdatomic.h>
#include <stddef.h>

struct statistics {
	atomic_ullong served;    /* clients */
	atomic_ullong refused;   /* clients that were accepted and could not be served */
	atomic_ullong bytes_in;  /* from clients */
	atomic_ullong bytes_out; /* to clients */

	/* No counter, but it must be the same for all processes: when the operator is to be
	 * told of a PROXY protocol header again, in milliseconds of clock_milliseconds(). */
	atomic_llong tell_proxy_header_at;
};

/** @return shared, zeroed counters, or NULL with errno (ENOMEM); never freed */
struct statistics *statistics_create(void);

/** Adds to a counter. No order is needed between counters, so none is paid for. */
static inline void statistics_add(atomic_ullong *counter, size_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/** Prints the line, whatever the level of messages: counters, and what getrusage(2) says
 *  of this process and the children it has waited for. */
void statistics_print(struct statistics *statistics);

#endif
