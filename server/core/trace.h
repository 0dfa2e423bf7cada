/*
 * trace - what happens to each client, and when: a line per event in a file (--trace).
 *
 * All models write the same trace, because the events happen below them: the server accepts
 * (server.c), a connection begins, receives, sends and ends (connection.c). The format is
 * described in sockways-trace(5), the names are in common/trace_events.h.
 *
 * Without --trace each event costs the test of one variable:
 *
 *	if (trace_is_on())
 *		trace_bytes(connection->number, TRACE_RECEIVED, n);
 */
#ifndef SERVER_CORE_TRACE_H
#define SERVER_CORE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/failure.h"
#include "common/trace_events.h"

/** Private to trace.c and trace_is_on(). */
extern atomic_bool trace_active;

/** Whether events are written. */
static inline bool trace_is_on(void)
{
	return atomic_load_explicit(&trace_active, memory_order_relaxed);
}

/**
 * Opens the file, and writes its first line. From now on events are written, also by the
 * children of fork(2) and by all threads.
 *
 * @param joins  the process is one of several that write to the same file, but have no common
 *               parent (inetd): it keeps what is in the file. Else the file is emptied
 * @return 0, or -1 with the reason in @p failure
 */
int trace_open(const char *path, const char *service, const char *model, bool joins,
	       struct failure *failure);

/** A client was accepted. @return its number: from 1 on, unique among all processes of the
 *  server; with @p joins the number of the process */
uint64_t trace_accepted(const struct address *peer);

/** An event without data. */
void trace_event(uint64_t client, enum trace_event event);

/** An event with a number of bytes. */
void trace_bytes(uint64_t client, enum trace_event event, uint64_t bytes);

/** An event with a text, which has no newline. */
void trace_text(uint64_t client, enum trace_event event, const char *text);

/** The calling thread has no more events of this client for now: writes its lines if the last
 *  write was TRACE_INTERVAL ago. */
void trace_turn(void);

/** Writes the lines of the calling thread. */
void trace_flush(void);

/** The calling thread is about to wait. Writes its lines if that is due.
 *  @param now  clock_milliseconds()
 *  @return when it must call this again; or CLOCK_NEVER */
int64_t trace_attend(int64_t now);

/** How old a line can become before it is written, in milliseconds, unless its worker waits in
 *  recv(2). */
enum { TRACE_INTERVAL = 10 };

/** Ends the trace. Other threads may still be there. */
void trace_close(void);

#endif
