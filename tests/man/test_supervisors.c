/*
 * The examples for supervisors in man/examples: systemd accepts the units, and s6 and runit really
 * start and stop a server with the run scripts, at an address of the test's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { TEXT = 64 };

/* Runs a script in a copy of man/examples, which has the programs of this build, an address that no
 * other test has, directories of its own, and the user of the test. */
static struct run run_with_examples(const char *script)
{
	static const char begin[] =
		"set -eu; work=$(mktemp -d); trap 'rm -rf \"$work\"' EXIT\n"
		"cp -R \"$1/man/examples/.\" \"$work\"; cd \"$work\"\n"
		"mkdir www store; echo welcome >www/index.html\n"
		"find . -type f -exec sed -i \"s,/usr/local/bin,$2,; "
		"s,127\\.0\\.0\\.1,$3,; s,/srv/www,$work/www,; "
		"s,/var/lib/filed,$work/store,; "
		"s,--user [a-z]*,--user $(id -u):$(id -g),\" "
		"'{}' +\n"
		"address=$3 bin=$2\n"
		"eval \"$4\"";
	const char *bin = getenv("SOCKWAYS_BIN");
	char address[TEXT];

	snprintf(address, sizeof address, "127.77.%ld.%ld", (long)getpid() / 250 % 250,
		 (long)getpid() % 250 + 1);
	return run_program(ARGUMENTS("/bin/sh", "-c", begin, "sh", source_folder(),
				     bin != NULL ? bin : "bin", address, script),
			   "", 0, LONG_WAIT_MS);
}

/* given: the units; when: systemd reads them; then: it has no objection */
START_TEST(systemd_accepts_units)
{
	char place[TOOL_TEXT];
	struct run run;

	if (needed_program("systemd-analyze", place) == NULL)
		return;
	run = run_with_examples(
		"systemd-analyze verify --recursive-errors=no systemd/*.*");
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.out, run.err);
	ck_assert_str_eq(run.err, "");
}
END_TEST

/* given: the units of the servers; when: systemd judges the sandbox; then: little is exposed (of
 * 10 at most 2) */
START_TEST(systemd_finds_little_exposed)
{
	char place[TOOL_TEXT];
	struct run run;

	if (needed_program("systemd-analyze", place) == NULL)
		return;
	run = run_with_examples("systemd-analyze security --offline=yes --threshold=20 "
				"--no-pager systemd/*.service");
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.out, run.err);
}
END_TEST

/* The first lines of a script: the supervisor has started the server, which answers. */
#define S6_STARTS(service)                                                               \
	"cd s6/" service "; rm -r log\n"                                                 \
	"PATH=$bin:$PATH s6-supervise . >out 2>&1 & supervisor=$!\n"                     \
	"i=0; until [ -s supervise/status ] && s6-svok . || [ $i -gt 200 ]\n"            \
	"do sleep 0.1; i=$((i+1)); done\n"                                               \
	"s6-svwait -U -t 20000 .\n"
#define RUNIT_STARTS(service)                                                            \
	"cd runit/" service "; PATH=$bin:$PATH runsv . >out 2>&1 & supervisor=$!\n"      \
	"i=0; until [ -p supervise/ok ] && sv -w 5 check . >/dev/null || [ $i -gt 200 "  \
	"]\n"                                                                            \
	"do sleep 0.1; i=$((i+1)); done\n"

/* Where there is the program @p tool, the script succeeds and prints @p expected. */
static void expect_script(const char *tool, const char *script, const char *expected)
{
	char place[TOOL_TEXT];
	struct run run;

	if (needed_program(tool, place) == NULL)
		return;
	run = run_with_examples(script);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.out, run.err);
	ck_assert_str_eq(run.out, expected);
}

/* given: the service directory for s6; when: s6-supervise starts it; then: the server is ready
 * when s6 says so, is started again after its death, and ends when s6 is told to end */
START_TEST(s6_starts_and_stops_server)
{
	static const char script[] =
		S6_STARTS("echod") "$bin/dial -m hello $address 7007\n"
				   "s6-svc -k .; s6-svwait -d -t 2000 . || :; s6-svwait "
				   "-U -t 20000 .\n"
				   "$bin/dial -R -m again $address 7007\n"
				   "s6-svc -xd .; wait $supervisor";

	expect_script("s6-supervise", script, "hello\nagain\n");
}
END_TEST

/* given: the service directory of the file server for s6; when: s6-supervise has started it; then: it
 * stores what a client sends in its directory */
START_TEST(s6_starts_file_server)
{
	static const char script[] =
		S6_STARTS("filed") "$bin/xfer -q put $address ../../www/index.html\n"
				   "s6-svc -xd .; wait $supervisor\n"
				   "cat ../../store/index.html";

	expect_script("s6-supervise", script, "welcome\n");
}
END_TEST

/* given: the service directory for runit; when: runsv starts it; then: sv check sees that the
 * server answers, the messages are in the log, and the server ends when runit is told to end */
START_TEST(runit_starts_and_stops_server)
{
	static const char script[] =
		RUNIT_STARTS("echod") "$bin/dial -m hello $address 7007\n"
				      "sv -w 20 exit . >/dev/null; wait $supervisor\n"
				      "grep -o 'echod-fork: listening' log/main/current";

	expect_script("runsv", script, "hello\nechod-fork: listening\n");
}
END_TEST

/* given: the service directory of the web server for runit; when: runsv has started it; then: sv
 * check sees that the server answers, and a client gets the file of its directory */
START_TEST(runit_starts_web_server)
{
	static const char script[] = RUNIT_STARTS(
		"httpd") "$bin/dial -C -m 'GET / HTTP/1.0' -m '' $address 8080 | tail -n "
			 "1\n"
			 "i=0; until grep -q 'GET / HTTP/1.0' log/main/current || [ $i "
			 "-gt 200 ]\n"
			 "do sleep 0.1; i=$((i+1)); done\n"
			 "sv -w 20 exit . >/dev/null; wait $supervisor\n"
			 "grep -o '\"GET / HTTP/1.0\" 200' log/main/current | tail -n 1";

	expect_script("runsv", script, "welcome\n\"GET / HTTP/1.0\" 200\n");
}
END_TEST

Suite *suite_supervisors(void)
{
	Suite *suite = suite_create("supervisors");
	TCase *tcase = add_case(suite, "supervisors");

	tcase_add_test(tcase, systemd_accepts_units);
	tcase_add_test(tcase, systemd_finds_little_exposed);
	tcase_add_test(tcase, s6_starts_and_stops_server);
	tcase_add_test(tcase, s6_starts_file_server);
	tcase_add_test(tcase, runit_starts_and_stops_server);
	tcase_add_test(tcase, runit_starts_web_server);
	return suite;
}
