/*
 * hostinfo - prints what the system knows about hosts, addresses and services.
 *
 * client/hostinfo/answer.c decides what a word is and looks it up. This file reads the
 * options and prints the answers, as text or as JSON. See hostinfo(1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/hostinfo/answer.h"
#include "common/address_block.h"
#include "common/io.h"
#include "common/json.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"

enum { DEFAULT_WAIT = 10, MOST_SECONDS = 24 * 60 * 60 };

static const struct option_line option_lines[] = {
	{ 's', "service", NULL, "all arguments are services: http, 80/tcp, 80" },
	{ 'n', "name", NULL, "all arguments are names or addresses of hosts" },
	{ 'w', "wait", "SEC", "time limit of a lookup (default 10); 0: no limit" },
	{ '4', "ipv4", NULL, "print IPv4 addresses only" },
	{ '6', "ipv6", NULL, "print IPv6 addresses only" },
	{ 'j', "json", NULL, "print one JSON array instead of text" },
	{ 'q', "quiet", NULL, "print only errors, no progress" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

/** The options. */
struct command {
	struct answer_wish wish;
	bool json;
	char **words;
};

/* ---- the command line ---------------------------------------------------------------------- */

static int take_wait(const struct options *options, int64_t *timeout,
		     struct failure *failure)
{
	if (options_seconds(options, 'w', MOST_SECONDS, timeout, failure) < 0)
		return -1;
	if (*timeout == 0)
		*timeout = -1;
	return 0;
}

/* @return 0, or -1 with *failure */
static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct command *command = context;
	struct answer_wish *wish = &command->wish;

	switch (letter) {
	case 's':
	case 'n':
		wish->services = letter == 's';
		wish->names = letter == 'n';
		return 0;
	case 'w':
		return take_wait(options, &wish->limits.timeout, failure);
	case 'j':
		command->json = true;
		return 0;
	default:
		return options_take_shared(letter, &wish->family);
	}
}

static int take_words(void *context, int count, char **operands, struct failure *failure)
{
	struct command *command = context;

	(void)count; /* the array ends with NULL */
	(void)failure;
	command->words = operands;
	return 0;
}

static const struct options_program program = {
	.synopsis = "[options] [NAME | ADDRESS | SERVICE ...]",
	.purpose = "Prints what the system knows about hosts, addresses and services; "
		   "without an\n"
		   "argument, about this host.",
	.lines = option_lines,
	.take = take_option,
	.finish = take_words,
};

/* ---- for people: a fact a line ------------------------------------------------------------- */

static void print_fact(const char *label, const char *text)
{
	char shown[4 * HOST_NAME_TEXT];

	text_escape(text, strlen(text), shown, sizeof shown);
	printf("%-15s%s\n", label, shown);
}

static void print_host(const char *label, const struct lookup_host *host)
{
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < host->count; i++)
		printf("%-15s%s\n", label, address_host_text(&host->addresses[i], text));
}

static const char *family_name(const struct address *address)
{
	return address_family(address) == AF_INET ? "IPv4" : "IPv6";
}

/* The special-purpose block of the address, if any, and the IPv4 address embedded in
 * it. */
static void print_block(const struct address *address)
{
	const struct address_block *block = address_block(address);
	struct address inner;
	char text[ADDRESS_TEXT];

	if (block != NULL)
		printf("%-15s%s/%u  %s (%s)\n", "block", block->prefix, block->bits,
		       block->use, block->source);
	if (address_embedded(address, &inner))
		print_fact("embedded", address_host_text(&inner, text));
}

static void print_address(const struct answer *answer)
{
	char text[ADDRESS_TEXT];

	print_fact("address", address_host_text(&answer->address, text));
	print_fact("family", family_name(&answer->address));
	print_fact("scope", address_scope(&answer->address));
	print_block(&answer->address);
	if (!answer->named)
		return;
	print_fact("name", answer->name);
	print_host("forward", &answer->host);
	print_fact("confirmed", answer->confirmed ? "yes" : "no");
}

static void print_services(const struct answer *answer)
{
	print_fact("service", answer->word);
	for (size_t i = 0; i < answer->service_count; i++) {
		const struct known_service *service = &answer->services[i];
		char line[SERVICE_TEXT + 32];

		snprintf(line, sizeof line, "%u/%s  %s", service->port, service->protocol,
			 service->name);
		print_fact("port", line);
		for (size_t j = 0; j < service->alias_count; j++) {
			snprintf(line, sizeof line, "%u/%s  %s", service->port,
				 service->protocol, service->aliases[j]);
			print_fact("alias", line);
		}
	}
}

/* The texts of an interface. */
struct interface_line {
	char name[4 * IF_NAMESIZE], address[ADDRESS_TEXT];
	const char *scope;
};

static void describe_interface(const struct interface_address *interface,
			       struct interface_line *line)
{
	text_escape(interface->name, strlen(interface->name), line->name,
		    sizeof line->name);
	snprintf(line->address, sizeof line->address, "-");
	line->scope = "-";
	if (interface->address.length == 0)
		return;
	address_host_text(&interface->address, line->address);
	line->scope = address_scope(&interface->address);
}

static int wider(int width, const char *text)
{
	return (int)strlen(text) > width ? (int)strlen(text) : width;
}

static void print_interfaces(const struct answer *answer)
{
	struct interface_line line;
	int name_width = 0, address_width = 0;

	for (size_t i = 0; i < answer->interface_count; i++) {
		describe_interface(&answer->interfaces[i], &line);
		name_width = wider(name_width, line.name);
		address_width = wider(address_width, line.address);
	}
	for (size_t i = 0; i < answer->interface_count; i++) {
		describe_interface(&answer->interfaces[i], &line);
		printf("%-15s%-*s  %-4s  %-*s  %s\n", "interface", name_width, line.name,
		       answer->interfaces[i].up ? "up" : "down", address_width,
		       line.address, line.scope);
	}
}

static void print_text(const struct answer *answer)
{
	switch (answer->kind) {
	case ANSWER_SELF:
		print_fact("host", answer->name);
		if (!answer->failed)
			print_fact("canonical", answer->host.canonical);
		print_interfaces(answer);
		break;
	case ANSWER_NAME:
		print_fact("host", answer->word);
		print_fact("canonical", answer->host.canonical);
		print_host("address", &answer->host);
		break;
	case ANSWER_ADDRESS:
		print_address(answer);
		break;
	case ANSWER_SERVICE:
		print_services(answer);
		break;
	case ANSWER_UNKNOWN:
		break;
	}
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static void print_member(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	json_write_string(stdout, text);
}

static void print_json_addresses(const char *key, const struct lookup_host *host)
{
	char text[ADDRESS_TEXT];

	printf(",\"%s\":[", key);
	for (size_t i = 0; i < host->count; i++) {
		fputs(i > 0 ? "," : "", stdout);
		json_write_string(stdout, address_host_text(&host->addresses[i], text));
	}
	putchar(']');
}

static void print_json_services(const struct answer *answer)
{
	printf(",\"ports\":[");
	for (size_t i = 0; i < answer->service_count; i++) {
		const struct known_service *service = &answer->services[i];

		printf("%s{\"port\":%u", i > 0 ? "," : "", service->port);
		print_member("protocol", service->protocol);
		print_member("name", service->name);
		printf(",\"aliases\":[");
		for (size_t j = 0; j < service->alias_count; j++) {
			fputs(j > 0 ? "," : "", stdout);
			json_write_string(stdout, service->aliases[j]);
		}
		printf("]}");
	}
	putchar(']');
}

static void print_json_address(const struct address *address)
{
	char text[ADDRESS_TEXT];

	print_member("address", address_host_text(address, text));
	print_member("family", family_name(address));
	print_member("scope", address_scope(address));
}

static void print_json_block(const struct address *address)
{
	const struct address_block *block = address_block(address);
	struct address inner;
	char text[ADDRESS_TEXT];

	if (block != NULL) {
		printf(",\"block\":{\"prefix\":\"%s/%u\"", block->prefix, block->bits);
		print_member("use", block->use);
		print_member("source", block->source);
		putchar('}');
	} else {
		fputs(",\"block\":null", stdout);
	}
	if (address_embedded(address, &inner))
		print_member("embedded", address_host_text(&inner, text));
	else
		fputs(",\"embedded\":null", stdout);
}

static void print_json_interfaces(const struct answer *answer)
{
	printf(",\"interfaces\":[");
	for (size_t i = 0; i < answer->interface_count; i++) {
		const struct interface_address *interface = &answer->interfaces[i];

		printf("%s{\"name\":", i > 0 ? "," : "");
		json_write_string(stdout, interface->name);
		printf(",\"up\":%s", interface->up ? "true" : "false");
		if (interface->address.length > 0)
			print_json_address(&interface->address);
		putchar('}');
	}
	putchar(']');
}

static void print_json_known(const struct answer *answer)
{
	switch (answer->kind) {
	case ANSWER_SELF:
		print_member("name", answer->name);
		if (!answer->failed)
			print_member("canonical", answer->host.canonical);
		print_json_interfaces(answer);
		break;
	case ANSWER_NAME:
		print_member("canonical", answer->host.canonical);
		print_json_addresses("addresses", &answer->host);
		break;
	case ANSWER_ADDRESS:
		print_json_address(&answer->address);
		print_json_block(&answer->address);
		if (answer->named)
			print_member("name", answer->name);
		else
			fputs(",\"name\":null", stdout);
		print_json_addresses("forward", &answer->host);
		printf(",\"confirmed\":%s", answer->confirmed ? "true" : "false");
		break;
	case ANSWER_SERVICE:
		print_json_services(answer);
		break;
	case ANSWER_UNKNOWN:
		break;
	}
}

static void print_json(const struct answer *answer)
{
	static const char *const kinds[] = {
		[ANSWER_SELF] = "self",       [ANSWER_NAME] = "name",
		[ANSWER_ADDRESS] = "address", [ANSWER_SERVICE] = "service",
		[ANSWER_UNKNOWN] = "unknown",
	};

	printf("{\"kind\":\"%s\"", kinds[answer->kind]);
	if (answer->word != NULL)
		print_member("word", answer->word);
	if (answer->known)
		print_json_known(answer);
	if (answer->failed)
		print_member("error", answer->failure.text);
	putchar('}');
}

/* ---- one word after the other -------------------------------------------------------------- */

static void show_progress(const char *question)
{
	if (!message_wanted(MESSAGE_NOTICE) || isatty(STDERR_FILENO) != 1)
		return;
	if (question != NULL)
		fprintf(stderr, "\rlooking up %s …\033[K", question);
	else
		fprintf(stderr, "\r\033[K");
}

/* Each answer is printed at once: the next lookup may take long. */
static void print_answer(const struct command *command, const struct answer *answer,
			 bool first)
{
	if (command->json) {
		fputs(first ? "[" : ",\n", stdout);
		print_json(answer);
	} else if (answer->known) {
		fputs(first ? "" : "\n", stdout);
		print_text(answer);
	}
	fflush(stdout);
	if (answer->failed)
		message(MESSAGE_ERROR, "%s", answer->failure.text);
}

static int run(const struct command *command)
{
	char **word = command->words;
	int status = EXIT_SUCCESS;
	bool first = true;

	do {
		struct answer answer;

		if (*word != NULL)
			answer_word(*word, &command->wish, &answer);
		else
			answer_self(&command->wish, &answer);
		print_answer(command, &answer, first);
		first = first && !command->json && !answer.known;
		if (answer.failed)
			status = EXIT_FAILURE;
		answer_free(&answer);
	} while (*word != NULL && *++word != NULL);
	if (command->json)
		puts("]");
	return options_finish_output(status);
}

int main(int argc, char **argv)
{
	struct command command = {
		.wish = { .family = AF_UNSPEC,
			  .limits = { .timeout = DEFAULT_WAIT * 1000,
				      .slow = show_progress } },
	};
	int status;

	io_begin();
	status = options_read(&program, &command, argc, argv);
	return status == OPTIONS_GO_ON ? run(&command) : status;
}
