/*
 * chart_svg - curves and bars as SVG 1.1.
 *
 * Each picture carries its own style, so that it looks the same alone in a file. The colours are
 * those of Okabe and Ito, which colour-blind people can tell apart. Who sees no colours has the
 * shapes of the points, the dashes of the lines, and a name at the end of each curve. A pointer
 * on a point shows its values (the element title). Text and axes have the colour of the page.
 */
#include "client/versus/chart_svg.h"

#include <string.h>

#include "common/markup.h"

enum {
	WIDTH = 760,
	HEIGHT = 360,
	LEFT = 64,
	RIGHT = 130, /* for the names */
	TOP = 34,
	BOTTOM = 48,
	NAME_HEIGHT = 15,
	COLORS = 8,
	BAR_HEIGHT = 22,
	BAR_LEFT = 150,
	BAR_RIGHT = 60,
	NUMBER_WIDTH = 34,
};

static const char style[] =
	"<style>.ink{color:#222}.grid{stroke:currentColor;stroke-opacity:.18}"
	".axis{stroke:currentColor;fill:none}text{fill:currentColor;"
	"font:12px system-ui,sans-serif}.title{font-size:14px;font-weight:600}"
	".line{fill:none;stroke-width:2}.range{stroke-width:1;stroke-opacity:.5}"
	".hollow{fill-opacity:0}"
	".c0{stroke:#0072b2;fill:#0072b2}.c1{stroke:#d55e00;fill:#d55e00}"
	".c2{stroke:#009e73;fill:#009e73}.c3{stroke:#cc79a7;fill:#cc79a7}"
	".c4{stroke:#e69f00;fill:#e69f00}.c5{stroke:#56b4e9;fill:#56b4e9}"
	".c6{stroke:#8c564b;fill:#8c564b}.c7{stroke:#777;fill:#777}"
	".line.c0,.line.c1,.line.c2,.line.c3,.line.c4,.line.c5,.line.c6,.line.c7"
	"{fill:none}"
	"@media(prefers-color-scheme:dark){.ink{color:#ddd}"
	".c0{stroke:#4da3dc;fill:#4da3dc}.c1{stroke:#ff8c3a;fill:#ff8c3a}"
	".c2{stroke:#2fc79b;fill:#2fc79b}.c6{stroke:#c99a8f;fill:#c99a8f}"
	".c7{stroke:#aaa;fill:#aaa}}</style>\n";

static const char *const dashes[] = { "", "7 3", "2 3", "9 3 2 3" };

static void begin(const char *name, int width, int height, const char *title,
		  const char *description, FILE *out)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"%s\" role=\"img\" "
		"viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
		"aria-labelledby=\"%s-title %s-desc\">\n",
		name, width, height, width, height, name, name);
	fprintf(out, "<title id=\"%s-title\">", name);
	markup_write(title, out);
	fprintf(out, "</title>\n<desc id=\"%s-desc\">", name);
	markup_write(description, out);
	fprintf(out, "</desc>\n%s<g class=\"ink\">\n", style);
	fprintf(out, "<text class=\"title\" x=\"8\" y=\"18\">");
	markup_write(title, out);
	fprintf(out, "</text>\n");
}

static void end(FILE *out)
{
	fputs("</g>\n</svg>\n", out);
}

static double to_x(const struct chart *chart, double x)
{
	return LEFT + chart_x_place(chart, x) * (WIDTH - LEFT - RIGHT);
}

static double to_y(const struct chart_scale *scale, double y)
{
	return HEIGHT - BOTTOM - chart_on_scale(scale, y) * (HEIGHT - TOP - BOTTOM);
}

static void draw_axes(const struct chart *chart, const struct chart_scale *scale,
		      FILE *out)
{
	char number[CHART_NUMBER];
	double before = -100;

	for (unsigned i = 0; i < scale->tick_count; i++) {
		double y = to_y(scale, scale->ticks[i]);

		fprintf(out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" "
			"y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4,
			chart_number(scale->ticks[i], number));
	}
	for (unsigned i = 0; i < chart->x_count; i++) {
		double x = to_x(chart, chart->x_values[i]);

		fprintf(out, "<path class=\"grid\" d=\"M%.1f %dv4\"/>", x,
			HEIGHT - BOTTOM);
		if (x - before < 36)
			continue;
		before = x;
		fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
			x, HEIGHT - BOTTOM + 18,
			chart_number(chart->x_values[i], number));
	}
	fprintf(out, "\n<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP,
		HEIGHT - BOTTOM, WIDTH - RIGHT);
	fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
	markup_write(chart->x_label, out);
	fprintf(out,
		"</text>\n<text transform=\"translate(14 %d)rotate(-90)\" "
		"text-anchor=\"middle\">",
		(TOP + HEIGHT - BOTTOM) / 2);
	markup_write(chart->y_label, out);
	if (chart->logarithmic)
		fputs(" (logarithmic)", out);
	fputs("</text>\n", out);
}

/* A shape for each series: circle, square, triangle, diamond, triangle down, bar. */
static void draw_shape(unsigned number, double x, double y, FILE *out)
{
	static const char *const shapes[] = { "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
					      "m-3.5 -3.5h7v7h-7z",
					      "m0 -4.5l4.5 8h-9z",
					      "m0 -5l5 5l-5 5l-5 -5z",
					      "m0 4.5l4.5 -8h-9z",
					      "m-5 -2h10v4h-10z" };

	fprintf(out, "M%.1f %.1f%s", x, y,
		shapes[number % (sizeof shapes / sizeof *shapes)]);
}

static void draw_point(const struct chart *chart, const struct chart_scale *scale,
		       unsigned number, const struct chart_point *point, FILE *out)
{
	double x = to_x(chart, point->x), y = to_y(scale, point->y);
	char text[3][CHART_NUMBER];

	if (point->high > point->low)
		fprintf(out, "<path class=\"range c%u\" d=\"M%.1f %.1fV%.1f\"/>",
			number % COLORS, x, to_y(scale, point->low),
			to_y(scale, point->high));
	if (point->marked)
		fprintf(out,
			"<circle class=\"line c%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\"/>",
			number % COLORS, x, y);
	fprintf(out, "<path class=\"%sc%u\" d=\"", point->partial ? "hollow " : "",
		number % COLORS);
	draw_shape(number, x, y, out);
	fputs("\"><title>", out);
	markup_write(chart->series[number].name, out);
	fprintf(out, ", %s: %s (%s to %s)%s</title></path>\n",
		chart_number(point->x, text[0]), chart_number(point->y, text[1]),
		chart_number(point->low, text[2]),
		chart_number(point->high, (char[CHART_NUMBER]){ "" }),
		point->partial ? ", not all clients were served" : "");
}

static void draw_series(const struct chart *chart, const struct chart_scale *scale,
			unsigned number, FILE *out)
{
	const struct chart_series *series = &chart->series[number];

	fprintf(out, "<path class=\"line c%u\" stroke-dasharray=\"%s\" d=\"",
		number % COLORS, dashes[number / 2 % (sizeof dashes / sizeof *dashes)]);
	for (unsigned i = 0; i < series->count; i++)
		fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L',
			to_x(chart, series->points[i].x),
			to_y(scale, series->points[i].y));
	fputs("\"/>\n", out);
	for (unsigned i = 0; i < series->count; i++)
		draw_point(chart, scale, number, &series->points[i], out);
}

/* The series, ordered by the height of their ends: so the names stand beside them. */
static unsigned order_by_end(const struct chart *chart, unsigned order[CHART_SERIES])
{
	unsigned count = 0;

	for (unsigned i = 0; i < chart->series_count; i++) {
		const struct chart_series *series = &chart->series[i];
		unsigned at = count;

		if (series->count == 0)
			continue;
		while (at > 0) {
			const struct chart_series *before = &chart->series[order[at - 1]];

			if (before->points[before->count - 1].y >=
			    series->points[series->count - 1].y)
				break;
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
		count++;
	}
	return count;
}

static void draw_names(const struct chart *chart, const struct chart_scale *scale,
		       FILE *out)
{
	unsigned order[CHART_SERIES], count = order_by_end(chart, order);
	double lowest =
		HEIGHT - BOTTOM - NAME_HEIGHT * (double)(count > 0 ? count - 1 : 0);
	double next = TOP;

	for (unsigned i = 0; i < count; i++, lowest += NAME_HEIGHT) {
		const struct chart_series *series = &chart->series[order[i]];
		const struct chart_point *last = &series->points[series->count - 1];
		double end_y = to_y(scale, last->y), y = end_y;

		y = y < next ? next : y;
		y = y > lowest ? lowest : y;
		next = y + NAME_HEIGHT;
		/* a curve that ends before the right edge gets no line to its name */
		if (chart_x_place(chart, last->x) >= 1)
			fprintf(out, "<path class=\"range c%u\" d=\"M%d %.1fL%d %.1f\"/>",
				order[i] % COLORS, WIDTH - RIGHT + 6, end_y,
				WIDTH - RIGHT + 14, y);
		fprintf(out, "<path class=\"c%u\" d=\"", order[i] % COLORS);
		draw_shape(order[i], WIDTH - RIGHT + 20, y, out);
		fprintf(out, "\"/><text x=\"%d\" y=\"%.1f\">", WIDTH - RIGHT + 29, y + 4);
		markup_write(series->name, out);
		fputs("</text>\n", out);
	}
}

void chart_draw_svg(const struct chart *chart, const char *description, FILE *out)
{
	struct chart_scale scale = chart_y_scale(chart);

	begin(chart->name, WIDTH, HEIGHT, chart->title, description, out);
	draw_axes(chart, &scale, out);
	for (unsigned i = 0; i < chart->series_count; i++)
		if (chart->series[i].count > 0)
			draw_series(chart, &scale, i, out);
	draw_names(chart, &scale, out);
	end(out);
}

static void draw_part(const struct chart_bar *bar, unsigned part, double x, int y,
		      double width, FILE *out)
{
	char number[CHART_NUMBER];
	bool only = bar->count == 1;

	chart_number(bar->parts[part], number);
	fprintf(out,
		"<rect class=\"c%u\" fill-opacity=\"%s\" x=\"%.1f\" y=\"%d\" "
		"width=\"%.1f\" height=\"%d\"><title>",
		part % COLORS, part % 2 == 0 ? ".75" : ".4", x, y, width, BAR_HEIGHT - 5);
	markup_write(bar->name, out);
	if (only)
		fprintf(out, ": %s</title></rect>", number);
	else
		fprintf(out, ", worker %u: %s</title></rect>", part + 1, number);
	if (only || width > NUMBER_WIDTH)
		fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
			only ? x + width + 6 : x + width / 2, y + 13,
			only ? "start" : "middle", number);
}

void chart_draw_bars(const struct chart_bars *bars, FILE *out)
{
	double unit = bars->most > 0 ? (WIDTH - BAR_LEFT - BAR_RIGHT) / bars->most : 0;

	begin(bars->name, WIDTH, TOP + (int)bars->count * BAR_HEIGHT + 10, bars->title,
	      bars->description, out);
	for (unsigned i = 0; i < bars->count; i++) {
		const struct chart_bar *bar = &bars->bars[i];
		int y = TOP + (int)i * BAR_HEIGHT;
		double x = BAR_LEFT;

		fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", BAR_LEFT - 8,
			y + 13);
		markup_write(bar->name, out);
		fputs("</text>\n", out);
		for (unsigned k = 0; k < bar->count; k++) {
			draw_part(bar, k, x, y, bar->parts[k] * unit, out);
			x += bar->parts[k] * unit;
		}
		fputc('\n', out);
	}
	end(out);
}
