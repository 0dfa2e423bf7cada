/*
 * signals - the signals that the operator or the parent sends to a running server.
 *
 * A handler only sets a flag. The server reads the flags before each wait. The ways that
 * make sure a flag is noticed in time are described in signals.c.
 */
#ifndef SERVER_CORE_SIGNALS_H
#define SERVER_CORE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/** The signal that interrupts the blocking call of a thread or a child of this server.
 *  A thread then checks what has changed. For a child it is a stop request; unlike
 *  SIGTERM it may be sent several times and counts as one. */
enum { SIGNAL_INTERRUPT = SIGUSR2 };

/** Installs the handlers, ignores SIGPIPE, and blocks all handled signals in this
 *  thread.
 *  @param waiting  receives the signal mask for pselect(2)
 *  @param reopens  whether SIGHUP is handled; if not, its action is unchanged */
void signals_begin(sigset_t *waiting, bool reopens);

/** Unblocks all handled signals, in a process that blocks in the recv(2) or poll(2) of
 *  its one client; or blocks them again. */
void signals_admit_all(bool admit);

/** Delivers the pending signals now: unblocks the signals and blocks them again. */
void signals_let_in(void);

/** Does the same in every eighth call, counted in *turns. For a loop that always finds
 *  a ready descriptor and therefore never sleeps. It costs two system calls in eight
 *  turns. */
void signals_let_in_at_times(unsigned *turns);

/** Unblocks the stop and reopen signals, in a child. The parent handles the others. */
void signals_admit_stop(void);

/** Unblocks SIGNAL_INTERRUPT, in a thread. */
void signals_admit_interrupt(void);

/** Makes SIGNAL_INTERRUPT a stop request from now on, for a model with children. */
void signals_interrupt_is_stop(void);

/** @return the number of stop requests. 1: finish what clients asked for; 2 or more:
 *          exit at once. */
int signals_stop(void);

/** @return whether a stop is requested, also if this thread blocks the signal and has not
 *          received it yet (sigpending(2)): for long work between two waits. One system
 *          call */
bool signals_stop_requested(void);

/** Sets the number of stop requests to 1 if it is 0, without a signal. */
void signals_request_stop(void);

/** @return whether SIGUSR1 (print statistics) arrived since the last call */
bool signals_take_statistics(void);

/** @return whether SIGHUP (reopen files) arrived since the last call */
bool signals_take_reopen(void);

/** @return the same, with a flag of its own: for a model that passes SIGHUP to its
 *          children */
bool signals_take_reopen_of_children(void);

/** @return whether SIGIO arrived: a descriptor with O_ASYNC has something to read */
bool signals_input_arrived(void);

/** @return the same, since the last call */
bool signals_take_input(void);

/** @return whether SIGCHLD arrived since the last call */
bool signals_take_child(void);

#endif
