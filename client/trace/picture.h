/*
 * picture - draws a view of a trace with the characters of a terminal.
 */
#ifndef CLIENT_TRACE_PICTURE_H
#define CLIENT_TRACE_PICTURE_H

#include <stdio.h>

#include "client/trace/view.h"

/** The width of a picture, in characters. */
enum { PICTURE_LEAST = 40, PICTURE_MOST = 1000 };

/** Writes a line for each client, @p width characters wide, and a legend.
 *  @param out  the stream; check it with ferror(3) */
void picture_write(FILE *out, const struct trace_view *view, unsigned width);

#endif
