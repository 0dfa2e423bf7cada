/*
 * daytime - sends the date and time, and closes (RFC 867).
 *
 * The smallest service that speaks first. Use it to see a server close a connection.
 * Each client costs one call of strftime(3).
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/options.h"
#include "server/service.h"
#include "server/core/session.h"

enum { DAY_TEXT = 256 };

static const char *format;

/* Writes a time as in "2026-11-20T14:03:59+01:00" (ISO 8601). The %z of strftime(3)
 * has no colon. */
static size_t iso_8601(const struct tm *now, char out[DAY_TEXT])
{
	size_t n = strftime(out, DAY_TEXT - 1, "%Y-%m-%dT%H:%M:%S%z", now);

	if (n < 5)
		return n;
	memmove(out + n - 1, out + n - 2, 3);
	out[n - 2] = ':';
	return n + 1;
}

/* Writes the line without its end. @return its length; 0 if the format makes no text,
 * or more than fits */
static size_t day_text(char out[DAY_TEXT])
{
	time_t seconds = time(NULL);
	struct tm now;

	if (localtime_r(&seconds, &now) == NULL)
		return 0;
	return format ? strftime(out, DAY_TEXT, format, &now) : iso_8601(&now, out);
}

static int daytime_option(int letter, const struct options *options,
			  struct failure *failure)
{
	char text[DAY_TEXT];

	format = options->value;
	if (day_text(text) == 0)
		return options_bad_value(
			failure, options, letter,
			"makes an empty line or one longer than 255 bytes");
	return 0;
}

/* Reads the rules of the time zone, which are in a file that the sandbox closes off later. */
static int daytime_prepare(struct failure *failure)
{
	(void)failure;
	tzset();
	return 0;
}

static void send_day(struct session *session)
{
	char text[DAY_TEXT];
	size_t n = day_text(text);

	session_write(session, text, n);
	session_write(session, "\r\n", 2);
}

static void daytime_open(struct session *session)
{
	send_day(session);
	session_finish(session);
}

/* RFC 867: received data is discarded. */
static size_t daytime_input(struct session *session, const char *bytes, size_t n)
{
	(void)session;
	(void)bytes;
	return n;
}

static void daytime_datagram(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	(void)n;
	send_day(session);
}

static const struct option_line daytime_options[] = {
	{ 'f', "format", "FORMAT",
	  "format of the line, for strftime(3)\n"
	  "(default: ISO 8601, with the offset from UTC)" },
	{ 0 },
};

const struct service daytime_service = {
	.name = "daytime",
	.summary = "sends the date and time, and closes (RFC 867)",
	.port = "7013", /* RFC 867 says 13, which takes a privileged server */
	.descriptors = SERVICE_OPENS_NONE,
	.speaks_first = true,
	.options = daytime_options,
	.option = daytime_option,
	.prepare = daytime_prepare,
	.open = daytime_open,
	.input = daytime_input,
	.datagram = daytime_datagram,
};
