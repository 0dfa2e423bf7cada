/*
 * main - the main() of every server: reads the options, opens the listening sockets, and
 * starts the model.
 *
 * A program is this file and the engine beside it, linked with one service and one
 * model. The steps:
 *
 *	options -> service->prepare -> listen -> server_begin -> model->serve -> statistics
 *
 * Only this file may end the program with an error. Everything below it returns errors
 * as values.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/listeners.h"
#include "common/message.h"
#include "common/options.h"
#include "common/process.h"
#include "common/sock.h"
#include "common/text.h"
#include "server/model.h"
#include "server/core/server.h"
#include "server/service.h"

enum { MOST_CLIENTS = 1000000, MOST_REPEATS = 1000000000, MOST_SECONDS = 365 * 86400 };

/* With a backlog below this, some clients may wait forever: see warn_of_backlog(). */
enum { SMALL_BACKLOG = 128 };

enum { OPTION_AMPLIFY = OPTIONS_LETTERS_FROM, OPTION_REPEATS };

/* The default number of peers on a datagram socket, in any model. */
enum { MOST_PEERS = 1000 };

/* Descriptors besides those of the clients: the standard three, the listeners, those
 * that libraries open for a moment, and those that the server was started with. */
enum { DESCRIPTORS_BESIDES = 24 + LISTENERS_MOST };

/* The options of all servers. Those of the service are appended. */
static const struct option_line common_lines[] = {
	{ 'a', "address", "ADDR",
	  "listen on ADDR (default 127.0.0.1), or on all\n"
	  "addresses of a host name; 0.0.0.0 or :: for all\n"
	  "addresses of this host" },
	{ 'p', "port", "PORT",
	  "listen on PORT, a number or a service name; 0 is\n"
	  "any free port, which the server prints" },
	{ 'c', "max-clients", "N", "serve at most N clients at a time; others wait" },
	{ 't', "idle-timeout", "SEC", "" /* help_of_idle_timeout() */ },
	{ 'b', "backlog", "N",
	  "queue of clients not yet accepted, for listen(2)\n"
	  "(default SOMAXCONN)" },
	{ 'x', "exit-idle", "SEC",
	  "exit after SEC seconds without a client\n"
	  "(default 0: never)" },
	{ 'u', "udp", NULL, "serve UDP instead of TCP" },
	{ OPTION_AMPLIFY, "amplify", NULL,
	  "with -u, allow a reply longer than the request" },
	{ OPTION_REPEATS, "repeats", "N",
	  "with -u, ignore a peer for 100 ms after N repeated\n"
	  "datagrams (default 1000; 1000000 from a port above\n"
	  "32767); 0: no limit" },
	{ 'v', "verbose", NULL, "print a line per client; twice: a line per event" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 'h', "help", NULL, "show this help" },
	{ 'V', "version", NULL, "show the version" },
	{ 0 },
};

struct settings {
	struct sock_place place;
	struct server *server;
	enum message_level level;
	bool clients_set; /* --max-clients was given */
	bool backlog_set; /* --backlog was given */
	struct option_line lines[OPTIONS_MOST + 1];
	char idle_help[80];
};

static unsigned idle_seconds(const struct service *service)
{
	return service->idle_seconds > 0 ? service->idle_seconds : SERVICE_IDLE;
}

static const char *help_of_idle_timeout(struct settings *settings,
					const struct service *service)
{
	snprintf(settings->idle_help, sizeof settings->idle_help,
		 "close a client idle for SEC seconds\n(default %u; 0: never)",
		 idle_seconds(service));
	return settings->idle_help;
}

static bool applies(const struct option_line *line, const struct service *service)
{
	return service->datagram != NULL ||
	       (line->letter != 'u' && line->letter != OPTION_AMPLIFY &&
		line->letter != OPTION_REPEATS);
}

static size_t append_lines(struct settings *settings, size_t count,
			   const struct option_line *own)
{
	while (own != NULL && own->letter != 0 && count < OPTIONS_MOST)
		settings->lines[count++] = *own++;
	return count;
}

/* Collects the options of this program: the common ones that apply, then those of the
 * model, then those of the service. */
static void collect_lines(struct settings *settings, const struct service *service)
{
	size_t count = 0;

	for (const struct option_line *line = common_lines; line->letter != 0; line++) {
		if (!applies(line, service))
			continue;
		settings->lines[count] = *line;
		if (line->letter == 't')
			settings->lines[count].help =
				help_of_idle_timeout(settings, service);
		count++;
	}
	count = append_lines(settings, count, settings->server->model->options);
	append_lines(settings, count, service->options);
}

static bool is_in(const struct option_line *own, int letter)
{
	while (own != NULL && own->letter != 0 && own->letter != letter)
		own++;
	return own != NULL && own->letter != 0;
}

static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct settings *settings = context;
	struct server *server = settings->server;
	const int64_t most = MOST_SECONDS;
	uint64_t number;

	if (is_in(server->model->options, letter))
		return server->model->option(letter, options, failure);
	if (is_in(server->service->options, letter))
		return server->service->option(letter, options, failure);
	switch (letter) {
	case 'a':
		settings->place.host = options->value;
		return 0;
	case 'p':
		if (address_check_port(options->value, SOCK_STREAM, NULL) < 0)
			return options_bad_value(
				failure, options, letter,
				"is not a port (0 to 65535, or a service name)");
		settings->place.port = options->value;
		return 0;
	case 'c':
		if (options_number(options, letter, 1, MOST_CLIENTS, &number, failure) <
		    0)
			return -1;
		server->max_clients = (unsigned)number;
		settings->clients_set = true;
		return 0;
	case 'u':
		server->datagrams = true;
		settings->place.type = SOCK_DGRAM;
		return 0;
	case OPTION_AMPLIFY:
		server->amplify = true;
		return 0;
	case OPTION_REPEATS:
		if (options_number(options, letter, 0, MOST_REPEATS, &number, failure) <
		    0)
			return -1;
		server->repeats = (int64_t)number;
		return 0;
	case 't':
		return options_seconds(options, letter, most, &server->idle_timeout,
				       failure);
	case 'b':
		if (options_number(options, letter, 0, INT16_MAX, &number, failure) < 0)
			return -1;
		settings->place.backlog = (int)number;
		settings->backlog_set = true;
		return 0;
	case 'x':
		return options_seconds(options, letter, most, &server->exit_idle,
				       failure);
	case 'v':
		settings->level =
			settings->level < MESSAGE_CLIENT ? MESSAGE_CLIENT : MESSAGE_EVENT;
		return 0;
	case 'q':
		settings->level = MESSAGE_ERROR;
		return 0;
	}
	return 0;
}

static int finish(void *context, int count, char **operands, struct failure *failure)
{
	const struct settings *settings = context;
	const struct service *service = settings->server->service;
	char text[ADDRESS_TEXT];

	if (count == 0)
		return service->check != NULL ? service->check(failure) : 0;
	text_escape(operands[0], strlen(operands[0]), text, sizeof text);
	return failure_set(failure, "unexpected argument '%s'", text);
}

/* @return as options_read() */
static int read_command_line(struct settings *settings, int argc, char **argv)
{
	const struct service *service = settings->server->service;
	const struct model *model = settings->server->model;
	char purpose[FAILURE_TEXT];
	const struct options_program program = {
		.synopsis = "[options]",
		.purpose = purpose,
		.lines = settings->lines,
		.take = take_option,
		.finish = finish,
	};

	collect_lines(settings, service);
	snprintf(purpose, sizeof purpose,
		 "%s: %s.\n%s: %s.\nDefaults: port %s, max-clients %u.", service->name,
		 service->summary, model->name, model->summary, service->port,
		 model->most_clients);
	return options_read(&program, settings, argc, argv);
}

/* If more clients connect at once than the backlog can hold, Linux answers with SYN
 * cookies (tcp(7), tcp_syncookies). These clients believe that they are connected, but
 * the kernel keeps no state for them. The first bytes of such a client restore the
 * connection. A client that waits for the server to speak first sends none, and so
 * waits forever. */
static void warn_of_backlog(const struct settings *settings)
{
	const struct service *service = settings->server->service;
	int backlog = settings->place.backlog;

	if (settings->backlog_set && backlog < SMALL_BACKLOG && service->speaks_first &&
	    settings->place.type == SOCK_STREAM)
		message(MESSAGE_NOTICE,
			"-b %d is small for %s, which speaks first: if more than %d "
			"clients come at once, some may wait forever (SYN cookies)",
			backlog, service->name, backlog + 1);
}

/* Uses the sockets that the server was started with, or opens new ones. */
static int open_listeners(const struct settings *settings, struct listeners *listeners,
			  struct failure *failure)
{
	const struct sock_place *place = &settings->place;
	struct failure left_out;

	if (listeners_activated(place->type, listeners, failure) < 0)
		return -1;
	if (listeners->count > 0)
		return 0;
	if (listeners_open(place, listeners, &left_out, failure) < 0)
		return -1;
	if (left_out.text[0] != '\0')
		message(MESSAGE_NOTICE, "%s; its other addresses are served",
			left_out.text);
	warn_of_backlog(settings);
	return 0;
}

static void report_ready(const struct listeners *listeners, bool datagrams)
{
	struct address local;
	char text[ADDRESS_TEXT];

	for (unsigned i = 0; i < listeners->count; i++)
		if (address_local(listeners->fds[i], &local) == 0)
			message(MESSAGE_NOTICE, "listening on %s (%s)",
				address_text(&local, text), datagrams ? "udp" : "tcp");
}

static uint64_t descriptors_needed(const struct server *server)
{
	uint64_t clients = (uint64_t)server->max_clients + server->queued_most,
		 files = server_files_of_session(server);

	/* a process with threads has both ends of the pipe to each peer */
	if (server->datagrams)
		return 2 * clients + DESCRIPTORS_BESIDES;
	/* each client of a hub may have a pipe that wakes its worker */
	if (server->service->hub != NULL)
		return 3 * clients + DESCRIPTORS_BESIDES;
	/* files may get numbers above those reserved for sockets */
	return (1 + files) * clients + DESCRIPTORS_BESIDES +
	       (files > 0 ? (uint64_t)server->model->socket_numbers : 0);
}

static int run(struct settings *settings)
{
	struct server *server = settings->server;
	struct failure failure;
	struct listeners listeners;
	int result;

	if (server->datagrams && !settings->clients_set)
		server->max_clients = MOST_PEERS;
	else if (!server->datagrams && server->model->most_clients == 1)
		server->max_clients = 1;
	if (server_check_model(server, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	if (server->model->prepare != NULL &&
	    server->model->prepare(server, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	if (server->service->prepare != NULL && server->service->prepare(&failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	process_raise_descriptors(descriptors_needed(server));
	if (open_listeners(settings, &listeners, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	if (server_begin(server, &listeners) < 0) {
		message(MESSAGE_ERROR, "cannot start: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	report_ready(&listeners, server->datagrams);
	result = server->datagrams ? server->model->serve_datagrams(server)
				   : server->model->serve(server);
	if (result < 0)
		message(MESSAGE_ERROR, "cannot start: %s", strerror(errno));
	server_end(server);
	if (message_wanted(MESSAGE_NOTICE))
		statistics_print(server->statistics);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* inetd(8) starts a server with an accepted client, or with a socket on which clients
 * wait. Such a socket has an address. A socketpair(2) has none: some programs (ssh,
 * node) use one instead of a pipe. */
static bool started_by_inetd(void)
{
	struct address local;

	return address_local(STDIN_FILENO, &local) == 0 &&
	       (local.any.sa_family != AF_UNIX ||
		local.length > sizeof local.any.sa_family) &&
	       !listeners_are_passed();
}

/* Whether standard error is the socket of the client of inetd. */
static bool errors_go_to_client(void)
{
	struct stat input, errors;

	return fstat(STDIN_FILENO, &input) == 0 && fstat(STDERR_FILENO, &errors) == 0 &&
	       input.st_dev == errors.st_dev && input.st_ino == errors.st_ino;
}

/* The message must not go to the client. inetd itself writes to the system log, too. */
static int refuse_inetd(void)
{
	static const char reason[] =
		"cannot serve the socket on standard input (inetd): "
		"start the server directly, or by socket activation (LISTEN_FDS)";

	if (errors_go_to_client()) {
		openlog(message_program_name(), LOG_PID, LOG_DAEMON);
		syslog(LOG_ERR, "%s", reason);
	} else {
		message(MESSAGE_ERROR, "%s", reason);
	}
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	/* static: threads may still use it while the process exits */
	static struct server server;
	struct settings settings = {
		.place = { "127.0.0.1", selected_service->port, SOCK_STREAM, SOMAXCONN },
		.server = &server,
		.level = MESSAGE_NOTICE,
	};
	int status;

	server.service = selected_service;
	server.model = selected_model;
	io_begin();
	message_program(argv[0]);
	if (started_by_inetd())
		return refuse_inetd();
	server.max_clients = selected_model->most_clients;
	server.repeats = -1;
	server.idle_timeout = 1000 * (int64_t)idle_seconds(selected_service);
	status = read_command_line(&settings, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	message_set_level(settings.level);
	message_share();
	return run(&settings);
}
