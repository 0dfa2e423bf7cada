#include "common/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/message.h"
#include "common/text.h"

#ifndef SOCKWAYS_VERSION
#define SOCKWAYS_VERSION "unreleased"
#endif

enum { VALUE_TEXT = 60, HELP_COLUMN = 30 };

static const struct option_line *find_line(const struct option_line *lines, int letter)
{
	while (lines->letter != 0 && lines->letter != letter)
		lines++;
	return lines;
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
	options->longs = calloc(count + 1, sizeof *options->longs);
	if (options->longs == NULL)
		return -1;
	options->letters[used++] = ':'; /* a missing argument is ':', and we say so */
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
	opterr = 0; /* our own words */
	optind = 1;
	return 0;
}

/* What getopt_long stumbled on: a letter inside argv[optind], or a whole long option. */
static int describe_bad(const struct options *options, int found, struct failure *failure)
{
	const char *word =
		optind > 0 && optind <= options->argc ? options->argv[optind - 1] : "";
	const struct option_line *line = find_line(options->lines, optopt);
	char text[VALUE_TEXT];

	if (strncmp(word, "--", 2) == 0 && word[2] != '\0') {
		text_escape(word, strcspn(word, "="), text, sizeof text);
		if (found == ':')
			return failure_set(failure, "%s needs an argument", text);
		if (optopt != 0)
			return failure_set(failure, "%s takes no argument", text);
		return failure_set(failure, "unknown or ambiguous option %s", text);
	}
	if (found == ':' && line->letter != 0)
		return failure_set(failure, "-%c, --%s needs an argument (%s)", optopt,
				   line->name, line->argument);
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
	if (found == -1 || found == OPTIONS_BAD) {
		free(options->longs);
		options->longs = NULL;
		options->first_operand = optind;
	}
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
	char text[VALUE_TEXT], name[8] = "";

	if (letter < OPTIONS_LETTERS_FROM)
		snprintf(name, sizeof name, "-%c, ", letter);
	text_escape(value, strlen(value), text, sizeof text);
	return failure_set(failure, "%s--%s: '%s' %s", name,
			   line->name ? line->name : "?", text, reason);
}

int options_number(const struct options *options, int letter, uint64_t least,
		   uint64_t most, uint64_t *value, struct failure *failure)
{
	char reason[VALUE_TEXT];

	if (text_number(options->value, least, most, value))
		return 0;
	snprintf(reason, sizeof reason, "is not a number from %ju to %ju",
		 (uintmax_t)least, (uintmax_t)most);
	return options_bad_value(failure, options, letter, reason);
}

int options_seconds(const struct options *options, int letter, int64_t most_seconds,
		    int64_t *milliseconds, struct failure *failure)
{
	char reason[VALUE_TEXT];

	if (text_seconds(options->value, most_seconds, milliseconds))
		return 0;
	snprintf(reason, sizeof reason, "is not a time of 0 to %jd seconds",
		 (intmax_t)most_seconds);
	return options_bad_value(failure, options, letter, reason);
}

int options_size(const struct options *options, int letter, uint64_t least, uint64_t most,
		 uint64_t *value, struct failure *failure)
{
	char reason[VALUE_TEXT];

	if (text_size(options->value, least, most, value))
		return 0;
	snprintf(reason, sizeof reason, "is not a size of %ju to %ju bytes",
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
	bool whole = fflush(stdout) == 0 && !ferror(stdout);

	if (!whole && status == 0) {
		message(MESSAGE_ERROR, "cannot write to standard output: %s",
			strerror(errno));
		return 1;
	}
	return status;
}
