/*
 * poller - waits for many descriptors: epoll(7) on Linux, poll(2) elsewhere, with the same
 * interface.
 *
 * The cost of epoll_wait(2) depends on the ready descriptors, that of poll(2) on all of
 * them. Both are used level-triggered, so a caller may leave data unread. epoll_wait(2) has
 * a resolution of milliseconds; ppoll(2) on the epoll descriptor gives nanoseconds.
 */
#ifdef __linux__
#ifndef __LP64__ /* there, ppoll(2) of glibc misreads its time if it is fortified (findings/) */
#undef _FORTIFY_SOURCE
#endif
#define _GNU_SOURCE /* ppoll */
#endif

#include "common/poller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/poll_with_mask.h"

#if defined(__linux__) && !defined(POLLER_USE_POLL)

#include <sys/epoll.h>

enum { BATCH = 256, NANOSECONDS_PER_MILLISECOND = 1000000 };

struct poller {
	int epoll;
};

struct poller *poller_create(void)
{
	struct poller *poller = malloc(sizeof *poller);

	if (poller == NULL)
		return NULL;
	poller->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (poller->epoll < 0) {
		free(poller); /* free(3) keeps errno (POSIX.1-2024; glibc and musl do) */
		return NULL;
	}
	return poller;
}

void poller_destroy(struct poller *poller)
{
	if (poller == NULL)
		return;
	close(poller->epoll);
	free(poller);
}

static int control(struct poller *poller, int operation, int fd, unsigned wanted,
		   void *owner)
{
	struct epoll_event event = { .data.ptr = owner };

	if (wanted & POLLER_READ)
		event.events |= EPOLLIN;
	if (wanted & POLLER_WRITE)
		event.events |= EPOLLOUT;
	return epoll_ctl(poller->epoll, operation, fd, &event);
}

int poller_add(struct poller *poller, int fd, unsigned wanted, void *owner)
{
	return control(poller, EPOLL_CTL_ADD, fd, wanted, owner);
}

int poller_change(struct poller *poller, int fd, unsigned wanted, void *owner)
{
	return control(poller, EPOLL_CTL_MOD, fd, wanted, owner);
}

int poller_remove(struct poller *poller, int fd)
{
	return control(poller, EPOLL_CTL_DEL, fd, 0, NULL);
}

/* epoll_wait(2) has milliseconds. For a fraction of one, ppoll(2) waits for the
 * epoll descriptor itself, which is readable when there are events. *milliseconds
 * receives the remaining timeout of epoll_wait(2); false: no event. */
static bool wait_finely(struct poller *poller, int64_t nanoseconds,
			const sigset_t *signals, int *milliseconds)
{
	struct pollfd any = { .fd = poller->epoll, .events = POLLIN };
	int64_t whole = nanoseconds / NANOSECONDS_PER_MILLISECOND;
	struct timespec time = {
		.tv_sec = (time_t)(nanoseconds / 1000000000),
		.tv_nsec = (long)(nanoseconds % 1000000000),
	};

	if (nanoseconds < 0) {
		*milliseconds = -1;
		return true;
	}
	if (nanoseconds % NANOSECONDS_PER_MILLISECOND == 0) {
		*milliseconds = whole < INT_MAX ? (int)whole : INT_MAX;
		return true;
	}
	*milliseconds = 0;
	return ppoll(&any, 1, &time, signals) > 0;
}

static unsigned ready_for(uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		return POLLER_READ | POLLER_WRITE;
	return (events & EPOLLIN ? POLLER_READ : 0U) |
	       (events & EPOLLOUT ? POLLER_WRITE : 0U);
}

int poller_wait_with(struct poller *poller, struct poller_event *events, int most,
		     int64_t nanoseconds, const sigset_t *signals)
{
	struct epoll_event ready[BATCH];
	int count, milliseconds;

	if (!wait_finely(poller, nanoseconds, signals, &milliseconds))
		return 0;
	count = epoll_pwait(poller->epoll, ready, most < BATCH ? most : BATCH,
			    milliseconds, signals);
	if (count < 0)
		return errno == EINTR ? 0 : -1;
	for (int i = 0; i < count; i++) {
		events[i].owner = ready[i].data.ptr;
		events[i].ready = ready_for(ready[i].events);
	}
	return count;
}

#else

struct poller {
	struct pollfd *watched;
	void **owners;       /* owner of each watched descriptor */
	int count, capacity; /* of both arrays */
	int *places;         /* by descriptor: index in the arrays above, or -1 */
	int place_capacity;  /* of that array */
	int first;           /* where the next scan starts, so that all descriptors
			      * have their turn */
};

struct poller *poller_create(void)
{
	return calloc(1, sizeof(struct poller));
}

void poller_destroy(struct poller *poller)
{
	if (poller == NULL)
		return;
	free(poller->watched);
	free(poller->owners);
	free(poller->places);
	free(poller);
}

static short events_for(unsigned wanted)
{
	return (short)((wanted & POLLER_READ ? POLLIN : 0) |
		       (wanted & POLLER_WRITE ? POLLOUT : 0));
}

/* Index of fd, or -1 with errno. */
static int place_of(const struct poller *poller, int fd)
{
	if (fd >= 0 && fd < poller->place_capacity && poller->places[fd] >= 0)
		return poller->places[fd];
	errno = ENOENT;
	return -1;
}

/* Each array grows on its own. If the second one cannot grow, the first is only
 * larger than needed. */
static int make_room(struct poller *poller, int fd)
{
	if (fd >= poller->place_capacity) {
		int capacity = fd < INT_MAX / 2 ? (fd + 1) * 2 : INT_MAX;
		int *places = realloc(poller->places, (size_t)capacity * sizeof *places);

		if (places == NULL)
			return -1;
		for (int i = poller->place_capacity; i < capacity; i++)
			places[i] = -1;
		poller->places = places;
		poller->place_capacity = capacity;
	}
	if (poller->count == poller->capacity) {
		int capacity = poller->capacity * 2 + 16;
		struct pollfd *watched =
			realloc(poller->watched, (size_t)capacity * sizeof *watched);
		void **owners;

		if (watched == NULL)
			return -1;
		poller->watched = watched;
		owners = realloc(poller->owners, (size_t)capacity * sizeof *owners);
		if (owners == NULL)
			return -1;
		poller->owners = owners;
		poller->capacity = capacity;
	}
	return 0;
}

int poller_add(struct poller *poller, int fd, unsigned wanted, void *owner)
{
	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	if (place_of(poller, fd) >= 0) {
		errno = EEXIST;
		return -1;
	}
	if (make_room(poller, fd) < 0)
		return -1;
	poller->watched[poller->count] = (struct pollfd){ fd, events_for(wanted), 0 };
	poller->owners[poller->count] = owner;
	poller->places[fd] = poller->count++;
	return 0;
}

int poller_change(struct poller *poller, int fd, unsigned wanted, void *owner)
{
	int place = place_of(poller, fd);

	if (place < 0)
		return -1;
	poller->watched[place].events = events_for(wanted);
	poller->owners[place] = owner;
	return 0;
}

int poller_remove(struct poller *poller, int fd)
{
	int place = place_of(poller, fd), last = poller->count - 1;

	if (place < 0)
		return -1;
	poller->watched[place] = poller->watched[last];
	poller->owners[place] = poller->owners[last];
	poller->places[poller->watched[place].fd] = place;
	poller->places[fd] = -1;
	poller->count--;
	return 0;
}

/* poll(2) has milliseconds. The timeout is rounded up: a remainder below 1 ms would
 * otherwise cause a busy loop. */
static int whole_milliseconds(int64_t nanoseconds)
{
	if (nanoseconds < 0)
		return -1;
	if (nanoseconds / 1000000 >= INT_MAX)
		return INT_MAX;
	return (int)((nanoseconds + 999999) / 1000000);
}

static int wait_for_any(struct poller *poller, int64_t nanoseconds,
			const sigset_t *signals)
{
	struct timespec time = {
		.tv_sec = (time_t)(nanoseconds / 1000000000),
		.tv_nsec = (long)(nanoseconds % 1000000000),
	};

	if (signals == NULL)
		return poll(poller->watched, (nfds_t)poller->count,
			    whole_milliseconds(nanoseconds));
	return poll_with_mask(poller->watched, (nfds_t)poller->count,
			      nanoseconds < 0 ? NULL : &time, signals);
}

static unsigned ready_for(short events)
{
	if (events & (POLLERR | POLLHUP | POLLNVAL))
		return POLLER_READ | POLLER_WRITE;
	return (events & POLLIN ? POLLER_READ : 0U) |
	       (events & POLLOUT ? POLLER_WRITE : 0U);
}

int poller_wait_with(struct poller *poller, struct poller_event *events, int most,
		     int64_t nanoseconds, const sigset_t *signals)
{
	int count = 0, seen = 0;
	int ready = wait_for_any(poller, nanoseconds, signals);

	if (ready < 0)
		return errno == EINTR ? 0 : -1;
	if (poller->first >= poller->count)
		poller->first = 0;
	for (; seen < poller->count && count < most && count < ready; seen++) {
		int place = (poller->first + seen) % poller->count;

		if (poller->watched[place].revents == 0)
			continue;
		events[count].owner = poller->owners[place];
		events[count].ready = ready_for(poller->watched[place].revents);
		count++;
	}
	poller->first += seen;
	return count;
}

#endif

int poller_wait(struct poller *poller, struct poller_event *events, int most,
		int64_t nanoseconds)
{
	return poller_wait_with(poller, events, most, nanoseconds, NULL);
}
