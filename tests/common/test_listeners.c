/*
 * Several listening sockets: all addresses of a name, and all sockets that a server is
 * started with. How they are opened, and that every model serves them all.
 *
 * What a name leads to is said by a hosts file of the test, in namespaces of its own.
 */
#define _DEFAULT_SOURCE /* uh_sport */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "common/listeners.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/network.h"
#include "tests/fixture/private_system.h"
#include "tests/suites.h"

enum { TEXT = 512, FIRST_ACTIVATED = 3, OUT_OF_THE_WAY = 64 };

static int listener_at(const char *host, const char *port, int type)
{
	struct sock_place place = { host, port, type, 16 };
	struct failure failure = { "" };
	int fd = sock_listen(&place, &failure);

	ck_assert_msg(fd >= 0, "%s", failure.text);
	return fd;
}

static unsigned port_of(int fd)
{
	struct address address;

	ck_assert_int_eq(address_local(fd, &address), 0);
	return address_port(&address);
}

/* A name with an address of each family, one of them named twice, and one with more than a
 * server listens on. */
static bool enter_system_of_names(void)
{
	static const char hosts[] = "127.0.0.1 localhost both.test\n"
				    "::1 localhost both.test\n"
				    "127.0.0.1 both.test\n"
				    "127.0.0.2 four.test\n"
				    "127.0.0.3 four.test\n"
				    "127.0.1.1 many.test\n127.0.1.2 many.test\n"
				    "127.0.1.3 many.test\n127.0.1.4 many.test\n"
				    "127.0.1.5 many.test\n127.0.1.6 many.test\n"
				    "127.0.1.7 many.test\n127.0.1.8 many.test\n"
				    "127.0.1.9 many.test\n127.0.1.10 many.test\n"
				    "127.0.1.11 many.test\n127.0.1.12 many.test\n"
				    "127.0.1.13 many.test\n127.0.1.14 many.test\n"
				    "127.0.1.15 many.test\n127.0.1.16 many.test\n"
				    "127.0.1.17 many.test\n";
	static const struct name_record nothing[] = { { 0 } };
	static const struct private_system system = {
		.host_name = "here.test",
		.hosts = hosts,
		.records = nothing,
	};

	return private_system_enter(&system);
}

/* ---- opening them ---------------------------------------------------------------------- */

/* Which addresses they have, ports left out, in the order of the sockets. */
static const char *addresses_of(const struct listeners *listeners, char out[TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < listeners->count; i++) {
		struct address address;
		char text[ADDRESS_TEXT];

		ck_assert_int_eq(address_local(listeners->fds[i], &address), 0);
		used += (size_t)snprintf(out + used, TEXT - used, "%s%s",
					 i > 0 ? " " : "",
					 address_host_text(&address, text));
	}
	return out;
}

static bool open_at(const char *host, const char *port, struct listeners *listeners,
		    struct failure *left_out, struct failure *failure)
{
	struct sock_place place = { host, port, SOCK_STREAM, 16 };

	return listeners_open(&place, listeners, left_out, failure) == 0;
}

START_TEST(each_address_of_a_name_has_a_socket_on_the_same_free_port)
{
	struct failure left_out, failure = { "" };
	struct listeners listeners;
	char text[TEXT];

	if (!enter_system_of_names() || !network_has_ipv6())
		return;
	ck_assert_msg(open_at("both.test", "0", &listeners, &left_out, &failure), "%s",
		      failure.text);
	ck_assert_str_eq(left_out.text, "");
	ck_assert_uint_eq(listeners.count, 2); /* the one that is named twice, once */
	addresses_of(&listeners, text);
	ck_assert(strcmp(text, "::1 127.0.0.1") == 0 ||
		  strcmp(text, "127.0.0.1 ::1") == 0);
	ck_assert_uint_eq(port_of(listeners.fds[0]), port_of(listeners.fds[1]));
	ck_assert_int_eq(fcntl(listeners.fds[1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	listeners_close(&listeners);
	ck_assert_uint_eq(listeners.count, 0);
}
END_TEST

/* A third of all ports is taken on the second address: the first choice is often wrong. */
START_TEST(a_free_port_is_free_on_all_addresses)
{
	struct failure left_out, failure = { "" };
	struct listeners listeners;

	if (!enter_system_of_names())
		return;
	if (!network_set("/proc/sys/net/ipv4/ip_local_port_range", "20000 20019")) {
		skipped("a range of ports of our own");
		return;
	}
	for (int port = 20001; port < 20020; port += 3) {
		char digits[16];

		snprintf(digits, sizeof digits, "%d", port);
		listener_at("127.0.0.3", digits, SOCK_STREAM);
	}
	ck_assert_msg(open_at("four.test", "0", &listeners, &left_out, &failure), "%s",
		      failure.text);
	ck_assert_uint_eq(listeners.count, 2);
	ck_assert_uint_eq(port_of(listeners.fds[0]), port_of(listeners.fds[1]));
	ck_assert_uint_ne(port_of(listeners.fds[0]) % 3, 20001 % 3);
	listeners_close(&listeners);
}
END_TEST

START_TEST(a_port_in_use_on_one_address_is_refused)
{
	struct failure left_out, failure = { "" };
	struct listeners listeners;
	char digits[16], expected[TEXT];
	int taken, again;

	if (!enter_system_of_names())
		return;
	taken = listener_at("127.0.0.3", "0", SOCK_STREAM);
	snprintf(digits, sizeof digits, "%u", port_of(taken));
	snprintf(expected, sizeof expected, "cannot listen on 127.0.0.3:%s: %s", digits,
		 strerror(EADDRINUSE));
	ck_assert(!open_at("four.test", digits, &listeners, &left_out, &failure));
	ck_assert_str_eq(failure.text, expected);
	ck_assert_uint_eq(listeners.count, 0);
	again = listener_at("127.0.0.2", digits,
			    SOCK_STREAM); /* no socket is left there */
	close(again);
	close(taken);
}
END_TEST

START_TEST(an_address_that_this_host_does_not_have_is_left_out_and_named)
{
	struct failure left_out, failure = { "" };
	struct listeners listeners;
	char text[TEXT], expected[TEXT];

	if (!enter_system_of_names())
		return;
	if (!network_set("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1")) {
		skipped("a network without IPv6");
		return;
	}
	ck_assert_msg(open_at("both.test", "7007", &listeners, &left_out, &failure), "%s",
		      failure.text);
	ck_assert_str_eq(addresses_of(&listeners, text), "127.0.0.1");
	snprintf(expected, sizeof expected, "cannot listen on [::1]:7007: %s",
		 strerror(EADDRNOTAVAIL));
	ck_assert_str_eq(left_out.text, expected);
	listeners_close(&listeners);
	ck_assert(!open_at("::1", "7007", &listeners, &left_out, &failure));
	ck_assert_str_eq(failure.text, expected);
}
END_TEST

START_TEST(a_name_with_too_many_addresses_is_refused)
{
	struct failure left_out, failure = { "" };
	struct listeners listeners;

	if (!enter_system_of_names())
		return;
	ck_assert(!open_at("many.test", "0", &listeners, &left_out, &failure));
	ck_assert_str_eq(failure.text,
			 "cannot listen on many.test: it has more than 16 addresses");
	ck_assert_uint_eq(listeners.count, 0);
}
END_TEST

/* ---- taking those that were passed ----------------------------------------------------- */

/* How a program is started, and what it then finds. */
struct start {
	const char *pid;   /* LISTEN_PID; NULL is its own */
	const char *count; /* LISTEN_FDS; NULL for none */
	int fds[3];        /* what are to be descriptors 3, 4 and 5; 0 or less: closed */
	int type;          /* what the program serves */
};

struct found {
	int result, error;
	struct listeners listeners;
	bool close_on_exec; /* of all of them */
	bool variables;
	struct failure failure;
};

/* What the test has at the places of others is not the child's to lose. */
static void place(const int fds[3])
{
	int copies[3];

	for (int i = 0; i < 3; i++)
		copies[i] = fds[i] > 0 ? fcntl(fds[i], F_DUPFD, OUT_OF_THE_WAY) : -1;
	for (int i = 0; i < 3; i++) {
		close(FIRST_ACTIVATED + i);
		if (copies[i] >= 0)
			dup2(copies[i], FIRST_ACTIVATED + i);
	}
}

static void be_started(const struct start *start, struct found *found)
{
	char own[32];

	snprintf(own, sizeof own, "%ld", (long)getpid());
	setenv("LISTEN_PID", start->pid ? start->pid : own, 1);
	setenv("LISTEN_FDNAMES", "echo", 1);
	if (start->count != NULL)
		setenv("LISTEN_FDS", start->count, 1);
	else
		unsetenv("LISTEN_FDS");
	place(start->fds);
	found->result =
		listeners_activated(start->type, &found->listeners, &found->failure);
	found->error = errno;
	found->variables =
		getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES");
	found->close_on_exec = true;
	for (unsigned i = 0; i < found->listeners.count; i++)
		if (fcntl(found->listeners.fds[i], F_GETFD) != FD_CLOEXEC)
			found->close_on_exec = false;
}

static struct found start_program(struct start start)
{
	struct found found = { .failure = { "" } };
	int fds[2], out, status;
	ssize_t n;
	pid_t child;

	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		out = fcntl(fds[1], F_DUPFD, OUT_OF_THE_WAY);
		be_started(&start, &found);
		io_write(out, &found, sizeof found);
		_exit(0);
	}
	close(fds[1]);
	n = io_read_all(fds[0], &found, sizeof found);
	close(fds[0]);
	ck_assert_int_eq(n, sizeof found);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	return found;
}

START_TEST(all_sockets_that_were_passed_are_taken)
{
	int stream = listener_at("127.0.0.1", "0", SOCK_STREAM);
	int second = listener_at("127.0.0.1", "0", SOCK_STREAM);
	int datagram = listener_at("127.0.0.1", "0", SOCK_DGRAM);
	const struct {
		struct start start;
		unsigned count;
	} cases[] = {
		{ { NULL, "1", { stream }, SOCK_STREAM }, 1 },
		{ { NULL, "1", { stream, second }, SOCK_STREAM }, 1 },
		{ { NULL, "2", { stream, second }, SOCK_STREAM }, 2 },
		{ { NULL, "3", { stream, second, stream }, SOCK_STREAM }, 3 },
		{ { NULL, "1", { datagram }, SOCK_DGRAM }, 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct found found = start_program(cases[i].start);

		ck_assert_msg(found.result == 0, "start %zu: %s", i, found.failure.text);
		ck_assert_uint_eq(found.listeners.count, cases[i].count);
		for (unsigned j = 0; j < cases[i].count; j++)
			ck_assert_int_eq(found.listeners.fds[j],
					 FIRST_ACTIVATED + (int)j);
		ck_assert(found.close_on_exec);
		ck_assert(!found.variables);
	}
	close(stream);
	close(second);
	close(datagram);
}
END_TEST

START_TEST(a_socket_passed_to_somebody_else_is_not_taken)
{
	int fd = listener_at("127.0.0.1", "0", SOCK_STREAM);
	const struct start starts[] = {
		{ "1", "1", { fd }, SOCK_STREAM },
		{ "", "1", { fd }, SOCK_STREAM },
		{ "-1", "1", { fd }, SOCK_STREAM },
		{ "me", "1", { fd }, SOCK_STREAM },
		{ "4294967297", "1", { fd }, SOCK_STREAM },
		{ NULL, NULL, { fd }, SOCK_STREAM },
		{ NULL, "0", { fd }, SOCK_STREAM },
		{ NULL, "", { fd }, SOCK_STREAM },
		{ NULL, "-1", { fd }, SOCK_STREAM },
		{ NULL, "1x", { fd }, SOCK_STREAM },
		{ NULL, "all", { -1 }, SOCK_STREAM },
	};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		struct found found = start_program(starts[i]);

		ck_assert_msg(found.result == 0 && found.listeners.count == 0,
			      "start %zu: it was taken", i);
		ck_assert_str_eq(found.failure.text, "");
		ck_assert_msg(!found.variables, "start %zu: a child could take it", i);
	}
	close(fd);
}
END_TEST

START_TEST(what_is_passed_must_be_sockets_that_can_be_served)
{
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM);
	int datagram = listener_at("127.0.0.1", "0", SOCK_DGRAM);
	int bound = socket(AF_INET, SOCK_STREAM, 0), null = open("/dev/null", O_RDWR);
	const struct {
		struct start start;
		int error;
		const char *text; /* %s: the text of the error */
	} cases[] = {
		{ { NULL, "1", { null }, SOCK_STREAM },
		  ENOTSOCK,
		  "descriptor 3 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "1", { -1 }, SOCK_STREAM },
		  EBADF,
		  "descriptor 3 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "1", { bound }, SOCK_STREAM },
		  EINVAL,
		  "descriptor 3 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "1", { datagram }, SOCK_STREAM },
		  EPROTOTYPE,
		  "descriptor 3 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "1", { listener }, SOCK_DGRAM },
		  EPROTOTYPE,
		  "descriptor 3 (LISTEN_FDS) is not a listening udp socket: %s" },
		{ { NULL, "2", { listener, datagram }, SOCK_STREAM },
		  EPROTOTYPE,
		  "descriptor 4 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "3", { listener, listener, null }, SOCK_STREAM },
		  ENOTSOCK,
		  "descriptor 5 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "2", { listener, -1 }, SOCK_STREAM },
		  EBADF,
		  "descriptor 4 (LISTEN_FDS) is not a listening tcp socket: %s" },
		{ { NULL, "17", { listener }, SOCK_STREAM },
		  EMFILE,
		  "too many sockets (LISTEN_FDS=17): at most 16 can be served" },
		{ { NULL, "99999999999", { listener }, SOCK_STREAM },
		  EMFILE,
		  "too many sockets (LISTEN_FDS=99999999999): at most 16 can be served" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct found found = start_program(cases[i].start);
		struct failure expected;

		failure_set(&expected, cases[i].text, strerror(cases[i].error));
		ck_assert_int_eq(found.result, -1);
		ck_assert_str_eq(found.failure.text, expected.text);
		ck_assert_int_eq(found.error, cases[i].error);
		ck_assert_uint_eq(found.listeners.count, 0);
		ck_assert(!found.variables);
	}
	close(listener);
	close(datagram);
	close(bound);
	close(null);
}
END_TEST

/* ---- serving them ---------------------------------------------------------------------- */

static void expect_echo(int fd, const char *text)
{
	client_say(fd, text);
	client_hear(fd, text);
}

static struct server start_at_both(int model, int type)
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, "echo"),
		.options = type == SOCK_DGRAM ? ARGUMENTS("-u") : NULL,
		.host = "both.test",
		.type = type,
		.opens_itself = true,
	});
}

static void expect_line_of(const struct server *server, const char *host,
			   const char *type)
{
	char line[TEXT];

	snprintf(line, sizeof line, "%s: listening on %s:%u (%s)", server->name, host,
		 server->port, type);
	ck_assert_str_eq(server_wait_line(server, line, WAIT_MS), line);
}

START_TEST(a_server_is_reached_at_every_address_of_its_name)
{
	struct server server;

	if (!enter_system_of_names() || !network_has_ipv6())
		return;
	server = start_at_both(_i, SOCK_STREAM);
	expect_line_of(&server, "127.0.0.1", "tcp");
	expect_line_of(&server, "[::1]", "tcp");
	for (int i = 0; i < 4; i++) {
		int fd = client_connect_to(i % 2 == 0 ? "127.0.0.1" : "::1", server.port);

		expect_echo(fd, "hello\n");
		client_close(fd);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "served 4 clients"), 1);
}
END_TEST

START_TEST(datagrams_are_answered_at_every_address_of_the_name)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	struct server server;

	if (!enter_system_of_names() || !network_has_ipv6())
		return;
	server = start_at_both(_i, SOCK_DGRAM);
	expect_line_of(&server, "127.0.0.1", "udp");
	expect_line_of(&server, "[::1]", "udp");
	for (int i = 0; i < 2; i++) {
		int fd = client_connect_by(SOCK_DGRAM, hosts[i], server.port);

		for (int j = 0; j < 2; j++)
			expect_echo(fd, "hello");
		client_close(fd);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "served 2 clients"), 1);
}
END_TEST

static bool is_refused(void *context)
{
	struct sock_target target = *(struct sock_target *)context;
	int fd = sock_connect(&target, NULL, NULL);

	if (fd < 0)
		return true;
	close(fd);
	/* While clients come without a pause, a server that forks slowly takes no signal. */
	poll(NULL, 0, 150);
	return false;
}

/* While the last client may still finish, new ones are refused at both. */
START_TEST(a_server_that_stops_listens_at_none_of_its_addresses)
{
	char port[PORT_TEXT];
	struct sock_target targets[] = {
		{ "127.0.0.1", port, AF_UNSPEC, SOCK_STREAM, WAIT_MS },
		{ "::1", port, AF_UNSPEC, SOCK_STREAM, WAIT_MS },
	};
	struct server server;
	int fd;

	if (!enter_system_of_names() || !network_has_ipv6())
		return;
	server = start_at_both(_i, SOCK_STREAM);
	snprintf(port, sizeof port, "%u", server.port);
	fd = client_connect_to("::1", server.port);
	expect_echo(fd, "hello\n");
	server_signal(&server, SIGTERM);
	for (size_t i = 0; i < 2; i++)
		ck_assert(eventually(is_refused, &targets[i], WAIT_MS));
	client_close(fd);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
}
END_TEST

START_TEST(a_server_serves_the_addresses_that_there_are_and_says_so)
{
	struct server server;
	char says[TEXT];
	int fd;

	if (!enter_system_of_names())
		return;
	if (!network_set("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1")) {
		skipped("a network without IPv6");
		return;
	}
	server = start_at_both(_i, SOCK_STREAM);
	expect_line_of(&server, "127.0.0.1", "tcp");
	snprintf(
		says, sizeof says,
		"cannot listen on \\[::1\\]:[0-9]+: %s; its other addresses are served\n",
		strerror(EADDRNOTAVAIL));
	expect_match(server_errors(&server), says);
	fd = client_connect_to("127.0.0.1", server.port);
	expect_echo(fd, "hello\n");
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* Beside the one of the harness, whose descriptor is 3. */
static void give_second(void *context)
{
	int copy = fcntl(*(int *)context, F_DUPFD, OUT_OF_THE_WAY);

	dup2(copy, FIRST_ACTIVATED + 1);
	close(copy);
	setenv("LISTEN_FDS", "2", 1);
}

static struct server start_with_second(int model, const char *service, int *second)
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, service),
		.prepare = give_second,
		.context = second,
	});
}

START_TEST(clients_of_all_passed_sockets_are_served)
{
	int second = listener_at("127.0.0.1", "0", SOCK_STREAM);
	unsigned port = port_of(second);
	int early = client_connect_to("127.0.0.1", port);
	struct server server = start_with_second(_i, "echo", &second);
	int fd;

	close(second);
	expect_echo(early, "early\n");
	client_close(early);
	for (int i = 0; i < 2; i++) {
		fd = client_connect(&server);
		expect_echo(fd, "first\n");
		client_close(fd);
		fd = client_connect_to("127.0.0.1", port);
		expect_echo(fd, "second\n");
		client_close(fd);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "listening on"), 2);
}
END_TEST

static struct sockaddr_in at_port(unsigned port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* GIVEN a client that writes from one socket to two of the server's, THEN each reply comes from
 * the one to which it has written. */
START_TEST(each_reply_leaves_by_the_socket_that_the_client_wrote_to)
{
	int second = listener_at("127.0.0.1", "0", SOCK_DGRAM);
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = ARGUMENTS("-u"),
		.type = SOCK_DGRAM,
		.prepare = give_second,
		.context = &second,
	});
	unsigned ports[] = { server.port, port_of(second) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	close(second);
	for (int i = 0; i < 6; i++) {
		struct sockaddr_in to = at_port(ports[i % 2]), from;
		socklen_t length = sizeof from;
		char reply[8];

		ck_assert_int_eq(
			sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
		ck_assert_int_gt(io_wait(fd, POLLIN, WAIT_MS), 0);
		ck_assert_int_eq(recvfrom(fd, reply, sizeof reply, 0,
					  (struct sockaddr *)&from, &length),
				 5);
		ck_assert_uint_eq(ntohs(from.sin_port), ports[i % 2]);
	}
	close(fd);
	server_finish(&server);
}
END_TEST

/* Sends as only a forger can: from an address and port that the server has. */
static bool forge_datagram(const char *from, const char *to, unsigned port)
{
	struct {
		struct udphdr head;
		char text[5];
	} datagram = { .text = "hello" };
	struct sockaddr_in here = at_port(0), there = at_port(0);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);

	if (fd < 0)
		return false;
	inet_pton(AF_INET, from, &here.sin_addr);
	inet_pton(AF_INET, to, &there.sin_addr);
	datagram.head.uh_sport = datagram.head.uh_dport = htons((uint16_t)port);
	datagram.head.uh_ulen = htons(sizeof datagram.head + 5);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here, sizeof here), 0);
	ck_assert_int_eq(sendto(fd, &datagram, sizeof datagram.head + 5, 0,
				(struct sockaddr *)&there, sizeof there),
			 (ssize_t)sizeof datagram.head + 5);
	close(fd);
	return true;
}

/* GIVEN a datagram to one of the server's sockets that seems to come from another of them,
 * THEN it gets no answer, or the two would keep each other busy. */
START_TEST(two_sockets_of_a_server_do_not_answer_each_other)
{
	struct server server;
	char dropped[TEXT];

	if (!enter_system_of_names())
		return;
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = ARGUMENTS("-u", "-vv"),
		.host = "four.test",
		.type = SOCK_DGRAM,
		.opens_itself = true,
	});
	snprintf(dropped, sizeof dropped,
		 "127.0.0.3:%u: dropped: it may be another server's reply", server.port);
	if (forge_datagram("127.0.0.3", "127.0.0.2", server.port))
		server_wait_line(&server, dropped, WAIT_MS);
	else
		skipped("a raw socket");
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "served 0 clients"), 1);
}
END_TEST

/* Reads until a line with this in it has come. */
static void expect_hears(int fd, const char *text)
{
	char heard[TEXT];
	size_t used = 0;

	do {
		ssize_t n = io_read(fd, heard + used, sizeof heard - 1 - used);

		ck_assert_msg(n > 0, "'%s' did not come", text);
		used += (size_t)n;
		heard[used] = '\0';
	} while (strstr(heard, text) == NULL);
}

/* Wherever a model's clients meet, it is one place. */
START_TEST(clients_of_different_sockets_meet)
{
	int second = listener_at("127.0.0.1", "0", SOCK_STREAM);
	struct server server;
	int fds[2];

	if (!model_serves_many(_i))
		return;
	server = start_with_second(_i, "chat", &second);
	fds[0] = client_connect(&server);
	fds[1] = client_connect_to("127.0.0.1", port_of(second));
	client_say(fds[0], "/nick one\n");
	client_say(fds[1], "/nick two\n");
	expect_hears(fds[1], "two");
	client_say(fds[0], "across\n");
	expect_hears(fds[1], "one: across");
	client_close(fds[0]);
	client_close(fds[1]);
	close(second);
	server_finish(&server);
}
END_TEST

static void give_file_second(void *context)
{
	(void)context;
	dup2(open("/dev/null", O_RDWR), FIRST_ACTIVATED + 1);
	setenv("LISTEN_FDS", "2", 1);
}

START_TEST(a_server_does_not_start_with_a_second_descriptor_that_is_no_socket)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.prepare = give_file_second,
	});
	struct server_end end = server_await(&server, WAIT_MS);
	char expected[TEXT];

	ck_assert(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 1);
	snprintf(expected, sizeof expected,
		 "%s: descriptor 4 (LISTEN_FDS) is not a listening tcp socket: %s\n",
		 server.name, strerror(ENOTSOCK));
	ck_assert_str_eq(server_errors(&server), expected);
}
END_TEST

Suite *suite_listeners(void)
{
	Suite *suite = suite_create("listeners");
	TCase *tcase = add_case(suite, "opening");

	tcase_add_test(tcase, each_address_of_a_name_has_a_socket_on_the_same_free_port);
	tcase_add_test(tcase, a_free_port_is_free_on_all_addresses);
	tcase_add_test(tcase, a_port_in_use_on_one_address_is_refused);
	tcase_add_test(tcase,
		       an_address_that_this_host_does_not_have_is_left_out_and_named);
	tcase_add_test(tcase, a_name_with_too_many_addresses_is_refused);
	tcase = add_case(suite, "activation");
	tcase_add_test(tcase, all_sockets_that_were_passed_are_taken);
	tcase_add_test(tcase, a_socket_passed_to_somebody_else_is_not_taken);
	tcase_add_test(tcase, what_is_passed_must_be_sockets_that_can_be_served);
	tcase = add_case(suite, "serving");
	add_sharing_test(tcase, a_server_is_reached_at_every_address_of_its_name);
	add_sharing_test(tcase, datagrams_are_answered_at_every_address_of_the_name);
	add_sharing_test(tcase, each_reply_leaves_by_the_socket_that_the_client_wrote_to);
	add_sharing_test(tcase, two_sockets_of_a_server_do_not_answer_each_other);
	add_sharing_test(tcase, a_server_that_stops_listens_at_none_of_its_addresses);
	add_sharing_test(tcase, a_server_serves_the_addresses_that_there_are_and_says_so);
	add_sharing_test(tcase, clients_of_all_passed_sockets_are_served);
	add_sharing_test(tcase, clients_of_different_sockets_meet);
	add_sharing_test(
		tcase,
		a_server_does_not_start_with_a_second_descriptor_that_is_no_socket);
	return suite;
}
