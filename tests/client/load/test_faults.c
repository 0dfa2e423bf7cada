/*
 * Faulty clients: the mix that a user writes, what each kind does next, what a server sees of
 * them, and that the honest clients beside them are served.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/load/fault.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/models.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

enum { SIZE = 64, HALF = SIZE / 2 };

/* ---- the mix ----------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	unsigned clients[LOAD_FAULTS]; /* reset, stall, slow, unread, half */
} mixes[] = {
	{ "reset=10", { 10, 0, 0, 0, 0 } },
	{ "reset=10,stall=5,slow=5,unread=5,half=5", { 10, 5, 5, 5, 5 } },
	{ "half=1,reset=2", { 2, 0, 0, 0, 1 } },
	{ "slow=10000", { 0, 0, 10000, 0, 0 } },
	{ "unread=9999,stall=1", { 0, 1, 0, 9999, 0 } },
};

START_TEST(a_mix_names_how_many_clients_of_each_kind_there_are)
{
	struct load_fault_mix mix;

	ck_assert_int_eq(load_fault_mix_parse(mixes[_i].text, &mix, &failure), 0);
	for (int fault = 0; fault < LOAD_FAULTS; fault++)
		ck_assert_uint_eq(mix.clients[fault], mixes[_i].clients[fault]);
}
END_TEST

static const struct {
	const char *text, *reason;
} bad_mixes[] = {
	{ "", "'' is not KIND=COUNT, such as reset=10" },
	{ "reset", "'reset' is not KIND=COUNT, such as reset=10" },
	{ "reset=1,", "'' is not KIND=COUNT, such as reset=10" },
	{ ",reset=1", "'' is not KIND=COUNT, such as reset=10" },
	{ "=1", "'' is not a kind of faulty client (use reset, stall, slow, unread or "
		"half)" },
	{ "rese=1", "'rese' is not a kind of faulty client (use reset, stall, slow, "
		    "unread or half)" },
	{ "resets=1", "'resets' is not a kind of faulty client (use reset, stall, slow, "
		      "unread or half)" },
	{ "reset=", "'reset=' is not a count from 1 to 10000" },
	{ "reset=0", "'reset=0' is not a count from 1 to 10000" },
	{ "reset=-1", "'reset=-1' is not a count from 1 to 10000" },
	{ "reset= 1", "'reset= 1' is not a count from 1 to 10000" },
	{ "reset=1=2", "'reset=1=2' is not a count from 1 to 10000" },
	{ "reset=10001", "'reset=10001' is not a count from 1 to 10000" },
	{ "reset=18446744073709551617",
	  "'reset=18446744073709551617' is not a count from 1 to 10000" },
	{ "reset=1,half=1,reset=1", "'reset=1' names a kind for the second time" },
	{ "reset=9999,half=2",
	  "'reset=9999,half=2' is more than 10000 faulty clients in all" },
	{ "re\nset=1",
	  "'re\\nset' is not a kind of faulty client (use reset, stall, slow, "
	  "unread or half)" },
};

START_TEST(a_bad_mix_is_refused_with_its_reason)
{
	struct load_fault_mix mix;

	ck_assert_int_eq(load_fault_mix_parse(bad_mixes[_i].text, &mix, &failure), -1);
	ck_assert_str_eq(failure.text, bad_mixes[_i].reason);
}
END_TEST

static const struct {
	const char *protocol;
	unsigned kinds; /* possible ones, as bits 1 << kind */
} possible[] = {
	{ "echo", 0x1f },
	{ "reply", 0x1f },
	{ "http", 0x1f },
	{ "chat", 0x1f },
	{ "file", 0x1f },
	{ "discard", 0x1f & ~(1U << LOAD_FAULT_UNREAD) },
	{ "greet",
	  1U << LOAD_FAULT_RESET | 1U << LOAD_FAULT_UNREAD | 1U << LOAD_FAULT_HALF },
	{ "daytime",
	  1U << LOAD_FAULT_RESET | 1U << LOAD_FAULT_UNREAD | 1U << LOAD_FAULT_HALF },
	{ "chargen",
	  1U << LOAD_FAULT_RESET | 1U << LOAD_FAULT_UNREAD | 1U << LOAD_FAULT_HALF },
};

START_TEST(a_kind_that_is_impossible_with_a_protocol_is_refused)
{
	for (int fault = 0; fault < LOAD_FAULTS; fault++) {
		bool fits = possible[_i].kinds & 1U << fault;

		set_plan(possible[_i].protocol, false);
		plan.size = 0;
		plan.faults.clients[fault] = 1;
		ck_assert_int_eq(load_plan_complete(&plan, &failure), fits ? 0 : -1);
		if (!fits)
			ck_assert_ptr_nonnull(strstr(
				failure.text, load_fault_name((enum load_fault)fault)));
		load_fault_mix_usual(plan.protocol, &plan.faults);
		ck_assert_uint_eq(plan.faults.clients[fault],
				  fits ? LOAD_FAULTS_USUAL : 0);
		ck_assert_int_eq(
			load_fault_mix_check(&plan.faults, plan.protocol, &failure), 0);
	}
}
END_TEST

/* ---- what a client does next ------------------------------------------------------------------- */

static const struct {
	enum load_fault fault;
	uint64_t sent;
	size_t request;
	bool half_closed;
	enum load_fault_step step;
	size_t piece;
} steps[] = {
	{ LOAD_FAULT_RESET, 0, 64, false, LOAD_FAULT_SENDS, 32 },
	{ LOAD_FAULT_RESET, 30, 64, false, LOAD_FAULT_SENDS, 2 },
	{ LOAD_FAULT_RESET, 32, 64, false, LOAD_FAULT_RESETS, 0 },
	{ LOAD_FAULT_RESET, 0, 1, false, LOAD_FAULT_RESETS, 0 },
	{ LOAD_FAULT_RESET, 0, 0, false, LOAD_FAULT_RESETS, 0 },
	{ LOAD_FAULT_STALL, 0, 65, false, LOAD_FAULT_SENDS, 32 },
	{ LOAD_FAULT_STALL, 31, 65, false, LOAD_FAULT_SENDS, 1 },
	{ LOAD_FAULT_STALL, 32, 65, false, LOAD_FAULT_HOLDS, 0 },
	{ LOAD_FAULT_SLOW, 0, 64, false, LOAD_FAULT_SENDS, 1 },
	{ LOAD_FAULT_SLOW, 63, 64, false, LOAD_FAULT_SENDS, 1 },
	{ LOAD_FAULT_SLOW, 64, 64, false, LOAD_FAULT_SENDS, 1 },
	{ LOAD_FAULT_UNREAD, 0, 64, false, LOAD_FAULT_SENDS, 64 },
	{ LOAD_FAULT_UNREAD, 100, 64, false, LOAD_FAULT_SENDS, 28 },
	{ LOAD_FAULT_UNREAD, LOAD_FAULT_SENDS_MOST - 1, 64, false, LOAD_FAULT_SENDS, 1 },
	{ LOAD_FAULT_UNREAD, LOAD_FAULT_SENDS_MOST, 64, false, LOAD_FAULT_HOLDS, 0 },
	{ LOAD_FAULT_UNREAD, 0, 0, false, LOAD_FAULT_HOLDS, 0 },
	{ LOAD_FAULT_HALF, 0, 64, false, LOAD_FAULT_SENDS, 64 },
	{ LOAD_FAULT_HALF, 63, 64, false, LOAD_FAULT_SENDS, 1 },
	{ LOAD_FAULT_HALF, 64, 64, false, LOAD_FAULT_HALF_CLOSES, 0 },
	{ LOAD_FAULT_HALF, 64, 64, true, LOAD_FAULT_READS, 0 },
	{ LOAD_FAULT_HALF, 0, 0, false, LOAD_FAULT_HALF_CLOSES, 0 },
	{ LOAD_FAULT_HALF, 0, 0, true, LOAD_FAULT_READS, 0 },
};

START_TEST(each_kind_does_what_its_name_says)
{
	ck_assert_int_eq(load_fault_next(steps[_i].fault, steps[_i].sent,
					 steps[_i].request, steps[_i].half_closed),
			 steps[_i].step);
	if (steps[_i].piece > 0)
		ck_assert_uint_eq(load_fault_piece(steps[_i].fault, steps[_i].sent,
						   steps[_i].request),
				  steps[_i].piece);
}
END_TEST

/* ---- what a server sees ------------------------------------------------------------------------ */

static const struct load_fault_ends *ends_of(enum load_fault fault)
{
	return &result.faults[fault];
}

/* Every connection ended in one of four ways. */
static void expect_all_accounted(void)
{
	for (int fault = 0; fault < LOAD_FAULTS; fault++) {
		const struct load_fault_ends *ends = &result.faults[fault];

		ck_assert_uint_eq(ends->made,
				  ends->left + ends->closed + ends->reset + ends->open);
		ck_assert_uint_eq(ends->failed, 0);
		ck_assert(ends->made > 0 || plan.faults.clients[fault] == 0);
	}
}

/* Echoes whole messages. Notes the length of what else a client sent before its end, and how
 * many such clients there were. */
static void note_the_rest(int fd, unsigned number)
{
	char bytes[SIZE];
	size_t got = 0;
	ssize_t n;

	(void)number;
	while ((n = io_read(fd, bytes + got, sizeof bytes - got)) > 0) {
		got += (size_t)n;
		if (got < sizeof bytes)
			continue;
		io_write(fd, bytes, sizeof bytes);
		got = 0;
	}
	if (got == 0)
		return;
	notes->bytes = got;
	notes->count++;
}

static bool one_was_noted(void *context)
{
	(void)context;
	return notes->count > 0;
}

START_TEST(a_client_that_resets_or_stalls_has_sent_half_a_request)
{
	enum load_fault fault = _i == 0 ? LOAD_FAULT_RESET : LOAD_FAULT_STALL;

	plan.faults.clients[fault] = 1;
	start_server(note_the_rest);
	measure();
	assert_no_errors();
	expect_all_accounted();
	ck_assert(eventually(one_was_noted, NULL, WAIT_MS));
	ck_assert_uint_eq(notes->bytes, HALF);
	if (fault == LOAD_FAULT_STALL)
		ck_assert_uint_eq(ends_of(fault)->open, ends_of(fault)->made);
	else
		ck_assert_uint_eq(ends_of(fault)->left, ends_of(fault)->made);
}
END_TEST

/* One byte is sent at once, the next a second later. */
START_TEST(a_slow_client_sends_a_byte_a_second)
{
	plan.faults.clients[LOAD_FAULT_SLOW] = 1;
	start_server(note_the_rest);
	measure();
	assert_no_errors();
	ck_assert(eventually(one_was_noted, NULL, WAIT_MS));
	ck_assert_uint_ge(notes->bytes, 1);
	ck_assert_uint_le(notes->bytes, (uint64_t)plan.duration / LOAD_FAULT_PACE_MS + 1);
	ck_assert_uint_eq(ends_of(LOAD_FAULT_SLOW)->open, 1);
}
END_TEST

START_TEST(a_client_that_half_closes_waits_for_the_end)
{
	plan.faults.clients[LOAD_FAULT_HALF] = 2;
	start_server(note_the_rest);
	measure();
	assert_no_errors();
	expect_all_accounted();
	ck_assert_uint_gt(ends_of(LOAD_FAULT_HALF)->closed, 0);
	ck_assert_uint_eq(notes->count, 0);
}
END_TEST

/* An honest client has read its reply before it sends the next request. */
static void serve_until_it_does_not_read(int fd, unsigned number)
{
	char bytes[SIZE];

	(void)number;
	sock_set_send_timeout(fd, 50);
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		if (io_write(fd, bytes, sizeof bytes) != sizeof bytes)
			break;
	if (sock_send_queue(fd) > 0)
		notes->count++;
}

static volatile sig_atomic_t stop;

static void stop_at_a_note(const struct load_progress *progress, void *context)
{
	(void)context;
	if (progress->phase == LOAD_RUNNING && notes->count > 0)
		stop = 1;
}

START_TEST(a_client_that_never_reads_fills_the_buffers)
{
	if (!programs_use("SIOCOUTQ"))
		return;
	stop = 0;
	plan.faults.clients[LOAD_FAULT_UNREAD] = 1;
	plan.stop = &stop;
	plan.progress = stop_at_a_note;
	plan.duration = LONG_WAIT_MS;
	start_server(serve_until_it_does_not_read);
	measure();
	assert_no_errors();
	expect_all_accounted();
	ck_assert_uint_gt(notes->count, 0);
}
END_TEST

/* ---- servers that are bad themselves ----------------------------------------------------------- */

/* It gives up a client whose request comes in pieces. */
static void serve_the_quick(int fd, unsigned number)
{
	char bytes[SIZE];

	(void)number;
	while (io_read(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes);
}

static void serve_nobody(int fd, unsigned number)
{
	(void)fd;
	(void)number;
}

/* Once it has sent something: reset at once, it may see that as a connect that fails. */
static void reset_everybody(int fd, unsigned number)
{
	(void)number;
	(void)io_wait(fd, POLLIN, 10);
	sock_set_abortive(fd);
}

static void set_all_faults(unsigned each)
{
	for (int fault = 0; fault < LOAD_FAULTS; fault++)
		plan.faults.clients[fault] = each;
}

/* Within the measured time, an attempt each 100 ms. */
START_TEST(clients_that_are_cut_off_come_again_but_not_too_fast)
{
	uint64_t most = 3 * ((uint64_t)plan.duration / 100 + 1);

	if (!programs_use("POLLRDHUP"))
		return;
	plan.faults.clients[LOAD_FAULT_STALL] = 3;
	start_server(serve_the_quick);
	measure();
	assert_no_errors();
	expect_all_accounted();
	ck_assert_uint_gt(ends_of(LOAD_FAULT_STALL)->closed, 0);
	ck_assert_uint_le(ends_of(LOAD_FAULT_STALL)->made, most);
}
END_TEST

/* The errors are those of the honest clients alone. */
START_TEST(a_server_that_ends_every_connection_ends_the_faulty_ones_too)
{
	serve_function *const serves[] = { serve_nobody, reset_everybody };

	set_all_faults(2);
	start_server(serves[_i]);
	measure();
	expect_all_accounted();
	ck_assert_uint_eq(result.exchanges, 0);
	ck_assert_uint_gt(load_errors(&result), 0);
	for (int fault = 0; fault < LOAD_FAULTS; fault++)
		ck_assert_msg(fault == LOAD_FAULT_RESET ||
				      ends_of((enum load_fault)fault)->closed > 0 ||
				      ends_of((enum load_fault)fault)->reset > 0,
			      "%s", load_fault_name((enum load_fault)fault));
}
END_TEST

START_TEST(a_server_that_never_accepts_delays_nobody)
{
	set_all_faults(2);
	plan.timeout = 300 * SLOW_MACHINE;
	open_listener(128);
	measure();
	expect_all_accounted();
	ck_assert_uint_eq(ends_of(LOAD_FAULT_STALL)->open, 2);
	ck_assert_uint_eq(ends_of(LOAD_FAULT_HALF)->open, 2);
}
END_TEST

static void serve_once_and_die(int fd, unsigned number)
{
	char bytes[SIZE];

	(void)number;
	if (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes);
	_exit(0);
}

START_TEST(attempts_that_fail_are_counted_apart)
{
	plan.faults.clients[LOAD_FAULT_HALF] = 1;
	plan.duration = 500 * SLOW_MACHINE;
	start_server(serve_once_and_die);
	measure();
	ck_assert_uint_gt(ends_of(LOAD_FAULT_HALF)->failed, 0);
	ck_assert_int_eq(ends_of(LOAD_FAULT_HALF)->error, ECONNREFUSED);
}
END_TEST

START_TEST(a_load_with_faulty_clients_can_be_stopped)
{
	set_all_faults(1);
	start_server(note_the_rest);
	measure_until(1);
	assert_no_errors();
	ck_assert(result.elapsed < LONG_WAIT_MS / 1000);
}
END_TEST

/* ---- our servers, in every model --------------------------------------------------------------- */

static const char *const services[] = { "echo", "reply", "http", "chat", "file" };

/* Of each kind one client: a model with few workers has some left for the honest ones. */
START_TEST(honest_clients_are_served_beside_faulty_ones)
{
	int model = _i % models_count();
	const char *service = services[_i / models_count()];
	bool chat = strcmp(service, "chat") == 0, file = strcmp(service, "file") == 0;
	struct folder folder;
	struct server started;

	if (!model_serves_many(model) || (chat && !model_shares_a_server(model)))
		return;
	folder_create(&folder);
	started = model_start(model, service,
			      chat   ? ARGUMENTS("-q", "-R", "0", "-B", "64M")
			      : file ? ARGUMENTS("-q", "-w", "-S", "-r", folder.path)
				     : ARGUMENTS("-q"));
	set_plan(service, false);
	snprintf(port, sizeof port, "%u", started.port);
	plan.senders = 1;
	plan.window = 4;
	plan.rate = 500; /* at full speed the sanitizers take minutes */
	plan.duration = 400 * SLOW_MACHINE;
	plan.timeout = WAIT_MS;
	if (plan.protocol->compose != NULL)
		plan.size = 0;
	set_all_faults(1);
	measure();
	assert_no_errors();
	expect_all_accounted();
	ck_assert_uint_eq(result.served, 2);
	ck_assert_uint_eq(ends_of(LOAD_FAULT_RESET)->left,
			  ends_of(LOAD_FAULT_RESET)->made);
	server_finish(&started);
	folder_remove(&folder);
}
END_TEST

/* The idle timeout ends a stalled client; then the next one is served. */
START_TEST(a_server_of_one_client_goes_on_when_the_idle_timeout_has_ended_a_stall)
{
	struct server started;

	if (!programs_use("POLLRDHUP"))
		return;
	started =
		server_start("echod-iterative", ARGUMENTS("-q", "-t", slow_seconds(0.3)));
	snprintf(port, sizeof port, "%u", started.port);
	plan.kind = LOAD_CONNECTIONS;
	plan.connections = 1;
	plan.duration = 1000 * SLOW_MACHINE;
	plan.timeout = WAIT_MS;
	plan.faults.clients[LOAD_FAULT_STALL] = 1;
	measure();
	assert_no_errors();
	expect_all_accounted();
	ck_assert_uint_gt(result.exchanges, 0);
	server_finish(&started);
}
END_TEST

/* ---- loadgen ----------------------------------------------------------------------------------- */

START_TEST(loadgen_reports_each_kind_and_the_honest_ones_decide)
{
	struct run run;

	if (!programs_use("POLLRDHUP"))
		return;
	start_server(serve_the_quick);
	run = run_loadgen(ARGUMENTS("loadgen", "-c", "2", "-d", slow_seconds(0.3),
				    "--faults", "reset=1,stall=2", "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(run.out,
		     "\nfault reset    1 at a time, [0-9]+ connected: [0-9]+ reset by "
		     "the client\n");
	expect_match(run.out,
		     "\nfault stall    2 at a time, [0-9]+ connected: [0-9]+ closed by "
		     "the server");
	ck_assert_ptr_null(strstr(run.out, "fault slow"));
	expect_match(run.out, "\nerrors         none\n");
}
END_TEST

START_TEST(loadgen_fails_if_the_honest_ones_fail)
{
	struct run run;

	start_server(serve_nobody);
	run = run_loadgen(ARGUMENTS("loadgen", "faults", "-c", "2", "-d",
				    slow_seconds(0.2), "127.0.0.1", port));
	run_expect_status(&run, 1);
	expect_match(run.out, "^load           faults \\(conversations\\)\n");
	expect_match(run.out, "\nfault half     4 at a time, ");
}
END_TEST

START_TEST(json_has_the_figures_of_each_kind)
{
	struct run run;

	start_server(serve_the_quick);
	run = run_loadgen(ARGUMENTS("loadgen", "-j", "-c", "1", "-d", slow_seconds(0.2),
				    "--faults", "stall=1,half=1", "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(
		run.out,
		"\"faults\":\\{\"reset\":\\{\"clients\":0,\"connected\":0,\"left\":0,"
		"\"closed\":0,\"reset\":0,\"open\":0,\"failed\":0\\},"
		"\"stall\":\\{\"clients\":1,\"connected\":[1-9][0-9]*,\"left\":0,"
		"\"closed\":[0-9]+,\"reset\":[0-9]+,\"open\":[01],\"failed\":0\\},"
		"\"slow\":\\{.*\\},\"unread\":\\{.*\\},\"half\":\\{\"clients\":1,.*\\}\\}"
		","
		"\"senders\":null");
	run = run_loadgen(ARGUMENTS("loadgen", "-j", "-c", "1", "-d", slow_seconds(0.1),
				    "127.0.0.1", port));
	ck_assert_ptr_nonnull(strstr(run.out, "\"faults\":null,"));
	ck_assert_ptr_nonnull(strstr(run.out, "\"work_ms\":null,\"work_cpus\":null,"));
}
END_TEST

START_TEST(loadgen_says_how_many_cpus_the_work_keeps_busy)
{
	struct server started =
		server_start("replyd-thread", ARGUMENTS("-q", "--work", "0.5"));
	struct run run;

	snprintf(port, sizeof port, "%u", started.port);
	run = run_loadgen(ARGUMENTS("loadgen", "work", "--work", "0.5", "-c", "2", "-d",
				    slow_seconds(0.2), "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(run.out, "^load           work \\(conversations\\)\nserver         "
			      "reply over TCP at ");
	expect_match(run.out, "\nwork           [0-9.]+ CPUs busy with 0.500 ms for each "
			      "exchange\n");
	run = run_loadgen(ARGUMENTS("loadgen", "-j", "work", "--work", "0.5", "-c", "2",
				    "-d", slow_seconds(0.2), "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(run.out, "^\\{\"load\":\"work\",\"base_load\":\"conversations\","
			      "\"protocol\":\"reply\",");
	expect_match(run.out, "\"work_ms\":0.500,\"work_cpus\":[0-9.]+,");
	server_finish(&started);
}
END_TEST

static const struct {
	const char *arguments[6];
	const char *says;
} bad_usages[] = {
	{ { "-u", "--faults", "reset=1", "127.0.0.1", "7" },
	  "--faults does not apply to UDP" },
	{ { "-u", "faults", "127.0.0.1", "7" }, "--faults does not apply to UDP" },
	{ { "--faults", "resets=1", "127.0.0.1", "7" },
	  "--faults: 'resets' is not a kind" },
	{ { "greet", "--faults", "slow=1", "127.0.0.1", "7" },
	  "--faults: slow does not apply to the protocol greet: the client sends no "
	  "request" },
	{ { "discard", "--faults", "unread=1", "127.0.0.1", "7" },
	  "--faults: unread does not apply to the protocol discard: the server sends "
	  "nothing to read" },
	{ { "echo", "work", "127.0.0.1", "7" },
	  "the load work needs the protocol reply or http, not echo" },
	{ { "--work", "1", "127.0.0.1", "7" },
	  "--work needs the protocol reply or http, not echo" },
	{ { "work", "--work", "1001", "127.0.0.1", "7" },
	  "--work: '1001' is not a time of 0 to 1000 milliseconds" },
	{ { "work", "faults", "127.0.0.1", "7" }, "unexpected argument 'faults'" },
};

START_TEST(bad_usage_is_one_line)
{
	const char *arguments[8] = { "loadgen" };
	struct run run;

	for (int i = 0; i < 6; i++)
		arguments[i + 1] = bad_usages[_i].arguments[i];
	run = run_loadgen(arguments);
	run_expect_status(&run, 2);
	ck_assert_ptr_nonnull(strstr(run.err, bad_usages[_i].says));
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + run.err_length - 1);
}
END_TEST

Suite *suite_load_faults(void)
{
	Suite *suite = suite_create("load_faults");
	TCase *tcase = load_case(suite, "the mix");

	tcase_add_loop_test(tcase, a_mix_names_how_many_clients_of_each_kind_there_are, 0,
			    COUNT(mixes));
	tcase_add_loop_test(tcase, a_bad_mix_is_refused_with_its_reason, 0,
			    COUNT(bad_mixes));
	tcase_add_loop_test(tcase, a_kind_that_is_impossible_with_a_protocol_is_refused,
			    0, COUNT(possible));
	tcase_add_loop_test(tcase, each_kind_does_what_its_name_says, 0, COUNT(steps));

	tcase = load_case(suite, "what a server sees");
	tcase_add_loop_test(tcase, a_client_that_resets_or_stalls_has_sent_half_a_request,
			    0, 2);
	tcase_add_test(tcase, a_slow_client_sends_a_byte_a_second);
	tcase_add_test(tcase, a_client_that_half_closes_waits_for_the_end);
	tcase_add_test(tcase, a_client_that_never_reads_fills_the_buffers);

	tcase = load_case(suite, "servers that are bad themselves");
	tcase_add_test(tcase, clients_that_are_cut_off_come_again_but_not_too_fast);
	tcase_add_loop_test(tcase,
			    a_server_that_ends_every_connection_ends_the_faulty_ones_too,
			    0, 2);
	tcase_add_test(tcase, a_server_that_never_accepts_delays_nobody);
	tcase_add_test(tcase, attempts_that_fail_are_counted_apart);
	tcase_add_test(tcase, a_load_with_faulty_clients_can_be_stopped);

	tcase = load_case(suite, "our servers");
	tcase_add_loop_test(tcase, honest_clients_are_served_beside_faulty_ones, 0,
			    COUNT(services) * models_count());
	tcase_add_test(
		tcase,
		a_server_of_one_client_goes_on_when_the_idle_timeout_has_ended_a_stall);

	tcase = load_case(suite, "loadgen");
	tcase_add_test(tcase, loadgen_reports_each_kind_and_the_honest_ones_decide);
	tcase_add_test(tcase, loadgen_fails_if_the_honest_ones_fail);
	tcase_add_test(tcase, json_has_the_figures_of_each_kind);
	tcase_add_test(tcase, loadgen_says_how_many_cpus_the_work_keeps_busy);
	tcase_add_loop_test(tcase, bad_usage_is_one_line, 0, COUNT(bad_usages));
	return suite;
}
