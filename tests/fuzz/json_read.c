/*
 * Fuzzes the reader of JSON. What it accepts is written again, and read again: both trees must
 * be the same. So a value that is read wrong is found, too, and not only a read beyond the text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/json_read.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void give_up(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_text(const char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n)
		if ((n = text_utf8_length(text, left)) == 0)
			give_up("a string is not UTF-8");
}

static void write_string(const char *text, FILE *out)
{
	check_text(text);
	json_write_string(out, text);
}

static void write_value(const struct json_value *value, unsigned depth, FILE *out)
{
	const struct json_value *item = json_first(value);
	bool object = value->kind == JSON_OBJECT;

	if (depth > JSON_DEPTH)
		give_up("it is too deep");
	switch (value->kind) {
	case JSON_NULL:
		fputs("null", out);
		return;
	case JSON_FALSE:
		fputs("false", out);
		return;
	case JSON_TRUE:
		fputs("true", out);
		return;
	case JSON_NUMBER:
		fprintf(out, "%.17g", value->as.number);
		return;
	case JSON_STRING:
		write_string(value->as.text, out);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	fputc(object ? '{' : '[', out);
	for (; item != NULL; item = item->next) {
		if (object) {
			write_string(item->name, out);
			fputc(':', out);
		}
		write_value(item, depth + 1, out);
		fputs(item->next != NULL ? "," : "", out);
	}
	fputc(object ? '}' : ']', out);
}

static char *write_tree(const struct json_tree *tree, size_t *length)
{
	char *text = NULL;
	FILE *memory = open_memstream(&text, length);

	if (memory == NULL)
		give_up("no memory");
	write_value(tree->root, 0, memory);
	if (fclose(memory) != 0)
		give_up("no memory");
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct json_tree tree, again;
	struct failure failure;
	size_t length, length_again;
	char *text, *text_again;

	if (json_read(&tree, (const char *)input, n, &failure) < 0) {
		if (strncmp(failure.text, "line ", 5) != 0 || tree.root != NULL)
			give_up("it is refused without a line");
		return 0;
	}
	text = write_tree(&tree, &length);
	json_free(&tree);
	if (json_read(&again, text, length, &failure) < 0)
		give_up("it is refused as it is written");
	text_again = write_tree(&again, &length_again);
	json_free(&again);
	if (length != length_again || memcmp(text, text_again, length) != 0)
		give_up("it is not read as it is written");
	free(text);
	free(text_again);
	return 0;
}
