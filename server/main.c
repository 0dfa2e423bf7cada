/*
 * main - the main() of every server: reads the options, opens the listening sockets, and
 * starts the model.
 *
 * A program is this file and the engine beside it, linked with one service and one
 * model. The steps:
 *
 *	options -> model->prepare -> listen -> trace -> other user -> service->prepare
 *		-> server_begin -> hand-over -> sandbox -> model->serve -> statistics
 *
 * Only this file may end the program with an error. Everything below it returns errors
 * as values.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/identity.h"
#include "common/io.h"
#include "common/listeners.h"
#include "common/message.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/process.h"
#include "common/sock.h"
#include "common/text.h"
#include "server/model.h"
#include "server/core/handover.h"
#include "server/core/input_socket.h"
#include "server/core/sandbox.h"
#include "server/core/server.h"
#include "server/core/trace.h"
#include "server/service.h"

enum { MOST_CLIENTS = 1000000, MOST_REPEATS = 1000000000, MOST_SECONDS = 365 * 86400 };

/* With a backlog below this, some clients may wait forever: see warn_of_backlog(). */
enum { SMALL_BACKLOG = 128 };

enum {
	OPTION_AMPLIFY = OPTIONS_LETTERS_FROM,
	OPTION_REPEATS,
	OPTION_TRACE,
	OPTION_MODE,
	OPTION_USER,
	OPTION_NO_SANDBOX,
	OPTION_HAND_OVER,
	OPTION_PROXY,
	OPTION_PROXY_FROM,
};

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
	  "addresses of this host; ./FILE or @NAME for a\n"
	  "UNIX-domain socket" },
	{ OPTION_MODE, "mode", "OCTAL",
	  "permissions of the file of a UNIX-domain socket\n"
	  "(default 0600: only your own processes connect)" },
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
	{ OPTION_HAND_OVER, "hand-over", "PATH",
	  "take over the listening sockets of the server at\n"
	  "PATH, a UNIX-domain socket, which then stops; and\n"
	  "pass them on to the next server in the same way" },
	{ OPTION_TRACE, "trace", "FILE",
	  "write a line per event to FILE, for timeline(1)" },
	{ OPTION_USER, "user", "NAME[:GROUP]", "become this user after the start" },
	{ OPTION_NO_SANDBOX, "no-sandbox", NULL,
	  "keep the use of files and system calls that the\n"
	  "server does not need" },
	{ OPTION_PROXY, "proxy-protocol", NULL,
	  "each connection begins with a PROXY header, which\n"
	  "tells the address of the client" },
	{ OPTION_PROXY_FROM, "proxy-from", "LIST",
	  "with --proxy-protocol, addresses of the proxies,\n"
	  "such as 10.0.0.1,10.1.0.0/16\n"
	  "(default 127.0.0.0/8,::1)" },
	{ 'v', "verbose", NULL, "print a line per client; twice: a line per event" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 'h', "help", NULL, "show this help" },
	{ 'V', "version", NULL, "show the version" },
	{ 0 },
};

/* The service manager; static, because the functions that the engine calls when the server is
 * ready and when it stops have no other way to it. */
static struct notify manager = { -1 };

struct settings {
	struct sock_place place;
	char host[HOST_TEXT];       /* of -a, without brackets */
	struct local_address local; /* of -a, if it names a UNIX-domain socket */
	unsigned mode;              /* of its file */
	bool mode_set, port_set;    /* --mode, --port was given */
	struct server *server;
	enum message_level level;
	bool clients_set; /* --max-clients was given */
	bool backlog_set; /* --backlog was given */
	struct handover handover;
	const char *trace; /* the file of --trace; NULL: none */
	struct identity user;
	bool no_sandbox;
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

/* The options of a server that listens. */
static const char listening_letters[] = "abcpx";

static bool is_for_listening(int letter)
{
	return letter == OPTION_MODE || letter == OPTION_HAND_OVER ||
	       (letter < OPTIONS_LETTERS_FROM &&
		strchr(listening_letters, letter) != NULL);
}

static bool applies(const struct option_line *line, const struct service *service,
		    const struct model *model)
{
	if (model->serves_input && is_for_listening(line->letter))
		return false;
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
		if (!applies(line, service, settings->server->model))
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

/* A UNIX-domain socket; or a host, which may be an IPv6 address in brackets. */
static int take_address(struct settings *settings, const struct options *options,
			struct failure *failure)
{
	const char *value = options->value;
	char port[PORT_TEXT];

	settings->server->local = local_address_is(value);
	if (settings->server->local) {
		settings->place.host = value;
		return local_address_parse(value, &settings->local, failure);
	}
	settings->place.host = settings->host;
	if (address_split(value, settings->host, port, NULL) < 0)
		return options_bad_value(failure, options, 'a',
					 "is not a host, an address or a path");
	if (port[0] != '\0')
		return options_bad_value(failure, options, 'a',
					 "has a port: give it with -p");
	return 0;
}

/* Only octal digits, as chmod(1) takes them. */
static int take_mode(struct settings *settings, const struct options *options,
		     struct failure *failure)
{
	const char *digits = options->value;
	char *end;
	unsigned long mode = strtoul(digits, &end, 8);

	if (digits[0] == '\0' || strspn(digits, "01234567") != strlen(digits) ||
	    mode > 0777)
		return options_bad_value(failure, options, OPTION_MODE,
					 "is not a mode (octal, from 0 to 0777)");
	settings->mode = (unsigned)mode;
	settings->mode_set = true;
	return 0;
}

static int add_proxy(struct server *server, const char *text, struct failure *failure)
{
	struct address_prefix *prefix = &server->proxy_from[server->proxy_from_count];
	char culprit[ADDRESS_TEXT];

	if (server->proxy_from_count == PROXY_FROM_MOST)
		return failure_set(failure, "--proxy-from: there are more than %d",
				   PROXY_FROM_MOST);
	if (address_prefix_parse(text, prefix) < 0) {
		text_escape(text, strlen(text), culprit, sizeof culprit);
		return failure_set(failure,
				   "--proxy-from: '%s' is not an address or a range such "
				   "as 10.0.0.0/8",
				   culprit);
	}
	server->proxy_from_count++;
	return 0;
}

/* The proxies of this host. */
static void trust_loopback(struct server *server)
{
	(void)add_proxy(server, "127.0.0.0/8", NULL);
	(void)add_proxy(server, "::1", NULL);
}

/* A list, separated by commas. */
static int take_proxies(struct server *server, const struct options *options,
			struct failure *failure)
{
	char text[ADDRESS_TEXT];

	for (const char *at = options->value; at != NULL;) {
		size_t length = strcspn(at, ",");

		if (length >= sizeof text)
			length = sizeof text - 1; /* no address is that long */
		memcpy(text, at, length);
		text[length] = '\0';
		if (add_proxy(server, text, failure) < 0)
			return -1;
		at = strchr(at, ',');
		at = at != NULL ? at + 1 : NULL;
	}
	return 0;
}

static int take_hand_over(struct settings *settings, const struct options *options,
			  struct failure *failure)
{
	const char *flaw;

	handover_none(&settings->handover);
	flaw = handover_set_path(&settings->handover, options->value);
	if (flaw != NULL)
		return options_bad_value(failure, options, OPTION_HAND_OVER, flaw);
	settings->server->handover = &settings->handover;
	return 0;
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
		return take_address(settings, options, failure);
	case OPTION_MODE:
		return take_mode(settings, options, failure);
	case 'p':
		if (address_check_port(options->value, SOCK_STREAM, NULL) < 0)
			return options_bad_value(
				failure, options, letter,
				"is not a port (0 to 65535, or a service name)");
		settings->place.port = options->value;
		settings->port_set = true;
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
	case OPTION_HAND_OVER:
		return take_hand_over(settings, options, failure);
	case OPTION_PROXY:
		server->proxy_protocol = true;
		return 0;
	case OPTION_PROXY_FROM:
		return take_proxies(server, options, failure);
	case OPTION_TRACE:
		settings->trace = options->value;
		return 0;
	case OPTION_USER:
		return identity_parse(&settings->user, options->value, failure);
	case OPTION_NO_SANDBOX:
		settings->no_sandbox = true;
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

static int check_address(const struct settings *settings, struct failure *failure)
{
	char text[LOCAL_ADDRESS_TEXT];

	if (settings->server->local && settings->port_set)
		return failure_set(failure,
				   "-p: %s is a UNIX-domain socket, which has no port",
				   local_address_text(&settings->local, text));
	if (settings->mode_set && !local_address_is_path(&settings->local))
		return failure_set(failure, "--mode: only a socket file has one (-a "
					    "./FILE)");
	return 0;
}

static int finish(void *context, int count, char **operands, struct failure *failure)
{
	const struct settings *settings = context;
	struct server *server = settings->server;
	const struct service *service = server->service;
	char text[ADDRESS_TEXT];

	if (count > 0) {
		text_escape(operands[0], strlen(operands[0]), text, sizeof text);
		return failure_set(failure, "unexpected argument '%s'", text);
	}
	if (check_address(settings, failure) < 0)
		return -1;
	if (server->handover != NULL && (server->local || settings->user.known))
		return failure_set(failure, "--hand-over: not with %s",
				   server->local ? "a UNIX-domain socket (-a)"
						 : "--user");
	if (server->proxy_protocol && server->datagrams)
		return failure_set(failure,
				   "--proxy-protocol: datagrams (-u) have no header");
	if (server->proxy_from_count > 0 && !server->proxy_protocol)
		return failure_set(failure, "--proxy-from needs --proxy-protocol");
	if (server->proxy_protocol && server->proxy_from_count == 0)
		trust_loopback(server);
	if (settings->trace != NULL && server->datagrams)
		return failure_set(failure, "--trace: datagrams (-u) are not traced");
	if (server->model->check != NULL && server->model->check(server, failure) < 0)
		return -1;
	return service->check != NULL ? service->check(failure) : 0;
}

/* @return as options_read() */
static int read_command_line(struct settings *settings, int argc, char **argv)
{
	const struct service *service = settings->server->service;
	const struct model *model = settings->server->model;
	char purpose[FAILURE_TEXT];
	int length;
	const struct options_program program = {
		.synopsis = "[options]",
		.purpose = purpose,
		.lines = settings->lines,
		.take = take_option,
		.finish = finish,
	};

	collect_lines(settings, service);
	length = snprintf(purpose, sizeof purpose, "%s: %s.\n%s: %s.", service->name,
			  service->summary, model->name, model->summary);
	if (!model->serves_input && length > 0 && (size_t)length < sizeof purpose)
		snprintf(purpose + length, sizeof purpose - (size_t)length,
			 "\nDefaults: port %s, max-clients %u.", service->port,
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
	    settings->place.type == SOCK_STREAM && !settings->server->local)
		message(MESSAGE_NOTICE,
			"-b %d is small for %s, which speaks first: if more than %d "
			"clients come at once, some may wait forever (SYN cookies)",
			backlog, service->name, backlog + 1);
}

static int open_local_listener(const struct settings *settings,
			       struct listeners *listeners, struct failure *failure)
{
	int fd = sock_listen_local(&settings->local, &settings->place, settings->mode,
				   &settings->server->file, failure);

	if (fd < 0)
		return -1;
	listeners->fds[0] = fd;
	listeners->count = 1;
	return 0;
}

/* Uses the sockets that the server was started with, or opens new ones. */
static int open_listeners(struct settings *settings, struct listeners *listeners,
			  struct failure *failure)
{
	const struct sock_place *place = &settings->place;
	struct failure left_out;

	if (settings->server->model->serves_input)
		return input_socket_take(place->type, listeners, failure);
	if (listeners_activated(place->type, listeners, failure) < 0)
		return -1;
	if (listeners->count > 0)
		return 0;
	if (settings->server->handover != NULL &&
	    handover_begin(&settings->handover, settings->server->service->name,
			   place->type, listeners, failure) < 0)
		return -1;
	if (listeners->count > 0)
		return 0;
	if (settings->server->local)
		return open_local_listener(settings, listeners, failure);
	if (listeners_open(place, listeners, &left_out, failure) < 0)
		return -1;
	if (left_out.text[0] != '\0')
		message(MESSAGE_NOTICE, "%s; its other addresses are served",
			left_out.text);
	warn_of_backlog(settings);
	return 0;
}

/* The level of the first and the last line. */
static enum message_level level_of_summary(const struct server *server)
{
	return server->model->serves_input ? MESSAGE_CLIENT : MESSAGE_NOTICE;
}

static void report_listener(const struct server *server, int fd)
{
	enum message_level level = level_of_summary(server);
	struct local_address local;
	struct address address;
	char text[ADDRESS_TEXT], name[LOCAL_ADDRESS_TEXT];

	if (local_address_of(fd, &local) == 0)
		message(level, "listening on %s (%s)", local_address_text(&local, name),
			server->datagrams ? "unix datagrams" : "unix");
	else if (address_local(fd, &address) == 0)
		message(level, "listening on %s (%s)", address_text(&address, text),
			server->datagrams ? "udp" : "tcp");
}

/* A service manager that cannot be told is no reason to stop. */
static void tell_manager(const char *lines)
{
	if (notify_send(&manager, lines) == 0)
		return;
	message(MESSAGE_ERROR, "cannot notify the service manager (NOTIFY_SOCKET): %s",
		strerror(errno));
	close(manager.fd); /* one message is enough */
	manager.fd = -1;
}

static void report_leaving(const struct server *server)
{
	(void)server;
	tell_manager("STOPPING=1");
}

static void report_ready(const struct server *server)
{
	for (unsigned i = 0; i < server->listeners.count; i++)
		report_listener(server, server->listeners.fds[i]);
	if (geteuid() == 0)
		message(level_of_summary(server),
			server->handover == NULL
				? "serves clients as root: --user NAME is safer"
				: "serves clients as root: it is safer to start it as "
				  "another user");
	tell_manager("READY=1\nSTATUS=serving");
	/* last: the old instance stops after this */
	if (handover_ready(server->handover) < 0)
		message(MESSAGE_ERROR, "--hand-over: cannot answer there: %s",
			strerror(errno));
}

static uint64_t descriptors_needed(const struct server *server)
{
	uint64_t clients = (uint64_t)server->max_clients + server->queued_most,
		 files = server_files_of_session(server);
	uint64_t besides = DESCRIPTORS_BESIDES + (uint64_t)server->descriptors;

	/* a process with threads has both ends of the pipe to each peer */
	if (server->datagrams)
		return 2 * clients + besides;
	/* each client of a hub may have a pipe that wakes its worker */
	if (server->service->hub != NULL)
		return 3 * clients + besides;
	/* files may get numbers above those reserved for sockets */
	return (1 + files) * clients + besides +
	       (files > 0 ? (uint64_t)server->model->socket_numbers : 0);
}

/* Everything is open now: the server gives up what it does not need to serve clients. */
static int give_up_rights(struct settings *settings, struct failure *failure)
{
	const struct server *server = settings->server;
	static struct sandbox sandbox; /* owns names: sandbox_append() */

	if (settings->no_sandbox) {
		message(MESSAGE_CLIENT, "no sandbox");
		return 0;
	}
	sandbox.needs = server->model->creates;
	if (server->service->allow != NULL)
		server->service->allow(&sandbox);
	if (server->file.owner != 0)
		sandbox_remove(&sandbox, server->file.address.name.sun_path);
	if (server->handover != NULL) {
		sandbox_remove(&sandbox, server->handover->path.name.sun_path);
		sandbox.asks_for_sigio = true;
	}
	return sandbox_enter(&sandbox, failure);
}

/* The file of a UNIX-domain socket then belongs to the user and the group, too, so that --mode says
 * whether they may connect. */
static int become_user(struct settings *settings, struct failure *failure)
{
	const struct identity *user = &settings->user;

	if (geteuid() == 0 &&
	    socket_file_give(&settings->server->file, user->user, user->group) < 0)
		return failure_set(failure, "--user: cannot change the owner of %s: %s",
				   settings->server->file.address.name.sun_path,
				   strerror(errno));
	return identity_assume(user, failure);
}

/* All that comes before the service of clients. */
static int prepare(struct settings *settings, struct failure *failure)
{
	struct server *server = settings->server;
	const struct model *model = server->model;
	const struct service *service = server->service;
	struct listeners listeners;

	if (server->datagrams && !settings->clients_set)
		server->max_clients = MOST_PEERS;
	else if (!server->datagrams && model->most_clients == 1)
		server->max_clients = 1;
	if (server_check_model(server, failure) < 0 ||
	    (model->prepare != NULL && model->prepare(server, failure) < 0))
		return -1;
	server->backlog = settings->place.backlog;
	process_raise_descriptors(descriptors_needed(server));
	if (open_listeners(settings, &listeners, failure) < 0)
		return -1;
	/* after the listeners: a server that cannot listen must not empty the trace of the
	 * one that does */
	if (settings->trace != NULL &&
	    trace_open(settings->trace, service->name, model->name, model->serves_input,
		       failure) < 0)
		return -1;
	/* the port and the trace may need root, the files of the service must not */
	if (settings->user.known && become_user(settings, failure) < 0)
		return -1;
	if ((service->prepare != NULL && service->prepare(failure) < 0) ||
	    server_begin(server, &listeners, failure) < 0 ||
	    handover_publish(server->handover, failure) < 0)
		return -1;
	return give_up_rights(settings, failure);
}

static int serve(struct settings *settings)
{
	struct server *server = settings->server;
	struct failure failure;
	int result;

	if (prepare(settings, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	server->ready = report_ready;
	server->leaving = report_leaving;
	result = server->datagrams ? server->model->serve_datagrams(server)
				   : server->model->serve(server);
	if (result < 0)
		message(MESSAGE_ERROR, "cannot start: %s", strerror(errno));
	server_end(server);
	trace_close();
	if (result < 0)
		return EXIT_FAILURE;
	if (message_wanted(level_of_summary(server)))
		statistics_print(server->statistics);
	return EXIT_SUCCESS;
}

/* However the server ends, its socket file does not stay. */
static int run(struct settings *settings)
{
	int status = serve(settings);

	socket_file_remove(&settings->server->file);
	return status;
}

/* Any model but inetd: it would serve no client on standard input, but listen. */
static int refuse_input_socket(void)
{
	message(MESSAGE_ERROR,
		"cannot serve the socket on standard input (inetd): use %sd-inetd, or "
		"start this server directly, or by socket activation (LISTEN_FDS)",
		selected_service->name);
	return EXIT_FAILURE;
}

/* Before the first message: a wrong option must not be reported to the client. */
static int look_at_input(void)
{
	struct failure failure;

	if (!selected_model->serves_input) {
		if (!input_socket_is_given())
			return EXIT_SUCCESS;
		(void)input_socket_keep_private(NULL);
		return refuse_input_socket();
	}
	if (input_socket_keep_private(&failure) == 0)
		return EXIT_SUCCESS;
	message(MESSAGE_ERROR, "%s", failure.text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	/* static: threads may still use it while the process exits */
	static struct server server;
	struct settings settings = {
		.place = { "127.0.0.1", selected_service->port, SOCK_STREAM,
			   SOCK_BACKLOG },
		.mode = SOCKET_FILE_MODE,
		.server = &server,
		/* a process for each client would print too much */
		.level = selected_model->serves_input ? MESSAGE_ERROR : MESSAGE_NOTICE,
	};
	struct failure failure;
	int status;

	server.service = selected_service;
	server.model = selected_model;
	io_begin();
	message_program(argv[0]);
	if (look_at_input() != EXIT_SUCCESS)
		return EXIT_FAILURE;
	server.max_clients = selected_model->most_clients;
	server.repeats = -1;
	server.idle_timeout = 1000 * (int64_t)idle_seconds(selected_service);
	status = read_command_line(&settings, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	message_set_level(settings.level);
	message_share();
	if (notify_begin(&manager, &failure) < 0)
		message(MESSAGE_ERROR, "%s", failure.text);
	status = run(&settings);
	handover_end(server.handover);
	return status;
}
