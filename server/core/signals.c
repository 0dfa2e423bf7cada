/*
 * signals - handlers that set flags, and functions that read and clear the flags.
 *
 * A flag must be noticed soon, also by a worker that is about to block. Two means ensure
 * this:
 *
 *   pselect, ppoll    the signals are blocked except while the process waits, so none can
 *                     arrive between the check of the flags and the wait
 *   alarm(2)          a worker that blocks in recv(2) has no such mask: a signal just before
 *                     recv(2) would be noticed only after it. So the handler starts an
 *                     alarm each second until the flag is cleared; the next SIGALRM
 *                     interrupts recv(2)
 *
 * A process that always finds a ready descriptor never sleeps, and pselect(2) then lets
 * no signal in. Such a loop unblocks the signals for a moment in every eighth turn: two
 * system calls.
 */
#define _DEFAULT_SOURCE /* SIGIO */

#include "server/core/signals.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

enum { TURNS = 8 };

/* A handler can reach only globals. Lock-free atomics are allowed in handlers (C11,
 * 7.14.1.1), and unlike volatile sig_atomic_t also between threads. */
static atomic_int stop_count;
static atomic_bool statistics_wanted;
static atomic_bool child_ended;
static atomic_bool input_arrived;
static atomic_bool reopen_wanted, reopen_of_children_wanted;
static bool interrupt_is_stop; /* written only while the signal is blocked */

/* Filled once, before fork(2): a child need not write to these pages. */
static sigset_t all_signals, stop_signals, interrupt_signal;

static void want_reopen(void)
{
	atomic_store(&reopen_wanted, true);
	atomic_store(&reopen_of_children_wanted, true);
}

static void on_signal(int signal)
{
	if (signal == SIGTERM || signal == SIGINT)
		atomic_fetch_add(&stop_count, 1);
	else if (signal == SIGUSR1)
		atomic_store(&statistics_wanted, true);
	else if (signal == SIGCHLD)
		atomic_store(&child_ended, true);
	else if (signal == SIGIO)
		atomic_store(&input_arrived, true);
	else if (signal == SIGHUP)
		want_reopen();
	else if (signal == SIGNAL_INTERRUPT && interrupt_is_stop)
		signals_request_stop();
	if (atomic_load(&stop_count) > 0 || atomic_load(&statistics_wanted) ||
	    atomic_load(&reopen_wanted) || atomic_load(&input_arrived))
		alarm(1);
}

static void handle(int signal, void (*handler)(int))
{
	/* No SA_RESTART: the signal must interrupt the blocking call. */
	struct sigaction action = { .sa_handler = handler, .sa_mask = all_signals };

	sigaction(signal, &action, NULL);
}

void signals_begin(sigset_t *waiting, bool reopens)
{
	static const int signals[] = { SIGTERM, SIGINT,           SIGALRM, SIGUSR1,
				       SIGCHLD, SIGNAL_INTERRUPT, SIGHUP,  SIGIO };
	struct sigaction before;

	sigemptyset(&interrupt_signal);
	sigaddset(&interrupt_signal, SIGNAL_INTERRUPT);
	stop_signals = interrupt_signal;
	sigaddset(&stop_signals, SIGTERM);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGALRM);
	if (reopens)
		sigaddset(&stop_signals, SIGHUP);
	all_signals = stop_signals;
	sigaddset(&all_signals, SIGUSR1);
	sigaddset(&all_signals, SIGCHLD);
	sigaddset(&all_signals, SIGIO);

	pthread_sigmask(SIG_BLOCK, &all_signals, waiting);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		if (signals[i] == SIGHUP && !reopens)
			continue;
		sigdelset(waiting, signals[i]);
		/* A shell without job control starts a background command with SIGINT
		 * ignored. It stays ignored: the Ctrl-C is meant for the foreground
		 * command. */
		if (signals[i] == SIGINT && sigaction(SIGINT, NULL, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			continue;
		handle(signals[i], on_signal);
	}
	/* If the client has closed, send(2) fails with EPIPE. The process must not die
	 * of SIGPIPE. */
	handle(SIGPIPE, SIG_IGN);
}

void signals_admit_all(bool admit)
{
	pthread_sigmask(admit ? SIG_UNBLOCK : SIG_BLOCK, &all_signals, NULL);
}

void signals_let_in(void)
{
	signals_admit_all(true);
	signals_admit_all(false);
}

void signals_let_in_at_times(unsigned *turns)
{
	if (++*turns % TURNS == 0)
		signals_let_in();
}

void signals_admit_stop(void)
{
	pthread_sigmask(SIG_UNBLOCK, &stop_signals, NULL);
}

void signals_admit_interrupt(void)
{
	pthread_sigmask(SIG_UNBLOCK, &interrupt_signal, NULL);
}

void signals_interrupt_is_stop(void)
{
	interrupt_is_stop = true;
}

int signals_stop(void)
{
	return atomic_load_explicit(&stop_count, memory_order_relaxed);
}

bool signals_stop_requested(void)
{
	sigset_t pending;

	if (signals_stop() > 0)
		return true;
	return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 ||
					     sigismember(&pending, SIGINT) == 1);
}

void signals_request_stop(void)
{
	int none = 0;

	atomic_compare_exchange_strong(&stop_count, &none, 1);
}

bool signals_take_statistics(void)
{
	return atomic_load_explicit(&statistics_wanted, memory_order_relaxed) &&
	       atomic_exchange(&statistics_wanted, false);
}

bool signals_take_reopen(void)
{
	return atomic_load_explicit(&reopen_wanted, memory_order_relaxed) &&
	       atomic_exchange(&reopen_wanted, false);
}

bool signals_take_reopen_of_children(void)
{
	return atomic_load(&reopen_of_children_wanted) &&
	       atomic_exchange(&reopen_of_children_wanted, false);
}

bool signals_input_arrived(void)
{
	return atomic_load_explicit(&input_arrived, memory_order_relaxed);
}

bool signals_take_input(void)
{
	return atomic_exchange(&input_arrived, false);
}

bool signals_take_child(void)
{
	return atomic_load(&child_ended) && atomic_exchange(&child_ended, false);
}
