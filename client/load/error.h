/*
 * error - the kinds of errors that a load counts.
 */
#ifndef CLIENT_LOAD_ERROR_H
#define CLIENT_LOAD_ERROR_H

#include <stdint.h>

/** Errors of a connection. Each ends the connection, which is replaced, except with
 *  a broadcast protocol. The last three kinds, and there LOAD_WRONG_REPLY, count
 *  lines and do not end the connection. */
enum load_error {
	LOAD_REFUSED,      /* no process listens */
	LOAD_RESET,        /* reset by the server */
	LOAD_TIMED_OUT,    /* no connection; or, at the end of a sink, no close within
			    * the timeout */
	LOAD_NO_REPLY,     /* connected, but no complete reply within the timeout, or
			    * within the time that the load waits after the measured
			    * time */
	LOAD_WRONG_REPLY,  /* wrong bytes, or too many */
	LOAD_CLOSED_EARLY, /* closed by the server before the reply was complete */
	LOAD_OTHER,        /* other; load_result.other is the errno */
	LOAD_LOST_LINE,    /* a line that a client should have received */
	LOAD_DUPLICATE_LINE,
	LOAD_OUT_OF_ORDER, /* received after a later line of the same sender */
	LOAD_ERRORS,
};

/** The kind of error for an errno of connect(2), read(2) or write(2). */
enum load_error load_error_of(int error);

/** "refused", "reset", "timed out", "no reply", "wrong reply", "closed early", "other",
 *  "lost", "doubled", "out of order". */
const char *load_error_name(enum load_error error);

/** The same for a report, after the number @p count: "wrong reply" or "wrong replies". */
const char *load_error_text(enum load_error error, uint64_t count);

#endif
