#include "common/tokens.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "common/process.h"

struct tokens {
	unsigned count;
	atomic_uint next;    /* where a free one is looked for first */
	atomic_int owners[]; /* pids; 0: nobody has it */
};

struct tokens *tokens_create(unsigned count)
{
	struct tokens *tokens =
		process_shared_memory(sizeof *tokens + count * sizeof *tokens->owners);

	if (tokens != NULL)
		tokens->count = count;
	return tokens;
}

/* Changes the owner of up to @p n tokens. @return of how many */
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

/* Takes back what processes have that are not there any more. @return whether there was any */
static bool reclaim(struct tokens *tokens)
{
	int there = getpid(); /* a process that is known to be there */
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
