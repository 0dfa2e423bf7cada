/*
 * dial -u as its user sees it, against small UDP servers that are threads of the test: each
 * has one behaviour, and records what it was sent.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/address.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum {
	LARGEST = 65507,      /* bytes of a datagram over IPv4 */
	LARGEST_IPV6 = 65527, /* and over IPv6 */
	BLOCK = 64 * 1024,
	MOST_RECORDED = 64,
	MOST_WORDS = 32, /* of a command line */
	TEXT = 1024,
	A_WHILE = 150, /* milliseconds in which nothing may happen */
};

/* ---- the servers ----------------------------------------------------------------------- */

struct datagram_record {
	char *bytes;
	size_t length;
};

struct peer {
	int fd;
	int stop[2]; /* a pipe: its thread ends when we close our end */
	char port[8];
	pthread_t thread;
	void (*answer)(struct peer *peer, const char *bytes, size_t length);
	struct address address, client;
	struct datagram_record record[MOST_RECORDED]; /* read it after peer_join() */
	size_t recorded;
	bool early; /* the client sent something before it should */
};

static void peer_note(struct peer *peer, const char *bytes, size_t length)
{
	struct datagram_record *record = &peer->record[peer->recorded % MOST_RECORDED];

	free(record->bytes);
	record->bytes = calloc(1, length + 1);
	if (record->bytes != NULL)
		memcpy(record->bytes, bytes, length);
	record->length = length;
	peer->recorded++;
}

static void *peer_run(void *context)
{
	static char bytes[BLOCK];
	struct peer *peer = context;

	for (;;) {
		struct pollfd ends[] = {
			{ .fd = peer->fd, .events = POLLIN },
			{ .fd = peer->stop[0], .events = POLLIN },
		};
		ssize_t n;

		poll(ends, 2, -1);
		if (ends[0].revents == 0 && ends[1].revents != 0)
			return NULL;
		peer->client.length = sizeof peer->client.v6;
		n = recvfrom(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT,
			     &peer->client.any, &peer->client.length);
		if (n < 0)
			continue;
		peer_note(peer, bytes, (size_t)n);
		peer->answer(peer, bytes, (size_t)n);
	}
}

static void peer_say(struct peer *peer, const char *bytes, size_t length)
{
	sendto(peer->fd, bytes, length, 0, &peer->client.any, peer->client.length);
}

/* The one sent so many before the last. */
static void peer_repeat(struct peer *peer, size_t before)
{
	const struct datagram_record *record = &peer->record[peer->recorded - 1 - before];

	peer_say(peer, record->bytes, record->length);
}

static void peer_bind(struct peer *peer, const char *host)
{
	struct sock_place place = { host, "0", SOCK_DGRAM, 0 };
	struct failure failure;

	memset(peer, 0, sizeof *peer);
	peer->fd = sock_listen(&place, &failure);
	ck_assert_msg(peer->fd >= 0, "%s", failure.text);
	ck_assert_int_eq(address_local(peer->fd, &peer->address), 0);
	snprintf(peer->port, sizeof peer->port, "%u", address_port(&peer->address));
}

static void peer_serve(struct peer *peer,
		       void (*answer)(struct peer *peer, const char *bytes,
				      size_t length))
{
	peer->answer = answer;
	ck_assert_int_eq(pipe(peer->stop), 0);
	ck_assert_int_eq(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

static void peer_start(struct peer *peer,
		       void (*answer)(struct peer *peer, const char *bytes,
				      size_t length))
{
	peer_bind(peer, "127.0.0.1");
	peer_serve(peer, answer);
}

static void peer_join(struct peer *peer)
{
	close(peer->stop[1]);
	ck_assert_int_eq(pthread_join(peer->thread, NULL), 0);
	close(peer->stop[0]);
	close(peer->fd);
}

static void peer_end(struct peer *peer)
{
	for (size_t i = 0; i < MOST_RECORDED; i++)
		free(peer->record[i].bytes);
}

/* A socket on 127.0.0.1 that shares its port with others of its kind. */
static int bind_shared(struct address *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
	ck_assert_int_eq(bind(fd, &address->any, address->length), 0);
	ck_assert_int_eq(address_local(fd, address), 0);
	return fd;
}

/* A port that is ours, and refuses everybody: its socket hears nobody but itself. */
static void peer_refuse(struct peer *peer)
{
	struct address *address = &peer->address;

	memset(peer, 0, sizeof *peer);
	address->v4.sin_family = AF_INET;
	address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->length = sizeof address->v4;
	peer->fd = bind_shared(address);
	ck_assert_int_eq(connect(peer->fd, &address->any, address->length), 0);
	snprintf(peer->port, sizeof peer->port, "%u", address_port(address));
}

/* From now on there is another socket on that port, which hears everybody. */
static void peer_admit(struct peer *peer)
{
	int fd = bind_shared(&peer->address);

	close(peer->fd);
	peer->fd = fd;
}

/* ---- their behaviours ------------------------------------------------------------------ */

static void echo(struct peer *peer, const char *bytes, size_t length)
{
	peer_say(peer, bytes, length);
}

static void stay_silent(struct peer *peer, const char *bytes, size_t length)
{
	(void)peer;
	(void)bytes;
	(void)length;
}

static void lose_every_third(struct peer *peer, const char *bytes, size_t length)
{
	if (peer->recorded % 3 != 0)
		peer_say(peer, bytes, length);
}

static void double_the_first(struct peer *peer, const char *bytes, size_t length)
{
	peer_say(peer, bytes, length);
	if (peer->recorded == 1)
		peer_say(peer, bytes, length);
}

/* The second first, then the first; the fourth, then the third. */
static void swap_pairs(struct peer *peer, const char *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	if (peer->recorded % 2 != 0)
		return;
	peer_repeat(peer, 0);
	peer_repeat(peer, 1);
}

/* The first and the second once that has come; the third and the fourth ... */
static void answer_in_pairs(struct peer *peer, const char *bytes, size_t length)
{
	if (peer->recorded % 2 != 0)
		return;
	peer_repeat(peer, 1);
	peer_say(peer, bytes, length);
}

/* So slow that the next request has come meanwhile. The fourth is the last. */
static void be_one_behind(struct peer *peer, const char *bytes, size_t length)
{
	if (peer->recorded > 1)
		peer_repeat(peer, 1);
	if (peer->recorded == 4)
		peer_say(peer, bytes, length);
}

static void tell_the_time(struct peer *peer, const char *bytes, size_t length)
{
	static const char time[] = "half past nine\n";

	(void)bytes;
	(void)length;
	peer_say(peer, time, sizeof time - 1);
}

static void tell_the_time_but_once(struct peer *peer, const char *bytes, size_t length)
{
	if (peer->recorded != 2)
		tell_the_time(peer, bytes, length);
}

static void quote_in_swapped_pairs(struct peer *peer, const char *bytes, size_t length)
{
	static char reply[TEXT];

	(void)bytes;
	(void)length;
	if (peer->recorded % 2 != 0)
		return;
	for (size_t back = 0; back < 2; back++) {
		snprintf(reply, sizeof reply, "I dialled and received: %s",
			 peer->record[peer->recorded - 1 - back].bytes);
		peer_say(peer, reply, strlen(reply));
	}
}

/* ---- what the tests share -------------------------------------------------------------- */

/* What it printed must be just this. */
static void assert_text(const char *text, const char *format, ...) PRINTF_LIKE(2, 3);

static void assert_text(const char *text, const char *format, ...)
{
	char expected[4 * TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(expected, sizeof expected, format, arguments);
	va_end(arguments);
	ck_assert_str_eq(text, expected);
}

static void assert_recorded(const struct peer *peer, size_t index, const char *text)
{
	ck_assert_uint_lt(index, peer->recorded);
	ck_assert_str_eq(peer->record[index].bytes, text);
	ck_assert_uint_eq(peer->record[index].length, strlen(text));
}

static struct run dial(const char *const argv[], const char *input)
{
	return run_program(argv, input, strlen(input), WAIT_MS);
}

/* The same by these options (NULL: no others than -u) against a server that answers so. Who
 * calls it ends the peer. */
static struct run dial_to(struct peer *peer,
			  void (*answer)(struct peer *, const char *, size_t),
			  const char *const options[], const char *input)
{
	const char *argv[MOST_WORDS] = { "dial", "-u" };
	size_t count = 2;
	struct run run;

	for (; options != NULL && *options != NULL; options++) {
		ck_assert_uint_lt(count, MOST_WORDS - 3);
		argv[count++] = *options;
	}
	peer_start(peer, answer);
	argv[count++] = "127.0.0.1";
	argv[count] = peer->port;
	run = dial(argv, input);
	peer_join(peer);
	return run;
}

/* Every time in a report, and every port, as #: what is left must be the same each time. */
static const char *without_figures(const struct run *run, const char *port)
{
	char *from = run->out, *to = run->out;

	while (*from != '\0') {
		size_t figure = strspn(from, "0123456789"), after;

		if (figure == strlen(port) && strncmp(from, port, figure) == 0) {
			from += figure;
			*to++ = '#';
			continue;
		}
		after = from[figure] == '.' ? strspn(from + figure + 1, "0123456789") : 0;
		if (figure > 0 && after == 3 && from[figure + 4] != '.') {
			from += figure + 4;
			*to++ = '#';
			continue;
		}
		if (figure == 0)
			figure = 1;
		memmove(to, from, figure);
		to += figure;
		from += figure;
	}
	*to = '\0';
	return run->out;
}

/* ---- lines and messages ---------------------------------------------------------------- */

START_TEST(each_line_is_a_datagram_without_its_newline)
{
	struct peer peer;
	struct run run = dial_to(&peer, echo, NULL, "one\n\ntwo\nno newline");

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "one\n\ntwo\nno newline\n");
	ck_assert_str_eq(run.err, "");
	ck_assert_uint_eq(peer.recorded, 4);
	assert_recorded(&peer, 0, "one");
	assert_recorded(&peer, 1, "");
	assert_recorded(&peer, 2, "two");
	assert_recorded(&peer, 3, "no newline");
	peer_end(&peer);
}
END_TEST

START_TEST(each_message_is_a_datagram)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = dial(ARGUMENTS("dial", "--udp", "-m", "one", "-m", "", "-m", "two\nlines",
			     "-m", "ends\n", "127.0.0.1", peer.port),
		   "not this\n");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "one\n\ntwo\nlines\nends\n");
	ck_assert_uint_eq(peer.recorded, 4);
	assert_recorded(&peer, 1, "");
	assert_recorded(&peer, 2, "two\nlines");
	assert_recorded(&peer, 3, "ends\n");
	peer_end(&peer);
}
END_TEST

START_TEST(an_empty_input_sends_nothing)
{
	struct peer peer;
	struct run run = dial_to(&peer, echo, NULL, "");

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "");
	ck_assert_uint_eq(peer.recorded, 0);
	peer_end(&peer);
}
END_TEST

START_TEST(the_whole_input_can_be_one_datagram)
{
	static const char binary[] = "two\nlines\0and \xff\n\n";
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = run_program(ARGUMENTS("dial", "-u", "--whole", "127.0.0.1", peer.port),
			  binary, sizeof binary, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, sizeof binary);
	ck_assert_mem_eq(run.out, binary, sizeof binary);
	ck_assert_uint_eq(peer.recorded, 1);
	ck_assert_uint_eq(peer.record[0].length, sizeof binary);
	peer_end(&peer);
}
END_TEST

START_TEST(the_largest_datagram_is_carried_unchanged)
{
	static char bytes[LARGEST];
	struct peer peer;
	struct run run;

	fill_pattern(bytes, sizeof bytes, 1);
	peer_start(&peer, echo);
	run = run_program(ARGUMENTS("dial", "-u", "--whole", "127.0.0.1", peer.port),
			  bytes, sizeof bytes, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, sizeof bytes);
	ck_assert_mem_eq(run.out, bytes, sizeof bytes);
	peer_end(&peer);
}
END_TEST

START_TEST(a_whole_input_that_is_too_long_is_not_sent)
{
	static char bytes[LARGEST + 1];
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = run_program(ARGUMENTS("dial", "-u", "--whole", "127.0.0.1", peer.port),
			  bytes, sizeof bytes, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "dial: standard input not sent: a datagram has at most "
				  "65507 bytes\n");
	ck_assert_uint_eq(peer.recorded, 0);
	peer_end(&peer);
}
END_TEST

START_TEST(lines_that_are_too_long_are_not_sent_but_the_others_are)
{
	static char input[4 * BLOCK];
	struct peer peer;
	struct run run;

	memset(input, 'x', 3 * BLOCK); /* longer than what is read at once */
	strcpy(input + 200000 - 10000, "\nshort\n");
	memset(input + strlen(input), 'y', LARGEST + 1);
	run = dial_to(&peer, echo, NULL, input);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "short\n");
	ck_assert_str_eq(
		run.err,
		"dial: line 1 not sent: it has 190000 bytes, and a datagram at most "
		"65507\n"
		"dial: line 3 not sent: it has 65508 bytes, and a datagram at most "
		"65507\n");
	ck_assert_uint_eq(peer.recorded, 1);
	peer_end(&peer);
}
END_TEST

START_TEST(a_message_that_is_too_long_is_not_sent)
{
	static char message[LARGEST + 2];
	struct peer peer;
	struct run run;

	memset(message, 'x', LARGEST + 1);
	run = dial_to(&peer, echo, ARGUMENTS("-m", "a", "-m", message, "-m", "c"), "");
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "a\nc\n");
	ck_assert_str_eq(
		run.err,
		"dial: message 2 not sent: it has 65508 bytes, and a datagram at most "
		"65507\n");
	peer_end(&peer);
}
END_TEST

/* ---- replies, and none ----------------------------------------------------------------- */

START_TEST(says_that_no_reply_came)
{
	struct peer peer;
	struct run run = dial_to(&peer, stay_silent, ARGUMENTS("-w", "0.5"), "a\nb\n");

	run_expect_status(&run, 1);
	assert_text(run.err, "dial: no reply from 127.0.0.1 port %s within 0.5 s\n",
		    peer.port);
	ck_assert_uint_eq(peer.recorded, 2);
	peer_end(&peer);
}
END_TEST

START_TEST(says_how_many_replies_are_missing)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, lose_every_third, ARGUMENTS("-w", "2"), "a\nb\nc\nd\n");

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "a\nb\nd\n");
	assert_text(
		run.err,
		"dial: no reply from 127.0.0.1 port %s to 1 of 4 datagrams within 2 s\n",
		peer.port);
	peer_end(&peer);
}
END_TEST

static void answer_unless_hurried(struct peer *peer, const char *bytes, size_t length)
{
	bool last = length == 1 && bytes[0] == 'c';

	peer->early = peer->early || (!last && io_wait(peer->fd, POLLIN, A_WHILE) != 0);
	peer_say(peer, bytes, length);
}

START_TEST(lockstep_waits_for_each_reply)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, answer_unless_hurried, ARGUMENTS("-1"), "a\nb\nc\n");

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "a\nb\nc\n");
	ck_assert_msg(!peer.early, "the next datagram came before the reply");
	peer_end(&peer);
}
END_TEST

START_TEST(lockstep_goes_on_when_a_reply_is_lost)
{
	struct peer peer;
	struct run run = dial_to(&peer, lose_every_third, ARGUMENTS("-1", "-w", "2"),
				 "a\nb\nc\nd\n");

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "a\nb\nd\n");
	assert_text(run.err,
		    "dial: no reply to datagram 3 from 127.0.0.1 port %s within 2 s\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

START_TEST(never_cuts_off_a_user_who_types_nothing)
{
	struct program program;
	struct peer peer;
	struct run run;
	char reply[8] = "";

	peer_start(&peer, echo);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-u", "-w", "0.1", "127.0.0.1", peer.port),
	});
	ck_assert_int_eq(io_wait(program.err, POLLIN, 2 * A_WHILE), 0);
	ck_assert_int_eq(io_write(program.in, "x\n", 2), 2);
	ck_assert_int_eq(io_read_all(program.out, reply, 2), 2); /* without the end */
	ck_assert_str_eq(reply, "x\n");
	program_end_input(&program);
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	peer_end(&peer);
}
END_TEST

START_TEST(dumps_each_datagram_by_itself)
{
	struct peer peer;
	struct run run = dial_to(&peer, echo,
				 ARGUMENTS("-1", "-x", "-m", "hello", "-m", "", "-m",
					   "\x1b[31m 20 bytes \xff, all"),
				 "");

	run_expect_status(&run, 0);
	ck_assert_str_eq(
		run.out,
		"> 00000000  68 65 6c 6c 6f                                    |hello|\n"
		"< 00000000  68 65 6c 6c 6f                                    |hello|\n"
		"> 00000000                                                    ||\n"
		"< 00000000                                                    ||\n"
		"> 00000000  1b 5b 33 31 6d 20 32 30  20 62 79 74 65 73 20 ff  |.[31m 20 "
		"bytes .|\n"
		"> 00000010  2c 20 61 6c 6c                                    |, all|\n"
		"< 00000000  1b 5b 33 31 6d 20 32 30  20 62 79 74 65 73 20 ff  |.[31m 20 "
		"bytes .|\n"
		"< 00000010  2c 20 61 6c 6c                                    |, "
		"all|\n");
	peer_end(&peer);
}
END_TEST

START_TEST(verbose_says_where_it_sends_and_how_long_it_took)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, echo, ARGUMENTS("-v", "-1", "-m", "a", "-m", "bc"), "");

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "a\nbc\n");
	expect_match(run.err,
		     "^dial: sending to 127\\.0\\.0\\.1:[0-9]+ from "
		     "127\\.0\\.0\\.1:[0-9]+\n"
		     "dial: reply after [0-9]+\\.[0-9]{3} ms\n"
		     "dial: reply after [0-9]+\\.[0-9]{3} ms\n"
		     "dial: sent 2 datagrams, 3 bytes, received 2 datagrams, 3 bytes "
		     "in [0-9]+\\.[0-9]{3} ms\n$");
	peer_end(&peer);
}
END_TEST

/* ---- reaching the server --------------------------------------------------------------- */

START_TEST(says_that_nobody_is_there)
{
	struct peer peer;
	struct run run;

	peer_refuse(&peer);
	run = dial(ARGUMENTS("dial", "-u", "-m", "x", "127.0.0.1", peer.port), "");
	run_expect_status(&run, 1);
	assert_text(run.err,
		    "dial: 127.0.0.1 port %s: Connection refused (no UDP server)\n",
		    peer.port);
	close(peer.fd);
}
END_TEST

START_TEST(retry_waits_for_the_server)
{
	struct program program;
	struct peer peer;
	struct run run;

	peer_refuse(&peer);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-u", "-R", "-m", "x", "-m", "y", "127.0.0.1",
				  peer.port),
	});
	ck_assert_int_eq(io_wait(program.err, POLLIN, A_WHILE), 0); /* not given up */
	peer_admit(&peer);
	peer_serve(&peer, echo);
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "x\ny\n");
	peer_end(&peer);
}
END_TEST

START_TEST(retry_has_a_limit)
{
	struct peer peer;
	struct run run;

	peer_refuse(&peer);
	run = dial(ARGUMENTS("dial", "-u", "-R", "-w", "0.2", "-m", "x", "127.0.0.1",
			     peer.port),
		   "");
	run_expect_status(&run, 1);
	assert_text(run.err,
		    "dial: 127.0.0.1 port %s: Connection refused (no UDP server)\n",
		    peer.port);
	close(peer.fd);
}
END_TEST

/* Of which ::1 may come first, where nobody is. */
START_TEST(tries_each_address_of_the_host)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = dial(ARGUMENTS("dial", "-u", "localhost", peer.port), "a\nb\n");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "a\nb\n");
	peer_end(&peer);
}
END_TEST

START_TEST(a_silent_server_gets_everything_also_with_retry)
{
	struct peer peer;
	struct run run = dial_to(&peer, stay_silent,
				 ARGUMENTS("-R", "-w", "0.5", "-m", "a", "-m", "b"), "");

	run_expect_status(&run, 1);
	ck_assert_uint_eq(peer.recorded, 2);
	peer_end(&peer);
}
END_TEST

START_TEST(over_ipv6_a_datagram_carries_20_bytes_more)
{
	static char bytes[LARGEST_IPV6 + 1];
	struct peer peer;

	if (!network_has_ipv6())
		return;
	fill_pattern(bytes, sizeof bytes, 1);
	for (size_t length = LARGEST + 1; length <= sizeof bytes; length += 10) {
		bool fits = length <= LARGEST_IPV6;
		struct run run;

		peer_bind(&peer, "::1");
		peer_serve(&peer, echo);
		run = run_program(ARGUMENTS("dial", "-u", "--whole", "::1", peer.port),
				  bytes, length, WAIT_MS);
		peer_join(&peer);
		run_expect_status(&run, fits ? 0 : 1);
		ck_assert_uint_eq(run.out_length, fits ? length : 0);
		ck_assert_mem_eq(run.out, bytes, run.out_length);
		ck_assert_str_eq(run.err, fits ? ""
					       : "dial: standard input not sent: a "
						 "datagram has at most 65527 "
						 "bytes\n");
		peer_end(&peer);
	}
}
END_TEST

START_TEST(reaches_ipv6)
{
	char operand[32];
	struct peer peer;
	struct run run;

	if (!network_has_ipv6())
		return;
	peer_bind(&peer, "::1");
	peer_serve(&peer, echo);
	snprintf(operand, sizeof operand, "[::1]:%s", peer.port);
	run = dial(ARGUMENTS("dial", "-u", "-6", "-v", "-m", "x", operand), "");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "x\n");
	expect_match(run.err, "^dial: sending to \\[::1\\]:[0-9]+ from \\[::1\\]:");
	peer_end(&peer);
}
END_TEST

START_TEST(says_that_a_host_cannot_be_found)
{
	struct run run = dial(ARGUMENTS("dial", "-u", "no\x1bhost.invalid", "7007"), "");

	run_expect_status(&run, 1);
	expect_match(run.err,
		     "^dial: cannot find host no\\\\x1bhost\\.invalid: [^\n]+\n$");
}
END_TEST

/* ---- standard input and output --------------------------------------------------------- */

static void input_is_closed(void *context)
{
	(void)context;
	close(STDIN_FILENO);
}

/* _i: 0 as a conversation, 1 as with ping */
static struct run dial_prepared(int repeatedly, void (*prepare)(void *))
{
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = run_program_with(&(struct run_setup){
		.argv = repeatedly ? ARGUMENTS("dial", "-u", "-n", "3", "-i", "0",
					       "127.0.0.1", peer.port)
				   : ARGUMENTS("dial", "-u", "127.0.0.1", peer.port),
		.input = "hello\n",
		.input_length = 6,
		.prepare = prepare,
	});
	peer_join(&peer);
	peer_end(&peer);
	return run;
}

START_TEST(a_full_disk_is_an_error)
{
	struct run run;

	if (access("/dev/full", W_OK) < 0)
		return; /* not everywhere */
	run = dial_prepared(_i, output_is_full);
	run_expect_status(&run, 1);
	ck_assert_str_eq(
		run.err,
		"dial: cannot write to standard output: No space left on device\n");
}
END_TEST

START_TEST(ends_quietly_when_nobody_reads_its_output)
{
	struct run run = dial_prepared(_i, output_has_no_reader);

	run_expect_signal(&run, SIGPIPE);
	ck_assert_str_eq(run.err, "");
}
END_TEST

START_TEST(a_missing_standard_input_is_an_error)
{
	struct run run;

	if (!kernel_has("standard descriptors that can be closed"))
		return;
	run = dial_prepared(0, input_is_closed);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err,
			 "dial: cannot read standard input: Bad file descriptor\n");
}
END_TEST

/* What a terminal is shown; it makes \r\n of \n. */
static bool dial_on_terminal(const char *option, char *shown, size_t size)
{
	int master, slave;
	struct peer peer;
	struct run run;
	ssize_t n;

	if (!terminal_open(&master, &slave))
		return false;
	peer_start(&peer, echo);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-u", option, "127.0.0.1", peer.port),
		.input = "\x1b[31mred\n",
		.input_length = 9,
		.prepare = output_is_terminal,
		.context = &slave,
	});
	peer_join(&peer);
	peer_end(&peer);
	run_expect_status(&run, 0);
	n = io_read(master, shown, size - 1);
	ck_assert_int_gt(n, 0);
	shown[n] = '\0';
	close(slave);
	close(master);
	return true;
}

START_TEST(a_terminal_is_not_obeyed_by_what_the_server_sends)
{
	char shown[TEXT];

	if (!dial_on_terminal("-q", shown, sizeof shown))
		return;
	ck_assert_str_eq(shown, "\\x1b[31mred\r\n");
}
END_TEST

START_TEST(raw_shows_a_terminal_everything)
{
	char shown[TEXT];

	if (!dial_on_terminal("--raw", shown, sizeof shown))
		return;
	ck_assert_str_eq(shown, "\x1b[31mred\r\n");
}
END_TEST

/* ---- again and again, as ping ---------------------------------------------------------- */

START_TEST(repeating_reports_each_reply_and_a_summary)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, echo, ARGUMENTS("-n", "3", "-i", "0.01"), "not this\n");

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	ck_assert_str_eq(without_figures(&run, peer.port),
			 "56 bytes from 127.0.0.1:#: seq=1 time=# ms\n"
			 "56 bytes from 127.0.0.1:#: seq=2 time=# ms\n"
			 "56 bytes from 127.0.0.1:#: seq=3 time=# ms\n"
			 "\n"
			 "--- 127.0.0.1 port # ---\n"
			 "3 sent, 3 received, 0 duplicates, 0.0% lost\n"
			 "round trip min/avg/max/mdev = #/#/#/# ms\n");
	ck_assert_uint_eq(peer.recorded, 3);
	ck_assert_uint_eq(peer.record[2].length, 56);
	expect_match(peer.record[2].bytes, "^dial [0-9a-f]{8} seq 3 [a-z]+$");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_without_any_reply_fails)
{
	struct peer peer;
	struct run run = dial_to(&peer, stay_silent,
				 ARGUMENTS("-n", "3", "-i", "0.01", "-w", "0.1"), "");

	run_expect_status(&run, 1);
	assert_text(run.out,
		    "\n--- 127.0.0.1 port %s ---\n"
		    "3 sent, 0 received, 0 duplicates, 100.0%% lost\n",
		    peer.port);
	ck_assert_str_eq(run.err, "");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_counts_what_is_lost)
{
	struct peer peer;
	struct run run = dial_to(&peer, lose_every_third,
				 ARGUMENTS("-v", "-n", "6", "-i", "0.01", "-w", "2"), "");

	run_expect_status(&run, 0);
	ck_assert_str_eq(without_figures(&run, peer.port),
			 "56 bytes from 127.0.0.1:#: seq=1 time=# ms\n"
			 "56 bytes from 127.0.0.1:#: seq=2 time=# ms\n"
			 "56 bytes from 127.0.0.1:#: seq=4 time=# ms\n"
			 "56 bytes from 127.0.0.1:#: seq=5 time=# ms\n"
			 "\n"
			 "--- 127.0.0.1 port # ---\n"
			 "6 sent, 4 received, 0 duplicates, 33.3% lost\n"
			 "round trip min/avg/max/mdev = #/#/#/# ms\n");
	expect_match(run.err, "\ndial: no reply to seq=3 within 2 s\n"
			      "dial: no reply to seq=6 within 2 s\n$");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_counts_duplicates)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, double_the_first, ARGUMENTS("-n", "2", "-i", "0.01"), "");

	run_expect_status(&run, 0);
	ck_assert_str_eq(without_figures(&run, peer.port),
			 "56 bytes from 127.0.0.1:#: seq=1 time=# ms\n"
			 "56 bytes from 127.0.0.1:#: seq=1 time=# ms (DUP!)\n"
			 "56 bytes from 127.0.0.1:#: seq=2 time=# ms\n"
			 "\n"
			 "--- 127.0.0.1 port # ---\n"
			 "2 sent, 2 received, 1 duplicates, 0.0% lost\n"
			 "round trip min/avg/max/mdev = #/#/#/# ms\n");
	peer_end(&peer);
}
END_TEST

static void (*const reordering[])(struct peer *, const char *, size_t) = {
	swap_pairs,
	quote_in_swapped_pairs,
};

START_TEST(repeating_knows_replies_that_overtake_each_other)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, reordering[_i], ARGUMENTS("-n", "4", "-i", "0.01"), "");

	run_expect_status(&run, 0);
	expect_match(run.out, "^[0-9]+ bytes from [^ ]+: seq=2 [^\n]+\n"
			      "[0-9]+ bytes from [^ ]+: seq=1 [^\n]+\n"
			      "[0-9]+ bytes from [^ ]+: seq=4 [^\n]+\n"
			      "[0-9]+ bytes from [^ ]+: seq=3 [^\n]+\n\n");
	expect_match(run.out, "\n4 sent, 4 received, 0 duplicates, 0.0% lost\n");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_times_replies_that_take_longer_than_the_interval)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, be_one_behind, ARGUMENTS("-n", "4", "-i", "0.05"), "");

	run_expect_status(&run, 0);
	expect_match(run.out, "^56 bytes from [^ ]+: seq=1 time=(4[5-9]|[5-9][0-9]|[0-9]"
			      "{3,})\\.[0-9]+ ms\n");
	expect_match(run.out, "\n4 sent, 4 received, 0 duplicates, 0.0% lost\n");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_counts_a_reply_that_comes_late)
{
	struct peer peer;
	struct run run = dial_to(&peer, answer_in_pairs,
				 ARGUMENTS("-v", "-n", "2", "-i", "4", "-w", "2"), "");

	run_expect_status(&run, 0);
	expect_match(run.err, "\ndial: no reply to seq=1 within 2 s\n");
	expect_match(run.out, "^56 bytes from [^ ]+: seq=1 [^\n]+\n"
			      "56 bytes from [^ ]+: seq=2 [^\n]+\n\n");
	expect_match(run.out, "\n2 sent, 2 received, 0 duplicates, 0.0% lost\n");
	peer_end(&peer);
}
END_TEST

/* _i: 0 a stamp is sent and does not come back, 1 the user says what is sent */
START_TEST(repeating_matches_other_replies_one_at_a_time)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, tell_the_time_but_once,
		      _i == 0 ? ARGUMENTS("-n", "3", "-i", "2", "-w", "2")
			      : ARGUMENTS("-n", "3", "-i", "2", "-w", "2", "-m", "what?"),
		      "");
	run_expect_status(&run, 0);
	ck_assert_str_eq(without_figures(&run, peer.port),
			 "15 bytes from 127.0.0.1:#: seq=1 time=# ms\n"
			 "15 bytes from 127.0.0.1:#: seq=3 time=# ms\n"
			 "\n"
			 "--- 127.0.0.1 port # ---\n"
			 "3 sent, 2 received, 0 duplicates, 33.3% lost\n"
			 "round trip min/avg/max/mdev = #/#/#/# ms\n");
	ck_assert_uint_eq(peer.recorded, 3);
	if (_i == 1)
		assert_recorded(&peer, 2, "what?");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_can_send_the_whole_input)
{
	struct peer peer;
	struct run run =
		dial_to(&peer, echo, ARGUMENTS("-q", "-n", "2", "-i", "0", "--whole"),
			"two\nlines\n");

	run_expect_status(&run, 0);
	ck_assert_str_eq(without_figures(&run, peer.port),
			 "\n--- 127.0.0.1 port # ---\n"
			 "2 sent, 2 received, 0 duplicates, 0.0% lost\n"
			 "round trip min/avg/max/mdev = #/#/#/# ms\n");
	assert_recorded(&peer, 1, "two\nlines\n");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_can_dump_what_goes_over_the_wire)
{
	struct peer peer;
	struct run run = dial_to(&peer, echo, ARGUMENTS("-x", "-n", "1", "-m", "hi"), "");

	run_expect_status(&run, 0);
	ck_assert_str_eq(
		without_figures(&run, peer.port),
		"> 00000000  68 69                                             |hi|\n"
		"2 bytes from 127.0.0.1:#: seq=1 time=# ms\n"
		"< 00000000  68 69                                             |hi|\n"
		"\n--- 127.0.0.1 port # ---\n"
		"1 sent, 1 received, 0 duplicates, 0.0% lost\n"
		"round trip min/avg/max/mdev = #/#/#/# ms\n");
	peer_end(&peer);
}
END_TEST

START_TEST(repeating_reports_that_nobody_is_there)
{
	struct peer peer;
	struct run run;

	peer_refuse(&peer);
	run = dial(
		ARGUMENTS("dial", "-u", "-n", "2", "-i", "0.01", "127.0.0.1", peer.port),
		"");
	run_expect_status(&run, 1);
	assert_text(run.out,
		    "no reply from 127.0.0.1:%s: seq=1 Connection refused\n"
		    "no reply from 127.0.0.1:%s: seq=2 Connection refused\n"
		    "\n--- 127.0.0.1 port %s ---\n"
		    "2 sent, 0 received, 0 duplicates, 2 errors, 100.0%% lost\n",
		    peer.port, peer.port, peer.port);
	close(peer.fd);
}
END_TEST

START_TEST(repeating_with_retry_waits_for_the_server)
{
	struct program program;
	struct peer peer;
	struct run run;

	peer_refuse(&peer);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-u", "-R", "-n", "2", "-i", "0", "127.0.0.1",
				  peer.port),
	});
	ck_assert_int_eq(io_wait(program.out, POLLIN, A_WHILE), 0); /* nothing yet */
	peer_admit(&peer);
	peer_serve(&peer, echo);
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	expect_match(run.out, "\n2 sent, 2 received, 0 duplicates, 0.0% lost\n");
	peer_end(&peer);
}
END_TEST

static const int stopping[] = { SIGINT, SIGTERM };

START_TEST(repeating_sums_up_when_it_is_interrupted)
{
	struct program program;
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-u", "-n", "0", "-i", "600", "127.0.0.1",
				  peer.port),
	});
	ck_assert_int_ne(io_wait(program.out, POLLIN, WAIT_MS), 0); /* the first reply */
	ck_assert_int_eq(kill(program.pid, stopping[_i]), 0);
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(without_figures(&run, peer.port),
			 "56 bytes from 127.0.0.1:#: seq=1 time=# ms\n"
			 "\n--- 127.0.0.1 port # ---\n"
			 "1 sent, 1 received, 0 duplicates, 0.0% lost\n"
			 "round trip min/avg/max/mdev = #/#/#/# ms\n");
	peer_end(&peer);
}
END_TEST

/* ---- usage ----------------------------------------------------------------------------- */

static const struct {
	const char *argv[9];
	const char *says;
} usage_errors[] = {
	{ { "dial", "-n", "3", "localhost", "7" }, "-n, --count needs -u" },
	{ { "dial", "--whole", "localhost", "7" }, "--whole needs -u" },
	{ { "dial", "-u", "-i", "1", "localhost", "7" }, "-i, --interval needs -n" },
	{ { "dial", "-u", "--whole", "-m", "x", "localhost", "7" },
	  "--whole cannot be used with -m" },
	{ { "dial", "-u", "-n2", "-mx", "-my", "localhost", "7" },
	  "-n, --count allows only one -m" },
	{ { "dial", "-u", "-n", "-1", "localhost", "7" },
	  "-n, --count: '-1' is not a number from 0 to 4294967295" },
	{ { "dial", "-u", "-n", "1", "-i", "soon", "localhost", "7" },
	  "-i, --interval: 'soon' is not a time of 0 to 86400 seconds, such as 2 or "
	  "0.5" },
	{ { "dial", "-u", "localhost" }, "PORT is missing" },
};

enum { USAGE_ERRORS = sizeof usage_errors / sizeof usage_errors[0] };

START_TEST(bad_usage_is_one_clear_line)
{
	struct run run = dial(usage_errors[_i].argv, "");

	assert_text(run.err, "dial: %s; try 'dial -h'\n", usage_errors[_i].says);
	ck_assert_str_eq(run.out, "");
	run_expect_status(&run, 2);
}
END_TEST

static void add_conversations(Suite *suite)
{
	TCase *tcase = add_case(suite, "lines and messages");

	tcase_add_test(tcase, each_line_is_a_datagram_without_its_newline);
	tcase_add_test(tcase, each_message_is_a_datagram);
	tcase_add_test(tcase, an_empty_input_sends_nothing);
	tcase_add_test(tcase, the_whole_input_can_be_one_datagram);
	tcase_add_test(tcase, the_largest_datagram_is_carried_unchanged);
	tcase_add_test(tcase, a_whole_input_that_is_too_long_is_not_sent);
	tcase_add_test(tcase, lines_that_are_too_long_are_not_sent_but_the_others_are);
	tcase_add_test(tcase, a_message_that_is_too_long_is_not_sent);
	tcase = add_case(suite, "replies, and none");
	tcase_add_test(tcase, says_that_no_reply_came);
	tcase_add_test(tcase, says_how_many_replies_are_missing);
	tcase_add_test(tcase, lockstep_waits_for_each_reply);
	tcase_add_test(tcase, lockstep_goes_on_when_a_reply_is_lost);
	tcase_add_test(tcase, never_cuts_off_a_user_who_types_nothing);
	tcase_add_test(tcase, dumps_each_datagram_by_itself);
	tcase_add_test(tcase, verbose_says_where_it_sends_and_how_long_it_took);
	tcase = add_case(suite, "reaching the server");
	tcase_add_test(tcase, says_that_nobody_is_there);
	tcase_add_test(tcase, retry_waits_for_the_server);
	tcase_add_test(tcase, retry_has_a_limit);
	tcase_add_test(tcase, tries_each_address_of_the_host);
	tcase_add_test(tcase, a_silent_server_gets_everything_also_with_retry);
	tcase_add_test(tcase, over_ipv6_a_datagram_carries_20_bytes_more);
	tcase_add_test(tcase, reaches_ipv6);
	tcase_add_test(tcase, says_that_a_host_cannot_be_found);
	tcase = add_case(suite, "standard input and output");
	tcase_add_loop_test(tcase, a_full_disk_is_an_error, 0, 2);
	tcase_add_loop_test(tcase, ends_quietly_when_nobody_reads_its_output, 0, 2);
	tcase_add_test(tcase, a_missing_standard_input_is_an_error);
	tcase_add_test(tcase, a_terminal_is_not_obeyed_by_what_the_server_sends);
	tcase_add_test(tcase, raw_shows_a_terminal_everything);
}

static void add_repeating(Suite *suite)
{
	TCase *tcase = add_case(suite, "again and again");

	tcase_add_test(tcase, repeating_reports_each_reply_and_a_summary);
	tcase_add_test(tcase, repeating_without_any_reply_fails);
	tcase_add_test(tcase, repeating_counts_what_is_lost);
	tcase_add_test(tcase, repeating_counts_duplicates);
	tcase_add_loop_test(tcase, repeating_knows_replies_that_overtake_each_other, 0,
			    2);
	tcase_add_test(tcase, repeating_times_replies_that_take_longer_than_the_interval);
	tcase_add_test(tcase, repeating_counts_a_reply_that_comes_late);
	tcase_add_loop_test(tcase, repeating_matches_other_replies_one_at_a_time, 0, 2);
	tcase_add_test(tcase, repeating_can_send_the_whole_input);
	tcase_add_test(tcase, repeating_can_dump_what_goes_over_the_wire);
	tcase_add_test(tcase, repeating_reports_that_nobody_is_there);
	tcase_add_test(tcase, repeating_with_retry_waits_for_the_server);
	tcase_add_loop_test(tcase, repeating_sums_up_when_it_is_interrupted, 0, 2);
}

Suite *suite_dial_udp(void)
{
	Suite *suite = suite_create("dial_udp");
	TCase *tcase;

	add_conversations(suite);
	add_repeating(suite);
	tcase = add_case(suite, "usage");
	tcase_add_loop_test(tcase, bad_usage_is_one_clear_line, 0, USAGE_ERRORS);
	return suite;
}
