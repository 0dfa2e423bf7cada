/*
 * operator - the signals that do not stop the server, and a message that any worker may
 * print.
 *
 * Both the connection and the models call these functions, so they are in a file below
 * both. A call costs two loads from memory if no signal arrived.
 */
#include "server/core/operator.h"

#include "common/clock.h"
#include "common/message.h"
#include "server/core/handover.h"
#include "server/core/server.h"
#include "server/core/signals.h"

void operator_attend(struct server *server)
{
	if (signals_take_statistics())
		statistics_print(server->statistics);
	if (signals_take_reopen() && server->service->reopen != NULL)
		server->service->reopen();
	handover_attend(server);
}

bool operator_is_due(atomic_llong *again_at)
{
	long long now = clock_milliseconds(), at = atomic_load(again_at);

	return now >= at &&
	       atomic_compare_exchange_strong(again_at, &at, now + OPERATOR_REPEAT);
}

void operator_report_proxy_header(struct server *server, const struct address *peer)
{
	char text[ADDRESS_TEXT];

	if (!operator_is_due(&server->statistics->proxy_header_repeat_at))
		return;
	message_about(MESSAGE_ERROR, address_text(peer, text),
		      "connection closed: it begins with a PROXY protocol header, which "
		      "this server does not read (start it with --proxy-protocol, or "
		      "turn send-proxy off in the proxy)");
}

void operator_report_bad_proxy(struct server *server, const struct address *peer,
			       const char *why)
{
	char text[ADDRESS_TEXT];

	if (operator_is_due(&server->statistics->proxy_header_repeat_at))
		message_about(MESSAGE_ERROR, address_text(peer, text),
			      "connection closed: %s (--proxy-protocol)", why);
}
