/*
 * json_read - reads a JSON text (RFC 8259) into a tree of values.
 *
 * The reader is for files whose format is known and whose author is not: it accepts exactly
 * the grammar of the RFC, and it has limits (section 9 allows them).
 *
 *	struct json_tree tree;
 *
 *	if (json_read(&tree, text, length, &failure) < 0)
 *		...
 *	name = json_text(json_member(tree.root, "name"));
 *	json_free(&tree);
 */
#ifndef COMMON_JSON_READ_H
#define COMMON_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"

enum {
	JSON_BYTES = 16 * 1024 * 1024, /* of a text */
	JSON_DEPTH = 32,               /* of arrays and objects within each other */
	JSON_VALUES = 1024 * 1024,     /* in a text */
};

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/** A value. Its memory belongs to the tree. */
struct json_value {
	enum json_kind kind;
	const char *name; /* of a member of an object, UTF-8; otherwise NULL */
	union {
		double number;                  /* JSON_NUMBER; finite */
		const char *text;               /* JSON_STRING; UTF-8, ends in NUL */
		const struct json_value *first; /* JSON_ARRAY, JSON_OBJECT; NULL: empty */
	} as;
	const struct json_value *next; /* in the same array or object; NULL: the last */
};

struct json_tree {
	const struct json_value *root;
	struct json_value *values; /* private, as the rest */
	char *text;
};

/**
 * Reads @p length bytes of text, which must be one JSON value.
 *
 * Strings must be UTF-8 and must not contain NUL (\u0000), so that they are strings of C.
 * Numbers become doubles; a number beyond their range is an error. A byte order mark is an
 * error. If an object has two members of the same name, the last one counts (json_member()
 * finds it); both are in the list.
 *
 * The numeric locale must be "C", as it is in a program that does not call setlocale(3).
 *
 * @return 0, or -1 with *failure ("line 3: ..."): not JSON, beyond a limit, or out of
 * memory. After 0, json_free() frees the tree.
 */
int json_read(struct json_tree *tree, const char *text, size_t length,
	      struct failure *failure);

/** Frees a tree; all values become invalid. A zeroed tree has nothing to free. */
void json_free(struct json_tree *tree);

/** The member of that name; NULL if there is none, or if @p object is no object or NULL. */
const struct json_value *json_member(const struct json_value *object, const char *name);

/** The first element of an array, or the first member of an object; the others follow by
 *  @p next. NULL if it is empty, if @p value is of another kind, or NULL. */
const struct json_value *json_first(const struct json_value *value);

/** The text of a string; NULL if @p value is of another kind, or NULL. */
const char *json_text(const struct json_value *value);

/** The value of a number. @return false if @p value is of another kind, or NULL; *number is
 *  then unchanged */
bool json_number(const struct json_value *value, double *number);

#endif
