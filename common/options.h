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

/** What there is to say of a program's command line, and who understands it. */
struct options_program {
	const char *synopsis, *purpose;  /* for options_help() */
	const struct option_line *lines; /* 'h' and 'V' among them */

	/** Takes the option just returned, which is neither 'h' nor 'V', into the settings.
	 *  @return 0, or -1 with *failure */
	int (*take)(void *settings, const struct options *options, int letter,
		    struct failure *failure);

	/** After the last option: takes the operands, of which operands[count] is NULL, and
	 *  refuses what makes no sense together. @return 0, or -1 with *failure */
	int (*finish)(void *settings, int count, char **operands,
		      struct failure *failure);
};

/** What options_read() returns when it is the program's turn: no exit status. */
enum { OPTIONS_GO_ON = -1 };

/**
 * Reads a whole command line into @p settings, as its program says. -h and -V are answered
 * as soon as they are met, whatever stands behind them; a bad usage is told on standard
 * error.
 *
 * @return OPTIONS_GO_ON; or, when there is nothing more to do, the exit status: 0 after
 *         help or version (1 if it could not be written), 2 for a bad usage
 */
int options_read(const struct options_program *program, void *settings, int argc,
		 char **argv);

/** Takes those options that mean the same to every client: -4 and -6 say which *family
 *  (AF_INET, AF_INET6) an address has, -v and -q how much is told. Any other letter does
 *  nothing. @return 0 always, so that it can be the end of options_program.take */
int options_take_shared(int letter, int *family);

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
