/*
 * The queue of the pool: what is in it when it is closed.
 */
#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "server/core/queue.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static struct queue queue;

static void *take(void *argument)
{
	(void)argument;
	return queue_take(&queue);
}

static bool somebody_takes(void *context)
{
	bool takes;

	(void)context;
	pthread_mutex_lock(&queue.mutex);
	takes = queue.takers == 1;
	pthread_mutex_unlock(&queue.mutex);
	return takes;
}

/* GIVEN a thread that waits for an item, WHEN one is put and the queue is closed at once, THEN the
 * thread gets it: it is not left. */
START_TEST(who_waits_gets_the_last_item_of_a_closed_queue)
{
	enum { ROUNDS = 200 };
	int item = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_t taker;
		void *taken;

		ck_assert_int_eq(queue_begin(&queue, 2), 0);
		ck_assert_int_eq(pthread_create(&taker, NULL, take, NULL), 0);
		ck_assert(eventually(somebody_takes, NULL, WAIT_MS));
		ck_assert(queue_put(&queue, &item));
		queue_close(&queue);
		ck_assert_ptr_null(queue_take_left(&queue));
		ck_assert_int_eq(pthread_join(taker, &taken), 0);
		ck_assert_ptr_eq(taken, &item);
		free(queue.items);
	}
}
END_TEST

/* GIVEN items, and no thread that waits, WHEN the queue is closed, THEN the items are left, the
 * oldest first. */
START_TEST(without_a_taker_the_items_of_a_closed_queue_are_left)
{
	int items[2];

	ck_assert_int_eq(queue_begin(&queue, 2), 0);
	ck_assert(queue_put(&queue, &items[0]));
	ck_assert(queue_put(&queue, &items[1]));
	queue_close(&queue);
	ck_assert(!queue_put(&queue, &items[0]));
	ck_assert(!queue_wait_for_room(&queue));
	ck_assert_ptr_eq(queue_take_left(&queue), &items[0]);
	ck_assert_ptr_eq(queue_take_left(&queue), &items[1]);
	ck_assert_ptr_null(queue_take_left(&queue));
	ck_assert_ptr_null(queue_take(&queue));
	free(queue.items);
}
END_TEST

Suite *suite_queue(void)
{
	Suite *suite = suite_create("queue");
	TCase *tcase = add_case(suite, "closed");

	tcase_add_test(tcase, who_waits_gets_the_last_item_of_a_closed_queue);
	tcase_add_test(tcase, without_a_taker_the_items_of_a_closed_queue_are_left);
	return suite;
}
