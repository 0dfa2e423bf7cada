/*
 * xfer - what the files of the program share.
 *
 * client/xfer/main.c reads the command line and calls one of put.c, get.c, list.c:
 *
 *     put.c ──┐                        ┌── part.c      an incomplete local file
 *     get.c ──┼── link.c               ├── progress.c  the progress line on the terminal
 *     list.c ─┘   the connection, and  ├── report.c    a line or a JSON entry for each file
 *                 when to reconnect    └── path.c      joining names
 *
 * filed(8) describes the protocol. Its lines are built and split by common/words.h.
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
	XFER_PIECE = 256 * 1024,   /* bytes of one read and one write of a file */
	XFER_NAME = NAME_MOST + 1, /* the longest name and its NUL */
	XFER_DEPTH = 100,          /* maximum depth of folders */
	XFER_SHOWN = 240,          /* bytes of a name in a message; longer ones are cut */
};

/** The outcome of an attempt or of a transfer. All but XFER_DONE come with a struct
 *  failure. */
enum xfer_outcome {
	XFER_DONE,
	XFER_CUT,     /* the connection was lost: it can be tried again */
	XFER_REFUSED, /* the server replied ERR */
	XFER_FAILED,  /* any other error of this file */
	XFER_LOST,    /* the server cannot be reached any more, or speaks another
		       * protocol: the next file would fail, too */
};

/** The options. */
struct xfer_settings {
	char host[HOST_TEXT], port[PORT_TEXT];
	int family;          /* AF_UNSPEC, AF_INET or AF_INET6 */
	const char *through; /* a command that is the connection; NULL: connect */
	int64_t timeout; /* without data, or for a whole line, in milliseconds; 0: none */
	int64_t retry_delay;  /* before the second attempt, in milliseconds */
	unsigned retries;     /* retries in a row without progress; 0: only one attempt */
	bool wait_for_server; /* at the start, wait while the server refuses */
	bool recursive, force, no_sum, no_sync, json, quiet;
	const char *directory; /* put: on the server; get: local; NULL: none */
	const char *name;      /* name of the single file at the other end, or NULL */
};

/** A file, as it appears in reports. */
struct xfer_file {
	const char
		*name; /* on the server; the local name if it has none there. Untrusted */
	const char *local;             /* path, or "-" */
	uint64_t size, moved, resumed; /* bytes: of the file; transferred; existing
				        * before */
	int64_t began;                 /* by clock_nanoseconds() */
	uint32_t sum;
	bool summed; /* both sides have this checksum */
};

struct xfer_link;

/** The state of a command. */
struct xfer {
	const struct xfer_settings *settings;
	struct xfer_link *link;
	uint64_t done, skipped, failed; /* number of files */
	uint64_t moved;                 /* bytes of files */
	int64_t began;                  /* by clock_nanoseconds() */
	bool lost;                      /* the server is lost: stop */
	char piece[XFER_PIECE];         /* buffer for bytes of files */
};

/** Uploads the local file or folder @p path. Errors are reported at once and counted
 *  in xfer->failed. */
void xfer_put(struct xfer *xfer, const char *path);

/** Downloads the file or folder @p name. Errors as in xfer_put(). */
void xfer_get(struct xfer *xfer, const char *name);

/** Lists the folder @p path; "" is the root. Errors as in xfer_put(). */
void xfer_list(struct xfer *xfer, const char *path);

#endif
