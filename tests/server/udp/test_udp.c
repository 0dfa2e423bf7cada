/*
 * The servers on a datagram socket, in every model: who answers whom, from where, with how
 * much, and how long a peer is remembered.
 */
#ifdef __linux__
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum {
	PEERS = 200,
	TURNS = SANITIZED ? 2000 : 6000,
	AT_ONCE = 24,    /* datagrams under way: fewer than any socket's buffer holds */
	LONGEST = 65507, /* over IPv4 */
	LONGEST_IPV6 = 65527,
	LONGEST_IN_TURN = 900,
	TEXT = 256,
};

static struct server start_at(int model, const char *service, const char *host,
			      const char *const options[])
{
	const char *with_udp[12] = { "-u" };

	for (int i = 0; options != NULL && options[i] != NULL; i++)
		with_udp[i + 1] = options[i];
	return server_start_with(&(struct server_setup){
		.program = model_program(model, service),
		.options = with_udp,
		.host = host,
		.type = SOCK_DGRAM,
	});
}

static struct server start(int model, const char *service, const char *const options[])
{
	return start_at(model, service, NULL, options);
}

/* The next datagram must be just this one. */
static void expect_datagram(int fd, const void *bytes, size_t length)
{
	static char got[LONGEST_IPV6 + 100];
	ssize_t n = recv(fd, got, sizeof got, 0);
	char text[TEXT];

	ck_assert_msg(n >= 0, "no datagram of %zu bytes comes: %s", length,
		      strerror(errno));
	text_escape(got, (size_t)n, text, sizeof text);
	ck_assert_msg((size_t)n == length && memcmp(got, bytes, length) == 0,
		      "a datagram of %zd bytes came, '%s', not the one of %zu", n, text,
		      length);
}

static void send_datagram(int fd, const void *bytes, size_t length)
{
	ssize_t n = send(fd, bytes, length, 0);

	ck_assert_msg(n == (ssize_t)length, "cannot send: %s", strerror(errno));
}

static void exchange(int fd, const char *request, const char *reply)
{
	send_datagram(fd, request, strlen(request));
	expect_datagram(fd, reply, strlen(reply));
}

static void expect_silence(int fd)
{
	ck_assert_msg(io_wait(fd, POLLIN, 0) == 0, "a datagram came that should not");
}

/* How often the server has said that it heard of this peer anew. */
static unsigned times_begun(const struct server *server, int fd)
{
	char name[ADDRESS_TEXT], event[TEXT];

	snprintf(event, sizeof event, "]: %s: first datagram", client_address(fd, name));
	return server_count_lines(server, event);
}

/* "echod-fork[123]: 127.0.0.1:4567: 10 bytes in, 10 out, 0.002 s": a worker's last word. */
static const char *farewell(const struct server *server, int fd)
{
	char name[ADDRESS_TEXT], event[TEXT], digits[] = "0123456789";
	const char *text = server_errors(server);

	snprintf(event, sizeof event, "]: %s: ", client_address(fd, name));
	while ((text = strstr(text, event)) != NULL) {
		text += strlen(event);
		if (strncmp(text + strspn(text, digits), " bytes in, ", 11) == 0)
			return text;
	}
	return NULL;
}

struct leaving {
	const struct server *server;
	int fd;
};

static bool has_left(void *context)
{
	const struct leaving *leaving = context;

	return farewell(leaving->server, leaving->fd) != NULL;
}

static void expect_leaves(const struct server *server, int fd)
{
	struct leaving leaving = { server, fd };

	ck_assert_msg(eventually(has_left, &leaving, WAIT_MS), "it is kept: %s",
		      server_errors(server));
}

/* ---- each peer its worker -------------------------------------------------------------- */

struct peer_under_test {
	int fd;
	unsigned turns;
	size_t bytes;
};

static struct peer_under_test peers[PEERS];

/* What a peer says at one of its turns: nobody else says so, nor it again. */
static size_t write_turn(char *out, int peer, unsigned turn)
{
	size_t n = (size_t)snprintf(out, 40, "peer %d, turn %u.", peer, turn);
	size_t more = (unsigned)(peer * 31 + (int)turn * 7) % LONGEST_IN_TURN;

	fill_pattern(out + n, more, turn * 1000u + (unsigned)peer);
	return n + more;
}

/* Some peers, drawn by chance and perhaps more than once, speak; then all is heard. */
static void take_turns(int count)
{
	char sent[LONGEST_IN_TURN + 40];
	int drawn[AT_ONCE];
	unsigned turn[AT_ONCE];

	for (int i = 0; i < count; i++) {
		struct peer_under_test *peer = &peers[drawn[i] = rand() % PEERS];
		size_t n = write_turn(sent, drawn[i], turn[i] = peer->turns++);

		send_datagram(peer->fd, sent, n);
		peer->bytes += n;
	}
	for (int i = 0; i < count; i++)
		expect_datagram(peers[drawn[i]].fd, sent,
				write_turn(sent, drawn[i], turn[i]));
}

static void expect_workers(const struct server *server, int model,
			   const struct process_tree *before, unsigned count)
{
	struct process_tree tree = process_tree(server->pid);

	if (!process_facts_available())
		return;
	ck_assert_uint_eq(tree.zombies, 0);
	if (!model_shares_a_server(model))
		return; /* the tree is that of the super-server */
	if (model_has_processes(model))
		ck_assert_uint_eq(tree.children, count);
	else
		ck_assert_uint_eq(tree.children, 0);
	if (model_has_threads(model) && SANITIZED) /* which may add a thread of its own */
		ck_assert_uint_le(tree.threads - count - before->threads, 1);
	else if (model_has_threads(model))
		ck_assert_uint_eq(tree.threads, before->threads + count);
	else if (!model_has_processes(model))
		ck_assert_uint_eq(tree.threads, before->threads);
}

/* A peer has been led by one worker from its first datagram to its last, if that one's
 * last word counts all of them, and there was but one such word. @return its process */
static long expect_one_life(const struct server *server,
			    const struct peer_under_test *peer)
{
	char name[ADDRESS_TEXT], event[TEXT];
	const char *line;
	long pid;

	ck_assert_uint_eq(times_begun(server, peer->fd), 1);
	snprintf(event, sizeof event, "]: %s: ", client_address(peer->fd, name));
	ck_assert_uint_eq(server_count_lines(server, event), 2);
	snprintf(event, sizeof event, "]: %s: %zu bytes in, %zu out, ", name, peer->bytes,
		 peer->bytes);
	line = strstr(server_errors(server), event);
	ck_assert_msg(line != NULL, "no '%s': %s", event, farewell(server, peer->fd));
	while (*line != '[')
		line--;
	ck_assert_int_eq(sscanf(line, "[%ld]", &pid), 1);
	return pid;
}

static int by_number(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static void expect_processes(const struct server *server, int model, long server_pid)
{
	static long pids[PEERS];

	for (int i = 0; i < PEERS; i++)
		pids[i] = expect_one_life(server, &peers[i]);
	qsort(pids, PEERS, sizeof *pids, by_number);
	if (!model_shares_a_server(model))
		server_pid = pids[0]; /* server_pid is the super-server */
	for (int i = 0; i < PEERS; i++) {
		if (!model_has_processes(model))
			ck_assert_int_eq(pids[i], server_pid);
		else
			ck_assert(pids[i] != server_pid &&
				  (i == 0 || pids[i] != pids[i - 1]));
	}
}

START_TEST(two_hundred_peers_in_random_turns_have_a_worker_each_for_life)
{
	struct server server = start(_i, "echo", ARGUMENTS("-vv"));
	char total[TEXT];
	struct process_tree before;
	long server_pid = server.pid;
	size_t bytes = 0;

	server_wait_line(&server, "listening on", WAIT_MS);
	before = process_tree(server.pid);
	srand(1);
	for (int i = 0; i < PEERS; i++)
		peers[i] = (struct peer_under_test){ .fd = client_connect(&server) };
	for (int turns = 0; turns < TURNS; turns += AT_ONCE)
		take_turns(AT_ONCE);
	for (int i = 0; i < PEERS; i++) {
		ck_assert_uint_gt(peers[i].turns, 0);
		expect_silence(peers[i].fd);
		bytes += peers[i].bytes;
	}
	expect_workers(&server, _i, &before, PEERS);
	server_finish(&server);
	expect_processes(&server, _i, server_pid);
	snprintf(total, sizeof total,
		 ": served %d clients, dropped 0; %zu bytes in, %zu out; ", PEERS, bytes,
		 bytes);
	ck_assert_uint_eq(server_count_lines(&server, total), 1);
}
END_TEST

/* Asked at @p host, the server must answer from there: its address and its port. */
static void expect_answer_from(const struct server *server, const char *host)
{
	int fd = client_connect_by(SOCK_DGRAM, host, server->port);
	struct address asked, answered;
	char got[16], asked_text[ADDRESS_TEXT], answered_text[ADDRESS_TEXT];
	ssize_t n;

	ck_assert_int_eq(address_peer(fd, &asked), 0);
	memset(&answered, 0, sizeof answered);
	answered.length = sizeof answered.v6;
	/* unconnected, or it would not hear anybody else */
	ck_assert_int_eq(connect(fd, &(struct sockaddr){ .sa_family = AF_UNSPEC },
				 sizeof(struct sockaddr)),
			 0);
	ck_assert_int_eq(sendto(fd, "hello", 5, 0, &asked.any, asked.length), 5);
	n = recvfrom(fd, got, sizeof got, 0, &answered.any, &answered.length);
	ck_assert_msg(n == 5, "no answer from %s: %s", host, strerror(errno));
	ck_assert_str_eq(address_text(&answered, answered_text),
			 address_text(&asked, asked_text));
	client_close(fd);
}

START_TEST(answers_come_from_the_address_and_port_written_to)
{
	static const struct {
		const char *bound, *hosts[5];
	} places[] = {
		{ "127.0.0.1", { "127.0.0.1" } },
		{ "127.0.0.2", { "127.0.0.2" } },
		{ "0.0.0.0", { "127.0.0.1", "127.0.0.2", "127.9.8.7", "127.0.0.1" } },
		{ "::1", { "::1" } },
		{ "::", { "::1", "127.0.0.1", "127.0.0.2", "::1" } },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct server server;

		if (strchr(places[i].bound, ':') != NULL && !network_has_ipv6())
			break;
		if (places[i].hosts[1] != NULL && !programs_use("IP_PKTINFO"))
			continue;
		server = start_at(_i, "echo", places[i].bound, NULL);
		for (int j = 0; places[i].hosts[j] != NULL; j++)
			expect_answer_from(&server, places[i].hosts[j]);
		server_finish(&server);
	}
}
END_TEST

/* Asks all that hear it. @return who has answered "hello" */
static struct address answer_of_all(int fd, const char *everybody, unsigned port)
{
	struct address_query query = { AF_UNSPEC, SOCK_DGRAM, false };
	struct addrinfo *to;
	struct address from;
	struct failure failure;
	char number[8], got[16];
	int yes = 1;
	ssize_t n;

	snprintf(number, sizeof number, "%u", port);
	ck_assert_msg(address_resolve(everybody, number, &query, &to, &failure) == 0,
		      "%s", failure.text);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes), 0);
	ck_assert_int_eq(sock_set_timeout(fd, WAIT_MS), 0);
	ck_assert_msg(sendto(fd, "hello", 5, 0, to->ai_addr, to->ai_addrlen) == 5,
		      "%s: %s", everybody, strerror(errno));
	freeaddrinfo(to);
	memset(&from, 0, sizeof from);
	from.length = sizeof from.v6;
	n = recvfrom(fd, got, sizeof got, 0, &from.any, &from.length);
	ck_assert_msg(n == 5 && memcmp(got, "hello", 5) == 0, "%s: no answer: %s",
		      everybody, strerror(errno));
	ck_assert_uint_eq(address_port(&from), port);
	return from;
}

static void expect_host(const struct address *address, const char *host)
{
	char text[ADDRESS_TEXT], expected[ADDRESS_TEXT];

	snprintf(expected, sizeof expected, "%s:%u", host, address_port(address));
	ck_assert_str_eq(address_text(address, text), expected);
}

/* A socket at a port that no server has: these take ports from 32768 on. With the port of the
 * server it would receive its own request to all, and take that for the answer. */
static int open_asker(bool ipv6)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(20000) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(20000) };
	int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	int bound = ipv6 ? bind(fd, (struct sockaddr *)&v6, sizeof v6)
			 : bind(fd, (struct sockaddr *)&v4, sizeof v4);

	ck_assert_int_eq(bound, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "wire", 5), 0);
	return fd;
}

/* Whoever is at the other end of a wire asks by broadcast or multicast. */
START_TEST(a_request_to_all_is_answered_from_the_address_of_the_interface)
{
	static const struct {
		const char *bound, *everybody;
	} places[] = {
		{ "0.0.0.0", "10.9.0.1" },      { "0.0.0.0", "10.9.0.255" },
		{ "0.0.0.0", "224.0.0.1" },     { "0.0.0.0", "255.255.255.255" },
		{ "10.9.0.255", "10.9.0.255" }, { "::", "10.9.0.255" },
		{ "::", "ff02::1%wire" },
	};
	struct network_wire wire;

	if (!network_enter_wire(&wire)) {
		skipped("needs a network namespace of its own");
		return;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		bool ipv6 = strchr(places[i].everybody, ':') != NULL;
		struct address from;
		struct server server;
		int fd;

		if (strchr(places[i].bound, ':') != NULL && !wire.ipv6)
			continue;
		ck_assert(network_enter(wire.here));
		server = start_at(_i, "echo", places[i].bound, NULL);
		ck_assert(network_enter(wire.there));
		fd = open_asker(ipv6);
		from = answer_of_all(fd, places[i].everybody, server.port);
		if (ipv6)
			ck_assert(IN6_IS_ADDR_LINKLOCAL(&from.v6.sin6_addr));
		else
			expect_host(&from, "10.9.0.1");
		close(fd);
		server_finish(&server);
	}
}
END_TEST

START_TEST(a_broadcast_on_the_loopback_is_answered)
{
	struct server server = start_at(_i, "echo", "0.0.0.0", NULL);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct address from = answer_of_all(fd, "127.255.255.255", server.port);

	expect_host(&from, "127.0.0.1");
	close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(opens_its_own_socket_and_says_that_it_takes_datagrams)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = ARGUMENTS("-u"),
		.type = SOCK_DGRAM,
		.opens_itself = true,
	});
	char line[TEXT];

	snprintf(line, sizeof line, "%s: listening on 127.0.0.1:%u (udp)\n", server.name,
		 server.port);
	ck_assert_str_eq(server_errors(&server), line);
	exchange(client_connect(&server), "hello", "hello");
	server_finish(&server);
}
END_TEST

START_TEST(a_datagram_socket_that_it_is_given_is_taken)
{
	struct server server = start(_i, "echo", NULL);
	char line[TEXT];

	snprintf(line, sizeof line, "%s: listening on 127.0.0.1:%u (udp)", server.name,
		 server.port);
	ck_assert_str_eq(server_wait_line(&server, "", WAIT_MS), line);
	exchange(client_connect(&server), "hello", "hello");
	server_finish(&server);
}
END_TEST

static void give_stream_socket(void *context)
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 1 };
	char pid[16];

	(void)context;
	dup2(sock_listen(&place, NULL), 3);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

START_TEST(a_stream_socket_is_not_taken_for_datagrams)
{
	struct run run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(model_program(_i, "echo"), "-u"),
		.prepare = give_stream_socket,
	});

	run_expect_status(&run, 1);
	expect_match(run.err, "^[a-z-]+: descriptor 3 \\(LISTEN_FDS\\) is not .* udp "
			      "socket: [^\n]*\n$");
}
END_TEST

START_TEST(help_lists_it_in_every_service)
{
	static const char *const services[] = { "echo",    "discard", "chargen",
						"daytime", "greet",   "reply" };

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		struct run run = run_program(
			ARGUMENTS(model_program(_i, services[i]), "-h"), "", 0, WAIT_MS);

		run_expect_status(&run, 0);
		ck_assert_ptr_nonnull(strstr(run.out, "-u, --udp "));
		ck_assert_ptr_nonnull(strstr(run.out, "--amplify "));
		ck_assert_ptr_nonnull(strstr(run.out, "--repeats N "));
	}
}
END_TEST

/* ---- how long a datagram may be -------------------------------------------------------- */

START_TEST(empty_and_longest_datagrams_come_back_whole)
{
	static char longest[LONGEST];
	struct server server = start(_i, "echo", NULL);
	int fd = client_connect(&server);

	fill_pattern(longest, sizeof longest, 5);
	for (int i = 0; i < 3; i++) {
		exchange(fd, "", "");
		send_datagram(fd, longest, sizeof longest);
		expect_datagram(fd, longest, sizeof longest);
		exchange(fd, "x", "x");
	}
	send_datagram(fd, longest, sizeof longest - 1);
	expect_datagram(fd, longest, sizeof longest - 1);
	server_finish(&server);
}
END_TEST

static void expect_echo(int fd, size_t length)
{
	static char bytes[LONGEST_IPV6];

	fill_pattern(bytes, length, (unsigned)length);
	send_datagram(fd, bytes, length);
	expect_datagram(fd, bytes, length);
}

/* A length of an IPv6 packet is without its header, so 20 more bytes fit in than in IPv4. */
START_TEST(over_ipv6_datagrams_up_to_65527_bytes_come_back_whole)
{
	struct server server;
	int fd;

	if (!network_has_ipv6())
		return;
	server = start_at(_i, "echo", "::1", NULL);
	fd = client_connect(&server);
	for (size_t length = 0; length < LONGEST_IPV6; length += 499)
		expect_echo(fd, length);
	for (size_t length = LONGEST - 4; length <= LONGEST_IPV6; length++)
		expect_echo(fd, length);
	ck_assert_int_eq(send(fd, (char[LONGEST_IPV6 + 1]){ 0 }, LONGEST_IPV6 + 1, 0),
			 -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	server_finish(&server);
}
END_TEST

/* One server on ::, a client over each: the reply is as long as the way to the client lets a
 * datagram be, and not lost since it were longer. */
START_TEST(a_reply_that_is_too_long_is_cut_to_what_its_client_can_be_sent)
{
	static const struct {
		const char *client;
		size_t longest;
	} ways[] = { { "::1", LONGEST_IPV6 }, { "127.0.0.1", LONGEST } };
	static char request[LONGEST_IPV6], answer[LONGEST_IPV6];
	struct server server;

	if (!network_has_ipv6())
		return;
	server = start_at(_i, "reply", "::", ARGUMENTS("--amplify", "-m", "<{}{}>"));
	memset(request, 'x', sizeof request);
	memset(answer, 'x', sizeof answer);
	answer[0] = '<';
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		int fd = client_connect_by(SOCK_DGRAM, ways[i].client, server.port);

		send_datagram(fd, request, ways[i].longest);
		expect_datagram(fd, answer, ways[i].longest);
		client_close(fd);
	}
	server_finish(&server);
}
END_TEST

START_TEST(loadgen_sends_the_longest_over_ipv6)
{
	struct server server;
	struct run run;
	char port[8];

	if (!network_has_ipv6())
		return;
	server = start_at(_i, "echo", "::1", NULL);
	snprintf(port, sizeof port, "%u", server.port);
	run = run_program(ARGUMENTS("loadgen", "-u", "-c", "1", "-s", "65527", "-d",
				    slow_seconds(0.2), "echo", "::1", port),
			  "", 0, WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.out, run.err);
	run = run_program(
		ARGUMENTS("loadgen", "-u", "-s", "65508", "echo", "127.0.0.1", port), "",
		0, WAIT_MS);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "at most 65507 bytes over IPv4"));
	server_finish(&server);
}
END_TEST

static const char first_lines[] = " !\"#$%&'()*+,-./0123456789:;<=>?@";

START_TEST(a_reply_is_no_longer_than_what_it_answers)
{
	static char request[1000];
	struct server chargen = start(_i, "chargen", NULL);
	struct server reply = start(_i, "reply", ARGUMENTS("-m", "{}{}{}{}"));
	struct server greet = start(_i, "greet", NULL);
	int fd = client_connect(&chargen);
	char got[2000];

	for (size_t n = 0; n < sizeof first_lines; n++) {
		send_datagram(fd, request, n);
		expect_datagram(fd, first_lines, n);
	}
	send_datagram(fd, request, sizeof request);
	ck_assert_int_eq(recv(fd, got, sizeof got, 0), 6 * 74);
	fd = client_connect(&reply);
	exchange(fd, "abc", "abc");
	exchange(fd, "", "");
	fd = client_connect(&greet);
	exchange(fd, "1234567", "Welcome");
	exchange(fd, "a request that is long enough", "Welcome to the server\n");
	server_finish(&chargen);
	server_finish(&reply);
	server_finish(&greet);
}
END_TEST

START_TEST(a_reply_may_be_longer_when_the_operator_says_so)
{
	static char request[LONGEST], answer[LONGEST];
	struct server chargen = start(_i, "chargen", ARGUMENTS("--amplify"));
	struct server reply = start(_i, "reply", ARGUMENTS("--amplify", "-m", "<{}{}>"));
	int fd = client_connect(&chargen);
	char got[2000];

	send_datagram(fd, "", 0);
	ck_assert_int_eq(recv(fd, got, sizeof got, 0), 6 * 74);
	ck_assert_mem_eq(got, first_lines, sizeof first_lines - 1);
	fd = client_connect(&reply);
	exchange(fd, "abc", "<abcabc>\n");
	exchange(fd, "", "<>\n");
	/* but not longer than a datagram can be */
	memset(request, 'x', sizeof request);
	memset(answer, 'x', sizeof answer);
	answer[0] = '<';
	send_datagram(fd, request, sizeof request);
	expect_datagram(fd, answer, sizeof answer);
	server_finish(&chargen);
	server_finish(&reply);
}
END_TEST

START_TEST(what_is_discarded_is_not_answered)
{
	struct server server = start(_i, "discard", ARGUMENTS("-vv"));
	int fd = client_connect(&server);

	send_datagram(fd, "hello", 5);
	send_datagram(fd, "", 0);
	server_wait_line(&server, ": first datagram", WAIT_MS);
	server_finish(&server);
	expect_silence(fd);
	ck_assert_uint_eq(server_count_lines(&server, ": 5 bytes in, 0 out, "), 1);
	ck_assert_uint_eq(server_count_lines(&server, "dropped 0; 5 bytes in, 0 out; "),
			  1);
}
END_TEST

/* ---- how long a peer is remembered ----------------------------------------------------- */

START_TEST(when_the_table_is_full_the_one_longest_silent_leaves)
{
	struct server server = start(_i, "echo", ARGUMENTS("-c", "3", "-vv"));
	int a = client_connect(&server), b = client_connect(&server);
	int c = client_connect(&server), d = client_connect(&server);

	exchange(a, "a", "a");
	exchange(b, "b", "b");
	exchange(c, "c", "c");
	exchange(a, "again", "again"); /* now b is the oldest */
	exchange(d, "d", "d");
	expect_leaves(&server, b);
	exchange(b, "I am back", "I am back"); /* in the place of c */
	expect_leaves(&server, c);
	exchange(a, "still here", "still here");
	exchange(d, "so am I", "so am I");
	ck_assert_uint_eq(times_begun(&server, a), 1);
	ck_assert_uint_eq(times_begun(&server, b), 2);
	ck_assert_uint_eq(times_begun(&server, c), 1);
	ck_assert_uint_eq(times_begun(&server, d), 1);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, ": served 5 clients, dropped 0"),
			  1);
}
END_TEST

static void allow_few_descriptors(void *context)
{
	struct rlimit few = { 40, 40 };

	(void)context;
	setrlimit(RLIMIT_NOFILE, &few);
}

/* Of a thread's peer both ends of the feed are in the server, of a process's one. */
START_TEST(out_of_descriptors_the_one_longest_silent_leaves)
{
	enum { MANY = 60 };
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = ARGUMENTS("-u", "-vv"),
		.type = SOCK_DGRAM,
		.prepare = allow_few_descriptors,
	});
	bool has_feeds = model_has_processes(_i) || model_has_threads(_i);
	int fds[MANY];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < MANY; i++) {
			fds[i] = round == 0 ? client_connect(&server) : fds[i];
			exchange(fds[i], "hello", "hello");
		}
	exchange(fds[MANY - 2], "still here", "still here");
	ck_assert_uint_eq(times_begun(&server, fds[0]), has_feeds ? 2 : 1);
	ck_assert_uint_eq(times_begun(&server, fds[MANY - 2]), has_feeds ? 2 : 1);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, ": out of descriptors with "),
			  has_feeds ? 1 : 0);
	ck_assert_uint_eq(server_count_lines(&server, ", dropped 0; "), 1);
}
END_TEST

struct rest {
	const struct server *server;
	unsigned descriptors, threads;
	unsigned farewells;
};

static bool only_the_server_is_left(void *context)
{
	const struct rest *rest = context;
	struct process_tree tree = process_tree(rest->server->pid);

	return server_count_lines(rest->server, " bytes in, ") == rest->farewells &&
	       tree.descendants == 0 && tree.threads <= rest->threads + SANITIZED &&
	       process_descriptors(rest->server->pid) == rest->descriptors;
}

START_TEST(silent_peers_are_forgotten_with_all_that_was_theirs)
{
	enum { SILENT = 30 };
	struct server server = start(_i, "echo", ARGUMENTS("-t", "0.4", "-vv"));
	struct rest rest = { .server = &server };
	int fds[SILENT];

	server_wait_line(&server, "listening on", WAIT_MS);
	if (!process_facts_available())
		return;
	rest.descriptors = process_descriptors(server.pid);
	rest.threads = process_tree(server.pid).threads;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < SILENT; i++) {
			fds[i] = round == 0 ? client_connect(&server) : fds[i];
			exchange(fds[i], "hello", "hello");
		}
		rest.farewells += SILENT;
		ck_assert_msg(eventually(only_the_server_is_left, &rest, WAIT_MS),
			      "%u descriptors, %u threads, %u descendants are left",
			      process_descriptors(server.pid),
			      process_tree(server.pid).threads,
			      process_tree(server.pid).descendants);
	}
	for (int i = 0; i < SILENT; i++)
		ck_assert_uint_eq(times_begun(&server, fds[i]), 2);
	server_finish(&server);
}
END_TEST

START_TEST(who_goes_on_talking_is_not_forgotten)
{
	struct server server =
		start(_i, "echo", ARGUMENTS("-t", slow_seconds(0.7), "-vv"));
	int silent = client_connect(&server), active = client_connect(&server);

	exchange(silent, "hello", "hello");
	do {
		exchange(active, "still here", "still here");
		poll(NULL, 0, 20);
	} while (farewell(&server, silent) == NULL);
	exchange(active, "still here", "still here");
	ck_assert_uint_eq(times_begun(&server, active), 1);
	ck_assert_ptr_null(farewell(&server, active));
	server_finish(&server);
}
END_TEST

/* ---- a worker that is killed ----------------------------------------------------------- */

static bool has_one_child_and_no_zombie(void *context)
{
	struct process_tree tree = process_tree(((struct server *)context)->pid);

	return tree.children == 1 && tree.zombies == 0;
}

START_TEST(a_peer_whose_worker_is_killed_gets_another)
{
	struct server server;
	int fd, other;
	pid_t worker;

	if (!model_has_processes(_i))
		return;
	server = start(_i, "echo", ARGUMENTS("-vv"));
	fd = client_connect(&server);
	other = client_connect(&server);
	exchange(fd, "hello", "hello");
	exchange(other, "hello", "hello");
	worker = server_process_of(&server, fd, "first datagram");
	ck_assert_int_ne(worker, server.pid);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	ck_assert(eventually(has_one_child_and_no_zombie, &server, WAIT_MS));
	exchange(fd, "and on", "and on");
	exchange(other, "and on", "and on");
	ck_assert_uint_eq(times_begun(&server, fd), 2);
	ck_assert_uint_eq(times_begun(&server, other), 1);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "dropped 0;"), 1);
}
END_TEST

/* ---- what may not be answered ---------------------------------------------------------- */

/* An address of this host that no other test uses now: 127.x.y.z. */
static const char *private_address(void)
{
	static char host[32];
	unsigned pid = (unsigned)getpid();

	snprintf(host, sizeof host, "127.%u.%u.%u", 1 + (pid >> 14) % 250,
		 (pid >> 7) % 128, 1 + pid % 128);
	return host;
}

/* A socket of that address and port. @return -1 with errno */
static int bind_to(const char *host, unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(inet_pton(AF_INET, host, &address.sin_addr), 1);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static void send_to(int fd, const struct server *server, const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)server->port) };

	ck_assert_int_eq(inet_pton(AF_INET, server->host, &address.sin_addr), 1);
	ck_assert_int_eq(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address,
				sizeof address),
			 (ssize_t)strlen(text));
}

static void expect_dropped(const struct server *server, const char *host, unsigned port)
{
	char event[TEXT];

	snprintf(event, sizeof event,
		 "]: %s:%u: dropped: it may be another server's reply", host, port);
	server_wait_line(server, event, WAIT_MS);
}

START_TEST(what_comes_from_the_port_of_a_reflecting_service_is_dropped)
{
	static const unsigned ports[] = { 7,   9,    11,   13,   17,   19,   53,   69,
					  123, 1900, 5353, 7007, 7010, 7019, 11211 };
	struct server server = start(_i, "echo", ARGUMENTS("-vv"));
	const char *host = private_address();
	int fds[sizeof ports / sizeof *ports];

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		fds[i] = bind_to(host, ports[i]);
		if (fds[i] < 0 && errno == EACCES) {
			skipped("needs root");
			continue;
		}
		ck_assert_msg(fds[i] >= 0, "%s:%u: %s", host, ports[i], strerror(errno));
		send_to(fds[i], &server, "hello");
		expect_dropped(&server, host, ports[i]);
	}
	exchange(client_connect(&server), "hello", "hello");
	server_finish(&server);
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		if (fds[i] >= 0)
			expect_silence(fds[i]);
	ck_assert_uint_eq(server_count_lines(&server, ": first datagram"), 1);
	ck_assert_uint_eq(server_count_lines(&server, ": served 1 clients, dropped 0; "
						      "5 bytes in, 5 out; "),
			  1);
}
END_TEST

/* Sends one as if it came from there. @return false: only root may */
static bool forge(const char *from, unsigned from_port, const struct server *server,
		  const char *text)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char text[64];
	} packet;
	struct sockaddr_in to = { .sin_family = AF_INET };
	size_t length = sizeof packet.udp + strlen(text);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	ssize_t n;

	if (fd < 0) {
		skipped("needs root");
		return false;
	}
	ck_assert_int_eq(inet_pton(AF_INET, server->host, &to.sin_addr), 1);
	memset(&packet, 0, sizeof packet); /* no checksum: UDP allows that */
	packet.ip.version = 4;
	packet.ip.ihl = sizeof packet.ip / 4;
	packet.ip.ttl = 64;
	packet.ip.protocol = IPPROTO_UDP;
	packet.ip.daddr = to.sin_addr.s_addr;
	packet.ip.tot_len = htons((uint16_t)(sizeof packet.ip + length));
	ck_assert_int_eq(inet_pton(AF_INET, from, &packet.ip.saddr), 1);
	packet.udp.uh_sport = htons((uint16_t)from_port);
	packet.udp.uh_dport = htons((uint16_t)server->port);
	packet.udp.uh_ulen = htons((uint16_t)length);
	strcpy(packet.text, text);
	n = sendto(fd, &packet, sizeof packet.ip + length, 0, (struct sockaddr *)&to,
		   sizeof to);
	ck_assert_msg(n > 0, "cannot send: %s", strerror(errno));
	close(fd);
	return true;
}

START_TEST(a_server_does_not_talk_to_itself)
{
	static const struct {
		const char *bound, *asked, *forged;
	} places[] = {
		{ "127.0.0.1", "127.0.0.1", "127.0.0.1" },
		{ "0.0.0.0", "127.0.0.1", "127.0.0.1" },
		{ "0.0.0.0", "127.0.0.1", "127.0.0.9" },
		{ "::", "127.0.0.1", "127.0.0.1" },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct server server;

		if (strchr(places[i].bound, ':') != NULL && !network_has_ipv6())
			break;
		server = start_at(_i, "echo", places[i].bound, ARGUMENTS("-vv"));
		server.host = places[i].asked;
		server_wait_line(&server, "listening on", WAIT_MS);
		if (forge(places[i].forged, server.port, &server, "hello"))
			expect_dropped(&server, places[i].forged, server.port);
		server_finish(&server);
		ck_assert_uint_eq(server_count_lines(&server, ": first datagram"), 0);
	}
}
END_TEST

START_TEST(the_same_port_of_another_address_is_somebody_else)
{
	struct server server = start(_i, "echo", NULL);
	int fd = bind_to(private_address(), server.port);

	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	ck_assert_int_eq(sock_set_timeout(fd, WAIT_MS), 0);
	send_to(fd, &server, "hello");
	expect_datagram(fd, "hello", 5);
	server_finish(&server);
}
END_TEST

/* ---- a loop of two servers ------------------------------------------------------------- */

enum { SERVERS_PORT = 20007 }; /* below those of clients, and in no list */

static int bind_servers_port(const struct server *server)
{
	int fd = bind_to(private_address(), SERVERS_PORT);

	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	ck_assert_int_eq(sock_set_timeout(fd, WAIT_MS), 0);
	ck_assert_int_eq(connect(fd,
				 (struct sockaddr *)&(struct sockaddr_in){
					 .sin_family = AF_INET,
					 .sin_port = htons((uint16_t)server->port),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
				 sizeof(struct sockaddr_in)),
			 0);
	return fd;
}

static const char too_many[] = ": dropped: too many repeated datagrams";

/* @return the length of the reply, or -1 when there is none, since the datagram was dropped */
static ssize_t await_reply_or_drop(const struct server *server, int fd, char *bytes,
				   size_t size)
{
	while (io_wait(fd, POLLIN, 5) == 0)
		if (server_count_lines(server, too_many) > 0 &&
		    io_wait(fd, POLLIN, 0) == 0)
			return -1;
	return recv(fd, bytes, size, 0);
}

/* Be another server, that answers each datagram: with the same, or, if there is one, a text
 * of its own. @return how many replies it has had until there were no more */
static unsigned reflect(const struct server *server, int fd, const char *own)
{
	char bytes[TEXT] = "a datagram with a false sender";
	size_t length = strlen(bytes);
	unsigned replies = 0;

	for (;;) {
		ssize_t n;

		send_datagram(fd, bytes, length);
		n = await_reply_or_drop(server, fd, bytes, sizeof bytes);
		if (n < 0)
			return replies;
		ck_assert_uint_lt(++replies, 200000);
		length = (size_t)n;
		if (own != NULL)
			memcpy(bytes, own, length < strlen(own) ? length : strlen(own));
	}
}

START_TEST(a_server_that_answers_each_reply_soon_gets_no_more)
{
	static const struct {
		const char *service, *own;
	} loops[] = {
		{ "echo", NULL },
		{ "daytime", NULL },
		{ "daytime", "2026-11-28T12:00:00+01:00" },
		{ "greet", NULL },
		{ "greet", "Welcome to another server" },
		{ "reply", NULL },
		{ "chargen", NULL },
	};

	for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
		struct server server = start(_i, loops[i].service, ARGUMENTS("-vv"));
		int other = bind_servers_port(&server);
		unsigned replies = reflect(&server, other, loops[i].own);

		ck_assert_uint_ge(replies, 1000);
		expect_silence(other);
		send_datagram(client_connect(&server), "hello", 5);
		server_wait_line(&server, ": first datagram", WAIT_MS);
		server_finish(&server);
		close(other);
	}
}
END_TEST

START_TEST(a_client_on_a_servers_port_is_served_if_it_repeats_nothing)
{
	struct server server = start(_i, "echo", ARGUMENTS("--repeats", "10"));
	int fd = bind_servers_port(&server);
	char text[TEXT];

	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof text, "request %d", i);
		exchange(fd, text, text);
	}
	server_finish(&server);
}
END_TEST

START_TEST(a_client_that_repeats_its_request_at_full_speed_is_served)
{
	struct server server = start(_i, "echo", NULL);
	int fd = client_connect(&server);

	for (int i = 0; i < 5000; i++)
		exchange(fd, "the same", "the same");
	server_finish(&server);
}
END_TEST

START_TEST(without_a_limit_of_repeats_all_are_answered)
{
	struct server server = start(_i, "echo", ARGUMENTS("--repeats", "0"));
	int fd = bind_servers_port(&server);

	for (int i = 0; i < 3000; i++)
		exchange(fd, "the same", "the same");
	server_finish(&server);
}
END_TEST

START_TEST(after_a_moment_the_peer_is_served_again)
{
	struct server server = start(_i, "echo", ARGUMENTS("-vv", "--repeats", "5"));
	int fd = bind_servers_port(&server);

	reflect(&server, fd, NULL);
	do
		send_datagram(fd, "a client after all", 18);
	while (io_wait(fd, POLLIN, 20) == 0);
	expect_datagram(fd, "a client after all", 18);
	server_finish(&server);
}
END_TEST

START_TEST(what_is_discarded_may_be_repeated)
{
	struct server server = start(_i, "discard", ARGUMENTS("-vv", "--repeats", "5"));
	int fd = bind_servers_port(&server);

	for (int i = 0; i < 100; i++)
		send_datagram(fd, "x", 1);
	server_wait_line(&server, ": first datagram", WAIT_MS);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "dropped 0; 100 bytes in, "), 1);
}
END_TEST

/* All bytes that it has received, by its line of statistics. */
static uintmax_t bytes_received(const struct server *server)
{
	unsigned before = server_count_lines(server, ": served ");
	const char *last = NULL, *line;
	uintmax_t bytes = 0;
	int64_t end = clock_milliseconds() + WAIT_MS;

	server_signal(server, SIGUSR1);
	while (server_count_lines(server, ": served ") == before)
		ck_assert_int_lt(clock_milliseconds(), end);
	for (line = server_errors(server); (line = strstr(line, "dropped ")) != NULL;
	     line++)
		last = line;
	ck_assert_int_eq(sscanf(last, "dropped %*u; %ju bytes in", &bytes), 1);
	return bytes;
}

struct quiet {
	const struct server *server;
	uintmax_t bytes;
};

static bool receives_nothing_more(void *context)
{
	struct quiet *quiet = context;
	uintmax_t bytes = bytes_received(quiet->server);
	bool same = bytes == quiet->bytes;

	quiet->bytes = bytes;
	return same && bytes > 0;
}

/* The two really talk to each other, after a few datagrams with a false sender. */
START_TEST(two_servers_do_not_keep_each_other_busy_for_ever)
{
	static const char *const services[][2] = {
		{ "echo", "echo" },   { "daytime", "echo" },  { "greet", "greet" },
		{ "reply", "reply" }, { "chargen", "greet" }, { "daytime", "daytime" },
	};

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		const char *const *options = ARGUMENTS("-vv", "--repeats", "500");
		struct server one = start(_i, services[i][0], options);
		struct server other = start(_i, services[i][1], options);
		struct quiet quiet = { &one, 0 };

		server_wait_line(&one, "listening on", WAIT_MS);
		server_wait_line(&other, "listening on", WAIT_MS);
		for (int number = 0; number < 5; number++) {
			char text[TEXT];

			snprintf(text, sizeof text, "%d: has a false sender", number);
			if (!forge("127.0.0.1", other.port, &one, text))
				return;
		}
		ck_assert_msg(eventually(receives_nothing_more, &quiet, WAIT_MS),
			      "%s and %s are busy still", services[i][0], services[i][1]);
		server_finish(&one);
		server_finish(&other);
	}
}
END_TEST

/* ---- the end --------------------------------------------------------------------------- */

START_TEST(a_request_to_stop_leaves_nothing_unanswered_that_has_come)
{
	enum { OLD = 5, ALL = 20, EACH = 8 };
	struct server server = start(_i, "echo", NULL);
	struct server_end end;
	int fds[ALL];
	char text[TEXT];

	for (int i = 0; i < ALL; i++)
		fds[i] = client_connect(&server);
	for (int i = 0; i < OLD; i++)
		exchange(fds[i], "hello", "hello");
	server_wait_line(&server, "listening on", WAIT_MS);
	server_signal(&server, SIGSTOP);
	for (int i = 0; i < ALL * EACH; i++)
		send_datagram(fds[i % ALL], text,
			      (size_t)snprintf(text, sizeof text, "%d", i));
	server_signal(&server, SIGTERM);
	server_signal(&server, SIGCONT);
	end = server_await(&server, WAIT_MS);
	ck_assert(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
	ck_assert_uint_eq(end.orphans, 0);
	for (int i = 0; i < ALL * EACH; i++)
		expect_datagram(fds[i % ALL], text,
				(size_t)snprintf(text, sizeof text, "%d", i));
	if (model_shares_a_server(_i))
		ck_assert_uint_eq(
			server_count_lines(&server, ": served 20 clients, dropped 0; "),
			1);
}
END_TEST

/* The peers would be remembered for an hour. */
START_TEST(a_request_to_stop_does_not_wait_for_the_idle_timeout)
{
	struct server server = start(_i, "echo", ARGUMENTS("-t", "3600"));

	for (int i = 0; i < 10; i++)
		exchange(client_connect(&server), "hello", "hello");
	server_finish(&server);
}
END_TEST

START_TEST(usr1_prints_what_was_done_so_far)
{
	struct server server = start(_i, "echo", ARGUMENTS("-q"));
	int fd = client_connect(&server);

	exchange(fd, "hello", "hello");
	exchange(fd, "you", "you");
	exchange(client_connect(&server), "ok", "ok");
	server_signal(&server, SIGUSR1);
	server_wait_line(&server, ": served 2 clients, dropped 0; 10 bytes in, ",
			 WAIT_MS);
	exchange(fd, "and on", "and on");
	server_finish(&server);
}
END_TEST

START_TEST(exits_when_no_peer_was_there_for_so_long)
{
	struct server server = start(
		_i, "echo", ARGUMENTS("-t", slow_seconds(0.2), "-x", slow_seconds(0.3)));
	struct server_end end;

	exchange(client_connect(&server), "hello", "hello");
	end = server_await(&server, WAIT_MS);
	ck_assert(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
}
END_TEST

Suite *suite_udp(void)
{
	Suite *suite = suite_create("udp");
	TCase *tcase = tcase_create("udp");
	int models = models_count();

	tcase_add_loop_test(tcase,
			    two_hundred_peers_in_random_turns_have_a_worker_each_for_life,
			    0, models);
	tcase_add_loop_test(tcase, answers_come_from_the_address_and_port_written_to, 0,
			    models);
	tcase_add_loop_test(
		tcase, a_request_to_all_is_answered_from_the_address_of_the_interface, 0,
		models);
	tcase_add_loop_test(tcase, a_broadcast_on_the_loopback_is_answered, 0, models);
	add_sharing_test(tcase, opens_its_own_socket_and_says_that_it_takes_datagrams);
	tcase_add_loop_test(tcase, a_datagram_socket_that_it_is_given_is_taken, 0,
			    models);
	add_sharing_test(tcase, a_stream_socket_is_not_taken_for_datagrams);
	tcase_add_loop_test(tcase, help_lists_it_in_every_service, 0, models);
	tcase_add_loop_test(tcase, empty_and_longest_datagrams_come_back_whole, 0,
			    models);
	tcase_add_loop_test(tcase, over_ipv6_datagrams_up_to_65527_bytes_come_back_whole,
			    0, models);
	tcase_add_loop_test(
		tcase, a_reply_that_is_too_long_is_cut_to_what_its_client_can_be_sent, 0,
		models);
	tcase_add_loop_test(tcase, loadgen_sends_the_longest_over_ipv6, 0, models);
	tcase_add_loop_test(tcase, a_reply_is_no_longer_than_what_it_answers, 0, models);
	tcase_add_loop_test(tcase, a_reply_may_be_longer_when_the_operator_says_so, 0,
			    models);
	tcase_add_loop_test(tcase, what_is_discarded_is_not_answered, 0, models);
	add_sharing_test(tcase, when_the_table_is_full_the_one_longest_silent_leaves);
	tcase_add_loop_test(tcase, out_of_descriptors_the_one_longest_silent_leaves, 0,
			    models);
	add_sharing_test(tcase, silent_peers_are_forgotten_with_all_that_was_theirs);
	tcase_add_loop_test(tcase, who_goes_on_talking_is_not_forgotten, 0, models);
	tcase_add_loop_test(tcase, a_peer_whose_worker_is_killed_gets_another, 0, models);
	tcase_add_loop_test(tcase,
			    what_comes_from_the_port_of_a_reflecting_service_is_dropped,
			    0, models);
	tcase_add_loop_test(tcase, a_server_does_not_talk_to_itself, 0, models);
	tcase_add_loop_test(tcase, the_same_port_of_another_address_is_somebody_else, 0,
			    models);
	tcase_add_loop_test(tcase, a_server_that_answers_each_reply_soon_gets_no_more, 0,
			    models);
	tcase_add_loop_test(tcase,
			    a_client_on_a_servers_port_is_served_if_it_repeats_nothing, 0,
			    models);
	tcase_add_loop_test(tcase,
			    a_client_that_repeats_its_request_at_full_speed_is_served, 0,
			    models);
	tcase_add_loop_test(tcase, without_a_limit_of_repeats_all_are_answered, 0,
			    models);
	tcase_add_loop_test(tcase, after_a_moment_the_peer_is_served_again, 0, models);
	tcase_add_loop_test(tcase, what_is_discarded_may_be_repeated, 0, models);
	tcase_add_loop_test(tcase, two_servers_do_not_keep_each_other_busy_for_ever, 0,
			    models);
	tcase_add_loop_test(tcase,
			    a_request_to_stop_leaves_nothing_unanswered_that_has_come, 0,
			    models);
	tcase_add_loop_test(tcase, a_request_to_stop_does_not_wait_for_the_idle_timeout,
			    0, models);
	tcase_add_loop_test(tcase, usr1_prints_what_was_done_so_far, 0, models);
	add_sharing_test(tcase, exits_when_no_peer_was_there_for_so_long);
	suite_add_tcase(suite, tcase);
	return suite;
}
