/*
 * Runs every suite, several at a time, each in a process of its own: tests wait more than
 * they compute. Prints each suite's summary as it ends; then each reason why tests were
 * skipped, once, with a count; then the sum of all. What failed comes last, so that it is
 * on the screen when the run ends.
 *
 * TEST_MODELS='fork thread' runs the tests that hold in every model with these only,
 * TEST_MODELS=all all of them with all models: tests/fixture/models.h.
 *
 * TEST_LAB=all also runs the labs of sockways-labs(7) and the questions of sockways-surprises(7)
 * that take long. TEST_FACTS=1 prints a line for each of these questions.
 *
 * CK_RUN_SUITE=name runs one, TEST_ONLY='name name' these, TEST_WITHOUT='name name' all but
 * these; TEST_JOBS=1 one at a time; CK_FORK=no, for a debugger, all in this process.
 *
 * A build with sanitizers leaves out the suites in which they can find nothing (see below);
 * CK_RUN_SUITE=name runs one of these, too.
 *
 * CK_DEFAULT_TIMEOUT=seconds limits each test (default: TEST_SECONDS of waiting.h).
 *
 * TMPDIR becomes a folder of this run. It is removed at the end, with whatever is in it: a
 * test that fails removes nothing.
 */
#define _DEFAULT_SOURCE /* _SC_NPROCESSORS_ONLN */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fixture/folder.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { JOBS_PER_PROCESSOR = 4, JOBS_LEAST = 4, JOBS_MOST = 64 };

/* Suites without a use for sanitizers. The examples of the pages run our programs as other
 * suites do, many of them under strace and gdb; what these tests are about is the text of the
 * pages. The functions that lie between a model and send are counted in a build without
 * optimization and sanitizers, and slow readers must keep a rate. */
static const char *const without_sanitizers[] = { "examples", "pasted_examples", "frames",
						  "slow_readers", NULL };

/* How the line begins by which a test says that it is skipped. */
static const char skip_mark[] = "skipped: ";

struct tally {
	int checks, failures, errors;
};

/* A suite that runs in a process of its own. */
struct job {
	pid_t pid;
	FILE *output; /* a file without a name */
	int report;   /* a pipe on which its tally comes */
};

static const struct {
	const char *name;
	Suite *(*create)(void);
} suites[] = {
#define SUITE(name) { #name, suite_##name },
	SUITES
#undef SUITE
};

enum { SUITE_COUNT = sizeof suites / sizeof *suites };

/* Lines that are printed at the end, each once. */
struct line {
	char *text;
	unsigned count; /* how often it came */
};

struct lines {
	struct line *list;
	size_t count;
};

static struct lines skips, failures;
static struct job jobs[JOBS_MOST];
static volatile sig_atomic_t stopped_by; /* a signal */

/* They are no part of the group that a terminal signals. Check passes it on to the test. */
static void stop_jobs(void)
{
	for (int i = 0; i < JOBS_MOST; i++)
		if (jobs[i].pid > 0)
			kill(jobs[i].pid, SIGTERM);
}

static void stop(int signal_number)
{
	stopped_by = signal_number;
	stop_jobs();
}

static void handle(int signal_number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(signal_number, &action, NULL);
}

static void handle_stopping(void (*handler)(int))
{
	handle(SIGINT, handler);
	handle(SIGTERM, handler);
}

static void add(struct tally *sum, const struct tally *part)
{
	sum->checks += part->checks;
	sum->failures += part->failures;
	sum->errors += part->errors;
}

static struct tally run(SRunner *runner)
{
	struct tally tally = { 0 };
	TestResult **failed;

	srunner_run_all(runner, CK_ENV);
	tally.checks = srunner_ntests_run(runner);
	failed = srunner_failures(runner);
	for (int i = 0; i < srunner_ntests_failed(runner); i++) {
		tally.failures += tr_rtype(failed[i]) == CK_FAILURE;
		tally.errors += tr_rtype(failed[i]) != CK_FAILURE;
	}
	free(failed);
	srunner_free(runner);
	return tally;
}

static void remember(struct lines *lines, const char *text)
{
	struct line *list;

	for (size_t i = 0; i < lines->count; i++) {
		if (strcmp(lines->list[i].text, text) == 0) {
			lines->list[i].count++;
			return;
		}
	}
	list = realloc(lines->list, (lines->count + 1) * sizeof *list);
	if (list == NULL)
		return;
	lines->list = list;
	list[lines->count] = (struct line){ strdup(text), 1 };
	if (list[lines->count].text != NULL)
		lines->count++;
}

static void print_skips(void)
{
	for (size_t i = 0; i < skips.count; i++) {
		const struct line *line = &skips.list[i];

		printf("%s%s", skip_mark, line->text);
		if (line->count > 1)
			printf(" (%u times)", line->count);
		putchar('\n');
	}
}

static void print_failures(void)
{
	for (size_t i = 0; i < failures.count; i++)
		printf("%s%s\n", i == 0 ? "failed:\n" : "", failures.list[i].text);
}

static void forget(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->list[i].text);
	free(lines->list);
	*lines = (struct lines){ 0 };
}

/* Check's line for a failed test is FILE:LINE:F:CASE:TEST:ITERATION: MESSAGE; an E there is
 * an error, such as a signal or a timeout. */
static bool is_failure(const char *line)
{
	const char *number = strchr(line, ':');
	size_t digits = number != NULL ? strspn(number + 1, "0123456789") : 0;

	return digits > 0 && (strncmp(number + 1 + digits, ":F:", 3) == 0 ||
			      strncmp(number + 1 + digits, ":E:", 3) == 0);
}

/* Prints what a suite printed, but for the reasons of its skips, which come at the end. */
static void pass_on(FILE *output)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	rewind(output);
	while ((n = getline(&line, &room, output)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strncmp(line, skip_mark, sizeof skip_mark - 1) == 0) {
			remember(&skips, line + sizeof skip_mark - 1);
			continue;
		}
		if (is_failure(line))
			remember(&failures, line);
		puts(line);
	}
	free(line);
	fflush(stdout);
}

static bool is_without_sanitizers(const char *suite)
{
	for (size_t i = 0; without_sanitizers[i] != NULL; i++)
		if (strcmp(without_sanitizers[i], suite) == 0)
			return true;
	return false;
}

static bool is_wanted(const char *suite)
{
	const char *one = getenv("CK_RUN_SUITE"), *some = getenv("TEST_ONLY"),
		   *without = getenv("TEST_WITHOUT");

	if (one != NULL && *one != '\0')
		return strcmp(one, suite) == 0;
	if (some != NULL && *some != '\0')
		return names_include(some, suite);
	return !(SANITIZED && is_without_sanitizers(suite)) &&
	       (without == NULL || !names_include(without, suite));
}

static struct tally run_in_this_process(void)
{
	SRunner *runner = srunner_create(NULL);

	for (size_t i = 0; i < SUITE_COUNT; i++)
		srunner_add_suite(runner, suites[i].create());
	return run(runner);
}

/* Some tests limit the descriptors: a suite has none of what belongs to the others. */
static void close_other_jobs(const struct job *own)
{
	for (int i = 0; i < JOBS_MOST; i++) {
		if (&jobs[i] == own || jobs[i].pid <= 0)
			continue;
		close(fileno(jobs[i].output));
		close(jobs[i].report);
	}
}

static bool start(struct job *job, size_t suite)
{
	struct tally tally;
	int ends[2];

	job->output = tmpfile();
	if (job->output == NULL || pipe(ends) < 0)
		return false;
	fflush(stdout);
	job->pid = fork();
	if (job->pid != 0) {
		close(ends[1]);
		job->report = ends[0];
		return job->pid > 0;
	}
	handle_stopping(SIG_DFL);
	setpgid(0, 0); /* what a test signals as a group is its own */
	close_other_jobs(job);
	close(ends[0]);
	dup2(fileno(job->output), STDOUT_FILENO);
	dup2(fileno(job->output), STDERR_FILENO);
	tally = run(srunner_create(suites[suite].create()));
	fflush(NULL);
	if (write(ends[1], &tally, sizeof tally) != (ssize_t)sizeof tally)
		_exit(EXIT_FAILURE);
	exit(tally.failures + tally.errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* A suite has ended: prints what it said, and counts it; one that died is an error. */
static void collect(struct job *job, int status, struct tally *sum)
{
	struct tally tally = { 0 };

	if (read(job->report, &tally, sizeof tally) != (ssize_t)sizeof tally ||
	    (status != 0 && tally.failures + tally.errors == 0))
		tally.errors++;
	pass_on(job->output);
	add(sum, &tally);
	fclose(job->output);
	close(job->report);
	job->pid = 0;
}

static bool wait_for_one(struct tally *sum)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	if (pid < 0)
		return errno == EINTR;
	for (int i = 0; i < JOBS_MOST; i++)
		if (jobs[i].pid == pid)
			collect(&jobs[i], status, sum);
	return true;
}

static struct tally run_side_by_side(int most)
{
	struct tally sum = { 0 };

	for (size_t suite = 0; suite < SUITE_COUNT && !stopped_by; suite++) {
		int free_job;

		if (!is_wanted(suites[suite].name))
			continue;
		for (;;) {
			for (free_job = 0; free_job < most && jobs[free_job].pid != 0;)
				free_job++;
			if (free_job < most)
				break;
			wait_for_one(&sum);
		}
		if (!start(&jobs[free_job], suite)) {
			perror("tests");
			sum.errors++;
		}
	}
	if (stopped_by) /* perhaps while one was being started */
		stop_jobs();
	while (wait_for_one(&sum))
		;
	return sum;
}

/* @return false, having said why, if there is no place for it */
static bool make_folder(char path[FOLDER_TEXT])
{
	const char *temporary = getenv("TMPDIR");

	snprintf(path, FOLDER_TEXT, "%s/sockways-XXXXXX",
		 temporary != NULL ? temporary : "/tmp");
	if (mkdtemp(path) != NULL &&
	    chmod(path, 0711) == 0 && /* a server that gives up its rights has to pass */
	    setenv("TMPDIR", path, 1) == 0)
		return true;
	fprintf(stderr, "tests: cannot make the folder %s: %s\n", path, strerror(errno));
	return false;
}

/* Tests wait more than they compute. */
static int jobs_for_this_machine(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors > JOBS_MOST / JOBS_PER_PROCESSOR)
		return JOBS_MOST;
	if (processors < JOBS_LEAST / JOBS_PER_PROCESSOR)
		return JOBS_LEAST;
	return (int)processors * JOBS_PER_PROCESSOR;
}

static struct tally run_suites(void)
{
	const char *wanted = getenv("TEST_JOBS"), *forking = getenv("CK_FORK");
	int most = wanted ? atoi(wanted) : jobs_for_this_machine();

	if (forking != NULL && strcmp(forking, "no") == 0)
		return run_in_this_process();
	handle_stopping(stop);
	if (most < 1 || most > JOBS_MOST)
		most = jobs_for_this_machine();
	return run_side_by_side(most);
}

/* Check reads the limit of a test from the environment when a test case is created. */
static void set_time_limit(void)
{
	char seconds[16];

	snprintf(seconds, sizeof seconds, "%d", TEST_SECONDS);
	setenv("CK_DEFAULT_TIMEOUT", seconds, 0);
}

/* Check formats the message of a failure in BUFSIZ bytes, but ends the test without any result if
 * more than 4,096 bytes are to be passed on. Some messages here hold a program's whole output. */
static void permit_long_messages(void)
{
	check_set_max_msg_size(2 * (size_t)BUFSIZ);
}

/* Only with 32 bits: a program that sets no size for the stacks of its threads gets stacks of this
 * limit, usually 8 MiB. 500 of them fill the address space, and some broken servers have more. */
static void leave_room_for_threads(void)
{
	enum { STACK = 1024 * 1024 };
	struct rlimit limit;

	if (sizeof(void *) > 4 || getrlimit(RLIMIT_STACK, &limit) < 0)
		return;
	if (limit.rlim_cur > STACK)
		limit.rlim_cur = STACK;
	setrlimit(RLIMIT_STACK, &limit);
}

int main(void)
{
	char folder[FOLDER_TEXT];
	struct tally sum;

	if (!make_folder(folder))
		return EXIT_FAILURE;
	set_time_limit();
	permit_long_messages();
	leave_room_for_threads();
	sum = run_suites();
	folder_remove_path(folder);
	if (stopped_by) {
		handle_stopping(SIG_DFL);
		raise(stopped_by);
	}
	if (sum.checks == 0) {
		fprintf(stderr, "tests: no test was run\n");
		return EXIT_FAILURE;
	}
	print_skips();
	printf("all suites:\n%d%%: Checks: %d, Failures: %d, Errors: %d\n",
	       (sum.checks - sum.failures - sum.errors) * 100 / sum.checks, sum.checks,
	       sum.failures, sum.errors);
	print_failures();
	forget(&skips);
	forget(&failures);
	return sum.failures + sum.errors == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
