/*
 * chat - client of chatd(8): on a terminal with a line editor, otherwise a plain filter.
 *
 * This file reads the options and chooses between client/chat/screen.c and
 * client/lib/dial_stream.c. See chat(1).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "client/chat/screen.h"
#include "client/lib/dial_stream.h"
#include "client/chat/terminal.h"
#include "common/io.h"
#include "common/local_address.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"

enum {
	DEFAULT_WAIT = 10, /* seconds */
	MOST_WAIT = 86400, /* seconds */
	OPTION_NO_RECONNECT = OPTIONS_LETTERS_FROM,
	OPTION_THROUGH,
};

static const char default_port[] = "7194"; /* default port of chatd */

static const struct option_line option_lines[] = {
	{ 'n', "nick", "NICK", "use the nickname NICK" },
	{ 'j', "join", "ROOM", "join ROOM instead of the lobby" },
	{ 't', "times", NULL, "begin each line with the time of day" },
	{ 'k', "keep-open", NULL,
	  "in a pipe: do not half-close at the end of the\n"
	  "input; read until the server closes" },
	{ OPTION_NO_RECONNECT, "no-reconnect", NULL,
	  "on a terminal: exit when the connection is lost" },
	{ 'w', "wait", "SEC",
	  "time limit of the connect, and in a pipe of each\n"
	  "wait for the server (default 10); 0: no limit" },
	{ 'R', "retry", NULL,
	  "while the first connection is refused, try again\n"
	  "for at most -w seconds" },
	{ OPTION_THROUGH, "through", "COMMAND",
	  "the standard input and output of COMMAND are the\n"
	  "connection; %h is the host, %p the port" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

/* ---- options --------------------------------------------------------------------------- */

/* Nicknames and rooms have the same syntax. @return 0, or -1 with *failure */
static int take_name(const struct options *options, int letter,
		     char name[NICKNAME_MOST + 1], struct failure *failure)
{
	size_t length = strlen(options->value);

	if (!speech_is_name(options->value, length))
		return options_bad_value(
			failure, options, letter,
			"must be 1 to 24 characters of A-Z, a-z, 0-9, - and _");
	memcpy(name, options->value, length + 1);
	return 0;
}

/* @return 0, or -1 with *failure */
static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct chat_settings *settings = context;

	switch (letter) {
	case 'n':
		return take_name(options, letter, settings->nickname, failure);
	case 'j':
		return take_name(options, letter, settings->room, failure);
	case 'w':
		return options_seconds(options, letter, MOST_WAIT,
				       &settings->dial.timeout, failure);
	case 'R':
		settings->dial.retry = true;
		break;
	case 'k':
		settings->dial.keep_open = true;
		break;
	case 't':
		settings->dial.times = true;
		break;
	case OPTION_THROUGH:
		settings->dial.through = options->value;
		break;
	case OPTION_NO_RECONNECT:
		settings->reconnect = false;
		break;
	default:
		return options_take_shared(letter, &settings->dial.family);
	}
	return 0;
}

/* HOST, HOST PORT, HOST:PORT or a UNIX-domain socket. @return 0, or -1 with *failure */
static int take_server(struct chat_settings *settings, int count, char **operands,
		       struct failure *failure)
{
	if (count == 0)
		return failure_set(failure, "HOST is missing");
	if (count > 1 || local_address_is(operands[0]))
		return address_operands(operands, count, SOCK_STREAM, settings->dial.host,
					settings->dial.port, failure);
	if (address_split(operands[0], settings->dial.host, settings->dial.port,
			  failure) < 0)
		return -1;
	if (settings->dial.port[0] == '\0')
		snprintf(settings->dial.port, sizeof settings->dial.port, "%s",
			 default_port);
	return address_check_port(settings->dial.port, SOCK_STREAM, failure);
}

/* @return 0, or -1 with *failure */
static int take_operands(void *context, int count, char **operands,
			 struct failure *failure)
{
	struct chat_settings *settings = context;

	if (take_server(settings, count, operands, failure) < 0)
		return -1;
	return dial_check_through(&settings->dial, failure);
}

static const struct options_program program = {
	.synopsis = "[options] HOST [PORT]",
	.purpose = "Client for chat servers. HOST:PORT, [IPV6]:PORT and, for a\n"
		   "UNIX-domain socket, ./FILE or @NAME are also accepted.",
	.lines = option_lines,
	.take = take_option,
	.finish = take_operands,
};

/* ---- in a pipe ------------------------------------------------------------------------- */

/* Without a terminal: a TCP conversation as in dial(1) that starts with the two
 * commands. */
static int filter(const struct chat_settings *settings)
{
	struct dial_settings dial = settings->dial;
	char commands[2 * (NICKNAME_MOST + sizeof "/join \n")] = "";
	size_t length = 0;

	if (settings->nickname[0] != '\0')
		length += (size_t)snprintf(commands, sizeof commands, "/nick %s\n",
					   settings->nickname);
	if (settings->room[0] != '\0')
		snprintf(commands + length, sizeof commands - length, "/join %s\n",
			 settings->room);
	dial.opening = commands;
	dial.chat = true;
	return dial_stream(&dial);
}

int main(int argc, char **argv)
{
	struct chat_settings settings = {
		.dial = { .type = SOCK_STREAM, .timeout = DEFAULT_WAIT * 1000 },
		.reconnect = true,
	};
	int status;

	io_begin();
	status = options_read(&program, &settings, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	signal(SIGPIPE, SIG_IGN); /* write(2) to a closed connection or pipe fails with
				   * EPIPE instead */
	return terminal_is_usable() ? chat_screen(&settings) : filter(&settings);
}
