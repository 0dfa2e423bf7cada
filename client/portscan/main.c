/*
 * portscan - finds the open TCP ports of a host.
 *
 * This file reads the options and prints the report; client/portscan/scan.c scans. What it
 * shows: with non-blocking connect(2) one process has a thousand attempts in progress. With
 * blocking connect(2) it would spend its time on the first host that drops packets.
 *
 * Try it: bin/echod-select & bin/portscan -p 7000-7010 localhost
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/portscan/scan.h"
#include "common/io.h"
#include "common/json.h"
#include "common/message.h"
#include "common/options.h"
#include "common/process.h"
#include "common/sock.h"
#include "common/text.h"

enum {
	FIRST_PORT = 1,
	LAST_PORT = 1023,
	DEFAULT_IN_FLIGHT = 1000,
	DEFAULT_WAIT = 1500, /* milliseconds: the kernel sends a second SYN after 1000 */
	MOST_WAIT = 3600,    /* seconds */
	MOST_RATE = 1000000,
	MOST_RETRIES = 100,
	OTHER_DESCRIPTORS = 16, /* descriptors of the process beside one per attempt,
				 * at most */
	OPTION_JSON = OPTIONS_LETTERS_FROM,
	OPTION_ALL_ADDRESSES,
};

static const struct option_line option_lines[] = {
	{ 'p', "ports", "PORTS",
	  "scan these ports, such as 22,80,8000-8100,http\n"
	  "(default 1-1023)" },
	{ 'a', "all", NULL, "print closed and filtered ports as well" },
	{ OPTION_ALL_ADDRESSES, "all-addresses", NULL,
	  "scan every address of HOST that has a route, not\n"
	  "only the first address" },
	{ 'w', "wait", "SEC", "time limit of an attempt (default 1.5)" },
	{ 'n', "retries", "N",
	  "if a port did not answer, try it again up to N\n"
	  "times (default 1)" },
	{ 'j', "in-flight", "N", "make at most N attempts at a time (default 1000)" },
	{ 'r', "rate", "N",
	  "start at most N attempts a second (default: no\n"
	  "limit)" },
	{ '4', "ipv4", NULL, "use IPv4 only" },
	{ '6', "ipv6", NULL, "use IPv6 only" },
	{ OPTION_JSON, "json", NULL, "print one JSON object instead of text" },
	{ 'v', "verbose", NULL, "print which addresses are skipped, and why" },
	{ 'q', "quiet", NULL, "print no summary and no progress" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

/* An address of the host. */
struct target {
	struct address address;
	bool skipped;
	int error;          /* errno: there is no route to it; 0: not scanned because
			     * of ... */
	const char *reason; /* ... this */
};

/* The options, and the addresses of the host. */
struct command {
	struct scan_plan plan;
	struct ports ports;
	struct target *targets;
	size_t target_count;
	char host[HOST_TEXT];
	int family;
	bool all, all_addresses, json, quiet;
};

/* The outcome of all scans. */
struct outcome {
	bool incomplete, open; /* of any scan; on any address */
	size_t scanned;        /* addresses */
};

/* State of the progress line. */
struct line {
	bool shown;
};

/* Atomic: other threads than the one with the signal read it. */
static atomic_int stop;

static void on_signal(int number)
{
	atomic_store(&stop, number);
}

/* The first signal ends the scan, and the report is printed. The second terminates
 * the process. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* ---- the command line ------------------------------------------------------------------ */

static int take_ports(struct command *command, const struct options *options,
		      struct failure *failure)
{
	struct failure reason;

	memset(&command->ports, 0, sizeof command->ports);
	if (ports_parse(&command->ports, options->value, &reason) < 0)
		return failure_set(failure, "-p, --ports: %s", reason.text);
	return 0;
}

static int take_wait(struct scan_plan *plan, const struct options *options,
		     struct failure *failure)
{
	if (options_seconds(options, 'w', MOST_WAIT, &plan->wait, failure) < 0)
		return -1;
	if (plan->wait == 0)
		return options_bad_value(failure, options, 'w',
					 "must be more than 0 seconds");
	return 0;
}

static int take_count(const struct options *options, int letter, uint64_t from,
		      uint64_t most, unsigned *count, struct failure *failure)
{
	uint64_t value;

	if (options_number(options, letter, from, most, &value, failure) < 0)
		return -1;
	*count = (unsigned)value;
	return 0;
}

/* @return 0, or -1 with *failure */
static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct command *command = context;
	struct scan_plan *plan = &command->plan;

	switch (letter) {
	case 'p':
		return take_ports(command, options, failure);
	case 'w':
		return take_wait(plan, options, failure);
	case 'n':
		return take_count(options, 'n', 0, MOST_RETRIES, &plan->retries, failure);
	case 'j':
		return take_count(options, 'j', 1, PORTS_NUMBERS - 1, &plan->in_flight,
				  failure);
	case 'r':
		return options_number(options, 'r', 1, MOST_RATE, &plan->rate, failure);
	case 'a':
		command->all = true;
		return 0;
	case OPTION_JSON:
		command->json = true;
		return 0;
	case OPTION_ALL_ADDRESSES:
		command->all_addresses = true;
		return 0;
	case 'q':
		command->quiet = true;
		return options_take_shared(letter, &command->family);
	default:
		return options_take_shared(letter, &command->family);
	}
}

/* HOST: brackets around an IPv6 address are accepted. */
static int take_operand(void *context, int count, char **operands,
			struct failure *failure)
{
	struct command *command = context;
	char port[PORT_TEXT];

	if (command->ports.count == 0)
		ports_add(&command->ports, FIRST_PORT, LAST_PORT);
	if (count < 1)
		return failure_set(failure, "HOST is missing");
	if (count > 1)
		return failure_set(failure, "more than one HOST is given");
	if (address_split(operands[0], command->host, port, failure) < 0)
		return -1;
	if (port[0] != '\0')
		return failure_set(failure, "unexpected port after HOST (use -p)");
	return 0;
}

static const struct options_program program = {
	.synopsis = "[options] HOST",
	.purpose = "Finds the open TCP ports of a host.",
	.lines = option_lines,
	.take = take_option,
	.finish = take_operand,
};

/* ---- which addresses, and how many attempts ---------------------------------------------- */

/* An address with its interface, without a port. */
static void host_text(const struct address *address, char out[HOST_TEXT])
{
	if (getnameinfo(&address->any, address->length, out, HOST_TEXT, NULL, 0,
			NI_NUMERICHOST) != 0)
		snprintf(out, HOST_TEXT, "?");
}

/* Whether there is a route. connect(2) of a datagram socket sends no packet: it only
 * looks up the route and the source address. @return 0 or errno */
static int find_route(const struct addrinfo *where)
{
	int fd = sock_connect_start(where->ai_addr, where->ai_addrlen, SOCK_DGRAM);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static bool is_listed(const struct command *command, const struct address *address)
{
	for (size_t i = 0; i < command->target_count; i++)
		if (address_compare_host(&command->targets[i].address, address) == 0)
			return true;
	return false;
}

static void skip(struct target *target, const char *reason)
{
	target->skipped = true;
	target->reason = reason;
}

/* Adds an address, unless it is a duplicate. @return whether it is to be scanned and
 * there is a route to it */
static bool take_address(struct command *command, const struct addrinfo *where,
			 bool wanted, int *error)
{
	struct target *target = &command->targets[command->target_count];
	char text[HOST_TEXT];

	address_set(&target->address, where->ai_addr, where->ai_addrlen);
	if (is_listed(command, &target->address))
		return false;
	command->target_count++;
	if (!wanted) {
		skip(target, "use --all-addresses");
		return false;
	}
	target->error = *error = find_route(where);
	target->skipped = *error != 0;
	if (*error == 0)
		return true;
	host_text(&target->address, text);
	message(MESSAGE_CLIENT, "no route to %s: %s", text, strerror(*error));
	return false;
}

/* Resolves the host and chooses the addresses to scan: the first one with a route,
 * or all of them. @return 0, or -1 with *failure */
static int choose_addresses(struct command *command, struct failure *failure)
{
	struct address_query query = { command->family, SOCK_STREAM, false };
	struct addrinfo *list;
	char text[HOST_TEXT];
	size_t count = 0;
	bool found = false;
	int error = 0;

	if (address_resolve(command->host, "1", &query, &list, failure) < 0)
		return -1;
	for (struct addrinfo *where = list; where != NULL; where = where->ai_next)
		count++;
	command->targets = calloc(count, sizeof *command->targets);
	if (command->targets == NULL) {
		freeaddrinfo(list);
		return failure_set(failure, "out of memory");
	}
	for (struct addrinfo *where = list; where != NULL; where = where->ai_next)
		found |= take_address(command, where, !found || command->all_addresses,
				      &error);
	freeaddrinfo(list);
	if (found)
		return 0;
	text_escape(command->host, strlen(command->host), text, sizeof text);
	return failure_set(failure, "no route to %s: %s", text, strerror(error));
}

/* Each attempt needs a descriptor. */
static void fit_into_descriptors(struct scan_plan *plan)
{
	uint64_t wanted = plan->in_flight + (uint64_t)OTHER_DESCRIPTORS;
	uint64_t limit = process_raise_descriptors(wanted);

	if (limit >= wanted)
		return;
	plan->in_flight = limit > 2 * OTHER_DESCRIPTORS
				  ? (unsigned)limit - OTHER_DESCRIPTORS
				  : 1 + (unsigned)limit / 2;
	message(MESSAGE_CLIENT,
		"%u attempts at a time, because the limit of descriptors is %ju",
		plan->in_flight, (uintmax_t)limit);
}

/* ---- the report ------------------------------------------------------------------------ */

static void show_progress(const struct scan_progress *now, void *context)
{
	struct line *line = context;

	fprintf(stderr, "\r%u of %u ports, %u open\033[K", now->done, now->of, now->open);
	line->shown = true;
}

static void clear_progress(const struct line *line)
{
	if (line->shown)
		fprintf(stderr, "\r\033[K");
}

/* The name of the service with that port, or its number. @return whether it is a
 * name */
static bool service_name(unsigned port, char out[PORT_TEXT])
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port) };
	char digits[PORT_TEXT];

	snprintf(digits, sizeof digits, "%u", port);
	if (getnameinfo((struct sockaddr *)&any, sizeof any, NULL, 0, out, PORT_TEXT,
			0) != 0)
		snprintf(out, PORT_TEXT, "%s", digits);
	return strcmp(out, digits) != 0;
}

static bool is_shown(const struct command *command, const struct scan_port *port)
{
	return port->state == SCAN_OPEN || (command->all && port->state != SCAN_UNKNOWN);
}

static void print_text(const struct command *command, const struct target *target,
		       const struct scan_result *result)
{
	char service[PORT_TEXT], host[HOST_TEXT];

	host_text(&target->address, host);
	for (unsigned number = 1; number < PORTS_NUMBERS; number++) {
		const struct scan_port *port = &result->ports[number];

		if (!is_shown(command, port))
			continue;
		service_name(number, service);
		printf("%-5u  %-8s  %s", number, scan_state_name(port->state), service);
		if (command->all_addresses)
			printf("  %s", host);
		if (port->state == SCAN_FILTERED)
			printf("  (%s)", scan_reason(port->error));
		putchar('\n');
	}
	if (command->quiet)
		return;
	printf("%s: %u open, %u closed, %u filtered", host, result->count[SCAN_OPEN],
	       result->count[SCAN_CLOSED], result->count[SCAN_FILTERED]);
	if (result->count[SCAN_UNKNOWN] > 0)
		printf(", %u unknown", result->count[SCAN_UNKNOWN]);
	printf(" of %u ports in %.2f s\n", command->ports.count, result->seconds);
}

static void print_json_port(unsigned number, const struct scan_port *port)
{
	char service[PORT_TEXT];

	printf("{\"port\":%u,\"state\":\"%s\",\"service\":", number,
	       scan_state_name(port->state));
	if (service_name(number, service))
		json_write_string(stdout, service);
	else
		fputs("null", stdout);
	if (port->state == SCAN_FILTERED) {
		fputs(",\"reason\":", stdout);
		json_write_string(stdout, scan_reason(port->error));
	}
	putchar('}');
}

static void print_json(const struct command *command, const struct target *target,
		       const struct scan_result *result)
{
	const char *before = "";
	char host[HOST_TEXT];

	host_text(&target->address, host);
	fputs("\"address\":", stdout);
	json_write_string(stdout, host);
	printf(",\"scanned\":%u,\"seconds\":%.6f", command->ports.count, result->seconds);
	for (int i = 0; i < SCAN_STATES; i++)
		printf(",\"%s\":%u", scan_state_name((enum scan_state)i),
		       result->count[i]);
	fputs(",\"ports\":[", stdout);
	for (unsigned number = 1; number < PORTS_NUMBERS; number++) {
		if (!is_shown(command, &result->ports[number]))
			continue;
		fputs(before, stdout);
		print_json_port(number, &result->ports[number]);
		before = ",";
	}
	putchar(']');
}

/* The result for one address; with --all-addresses there are several. */
static void print_report(const struct command *command, const struct target *target,
			 const struct scan_result *result, bool first)
{
	if (!command->json) {
		print_text(command, target, result);
		return;
	}
	if (command->all_addresses)
		fputs(first ? "{" : ",{", stdout);
	print_json(command, target, result);
	if (command->all_addresses)
		putchar('}');
}

static void begin_report(const struct command *command)
{
	if (!command->json)
		return;
	fputs("{\"host\":", stdout);
	json_write_string(stdout, command->host);
	fputs(command->all_addresses ? ",\"addresses\":[" : ",", stdout);
}

static void print_unscanned(const struct command *command, const struct target *target,
			    const char *before)
{
	const char *reason =
		target->error != 0 ? strerror(target->error) : target->reason;
	char host[HOST_TEXT];

	host_text(&target->address, host);
	if (!command->json) {
		printf("%s: not scanned (%s)\n", host, reason);
		return;
	}
	printf("%s{\"address\":", before);
	json_write_string(stdout, host);
	fputs(",\"reason\":", stdout);
	json_write_string(stdout, reason);
	putchar('}');
}

/* Names the addresses of the host that were not scanned. */
static void end_report(const struct command *command)
{
	const char *before = "";

	if (command->json)
		printf("%s,\"not_scanned\":[", command->all_addresses ? "]" : "");
	else if (command->quiet)
		return;
	for (size_t i = 0; i < command->target_count; i++) {
		if (!command->targets[i].skipped)
			continue;
		print_unscanned(command, &command->targets[i], before);
		before = ",";
	}
	if (command->json)
		puts("]}");
}

/* ---- all of it ------------------------------------------------------------------------- */

static void scan_target(struct command *command, const struct target *target,
			struct outcome *outcome)
{
	static struct scan_result result; /* large for a stack */
	struct scan_plan *plan = &command->plan;
	struct failure failure;
	struct line line = { false };
	int done;

	plan->address = &target->address;
	plan->context = &line;
	done = scan_run(plan, &result, &failure);
	clear_progress(&line);
	if (done < 0)
		message(MESSAGE_ERROR, "%s", failure.text);
	else if (result.count[SCAN_UNKNOWN] > 0)
		message(MESSAGE_NOTICE, "interrupted");
	print_report(command, target, &result, outcome->scanned++ == 0);
	outcome->incomplete |= done < 0 || result.count[SCAN_UNKNOWN] > 0;
	outcome->open |= result.count[SCAN_OPEN] > 0;
}

static void scan_targets(struct command *command, struct outcome *outcome)
{
	for (size_t i = 0; i < command->target_count; i++) {
		struct target *target = &command->targets[i];

		if (target->skipped)
			continue;
		if (outcome->incomplete)
			skip(target, "an earlier scan is incomplete");
		else
			scan_target(command, target, outcome);
	}
}

/* @return the exit status */
static int scan(struct command *command)
{
	struct scan_plan *plan = &command->plan;
	struct outcome outcome = { 0 };
	struct failure failure;

	if (choose_addresses(command, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return 1;
	}
	plan->ports = &command->ports;
	plan->stop = &stop;
	if (isatty(STDERR_FILENO) && !command->quiet)
		plan->progress = show_progress;
	fit_into_descriptors(plan);
	catch_signals();
	begin_report(command);
	scan_targets(command, &outcome);
	end_report(command);
	return options_finish_output(!outcome.incomplete && outcome.open ? 0 : 1);
}

int main(int argc, char **argv)
{
	static struct command command = {
		.plan = { .in_flight = DEFAULT_IN_FLIGHT,
			  .retries = 1,
			  .wait = DEFAULT_WAIT },
		.family = AF_UNSPEC,
	};
	int status;

	io_begin();
	status = options_read(&program, &command, argc, argv);
	if (status == OPTIONS_GO_ON)
		status = scan(&command);
	free(command.targets);
	return status;
}
