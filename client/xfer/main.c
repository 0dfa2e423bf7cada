/*
 * xfer - client of filed(8): uploads, downloads and lists files.
 *
 * This file reads the command and the options; client/xfer/xfer.h names the other files.
 * What it shows: a transfer is complete when the other side has confirmed that the file is
 * on its disk, not when the last byte was written to the socket. Until then every step may
 * fail, and the same request resumes the transfer. See xfer(1).
 *
 * Try it: bin/filed-select -r /tmp/files & bin/xfer put localhost README.md
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/xfer/xfer.h"
#include "client/xfer/link.h"
#include "client/xfer/part.h"
#include "client/xfer/progress.h"
#include "client/xfer/report.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/local_address.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"

enum {
	DEFAULT_WAIT = 30,   /* seconds: a server may write much data to its disk */
	MOST_WAIT = 86400,   /* seconds */
	DEFAULT_DELAY = 500, /* milliseconds */
	DEFAULT_RETRIES = 10,
	MOST_RETRIES = 1000000,
	OPTION_NO_SUM = OPTIONS_LETTERS_FROM,
	OPTION_NO_RETRY,
	OPTION_RETRIES,
	OPTION_RETRY_DELAY,
	OPTION_THROUGH,
};

static const char default_port[] = "7012";

static const struct option_line option_lines[] = {
	{ 'p', "port", "PORT", "port number or service name (default 7012)" },
	{ 'd', "directory", "DIR", "put: store the files in the server's directory DIR" },
	{ 'o', "output", "DIR",
	  "get: store the files in DIR (default .); -: write\n"
	  "them to standard output" },
	{ 'n', "name", "NAME", "store the file under NAME (one file only)" },
	{ 'r', "recursive", NULL, "transfer directories with their contents" },
	{ 'f', "force", NULL, "get: replace existing files" },
	{ 'S', "no-sync", NULL,
	  "get: do not wait until the files are on disk;\n"
	  "faster, but not safe from a power failure" },
	{ OPTION_NO_SUM, "no-sum", NULL,
	  "do not compare checksums; faster, but errors are\n"
	  "not detected" },
	{ 'w', "wait", "SEC",
	  "give up if the server is silent for SEC seconds\n"
	  "(default 30); 0: no limit" },
	{ OPTION_RETRIES, "retries", "COUNT",
	  "try again COUNT times in a row after a lost\n"
	  "connection (default 10)" },
	{ OPTION_RETRY_DELAY, "retry-delay", "SEC",
	  "wait SEC seconds before the first retry (default\n"
	  "0.5); the delay doubles each time, up to 30" },
	{ 'R', "retry", NULL,
	  "while the first connection is refused, try again\n"
	  "for at most -w seconds" },
	{ OPTION_NO_RETRY, "no-retry", NULL, "do not try again after a lost connection" },
	{ OPTION_THROUGH, "through", "COMMAND",
	  "the standard input and output of COMMAND are the\n"
	  "connection; %h is the host, %p the port" },
	{ 'j', "json", NULL, "print a JSON object with a result for each file" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ 'v', "verbose", NULL, "print a line for each file, and a summary" },
	{ 'q', "quiet", NULL, "print only errors, no progress" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

/* The commands put, get and ls. */
struct command {
	const char *name;
	void (*run)(struct xfer *xfer, const char *operand);
	const char *operand; /* named in the error if it is missing; NULL: it defaults to
			   * "" */
	bool takes_many;
};

static const struct command commands[] = {
	{ "put", xfer_put, "FILE", true },
	{ "get", xfer_get, "NAME", true },
	{ "ls", xfer_list, NULL, false },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

/* The command line. */
struct line {
	struct xfer_settings settings;
	const struct command *command;
	char **operands; /* the operands after HOST */
	int count;
	bool has_port;                  /* HOST contains the port */
	char letters[OPTIONS_MOST + 1]; /* the given options, each once */
};

/* ---- the command line -------------------------------------------------------------------- */

static int take_retries(struct xfer_settings *settings, const struct options *options,
			struct failure *failure)
{
	uint64_t value;

	if (options_number(options, OPTION_RETRIES, 0, MOST_RETRIES, &value, failure) < 0)
		return -1;
	settings->retries = (unsigned)value;
	return 0;
}

/* Port 0 cannot be connected to. */
static int check_port(const char *port, struct failure *failure)
{
	uint64_t number;

	if (text_number(port, 0, 0, &number))
		return failure_set(failure,
				   "'0' is not a port to connect to (1 to 65535)");
	return address_check_port(port, SOCK_STREAM, failure);
}

/* @return 0, or -1 with *failure */
static int take_setting(struct xfer_settings *settings, const struct options *options,
			int letter, struct failure *failure)
{
	switch (letter) {
	case 'p':
		if (check_port(options->value, failure) < 0)
			return -1;
		snprintf(settings->port, sizeof settings->port, "%s", options->value);
		return 0;
	case 'w':
		return options_seconds(options, letter, MOST_WAIT, &settings->timeout,
				       failure);
	case OPTION_RETRY_DELAY:
		return options_seconds(options, letter, MOST_WAIT, &settings->retry_delay,
				       failure);
	case OPTION_RETRIES:
		return take_retries(settings, options, failure);
	case 'R':
		settings->wait_for_server = true;
		break;
	case OPTION_THROUGH:
		settings->through = options->value;
		break;
	case OPTION_NO_RETRY:
		settings->retries = 0;
		break;
	case 'd':
	case 'o':
		settings->directory = options->value;
		break;
	case 'n':
		settings->name = options->value;
		break;
	case 'r':
		settings->recursive = true;
		break;
	case 'f':
		settings->force = true;
		break;
	case 'S':
		settings->no_sync = true;
		break;
	case OPTION_NO_SUM:
		settings->no_sum = true;
		break;
	case 'j':
		settings->json = true;
		break;
	case 'q':
		settings->quiet = true;
		return options_take_shared(letter, &settings->family);
	default:
		return options_take_shared(letter, &settings->family);
	}
	return 0;
}

static int find_command(struct line *line, const char *name, struct failure *failure)
{
	char shown[XFER_SHOWN];

	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			line->command = &commands[i];
	if (line->command != NULL)
		return 0;
	return failure_set(failure, "unknown command '%s' (use put, get or ls)",
			   xfer_show(name, shown));
}

/* COMMAND HOST [FILE ...]; HOST may contain the port. */
static int take_operands(struct line *line, int count, char **operands,
			 struct failure *failure)
{
	struct xfer_settings *settings = &line->settings;
	char port[PORT_TEXT] = "";

	if (count < 1)
		return failure_set(failure,
				   "the command is missing (use put, get or ls)");
	if (find_command(line, operands[0], failure) < 0)
		return -1;
	if (count < 2)
		return failure_set(failure, "HOST is missing");
	if (local_address_is(operands[1])) {
		if (address_operands(operands + 1, 1, SOCK_STREAM, settings->host,
				     settings->port, failure) < 0)
			return -1;
		line->has_port = true; /* it has none, and needs no hint at one */
	} else if (address_split(operands[1], settings->host, port, failure) < 0) {
		return -1;
	}
	if (port[0] != '\0') {
		if (check_port(port, failure) < 0)
			return -1;
		memcpy(settings->port, port, sizeof port);
		line->has_port = true;
	}
	line->operands = operands + 2;
	line->count = count - 2;
	if (line->count == 0 && line->command->operand != NULL)
		return failure_set(failure, "%s is missing", line->command->operand);
	if (line->count > 1 && !line->command->takes_many)
		return failure_set(failure,
				   "more than one PATH is given (for a port, use -p "
				   "or HOST:PORT)");
	return 0;
}

/* @return 0, or -1 with *failure */
static int check_through(const struct xfer_settings *settings, struct failure *failure)
{
	if (settings->through == NULL)
		return 0;
	if (settings->wait_for_server)
		return failure_set(failure, "-R, --retry cannot be used with --through");
	if (settings->family != AF_UNSPEC)
		return failure_set(failure, "-4 and -6 cannot be used with --through");
	return through_check(settings->through, settings->host, settings->port, failure);
}

/* Rejects options that do not fit the command, or each other. Only the letter
 * distinguishes -d from -o. */
static int check(const struct line *line, struct failure *failure)
{
	const struct xfer_settings *settings = &line->settings;
	bool put = line->command->run == xfer_put, get = line->command->run == xfer_get;
	bool to_output = get && settings->directory != NULL &&
			 strcmp(settings->directory, "-") == 0;

	if (settings->port[0] == '\0' && strchr(line->letters, 'p') != NULL)
		return failure_set(failure, "-p: a UNIX-domain socket has no port");
	if (strchr(line->letters, 'd') != NULL && !put)
		return failure_set(failure, "-d, --directory applies only to put");
	if (strpbrk(line->letters, "ofS") != NULL && !get)
		return failure_set(failure, "-o, -f and -S apply only to get");
	if (settings->name != NULL && !put && !get)
		return failure_set(failure, "-n, --name applies only to put and get");
	if (settings->name != NULL && line->count > 1)
		return failure_set(failure, "-n, --name applies only to one file");
	if (settings->name != NULL && (name_flaw(settings->name) != NULL))
		return failure_set(failure, "-n, --name: must be a relative path without "
					    "hidden parts, '.' or '..'");
	if (settings->directory != NULL && put && name_flaw(settings->directory) != NULL)
		return failure_set(failure, "-d, --directory: must be a relative path "
					    "without hidden parts, '.' or '..'");
	if (get && settings->directory != NULL && *settings->directory == '\0')
		return failure_set(failure, "-o, --output: '' is not a directory");
	if (to_output && settings->recursive)
		return failure_set(failure, "-o - cannot be used with -r");
	if (to_output && settings->json)
		return failure_set(failure, "-o - cannot be used with -j");
	if (to_output && settings->name != NULL)
		return failure_set(failure, "-o - cannot be used with -n");
	for (int i = 0; put && settings->name == NULL && i < line->count; i++)
		if (strcmp(line->operands[i], "-") == 0)
			return failure_set(failure, "put - needs a name (use -n NAME)");
	return 0;
}

static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct line *line = context;

	if (take_setting(&line->settings, options, letter, failure) < 0)
		return -1;
	if (letter < OPTIONS_LETTERS_FROM && strchr(line->letters, letter) == NULL)
		line->letters[strlen(line->letters)] = (char)letter;
	return 0;
}

static int finish(void *context, int count, char **operands, struct failure *failure)
{
	struct line *line = context;

	if (take_operands(line, count, operands, failure) < 0)
		return -1;
	if (check_through(&line->settings, failure) < 0)
		return -1;
	return check(line, failure);
}

static const struct options_program program = {
	.synopsis = "[options] put HOST FILE ... | get HOST NAME ... | ls HOST [PATH]",
	.purpose = "Uploads files to a file server such as filed(8), downloads and lists "
		   "them.\n"
		   "HOST may be ./FILE or @NAME, a UNIX-domain socket.",
	.lines = option_lines,
	.take = take_option,
	.finish = finish,
};

/* ---- all of it --------------------------------------------------------------------------- */

/* An incomplete file never has its final name, and a kept part can always be
 * continued. The handler removes small parts and the progress line. */
static void on_signal(int number)
{
	xfer_part_interrupt();
	xfer_progress_clear();
	signal(number, SIG_DFL);
	raise(number);
}

static void set_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	signal(SIGPIPE, SIG_IGN); /* write(2) to a closed connection or pipe fails with
				   * EPIPE instead */
#ifdef SIGXFSZ
	signal(SIGXFSZ, SIG_IGN); /* a file larger than ulimit -f: EFBIG */
#endif
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct sigaction action = { .sa_handler = on_signal }, old;

		if (sigaction(ends[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	}
}

/* In other clients the port follows the host; here a file name does, and it may be
 * "21300". So the hint is printed only if no such file exists. */
static void hint_at_port(const struct line *line)
{
	const char *word = line->count > 0 ? line->operands[0] : "";
	uint64_t number;

	if (line->has_port || strchr(line->letters, 'p') != NULL ||
	    !text_number(word, 1, UINT16_MAX, &number))
		return;
	message(MESSAGE_NOTICE,
		"'%s' was used as a file name; for a port, use HOST:%s or -p %s", word,
		word, word);
}

/* @return the exit status */
static int run(const struct line *line)
{
	static struct xfer_link link;
	static struct xfer xfer; /* both are too large for a stack */
	int i;

	xfer_link_prepare(&link, &line->settings);
	xfer.settings = &line->settings;
	xfer.link = &link;
	xfer.began = clock_nanoseconds();
	set_signals();
	if (!line->settings.quiet && !line->settings.json)
		xfer_progress_allow();
	xfer_report_begin(&line->settings, line->command->name);
	if (line->count == 0)
		line->command->run(&xfer, "");
	for (i = 0; i < line->count && !xfer.lost; i++) {
		line->command->run(&xfer, line->operands[i]);
		if (i == 0 && xfer.failed > 0)
			hint_at_port(line);
	}
	if (i < line->count)
		xfer_report_rest("");
	xfer_link_finish(&link);
	xfer_report_end(&xfer, line->command->run != xfer_list);
	return options_finish_output(xfer.failed == 0 && !xfer.lost ? 0 : 1);
}

int main(int argc, char **argv)
{
	static struct line line = {
		.settings = { .family = AF_UNSPEC,
			      .timeout = DEFAULT_WAIT * 1000,
			      .retry_delay = DEFAULT_DELAY,
			      .retries = DEFAULT_RETRIES },
	};
	int status;

	io_begin();
	memcpy(line.settings.port, default_port, sizeof default_port);
	status = options_read(&program, &line, argc, argv);
	return status == OPTIONS_GO_ON ? run(&line) : status;
}
