/*
 * operator - signals that ask for something else than a stop, and messages that any worker
 * may have to write.
 *
 * These functions are below the connection and the models, because both call them. Each call
 * costs two loads from memory while no signal came.
 */
#include "server/core/operator.h"

#include "common/clock.h"
#include "common/message.h"
#include "server/core/server.h"
#include "server/core/signals.h"

void operator_attend(struct server *server)
{
	if (signals_take_statistics())
		statistics_print(server->statistics);
	if (signals_take_reopen() && server->service->reopen != NULL)
		server->service->reopen();
}

void operator_tell_proxy_header(struct server *server, const struct address *peer)
{
	atomic_llong *again_at = &server->statistics->tell_proxy_header_at;
	long long now = clock_milliseconds(), at = atomic_load(again_at);
	char text[ADDRESS_TEXT];

	if (now < at ||
	    !atomic_compare_exchange_strong(again_at, &at, now + OPERATOR_REPEAT))
		return;
	message_about(MESSAGE_ERROR, address_text(peer, text),
		      "connection closed: it begins with a PROXY protocol header, which "
		      "this server does not read (turn send-proxy off in the proxy)");
}
