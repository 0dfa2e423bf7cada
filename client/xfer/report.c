/*
 * report - one line, or one JSON entry, for each file, and a summary at the end.
 *
 * Names come from a server and may contain anything. So on a terminal they are escaped; in
 * JSON they are quoted; and only "xfer ls" into a pipe prints them unchanged.
 */
#include "client/xfer/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/xfer/progress.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/message.h"
#include "common/text.h"

enum {
	LONG_TRANSFER = 1000
}; /* milliseconds after which the summary is printed on a
			        * terminal */

static const char *before; /* the separator of the next JSON entry: "" or "," */

const char *xfer_show(const char *text, char out[XFER_SHOWN])
{
	size_t length = strlen(text), at = 0;

	if (!text_is_plain(text, length)) {
		text_escape(text, length, out, XFER_SHOWN);
		return out;
	}
	while (at < length) {
		size_t n = text_utf8_length(text + at, length - at);

		if (at + n + sizeof "..." > XFER_SHOWN)
			break;
		at += n;
	}
	at = text_one_line(text, at, out); /* the result is not longer: replaced
					    * characters have three bytes */
	snprintf(out + at, XFER_SHOWN - at, "%s", text[at] != '\0' ? "..." : "");
	return out;
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void json_member(const char *name, const char *text)
{
	printf("\"%s\":", name);
	if (text != NULL)
		json_write_string(stdout, text);
	else
		fputs("null", stdout);
}

void xfer_report_begin(const struct xfer_settings *settings, const char *command)
{
	before = "";
	if (!settings->json)
		return;
	printf("{\"command\":\"%s\",", command);
	json_member("host", settings->host);
	if (settings->port[0] != '\0') {
		putchar(',');
		json_member("port", settings->port);
	}
	fputs(",\"files\":[", stdout);
}

static double seconds_since(int64_t began)
{
	return (double)(clock_nanoseconds() - began) / 1e9;
}

static void json_end(const struct xfer *xfer)
{
	printf("],\"done\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"bytes\":%" PRIu64 ",\"seconds\":%.6f,\"complete\":%s}\n",
	       xfer->done, xfer->skipped, xfer->failed, xfer->moved,
	       seconds_since(xfer->began),
	       xfer->failed == 0 && !xfer->lost ? "true" : "false");
}

/* "52 files, 840 MB, 12 s; 1 failed, 3 skipped" */
static void print_summary(const struct xfer *xfer)
{
	double seconds = seconds_since(xfer->began);
	char bytes[XFER_NUMBER_TEXT], failed[40] = "", skipped[40] = "";

	if (xfer->failed > 0)
		snprintf(failed, sizeof failed, "; %" PRIu64 " failed", xfer->failed);
	if (xfer->skipped > 0)
		snprintf(skipped, sizeof skipped, "%s %" PRIu64 " skipped",
			 xfer->failed > 0 ? "," : ";", xfer->skipped);
	message(MESSAGE_NOTICE, "%" PRIu64 " file%s, %s, %.*f s%s%s", xfer->done,
		xfer->done == 1 ? "" : "s", xfer_bytes_text((double)xfer->moved, bytes),
		seconds < 9.95 ? 1 : 0, seconds, failed, skipped);
}

void xfer_report_end(const struct xfer *xfer, bool transfer)
{
	bool took_long = xfer_progress_is_allowed() &&
			 seconds_since(xfer->began) * 1000 >= LONG_TRANSFER;

	xfer_progress_clear();
	if (xfer->settings->json)
		json_end(xfer);
	else if (transfer && (took_long || message_wanted(MESSAGE_CLIENT)))
		print_summary(xfer);
}

static void json_file(const struct xfer_file *file, const char *status,
		      const char *reason)
{
	fputs(before, stdout);
	before = ",";
	putchar('{');
	json_member("name", file->name);
	putchar(',');
	json_member("local", file->local);
	printf(",\"status\":\"%s\"", status);
	if (reason != NULL) {
		putchar(',');
		json_member("reason", reason);
		putchar('}');
		return;
	}
	printf(",\"size\":%" PRIu64 ",\"moved\":%" PRIu64 ",\"resumed\":%" PRIu64,
	       file->size, file->moved, file->resumed);
	if (file->summed)
		printf(",\"sum\":%" PRIu32, file->sum);
	else
		fputs(",\"sum\":null", stdout);
	printf(",\"seconds\":%.6f}", seconds_since(file->began));
}

/* ---- files ------------------------------------------------------------------------------- */

/* The name that the user has given: of the two, only one. */
static const char *known_as(const struct xfer_file *file)
{
	return file->local != NULL && strcmp(file->local, "-") != 0 ? file->local
								    : file->name;
}

static void print_message(enum message_level level, const struct xfer_file *file,
			  const char *text)
{
	char shown[XFER_SHOWN];

	if (!message_wanted(level))
		return;
	xfer_progress_clear();
	message(level, "%s: %s", xfer_show(known_as(file), shown), text);
}

/* The user has requested everything, so no file was named: if the server is lost,
 * the root folder is not the reason. */
static bool is_unnamed(const struct xfer_file *file, bool lost)
{
	return lost && file->local == NULL && strcmp(file->name, "/") == 0;
}

void xfer_report_done(struct xfer *xfer, const struct xfer_file *file)
{
	char text[160], before_text[60] = "", sum[40] = "not checked";

	xfer->done++;
	xfer->moved += file->moved;
	if (xfer->settings->json)
		json_file(file, "done", NULL);
	if (!message_wanted(MESSAGE_CLIENT))
		return;
	if (file->summed)
		snprintf(sum, sizeof sum, "cksum %" PRIu32, file->sum);
	if (file->resumed > 0)
		snprintf(before_text, sizeof before_text,
			 " (%" PRIu64 " of them resumed)", file->resumed);
	snprintf(text, sizeof text, "%" PRIu64 " bytes%s, %s", file->size, before_text,
		 sum);
	print_message(MESSAGE_CLIENT, file, text);
}

void xfer_report_failed(struct xfer *xfer, const struct xfer_file *file, bool lost,
			const struct failure *failure)
{
	xfer->failed++;
	xfer->moved += file->moved;
	if (xfer->settings->json)
		json_file(file, "failed", failure->text);
	xfer->lost |= lost;
	if (!is_unnamed(file, lost)) {
		print_message(MESSAGE_ERROR, file, failure->text);
		return;
	}
	xfer_progress_clear();
	message(MESSAGE_ERROR, "%s", failure->text);
}

void xfer_report_skipped(struct xfer *xfer, const struct xfer_file *file,
			 const char *reason)
{
	char text[80];

	xfer->skipped++;
	if (xfer->settings->json)
		json_file(file, "skipped", reason);
	snprintf(text, sizeof text, "skipped: %s", reason);
	print_message(MESSAGE_NOTICE, file, text);
}

void xfer_report_rest(const char *of)
{
	char shown[XFER_SHOWN];

	message(MESSAGE_ERROR, "the remaining files%s%s were not tried",
		*of != '\0' ? " of " : "", xfer_show(of, shown));
}

/* ---- folders ----------------------------------------------------------------------------- */

static void time_text(const struct timespec *time, char out[32])
{
	struct tm broken;

	if (localtime_r(&time->tv_sec, &broken) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M", &broken) == 0)
		snprintf(out, 32, "%16s", "?");
}

static void json_entry(const char *path, bool folder, uint64_t size,
		       const struct timespec *time)
{
	char text[TEXT_TIMESTAMP];

	fputs(before, stdout);
	before = ",";
	putchar('{');
	json_member("name", path);
	printf(",\"type\":\"%s\"", folder ? "folder" : "file");
	if (!folder)
		printf(",\"size\":%" PRIu64, size);
	printf(",\"mtime\":%s}", text_timestamp(*time, text));
}

void xfer_report_entry(struct xfer *xfer, const char *path, bool folder, uint64_t size,
		       const struct timespec *time)
{
	char text[32], shown[3 * XFER_NAME];

	xfer->done++;
	if (xfer->settings->json) {
		json_entry(path, folder, size, time);
		return;
	}
	if (isatty(STDOUT_FILENO)) { /* a pipe gets the name unchanged, as from ls(1) */
		shown[text_one_line(path, strlen(path), shown)] = '\0';
		path = shown;
	}
	time_text(time, text);
	if (folder)
		printf("%12s  %s  %s/\n", "-", text, path);
	else
		printf("%12" PRIu64 "  %s  %s\n", size, text, path);
}
