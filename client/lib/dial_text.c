/*
 * dial_text - output of a conversation: the peer's name, hex dumps, errors of the standard
 * streams.
 *
 * Output of a datagram is written at once and may block: UDP has no flow control that a
 * slow reader could use. The TCP conversation has its own non-blocking output
 * (client/lib/dial_stream.c).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/dial_text.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/text.h"

void dial_peer_text(const struct dial_settings *settings, char peer[DIAL_PEER_TEXT])
{
	char host[DIAL_NAME_TEXT], port[DIAL_NAME_TEXT];

	text_escape(settings->host, strlen(settings->host), host, sizeof host);
	text_escape(settings->port, strlen(settings->port), port, sizeof port);
	snprintf(peer, DIAL_PEER_TEXT, port[0] != '\0' ? "%s port %s" : "%s", host, port);
}

const char *dial_reached_text(const struct dial_settings *settings,
			      const struct address *reached, char text[DIAL_PEER_TEXT])
{
	char address[ADDRESS_TEXT];

	if (reached->any.sa_family == AF_UNIX)
		dial_peer_text(settings, text);
	else
		snprintf(text, DIAL_PEER_TEXT, "%s", address_text(reached, address));
	return text;
}

double dial_milliseconds_since(int64_t nanoseconds)
{
	return (double)(clock_nanoseconds() - nanoseconds) / 1e6;
}

size_t dial_dump_row(char to[DIAL_ROW_TEXT], char direction, uint64_t offset,
		     const char *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	char *start = to;

	to += snprintf(to, DIAL_ROW_TEXT, "%c %08jx ", direction, (uintmax_t)offset);
	for (size_t i = 0; i < DIAL_ROW; i++) {
		unsigned char byte = i < count ? (unsigned char)bytes[i] : 0;

		if (i % (DIAL_ROW / 2) == 0)
			*to++ = ' ';
		*to++ = i < count ? digits[byte >> 4] : ' ';
		*to++ = i < count ? digits[byte & 15] : ' ';
		*to++ = ' ';
	}
	*to++ = ' ';
	*to++ = '|';
	for (size_t i = 0; i < count; i++)
		*to++ = bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.';
	*to++ = '|';
	*to++ = '\n';
	return (size_t)(to - start);
}

int dial_print(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = io_write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno != EAGAIN)
			return -1;
		if (n < 0 && io_wait(STDOUT_FILENO, POLLOUT, -1) < 0)
			return -1; /* EAGAIN: the descriptor was already non-blocking
				    * at the start */
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

int dial_print_datagram_dump(char direction, const char *bytes, size_t length)
{
	char row[DIAL_ROW_TEXT];
	size_t offset = 0;

	do {
		size_t left = length - offset;
		size_t count = left < DIAL_ROW ? left : DIAL_ROW;

		if (dial_print(row, dial_dump_row(row, direction, offset, bytes + offset,
						  count)) < 0)
			return -1;
		offset += count;
	} while (offset < length);
	return 0;
}

enum dial_outcome dial_input_failed(struct failure *failure)
{
	failure_set(failure, "cannot read standard input: %s", strerror(errno));
	return DIAL_FAILED;
}

enum dial_outcome dial_output_failed(struct failure *failure)
{
	if (errno == EPIPE)
		return DIAL_READER_GONE;
	failure_set(failure, "cannot write to standard output: %s", strerror(errno));
	return DIAL_FAILED;
}

void dial_end_by_sigpipe(void)
{
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}
