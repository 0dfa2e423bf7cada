/*
 * xfer_link - the connection to filed: requests and replies, the bytes of files, and what
 * to do when it is cut.
 *
 * A connection that was reset, ended or fell silent is made again, after a pause that grows
 * from one attempt to the next and is short again as soon as a byte of a file has moved. But
 * a server that has never been reached is not waited for: most likely the host or the port is
 * wrong.
 */
#ifndef CLIENT_XFER_LINK_H
#define CLIENT_XFER_LINK_H

#include <sys/types.h>

#include "client/xfer/xfer.h"
#include "common/failure.h"

/** Lines of replies: a name may be twice as long when it is quoted. */
enum { XFER_REPLY = 2 * XFER_LINE, XFER_WORDS = 8, XFER_CODE = 32 };

/** For callers: code. The rest is this module's own. */
struct xfer_link {
	const struct xfer_settings *settings;
	int fd;               /* -1: not connected */
	char code[XFER_CODE]; /* of the last XFER_REFUSED: "exists" */
	int64_t used;         /* when it was last begun to be used, in milliseconds */
	bool reached;         /* there has been a connection */
	bool again;           /* the file at hand was cut off before */
	uint64_t furthest;    /* byte of the file at hand that is known to be there */
	size_t start, end;    /* of what was read in advance and not taken yet */
	char input[XFER_REPLY];
	char line[XFER_REPLY + 1]; /* the last reply, taken apart */
};

/** One attempt at what is to be done over a connection that stands. */
typedef enum xfer_outcome xfer_attempt(struct xfer_link *link, void *context,
				       struct failure *failure);

/** @param link  zeroed */
void xfer_link_prepare(struct xfer_link *link, const struct xfer_settings *settings);

/** Says QUIT, if there is a connection, and closes it. */
void xfer_link_finish(struct xfer_link *link);

/** Gives a connection up on which we know no more what comes next. */
void xfer_link_drop(struct xfer_link *link);

/**
 * Attempts something, and while it ends in XFER_CUT, says so and attempts it again, as the
 * settings have it.
 *
 * @param about  the file, fit to print; "": none in particular
 * @return what the last attempt did, with *failure; XFER_LOST in place of XFER_CUT, and when
 *         no connection can be had
 */
enum xfer_outcome xfer_link_try(struct xfer_link *link, const char *about,
				xfer_attempt *attempt, void *context,
				struct failure *failure);

/** Sends a request: words that are quoted where need be, up to NULL.
 *  @return XFER_DONE, XFER_FAILED when they are too long, or XFER_CUT */
enum xfer_outcome xfer_link_request(struct xfer_link *link, const char *const words[],
				    struct failure *failure);

/**
 * Waits for a line of reply, for all of it as long as the settings have it, and takes it
 * apart.
 *
 * @param first  what its first word must be; "": anything
 * @param count  how many words there must be
 * @param words  receives them; they are there until the next call
 * @return XFER_DONE; XFER_REFUSED for ERR; XFER_LOST for anything else, and the
 *         connection is dropped; XFER_CUT
 */
enum xfer_outcome xfer_link_reply(struct xfer_link *link, const char *first, int count,
				  char *words[XFER_WORDS], struct failure *failure);

/** Sends bytes. In the middle of a file the server may object: then it is its reply that
 *  is returned. @return XFER_DONE, XFER_REFUSED, XFER_LOST or XFER_CUT */
enum xfer_outcome xfer_link_send(struct xfer_link *link, const void *bytes, size_t length,
				 struct failure *failure);

/** So many bytes of the file at hand have arrived where they should: trying again is worth
 *  while. */
void xfer_link_reached(struct xfer_link *link, uint64_t furthest);

/** Receives 1 to @p size bytes of a file. @return XFER_DONE with *got, or XFER_CUT */
enum xfer_outcome xfer_link_receive(struct xfer_link *link, void *buffer, size_t size,
				    size_t *got, struct failure *failure);

/** Says that the server does not keep to the protocol, and drops the connection. Nothing
 *  more is asked of such a server: it would go through all files with the same result.
 *  @return XFER_LOST */
enum xfer_outcome xfer_link_nonsense(struct xfer_link *link, const char *what,
				     struct failure *failure);

/** Reads a number of a reply. @return XFER_DONE, or as xfer_link_nonsense() */
enum xfer_outcome xfer_link_number(struct xfer_link *link, const char *word,
				   uint64_t most, uint64_t *value,
				   struct failure *failure);

/** Reads a time of a reply. So, too. */
enum xfer_outcome xfer_link_time(struct xfer_link *link, const char *word,
				 struct timespec *time, struct failure *failure);

/** Whether the two are the same moment. */
bool xfer_same_time(const struct timespec *one, const struct timespec *other);

#endif
