/*
 * echo - sends back what it receives (RFC 862).
 *
 * The smallest service: each piece of input is written back at once. When the client
 * half-closes, the server sends the rest and closes. Use it to try a client, a network
 * or a model. It needs no state and no memory for a client that reads its echo.
 */
#include "server/service.h"
#include "server/core/session.h"

static size_t echo_input(struct session *session, const char *bytes, size_t n)
{
	session_write(session, bytes, n);
	return n;
}

static void echo_datagram(struct session *session, const char *bytes, size_t n)
{
	session_write(session, bytes, n);
}

const struct service echo_service = {
	.name = "echo",
	.summary = "sends back what it receives (RFC 862)",
	.port = "7007", /* RFC 862 says 7, which takes a privileged server */
	.descriptors = SERVICE_OPENS_NONE,
	.input = echo_input,
	.datagram = echo_datagram,
};
