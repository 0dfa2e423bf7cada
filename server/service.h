/*
 * service - a protocol and nothing else: bytes in, bytes out.
 *
 * A service makes no system call on a socket and never waits for its client ("sans
 * I/O"). It may read a file or a directory, in small pieces. So the same object code
 * runs in a forked child, in a thread and in a select() loop, and a test can drive it
 * byte by byte from memory. What a service may call is in session.h.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"
#include "common/options.h"

struct hub_service;
struct sandbox;
struct session;

/** The letters of a service's options that have a long name only begin here: those below
 *  belong to all servers and to the models. */
enum { SERVICE_LETTERS_FROM = OPTIONS_LETTERS_FROM + 256 };

/** The default idle timeout, in seconds. */
enum { SERVICE_IDLE = 60 };

/** SERVICE_DESCRIPTORS: how many descriptors are reserved for each session, besides its
 *  socket, if the service does not say how many it opens: a file and the directories on
 *  the way to it. SERVICE_OPENS_NONE: the service never opens one. */
enum { SERVICE_DESCRIPTORS = 4, SERVICE_OPENS_NONE = -1 };

/** All functions except input may be NULL. None may keep a pointer to the bytes that it
 *  gets. */
struct service {
	const char *name;      /* "echo": the program is named echod-MODEL */
	const char *summary;   /* one line for -h */
	const char *port;      /* default of -p */
	size_t state_size;     /* bytes of session->state, which is zeroed before open */
	unsigned idle_seconds; /* default of -t; 0: SERVICE_IDLE */
	int descriptors;    /* besides the socket of a session; 0: SERVICE_DESCRIPTORS */
	bool never_replies; /* no datagram gets a reply */
	bool speaks_first;  /* the client sends nothing before the greeting */

	/** The options of the service, besides those of all servers. The table ends
	 *  like the one in common/options.h. */
	const struct option_line *options;

	/** Handles one of these options; options->value is its argument.
	 *  @return 0, or -1 with *failure */
	int (*option)(int letter, const struct options *options, struct failure *failure);

	/** Called after all options: checks that they fit together.
	 *  @return 0, or -1 with *failure, which is reported as bad usage */
	int (*check)(struct failure *failure);

	/** Called next, before the first client: reads files, builds tables.
	 *  @return 0, or -1 with *failure, and the server does not start */
	int (*prepare)(struct failure *failure);

	/** Called after prepare(): says which files it uses from then on (core/sandbox.h). NULL:
	 *  none, but for those that are open. */
	void (*allow)(struct sandbox *);

	/** A client has connected. */
	void (*open)(struct session *);

	/**
	 * The client has sent @p n bytes (1 or more). They begin with the bytes that
	 * the last call has not consumed. Called only while session_full() is false.
	 *
	 * @return the number of bytes consumed. The rest is kept and passed again:
	 *         together with the next input; or, if session_full() became true,
	 *         when the output is sent; or after a pause; or after a drained() that
	 *         wrote something, or expired(). Of SESSION_INPUT bytes at least one
	 *         must be consumed, unless session_full() became true or the session
	 *         pauses.
	 */
	size_t (*input)(struct session *, const char *bytes, size_t n);

	/** The client has half-closed: no more input will arrive, but output can still
	 *  be sent. The last @p n bytes, which input() has not consumed, are passed
	 *  once more. NULL: the session is finished. */
	void (*end)(struct session *, const char *bytes, size_t n);

	/** All output has been sent: the service may write more. Called again when that
	 *  is sent, until a call writes nothing. */
	void (*drained)(struct session *);

	/** The deadline of session_deadline() has passed. */
	void (*expired)(struct session *);

	/** The operator sent SIGHUP: reopen files by their names, above all a log.
	 *  Called in every process of the server, while other threads may use the old
	 *  files. NULL: SIGHUP ends the server, which is its default action. */
	void (*reopen)(void);

	/**
	 * For a service that also accepts datagrams (-u): one has arrived, of @p n
	 * bytes, possibly 0. All output of this call is one datagram in reply; no
	 * output, no reply. A session is one peer, as long as the server remembers it.
	 * Of the other functions only close is called.
	 */
	void (*datagram)(struct session *, const char *bytes, size_t n);

	/** For a service whose clients share state (hub.h); else NULL. */
	const struct hub_service *hub;

	/** The session is over, for any reason: releases what the state owns. */
	void (*close)(struct session *);
};

/** The service of this program: server/selected.c. */
extern const struct service *const selected_service;

#endif
