/*
 * Sockets: listening, connecting, accepting; all on this machine.
 *
 * Every port is the kernel's choice. A port at which nobody listens is one that is bound
 * and not listening, so that nobody else begins to listen there while the test runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/client.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { NOBODY = 65534 };

/* ---- what the tests are given ------------------------------------------------------------ */

static int listener_at(const char *host, const char *port, int type)
{
	struct sock_place place = { host, port, type, 16 };
	struct failure failure = { "" };
	int fd = sock_listen(&place, &failure);

	ck_assert_msg(fd >= 0, "%s", failure.text);
	return fd;
}

static struct address local_address(int fd)
{
	struct address address;

	ck_assert_int_eq(address_local(fd, &address), 0);
	return address;
}

static const char *port_of(int fd, char text[PORT_TEXT])
{
	struct address address = local_address(fd);

	snprintf(text, PORT_TEXT, "%u", address_port(&address));
	return text;
}

/* A bound socket that does not listen; -1 if the port is taken. */
static int reserve_port(const char *host, const char *port)
{
	struct address_query query = { AF_UNSPEC, SOCK_STREAM, true };
	struct addrinfo *list;
	int fd;

	ck_assert_int_eq(address_resolve(host, port, &query, &list, NULL), 0);
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	if (fd >= 0 && bind(fd, list->ai_addr, list->ai_addrlen) < 0) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

static bool has_ipv6(void)
{
	int fd = reserve_port("::1", "0");

	if (fd < 0) {
		skipped("needs IPv6 (::1)");
		return false;
	}
	close(fd);
	return true;
}

static struct sock_target target_at(const char *host, const char *port)
{
	return (struct sock_target){ host, port, AF_UNSPEC, SOCK_STREAM, WAIT_MS };
}

static int connected_to(const char *host, const char *port)
{
	struct sock_target target = target_at(host, port);
	struct failure failure = { "" };
	int fd = sock_connect(&target, NULL, &failure);

	ck_assert_msg(fd >= 0, "%s", failure.text);
	return fd;
}

/* A connection from end to end: the client's side and the server's. */
struct pair {
	int client, server;
};

static struct pair new_pair(void)
{
	char port[PORT_TEXT];
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM);
	struct address peer;
	struct pair pair;

	pair.client = connected_to("127.0.0.1", port_of(listener, port));
	pair.server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(pair.server, 0);
	close(listener);
	return pair;
}

static void close_pair(struct pair pair)
{
	close(pair.client);
	close(pair.server);
}

static void assert_blocking(int fd, bool blocking)
{
	ck_assert_int_eq((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, blocking);
}

static void assert_close_on_exec(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void assert_not_listening(const char *host, const char *port, int type,
				 const char *expected)
{
	struct sock_place place = { host, port, type, 16 };
	struct failure failure = { "" };

	ck_assert_int_eq(sock_listen(&place, &failure), -1);
	ck_assert_str_eq(failure.text, expected);
}

/* ---- listening --------------------------------------------------------------------------- */

static void check_that_clients_are_served_at(const char *host)
{
	char port[PORT_TEXT];
	int listener = listener_at(host, "0", SOCK_STREAM), client, server;
	struct address peer;
	char byte = 0;

	port_of(listener, port);
	ck_assert_str_ne(port, "0");
	client = connected_to(host, port);
	server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(io_write(client, "x", 1), 1);
	ck_assert_int_eq(io_read(server, &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	close(client);
	close(server);
	close(listener);
}

START_TEST(port_0_takes_a_free_port)
{
	check_that_clients_are_served_at("127.0.0.1");
}
END_TEST

START_TEST(a_server_can_listen_on_ipv6)
{
	if (has_ipv6())
		check_that_clients_are_served_at("::1");
}
END_TEST

START_TEST(the_ipv6_wildcard_takes_ipv4_clients_too)
{
	char port[PORT_TEXT], text[ADDRESS_TEXT], expected[ADDRESS_TEXT];
	int listener, client, server;
	struct address peer, local;

	if (!has_ipv6())
		return;
	listener = listener_at("::", "0", SOCK_STREAM);
	client = connected_to("127.0.0.1", port_of(listener, port));
	server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(server, 0);
	local = local_address(client);
	ck_assert_str_eq(address_text(&peer, text), address_text(&local, expected));
	ck_assert_mem_eq(text, "127.0.0.1:", 10);
	close(client);
	close(server);
	client = connected_to("::1", port);
	server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(server, 0);
	ck_assert_mem_eq(address_text(&peer, text), "[::1]:", 6);
	close(client);
	close(server);
	close(listener);
}
END_TEST

START_TEST(a_listening_socket_waits_and_is_kept_from_other_programs)
{
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM);

	assert_blocking(listener, true);
	assert_close_on_exec(listener);
	close(listener);
}
END_TEST

static void check_port_in_use(int type)
{
	char port[PORT_TEXT], expected[FAILURE_TEXT];
	int first = listener_at("127.0.0.1", "0", type);

	port_of(first, port);
	snprintf(expected, sizeof expected, "cannot listen on 127.0.0.1:%s: %s", port,
		 strerror(EADDRINUSE));
	assert_not_listening("127.0.0.1", port, type, expected);
	close(first);
}

START_TEST(a_port_in_use_is_refused_with_address_and_reason)
{
	check_port_in_use(SOCK_STREAM);
	check_port_in_use(SOCK_DGRAM);
}
END_TEST

START_TEST(a_restarted_server_gets_its_port_back_at_once)
{
	char port[PORT_TEXT], byte;
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM), client, server;
	struct address peer;

	client = connected_to("127.0.0.1", port_of(listener, port));
	server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(server, 0);
	close(server); /* first: so its end stays in TIME_WAIT */
	ck_assert_int_eq(io_read(client, &byte, 1), 0);
	close(client);
	close(listener);
	close(listener_at("127.0.0.1", port, SOCK_STREAM));
}
END_TEST

START_TEST(an_address_that_is_not_ours_is_refused)
{
	int fd = reserve_port("192.0.2.1", "0"); /* TEST-NET-1, RFC 5737 */
	char expected[FAILURE_TEXT];

	if (fd >= 0) {
		close(fd);
		skipped("needs an address that cannot be bound");
		return;
	}
	snprintf(expected, sizeof expected, "cannot listen on 192.0.2.1:0: %s",
		 strerror(EADDRNOTAVAIL));
	assert_not_listening("192.0.2.1", "0", SOCK_STREAM, expected);
}
END_TEST

START_TEST(an_ordinary_user_does_not_get_a_privileged_port)
{
	struct sock_place place = { "127.0.0.1", "1", SOCK_STREAM, 1 };
	struct failure failure = { "listened on port 1" };
	int fds[2], status;
	ssize_t n;
	pid_t child;
	FILE *first = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
	int start = 1024;

	if (first != NULL) {
		if (fscanf(first, "%d", &start) != 1)
			start = 1024;
		fclose(first);
	}
	if (start <= 1) {
		skipped("needs privileged ports");
		return;
	}
	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			failure_set(&failure, "no way to become an ordinary user");
		else
			sock_listen(&place, &failure);
		io_write(fds[1], &failure, sizeof failure);
		_exit(0);
	}
	close(fds[1]);
	n = io_read_all(fds[0], &failure, sizeof failure);
	close(fds[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(n, sizeof failure);
	if (strcmp(failure.text, "no way to become an ordinary user") == 0)
		skipped("needs root that can become an ordinary user");
	else
		ck_assert_str_eq(failure.text,
				 "cannot listen on 127.0.0.1:1: Permission denied");
}
END_TEST

START_TEST(a_place_that_makes_no_sense_is_refused)
{
	assert_not_listening("127.0.0.1", "99999", SOCK_STREAM,
			     "'99999' is not a port (0 to 65535, or a service name)");
	assert_not_listening("", "0", SOCK_STREAM, "the host name is empty");
}
END_TEST

START_TEST(a_datagram_server_is_reached_at_its_port)
{
	char port[PORT_TEXT], byte = 0;
	int server = listener_at("127.0.0.1", "0", SOCK_DGRAM), client;
	struct sock_target target = { "127.0.0.1", port, AF_UNSPEC, SOCK_DGRAM, WAIT_MS };

	port_of(server, port);
	client = sock_connect(&target, NULL, NULL);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(io_write(client, "x", 1), 1);
	ck_assert_int_eq(io_read(server, &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	close(client);
	close(server);
}
END_TEST

/* ---- connecting -------------------------------------------------------------------------- */

START_TEST(a_connection_tells_whom_it_reached_and_waits)
{
	char port[PORT_TEXT], text[ADDRESS_TEXT], expected[ADDRESS_TEXT];
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM), fd;
	struct sock_target target = target_at("127.0.0.1", port_of(listener, port));
	struct address reached;

	target.timeout = -1;
	fd = sock_connect(&target, &reached, NULL);
	ck_assert_int_ge(fd, 0);
	snprintf(expected, sizeof expected, "127.0.0.1:%s", port);
	ck_assert_str_eq(address_text(&reached, text), expected);
	assert_blocking(fd, true);
	assert_close_on_exec(fd);
	close(fd);
	close(listener);
}
END_TEST

/* Must fail, with this errno and this text. */
static void assert_not_connecting(const struct sock_target *target, int expected_errno,
				  const char *expected)
{
	struct failure failure = { "" };
	int error;

	ck_assert_int_eq(sock_connect(target, NULL, &failure), -1);
	error = errno;
	ck_assert_str_eq(failure.text, expected);
	ck_assert_int_eq(error, expected_errno);
}

START_TEST(a_refused_connection_names_host_port_and_reason)
{
	char port[PORT_TEXT], expected[FAILURE_TEXT];
	int nobody = reserve_port("127.0.0.1", "0");
	struct sock_target target = target_at("127.0.0.1", port_of(nobody, port));

	snprintf(expected, sizeof expected,
		 "cannot connect to 127.0.0.1 port %s: Connection refused", port);
	assert_not_connecting(&target, ECONNREFUSED, expected);
	close(nobody);
}
END_TEST

/* A port of 127.0.0.1 that is free, and even: of those Linux gives to who connects. */
static void free_port(char port[PORT_TEXT])
{
	unsigned number = 1;

	while (number % 2 != 0) {
		int fd = reserve_port("127.0.0.1", "0");
		struct address address = local_address(fd);

		number = address_port(&address);
		close(fd);
		if (number % 2 != 0 && number < 65535)
			number++; /* its neighbour, which is as likely to be free */
	}
	snprintf(port, PORT_TEXT, "%u", number);
}

START_TEST(a_connection_never_finds_itself_at_the_other_end)
{
	char port[PORT_TEXT], here[ADDRESS_TEXT], there[ADDRESS_TEXT];
	struct sock_target target;
	struct address local, reached;
	int fd = -1;

	free_port(port);
	target = target_at("127.0.0.1", port);
	/* Each attempt is given another port of our own; one of them is that very port. */
	for (int i = 0; i < 30000 && fd < 0; i++)
		fd = sock_connect(&target, &reached, NULL);
	if (fd < 0) {
		ck_assert_int_eq(errno, ECONNREFUSED);
		return;
	}
	local = local_address(fd); /* so some other program listens there by now */
	ck_assert_str_ne(address_text(&local, here), address_text(&reached, there));
	close(fd);
}
END_TEST

START_TEST(a_connection_to_a_full_backlog_times_out)
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 0 };
	char port[PORT_TEXT], expected[FAILURE_TEXT];
	int listener = sock_listen(&place, NULL), clients[8];
	struct address address = local_address(listener);
	struct sock_target target = target_at("127.0.0.1", port_of(listener, port));
	int64_t start, waited;

	if (!client_fill_backlog(&address, clients, 8)) {
		skipped("needs a backlog that can be full");
	} else {
		target.timeout = 300;
		snprintf(expected, sizeof expected,
			 "cannot connect to 127.0.0.1 port %s: timed out", port);
		start = clock_milliseconds();
		assert_not_connecting(&target, ETIMEDOUT, expected);
		waited = clock_milliseconds() - start;
		ck_assert_int_ge(waited, 299);
		ck_assert_int_lt(waited, WAIT_MS / 2);
	}
	for (int i = 0; i < 8; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	close(listener);
}
END_TEST

START_TEST(without_time_a_connection_times_out_at_once)
{
	char port[PORT_TEXT], expected[FAILURE_TEXT];
	int nobody = reserve_port("127.0.0.1", "0");
	struct sock_target target = target_at("127.0.0.1", port_of(nobody, port));

	target.timeout = 0;
	snprintf(expected, sizeof expected,
		 "cannot connect to 127.0.0.1 port %s: timed out", port);
	assert_not_connecting(&target, ETIMEDOUT, expected);
	close(nobody);
}
END_TEST

/* A server at one of the two loopback addresses, and nobody at the same port of the other.
 * @return the listener, with *nobody */
static int listener_at_one_only(const char *host, const char *other, int *nobody)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		char port[PORT_TEXT];
		int listener = listener_at(host, "0", SOCK_STREAM);

		*nobody = reserve_port(other, port_of(listener, port));
		if (*nobody >= 0)
			return listener;
		close(listener);
	}
	ck_abort_msg("no port is free at both addresses");
	return -1;
}

static void check_that_only_server_is_found(const char *host, const char *other)
{
	char port[PORT_TEXT], text[ADDRESS_TEXT], expected[ADDRESS_TEXT];
	int nobody, listener = listener_at_one_only(host, other, &nobody), fd;
	struct sock_target target = target_at(NULL, port_of(listener, port));
	struct address reached, served = local_address(listener);
	struct failure failure = { "" };

	fd = sock_connect(&target, &reached, &failure);
	ck_assert_msg(fd >= 0, "%s", failure.text);
	ck_assert_str_eq(address_text(&reached, text), address_text(&served, expected));
	close(fd);
	close(nobody);
	close(listener);
}

START_TEST(each_address_of_a_host_is_tried_in_turn)
{
	/* This machine has two addresses; whichever comes first, one of these needs both. */
	if (!has_ipv6())
		return;
	check_that_only_server_is_found("127.0.0.1", "::1");
	check_that_only_server_is_found("::1", "127.0.0.1");
}
END_TEST

START_TEST(when_no_address_answers_the_last_reason_is_reported)
{
	char port[PORT_TEXT], expected[FAILURE_TEXT];
	int nobody, listener;
	struct sock_target target;

	if (!has_ipv6())
		return;
	listener = listener_at_one_only("127.0.0.1", "::1", &nobody);
	target = target_at(NULL, port_of(listener, port));
	close(listener);
	listener = reserve_port("127.0.0.1", port);
	ck_assert_int_ge(listener, 0);
	snprintf(expected, sizeof expected,
		 "cannot connect to localhost port %s: Connection refused", port);
	assert_not_connecting(&target, ECONNREFUSED, expected);
	close(listener);
	close(nobody);
}
END_TEST

START_TEST(a_family_can_be_insisted_on)
{
	char port[PORT_TEXT];
	int nobody, listener, fd;
	struct sock_target target;
	struct address reached;

	if (!has_ipv6())
		return;
	listener = listener_at_one_only("::1", "127.0.0.1", &nobody);
	target = target_at(NULL, port_of(listener, port));
	target.family = AF_INET6;
	fd = sock_connect(&target, &reached, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(reached.any.sa_family, AF_INET6);
	close(fd);
	target.family = AF_INET;
	ck_assert_int_eq(sock_connect(&target, &reached, NULL), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(listener);
	close(nobody);
}
END_TEST

START_TEST(a_target_that_makes_no_sense_is_refused_without_an_errno)
{
	struct sock_target target = target_at("127.0.0.1", "65536");
	static const char not_found[] = "cannot find host ::1: ";
	struct failure failure = { "" };

	assert_not_connecting(&target, 0,
			      "'65536' is not a port (0 to 65535, or a service name)");
	target = target_at("::1", "80");
	target.family = AF_INET;
	errno = EPROTO;
	ck_assert_int_eq(sock_connect(&target, NULL, &failure), -1);
	ck_assert_int_eq(errno, 0);
	ck_assert_mem_eq(failure.text, not_found, sizeof not_found - 1);
}
END_TEST

START_TEST(a_connection_can_be_begun_without_waiting)
{
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM);
	struct address address = local_address(listener);
	int fd = sock_connect_start(&address.any, address.length, SOCK_STREAM);

	ck_assert_int_ge(fd, 0);
	assert_blocking(fd, false);
	assert_close_on_exec(fd);
	ck_assert_int_eq(io_wait(fd, POLLOUT, WAIT_MS), POLLOUT);
	ck_assert_int_eq(sock_error(fd), 0);
	close(fd);
	close(listener);
}
END_TEST

/* Asks until it is decided; one's own host has usually answered at once. */
static int decided_outcome(int fd, const struct address *address)
{
	int outcome = sock_connect_outcome(fd, &address->any, address->length);

	if (outcome != EINPROGRESS)
		return outcome;
	ck_assert_int_ne(io_wait(fd, POLLOUT, WAIT_MS), 0);
	return sock_connect_outcome(fd, &address->any, address->length);
}

START_TEST(a_refused_socket_connects_elsewhere)
{
	int nobody = reserve_port("127.0.0.1", "0");
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM);
	struct address refusing = local_address(nobody);
	struct address listening = local_address(listener), peer;
	int fd = sock_connect_start(&refusing.any, refusing.length, SOCK_STREAM);

	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(decided_outcome(fd, &refusing), ECONNREFUSED);
		fd = sock_connect_restart(fd, &refusing.any, refusing.length,
					  SOCK_STREAM);
	}
	ck_assert_int_eq(decided_outcome(fd, &refusing), ECONNREFUSED);
	fd = sock_connect_restart(fd, &listening.any, listening.length, SOCK_STREAM);
	ck_assert_int_ge(fd, 0);
	assert_blocking(fd, false);
	assert_close_on_exec(fd);
	ck_assert_int_eq(decided_outcome(fd, &listening), 0);
	ck_assert_int_eq(decided_outcome(fd, &listening), 0); /* as often as one asks */
	ck_assert_int_eq(address_peer(fd, &peer), 0);
	ck_assert_uint_eq(address_port(&peer), address_port(&listening));
	close(fd);
	close(listener);
	close(nobody);
}
END_TEST

START_TEST(an_unanswered_connection_is_undecided)
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 0 };
	int listener = sock_listen(&place, NULL), clients[8], last = 0;
	struct address address = local_address(listener);

	if (!client_fill_backlog(&address, clients, 8)) {
		skipped("needs a backlog that can be full");
	} else {
		while (last < 7 && clients[last + 1] >= 0)
			last++;
		for (int i = 0; i < 2; i++)
			ck_assert_int_eq(sock_connect_outcome(clients[last], &address.any,
							      address.length),
					 EINPROGRESS);
	}
	for (int i = 0; i < 8; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	close(listener);
}
END_TEST

START_TEST(a_begun_connection_tells_once_why_it_failed)
{
	int nobody = reserve_port("127.0.0.1", "0");
	struct address address = local_address(nobody);
	int fd = sock_connect_start(&address.any, address.length, SOCK_STREAM);

	if (fd >= 0) {
		ck_assert_int_ne(io_wait(fd, POLLOUT, WAIT_MS), 0);
		ck_assert_int_eq(sock_error(fd), ECONNREFUSED);
		ck_assert_int_eq(sock_error(fd), 0);
		close(fd);
	} else {
		ck_assert_int_eq(errno, ECONNREFUSED); /* known at once */
	}
	close(nobody);
	ck_assert_int_eq(sock_error(-1), EBADF);
}
END_TEST

/* ---- accepting --------------------------------------------------------------------------- */

START_TEST(an_accepted_client_is_known_by_its_address)
{
	char port[PORT_TEXT], text[ADDRESS_TEXT], expected[ADDRESS_TEXT];
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM), client, server;
	struct address peer, local;

	port_of(listener, port);
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		client = connected_to("127.0.0.1", port);
		server = sock_accept(listener, &peer, nonblocking);
		ck_assert_int_ge(server, 0);
		local = local_address(client);
		ck_assert_str_eq(address_text(&peer, text),
				 address_text(&local, expected));
		assert_blocking(server, !nonblocking);
		assert_close_on_exec(server);
		close(client);
		close(server);
	}
	close(listener);
}
END_TEST

START_TEST(a_listener_that_does_not_wait_says_that_nobody_is_there)
{
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM), fd;
	char port[PORT_TEXT];
	struct address peer;

	ck_assert_int_eq(io_set_nonblocking(listener, true), 0);
	ck_assert_int_eq(sock_accept(listener, &peer, true), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(connected_to("127.0.0.1", port_of(listener, port)));
	ck_assert_int_eq(io_wait(listener, POLLIN, WAIT_MS), POLLIN);
	fd = sock_accept(listener, &peer, false);
	ck_assert_int_ge(fd, 0);
	assert_blocking(fd, true); /* whatever the listener does */
	close(fd);
	ck_assert_int_eq(sock_accept(listener, &peer, true), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(listener);
}
END_TEST

static bool flag_is_set(int fd, int level, int option)
{
	int value = 0;
	socklen_t length = sizeof value;

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &length), 0);
	return value != 0;
}

/* What is urgent is a byte like others: on a connected socket, on one that is only begun, and
   on an accepted one, which has it from its listener. */
START_TEST(urgent_data_stays_in_the_stream)
{
	struct pair pair = new_pair();
	struct address peer = local_address(pair.server);
	char got[8] = "";
	int begun;

	ck_assert_int_eq(send(pair.client, "abc", 3, MSG_OOB), 3);
	ck_assert_int_eq(io_write(pair.client, "d", 1), 1);
	ck_assert_int_eq(io_read_all(pair.server, got, 4), 4);
	ck_assert_str_eq(got, "abcd");
	ck_assert_int_eq(send(pair.server, "ef", 2, MSG_OOB), 2);
	ck_assert_int_eq(io_write(pair.server, "gh", 2), 2);
	ck_assert_int_eq(io_read_all(pair.client, got, 4), 4);
	ck_assert_str_eq(got, "efgh");
	begun = sock_connect_start(&peer.any, peer.length, SOCK_STREAM);
	if (begun >= 0) {
		ck_assert(flag_is_set(begun, SOL_SOCKET, SO_OOBINLINE));
		close(begun);
	}
	close_pair(pair);
}
END_TEST

START_TEST(accepted_sockets_inherit_nodelay_and_keepalive)
{
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM), client, server;
	char port[PORT_TEXT];
	struct address peer;

	ck_assert_int_eq(sock_set_nodelay(listener), 0);
	ck_assert_int_eq(sock_set_keepalive(listener), 0);
	client = connected_to("127.0.0.1", port_of(listener, port));
	server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(server, 0);
	ck_assert(flag_is_set(server, IPPROTO_TCP, TCP_NODELAY));
	ck_assert(flag_is_set(server, SOL_SOCKET, SO_KEEPALIVE));
	ck_assert(!flag_is_set(client, IPPROTO_TCP,
			       TCP_NODELAY)); /* unless it is asked for */
	ck_assert(!flag_is_set(client, SOL_SOCKET, SO_KEEPALIVE));
	close(client);
	close(server);
	close(listener);
}
END_TEST

#ifdef __linux__

static bool three_wait(void *listener)
{
	return sock_backlog(*(const int *)listener) == 3;
}

START_TEST(a_listener_tells_how_many_wait)
{
	int listener = listener_at("127.0.0.1", "0", SOCK_STREAM), clients[3], server;
	int pair[2];
	char port[PORT_TEXT];
	struct address peer;

	if (!programs_use("TCP_INFO") || !kernel_has("TCP_INFO"))
		return;
	ck_assert_uint_eq(sock_backlog(listener), 0);
	for (int i = 0; i < 3; i++)
		clients[i] = connected_to("127.0.0.1", port_of(listener, port));
	ck_assert_msg(eventually(three_wait, &listener, WAIT_MS), "%u wait",
		      sock_backlog(listener));
	server = sock_accept(listener, &peer, false);
	ck_assert_int_ge(server, 0);
	ck_assert_uint_eq(sock_backlog(listener), 2);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_uint_eq(sock_backlog(pair[0]), 0);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	close(pair[0]);
	close(pair[1]);
	close(server);
	close(listener);
}
END_TEST

#endif

START_TEST(a_client_of_a_local_socket_is_a_process_however_long_its_path)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	char directory[FOLDER_TEXT], text[ADDRESS_TEXT], self[ADDRESS_TEXT];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0), server;
	struct sockaddr_un clients = path;
	struct address peer;

	folder_create_path(directory, "test");
	ck_assert_int_lt(
		snprintf(path.sun_path, sizeof path.sun_path, "%s/server", directory),
		(int)sizeof path.sun_path);
	folder_longest_path(directory, clients.sun_path, sizeof clients.sun_path);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&path, sizeof path), 0);
	ck_assert_int_eq(bind(client, (struct sockaddr *)&clients, sizeof clients), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&path, sizeof path), 0);
	server = sock_accept(listener, &peer, false);
	unlink(path.sun_path);
	unlink(clients.sun_path);
	rmdir(directory);
	ck_assert_int_ge(server, 0);
	ck_assert_str_eq(address_text(&peer, text), client_of_local_socket(self));
	ck_assert_uint_le(peer.length, sizeof peer.v6); /* what it holds, no more */
	close(client);
	close(server);
	close(listener);
}
END_TEST

/* ---- options ----------------------------------------------------------------------------- */

START_TEST(an_ordinary_close_ends_the_stream)
{
	struct pair pair = new_pair();
	char byte;

	close(pair.client);
	ck_assert_int_eq(io_read(pair.server, &byte, 1), 0);
	close(pair.server);
}
END_TEST

START_TEST(an_abortive_close_resets_the_connection)
{
	struct pair pair = new_pair();
	char byte;

	ck_assert_int_eq(sock_set_abortive(pair.client), 0);
	close(pair.client);
	ck_assert_int_eq(io_read(pair.server, &byte, 1), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(pair.server);
}
END_TEST

START_TEST(a_read_gives_up_when_the_time_is_over)
{
	struct pair pair = new_pair();
	int64_t start = clock_milliseconds();
	char byte;

	ck_assert_int_eq(sock_set_timeout(pair.client, 30), 0);
	ck_assert_int_eq(io_read(pair.client, &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_ge(clock_milliseconds() - start, 29);
	ck_assert_int_eq(io_write(pair.server, "x", 1), 1);
	ck_assert_int_eq(io_read(pair.client, &byte, 1), 1); /* it can still be used */
	close_pair(pair);
}
END_TEST

START_TEST(a_write_gives_up_when_the_time_is_over)
{
	struct pair pair = new_pair();
	enum { MUCH = 64 << 20 };
	char *bytes = calloc(1, MUCH);
	ssize_t count;

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(sock_set_timeout(pair.client, 30), 0);
	count = io_write(pair.client, bytes, MUCH);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_gt(count, 0);
	ck_assert_int_lt(count, MUCH);
	free(bytes);
	close_pair(pair);
}
END_TEST

START_TEST(a_timeout_can_be_taken_away)
{
	struct pair pair = new_pair();
	struct timeval time = { .tv_sec = 1 };
	socklen_t length = sizeof time;

	ck_assert_int_eq(sock_set_timeout(pair.client, 1500), 0);
	ck_assert_int_eq(getsockopt(pair.client, SOL_SOCKET, SO_RCVTIMEO, &time, &length),
			 0);
	ck_assert_int_eq(time.tv_sec, 1);
	ck_assert_int_ge(time.tv_usec, 500000);
	ck_assert_int_eq(sock_set_timeout(pair.client, 0), 0);
	ck_assert_int_eq(getsockopt(pair.client, SOL_SOCKET, SO_RCVTIMEO, &time, &length),
			 0);
	ck_assert(time.tv_sec == 0 && time.tv_usec == 0);
	close_pair(pair);
}
END_TEST

START_TEST(options_of_what_is_no_socket_cannot_be_set)
{
	int fd = open("/dev/null", O_RDWR);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sock_set_nodelay(fd), -1);
	ck_assert_int_eq(errno, ENOTSOCK);
	ck_assert_int_eq(sock_set_keepalive(fd), -1);
	ck_assert_int_eq(sock_set_timeout(fd, 10), -1);
	ck_assert_int_eq(sock_set_abortive(fd), -1);
	ck_assert_int_eq(errno, ENOTSOCK);
	close(fd);
}
END_TEST

/* ---- sending ----------------------------------------------------------------------------- */

enum { SENT = 100 * 1000 };

static int file_of(const char *bytes, size_t n)
{
	int file = folder_create_nameless();

	ck_assert_int_eq(io_write(file, bytes, n), (ssize_t)n);
	return file;
}

static void make_pair(int ends[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(sock_set_timeout(ends[0], WAIT_MS), 0);
	ck_assert_int_eq(sock_set_timeout(ends[1], WAIT_MS), 0);
}

START_TEST(a_part_of_a_file_is_sent_and_the_files_own_offset_stays)
{
	static char bytes[SENT], got[SENT];
	uint64_t offset = 10;
	int ends[2], file;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i ^ i >> 8 ^ i >> 16);
	file = file_of(bytes, sizeof bytes);
	ck_assert_int_eq(lseek(file, 3, SEEK_SET), 3);
	make_pair(ends);
	ck_assert_int_eq(sock_send_file(ends[0], file, &offset, 20), 20);
	ck_assert_uint_eq(offset, 30);
	ck_assert_int_eq(io_read_all(ends[1], got, 20), 20);
	ck_assert_mem_eq(got, bytes + 10, 20);
	ck_assert_int_eq(lseek(file, 0, SEEK_CUR), 3);

	offset = SENT - 5; /* as far as it goes */
	ck_assert_int_eq(sock_send_file(ends[0], file, &offset, 20), 5);
	ck_assert_uint_eq(offset, SENT);
	ck_assert_int_eq(sock_send_file(ends[0], file, &offset, 20), 0);
	close(file);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* What the kernel makes up as it is read, sendfile(2) does not send, or only of late. */
START_TEST(a_file_that_only_read_can_read_is_sent_too)
{
	char expected[4096], got[sizeof expected];
	int file = open("/proc/self/cmdline", O_RDONLY), ends[2];
	uint64_t offset = 1;
	ssize_t n, length;

	if (file < 0) {
		skipped("needs /proc");
		return;
	}
	length = pread(file, expected, sizeof expected, 1);
	ck_assert_int_gt(length, 0);
	make_pair(ends);
	while ((n = sock_send_file(ends[0], file, &offset, sizeof expected)) > 0)
		continue;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(offset, 1 + (uint64_t)length);
	ck_assert_int_eq(io_read_all(ends[1], got, (size_t)length), length);
	ck_assert_mem_eq(got, expected, (size_t)length);
	close(file);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_cannot_be_read_is_not_sent)
{
	int directory = open("/", O_RDONLY), ends[2];
	uint64_t offset = 7;

	make_pair(ends);
	ck_assert_int_eq(sock_send_file(ends[0], directory, &offset, 20), -1);
	ck_assert_int_ne(errno, EAGAIN);
	ck_assert_int_eq(sock_send_file(ends[0], -1, &offset, 20), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(offset, 7);
	close(directory);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(sending_does_not_wait_for_room)
{
	static char bytes[SENT];
	int ends[2], file = file_of(bytes, sizeof bytes);
	uint64_t offset = 0;

	make_pair(ends); /* blocking */
	while (sock_send(ends[0], bytes, sizeof bytes, false) > 0)
		continue;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(sock_set_send_timeout(ends[0], 20), 0);
	ck_assert_int_eq(sock_send_file(ends[0], file, &offset, 20), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(offset, 0);
	close(file);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

Suite *suite_sock(void)
{
	Suite *suite = suite_create("sock");
	TCase *listening = tcase_create("listening"),
	      *connecting = tcase_create("connecting");
	TCase *accepting = tcase_create("accepting"), *options = tcase_create("options");
	TCase *sending = tcase_create("sending");

	tcase_add_test(listening, port_0_takes_a_free_port);
	tcase_add_test(listening, a_server_can_listen_on_ipv6);
	tcase_add_test(listening, the_ipv6_wildcard_takes_ipv4_clients_too);
	tcase_add_test(listening,
		       a_listening_socket_waits_and_is_kept_from_other_programs);
	tcase_add_test(listening, a_port_in_use_is_refused_with_address_and_reason);
	tcase_add_test(listening, a_restarted_server_gets_its_port_back_at_once);
	tcase_add_test(listening, an_address_that_is_not_ours_is_refused);
	tcase_add_test(listening, an_ordinary_user_does_not_get_a_privileged_port);
	tcase_add_test(listening, a_place_that_makes_no_sense_is_refused);
	tcase_add_test(listening, a_datagram_server_is_reached_at_its_port);
	suite_add_tcase(suite, listening);
	tcase_add_test(connecting, a_connection_tells_whom_it_reached_and_waits);
	tcase_add_test(connecting, a_refused_connection_names_host_port_and_reason);
	tcase_add_test(connecting, a_connection_never_finds_itself_at_the_other_end);
	tcase_add_test(connecting, a_refused_socket_connects_elsewhere);
	tcase_add_test(connecting, an_unanswered_connection_is_undecided);
	tcase_add_test(connecting, a_connection_to_a_full_backlog_times_out);
	tcase_add_test(connecting, without_time_a_connection_times_out_at_once);
	tcase_add_test(connecting, each_address_of_a_host_is_tried_in_turn);
	tcase_add_test(connecting, when_no_address_answers_the_last_reason_is_reported);
	tcase_add_test(connecting, a_family_can_be_insisted_on);
	tcase_add_test(connecting,
		       a_target_that_makes_no_sense_is_refused_without_an_errno);
	tcase_add_test(connecting, a_connection_can_be_begun_without_waiting);
	tcase_add_test(connecting, a_begun_connection_tells_once_why_it_failed);
	suite_add_tcase(suite, connecting);
	tcase_add_test(accepting, an_accepted_client_is_known_by_its_address);
	tcase_add_test(accepting,
		       a_listener_that_does_not_wait_says_that_nobody_is_there);
	tcase_add_test(accepting, urgent_data_stays_in_the_stream);
	tcase_add_test(accepting, accepted_sockets_inherit_nodelay_and_keepalive);
#ifdef __linux__
	tcase_add_test(accepting, a_listener_tells_how_many_wait);
#endif
	tcase_add_test(accepting,
		       a_client_of_a_local_socket_is_a_process_however_long_its_path);
	suite_add_tcase(suite, accepting);
	tcase_add_test(options, an_ordinary_close_ends_the_stream);
	tcase_add_test(options, an_abortive_close_resets_the_connection);
	tcase_add_test(options, a_read_gives_up_when_the_time_is_over);
	tcase_add_test(options, a_write_gives_up_when_the_time_is_over);
	tcase_add_test(options, a_timeout_can_be_taken_away);
	tcase_add_test(options, options_of_what_is_no_socket_cannot_be_set);
	suite_add_tcase(suite, options);
	tcase_add_test(sending, a_part_of_a_file_is_sent_and_the_files_own_offset_stays);
	tcase_add_test(sending, a_file_that_only_read_can_read_is_sent_too);
	tcase_add_test(sending, what_cannot_be_read_is_not_sent);
	tcase_add_test(sending, sending_does_not_wait_for_room);
	suite_add_tcase(suite, sending);
	return suite;
}
