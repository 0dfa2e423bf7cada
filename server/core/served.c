/*
 * served - the table of the worker processes, and how a worker wakes the parent.
 *
 * All accesses are sequentially consistent. A worker first changes its state and then reads
 * the flags of the parent. The parent first sets its flags and then reads the states. So one
 * of them sees what the other wrote, and no wake-up is lost.
 */
#include "server/core/served.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process.h"
#include "server/core/signals.h"

struct served *served_create(unsigned count)
{
	struct served *served = process_shared_memory(sizeof *served +
						      count * sizeof(struct served_slot));

	if (served == NULL)
		return NULL;
	served->parent = getpid();
	served->count = count;
	atomic_store(&served->empty_since, clock_milliseconds());
	return served;
}

unsigned served_clients(const struct served *served)
{
	unsigned clients = 0;

	for (unsigned i = 0; i < served->count; i++)
		clients += atomic_load(&served->slots[i].state) == SERVED_CLIENT;
	return clients;
}

unsigned served_processes(const struct served *served)
{
	unsigned processes = 0;

	for (unsigned i = 0; i < served->count; i++)
		processes += atomic_load(&served->slots[i].state) != SERVED_NO_PROCESS;
	return processes;
}

int served_find_idle(const struct served *served)
{
	for (unsigned i = 0; i < served->count; i++)
		if (atomic_load(&served->slots[i].state) == SERVED_IDLE)
			return (int)i;
	return -1;
}

bool served_begin(struct served *served, unsigned slot, const struct address *peer)
{
	int idle = SERVED_IDLE;

	served->slots[slot].peer = *peer;
	return atomic_compare_exchange_strong(&served->slots[slot].state, &idle,
					      SERVED_CLIENT);
}

void served_left(struct served *served, unsigned slot, bool ends)
{
	/* Before the state changes: the parent must not find nobody, and an older time. */
	atomic_store(&served->empty_since, clock_milliseconds());
	atomic_store(&served->slots[slot].state, ends ? SERVED_ENDING : SERVED_IDLE);
	if (atomic_load(&served->wake_when_idle) ||
	    (atomic_load(&served->wake_when_empty) && served_clients(served) == 0))
		kill(served->parent, SIGNAL_INTERRUPT);
}

bool served_end(struct served *served, unsigned slot)
{
	int idle = SERVED_IDLE;

	return atomic_compare_exchange_strong(&served->slots[slot].state, &idle,
					      SERVED_ENDING);
}
