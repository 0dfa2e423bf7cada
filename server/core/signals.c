#include "server/core/signals.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

enum { TURNS = 8 };

/* Handlers can reach nothing but globals. Lock-free atomics may be used in them (C11,
 * 7.14.1.1), and unlike volatile sig_atomic_t by threads as well. */
static atomic_int stop_count;
static atomic_bool statistics_wanted;
static atomic_bool child_ended;
static atomic_bool reopen_wanted, reopen_of_children_wanted;
static bool interrupt_is_stop; /* set while the signal is blocked */

/* Made once: a forked child then has them without touching another page. */
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
	else if (signal == SIGHUP)
		want_reopen();
	else if (signal == SIGNAL_INTERRUPT && interrupt_is_stop)
		signals_request_stop();
	if (atomic_load(&stop_count) > 0 || atomic_load(&statistics_wanted) ||
	    atomic_load(&reopen_wanted))
		alarm(1);
}

static void handle(int signal, void (*handler)(int))
{
	/* No SA_RESTART: an interrupted call must return, that is the point. */
	struct sigaction action = { .sa_handler = handler, .sa_mask = all_signals };

	sigaction(signal, &action, NULL);
}

void signals_begin(sigset_t *waiting, bool reopens)
{
	static const int signals[] = { SIGTERM, SIGINT,           SIGALRM, SIGUSR1,
				       SIGCHLD, SIGNAL_INTERRUPT, SIGHUP };
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

	pthread_sigmask(SIG_BLOCK, &all_signals, waiting);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		if (signals[i] == SIGHUP && !reopens)
			continue;
		sigdelset(waiting, signals[i]);
		/* A shell without job control starts what ends in & with SIGINT ignored:
		 * the Ctrl-C is meant for others. */
		if (signals[i] == SIGINT && sigaction(SIGINT, NULL, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			continue;
		handle(signals[i], on_signal);
	}
	/* A client that has gone is an error of its write(2) (EPIPE), not our end. */
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

bool signals_take_child(void)
{
	return atomic_load(&child_ended) && atomic_exchange(&child_ended, false);
}
