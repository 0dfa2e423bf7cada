/*
 * service - a protocol, and nothing else: bytes in, bytes out.
 *
 * A service makes no system call on a socket and never waits ("sans I/O"). So the same
 * object code is right in a forked child, in a thread and inside a select() loop, and a
 * test can drive it byte by byte from memory. What it may do is in session.h.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stddef.h>

struct session;

/** Every function but input may be NULL. None may keep a pointer to the bytes it gets. */
struct service {
	const char *name;    /* "echo": the program is named echod-MODEL */
	const char *summary; /* one line for -h */
	const char *port;    /* where it listens unless told otherwise */
	size_t state_size;   /* of session->state: zeroed before open */

	/** A client has arrived. */
	void (*open)(struct session *);

	/**
	 * The client has sent @p n bytes (1 or more): those that were not consumed last
	 * time come again in front. Called only while session_full() is false.
	 *
	 * @return how many were consumed. The rest is kept, and offered again with what
	 *         comes next, or, if session_full() became true, when the client has taken
	 *         its output. Of SESSION_INPUT bytes at least one must be consumed.
	 */
	size_t (*input)(struct session *, const char *bytes, size_t n);

	/** The client has half-closed: no more input will come, output may still go. The
	 *  last @p n bytes, which input() has not consumed, come once more.
	 *  NULL: the session is finished then. */
	void (*end)(struct session *, const char *bytes, size_t n);

	/** All output has been sent: write more, if there is more to say. It is called again
	 *  when that is sent, for as long as it writes something. */
	void (*drained)(struct session *);

	/** The session is over, for whatever reason: release what the state owns. */
	void (*close)(struct session *);
};

/** The one service that a program is linked with. */
extern const struct service this_service;

#endif
