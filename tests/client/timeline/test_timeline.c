/*
 * timeline as its user sees it: what it draws of traces that are written by hand, and what it says
 * of files that are none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/trace/svg.h"
#include "client/trace/trace_file.h"
#include "client/trace/view.h"
#include "common/clock.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { TEXT = 2048, SVG_MOST = 100 * 1024, BUSY_CLIENTS = 12, BUSY_EVENTS = 4000 };

#define HEADER "# sockways-trace 1 service=echo model=pool clock=monotonic\n"

/* Two clients and one worker, 10 ms a column; the lines are in no order. */
static const char two[] = HEADER "1000000000 70 70 1 accepted 127.0.0.1:50001\n"
				 "1000000000 70 70 2 accepted 127.0.0.1:50002\n"
				 "1000000000 70 71 1 taken\n"
				 "1320000000 70 71 2 taken\n"
				 "1320000000 70 71 2 received 6\n"
				 "1400000000 70 71 2 request 6\n"
				 "1400000000 70 71 2 sent 6\n"
				 "1640000000 70 71 2 closed timed out: idle\n"
				 "1100000000 70 71 1 received 6\n"
				 "1200000000 70 71 1 request 6\n"
				 "1200000000 70 71 1 queued 6\n"
				 "1250000000 70 71 1 sent 6\n"
				 "1250000000 70 71 1 drained\n"
				 "1300000000 70 71 1 half-closed\n"
				 "1320000000 70 71 1 closed client closed\n";

static struct run draw(const char *const argv[], const char *trace)
{
	return run_program(argv, trace, strlen(trace), WAIT_MS);
}

static void expect_picture(const char *const argv[], const char *trace,
			   const char *picture)
{
	struct run run = draw(argv, trace);

	ck_assert_str_eq(run.err, "");
	ck_assert_str_eq(run.out, picture);
	run_expect_status(&run, 0);
}

static void expect_error(const char *trace, const char *error)
{
	struct run run = draw(ARGUMENTS("timeline", "-"), trace);

	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, error);
	run_expect_status(&run, 1);
}

/* ---- in the terminal ------------------------------------------------------------------- */

/* 80 columns, 64 of them for 640 ms. */
START_TEST(a_character_is_what_takes_most_of_its_time)
{
	expect_picture(
		ARGUMENTS("timeline", "-w", "80", "-"), two,
		"echod-pool: 2 clients, 1 worker, 640.0 ms\n"
		"client  worker  0                                                       "
		"640.0 ms\n"
		"     1  70/71   ..........##########=====.......\n"
		"     2  70/71   --------------------------------########................"
		"........\n"
		"  -  waits for a worker\n"
		"  .  the worker waits for the client's bytes\n"
		"  #  the worker works for the client\n"
		"  =  output waits until the client reads\n");
}
END_TEST

START_TEST(work_that_is_shorter_than_a_column_is_seen)
{
	expect_picture(ARGUMENTS("timeline", "-w", "56", "-"),
		       HEADER "0 70 70 1 accepted 127.0.0.1:50001\n"
			      "0 70 70 1 taken\n"
			      "10000000 70 70 1 received 6\n"
			      "10000001 70 70 1 request 6\n"
			      "40000000 70 70 1 closed finished\n",
		       "echod-pool: 1 client, 1 worker, 40.0 ms\n"
		       "client  worker  0                                40.0 ms\n"
		       "     1  70      ..........+.............................\n"
		       "  .  the worker waits for the client's bytes\n"
		       "  +  the worker waits, and works a little\n");
}
END_TEST

START_TEST(a_pause_waits_for_the_worker)
{
	expect_picture(ARGUMENTS("timeline", "-w", "56", "-"),
		       HEADER "0 70 70 1 accepted 127.0.0.1:50001\n"
			      "0 70 70 1 taken\n"
			      "0 70 70 1 received 6\n"
			      "10000000 70 70 1 request 3\n"
			      "10000000 70 70 1 paused\n"
			      "20000000 70 70 1 resumed\n"
			      "30000000 70 70 1 incomplete\n"
			      "40000000 70 70 1 closed finished\n",
		       "echod-pool: 1 client, 1 worker, 40.0 ms\n"
		       "client  worker  0                                40.0 ms\n"
		       "     1  70      ##########----------##########..........\n"
		       "  -  waits for a worker\n"
		       "  .  the worker waits for the client's bytes\n"
		       "  #  the worker works for the client\n");
}
END_TEST

/* Clients 1 and 3 have one worker, client 2 another, and no worker takes client 4. */
static const char lanes[] = HEADER "0 70 70 1 accepted a\n"
				   "0 70 70 2 accepted b\n"
				   "1000000 70 70 3 accepted c\n"
				   "2000000 70 70 4 accepted d\n"
				   "0 70 71 1 taken\n"
				   "0 70 72 2 taken\n"
				   "20000000 70 71 1 closed client closed\n"
				   "20000000 70 71 3 taken\n"
				   "40000000 70 71 3 closed client closed\n";

START_TEST(lanes_are_the_clients_of_one_worker_after_another)
{
	expect_picture(ARGUMENTS("timeline", "-l", "-w", "56", "-"), lanes,
		       "echod-pool: 4 clients, 2 workers, 40.0 ms\n"
		       "client  worker  0                                40.0 ms\n"
		       "     1  70/71   ....................\n"
		       "     3           -------------------....................\n"
		       "     2  70/72   .......................................>\n"
		       "     4  -         ------------------------------------->\n"
		       "  -  waits for a worker\n"
		       "  .  the worker waits for the client's bytes\n"
		       "  >  not closed\n");
}
END_TEST

START_TEST(a_part_of_the_trace_can_be_drawn)
{
	expect_picture(ARGUMENTS("timeline", "-n", "3", "--from", "20", "--to", "30",
				 "-w", "56", "-"),
		       lanes,
		       "echod-pool: 2 clients, 2 workers, 40.0 ms\n"
		       "client  worker  20.0 ms                          30.0 ms\n"
		       "     2  70/72   ........................................\n"
		       "     3  70/71   ........................................\n"
		       "  .  the worker waits for the client's bytes\n");
}
END_TEST

/* The lines of a server that was killed. */
START_TEST(a_cut_trace_is_drawn_as_far_as_it_goes)
{
	expect_picture(ARGUMENTS("timeline", "-w", "56", "-"),
		       HEADER "0 70 70 1 accepted 127.0.0.1:50001\n"
			      "1000000 70 71 2 received 6\n"
			      "4000000 70 71 2 request 6\n"
			      "5000000 70 71 2 rece",
		       "echod-pool: 2 clients, 1 worker, 4.0 ms; the trace is cut\n"
		       "client  worker  0                                 4.0 ms\n"
		       "     1  -       --------------------------------------->\n"
		       "     2  70/71             #############################>\n"
		       "  -  waits for a worker\n"
		       "  #  the worker works for the client\n"
		       "  >  not closed\n");
	expect_picture(ARGUMENTS("timeline", "-"), HEADER,
		       "echod-pool: 0 clients, 0 workers, 0\n");
}
END_TEST

START_TEST(comments_and_tabs_are_allowed)
{
	expect_picture(ARGUMENTS("timeline", "-w", "40", "-"),
		       HEADER "# a comment\n"
			      "7\t70\t70\t1\taccepted\t127.0.0.1:50001\n"
			      "1007 70 70 1 drained\n",
		       "echod-pool: 1 client, 1 worker, 1.0 us\n"
		       "client  worker  0                 1.0 us\n"
		       "     1  70      ----------------------->\n"
		       "  -  waits for a worker\n"
		       "  >  not closed\n");
}
END_TEST

/* ---- what is no trace ------------------------------------------------------------------ */

#define LINE_2 "timeline: standard input: line 2: "

static const struct {
	const char *trace, *error;
} flaws[] = {
	{ "", "timeline: standard input: no trace: the file is empty\n" },
	{ "# sockw", "timeline: standard input: no trace: the file is cut\n" },
	{ "hello\n", "timeline: standard input: line 1: not the first line of a trace (# "
		     "sockways-trace 1 ...)\n" },
	{ "# sockways-trace 12 service=echo\n",
	  "timeline: standard input: line 1: a trace of another version: this program "
	  "reads version 1\n" },
	{ HEADER "\n", LINE_2 "no time in nanoseconds\n" },
	{ HEADER "-1 70 70 1 taken\n", LINE_2 "no time in nanoseconds\n" },
	{ HEADER "9223372036854775808 7 7 1 taken\n", LINE_2 "no time in nanoseconds\n" },
	{ HEADER "1\n", LINE_2 "no number of a process in the second field\n" },
	{ HEADER "1  70 70 1 taken\n",
	  LINE_2 "no number of a process in the second field\n" },
	{ HEADER "1 70 x 1 taken\n",
	  LINE_2 "no number of a thread in the third field\n" },
	{ HEADER "1 70 70 0 taken\n",
	  LINE_2 "no number of a client in the fourth field\n" },
	{ HEADER "1 70 70 1\n", LINE_2 "no event in the fifth field\n" },
	{ HEADER "1 70 70 1 tak\033n\n", LINE_2 "unknown event 'tak\\x1bn'\n" },
	{ HEADER "1 70 70 1 sent\n", LINE_2 "no number of bytes after 'sent'\n" },
	{ HEADER "1 70 70 1 sent 1 2\n", LINE_2 "no number of bytes after 'sent'\n" },
};

START_TEST(a_flaw_is_said_with_its_line)
{
	expect_error(flaws[_i].trace, flaws[_i].error);
}
END_TEST

START_TEST(a_line_has_a_longest_length_and_no_nul)
{
	static char text[TEXT];
	static const char nul[] = HEADER "1 70 70 1 taken\0\n";
	struct run run;

	snprintf(text, sizeof text, HEADER "1 70 70 1 accepted %01200d\n", 0);
	expect_error(text, LINE_2 "longer than 1023 bytes\n");
	run = run_program(ARGUMENTS("timeline", "-"), nul, sizeof nul - 1, WAIT_MS);
	ck_assert_str_eq(run.err, LINE_2 "a NUL byte: this is not a trace\n");
	run_expect_status(&run, 1);
}
END_TEST

START_TEST(too_many_clients_are_refused)
{
	FILE *file = tmpfile();
	struct failure failure = { .text = "" };
	struct trace trace;

	ck_assert_ptr_nonnull(file);
	fputs(HEADER, file);
	for (int i = 1; i <= TRACE_CLIENTS_MOST + 1; i++)
		fprintf(file, "%d 70 %d %d taken\n", i, i, i);
	rewind(file);
	ck_assert_int_eq(trace_read(&trace, file, "trace", 0, &failure), -1);
	ck_assert_str_eq(failure.text,
			 "trace: line 100002: more than 100000 clients: use -n");
	rewind(file);
	ck_assert_int_eq(trace_read(&trace, file, "trace", TRACE_CLIENTS_MOST, &failure),
			 0);
	ck_assert_uint_eq(trace.client_count, TRACE_CLIENTS_MOST);
	trace_free(&trace);
	fclose(file);
}
END_TEST

static void expect_usage(const char *const argv[], int status, const char *error)
{
	struct run run = run_program(argv, "", 0, WAIT_MS);

	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, error);
	run_expect_status(&run, status);
}

START_TEST(bad_usage_is_one_line)
{
	expect_usage(ARGUMENTS("timeline"), 2,
		     "timeline: no file: name a trace, or - for standard input; try "
		     "'timeline -h'\n");
	expect_usage(ARGUMENTS("timeline", "a", "b"), 2,
		     "timeline: unexpected argument 'b'; try 'timeline -h'\n");
	expect_usage(ARGUMENTS("timeline", "-w", "1001", "a"), 2,
		     "timeline: -w, --width: 1001 is not a number from 40 to 1000; try "
		     "'timeline -h'\n");
	expect_usage(ARGUMENTS("timeline", "-w", "40", "--svg", "a"), 2,
		     "timeline: -w, --width: 40 is not a number from 320 to 8000; try "
		     "'timeline -h'\n");
	expect_usage(ARGUMENTS("timeline", "--from", "2", "--to", "2", "a"), 2,
		     "timeline: --to: it must be greater than --from; try 'timeline "
		     "-h'\n");
	expect_usage(ARGUMENTS("timeline", "/no/trace"), 1,
		     "timeline: cannot open /no/trace: No such file or directory\n");
	expect_usage(ARGUMENTS("timeline", "/"), 1,
		     "timeline: /: cannot read: Is a directory\n");
}
END_TEST

START_TEST(a_full_disk_is_said)
{
	struct run run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("timeline", _i == 0 ? "-l" : "--svg", "-"),
		.input = two,
		.input_length = sizeof two - 1,
		.prepare = output_is_full,
	});

	expect_match(run.err, "No space left on device");
	run_expect_status(&run, 1);
}
END_TEST

/* ---- SVG ------------------------------------------------------------------------------- */

static void expect_well_formed(const char *svg, size_t length)
{
	char path[TOOL_TEXT];
	struct run run;

	ck_assert_int_eq(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39),
			 0);
	ck_assert_str_eq(svg + length - 7, "</svg>\n");
	if (needed_program("xmllint", path) == NULL)
		return;
	run = run_program(ARGUMENTS(path, "--noout", "--nonet", "-"), svg, length,
			  WAIT_MS);
	ck_assert_str_eq(run.err, "");
	run_expect_status(&run, 0);
}

/* How many times a text occurs. */
static unsigned count(const char *text, const char *part)
{
	unsigned found = 0;

	while ((text = strstr(text, part)) != NULL) {
		found++;
		text += strlen(part);
	}
	return found;
}

/* 640 ms are 798 pixels, beside labels of 150 pixels and a margin of 12. */
START_TEST(an_svg_has_a_row_for_each_client_and_its_facts)
{
	struct run run = draw(ARGUMENTS("timeline", "--svg", "-"), two);

	run_expect_status(&run, 0);
	expect_well_formed(run.out, run.out_length);
	ck_assert_uint_eq(count(run.out, "<g>"), 2);
	expect_match(run.out, "<title>echod-pool: timeline of 2 clients</title>");
	expect_match(run.out, "<desc>[^<]*640.0 ms");
	expect_match(run.out,
		     "<title>client 1 127\\.0\\.0\\.1:50001 from 0, worker 70/71 "
		     "after 0: 1 requests, 6 bytes in, 6 out; closed: client "
		     "closed</title>");
	expect_match(run.out,
		     "<title>client 2 127\\.0\\.0\\.1:50002 from 0, worker 70/71 "
		     "after 320.0 ms: 1 requests, 6 bytes in, 6 out; closed: "
		     "timed out: idle</title>");
	/* 2 waits 320 of 640 ms, and then the worker works for 80 ms */
	expect_match(run.out, "class=\"tl-q\" d=\"M150 82h399\"");
	expect_match(run.out, "class=\"tl-w\" d=\"M549 82h100\"");
	ck_assert_uint_eq(count(run.out, "prefers-color-scheme:dark"), 1);
	ck_assert_uint_eq(count(run.out, "http"),
			  1); /* the name space: nothing is loaded */
	ck_assert_uint_eq(count(run.out, "<?xml"), 0);
}
END_TEST

/* GIVEN a trace whose lines are in no order, WHEN it is drawn, THEN a client has the address of its
   PROXY header, and not that of the proxy. */
START_TEST(a_client_has_the_address_of_its_header)
{
	static const char trace[] = HEADER "1200000000 70 71 1 proxied 192.0.2.1:56324\n"
					   "1000000000 70 70 1 accepted 127.0.0.1:50001\n"
					   "1100000000 70 71 1 taken\n"
					   "1300000000 70 71 1 closed client closed\n";
	struct run run = draw(ARGUMENTS("timeline", "--svg", "-"), trace);

	ck_assert_str_eq(run.err, "");
	ck_assert_ptr_nonnull(strstr(run.out, "192.0.2.1:56324"));
	ck_assert_ptr_null(strstr(run.out, "127.0.0.1:50001"));
	run_expect_status(&run, 0);
}
END_TEST

START_TEST(what_a_trace_says_cannot_write_elements)
{
	struct run run = draw(ARGUMENTS("timeline", "--svg", "-"),
			      "# sockways-trace 1 service=<a>&b model=\"'\n"
			      "1 70 70 1 accepted </title><script>alert(1)</script>\n"
			      "2 70 70 1 taken\n"
			      "3 70 70 1 closed <!-- &amp; \xff\x01 ]]>\n");

	run_expect_status(&run, 0);
	expect_well_formed(run.out, run.out_length);
	ck_assert_uint_eq(count(run.out, "<script"), 0);
	ck_assert_uint_eq(count(run.out, "<!--"), 0);
}
END_TEST

/* Twelve clients whose columns change all the time. */
START_TEST(an_svg_of_twelve_busy_clients_stays_small)
{
	FILE *file = tmpfile(), *svg = tmpfile();
	struct failure failure = { .text = "" };
	struct trace trace;
	struct trace_view view;
	long length;

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(svg);
	fputs(HEADER, file);
	for (int client = 1; client <= BUSY_CLIENTS; client++)
		for (int i = 0; i < BUSY_EVENTS; i++)
			fprintf(file, "%d 70 70 %d %s\n", i * 1000 + client, client,
				i == 0       ? "taken"
				: i % 4 == 1 ? "received 1"
				: i % 4 == 2 ? "request 1"
				: i % 4 == 3 ? "queued 1"
					     : "drained");
	rewind(file);
	ck_assert_msg(trace_read(&trace, file, "trace", 0, &failure) == 0, "%s",
		      failure.text);
	for (int parts = 1; parts <= 5; parts++) {
		rewind(svg);
		ck_assert_int_eq(
			trace_view_make(&view, &trace, 0, trace.length / parts, false),
			0);
		ck_assert_int_eq(trace_svg_write(svg, &view, TRACE_SVG_WIDTH), 0);
		length = ftell(svg);
		ck_assert_int_gt(length, 0);
		ck_assert_int_lt(length, SVG_MOST);
		trace_view_free(&view);
	}
	trace_free(&trace);
	fclose(file);
	fclose(svg);
}
END_TEST

Suite *suite_timeline(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tcase = add_case(suite, "terminal");

	tcase_add_test(tcase, a_character_is_what_takes_most_of_its_time);
	tcase_add_test(tcase, work_that_is_shorter_than_a_column_is_seen);
	tcase_add_test(tcase, a_pause_waits_for_the_worker);
	tcase_add_test(tcase, lanes_are_the_clients_of_one_worker_after_another);
	tcase_add_test(tcase, a_part_of_the_trace_can_be_drawn);
	tcase_add_test(tcase, a_cut_trace_is_drawn_as_far_as_it_goes);
	tcase_add_test(tcase, comments_and_tabs_are_allowed);

	tcase = add_case(suite, "flaws");
	tcase_add_loop_test(tcase, a_flaw_is_said_with_its_line, 0,
			    sizeof flaws / sizeof *flaws);
	tcase_add_test(tcase, a_line_has_a_longest_length_and_no_nul);
	tcase_add_test(tcase, too_many_clients_are_refused);
	tcase_add_test(tcase, bad_usage_is_one_line);
	tcase_add_loop_test(tcase, a_full_disk_is_said, 0, 2);

	tcase = add_case(suite, "svg");
	tcase_add_test(tcase, an_svg_has_a_row_for_each_client_and_its_facts);
	tcase_add_test(tcase, what_a_trace_says_cannot_write_elements);
	tcase_add_test(tcase, a_client_has_the_address_of_its_header);
	tcase_add_test(tcase, an_svg_of_twelve_busy_clients_stays_small);
	return suite;
}
