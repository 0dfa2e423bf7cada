/*
 * markup - text for HTML and SVG.
 */
#ifndef COMMON_MARKUP_H
#define COMMON_MARKUP_H

#include <stdio.h>

/** Writes a text so that HTML and XML show it as it is, also as the value of an attribute: with
 *  escapes for < > & " and '. @param out  the stream; check it with ferror(3) */
void markup_write(const char *text, FILE *out);

#endif
