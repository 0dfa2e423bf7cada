/*
 * signals - what the operator says to a running server.
 *
 * A handler only sets a flag, and makes sure that the flag is seen. The server keeps its
 * signals blocked but while it waits (pselect), so none can slip in between looking at
 * the flags and going to sleep. A worker that blocks in read(2) cannot have that: a
 * signal that lands just before the read would be noticed only after it. So a handler
 * also sets an alarm, again each second until the flag is attended to: the next one
 * interrupts the read.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/** Installs the handlers, ignores SIGPIPE, and blocks in this thread all the signals that
 *  are handled. @param waiting  receives the mask to wait with, in pselect(2) */
void signals_begin(sigset_t *waiting);

/** Lets them through, for a process that now blocks in its one client's read and write,
 *  or keeps them out again. */
void signals_let_through(bool through);

/** Lets only the stop through that signals_interrupt() sends: for a thread. */
void signals_let_interrupt_through(void);

/** In a forked child: leaves the statistics to the parent. */
void signals_in_child(void);

/** How often we were told to stop: once, finish what is asked for; twice, at once. */
int signals_stop(void);

/** Counts as the first stop, without a signal. */
void signals_request_stop(void);

/** Whether statistics were asked for (SIGUSR1) since the last call. */
bool signals_take_statistics(void);

/** The signal that interrupts what a process or thread of ours waits in. A child takes it
 *  as a request to stop; for a thread it means: look at the flags. */
enum { SIGNAL_INTERRUPT = SIGUSR2 };

#endif
