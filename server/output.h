/*
 * output - what goes to a connection's client, in its order: pieces that are gathered for
 * one call, what the kernel would not take and is queued, and behind both a file.
 *
 * A part of the connection: it looks inside, and but for output_move_file() only
 * connection.c calls it.
 */
#ifndef SERVER_OUTPUT_H
#define SERVER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

/** A file on its way. */
struct output_file {
	int fd; /* -1: there is none */
	uint64_t offset, length;
};

/** Takes what the service writes: small pieces are gathered until output_flush(). */
void output_write(struct connection *connection, const char *bytes, size_t n);

/** Takes a file, which goes behind all that was written. Owns @p fd from then on. */
void output_take_file(struct connection *connection, int fd, uint64_t offset,
		      uint64_t length);

/** The service has returned: sends what it left, as far as the kernel takes it. */
void output_flush(struct connection *connection);

/** The kernel takes output again: sends what waits. */
void output_go_on(struct connection *connection);

/** Whether output waits: until it has gone, session_full() is true. */
bool output_waits(const struct connection *connection);

/** Gives a file that waits a descriptor of @p lowest or above, if one is to be had: the
 *  system gives out the lowest first, and a model may need those for its sockets. */
void output_move_file(struct connection *connection, int lowest);

/** Gives the open file @p fd a number of @p lowest or above, if one is to be had.
 *  @return its descriptor now; if it is another one, @p fd is closed */
int output_higher_number(int fd, int lowest);

/** Forgets what waits. */
void output_release(struct connection *connection);

#endif
