/*
 * The pictures of versus: their scales and numbers, and what they look like for made-up curves.
 */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/versus/chart.h"
#include "client/versus/chart_svg.h"
#include "client/versus/chart_text.h"
#include "client/lib/wrap.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

/* ---- numbers ------------------------------------------------------------------------------- */

static const struct {
	double value;
	const char *text;
} numbers[] = {
	{ 0, "0" },       { 0.0004, "4e-04" }, { 0.0994, "0.099" }, { 0.0996, "0.1" },
	{ 0.36, "0.36" }, { 1, "1" },          { 9.994, "9.99" },   { 9.996, "10" },
	{ 12.5, "12.5" }, { 99.94, "99.9" },   { 99.96, "100" },    { 950, "950" },
	{ 999.4, "999" }, { 999.6, "1k" },     { 12500, "12.5k" },  { 999400, "999k" },
	{ 1e6, "1M" },    { 2.34e9, "2.34G" }, { 9.99e14, "999T" }, { 1e15, "1000T" },
	{ 1e30, "9999T" } /* not measured: cut */
};

START_TEST(a_number_has_three_digits_and_a_unit)
{
	char text[CHART_NUMBER];

	ck_assert_str_eq(chart_number(numbers[_i].value, text), numbers[_i].text);
}
END_TEST

/* ---- scales -------------------------------------------------------------------------------- */

static struct chart chart; /* of the test */

/* A chart of one curve, over x = 1, 2 ... */
static void make_chart(const double y[], unsigned count, bool logarithmic)
{
	chart = (struct chart){ .name = "made-up",
				.title = "A title",
				.x_label = "clients",
				.y_label = "per second",
				.by_place = true,
				.logarithmic = logarithmic,
				.x_count = count,
				.series_count = 1 };
	chart.series[0].name = "one";
	chart.series[0].count = count;
	for (unsigned i = 0; i < count; i++) {
		chart.x_values[i] = i + 1;
		chart.series[0].points[i] = (struct chart_point){
			.x = i + 1, .y = y[i], .low = y[i], .high = y[i]
		};
	}
}

/* The ticks, as the numbers of the axis. */
static const char *ticks_of(const struct chart_scale *scale)
{
	static char text[CHART_TICKS * CHART_NUMBER];
	char number[CHART_NUMBER];

	text[0] = '\0';
	for (unsigned i = 0; i < scale->tick_count; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, chart_number(scale->ticks[i], number));
	}
	return text;
}

static const struct {
	double most;
	const char *ticks;
} linear[] = {
	{ 0, "0" },
	{ 1, "0 0.2 0.4 0.6 0.8 1" },
	{ 1.01, "0 0.2 0.4 0.6 0.8 1 1.2" },
	{ 6, "0 1 2 3 4 5 6" },
	{ 6.1, "0 2 4 6 8" },
	{ 12.5, "0 5 10 15" },
	{ 49, "0 5 10 15 20 25 30 35 40 45 50" },
	{ 51, "0 10 20 30 40 50 60" },
	{ 97000, "0 20k 40k 60k 80k 100k" },
};

START_TEST(a_linear_scale_is_from_0_to_the_tick_above_the_largest_value)
{
	struct chart_scale scale;

	make_chart(&linear[_i].most, 1, false);
	scale = chart_y_scale(&chart);
	ck_assert_str_eq(ticks_of(&scale), linear[_i].ticks);
	ck_assert_double_eq(scale.least, 0);
	ck_assert_double_eq(scale.most,
			    linear[_i].most > 0 ? scale.ticks[scale.tick_count - 1] : 1);
}
END_TEST

static const struct {
	double least, most;
	const char *ticks;
} logarithmic[] = {
	{ 0, 0, "1 10" },
	{ 1, 1, "1 10" },
	{ 99, 101, "10 100 1k" },
	{ 100, 1000, "100 1k" },
	{ 0.05, 3, "0.01 0.1 1 10" },
	{ 0, 3, "1 10" }, /* 0 has no logarithm: it does not count */
	{ 1, 1e30, "1 10 100 1k 10k 100k 1M 10M 100M 1G 10G 100G 1T 10T 100T 1000T" },
};

START_TEST(a_logarithmic_scale_has_a_tick_for_each_power_of_ten)
{
	const double y[] = { logarithmic[_i].least, logarithmic[_i].most };
	struct chart_scale scale;

	make_chart(y, 2, true);
	scale = chart_y_scale(&chart);
	ck_assert_str_eq(ticks_of(&scale), logarithmic[_i].ticks);
	ck_assert_double_eq(scale.least, scale.ticks[0]);
	ck_assert_double_eq(scale.most, scale.ticks[scale.tick_count - 1]);
}
END_TEST

START_TEST(a_value_has_a_place_on_a_linear_scale)
{
	const struct chart_scale scale = { .least = 0, .most = 50 };

	ck_assert_double_eq(chart_on_scale(&scale, 0), 0);
	ck_assert_double_eq(chart_on_scale(&scale, 25), .5);
	ck_assert_double_eq(chart_on_scale(&scale, 50), 1);
	ck_assert_double_eq(chart_on_scale(&scale, 60), 1);
	ck_assert_double_eq(chart_on_scale(&scale, -1), 0);
}
END_TEST

START_TEST(a_value_has_a_place_on_a_logarithmic_scale)
{
	const struct chart_scale scale = { .least = .01,
					   .most = 100,
					   .logarithmic = true };

	ck_assert_double_eq(chart_on_scale(&scale, .01), 0);
	ck_assert_double_eq_tol(chart_on_scale(&scale, .1), .25, 1e-6);
	ck_assert_double_eq_tol(chart_on_scale(&scale, 1), .5, 1e-6);
	ck_assert_double_eq_tol(chart_on_scale(&scale, 3.16227766), .625, 1e-6);
	ck_assert_double_eq_tol(chart_on_scale(&scale, 100), 1, 1e-6);
	ck_assert_double_eq(chart_on_scale(&scale, 1000), 1);
	ck_assert_double_eq(chart_on_scale(&scale, 0), 0);
}
END_TEST

START_TEST(x_is_by_place_or_linear)
{
	const double y[] = { 5, 5, 5 };

	make_chart(y, 3, false);
	chart.x_values[2] = 100;
	ck_assert_double_eq(chart_x_place(&chart, 1), 0);
	ck_assert_double_eq(chart_x_place(&chart, 2), .5);
	ck_assert_double_eq(chart_x_place(&chart, 100), 1);
	ck_assert_double_eq(chart_x_place(&chart, 101), 1);
	chart.by_place = false;
	ck_assert_double_eq(chart_x_place(&chart, 0), 0);
	ck_assert_double_eq(chart_x_place(&chart, 1), .01);
	ck_assert_double_eq(chart_x_place(&chart, 100), 1);
}
END_TEST

START_TEST(a_single_x_by_place_is_in_the_middle)
{
	make_chart((const double[]){ 5 }, 1, false);
	ck_assert_double_eq(chart_x_place(&chart, 1), .5);
	chart.by_place = false;
	ck_assert_double_eq(chart_x_place(&chart, 1), 1);
	chart.x_count = 0;
	ck_assert_double_eq(chart_x_place(&chart, 1), 0);
}
END_TEST

/* ---- with characters ----------------------------------------------------------------------- */

static const char *draw_text(void)
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	chart_draw_text(&chart, memory);
	ck_assert_int_eq(fclose(memory), 0);
	return keep_text(text);
}

/* Two curves that meet at the first and at the last point; the second one did not serve all at its
 * second point. */
static void make_two_curves(void)
{
	make_chart((const double[]){ 10, 30, 70 }, 3, false);
	chart.series[1] = chart.series[0];
	chart.series[1].name = "two";
	chart.series[1].points[1].y = 60;
	chart.series[1].points[1].partial = true;
	chart.series_count = 2;
	chart.x_values[2] = chart.series[0].points[2].x = chart.series[1].points[2].x =
		1000;
}

START_TEST(a_text_has_points_lines_axes_and_a_legend)
{
	make_two_curves();
	ck_assert_str_eq(
		draw_text(),
		"  per second\n"
		"      80 +\n"
		"         |\n"
		"         |                                                              "
		" +\n"
		"      60 +                                "
		"b..............................\n"
		"         |                               .                         "
		"....\n"
		"         |                           ....                     .....\n"
		"         |                        ...                     ....\n"
		"      40 +                    ....                    ....\n"
		"         |                ....                   .....\n"
		"         |             ...                A......\n"
		"      20 +         ....              .....\n"
		"         |      ...       ...........\n"
		"         |+...............\n"
		"         |\n"
		"       0 +\n"
		"         "
		"+----------------------------------------------------------------\n"
		"          1                               2                             "
		"1k\n"
		"                                      clients\n"
		"          A one  B two\n"
		"          + several; a small letter: not all clients were served\n");
}
END_TEST

START_TEST(one_point_is_drawn_in_the_middle)
{
	make_chart((const double[]){ 100 }, 1, true);
	ck_assert_str_eq(
		draw_text(),
		"  per second (logarithmic scale)\n"
		"      1k +\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"     100 +                                A\n"
		"         "
		"+----------------------------------------------------------------\n"
		"                                          1\n"
		"                                      clients\n"
		"          A one\n"
		"          + several\n");
}
END_TEST

START_TEST(no_points_are_axes_alone)
{
	make_chart(NULL, 0, false);
	ck_assert_str_eq(
		draw_text(),
		"  per second\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"         |\n"
		"       0 +\n"
		"         "
		"+----------------------------------------------------------------\n"
		"\n"
		"                                      clients\n"
		"          A one\n"
		"          + several\n");
}
END_TEST

/* GIVEN as many points and series as there can be, with long names and with values outside every
 * range, WHEN they are drawn, THEN nothing is outside of 80 columns. */
START_TEST(the_largest_chart_fits_into_80_columns)
{
	static char names[CHART_SERIES][64];

	make_chart((const double[CHART_POINTS]){ 0 }, CHART_POINTS, _i % 2 == 1);
	chart.by_place = _i < 2;
	chart.x_label = "requests per second";
	chart.series_count = CHART_SERIES;
	for (unsigned i = 0; i < CHART_SERIES; i++) {
		chart.series[i] = chart.series[0];
		snprintf(names[i], sizeof names[i], "%0*u", i % 3 == 0 ? 63 : 12, i);
		chart.series[i].name = names[i];
		for (unsigned k = 0; k < CHART_POINTS; k++) {
			chart.x_values[k] = 99900000. * (k + 1);
			chart.series[i].points[k] = (struct chart_point){
				.x = chart.x_values[k],
				.y = (i + k) % 7 == 0 ? 1e30 : (double)(i * k),
				.low = -1e30,
				.high = 1e40,
				.partial = k % 2 == 0,
			};
		}
	}
	expect_80_columns(draw_text());
}
END_TEST

/* ---- as SVG -------------------------------------------------------------------------------- */

static const char *draw_bars(const struct chart_bars *bars)
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	chart_draw_bars(bars, memory);
	ck_assert_int_eq(fclose(memory), 0);
	return keep_text(text);
}

static const char *draw_svg(const char *description)
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	chart_draw_svg(&chart, description, memory);
	ck_assert_int_eq(fclose(memory), 0);
	return keep_text(text);
}

static unsigned count(const char *text, const char *part)
{
	unsigned found = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		found++;
	return found;
}

START_TEST(an_svg_has_a_title_a_description_and_each_curve)
{
	const char *svg;

	make_two_curves();
	svg = draw_svg("What it shows.");
	ck_assert_msg(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40) == 0,
		      "%s", svg);
	ck_assert_ptr_nonnull(strstr(svg, "<title id=\"made-up-title\">A title</title>"));
	ck_assert_ptr_nonnull(
		strstr(svg, "<desc id=\"made-up-desc\">What it shows.</desc>"));
	ck_assert_ptr_nonnull(
		strstr(svg, "aria-labelledby=\"made-up-title made-up-desc\""));
	ck_assert_uint_eq(count(svg, "<path class=\"line c"), 2);
	ck_assert_uint_eq(count(svg, "<path class=\"hollow c1\""), 1);
	ck_assert_ptr_nonnull(strstr(
		svg,
		"<title>two, 2: 60 (30 to 30), not all clients were served</title>"));
	ck_assert_uint_eq(count(svg, "<svg"), 1);
	ck_assert_str_eq(svg + strlen(svg) - 12, "</g>\n</svg>\n");
}
END_TEST

/* The picture is 760 wide and 360 high; its axes are from 64 to 630, and from 312 up to 34. */
START_TEST(a_range_outside_of_the_scale_is_clipped)
{
	make_chart((const double[]){ 10, 100 }, 2, _i == 1);
	chart.series[0].points[1].low = -5;
	chart.series[0].points[1].high = 1e9;
	ck_assert_ptr_nonnull(strstr(
		draw_svg(""), "<path class=\"range c0\" d=\"M630.0 312.0V34.0\"/>"));
}
END_TEST

START_TEST(a_marked_point_has_a_ring)
{
	make_chart((const double[]){ 10, 100 }, 2, false);
	ck_assert_uint_eq(count(draw_svg(""), "<circle"), 0);
	chart.series[0].points[0].marked = true;
	ck_assert_uint_eq(count(draw_svg(""), "<circle"), 1);
}
END_TEST

/* GIVEN names with all characters that HTML and XML give a meaning, WHEN they are drawn, THEN none
 * of them is written as it is. */
START_TEST(text_is_escaped)
{
	static const char odd[] = "<a b=\"c\" d='e'>&";
	static const char escaped[] = "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;";
	const struct chart_bar bar = { odd, { 3 }, 1 };
	const struct chart_bars bars = { "made-up", odd, odd, &bar, 1, 3 };
	const char *svg;
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	make_chart((const double[]){ 10 }, 1, false);
	chart.title = chart.x_label = chart.y_label = chart.series[0].name = odd;
	svg = draw_svg(odd);
	ck_assert_ptr_null(strstr(svg, "<a"));
	ck_assert_uint_eq(count(svg, escaped), 7);

	ck_assert_ptr_nonnull(memory);
	chart_draw_bars(&bars, memory);
	ck_assert_int_eq(fclose(memory), 0);
	(void)keep_text(text);
	ck_assert_ptr_null(strstr(text, "<a"));
	ck_assert_uint_eq(count(text, escaped), 5);
}
END_TEST

/* The first bar has half of the full length, 550. */
START_TEST(bars_are_divided_into_their_parts)
{
	const struct chart_bar both[] = { { "plain", { 50 }, 1 },
					  { "parts", { 75, 25, 0 }, 3 } };
	const struct chart_bars bars = { "made-up", "Bars", "Some", both, 2, 100 };
	const char *text = draw_bars(&bars);

	ck_assert_uint_eq(count(text, "<rect "), 4);
	expect_match(text,
		     "x=\"150.0\" y=\"34\" width=\"275.0\" [^>]*><title>plain: 50</");
	expect_match(text, "x=\"150.0\" y=\"56\" width=\"412.5\" [^>]*><title>parts, "
			   "worker 1: 75</");
	expect_match(text, "x=\"562.5\" y=\"56\" width=\"137.5\" [^>]*><title>parts, "
			   "worker 2: 25</");
	expect_match(text, "x=\"700.0\" y=\"56\" width=\"0.0\" [^>]*><title>parts, "
			   "worker 3: 0</");
}
END_TEST

START_TEST(bars_of_nothing_have_no_length)
{
	const struct chart_bar bar = { "none", { 0 }, 1 };
	const struct chart_bars bars = { "made-up", "Bars", "Some", &bar, 1, 0 };
	const char *text = draw_bars(&bars);

	ck_assert_ptr_nonnull(strstr(text, "width=\"0.0\""));
	ck_assert_ptr_null(strstr(text, "nan"));
	ck_assert_ptr_null(strstr(text, "inf"));
}
END_TEST

/* ---- paragraphs ---------------------------------------------------------------------------- */

#define TEN     "ten_bytes_"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static const struct {
	const char *text;
	size_t length, indent;
	const char *printed;
} paragraphs[] = {
	{ "", SIZE_MAX, 0, "\n" },
	{ "a short one", SIZE_MAX, 4, "a short one\n" },
	{ "a short one", 7, 4, "a short\n" },
	{ SEVENTY " of_nine__", SIZE_MAX, 2, SEVENTY " of_nine__\n" },
	{ SEVENTY " " TEN, SIZE_MAX, 2, SEVENTY "\n  " TEN "\n" },
	{ SEVENTY TEN TEN " b", SIZE_MAX, 0, SEVENTY TEN "\n" TEN " b\n" },
	{ "a " SEVENTY TEN, SIZE_MAX, 5,
	  "a " SEVENTY "ten_b\n     ytes_\n" }, /* parts of 75 columns */
};

START_TEST(a_paragraph_has_lines_of_80_columns)
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	wrap_print(paragraphs[_i].text, paragraphs[_i].length, paragraphs[_i].indent,
		   memory);
	ck_assert_int_eq(fclose(memory), 0);
	(void)keep_text(text);
	ck_assert_str_eq(text, paragraphs[_i].printed);
}
END_TEST

Suite *suite_versus_chart(void)
{
	Suite *suite = suite_create("versus_chart");
	TCase *tcase = add_case(suite, "scales");

	tcase_add_loop_test(tcase, a_number_has_three_digits_and_a_unit, 0,
			    (int)(sizeof numbers / sizeof *numbers));
	tcase_add_loop_test(tcase,
			    a_linear_scale_is_from_0_to_the_tick_above_the_largest_value,
			    0, (int)(sizeof linear / sizeof *linear));
	tcase_add_loop_test(tcase, a_logarithmic_scale_has_a_tick_for_each_power_of_ten,
			    0, (int)(sizeof logarithmic / sizeof *logarithmic));
	tcase_add_test(tcase, a_value_has_a_place_on_a_linear_scale);
	tcase_add_test(tcase, a_value_has_a_place_on_a_logarithmic_scale);
	tcase_add_test(tcase, x_is_by_place_or_linear);
	tcase_add_test(tcase, a_single_x_by_place_is_in_the_middle);

	tcase = add_case(suite, "characters");
	tcase_add_test(tcase, a_text_has_points_lines_axes_and_a_legend);
	tcase_add_test(tcase, one_point_is_drawn_in_the_middle);
	tcase_add_test(tcase, no_points_are_axes_alone);
	tcase_add_loop_test(tcase, the_largest_chart_fits_into_80_columns, 0, 4);

	tcase = add_case(suite, "SVG");
	tcase_add_test(tcase, an_svg_has_a_title_a_description_and_each_curve);
	tcase_add_loop_test(tcase, a_range_outside_of_the_scale_is_clipped, 0, 2);
	tcase_add_test(tcase, a_marked_point_has_a_ring);
	tcase_add_test(tcase, text_is_escaped);
	tcase_add_test(tcase, bars_are_divided_into_their_parts);
	tcase_add_test(tcase, bars_of_nothing_have_no_length);

	tcase = add_case(suite, "paragraphs");
	tcase_add_loop_test(tcase, a_paragraph_has_lines_of_80_columns, 0,
			    (int)(sizeof paragraphs / sizeof *paragraphs));
	return suite;
}
