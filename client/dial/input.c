/*
 * input - divides the input of dial -u into datagrams.
 *
 * The buffer holds one datagram of the maximum size and as much again. Of a line that is
 * too long for a datagram only the length is kept, for the error message, so memory stays
 * bounded whatever the input is.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client/dial/input.h"
#include "common/datagram.h"
#include "common/io.h"
#include "common/message.h"

void dial_input_begin(struct dial_input *input, const struct dial_settings *settings)
{
	memset(input, 0, sizeof *input);
	input->settings = settings;
	input->ended = settings->message_count > 0;
}

/* ---- reading --------------------------------------------------------------------------- */

/* Makes space in the buffer. Of a line that is too long only the length is kept, so
 * there is always space. */
static void make_space(struct dial_input *input)
{
	size_t length = input->end - input->start;

	if (length > DATAGRAM_LONGEST) {
		input->line_before += length;
		length = 0;
	}
	memmove(input->buffer, input->buffer + input->start, length);
	input->start = 0;
	input->end = length;
}

int dial_input_read(struct dial_input *input)
{
	ssize_t n;

	make_space(input);
	n = io_read(STDIN_FILENO, input->buffer + input->end,
		    sizeof input->buffer - input->end);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	input->end += (size_t)n;
	input->ended =
		n == 0 || (input->settings->whole && input->end > DATAGRAM_LONGEST);
	return 0;
}

/* ---- cutting it into datagrams --------------------------------------------------------- */

static void pass_by(struct dial_input *input, const char *what, uint64_t number,
		    size_t length, size_t longest)
{
	input->passed_by = true;
	message(MESSAGE_ERROR,
		"%s %ju not sent: it has %zu bytes, and a datagram at most %zu", what,
		(uintmax_t)number, length, longest);
}

static bool next_message(struct dial_input *input, size_t longest,
			 struct datagram *datagram)
{
	const struct dial_settings *settings = input->settings;

	while (input->messages_taken < settings->message_count) {
		datagram->bytes = settings->messages[input->messages_taken++];
		datagram->length = strlen(datagram->bytes);
		if (datagram->length <= longest)
			return true;
		pass_by(input, "message", input->messages_taken, datagram->length,
			longest);
	}
	return false;
}

/* Takes the next line, without its newline. The last line of the input may lack a
 * newline. */
static bool take_line(struct dial_input *input, struct datagram *line)
{
	const char *from = input->buffer + input->start;
	size_t left = input->end - input->start;
	const char *newline = memchr(from, '\n', left);

	if (newline == NULL && (!input->ended || left + input->line_before == 0))
		return false;
	line->bytes = from;
	line->length = newline != NULL ? (size_t)(newline - from) : left;
	input->start += line->length + (newline != NULL ? 1 : 0);
	line->length +=
		input->line_before; /* these bytes are dropped: the line is too long */
	input->line_before = 0;
	input->lines++;
	return true;
}

static bool next_line(struct dial_input *input, size_t longest, struct datagram *datagram)
{
	while (take_line(input, datagram)) {
		if (datagram->length <= longest)
			return true;
		pass_by(input, "line", input->lines, datagram->length, longest);
	}
	return false;
}

/* The whole input, with its newlines, after its end. An empty input is an empty
 * datagram. */
static bool next_whole(struct dial_input *input, size_t longest,
		       struct datagram *datagram)
{
	if (!input->ended || input->lines > 0)
		return false;
	datagram->bytes = input->buffer + input->start;
	datagram->length = input->end - input->start;
	input->lines = 1;
	if (datagram->length <= longest)
		return true;
	input->passed_by = true;
	message(MESSAGE_ERROR,
		"standard input not sent: a datagram has at most %zu bytes", longest);
	return false;
}

bool dial_input_next(struct dial_input *input, size_t longest, struct datagram *datagram)
{
	if (input->settings->message_count > 0)
		return next_message(input, longest, datagram);
	return input->settings->whole ? next_whole(input, longest, datagram)
				      : next_line(input, longest, datagram);
}
