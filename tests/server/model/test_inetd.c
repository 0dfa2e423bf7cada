/*
 * The model inetd, as a super-server and its clients see it: what it does with the socket on
 * standard input, which messages it prints and where, and how it ends. At the end the same
 * with real super-servers, as far as they are installed.
 *
 * The tests of all models run with the super-server of the fixture (super_server.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { TEXT = 4096, PATH = 4096, OPTIONS = 8 };

/* ---- a program with its client --------------------------------------------------------- */

/* What the program is to have as its descriptors, and in its environment. */
struct places {
	int input;
	bool errors;           /* descriptor 2 is the input as well */
	const char *ip, *port; /* TCPREMOTEIP and TCPREMOTEPORT; NULL: not set */
};

static void take_places(void *context)
{
	const struct places *places = context;

	dup2(places->input, STDIN_FILENO);
	dup2(places->input, STDOUT_FILENO);
	if (places->errors)
		dup2(places->input, STDERR_FILENO);
	if (places->ip != NULL)
		setenv("TCPREMOTEIP", places->ip, 1);
	if (places->port != NULL)
		setenv("TCPREMOTEPORT", places->port, 1);
}

static struct program start(const char *const argv[], struct places *places)
{
	return program_start(&(struct run_setup){
		.argv = argv,
		.prepare = take_places,
		.context = places,
	});
}

static struct run run(const char *const argv[], struct places places)
{
	struct program program = start(argv, &places);

	return program_wait(&program, WAIT_MS);
}

static int listening_socket(int type)
{
	struct sock_place place = { "127.0.0.1", "0", type, 4 };
	int fd = sock_listen(&place, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static unsigned port_of(int fd)
{
	struct address address;

	ck_assert_int_eq(address_local(fd, &address), 0);
	return address_port(&address);
}

/* A client, and the socket that the starter has accepted for it. */
static void connect_client(int *client, int *server)
{
	int listener = listening_socket(SOCK_STREAM);
	struct address peer;

	*client = client_connect_to("127.0.0.1", port_of(listener));
	*server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(*server, 0);
	close(listener);
}

START_TEST(serves_its_client_says_nothing_and_exits)
{
	int client, server;
	struct program program;
	struct run end;

	connect_client(&client, &server);
	program = start(ARGUMENTS("echod-inetd"), &(struct places){ .input = server });
	close(server);
	client_echo(client);
	client_half_close(client);
	client_expect_end(client);
	client_close(client);
	end = program_wait(&program, WAIT_MS);
	run_expect_status(&end, 0);
	ck_assert_str_eq(end.err, "");
}
END_TEST

START_TEST(a_socket_that_the_starter_made_non_blocking_is_served)
{
	int client, server;
	struct program program;
	struct run end;

	connect_client(&client, &server);
	ck_assert_int_eq(io_set_nonblocking(server, true), 0);
	program = start(ARGUMENTS("echod-inetd", "-vv"),
			&(struct places){ .input = server });
	close(server);
	client_echo(client);
	client_leave(client);
	end = program_wait(&program, WAIT_MS);
	run_expect_status(&end, 0);
	ck_assert_ptr_null(strstr(end.err, "timed out"));
}
END_TEST

START_TEST(a_stop_signal_ends_it_in_order)
{
	int client, server;
	struct program program;
	struct run end;

	connect_client(&client, &server);
	program = start(ARGUMENTS("echod-inetd"), &(struct places){ .input = server });
	close(server);
	client_echo(client);
	ck_assert_int_eq(kill(program.pid, SIGTERM), 0);
	client_expect_end(client);
	client_close(client);
	end = program_wait(&program, WAIT_MS);
	run_expect_status(&end, 0);
}
END_TEST

/* ---- what it says, and where ----------------------------------------------------------- */

START_TEST(help_leaves_out_what_concerns_listening)
{
	static const char *const left_out[] = { "--address",     "--port",
						"--max-clients", "--backlog",
						"--exit-idle",   "--mode",
						"Defaults" };
	struct run help = run_program(ARGUMENTS("echod-inetd", "-h"), "", 0, WAIT_MS);

	run_expect_status(&help, 0);
	ck_assert_ptr_nonnull(strstr(help.out, "--idle-timeout"));
	ck_assert_ptr_nonnull(strstr(help.out, "--udp"));
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
		ck_assert_ptr_null(strstr(help.out, left_out[i]));
}
END_TEST

START_TEST(an_option_of_listening_is_unknown)
{
	static const char letters[] = "abcpx";

	for (size_t i = 0; letters[i] != '\0'; i++) {
		char option[] = { '-', letters[i], '\0' }, expected[TEXT];
		struct run end = run_program(ARGUMENTS("echod-inetd", option, "1"), "", 0,
					     WAIT_MS);

		snprintf(expected, sizeof expected,
			 "echod-inetd: unknown option -%c; try 'echod-inetd -h'\n",
			 letters[i]);
		run_expect_status(&end, 2);
		ck_assert_str_eq(end.err, expected);
	}
}
END_TEST

static const char no_socket[] =
	"echod-inetd: standard input is not a socket: inetd, xinetd, tcpserver, tcpsvd "
	"or systemd must start this server, for one client (see sockways(7))\n";

START_TEST(without_a_socket_it_says_how_it_is_started)
{
	int inputs[3], master, pipe_ends[2];
	size_t count = 0;

	ck_assert_int_eq(pipe(pipe_ends), 0);
	inputs[count++] = pipe_ends[0];
	inputs[count++] = folder_create_nameless();
	if (terminal_open(&master, &inputs[count]))
		count++;
	for (size_t i = 0; i < count; i++) {
		struct run end = run(ARGUMENTS("echod-inetd"),
				     (struct places){ .input = inputs[i] });

		run_expect_status(&end, 1);
		ck_assert_str_eq(end.err, no_socket);
	}
}
END_TEST

static void pass_listener(void *context)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	dup2(*(int *)context, 3);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

START_TEST(a_socket_of_another_kind_is_refused_in_one_line)
{
	const struct {
		int input;
		const char *option, *says;
	} wrong[] = {
		{ listening_socket(SOCK_STREAM), "-q",
		  "standard input is a listening socket: the client itself is needed "
		  "(inetd: nowait; systemd: Accept=yes)" },
		{ listening_socket(SOCK_DGRAM), "-q",
		  "standard input is a datagram socket, which needs -u" },
		{ listening_socket(SOCK_STREAM), "-u",
		  "standard input is not a datagram socket: -u needs one (inetd: dgram, "
		  "wait)" },
	};
	int listener = listening_socket(SOCK_STREAM);
	struct run end;
	char line[TEXT];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		end = run(ARGUMENTS("echod-inetd", wrong[i].option),
			  (struct places){ .input = wrong[i].input });
		snprintf(line, sizeof line, "echod-inetd: %s\n", wrong[i].says);
		run_expect_status(&end, 1);
		ck_assert_str_eq(end.err, line);
	}
	end = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("echod-inetd"),
		.prepare = pass_listener,
		.context = &listener,
	});
	run_expect_status(&end, 1);
	ck_assert_str_eq(
		end.err,
		"echod-inetd: the socket of LISTEN_FDS is not served: give it as "
		"standard input (systemd: Accept=yes, StandardInput=socket), or "
		"start another model\n");
}
END_TEST

/* inetd gives the client as standard error, too. */
START_TEST(the_client_receives_the_bytes_of_the_service_only)
{
	static const struct {
		const char *argv[OPTIONS];
		bool serves;
	} commands[] = {
		{ { "echod-inetd", "-vv", NULL }, true },
		{ { "echod-inetd", "--wrong", NULL }, false },
		{ { "echod-inetd", "-h", NULL }, false },
		{ { "echod-inetd", "-V", NULL }, false },
		{ { "echod-inetd", "-u", NULL }, false },
		{ { "httpd-inetd", "-r", "/nonexistent", NULL }, false },
		{ { "discardd-inetd", "-ovv", NULL }, false },
	};

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		int client, server;
		struct program program;

		connect_client(&client, &server);
		client_say(client, "hello");
		client_half_close(client);
		program = start(commands[i].argv,
				&(struct places){ .input = server, .errors = true });
		close(server);
		if (commands[i].serves)
			client_hear(client, "hello");
		while (client_is_readable(client, WAIT_MS)) {
			char byte;
			/* a program that reads nothing closes with a reset */
			ssize_t n = recv(client, &byte, 1, 0);

			ck_assert_msg(n <= 0, "%s %s: the client gets more",
				      commands[i].argv[0], commands[i].argv[1]);
			break;
		}
		client_close(client);
		program_wait(&program, WAIT_MS);
	}
}
END_TEST

/* ---- the name of the client ------------------------------------------------------------ */

static struct run serve_pair(const char *ip, const char *port)
{
	int pair[2];
	struct places places = { .ip = ip, .port = port };
	struct program program;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	places.input = pair[1];
	program = start(ARGUMENTS("echod-inetd", "-v"), &places);
	close(pair[1]);
	client_echo(pair[0]);
	client_leave(pair[0]);
	return program_wait(&program, WAIT_MS);
}

START_TEST(the_client_of_a_local_socket_is_named_by_the_starter)
{
	static const struct {
		const char *ip, *port, *shown; /* NULL: what the kernel says */
	} names[] = {
		{ "192.0.2.7", "4711", "192.0.2.7:4711: " },
		{ "2001:db8::7", "4711", "[2001:db8::7]:4711: " },
		{ "192.0.2.7", NULL, "192.0.2.7:0: " },
		{ "192.0.2.7", "65536", "192.0.2.7:0: " },
		{ "localhost", "4711", NULL },
		{ "192.0.2.7 \x1b[2J", "4711", NULL },
		{ "", "4711", NULL },
		{ NULL, NULL, NULL },
	};
	char self[ADDRESS_TEXT];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct run end = serve_pair(names[i].ip, names[i].port);
		const char *shown = names[i].shown;

		run_expect_status(&end, 0);
		if (shown == NULL)
			shown = client_of_local_socket(self);
		ck_assert_msg(strstr(end.err, shown) != NULL, "%s", end.err);
	}
}
END_TEST

START_TEST(the_socket_knows_its_client_better_than_the_starter)
{
	int client, server;
	struct places places = { .ip = "192.0.2.7", .port = "4711" };
	struct program program;
	char name[ADDRESS_TEXT];
	struct run end;

	connect_client(&client, &places.input);
	server = places.input;
	program = start(ARGUMENTS("echod-inetd", "-v"), &places);
	close(server);
	client_echo(client);
	client_address(client, name);
	client_leave(client);
	end = program_wait(&program, WAIT_MS);
	ck_assert_ptr_nonnull(strstr(end.err, name));
	ck_assert_ptr_null(strstr(end.err, "192.0.2.7"));
}
END_TEST

/* ---- datagrams ------------------------------------------------------------------------- */

static void exchange(unsigned port, const char *text)
{
	int fd = client_connect_by(SOCK_DGRAM, "127.0.0.1", port);

	client_say(fd, text);
	client_hear(fd, text);
	client_close(fd);
}

/* GIVEN a datagram socket with two peers THEN one process serves both, and exits when both
   have been silent for the idle timeout. */
START_TEST(a_datagram_socket_is_served_until_it_is_idle)
{
	enum { IDLE = 600 };
	int socket = listening_socket(SOCK_DGRAM);
	struct program program = start(ARGUMENTS("echod-inetd", "-u", "-t", "0.6"),
				       &(struct places){ .input = socket });
	struct run end;
	int64_t began;

	exchange(port_of(socket), "one");
	exchange(port_of(socket), "another");
	began = clock_milliseconds();
	end = program_wait(&program, WAIT_MS);
	run_expect_status(&end, 0);
	ck_assert_str_eq(end.err, "");
	ck_assert_int_ge(clock_milliseconds() - began, IDLE / 2);
	close(socket);
}
END_TEST

/* ---- real super-servers ---------------------------------------------------------------- */

struct starter {
	struct folder folder;
	struct program program;
	unsigned tcp, udp; /* the ports; udp 0: none */
};

static void program_path_of(const char *name, char path[PATH])
{
	snprintf(path, PATH, "%s/%s", getenv("SOCKWAYS_BIN"), name);
}

/* A port that is free now. Another program could take it before the super-server does. */
static unsigned free_port(int type)
{
	int fd = listening_socket(type);
	unsigned port = port_of(fd);

	close(fd);
	return port;
}

static void write_configuration(struct starter *starter, const char *text)
{
	int fd = open(folder_path(&starter->folder, "conf"), O_WRONLY | O_CREAT | O_EXCL,
		      0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static bool can_connect(void *context)
{
	const struct starter *starter = context;
	char port[PORT_TEXT];
	struct sock_target target = { "127.0.0.1", port, AF_INET, SOCK_STREAM, WAIT_MS };
	int fd;

	snprintf(port, sizeof port, "%u", starter->tcp);
	fd = sock_connect(&target, NULL, NULL);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void begin_starter(struct starter *starter, const char *const argv[])
{
	starter->program = program_start(&(struct run_setup){ .argv = argv });
	ck_assert_msg(eventually(can_connect, starter, WAIT_MS), "%s does not listen",
		      argv[0]);
}

/* The harness makes the children of a super-server ours when it has ended. */
static bool nobody_is_left(void *context)
{
	(void)context;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return errno == ECHILD;
}

/* @return what the super-server and its programs printed */
static const char *end_starter(struct starter *starter)
{
	struct run end;

	ck_assert_int_eq(kill(starter->program.pid, SIGTERM), 0);
	end = program_wait(&starter->program, WAIT_MS);
	errno = 0;
	ck_assert_msg(eventually(nobody_is_left, NULL, WAIT_MS),
		      "a program outlives its super-server");
	folder_remove(&starter->folder);
	return end.err;
}

/* The user that the configuration names: the test's own. */
static const char *own_user(void)
{
	return getuid() == 0 ? "root" : getenv("USER") != NULL ? getenv("USER") : "root";
}

static bool start_openbsd_inetd(struct starter *starter, const char *server,
				const char *option)
{
	static char tool[TOOL_TEXT], path[PATH], text[TEXT * 3], file[PATH];

	if (needed_program("inetd", tool) == NULL)
		return false;
	program_path_of(server, path);
	snprintf(text, sizeof text,
		 "127.0.0.1:%u stream tcp nowait %s %s %s %s\n"
		 "127.0.0.1:%u dgram udp wait %s %s %s -u -t 1\n",
		 starter->tcp, own_user(), path, server, option, starter->udp, own_user(),
		 path, server);
	write_configuration(starter, text);
	snprintf(file, sizeof file, "%s", folder_path(&starter->folder, "conf"));
	begin_starter(starter, ARGUMENTS(tool, "-i", file));
	return true;
}

static bool start_xinetd(struct starter *starter, const char *server, const char *option)
{
	static const char service[] = "service %s\n{\ntype = UNLISTED\nsocket_type = %s\n"
				      "protocol = %s\nwait = %s\nuser = %s\n"
				      "bind = 127.0.0.1\nport = %u\nserver = %s\n"
				      "server_args = %s\n}\n";
	static char tool[TOOL_TEXT], path[PATH], text[TEXT * 4], file[PATH], pid[PATH];
	size_t length;

	if (needed_program("xinetd", tool) == NULL)
		return false;
	program_path_of(server, path);
	snprintf(text, sizeof text, service, "test-tcp", "stream", "tcp", "no",
		 own_user(), starter->tcp, path, option);
	length = strlen(text);
	snprintf(text + length, sizeof text - length, service, "test-udp", "dgram", "udp",
		 "yes", own_user(), starter->udp, path, "-u -t 1");
	write_configuration(starter, text);
	snprintf(file, sizeof file, "%s", folder_path(&starter->folder, "conf"));
	snprintf(pid, sizeof pid, "%s", folder_path(&starter->folder, "pid"));
	begin_starter(starter, ARGUMENTS(tool, "-dontfork", "-f", file, "-pidfile", pid));
	return true;
}

static bool start_with_port(struct starter *starter, const char *name, const char *server,
			    const char *option)
{
	static char tool[TOOL_TEXT], path[PATH], port[PORT_TEXT];

	if (needed_program(name, tool) == NULL)
		return false;
	program_path_of(server, path);
	snprintf(port, sizeof port, "%u", starter->tcp);
	starter->udp = 0;
	begin_starter(starter, ARGUMENTS(tool, "127.0.0.1", port, path, option));
	return true;
}

static bool start_tcpserver(struct starter *starter, const char *server,
			    const char *option)
{
	return start_with_port(starter, "tcpserver", server, option);
}

static bool start_tcpsvd(struct starter *starter, const char *server, const char *option)
{
	return start_with_port(starter, "tcpsvd", server, option);
}

static bool start_systemd(struct starter *starter, const char *server, const char *option)
{
	static char tool[TOOL_TEXT], path[PATH], where[PORT_TEXT + 16];

	if (needed_program("systemd-socket-activate", tool) == NULL)
		return false;
	program_path_of(server, path);
	snprintf(where, sizeof where, "127.0.0.1:%u", starter->tcp);
	starter->udp = 0;
	begin_starter(starter,
		      ARGUMENTS(tool, "-a", "--inetd", "-l", where, path, option));
	return true;
}

static bool (*const starters[])(struct starter *, const char *server,
				const char *option) = {
	start_openbsd_inetd, start_xinetd, start_tcpserver, start_tcpsvd, start_systemd,
};

enum { STARTERS = sizeof starters / sizeof *starters };

static bool start_real(int number, struct starter *starter, const char *server,
		       const char *option)
{
	starter->tcp = free_port(SOCK_STREAM);
	starter->udp = free_port(SOCK_DGRAM);
	folder_create(&starter->folder);
	if (starters[number](starter, server, option))
		return true;
	folder_remove(&starter->folder);
	return false;
}

START_TEST(a_real_starter_has_echo_served)
{
	struct starter starter;
	static char block[50000];
	int one, two;

	if (!start_real(_i, &starter, "echod-inetd", "-q"))
		return;
	one = client_connect_to("127.0.0.1", starter.tcp);
	two = client_connect_to("127.0.0.1", starter.tcp);
	fill_pattern(block, sizeof block, 3);
	client_echo(one);
	client_exchange(two, block, sizeof block, block, sizeof block);
	client_echo(one);
	client_leave(one);
	client_leave(two);
	end_starter(&starter);
}
END_TEST

START_TEST(a_real_starter_has_the_time_told)
{
	struct starter starter;
	int fd;

	if (!start_real(_i, &starter, "daytimed-inetd", "-fit"))
		return;
	fd = client_connect_to("127.0.0.1", starter.tcp);
	client_hear(fd, "it");
	client_close(fd);
	end_starter(&starter);
}
END_TEST

START_TEST(a_real_starter_has_pages_served)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
				      "GET / HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	struct starter starter;
	char reply[TEXT];
	ssize_t n;
	int fd;

	if (!start_real(_i, &starter, "httpd-inetd", "-q"))
		return;
	fd = client_connect_to("127.0.0.1", starter.tcp);
	client_say(fd, request);
	n = io_read_all(fd, reply, sizeof reply - 1);
	ck_assert_int_gt(n, 0);
	reply[n] = '\0';
	expect_match(reply, "^HTTP/1\\.1 200 OK(.|\n)*Hello, World!"
			    "(.|\n)*HTTP/1\\.1 200 OK(.|\n)*Hello, World!\n$");
	client_close(fd);
	end_starter(&starter);
}
END_TEST

/* -v: inetd and xinetd give the client as standard error, where nothing may arrive. */
START_TEST(the_messages_do_not_reach_the_client_of_a_real_starter)
{
	struct starter starter;
	int fd;

	if (!start_real(_i, &starter, "echod-inetd", "-vv"))
		return;
	fd = client_connect_to("127.0.0.1", starter.tcp);
	client_echo(fd);
	client_half_close(fd);
	client_expect_end(fd);
	client_close(fd);
	end_starter(&starter);
}
END_TEST

/* Those that leave standard error as it is: tcpserver, tcpsvd, systemd-socket-activate. */
START_TEST(a_real_starter_hears_who_the_client_was)
{
	struct starter starter;
	char name[ADDRESS_TEXT], expected[TEXT];
	const char *printed;
	int fd;

	if (!start_real(_i, &starter, "echod-inetd", "-v"))
		return;
	fd = client_connect_to("127.0.0.1", starter.tcp);
	client_echo(fd);
	snprintf(expected, sizeof expected, "]: %s: 5 bytes in, 5 out",
		 client_address(fd, name));
	client_leave(fd);
	printed = end_starter(&starter);
	ck_assert_msg(strstr(printed, expected) != NULL, "no '%s' in: %s", expected,
		      printed);
}
END_TEST

/* A datagram that comes before the starter has opened its socket is refused. */
static bool is_served(void *context)
{
	const struct starter *starter = context;
	int fd = client_connect_by(SOCK_DGRAM, "127.0.0.1", starter->udp);
	char byte;
	bool served = send(fd, "?", 1, 0) == 1 && io_wait(fd, POLLIN, 1000) > 0 &&
		      recv(fd, &byte, 1, 0) == 1;

	client_close(fd);
	return served;
}

START_TEST(a_real_starter_has_two_peers_served_on_udp)
{
	struct starter starter;

	if (!start_real(_i, &starter, "echod-inetd", "-q"))
		return;
	if (starter.udp != 0) {
		ck_assert(eventually(is_served, &starter, WAIT_MS));
		exchange(starter.udp, "one");
		exchange(starter.udp, "another");
	}
	end_starter(&starter);
}
END_TEST

Suite *suite_inetd(void)
{
	Suite *suite = suite_create("inetd");
	TCase *tcase = add_case(suite, "one client");

	tcase_add_test(tcase, serves_its_client_says_nothing_and_exits);
	tcase_add_test(tcase, a_socket_that_the_starter_made_non_blocking_is_served);
	tcase_add_test(tcase, a_stop_signal_ends_it_in_order);
	tcase = add_case(suite, "messages");
	tcase_add_test(tcase, help_leaves_out_what_concerns_listening);
	tcase_add_test(tcase, an_option_of_listening_is_unknown);
	tcase_add_test(tcase, without_a_socket_it_says_how_it_is_started);
	tcase_add_test(tcase, a_socket_of_another_kind_is_refused_in_one_line);
	tcase_add_test(tcase, the_client_receives_the_bytes_of_the_service_only);
	tcase = add_case(suite, "names");
	tcase_add_test(tcase, the_client_of_a_local_socket_is_named_by_the_starter);
	tcase_add_test(tcase, the_socket_knows_its_client_better_than_the_starter);
	tcase = add_case(suite, "datagrams");
	tcase_add_test(tcase, a_datagram_socket_is_served_until_it_is_idle);
	tcase = add_case(suite, "real starters");
	tcase_add_loop_test(tcase, a_real_starter_has_echo_served, 0, STARTERS);
	tcase_add_loop_test(tcase, a_real_starter_has_the_time_told, 0, STARTERS);
	tcase_add_loop_test(tcase, a_real_starter_has_pages_served, 0, STARTERS);
	tcase_add_loop_test(tcase, the_messages_do_not_reach_the_client_of_a_real_starter,
			    0, STARTERS);
	tcase_add_loop_test(tcase, a_real_starter_hears_who_the_client_was, 2, STARTERS);
	tcase_add_loop_test(tcase, a_real_starter_has_two_peers_served_on_udp, 0, 2);
	return suite;
}
