/*
 * The servers as their operator and their clients see them, in every model: how they start,
 * what they say, how they end. What goes wrong around them is in test_faults.c.
 */
#define _DEFAULT_SOURCE /* setgroups */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
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
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum {
	MEGABYTE = 1024 * 1024,
	TEXT = 512,
	NOBODY = 65534,
	A_WHILE = 150 * SLOW_MACHINE, /* milliseconds in which nothing may happen */
	GRACE = 5000,                 /* what a stopping server gives its clients */
	QUICKLY = SANITIZED ? WAIT_MS : GRACE - 500, /* before that */
	ACTIVATED_FD = 3,
};

static struct server start(int model, const char *const options[])
{
	return model_start(model, "echo", options);
}

/* ---- starting -------------------------------------------------------------------------- */

START_TEST(says_where_it_listens_when_it_can_be_reached)
{
	struct server server = start(_i, NULL);
	char line[TEXT];

	snprintf(line, sizeof line, "%s: listening on 127.0.0.1:%u (tcp)", server.name,
		 server.port);
	ck_assert_str_eq(server_wait_line(&server, "", WAIT_MS), line);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
}
END_TEST

static void open_itself_on(int model, const char *host, const char *shown)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(model, "echo"),
		.host = host,
		.opens_itself = true,
	});
	char line[TEXT];

	snprintf(line, sizeof line, "%s: listening on %s:%u (tcp)\n", server.name, shown,
		 server.port);
	ck_assert_str_eq(server_errors(&server), line);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
}

START_TEST(opens_its_own_socket_on_a_free_port)
{
	open_itself_on(_i, "127.0.0.1", "127.0.0.1");
}
END_TEST

START_TEST(listens_on_ipv6)
{
	if (network_has_ipv6())
		open_itself_on(_i, "::1", "[::1]");
}
END_TEST

START_TEST(a_wildcard_address_of_ipv6_takes_ipv4_too)
{
	struct server server;

	if (!network_has_ipv6())
		return;
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = ARGUMENTS("-v"),
		.host = "::",
		.opens_itself = true,
	});
	client_leave(client_connect_and_echo(&server));
	server.host = "127.0.0.1";
	client_leave(client_connect_and_echo(&server));
	server_wait_line(&server, "]: 127.0.0.1:", WAIT_MS);
	server_wait_line(&server, "]: [::1]:", WAIT_MS);
	server_finish(&server);
}
END_TEST

/* ---- help and usage -------------------------------------------------------------------- */

static struct run run_server(int model, const char *const options[])
{
	const char *argv[16] = { model_program(model, "echo") };

	for (int i = 0; options[i] != NULL; i++)
		argv[i + 1] = options[i];
	return run_program(argv, "", 0, WAIT_MS);
}

START_TEST(help_goes_to_standard_output_and_lists_every_option)
{
	static const char *const options[] = {
		"-a, --address ADDR",
		"-p, --port PORT",
		"-c, --max-clients N",
		"-t, --idle-timeout",
		"-b, --backlog N",
		"-x, --exit-idle SEC",
		"-v, --verbose ",
		"-q, --quiet ",
		"-h, --help ",
		"-V, --version ",
		"sends back what it receives (RFC 862)",
	};
	struct run run = run_server(_i, ARGUMENTS("-h")), same;
	char first[TEXT];

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	snprintf(first, sizeof first, "usage: %s [options]\n", model_program(_i, "echo"));
	ck_assert_msg(strncmp(run.out, first, strlen(first)) == 0, "%s", run.out);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		ck_assert_msg(strstr(run.out, options[i]) != NULL, "no %s in: %s",
			      options[i], run.out);
	same = run_server(_i, ARGUMENTS("-v", "--help"));
	ck_assert_str_eq(same.out, run.out);
}
END_TEST

START_TEST(version_goes_to_standard_output)
{
	struct run run = run_server(_i, ARGUMENTS("-V"));
	char pattern[TEXT];

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	snprintf(pattern, sizeof pattern, "^%s \\(sockways\\) [0-9.]+\n$",
		 model_program(_i, "echo"));
	expect_match(run.out, pattern);
}
END_TEST

static const struct {
	const char *options[4];
	const char *says;
} usage_errors[] = {
	{ { "-Z" }, "unknown option -Z" },
	{ { "--bogus" }, "unknown option --bogus" },
	{ { "-p" }, "-p, --port needs an argument (PORT)" },
	{ { "-p", "99999" },
	  "-p, --port: '99999' is not a port (0 to 65535, or a service name)" },
	{ { "-p", "0x50" },
	  "-p, --port: '0x50' is not a port (0 to 65535, or a service name)" },
	{ { "-p", "-1" },
	  "-p, --port: '-1' is not a port (0 to 65535, or a service name)" },
	{ { "-p", "80x" },
	  "-p, --port: '80x' is not a port (0 to 65535, or a service name)" },
	{ { "-p", "" }, "-p, --port: '' is not a port (0 to 65535, or a service name)" },
	{ { "-p", "no-such-service" },
	  "-p, --port: 'no-such-service' is not a port (0 to 65535, or a service name)" },
	{ { "-a", "" }, "-a, --address: '' is not a host, an address or a path" },
	{ { "-a", "[::1" }, "-a, --address: '[::1' is not a host, an address or a path" },
	{ { "-a", "127.0.0.1:80" },
	  "-a, --address: '127.0.0.1:80' has a port: give it with -p" },
	{ { "-a", "[::1]:80" }, "-a, --address: '[::1]:80' has a port: give it with -p" },
	{ { "--hand-over", "" }, "--hand-over: '' is not a path" },
	{ { "--hand-over", "@name" }, "--hand-over: '@name' is not a path" },
	{ { "-c", "0" }, "-c, --max-clients: '0' is not a number from 1 to 1000000" },
	{ { "-c", "1e3" }, "-c, --max-clients: '1e3' is not a number from 1 to 1000000" },
	{ { "-t", "x" },
	  "-t, --idle-timeout: 'x' is not a time of 0 to 31536000 seconds, such as 2 or "
	  "0.5" },
	{ { "-x", "-1" },
	  "-x, --exit-idle: '-1' is not a time of 0 to 31536000 seconds, such as 2 or "
	  "0.5" },
	{ { "-b", "65536" }, "-b, --backlog: '65536' is not a number from 0 to 32767" },
	{ { "--quiet=yes" }, "-q, --quiet takes no argument" },
	{ { "7007" }, "unexpected argument '7007'" },
	{ { "-q", "a\x1b[2J\nb" }, "unexpected argument 'a\\x1b[2J\\nb'" },
};

enum { USAGE_ERRORS = sizeof usage_errors / sizeof *usage_errors };

START_TEST(bad_usage_is_one_clear_line)
{
	for (int i = 0; i < USAGE_ERRORS; i++) {
		struct run run = run_server(_i, usage_errors[i].options);
		const char *program = model_program(_i, "echo");
		char line[TEXT];

		snprintf(line, sizeof line, "%s: %s; try '%s -h'\n", program,
			 usage_errors[i].says, program);
		ck_assert_str_eq(run.err, line);
		ck_assert_str_eq(run.out, "");
		run_expect_status(&run, 2);
	}
}
END_TEST

/* ---- what keeps it from starting ------------------------------------------------------- */

static void expect_start_fails(const struct run *run, int model, const char *says)
{
	char line[TEXT];

	snprintf(line, sizeof line, "%s: %s\n", model_program(model, "echo"), says);
	ck_assert_str_eq(run->err, line);
	ck_assert_str_eq(run->out, "");
	run_expect_status(run, 1);
}

START_TEST(a_port_in_use_is_one_clear_line)
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 1 };
	struct address address;
	char port[8], says[TEXT];
	struct run run;
	int fd = sock_listen(&place, NULL);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(address_local(fd, &address), 0);
	snprintf(port, sizeof port, "%u", address_port(&address));
	run = run_server(_i, ARGUMENTS("-p", port));
	snprintf(says, sizeof says, "cannot listen on 127.0.0.1:%s: %s", port,
		 strerror(EADDRINUSE));
	expect_start_fails(&run, _i, says);
	close(fd);
}
END_TEST

START_TEST(an_address_that_is_not_ours_is_one_clear_line)
{
	struct run run = run_server(_i, ARGUMENTS("-a", "192.0.2.1"));
	char says[TEXT];

	snprintf(says, sizeof says, "cannot listen on 192.0.2.1:7007: %s",
		 strerror(EADDRNOTAVAIL));
	expect_start_fails(&run, _i, says);
	if (!network_has_ipv6())
		return;
	run = run_server(_i, ARGUMENTS("-a", "[2001:db8::1]"));
	snprintf(says, sizeof says, "cannot listen on [2001:db8::1]:7007: %s",
		 strerror(EADDRNOTAVAIL));
	expect_start_fails(&run, _i, says);
}
END_TEST

static void become_nobody(void *context)
{
	(void)context;
	if (getuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(127);
}

static bool low_ports_are_privileged(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
	int first = 1024;

	if (file != NULL) {
		if (fscanf(file, "%d", &first) != 1)
			first = 1024;
		fclose(file);
	}
	return first > 7;
}

START_TEST(a_privileged_port_is_one_clear_line)
{
	struct run run;

	if (!low_ports_are_privileged()) {
		skipped("needs privileged ports");
		return;
	}
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(model_program(_i, "echo"), "-p", "7"),
		.prepare = become_nobody,
	});
	if (strstr(run.err, "cannot exec") != NULL) {
		skipped("needs programs that another user can run");
		return;
	}
	expect_start_fails(&run, _i, "cannot listen on 127.0.0.1:7: Permission denied");
}
END_TEST

/* ---- socket activation ----------------------------------------------------------------- */

static void announce_descriptor(void)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

static void give_datagram_socket(void *context)
{
	(void)context;
	dup2(socket(AF_INET, SOCK_DGRAM, 0), ACTIVATED_FD);
	announce_descriptor();
}

static void give_stream_socket(void *context)
{
	(void)context;
	dup2(socket(AF_INET, SOCK_STREAM, 0), ACTIVATED_FD);
	announce_descriptor();
}

static void give_file(void *context)
{
	(void)context;
	dup2(open("/dev/null", O_RDWR), ACTIVATED_FD);
	announce_descriptor();
}

static void give_nothing(void *context)
{
	(void)context;
	close(ACTIVATED_FD);
	announce_descriptor();
}

START_TEST(a_descriptor_that_is_no_listening_socket_is_one_clear_line)
{
	static const struct {
		void (*prepare)(void *);
		int error;
	} wrong[] = {
		{ give_datagram_socket, EPROTOTYPE },
		{ give_stream_socket, EINVAL },
		{ give_file, ENOTSOCK },
		{ give_nothing, EBADF },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct run run = run_program_with(&(struct run_setup){
			.argv = ARGUMENTS(model_program(_i, "echo")),
			.prepare = wrong[i].prepare,
		});
		char says[TEXT];

		snprintf(says, sizeof says,
			 "descriptor 3 (LISTEN_FDS) is not a listening tcp socket: %s",
			 strerror(wrong[i].error));
		expect_start_fails(&run, _i, says);
	}
}
END_TEST

static void announce_to_another(void *context)
{
	(void)context;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
}

START_TEST(a_descriptor_for_another_process_is_not_taken)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.opens_itself = true,
		.prepare = announce_to_another,
	});

	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
}
END_TEST

/* ---- echo ------------------------------------------------------------------------------ */

enum { BLOCK = 10 * MEGABYTE };

static char *block; /* of BLOCK bytes */

START_TEST(echoes_messages_of_any_size)
{
	static const size_t sizes[] = { 1,     2,     100,   1460,  4095,  4096, 4097,
					16383, 16384, 16385, 65535, 65536, 65537 };
	struct server server = start(_i, NULL);
	int fd = client_connect(&server);

	fill_pattern(block, BLOCK, 1);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		client_exchange(fd, block + i, sizes[i], block + i, sizes[i]);
	client_leave(fd);
	server_finish(&server);
}
END_TEST

/* GIVEN an echo server
   WHEN a client sends one byte of its message as urgent data
   THEN the whole message comes back, in its order. */
START_TEST(echoes_urgent_data_in_its_place)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.opens_itself = true,
	});
	int fd = client_connect(&server);

	client_say(fd, "ab");
	client_send_urgent(fd, "c", 1);
	client_say(fd, "d");
	client_hear(fd, "abcd");
	client_send_urgent(fd, "efg", 3);
	client_hear(fd, "efg");
	client_leave(fd);
	server_finish(&server);
}
END_TEST

START_TEST(echoes_ten_megabytes)
{
	struct server server = start(_i, NULL);
	int fd = client_connect(&server);

	fill_pattern(block, BLOCK, 2);
	client_exchange(fd, block, BLOCK, block, BLOCK);
	client_leave(fd);
	server_finish(&server);
}
END_TEST

START_TEST(echoes_nothing_to_who_sends_nothing)
{
	struct server server = start(_i, NULL);

	client_leave(client_connect(&server));
	server_finish(&server);
}
END_TEST

START_TEST(a_megabyte_that_is_still_to_be_echoed_comes_after_the_half_close)
{
	struct server server = start(_i, NULL);
	int fd = client_connect(&server);

	fill_pattern(block, MEGABYTE, 3);
	client_send(fd, block, MEGABYTE);
	client_half_close(fd);
	client_expect(fd, block, MEGABYTE);
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(clients_are_served_beside_each_other)
{
	enum { CLIENTS = 20 };
	struct server server = start(_i, NULL);
	int fds[CLIENTS];

	if (!model_serves_many(_i)) { /* one after the other, in the order they came */
		for (int i = 0; i < CLIENTS; i++) {
			fds[i] = client_connect(&server);
			client_send(fds[i], &i, sizeof i);
		}
		for (int i = 0; i < CLIENTS; i++) {
			client_expect(fds[i], &i, sizeof i);
			client_leave(fds[i]);
		}
		server_finish(&server);
		return;
	}
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect(&server);
	for (int i = CLIENTS - 1; i >= 0; i--)
		client_send(fds[i], &i, sizeof i);
	for (int i = 0; i < CLIENTS; i++)
		client_expect(fds[i], &i, sizeof i);
	for (int i = 0; i < CLIENTS; i++)
		client_leave(fds[i]);
	server_finish(&server);
}
END_TEST

/* ---- what it says ---------------------------------------------------------------------- */

START_TEST(tells_no_more_than_start_and_end_unless_asked)
{
	struct server server = start(_i, NULL);
	char pattern[TEXT];

	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	snprintf(pattern, sizeof pattern,
		 "^%s: listening on [^\n]*\n%s: served 1 clients, [^\n]*\n$", server.name,
		 server.name);
	expect_match(server_errors(&server), pattern);
}
END_TEST

START_TEST(quiet_says_nothing)
{
	struct server server = start(_i, ARGUMENTS("-q"));

	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	ck_assert_str_eq(server_errors(&server), "");
}
END_TEST

START_TEST(verbose_is_a_line_for_each_client_with_its_name)
{
	struct server server = start(_i, ARGUMENTS("-v"));
	struct address here;
	char text[ADDRESS_TEXT], pattern[TEXT];

	for (int i = 0; i < 2; i++) {
		int fd = client_connect_and_echo(&server);

		ck_assert_int_eq(address_local(fd, &here), 0);
		client_leave(fd);
		address_text(&here, text);
		snprintf(pattern, sizeof pattern,
			 "^%s\\[[0-9]+\\]: %s: 5 bytes in, 5 out, [0-9]+\\.[0-9]{3} s$",
			 server.name, text);
		expect_match(server_wait_line(&server, text, WAIT_MS), pattern);
	}
	server_finish(&server);
	/* sandbox, start and end; in inetd each client's process has a sandbox and an end */
	ck_assert_uint_eq(server_count_lines(&server, ""),
			  model_shares_a_server(_i) ? 5 : 7);
}
END_TEST

START_TEST(verbose_twice_is_a_line_for_each_event)
{
	struct server server = start(_i, ARGUMENTS("-v", "-v"));
	struct address here;
	char text[ADDRESS_TEXT], pattern[TEXT];
	int fd = client_connect_and_echo(&server);

	ck_assert_int_eq(address_local(fd, &here), 0);
	client_leave(fd);
	address_text(&here, text);
	server_wait_line(&server, "bytes in", WAIT_MS);
	snprintf(pattern, sizeof pattern,
		 "\n%s\\[[0-9]+\\]: %s: connected\n%s\\[[0-9]+\\]: %s: half-closed\n"
		 "%s\\[[0-9]+\\]: %s: 5 bytes in, 5 out, ",
		 server.name, text, server.name, text, server.name, text);
	expect_match(server_errors(&server), pattern);
	server_finish(&server);
}
END_TEST

START_TEST(verbose_twice_tells_why_a_client_was_lost)
{
	struct server server = start(_i, ARGUMENTS("-vv"));

	client_reset(client_connect_and_echo(&server));
	server_wait_line(&server, ": Connection reset by peer", WAIT_MS);
	server_finish(&server);
}
END_TEST

START_TEST(a_client_cannot_write_to_the_operators_terminal)
{
	static const char evil[] = "\x1b]0;owned\a\x1b[2J%s%n\n";
	struct server server = start(_i, ARGUMENTS("-vv"));
	int fd = client_connect(&server);

	client_exchange(fd, evil, sizeof evil, evil, sizeof evil);
	client_leave(fd);
	server_finish(&server);
	for (const char *at = server_errors(&server); *at != '\0'; at++)
		ck_assert_msg(*at == '\n' || (*at >= ' ' && *at <= '~'), "byte %d in: %s",
			      *at, server_errors(&server));
}
END_TEST

/* ---- statistics ------------------------------------------------------------------------ */

static void expect_statistics(const char *line, const struct server *server,
			      unsigned clients, unsigned bytes)
{
	char pattern[TEXT];

	snprintf(pattern, sizeof pattern,
		 "^%s: served %u clients, dropped 0; %u bytes in, %u out; "
		 "cpu [0-9]+\\.[0-9]{3} s user, [0-9]+\\.[0-9]{3} s system; "
		 "peak memory [1-9][0-9]* KiB; "
		 "context switches [0-9]+ voluntary, [0-9]+ involuntary"
		 "(; clients by worker( [0-9]+){2,})?$",
		 server->name, clients, bytes, bytes);
	expect_match(line, pattern);
}

START_TEST(usr1_prints_what_was_done_so_far)
{
	struct server server = start(_i, ARGUMENTS("-q"));

	client_leave(client_connect_and_echo(&server));
	client_leave(client_connect_and_echo(&server));
	server_signal(&server, SIGUSR1);
	expect_statistics(server_wait_line(&server, "served", WAIT_MS), &server, 2, 10);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, ""), 1);
}
END_TEST

/* GIVEN a server of three workers that are there before the clients
   WHEN ten clients were served
   THEN the last line says how many of them each worker had; a server without such workers has
   nothing to say. */
START_TEST(the_last_line_says_how_the_workers_shared_the_clients)
{
	enum { COUNT = 10 };
	bool shares = model_has_standing_workers(_i) || model_is(_i, "epoll");
	struct server server =
		model_start(_i, "echo", shares ? ARGUMENTS("-j", "3") : NULL);
	unsigned one, two, three;
	const char *found;

	for (int i = 0; i < COUNT; i++)
		client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	found = strstr(server_errors(&server), "; clients by worker ");
	ck_assert_int_eq(found != NULL, shares);
	if (!shares)
		return;
	ck_assert_int_eq(
		sscanf(found, "; clients by worker %u %u %u\n", &one, &two, &three), 3);
	ck_assert_uint_eq(one + two + three, COUNT);
}
END_TEST

/* Linux counts in ru_maxrss what a process had before execve(2). */
START_TEST(peak_memory_is_not_that_of_who_started_the_server)
{
	enum { MUCH = 128 * MEGABYTE };
	char *much = malloc(MUCH);
	struct server server;
	const char *line, *peak;

	ck_assert_ptr_nonnull(much);
	memset(much, 'm', MUCH);
	server = start(_i, ARGUMENTS("-q"));
	free(much);
	client_leave(client_connect_and_echo(&server));
	server_signal(&server, SIGUSR1);
	line = server_wait_line(&server, "served", WAIT_MS);
	peak = strstr(line, "peak memory ");
	ck_assert_ptr_nonnull(peak);
	ck_assert_int_lt(strtol(peak + strlen("peak memory "), NULL, 10), MUCH / 1024);
	server_finish(&server);
}
END_TEST

struct wanted_figures {
	const struct server *server;
	const char *text;
};

static bool figures_are_right(void *context)
{
	const struct wanted_figures *wanted = context;

	server_signal(wanted->server, SIGUSR1);
	return server_count_lines(wanted->server, wanted->text) > 0;
}

/* Asked more than once: the client may have its reply a moment before it is counted. */
START_TEST(usr1_is_answered_while_a_client_is_being_served)
{
	struct server server = start(_i, ARGUMENTS("-q"));
	struct wanted_figures wanted = {
		&server, "served 2 clients, dropped 0; 10 bytes in, 10 out;"
	};
	int fd;

	client_leave(client_connect_and_echo(&server));
	fd = client_connect_and_echo(&server);
	ck_assert_msg(eventually(figures_are_right, &wanted, WAIT_MS), "%s",
		      server_errors(&server));
	client_send(fd, "and on", 6); /* the client has noticed nothing */
	client_expect(fd, "and on", 6);
	client_leave(fd);
	server_finish(&server);
}
END_TEST

START_TEST(the_last_line_has_the_figures_of_the_whole_run)
{
	struct server server = start(_i, NULL);

	for (int i = 0; i < 4; i++)
		client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	expect_statistics(server_wait_line(&server, "served", WAIT_MS), &server, 4, 20);
	ck_assert_uint_eq(server_count_lines(&server, ""), 2);
}
END_TEST

/* ---- times ----------------------------------------------------------------------------- */

START_TEST(exits_when_nobody_has_come_for_so_long)
{
	int64_t begin = clock_milliseconds();
	struct server server = start(_i, ARGUMENTS("-x", "0.2"));
	struct server_end end = server_await(&server, WAIT_MS);

	ck_assert_int_ge(clock_milliseconds() - begin, 200);
	ck_assert(WIFEXITED(end.status));
	ck_assert_int_eq(WEXITSTATUS(end.status), 0);
	ck_assert_uint_eq(server_count_lines(&server, "served 0 clients"), 1);
}
END_TEST

/* They leave all at once: none of them may take another for the last. */
START_TEST(does_not_exit_while_a_client_is_there)
{
	enum { EXIT_IDLE = 300 * SLOW_MACHINE }; /* the first client comes sooner */
	struct server server = start(_i, ARGUMENTS("-x", slow_seconds(0.3)));
	int fds[16], clients = model_serves_many(_i) ? 16 : 1;
	struct server_end end;
	int64_t left;

	for (int i = 0; i < clients; i++)
		fds[i] = client_connect_and_echo(&server);
	ck_assert(!client_is_readable(fds[0], 3 * EXIT_IDLE));
	client_send(fds[0], "still there", 11);
	client_expect(fds[0], "still there", 11);
	left = clock_milliseconds();
	for (int i = 0; i < clients; i++)
		client_close(fds[i]);
	end = server_await(&server, WAIT_MS);
	ck_assert_int_ge(clock_milliseconds() - left, EXIT_IDLE);
	ck_assert(WIFEXITED(end.status));
	ck_assert_int_eq(WEXITSTATUS(end.status), 0);
}
END_TEST

/* One that does not read is as silent as one that does not send. */
START_TEST(a_client_that_does_not_read_is_ended_too)
{
	struct server server = start(_i, ARGUMENTS("-t", "0.2", "-vv"));
	int fd = client_connect(&server);

	ck_assert_int_eq(io_set_nonblocking(fd, true), 0);
	while (server_count_lines(&server, "timed out: the client does not read") == 0) {
		int64_t begin = clock_milliseconds();

		if (send(fd, block, BLOCK, 0) < 0) {
			ck_assert_msg(errno == EAGAIN || errno == ECONNRESET ||
					      errno == EPIPE,
				      "%s", strerror(errno));
			poll(NULL, 0, 5);
		}
		ck_assert_int_lt(clock_milliseconds() - begin, WAIT_MS);
	}
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* ---- the limit of clients -------------------------------------------------------------- */

START_TEST(beyond_the_limit_clients_wait_and_are_served_in_their_turn)
{
	struct server server = start(_i, ARGUMENTS("-c", "2"));
	int fds[5], most = model_serves_many(_i) ? 2 : 1;

	for (int i = 0; i < 5; i++) {
		fds[i] = client_connect(&server); /* the kernel takes them all */
		client_send(fds[i], "hello", 5);
	}
	for (int i = 0; i < most; i++)
		client_expect(fds[i], "hello", 5);
	for (int i = 0; i < 5; i++) {
		/* Who leaves makes room for exactly one. */
		for (int later = i + most; later < 5; later++)
			ck_assert(!client_is_readable(fds[later], i == 0 ? A_WHILE : 0));
		client_leave(fds[i]);
		if (i + most < 5)
			client_expect(fds[i + most], "hello", 5);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "full with 2 clients"),
			  model_serves_many(_i));
	ck_assert_uint_eq(server_count_lines(&server, "served 5 clients, dropped 0;"), 1);
}
END_TEST

/* ---- the stop -------------------------------------------------------------------------- */

START_TEST(a_request_to_stop_ends_it)
{
	static const int signals[] = { SIGTERM, SIGINT };

	for (int i = 0; i < 2; i++) {
		struct server server = start(_i, NULL);
		struct server_end end;

		server_wait_line(&server, "listening on", WAIT_MS);
		server_signal(&server, signals[i]);
		end = server_await(&server, QUICKLY);
		ck_assert(WIFEXITED(end.status));
		ck_assert_int_eq(WEXITSTATUS(end.status), 0);
		ck_assert_uint_eq(end.orphans, 0);
	}
}
END_TEST

static void ignore_interrupts(void *context)
{
	(void)context;
	signal(SIGINT, SIG_IGN);
}

/* GIVEN a server that has its port for itself, and has ended
   WHEN another one wants the port at once
   THEN it is free. */
START_TEST(the_port_is_free_as_soon_as_it_has_ended)
{
	enum { ROUNDS = 5 };

	/* elsewhere a client of another suite may get just this port for its own end */
	(void)network_enter_own();
	for (int i = 0; i < ROUNDS; i++) {
		struct server server = server_start_with(&(struct server_setup){
			.program = model_program(_i, "echo"),
			.opens_itself = true,
		});
		struct sockaddr_in place = { .sin_family = AF_INET };
		const int on = 1;
		int other;

		client_leave(client_connect_and_echo(&server));
		place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		place.sin_port = htons((in_port_t)server.port);
		server_finish(&server);
		other = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		ck_assert_int_eq(bind(other, (struct sockaddr *)&place, sizeof place), 0);
		ck_assert_int_eq(listen(other, 1), 0);
		close(other);
	}
}
END_TEST

START_TEST(an_interrupt_that_was_ignored_from_the_start_stays_so)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.prepare = ignore_interrupts,
	});
	int fd = client_connect_and_echo(&server);

	server_signal(&server, SIGINT);
	server_signal(&server, SIGINT);
	ck_assert(!client_is_readable(fd, A_WHILE));
	client_send(fd, "x", 1);
	client_expect(fd, "x", 1);
	client_leave(fd);
	server_finish(&server);
}
END_TEST

/* It ends because its clients have left, not because the time that it gives them is over. */
static void expect_stop_without_cut(struct server *server)
{
	ck_assert_int_eq(server_await(server, WAIT_MS).status, 0);
	ck_assert_uint_eq(server_count_lines(server, "cut off"), 0);
}

START_TEST(the_stop_reaches_idle_clients_quickly_and_in_order)
{
	struct server server = start(_i, ARGUMENTS("-vv"));
	int fds[5], clients = model_serves_many(_i) ? 5 : 1;

	for (int i = 0; i < clients; i++)
		fds[i] = client_connect_and_echo(&server);
	server_signal(&server, SIGTERM);
	for (int i = 0; i < clients; i++)
		client_expect_end(fds[i]);
	for (int i = 0; i < clients; i++)
		client_close(fds[i]);
	expect_stop_without_cut(&server);
}
END_TEST

/* The kernel's buffers hold all that this client asks for. So when the signal comes the
 * server has to answer what it has not read yet, however slow the client is. */
START_TEST(a_busy_client_gets_all_that_it_asks_for)
{
	enum { ALL = 2 * MEGABYTE };
	struct server server = start(_i, ARGUMENTS("-vv"));
	int fd = client_connect_and_echo(&server);

	fill_pattern(block, ALL, 4);
	client_send(fd, block, ALL);
	server_signal(&server, SIGTERM);
	client_expect(fd, block, ALL);
	client_half_close(fd);
	client_expect_end(fd);
	client_close(fd);
	expect_stop_without_cut(&server);
}
END_TEST

/* Sends a piece every few milliseconds to a server that is told to stop. @return whether all
 * were answered; @p longest is the longest that one piece took, with the wait behind it */
static bool talk_in_pieces(const struct server *server, int fd, int64_t *longest)
{
	int64_t before = clock_milliseconds();
	bool answered = true;
	char reply[5];

	*longest = 0;
	server_signal(server, SIGTERM);
	for (int i = 0; i < 20 && answered; i++) {
		int64_t now;

		answered = send(fd, "piece", 5, 0) == 5 &&
			   recv(fd, reply, sizeof reply, MSG_WAITALL) == 5 &&
			   !client_is_readable(fd, 10);
		now = clock_milliseconds();
		if (now - before > *longest)
			*longest = now - before;
		before = now;
	}
	return answered;
}

/* A request may be under way in pieces, with a network's time between them. The server takes
 * 100 ms of silence for the end of the request. A try in which the machine kept this client
 * from sending for that long shows nothing, and is made again. */
START_TEST(a_request_that_arrives_in_pieces_is_heard_to_its_end)
{
	enum { TRIES = 20, SILENCE = 100 };

	for (int i = 0; i < TRIES; i++) {
		struct server server = start(_i, NULL);
		int fd = client_connect_and_echo(&server);
		int64_t longest;
		bool heard = talk_in_pieces(&server, fd, &longest);

		if (heard)
			client_expect_end(fd);
		client_close(fd);
		ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
		if (heard)
			return;
		ck_assert_msg(longest >= SILENCE / 2,
			      "cut off, though no piece took longer than %jd ms",
			      (intmax_t)longest);
	}
	skipped("needs a machine that is less busy");
}
END_TEST

START_TEST(a_stopping_server_accepts_nobody)
{
	struct server server = start(_i, ARGUMENTS("-vv"));
	int fd;

	if (!model_serves_many(_i)) /* its listener is closed when its client has left */
		return;
	fd = client_connect(&server);
	client_exchange(fd, block, 2 * MEGABYTE, block, MEGABYTE);
	server_signal(&server, SIGTERM);
	ck_assert_msg(eventually(server_refuses, &server, WAIT_MS), "it still listens");
	client_expect(fd, block, MEGABYTE);
	client_expect_end(fd);
	client_close(fd);
	expect_stop_without_cut(&server);
}
END_TEST

static bool has_pending_stop(long pid)
{
	char path[64], line[256];
	unsigned long long pending = 0, one;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/status", pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "ShdPnd: %llx", &one) == 1)
			pending |= one;
	if (file != NULL)
		fclose(file);
	return (pending & (1ull << (SIGTERM - 1))) != 0;
}

/* Once it does not listen any more it has passed the signal on to its children, if it has some:
 * a second one that comes before the first is taken would be the same. */
static bool signal_is_taken(void *context)
{
	struct server *server = context;
	bool taken = server_refuses(server) && !has_pending_stop((long)server->pid);
	pid_t children[PROCESS_CHILDREN];
	int count = process_children(server->pid, children, PROCESS_CHILDREN);

	for (int i = 0; i < count; i++)
		taken = taken && !has_pending_stop((long)children[i]);
	return taken;
}

START_TEST(a_second_request_ends_it_at_once)
{
	static const int second[] = { SIGTERM, SIGINT };

	if (!process_facts_available()) {
		skipped("needs /proc");
		return;
	}
	for (int i = 0; i < 2; i++) {
		struct server server = start(_i, NULL);
		int fd = client_connect(&server);
		struct server_end end;

		server_wait_line(&server, "listening on", WAIT_MS);
		client_send_until_full(fd);
		server_signal(&server, SIGTERM);
		ck_assert(eventually(signal_is_taken, &server, WAIT_MS));
		server_signal(&server, second[i]);
		end = server_await(&server, QUICKLY);
		ck_assert(WIFEXITED(end.status));
		ck_assert_int_eq(WEXITSTATUS(end.status), 0);
		ck_assert_uint_eq(end.orphans, 0);
		client_close(fd);
	}
}
END_TEST

/* What takes its time is tested in all models at once. */
enum { MOST_MODELS = 32 };

static void stop_all(struct server servers[], int64_t timeout_ms)
{
	for (int i = 0; i < models_count(); i++)
		server_signal(&servers[i], SIGTERM);
	for (int i = 0; i < models_count(); i++) {
		struct server_end end = server_await(&servers[i], timeout_ms);

		ck_assert_msg(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0 &&
				      end.orphans == 0,
			      "%s: status %x, %u orphans", servers[i].name, end.status,
			      end.orphans);
	}
}

START_TEST(a_silent_client_is_ended_and_an_active_one_is_not)
{
	struct server servers[MOST_MODELS];
	int fds[MOST_MODELS];
	int64_t begin = clock_milliseconds();

	for (int i = 0; i < models_count(); i++) {
		servers[i] = start(i, ARGUMENTS("-t", slow_seconds(1)));
		fds[i] = client_connect_and_echo(&servers[i]);
	}
	for (int i = 0; i < models_count(); i++) {
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
	ck_assert_int_ge(clock_milliseconds() - begin, 1000 * SLOW_MACHINE);
	for (int i = 0; i < models_count(); i++)
		fds[i] = client_connect(&servers[i]);
	begin = clock_milliseconds();
	while (clock_milliseconds() - begin < 1500 * SLOW_MACHINE) {
		for (int i = 0; i < models_count(); i++) {
			client_send(fds[i], "tick", 4);
			client_expect(fds[i], "tick", 4);
		}
		ck_assert(!client_is_readable(fds[0], 30));
	}
	for (int i = 0; i < models_count(); i++)
		client_leave(fds[i]);
	stop_all(servers, QUICKLY);
}
END_TEST

START_TEST(an_idle_client_that_does_not_hang_up_is_left_behind)
{
	struct server servers[MOST_MODELS];
	int fds[MOST_MODELS];

	for (int i = 0; i < models_count(); i++) {
		servers[i] = start(i, NULL);
		fds[i] = client_connect_and_echo(&servers[i]);
	}
	stop_all(servers, QUICKLY);
	for (int i = 0; i < models_count(); i++) {
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
}
END_TEST

START_TEST(a_client_that_does_not_read_holds_up_the_stop_for_five_seconds_at_most)
{
	struct server servers[MOST_MODELS];
	int fds[MOST_MODELS];
	int64_t begin;

	for (int i = 0; i < models_count(); i++) {
		servers[i] = start(i, NULL);
		server_wait_line(&servers[i], "listening on", WAIT_MS);
		fds[i] = client_connect(&servers[i]);
		client_send_until_full(fds[i]);
	}
	begin = clock_milliseconds();
	stop_all(servers, GRACE + QUICKLY);
	ck_assert_int_ge(clock_milliseconds() - begin, GRACE - 1000);
	for (int i = 0; i < models_count(); i++)
		client_close(fds[i]);
}
END_TEST

START_TEST(statistics_are_printed_while_a_client_does_not_read)
{
	struct server server = start(_i, ARGUMENTS("-q"));
	int fd = client_connect(&server);

	client_send_until_full(fd);
	server_signal(&server, SIGUSR1);
	server_wait_line(&server, "served 1 clients", WAIT_MS);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* In every model. */
static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, models_count());
}

Suite *suite_servers(void)
{
	Suite *suite = suite_create("servers");
	TCase *tcase = add_case(suite, "starting");

	block = much_memory(BLOCK);
	add_sharing_test(tcase, says_where_it_listens_when_it_can_be_reached);
	add_sharing_test(tcase, opens_its_own_socket_on_a_free_port);
	add_sharing_test(tcase, listens_on_ipv6);
	add(tcase, a_wildcard_address_of_ipv6_takes_ipv4_too);
	tcase = add_case(suite, "help and usage");
	add_sharing_test(tcase, help_goes_to_standard_output_and_lists_every_option);
	add(tcase, version_goes_to_standard_output);
	add_sharing_test(tcase, bad_usage_is_one_clear_line);
	tcase = add_case(suite, "what keeps it from starting");
	add_sharing_test(tcase, a_port_in_use_is_one_clear_line);
	add_sharing_test(tcase, an_address_that_is_not_ours_is_one_clear_line);
	add_sharing_test(tcase, a_privileged_port_is_one_clear_line);
	tcase = add_case(suite, "socket activation");
	add_sharing_test(tcase,
			 a_descriptor_that_is_no_listening_socket_is_one_clear_line);
	add(tcase, a_descriptor_for_another_process_is_not_taken);
	tcase = add_case(suite, "echo");
	add(tcase, echoes_messages_of_any_size);
	add(tcase, echoes_urgent_data_in_its_place);
	add(tcase, echoes_ten_megabytes);
	add(tcase, echoes_nothing_to_who_sends_nothing);
	add(tcase, a_megabyte_that_is_still_to_be_echoed_comes_after_the_half_close);
	add(tcase, clients_are_served_beside_each_other);
	tcase = add_case(suite, "what it says");
	add_sharing_test(tcase, tells_no_more_than_start_and_end_unless_asked);
	add_sharing_test(tcase, quiet_says_nothing);
	add(tcase, verbose_is_a_line_for_each_client_with_its_name);
	add(tcase, verbose_twice_is_a_line_for_each_event);
	add(tcase, verbose_twice_tells_why_a_client_was_lost);
	add(tcase, a_client_cannot_write_to_the_operators_terminal);
	tcase = add_case(suite, "statistics");
	add_sharing_test(tcase, usr1_prints_what_was_done_so_far);
	add_sharing_test(tcase, peak_memory_is_not_that_of_who_started_the_server);
	add_sharing_test(tcase, usr1_is_answered_while_a_client_is_being_served);
	add(tcase, statistics_are_printed_while_a_client_does_not_read);
	add_sharing_test(tcase, the_last_line_has_the_figures_of_the_whole_run);
	add_sharing_test(tcase, the_last_line_says_how_the_workers_shared_the_clients);
	tcase = add_case(suite, "times");
	add_sharing_test(tcase, exits_when_nobody_has_come_for_so_long);
	add_sharing_test(tcase, does_not_exit_while_a_client_is_there);
	tcase_add_test(tcase, a_silent_client_is_ended_and_an_active_one_is_not);
	add(tcase, a_client_that_does_not_read_is_ended_too);
	tcase = add_case(suite, "the limit of clients");
	add_sharing_test(tcase,
			 beyond_the_limit_clients_wait_and_are_served_in_their_turn);
	tcase = add_case(suite, "the stop");
	add(tcase, a_request_to_stop_ends_it);
	add_sharing_test(tcase, the_port_is_free_as_soon_as_it_has_ended);
	add(tcase, an_interrupt_that_was_ignored_from_the_start_stays_so);
	add(tcase, the_stop_reaches_idle_clients_quickly_and_in_order);
	tcase_add_test(tcase, an_idle_client_that_does_not_hang_up_is_left_behind);
	add(tcase, a_busy_client_gets_all_that_it_asks_for);
	add(tcase, a_request_that_arrives_in_pieces_is_heard_to_its_end);
	add(tcase, a_stopping_server_accepts_nobody);
	add(tcase, a_second_request_ends_it_at_once);
	tcase_add_test(
		tcase,
		a_client_that_does_not_read_holds_up_the_stop_for_five_seconds_at_most);
	return suite;
}
