/*
 * The experiments of versus as its user sees them: small runs of real servers, what is printed and
 * written, the errors, and an interruption.
 *
 * No test compares rates: a run is as short as possible, so its figures mean nothing. What
 * arithmetic demands of the servers is tested: how many clients they serve at a time, and shares
 * that are 100 percent together.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/versus/figures.h"
#include "client/versus/server_process.h"
#include "client/versus/timelines.h"
#include "client/versus/visitors.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { PATH_TEXT = 300, WORKERS = 4, FILE_MOST = 1024 * 1024 };

static struct folder folder; /* of the test's own */

static void make_folder(void)
{
	folder_create(&folder);
}

static void remove_folder(void)
{
	folder_remove(&folder);
}

static struct run run_versus(const char *const argv[])
{
	struct run_setup setup = { .argv = argv, .timeout = LONG_WAIT_MS };

	return run_program_with(&setup);
}

/* Arguments for short runs, and what follows them. */
#define SHORT(...)                                                                       \
	ARGUMENTS("versus", "-q", "-r", "2", "-d", slow_seconds(0.05), "--quick",        \
		  __VA_ARGS__)

/* The whole file, as a text. */
static char *read_path(const char *path)
{
	char *text = much_memory(FILE_MOST);
	FILE *file = fopen(path, "r");
	size_t length;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	length = fread(text, 1, FILE_MOST, file);
	ck_assert_uint_lt(length, FILE_MOST);
	fclose(file);
	return text;
}

static char *read_file(const char *name)
{
	return read_path(folder_path(&folder, name));
}

/* A path in the folder that stays valid. */
static const char *path_of(const char *name)
{
	static char paths[4][PATH_TEXT];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_TEXT, "%s", folder_path(&folder, name));
	return path;
}

/* A process that outlives versus becomes a child of this process. */
static bool no_child_is_left(void *context)
{
	(void)context;
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static void expect_no_server(void)
{
	ck_assert_msg(eventually(no_child_is_left, NULL, WAIT_MS),
		      "a process is left running");
}

/* ---- what is printed ----------------------------------------------------------------------- */

#define CELL "( +([0-9.]+[kMG]?|-)['* ])"

START_TEST(iterative_makes_clients_wait_and_that_is_no_failure)
{
	struct run run = run_versus(SHORT("-r", "1", "-c", "4", "-i", "20", "-e",
					  "clients,idle", "echo", "iterative", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	expect_80_columns(run.out);
	expect_match(run.out, "^clients: Number of clients\n.*"
			      "\n  Throughput, exchanges per second\n"
			      "  clients +1 +4 \n"
			      "  iterative " CELL "{2}\n"
			      "  select    " CELL "{2}\n"
			      ".*\n +A iterative  B select\n.*"
			      "\n  Latency, 99th percentile, microseconds\n"
			      "  clients +1 +4 \n"
			      "  iterative " CELL "{2}\n"
			      "  select    " CELL "{2}\n");
	expect_match(run.out, "\nidle: Silent clients\n.*"
			      "\n  silent clients +0 +10 +20 \n"
			      "  iterative " CELL "{3}\n"
			      "  select    " CELL "{3}\n"
			      ".*\n +A iterative  B select\n"
			      ".*\n  Memory of the server and the kernel, MiB\n");
	ck_assert_ptr_nonnull(strstr(
		run.out, "- At 4 clients, iterative serves 1 of 4 clients; the others "
			 "had no reply.\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "\n' not all clients were served\n"));
	expect_no_server();
}
END_TEST

START_TEST(rates_costs_and_work_have_a_table_each)
{
	struct run run = run_versus(
		SHORT("-r", "1", "-e", "rate,cost,work", "echo", "fork", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_80_columns(run.out);
	expect_match(run.out, "^rate: Offered load\n.*"
			      "\n  requests per second( +[0-9.]+[kM]? ){5}\n"
			      "  fork   " CELL "{5}\n"
			      "  select " CELL "{5}\n");
	expect_match(run.out, "\ncost: Cost of a request\n.*"
			      "\n  CPU time of the server, milliseconds per 1000 "
			      "exchanges\n  requests per second +[0-9.]+[kM]? \n"
			      "  fork   " CELL "\n"
			      "  select " CELL "\n");
	expect_match(run.out, "\nwork: Work for each request\n.*"
			      "\n  ms of CPU time +0 +0.3 +3 \n"
			      "  fork   " CELL "{3}\n"
			      "  select " CELL "{3}\n");
	expect_no_server();
}
END_TEST

START_TEST(before_it_begins_it_says_how_long_it_takes)
{
	struct run run =
		run_versus(ARGUMENTS("versus", "-r", "1", "-d", slow_seconds(0.05), "-e",
				     "clients", "-c", "1", "echo", "select"));

	run_expect_status(&run, 0);
	expect_match(run.err, "^versus: this takes about [0-9]+ seconds\n$");
}
END_TEST

/* None tells which rates suit, so there is one. */
START_TEST(without_a_server_that_works_there_is_one_rate)
{
	struct run run = run_versus(
		ARGUMENTS("versus", "-q", "--quick", "-r", "1", "-d", slow_seconds(0.05),
			  "-e", "rate", "--server", "odd=exec false {port}", "echo"));

	run_expect_status(&run, 1);
	expect_match(run.out, "\n  requests per second +1 \n  odd +failed \n");
}
END_TEST

/* The reader gets all of it: the FIFO is not opened before, only to see whether it can be. */
START_TEST(a_fifo_gets_the_results)
{
	char command[2000];
	const char *fifo = path_of("fifo");
	struct run run;

	snprintf(command, sizeof command,
		 "mkfifo %s && { cat %s | wc -l & }; \"$0/versus\" -q -r 1 -d %s -c 2 "
		 "-l conversations --json %s echo select >/dev/null; status=$?; wait; "
		 "exit $status",
		 fifo, fifo, slow_seconds(0.05), fifo);
	run = run_program(ARGUMENTS("/bin/sh", "-c", command, getenv("SOCKWAYS_BIN")), "",
			  0, LONG_WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_int_gt(atoi(run.out), 5);
}
END_TEST

/* A server that fails is left out, and the others are measured. */
START_TEST(a_server_that_fails_is_reported_once_and_left_out)
{
	struct run run = run_versus(SHORT("-c", "4", "-e", "clients", "--server",
					  "odd=exec false {port}", "echo", "select"));

	run_expect_status(&run, 1);
	expect_match(run.err, "^versus: odd did not start[^\n]*\n$");
	expect_match(run.out, "\n  select " CELL "{2}\n  odd +failed +failed \n");
	expect_no_server();
}
END_TEST

/* ---- JSON ---------------------------------------------------------------------------------- */

/* For each experiment that is named, and each server: the documented members, and medians of the
 * rounds. */
static const char check_json[] =
	"import json, re, statistics, sys\n"
	"d = json.load(open(sys.argv[1]))\n"
	"page = set(re.findall(r'\\w+', open(sys.argv[2]).read()))\n"
	"def check(value):\n"
	"    for v in value if isinstance(value, list) else []: check(v)\n"
	"    for k, v in value.items() if isinstance(value, dict) else []:\n"
	"        assert k in page, k + ' is not in the page'\n"
	"        if k != 'machine': check(v)\n"
	"check(d)\n"
	"assert d['service'] == 'echo' and d['rounds'] == 2 and d['seconds'] > 0\n"
	"assert d['command'].startswith('versus -q -r 2 -d ')\n"
	"assert 'kernel' in d['machine'] and 'processors' in d['machine']\n"
	"names = [e['name'] for e in d['experiments']]\n"
	"assert names == ['clients', 'idle', 'cost', 'work'], names\n"
	"for e in d['experiments']:\n"
	"    assert e['service'] == ('reply' if e['name'] == 'work' else 'echo')\n"
	"    points = {'clients': [1, 4], 'idle': [0, 10, 20], 'work': [0, .3, 3],\n"
	"              'cost': [e['results'][0]['x']]}[e['name']]\n"
	"    assert [(r['x'], r['server']) for r in e['results']] == \\\n"
	"        [(x, s) for x in points for s in ('fork', 'poll')], e\n"
	"    for r in e['results']:\n"
	"        assert r['rounds'] == 2 and r['errors'] == 0 and r['failure'] is None\n"
	"        assert 0 <= r['served'] <= r['clients'], r\n"
	"        if e['name'] == 'clients': assert r['clients'] == r['x']\n"
	"        assert r['idle'] == (r['x'] if e['name'] == 'idle' else 0), r\n"
	"        if e['name'] == 'idle': assert r['clients'] == 4\n"
	"        assert (r['rate'] > 0) == (e['name'] == 'cost')\n"
	"        for f, v in r.items():\n"
	"            if not isinstance(v, dict): continue\n"
	"            known = [x for x in v['rounds'] if x is not None]\n"
	"            assert len(v['rounds']) == 2 and known\n"
	"            assert abs(v['median'] - statistics.median(known)) <= \\\n"
	"                1e-5 * v['median'], (f, v)\n"
	"            assert v['least'] == min(known) and v['most'] == max(known)\n"
	"t = d['timelines']\n"
	"assert [x['server'] for x in t] == ['fork', 'poll'], t\n"
	"for x in t:\n"
	"    assert x['milliseconds'] > 0 and len(x['clients']) == 10\n"
	"    for c in x['clients']:\n"
	"        assert 0 <= c['from'] <= c['to'] <= x['milliseconds'] + .001, c\n"
	"        assert c['queued'] >= 0 and c['requests'] == 3 and '/' in c['worker']\n"
	"        assert 0 <= c['backlog'] <= c['to'] - c['from'] + .001, c\n"
	"    assert any(c['backlog'] > 0 for c in x['clients'])\n"
	"assert not d['interrupted']\n"
	"assert len({c['worker'] for c in t[0]['clients']}) == 10\n"
	"assert len({c['worker'] for c in t[1]['clients']}) == 1\n";

START_TEST(json_has_each_server_at_each_point)
{
	const char *json = path_of("out.json");
	char python[TOOL_TEXT], page[512];
	struct run run;

	if (needed_program("python3", python) == NULL)
		return;
	run = run_versus(SHORT("--json", json, "-c", "4", "-i", "20", "-e",
			       "timeline,clients,idle,cost,work", "echo", "fork",
			       "poll"));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	snprintf(page, sizeof page, "%s/man/versus.1", source_folder());
	run = run_program(ARGUMENTS(python, "-c", check_json, json, page), "", 0,
			  LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, read_file("out.json"));
}
END_TEST

/* GIVEN the manual page, THEN it has the name of each figure, which are columns of --tsv and members
 * of --json. */
START_TEST(the_page_names_each_figure)
{
	const char *page;
	char path[512];

	snprintf(path, sizeof path, "%s/man/versus.1", source_folder());
	page = read_path(path);
	for (int i = 0; i < FIGURES; i++) {
		char name[64];

		snprintf(name, sizeof name, " %s", figure_name((enum figure)i));
		ck_assert_msg(strstr(page, name) != NULL, "%s is not in the page", name);
	}
}
END_TEST

/* ---- what arithmetic demands --------------------------------------------------------------- */

/* When a worker has begun to serve it; after the end of the trace if none has. */
static int64_t served_from(const struct trace *trace, const struct trace_client *client)
{
	for (size_t i = 0; i < client->spans; i++) {
		const struct trace_span *span = &trace->spans[client->first_span + i];

		if (span->kind != SPAN_BACKLOG && span->kind != SPAN_QUEUED)
			return span->from;
	}
	return trace->length + 1;
}

/* The most clients that are served at the same time: where one begins, how many have begun and not
 * ended. */
static unsigned most_at_a_time(const struct trace *trace)
{
	unsigned most = 0;

	for (size_t i = 0; i < trace->client_count; i++) {
		int64_t at = served_from(trace, &trace->clients[i]);
		unsigned count = 0;

		for (size_t k = 0; k < trace->client_count; k++)
			count += served_from(trace, &trace->clients[k]) <= at &&
				 trace->clients[k].to > at;
		most = count > most ? count : most;
	}
	return most;
}

static const struct {
	const char *model;
	unsigned workers, least, most; /* clients at a time */
	unsigned wait;                 /* clients that wait in the backlog, at least */
} served[] = {
	{ "iterative", 1, 1, 1, VISITORS - 1 },
	{ "prefork", WORKERS, 1, WORKERS, VISITORS - WORKERS },
	{ "pool", WORKERS, 1, WORKERS, 0 }, /* it accepts clients before it serves them */
	{ "fork", VISITORS, WORKERS + 1, VISITORS, 0 },
	{ "epoll", 1, WORKERS + 1, VISITORS, 0 },
};

START_TEST(a_server_serves_as_many_clients_at_a_time_as_it_can)
{
	const char *const *options =
		served[_i].workers == WORKERS ? ARGUMENTS("-j", "4") : ARGUMENTS(NULL);
	static struct timeline timeline; /* large */
	struct server_process server;
	volatile sig_atomic_t stop = 0;
	struct failure failure;
	char path[TOOL_TEXT];
	unsigned most, waited = 0;

	if (!can_run(served[_i].model))
		return;
	/* it looks beside the program, which is this one, and then in PATH */
	snprintf(path, sizeof path, "%s:%s", getenv("SOCKWAYS_BIN"), getenv("PATH"));
	setenv("PATH", path, 1);
	ck_assert_msg(server_process_find(&server, "versus", "reply", served[_i].model,
					  &failure) == 0,
		      "%s", failure.text);
	ck_assert_msg(timeline_run(&timeline, &server, options, &stop) == 0, "%s",
		      timeline.failure.text);
	ck_assert(timeline.known);
	ck_assert_uint_eq(timeline.trace.client_count, VISITORS);
	ck_assert_uint_le(timeline.trace.lane_count, served[_i].workers);
	if (served[_i].workers != WORKERS)
		ck_assert_uint_eq(timeline.trace.lane_count, served[_i].workers);
	most = most_at_a_time(&timeline.trace);
	ck_assert_uint_ge(most, served[_i].least);
	ck_assert_uint_le(most, served[_i].most);
	for (size_t i = 0; i < VISITORS; i++) {
		const struct trace_client *client = &timeline.trace.clients[i];
		const struct trace_span *first =
			&timeline.trace.spans[client->first_span];

		ck_assert_uint_eq(client->requests, VISITOR_REQUESTS);
		ck_assert(client->closed);
		if (first->kind != SPAN_BACKLOG) /* accepted before it has noticed */
			continue;
		ck_assert_int_eq(first->from, client->from);
		ck_assert_int_gt(first->to, first->from);
		ck_assert_int_le(first->to, served_from(&timeline.trace, client));
		waited++;
	}
	ck_assert_uint_ge(waited, served[_i].wait);
	timeline_end(&timeline);
	ck_assert(!timeline.known);
	expect_no_server();
}
END_TEST

static void expect_shares(const char *json, const char *row, unsigned clients)
{
	char at[PATH_TEXT];
	const char *result, *shares;
	double share[WORKERS];
	int count = 0;

	snprintf(at, sizeof at, "{\"server\": \"%s\", \"x\": %u, ", row, clients);
	result = strstr(json, at);
	ck_assert_msg(result != NULL, "%s not in %s", at, json);
	shares = strstr(result, "\"shares_percent\": [");
	ck_assert_msg(shares != NULL && shares < result + strcspn(result, "\n"), "%s",
		      result);
	ck_assert_int_eq(sscanf(shares, "\"shares_percent\": [%lf, %lf, %lf, %lf]%n",
				&share[0], &share[1], &share[2], &share[3], &count),
			 WORKERS);
	ck_assert_int_gt(count, 0);
	/* each is rounded */
	ck_assert_double_eq_tol(share[0] + share[1] + share[2] + share[3], 100, .5);
}

START_TEST(the_shares_of_four_workers_are_all_of_the_clients)
{
	const char *path = path_of("out.json"), *json;
	struct run run;

	if (!can_run("epoll"))
		return;
	run = run_versus(ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1),
				   "-e", "sharing", "--json", path, "echo", "prefork",
				   "epoll"));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_80_columns(run.out);
	expect_match(run.out, "\n  clients at a time +1 +16 \n"
			      "  prefork block " CELL "{2}\n"
			      "  prefork lock  " CELL "{2}\n"
			      "  prefork pass  " CELL "{2}\n"
			      "  epoll shared  " CELL "{2}\n"
			      "  epoll exclusive " CELL "{2}\n"
			      "  epoll reuseport " CELL "{2}\n");
	json = read_file("out.json");
	for (unsigned clients = 1; clients <= 16; clients += 15) {
		expect_shares(json, "prefork pass", clients);
		expect_shares(json, "epoll reuseport", clients);
	}
	expect_no_server();
}
END_TEST

/* ---- errors -------------------------------------------------------------------------------- */

static const struct {
	const char *arguments[6];
	const char *error;
} bad[] = {
	{ { "-e", "clients,nonsense", "echo", "fork" },
	  "-e, --experiment: 'clients,nonsense' is not a list of experiments (use "
	  "timeline, clients, idle, rate, cost, work, sharing, or all)" },
	{ { "-e", "", "echo", "fork" }, "-e, --experiment: '' is not a list of" },
	{ { "-e", "clients", "-l", "idle", "echo", "fork" },
	  "-l, --loads and --tsv do not go together with experiments" },
	{ { "-e", "clients", "--tsv=x.tsv", "echo", "fork" },
	  "-l, --loads and --tsv do not go together with experiments" },
	{ { "-e", "clients", "-u", "echo", "fork" },
	  "the experiments are over TCP, not with -u" },
	{ { "-e", "clients", "daytime", "fork" }, "which those of daytime do not" },
	{ { "-e", "clients", "chat", "fork" }, "which those of chat do not" },
	{ { "--experiment=all", "discard", "fork" }, "which those of discard do not" },
	{ { "-e", "sharing", "echo", "fork" },
	  "the experiment sharing needs prefork, pool or epoll" },
	{ { "-e", "cost", "-c", "4", "echo", "fork" },
	  "-c, --clients is used by the experiment clients only, which is not chosen" },
	{ { "-e", "clients", "-i", "4", "echo", "fork" },
	  "-i, --idle is used by the experiment idle only, which is not chosen" },
	{ { "-e", "cost", "request", "fork" },
	  "'request' is not a service with a load (use --request and --expect, or one" },
	{ { "-e", "work", "--server", "x {port}", "echo" },
	  "the experiment work needs a model of the suite" },
};

/* It is found before anything is run or opened. */
START_TEST(experiments_that_cannot_be_are_a_usage_error)
{
	const char *argv[12] = { "versus", "--report", path_of("x.html") };
	struct run run;

	memcpy(argv + 3, bad[_i].arguments, sizeof bad[_i].arguments);
	run = run_versus(argv);
	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, bad[_i].error) != NULL, "%s", run.err);
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
	ck_assert_str_eq(run.out, "");
	ck_assert(!folder_has(&folder, "x.html"));
}
END_TEST

START_TEST(a_report_in_no_directory_is_an_error_before_anything_is_run)
{
	struct run run = run_versus(
		ARGUMENTS("versus", "--report", path_of("none/x.html"), "echo", "fork"));
	char error[PATH_TEXT * 2];

	snprintf(error, sizeof error,
		 "versus: cannot write %s: No such file or directory\n",
		 path_of("none/x.html"));
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, error);
}
END_TEST

static const char *const outputs[] = { "--report", "--json" };

START_TEST(a_full_disk_is_an_error)
{
	struct run run;

	if (access("/dev/full", W_OK) != 0) {
		skipped("needs /dev/full");
		return;
	}
	run = run_versus(SHORT(outputs[_i], "/dev/full", "-e", "cost", "echo", "select"));
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err,
			 "versus: cannot write /dev/full: No space left on device\n");
	expect_no_server();
}
END_TEST

static void allow_small_files(void *context)
{
	(void)context;
	if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 500, 500 }) < 0)
		_exit(127);
}

/* GIVEN results of an earlier run, WHEN the new ones cannot be written whole, THEN the earlier ones
 * are as they were, and nothing lies beside them. */
START_TEST(a_file_that_cannot_be_written_whole_leaves_the_earlier_one)
{
	const char *path = path_of("results");
	FILE *file = fopen(path, "w");
	struct run run;

	ck_assert_ptr_nonnull(file);
	fputs("earlier\n", file);
	ck_assert_int_eq(fclose(file), 0);
	run = run_program_with(&(struct run_setup){
		.argv = SHORT(outputs[_i], path, "-e", "cost", "echo", "select"),
		.timeout = LONG_WAIT_MS,
		.prepare = allow_small_files,
	});
	run_expect_status(&run, 1);
	expect_match(run.err, "^versus: cannot write [^\n]*: File too large\n$");
	ck_assert_str_eq(read_file("results"), "earlier\n");
	ck_assert_int_ne(access(path_of("results.part"), F_OK), 0);
	expect_no_server();
}
END_TEST

/* GIVEN a symbolic link to earlier results, WHEN new ones are written to it, THEN they are in the
 * file that the link names, and the link is one still. */
START_TEST(a_link_gets_the_results_into_the_file_that_it_names)
{
	const char *json = path_of("link.json");
	struct stat status;
	struct run run;

	ck_assert_int_eq(mkdir(path_of("there"), 0700), 0);
	ck_assert_int_eq(symlink("there/x.json", json), 0);
	for (int i = 0; i < 2; i++) { /* where there is no file yet, and where there is */
		run = run_versus(SHORT("--json", json, "-e", "cost", "echo", "select"));
		ck_assert_msg(run_exit_status(&run) == 0, "%s", run.err);
		ck_assert_int_eq(lstat(json, &status), 0);
		ck_assert(S_ISLNK(status.st_mode));
		ck_assert_ptr_nonnull(
			strstr(read_file("there/x.json"), "\"service\": \"echo\""));
		ck_assert_int_ne(access(path_of("there/x.json.part"), F_OK), 0);
	}
}
END_TEST

/* ---- interrupted --------------------------------------------------------------------------- */

/* For eventually(): whether versus runs another server than before. */
struct servers {
	pid_t versus, last;
	unsigned seen;
};

static bool is_in_third_run(void *context)
{
	struct servers *servers = context;
	pid_t child;

	if (process_children(servers->versus, &child, 1) > 0 && child != servers->last) {
		servers->last = child;
		servers->seen++;
	}
	return servers->seen >= 3;
}

static const int interrupts[] = { SIGINT, SIGTERM };

/* GIVEN experiments in their third run, WHEN they are interrupted, THEN the page and the JSON have
 * the runs before, and the experiments that have not begun are not there. */
START_TEST(an_interruption_leaves_a_page_of_what_there_is)
{
	const char *json = path_of("x.json"), *html = path_of("x.html");
	struct run_setup setup = { .argv = ARGUMENTS("versus", "--report", html, "--json",
						     json, "-d", slow_seconds(0.1), "-e",
						     "clients,sharing", "echo",
						     "prefork") };
	struct program versus;
	struct servers servers;
	struct run run;
	pid_t child;

	if (process_children(getpid(), &child, 1) < 0) {
		skipped("needs /proc/PID/task/PID/children");
		return;
	}
	versus = program_start(&setup);
	servers = (struct servers){ .versus = versus.pid };
	ck_assert(eventually(is_in_third_run, &servers, WAIT_MS));
	kill(versus.pid, interrupts[_i]);
	run = program_wait(&versus, LONG_WAIT_MS);
	run_expect_status(&run, 1);
	expect_match(run.err, "\nversus: interrupted: only the runs so far are shown\n$");
	ck_assert_ptr_nonnull(
		strstr(read_file("x.html"), "<strong>The experiments were interrupted"));
	ck_assert_ptr_nonnull(strstr(read_file("x.html"), "<section id=\"clients\">"));
	ck_assert_ptr_null(strstr(read_file("x.html"), "<section id=\"sharing\">"));
	ck_assert_ptr_nonnull(strstr(read_file("x.html"), "</section>\n</html>\n"));
	ck_assert_ptr_nonnull(strstr(read_file("x.html"), "Each server ran at most "));
	ck_assert_ptr_nonnull(strstr(read_file("x.json"), "\"interrupted\": true"));
	expect_match(read_file("x.json"), "\"server\": \"prefork\", \"x\": 1, [^\n]*"
					  "\"rounds\": 1,");
	expect_match(read_file("x.json"), "\"server\": \"prefork\", \"x\": 1024, [^\n]*"
					  "\"rounds\": 0, [^\n]*\"failure\": null\\}");
	ck_assert_ptr_null(strstr(read_file("x.json"), "\"sharing\""));
	expect_no_server();
}
END_TEST

Suite *suite_versus_experiment_runs(void)
{
	Suite *suite = suite_create("versus_experiment_runs");
	TCase *tcase = add_case(suite, "printed");

	tcase_add_test(tcase, iterative_makes_clients_wait_and_that_is_no_failure);
	tcase_add_test(tcase, rates_costs_and_work_have_a_table_each);
	tcase_add_test(tcase, before_it_begins_it_says_how_long_it_takes);
	tcase_add_test(tcase, a_server_that_fails_is_reported_once_and_left_out);
	tcase_add_test(tcase, without_a_server_that_works_there_is_one_rate);

	tcase = add_case(suite, "JSON");
	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_test(tcase, a_fifo_gets_the_results);
	tcase_add_test(tcase, json_has_each_server_at_each_point);
	tcase_add_test(tcase, the_page_names_each_figure);

	tcase = add_case(suite, "arithmetic");
	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, a_server_serves_as_many_clients_at_a_time_as_it_can, 0,
			    (int)(sizeof served / sizeof *served));
	tcase_add_test(tcase, the_shares_of_four_workers_are_all_of_the_clients);

	tcase = add_case(suite, "errors");
	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, experiments_that_cannot_be_are_a_usage_error, 0,
			    (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tcase,
		       a_report_in_no_directory_is_an_error_before_anything_is_run);
	tcase_add_loop_test(tcase, a_full_disk_is_an_error, 0, 2);
	tcase_add_loop_test(
		tcase, a_file_that_cannot_be_written_whole_leaves_the_earlier_one, 0, 2);
	tcase_add_test(tcase, a_link_gets_the_results_into_the_file_that_it_names);
	tcase_add_loop_test(tcase, an_interruption_leaves_a_page_of_what_there_is, 0,
			    (int)(sizeof interrupts / sizeof *interrupts));
	return suite;
}
