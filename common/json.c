/*
 * json - writes untrusted text as a JSON string.
 *
 * Output must be valid JSON and valid UTF-8 for any input bytes, so invalid bytes become
 * U+FFFD.
 */
#include "common/json.h"

#include <string.h>

#include "common/text.h"

/* Escapes with a letter. @return the letter, or 0 */
static char short_escape(unsigned char byte)
{
	static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *name = byte ? strchr(named, byte) : NULL;

	return name ? letters[name - named] : '\0';
}

static void write_ascii(FILE *out, unsigned char byte)
{
	char letter = short_escape(byte);

	if (letter != '\0')
		fprintf(out, "\\%c", letter);
	else if (byte < ' ' || byte == 127)
		fprintf(out, "\\u%04x", (unsigned)byte);
	else
		fputc(byte, out);
}

void json_write_string(FILE *out, const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t left = strlen(text);

	fputc('"', out);
	while (left > 0) {
		size_t n = text_utf8_length(from, left);

		if (n == 0)
			fputs("\xef\xbf\xbd", out); /* U+FFFD */
		else if (n == 1)
			write_ascii(out, from[0]);
		else if (n == 2 && from[0] == 0xc2 && from[1] < 0xa0) /* C1 control
								       * characters */
			fprintf(out, "\\u%04x", (unsigned)from[1]);
		else
			fwrite(from, 1, n, out);
		n = n > 0 ? n : 1;
		from += n;
		left -= n;
	}
	fputc('"', out);
}
