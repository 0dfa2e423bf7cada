/*
 * crowd - the silent connections of the load "idle".
 *
 * They are connected without blocking, a few at a time: a short backlog must not overflow,
 * because the kernel repeats a SYN that found it full only after a second. Afterwards each
 * costs this program a descriptor and nothing else.
 */
#include "client/load/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/poller.h"
#include "common/sock.h"

/* Number of simultaneous attempts. A short backlog must not overflow: the kernel
 * repeats a SYN that found it full only after a second. */
enum { MOST_ATTEMPTS = 64, PAUSE_NANOSECONDS = 20 * 1000 * 1000 };

/* State while connecting. fds[0 … made) are connected, fds[made … begun) are in
 * progress. The poller identifies each by its place in the array. */
struct gathering {
	struct load_crowd *crowd;
	struct poller *poller;
	unsigned begun;
};

static int start_one(struct gathering *gathering, const struct address *address)
{
	int *place = &gathering->crowd->fds[gathering->begun];
	int fd = sock_connect_start(&address->any, address->length, SOCK_STREAM);

	if (fd < 0)
		return -1;
	if (poller_add(gathering->poller, fd, POLLER_WRITE, place) < 0) {
		close(fd);
		return -1;
	}
	*place = fd;
	gathering->begun++;
	return 0;
}

/* Moves the descriptor at *to to *from. */
static void move(struct gathering *gathering, int *to, int *from)
{
	if (to == from)
		return;
	*to = *from;
	poller_change(gathering->poller, *to, POLLER_WRITE, to);
}

/* An attempt has ended. The order of the array stays as struct gathering describes. */
static void settle_one(struct gathering *gathering, int *place)
{
	int *fds = gathering->crowd->fds, fd = *place;

	poller_remove(gathering->poller, fd);
	if (sock_error(fd) == 0 && !sock_is_connected_to_itself(fd)) {
		move(gathering, place, &fds[gathering->crowd->made]);
		fds[gathering->crowd->made++] = fd;
		return;
	}
	close(fd);
	gathering->begun--;
	move(gathering, place, &fds[gathering->begun]);
}

static void gather(struct gathering *gathering, const struct load_plan *plan,
		   const struct address *address, int64_t limit)
{
	int64_t end = clock_milliseconds() + limit;

	while (gathering->crowd->made < plan->idle && clock_milliseconds() < end &&
	       !(plan->stop != NULL && *plan->stop)) {
		struct poller_event event;

		while (gathering->begun < plan->idle &&
		       gathering->begun - gathering->crowd->made < MOST_ATTEMPTS)
			if (start_one(gathering, address) < 0)
				break;
		/* One event at a time: the next one of a batch could name the place
		 * of a descriptor that has just been moved. */
		if (poller_wait(gathering->poller, &event, 1, PAUSE_NANOSECONDS) == 1)
			settle_one(gathering, event.owner);
	}
	while (gathering->begun > gathering->crowd->made)
		close(gathering->crowd->fds[--gathering->begun]);
}

int load_crowd_open(struct load_crowd *crowd, const struct load_plan *plan,
		    const struct address *address, int first, int64_t limit,
		    struct failure *failure)
{
	struct gathering gathering = { .crowd = crowd };

	crowd->made = 0;
	crowd->fds = calloc(plan->idle + 1U, sizeof *crowd->fds);
	gathering.poller = poller_create();
	if (crowd->fds == NULL || gathering.poller == NULL) {
		failure_set(failure, "cannot open %u idle connections: %s", plan->idle,
			    strerror(errno));
		free(crowd->fds);
		crowd->fds = NULL;
		poller_destroy(gathering.poller);
		if (first >= 0)
			close(first);
		return -1;
	}
	if (first >= 0)
		crowd->fds[crowd->made++] = first;
	gathering.begun = crowd->made;
	gather(&gathering, plan, address, limit);
	poller_destroy(gathering.poller);
	return 0;
}

static bool is_open(int fd)
{
	char dropped[4096];
	ssize_t n;

	do
		n = io_read(fd, dropped, sizeof dropped);
	while (n > 0);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

unsigned load_crowd_count_open(const struct load_crowd *crowd)
{
	unsigned open = 0;

	for (unsigned i = 0; i < crowd->made; i++)
		if (is_open(crowd->fds[i]))
			open++;
	return open;
}

void load_crowd_close(struct load_crowd *crowd)
{
	for (unsigned i = 0; i < crowd->made; i++)
		close(crowd->fds[i]);
	free(crowd->fds);
	crowd->fds = NULL;
	crowd->made = 0;
}
