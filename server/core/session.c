/*
 * session - the functions that a service calls.
 *
 * They keep the rules that hold for every transport: output after session_finish() is
 * discarded, a file of 0 bytes is closed. The rest goes to the transport through a
 * function pointer. So a service runs unchanged in a connection, in a datagram session,
 * and in a test without a socket. The cost is one indirect call for each write.
 */
#include "server/core/session.h"

#include <unistd.h>

void session_write(struct session *session, const void *bytes, size_t n)
{
	if (!session->finished)
		session->transport->write(session, bytes, n);
}

void session_finish(struct session *session)
{
	session->finished = true;
}

bool session_full(const struct session *session)
{
	return session->full;
}

void session_send_file(struct session *session, int fd, uint64_t offset, uint64_t length)
{
	if (session->finished || length == 0)
		close(fd);
	else
		session->transport->send_file(session, fd, offset, length);
}

int session_keep_file(struct session *session, int fd)
{
	const struct transport *transport = session->transport;

	return transport->keep_file != NULL ? transport->keep_file(session, fd) : fd;
}

void session_pause(struct session *session, int64_t milliseconds)
{
	session->resume_at = session_now(session) + milliseconds;
}

void session_deadline(struct session *session, int64_t milliseconds)
{
	session->deadline_at = milliseconds > 0 ? session_now(session) + milliseconds : 0;
}

bool session_has_deadline(const struct session *session)
{
	return session->deadline_at != 0;
}

void session_set_busy(struct session *session, bool busy)
{
	session->busy = busy;
}

int64_t session_now(const struct session *session)
{
	return session->transport->now(session);
}

const char *session_peer(const struct session *session, char out[ADDRESS_TEXT])
{
	return session->transport->peer(session, out);
}
