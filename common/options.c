/*
 * options - parses command lines from a table of options, and prints the help from the same
 * table.
 *
 * getopt_long(3) is not in POSIX, but glibc, musl and the BSDs have it. Its own messages
 * are turned off, because they differ between libraries.
 */
#include "common/options.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/message.h"
#include "common/text.h"

#ifndef SOCKWAYS_VERSION
#define SOCKWAYS_VERSION "unreleased"
#endif

enum {
	NAME_TEXT = 40,
	VALUE_TEXT = 60,
	CANDIDATES_TEXT = 160,
	REASON_TEXT = 100,
	HELP_COLUMN = 30
};

static const struct option_line *find_line(const struct option_line *lines, int letter)
{
	while (lines->letter != 0 && lines->letter != letter)
		lines++;
	return lines;
}

/* "-p, --port", or "--json" without a letter. */
static const char *full_name(const struct option_line *line, char out[NAME_TEXT])
{
	if (line->letter > 0 && line->letter < OPTIONS_LETTERS_FROM)
		snprintf(out, NAME_TEXT, "-%c, --%s", line->letter, line->name);
	else
		snprintf(out, NAME_TEXT, "--%s", line->name ? line->name : "?");
	return out;
}

int options_begin(struct options *options, const struct option_line *lines, int argc,
		  char **argv)
{
	size_t count = 0, used = 0;

	memset(options, 0, sizeof *options);
	options->lines = lines;
	options->argc = argc;
	options->argv = argv;
	message_program(argv[0]);
	while (lines[count].letter != 0)
		count++;
	if (count > OPTIONS_MOST) {
		errno = E2BIG;
		return -1;
	}
	options->letters[used++] = ':'; /* getopt(3) then returns ':' for a missing
					 * argument */
	for (size_t i = 0; i < count; i++) {
		struct option *option = &options->longs[i];

		option->name = lines[i].name;
		option->has_arg = lines[i].argument ? required_argument : no_argument;
		option->val = lines[i].letter;
		if (lines[i].letter < OPTIONS_LETTERS_FROM &&
		    used + 3 < sizeof options->letters) {
			options->letters[used++] = (char)lines[i].letter;
			if (lines[i].argument != NULL)
				options->letters[used++] = ':';
		}
	}
	opterr = 0; /* no messages of getopt(3) */
	optind = 0; /* restart, also within a word */
	return 0;
}

/* An unknown long name, or an ambiguous abbreviation. */
static int describe_bad_name(const struct option_line *line, const char *word,
			     struct failure *failure)
{
	size_t length = strcspn(word, "="), dashes = length < 2 ? length : 2;
	const char *name = word + dashes;
	size_t name_length = length - dashes;
	char text[VALUE_TEXT], candidates[CANDIDATES_TEXT] = "";
	size_t used = 0;

	text_escape(word, length, text, sizeof text);
	for (; line->letter != 0 && name_length > 0; line++)
		if (strncmp(line->name, name, name_length) == 0 &&
		    used < sizeof candidates)
			used += (size_t)snprintf(candidates + used,
						 sizeof candidates - used, "%s--%s",
						 used > 0 ? ", " : "", line->name);
	if (used == 0)
		return failure_set(failure, "unknown option %s", text);
	return failure_set(failure, "ambiguous option %s: %s", text, candidates);
}

/* Describes the error of getopt_long(3). optopt is the letter of a known or unknown
 * option, or 0 for an unknown long name. Only for the last is argv[optind - 1] the
 * wrong word: a wrong letter may be in the middle of a word. */
static int describe_bad(const struct options *options, int found, struct failure *failure)
{
	const struct option_line *line = find_line(options->lines, optopt);
	const char *word =
		optind > 0 && optind <= options->argc ? options->argv[optind - 1] : "";
	char text[VALUE_TEXT], name[NAME_TEXT];

	if (line->letter != 0 && found == ':')
		return failure_set(failure, "%s needs an argument (%s)",
				   full_name(line, name), line->argument);
	if (line->letter != 0)
		return failure_set(failure, "%s takes no argument",
				   full_name(line, name));
	if (optopt == 0)
		return describe_bad_name(options->lines, word, failure);
	text_escape(&(char){ (char)optopt }, 1, text, sizeof text);
	return failure_set(failure, "unknown option -%s", text);
}

int options_next(struct options *options, struct failure *failure)
{
	int found;

	optopt = 0;
	found = getopt_long(options->argc, options->argv, options->letters,
			    options->longs, NULL);
	options->value = optarg;
	if (found == ':' || found == '?') {
		describe_bad(options, found, failure);
		found = OPTIONS_BAD;
	}
	options->first_operand = optind;
	return found == -1 ? OPTIONS_END : found;
}

int options_usage_error(const struct failure *failure)
{
	message(MESSAGE_ERROR, "%s; try '%s -h'", failure->text, message_program_name());
	return 2;
}

int options_bad_value(struct failure *failure, const struct options *options, int letter,
		      const char *reason)
{
	const struct option_line *line = find_line(options->lines, letter);
	const char *value = options->value ? options->value : "";
	char text[VALUE_TEXT], name[NAME_TEXT];

	text_escape(value, strlen(value), text, sizeof text);
	return failure_set(failure, "%s: '%s' %s", full_name(line, name), text, reason);
}

int options_number(const struct options *options, int letter, uint64_t least,
		   uint64_t most, uint64_t *value, struct failure *failure)
{
	char reason[REASON_TEXT];

	if (text_number(options->value, least, most, value))
		return 0;
	snprintf(reason, sizeof reason, "is not a number from %ju to %ju",
		 (uintmax_t)least, (uintmax_t)most);
	return options_bad_value(failure, options, letter, reason);
}

/* A decimal number with up to three places: the result is in thousandths of @p unit. */
static int take_time(const struct options *options, int letter, int64_t most,
		     int64_t *thousandths, const char *unit, const char *examples,
		     struct failure *failure)
{
	char reason[REASON_TEXT];

	if (text_seconds(options->value, most, thousandths))
		return 0;
	snprintf(reason, sizeof reason, "is not a time of 0 to %jd %s, such as %s",
		 (intmax_t)most, unit, examples);
	return options_bad_value(failure, options, letter, reason);
}

int options_seconds(const struct options *options, int letter, int64_t most_seconds,
		    int64_t *milliseconds, struct failure *failure)
{
	return take_time(options, letter, most_seconds, milliseconds, "seconds",
			 "2 or 0.5", failure);
}

int options_milliseconds(const struct options *options, int letter,
			 int64_t most_milliseconds, int64_t *microseconds,
			 struct failure *failure)
{
	return take_time(options, letter, most_milliseconds, microseconds, "milliseconds",
			 "1 or 0.05", failure);
}

int options_size(const struct options *options, int letter, uint64_t least, uint64_t most,
		 uint64_t *value, struct failure *failure)
{
	char reason[REASON_TEXT];

	if (text_size(options->value, least, most, value))
		return 0;
	snprintf(reason, sizeof reason,
		 "is not a size of %ju to %ju bytes (K, M or G may follow)",
		 (uintmax_t)least, (uintmax_t)most);
	return options_bad_value(failure, options, letter, reason);
}

static void print_line(FILE *out, const struct option_line *line)
{
	const char *help = line->help;
	int column;

	if (line->letter < OPTIONS_LETTERS_FROM)
		column = fprintf(out, "  -%c, --%s", line->letter, line->name);
	else
		column = fprintf(out, "      --%s", line->name);
	if (line->argument != NULL)
		column += fprintf(out, " %s", line->argument);
	if (column > HELP_COLUMN - 2) {
		fputc('\n', out);
		column = 0;
	}
	for (;;) {
		int length = (int)strcspn(help, "\n");

		fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", length, help);
		if (help[length] == '\0')
			break;
		help += length + 1;
		column = 0;
	}
}

void options_help(FILE *out, const char *synopsis, const char *purpose,
		  const struct option_line *lines)
{
	fprintf(out, "usage: %s %s\n%s\n\n", message_program_name(), synopsis, purpose);
	for (; lines->letter != 0; lines++)
		print_line(out, lines);
}

void options_version(FILE *out)
{
	fprintf(out, "%s (sockways) %s\n", message_program_name(), SOCKWAYS_VERSION);
}

int options_finish_output(int status)
{
	bool flushed = fflush(stdout) == 0;

	if ((flushed && !ferror(stdout)) || status != 0)
		return status;
	/* ferror(3) remembers an earlier error, but errno may have changed */
	message(MESSAGE_ERROR, "cannot write to standard output: %s",
		flushed ? "write error" : strerror(errno));
	return 1;
}

static int answer(const struct options_program *program, int letter)
{
	if (letter == 'h')
		options_help(stdout, program->synopsis, program->purpose, program->lines);
	else
		options_version(stdout);
	return options_finish_output(0);
}

int options_read(const struct options_program *program, void *settings, int argc,
		 char **argv)
{
	struct failure failure;
	struct options options;
	int letter;

	if (options_begin(&options, program->lines, argc, argv) < 0) {
		failure_set(&failure, "%s", strerror(errno));
		return options_usage_error(&failure);
	}
	while ((letter = options_next(&options, &failure)) != OPTIONS_END) {
		if (letter == 'h' || letter == 'V')
			return answer(program, letter);
		if (letter == OPTIONS_BAD ||
		    program->take(settings, &options, letter, &failure) < 0)
			return options_usage_error(&failure);
	}
	if (program->finish(settings, argc - options.first_operand,
			    argv + options.first_operand, &failure) < 0)
		return options_usage_error(&failure);
	return OPTIONS_GO_ON;
}

int options_take_shared(int letter, int *family)
{
	switch (letter) {
	case '4':
		*family = AF_INET;
		break;
	case '6':
		*family = AF_INET6;
		break;
	case 'v':
		message_set_level(MESSAGE_CLIENT);
		break;
	case 'q':
		message_set_level(MESSAGE_ERROR);
		break;
	}
	return 0;
}
