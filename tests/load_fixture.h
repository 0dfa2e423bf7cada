/*
 * load_fixture - what the tests of the load share: servers made of a few lines, a plan to
 * change a little, and what must come of it.
 *
 * A server of streams is a child with a thread for each of its clients; what it does with
 * one is a function. A server of datagrams is a child that hands them to a function, one by
 * one.
 */
#ifndef TESTS_LOAD_FIXTURE_H
#define TESTS_LOAD_FIXTURE_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/load/load.h"

enum { ALL_IN_GOOD_TIME = 20000 };

extern pid_t server;
extern int listener;
extern char port[PORT_TEXT];
extern struct load_plan plan;
extern struct load_result result;
extern struct failure failure;

/** Zeroed memory that a server and its test share. */
struct load_notes {
	_Atomic uint64_t bytes, count;
};
extern struct load_notes *notes;

/** What a server does with its number-th client, counted from 0; fd is closed after it. */
typedef void serve_function(int fd, unsigned number);

/** A datagram that came, and where an answer is to go. */
struct heard {
	int fd;
	struct address from;
	char *bytes;
	size_t length;
	unsigned number; /* counted from 0, for each server */
};

/** What a server does with it. */
typedef void hear_function(const struct heard *heard);

/** Sends a datagram back to who sent that one. */
void answer(const struct heard *heard, const void *bytes, size_t length);

/** A case whose tests begin with the plan below, and whose servers are stopped. */
TCase *load_case(Suite *suite, const char *name);

/** Opens listener on port; type is SOCK_STREAM or SOCK_DGRAM. */
void open_listener_of(int type, int backlog);
void open_listener(int backlog);

/** Accepts for ever: for a child. */
void accept_clients(serve_function *serve);

/** Opens listener in a child that serves so. */
void start_server(serve_function *serve);

/** The same, but it serves one client at a time: the next when the last has left. */
void start_server_of_one_client(serve_function *serve, int backlog);
void start_datagram_server(hear_function *hear);

/** Sets port to one that was bound, and on which nobody listens any more. */
void find_deaf_port(void);

/** Makes plan one for that protocol, its first load and small figures: what the case begins
 *  with, for echo over TCP. */
void set_plan(const char *protocol, bool datagrams);

/** Runs the plan, which must be measured, and in time. */
void measure(void);

/** For what takes its time on a busy machine: until there have been so many exchanges. */
void measure_until(uint64_t exchanges);

void assert_no_errors(void);
void assert_errors_are_all(enum load_error kind);
void pause_milliseconds(int64_t milliseconds);

#endif
