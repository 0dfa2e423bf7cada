/*
 * queue - a mutex, a ring, and two condition variables: not empty, and not full.
 *
 * Why no wake-up is lost: a thread looks at the count and begins to wait in one step, because
 * pthread_cond_wait(3) releases the mutex only when the thread is among those that wait. Who
 * changes the count holds the mutex, so it signals either before that look, or to a thread
 * that waits already.
 *
 * Why each wait is a loop: between the signal and the moment at which the thread has the mutex
 * again, another thread may have taken the item. POSIX also allows spurious wake-ups.
 */
#include "server/core/queue.h"

#include <stddef.h>
#include <stdlib.h>

int queue_begin(struct queue *queue, unsigned size)
{
	*queue = (struct queue){ .size = size };
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->not_empty, NULL);
	pthread_cond_init(&queue->not_full, NULL);
	queue->items = calloc(size, sizeof *queue->items);
	return queue->items != NULL ? 0 : -1;
}

/* The caller holds the mutex. */
static bool wait_while_full(struct queue *queue)
{
	while (queue->count == queue->size && !queue->closed)
		pthread_cond_wait(&queue->not_full, &queue->mutex);
	return !queue->closed;
}

static void *remove_first(struct queue *queue)
{
	void *item = queue->items[queue->first];

	queue->first = (queue->first + 1) % queue->size;
	queue->count--;
	return item;
}

bool queue_wait_for_room(struct queue *queue)
{
	bool open;

	pthread_mutex_lock(&queue->mutex);
	open = wait_while_full(queue);
	pthread_mutex_unlock(&queue->mutex);
	return open;
}

bool queue_put(struct queue *queue, void *item)
{
	bool open;

	pthread_mutex_lock(&queue->mutex);
	open = wait_while_full(queue);
	if (open) {
		queue->items[(queue->first + queue->count++) % queue->size] = item;
		pthread_cond_signal(&queue->not_empty);
	}
	pthread_mutex_unlock(&queue->mutex);
	return open;
}

void *queue_take(struct queue *queue)
{
	void *item = NULL;

	pthread_mutex_lock(&queue->mutex);
	queue->takers++;
	while (queue->count == 0 && !queue->closed)
		pthread_cond_wait(&queue->not_empty, &queue->mutex);
	queue->takers--;
	if (queue->count > 0) {
		item = remove_first(queue);
		pthread_cond_signal(&queue->not_full);
	}
	pthread_mutex_unlock(&queue->mutex);
	return item;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->closed = true;
	pthread_cond_broadcast(&queue->not_empty);
	pthread_cond_broadcast(&queue->not_full);
	pthread_mutex_unlock(&queue->mutex);
}

void *queue_take_left(struct queue *queue)
{
	void *item;

	pthread_mutex_lock(&queue->mutex);
	item = queue->count > queue->takers ? remove_first(queue) : NULL;
	pthread_mutex_unlock(&queue->mutex);
	return item;
}
