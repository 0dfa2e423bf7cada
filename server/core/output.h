/*
 * output - what is on its way to one client, in order: bytes that the kernel did not take yet,
 * and after them a file.
 *
 * A leaf: it knows a descriptor, and reports each outcome as a value. It does not know
 * connections, clients or time.
 */
#ifndef SERVER_CORE_OUTPUT_H
#define SERVER_CORE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/core/buffer.h"

/** A file on its way. */
struct output_file {
	int fd; /* -1: there is none */
	uint64_t offset, length;
};

struct output {
	int fd;              /* the socket; not owned */
	struct buffer queue; /* bytes to be sent */
	struct output_file file;
	bool blocked;  /* output waits, and an attempt to send it was made */
	int error;     /* errno of the first failure; 0: none */
	uint64_t sent; /* bytes that the kernel took, in all */
};

/** What a worker lends to the output that it serves at the moment. */
struct output_shared {
	size_t gathered;    /* bytes of bytes[] that are sent in one call */
	size_t file_budget; /* bytes of files that may go before other clients' turn */
	char bytes[16384];
};

enum output_result {
	OUTPUT_SENT,        /* nothing waits */
	OUTPUT_MORE,        /* a file waits; the budget is spent */
	OUTPUT_WOULD_BLOCK, /* the kernel took less than it was offered */
	OUTPUT_ERROR,       /* a system call failed: output->error */
	OUTPUT_TOO_MUCH,    /* more would be queued than is allowed */
	OUTPUT_NO_MEMORY,
	OUTPUT_FILE_CUT,     /* the file has become shorter than promised */
	OUTPUT_OUT_OF_ORDER, /* output after a file that has not been sent */
};

/** Begins without output. @p fd stays the caller's. */
void output_begin(struct output *output, int fd);

/** Takes @p n bytes: gathers a small piece, sends or queues a large one. */
enum output_result output_write(struct output *output, struct output_shared *shared,
				const char *bytes, size_t n);

/** Takes a file, to be sent after all bytes. Owns @p fd from then on, also on failure. */
enum output_result output_take_file(struct output *output, int fd, uint64_t offset,
				    uint64_t length);

/** Sends the gathered bytes, and then the file, as far as the kernel takes them. */
enum output_result output_flush(struct output *output, struct output_shared *shared);

/** The socket is writable: sends the queue, and then the file. */
enum output_result output_resume(struct output *output, struct output_shared *shared);

/** Sends the queue only. For a caller that is not the output's worker at the moment. */
enum output_result output_send_queue(struct output *output);

/** @return whether output waits, gathered bytes aside */
bool output_waits(const struct output *output);

/** Gives a waiting file a descriptor of @p lowest or above, if one is available: a model may
 *  need the low ones for its sockets. */
void output_move_file(struct output *output, int lowest);

/** Gives the open file @p fd a number of @p lowest or above, if one is available.
 *  @return its descriptor now; if it is another one, @p fd is closed */
int output_higher_number(int fd, int lowest);

/** Drops what waits, and closes the file. */
void output_release(struct output *output);

#endif
