/*
 * hub_shared - a hub that threads share, behind one mutex.
 *
 * A thread that posts holds the mutex from the first message of a call of its service to
 * that call's end, and rings the bells of those that something was delivered to. Each then
 * takes its mail under the mutex, whole, by exchanging two pointers, and sends it when the
 * mutex is free again: so nobody waits for anybody's client, only, for as long as it takes
 * to append some bytes, for another thread.
 *
 * Locks: the mutex is taken while no other lock is held, and no other is taken under it.
 */
#ifndef SERVER_HUB_SHARED_H
#define SERVER_HUB_SHARED_H

#include <pthread.h>

#include "server/core/connection.h"
#include "server/hub/mailbox.h"

struct shared_hub {
	pthread_mutex_t mutex;
	pthread_cond_t
		caught_up; /* hub.behind is 0, or has come to count one who waits */
	unsigned waiting;  /* threads, for that */
	struct hub hub;    /* it, and all mailboxes, only under the mutex */
};

#endif
