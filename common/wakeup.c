/*
 * wakeup - wakes a thread that waits in poll(2): an eventfd, or a non-blocking pipe.
 *
 * An eventfd needs one descriptor and counts; a pipe needs two and may fill up. Both stay
 * readable until they are read. Writing never blocks: a full pipe wakes the reader anyway.
 */
#include "common/wakeup.h"

#include <stdint.h>
#include <unistd.h>

#include "common/io.h"

#ifdef __linux__

#include <sys/eventfd.h>

int wakeup_open(struct wakeup *wakeup)
{
	wakeup->fd = wakeup->write_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wakeup->fd < 0 ? -1 : 0;
}

void wakeup_close(struct wakeup *wakeup)
{
	close(wakeup->fd);
}

#else

int wakeup_open(struct wakeup *wakeup)
{
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		io_set_close_on_exec(ends[i]);
		io_set_nonblocking(ends[i], true);
	}
	wakeup->fd = ends[0];
	wakeup->write_fd = ends[1];
	return 0;
}

void wakeup_close(struct wakeup *wakeup)
{
	close(wakeup->fd);
	close(wakeup->write_fd);
}

#endif

/* write(2) fails only if the pipe is full; then the reader is woken anyway. */
void wakeup_send(const struct wakeup *wakeup)
{
	const uint64_t once = 1;

	(void)io_write(wakeup->write_fd, &once, sizeof once);
}

void wakeup_clear(const struct wakeup *wakeup)
{
	char counts[1024]; /* a multiple of the size of a write; of an eventfd the whole
			   * counter */

	while (io_read(wakeup->fd, counts, sizeof counts) == (ssize_t)sizeof counts)
		;
}
