/*
 * chart_text - a grid of characters.
 *
 * Each series has a letter. Its points are drawn, and between them a line of dots, so that a
 * curve can be followed. The series that come last do not hide the first ones: a point that is
 * taken by another series becomes '+'.
 */
#include "client/versus/chart_text.h"

#include <ctype.h>
#include <string.h>

enum { WIDTH = 64, HEIGHT = 15, MARGIN = 8 };

struct grid {
	char cells[HEIGHT][WIDTH];
};

static int to_column(const struct chart *chart, double x)
{
	return (int)(chart_x_place(chart, x) * (WIDTH - 1) + .5);
}

static int to_row(const struct chart_scale *scale, double y)
{
	return HEIGHT - 1 - (int)(chart_on_scale(scale, y) * (HEIGHT - 1) + .5);
}

static char letter_of(unsigned series, bool partial)
{
	char letter = (char)('A' + series % 26);

	return partial ? (char)tolower(letter) : letter;
}

static void draw_line(struct grid *grid, int from_column, int from_row, int to_column_,
		      int to_row_)
{
	int steps = to_column_ - from_column;

	for (int i = 1; i < steps; i++) {
		int row = from_row + ((to_row_ - from_row) * i * 2 + steps) / (2 * steps);
		char *cell = &grid->cells[row][from_column + i];

		if (*cell == ' ')
			*cell = '.';
	}
}

static void draw_lines(struct grid *grid, const struct chart *chart,
		       const struct chart_scale *scale, const struct chart_series *series)
{
	for (unsigned i = 0; i + 1 < series->count; i++)
		draw_line(grid, to_column(chart, series->points[i].x),
			  to_row(scale, series->points[i].y),
			  to_column(chart, series->points[i + 1].x),
			  to_row(scale, series->points[i + 1].y));
}

static void draw_points(struct grid *grid, const struct chart *chart,
			const struct chart_scale *scale, unsigned number)
{
	const struct chart_series *series = &chart->series[number];

	for (unsigned i = 0; i < series->count; i++) {
		const struct chart_point *point = &series->points[i];
		char *cell =
			&grid->cells[to_row(scale, point->y)][to_column(chart, point->x)];

		*cell = *cell == ' ' || *cell == '.' ? letter_of(number, point->partial)
						     : '+';
	}
}

/* The tick of a row; "" if none is there. */
static void tick_text(const struct chart_scale *scale, int row, char text[CHART_NUMBER])
{
	text[0] = '\0';
	for (unsigned i = 0; i < scale->tick_count; i++)
		if (to_row(scale, scale->ticks[i]) == row)
			chart_number(scale->ticks[i], text);
}

/* The values of x below the axis, as many as there is space for. */
static void print_x_values(const struct chart *chart, FILE *out)
{
	char line[MARGIN + WIDTH + CHART_NUMBER + 1], number[CHART_NUMBER];
	size_t end = 0;

	memset(line, ' ', sizeof line);
	for (unsigned i = 0; i < chart->x_count; i++) {
		size_t length = strlen(chart_number(chart->x_values[i], number));
		size_t center = MARGIN + 2 + (size_t)to_column(chart, chart->x_values[i]);
		size_t at = center >= length / 2 ? center - length / 2 : 0;

		if (end > 0 && at < end + 1)
			continue;
		if (at + length >= sizeof line)
			break;
		memcpy(line + at, number, length);
		end = at + length;
	}
	fprintf(out, "%.*s\n%*s%s\n", (int)end, line,
		(int)(MARGIN + 2 + (WIDTH - (int)strlen(chart->x_label)) / 2), "",
		chart->x_label);
}

static void print_legend(const struct chart *chart, FILE *out)
{
	size_t column = MARGIN;
	bool partial = false;

	fprintf(out, "%*s", MARGIN, "");
	for (unsigned i = 0; i < chart->series_count; i++) {
		size_t length = strlen(chart->series[i].name) + 4;

		if (column > MARGIN && column + length > MARGIN + WIDTH + 6) {
			fprintf(out, "\n%*s", MARGIN, "");
			column = MARGIN;
		}
		fprintf(out, "  %c %s", letter_of(i, false), chart->series[i].name);
		column += length;
		for (unsigned k = 0; k < chart->series[i].count; k++)
			partial |= chart->series[i].points[k].partial;
	}
	fprintf(out, "\n%*s  + several%s\n", MARGIN, "",
		partial ? "; a small letter: not all clients were served" : "");
}

void chart_draw_text(const struct chart *chart, FILE *out)
{
	struct chart_scale scale = chart_y_scale(chart);
	struct grid grid;

	memset(&grid, ' ', sizeof grid);
	for (unsigned i = 0; i < chart->series_count; i++)
		draw_lines(&grid, chart, &scale, &chart->series[i]);
	for (unsigned i = 0; i < chart->series_count; i++)
		draw_points(&grid, chart, &scale, i);
	fprintf(out, "  %s%s\n", chart->y_label,
		chart->logarithmic ? " (logarithmic scale)" : "");
	for (int row = 0; row < HEIGHT; row++) {
		char tick[CHART_NUMBER];
		size_t length = WIDTH;

		while (length > 0 && grid.cells[row][length - 1] == ' ')
			length--;
		tick_text(&scale, row, tick);
		fprintf(out, "%*s %c%.*s\n", MARGIN, tick, tick[0] != '\0' ? '+' : '|',
			(int)length, grid.cells[row]);
	}
	fprintf(out, "%*s +%.*s\n", MARGIN, "", WIDTH,
		"----------------------------------------------------------------------");
	print_x_values(chart, out);
	print_legend(chart, out);
}
