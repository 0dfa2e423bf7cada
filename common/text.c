/*
 * text - makes untrusted bytes printable, and parses numbers strictly.
 *
 * There are several kinds of output: log lines (ASCII), terminals (UTF-8 without control),
 * one line of a screen. strtol(3) and scanf(3) are not used to parse: they accept blanks,
 * signs and trailing text.
 */
#include "common/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { ESCAPE_LONGEST = sizeof "\\xNN", NANOSECONDS = 1000000000 };

static size_t escape_byte(unsigned char byte, char out[ESCAPE_LONGEST])
{
	static const char hex[] = "0123456789abcdef";
	static const char named[] = "\n\r\t\\", letters[] = "nrt\\";
	const char *name = byte ? strchr(named, byte) : NULL;

	if (name != NULL) {
		out[0] = '\\';
		out[1] = letters[name - named];
		return 2;
	}
	if (byte >= ' ' && byte < 127) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[byte >> 4];
	out[3] = hex[byte & 15];
	return 4;
}

/* quote: one more character to escape, or 0. */
static size_t escape(const void *bytes, size_t length, char quote, char *out, size_t size)
{
	static const char cut[] = "...";
	const unsigned char *from = bytes;
	size_t used = 0, safe = 0; /* safe: last position after which "..." still fits */

	for (size_t i = 0; i < length; i++) {
		char piece[ESCAPE_LONGEST];
		size_t n = escape_byte(from[i], piece);

		if (quote != 0 && piece[0] == quote) {
			piece[0] = '\\';
			piece[n++] = quote;
		}
		if (used + n >= size) {
			if (size >= sizeof cut) {
				memcpy(out + safe, cut, sizeof cut);
				return safe + sizeof cut - 1;
			}
			break;
		}
		memcpy(out + used, piece, n);
		used += n;
		if (used + sizeof cut <= size)
			safe = used;
	}
	out[used] = '\0';
	return used;
}

size_t text_escape(const void *bytes, size_t length, char *out, size_t size)
{
	return escape(bytes, length, 0, out, size);
}

size_t text_escape_quoted(const void *bytes, size_t length, char *out, size_t size)
{
	return escape(bytes, length, '"', out, size);
}

/* The value of a digit of that base; -1 for another character. */
static int digit_value(char character, int base)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit = character != '\0' ? strchr(digits, character) : NULL;
	int value = digit != NULL ? (int)(digit - digits) % 16 : base;

	return value < base ? value : -1;
}

/* Replaces the digits at *text, at least @p least and at most @p most, by a byte, and
 * moves *text past them. */
static bool take_byte(const char **text, int base, int least, int most, char *out)
{
	int value = 0, count = 0, digit;

	while (count < most && (digit = digit_value(**text, base)) >= 0) {
		value = value * base + digit;
		count++;
		++*text;
	}
	*out = (char)value;
	return count >= least && value <= UCHAR_MAX;
}

bool text_unescape(const char *text, char *out, size_t *length)
{
	static const char letters[] = "nrtabfv\\\"'", bytes[] = "\n\r\t\a\b\f\v\\\"'";
	size_t used = 0;

	while (*text != '\0') {
		const char *letter;

		if (*text != '\\') {
			out[used++] = *text++;
			continue;
		}
		text++;
		letter = *text != '\0' ? strchr(letters, *text) : NULL;
		if (letter != NULL) {
			out[used++] = bytes[letter - letters];
			text++;
		} else if (*text == 'x') {
			text++;
			if (!take_byte(&text, 16, 2, 2, &out[used++]))
				return false;
		} else if (!take_byte(&text, 8, 1, 3, &out[used++])) {
			return false;
		}
	}
	*length = used;
	return true;
}

/* Number of bytes that start a well-formed character, whose full length is *whole; 0
 * if none starts there. The second byte is restricted for some: no overlong forms,
 * no surrogates, nothing above U+10FFFF (RFC 3629, section 4). */
static size_t utf8_prefix(const unsigned char *bytes, size_t length, size_t *whole)
{
	unsigned char lead = length > 0 ? bytes[0] : 0xff;
	unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	size_t n = 1;

	*whole = lead <= 0x7f                   ? 1
		 : lead >= 0xc2 && lead <= 0xdf ? 2
		 : lead >= 0xe0 && lead <= 0xef ? 3
		 : lead >= 0xf0 && lead <= 0xf4 ? 4
						: 0;
	if (*whole == 0)
		return 0;
	for (; n < *whole && n < length && bytes[n] >= least && bytes[n] <= most; n++) {
		least = 0x80;
		most = 0xbf;
	}
	return n;
}

size_t text_utf8_length(const void *text, size_t length)
{
	size_t whole, n = utf8_prefix(text, length, &whole);

	return n == whole ? n : 0;
}

/* Characters that end a line or change its direction, so that the text reads
 * differently: U+2028 to U+202E, U+2066 to U+2069 (Unicode Standard Annex 9). */
static bool reorders(const unsigned char *bytes, size_t n)
{
	if (n != 3 || bytes[0] != 0xe2)
		return false;
	return (bytes[1] == 0x80 && bytes[2] >= 0xa8 && bytes[2] <= 0xae) ||
	       (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9);
}

/* Whether a terminal only shows the first byte, or the character of n bytes. U+0080
 * to U+009F are control characters, too. */
static bool is_shown(const unsigned char *bytes, size_t left, size_t n)
{
	if (n > 1)
		return (bytes[0] != 0xc2 || bytes[1] >= 0xa0) && !reorders(bytes, n);
	return (bytes[0] >= ' ' && bytes[0] < 127) || bytes[0] == '\n' ||
	       bytes[0] == '\t' || (bytes[0] == '\r' && left > 1 && bytes[1] == '\n');
}

size_t text_for_terminal(const void *bytes, size_t length, char *out)
{
	const unsigned char *from = bytes;
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		size_t n = text_utf8_length(from + i, length - i);

		if (n > 0 && is_shown(from + i, length - i, n)) {
			memcpy(out + used, from + i, n);
			used += n;
			i += n;
		} else {
			used += escape_byte(from[i++], out + used);
		}
	}
	return used;
}

size_t text_one_line(const void *bytes, size_t length, char *out)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const unsigned char *from = bytes;
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		size_t whole, n = utf8_prefix(from + i, length - i, &whole);

		if (from[i] == '\t') {
			out[used++] = ' ';
		} else if (n == whole && n > 0 && from[i] != '\n' && from[i] != '\r' &&
			   is_shown(from + i, length - i, n)) {
			memcpy(out + used, from + i, n);
			used += n;
		} else {
			memcpy(out + used, replacement, sizeof replacement - 1);
			used += sizeof replacement - 1;
		}
		i += n > 0 ? n : 1;
	}
	return used;
}

bool text_is_plain(const void *text, size_t length)
{
	const unsigned char *at = text;

	while (length > 0) {
		size_t n = text_utf8_length(at, length);

		if (n == 0 || (n == 1 && (*at < ' ' || *at == 127)) ||
		    (n == 2 && at[0] == 0xc2 && at[1] < 0xa0)) /* U+0080 to U+009F */
			return false;
		at += n;
		length -= n;
	}
	return true;
}

/* Parses the digits at *text and moves *text past them; false if there are none, or
 * above UINT64_MAX. */
static bool take_digits(const char **text, uint64_t *value)
{
	const char *start = *text;

	*value = 0;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		uint64_t digit = (uint64_t)(**text - '0');

		if (*value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return *text > start;
}

bool text_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	uint64_t number;

	if (!take_digits(&text, &number) || *text != '\0' || number < least ||
	    number > most)
		return false;
	*value = number;
	return true;
}

bool text_seconds(const char *text, int64_t most_seconds, int64_t *milliseconds)
{
	uint64_t whole = 0, part = 0;

	if ((*text != '.' && !take_digits(&text, &whole)) ||
	    whole > (uint64_t)most_seconds)
		return false;
	if (*text == '.') {
		uint64_t scale = 100;

		for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10) {
			if (scale == 0)
				return false;
			part += (uint64_t)(*text - '0') * scale;
		}
		if (scale == 100) /* "1." */
			return false;
	}
	if (*text != '\0' || whole * 1000 + part > (uint64_t)most_seconds * 1000)
		return false;
	*milliseconds = (int64_t)(whole * 1000 + part);
	return true;
}

bool text_size(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	static const char units[] = "kmg";
	uint64_t number;
	unsigned shift = 0;

	if (!take_digits(&text, &number))
		return false;
	if (*text != '\0') {
		const char *unit = strchr(units, *text | ('a' ^ 'A'));

		if (unit == NULL || *unit == '\0')
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
		text++;
	}
	if (*text != '\0' || number > UINT64_MAX >> shift)
		return false;
	number <<= shift;
	if (number < least || number > most)
		return false;
	*value = number;
	return true;
}

/* Before 1970 the nanoseconds count from the second before (POSIX, <time.h>); the
 * decimal number has its sign in front. */
const char *text_timestamp(struct timespec time, char out[TEXT_TIMESTAMP])
{
	bool negative = time.tv_sec < 0;
	uint64_t seconds = (uint64_t)time.tv_sec;

	if (negative) {
		seconds = 0 - seconds;
		if (time.tv_nsec > 0) {
			seconds--;
			time.tv_nsec = NANOSECONDS - time.tv_nsec;
		}
	}
	if (time.tv_nsec == 0)
		snprintf(out, TEXT_TIMESTAMP, "%s%" PRIu64, negative ? "-" : "", seconds);
	else
		snprintf(out, TEXT_TIMESTAMP, "%s%" PRIu64 ".%09ld", negative ? "-" : "",
			 seconds, time.tv_nsec);
	return out;
}

static bool take_decimals(const char **text, long *nanoseconds)
{
	long scale = NANOSECONDS;

	*nanoseconds = 0;
	if (**text != '.')
		return true;
	for (++*text; **text >= '0' && **text <= '9'; ++*text) {
		scale /= 10;
		if (scale == 0)
			return false;
		*nanoseconds += (**text - '0') * scale;
	}
	return scale < NANOSECONDS; /* not "1." */
}

bool text_read_timestamp(const char *text, struct timespec *time)
{
	bool negative = *text == '-';
	uint64_t seconds;
	int64_t whole;
	long part;

	text += negative;
	if (!take_digits(&text, &seconds) || seconds > INT64_MAX - 1 ||
	    !take_decimals(&text, &part) || *text != '\0')
		return false;
	whole = negative ? -(int64_t)seconds : (int64_t)seconds;
	if (negative && part > 0) {
		whole--;
		part = NANOSECONDS - part;
	}
	time->tv_sec = (time_t)whole;
	time->tv_nsec = part;
	return time->tv_sec == whole;
}
