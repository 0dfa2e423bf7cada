/*
 * mailbox - deliveries to a member, their limit, and the count of lagging workers.
 *
 * Each delivery is copied into the queue of each receiver. That costs a copy for each
 * receiver; in return a queue is plain bytes, and one send(2) sends many messages. Adding to
 * the list of pending mailboxes and removing from it takes constant time. The rules for
 * lagging workers are explained under "Fairness" in mailbox.h.
 */
#include "server/hub/mailbox.h"

#include "common/list.h"

#include <stdint.h>
#include <string.h>

/* ---- the list of pending mailboxes ------------------------------------------------------ */

static void add_to_pending(struct mailbox *mailbox)
{
	struct hub *hub = mailbox->hub;

	if (mailbox->link == NULL)
		LIST_INSERT(&hub->pending, mailbox);
}

static void remove_from_pending(struct mailbox *mailbox)
{
	if (mailbox->link != NULL)
		LIST_REMOVE(mailbox);
}

struct mailbox *hub_next_pending(struct hub *hub)
{
	struct mailbox *mailbox = hub->pending;

	if (mailbox != NULL)
		remove_from_pending(mailbox);
	return mailbox;
}

/* ---- the limit of a queue --------------------------------------------------------------- */

/* The bytes of the queue that count. The exempt bytes are at the front: when the queue is no
 * longer than the counted bytes, all exempt ones are sent. */
static size_t counted_bytes(struct mailbox *mailbox)
{
	if (mailbox->has_exempt && buffer_length(mailbox->queue) > mailbox->counted_bytes)
		return mailbox->counted_bytes;
	mailbox->has_exempt = false;
	return buffer_length(mailbox->queue);
}

/* The queue of a pending mailbox has not been sent yet. So this sends it, if the hub can, before it
 * compares the length with the limit. */
static bool is_over(struct mailbox *mailbox, size_t limit)
{
	if (counted_bytes(mailbox) > limit && mailbox->link != NULL &&
	    mailbox->hub->flush != NULL)
		mailbox->hub->flush(mailbox);
	return counted_bytes(mailbox) > limit;
}

/* ---- lagging workers -------------------------------------------------------------------- */

static void note_lagging(struct mailbox *mailbox, size_t limit)
{
	if (mailbox->lagging_since != 0 || mailbox->stalled == NULL ||
	    counted_bytes(mailbox) <= limit / 2 || atomic_load(mailbox->stalled))
		return;
	mailbox->lagging_since = mailbox->hub->epoch;
	mailbox->hub->lagging++;
}

bool mailbox_is_lagging(const struct mailbox *mailbox)
{
	return mailbox->lagging_since != 0;
}

void mailbox_clear_lagging(struct mailbox *mailbox)
{
	if (mailbox->lagging_since == mailbox->hub->epoch)
		mailbox->hub->lagging--;
	mailbox->lagging_since = 0;
}

void hub_begin_epoch(struct hub *hub)
{
	hub->lagging = 0;
	hub->epoch++;
}

/* ---- called by the service -------------------------------------------------------------- */

static bool deliver(struct member *member, const char *bytes, size_t n, size_t limit)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (mailbox->state != MAILBOX_OPEN)
		return true;
	if (is_over(mailbox, limit) || !buffer_append(mailbox->queue, bytes, n, SIZE_MAX))
		return false;
	if (mailbox->has_exempt)
		mailbox->counted_bytes += n;
	add_to_pending(mailbox);
	note_lagging(mailbox, limit);
	return true;
}

static void exempt(struct member *member)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (counted_bytes(mailbox) == 0 || mailbox->has_exempt)
		return;
	mailbox->has_exempt = true;
	mailbox->counted_bytes = 0;
}

static void dismiss(struct member *member)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (mailbox->state != MAILBOX_OPEN)
		return;
	mailbox->state = MAILBOX_DISMISSED;
	add_to_pending(mailbox);
}

static void cut_off(struct member *member)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (mailbox->state == MAILBOX_LEFT)
		return;
	mailbox->state = MAILBOX_CUT_OFF;
	add_to_pending(mailbox);
}

static const struct hub_transport transport = {
	.deliver = deliver,
	.exempt = exempt,
	.dismiss = dismiss,
	.cut_off = cut_off,
};

/* ---- called by the model ---------------------------------------------------------------- */

void hub_begin(struct hub *hub, const struct hub_service *service)
{
	hub->service = service;
	hub->pending = NULL;
	hub->lagging = 0;
	hub->epoch = 1;
	if (service->begin != NULL)
		service->begin();
}

void mailbox_begin(struct mailbox *mailbox, struct hub *hub, const struct address *peer,
		   void *state, struct buffer *queue)
{
	*mailbox = (struct mailbox){ .hub = hub, .queue = queue };
	mailbox->member.state = state;
	mailbox->member.transport = &transport;
	address_text(peer, mailbox->member.peer);
	memset(state, 0, hub->service->member_size);
}

void hub_arrive(struct mailbox *mailbox)
{
	mailbox->arrived = true;
	mailbox->hub->service->arrive(&mailbox->member);
}

void hub_post(struct mailbox *mailbox, const char *bytes, size_t n)
{
	if (mailbox->state == MAILBOX_OPEN)
		mailbox->hub->service->post(&mailbox->member, bytes, n);
}

/* The state comes first: leave() of the service must not deliver to this member. */
void hub_leave(struct mailbox *mailbox)
{
	if (mailbox->state == MAILBOX_LEFT)
		return;
	mailbox->state = MAILBOX_LEFT;
	remove_from_pending(mailbox);
	mailbox_clear_lagging(mailbox);
	if (mailbox->arrived)
		mailbox->hub->service->leave(&mailbox->member);
}
