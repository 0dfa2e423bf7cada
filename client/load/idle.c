/*
 * idle - the silent connections of the load "idle".
 *
 * They are connected without blocking, a few at a time: a short backlog must not overflow,
 * because the kernel repeats a SYN that found it full only after a second. Afterwards each
 * costs this program a descriptor and nothing else.
 */
#include "client/load/idle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/poller.h"
#include "common/sock.h"

/* Number of simultaneous attempts. A short backlog must not overflow: the kernel
 * repeats a SYN that found it full only after a second. */
enum { MOST_ATTEMPTS = 64, PAUSE_NANOSECONDS = 20 * 1000 * 1000 };

/* The server has settled when nothing arrives during SETTLED pauses. A pause, and the limit of the
 * whole wait, are in milliseconds. */
enum { SETTLE_PAUSE = 50, SETTLED = 4, SETTLE_LIMIT = 10000 };

/* State while connecting. fds[0 … made) are connected, fds[made … begun) are in
 * progress. The poller identifies each by its place in the array. */
struct opening {
	struct load_idle *idle;
	struct poller *poller;
	unsigned begun;
};

static int start_one(struct opening *opening, const struct load_endpoint *endpoint)
{
	int *place = &opening->idle->fds[opening->begun];
	int fd = load_endpoint_connect(endpoint, opening->begun, SOCK_STREAM);

	if (fd < 0)
		return -1;
	if (poller_add(opening->poller, fd, POLLER_WRITE, place) < 0) {
		close(fd);
		return -1;
	}
	*place = fd;
	opening->begun++;
	return 0;
}

/* Moves the descriptor at *from to *to. */
static void move(struct opening *opening, int *to, int *from)
{
	if (to == from)
		return;
	*to = *from;
	poller_change(opening->poller, *to, POLLER_WRITE, to);
}

/* An attempt has ended. The order of the array stays as struct opening describes. */
static void settle_one(struct opening *opening, int *place)
{
	int *fds = opening->idle->fds, fd = *place;

	poller_remove(opening->poller, fd);
	if (sock_error(fd) == 0 && !sock_is_connected_to_itself(fd)) {
		move(opening, place, &fds[opening->idle->made]);
		fds[opening->idle->made++] = fd;
		return;
	}
	close(fd);
	opening->begun--;
	move(opening, place, &fds[opening->begun]);
}

static void connect_all(struct opening *opening, const struct load_plan *plan,
			const struct load_endpoint *endpoint, int64_t limit)
{
	int64_t end = clock_milliseconds() + limit;

	int64_t pause = plan->connect_rate > 0 ? 1000000000 / plan->connect_rate : 0;
	int64_t next = clock_nanoseconds();

	while (opening->idle->made < plan->idle && clock_milliseconds() < end &&
	       !(plan->stop != NULL && *plan->stop)) {
		struct poller_event event;

		while (opening->begun < plan->idle &&
		       opening->begun - opening->idle->made < MOST_ATTEMPTS)
			if (clock_nanoseconds() < next ||
			    start_one(opening, endpoint) < 0)
				break;
			else
				next = clock_nanoseconds() > next + PAUSE_NANOSECONDS
					       ? clock_nanoseconds()
					       : next + pause;
		/* One event at a time: the next one of a batch could name the place
		 * of a descriptor that has just been moved. */
		if (poller_wait(opening->poller, &event, 1,
				pause > 0 && pause < PAUSE_NANOSECONDS
					? pause
					: PAUSE_NANOSECONDS) == 1)
			settle_one(opening, event.owner);
	}
	while (opening->begun > opening->idle->made)
		close(opening->idle->fds[--opening->begun]);
}

int load_idle_open(struct load_idle *idle, const struct load_plan *plan,
		   const struct load_endpoint *endpoint, int first, int64_t limit,
		   struct failure *failure)
{
	struct opening opening = { .idle = idle };

	idle->made = 0;
	idle->fds = calloc(plan->idle + 1U, sizeof *idle->fds);
	opening.poller = poller_create();
	if (idle->fds == NULL || opening.poller == NULL) {
		failure_set(failure, "cannot open %u idle connections: %s", plan->idle,
			    strerror(errno));
		free(idle->fds);
		idle->fds = NULL;
		poller_destroy(opening.poller);
		if (first >= 0)
			close(first);
		return -1;
	}
	if (first >= 0)
		idle->fds[idle->made++] = first;
	opening.begun = idle->made;
	connect_all(&opening, plan, endpoint, limit);
	poller_destroy(opening.poller);
	return 0;
}

/* Drops what has arrived. @return whether the connection is open; *dropped: bytes were there */
static bool drop_input(int fd, bool *dropped)
{
	char bytes[4096];
	ssize_t n;

	*dropped = false;
	while ((n = io_read(fd, bytes, sizeof bytes)) > 0)
		*dropped = true;
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* @return whether bytes had arrived at any of them */
static bool drop_all_input(const struct load_idle *idle)
{
	bool any = false, dropped;

	for (unsigned i = 0; i < idle->made; i++) {
		(void)drop_input(idle->fds[i], &dropped);
		any = any || dropped;
	}
	return any;
}

void load_idle_settle(const struct load_idle *idle, const struct load_plan *plan)
{
	const struct timespec pause = clock_timespec(SETTLE_PAUSE);
	int64_t end = clock_milliseconds() + SETTLE_LIMIT;
	unsigned quiet = 0;

	while (quiet < SETTLED && clock_milliseconds() < end &&
	       !(plan->stop != NULL && *plan->stop)) {
		nanosleep(&pause, NULL);
		quiet = drop_all_input(idle) ? 0 : quiet + 1;
	}
}

unsigned load_idle_count_open(const struct load_idle *idle)
{
	unsigned open = 0;
	bool dropped;

	for (unsigned i = 0; i < idle->made; i++)
		if (drop_input(idle->fds[i], &dropped))
			open++;
	return open;
}

void load_idle_close(struct load_idle *idle)
{
	for (unsigned i = 0; i < idle->made; i++)
		close(idle->fds[i]);
	free(idle->fds);
	idle->fds = NULL;
	idle->made = 0;
}
