/*
 * bell - wakes a thread that waits in poll(2): an eventfd, or a non-blocking pipe.
 *
 * An eventfd needs one descriptor and counts; a pipe needs two and may fill up. Both stay
 * readable until they are read. Writing never blocks: a full pipe wakes the reader anyway.
 */
#include "common/bell.h"

#include <stdint.h>
#include <unistd.h>

#include "common/io.h"

#ifdef __linux__

#include <sys/eventfd.h>

int bell_open(struct bell *bell)
{
	bell->fd = bell->rope = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return bell->fd < 0 ? -1 : 0;
}

void bell_close(struct bell *bell)
{
	close(bell->fd);
}

#else

int bell_open(struct bell *bell)
{
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		io_set_close_on_exec(ends[i]);
		io_set_nonblocking(ends[i], true);
	}
	bell->fd = ends[0];
	bell->rope = ends[1];
	return 0;
}

void bell_close(struct bell *bell)
{
	close(bell->fd);
	close(bell->rope);
}

#endif

/* write(2) fails only if the pipe is full; then the reader is woken anyway. */
void bell_ring(const struct bell *bell)
{
	const uint64_t once = 1;

	(void)io_write(bell->rope, &once, sizeof once);
}

void bell_silence(const struct bell *bell)
{
	char rings[1024]; /* a multiple of the size of a write; of an eventfd the whole
			   * counter */

	while (io_read(bell->fd, rings, sizeof rings) == (ssize_t)sizeof rings)
		;
}
