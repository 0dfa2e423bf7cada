/*
 * portscan as its user sees it. Ports are those of listeners of the test, or reserved by
 * being bound: nobody else's server is disturbed. What needs well-known ports, all ports or
 * other rules of the network is tested in a network of its own (network.h), and skipped
 * where there is none.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/portscan/scan.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/network.h"
#include "tests/fixture/private_system.h"
#include "tests/suites.h"

enum {
	TEXT = 1024,
	MOST_CLIENTS = 8,
};

/* ---- ports to find --------------------------------------------------------------------- */

/* A port of this host, and what the test has at it. */
struct place {
	int fd;
	struct address address;
	unsigned port;
	int clients[MOST_CLIENTS]; /* that fill its backlog, the last of them in vain */
};

static struct place place_of(int fd)
{
	struct place place = { .fd = fd };

	ck_assert_int_eq(address_local(fd, &place.address), 0);
	place.port = address_port(&place.address);
	memset(place.clients, -1, sizeof place.clients);
	return place;
}

static struct place listen_at(const char *host, const char *port, int backlog)
{
	struct sock_place where = { host, port, SOCK_STREAM, backlog };
	struct failure failure;
	int fd = sock_listen(&where, &failure);

	ck_assert_msg(fd >= 0, "%s", failure.text);
	return place_of(fd);
}

/* A port that nobody listens on, nor will: it is bound. */
static struct place reserve_at(const char *host, const char *port)
{
	struct address_query query = { AF_UNSPEC, SOCK_STREAM, true };
	struct addrinfo *list;
	int fd;

	ck_assert_int_eq(address_resolve(host, port, &query, &list, NULL), 0);
	fd = socket(list->ai_family, SOCK_STREAM, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, list->ai_addr, list->ai_addrlen), 0);
	freeaddrinfo(list);
	return place_of(fd);
}

/* A listener that says nothing to whoever comes now. @return false: not to be had here */
static bool listen_silently(struct place *place)
{
	*place = listen_at("127.0.0.1", "0", 0);
	if (client_fill_backlog(&place->address, place->clients, MOST_CLIENTS))
		return true;
	skipped("needs a backlog that can be full");
	return false;
}

static void leave(struct place *place)
{
	for (int i = 0; i < MOST_CLIENTS; i++)
		if (place->clients[i] >= 0)
			close(place->clients[i]);
	close(place->fd);
}

/* "40001,40007" of a list of places; the last is NULL. */
static const char *list_of(const struct place *const places[])
{
	static char list[TEXT];

	list[0] = '\0';
	for (; *places != NULL; places++)
		snprintf(list + strlen(list), TEXT - strlen(list), "%s%u",
			 list[0] ? "," : "", (*places)->port);
	return list;
}

#define PORTS_OF(...) list_of((const struct place *const[]){ __VA_ARGS__, NULL })

/* ---- a network of our own -------------------------------------------------------------- */

static bool isolate(void)
{
	if (network_enter_own())
		return true;
	skipped("needs a network namespace of its own");
	return false;
}

/* The kernel gives only these ports to connections. */
static bool limit_source_ports(const char *range)
{
	if (network_set("/proc/sys/net/ipv4/ip_local_port_range", range))
		return true;
	skipped("needs a network namespace of its own");
	return false;
}

/* ---- the program ----------------------------------------------------------------------- */

static struct run portscan(const char *const argv[])
{
	return run_program(argv, "", 0, LONG_WAIT_MS);
}

/* There is a line for the port that begins so. */
static void assert_line(const struct run *run, unsigned port, const char *state)
{
	char pattern[TEXT];

	snprintf(pattern, sizeof pattern, "(^|\n)%u +%s +[^\n]+\n", port, state);
	expect_match(run->out, pattern);
}

static void assert_no_line(const struct run *run, unsigned port)
{
	char pattern[TEXT];

	snprintf(pattern, sizeof pattern, "(^|\n)%u ", port);
	ck_assert_msg(!text_matches(run->out, pattern),
		      "there is a line for port %u in: %s", port, run->out);
}

static void assert_summary(const struct run *run, const char *host, const char *counts)
{
	char pattern[TEXT];

	snprintf(pattern, sizeof pattern, "(^|\n)%s: %s ports in [0-9]+\\.[0-9]{2} s\n$",
		 host, counts);
	expect_match(run->out, pattern);
}

/* ---- what is found --------------------------------------------------------------------- */

START_TEST(lists_the_open_port_and_not_the_closed_one)
{
	struct place listening = listen_at("127.0.0.1", "0", 8);
	struct place closed = reserve_at("127.0.0.1", "0");
	struct run run = portscan(
		ARGUMENTS("portscan", "-p", PORTS_OF(&listening, &closed), "127.0.0.1"));

	run_expect_status(&run, 0);
	assert_line(&run, listening.port, "open");
	assert_no_line(&run, closed.port);
	assert_summary(&run, "127\\.0\\.0\\.1", "1 open, 1 closed, 0 filtered of 2");
	ck_assert_str_eq(run.err, "");
	leave(&listening);
	leave(&closed);
}
END_TEST

START_TEST(a_real_server_goes_on_after_it_was_scanned)
{
	struct server server = server_start("echod-select", NULL);
	char port[PORT_TEXT];
	struct run run;
	int fd;

	snprintf(port, sizeof port, "%u", server.port);
	run = portscan(ARGUMENTS("portscan", "-p", port, "127.0.0.1"));
	run_expect_status(&run, 0);
	fd = client_connect(&server);
	client_exchange(fd, "hello\n", 6, "hello\n", 6);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(exits_1_when_none_is_open)
{
	struct place closed = reserve_at("127.0.0.1", "0");
	struct run run =
		portscan(ARGUMENTS("portscan", "-p", PORTS_OF(&closed), "127.0.0.1"));

	run_expect_status(&run, 1);
	assert_summary(&run, "127\\.0\\.0\\.1", "0 open, 1 closed, 0 filtered of 1");
	ck_assert_str_eq(run.err, "");
	leave(&closed);
}
END_TEST

START_TEST(all_shows_the_closed_ones_too_in_the_order_of_their_numbers)
{
	struct place listening = listen_at("127.0.0.1", "0", 8);
	struct place closed = reserve_at("127.0.0.1", "0");
	const char *ports = PORTS_OF(&listening, &closed);
	struct run run = portscan(ARGUMENTS("portscan", "-a", "-p", ports, "127.0.0.1"));
	unsigned first = listening.port < closed.port ? listening.port : closed.port;

	run_expect_status(&run, 0);
	assert_line(&run, listening.port, "open");
	assert_line(&run, closed.port, "closed");
	ck_assert_uint_eq(strtoul(run.out, NULL, 10), first);
	leave(&listening);
	leave(&closed);
}
END_TEST

START_TEST(quiet_prints_nothing_but_the_ports)
{
	struct place listening = listen_at("127.0.0.1", "0", 8);
	char expected[TEXT];
	struct run run = portscan(
		ARGUMENTS("portscan", "-q", "-p", PORTS_OF(&listening), "127.0.0.1"));

	run_expect_status(&run, 0);
	snprintf(expected, sizeof expected, "^%u +open +[^\n]+\n$", listening.port);
	expect_match(run.out, expected);
	leave(&listening);
}
END_TEST

static void *accept_and_reset(void *context)
{
	const struct place *place = context;
	struct address peer;

	for (;;) {
		int fd = sock_accept(place->fd, &peer, false);

		if (fd < 0)
			return NULL;
		client_reset(fd);
	}
}

START_TEST(a_server_that_resets_whoever_comes_is_open)
{
	struct place listening = listen_at("127.0.0.1", "0", 8);
	const char *ports = PORTS_OF(&listening);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, accept_and_reset, &listening), 0);
	for (int i = 0; i < 20; i++) {
		struct run run =
			portscan(ARGUMENTS("portscan", "-p", ports, "127.0.0.1"));

		run_expect_status(&run, 0);
		assert_line(&run, listening.port, "open");
	}
	shutdown(listening.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	leave(&listening);
}
END_TEST

START_TEST(what_connecting_ends_with_tells_the_state)
{
	ck_assert_int_eq(scan_state_of(0), SCAN_OPEN);
	ck_assert_int_eq(scan_state_of(ECONNRESET), SCAN_OPEN); /* it stood, then */
	ck_assert_int_eq(scan_state_of(EPIPE), SCAN_OPEN);
	ck_assert_int_eq(scan_state_of(ECONNREFUSED), SCAN_CLOSED);
	ck_assert_int_eq(scan_state_of(ETIMEDOUT), SCAN_FILTERED);
	ck_assert_int_eq(scan_state_of(EHOSTUNREACH), SCAN_FILTERED);
	ck_assert_int_eq(scan_state_of(EACCES), SCAN_FILTERED);
	ck_assert_str_eq(scan_reason(ETIMEDOUT), "no answer");
	ck_assert_str_eq(scan_reason(ENETUNREACH), "network unreachable or prohibited");
	ck_assert_str_eq(scan_reason(ELOOP), strerror(ELOOP));
}
END_TEST

/* ---- those that say nothing ------------------------------------------------------------ */

START_TEST(a_full_backlog_is_filtered)
{
	struct place silent, listening, closed;
	struct run run;

	if (!listen_silently(&silent))
		return;
	listening = listen_at("127.0.0.1", "0", 8);
	closed = reserve_at("127.0.0.1", "0");
	run = portscan(ARGUMENTS("portscan", "-a", "-w", slow_seconds(0.2), "-n", "1",
				 "-p", PORTS_OF(&silent, &listening, &closed),
				 "127.0.0.1"));
	run_expect_status(&run, 0);
	assert_line(&run, silent.port, "filtered");
	expect_match(run.out, "[0-9]+ +filtered +[^ ]+  \\(no answer\\)\n");
	assert_line(&run, listening.port, "open");
	assert_line(&run, closed.port, "closed");
	assert_summary(&run, "127\\.0\\.0\\.1", "1 open, 1 closed, 1 filtered of 3");
	leave(&silent);
	leave(&listening);
	leave(&closed);
}
END_TEST

START_TEST(each_attempt_has_the_time_of_wait)
{
	struct place silent;
	const char *ports;
	int64_t began;
	struct run run;

	if (!listen_silently(&silent))
		return;
	ports = PORTS_OF(&silent);
	began = clock_milliseconds();
	run = portscan(
		ARGUMENTS("portscan", "-w", "0.3", "-n", "0", "-p", ports, "127.0.0.1"));
	run_expect_status(&run, 1);
	ck_assert_int_ge(clock_milliseconds() - began, 300);
	began = clock_milliseconds();
	run = portscan(ARGUMENTS("portscan", "-w", "0.1", "-n", "2", "-p", ports,
				 "127.0.0.1")); /* 3 attempts; pauses of 0.25 and 0.5 s */
	run_expect_status(&run, 1);
	ck_assert_int_ge(clock_milliseconds() - began, 3 * 100 + 750);
	leave(&silent);
}
END_TEST

START_TEST(many_silent_ports_are_waited_for_at_the_same_time)
{
	struct place silent[10];
	const struct place *list[11] = { NULL };
	int64_t began;
	struct run run;

	for (int i = 0; i < 10; i++) {
		if (!listen_silently(&silent[i]))
			return;
		list[i] = &silent[i];
	}
	began = clock_milliseconds();
	run = portscan(ARGUMENTS("portscan", "-w", "2", "-n", "0", "-p", list_of(list),
				 "127.0.0.1"));
	run_expect_status(&run, 1);
	assert_summary(&run, "127\\.0\\.0\\.1", "0 open, 0 closed, 10 filtered of 10");
	ck_assert_int_lt(clock_milliseconds() - began, 10 * 2000);
	for (int i = 0; i < 10; i++)
		leave(&silent[i]);
}
END_TEST

START_TEST(one_at_a_time_takes_the_sum)
{
	struct place one, other;
	int64_t began;
	struct run run;

	if (!listen_silently(&one) || !listen_silently(&other))
		return;
	began = clock_milliseconds();
	run = portscan(ARGUMENTS("portscan", "-j", "1", "-w", "0.2", "-n", "0", "-p",
				 PORTS_OF(&one, &other), "127.0.0.1"));
	run_expect_status(&run, 1);
	ck_assert_int_ge(clock_milliseconds() - began, 400);
	leave(&one);
	leave(&other);
}
END_TEST

START_TEST(a_retry_finds_the_server_that_was_busy)
{
	struct place busy;
	struct address peer;
	struct program program;
	struct run run;

	if (!listen_silently(&busy))
		return;
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("portscan", "-w", "0.2", "-n", "10", "-p",
				  PORTS_OF(&busy), "127.0.0.1"),
	});
	poll(NULL, 0,
	     300); /* so that there are attempts in vain; it is no matter if not */
	for (int i = 0; i < MOST_CLIENTS && io_wait(busy.fd, POLLIN, 100) > 0; i++)
		close(sock_accept(busy.fd, &peer, false));
	run = program_wait(&program, LONG_WAIT_MS);
	run_expect_status(&run, 0);
	assert_line(&run, busy.port, "open");
	leave(&busy);
}
END_TEST

START_TEST(what_a_firewall_answers_is_filtered_and_reported)
{
	static const struct {
		const char *answer, *reason;
	} kinds[] = {
		{ "icmp-host-unreachable", "host unreachable or prohibited" },
		{ "icmp-admin-prohibited", "host unreachable or prohibited" },
		{ "icmp-net-unreachable", "network unreachable or prohibited" },
		{ "icmp-proto-unreachable", "protocol unreachable" },
	};
	char command[TEXT];

	if (!isolate())
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct run run;

		snprintf(command, sizeof command,
			 "PATH=$PATH:/sbin:/usr/sbin; iptables -F INPUT && iptables -A "
			 "INPUT -i lo -p tcp --dport 4000 -j REJECT --reject-with %s",
			 kinds[i].answer);
		run = portscan(ARGUMENTS("/bin/sh", "-c", command));
		if (run_exit_status(&run) != 0) {
			skipped("needs iptables");
			return;
		}
		run = portscan(
			ARGUMENTS("portscan", "-a", "-p", "4000-4001", "127.0.0.1"));
		run_expect_status(&run, 1);
		snprintf(command, sizeof command, "4000 +filtered +[^ ]+  \\(%s\\)\n",
			 kinds[i].reason);
		expect_match(run.out, command);
		assert_line(&run, 4001, "closed");
	}
}
END_TEST

/* ---- ourselves ------------------------------------------------------------------------- */

START_TEST(a_port_that_the_kernel_gives_to_ourselves_is_not_open)
{
	const char *const hosts[] = { "127.0.0.1", "::1", "0.0.0.0" };

	if (!isolate() || !limit_source_ports("40000 40000"))
		return;
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct run run = portscan(
			ARGUMENTS("portscan", "-a", "-p", "40000,40001", hosts[i]));

		run_expect_status(&run,
				  1); /* each attempt at 40000 has come from 40000 */
		assert_line(&run, 40000, "closed");
		assert_line(&run, 40001, "closed");
	}
}
END_TEST

START_TEST(of_all_source_ports_just_the_listener_is_open)
{
	struct place listening;

	if (!isolate() || !limit_source_ports("40000 40007"))
		return;
	listening = listen_at("127.0.0.1", "40005", 128);
	for (int i = 0; i < 50; i++) {
		struct run run =
			portscan(ARGUMENTS("portscan", "-p", "40000-40007", "127.0.0.1"));

		run_expect_status(&run, 0);
		assert_line(&run, 40005, "open");
		assert_summary(&run, "127\\.0\\.0\\.1",
			       "1 open, 7 closed, 0 filtered of 8");
	}
	leave(&listening);
}
END_TEST

/* How many sockets of this network are in TIME_WAIT. */
static unsigned count_time_waits(void)
{
	FILE *table = fopen("/proc/self/net/tcp", "r");
	char line[TEXT];
	unsigned count = 0, state;

	ck_assert_ptr_nonnull(table);
	while (fgets(line, sizeof line, table) != NULL)
		count += sscanf(line, "%*s %*s %*s %x", &state) == 1 && state == 6;
	fclose(table);
	return count;
}

START_TEST(nothing_lingers_after_a_scan)
{
	struct place listening;
	struct run run;

	if (!isolate())
		return;
	listening = listen_at("127.0.0.1", "4000", 128);
	run = portscan(ARGUMENTS("portscan", "-p", "1-65535", "127.0.0.1"));
	run_expect_status(&run, 0);
	ck_assert_uint_eq(count_time_waits(), 0);
	leave(&listening);
}
END_TEST

START_TEST(all_ports_are_scanned_and_just_the_listeners_found)
{
	struct place low, middle, high;
	struct run run;

	if (!isolate())
		return;
	low = listen_at("127.0.0.1", "1", 128);
	middle = listen_at("127.0.0.1", "33000", 128);
	high = listen_at("127.0.0.1", "65535", 128);
	for (int i = 0; i < 3; i++) {
		run = portscan(ARGUMENTS("portscan", "-p", "1-65535", "127.0.0.1"));
		run_expect_status(&run, 0);
		assert_line(&run, low.port, "open");
		assert_line(&run, middle.port, "open");
		assert_line(&run, high.port, "open");
		assert_summary(&run, "127\\.0\\.0\\.1",
			       "3 open, 65532 closed, 0 filtered of 65535");
	}
	leave(&low);
	leave(&middle);
	leave(&high);
}
END_TEST

START_TEST(the_well_known_ports_are_the_default_and_have_names)
{
	struct place listening, beyond;
	struct run run;

	if (!isolate())
		return;
	listening = listen_at("127.0.0.1", "80", 128);
	beyond = listen_at("127.0.0.1", "1024", 128);
	run = portscan(ARGUMENTS("portscan", "127.0.0.1"));
	run_expect_status(&run, 0);
	assert_summary(&run, "127\\.0\\.0\\.1",
		       "1 open, 1022 closed, 0 filtered of 1023");
	if (getservbyname("http", "tcp") == NULL)
		skipped("needs /etc/services");
	else
		expect_match(run.out, "^80     open      http\n");
	run = portscan(ARGUMENTS("portscan", "-q", "-p", "1024", "127.0.0.1"));
	expect_match(run.out, "^1024   open      1024\n$");
	leave(&listening);
	leave(&beyond);
}
END_TEST

/* ---- shortages ------------------------------------------------------------------------- */

/* Leaves the program so many descriptors beside 0, 1 and 2, and no way to have more. One at
 * least, or it could not load its libraries. */
static void leave_descriptors(void *context)
{
	rlim_t most = 3 + *(const rlim_t *)context;

	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ most, most });
}

START_TEST(few_descriptors_make_it_slow_but_not_wrong)
{
	struct place silent[3], listening, closed;
	rlim_t left = 2; /* a poller, and one attempt */
	struct run run;

	for (int i = 0; i < 3; i++)
		if (!listen_silently(&silent[i]))
			return;
	listening = listen_at("127.0.0.1", "0", 8);
	closed = reserve_at("127.0.0.1", "0");
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(
			"portscan", "-a", "-w", slow_seconds(0.2), "-n", "0", "-p",
			PORTS_OF(&silent[0], &silent[1], &silent[2], &listening, &closed),
			"127.0.0.1"),
		.prepare = leave_descriptors,
		.context = &left,
	});
	run_expect_status(&run, 0);
	assert_line(&run, listening.port, "open");
	assert_line(&run, closed.port, "closed");
	for (int i = 0; i < 3; i++)
		assert_line(&run, silent[i].port, "filtered");
	for (int i = 0; i < 3; i++)
		leave(&silent[i]);
	leave(&listening);
	leave(&closed);
}
END_TEST

START_TEST(without_a_descriptor_to_connect_with_it_says_so)
{
	struct place closed = reserve_at("127.0.0.1", "0");
	rlim_t left = 1; /* a poller */
	struct run run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("portscan", "-p", PORTS_OF(&closed), "127.0.0.1"),
		.prepare = leave_descriptors,
		.context = &left,
	});

	run_expect_status(&run, 1);
	if (run.err[0] == '\0') {
		skipped("needs a poller that takes a descriptor");
	} else {
		char says[TEXT];

		snprintf(says, sizeof says, "portscan: scan stopped: %s\n",
			 strerror(EMFILE));
		ck_assert_str_eq(run.err, says);
		assert_summary(&run, "127\\.0\\.0\\.1",
			       "0 open, 0 closed, 0 filtered, 1 unknown of 1");
	}
	leave(&closed);
}
END_TEST

START_TEST(waits_for_a_source_port)
{
	struct place taken, listening;
	struct program program;
	char output[TEXT] = "";
	struct run run;
	size_t used = 0;

	if (!isolate() || !limit_source_ports("40000 40000"))
		return;
	listening = listen_at("127.0.0.1", "4000", 8);
	taken = reserve_at("127.0.0.1", "40000");
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("portscan", "-a", "-p", "4000-4001", "127.0.0.1"),
	});
	while (strchr(output, '\n') == NULL) {
		ssize_t n;

		ck_assert_int_gt(io_wait(program.err, POLLIN, WAIT_MS), 0);
		n = io_read(program.err, output + used, sizeof output - used - 1);
		ck_assert_int_gt(n, 0);
		used += (size_t)n;
		output[used] = '\0';
	}
	expect_match(output, "^portscan: waiting, [^\n]*: No source port is free\n$");
	leave(&taken);
	run = program_wait(&program, LONG_WAIT_MS);
	run_expect_status(&run, 0);
	assert_line(&run, 4000, "open");
	assert_line(&run, 4001, "closed");
	leave(&listening);
}
END_TEST

START_TEST(rate_spreads_the_attempts)
{
	struct place closed[11];
	const struct place *list[12] = { NULL };
	int64_t began;
	struct run run;

	for (int i = 0; i < 11; i++) {
		closed[i] = reserve_at("127.0.0.1", "0");
		list[i] = &closed[i];
	}
	began = clock_milliseconds();
	run = portscan(
		ARGUMENTS("portscan", "-r", "20", "-p", list_of(list), "127.0.0.1"));
	run_expect_status(&run, 1);
	ck_assert_int_ge(clock_milliseconds() - began, 500 - 10);
	for (int i = 0; i < 11; i++)
		leave(&closed[i]);
}
END_TEST

/* ---- hosts ----------------------------------------------------------------------------- */

static bool has_ipv6(void)
{
	struct sock_place where = { "::1", "0", SOCK_STREAM, 1 };
	int fd = sock_listen(&where, NULL);

	if (fd < 0)
		skipped("needs IPv6 (::1)");
	else
		close(fd);
	return fd >= 0;
}

START_TEST(ipv6_addresses_are_scanned)
{
	const char *const hosts[] = { "::1", "[::1]" };
	struct place listening;

	if (!has_ipv6())
		return;
	listening = listen_at("::1", "0", 8);
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct run run = portscan(ARGUMENTS("portscan", "-6", "-p",
						    PORTS_OF(&listening), hosts[i]));

		run_expect_status(&run, 0);
		assert_line(&run, listening.port, "open");
		assert_summary(&run, "::1", "1 open, 0 closed, 0 filtered of 1");
	}
	leave(&listening);
}
END_TEST

START_TEST(the_other_family_is_not_found)
{
	struct run run = portscan(ARGUMENTS("portscan", "-4", "::1"));

	run_expect_status(&run, 1);
	expect_match(run.err, "^portscan: cannot find host ::1: [^\n]+\n$");
	ck_assert_str_eq(run.out, "");
	run = portscan(ARGUMENTS("portscan", "-6", "127.0.0.1"));
	run_expect_status(&run, 1);
}
END_TEST

START_TEST(a_host_that_does_not_exist_is_one_line)
{
	struct run run = portscan(ARGUMENTS("portscan", "no\x1bhost.invalid"));

	run_expect_status(&run, 1);
	expect_match(run.err,
		     "^portscan: cannot find host no\\\\x1bhost\\.invalid: [^\n]+\n$");
	ck_assert_str_eq(run.out, "");
}
END_TEST

START_TEST(an_address_without_a_way_is_not_scanned)
{
	struct run run;

	if (!isolate()) /* which has nothing but its loopback */
		return;
	run = portscan(ARGUMENTS("portscan", "192.0.2.1")); /* TEST-NET-1, RFC 5737 */
	run_expect_status(&run, 1);
	expect_match(run.err, "^portscan: no route to 192\\.0\\.2\\.1: [^\n]+\n$");
	ck_assert_str_eq(run.out, "");
}
END_TEST

/* A host with two addresses, the second of which somebody listens on, and one with an address
 * to which there is no way. @return false, having said so: not to be had here */
static bool listen_on_the_second_address(struct place *place)
{
	static const struct name_record records[] = { { NULL, RECORD_SILENCE, NULL } };
	static const struct private_system system = {
		"this.test",
		"127.0.0.1 two.test far.test\n127.0.0.2 two.test\n192.0.2.1 far.test\n",
		records,
	};

	if (!private_system_enter(&system))
		return false;
	*place = listen_at("127.0.0.2", "0", 8);
	return true;
}

START_TEST(an_address_that_is_not_scanned_is_named)
{
	struct place place;
	struct run run;

	if (!listen_on_the_second_address(&place))
		return;
	run = portscan(ARGUMENTS("portscan", "-p", PORTS_OF(&place), "two.test"));
	run_expect_status(&run, 1);
	expect_match(
		run.out,
		"^127\\.0\\.0\\.1: 0 open, 1 closed, 0 filtered of 1 ports in [0-9.]+ "
		"s\n127\\.0\\.0\\.2: not scanned \\(use --all-addresses\\)\n$");
	run = portscan(
		ARGUMENTS("portscan", "--json", "-p", PORTS_OF(&place), "two.test"));
	run_expect_status(&run, 1);
	expect_match(run.out,
		     "\"address\":\"127\\.0\\.0\\.1\",.*\"not_scanned\":\\[\\{"
		     "\"address\":\"127\\.0\\.0\\.2\",\"reason\":\"[^\"]+\"\\}\\]"
		     "\\}\n$");
	run = portscan(ARGUMENTS("portscan", "-q", "-p", PORTS_OF(&place), "two.test"));
	ck_assert_str_eq(run.out, "");
	leave(&place);
}
END_TEST

START_TEST(all_addresses_are_scanned_on_request)
{
	struct place place;
	struct run run;
	char pattern[TEXT];

	if (!listen_on_the_second_address(&place))
		return;
	run = portscan(ARGUMENTS("portscan", "--all-addresses", "-p", PORTS_OF(&place),
				 "two.test"));
	run_expect_status(&run, 0);
	snprintf(
		pattern, sizeof pattern,
		"^127\\.0\\.0\\.1: 0 open, 1 closed, 0 filtered of 1 ports in [0-9.]+ s\n"
		"%u +open +[^ ]+  127\\.0\\.0\\.2\n"
		"127\\.0\\.0\\.2: 1 open, 0 closed, 0 filtered of 1 ports in [0-9.]+ "
		"s\n$",
		place.port);
	expect_match(run.out, pattern);
	run = portscan(ARGUMENTS("portscan", "--all-addresses", "--json", "-p",
				 PORTS_OF(&place), "two.test"));
	run_expect_status(&run, 0);
	snprintf(
		pattern, sizeof pattern,
		"^\\{\"host\":\"two.test\",\"addresses\":\\[\\{\"address\":\"127\\.0\\."
		"0\\.1\","
		"\"scanned\":1,[^{}]*\\},\\{\"address\":\"127\\.0\\.0\\.2\",\"scanned\":"
		"1,"
		"[^{}]*\"ports\":\\[\\{\"port\":%u,\"state\":\"open\",[^{}]*\\}\\]\\}\\],"
		"\"not_scanned\":\\[\\]\\}\n$",
		place.port);
	expect_match(run.out, pattern);
	leave(&place);
}
END_TEST

START_TEST(an_address_without_a_way_is_named_with_the_reason)
{
	struct place place;
	struct run run;
	char pattern[TEXT];

	if (!listen_on_the_second_address(&place))
		return;
	run = portscan(ARGUMENTS("portscan", "--all-addresses", "-p", PORTS_OF(&place),
				 "far.test"));
	run_expect_status(&run, 1);
	snprintf(pattern, sizeof pattern,
		 "^127\\.0\\.0\\.1: 0 open, [^\n]*\n192\\.0\\.2\\.1: not scanned "
		 "\\(%s\\)\n$",
		 strerror(ENETUNREACH));
	expect_match(run.out, pattern);
	leave(&place);
}
END_TEST

/* ---- how it is told -------------------------------------------------------------------- */

START_TEST(json_is_one_object)
{
	struct place silent, listening, closed;
	char pattern[TEXT];
	struct run run;

	if (!listen_silently(&silent))
		return;
	listening = listen_at("127.0.0.1", "0", 8);
	closed = reserve_at("127.0.0.1", "0");
	run = portscan(ARGUMENTS("portscan", "--json", "-a", "-w", slow_seconds(0.2),
				 "-n", "0", "-p", PORTS_OF(&silent, &listening, &closed),
				 "127.0.0.1"));
	run_expect_status(&run, 0);
	expect_match(run.out,
		     "^\\{\"host\":\"127\\.0\\.0\\.1\",\"address\":\"127\\.0\\.0\\.1\","
		     "\"scanned\":3,\"seconds\":[0-9]+\\.[0-9]+,\"unknown\":0,"
		     "\"open\":1,\"closed\":1,\"filtered\":1,\"ports\":\\[.*\\]\\}\n$");
	snprintf(pattern, sizeof pattern,
		 "\\{\"port\":%u,\"state\":\"open\",\"service\":(null|\"[^\"]+\")\\}",
		 listening.port);
	expect_match(run.out, pattern);
	snprintf(pattern, sizeof pattern, "\\{\"port\":%u,\"state\":\"closed\",",
		 closed.port);
	expect_match(run.out, pattern);
	snprintf(pattern, sizeof pattern,
		 "\\{\"port\":%u,\"state\":\"filtered\",\"service\":(null|\"[^\"]+\"),"
		 "\"reason\":\"no answer\"\\}",
		 silent.port);
	expect_match(run.out, pattern);
	leave(&silent);
	leave(&listening);
	leave(&closed);
}
END_TEST

/* Reads what a terminal is sent until text comes. */
static void wait_for_text(int terminal, const char *text)
{
	char shown[TEXT] = "";
	size_t used = 0;

	while (strstr(shown, text) == NULL) {
		ssize_t n;

		ck_assert_msg(io_wait(terminal, POLLIN, WAIT_MS) > 0,
			      "the terminal shows '%s' and not '%s'", shown, text);
		if (used > TEXT / 2)
			used = 0; /* the beginning is of no more interest */
		n = io_read(terminal, shown + used, sizeof shown - used - 1);
		ck_assert_int_gt(n, 0);
		used += (size_t)n;
		shown[used] = '\0';
	}
}

START_TEST(an_interrupt_prints_what_is_known_so_far)
{
	int terminal, slave;
	struct place silent, listening, closed;
	struct program program;
	struct run run;

	if (!terminal_open(&terminal, &slave))
		return;
	if (!listen_silently(&silent))
		return;
	listening = listen_at("127.0.0.1", "0", 8);
	closed = reserve_at("127.0.0.1", "0");
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("portscan", "-a", "-w", "60", "-p",
				  PORTS_OF(&silent, &listening, &closed), "127.0.0.1"),
		.prepare = errors_are_terminal,
		.context = &slave,
	});
	wait_for_text(terminal, "\r2 of 3 ports, 1 open\033[K");
	kill(program.pid, SIGINT);
	wait_for_text(terminal, "portscan: interrupted\r\n");
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 1);
	assert_line(&run, listening.port, "open");
	assert_line(&run, closed.port, "closed");
	assert_no_line(&run, silent.port);
	assert_summary(&run, "127\\.0\\.0\\.1",
		       "1 open, 1 closed, 0 filtered, 1 unknown of 3");
	close(slave);
	close(terminal);
	leave(&silent);
	leave(&listening);
	leave(&closed);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
	int full = open("/dev/full", O_WRONLY);
	struct place listening;
	struct run run;

	if (full < 0) {
		skipped("needs /dev/full");
		return;
	}
	listening = listen_at("127.0.0.1", "0", 8);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("portscan", "-p", PORTS_OF(&listening), "127.0.0.1"),
		.prepare = output_is_full,
		.context = &full,
	});
	run_expect_status(&run, 1);
	expect_match(run.err, "^portscan: cannot write to standard output: [^\n]+\n$");
	leave(&listening);
	close(full);
}
END_TEST

/* ---- usage ----------------------------------------------------------------------------- */

static const struct {
	const char *arguments[4];
	const char *complaint;
} usage_errors[] = {
	{ { NULL }, "HOST is missing" },
	{ { "127.0.0.1", "::1" }, "more than one HOST is given" },
	{ { "127.0.0.1:80" }, "unexpected port after HOST (use -p)" },
	{ { "" }, "'' is not HOST, HOST:PORT or [IPV6]:PORT" },
	{ { "-p", "0", "127.0.0.1" },
	  "-p, --ports: '0' is not a port (1 to 65535), a range such as 8000-8100, or "
	  "the name of a service" },
	{ { "-p", "5-3", "127.0.0.1" },
	  "-p, --ports: the range '5-3' ends before its first port" },
	{ { "-p", "", "127.0.0.1" }, "-p, --ports: empty item in the list ''" },
	{ { "-p" }, "-p, --ports needs an argument (PORTS)" },
	{ { "-w", "0", "127.0.0.1" }, "-w, --wait: '0' must be more than 0 seconds" },
	{ { "-w", "x", "127.0.0.1" },
	  "-w, --wait: 'x' is not a time of 0 to 3600 seconds, such as 2 or 0.5" },
	{ { "-n", "101", "127.0.0.1" },
	  "-n, --retries: '101' is not a number from 0 to 100" },
	{ { "-j", "0", "127.0.0.1" },
	  "-j, --in-flight: '0' is not a number from 1 to 65535" },
	{ { "-r", "0", "127.0.0.1" },
	  "-r, --rate: '0' is not a number from 1 to 1000000" },
	{ { "-k", "127.0.0.1" }, "unknown option -k" },
};

enum { USAGE_ERRORS = sizeof usage_errors / sizeof usage_errors[0] };

START_TEST(bad_usage_is_one_clear_line)
{
	const char *argv[6] = { "portscan" };
	char expected[TEXT];
	struct run run;

	memcpy(argv + 1, usage_errors[_i].arguments, sizeof usage_errors[_i].arguments);
	run = portscan(argv);
	run_expect_status(&run, 2);
	snprintf(expected, sizeof expected, "portscan: %s; try 'portscan -h'\n",
		 usage_errors[_i].complaint);
	ck_assert_str_eq(run.err, expected);
	ck_assert_str_eq(run.out, "");
}
END_TEST

START_TEST(help_and_version_go_to_standard_output)
{
	struct run run = portscan(ARGUMENTS("portscan", "-h"));

	run_expect_status(&run, 0);
	expect_match(run.out, "^usage: portscan \\[options\\] HOST\n");
	ck_assert_str_eq(run.err, "");
	run = portscan(ARGUMENTS("portscan", "--version"));
	run_expect_status(&run, 0);
	expect_match(run.out, "^portscan \\(sockways\\) [^\n]+\n$");
}
END_TEST

Suite *suite_portscan(void)
{
	Suite *suite = suite_create("portscan");
	TCase *tcase = add_case(suite, "what is found");

	tcase_add_test(tcase, lists_the_open_port_and_not_the_closed_one);
	tcase_add_test(tcase, a_real_server_goes_on_after_it_was_scanned);
	tcase_add_test(tcase, exits_1_when_none_is_open);
	tcase_add_test(tcase,
		       all_shows_the_closed_ones_too_in_the_order_of_their_numbers);
	tcase_add_test(tcase, quiet_prints_nothing_but_the_ports);
	tcase_add_test(tcase, a_server_that_resets_whoever_comes_is_open);
	tcase_add_test(tcase, what_connecting_ends_with_tells_the_state);
	tcase_add_test(tcase, all_ports_are_scanned_and_just_the_listeners_found);
	tcase_add_test(tcase, the_well_known_ports_are_the_default_and_have_names);
	tcase = add_case(suite, "those that say nothing");
	tcase_add_test(tcase, a_full_backlog_is_filtered);
	tcase_add_test(tcase, each_attempt_has_the_time_of_wait);
	tcase_add_test(tcase, many_silent_ports_are_waited_for_at_the_same_time);
	tcase_add_test(tcase, one_at_a_time_takes_the_sum);
	tcase_add_test(tcase, a_retry_finds_the_server_that_was_busy);
	tcase_add_test(tcase, what_a_firewall_answers_is_filtered_and_reported);
	tcase = add_case(suite, "ourselves");
	tcase_add_test(tcase, a_port_that_the_kernel_gives_to_ourselves_is_not_open);
	tcase_add_test(tcase, of_all_source_ports_just_the_listener_is_open);
	tcase_add_test(tcase, nothing_lingers_after_a_scan);
	tcase = add_case(suite, "shortages");
	tcase_add_test(tcase, few_descriptors_make_it_slow_but_not_wrong);
	tcase_add_test(tcase, without_a_descriptor_to_connect_with_it_says_so);
	tcase_add_test(tcase, waits_for_a_source_port);
	tcase_add_test(tcase, rate_spreads_the_attempts);
	tcase = add_case(suite, "hosts");
	tcase_add_test(tcase, ipv6_addresses_are_scanned);
	tcase_add_test(tcase, the_other_family_is_not_found);
	tcase_add_test(tcase, a_host_that_does_not_exist_is_one_line);
	tcase_add_test(tcase, an_address_without_a_way_is_not_scanned);
	tcase_add_test(tcase, an_address_that_is_not_scanned_is_named);
	tcase_add_test(tcase, all_addresses_are_scanned_on_request);
	tcase_add_test(tcase, an_address_without_a_way_is_named_with_the_reason);
	tcase = add_case(suite, "how it is told");
	tcase_add_test(tcase, json_is_one_object);
	tcase_add_test(tcase, an_interrupt_prints_what_is_known_so_far);
	tcase_add_test(tcase, a_full_disk_is_an_error);
	tcase = add_case(suite, "usage");
	tcase_add_loop_test(tcase, bad_usage_is_one_clear_line, 0, USAGE_ERRORS);
	tcase_add_test(tcase, help_and_version_go_to_standard_output);
	return suite;
}
