/*
 * words - a line of text as words, and a word as it stands in such a line.
 *
 * Words are separated by spaces. A word that has a space, a double quote or a backslash in
 * it, or nothing at all, stands between double quotes; in there, \" is a double quote and
 * \\ a backslash.
 */
#ifndef COMMON_WORDS_H
#define COMMON_WORDS_H

#include <stddef.h>

/**
 * Splits a line into its words, in place: each is a text in @p line then, unquoted.
 *
 * @param line    @p length bytes, without the line's end, and room for a NUL behind them
 * @param words   receives up to @p most of them
 * @param reason  receives why not, in words for a person ("a quote has no end")
 * @return how many there are, 0 or more, or -1 with *reason: quotes that are wrong, a NUL,
 *         more than @p most words
 */
int words_split(char *line, size_t length, char *words[], int most, const char **reason);

/** The room that a word of @p length bytes needs at most in a line, with a NUL. */
#define WORDS_QUOTED(length) (2 * (length) + 3)

/** Writes a word as it stands in a line, with quotes if it needs them.
 *  @param out  must hold WORDS_QUOTED() of its length @return the length written, without
 *              its NUL */
size_t words_quote(const char *word, char *out);

#endif
