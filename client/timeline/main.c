/*
 * timeline - draws the trace of a server: who waited for whom, and when.
 *
 * client/trace reads the trace and makes rows of it; it also draws the SVG. This file reads the
 * options. See timeline(1).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/trace/picture.h"
#include "client/trace/svg.h"
#include "client/trace/trace_file.h"
#include "client/trace/view.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"

enum { OPTION_SVG = OPTIONS_LETTERS_FROM, OPTION_FROM, OPTION_TO };
enum { DEFAULT_WIDTH = 80, MOST_MILLISECONDS = 1000000000 };

static const struct option_line option_lines[] = {
	{ 'l', "lanes", NULL, "sort the clients by the worker that served them" },
	{ 'n', "clients", "N", "draw the first N clients only (default: all)" },
	{ OPTION_FROM, "from", "MS",
	  "begin MS milliseconds after the first event\n"
	  "(default 0)" },
	{ OPTION_TO, "to", "MS",
	  "end MS milliseconds after the first event\n"
	  "(default: the end)" },
	{ 'w', "width", "N",
	  "draw N characters wide, 40 to 1000 (default: the\n"
	  "terminal, or 80); with --svg N pixels wide, from\n"
	  "320 to 8000 (default 960)" },
	{ OPTION_SVG, "svg", NULL, "write an SVG instead of characters" },
	{ 'h', "help", NULL, "show this help" },
	{ 'V', "version", NULL, "show the version" },
	{ 0 },
};

struct command {
	bool lanes, svg;
	uint64_t clients;      /* 0: all */
	uint64_t width;        /* 0: the default */
	int64_t from, to;      /* microseconds; to: CLOCK_NEVER, the end */
	const char *file;      /* "-": standard input */
	char name[TRACE_TEXT]; /* for messages */
};

static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct command *command = context;

	switch (letter) {
	case 'l':
		command->lanes = true;
		return 0;
	case 'n':
		return options_number(options, letter, 1, TRACE_CLIENTS_MOST,
				      &command->clients, failure);
	case 'w':
		return options_number(options, letter, PICTURE_LEAST, TRACE_SVG_MOST,
				      &command->width, failure);
	case OPTION_FROM:
		return options_milliseconds(options, letter, MOST_MILLISECONDS,
					    &command->from, failure);
	case OPTION_TO:
		return options_milliseconds(options, letter, MOST_MILLISECONDS,
					    &command->to, failure);
	case OPTION_SVG:
		command->svg = true;
		return 0;
	default:
		return 0;
	}
}

/* The range of the width depends on --svg, which may follow it. */
static int check_width(const struct command *command, struct failure *failure)
{
	unsigned least = command->svg ? TRACE_SVG_LEAST : PICTURE_LEAST;
	unsigned most = command->svg ? TRACE_SVG_MOST : PICTURE_MOST;

	if (command->width == 0 || (command->width >= least && command->width <= most))
		return 0;
	return failure_set(failure, "-w, --width: %u is not a number from %u to %u",
			   (unsigned)command->width, least, most);
}

static int take_file(void *context, int count, char **operands, struct failure *failure)
{
	struct command *command = context;
	char text[TRACE_TEXT];

	if (count == 0)
		return failure_set(failure,
				   "no file: name a trace, or - for standard input");
	if (count > 1) {
		text_escape(operands[1], strlen(operands[1]), text, sizeof text);
		return failure_set(failure, "unexpected argument '%s'", text);
	}
	if (command->to <= command->from)
		return failure_set(failure, "--to: it must be greater than --from");
	command->file = operands[0];
	if (strcmp(command->file, "-") == 0)
		snprintf(command->name, sizeof command->name, "standard input");
	else
		text_escape(command->file, strlen(command->file), command->name,
			    sizeof command->name);
	return check_width(command, failure);
}

static const struct options_program program = {
	.synopsis = "[options] FILE",
	.purpose = "Draws the trace that a server has written (--trace FILE): a row for "
		   "each client.\nFILE can be - for standard input.",
	.lines = option_lines,
	.take = take_option,
	.finish = take_file,
};

static unsigned terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return DEFAULT_WIDTH;
	return size.ws_col < PICTURE_LEAST  ? PICTURE_LEAST
	       : size.ws_col > PICTURE_MOST ? PICTURE_MOST
					    : size.ws_col;
}

static int read_trace(const struct command *command, struct trace *trace,
		      struct failure *failure)
{
	bool is_input = strcmp(command->file, "-") == 0;
	FILE *file = is_input ? stdin : fopen(command->file, "r");
	int result;

	if (file == NULL)
		return failure_set(failure, "cannot open %s: %s", command->name,
				   strerror(errno));
	result = trace_read(trace, file, command->name, command->clients, failure);
	if (!is_input)
		fclose(file);
	return result;
}

/* @return 0, or -1 with errno (ENOMEM) */
static int draw(const struct command *command, const struct trace *trace)
{
	struct trace_view view;
	int64_t to = command->to == CLOCK_NEVER ? CLOCK_NEVER : command->to * 1000;
	unsigned width = (unsigned)command->width;
	int result = 0;

	if (trace_view_make(&view, trace, command->from * 1000, to, command->lanes) < 0)
		return -1;
	if (command->svg)
		result = trace_svg_write(stdout, &view,
					 width > 0 ? width : TRACE_SVG_WIDTH);
	else
		picture_write(stdout, &view, width > 0 ? width : terminal_width());
	trace_view_free(&view);
	return result;
}

int main(int argc, char **argv)
{
	struct command command = { .to = CLOCK_NEVER };
	struct failure failure;
	struct trace trace;
	int status, result;

	io_begin();
	status = options_read(&program, &command, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	if (read_trace(&command, &trace, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	result = draw(&command, &trace);
	if (result < 0)
		message(MESSAGE_ERROR, "cannot draw: %s", strerror(errno));
	trace_free(&trace);
	return options_finish_output(result < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
