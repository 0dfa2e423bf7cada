/*
 * words - a line of text as words, and the quoting of words.
 *
 * Spaces separate words. A word that contains a space, a double quote or a backslash,
 * or is empty, stands between double quotes; inside, \" is a double quote and \\ a
 * backslash.
 */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stddef.h>

/**
 * Splits a line into words, in place: afterwards each is a terminated, unquoted text in
 * @p line.
 *
 * @param line    @p length bytes, without the line end, and space for a NUL after them
 * @param words   receives up to @p most words
 * @param reason  receives the error as text ("unterminated quote")
 * @return the number of words, 0 or more, or -1 with *reason: wrong quotes, a NUL, more
 * than @p most words
 */
int words_split(char *line, size_t length, char *words[], int most, const char **reason);

/** Maximum size of a quoted word of @p length bytes, with a NUL. */
#define WORDS_QUOTED(length) (2 * (length) + 3)

/** Writes a word, quoted if needed.
 *  @param out  must hold WORDS_QUOTED() of its length
 *  @return the length written, without its NUL */
size_t words_quote(const char *word, char *out);

#endif
