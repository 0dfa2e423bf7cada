/*
 * dial - general client for TCP and UDP: sends its input to a server and prints the
 * replies.
 *
 * This file reads the options and starts one of three conversations:
 * client/lib/dial_stream.c (TCP), client/dial/datagram.c (UDP), or client/dial/repeat.c
 * (UDP, -n or -i). See dial(1).
 */
#include <signal.h>
#include <stdlib.h>

#include "client/dial/datagram.h"
#include "client/dial/repeat.h"
#include "client/lib/dial_stream.h"
#include "common/io.h"
#include "common/message.h"
#include "common/options.h"

enum {
	DEFAULT_WAIT = 10,    /* seconds */
	MOST_WAIT = 86400,    /* seconds */
	DEFAULT_INTERVAL = 1, /* second */
	OPTION_RAW = OPTIONS_LETTERS_FROM,
	OPTION_WHOLE,
	OPTION_THROUGH,
};

static const struct option_line option_lines[] = {
	{ 'm', "message", "MESSAGE",
	  "send this line instead of standard input; can be\n"
	  "given several times" },
	{ '1', "lockstep", NULL, "after each line, wait for a reply line" },
	{ 'C', "crlf", NULL, "end each line with CR LF, as HTTP and SMTP require" },
	{ 'u', "udp", NULL, "use UDP: each line, without its newline, is a\ndatagram" },
	{ OPTION_WHOLE, "whole", NULL, "with -u: all of standard input is one datagram" },
	{ 'n', "count", "COUNT",
	  "with -u: send a datagram COUNT times (0: until\n"
	  "Ctrl-C), and print loss and round-trip times, as\n"
	  "ping(8) does" },
	{ 'i', "interval", "SEC",
	  "with -n: send a datagram every SEC seconds\n"
	  "(default 1); 0: each after the previous reply" },
	{ 'w', "wait", "SEC",
	  "time limit of the connect and of each wait for the\n"
	  "server (default 10); 0: no limit" },
	{ 'R', "retry", NULL,
	  "while the connection is refused, try again for at\n"
	  "most -w seconds" },
	{ 'k', "keep-open", NULL,
	  "do not half-close at the end of the input; read\n"
	  "until the server closes" },
	{ 'N', "no-reply", NULL, "accept a server that closes without a reply" },
	{ OPTION_THROUGH, "through", "COMMAND",
	  "the standard input and output of COMMAND are the\n"
	  "connection; %h is the host, %p the port" },
	{ 'x', "hex", NULL, "print both directions as a hex dump" },
	{ OPTION_RAW, "raw", NULL, "print control characters unchanged to a terminal" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ 'v', "verbose", NULL, "print addresses, times and numbers of bytes" },
	{ 'q', "quiet", NULL, "print only errors" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

static int add_message(struct dial_settings *settings, const char *text,
		       struct failure *failure)
{
	size_t count = settings->message_count;
	const char **more = realloc(settings->messages, (count + 1) * sizeof *more);

	if (more == NULL)
		return failure_set(failure, "out of memory");
	more[count] = text;
	settings->messages = more;
	settings->message_count = count + 1;
	return 0;
}

/* @return 0, or -1 with *failure */
static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct dial_settings *settings = context;

	switch (letter) {
	case 'm':
		return add_message(settings, options->value, failure);
	case 'w':
		return options_seconds(options, letter, MOST_WAIT, &settings->timeout,
				       failure);
	case 'n':
		settings->repeat = true;
		return options_number(options, letter, 0, UINT32_MAX, &settings->count,
				      failure);
	case 'i':
		return options_seconds(options, letter, MOST_WAIT, &settings->interval,
				       failure);
	case 'u':
		settings->type = SOCK_DGRAM;
		break;
	case OPTION_WHOLE:
		settings->whole = true;
		break;
	case '1':
		settings->lockstep = true;
		break;
	case 'C':
		settings->crlf = true;
		break;
	case 'R':
		settings->retry = true;
		break;
	case 'k':
		settings->keep_open = true;
		break;
	case 'N':
		settings->no_reply = true;
		break;
	case 'x':
		settings->hex = true;
		break;
	case OPTION_THROUGH:
		settings->through = options->value;
		break;
	case OPTION_RAW:
		settings->raw = true;
		break;
	default:
		return options_take_shared(letter, &settings->family);
	}
	return 0;
}

/* Rejects options that contradict each other. @return 0, or -1 with *failure */
static int check(struct dial_settings *settings, struct failure *failure)
{
	if (settings->type != SOCK_DGRAM && settings->repeat)
		return failure_set(failure, "-n, --count needs -u");
	if (settings->type != SOCK_DGRAM && settings->whole)
		return failure_set(failure, "--whole needs -u");
	if (settings->type == SOCK_DGRAM && settings->crlf)
		return failure_set(failure, "-C, --crlf cannot be used with -u");
	if (settings->type == SOCK_DGRAM && settings->keep_open)
		return failure_set(failure, "-k, --keep-open cannot be used with -u");
	if (settings->no_reply && (settings->type == SOCK_DGRAM || settings->lockstep))
		return failure_set(failure, "-N, --no-reply cannot be used with -%c",
				   settings->lockstep ? '1' : 'u');
	if (settings->type == SOCK_DGRAM && settings->through != NULL)
		return failure_set(failure, "--through cannot be used with -u");
	if (!settings->repeat && settings->interval >= 0)
		return failure_set(failure, "-i, --interval needs -n");
	if (settings->whole && settings->message_count > 0)
		return failure_set(failure, "--whole cannot be used with -m");
	if (settings->repeat && settings->message_count > 1)
		return failure_set(failure, "-n, --count allows only one -m");
	if (settings->interval < 0)
		settings->interval = DEFAULT_INTERVAL * 1000;
	return 0;
}

/* @return 0, or -1 with *failure */
static int take_operands(void *context, int count, char **operands,
			 struct failure *failure)
{
	struct dial_settings *settings = context;

	if (check(settings, failure) < 0)
		return -1;
	if (address_operands(operands, count, settings->type, settings->host,
			     settings->port, failure) < 0)
		return -1;
	return dial_check_through(settings, failure);
}

static const struct options_program program = {
	.synopsis = "[options] HOST PORT",
	.purpose = "Sends lines to a server and prints its replies. HOST:PORT, "
		   "[IPV6]:PORT\n"
		   "and, for a UNIX-domain socket, ./FILE or @NAME are also accepted.",
	.lines = option_lines,
	.take = take_option,
	.finish = take_operands,
};

static int converse(const struct dial_settings *settings)
{
	if (settings->type == SOCK_STREAM)
		return dial_stream(settings);
	return settings->repeat ? dial_repeat(settings) : dial_datagram(settings);
}

int main(int argc, char **argv)
{
	struct dial_settings settings = {
		.type = SOCK_STREAM,
		.timeout = DEFAULT_WAIT * 1000,
		.interval = -1,
	};
	int status;

	io_begin();
	status = options_read(&program, &settings, argc, argv);
	if (status == OPTIONS_GO_ON) {
		signal(SIGPIPE, SIG_IGN); /* write(2) to a closed connection or pipe
					   * fails with EPIPE instead */
		status = converse(&settings);
	}
	free(settings.messages);
	return status;
}
