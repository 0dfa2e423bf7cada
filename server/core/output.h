/*
 * output - the bytes and the file that are to be sent to one client, in order: first the
 * bytes that the kernel has not accepted yet, then the file.
 *
 * A leaf: it knows a descriptor and returns each outcome as a value. It does not know
 * connections, clients or time.
 *
 * Most clients read as fast as they are sent to, and nothing of theirs waits. So what is
 * needed only while output waits has memory of its own: struct output_waiting.
 */
#ifndef SERVER_CORE_OUTPUT_H
#define SERVER_CORE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/core/buffer.h"

/** A file to be sent. */
struct output_file {
	int fd; /* -1: there is none */
	uint64_t offset, length;
};

/** What is needed only while output waits. A client that has read everything has none. */
struct output_waiting {
	struct output_file file;
	bool blocked; /* output waits, and the program has tried to send it */

	/* The owner notes here what it knows of a client that does not read. */
	int64_t looked_at; /* the last check of the kernel's send queue; 0: none yet */
	uint64_t taken;    /* bytes that had left that queue then */
	int64_t held_at;   /* since when this output holds a deadline; 0: it does not */
};

struct output {
	int fd;                         /* the socket; not owned */
	int error;                      /* errno of the first failure; 0: none */
	uint64_t sent;                  /* bytes that the kernel has accepted, in total */
	struct buffer queue;            /* bytes that the kernel has not accepted yet */
	struct output_waiting *waiting; /* NULL: no file, not blocked, nothing noted */
};

/** The part of a worker that the output in use shares with all others. */
struct output_shared {
	size_t gathered;    /* bytes in bytes[], to be sent in one call */
	size_t file_budget; /* bytes of files that may still be sent in this turn */
	char bytes[16384];
};

enum output_result {
	OUTPUT_SENT,        /* everything was sent */
	OUTPUT_MORE,        /* a file waits, and the budget is used up */
	OUTPUT_WOULD_BLOCK, /* the kernel accepted less than it was offered */
	OUTPUT_ERROR,       /* a system call failed: output->error */
	OUTPUT_TOO_MUCH,    /* the queue would exceed its limit */
	OUTPUT_NO_MEMORY,
	OUTPUT_FILE_CUT,     /* the file is shorter than the announced length */
	OUTPUT_OUT_OF_ORDER, /* output after a file that has not been sent */
};

/** Initialises *output: nothing waits. The caller still owns @p fd. */
void output_begin(struct output *output, int fd);

/** Accepts @p n bytes: gathers a small piece, sends or queues a large one. */
enum output_result output_write(struct output *output, struct output_shared *shared,
				const char *bytes, size_t n);

/** Accepts a file, to be sent after all bytes. Owns @p fd from then on, also on
 *  failure. */
enum output_result output_take_file(struct output *output, int fd, uint64_t offset,
				    uint64_t length);

/** Sends the gathered bytes, then the file, as far as the kernel accepts them. */
enum output_result output_flush(struct output *output, struct output_shared *shared);

/** To be called when the socket is writable: sends the queue, then the file. */
enum output_result output_resume(struct output *output, struct output_shared *shared);

/** Sends only the queue. For a caller that is not the worker of this output. */
enum output_result output_send_queue(struct output *output);

/** @return whether a file waits */
static inline bool output_has_file(const struct output *output)
{
	return output->waiting != NULL && output->waiting->file.fd >= 0;
}

/** @return whether output waits, not counting gathered bytes */
static inline bool output_waits(const struct output *output)
{
	return !buffer_is_empty(&output->queue) || output_has_file(output);
}

/** @return whether output waits, and the program has tried to send it */
static inline bool output_is_blocked(const struct output *output)
{
	return output->waiting != NULL && output->waiting->blocked;
}

/** @return the bytes that wait, those of the file included */
uint64_t output_length(const struct output *output);

/** Makes sure that output->waiting exists, for the notes of the owner.
 *  @return it, or NULL with errno (ENOMEM) */
struct output_waiting *output_keep_waiting(struct output *output);

/** Frees output->waiting, with the notes of the owner, if no output waits. The owner calls
 *  this when it has read them. */
void output_forget_waiting(struct output *output);

/** Moves a waiting file to a descriptor of @p lowest or above, if one is free: a model
 *  may need the low numbers for its sockets. */
void output_move_file(struct output *output, int lowest);

/** Moves the open file @p fd to a number of @p lowest or above, if one is free.
 *  @return its descriptor now; if it differs, @p fd is closed */
int output_higher_number(int fd, int lowest);

/** Discards the queue, and closes the file. Frees all memory. */
void output_release(struct output *output);

#endif
