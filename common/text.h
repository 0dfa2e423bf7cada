/*
 * text - makes untrusted bytes printable, and parses numbers strictly.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/failure.h"

/**
 * Writes @p length bytes as printable ASCII: backslash, control characters, DEL and
 * bytes above 127 become \\, \n, \r, \t or \xNN. So untrusted bytes cannot move the
 * cursor or forge a log line.
 *
 * @param out   receives the text, always terminated
 * @param size  of @p out, 1 or more; a longer text is cut between two escapes and ends
 *              with "..." (if @p size is 4 or more)
 * @return the length of the text, without its NUL
 */
size_t text_escape(const void *bytes, size_t length, char *out, size_t size);

/** The same for text between double quotes: a double quote becomes \". */
size_t text_escape_quoted(const void *bytes, size_t length, char *out, size_t size);

/**
 * Replaces the escapes of C in @p text by their bytes: \n \r \t \a \b \f \v \\ \" \',
 * one to three octal digits (\0), and x with two hexadecimal digits (\x0a). The bytes may
 * contain NUL.
 *
 * @param out  receives the bytes, not terminated; must hold strlen(@p text) bytes
 * @return true with *length; false if a backslash begins none of these
 */
bool text_unescape(const char *text, char *out, size_t *length);

/**
 * Writes @p length bytes for a terminal, which shows them and obeys none: as
 * text_escape(), but newline, carriage return before a newline, tab, backslash and
 * well-formed UTF-8 (RFC 3629) above the C1 control characters are unchanged, except
 * characters that end a line or change its direction (U+2028 to U+202E, U+2066 to
 * U+2069). A carriage return or a character that is cut off at the end of @p bytes is
 * escaped.
 *
 * @param out   receives the text, not terminated; must hold 4 * @p length bytes
 * @return number of bytes written
 */
size_t text_for_terminal(const void *bytes, size_t length, char *out);

/**
 * Writes @p length bytes as a part of one line of UTF-8: a tab becomes a blank; every
 * other control character (C0, DEL, C1), line separator and direction override (U+2028
 * to U+202E, U+2066 to U+2069) becomes U+FFFD, and so does each maximal part that is
 * not well-formed (Unicode 3.9, "U+FFFD Substitution of Maximal Subparts").
 *
 * @param out  receives the text, not terminated; must hold 3 * @p length bytes
 * @return number of bytes written
 */
size_t text_one_line(const void *bytes, size_t length, char *out);

/**
 * The length of the well-formed UTF-8 character (RFC 3629, section 4) at the start of
 * @p text, which has @p length bytes.
 * @return 1 to 4 (1 is ASCII, control characters included), or 0 if there is none, if
 * it is cut off, or if @p length is 0
 */
size_t text_utf8_length(const void *text, size_t length);

/** Whether all of it is well-formed UTF-8 without control characters (C0, DEL, C1). */
bool text_is_plain(const void *text, size_t length);

/**
 * Parses a whole decimal number: only digits, no sign, blank, prefix or rest.
 * @return true with *value; false if it is none, or not from @p least to @p most
 */
bool text_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/**
 * Parses a time in seconds with at most three decimals ("60", "0.5").
 * @param most_seconds  at most INT64_MAX / 1000
 * @return true with *milliseconds; false if it is none, or more than @p most_seconds
 */
bool text_seconds(const char *text, int64_t most_seconds, int64_t *milliseconds);

/**
 * Parses a size in bytes, with K, M or G (or lower case) for 2^10, 2^20, 2^30.
 * @return true with *value; false if it is none, or not from @p least to @p most
 */
bool text_size(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/** Size of the text of text_timestamp(). */
enum { TEXT_TIMESTAMP = 32 };

/**
 * Formats a time as seconds since 1970, with nine decimals if it is not a whole second
 * ("1700000000", "-0.500000000"). @return @p out
 */
const char *text_timestamp(struct timespec time, char out[TEXT_TIMESTAMP]);

/**
 * Parses such a time, with one to nine decimals or none.
 * @return true with *time; false if it is none, or out of range
 */
bool text_read_timestamp(const char *text, struct timespec *time);

#endif
