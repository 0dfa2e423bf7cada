/*
 * loadgen - puts load on a server and reports throughput, latency and errors.
 *
 * client/load/load.c is the engine, report.c prints what it has measured; this file reads the
 * options. See loadgen(1).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/load/load.h"
#include "client/loadgen/report.h"
#include "common/io.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"

enum {
	OPTION_PATH = OPTIONS_LETTERS_FROM,
	OPTION_REQUEST,
	OPTION_SENDERS,
	OPTION_WINDOW,
	OPTION_FAULTS,
	OPTION_WORK,
	OPTION_HISTOGRAM,
	OPTION_RAMP,
	OPTION_SOURCE,
	OPTION_CONNECT_RATE,
};

enum {
	MOST_CONNECTIONS = 1000000,
	MOST_THREADS = 1024,
	MOST_WINDOW = 65536,
	MOST_SECONDS = 24 * 60 * 60,
	MOST_SIZE = 1024 * 1024 * 1024,
	MOST_WORK = 1000,     /* milliseconds, as the servers */
	PROTOCOL_NAMES = 160, /* bytes of the list of all names */
};

static const struct option_line option_lines[] = {
	{ 'c', "connections", "N",
	  "use N connections at a time (default 32; bulk: 8;\n"
	  "chat: 51; talk: 16)" },
	{ OPTION_SENDERS, "senders", "N",
	  "with chat: N connections send, all receive\n"
	  "(default 1; talk: all)" },
	{ OPTION_WINDOW, "window", "N",
	  "with chat: each sender has at most N lines in\n"
	  "transit (default 64)" },
	{ 's', "size", "BYTES",
	  "size of a message, such as 64K or 1M (default 64;\n"
	  "chat: 32; file: 1K; bulk: 64K, file 1M; bulk with\n"
	  "-u: 16K, chargen 512)" },
	{ 'd', "duration", "SEC", "measure for SEC seconds (default 5)" },
	{ 'r', "rate", "N",
	  "send N requests a second in all, at fixed times\n"
	  "(default: each after the previous reply)" },
	{ OPTION_RAMP, "ramp", "SEC",
	  "before the measured time, let the rate of -r, or\n"
	  "the number of connections, grow for SEC seconds" },
	{ OPTION_CONNECT_RATE, "connect-rate", "N",
	  "open at most N connections a second" },
	{ OPTION_SOURCE, "source", "ADDRESS,...",
	  "connect from these addresses in turn" },
	{ 'i', "idle", "N",
	  "with the load idle: open N silent connections\n"
	  "(default 500)" },
	{ OPTION_FAULTS, "faults", "MIX",
	  "add faulty clients: KIND=N,...; KIND is reset,\n"
	  "stall, slow, unread or half (the load faults: 4 of\n"
	  "each)" },
	{ OPTION_WORK, "work", "MS",
	  "the server was started with --work MS: print how\n"
	  "many CPUs were busy with this work" },
	{ 'T', "threads", "N", "use N threads (default: half the number of CPUs)" },
	{ 'P', "protocol", "NAME",
	  "protocol of the server: echo, reply, discard,\n"
	  "chargen, daytime, greet, http, chat, file or\n"
	  "request (default echo)" },
	{ OPTION_REQUEST, "request", "TEXT",
	  "send TEXT, to a service that no other protocol\n"
	  "fits; -e gives the exact reply; both can contain\n"
	  "escapes of C such as \\n" },
	{ 'e', "expect", "TEXT",
	  "expect TEXT from greet or reply, or as the body\n"
	  "from http, without the final newline; '' accepts\n"
	  "any text" },
	{ OPTION_PATH, "path", "PATH", "with http: request PATH (default /)" },
	{ 'u', "udp", NULL,
	  "use UDP; count lost, duplicate and reordered\n"
	  "datagrams" },
	{ 'w', "timeout", "SEC",
	  "time limit of a connect and of an exchange\n"
	  "(default 5; with -u 1); 0: no limit" },
	{ 'R', "retry", NULL,
	  "while the first connection is refused, try again\n"
	  "for at most -w seconds" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ OPTION_HISTOGRAM, "histogram", NULL,
	  "print the distribution of the latency, too" },
	{ 'j', "json", NULL, "print one JSON object instead of text" },
	{ 'v', "verbose", NULL, "print a line each second on standard error" },
	{ 'q', "quiet", NULL, "print only errors, no progress" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

/** The options. */
struct command {
	struct load_plan plan;
	bool kind_named, protocol_named;
	const char *named_load; /* "work", "faults": loads that are not of the engine */
	int64_t work;           /* CPU time of a request in microseconds; 0: unknown */
	char host[HOST_TEXT], port[PORT_TEXT];
	bool json, histogram;
	const char *request; /* of --request, with escapes; NULL: none */
};

/* State of the progress lines. */
struct progress {
	bool terminal;
	bool shown;
	enum load_phase phase; /* at the last call */
	double shown_at;       /* measured time of the last line of -v */
	const char *counted;   /* "exchanges" */
	uint64_t exchanges;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* The first signal ends the load, and the report is printed. The second terminates
 * the process. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- the command line ---------------------------------------------------------------------- */

static int take_duration(const struct options *options, int64_t *milliseconds,
			 struct failure *failure)
{
	if (options_seconds(options, 'd', MOST_SECONDS, milliseconds, failure) < 0)
		return -1;
	if (*milliseconds == 0)
		return options_bad_value(failure, options, 'd',
					 "must be more than 0 seconds");
	return 0;
}

static int take_timeout(const struct options *options, int64_t *milliseconds,
			struct failure *failure)
{
	if (options_seconds(options, 'w', MOST_SECONDS, milliseconds, failure) < 0)
		return -1;
	if (*milliseconds == 0)
		*milliseconds = LOAD_FOR_EVER;
	return 0;
}

static int take_count(const struct options *options, int letter, uint64_t most,
		      unsigned *count, struct failure *failure)
{
	uint64_t value;

	if (options_number(options, letter, 1, most, &value, failure) < 0)
		return -1;
	*count = (unsigned)value;
	return 0;
}

static int take_size(const struct options *options, size_t *size, struct failure *failure)
{
	uint64_t value;

	if (options_size(options, 's', 1, MOST_SIZE, &value, failure) < 0)
		return -1;
	*size = (size_t)value;
	return 0;
}

static int take_rate(const struct options *options, double *rate, struct failure *failure)
{
	uint64_t value;

	if (options_number(options, 'r', 1, LOAD_MOST_RATE, &value, failure) < 0)
		return -1;
	*rate = (double)value;
	return 0;
}

static int take_faults(const struct options *options, struct load_fault_mix *mix,
		       struct failure *failure)
{
	struct failure why;

	if (load_fault_mix_parse(options->value, mix, &why) == 0)
		return 0;
	return failure_set(failure, "--faults: %s", why.text);
}

static int take_protocol(const struct options *options, struct command *command,
			 struct failure *failure)
{
	char names[PROTOCOL_NAMES], reason[PROTOCOL_NAMES + 60];

	command->protocol_named = true;
	command->plan.protocol = load_protocol_find(options->value);
	if (command->plan.protocol != NULL)
		return 0;
	snprintf(reason, sizeof reason, "is not a protocol (use %s)",
		 load_protocol_names(names, sizeof names));
	return options_bad_value(failure, options, 'P', reason);
}

/* @return 0, or -1 with *failure */
static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct command *command = context;
	struct load_plan *plan = &command->plan;

	switch (letter) {
	case 'c':
		return take_count(options, 'c', MOST_CONNECTIONS, &plan->connections,
				  failure);
	case 's':
		return take_size(options, &plan->size, failure);
	case 'd':
		return take_duration(options, &plan->duration, failure);
	case 'r':
		return take_rate(options, &plan->rate, failure);
	case 'i':
		return take_count(options, 'i', MOST_CONNECTIONS, &plan->idle, failure);
	case 'T':
		return take_count(options, 'T', MOST_THREADS, &plan->threads, failure);
	case 'P':
		return take_protocol(options, command, failure);
	case 'e':
		plan->reply = options->value;
		return 0;
	case OPTION_REQUEST:
		command->request = options->value;
		return 0;
	case OPTION_SENDERS:
		return take_count(options, OPTION_SENDERS, MOST_CONNECTIONS,
				  &plan->senders, failure);
	case OPTION_WINDOW:
		return take_count(options, OPTION_WINDOW, MOST_WINDOW, &plan->window,
				  failure);
	case OPTION_FAULTS:
		return take_faults(options, &plan->faults, failure);
	case OPTION_WORK:
		return options_milliseconds(options, letter, MOST_WORK, &command->work,
					    failure);
	case OPTION_PATH:
		plan->path = options->value;
		return 0;
	case 'u':
		plan->datagrams = true;
		return 0;
	case 'w':
		return take_timeout(options, &plan->timeout, failure);
	case 'R':
		plan->retry = true;
		return 0;
	case OPTION_SOURCE:
		return load_sources_parse(options->value, &plan->sources, failure);
	case OPTION_RAMP:
		return options_seconds(options, OPTION_RAMP, MOST_SECONDS, &plan->ramp,
				       failure);
	case OPTION_CONNECT_RATE:
		return take_count(options, OPTION_CONNECT_RATE, LOAD_MOST_RATE,
				  &plan->connect_rate, failure);
	case OPTION_HISTOGRAM:
		command->histogram = true;
		return 0;
	case 'j':
		command->json = true;
		return 0;
	default:
		return options_take_shared(letter, &plan->family);
	}
}

/* Whether the first operand is a protocol. In HOST PORT alone it is the host, even
 * if a protocol has that name. */
static bool names_protocol(const struct command *command, int count, char **operands)
{
	struct failure ignored;

	if (command->protocol_named || count < 2 ||
	    load_protocol_find(operands[0]) == NULL)
		return false;
	return count > 2 || address_check_port(operands[1], SOCK_STREAM, &ignored) < 0;
}

/* A load that is another one with a purpose of its own: "work" are conversations with a
 * server whose requests cost CPU time, "faults" the first load of the protocol beside
 * faulty clients. @return its name, or NULL */
static const char *find_named_load(const char *name)
{
	static const char *const names[] = { "work", "faults" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	return NULL;
}

/* Reports a first operand that is not a protocol or a load, or is not in its place. */
static int refuse_operand(char **operands, struct failure *failure)
{
	char culprit[80], names[PROTOCOL_NAMES];
	enum load_kind kind;

	text_escape(operands[0], strlen(operands[0]), culprit, sizeof culprit);
	if (load_protocol_find(operands[0]) != NULL ||
	    load_kind_find(operands[0], &kind) || find_named_load(operands[0]) != NULL)
		return failure_set(failure,
				   "unexpected argument '%s' (the order is [PROTOCOL] "
				   "[LOAD] HOST PORT)",
				   culprit);
	return failure_set(failure,
			   "'%s' before HOST and PORT is neither a protocol (%s) nor "
			   "a load (conversations, connections, room, talk, idle, bulk, "
			   "work, faults)",
			   culprit, load_protocol_names(names, sizeof names));
}

/* Whether it is HOST:PORT, so that only a protocol or load can precede it. */
static bool has_port(const char *operand)
{
	char host[HOST_TEXT], port[PORT_TEXT];

	return address_split(operand, host, port, NULL) == 0 && port[0] != '\0' &&
	       address_check_port(port, SOCK_STREAM, NULL) == 0;
}

/* [PROTOCOL] [LOAD] HOST PORT, or one word for the last two: HOST:PORT, or a UNIX-domain socket */
static int take_operands(struct command *command, int count, char **operands,
			 struct failure *failure)
{
	if (names_protocol(command, count, operands)) {
		command->protocol_named = true;
		command->plan.protocol = load_protocol_find(operands[0]);
		count--;
		operands++;
	}
	if (count > 1 && load_kind_find(operands[0], &command->plan.kind)) {
		command->kind_named = true;
		count--;
		operands++;
	} else if (count > 1 &&
		   (command->named_load = find_named_load(operands[0])) != NULL) {
		count--;
		operands++;
	}
	if (count > 2 || (count == 2 && !has_port(operands[0]) && has_port(operands[1])))
		return refuse_operand(operands, failure);
	if (address_operands(operands, count,
			     command->plan.datagrams ? SOCK_DGRAM : SOCK_STREAM,
			     command->host, command->port, failure) < 0)
		return -1;
	command->plan.host = command->host;
	command->plan.port = command->port;
	return 0;
}

/* The first kind of load that the protocol allows. */
static void choose_kind(struct load_plan *plan)
{
	unsigned loads = load_protocol_loads(plan->protocol, plan->datagrams);

	for (plan->kind = 0; loads != 0 && !(loads & 1U << plan->kind); plan->kind++)
		;
}

static bool is_load(const struct command *command, const char *name)
{
	return command->named_load != NULL && strcmp(command->named_load, name) == 0;
}

/* Only these servers have --work. */
static bool can_work(const struct load_protocol *protocol)
{
	return strcmp(protocol->name, "reply") == 0 ||
	       strcmp(protocol->name, "http") == 0;
}

static int complete_named_load(struct command *command, struct failure *failure)
{
	struct load_plan *plan = &command->plan;

	if (is_load(command, "work") && !command->protocol_named)
		plan->protocol = load_protocol_find("reply");
	if (is_load(command, "work") && !can_work(plan->protocol))
		return failure_set(
			failure, "the load work needs the protocol reply or http, not %s",
			plan->protocol->name);
	if (command->work > 0 && !can_work(plan->protocol))
		return failure_set(failure,
				   "--work needs the protocol reply or http, not %s",
				   plan->protocol->name);
	if (is_load(command, "faults") && load_fault_mix_total(&plan->faults) == 0)
		load_fault_mix_usual(plan->protocol, &plan->faults);
	return 0;
}

/* The request and the reply of the user. Without a protocol, --request is the protocol. */
static int take_request(struct command *command, struct failure *failure)
{
	struct load_plan *plan = &command->plan;

	if (command->request != NULL && !command->protocol_named)
		plan->protocol = load_protocol_find("request");
	if (command->request != NULL &&
	    load_bytes_take(&plan->request, "--request", command->request, failure) < 0)
		return -1;
	if (!plan->protocol->takes_request || plan->reply == NULL)
		return 0;
	if (load_bytes_take(&plan->expect, "-e, --expect", plan->reply, failure) < 0)
		return -1;
	plan->reply = NULL;
	return 0;
}

static int finish(void *context, int count, char **operands, struct failure *failure)
{
	struct command *command = context;

	if (take_operands(command, count, operands, failure) < 0 ||
	    take_request(command, failure) < 0)
		return -1;
	if (complete_named_load(command, failure) < 0)
		return -1;
	if (!command->kind_named)
		choose_kind(&command->plan);
	return load_plan_complete(&command->plan, failure);
}

static const struct options_program program = {
	.synopsis = "[options] [PROTOCOL] [LOAD] HOST PORT | ./SOCKET | @NAME",
	.purpose = "Puts a server under load and measures it. LOAD is conversations, "
		   "connections,\n"
		   "room, talk, idle, bulk, work or faults; the default is the first one "
		   "that\nPROTOCOL supports.",
	.lines = option_lines,
	.take = take_option,
	.finish = finish,
};

/* ---- progress ------------------------------------------------------------------------------ */

static void show_progress(const struct load_progress *now, void *context)
{
	struct progress *progress = context;

	if (message_wanted(MESSAGE_CLIENT)) {
		if (now->phase == LOAD_RAMPING && progress->phase != LOAD_RAMPING)
			message(MESSAGE_CLIENT, "the rate or the number of connections "
						"grows; not measured yet");
		progress->phase = now->phase;
		if (now->phase != LOAD_RUNNING || now->seconds < progress->shown_at + 1)
			return;
		message(MESSAGE_CLIENT, "%.0f s: %ju %s, %.0f /s", now->seconds,
			(uintmax_t)now->exchanges, progress->counted,
			(double)(now->exchanges - progress->exchanges) /
				(now->seconds - progress->shown_at));
		progress->shown_at = now->seconds;
		progress->exchanges = now->exchanges;
		return;
	}
	if (!progress->terminal || !message_wanted(MESSAGE_NOTICE))
		return;
	if (now->phase != LOAD_RUNNING)
		fprintf(stderr, "\r%s …\033[K",
			now->phase == LOAD_RAMPING ? "ramp" : "connecting");
	else
		fprintf(stderr, "\r%.1f s: %ju %s, %.0f /s\033[K", now->seconds,
			(uintmax_t)now->exchanges, progress->counted,
			now->seconds > 0 ? (double)now->exchanges / now->seconds : 0);
	progress->shown = true;
}

static void clear_progress(const struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
}

static const char *name_of_load(const struct command *command)
{
	return command->named_load != NULL ? command->named_load
					   : load_kind_name(command->plan.kind);
}

static int run(struct command *command)
{
	static struct load_result result; /* its histogram is large for a stack */
	struct load_plan *plan = &command->plan;
	struct report report = { plan, name_of_load(command), command->histogram,
				 command->work };
	struct progress progress = { .terminal = isatty(STDERR_FILENO) == 1,
				     .counted = report_unit(plan) };
	struct failure failure;
	int done;

	plan->stop = &stop;
	plan->progress = show_progress;
	plan->context = &progress;
	catch_signals();
	done = load_run(plan, &result, &failure);
	clear_progress(&progress);
	if (done < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	if (command->json)
		report_print_json(&report, &result);
	else
		report_print_text(&report, &result);
	return options_finish_output(report_is_good(&report, &result) ? EXIT_SUCCESS
								      : EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	/* static: what load_bytes_take() allocates is kept until the program exits */
	static struct command command = {
		.plan = { .kind = LOAD_CONVERSATIONS,
			  .family = AF_UNSPEC,
			  .duration = 5000 },
	};
	int status;

	command.plan.protocol = load_protocol_find("echo");
	io_begin();
	status = options_read(&program, &command, argc, argv);
	return status == OPTIONS_GO_ON ? run(&command) : status;
}
