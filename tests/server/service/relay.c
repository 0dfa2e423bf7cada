/*
 * relay - sends each line to all other clients: the smallest service with a hub. It tests the
 * hub in every model, without the rules of a real service.
 *
 * A new client gets "hello". The answer to "/who" is the number of clients, to "/echo TEXT"
 * it is TEXT, and to "/quit" it is "bye", and then the server closes. A client with more than
 * -B queued bytes is cut off.
 */
#include <stdio.h>
#include <string.h>

#include "common/options.h"
#include "server/hub/hub.h"
#include "server/service.h"
#include "server/core/session.h"

static uint64_t limit = 256 * 1024;

/* ---- in the hub ------------------------------------------------------------------------ */

struct listener {
	struct member *member;
	struct listener *next, **link;
};

static struct listener *listeners;
static unsigned count;

static void send_to(struct member *member, const char *bytes, size_t n)
{
	if (!hub_deliver(member, bytes, n, (size_t)limit))
		hub_cut_off(member);
}

static void relay_arrive(struct member *member)
{
	struct listener *self = member->state;

	self->member = member;
	self->next = listeners;
	self->link = &listeners;
	if (listeners != NULL)
		listeners->link = &self->next;
	listeners = self;
	count++;
	send_to(member, "hello\n", 6);
}

static void relay_leave(struct member *member)
{
	struct listener *self = member->state;

	*self->link = self->next;
	if (self->next != NULL)
		self->next->link = self->link;
	count--;
}

static void relay_post(struct member *member, const char *line, size_t n)
{
	char text[32];

	if (n == 5 && memcmp(line, "/who\n", n) == 0) {
		send_to(member, text, (size_t)snprintf(text, sizeof text, "%u\n", count));
	} else if (n == 6 && memcmp(line, "/quit\n", n) == 0) {
		send_to(member, "bye\n", 4);
		hub_dismiss(member);
	} else if (n > 6 && memcmp(line, "/echo ", 6) == 0) {
		send_to(member, line + 6, n - 6);
	} else {
		for (struct listener *other = listeners; other != NULL;
		     other = other->next)
			if (other->member != member)
				send_to(other->member, line, n);
	}
}

static const struct hub_service relay_hub = {
	.member_size = sizeof(struct listener),
	.arrive = relay_arrive,
	.post = relay_post,
	.leave = relay_leave,
};

/* ---- in the worker --------------------------------------------------------------------- */

/* A line that is longer than a message comes as several. */
static size_t relay_input(struct session *session, const char *bytes, size_t n)
{
	size_t used = 0;

	while (used < n) {
		size_t left = n - used < HUB_MESSAGE ? n - used : HUB_MESSAGE;
		const char *end = memchr(bytes + used, '\n', left);

		if (end == NULL && left < HUB_MESSAGE)
			break;
		if (end != NULL)
			left = (size_t)(end + 1 - (bytes + used));
		session_post(session, bytes + used, left);
		used += left;
	}
	return used;
}

/* An incomplete last line is dropped. */
static void relay_end(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	(void)n;
	session_finish(session);
}

static const struct option_line relay_options[] = {
	{ 'B', "max-unread", "BYTES",
	  "limit the queue of a client that does not read (262144)" },
	{ 0 },
};

static int relay_option(int letter, const struct options *options,
			struct failure *failure)
{
	return options_number(options, letter, 0, SIZE_MAX, &limit, failure);
}

const struct service relay_service = {
	.name = "relay",
	.summary = "sends each line to all other clients",
	.port = "7099",
	.options = relay_options,
	.option = relay_option,
	.input = relay_input,
	.end = relay_end,
	.hub = &relay_hub,
};
