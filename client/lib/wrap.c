/*
 * wrap - prints word after word.
 */
#include "client/lib/wrap.h"

#include <string.h>

/* A blank, or the end of the paragraph. */
static size_t word_length(const char *text, size_t left)
{
	size_t length = 0;

	while (length < left && text[length] != ' ')
		length++;
	return length;
}

void wrap_print(const char *text, size_t length, size_t indent, FILE *out)
{
	size_t column = 0, left = strlen(text) < length ? strlen(text) : length;

	while (left > 0) {
		size_t word = word_length(text, left);

		if (word > WRAP_COLUMNS - indent)
			word = WRAP_COLUMNS - indent;
		if (column > 0 && column + 1 + word > WRAP_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > 0) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)word, text);
		column += word;
		text += word;
		left -= word;
		if (left > 0 && *text == ' ') {
			text++;
			left--;
		}
	}
	fputc('\n', out);
}
