#include "server/hub/hub.h"

void session_post(struct session *session, const void *bytes, size_t n)
{
	if (!session->finished)
		session->transport->post(session, bytes, n);
}

bool hub_deliver(struct member *member, const void *bytes, size_t n, size_t most)
{
	return member->transport->deliver(member, bytes, n, most);
}

void hub_excuse(struct member *member)
{
	member->transport->excuse(member);
}

void hub_dismiss(struct member *member)
{
	member->transport->dismiss(member);
}

void hub_cut_off(struct member *member)
{
	member->transport->cut_off(member);
}
