/*
 * waiting - what every test may need, whatever it tests: waiting for something, bytes to
 * move, text to compare.
 */
#ifndef TESTS_WAITING_H
#define TESTS_WAITING_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Milliseconds after which a thing that should happen is not going to. */
enum { PATIENCE = 10000 };

enum { TOOL_TEXT = 4096 };

/** Whether this is a build with sanitizers: slower by a factor, larger by another. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = true };
#elif defined(__has_feature)
enum { SANITIZED = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { SANITIZED = false };
#endif

/** Says that a test, or a part of one, cannot be done here, and why: "needs X". The same
 *  lack has the same words in every test: the runner prints each reason once. */
void skipped(const char *reason);

/** Looks for a program in the directories of PATH. @return its path, in @p out; or NULL */
const char *find_program(const char *program, char out[TOOL_TEXT]);

/** The same for a test that cannot be done without it: says that it is skipped. */
const char *needed_program(const char *program, char out[TOOL_TEXT]);

/** A test case of @p suite, whose tests may take as long as a sanitizer on a busy machine. */
TCase *add_case(Suite *suite, const char *name);

/** Asks every few milliseconds whether @p condition holds, @p timeout milliseconds long.
 *  @return whether it did at last; the caller says what was missing:
 *          ck_assert_msg(eventually(all_gone, &server, PATIENCE), "...") */
bool eventually(bool (*condition)(void *context), void *context, int64_t timeout);

/** Much memory for a test: @p size bytes, all 0, which stay until the process ends. In an
 *  array of that size, static or from malloc(3), a leak detector would look for pointers, at
 *  the end of each test of each suite. */
void *much_memory(size_t size);

/** @p length bytes that look random and are the same for the same @p seed: lost, doubled
 *  or swapped bytes show. */
void fill_pattern(void *bytes, size_t length, uint32_t seed);

/** Makes what HTTP says of the time the same in all answers: the value of each Date field
 *  becomes "#". */
void mask_http_dates(char *bytes, size_t length);

/** @p text must match the extended regular expression @p pattern. */
void expect_match(const char *text, const char *pattern);

/** Where the sources are, and with them man/ and tests/: $SOCKWAYS_SOURCE, or here. */
const char *source_folder(void);

#endif
