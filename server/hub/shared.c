#include "server/hub/shared.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "common/wakeup.h"
#include "common/clock.h"
#include "server/hub/client.h"
#include "server/hub/place.h"

struct shared_link {
	struct hub_client link; /* first: the connection's view of it */
	struct mailbox mailbox; /* its mail is the buffer here */
	struct buffer mail;
	struct shared_hub *shared;
	struct wakeup wakeup;
	atomic_bool stalled;
	bool locked;                /* this thread holds the mutex */
	bool rung;                  /* and it has not taken its mail since */
	bool waits;                 /* for others to catch up: let_catch_up() */
	max_align_t state_memory[]; /* the service's */
};

static struct shared_link *of_mailbox(struct mailbox *mailbox)
{
	return (struct shared_link *)((char *)mailbox -
				      offsetof(struct shared_link, mailbox));
}

static void lock(struct shared_link *s)
{
	if (!s->locked)
		pthread_mutex_lock(&s->shared->mutex);
	s->locked = true;
}

/* Once is enough, also for a thread that cannot take its mail yet; but that its client is
 * cut off it must hear. */
static void ring(struct shared_link *s)
{
	if (!s->rung || s->mailbox.state == MAILBOX_CUT_OFF)
		wakeup_send(&s->wakeup);
	s->rung = true;
}

/* The bells are rung while the mutex is held: a thread whose mailbox is on the list could
 * otherwise leave, and take its bell away, just before. Here, where everyone comes by, those
 * are woken who wait for others: whether these took their mail, left or were given up. */
static void unlock(struct shared_link *s)
{
	struct shared_hub *shared = s->shared;
	struct mailbox *mailbox;
	bool must_wake;

	if (!s->locked)
		return;
	must_wake = shared->waiting > 0 && shared->hub.behind == 0;
	while ((mailbox = hub_next_news(&shared->hub)) != NULL) {
		ring(of_mailbox(mailbox));
		/* who waits for others may be behind itself */
		must_wake |= of_mailbox(mailbox)->waits && mailbox->behind != 0;
	}
	if (must_wake)
		pthread_cond_broadcast(&shared->caught_up);
	s->locked = false;
	pthread_mutex_unlock(&shared->mutex);
}

static void arrive(struct hub_client *link)
{
	struct shared_link *s = (struct shared_link *)link;

	lock(s);
	mailbox_arrive(&s->mailbox);
	unlock(s);
}

/* Waits until the other threads have seen to their mail. It must see to its own meanwhile:
 * they may be waiting, too. */
static void let_catch_up(struct shared_link *s)
{
	struct timespec until = clock_timespec(clock_milliseconds() + HUB_PATIENCE);
	struct hub *hub = &s->shared->hub;
	int error = 0;

	unlock(s);
	lock(s);
	while (hub->behind > 0 && error == 0) {
		if (s->mailbox.behind != 0) {
			unlock(s);
			hub_client_fetch_and_send(&s->link);
			lock(s);
			mailbox_caught_up(&s->mailbox); /* also if it was cut off */
		} else {
			s->waits = true;
			s->shared->waiting++;
			error = pthread_cond_timedwait(&s->shared->caught_up,
						       &s->shared->mutex, &until);
			s->shared->waiting--;
			s->waits = false;
		}
	}
	if (hub->behind > 0)
		mailbox_wait_no_more(hub);
}

static void post(struct hub_client *link, const char *bytes, size_t n)
{
	struct shared_link *s = (struct shared_link *)link;

	lock(s);
	if (s->shared->hub.behind > 0)
		let_catch_up(s);
	mailbox_post(&s->mailbox, bytes, n);
}

static void dispatch(struct hub_client *link)
{
	unlock((struct shared_link *)link);
}

static void leave(struct hub_client *link)
{
	struct shared_link *s = (struct shared_link *)link;

	lock(s);
	mailbox_leave(&s->mailbox);
	unlock(s);
}

static enum hub_client_state fetch(struct hub_client *link, struct buffer *queue)
{
	struct shared_link *s = (struct shared_link *)link;
	enum hub_client_state state = HUB_CLIENT_OPEN;

	wakeup_clear(&s->wakeup);
	lock(s);
	mailbox_caught_up(&s->mailbox);
	if (s->mailbox.state == MAILBOX_CUT_OFF) {
		state = HUB_CLIENT_CUT;
	} else if (queue->length == 0) {
		*queue = s->mail;
		s->mail = (struct buffer){ 0 };
		s->rung = false;
		if (s->mailbox.state != MAILBOX_OPEN)
			state = HUB_CLIENT_ENDED;
	}
	unlock(s);
	return state;
}

static void close_link(struct hub_client *link)
{
	struct shared_link *s = (struct shared_link *)link;

	leave(link);
	wakeup_close(&s->wakeup);
	buffer_consume(&s->mail, s->mail.length);
	free(s);
}

static const struct hub_client_kind shared_kind = {
	.arrive = arrive,
	.post = post,
	.dispatch = dispatch,
	.leave = leave,
	.fetch = fetch,
	.close = close_link,
};

/* The one hub of this process. */
static struct shared_hub the_hub;

static int begin(struct server *server)
{
	struct shared_hub *shared = &the_hub;
	pthread_condattr_t attributes;

	pthread_mutex_init(&shared->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&shared->caught_up, &attributes);
	pthread_condattr_destroy(&attributes);
	hub_begin(&shared->hub, server->service->hub);
	return 0;
}

static int join(struct connection *connection)
{
	struct shared_hub *shared = &the_hub;
	struct shared_link *s = calloc(1, sizeof *s + shared->hub.service->member_size);

	if (s == NULL)
		return -1;
	if (wakeup_open(&s->wakeup) < 0) {
		free(s);
		return -1;
	}
	s->shared = shared;
	s->link.output = &connection->output;
	s->link.kind = &shared_kind;
	s->link.fd = s->wakeup.fd;
	s->link.listens_always = true;
	s->link.stalled = &s->stalled;
	mailbox_begin(&s->mailbox, &shared->hub, &connection->peer, s->state_memory,
		      &s->mail);
	s->mailbox.stalled = &s->stalled;
	connection->hub = &s->link;
	return 0;
}

static void cancel(struct connection *connection)
{
	struct shared_link *s = (struct shared_link *)connection->hub;

	wakeup_close(&s->wakeup);
	free(s);
	connection->hub = NULL;
}

const struct hub_place hub_behind_mutex = {
	.begin = begin,
	.join = join,
	.cancel = cancel,
};
