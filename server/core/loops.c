/*
 * loops - starts the threads, interrupts them, and waits for their end.
 *
 * The list of the loops is complete before the first thread runs, and does not change after
 * that. A thread blocks SIGNAL_INTERRUPT except while it waits: the wait unblocks the signal in
 * the same step (epoll_pwait(2), ppoll(2)), so none is lost. A busy loop, which never sleeps,
 * lets no signal in, and needs none: it asks loops_go_on() in each turn.
 *
 * One mutex for all loops of a service with a hub is the simplest way to keep what the hub
 * guarantees (hub/mailbox.h): the service sees one post at a time, and the loop that posts sends
 * to all receivers, so no loop can lag. The cost is that the loops of such a service take turns;
 * only their waits overlap.
 */
#include "server/core/loops.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/retry.h"
#include "server/core/signals.h"
#include "server/core/threads.h"

/* How long the end of the threads is waited for, in milliseconds: normally, and after a second
 * stop signal. */
enum { END_WAIT = 1000, END_WAIT_FORCED = 100 };

static struct {
	struct loop *first, **end; /* all of them, in the order of loops_add() */
	void (*run)(struct loop *);
	bool told;     /* the other loops know that the server stops */
	bool has_lock; /* several loops, and a hub */
	pthread_mutex_t lock;
	pthread_mutex_t mutex; /* of the next two */
	pthread_cond_t ended;
	unsigned running;      /* threads */
	atomic_bool abandoned; /* a thread could not be created: all end at once */
} all = {
	.end = &all.first,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.mutex = PTHREAD_MUTEX_INITIALIZER,
};

void loops_add(struct loop *loop)
{
	loop->secondary = all.first != NULL;
	*all.end = loop;
	all.end = &loop->next;
}

bool loops_lock(void)
{
	if (all.has_lock)
		pthread_mutex_lock(&all.lock);
	return all.has_lock;
}

void loops_unlock(void)
{
	if (all.has_lock)
		pthread_mutex_unlock(&all.lock);
}

/* Ends the waits of all loops but that of the caller. */
static void interrupt_others(void)
{
	for (struct loop *loop = all.first; loop != NULL; loop = loop->next)
		if (!pthread_equal(loop->thread, pthread_self()))
			pthread_kill(loop->thread, SIGNAL_INTERRUPT);
}

bool loops_go_on(struct loop *loop)
{
	struct server *server = loop->server;
	bool running;

	if (loop->secondary)
		return server_goes_on(server) && !atomic_load(&all.abandoned);
	running = server_running(server);
	if (server->stopping && !all.told) {
		all.told = true;
		interrupt_others();
	}
	return running;
}

int loops_wait_result(struct loop *loop, int ready)
{
	if (!loop->secondary)
		return server_wait_result(loop->server, ready);
	if (ready >= 0) {
		retry_succeeded(&loop->worker.polls);
		return ready;
	}
	if (errno != EINTR)
		retry_sleep(retry_failed(&loop->worker.polls));
	return 0;
}

/* ---- the threads ---- */

/* The mutex is locked until all threads are created: before that, the list is not complete. */
static void wait_for_others(void)
{
	pthread_mutex_lock(&all.mutex);
	pthread_mutex_unlock(&all.mutex);
}

static void *run_loop(void *argument)
{
	struct loop *loop = argument;

	wait_for_others();
	pthread_sigmask(SIG_BLOCK, NULL, &loop->wait_mask);
	sigdelset(&loop->wait_mask, SIGNAL_INTERRUPT);
	all.run(loop);
	pthread_mutex_lock(&all.mutex);
	all.running--;
	pthread_cond_signal(&all.ended);
	pthread_mutex_unlock(&all.mutex);
	return NULL;
}

/* They can be joined: so pthread_kill(3) of one that has ended is allowed. If a thread cannot
 * be created, its loop and those after it are taken off the list. @return 0, or the error */
static int create_threads(void)
{
	pthread_attr_t attributes;
	struct loop **link = &all.first->next;
	int error = 0;

	threads_attributes(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
	while (*link != NULL && error == 0) {
		error = pthread_create(&(*link)->thread, &attributes, run_loop, *link);
		if (error != 0) {
			*link = NULL;
			break;
		}
		link = &(*link)->next;
		all.running++;
	}
	pthread_attr_destroy(&attributes);
	return error;
}

/* Returns whether all threads have ended in time. */
static bool await_end(void)
{
	int64_t wait = signals_stop() > 1 ? END_WAIT_FORCED : END_WAIT;
	int64_t until = clock_milliseconds() + wait;
	int error = 0;
	bool ended;

	pthread_mutex_lock(&all.mutex);
	while (all.running > 0 && error == 0)
		error = condition_wait(&all.ended, &all.mutex, until);
	ended = all.running == 0;
	pthread_mutex_unlock(&all.mutex);
	return ended;
}

static bool end_threads(void)
{
	bool ended;

	interrupt_others();
	ended = await_end();
	for (struct loop *loop = all.first->next; loop != NULL; loop = loop->next) {
		if (ended)
			pthread_join(loop->thread, NULL);
		else
			pthread_detach(loop->thread);
	}
	return ended;
}

static void prepare(struct server *server, void (*run)(struct loop *))
{
	condition_begin(&all.ended);
	all.run = run;
	all.has_lock = server->hub != NULL && all.first->next != NULL;
	all.first->thread = pthread_self();
	all.first->wait_mask = server->wait_mask;
	if (all.first->next != NULL)
		server->wake_all = interrupt_others;
}

int loops_run(struct server *server, void (*run)(struct loop *), bool *ended)
{
	int error;

	prepare(server, run);
	pthread_mutex_lock(&all.mutex);
	error = create_threads();
	atomic_store(&all.abandoned, error != 0);
	pthread_mutex_unlock(&all.mutex);
	if (error == 0)
		run(all.first);
	*ended = end_threads();
	errno = error;
	return error == 0 ? 0 : -1;
}
