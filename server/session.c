#include "server/session.h"

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

const char *session_peer(const struct session *session, char out[ADDRESS_TEXT])
{
	return session->transport->peer(session, out);
}
