/*
 * statistics - prints the counters and the use of CPU and memory.
 *
 * The counters are atomics in shared memory. So a thread and a child count without a
 * lock, and no count is lost when a child is killed. The cost is one atomic addition for
 * each counter in each exchange; they are relaxed, because no other memory access
 * depends on their order.
 */
#include "server/core/statistics.h"

#include <stdio.h>

#include "common/message.h"
#include "common/process.h"

struct statistics *statistics_create(void)
{
	return process_shared_memory(sizeof(struct statistics));
}

enum { SHARES_TEXT = 1024 };

/* "; clients by worker 250 251 249 250", or nothing. */
static const char *shares_text(struct statistics *statistics, char text[SHARES_TEXT])
{
	unsigned workers = atomic_load(&statistics->workers);
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; workers > 1 && i < workers && i < STATISTICS_WORKERS; i++)
		used += (size_t)snprintf(text + used, SHARES_TEXT - used, "%s%llu",
					 i == 0 ? "; clients by worker " : " ",
					 atomic_load(&statistics->by_worker[i]));
	return text;
}

void statistics_print(struct statistics *statistics)
{
	struct process_usage usage = process_usage();
	char shares[SHARES_TEXT];

	message(MESSAGE_ERROR,
		"served %llu clients, dropped %llu; %llu bytes in, %llu out; "
		"cpu %.3f s user, %.3f s system; peak memory %ju KiB; "
		"context switches %ju voluntary, %ju involuntary%s",
		atomic_load(&statistics->served), atomic_load(&statistics->refused),
		atomic_load(&statistics->bytes_in), atomic_load(&statistics->bytes_out),
		usage.user_seconds, usage.system_seconds, (uintmax_t)usage.peak_kib,
		(uintmax_t)usage.voluntary_switches,
		(uintmax_t)usage.involuntary_switches, shares_text(statistics, shares));
}
