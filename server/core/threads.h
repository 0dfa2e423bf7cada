/*
 * threads - the threads that serve clients: how each is made, and how all are interrupted.
 *
 * The model decides when a thread is made and what it does (pthread_create(3) is in
 * model/thread.c and udp/threads.c). Here is what both need.
 */
#ifndef SERVER_CORE_THREADS_H
#define SERVER_CORE_THREADS_H

#include <pthread.h>

/** A thread that runs. It is the thread's own, on its stack. */
struct thread {
	pthread_t id;
	struct thread *next, **link;
};

/** Prepares the attributes for pthread_create(3): a small stack, and detached. The caller
 *  destroys them. */
void threads_attributes(pthread_attr_t *attributes);

/** The calling thread begins: it is in the list from now on, and SIGNAL_INTERRUPT comes in. */
void threads_enter(struct thread *self);

/** The calling thread ends. */
void threads_leave(struct thread *self);

/** Interrupts what each waits in, by SIGNAL_INTERRUPT. One that was about to wait may miss it:
 *  call this again after a moment. */
void threads_interrupt(void);

#endif
