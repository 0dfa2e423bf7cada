/*
 * error - the kinds of errors that a load counts.
 *
 * A report names a few kinds rather than every errno. An errno without a kind of its own is
 * LOAD_OTHER; load_result.other then keeps one of them for the report.
 */
#include "client/load/error.h"

#include <errno.h>

static const char *const error_names[LOAD_ERRORS] = {
	[LOAD_REFUSED] = "refused",
	[LOAD_RESET] = "reset",
	[LOAD_TIMED_OUT] = "timed out",
	[LOAD_NO_REPLY] = "no reply",
	[LOAD_WRONG_REPLY] = "wrong reply",
	[LOAD_CLOSED_EARLY] = "closed early",
	[LOAD_OTHER] = "other",
	[LOAD_NOT_HEARD] = "lost",
	[LOAD_HEARD_TWICE] = "doubled",
	[LOAD_OUT_OF_ORDER] = "out of order",
};

const char *load_error_name(enum load_error error)
{
	return error_names[error];
}

enum load_error load_error_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return LOAD_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return LOAD_RESET;
	case ETIMEDOUT:
		return LOAD_TIMED_OUT;
	default:
		return LOAD_OTHER;
	}
}
