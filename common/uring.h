/*
 * uring - io_uring(7) without a library: requests go in, completions come out.
 *
 * Other interfaces report that a descriptor is ready, and the program then makes a system call
 * for each descriptor. Here the program writes requests ("receive from this socket") into memory
 * that it shares with the kernel. The kernel performs them, and writes the results into the same
 * memory. One system call, io_uring_enter(2), passes all new requests to the kernel and waits for
 * results.
 *
 *      program                     shared memory                        kernel
 *
 *                      submission ring
 *   uring_receive()  ------> +---+---+---+---+---+---+ ------>  starts the request;
 *   uring_accept() ...       |   | S | S | S |   |   |          moves the head
 *   moves the tail           +---+---+---+---+---+---+
 *                                  ^head       ^tail
 *
 *                      completion ring
 *   uring_next()    <------  +---+---+---+---+---+---+ <------  the request is done;
 *   moves the head           |   |   | C | C |   |   |          moves the tail
 *                            +---+---+---+---+---+---+
 *                                      ^head   ^tail
 *
 *                      ring of buffers
 *   uring_give_back() -----> +---+---+---+---+---+---+ ------>  takes a buffer only when
 *   moves the tail           | B | B | B |   | B | B |          bytes have arrived
 *                            +---+---+---+---+---+---+
 *
 * Each ring has one writer and one reader. The writer fills an entry and then moves the tail with
 * a release store; the reader reads the tail with an acquire load. So a reader that sees the new
 * tail also sees the entry, and no lock is needed.
 *
 * Only the thread that has opened a ring may use it.
 */
#ifndef COMMON_URING_H
#define COMMON_URING_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/failure.h"

struct uring;

/** What was requested. */
enum uring_operation {
	URING_ACCEPT = 1,
	URING_RECEIVE,
	URING_POLL,
	URING_CANCEL, /* no completion, if the request was found */
};

struct uring_completion {
	void *owner; /* as given with the request; NULL for URING_CANCEL */
	enum uring_operation operation;
	int result;        /* 0 or more, or -errno */
	const char *bytes; /* URING_RECEIVE with a result above 0: the bytes, until
			      uring_give_back() */
	unsigned buffer;   /* private to uring.c */
};

struct uring_sizes {
	unsigned requests;    /* entries of the submission ring; a power of 2 */
	unsigned completions; /* entries of the completion ring; a power of 2 */
	unsigned buffers; /* a power of 2, at most 32768; 0: nothing will be received */
	size_t buffer_bytes;
};

/** Whether this program was built with io_uring. If not, uring_open() fails. */
bool uring_is_built_in(void);

/** Opens a ring, and checks that the kernel has all that this file uses (Linux 6.1). The memory of
 *  the buffers is used only as far as bytes arrive.
 *  @return the ring, or NULL with the reason in @p failure and, of a system call that failed,
 *          with errno */
struct uring *uring_open(const struct uring_sizes *sizes, struct failure *failure);

/** Closes the ring. The kernel cancels what is still requested. NULL is allowed. */
void uring_close(struct uring *uring);

enum { URING_OWNER_ALIGNMENT = 8 };

/*
 * The requests. Each is only written into the ring, and is passed to the kernel by the next
 * uring_wait(), or earlier if the ring is full. The address of @p owner is a multiple of
 * URING_OWNER_ALIGNMENT, because its lowest bits carry the operation; the owner must exist until the last completion. Each returns false if the
 * ring is full and the kernel takes nothing now (out of memory); try again after uring_wait().
 */

/** Accepts one client. *peer is written when it completes, and must exist until then. The result is
 *  the client's descriptor: non-blocking, and closed by exec(2). */
bool uring_accept(struct uring *uring, int listener, struct address *peer, void *owner);

/** Receives once: what has arrived, up to the size of a buffer. The result is 0 at the end of the
 *  stream, or -errno. -ENOBUFS: all buffers were in use. */
bool uring_receive(struct uring *uring, int socket, void *owner);

/** Waits once for one of the poll(2) @p events. The result are the events that occurred. */
bool uring_poll(struct uring *uring, int fd, short events, void *owner);

/** Cancels the request of this operation and owner. That request then completes with -ECANCELED,
 *  if it has not completed before. */
bool uring_cancel(struct uring *uring, enum uring_operation operation, void *owner);

/**
 * Passes the requests to the kernel, and waits until there is a completion, a signal arrives or the
 * timeout expires. Must be called only when uring_next() has returned false.
 *
 * @param mask     the signals that are blocked meanwhile, as with pselect(2)
 * @param timeout  in milliseconds, or CLOCK_NEVER
 * @return how many completions there are; 0 after the timeout; -1 with errno (EINTR, EAGAIN)
 */
int uring_wait(struct uring *uring, const sigset_t *mask, int64_t timeout);

/** Takes the next completion. @return false if there is none now */
bool uring_next(struct uring *uring, struct uring_completion *completion);

/** The bytes of this completion are used: the kernel may use the buffer again. To be called for
 *  each completion; does nothing if it has no buffer. */
void uring_give_back(struct uring *uring, const struct uring_completion *completion);

#endif
