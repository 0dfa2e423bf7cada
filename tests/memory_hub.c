#include "tests/memory_hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct service *service;
static struct memory_member *members; /* all that have arrived since the beginning */

static struct memory_member *of_member(struct member *member)
{
	return (struct memory_member *)((char *)member -
					offsetof(struct memory_member, member));
}

static bool deliver(struct member *member, const char *bytes, size_t n, size_t limit)
{
	struct memory_member *m = of_member(member);

	ck_assert_msg(!m->left, "it delivers to a client that has left");
	ck_assert_uint_gt(n, 0);
	if (m->dismissed || m->cut_off)
		return true;
	if (m->refuses || m->waiting - m->exempt > limit)
		return false;
	memory_receive(&m->client, bytes, n);
	if (m->stalled)
		m->waiting += n;
	return true;
}

static void exempt(struct member *member)
{
	struct memory_member *m = of_member(member);

	ck_assert_msg(!m->left, "it exempts the output of a client that has left");
	if (m->exempt == 0)
		m->exempt = m->waiting;
}

static void dismiss(struct member *member)
{
	of_member(member)->dismissed = true;
}

/* What waits is dropped: the client never sees it. */
static void cut_off(struct member *member)
{
	struct memory_member *m = of_member(member);

	m->cut_off = true;
	m->client.length -= m->waiting;
	if (m->client.expected > m->client.length)
		m->client.expected = m->client.length;
	m->client.output[m->client.length] = '\0';
	m->waiting = m->exempt = 0;
}

static const struct hub_transport transport = {
	.deliver = deliver,
	.exempt = exempt,
	.dismiss = dismiss,
	.cut_off = cut_off,
};

static bool has_ended(const struct memory_member *m)
{
	return m->cut_off || (m->dismissed && m->waiting == 0);
}

static void leave(struct memory_member *m)
{
	m->left = true;
	session_finish(&m->client.session);
	service->hub->leave(&m->member);
	memset(m->member.state, '!', service->hub->member_size);
	free(m->member.state);
	m->member.state = NULL;
}

/* After each call of the service those leave whom it has dismissed or cut off; and when
 * they do, it may cut off others. */
static void settle(void)
{
	struct memory_member *m = members;

	while (m != NULL) {
		bool leaves = has_ended(m) && !m->left;

		if (leaves)
			leave(m);
		m = leaves ? members : m->next;
	}
}

static void post(struct memory_session *client, const char *bytes, size_t n)
{
	struct memory_member *m = (struct memory_member *)client;
	char *block = malloc(n > 0 ? n : 1);

	ck_assert_ptr_nonnull(block);
	ck_assert_msg(n >= 1 && n <= HUB_MESSAGE, "it posts %zu bytes", n);
	if (m->dismissed || m->cut_off || m->left) {
		free(block);
		return;
	}
	memcpy(block, bytes, n);
	service->hub->post(&m->member, block, n);
	memset(block, '!', n);
	free(block);
	settle();
}

void memory_hub_begin(const struct service *of)
{
	service = of;
	members = NULL;
	if (service->hub->begin != NULL)
		service->hub->begin();
}

void memory_hub_end(void)
{
	struct memory_member *next;

	for (struct memory_member *m = members; m != NULL; m = m->next)
		memory_vanish(m);
	for (struct memory_member *m = members; m != NULL; m = next) {
		next = m->next;
		memory_close(&m->client);
	}
	members = NULL;
}

/* One that was here before may come again. */
static void release_former(struct memory_member *m)
{
	for (struct memory_member **at = &members; *at != NULL; at = &(*at)->next)
		if (*at == m) {
			ck_assert_msg(m->left, "it arrives, and is there already");
			*at = m->next;
			memory_close(&m->client);
			return;
		}
}

static void arrive(struct memory_member *m, bool stalled, bool refuses)
{
	release_former(m);
	*m = (struct memory_member){ .stalled = stalled, .refuses = refuses };
	memory_open_posting(&m->client, service, post);
	m->member.transport = &transport;
	snprintf(m->member.peer, sizeof m->member.peer, "%s", m->client.peer);
	m->member.state = calloc(1, service->hub->member_size);
	ck_assert_ptr_nonnull(m->member.state);
	m->next = members;
	members = m;
	service->hub->arrive(&m->member);
	settle();
}

void memory_arrive(struct memory_member *m)
{
	arrive(m, false, false);
}

void memory_arrive_stalled(struct memory_member *m)
{
	arrive(m, true, false);
}

void memory_arrive_refusing(struct memory_member *m)
{
	arrive(m, false, true);
}

void memory_say(struct memory_member *m, const char *text)
{
	memory_send(&m->client, text, strlen(text));
}

void memory_hears(struct memory_member *m, const char *text)
{
	memory_expect(&m->client, text, strlen(text));
}

const char *memory_listen(struct memory_member *m)
{
	return memory_heard(&m->client, NULL);
}

void memory_stall(struct memory_member *m)
{
	m->stalled = true;
}

void memory_read_on(struct memory_member *m)
{
	m->stalled = false;
	m->waiting = m->exempt = 0;
	settle();
}

void memory_vanish(struct memory_member *m)
{
	if (!m->left)
		leave(m);
	settle();
}
