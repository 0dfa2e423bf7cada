/*
 * signals - what the operator says to a running server.
 *
 * A handler only sets a flag, and makes sure that the flag is seen. The server keeps its
 * signals blocked but while it waits (pselect), so none can slip in between looking at
 * the flags and going to sleep. And since a busy server finds something ready at once and
 * never waits, it lets them in from time to time. A worker that blocks in read(2) cannot have that: a
 * signal that lands just before the read would be noticed only after it. So a handler
 * also sets an alarm, again each second until the flag is attended to: the next one
 * interrupts the read.
 */
#ifndef SERVER_CORE_SIGNALS_H
#define SERVER_CORE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/** The signal that interrupts what a thread or a child of ours waits in. A thread then
 *  looks at what has changed; for a child it is a request to stop, which unlike SIGTERM
 *  may be sent any number of times and still counts as the first. */
enum { SIGNAL_INTERRUPT = SIGUSR2 };

/** Installs the handlers, ignores SIGPIPE, and blocks in this thread all the signals that
 *  are handled.
 *  @param waiting  receives the mask to wait with, in pselect(2)
 *  @param reopens  whether SIGHUP is one of them; if not, it does what it did before */
void signals_begin(sigset_t *waiting, bool reopens);

/** Lets all of them through, to a process that now blocks in its one client's read and
 *  write, or keeps them out again. */
void signals_admit_all(bool admit);

/** Lets all that wait in now, and keeps them out again. */
void signals_let_in(void);

/** The same at each eighth call that *turns has counted: two system calls, beside at least
 *  three for whatever was ready. For the turns of a wait that never sleeps, and so lets
 *  nothing in, while there is always something ready. */
void signals_let_in_at_times(unsigned *turns);

/** Lets the requests to stop and to reopen through: to a child. What else there is, is its
 *  parent's. */
void signals_admit_stop(void);

/** Lets SIGNAL_INTERRUPT through: to a thread. */
void signals_admit_interrupt(void);

/** From now on SIGNAL_INTERRUPT is a request to stop: for a model with children. */
void signals_interrupt_is_stop(void);

/** How often we were told to stop: once, finish what is asked for; twice, at once. */
int signals_stop(void);

/** Counts as the first stop, without a signal. */
void signals_request_stop(void);

/** Whether statistics were asked for (SIGUSR1) since the last call. */
bool signals_take_statistics(void);

/** Whether files are to be opened anew (SIGHUP) since the last call. */
bool signals_take_reopen(void);

/** The same, asked on its own account by a model that passes it on to its children. */
bool signals_take_reopen_of_children(void);

/** Whether a child has ended (SIGCHLD) since the last call. */
bool signals_take_child(void);

#endif
