/*
 * json_read - a recursive descent parser: one function for each rule of the grammar.
 *
 * It costs two allocations, whatever the text is. The first is a copy of the text, in which
 * strings are unescaped in place: no escape is shorter than its character, and the closing
 * quotation mark makes room for the NUL. The second is an array of values. Each value but the
 * root follows a comma or an opening bracket, so counting these gives enough of them.
 *
 * The depth is limited because the stack is.
 */
#include "common/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct reader {
	char *at, *end; /* what is left of the copy; *end is NUL */
	unsigned line;  /* from 1 */
	struct json_value *values;
	size_t used, room; /* of the values */
	struct failure *failure;
};

/* ---- errors -------------------------------------------------------------------------- */

static int fail(const struct reader *reader, const char *what)
{
	return failure_set(reader->failure, "line %u: %s", reader->line, what);
}

/* Something else is at this place. */
static int fail_expected(const struct reader *reader, const char *expected)
{
	char found[16];

	if (reader->at == reader->end)
		return failure_set(reader->failure,
				   "line %u: %s expected, not the end of the text",
				   reader->line, expected);
	text_escape(reader->at, 1, found, sizeof found);
	return failure_set(reader->failure, "line %u: %s expected, not '%s'",
			   reader->line, expected, found);
}

/* ---- tokens -------------------------------------------------------------------------- */

/* A newline is only valid between tokens: here all lines are counted. */
static void skip_blanks(struct reader *reader)
{
	for (; reader->at < reader->end; reader->at++) {
		if (*reader->at == '\n')
			reader->line++;
		else if (*reader->at != ' ' && *reader->at != '\t' && *reader->at != '\r')
			return;
	}
}

/* Takes this character and the blanks after it. @return whether it is there */
static bool take(struct reader *reader, char character)
{
	if (reader->at == reader->end || *reader->at != character)
		return false;
	reader->at++;
	skip_blanks(reader);
	return true;
}

static bool take_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(reader->end - reader->at) < length ||
	    memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* ---- numbers ------------------------------------------------------------------------- */

/* @return the first byte that is no digit; the NUL at the end is none */
static char *skip_digits(char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

/* Section 6. strtod(3) accepts more (hexadecimal, "inf", blanks), so the syntax is checked
 * here. */
static int read_number(struct reader *reader, struct json_value *value)
{
	char *at = reader->at + (*reader->at == '-'), *digits = at;

	at = *at == '0' ? at + 1 : skip_digits(at);
	if (at == digits)
		return fail(reader, "a '-' without a digit after it");
	if (*at >= '0' && *at <= '9')
		return fail(reader, "a number with a leading 0");
	if (*at == '.') {
		digits = at + 1;
		at = skip_digits(digits);
		if (at == digits)
			return fail(reader, "a number without a digit after its point");
	}
	if (*at == 'e' || *at == 'E') {
		digits = at + 1 + (at[1] == '+' || at[1] == '-');
		at = skip_digits(digits);
		if (at == digits)
			return fail(reader, "a number without a digit in its exponent");
	}
	value->kind = JSON_NUMBER;
	value->as.number = strtod(reader->at, NULL);
	if (!isfinite(value->as.number))
		return fail(reader, "a number out of range");
	reader->at = at;
	return 0;
}

/* ---- strings ------------------------------------------------------------------------- */

/* Four hexadecimal digits. @return their value, or -1 */
static int32_t read_hexadecimal(const char *at, const char *end)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *digit = at[i] != '\0' ? strchr(digits, at[i]) : NULL;

		if (digit == NULL)
			return -1;
		value = value * 16 + (int32_t)((digit - digits) % 16);
	}
	return value;
}

/* RFC 3629, section 3. @return the end of the character */
static char *write_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*to++ = (char)(0xe0 | code >> 12);
		} else {
			*to++ = (char)(0xf0 | code >> 18);
			*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
}

/* After "\u". A character above U+FFFF has two escapes: a surrogate pair (section 7). */
static int read_code(struct reader *reader, char **to)
{
	int32_t code = read_hexadecimal(reader->at, reader->end), low;

	if (code < 0)
		return fail(reader, "\\u without four hexadecimal digits after it");
	if (code == 0)
		return fail(reader, "a string with \\u0000");
	reader->at += 4;
	if (code >= 0xd800 && code <= 0xdfff) {
		low = code < 0xdc00 && take_word(reader, "\\u")
			      ? read_hexadecimal(reader->at, reader->end)
			      : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(reader, "half of a surrogate pair");
		reader->at += 4;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = write_utf8(*to, (uint32_t)code);
	return 0;
}

/* After a backslash. */
static int read_escape(struct reader *reader, char **to)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (take_word(reader, "u"))
		return read_code(reader, to);
	letter = *reader->at != '\0' ? strchr(letters, *reader->at) : NULL;
	if (letter == NULL)
		return fail_expected(reader, "one of \"\\/bfnrtu after a backslash");
	reader->at++;
	*(*to)++ = meanings[letter - letters];
	return 0;
}

/* At its quotation mark; sets *text to the string, unescaped and terminated. */
static int read_string(struct reader *reader, const char **text)
{
	char *to = ++reader->at;

	*text = to;
	while (reader->at < reader->end && *reader->at != '"') {
		size_t length =
			text_utf8_length(reader->at, (size_t)(reader->end - reader->at));

		if (take_word(reader, "\\")) {
			if (read_escape(reader, &to) < 0)
				return -1;
			continue;
		}
		if (length == 0)
			return fail(reader, "a string that is not UTF-8");
		if ((unsigned char)*reader->at < ' ')
			return fail(reader, *reader->at == '\n'
						    ? "a string without its end"
						    : "a string with a control "
						      "character");
		memmove(to, reader->at, length);
		to += length;
		reader->at += length;
	}
	if (reader->at == reader->end)
		return fail(reader, "a string without its end");
	reader->at++;
	*to = '\0';
	return 0;
}

/* ---- values -------------------------------------------------------------------------- */

static int read_value(struct reader *reader, struct json_value *value, unsigned depth);

/* "NAME":, before the value of a member. */
static int read_name(struct reader *reader, const char **name)
{
	if (reader->at == reader->end || *reader->at != '"')
		return fail_expected(reader, "the name of a member in quotation marks");
	if (read_string(reader, name) < 0)
		return -1;
	skip_blanks(reader);
	return take(reader, ':') ? 0 : fail_expected(reader, "':'");
}

/* After the opening bracket: the elements of an array, or the members of an object. */
static int read_list(struct reader *reader, struct json_value *list, unsigned depth)
{
	bool object = list->kind == JSON_OBJECT;
	char closing = object ? '}' : ']';
	const struct json_value **link = &list->as.first;

	if (depth == JSON_DEPTH)
		return fail(reader, "too many arrays and objects within each other");
	if (take(reader, closing))
		return 0;
	do {
		struct json_value *value;

		if (reader->used == reader->room)
			return fail(reader, "too many values");
		value = &reader->values[reader->used++];
		*link = value;
		link = &value->next;
		if (object && read_name(reader, &value->name) < 0)
			return -1;
		if (read_value(reader, value, depth + 1) < 0)
			return -1;
	} while (take(reader, ','));
	if (!take(reader, closing))
		return fail_expected(reader, object ? "',' or '}'" : "',' or ']'");
	return 0;
}

/* A value, and the blanks after it. The value is zeroed before, so it is a null. */
static int read_value(struct reader *reader, struct json_value *value, unsigned depth)
{
	int result = 0;

	if (take(reader, '{')) {
		value->kind = JSON_OBJECT;
		return read_list(reader, value, depth);
	}
	if (take(reader, '[')) {
		value->kind = JSON_ARRAY;
		return read_list(reader, value, depth);
	}
	if (*reader->at == '"') {
		value->kind = JSON_STRING;
		result = read_string(reader, &value->as.text);
	} else if (*reader->at == '-' || (*reader->at >= '0' && *reader->at <= '9')) {
		result = read_number(reader, value);
	} else if (take_word(reader, "true")) {
		value->kind = JSON_TRUE;
	} else if (take_word(reader, "false")) {
		value->kind = JSON_FALSE;
	} else if (!take_word(reader, "null")) {
		result = fail_expected(reader, "a value");
	}
	skip_blanks(reader);
	return result;
}

/* The largest number of values that the text can have, or the limit. */
static size_t count_values(const char *text, size_t length)
{
	size_t count = 1;

	for (size_t i = 0; i < length && count < JSON_VALUES; i++)
		count += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return count;
}

static int read_text(struct reader *reader)
{
	struct json_value *root = &reader->values[reader->used++];

	skip_blanks(reader);
	if (read_value(reader, root, 0) < 0)
		return -1;
	return reader->at == reader->end ? 0
					 : fail_expected(reader, "the end of the text");
}

int json_read(struct json_tree *tree, const char *text, size_t length,
	      struct failure *failure)
{
	struct reader reader = { .line = 1, .failure = failure };

	*tree = (struct json_tree){ 0 };
	if (length > JSON_BYTES)
		return failure_set(failure, "longer than %d MiB",
				   JSON_BYTES / 1024 / 1024);
	reader.room = count_values(text, length);
	tree->text = malloc(length + 1);
	tree->values = calloc(reader.room, sizeof *tree->values);
	if (tree->text == NULL || tree->values == NULL) {
		json_free(tree);
		return failure_set(failure, "%s", strerror(ENOMEM));
	}
	memcpy(tree->text, text, length);
	tree->text[length] = '\0';
	reader.at = tree->text;
	reader.end = tree->text + length;
	reader.values = tree->values;
	if (read_text(&reader) < 0) {
		json_free(tree);
		return -1;
	}
	tree->root = tree->values;
	return 0;
}

void json_free(struct json_tree *tree)
{
	free(tree->values);
	free(tree->text);
	*tree = (struct json_tree){ 0 };
}

/* ---- the tree ------------------------------------------------------------------------ */

const struct json_value *json_first(const struct json_value *value)
{
	if (value == NULL || (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT))
		return NULL;
	return value->as.first;
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
	const struct json_value *found = NULL, *member = json_first(object);

	for (; member != NULL; member = member->next)
		if (member->name != NULL && strcmp(member->name, name) == 0)
			found = member;
	return found;
}

const char *json_text(const struct json_value *value)
{
	return value != NULL && value->kind == JSON_STRING ? value->as.text : NULL;
}

bool json_number(const struct json_value *value, double *number)
{
	if (value == NULL || value->kind != JSON_NUMBER)
		return false;
	*number = value->as.number;
	return true;
}
