/*
 * wrap - paragraphs in lines of 80 columns.
 */
#ifndef CLIENT_LIB_WRAP_H
#define CLIENT_LIB_WRAP_H

#include <stddef.h>
#include <stdio.h>

enum { WRAP_COLUMNS = 80 };

/** Prints the first @p length bytes of a text, or as many as it has, as one paragraph: its lines
 *  have at most WRAP_COLUMNS columns, and those after the first begin with @p indent blanks. A
 *  word that is longer than a line is divided. */
void wrap_print(const char *text, size_t length, size_t indent, FILE *out);

#endif
