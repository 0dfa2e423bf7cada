/*
 * svg - draws a view of a trace as SVG.
 */
#ifndef CLIENT_TRACE_SVG_H
#define CLIENT_TRACE_SVG_H

#include <stdio.h>

#include "client/trace/view.h"

/** The width of the drawing, in pixels: the default, and the limits. */
enum { TRACE_SVG_WIDTH = 960, TRACE_SVG_LEAST = 320, TRACE_SVG_MOST = 8000 };

/**
 * Writes one svg element, without an XML declaration: a file of its own, or a part of an HTML
 * document. It needs no other file, no script and no font. With TRACE_SVG_WIDTH a row takes at
 * most 8 KB.
 *
 * @param out    the stream; check it with ferror(3)
 * @param width  in pixels
 * @return 0, or -1 with errno (ENOMEM)
 */
int trace_svg_write(FILE *out, const struct trace_view *view, unsigned width);

#endif
