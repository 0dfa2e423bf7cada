/*
 * xfer_progress - the progress line of a transfer on the terminal.
 *
 * Only if standard error is a terminal; drawn at most ten times per second.
 */
#ifndef CLIENT_XFER_PROGRESS_H
#define CLIENT_XFER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XFER_NUMBER_TEXT = 24 };

/** The contents of the line. */
struct xfer_progress {
	const char *name;    /* UTF-8 without control characters */
	uint64_t size, at;   /* size of the file, and bytes transferred */
	uint64_t resumed;    /* of these: existed before */
	int64_t nanoseconds; /* since the transfer of new bytes began */
};

/** Enables the line, if standard error is a terminal. */
void xfer_progress_allow(void);

/** Whether it is enabled. */
bool xfer_progress_is_allowed(void);

/** Formats a number of bytes: "840 MB", in powers of 1000. @return @p out */
const char *xfer_bytes_text(double bytes, char out[XFER_NUMBER_TEXT]);

/** Draws the line, if that is due. */
void xfer_progress_show(const struct xfer_progress *progress);

/** Erases the line, before other output. Async-signal-safe. */
void xfer_progress_clear(void);

/**
 * Formats the line.
 *
 * @param width  columns of the terminal; the line is one shorter. Characters have one
 *               column, wide ones of East Asia two
 * @return @p out; it ends at a character boundary
 */
char *xfer_progress_text(const struct xfer_progress *progress, unsigned width, char *out,
			 size_t size);

#endif
