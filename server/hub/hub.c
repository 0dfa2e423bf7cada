/*
 * hub - the functions that a service calls, each through a table of functions.
 *
 * The service is linked with every model, and in the tests with a hub in memory. So it must
 * not call any of these hubs by name. The cost is one indirect call for each delivery.
 */
#include "server/hub/hub.h"

void session_post(struct session *session, const void *bytes, size_t n)
{
	if (!session->finished)
		session->transport->post(session, bytes, n);
}

bool hub_deliver(struct member *member, const void *bytes, size_t n, size_t limit)
{
	return member->transport->deliver(member, bytes, n, limit);
}

void hub_exempt(struct member *member)
{
	member->transport->exempt(member);
}

void hub_dismiss(struct member *member)
{
	member->transport->dismiss(member);
}

void hub_cut_off(struct member *member)
{
	member->transport->cut_off(member);
}
