/*
 * queue - a bounded queue between threads: some put, others take, and each waits while it
 * cannot.
 */
#ifndef SERVER_CORE_QUEUE_H
#define SERVER_CORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t not_empty, not_full;
	void **items; /* a ring */
	unsigned size, first, count;
	unsigned takers; /* threads in queue_take() */
	bool closed;
};

/** Begins an empty queue for @p size items, 1 or more. @return 0, or -1 with errno (ENOMEM) */
int queue_begin(struct queue *queue, unsigned size);

/** Waits until the queue is not full. With one thread that puts, the next queue_put() does not
 *  wait. @return false if the queue is closed */
bool queue_wait_for_room(struct queue *queue);

/** Appends an item; waits while the queue is full. @return false if the queue is closed */
bool queue_put(struct queue *queue, void *item);

/** Takes the oldest item; waits while the queue is empty. @return it, or NULL if the queue is
 *  closed and empty */
void *queue_take(struct queue *queue);

/** Closes the queue: all waits end, and no new one begins. May be called again. */
void queue_close(struct queue *queue);

/** Takes an item of a closed queue for which no thread is in queue_take(). @return it, or NULL if
 *  there is none */
void *queue_take_left(struct queue *queue);

#endif
