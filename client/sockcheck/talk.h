/*
 * talk - a client of the server that is checked.
 *
 * Each function that waits ends at the latest with the time of the check. A function that
 * returns false has made the check fail, and the evidence names the client.
 */
#ifndef CLIENT_SOCKCHECK_TALK_H
#define CLIENT_SOCKCHECK_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/sockcheck/check.h"
#include "client/sockcheck/protocols.h"

enum { TALK_BUFFER = 64 * 1024 };

struct talk {
	struct check *check;
	const char *who; /* "client A" */
	int fd;          /* -1: not open */
	int hearer;      /* where replies arrive: another client, if it is a room */
	char *received;  /* TALK_BUFFER bytes, of which */
	size_t used;     /* are not taken */
	uint64_t bytes;  /* received in all */
	bool ended;      /* the server sends no more */
	bool announced;  /* the last right reply said that the server closes after it */
	int error;       /* of recv(2), or 0 */
	char reply[PROTOCOL_REPLY]; /* the last right one, if it is not longer */
	size_t reply_length;
};

/** One that is not open, and may be closed. */
#define TALK_CLOSED                                                                      \
	{                                                                                \
		.fd = -1, .hearer = -1                                                   \
	}

/** A number for a request, which no other request of this run has. */
unsigned talk_number(void);

/** Connects. In a room it waits until the two clients hear each other. */
bool talk_open(struct talk *talk, struct check *check, const char *who);

/** Waits until a client of talk_start() is connected. */
bool talk_await_connection(struct talk *talk);

/** Starts to connect, without a wait. A client of a UNIX-domain socket whose backlog is full has
 *  no descriptor yet: talk->fd is -1. @return false with errno if that fails at once, which is no
 *  failure of the check */
bool talk_start(struct talk *talk, struct check *check, const char *who);

/** For such a client: tries again. @return as talk_start() */
bool talk_start_again(struct talk *talk);

/** Sends all bytes, and receives meanwhile what comes. */
bool talk_send(struct talk *talk, const char *bytes, size_t length);

/** Sends as much as the server and the kernels take, at most @p most bytes, and reads nothing.
 *  @return how much */
size_t talk_send_until_full(struct talk *talk, const char *bytes, size_t length,
			    size_t most);

/** Whether the client's first bytes have not reached the server's kernel: where the backlog is
 *  full, it drops them, and they are sent again after a while, which becomes longer each time. */
bool talk_is_under_way(const struct talk *talk);

/** Receives what is there, without a wait. */
void talk_receive(struct talk *talk);

/** Judges what has been received, without a wait. REPLY_INCOMPLETE after the end is
 *  REPLY_WRONG. A right reply is taken. */
enum reply_state talk_look(struct talk *talk, const struct exchange *exchange);

/** Waits for a right reply. */
bool talk_reply(struct talk *talk, const struct exchange *exchange);

/** The reply was wrong, or did not come: the check fails, and says what has arrived. @return
 *  false */
bool talk_fail_reply(struct talk *talk, const struct exchange *exchange, const char *why);

/** A new request, and its reply. If the protocol ends a connection with each exchange, the
 *  connection is opened again first, unless it is new. */
bool talk_exchange(struct talk *talk);

/** Half-closes, and waits until the server closes. No bytes may arrive any more. */
bool talk_finish(struct talk *talk);

/** Waits until the server closes. No bytes may arrive any more; a reset is a failure. */
bool talk_expect_end(struct talk *talk);

/** Opens, makes an exchange, and closes: a whole client. */
bool talk_visit(struct check *check, const char *who);

/** Closes; does nothing if it is not open. */
void talk_close(struct talk *talk);

/** Closes with a reset (RST). */
void talk_reset(struct talk *talk);

#endif
