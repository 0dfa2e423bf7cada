/*
 * The zoo: each of its servers has one bug. sockcheck names what the bug does to clients, and
 * reports nothing else. ANSWERS.md says where the bug is and how to mend it.
 *
 * With TEST_LAB=all (make check-lab) each server is judged by all checks. The mended server is,
 * too, and must pass them all. Otherwise, to save time, each server is judged by the first of
 * the checks that must fail and three that must pass.
 *
 * Several servers are judged at once. On a busy machine sockcheck rather misses a bug than
 * reports one that is not there, so a server without the expected failure is judged again, alone.
 */
#include <check.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum {
	TEXT = 4096,
	NAMES = 256,
	ARGUMENTS_MOST = 8,
	AT_ONCE = 9,
	AT_ONCE_IN_LAB = 3,
	AGAIN = 4
};

/* What sockcheck must say of a server. The names are those of its checks. */
static const struct animal {
	const char *name;
	const char *arguments[ARGUMENTS_MOST]; /* of sockcheck, up to the protocol */
	const char *fails;
	const char *may_fail; /* because of the same bug; "*": all others */
	const char *passes;
} animals[] = {
	{ "ant", { "echo" }, "partial-writes", "", "answers two-at-once sigterm" },
	{ "bat",
	  { "reply" },
	  "split-input pipelined",
	  "half-close partial-writes slow-writer",
	  "answers silent-client sigterm" },
	{ "bee", { "reply" }, "no-delay", "", "answers pipelined split-input" },
	{ "boa", { "daytime" }, "rebind", "sigterm", "answers two-at-once last-bytes" },
	{ "cat", { "echo" }, "sigterm", "rebind", "answers half-close pipelined" },
	{ "cod", { "echo" }, "no-descriptors", "", "answers two-at-once rebind" },
	{ "cow",
	  { "reply" },
	  "reset-before-reply",
	  "aborted-client zombies descriptor-leak thread-leak",
	  "answers pipelined reset-after-reply" },
	{ "crab", { "echo" }, "no-descriptors", "", "answers idle-cpu sigterm" },
	{ "deer", { "echo" }, "zombies", "", "answers killed-child rebind" },
	{ "dog", { "echo" }, "reset-after-reply", "*", "answers two-at-once sigterm" },
	{ "eel",
	  { "echo" },
	  "half-close descriptor-leak no-descriptors",
	  "",
	  "answers two-at-once rebind" },
	{ "elk", { "echo" }, "sigterm", "rebind", "answers half-close killed-child" },
	{ "fox", { "echo" }, "killed-child", "", "answers half-close rebind" },
	{ "frog",
	  { "echo" },
	  "slow-writer",
	  "split-input own-answers two-at-once silent-client partial-writes half-close "
	  "many-clients zombies descriptor-leak thread-leak idle-cpu killed-child "
	  "no-descriptors",
	  "answers sigterm rebind" },
	{ "gnu",
	  { "echo" },
	  "own-answers",
	  "two-at-once silent-client slow-reader slow-writer many-clients "
	  "reset-before-reply reset-after-reply aborted-client no-descriptors idle-cpu "
	  "zombies descriptor-leak thread-leak",
	  "answers half-close sigterm" },
	{ "goat",
	  { "echo" },
	  "own-answers",
	  "reset-before-reply reset-after-reply aborted-client silent-client slow-reader "
	  "slow-writer many-clients no-descriptors zombies descriptor-leak thread-leak",
	  "answers half-close sigterm" },
	{ "hare",
	  { "request", "--request", "129600\\n", "--expect", "1970-01-02\\n" },
	  "own-answers",
	  "two-at-once reset-before-reply reset-after-reply aborted-client slow-reader "
	  "slow-writer many-clients no-descriptors zombies descriptor-leak thread-leak",
	  "answers silent-client sigterm" },
	{ "hen", { "counter" }, "lost-updates", "", "answers two-at-once sigterm" },
	{ "ibex",
	  { "counter" },
	  "reset-before-reply",
	  "aborted-client reset-after-reply zombies descriptor-leak thread-leak",
	  "answers lost-updates sigterm" },
	{ "jay", { "echo" }, "thread-leak", "", "answers half-close rebind" },
	{ "kiwi",
	  { "-w", "4", "reply" },
	  "workers-last",
	  "*",
	  "answers split-input sigterm" },
	{ "lynx",
	  { "-w", "4", "echo" },
	  "workers workers-last",
	  "",
	  "answers half-close sigterm" },
	{ "mole",
	  { "-w", "4", "echo" },
	  "workers-last",
	  "*",
	  "answers half-close sigterm" },
	{ "newt",
	  { "-w", "4", "echo" },
	  "workers-last",
	  "*",
	  "answers workers half-close" },
	{ "owl", { "echo" }, "many-clients", "", "answers half-close sigterm" },
	{ "pig",
	  { "echo" },
	  "two-at-once own-answers",
	  "*",
	  "answers half-close sigterm" },
	{ "pug", { "echo" }, "answers", "*", "" },
	{ "quail",
	  { "reply" },
	  "slow-writer",
	  "silent-client",
	  "answers pipelined sigterm" },
	{ "rat", { "echo" }, "slow-reader", "", "answers half-close sigterm" },
	{ "seal",
	  { "echo" },
	  "pipelined partial-writes",
	  "half-close",
	  "answers two-at-once split-input" },
	{ "swan", { "echo" }, "idle-cpu", "", "answers half-close sigterm" },
	{ "toad", { "echo" }, "half-close", "", "answers two-at-once sigterm" },
	{ "vole", { "http" }, "last-bytes", "", "answers two-at-once sigterm" },
	{ "wasp",
	  { "-u", "echo" },
	  "udp-own-peer",
	  "",
	  "udp-answers udp-empty udp-largest" },
	{ "yak",
	  { "-u", "echo" },
	  "udp-largest",
	  "",
	  "udp-answers udp-own-peer udp-empty" },
	{ "zebra",
	  { "-u", "echo" },
	  "udp-empty",
	  "",
	  "udp-answers udp-own-peer udp-largest" },
};

enum { ANIMALS = sizeof animals / sizeof *animals };

/* ---- what sockcheck says --------------------------------------------------------------- */

/* How many are checked side by side. In the lab each check with thousands of clients is made. */
static int at_once(void)
{
	return lab_is_wanted() ? AT_ONCE_IN_LAB : AT_ONCE;
}

/* These cost much processor time. */
static bool is_judged(const struct animal *animal)
{
	return lab_is_wanted() || !names_include("crab deer owl pig", animal->name);
}

static const char *program_of(const struct animal *animal)
{
	static char path[TEXT];
	const char *bin = getenv("SOCKWAYS_BIN");

	snprintf(path, sizeof path, "%s/zoo/%s", bin ? bin : "bin", animal->name);
	return path;
}

/* The checks that must fail in this run. */
static const char *fails_of(const struct animal *animal, char first[NAMES])
{
	snprintf(first, NAMES, "%s", animal->fails);
	if (!lab_is_wanted())
		first[strcspn(first, " ")] = '\0';
	return first;
}

/* Starts sockcheck on a server, with all checks or with those of the table only. */
static struct program start_check(const struct animal *animal, const char *server)
{
	const char *argv[ARGUMENTS_MOST + 8] = { "sockcheck", "--tap" };
	char first[NAMES], only[TEXT];
	int count = 2;

	snprintf(only, sizeof only, "%s %s", fails_of(animal, first), animal->passes);
	for (char *space = only; (space = strchr(space, ' ')) != NULL;)
		*space = ',';
	if (!lab_is_wanted()) {
		argv[count++] = "--only";
		argv[count++] = only;
	}
	for (int i = 0; animal->arguments[i] != NULL; i++)
		argv[count++] = animal->arguments[i];
	argv[count++] = "--";
	argv[count++] = server;
	argv[count++] = "{port}";
	return program_start(&(struct run_setup){ .argv = argv });
}

/* The line of a check in the TAP output: "ok 3 - name ..." or "not ok 3 - name ...".
 * @return whether there is one; then its name is in @p name, and whether it is "ok" in @p ok */
static bool next_verdict(const char **output, char name[TEXT], bool *ok)
{
	const char *line = *output, *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (sscanf(line, "ok %*d - %[a-z-]", name) == 1)
			*ok = true;
		else if (sscanf(line, "not ok %*d - %[a-z-]", name) == 1)
			*ok = false;
		else
			continue;
		*output = end + 1;
		return true;
	}
	return false;
}

static bool has_verdict(const char *output, const char *name, bool ok)
{
	char found[TEXT];
	bool found_ok;

	while (next_verdict(&output, found, &found_ok))
		if (strcmp(found, name) == 0)
			return found_ok == ok;
	return false;
}

/* Whether all these checks have failed. */
static bool have_failed(const char *names, const char *output)
{
	char list[TEXT], *rest = list, *name;

	snprintf(list, sizeof list, "%s", names);
	while ((name = strtok_r(rest, " ", &rest)) != NULL)
		if (!has_verdict(output, name, false))
			return false;
	return true;
}

static void expect_verdicts(const struct animal *animal, const char *names, bool ok,
			    const char *output)
{
	char list[TEXT], *rest = list, *name;

	snprintf(list, sizeof list, "%s", names);
	while ((name = strtok_r(rest, " ", &rest)) != NULL)
		ck_assert_msg(has_verdict(output, name, ok), "%s: %s must %s:\n%s",
			      animal->name, name, ok ? "pass" : "fail", output);
}

/* No check fails but those which the bug explains. */
static void expect_no_other_failure(const struct animal *animal, const char *output)
{
	const char *at = output;
	char name[TEXT];
	bool ok;

	while (next_verdict(&at, name, &ok))
		ck_assert_msg(ok || names_include(animal->fails, name) ||
				      names_include(animal->may_fail, name) ||
				      strcmp(animal->may_fail, "*") == 0,
			      "%s: %s must not fail:\n%s", animal->name, name, output);
}

START_TEST(sockcheck_names_what_the_bug_does_and_nothing_else)
{
	int from = _i * at_once(),
	    to = from + at_once() < ANIMALS ? from + at_once() : ANIMALS;
	struct program checks[AT_ONCE];
	char first[NAMES];

	for (int i = from; i < to; i++)
		if (is_judged(&animals[i]))
			checks[i - from] =
				start_check(&animals[i], program_of(&animals[i]));
	for (int i = from; i < to; i++) {
		const char *fails = fails_of(&animals[i], first);
		struct run run;

		if (!is_judged(&animals[i]))
			continue;
		run = program_wait(&checks[i - from], LONG_WAIT_MS);

		for (int again = 0; again < AGAIN && !have_failed(fails, run.out);
		     again++) {
			checks[i - from] =
				start_check(&animals[i], program_of(&animals[i]));
			run = program_wait(&checks[i - from], LONG_WAIT_MS);
		}
		ck_assert_msg(run_exit_status(&run) == 1, "%s: exit status %d:\n%s%s",
			      animals[i].name, run_exit_status(&run), run.out, run.err);
		expect_verdicts(&animals[i], fails, false, run.out);
		expect_verdicts(&animals[i], animals[i].passes, true, run.out);
		expect_no_other_failure(&animals[i], run.out);
	}
}
END_TEST

/* ---- the answers ----------------------------------------------------------------------- */

/* Runs a command of the shell in the folder of the sources; $1 is the name of the server, $2
 * another argument. $answers is the section of the server in ANSWERS.md. */
static void expect_shell(const struct animal *animal, const char *argument,
			 const char *command)
{
	char script[TEXT];
	struct run run;

	snprintf(script, sizeof script,
		 "cd \"$0\" || exit\n"
		 "answers=$(awk -v title=\"## $1:\" '/^## / { on = index($0, title) == 1 "
		 "} on' tests/zoo/ANSWERS.md)\n"
		 "[ -n \"$answers\" ] || { echo not in ANSWERS.md; exit 1; }\n%s",
		 command);
	run = run_program(ARGUMENTS("/bin/sh", "-c", script, source_folder(),
				    animal->name, argument),
			  "", 0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s: %s%s", animal->name, run.out,
		      run.err);
}

START_TEST(the_answers_cite_the_lines_of_the_bug)
{
	expect_shell(&animals[_i], "",
		     "cited=$(printf '%s\\n' \"$answers\" | sed -n "
		     "'s/^- Where: line \\([0-9]*\\), `\\(.*\\)`$/\\1 \\2/p')\n"
		     "[ -n \"$cited\" ] || exit 1\n"
		     "printf '%s\\n' \"$cited\" | while read -r line code; do\n"
		     "sed -n \"${line}p\" \"tests/zoo/$1.c\" | grep -qF -e \"$code\" || "
		     "{ echo \"line $line: $code\"; exit 1; }\n"
		     "done");
}
END_TEST

START_TEST(the_answers_name_the_checks_that_fail)
{
	char fails[TEXT], list[TEXT], *rest = list, *name;
	int used = snprintf(fails, sizeof fails, "  Fails:");

	snprintf(list, sizeof list, "%s", animals[_i].fails);
	while ((name = strtok_r(rest, " ", &rest)) != NULL)
		used += snprintf(fails + used, sizeof fails - (size_t)used, " %s,", name);
	fails[used - 1] = '\0';
	expect_shell(&animals[_i], fails,
		     "printf '%s\\n' \"$answers\" | grep -qxF -e \"$2\"");
}
END_TEST

static const char mend[] =
	"printf '%s\\n' \"$answers\" | sed -n '/^```diff$/,/^```$/p' | grep -v '^```' | "
	"patch -s -o \"$2.c\" \"tests/zoo/$1.c\"";
static const char compile[] = "cc -O2 -pthread -o \"$2\" \"$2.c\"";

static void expect_all_pass(const struct animal *animal, const char *server)
{
	struct program check = start_check(animal, server);
	struct run run = program_wait(&check, LONG_WAIT_MS);

	ck_assert_msg(run_exit_status(&run) == 0, "%s, mended:\n%s%s", animal->name,
		      run.out, run.err);
}

START_TEST(the_answers_mend_the_server)
{
	char path[TOOL_TEXT], mended[TEXT];
	struct folder folder;

	if (needed_program("patch", path) == NULL)
		return;
	folder_create(&folder);
	snprintf(mended, sizeof mended, "%s", folder_path(&folder, animals[_i].name));
	expect_shell(&animals[_i], mended, mend);
	if (lab_is_wanted() && needed_program("cc", path) != NULL) {
		expect_shell(&animals[_i], mended, compile);
		expect_all_pass(&animals[_i], mended);
	}
	folder_remove(&folder);
}
END_TEST

/* ---- the servers ----------------------------------------------------------------------- */

START_TEST(a_server_can_be_handed_out)
{
	expect_shell(
		&animals[_i], "119",
		"file=tests/zoo/$1.c\n"
		"[ $(wc -l <$file) -le $2 ] || { echo 'too long'; exit 1; }\n"
		"! grep '#include \"' $file || exit 1\n"
		"head -n 2 $file | grep -q \"^ \\* $1 - \" || { echo title; exit 1; }\n"
		"sed '/^ \\*\\/$/q' $file | grep -q '^ \\* Symptom: ' || "
		"{ echo symptom; exit 1; }");
}
END_TEST

START_TEST(a_server_says_how_it_is_called)
{
	static const char *const wrong[] = { "", "0", "65536", "port" };
	const char *program = program_of(&animals[_i]);
	char usage[TEXT];

	snprintf(usage, sizeof usage, "usage: %s PORT\n", animals[_i].name);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct run run =
			run_program(ARGUMENTS(program, wrong[i]), "", 0, WAIT_MS);

		run_expect_status(&run, 2);
		ck_assert_str_eq(run.err, usage);
	}
}
END_TEST

START_TEST(every_server_is_in_the_table)
{
	char path[TEXT];
	struct dirent *entry;
	DIR *folder;
	int found = 0;

	snprintf(path, sizeof path, "%s/tests/zoo", source_folder());
	folder = opendir(path);
	ck_assert_ptr_nonnull(folder);
	while ((entry = readdir(folder)) != NULL) {
		size_t length = strlen(entry->d_name);

		found += length > 2 && strcmp(entry->d_name + length - 2, ".c") == 0 &&
			 strcmp(entry->d_name, "test_zoo.c") != 0;
	}
	closedir(folder);
	ck_assert_int_eq(found, ANIMALS);
}
END_TEST

Suite *suite_zoo(void)
{
	Suite *suite = suite_create("zoo");
	TCase *verdicts = add_case(suite, "verdicts"),
	      *answers = add_case(suite, "answers"),
	      *servers = add_case(suite, "servers");

	tcase_add_loop_test(verdicts, sockcheck_names_what_the_bug_does_and_nothing_else,
			    0, (ANIMALS + at_once() - 1) / at_once());
	tcase_add_loop_test(answers, the_answers_cite_the_lines_of_the_bug, 0, ANIMALS);
	tcase_add_loop_test(answers, the_answers_name_the_checks_that_fail, 0, ANIMALS);
	tcase_add_loop_test(answers, the_answers_mend_the_server, 0, ANIMALS);
	tcase_add_loop_test(servers, a_server_can_be_handed_out, 0, ANIMALS);
	tcase_add_loop_test(servers, a_server_says_how_it_is_called, 0, ANIMALS);
	tcase_add_test(servers, every_server_is_in_the_table);
	return suite;
}
