/*
 * xfer_report - one line on standard error per failed file (per file with -v), or one
 * entry of a JSON object on standard output.
 */
#ifndef CLIENT_XFER_REPORT_H
#define CLIENT_XFER_REPORT_H

#include "client/xfer/xfer.h"
#include "common/failure.h"

/** Starts the JSON object, with --json. @param command  "put" */
void xfer_report_begin(const struct xfer_settings *settings, const char *command);

/** Ends the JSON object; or prints a summary, with -v, and on a terminal after a
 *  long transfer. @param transfer  the command transfers files */
void xfer_report_end(const struct xfer *xfer, bool transfer);

/** A file was transferred. Counts it. */
void xfer_report_done(struct xfer *xfer, const struct xfer_file *file);

/** A file failed. Counts it. @param lost  all further files fail, too */
void xfer_report_failed(struct xfer *xfer, const struct xfer_file *file, bool lost,
			const struct failure *failure);

/** A file was skipped on purpose. @param reason  a constant text */
void xfer_report_skipped(struct xfer *xfer, const struct xfer_file *file,
			 const char *reason);

/** The server is lost: the rest is not tried, in the folder @p of, or with "" on the
 *  command line. */
void xfer_report_rest(const char *of);

/** Prints an entry of a folder. @param folder  the entry is a folder, without a size
 *  @param path  its path from the root, without control characters */
void xfer_report_entry(struct xfer *xfer, const char *path, bool folder, uint64_t size,
		       const struct timespec *time);

/** Makes an untrusted text printable in one line: unchanged if it is UTF-8 without
 *  control characters, except by text_one_line(); otherwise escaped; cut to the
 *  size. @return @p out */
const char *xfer_show(const char *text, char out[XFER_SHOWN]);

#endif
