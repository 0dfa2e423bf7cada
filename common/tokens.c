/*
 * tokens - a counted resource shared by processes, without a lock.
 *
 * A semaphore would lose the tokens of a killed process. Here each token records the pid of
 * its owner, and compare-and-swap moves it between owners. Taking a token scans the array,
 * from the place of the last change; the dead owners are searched only if no token is free.
 */
#include "common/tokens.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "common/process.h"

struct tokens {
	unsigned count;
	atomic_uint next;    /* where the search for a free token starts */
	atomic_int owners[]; /* pid of each owner; 0: free */
};

struct tokens *tokens_create(unsigned count)
{
	struct tokens *tokens =
		process_shared_memory(sizeof *tokens + count * sizeof *tokens->owners);

	if (tokens != NULL)
		tokens->count = count;
	return tokens;
}

/* Changes the owner of up to @p n tokens. @return their number */
static unsigned change_owner(struct tokens *tokens, int from, int to, unsigned n)
{
	unsigned start = atomic_load(&tokens->next), done = 0;

	for (unsigned i = 0; i < tokens->count && done < n; i++) {
		unsigned at = (start + i) % tokens->count;
		int owner = from;

		if (atomic_load_explicit(&tokens->owners[at], memory_order_relaxed) !=
			    from ||
		    !atomic_compare_exchange_strong(&tokens->owners[at], &owner, to))
			continue;
		done++;
		atomic_store(&tokens->next, at);
	}
	return done;
}

/* Frees the tokens of processes that have ended. @return whether there were any */
static bool reclaim(struct tokens *tokens)
{
	int there = getpid(); /* a process that is known to exist */
	bool any = false;

	for (unsigned i = 0; i < tokens->count; i++) {
		int owner = atomic_load(&tokens->owners[i]);

		if (owner == 0 || owner == there)
			continue;
		if (kill(owner, 0) == 0 || errno != ESRCH)
			there = owner;
		else if (atomic_compare_exchange_strong(&tokens->owners[i], &owner, 0))
			any = true;
	}
	return any;
}

bool tokens_take(struct tokens *tokens, unsigned n)
{
	int self = getpid();
	unsigned taken = change_owner(tokens, 0, self, n);

	if (taken < n && reclaim(tokens))
		taken += change_owner(tokens, 0, self, n - taken);
	if (taken == n)
		return true;
	tokens_give(tokens, taken);
	return false;
}

void tokens_give(struct tokens *tokens, unsigned n)
{
	(void)change_owner(tokens, getpid(), 0, n);
}
