/*
 * xfer_link - the connection to filed: requests, replies, bytes of files, reconnection.
 *
 * A connection that was reset, closed or silent too long is opened again, after a delay
 * that grows with each attempt. The delay is short again after any byte of a file has
 * been transferred. A server that was never reached is not tried again: most likely the
 * host or the port is wrong.
 */
#ifndef CLIENT_XFER_LINK_H
#define CLIENT_XFER_LINK_H

#include <sys/types.h>

#include "client/lib/through.h"
#include "client/xfer/xfer.h"
#include "common/failure.h"

/** Longest reply: quoting may double the length of a name. */
enum { XFER_REPLY = 2 * XFER_LINE, XFER_WORDS = 8, XFER_CODE = 32 };

/** Callers read only code. */
struct xfer_link {
	const struct xfer_settings *settings;
	int fd;                 /* -1: not connected */
	char code[XFER_CODE];   /* code of the last XFER_REFUSED: "exists" */
	int64_t used;           /* milliseconds: start of the last request */
	struct through through; /* the command that is the connection */
	bool reached;           /* a connection was established at least once; through a
			       * command: the server has replied */
	bool again;             /* the transfer of the current file was interrupted */
	uint64_t furthest;      /* offset in the current file that was reached */
	size_t start, end;      /* unread part of the input buffer */
	char input[XFER_REPLY];
	char line[XFER_REPLY + 1]; /* the last reply, split into words */
};

/** One attempt of an operation on an established connection. */
typedef enum xfer_outcome xfer_attempt(struct xfer_link *link, void *context,
				       struct failure *failure);

/** @param link  zeroed */
void xfer_link_prepare(struct xfer_link *link, const struct xfer_settings *settings);

/** Sends QUIT, if connected, and closes. */
void xfer_link_finish(struct xfer_link *link);

/** Closes a connection whose next bytes are not known. */
void xfer_link_drop(struct xfer_link *link);

/**
 * Runs an attempt. While it ends in XFER_CUT, reports that, reconnects and runs it
 * again, as the settings say.
 *
 * @param about  the file, printable; "": none
 * @return the outcome of the last attempt, with *failure; XFER_LOST instead of
 * XFER_CUT, and if no connection is possible
 */
enum xfer_outcome xfer_link_try(struct xfer_link *link, const char *about,
				xfer_attempt *attempt, void *context,
				struct failure *failure);

/** Sends a request: words up to NULL, quoted where needed.
 *  @return XFER_DONE, XFER_FAILED if it is too long, or XFER_CUT */
enum xfer_outcome xfer_link_request(struct xfer_link *link, const char *const words[],
				    struct failure *failure);

/**
 * Reads a reply line and splits it into words. The timeout is for the whole line.
 *
 * @param first  the required first word; "": any
 * @param count  the required number of words
 * @param words  receives them; valid until the next call
 * @return XFER_DONE; XFER_REFUSED for ERR; XFER_LOST for any other reply, and the
 * connection is closed; XFER_CUT
 */
enum xfer_outcome xfer_link_reply(struct xfer_link *link, const char *first, int count,
				  char *words[XFER_WORDS], struct failure *failure);

/** Sends bytes. The server may send an error in the middle of a file: then that
 *  reply is the result. @return XFER_DONE, XFER_REFUSED, XFER_LOST or XFER_CUT */
enum xfer_outcome xfer_link_send(struct xfer_link *link, const void *bytes, size_t length,
				 struct failure *failure);

/** Records the progress in the current file: a retry is worthwhile. */
void xfer_link_reached(struct xfer_link *link, uint64_t furthest);

/** Receives 1 to @p size bytes of a file. @return XFER_DONE with *got, or XFER_CUT */
enum xfer_outcome xfer_link_receive(struct xfer_link *link, void *buffer, size_t size,
				    size_t *got, struct failure *failure);

/** Reports a violation of the protocol, and closes the connection. All further files
 *  are given up: the server would fail in the same way.
 *  @return XFER_LOST */
enum xfer_outcome xfer_link_invalid(struct xfer_link *link, const char *what,
				    struct failure *failure);

/** Parses a number of a reply. @return XFER_DONE, or as xfer_link_invalid() */
enum xfer_outcome xfer_link_number(struct xfer_link *link, const char *word,
				   uint64_t most, uint64_t *value,
				   struct failure *failure);

/** Parses a time of a reply. @return XFER_DONE, or as xfer_link_invalid() */
enum xfer_outcome xfer_link_time(struct xfer_link *link, const char *word,
				 struct timespec *time, struct failure *failure);

/** Whether both times are equal. */
bool xfer_same_time(const struct timespec *one, const struct timespec *other);

#endif
