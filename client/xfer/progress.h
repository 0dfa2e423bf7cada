/*
 * xfer_progress - the line on the terminal that tells how far a file is.
 *
 * Only where standard error is a terminal, and drawn ten times a second at most.
 */
#ifndef CLIENT_XFER_PROGRESS_H
#define CLIENT_XFER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XFER_NUMBER_TEXT = 24 };

/** What the line tells. */
struct xfer_progress {
	const char *name;    /* UTF-8 without controls */
	uint64_t size, at;   /* bytes of the file; so many are there */
	uint64_t resumed;    /* of these, what was there before */
	int64_t nanoseconds; /* since we began with the others */
};

/** From now on there is a line, if standard error is a terminal. */
void xfer_progress_allow(void);

/** Whether there is one. */
bool xfer_progress_is_allowed(void);

/** Writes a number of bytes as people read it: "840 MB", by powers of 1000. @return @p out */
const char *xfer_bytes_text(double bytes, char out[XFER_NUMBER_TEXT]);

/** Draws it, if that is due. */
void xfer_progress_show(const struct xfer_progress *progress);

/** Takes it away, for something else is to be said. Async-signal-safe. */
void xfer_progress_clear(void);

/**
 * Writes the line.
 *
 * @param width  columns of the terminal: what is written takes one less. A character takes
 *               one, or two if it is as wide as those of East Asia
 * @return @p out; it ends at a character
 */
char *xfer_progress_text(const struct xfer_progress *progress, unsigned width, char *out,
			 size_t size);

#endif
