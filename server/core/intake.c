/*
 * intake - keeps early bytes in a buffer that exists only while there are some.
 *
 * A client that waits for each reply never has early bytes, so in most cases the bytes go from the
 * kernel's buffer to the connection without a copy here.
 */
#include "server/core/intake.h"

#include <stddef.h>

static bool is_wanted(const struct connection *connection)
{
	return connection_wants(connection) & WANT_READ;
}

/* @return how many of the bytes the connection has taken */
static size_t pass(struct connection *connection, struct worker *worker,
		   const char *bytes, size_t n)
{
	size_t passed = 0;

	while (passed < n && is_wanted(connection)) {
		size_t piece = n - passed, room = connection_room(connection);

		if (piece > room)
			piece = room;
		connection_on_received(connection, worker, bytes + passed,
				       (ssize_t)piece);
		passed += piece;
	}
	return passed;
}

bool intake_waits(const struct intake *intake)
{
	return !buffer_is_empty(&intake->early) || intake->ended;
}

void intake_offer(struct intake *intake, struct connection *connection,
		  struct worker *worker)
{
	buffer_consume(&intake->early,
		       pass(connection, worker, buffer_bytes(&intake->early),
			    buffer_length(&intake->early)));
	if (!buffer_is_empty(&intake->early) || !intake->ended || !is_wanted(connection))
		return;
	intake->ended = false;
	connection_on_received(connection, worker, NULL, intake->end);
}

void intake_add(struct intake *intake, struct connection *connection,
		struct worker *worker, const char *bytes, int n)
{
	size_t length = n > 0 ? (size_t)n : 0, passed = 0;

	if (n <= 0) {
		intake->ended = true;
		intake->end = n;
	} else if (buffer_is_empty(&intake->early)) {
		passed = pass(connection, worker, bytes, length);
	}
	if (connection_wants(connection) == 0)
		return;
	if (!buffer_append(&intake->early, bytes + passed, length - passed, INTAKE_MOST))
		connection_drop(connection, "dropped: no memory for its input");
	intake_offer(intake, connection, worker);
}

void intake_release(struct intake *intake)
{
	buffer_release(&intake->early);
}
