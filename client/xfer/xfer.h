/*
 * xfer - what the parts of the client for file transfers have in common.
 *
 * client/xfer/main.c reads the command line. Then
 *
 *     put.c ──┐                        ┌── part.c      an incomplete local file
 *     get.c ──┼── link.c               ├── progress.c  the progress line on the terminal
 *     list.c ─┘   the connection, and  └── report.c    a line or a JSON entry for each file
 *                 when to reconnect
 *
 * The protocol is in filed(8), how its lines are written in common/transfer.h.
 */
#ifndef CLIENT_XFER_XFER_H
#define CLIENT_XFER_XFER_H

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
	bool wait_for_server; /* at the start, waits for a server that does not listen yet */
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

#endif
