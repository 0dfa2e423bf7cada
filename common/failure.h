/*
 * failure - an error as a value: one line that says what went wrong with what.
 *
 * A function that can fail in a way a person must understand takes a
 * `struct failure *` and fills it; who calls it decides whether the line is
 * printed, by whom, and whether the program ends. Only main() may exit.
 */
#ifndef COMMON_FAILURE_H
#define COMMON_FAILURE_H

#if defined(__GNUC__)
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))
#else
#define PRINTF_LIKE(string, first)
#endif

enum { FAILURE_TEXT = 320 };

/** One line without its newline, always terminated; long culprits are cut. */
struct failure {
	char text[FAILURE_TEXT];
};

/** Sets the line from a printf(3) format. @return -1 always, so that a caller can
 *  write `return failure_set(failure, ...)`. @p failure may be NULL: nothing is kept. */
int failure_set(struct failure *failure, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
