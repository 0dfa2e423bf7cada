/*
 * failure - an error as a value: one line that says what failed, on what, and why.
 *
 * A function whose error a user must understand takes a `struct failure *` and fills
 * it. The caller decides whether the line is printed and whether the program ends. Only
 * main() may exit.
 */
#ifndef COMMON_FAILURE_H
#define COMMON_FAILURE_H

#if defined(__GNUC__)
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))
#else
#define PRINTF_LIKE(string, first)
#endif

enum { FAILURE_TEXT = 320 };

/** One line without its newline, always terminated; long names are cut. */
struct failure {
	char text[FAILURE_TEXT];
};

/** Sets the line from a printf(3) format. @return -1 always, for `return
 *  failure_set(failure, ...)`. @p failure may be NULL: then nothing is stored. */
int failure_set(struct failure *failure, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
