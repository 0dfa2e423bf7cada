/*
 * service - a protocol, and nothing else: bytes in, bytes out.
 *
 * A service makes no system call on a socket and never waits ("sans I/O"). So the same
 * object code is right in a forked child, in a thread and inside a select() loop, and a
 * test can drive it byte by byte from memory. What it may do is in session.h.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"

struct hub_service;
struct option_line;
struct options;
struct session;

/** After so many seconds of silence a client is taken to have gone, if nothing else is
 *  said. */
enum { SERVICE_IDLE = 60 };

/** SERVICE_DESCRIPTORS: how many descriptors are reserved for a session, beside its socket, if
 *  its service does not say how many it may have open: a file and the directories on the way
 *  to it. SERVICE_OPENS_NONE: it has none open, ever. */
enum { SERVICE_DESCRIPTORS = 4, SERVICE_OPENS_NONE = -1 };

/** Every function but input may be NULL. None may keep a pointer to the bytes it gets. */
struct service {
	const char *name;      /* "echo": the program is named echod-MODEL */
	const char *summary;   /* one line for -h */
	const char *port;      /* where it listens unless told otherwise */
	size_t state_size;     /* of session->state: zeroed before open */
	unsigned idle_seconds; /* the default of -t; 0: SERVICE_IDLE */
	int descriptors;       /* that a session may have open at a time, beside its
				  socket; 0: SERVICE_DESCRIPTORS; or SERVICE_OPENS_NONE */
	bool never_replies;    /* to a datagram, whatever it is */
	bool speaks_first;     /* a client waits for what it says, and sends nothing */

	/** Options of its own, beside those that all servers have; ends as the table in
	 *  common/options.h does. */
	const struct option_line *options;

	/** Takes one of them, of that letter; options->value is its argument.
	 *  @return 0, or -1 with *failure */
	int (*option)(int letter, const struct options *options, struct failure *failure);

	/** After the options: whether they make sense together.
	 *  @return 0, or -1 with *failure, which is bad usage */
	int (*check)(struct failure *failure);

	/** After that, before the first client: reads files, makes tables.
	 *  @return 0, or -1 with *failure, and the server does not start */
	int (*prepare)(struct failure *failure);

	/** A client has arrived. */
	void (*open)(struct session *);

	/**
	 * The client has sent @p n bytes (1 or more): those that were not consumed last
	 * time come again in front. Called only while session_full() is false.
	 *
	 * @return how many were consumed. The rest is kept, and offered again with what
	 *         comes next, or, if session_full() became true, when the client has taken
	 *         its output; when a pause is over; and behind a drained() that wrote
	 *         something, and expired(). Of SESSION_INPUT bytes at least one must be
	 *         consumed, unless session_full() became true or it pauses.
	 */
	size_t (*input)(struct session *, const char *bytes, size_t n);

	/** The client has half-closed: no more input will come, output may still go. The
	 *  last @p n bytes, which input() has not consumed, come once more.
	 *  NULL: the session is finished then. */
	void (*end)(struct session *, const char *bytes, size_t n);

	/** All output has been sent: write more, if there is more to say. It is called again
	 *  when that is sent, for as long as it writes something. */
	void (*drained)(struct session *);

	/** The moment that session_deadline() set has come, and no later call moved it. */
	void (*expired)(struct session *);

	/** The operator sent SIGHUP: open anew what was opened by its name, a log above all.
	 *  Called in every process of the server, while other threads may use what it
	 *  replaces. NULL: SIGHUP ends the server, as it does by default. */
	void (*reopen)(void);

	/**
	 * Of a service that takes datagrams, too (-u): one has come, of @p n bytes, 0 as
	 * well. What is written before this returns is one datagram in reply; nothing
	 * written, no reply. A session is then one peer, for as long as it is remembered;
	 * but for datagram and close, no other function is called.
	 */
	void (*datagram)(struct session *, const char *bytes, size_t n);

	/** Of a service whose clients meet; NULL: they do not. See hub.h. */
	const struct hub_service *hub;

	/** The session is over, for whatever reason: release what the state owns. */
	void (*close)(struct session *);
};

/** The services, each defined in server/service/NAME.c. A program is linked with one. */
extern const struct service echo_service;
extern const struct service discard_service;
extern const struct service chargen_service;
extern const struct service daytime_service;
extern const struct service greet_service;
extern const struct service reply_service;
extern const struct service http_service;
extern const struct service chat_service;
extern const struct service file_service;

/** The one service that a program is linked with: server/selected.c. */
extern const struct service *const selected_service;

#endif
