#include "server/signals.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

/* Handlers can reach nothing but globals. Lock-free atomics may be used in them (C11,
 * 7.14.1.1), and unlike volatile sig_atomic_t by threads as well. */
static atomic_int stop_count;
static atomic_bool statistics_wanted;
static bool interrupt_means_stop; /* set before its signal is let through */

static const int handled[] = { SIGTERM, SIGINT,  SIGUSR1,
			       SIGCHLD, SIGALRM, SIGNAL_INTERRUPT };

enum { HANDLED = sizeof handled / sizeof *handled };

static void on_signal(int signal)
{
	if (signal == SIGTERM || signal == SIGINT)
		atomic_fetch_add(&stop_count, 1);
	else if (signal == SIGUSR1)
		atomic_store(&statistics_wanted, true);
	else if (signal == SIGNAL_INTERRUPT && interrupt_means_stop)
		signals_request_stop();
	if (atomic_load(&stop_count) > 0 || atomic_load(&statistics_wanted))
		alarm(1);
}

static sigset_t handled_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < HANDLED; i++)
		sigaddset(&set, handled[i]);
	return set;
}

void signals_begin(sigset_t *waiting)
{
	sigset_t ours = handled_set();
	struct sigaction action = { .sa_handler = on_signal, .sa_mask = ours };
	struct sigaction before;

	/* No SA_RESTART: an interrupted call must return, that is the point. */
	pthread_sigmask(SIG_BLOCK, &ours, waiting);
	for (size_t i = 0; i < HANDLED; i++) {
		sigdelset(waiting, handled[i]);
		/* A shell without job control starts what ends in & with SIGINT ignored:
		 * the Ctrl-C is meant for others. */
		if (handled[i] == SIGINT && sigaction(SIGINT, NULL, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			continue;
		sigaction(handled[i], &action, NULL);
	}
	/* A client that has gone is an error of its write(2) (EPIPE), not our end. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

void signals_let_through(bool through)
{
	sigset_t ours = handled_set();

	pthread_sigmask(through ? SIG_UNBLOCK : SIG_BLOCK, &ours, NULL);
}

void signals_let_interrupt_through(void)
{
	sigset_t interrupt;

	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGNAL_INTERRUPT);
	pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}

void signals_in_child(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	interrupt_means_stop = true;
	sigaction(SIGUSR1, &ignore, NULL);
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
