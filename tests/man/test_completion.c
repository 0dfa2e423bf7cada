/*
 * The completion of bash and zsh, which man/completion/generate.sh makes from what the programs
 * print for -h: what a user gets who presses the tabulator key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { TEXT = 4096 };

/* The words up to the cursor, the last of them incomplete, and what is proposed. */
static const struct {
	const char *words, *proposals;
} cases[] = {
	{ "echod-fork --max", "--max-clients" },
	{ "/usr/bin/echod-fork --max", "--max-clients" },
	{ "echod-prefork --accept ''", "block lock pass" },
	{ "echod-prefork --accept = l", "lock" },
	{ "echod-fork --accept ''", "" }, /* an option of other models */
	{ "echod-fork -q ''", "" },       /* servers have no operands */
	{ "echod-fork --trace generat", "generate.sh" },
	{ "httpd-epoll -r ../../man/comp", "../../man/completion" },
	{ "echod-fork -a localh", "localhost" },
	{ "echod-fork -a ./generat", "./generate.sh" },
	{ "echod-fork --user nobod", "nobody" },
	{ "httpd-epoll --accept ''", "shared exclusive reuseport" },
	{ "loadgen ./generat", "./generate.sh" },
	{ "versus gre", "greet" },
	{ "versus -q -d 0.1 echo ep", "epoll" },
	{ "versus echo epoll ur", "uring" },
	{ "versus -l conn", "connections" },
	{ "versus -e idle,rat", "idle,rate" },
	{ "timeline --svg generat", "generate.sh" },
	{ "sockcheck re", "reply request" },
	{ "sockcheck --explain zomb", "zombies" },
	{ "sockcheck --skip zombies,half", "zombies,half-close" },
	{ "sockcheck echo -- printen", "printenv" },
	{ "loadgen -P ht", "http" },
	{ "loadgen bul", "bulk" },
	{ "xfer g", "get" },
	{ "xfer put localhost generat", "generate.sh" },
};

/* Runs a script of @p shell in man/completion, with the completion for some programs in the
 * file $1 for it. @return what it has printed, with the last newline cut off */
static const char *run_in_shell(const char *shell, const char *flag, const char *script)
{
	static const char frame[] = "set -e; cd \"$0/man/completion\"; file=$(mktemp)\n"
				    "trap 'rm -f \"$file\"' EXIT\n"
				    "sh generate.sh \"$1\" \"$2\" 'echo greet http' "
				    "'fork epoll uring' echod-fork "
				    "echod-prefork httpd-epoll versus timeline sockcheck "
				    "loadgen xfer >\"$file\"\n"
				    "\"$3\" $4 -c \"$5\" \"$1\" \"$file\"";
	const char *bin = getenv("SOCKWAYS_BIN");
	struct run run =
		run_program(ARGUMENTS("/bin/sh", "-c", frame, source_folder(), shell,
				      bin != NULL ? bin : "bin", shell, flag, script),
			    "", 0, LONG_WAIT_MS);

	ck_assert_msg(run_exit_status(&run) == 0, "%s: %s", shell, run.err);
	ck_assert_str_eq(run.err, "");
	if (run.out_length > 0)
		run.out[run.out_length - 1] = '\0';
	return run.out;
}

/* given: the completion of bash; when: the user presses tab after each of these lines; then: the
 * proposals are those that the program would take */
START_TEST(bash_proposes_what_fits)
{
	static const char begin[] =
		"source \"$1\"\n"
		"try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _sockways; "
		"printf '%s\\n' \"${COMPREPLY[*]}\"; }\n";
	char script[TEXT] = "", place[TOOL_TEXT], *line;
	size_t used;

	if (needed_program("bash", place) == NULL)
		return;
	used = (size_t)snprintf(script, sizeof script, "%s", begin);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		used += (size_t)snprintf(script + used, sizeof script - used, "try %s\n",
					 cases[i].words);
	ck_assert_uint_lt(used, sizeof script);
	line = strdup(run_in_shell("bash", "--norc", script));
	keep_text(line);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t length = strcspn(line, "\n");

		ck_assert_msg(strlen(cases[i].proposals) == length &&
				      strncmp(line, cases[i].proposals, length) == 0,
			      "after '%s': '%.*s' instead of '%s'", cases[i].words,
			      (int)length, line, cases[i].proposals);
		line += length + (line[length] == '\n' ? 1 : 0);
	}
}
END_TEST

/* given: the completion of zsh; when: zsh asks it for what a program takes; then: it knows each
 * option, whether it has an argument, and the operands */
START_TEST(zsh_knows_options_and_operands)
{
	static const char *const expected[] = {
		"*--max-clients=[serve at most N clients at a time]:value: ",
		"*-q[print errors only]",
		"*--accept=[block]:value:(block lock pass)",
		"*-a+[listen on ADDR]:value: _alternative \"hosts\\:host\\:_hosts\" "
		"\"sockets\\:socket\\:_files\"",
		"*--root=[serve the files in DIR instead]:value:_files -/",
		":operand:(echo greet http)",
		"*:operand:(fork epoll uring)",
		"*:operand:_files",
		":operand:(put get ls)",
	};
	static const char script[] =
		"_arguments() { print -rl -- \"$@\"; }\n"
		"for service in echod-prefork httpd-epoll versus timeline xfer; do\n"
		"source \"$1\"; done";
	char place[TOOL_TEXT], line[TEXT];
	const char *said;

	if (needed_program("zsh", place) == NULL)
		return;
	said = run_in_shell("zsh", "-f", script);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		snprintf(line, sizeof line, "\n%s\n", expected[i]);
		ck_assert_msg(strstr(said, line) != NULL, "no '%s' in:\n%s", expected[i],
			      said);
	}
}
END_TEST

/* given: a zsh on a terminal; when: the user types the beginning of a word and presses the tabulator
 * key; then: zsh completes the word, and prints no error */
START_TEST(zsh_completes_the_word)
{
	static const char script[] =
		"zmodload zsh/zpty; zpty z zsh -f\n"
		"mkdir $1.d; cp $1 $1.d/_sockways\n"
		"zpty -w z \"fpath=($1.d \\$fpath); autoload -U compinit; compinit -u "
		"-D; print rea''dy\"\n"
		"zpty -r z said '*ready*'\n"
		"for line in 'echod-fork -a ./gen' 'httpd-epoll --address=./gen' "
		"'loadgen echo ./gen' 'xfer put localhost gen' "
		"'sockcheck -u echo ./gen' 'sockcheck echo -- sh ./gen'; do\n"
		"zpty -w -n z \"$line\"$'\\t'; zpty -r z said '*generate.sh*'\n"
		"print -r -- $said; zpty -w -n z $'\\C-u'; done\n"
		"zpty -w -n z $'sockcheck echo -- printen\\t'; zpty -r z said "
		"'*printenv*'\n"
		"rm -r $1.d; print complete";
	char place[TOOL_TEXT];
	const char *said;

	if (needed_program("zsh", place) == NULL)
		return;
	said = run_in_shell("zsh", "-f", script);
	ck_assert_msg(strstr(said, "complete") != NULL, "%s", said);
	ck_assert_msg(strstr(said, "not found") == NULL, "%s", said);
	ck_assert_msg(strstr(said, "(eval)") == NULL, "%s", said);
}
END_TEST

Suite *suite_completion(void)
{
	Suite *suite = suite_create("completion");
	TCase *tcase = add_case(suite, "completion");

	tcase_add_test(tcase, bash_proposes_what_fits);
	tcase_add_test(tcase, zsh_knows_options_and_operands);
	tcase_add_test(tcase, zsh_completes_the_word);
	return suite;
}
