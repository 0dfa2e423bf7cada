/*
 * xfer_report - what is said of each file: a line on standard error when it failed (or always,
 * with -v), or an entry of the JSON object on standard output.
 */
#ifndef CLIENT_XFER_REPORT_H
#define CLIENT_XFER_REPORT_H

#include "client/xfer/xfer.h"
#include "common/failure.h"

/** Begins the JSON object, if there is to be one. @param command  "put" */
void xfer_report_begin(const struct xfer_settings *settings, const char *command);

/** Ends it; or says in one line how much was transferred in what time, with -v, and on a
 *  terminal if it took a while. @param transfer  the command transfers files */
void xfer_report_end(const struct xfer *xfer, bool transfer);

/** A file is there as a whole. Counts it. */
void xfer_report_done(struct xfer *xfer, const struct xfer_file *file);

/** A file is not. @param lost  nor will the others be */
void xfer_report_failed(struct xfer *xfer, const struct xfer_file *file, bool lost,
			const struct failure *failure);

/** A file is passed over on purpose. @param reason  our own words */
void xfer_report_skipped(struct xfer *xfer, const struct xfer_file *file,
			 const char *reason);

/** The server is lost, and with it what is left to do: in the folder @p of, or with "" on the
 *  command line. */
void xfer_report_rest(const char *of);

/** An entry of a folder. @param folder  it is one, too: it has no size
 *  @param path  its name from the uppermost folder on, without controls */
void xfer_report_entry(struct xfer *xfer, const char *path, bool folder, uint64_t size,
		       const struct timespec *time);

/** A name or a text of strangers, fit for one line on a terminal: as it is if it is UTF-8
 *  without controls, but for text_one_line(), or else escaped; and cut. @return @p out */
const char *xfer_show(const char *text, char out[XFER_SHOWN]);

#endif
