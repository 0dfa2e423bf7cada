/*
 * json - texts of others, in JSON.
 *
 * Numbers and our own words a program prints with printf(3). A text that came from
 * elsewhere must be quoted, or whoever chose it writes the rest of the document.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdio.h>

/**
 * Writes @p text as a JSON string with its quotation marks (RFC 8259, section 7).
 *
 * What is not UTF-8 has no place in JSON (section 8.1): each byte that belongs to no
 * well-formed character becomes U+FFFD. Quotation mark, backslash and controls are
 * escaped; U+007F to U+009F need not be, but a terminal might obey them.
 *
 * @param out  the stream; ferror(3) tells if it could not be written
 */
void json_write_string(FILE *out, const char *text);

#endif
