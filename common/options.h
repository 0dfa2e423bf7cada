/*
 * options - one table describes the options of a program: getopt_long(3) uses it, and
 * the help is printed from it, so both always agree.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/failure.h"

/** An option. A zeroed one ends a table. */
struct option_line {
	int letter;           /* 'p', or a value past 255 for one with a long name only */
	const char *name;     /* "port" */
	const char *argument; /* "PORT", or NULL for an option without an argument */
	const char *help;     /* its effect and default; \n starts a new line */
};

enum { OPTIONS_LETTERS_FROM = 256, OPTIONS_END = -1, OPTIONS_BAD = '?' };

/** Maximum number of options of a program. */
enum { OPTIONS_MOST = 62 };

/** State of the parsing. */
struct options {
	const struct option_line *lines;
	int argc;
	char **argv;
	const char *value; /* the argument of the option just returned, or NULL */
	int first_operand; /* after OPTIONS_END: index in argv of the first operand */
	char letters[128]; /* from here on: private to this module */
	struct option longs[OPTIONS_MOST + 1];
};

/** Starts parsing. Sets the program name of messages from argv[0].
 *  @p lines, @p argc and @p argv must outlive @p options. @return 0, or -1 with
 *  errno (E2BIG: more than OPTIONS_MOST lines) */
int options_begin(struct options *options, const struct option_line *lines, int argc,
		  char **argv);

/**
 * The next option.
 *
 * @return its letter, with options->value; OPTIONS_END after the last one; OPTIONS_BAD
 *         with *failure for an option that does not exist, lacks its argument or has one
 *         it does not take
 */
int options_next(struct options *options, struct failure *failure);

/** The command line of a program. */
struct options_program {
	const char *synopsis, *purpose;  /* for options_help() */
	const struct option_line *lines; /* 'h' and 'V' among them */

	/** Stores the current option, never 'h' or 'V', in the settings.
	 *  @return 0, or -1 with *failure */
	int (*take)(void *settings, const struct options *options, int letter,
		    struct failure *failure);

	/** After the last option: stores the operands (operands[count] is NULL) and
	 *  rejects contradictions. @return 0, or -1 with *failure */
	int (*finish)(void *settings, int count, char **operands,
		      struct failure *failure);
};

/** Result of options_read() that is no exit status: the program runs. */
enum { OPTIONS_GO_ON = -1 };

/**
 * Parses a whole command line into @p settings. -h and -V are handled as soon as they
 * are found, whatever follows them. Bad usage is reported on standard error.
 *
 * @return OPTIONS_GO_ON; or the exit status: 0 after help or version (1 if it could not
 * be written), 2 for bad usage
 */
int options_read(const struct options_program *program, void *settings, int argc,
		 char **argv);

/** Stores the options that all clients share: -4 and -6 set *family (AF_INET,
 *  AF_INET6), -v and -q set the level of messages. Other letters are ignored.
 *  @return 0 always, so that it can end options_program.take */
int options_take_shared(int letter, int *family);

/** Reports bad usage in one line on standard error, and how to get help.
 *  @return 2, the exit status for it */
int options_usage_error(const struct failure *failure);

/** Fills *failure with "-p, --port: '99999' REASON", the value escaped.
 *  @return -1 always */
int options_bad_value(struct failure *failure, const struct options *options, int letter,
		      const char *reason);

/** Parses the value of the current option as a whole number from @p least to @p most.
 *  @return 0, or -1 with *failure, which names the option, the value and the range */
int options_number(const struct options *options, int letter, uint64_t least,
		   uint64_t most, uint64_t *value, struct failure *failure);

/** The same for a time in seconds (up to @p most_seconds); the result is in
 *  milliseconds. */
int options_seconds(const struct options *options, int letter, int64_t most_seconds,
		    int64_t *milliseconds, struct failure *failure);

/** The same for a time in milliseconds (up to @p most_milliseconds), such as 1 or 0.05;
 *  the result is in microseconds. */
int options_milliseconds(const struct options *options, int letter,
			 int64_t most_milliseconds, int64_t *microseconds,
			 struct failure *failure);

/** The same for a size in bytes: 65536, 64K, 1M. */
int options_size(const struct options *options, int letter, uint64_t least, uint64_t most,
		 uint64_t *value, struct failure *failure);

/** Prints "usage: PROGRAM @p synopsis", the purpose, and the table. */
void options_help(FILE *out, const char *synopsis, const char *purpose,
		  const struct option_line *lines);

/** Prints the version line of -V. */
void options_version(FILE *out);

/** Ends a program that has written to standard output: flushes it, and reports a failed
 *  write (full disk, closed pipe).
 *  @return @p status, or 1 if @p status is 0 and the output is incomplete */
int options_finish_output(int status);

#endif
