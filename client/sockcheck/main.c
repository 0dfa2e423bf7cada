/*
 * sockcheck - checks how a socket server behaves: anybody's, in any language.
 *
 * It connects to a server, or starts it, watches its processes, and stops it. This file reads
 * the options; checks.h has the list of checks, run.c makes them, results.c writes the verdicts.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/sockcheck/results.h"
#include "client/sockcheck/run.h"
#include "common/io.h"
#include "common/local_address.h"
#include "common/message.h"
#include "common/options.h"
#include "common/process.h"
#include "common/text.h"

enum {
	OPTION_ONLY = OPTIONS_LETTERS_FROM,
	OPTION_SKIP,
	OPTION_LIST,
	OPTION_EXPLAIN,
	OPTION_TAP,
	OPTION_JSON,
	OPTION_GRADESCOPE,
	OPTION_TIMEOUT,
	OPTION_REQUEST,
	OPTION_EXPECT,
	OPTION_UNIX
};

enum {
	TIMEOUT = 20000,     /* milliseconds */
	TIMEOUT_MOST = 3600, /* seconds */
	WORKERS_MOST = 500
};

static const struct option_line option_lines[] = {
	{ 'u', "udp", NULL, "check the server with datagrams (UDP)" },
	{ OPTION_UNIX, "unix", NULL, "start COMMAND on a UNIX-domain socket" },
	{ 'w', "workers", "N", "the server must serve exactly N clients at a time" },
	{ OPTION_ONLY, "only", "NAME,...", "run only these checks" },
	{ OPTION_SKIP, "skip", "NAME,...", "do not run these checks" },
	{ OPTION_LIST, "list", NULL, "list all checks" },
	{ OPTION_EXPLAIN, "explain", "CHECK", "say what a check is about, and stop" },
	{ OPTION_REQUEST, "request", "TEXT",
	  "PROTOCOL request: what a client sends, with\n"
	  "escapes of C such as \\n" },
	{ OPTION_EXPECT, "expect", "TEXT", "the exact reply to the request" },
	{ OPTION_TAP, "tap", NULL, "write TAP (Test Anything Protocol) 13" },
	{ OPTION_JSON, "json", NULL, "write JSON" },
	{ OPTION_GRADESCOPE, "gradescope", NULL, "write a results.json for Gradescope" },
	{ OPTION_TIMEOUT, "timeout", "SEC",
	  "each check takes at most SEC seconds (default 20)" },
	{ 'v', "verbose", NULL, "say also why a check that fails matters" },
	{ 'q', "quiet", NULL, "print failures only" },
	{ 'h', "help", NULL, "show this help" },
	{ 'V', "version", NULL, "show the version" },
	{ 0 },
};

struct command {
	struct check_settings settings;
	const char *only, *skip;
	const struct check_kind *explain;
	const char *request, *expect;
	bool list, local;
	bool no_dashes; /* there is a command without "--" before it */
	enum results_format format;
	enum results_level level;
	char *const *operands; /* from PROTOCOL on */
};

/* ---- options --------------------------------------------------------------------------- */

/* Whether each name of a list is that of a check. */
static int check_names(const struct options *options, int letter, struct failure *failure)
{
	const char *name = options->value;

	while (*name != '\0') {
		size_t length = strcspn(name, ",");
		char culprit[64];

		if (checks_find(name, length) == NULL) {
			text_escape(name, length, culprit, sizeof culprit);
			return failure_set(failure,
					   "--%s: there is no check '%s' (--list shows "
					   "all)",
					   letter == OPTION_ONLY   ? "only"
					   : letter == OPTION_SKIP ? "skip"
								   : "explain",
					   culprit);
		}
		name += length + (name[length] == ',');
	}
	return 0;
}

static int take_names(const struct options *options, int letter, const char **names,
		      struct failure *failure)
{
	*names = options->value;
	if (**names == '\0')
		return options_bad_value(failure, options, letter,
					 "is not a list of checks");
	return check_names(options, letter, failure);
}

static int take_explain(struct command *command, const struct options *options,
			int letter, struct failure *failure)
{
	command->explain = checks_find(options->value, strlen(options->value));
	if (command->explain != NULL)
		return 0;
	return options_bad_value(failure, options, letter,
				 "is not a check (--list shows all)");
}

static int take_workers(struct command *command, const struct options *options,
			int letter, struct failure *failure)
{
	uint64_t workers;

	if (options_number(options, letter, 1, WORKERS_MOST, &workers, failure) < 0)
		return -1;
	command->settings.workers = (unsigned)workers;
	return 0;
}

static int take_timeout(struct command *command, const struct options *options,
			int letter, struct failure *failure)
{
	if (options_seconds(options, letter, TIMEOUT_MOST, &command->settings.timeout,
			    failure) < 0)
		return -1;
	return command->settings.timeout > 0
		       ? 0
		       : options_bad_value(failure, options, letter,
					   "is too short: a check needs some time");
}

/* Takes a text with escapes. */
static int take_text(const struct options *options, int letter, const char **text,
		     size_t *length, size_t most, struct failure *failure)
{
	char *bytes = malloc(strlen(options->value) + 1); /* kept until the end */

	if (bytes == NULL)
		return failure_set(failure, "%s", strerror(errno));
	*text = bytes;
	if (!text_unescape(options->value, bytes, length)) {
		free(bytes);
		*text = NULL;
		return options_bad_value(failure, options, letter,
					 "has a backslash that begins no escape of C");
	}
	if (*length == 0 || *length > most)
		return failure_set(failure, "--%s: the text must have 1 to %zu bytes",
				   letter == OPTION_REQUEST ? "request" : "expect", most);
	return 0;
}

static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct command *command = context;
	struct protocol *protocol = &command->settings.protocol;

	switch (letter) {
	case 'u':
		command->settings.datagrams = true;
		return 0;
	case 'w':
		return take_workers(command, options, letter, failure);
	case 'v':
		command->level = RESULTS_REASONS;
		return 0;
	case 'q':
		command->level = RESULTS_FAILURES;
		return 0;
	case OPTION_ONLY:
		return take_names(options, letter, &command->only, failure);
	case OPTION_SKIP:
		return take_names(options, letter, &command->skip, failure);
	case OPTION_UNIX:
		command->local = true;
		return 0;
	case OPTION_LIST:
		command->list = true;
		return 0;
	case OPTION_EXPLAIN:
		return take_explain(command, options, letter, failure);
	case OPTION_TAP:
		command->format = RESULTS_TAP;
		return 0;
	case OPTION_JSON:
		command->format = RESULTS_JSON;
		return 0;
	case OPTION_GRADESCOPE:
		command->format = RESULTS_GRADESCOPE;
		return 0;
	case OPTION_TIMEOUT:
		return take_timeout(command, options, letter, failure);
	case OPTION_REQUEST:
		return take_text(options, letter, &protocol->request,
				 &protocol->request_length, PROTOCOL_REQUEST, failure);
	case OPTION_EXPECT:
		return take_text(options, letter, &protocol->expect,
				 &protocol->expect_length, PROTOCOL_REPLY, failure);
	default:
		return 0;
	}
}

static int take_protocol(struct command *command, const char *name,
			 struct failure *failure)
{
	struct protocol *protocol = &command->settings.protocol;
	bool request = strcmp(name, "request") == 0;
	char culprit[64];

	if (!protocol_find(protocol, name)) {
		text_escape(name, strlen(name), culprit, sizeof culprit);
		return failure_set(failure, "there is no protocol '%s' (use %s)", culprit,
				   protocol_names);
	}
	if (request != (protocol->request != NULL) ||
	    request != (protocol->expect != NULL))
		return failure_set(failure, "the protocol request needs --request and "
					    "--expect, and no other one has them");
	if (command->settings.datagrams && !protocol_has(protocol, PROTOCOL_DATAGRAMS))
		return failure_set(failure, "-u, --udp: sockcheck knows no %s on UDP",
				   name);
	return 0;
}

/* Whether the operands are a command without the "--" before it. */
static bool is_command(int count, char **operands)
{
	struct stat file;

	return count > 2 || (count > 0 && stat(operands[0], &file) == 0 &&
			     S_ISREG(file.st_mode) && access(operands[0], X_OK) == 0);
}

static int fail_dashes(struct failure *failure)
{
	return failure_set(failure, "put -- before the command");
}

/* HOST PORT. */
static int take_place(struct command *command, int count, char **operands,
		      struct failure *failure)
{
	struct check_settings *settings = &command->settings;

	if (count == 0)
		return failure_set(failure,
				   "no server: name HOST PORT, or -- and a command");
	if (is_command(count, operands))
		return fail_dashes(failure);
	if (command->local)
		return failure_set(failure, "--unix needs -- and a command");
	settings->local = local_address_is(operands[0]);
	return address_operands(operands, count,
				settings->datagrams ? SOCK_DGRAM : SOCK_STREAM,
				settings->host, settings->port, failure);
}

/* The command after "--", which was taken away before. */
static int take_start(struct command *command, struct failure *failure)
{
	struct check_settings *settings = &command->settings;

	settings->local = settings->command.local = command->local;
	settings->command.datagrams = settings->datagrams;
	return checked_command_take(&settings->command, command->operands, failure);
}

/* After the options: PROTOCOL HOST PORT; or PROTOCOL, and there is a command. */
static int take_operands(void *context, int count, char **operands,
			 struct failure *failure)
{
	struct command *command = context;

	if (command->no_dashes)
		return fail_dashes(failure);
	if (command->list || command->explain != NULL)
		return count == 0 ? 0
				  : failure_set(failure, "unexpected argument '%.60s'",
						operands[0]);
	if (count == 0)
		return failure_set(failure, "no protocol: use one of %s", protocol_names);
	if (take_protocol(command, operands[0], failure) < 0)
		return -1;
	if (!command->settings.starts)
		return take_place(command, count - 1, operands + 1, failure);
	if (count > 1)
		return failure_set(failure,
				   "unexpected argument '%.60s': HOST PORT and a command "
				   "exclude each other",
				   operands[1]);
	return take_start(command, failure);
}

static const struct options_program program = {
	.synopsis = "[options] PROTOCOL HOST PORT | SOCKET\n"
		    "       sockcheck [options] PROTOCOL -- COMMAND [ARGUMENT]...",
	.purpose = "Checks how a server behaves. PROTOCOL is one of\n"
		   "  echo, reply, greet, daytime, discard, http, chat, file, counter, "
		   "request\n"
		   "SOCKET is ./FILE or @NAME, a UNIX-domain socket.\n"
		   "It starts COMMAND for each check; {port} in an argument is its port, "
		   "with\n"
		   "--unix {path} the path of its socket. Without them the server gets "
		   "its\n"
		   "listening socket as descriptor 3.",
	.lines = option_lines,
	.take = take_option,
	.finish = take_operands,
};

/* Whether an argument is one of a command: it has a mark, and is no value of an option. */
static bool has_mark(const char *argument, const char *before)
{
	static const char *const texts[] = { "--request", "--expect" };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(before, texts[i]) == 0 ||
		    strncmp(argument, texts[i], strlen(texts[i])) == 0)
			return false;
	return strstr(argument, "{port}") != NULL || strstr(argument, "{path}") != NULL;
}

/* Takes "-- COMMAND ..." off the command line. @return the new number of arguments */
static int take_command(struct command *command, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0 && i + 1 < argc) {
			command->settings.starts = true;
			command->operands = argv + i + 1;
			return i;
		}
	for (int i = 2; i < argc; i++)
		command->no_dashes |= has_mark(argv[i], argv[i - 1]);
	return command->no_dashes ? 1 : argc; /* its options are not sockcheck's */
}

/* ---- the run --------------------------------------------------------------------------- */

static void on_stop(int number)
{
	(void)number;
	checked_server_hurry();
}

static bool is_named(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (; names != NULL && *names != '\0'; names += strcspn(names, ",")) {
		names += *names == ',';
		if (strncmp(names, name, length) == 0 &&
		    (names[length] == ',' || names[length] == '\0'))
			return true;
	}
	return false;
}

/* Chooses the checks: those that are named, or all that have a meaning for the protocol. */
static void choose(const struct command *command, struct results *results)
{
	for (size_t i = 0; i < checks_count && results->count < RESULTS_MOST; i++) {
		const struct check_kind *kind = &checks[i];

		if (command->only != NULL ? !is_named(command->only, kind->name)
					  : !checks_applies(kind, &command->settings))
			continue;
		if (!is_named(command->skip, kind->name))
			results->list[results->count++].kind = kind;
	}
}

static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int run(struct command *command)
{
	static struct results results; /* large */
	struct failure failure;
	int status;

	if (command->settings.starts) {
		if (checked_command_find(&command->settings.command, &failure) < 0)
			snprintf(results.trouble, sizeof results.trouble, "%s",
				 failure.text);
	}
	choose(command, &results);
	results.named = command->only != NULL;
	catch_signals();
	process_adopt_orphans();
	if (results.trouble[0] == '\0')
		run_checks(&command->settings, &results);
	checked_server_end_orphans();
	if (checked_server_is_hurried())
		snprintf(results.trouble, sizeof results.trouble, "interrupted");
	if (results.trouble[0] != '\0')
		message(MESSAGE_ERROR, "%s", results.trouble);
	results_finish(&results);
	results_write(&results, command->format, command->level, stdout);
	status = results_all_pass(&results) ? EXIT_SUCCESS : EXIT_FAILURE;
	return options_finish_output(status);
}

int main(int argc, char **argv)
{
	static struct command command = { .settings.timeout = TIMEOUT,
					  .level = RESULTS_ALL };
	int status;

	io_begin();
	argc = take_command(&command, argc, argv);
	argv[argc] = NULL;
	status = options_read(&program, &command, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	if (command.list)
		results_list(stdout);
	else if (command.explain != NULL)
		results_explain(command.explain, stdout);
	else
		return run(&command);
	return options_finish_output(EXIT_SUCCESS);
}
