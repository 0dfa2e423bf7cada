/*
 * check - one check: its state, its server, and its verdict.
 *
 * A check runs in a thread of its own, with a server of its own if sockcheck starts servers.
 */
#ifndef CLIENT_SOCKCHECK_CHECK_H
#define CLIENT_SOCKCHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "client/sockcheck/protocols.h"
#include "client/sockcheck/server_process.h"
#include "common/failure.h"

enum { CHECK_EVIDENCE = 640 };

enum check_verdict { CHECK_PASSED, CHECK_FAILED, CHECK_SKIPPED };

/** What is checked, the same for all checks. */
struct check_settings {
	struct protocol protocol;
	bool datagrams;
	bool local;       /* a UNIX-domain socket */
	unsigned workers; /* 0: unknown */
	int64_t timeout;  /* milliseconds for each check */
	bool starts;      /* sockcheck starts the server by this command: */
	struct checked_command command;
	char host[HOST_TEXT], port[PORT_TEXT]; /* otherwise it is here */
};

struct check {
	const struct check_settings *settings;
	struct checked_server server; /* pid 0: sockcheck has not started it */
	char host[HOST_TEXT], port[PORT_TEXT];
	int64_t deadline; /* milliseconds, clock_milliseconds() */
	enum check_verdict verdict;
	bool heard;    /* the server has sent something */
	bool unjudged; /* skipped, because the server has failed before */
	char evidence[CHECK_EVIDENCE];
};

/** Begins a check, which passes unless it fails. */
void check_begin(struct check *check, const struct check_settings *settings);

/** Starts the server for the check; with a server that runs already, nothing.
 *  @param descriptors  its limit
 *  @return false if that failed: then the check has failed */
bool check_start_server(struct check *check, uint64_t descriptors);

/** Stops it. */
void check_end(struct check *check);

/** The check fails, with this evidence; the first one counts. @return false */
bool check_fail(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

/** Appends to the evidence. */
void check_add(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

/** The check cannot be made: "needs -- COMMAND". @return false */
bool check_skip(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

/** The check is skipped, because the server has failed before it could be judged. @return false */
bool check_leave_open(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

/** Whether the server has a process that is known, and it has ended. Then the check has failed,
 *  with this evidence and how it ended. */
bool check_server_is_gone(struct check *check, const char *when);

/** Whether the server has a process that is known, and it has ended, or ends within 200 ms. For use
 *  after a connection has failed or ended: a process that ends has closed its sockets before
 *  waitpid(2) finds it. */
bool check_server_ends(struct check *check);

/** Whether the end of the server explains that a connection has failed or ended: check_server_ends(),
 *  then check_server_is_gone(). */
bool check_end_explains(struct check *check, const char *when);

/** Waits for a few milliseconds. @return false if the time of the check is over */
bool check_pause(struct check *check, int64_t milliseconds);

/** A wait for the server. */
struct check_wait {
	int64_t began, quiet_since;
	uint64_t activities;
	uint64_t received; /* of the last call */
	bool known;        /* the activities */
};

void check_wait_begin(struct check_wait *wait);

/** Something is under way in the kernel: a connection, or bytes that the server's kernel has not
 *  taken yet. The sleep of the server proves nothing then. */
void check_wait_touch(struct check_wait *wait);

/**
 * Whether the wait is in vain: the time of the check is over; or the server has done nothing
 * for a second, all its threads asleep, although something was sent to it.
 *
 * @param received  changes when something has arrived
 * @param why       receives "the server sleeps" or the like
 */
bool check_wait_is_over(struct check *check, struct check_wait *wait, uint64_t received,
			const char **why);

#endif
