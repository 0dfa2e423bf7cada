/*
 * chart_svg - a chart drawn as SVG, to stand in a page or alone in a file.
 */
#ifndef CLIENT_VERSUS_CHART_SVG_H
#define CLIENT_VERSUS_CHART_SVG_H

#include <stdio.h>

#include "client/versus/chart.h"

/** A bar, divided into parts; one part is a plain bar. */
struct chart_bar {
	const char *name;
	double parts[CHART_POINTS];
	unsigned count;
};

struct chart_bars {
	const char *name, *title; /* as those of struct chart */
	const char *description;
	const struct chart_bar *bars;
	unsigned count;
	double most; /* what a bar of full length is */
};

/** Draws the curves. @param description  for those who do not see the picture */
void chart_draw_svg(const struct chart *chart, const char *description, FILE *out);

/** Draws the bars, one below the other. */
void chart_draw_bars(const struct chart_bars *bars, FILE *out);

#endif
