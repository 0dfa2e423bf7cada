/*
 * xfer - what the parts of the client for file transfers have in common.
 *
 * client/xfer.c reads the command line. Then
 *
 *     xfer_put.c ──┐                          ┌── xfer_part.c      a local file in the making
 *     xfer_get.c ──┼── xfer_link.c            ├── xfer_progress.c  the line on the terminal
 *     xfer_list.c ─┘   the connection, and    └── xfer_report.c    what is said of each file
 *                      when to try again
 *
 * The protocol is in filed(8), how its lines are written in common/transfer.h.
 */
#ifndef CLIENT_XFER_H
#define CLIENT_XFER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/address.h"
#include "common/name.h"

enum {
	XFER_LINE = 8192,          /* bytes of the longest request, its LF included */
	XFER_PIECE = 256 * 1024,   /* bytes that are read and written at a time */
	XFER_NAME = NAME_MOST + 1, /* the longest name and its NUL */
	XFER_DEPTH = 100,          /* folders in folders */
	XFER_SHOWN = 240,          /* a name that is shown, cut */
};

/** How an attempt, or a whole transfer, has ended. All but XFER_DONE have their line in a
 *  struct failure. */
enum xfer_outcome {
	XFER_DONE,
	XFER_CUT,     /* the connection has been lost: it can be tried again */
	XFER_REFUSED, /* the server said ERR */
	XFER_FAILED,  /* anything else is wrong with this file */
	XFER_LOST,    /* no way to the server any more, or it speaks another protocol: the
			 next file would fare no better */
};

/** What the command line says. */
struct xfer_settings {
	char host[HOST_TEXT], port[PORT_TEXT];
	int family;      /* AF_UNSPEC, AF_INET or AF_INET6 */
	int64_t timeout; /* of silence, or for a whole line, in milliseconds; 0: none */
	int64_t retry_delay; /* before the second attempt, in milliseconds */
	unsigned retries; /* attempts in a row without a byte; 0: none after the first */
	bool patient;     /* at the start, waits for a server that does not listen yet */
	bool recursive, force, no_sum, no_sync, json, quiet;
	const char *directory; /* put: at the server; get: here; NULL: none */
	const char *name; /* that the one file is to have at its other end, or NULL */
};

/** A file in transfer, as it is told of. */
struct xfer_file {
	const char
		*name; /* at the server, or the local one where there is none: anything */
	const char *local;             /* path, or "-" */
	uint64_t size, moved, resumed; /* bytes: in all; by us; that were there already */
	int64_t began;                 /* by clock_nanoseconds() */
	uint32_t sum;
	bool summed; /* sum is what both sides have */
};

struct xfer_link;

/** Everything a command needs. */
struct xfer {
	const struct xfer_settings *settings;
	struct xfer_link *link;
	uint64_t done, skipped, failed; /* files, so far */
	uint64_t moved;                 /* bytes of files, so far */
	int64_t began;                  /* by clock_nanoseconds() */
	bool lost;                      /* it is no use to go on */
	char piece[XFER_PIECE];         /* for the bytes of files */
};

/** Puts the local file or folder @p path at the server. What goes wrong is told at once, and
 *  counted in xfer->failed. */
void xfer_put(struct xfer *xfer, const char *path);

/** Gets the file or folder @p name. So, too. */
void xfer_get(struct xfer *xfer, const char *name);

/** Lists the folder @p path, or the uppermost with "". So, too. */
void xfer_list(struct xfer *xfer, const char *path);

/** A name or a text of strangers, fit for one line on a terminal: as it is if it is UTF-8
 *  without controls, but for text_one_line(), or else escaped; and cut. @return @p out */
const char *xfer_show(const char *text, char out[XFER_SHOWN]);

/** Whether the two are the same moment. */
bool xfer_same_time(const struct timespec *one, const struct timespec *other);

/** The last part of a path: behind its last '/', those at its end aside.
 *  @return @p out, which is "" where there is none, or it is "." or ".." */
const char *xfer_last_part(const char *path, char out[XFER_NAME]);

/** Joins two parts of a path by '/', the first of which may be "" or NULL.
 *  @return whether it fits */
bool xfer_join(char out[XFER_NAME], const char *folder, const char *name);

#endif
