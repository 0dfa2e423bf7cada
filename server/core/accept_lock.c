/*
 * accept_lock - a robust mutex in shared memory (pthread_mutexattr_setrobust(3)).
 *
 * A process that is killed cannot release its mutex, and the others would wait forever. The
 * kernel marks a robust mutex when its owner dies: the next process that locks it gets
 * EOWNERDEAD, and the lock. Nothing has to be repaired, since the lock guards no data.
 *
 * An fcntl(2) lock would do the same with a system call for each step, and needs a file.
 * While no process waits for the mutex, it needs no system call (futex(2)).
 *
 * macOS and OpenBSD have no robust mutex: there the lock cannot be created.
 */
#include "server/core/accept_lock.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

#include "common/process.h"

/* ACCEPT_LOCK_LEFT_OUT: behaves as a system without it, for tests. */
#if !defined(__APPLE__) && !defined(__OpenBSD__) && !defined(ACCEPT_LOCK_LEFT_OUT)

struct accept_lock {
	pthread_mutex_t mutex;
};

bool accept_lock_exists(void)
{
	return true;
}

struct accept_lock *accept_lock_create(void)
{
	struct accept_lock *lock = process_shared_memory(sizeof *lock);
	pthread_mutexattr_t attributes;
	int error;

	if (lock == NULL)
		return NULL;
	pthread_mutexattr_init(&attributes);
	error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (error == 0)
		error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (error == 0)
		error = pthread_mutex_init(&lock->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	errno = error;
	return error == 0 ? lock : NULL;
}

bool accept_lock_take(struct accept_lock *lock)
{
	struct timespec until; /* pthread_mutex_timedlock(3) has only this clock */
	int error;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ACCEPT_LOCK_WAIT;
	error = pthread_mutex_timedlock(&lock->mutex, &until);
	if (error == EOWNERDEAD)
		pthread_mutex_consistent(&lock->mutex);
	return error == 0 || error == EOWNERDEAD;
}

void accept_lock_release(struct accept_lock *lock)
{
	pthread_mutex_unlock(&lock->mutex);
}

#else

bool accept_lock_exists(void)
{
	return false;
}

struct accept_lock *accept_lock_create(void)
{
	errno = ENOTSUP;
	return NULL;
}

/* The next two are not called: there is no lock. */

bool accept_lock_take(struct accept_lock *lock)
{
	(void)lock;
	return false;
}

void accept_lock_release(struct accept_lock *lock)
{
	(void)lock;
}

#endif
