/*
 * Command lines: what is taken, what is refused, and in which words.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "common/message.h"
#include "common/options.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define WORDS(...)   ((char *[]){ "bin/echod", __VA_ARGS__, NULL })

enum { JSON = OPTIONS_LETTERS_FROM, VERSION };

static const struct option_line TABLE[] = {
	{ 'p', "port", "PORT", "number or service name" },
	{ 'v', "verbose", NULL, "a line per client;\ntwice, a line per event" },
	{ 'w', "wait", "SEC", "give up after SEC seconds" },
	{ JSON, "json", "FILE", "write the figures to FILE" },
	{ VERSION, "version", NULL, "print the version" },
	{ 0 },
};

static int count_words(char **words)
{
	int count = 0;

	while (words[count] != NULL)
		count++;
	return count;
}

/* A command line, parsed to its end or to the first thing that is wrong with it. */
struct parsed {
	char taken[256]; /* "p=80 v " */
	int end, first_operand;
	struct failure failure;
};

static struct parsed parse(char **words)
{
	struct parsed parsed = { .taken = "" };
	struct options options;
	size_t used = 0;

	ck_assert_int_eq(options_begin(&options, TABLE, count_words(words), words), 0);
	while ((parsed.end = options_next(&options, &parsed.failure)) != OPTIONS_END &&
	       parsed.end != OPTIONS_BAD) {
		const char *name = parsed.end == JSON ? "json"
				   : parsed.end == VERSION
					   ? "version"
					   : (char[]){ (char)parsed.end, 0 };

		used += (size_t)snprintf(parsed.taken + used, sizeof parsed.taken - used,
					 "%s%s%s ", name, options.value ? "=" : "",
					 options.value ? options.value : "");
	}
	parsed.first_operand = options.first_operand;
	return parsed;
}

static void assert_taken(char **words, const char *expected)
{
	struct parsed parsed = parse(words);

	ck_assert_msg(parsed.end == OPTIONS_END, "refused: %s", parsed.failure.text);
	ck_assert_str_eq(parsed.taken, expected);
}

static void assert_refused(char **words, const char *expected)
{
	struct parsed parsed = parse(words);

	ck_assert_msg(parsed.end == OPTIONS_BAD, "taken: %s", parsed.taken);
	ck_assert_str_eq(parsed.failure.text, expected);
}

/* ---- what is taken ----------------------------------------------------------------------- */

START_TEST(options_are_taken_by_letter_and_by_name)
{
	assert_taken(WORDS("-p", "80", "-v"), "p=80 v ");
	assert_taken(WORDS("--port", "80", "--verbose"), "p=80 v ");
	assert_taken(WORDS("--port=80"), "p=80 ");
	assert_taken(WORDS("-p80"), "p=80 ");
	assert_taken(WORDS("-vvp80"), "v v p=80 ");
	assert_taken(WORDS("--json", "figures", "--version"), "json=figures version ");
	assert_taken((char *[]){ "echod", NULL }, "");
}
END_TEST

START_TEST(a_long_name_can_be_abbreviated)
{
	assert_taken(WORDS("--por", "80", "--verb", "--vers"), "p=80 v version ");
}
END_TEST

START_TEST(an_argument_can_be_empty_or_look_like_an_option)
{
	assert_taken(WORDS("-p", ""), "p= ");
	assert_taken(WORDS("--port="), "p= ");
	assert_taken(WORDS("-p", "-v"), "p=-v ");
	assert_taken(WORDS("--port", "--"), "p=-- ");
}
END_TEST

START_TEST(operands_follow_the_options)
{
	char **words = WORDS("-v", "localhost", "80");
	struct parsed parsed = parse(words);

	ck_assert_int_eq(parsed.first_operand, 2);
	ck_assert_str_eq(words[parsed.first_operand], "localhost");

	words = WORDS("-v", "--", "-p");
	parsed = parse(words);
	ck_assert_str_eq(parsed.taken, "v ");
	ck_assert_int_eq(parsed.first_operand, 3);
	ck_assert_str_eq(words[parsed.first_operand], "-p");

	words = WORDS("-v", "-", "x");
	parsed = parse(words);
	ck_assert_str_eq(words[parsed.first_operand], "-");
}
END_TEST

START_TEST(messages_carry_the_programs_name_from_then_on)
{
	parse(WORDS("-v"));
	ck_assert_str_eq(message_program_name(), "echod");
}
END_TEST

START_TEST(a_table_may_have_so_many_lines_and_no_more)
{
	struct option_line lines[OPTIONS_MOST + 2] = { 0 };
	struct options options;

	for (int i = 0; i < OPTIONS_MOST; i++)
		lines[i] = (struct option_line){ '0' + i, "name", "VALUE", "help" };
	ck_assert_int_eq(options_begin(&options, lines, 1, WORDS("-v")), 0);
	lines[OPTIONS_MOST] = lines[0];
	ck_assert_int_eq(options_begin(&options, lines, 1, WORDS("-v")), -1);
	ck_assert_int_eq(errno, E2BIG);
}
END_TEST

/* ---- what is refused --------------------------------------------------------------------- */

START_TEST(an_unknown_option_is_named)
{
	assert_refused(WORDS("-z"), "unknown option -z");
	assert_refused(WORDS("-vz"), "unknown option -z");
	assert_refused(WORDS("--nonsense"), "unknown option --nonsense");
	assert_refused(WORDS("--nonsense=7"), "unknown option --nonsense");
	assert_refused(WORDS("-p", "80", "operand", "-z"), "unknown option -z");
	assert_refused(WORDS("-?"), "unknown option -?");
	assert_refused(WORDS("-:"), "unknown option -:");
}
END_TEST

START_TEST(an_unknown_letter_is_not_blamed_on_the_word_before_it)
{
	assert_refused(WORDS("--verbose", "-zv"), "unknown option -z");
	assert_refused(WORDS("--port=80", "-zv"), "unknown option -z");
	assert_refused(WORDS("--json", "--figures", "-zv"), "unknown option -z");
	assert_refused(WORDS("-v", "-zp"), "unknown option -z");
}
END_TEST

START_TEST(an_ambiguous_abbreviation_is_refused)
{
	assert_refused(WORDS("--ver=3"), "ambiguous option --ver: --verbose, --version");
	assert_refused(WORDS("---ver"), "unknown option ---ver");
	assert_refused(WORDS("--=ver"), "unknown option --");
	assert_refused(WORDS("--ver"), "ambiguous option --ver: --verbose, --version");
}
END_TEST

START_TEST(unprintable_letters_are_shown_as_escapes)
{
	assert_refused(WORDS("-\x1b"), "unknown option -\\x1b");
	assert_refused(WORDS("-\n"), "unknown option -\\n");
	assert_refused(WORDS("-\xc3"), "unknown option -\\xc3");
	assert_refused(WORDS("--\x1b[2J"), "unknown option --\\x1b[2J");
}
END_TEST

START_TEST(a_very_long_name_is_cut_in_the_message)
{
	char word[5000];
	struct parsed parsed;

	memset(word, '-', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	parsed = parse(WORDS(word));
	ck_assert_int_eq(parsed.end, OPTIONS_BAD);
	ck_assert_uint_lt(strlen(parsed.failure.text), 120);
	ck_assert_str_eq(parsed.failure.text + strlen(parsed.failure.text) - 3, "...");
}
END_TEST

START_TEST(a_missing_argument_is_named_in_every_way_to_write_the_option)
{
	static const char port[] = "-p, --port needs an argument (PORT)";

	assert_refused(WORDS("-p"), port);
	assert_refused(WORDS("-vp"), port);
	assert_refused(WORDS("--verbose", "-p"), port);
	assert_refused(WORDS("operand", "-p"), port);
	assert_refused(WORDS("--port"), port);
	assert_refused(WORDS("--por"), port);
	assert_refused(WORDS("operand", "--port"), port);
	assert_refused(WORDS("--json"), "--json needs an argument (FILE)");
	assert_refused(WORDS("--js"), "--json needs an argument (FILE)");
}
END_TEST

START_TEST(an_argument_that_is_not_wanted_is_refused)
{
	assert_refused(WORDS("--verbose=3"), "-v, --verbose takes no argument");
	assert_refused(WORDS("--verb=3"), "-v, --verbose takes no argument");
	assert_refused(WORDS("--verbose="), "-v, --verbose takes no argument");
	assert_refused(WORDS("--version=1"), "--version takes no argument");
}
END_TEST

START_TEST(after_a_refusal_the_next_command_line_is_parsed_from_its_start)
{
	assert_refused(WORDS("-v", "-zvvv"), "unknown option -z");
	assert_taken(WORDS("-p", "80", "-v"), "p=80 v ");
}
END_TEST

/* ---- values ------------------------------------------------------------------------------ */

/* The first option of a command line, ready for its value to be read. */
static int first_option(struct options *options, char **words)
{
	struct options first;
	struct failure failure;
	int letter;

	ck_assert_int_eq(options_begin(options, TABLE, count_words(words), words), 0);
	letter = options_next(options, &failure);
	ck_assert(letter != OPTIONS_BAD && letter != OPTIONS_END);
	first = *options;
	ck_assert_int_eq(options_next(options, &failure), OPTIONS_END);
	*options = first;
	return letter;
}

START_TEST(a_number_in_its_range_is_taken)
{
	static const struct {
		const char *text;
		uint64_t number;
	} cases[] = { { "1", 1 }, { "80", 80 }, { "1000", 1000 } };
	struct options options;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int letter = first_option(&options, WORDS("-p", (char *)cases[i].text));
		struct failure failure = { "" };
		uint64_t number = 0;

		ck_assert_int_eq(
			options_number(&options, letter, 1, 1000, &number, &failure), 0);
		ck_assert_uint_eq(number, cases[i].number);
	}
}
END_TEST

START_TEST(a_bad_number_is_refused_with_option_value_and_range)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "0", "0" },
		{ "1001", "1001" },
		{ "99999", "99999" },
		{ "", "" },
		{ "-1", "-1" },
		{ "+80", "+80" },
		{ " 80", " 80" },
		{ "80x", "80x" },
		{ "0x50", "0x50" },
		{ "80 ", "80 " },
		{ "\x1b[2J\n", "\\x1b[2J\\n" },
		{ "99999999999999999999", "99999999999999999999" },
	};
	struct options options;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int letter = first_option(&options, WORDS("-p", (char *)cases[i].text));
		struct failure failure = { "" };
		uint64_t number = 42;
		char expected[FAILURE_TEXT];

		ck_assert_int_eq(
			options_number(&options, letter, 1, 1000, &number, &failure), -1);
		ck_assert_uint_eq(number, 42);
		snprintf(expected, sizeof expected,
			 "-p, --port: '%s' is not a number from 1 to 1000",
			 cases[i].shown);
		ck_assert_str_eq(failure.text, expected);
	}
}
END_TEST

START_TEST(an_option_without_a_letter_is_named_by_its_long_name)
{
	struct options options;
	int letter = first_option(&options, WORDS("--json=x"));
	struct failure failure = { "" };
	uint64_t number;

	ck_assert_int_eq(options_number(&options, letter, 0, 9, &number, &failure), -1);
	ck_assert_str_eq(failure.text, "--json: 'x' is not a number from 0 to 9");
}
END_TEST

START_TEST(the_widest_range_is_reported_whole)
{
	struct options options;
	int letter = first_option(&options, WORDS("-p", "x"));
	struct failure failure = { "" };
	uint64_t number;

	options_number(&options, letter, UINT64_MAX - 1, UINT64_MAX, &number, &failure);
	ck_assert_str_eq(failure.text, "-p, --port: 'x' is not a number from "
				       "18446744073709551614 to 18446744073709551615");
	options_size(&options, letter, UINT64_MAX - 1, UINT64_MAX, &number, &failure);
	ck_assert_str_eq(failure.text,
			 "-p, --port: 'x' is not a size of "
			 "18446744073709551614 to 18446744073709551615 bytes "
			 "(K, M or G may follow)");
}
END_TEST

START_TEST(a_time_is_taken_in_seconds_and_refused_past_its_limit)
{
	struct options options;
	int letter = first_option(&options, WORDS("-w", "0.25"));
	struct failure failure = { "" };
	int64_t milliseconds = -1;

	ck_assert_int_eq(options_seconds(&options, letter, 60, &milliseconds, &failure),
			 0);
	ck_assert_int_eq(milliseconds, 250);
	letter = first_option(&options, WORDS("-w", "60.001"));
	ck_assert_int_eq(options_seconds(&options, letter, 60, &milliseconds, &failure),
			 -1);
	ck_assert_int_eq(milliseconds, 250);
	ck_assert_str_eq(
		failure.text,
		"-w, --wait: '60.001' is not a time of 0 to 60 seconds, such as 2 "
		"or 0.5");
}
END_TEST

START_TEST(a_time_is_taken_in_milliseconds_and_refused_past_its_limit)
{
	static const char reason[] =
		" is not a time of 0 to 1000 milliseconds, such as 1 or 0.05";
	static char *const refused[] = { "1000.001", "0.0001", "-1", "", "1ms" };
	struct options options;
	int letter = first_option(&options, WORDS("-w", "0.05"));
	struct failure failure = { "" };
	int64_t microseconds = -1;

	ck_assert_int_eq(
		options_milliseconds(&options, letter, 1000, &microseconds, &failure), 0);
	ck_assert_int_eq(microseconds, 50);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		letter = first_option(&options, WORDS("-w", refused[i]));
		ck_assert_int_eq(options_milliseconds(&options, letter, 1000,
						      &microseconds, &failure),
				 -1);
		ck_assert_int_eq(microseconds, 50);
		ck_assert_ptr_nonnull(strstr(failure.text, reason));
	}
}
END_TEST

START_TEST(a_size_is_taken_with_its_unit_and_refused_past_its_limit)
{
	struct options options;
	int letter = first_option(&options, WORDS("-w", "64K"));
	struct failure failure = { "" };
	uint64_t bytes = 0;

	ck_assert_int_eq(options_size(&options, letter, 1, 65536, &bytes, &failure), 0);
	ck_assert_uint_eq(bytes, 65536);
	letter = first_option(&options, WORDS("-w", "65K"));
	ck_assert_int_eq(options_size(&options, letter, 1, 65536, &bytes, &failure), -1);
	ck_assert_uint_eq(bytes, 65536);
	ck_assert_str_eq(failure.text,
			 "-w, --wait: '65K' is not a size of 1 to 65536 bytes "
			 "(K, M or G may follow)");
}
END_TEST

START_TEST(a_very_long_value_is_cut_but_the_reason_is_whole)
{
	static const char reason[] = "...' is not a number from 0 to 9";
	char value[5000];
	struct options options;
	struct failure failure = { "" };
	uint64_t number;
	int letter;

	memset(value, '9', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	letter = first_option(&options, WORDS("-p", value));
	ck_assert_int_eq(options_number(&options, letter, 0, 9, &number, &failure), -1);
	ck_assert_str_eq(failure.text + strlen(failure.text) - strlen(reason), reason);
}
END_TEST

/* ---- what is printed --------------------------------------------------------------------- */

START_TEST(the_help_is_made_from_the_table)
{
	static const struct option_line lines[] = {
		{ 'p', "port", "PORT", "number or service name" },
		{ 'v', "verbose", NULL, "a line per client;\ntwice, a line per event" },
		{ JSON, "json", "FILE", "write the figures to FILE" },
		{ 'a', "just-short-enough", "ADR", "beside" },
		{ 'b', "one-byte-too-long", "ADDR", "below,\nand below that" },
		{ 0 },
	};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	message_program("/usr/sbin/echod-fork");
	options_help(out, "[-v] [-p PORT]", "Sends back what it gets.", lines);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "usage: echod-fork [-v] [-p PORT]\n"
			       "Sends back what it gets.\n"
			       "\n"
			       "  -p, --port PORT             number or service name\n"
			       "  -v, --verbose               a line per client;\n"
			       "                              twice, a line per event\n"
			       "      --json FILE             write the figures to FILE\n"
			       "  -a, --just-short-enough ADR\n"
			       "                              beside\n"
			       "  -b, --one-byte-too-long ADDR\n"
			       "                              below,\n"
			       "                              and below that\n");
	free(text);
}
END_TEST

START_TEST(the_version_names_program_and_suite)
{
	static const char start[] = "echod-fork (sockways) ";
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	message_program("echod-fork");
	options_version(out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_gt(length, sizeof start);
	ck_assert_mem_eq(text, start, sizeof start - 1);
	ck_assert_ptr_eq(strchr(text, '\n'), text + length - 1); /* one line */
	free(text);
}
END_TEST

/* Runs act in a child whose standard error is returned in text, and its exit status. */
static int run_in_child(int (*act)(void), char *text, size_t size)
{
	int fds[2], status;
	ssize_t n;
	pid_t child;

	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(fds[1], STDERR_FILENO);
		_exit(act());
	}
	close(fds[1]);
	n = io_read_all(fds[0], text, size - 1);
	close(fds[0]);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int complain(void)
{
	struct parsed parsed = parse(WORDS("-p", "80", "-z"));

	return options_usage_error(&parsed.failure);
}

START_TEST(bad_usage_is_one_line_that_says_where_help_is_and_status_2)
{
	char text[512];

	ck_assert_int_eq(run_in_child(complain, text, sizeof text), 2);
	ck_assert_str_eq(text, "echod: unknown option -z; try 'echod -h'\n");
}
END_TEST

/* Prints to standard output made of path, with a buffer or without, then finishes. */
static int print_to(const char *path, int buffering, int status)
{
	message_program("dial");
	if (freopen(path, "w", stdout) == NULL)
		return 99;
	setvbuf(stdout, NULL, buffering, BUFSIZ);
	for (int i = 0; i < 3; i++)
		printf("a line\n");
	errno = 0; /* what else the program did since the failure */
	return options_finish_output(status);
}

static int print_to_full_disk(void)
{
	return print_to("/dev/full", _IOFBF, 0);
}

static int print_to_full_disk_unbuffered(void)
{
	return print_to("/dev/full", _IONBF, 0);
}

static int print_to_full_disk_after_failing(void)
{
	return print_to("/dev/full", _IOFBF, 2);
}

static int print_well(void)
{
	return print_to("/dev/null", _IOFBF, 0);
}

START_TEST(output_that_could_not_be_written_fails_the_program)
{
	char text[512];

	ck_assert_int_eq(run_in_child(print_well, text, sizeof text), 0);
	ck_assert_str_eq(text, "");
	if (access("/dev/full", W_OK) != 0) {
		skipped("needs /dev/full");
		return;
	}
	ck_assert_int_eq(run_in_child(print_to_full_disk, text, sizeof text), 1);
	ck_assert_str_eq(text, "dial: cannot write to standard output: "
			       "No space left on device\n");
	ck_assert_int_eq(run_in_child(print_to_full_disk_unbuffered, text, sizeof text),
			 1);
	ck_assert_ptr_null(strstr(text, strerror(0))); /* not "Success" */
	ck_assert_int_eq(
		run_in_child(print_to_full_disk_after_failing, text, sizeof text), 2);
}
END_TEST

/* ---- a whole command line ---------------------------------------------------------------- */

/* What the program of these examples keeps of its command line. */
struct wish {
	uint64_t port;
	char operands[64]; /* "a b " */
	int family;
};

static int take_wish(void *context, const struct options *options, int letter,
		     struct failure *failure)
{
	struct wish *wish = context;

	if (letter == 'p')
		return options_number(options, letter, 1, 1000, &wish->port, failure);
	return options_take_shared(letter, &wish->family);
}

static int take_wished_operands(void *context, int count, char **operands,
				struct failure *failure)
{
	struct wish *wish = context;

	ck_assert_ptr_null(operands[count]);
	if (count == 0)
		return failure_set(failure, "HOST is missing");
	for (int i = 0; i < count; i++) {
		strcat(wish->operands, operands[i]);
		strcat(wish->operands, " ");
	}
	return 0;
}

static const struct option_line wish_lines[] = {
	{ 'p', "port", "PORT", "a number" }, { '4', "ipv4", NULL, "IPv4 only" },
	{ '6', "ipv6", NULL, "IPv6 only" },  { 'v', "verbose", NULL, "say more" },
	{ 'q', "quiet", NULL, "say less" },  { 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "" },        { 0 },
};

static const struct options_program wishing = {
	.synopsis = "[options] HOST",
	.purpose = "Wishes.",
	.lines = wish_lines,
	.take = take_wish,
	.finish = take_wished_operands,
};

static int read_wish(struct wish *wish, char **words)
{
	*wish = (struct wish){ .family = AF_UNSPEC };
	return options_read(&wishing, wish, count_words(words), words);
}

START_TEST(options_and_operands_are_read_in_one_go)
{
	struct wish wish;

	ck_assert_int_eq(read_wish(&wish, WORDS("-p", "80", "a", "b")), OPTIONS_GO_ON);
	ck_assert_uint_eq(wish.port, 80);
	ck_assert_str_eq(wish.operands, "a b ");
}
END_TEST

START_TEST(what_means_the_same_to_all_clients_is_taken_in_one_place)
{
	struct wish wish;

	ck_assert_int_eq(read_wish(&wish, WORDS("a")), OPTIONS_GO_ON);
	ck_assert_int_eq(wish.family, AF_UNSPEC);
	ck_assert(message_wanted(MESSAGE_NOTICE) && !message_wanted(MESSAGE_CLIENT));
	ck_assert_int_eq(read_wish(&wish, WORDS("-4v", "a")), OPTIONS_GO_ON);
	ck_assert_int_eq(wish.family, AF_INET);
	ck_assert(message_wanted(MESSAGE_CLIENT) && !message_wanted(MESSAGE_EVENT));
	ck_assert_int_eq(read_wish(&wish, WORDS("-6q", "a")), OPTIONS_GO_ON);
	ck_assert_int_eq(wish.family, AF_INET6);
	ck_assert(message_wanted(MESSAGE_ERROR) && !message_wanted(MESSAGE_NOTICE));
	message_set_level(MESSAGE_NOTICE);
}
END_TEST

/* The whole of a program: what is to be run in a child. */
static int wish_for(char **words)
{
	struct wish wish;
	int status = read_wish(&wish, words);

	return status == OPTIONS_GO_ON ? 99 : status;
}

static int wish_without_host(void)
{
	return wish_for(WORDS("-v"));
}

static int wish_for_a_bad_port(void)
{
	return wish_for(WORDS("-p", "0", "-h", "a"));
}

static int wish_for_what_is_no_option(void)
{
	return wish_for(WORDS("-z", "a"));
}

static int wish_for_too_many_options(void)
{
	static struct option_line lines[OPTIONS_MOST + 2];
	struct options_program crowded = wishing;
	char **words = WORDS("a");

	for (int i = 0; i <= OPTIONS_MOST; i++)
		lines[i] = (struct option_line){ '0' + i, "name", NULL, "help" };
	crowded.lines = lines;
	return options_read(&crowded, NULL, count_words(words), words);
}

START_TEST(whatever_is_wrong_with_a_command_line_ends_in_one_line_and_status_2)
{
	char text[512];

	ck_assert_int_eq(run_in_child(wish_without_host, text, sizeof text), 2);
	ck_assert_str_eq(text, "echod: HOST is missing; try 'echod -h'\n");
	ck_assert_int_eq(run_in_child(wish_for_a_bad_port, text, sizeof text), 2);
	ck_assert_str_eq(text, "echod: -p, --port: '0' is not a number from 1 to 1000; "
			       "try 'echod -h'\n");
	ck_assert_int_eq(run_in_child(wish_for_what_is_no_option, text, sizeof text), 2);
	ck_assert_str_eq(text, "echod: unknown option -z; try 'echod -h'\n");
	ck_assert_int_eq(run_in_child(wish_for_too_many_options, text, sizeof text), 2);
	ck_assert_ptr_nonnull(strstr(text, strerror(E2BIG)));
}
END_TEST

/* Standard output takes the place of standard error, which run_in_child() reads. */
static int wish_aloud(char **words)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	return wish_for(words);
}

static int wish_for_help(void)
{
	return wish_aloud(WORDS("-p", "80", "-h", "-z"));
}

static int wish_for_version(void)
{
	return wish_aloud(WORDS("--version", "-h"));
}

static int wish_for_help_on_a_full_disk(void)
{
	return freopen("/dev/full", "w", stdout) == NULL ? 99 : wish_for(WORDS("-h"));
}

START_TEST(help_and_version_are_answered_as_soon_as_they_are_met)
{
	char text[2048];

	ck_assert_int_eq(run_in_child(wish_for_help, text, sizeof text), 0);
	ck_assert_ptr_eq(strstr(text, "usage: echod [options] HOST\nWishes.\n\n"), text);
	ck_assert_ptr_nonnull(strstr(text, "  -q, --quiet "));
	ck_assert_ptr_null(strstr(text, "unknown option"));
	ck_assert_int_eq(run_in_child(wish_for_version, text, sizeof text), 0);
	ck_assert_ptr_eq(strstr(text, "echod (sockways) "), text);
	ck_assert_ptr_null(strstr(text, "usage: "));
}
END_TEST

START_TEST(help_that_could_not_be_written_fails_the_program)
{
	char text[512];

	if (access("/dev/full", W_OK) != 0) {
		skipped("needs /dev/full");
		return;
	}
	ck_assert_int_eq(run_in_child(wish_for_help_on_a_full_disk, text, sizeof text),
			 1);
	ck_assert_str_eq(text, "echod: cannot write to standard output: "
			       "No space left on device\n");
}
END_TEST

Suite *suite_options(void)
{
	Suite *suite = suite_create("options");
	TCase *taken = tcase_create("taken"), *refused = tcase_create("refused");
	TCase *values = tcase_create("values"), *printed = tcase_create("printed");
	TCase *whole = tcase_create("whole");

	tcase_add_test(taken, options_are_taken_by_letter_and_by_name);
	tcase_add_test(taken, a_long_name_can_be_abbreviated);
	tcase_add_test(taken, an_argument_can_be_empty_or_look_like_an_option);
	tcase_add_test(taken, operands_follow_the_options);
	tcase_add_test(taken, a_table_may_have_so_many_lines_and_no_more);
	tcase_add_test(taken, messages_carry_the_programs_name_from_then_on);
	suite_add_tcase(suite, taken);
	tcase_add_test(refused, an_unknown_option_is_named);
	tcase_add_test(refused, an_unknown_letter_is_not_blamed_on_the_word_before_it);
	tcase_add_test(refused, an_ambiguous_abbreviation_is_refused);
	tcase_add_test(refused, unprintable_letters_are_shown_as_escapes);
	tcase_add_test(refused, a_very_long_name_is_cut_in_the_message);
	tcase_add_test(refused,
		       a_missing_argument_is_named_in_every_way_to_write_the_option);
	tcase_add_test(refused, an_argument_that_is_not_wanted_is_refused);
	tcase_add_test(refused,
		       after_a_refusal_the_next_command_line_is_parsed_from_its_start);
	suite_add_tcase(suite, refused);
	tcase_add_test(values, a_number_in_its_range_is_taken);
	tcase_add_test(values, a_bad_number_is_refused_with_option_value_and_range);
	tcase_add_test(values, an_option_without_a_letter_is_named_by_its_long_name);
	tcase_add_test(values, the_widest_range_is_reported_whole);
	tcase_add_test(values, a_time_is_taken_in_seconds_and_refused_past_its_limit);
	tcase_add_test(values,
		       a_time_is_taken_in_milliseconds_and_refused_past_its_limit);
	tcase_add_test(values, a_size_is_taken_with_its_unit_and_refused_past_its_limit);
	tcase_add_test(values, a_very_long_value_is_cut_but_the_reason_is_whole);
	suite_add_tcase(suite, values);
	tcase_add_test(printed, the_help_is_made_from_the_table);
	tcase_add_test(printed, the_version_names_program_and_suite);
	tcase_add_test(printed,
		       bad_usage_is_one_line_that_says_where_help_is_and_status_2);
	tcase_add_test(printed, output_that_could_not_be_written_fails_the_program);
	suite_add_tcase(suite, printed);
	tcase_add_test(whole, options_and_operands_are_read_in_one_go);
	tcase_add_test(whole, what_means_the_same_to_all_clients_is_taken_in_one_place);
	tcase_add_test(
		whole,
		whatever_is_wrong_with_a_command_line_ends_in_one_line_and_status_2);
	tcase_add_test(whole, help_and_version_are_answered_as_soon_as_they_are_met);
	tcase_add_test(whole, help_that_could_not_be_written_fails_the_program);
	suite_add_tcase(suite, whole);
	return suite;
}
