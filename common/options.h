/*
 * options - one table tells what a program takes: getopt_long(3) parses by it, and the
 * help that -h prints is made from it, so the two cannot differ.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/failure.h"

/** One option. A table of them ends with one that is all zero. */
struct option_line {
	int letter;           /* 'p', or a value past 255 for one with a long name only */
	const char *name;     /* "port" */
	const char *argument; /* "PORT", or NULL for an option that takes none */
	const char *help;     /* what it does, with its default; \n begins a new line */
};

enum { OPTIONS_LETTERS_FROM = 256, OPTIONS_END = -1, OPTIONS_BAD = '?' };

/** The most options that a program can have. */
enum { OPTIONS_MOST = 62 };

/** Where the parsing of a command line stands. */
struct options {
	const struct option_line *lines;
	int argc;
	char **argv;
	const char *value; /* the argument of the option just returned, or NULL */
	int first_operand; /* after OPTIONS_END: index in argv of the first operand */
	char letters[128]; /* from here on: this module's own */
	struct option longs[OPTIONS_MOST + 1];
};

/** Begins to parse. Names the program for messages, by argv[0].
 *  @p lines, @p argc and @p argv must outlive @p options. @return 0, or -1 with errno
 *  (E2BIG: more than OPTIONS_MOST lines) */
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

/** Says on standard error, in one line, what is wrong with the usage and where help is.
 *  @return 2, the exit status for it */
int options_usage_error(const struct failure *failure);

/** Fills *failure with "-p, --port: '99999' REASON", the value escaped.
 *  @return -1 always */
int options_bad_value(struct failure *failure, const struct options *options, int letter,
		      const char *reason);

/** The value of the option just returned as a whole number from @p least to @p most.
 *  @return 0, or -1 with *failure, which names the option, the value and the range */
int options_number(const struct options *options, int letter, uint64_t least,
		   uint64_t most, uint64_t *value, struct failure *failure);

/** The same for a time in seconds (up to @p most_seconds), into milliseconds. */
int options_seconds(const struct options *options, int letter, int64_t most_seconds,
		    int64_t *milliseconds, struct failure *failure);

/** The same for a size in bytes: 65536, 64K, 1M. */
int options_size(const struct options *options, int letter, uint64_t least, uint64_t most,
		 uint64_t *value, struct failure *failure);

/** Prints "usage: PROGRAM @p synopsis", a line on what it is for, and the table. */
void options_help(FILE *out, const char *synopsis, const char *purpose,
		  const struct option_line *lines);

/** Prints the version line of -V. */
void options_version(FILE *out);

/** Ends a program that printed to standard output: flushes it, and turns what could not
 *  be written (a full disk, a closed pipe) into a message and a failed exit.
 *  @return @p status, or 1 if @p status is 0 and the output is not whole */
int options_finish_output(int status);

#endif
