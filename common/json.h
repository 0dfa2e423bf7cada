/*
 * json - untrusted text in JSON.
 *
 * Programs print numbers and constant texts with printf(3). Text from elsewhere must be
 * quoted; otherwise its author could write the rest of the document.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdio.h>

/**
 * Writes @p text as a JSON string with its quotation marks (RFC 8259, section 7).
 *
 * JSON must be UTF-8 (section 8.1): each byte outside a well-formed character becomes
 * U+FFFD. Quotation marks, backslashes and control characters are escaped; also U+007F
 * to U+009F, which a terminal might obey.
 *
 * @param out  the stream; check it with ferror(3)
 */
void json_write_string(FILE *out, const char *text);

#endif
