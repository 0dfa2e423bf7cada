/*
 * words - splits a line into words in place, and quotes words.
 *
 * Unquoting only shortens a word, so the result is written over the line, without
 * allocating memory. A parser may be given any bytes; wrong quotes are an error, never
 * guessed.
 */
#include "common/words.h"

#include <stdbool.h>
#include <string.h>

/* Read and write positions; the write position never passes the read position. */
struct place {
	char *from, *end, *to;
};

static const char *take_quoted(struct place *place)
{
	place->from++;
	while (place->from < place->end && *place->from != '"') {
		if (*place->from == '\\') {
			place->from++;
			if (place->from == place->end ||
			    (*place->from != '"' && *place->from != '\\'))
				return "in quotes a backslash must precede \" or \\";
		}
		*place->to++ = *place->from++;
	}
	if (place->from == place->end)
		return "unterminated quote";
	place->from++;
	if (place->from < place->end && *place->from != ' ')
		return "no space after a closing quote";
	return NULL;
}

static const char *take_plain(struct place *place)
{
	while (place->from < place->end && *place->from != ' ') {
		if (*place->from == '"' || *place->from == '\\')
			return "a word with \" or \\ in it must be in quotes";
		*place->to++ = *place->from++;
	}
	return NULL;
}

int words_split(char *line, size_t length, char *words[], int most, const char **reason)
{
	struct place place = { line, line + length, line };
	int count = 0;

	*reason = memchr(line, '\0', length) != NULL ? "NUL byte" : NULL;
	while (*reason == NULL) {
		while (place.from < place.end && *place.from == ' ')
			place.from++;
		if (place.from == place.end)
			return count;
		if (count == most) {
			*reason = "too many words";
			break;
		}
		place.to = place.from;
		words[count++] = place.to;
		*reason = *place.from == '"' ? take_quoted(&place) : take_plain(&place);
		/* the end of the word has been read: a space, a quote or the end of
		 * the line */
		if (place.from < place.end)
			place.from++;
		*place.to = '\0';
	}
	return -1;
}

size_t words_quote(const char *word, char *out)
{
	bool quoted = *word == '\0' || strpbrk(word, " \"\\") != NULL;
	char *to = out;

	if (quoted)
		*to++ = '"';
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			*to++ = '\\';
		*to++ = *word;
	}
	if (quoted)
		*to++ = '"';
	*to = '\0';
	return (size_t)(to - out);
}
