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
	[LOAD_LOST_LINE] = "lost",
	[LOAD_DUPLICATE_LINE] = "doubled",
	[LOAD_OUT_OF_ORDER] = "out of order",
};

const char *load_error_name(enum load_error error)
{
	return error_names[error];
}

const char *load_error_text(enum load_error error, uint64_t count)
{
	static const char *const texts[LOAD_ERRORS][2] = {
		[LOAD_REFUSED] = { "refused connection", "refused connections" },
		[LOAD_RESET] = { "reset connection", "reset connections" },
		[LOAD_TIMED_OUT] = { "timeout", "timeouts" },
		[LOAD_NO_REPLY] = { "missing reply", "missing replies" },
		[LOAD_WRONG_REPLY] = { "wrong reply", "wrong replies" },
		[LOAD_CLOSED_EARLY] = { "early close", "early closes" },
		[LOAD_OTHER] = { "other error", "other errors" },
		[LOAD_LOST_LINE] = { "lost line", "lost lines" },
		[LOAD_DUPLICATE_LINE] = { "duplicate line", "duplicate lines" },
		[LOAD_OUT_OF_ORDER] = { "line out of order", "lines out of order" },
	};

	return texts[error][count != 1];
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
