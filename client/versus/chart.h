/*
 * chart - curves over one quantity: the data of a picture, and its scales.
 *
 * chart_text.c draws it with characters, chart_svg.c as SVG.
 */
#ifndef CLIENT_VERSUS_CHART_H
#define CLIENT_VERSUS_CHART_H

#include <stdbool.h>
#include <stddef.h>

enum { CHART_SERIES = 32, CHART_POINTS = 16, CHART_TICKS = 16, CHART_NUMBER = 16 };

struct chart_point {
	double x, y;
	double low, high; /* the range of the rounds */
	bool partial;     /* not all clients were served: drawn hollow */
	bool marked;      /* drawn with a ring */
};

struct chart_series {
	const char *name;
	struct chart_point points[CHART_POINTS]; /* in the order of x */
	unsigned count;
};

struct chart {
	const char *name;  /* a word, unique in a page: "clients-rate" */
	const char *title; /* a line */
	const char *x_label, *y_label;
	bool by_place;    /* the values of x are at equal distances; else x is linear */
	bool logarithmic; /* y; else it is linear and begins at 0 */
	double x_values[CHART_POINTS]; /* all values of x, ascending */
	unsigned x_count;
	struct chart_series series[CHART_SERIES];
	unsigned series_count;
};

/** The scale of an axis. */
struct chart_scale {
	double least, most;
	double ticks[CHART_TICKS]; /* ascending, within the scale */
	unsigned tick_count;
	bool logarithmic;
};

/** The scale of y: from 0, or for a logarithm from a power of ten, up to a tick above the
 *  largest value. */
struct chart_scale chart_y_scale(const struct chart *chart);

/** Where a value is on the scale: 0 at the least, 1 at the most. */
double chart_on_scale(const struct chart_scale *scale, double value);

/** Where x is, from 0 to 1. */
double chart_x_place(const struct chart *chart, double x);

/** Writes a number for an axis or a cell, with three digits: "950", "12.5k", "1M", "0.36".
 *  @return @p out */
const char *chart_number(double value, char out[CHART_NUMBER]);

#endif
