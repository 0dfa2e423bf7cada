/*
 * error - the kinds of errors that a load counts.
 */
#ifndef CLIENT_LOAD_ERROR_H
#define CLIENT_LOAD_ERROR_H

/** What can go wrong with a connection; each makes an end of it, and it is replaced. But
 *  where clients meet it is not; and the last three, and there LOAD_WRONG_REPLY, count
 *  lines, and make an end of nothing. */
enum load_error {
	LOAD_REFUSED,      /* nobody listens */
	LOAD_RESET,        /* reset by the server */
	LOAD_TIMED_OUT,    /* no connection or, at the end of a sink, no close within
			      the timeout */
	LOAD_NO_REPLY,     /* connected, but no whole reply within the timeout, or until
			      the load had waited for it after the measured time */
	LOAD_WRONG_REPLY,  /* other bytes than they should be, or more of them */
	LOAD_CLOSED_EARLY, /* closed by the server before the whole reply, or before any */
	LOAD_OTHER,        /* anything else: load_result.other tells what */
	LOAD_NOT_HEARD,    /* by one who should have */
	LOAD_HEARD_TWICE,
	LOAD_OUT_OF_ORDER, /* behind a later line of the same speaker */
	LOAD_ERRORS,
};

/** Which kind of error an errno of connect(2), read(2) or write(2) is. */
enum load_error load_error_of(int error);

/** "refused", "reset", "timed out", "no reply", "wrong reply", "closed early", "other",
 *  "lost", "doubled", "out of order". */
const char *load_error_name(enum load_error error);

#endif
