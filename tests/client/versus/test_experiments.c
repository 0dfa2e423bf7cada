/*
 * What is said of experiments whose figures are made up: statistics, sentences, tables, and the
 * page.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/versus/experiment.h"
#include "client/versus/experiments.h"
#include "client/versus/experiments_json.h"
#include "client/versus/machine.h"
#include "client/versus/report.h"
#include "client/versus/view.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { CLIENTS = 4, SILENT = 20 };

static struct experiments *all; /* large */
static struct experiment *experiment;
static enum experiment_kind kind;
static volatile sig_atomic_t never;

static void allocate(void)
{
	all = much_memory(sizeof *all);
}

static void release(void)
{
	experiments_end(all);
}

/* An experiment of two servers, one and two, in which nothing has been run. */
static void make_up(enum experiment_kind made, const double x[], unsigned points,
		    unsigned rounds)
{
	static const char *const names[EXPERIMENT_KINDS][3] = {
		[EXPERIMENT_CLIENTS] = { "clients", "clients", "client" },
		[EXPERIMENT_IDLE] = { "idle", "silent clients", "silent client" },
		[EXPERIMENT_RATE] = { "rate", "requests per second",
				      "request per second" },
		[EXPERIMENT_COST] = { "cost", "requests per second",
				      "request per second" },
		[EXPERIMENT_WORK] = { "work", "ms of CPU time per request",
				      "ms of CPU time per request" },
		[EXPERIMENT_SHARING] = { "sharing", "clients at a time",
					 "client at a time" },
	};

	kind = made;
	experiment = &all->all[made];
	all->with[made] = true;
	all->service = "echo";
	all->rounds = rounds;
	all->base.stop = &never;
	experiment->name = names[made][0];
	experiment->title = "A title";
	experiment->x_name = names[made][1];
	experiment->x_one = names[made][2];
	experiment->service = "echo";
	experiment->row_count = 2;
	snprintf(experiment->rows[0].name, SERVER_PROCESS_NAME, "one");
	snprintf(experiment->rows[1].name, SERVER_PROCESS_NAME, "two");
	experiment->point_count = points;
	experiment->rounds = rounds;
	for (unsigned i = 0; i < points; i++) {
		experiment->points[i].x = x[i];
		experiment->points[i].plan.connections = CLIENTS;
	}
	ck_assert_int_eq(experiment_begin(experiment), 0);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned point = 0; point < points; point++)
			for (unsigned row = 0; row < 2; row++)
				figures_clear(
					experiment_run(experiment, round, point, row));
}

static void make_up_point(enum experiment_kind made, unsigned rounds)
{
	make_up(made, (const double[]){ 256 }, 1, rounds);
}

/* A run in which all clients were served. */
static struct run_figures *set(unsigned round, unsigned point, unsigned row,
			       enum figure figure, double value)
{
	struct run_figures *run = experiment_run(experiment, round, point, row);

	run->figure[figure] = value;
	run->done = true;
	run->served = run->of = CLIENTS;
	run->silent = experiment->points[point].plan.idle;
	return run;
}

/* The same figure in all rounds. */
static void set_all(unsigned point, unsigned row, enum figure figure, double value)
{
	for (unsigned round = 0; round < experiment->rounds; round++)
		set(round, point, row, figure, value);
}

static char *written(void (*write)(FILE *out))
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	write(memory);
	ck_assert_int_eq(fclose(memory), 0);
	return keep_text(text);
}

static void write_findings(FILE *out)
{
	view_write_findings(experiment, kind, out);
}

static void write_terminal(FILE *out)
{
	view_print(experiment, kind, out);
}

static const struct machine machine = { .facts = { { "kernel", "a <kernel>" } },
					.count = 1 };

static void write_page(FILE *out)
{
	ck_assert_int_eq(report_write(all, &machine, "versus 'a & b'", false, out), 0);
}

static void write_interrupted_page(FILE *out)
{
	ck_assert_int_eq(report_write(all, &machine, "versus", true, out), 0);
}

static void write_json(FILE *out)
{
	experiments_write_json(all, &machine, "versus", false, out);
}

static void expect_findings(const char *sentences)
{
	ck_assert_str_eq(written(write_findings), sentences);
}

/* ---- statistics ---------------------------------------------------------------------------- */

START_TEST(a_median_is_over_the_rounds_that_are_complete_and_know_the_figure)
{
	struct summary summary;

	make_up_point(EXPERIMENT_CLIENTS, 5);
	set(0, 0, 0, FIGURE_RATE, 300);
	set(1, 0, 0, FIGURE_RATE, 100);
	set(2, 0, 0, FIGURE_RATE, 120);
	set(3, 0, 0, FIGURE_P99, 7); /* its rate is not known */
	set(4, 0, 0, FIGURE_RATE, 1)->done = false;
	summary = experiment_summary(experiment, 0, 0, FIGURE_RATE);
	ck_assert_uint_eq(summary.count, 3);
	ck_assert_double_eq(summary.median, 120);
	ck_assert_double_eq(summary.least, 100);
	ck_assert_double_eq(summary.most, 300);
	ck_assert_uint_eq(experiment_service(experiment, 0, 0).rounds, 4);
	ck_assert(experiment_last_run(experiment, 0, 0) ==
		  experiment_run(experiment, 3, 0, 0));
}
END_TEST

static const char *lack(unsigned point, unsigned row)
{
	char *text;
	size_t length;
	FILE *memory = open_memstream(&text, &length);
	bool lacks;

	ck_assert_ptr_nonnull(memory);
	lacks = view_write_lack(experiment, point, row, memory);
	ck_assert_int_eq(fclose(memory), 0);
	ck_assert_int_eq(lacks, length > 0);
	return keep_text(text);
}

START_TEST(a_row_that_served_all_is_whole)
{
	make_up_point(EXPERIMENT_CLIENTS, 2);
	set_all(0, 0, FIGURE_RATE, 1);
	ck_assert(experiment_is_whole(experiment, 0, 0));
	ck_assert(experiment_is_known(experiment, 0, 0, FIGURE_RATE));
	ck_assert(!experiment_is_known(experiment, 0, 0, FIGURE_P99));
	ck_assert(!experiment_is_lacking(experiment, 0, 0));
	ck_assert_str_eq(lack(0, 0), "");
}
END_TEST

START_TEST(a_point_that_was_not_run_is_neither_whole_nor_lacking)
{
	make_up_point(EXPERIMENT_CLIENTS, 2);
	ck_assert(!experiment_is_whole(experiment, 0, 0));
	ck_assert(!experiment_is_known(experiment, 0, 0, FIGURE_RATE));
	ck_assert(!experiment_is_lacking(experiment, 0, 0));
	ck_assert_str_eq(lack(0, 0), "");
	ck_assert_ptr_null(experiment_last_run(experiment, 0, 0));
}
END_TEST

START_TEST(a_row_that_failed_says_why)
{
	make_up_point(EXPERIMENT_CLIENTS, 2);
	failure_set(&experiment->failures[0][0], "no <tea>");
	ck_assert(experiment_is_lacking(experiment, 0, 0));
	ck_assert_str_eq(lack(0, 0), "failed: no <tea>");
	ck_assert(experiments_failed(all));
	expect_match(written(write_page), "one at 256: failed: no &lt;tea&gt;<");
	expect_match(written(write_json),
		     "\"server\": \"one\", \"x\": 256, .*\"failure\": \"no <tea>\"");
}
END_TEST

START_TEST(the_worst_round_tells_how_many_clients_were_served)
{
	make_up_point(EXPERIMENT_CLIENTS, 3);
	set_all(0, 0, FIGURE_RATE, 1);
	experiment_run(experiment, 1, 0, 0)->served = 1;
	ck_assert(!experiment_is_whole(experiment, 0, 0));
	ck_assert(experiment_is_known(experiment, 0, 0, FIGURE_RATE));
	ck_assert_str_eq(lack(0, 0), "1 of 4 clients served");
	ck_assert(!experiments_failed(all)); /* the others waited */
	expect_findings("At 256 clients, one serves 1 of 4 clients; the others had no "
			"reply.\n");
}
END_TEST

START_TEST(errors_of_all_rounds_are_a_failure)
{
	make_up_point(EXPERIMENT_CLIENTS, 3);
	set_all(0, 0, FIGURE_RATE, 1);
	experiment_run(experiment, 0, 0, 0)->errors = 5;
	experiment_run(experiment, 2, 0, 0)->errors = 7;
	ck_assert_str_eq(lack(0, 0), "12 errors");
	ck_assert(experiments_failed(all));
}
END_TEST

START_TEST(silent_clients_that_are_lost_are_a_lack)
{
	make_up_point(EXPERIMENT_IDLE, 2);
	experiment->points[0].plan.idle = SILENT;
	set_all(0, 0, FIGURE_RATE, 1);
	ck_assert(experiment_is_whole(experiment, 0, 0));
	experiment_run(experiment, 1, 0, 0)->silent = SILENT - 1;
	ck_assert(!experiment_is_whole(experiment, 0, 0));
	ck_assert_str_eq(lack(0, 0), "not all silent clients stayed connected");
}
END_TEST

START_TEST(without_memory_for_its_runs_no_experiment_has_failed)
{
	make_up_point(EXPERIMENT_CLIENTS, 2);
	experiments_end(all);
	ck_assert_ptr_null(experiment->runs);
	ck_assert(!experiments_failed(all));
}
END_TEST

/* ---- sentences ----------------------------------------------------------------------------- */

/* GIVEN two servers whose figures differ in every round by more than the spread, WHEN the findings
 * are written, THEN they say by how much: of the median. */
START_TEST(a_clear_difference_is_said_with_its_ratio)
{
	make_up_point(EXPERIMENT_CLIENTS, 2);
	set(0, 0, 0, FIGURE_RATE, 100);
	set(1, 0, 0, FIGURE_RATE, 110);
	set(0, 0, 1, FIGURE_RATE, 300);
	set(1, 0, 1, FIGURE_RATE, 330);
	set_all(0, 0, FIGURE_P99, 2500);
	set_all(0, 1, FIGURE_P99, 100);
	expect_findings("At 256 clients, two has 3.0 times the throughput of one.\n"
			"At 256 clients, one has 25 times the latency (99th percentile) "
			"of two.\n");
}
END_TEST

static const struct {
	double one[3], two[3];
} equal[] = {
	{ { 100, 110, 110 }, { 109, 140, 140 } }, /* not in every round */
	{ { 190, 190, 190 }, { 200, 200, 400 } }, /* less than half of the range */
	{ { 100, 100, 100 }, { 104, 104, 104 } }, /* not worth a sentence */
	{ { 100, 100, 100 }, { 100, 100, 100 } },
};

START_TEST(a_difference_within_the_spread_is_none)
{
	make_up_point(EXPERIMENT_COST, 3);
	for (unsigned round = 0; round < 3; round++) {
		set(round, 0, 0, FIGURE_CPU, equal[_i].one[round]);
		set(round, 0, 1, FIGURE_CPU, equal[_i].two[round]);
	}
	expect_findings("At 256 requests per second, no difference in CPU time per "
			"request is larger than the spread.\n");
}
END_TEST

static const enum experiment_kind compared[] = { EXPERIMENT_CLIENTS, EXPERIMENT_IDLE,
						 EXPERIMENT_COST, EXPERIMENT_WORK };

START_TEST(one_round_says_nothing)
{
	make_up(compared[_i], (const double[]){ 0, 10 }, 2, 1);
	for (unsigned row = 0; row < 2; row++)
		for (unsigned point = 0; point < 2; point++)
			for (int figure = 0; figure < FIGURES; figure++)
				set(0, point, row, (enum figure)figure,
				    row == 0 ? 100 : 900);
	expect_findings("");
}
END_TEST

START_TEST(nothing_is_said_of_what_was_not_run)
{
	make_up((enum experiment_kind)_i, (const double[]){ 0, 10 }, 2, 2);
	expect_findings("");
}
END_TEST

/* Servers that did not serve all are not compared: at the largest point that two served. */
START_TEST(the_comparison_is_where_two_servers_served_all)
{
	make_up(EXPERIMENT_CLIENTS, (const double[]){ 1, 4, 16 }, 3, 2);
	for (unsigned point = 0; point < 3; point++) {
		set_all(point, 0, FIGURE_RATE, 100);
		set_all(point, 1, FIGURE_RATE, 100 * (point + 2));
	}
	experiment_run(experiment, 0, 2, 1)->served = 2;
	experiment_run(experiment, 0, 1, 1)->errors = 1;
	expect_findings("At 1 client, two has 2.0 times the throughput of one.\n"
			"At 16 clients, two serves 2 of 4 clients; the others had no "
			"reply.\n");
}
END_TEST

START_TEST(a_server_is_compared_with_itself_without_the_silent_clients)
{
	make_up(EXPERIMENT_IDLE, (const double[]){ 0, 10, 1000 }, 3, 2);
	experiment->points[1].plan.idle = 10;
	experiment->points[2].plan.idle = 1000;
	for (unsigned point = 0; point < 3; point++) {
		set_all(point, 0, FIGURE_RATE, point == 2 ? 25 : 100);
		set(0, point, 1, FIGURE_RATE, point == 2 ? 90 : 100);
		set(1, point, 1, FIGURE_RATE, point == 2 ? 110 : 100);
		set_all(point, 0, FIGURE_MEMORY, 2048);
		set_all(point, 1, FIGURE_MEMORY, 5000);
	}
	expect_findings("With 1k silent clients, one keeps 25 % of its throughput.\n"
			"With 1k silent clients, the throughput is the same within the "
			"spread for: two.\n"
			"At 1k silent clients, two has 2.4 times the memory of one.\n");
}
END_TEST

START_TEST(more_throughput_with_silent_clients_is_not_the_same)
{
	make_up(EXPERIMENT_IDLE, (const double[]){ 0, 10 }, 2, 2);
	set_all(0, 0, FIGURE_RATE, 100);
	set_all(1, 0, FIGURE_RATE, 150);
	expect_findings("With 10 silent clients, one keeps 150 % of its throughput.\n");
}
END_TEST

/* One keeps up with 200, and again with 800: the knee is before the first point that it misses.
 * Two does not keep up with any. 97 percent suffice. */
START_TEST(the_knee_is_the_last_rate_that_a_server_keeps_up_with)
{
	static struct chart chart;
	const struct view *views;

	make_up(EXPERIMENT_RATE, (const double[]){ 100, 200, 400, 800 }, 4, 2);
	set_all(0, 0, FIGURE_RATE, 100);
	set_all(1, 0, FIGURE_RATE, 194);
	set_all(2, 0, FIGURE_RATE, 387);
	set_all(3, 0, FIGURE_RATE, 800);
	for (unsigned point = 0; point < 4; point++)
		set_all(point, 1, FIGURE_RATE, 96);
	expect_findings(
		"The most requests per second that they keep up with: one 200.\n");

	ck_assert_uint_eq(view_figures(EXPERIMENT_RATE, &views), 5);
	view_make_chart(experiment, &views[4], &chart);
	ck_assert_uint_eq(chart.series[0].count, 4);
	for (unsigned point = 0; point < 4; point++) {
		ck_assert_int_eq(chart.series[0].points[point].marked, point == 1);
		ck_assert(!chart.series[1].points[point].marked);
	}
}
END_TEST

START_TEST(all_that_keep_up_are_in_one_sentence)
{
	make_up(EXPERIMENT_RATE, (const double[]){ 1000, 25000 }, 2, 2);
	for (unsigned point = 0; point < 2; point++) {
		set_all(point, 0, FIGURE_RATE, experiment->points[point].x);
		set_all(point, 1, FIGURE_RATE, 1000);
	}
	expect_findings("The most requests per second that they keep up with: one 25k, "
			"two 1k.\n");
}
END_TEST

static void set_shares(unsigned point, unsigned row, double least, double most)
{
	set_all(point, row, FIGURE_LEAST_SHARE, least);
	set_all(point, row, FIGURE_MOST_SHARE, most);
}

START_TEST(uneven_shares_are_said_and_even_ones_are_together)
{
	make_up(EXPERIMENT_SHARING, (const double[]){ 1, 16 }, 2, 2);
	set_shares(0, 0, 24.9, 25.1);
	set_shares(0, 1, 22, 28); /* 3 percent of the average: still even */
	set_shares(1, 0, 21.9, 28);
	set_shares(1, 1, 0, 99.96);
	expect_findings("With 1 client at a time, the shares are even for: one, two.\n"
			"With 16 clients at a time, the workers of one get from 21.9 to "
			"28.0 % of them.\n"
			"With 16 clients at a time, the workers of two get from 0.0 to "
			"100.0 % of them.\n");
}
END_TEST

/* ---- tables and curves --------------------------------------------------------------------- */

START_TEST(a_table_has_a_row_for_each_server_and_marks_what_lacks)
{
	const char *text;

	make_up(EXPERIMENT_CLIENTS, (const double[]){ 1, 4, 16 }, 3, 2);
	set_all(0, 0, FIGURE_RATE, 12345);
	set_all(1, 0, FIGURE_RATE, 999.6);
	experiment_run(experiment, 0, 1, 0)->served = 1;
	set_all(0, 1, FIGURE_RATE, .36);
	failure_set(&experiment->failures[2][1], "it ended");
	text = written(write_terminal);
	expect_80_columns(text);
	ck_assert_ptr_nonnull(
		strstr(text, "  Throughput, exchanges per second\n"
			     "  clients                  1       4      16 \n"
			     "  one                  12.3k      1k'      - \n"
			     "  two                   0.36       -  failed \n\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n' not all clients were served\n- "));
}
END_TEST

START_TEST(the_widest_experiment_fits_into_80_columns)
{
	make_up((enum experiment_kind)_i,
		(const double[EXPERIMENT_POINTS]){ 1e2, 1e3, 99900, 1e5, 1e6, 1e7, 1e8,
						   1e9, 1e10, 1.01e11, 1.02e11, 1.03e11,
						   1.04e11, 1.05e11, 999e9, 999e12 },
		EXPERIMENT_POINTS, 2);
	memset(experiment->rows[1].name, 'x', SERVER_PROCESS_NAME - 1);
	for (unsigned point = 0; point < EXPERIMENT_POINTS; point++)
		for (int figure = 0; figure < FIGURES; figure++) {
			set_all(point, 0, (enum figure)figure, 99.94e9);
			set_all(point, 1, (enum figure)figure, 1e-9);
		}
	for (unsigned point = 3; point < EXPERIMENT_POINTS; point += 2)
		experiment_run(experiment, 0, point, 1)->served = 1;
	expect_80_columns(written(write_terminal));
}
END_TEST

START_TEST(a_curve_has_medians_ranges_and_hollow_points)
{
	static struct chart chart;
	const struct view *views;

	make_up(EXPERIMENT_IDLE, (const double[]){ 0, 10, 1000 }, 3, 3);
	for (unsigned round = 0; round < 3; round++)
		set(round, 1, 0, FIGURE_MEMORY, 1024 * (round + 1));
	set_all(2, 0, FIGURE_MEMORY, 1024);
	experiment_run(experiment, 0, 2, 0)->served = 3;
	(void)view_figures(EXPERIMENT_IDLE, &views);
	view_make_chart(experiment, &views[1], &chart);
	ck_assert_uint_eq(chart.series_count, 2);
	ck_assert_uint_eq(chart.series[0].count, 2);
	ck_assert_double_eq(chart.series[0].points[0].x, 10);
	ck_assert_double_eq(chart.series[0].points[0].y, 2); /* MiB */
	ck_assert_double_eq(chart.series[0].points[0].low, 1);
	ck_assert_double_eq(chart.series[0].points[0].high, 3);
	ck_assert(!chart.series[0].points[0].partial);
	ck_assert(chart.series[0].points[1].partial);
	ck_assert_uint_eq(chart.series[1].count, 0);
}
END_TEST

/* ---- the page ------------------------------------------------------------------------------ */

START_TEST(the_page_escapes_what_others_have_written)
{
	const char *page;

	make_up(EXPERIMENT_CLIENTS, (const double[]){ 1, 4, 16 }, 3, 2);
	snprintf(experiment->rows[0].name, SERVER_PROCESS_NAME, "<script>\"'&");
	set_all(0, 0, FIGURE_RATE, 100);
	experiment_run(experiment, 0, 0, 0)->served = 1;
	all->service = "<b>";
	page = written(write_page);
	ck_assert_ptr_null(strstr(page, "<script"));
	ck_assert_ptr_null(strstr(page, "<b>"));
	ck_assert_ptr_null(strstr(page, "<kernel>"));
	ck_assert_ptr_null(strstr(page, "a & b"));
	ck_assert_ptr_nonnull(
		strstr(page, "<th scope=\"row\">&lt;script&gt;&quot;&#39;&amp;</th>"));
}
END_TEST

START_TEST(a_cell_has_the_median_the_spread_and_what_lacks)
{
	const char *page;

	make_up(EXPERIMENT_CLIENTS, (const double[]){ 1, 4, 16 }, 3, 2);
	set(0, 0, 0, FIGURE_RATE, 900);
	set(1, 0, 0, FIGURE_RATE, 1100);
	set(0, 1, 0, FIGURE_RATE, 1);
	set(1, 1, 0, FIGURE_RATE, 10000);
	experiment_run(experiment, 0, 1, 0)->served = 1;
	page = written(write_page);
	ck_assert_ptr_nonnull(strstr(
		page,
		"<tr><th scope=\"row\">one</th><td>1k <small>±10 %</small></td>"
		"<td>5k <small>±100 %</small><small>*</small></td><td>–</td></tr>"));
	ck_assert_ptr_nonnull(strstr(page, "one at 4: 1 of 4 clients served</small>"));
	ck_assert_ptr_null(strstr(page, "were interrupted"));
}
END_TEST

/* GIVEN an experiment that was interrupted in its second round, WHEN its page is written, THEN it
 * has the figures and the shares of the first one, and points that were not run are not marked. */
START_TEST(an_interrupted_page_has_what_there_is)
{
	const char *page, *json;
	struct run_figures *run;

	make_up(EXPERIMENT_SHARING, (const double[]){ 1, 16 }, 2, 3);
	run = set(0, 0, 0, FIGURE_LEAST_SHARE, 20);
	run->workers = 2;
	run->shares[0] = 80;
	run->shares[1] = 20;
	page = written(write_interrupted_page);
	ck_assert_ptr_nonnull(
		strstr(page, "<strong>The experiments were interrupted: some figures are "
			     "missing.</strong>"));
	ck_assert_ptr_nonnull(strstr(page, "<td>20</td><td>–</td>"));
	ck_assert_ptr_nonnull(strstr(page, "<title>one, worker 1: 80</title>"));
	ck_assert_ptr_null(strstr(page, "<small>*</small>"));
	ck_assert_ptr_null(strstr(page, "hollow points"));
	json = written(write_json);
	ck_assert_ptr_nonnull(strstr(json, "\"shares_percent\": [80, 20]"));
	ck_assert_ptr_nonnull(strstr(json, "\"rounds\": [20, null, null]"));
}
END_TEST

/* GIVEN every experiment with as many points as --quick has, and nine models of which all figures
 * are known, WHEN the page is written, THEN it is smaller than a megabyte, with space for the
 * timelines. */
START_TEST(the_page_of_all_models_is_smaller_than_a_megabyte)
{
	static const unsigned points[EXPERIMENT_KINDS] = {
		[EXPERIMENT_CLIENTS] = 5, [EXPERIMENT_IDLE] = 3, [EXPERIMENT_RATE] = 5,
		[EXPERIMENT_COST] = 1,    [EXPERIMENT_WORK] = 3, [EXPERIMENT_SHARING] = 2,
	};

	for (int i = EXPERIMENT_CLIENTS; i < EXPERIMENT_KINDS; i++) {
		make_up((enum experiment_kind)i, (const double[]){ 1, 4, 16, 64, 256 },
			points[i], 3);
		experiment_end(experiment);
		experiment->row_count = 9;
		ck_assert_int_eq(experiment_begin(experiment), 0);
		for (unsigned row = 0; row < 9; row++) {
			snprintf(experiment->rows[row].name, SERVER_PROCESS_NAME,
				 "model number %u", row);
			for (unsigned point = 0; point < points[i]; point++)
				for (int figure = 0; figure < FIGURES; figure++)
					set_all(point, row, (enum figure)figure,
						123456.7 + row);
		}
	}
	ck_assert_uint_lt(strlen(written(write_page)), (1024 - 150) * 1024);
}
END_TEST

START_TEST(a_page_that_cannot_be_written_is_an_error)
{
	FILE *full = fopen("/dev/full", "w");

	if (full == NULL) {
		skipped("needs /dev/full");
		return;
	}
	make_up_point(EXPERIMENT_COST, 2);
	setvbuf(full, NULL, _IOFBF, 64);
	ck_assert_int_eq(report_write(all, &machine, "versus", false, full), -1);
	fclose(full);
}
END_TEST

Suite *suite_versus_experiments(void)
{
	Suite *suite = suite_create("versus_experiments");
	TCase *tcase = add_case(suite, "statistics");

	tcase_add_checked_fixture(tcase, allocate, release);
	tcase_add_test(tcase,
		       a_median_is_over_the_rounds_that_are_complete_and_know_the_figure);
	tcase_add_test(tcase, a_row_that_served_all_is_whole);
	tcase_add_test(tcase, a_point_that_was_not_run_is_neither_whole_nor_lacking);
	tcase_add_test(tcase, a_row_that_failed_says_why);
	tcase_add_test(tcase, the_worst_round_tells_how_many_clients_were_served);
	tcase_add_test(tcase, errors_of_all_rounds_are_a_failure);
	tcase_add_test(tcase, silent_clients_that_are_lost_are_a_lack);
	tcase_add_test(tcase, without_memory_for_its_runs_no_experiment_has_failed);

	tcase = add_case(suite, "sentences");
	tcase_add_checked_fixture(tcase, allocate, release);
	tcase_add_test(tcase, a_clear_difference_is_said_with_its_ratio);
	tcase_add_loop_test(tcase, a_difference_within_the_spread_is_none, 0,
			    (int)(sizeof equal / sizeof *equal));
	tcase_add_loop_test(tcase, one_round_says_nothing, 0,
			    (int)(sizeof compared / sizeof *compared));
	tcase_add_loop_test(tcase, nothing_is_said_of_what_was_not_run,
			    EXPERIMENT_CLIENTS, EXPERIMENT_KINDS);
	tcase_add_test(tcase, the_comparison_is_where_two_servers_served_all);
	tcase_add_test(tcase,
		       a_server_is_compared_with_itself_without_the_silent_clients);
	tcase_add_test(tcase, more_throughput_with_silent_clients_is_not_the_same);
	tcase_add_test(tcase, the_knee_is_the_last_rate_that_a_server_keeps_up_with);
	tcase_add_test(tcase, all_that_keep_up_are_in_one_sentence);
	tcase_add_test(tcase, uneven_shares_are_said_and_even_ones_are_together);

	tcase = add_case(suite, "tables");
	tcase_add_checked_fixture(tcase, allocate, release);
	tcase_add_test(tcase, a_table_has_a_row_for_each_server_and_marks_what_lacks);
	tcase_add_loop_test(tcase, the_widest_experiment_fits_into_80_columns,
			    EXPERIMENT_CLIENTS, EXPERIMENT_KINDS);
	tcase_add_test(tcase, a_curve_has_medians_ranges_and_hollow_points);

	tcase = add_case(suite, "page");
	tcase_add_checked_fixture(tcase, allocate, release);
	tcase_add_test(tcase, the_page_escapes_what_others_have_written);
	tcase_add_test(tcase, a_cell_has_the_median_the_spread_and_what_lacks);
	tcase_add_test(tcase, an_interrupted_page_has_what_there_is);
	tcase_add_test(tcase, the_page_of_all_models_is_smaller_than_a_megabyte);
	tcase_add_test(tcase, a_page_that_cannot_be_written_is_an_error);
	return suite;
}
