/*
 * text - untrusted bytes made fit to print, and numbers read strictly.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/failure.h"

/**
 * Writes @p length bytes as printable ASCII: backslash, control bytes, DEL and bytes
 * past 127 become \\, \n, \r, \t or \xNN, so that nothing a stranger sent can move
 * the cursor or forge a line of a log.
 *
 * @param out   receives the text, always terminated
 * @param size  of @p out, 1 or more; what does not fit is cut between two escapes
 *              and marked with a final "..." (where @p size is 4 or more)
 * @return the length of the text, without its NUL
 */
size_t text_escape(const void *bytes, size_t length, char *out, size_t size);

/** The same for text that stands between double quotes: one in it becomes \". */
size_t text_escape_quoted(const void *bytes, size_t length, char *out, size_t size);

/**
 * Writes @p length bytes so that a terminal shows them and obeys none of them: like
 * text_escape(), but newline, carriage return before a newline, tab, backslash and
 * well-formed UTF-8 (RFC 3629) beyond the C1 controls pass as they are, but for characters
 * that end a line or turn its direction (U+2028 to U+202E, U+2066 to U+2069). A carriage return
 * or a character that the end of @p bytes cuts off from its rest is escaped.
 *
 * @param out   receives the text, not terminated; must hold 4 * @p length bytes
 * @return how many bytes were written
 */
size_t text_for_terminal(const void *bytes, size_t length, char *out);

/**
 * Writes @p length bytes as a piece of one line of UTF-8 that does nothing but stand there:
 * a tab becomes a blank; every other control (C0, DEL, C1), line separator and override of
 * the direction (U+2028 to U+202E, U+2066 to U+2069) becomes U+FFFD, and so does each
 * maximal part of what is not well-formed (Unicode 3.9, "U+FFFD Substitution of Maximal
 * Subparts").
 *
 * @param out  receives the text, not terminated; must hold 3 * @p length bytes
 * @return how many bytes were written
 */
size_t text_one_line(const void *bytes, size_t length, char *out);

/**
 * The length of the well-formed UTF-8 character (RFC 3629, section 4) at the start of
 * @p text, of which @p length bytes are there.
 * @return 1 to 4 bytes (1 is ASCII, controls included), or 0 when there is none, when the
 *         end cuts it off, or @p length is 0
 */
size_t text_utf8_length(const void *text, size_t length);

/** Whether all of it is well-formed UTF-8 without control characters (C0, DEL, C1): a
 *  terminal shows it as it is, on one line. */
bool text_is_plain(const void *text, size_t length);

/**
 * Reads a whole number in decimal: digits only, no sign, blank, prefix or rest.
 * @return true and *value, or false when it is none or not from @p least to @p most
 */
bool text_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/**
 * Reads a time in seconds with at most three decimals ("60", "0.5").
 * @param most_seconds  at most INT64_MAX / 1000
 * @return true and *milliseconds, or false when it is none or more than @p most_seconds
 */
bool text_seconds(const char *text, int64_t most_seconds, int64_t *milliseconds);

/**
 * Reads a size in bytes, with K, M or G (lower case too) for 2^10, 2^20, 2^30.
 * @return true and *value, or false when it is none or not from @p least to @p most
 */
bool text_size(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/** The room that text_timestamp() needs. */
enum { TEXT_TIMESTAMP = 32 };

/**
 * Writes a time as seconds since 1970, with nine decimals where it is not a whole second
 * ("1700000000", "-0.500000000"). @return @p out
 */
const char *text_timestamp(struct timespec time, char out[TEXT_TIMESTAMP]);

/**
 * Reads such a time, with one to nine decimals or none.
 * @return true and *time, or false when it is none or more than a time_t holds
 */
bool text_read_timestamp(const char *text, struct timespec *time);

#endif
