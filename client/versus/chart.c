/*
 * chart - the scales of a picture.
 *
 * Ticks are 1, 2 or 5 times a power of ten, so that they can be read. A logarithmic scale has a
 * tick for each power of ten.
 */
#include "client/versus/chart.h"

#include <stdio.h>
#include <string.h>

enum { TICKS_WANTED = 5 };

/* ---- arithmetic without libm -------------------------------------------------------------- */

/* log10 of a positive number, with an error below 1e-9: libm would be one more library. A number
 * between 1 and 10 is squared again and again: each time it passes 10 is one more binary digit. */
static double log_10(double value)
{
	double result = 0, digit = .5;

	while (value >= 10) {
		value /= 10;
		result += 1;
	}
	while (value < 1) {
		value *= 10;
		result -= 1;
	}
	for (int i = 0; i < 32; i++, digit /= 2) {
		value *= value;
		if (value < 10)
			continue;
		value /= 10;
		result += digit;
	}
	return result;
}

/* The power of ten that is not above @p value, which is positive. */
static double decade_below(double value)
{
	double decade = 1;

	while (decade > value)
		decade /= 10;
	while (decade * 10 <= value)
		decade *= 10;
	return decade;
}

/* ---- scales ------------------------------------------------------------------------------- */

static void find_range(const struct chart *chart, double *least, double *most)
{
	*least = *most = 0;
	for (unsigned i = 0; i < chart->series_count; i++) {
		const struct chart_series *series = &chart->series[i];

		for (unsigned k = 0; k < series->count; k++) {
			double y = series->points[k].y;

			if (y > *most)
				*most = y;
			if (y > 0 && (*least <= 0 || y < *least))
				*least = y;
		}
	}
}

/* A step of 1, 2 or 5 times a power of ten. */
static double tick_step(double most)
{
	double step = decade_below(most / TICKS_WANTED);

	if (most / step <= 6)
		return step;
	return most / (2 * step) <= 6 ? 2 * step : 5 * step;
}

static struct chart_scale linear_scale(double most)
{
	struct chart_scale scale = { .most = most > 0 ? most : 1 };
	double step = tick_step(scale.most);

	while (scale.tick_count < CHART_TICKS) {
		double tick = step * scale.tick_count;

		scale.ticks[scale.tick_count++] = tick;
		if (tick >= most) {
			scale.most = tick > 0 ? tick : 1;
			break;
		}
	}
	return scale;
}

static struct chart_scale logarithmic_scale(double least, double most)
{
	struct chart_scale scale = { .logarithmic = true };

	if (least <= 0)
		least = most = 1;
	scale.least = decade_below(least);
	for (double tick = scale.least; scale.tick_count < CHART_TICKS; tick *= 10) {
		scale.ticks[scale.tick_count++] = tick;
		scale.most = tick;
		if (tick >= most && scale.tick_count > 1)
			break;
	}
	return scale;
}

struct chart_scale chart_y_scale(const struct chart *chart)
{
	double least, most;

	find_range(chart, &least, &most);
	return chart->logarithmic ? logarithmic_scale(least, most) : linear_scale(most);
}

double chart_on_scale(const struct chart_scale *scale, double value)
{
	double place;

	if (!scale->logarithmic)
		place = (value - scale->least) / (scale->most - scale->least);
	else if (value <= scale->least)
		place = 0;
	else
		place = log_10(value / scale->least) / log_10(scale->most / scale->least);
	return place < 0 ? 0 : place > 1 ? 1 : place;
}

double chart_x_place(const struct chart *chart, double x)
{
	double most = chart->x_count > 0 ? chart->x_values[chart->x_count - 1] : 0;

	if (!chart->by_place)
		return most > 0 ? x / most : 0;
	for (unsigned i = 0; i < chart->x_count; i++)
		if (chart->x_values[i] >= x)
			return chart->x_count > 1 ? (double)i / (chart->x_count - 1) : .5;
	return 1;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Removes the zeros at the end of the decimals. */
static void cut_zeros(char *number)
{
	size_t length = strlen(number);

	if (strchr(number, '.') == NULL)
		return;
	while (length > 0 && number[length - 1] == '0')
		number[--length] = '\0';
	if (length > 0 && number[length - 1] == '.')
		number[--length] = '\0';
}

const char *chart_number(double value, char out[CHART_NUMBER])
{
	static const char *const units[] = { "", "k", "M", "G", "T" };
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
		value /= 1000;
		unit++;
	}
	if (value > 9999) /* not a measured value */
		value = 9999;
	if (value > 0 && value < .0005) { /* not 0 */
		snprintf(out, CHART_NUMBER, "%.0e", value);
		return out;
	}
	snprintf(out, CHART_NUMBER, "%.*f",
		 value >= 99.95   ? 0
		 : value >= 9.995 ? 1
		 : value >= .0995 ? 2
				  : 3,
		 value);
	cut_zeros(out);
	strncat(out, units[unit], CHART_NUMBER - strlen(out) - 1);
	return out;
}
