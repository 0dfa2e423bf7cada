/*
 * threads - the list of threads that serve clients.
 *
 * Each entry lives on its thread's stack, so a thread costs no allocation besides its stack. The
 * list has file scope and a mutex of its own: a forced stop can return from the model while
 * threads still run.
 */
#include "server/core/threads.h"

#include <signal.h>
#include <stddef.h>

#include "common/list.h"
#include "server/core/signals.h"

/* Room for the worker's buffers and the calls below it. The default of 8 MiB each would use up
 * the address space or a limit long before a thousand clients. Of these, too, only the pages
 * that are touched exist. With the thread sanitizer half of this is left, 128 KiB: the C library puts
 * the variables of the thread into its stack, and those of the sanitizer are large. */
enum { STACK = 256 * 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct thread *first;

void threads_attributes(pthread_attr_t *attributes)
{
	pthread_attr_init(attributes);
	pthread_attr_setstacksize(attributes, STACK);
	/* Detached: the system frees the stack when the thread ends, without pthread_join(3). */
	pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
}

void threads_enter(struct thread *self)
{
	self->id = pthread_self();
	pthread_mutex_lock(&lock);
	LIST_INSERT(&first, self);
	pthread_mutex_unlock(&lock);
	signals_admit_interrupt();
}

void threads_leave(struct thread *self)
{
	pthread_mutex_lock(&lock);
	LIST_REMOVE(self);
	pthread_mutex_unlock(&lock);
}

void threads_interrupt(void)
{
	pthread_mutex_lock(&lock);
	for (struct thread *thread = first; thread != NULL; thread = thread->next)
		pthread_kill(thread->id, SIGNAL_INTERRUPT);
	pthread_mutex_unlock(&lock);
}
