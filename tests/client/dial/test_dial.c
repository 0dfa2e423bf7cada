/*
 * dial as its user sees it, against small servers that are threads of the test: each has
 * one client, and one behaviour.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
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
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum { WORDS_MOST = 24 }; /* of a command line of dial */

enum {
	MEGABYTE = 1024 * 1024,
	LOT = 8 * MEGABYTE,
	TEXT = 512,
	BLOCK = 64 * 1024,
	A_WHILE = 150, /* milliseconds in which nothing may happen */
};

/* ---- the servers ----------------------------------------------------------------------- */

struct peer {
	int listener;
	char port[8];
	pthread_t thread;
	void (*behave)(struct peer *peer, int fd);
	char *record; /* what it has received; read it after peer_join() */
	size_t recorded;
	bool early; /* the client sent something before it should */
	atomic_size_t sent;
	atomic_bool go; /* the test lets it go on */
};

static char *lot;

static bool may_go(void *context)
{
	struct peer *peer = context;

	return atomic_load(&peer->go);
}

static void *peer_run(void *context)
{
	struct peer *peer = context;
	struct address address;
	int fd;

	if (io_wait(peer->listener, POLLIN, WAIT_MS) <= 0)
		return NULL;
	fd = sock_accept(peer->listener, &address, false);
	if (fd < 0)
		return NULL;
	sock_set_timeout(fd, WAIT_MS);
	peer->behave(peer, fd);
	close(fd);
	return NULL;
}

static void peer_listen(struct peer *peer, const char *host)
{
	struct sock_place place = { host, "0", SOCK_STREAM, 8 };
	struct failure failure;
	struct address address;

	memset(peer, 0, sizeof *peer);
	signal(SIGPIPE, SIG_IGN);
	peer->listener = sock_listen(&place, &failure);
	ck_assert_msg(peer->listener >= 0, "%s", failure.text);
	ck_assert_int_eq(address_local(peer->listener, &address), 0);
	snprintf(peer->port, sizeof peer->port, "%u", address_port(&address));
	peer->record = malloc(LOT);
	ck_assert_ptr_nonnull(peer->record);
}

static void peer_start_on(struct peer *peer, const char *host,
			  void (*behave)(struct peer *peer, int fd))
{
	peer_listen(peer, host);
	peer->behave = behave;
	ck_assert_int_eq(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

static void peer_start(struct peer *peer, void (*behave)(struct peer *peer, int fd))
{
	peer_start_on(peer, "127.0.0.1", behave);
}

static void peer_join(struct peer *peer)
{
	atomic_store(&peer->go, true);
	ck_assert_int_eq(pthread_join(peer->thread, NULL), 0);
	close(peer->listener);
}

static void peer_end(struct peer *peer)
{
	free(peer->record);
	peer->record = NULL;
}

/* What is there next; recorded. @return the count, 0 or less at the end */
static ssize_t peer_read(struct peer *peer, int fd)
{
	size_t room = LOT - peer->recorded;
	ssize_t n =
		io_read(fd, peer->record + peer->recorded, room < BLOCK ? room : BLOCK);

	if (n > 0)
		peer->recorded += (size_t)n;
	return n;
}

static void peer_say(int fd, const char *text)
{
	io_write(fd, text, strlen(text));
}

static void echo(struct peer *peer, int fd)
{
	ssize_t n;

	while ((n = peer_read(peer, fd)) > 0)
		io_write(fd, peer->record + peer->recorded - n, (size_t)n);
}

static void stay_silent(struct peer *peer, int fd)
{
	while (peer_read(peer, fd) > 0)
		continue;
	eventually(may_go, peer, WAIT_MS);
}

static void close_at_once(struct peer *peer, int fd)
{
	(void)peer;
	(void)fd;
}

static void greet_and_close(struct peer *peer, int fd)
{
	(void)peer;
	peer_say(fd, "welcome\n");
}

static void greet_urgently(struct peer *peer, int fd)
{
	(void)peer;
	client_send_urgent(fd, "wel", 3);
	peer_say(fd, "come\n");
}

/* ---- what the tests share -------------------------------------------------------------- */

/* dial said nothing but this on standard error; %s in it is the port. */
static void assert_says(const struct run *run, const char *format, const char *port)
{
	char text[TEXT];

	memset(text, 0, sizeof text);
	for (size_t used = 0; *format != '\0' && used < TEXT - 16; used = strlen(text)) {
		if (strncmp(format, "%s", 2) == 0) {
			snprintf(text + used, 16, "%s", port);
			format += 2;
		} else {
			text[used] = *format++;
		}
	}
	ck_assert_str_eq(run->err, text);
}

static struct run dial(const char *const argv[], const char *input)
{
	return run_program(argv, input, strlen(input), WAIT_MS);
}

/* Starts a peer, dials it with these options, or NULL, and waits for both. */
static struct run dial_to(struct peer *peer, void (*behave)(struct peer *peer, int fd),
			  const char *const options[], const char *input)
{
	const char *argv[WORDS_MOST] = { "dial" };
	size_t count = 1;
	struct run run;

	for (; options != NULL && *options != NULL; options++) {
		ck_assert_uint_lt(count, WORDS_MOST - 3);
		argv[count++] = *options;
	}
	peer_start(peer, behave);
	argv[count++] = "127.0.0.1";
	argv[count] = peer->port;
	run = dial(argv, input);
	peer_join(peer);
	return run;
}

/* ---- messages and lines ---------------------------------------------------------------- */

START_TEST(sends_each_message_and_prints_the_replies)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = dial(ARGUMENTS("dial", "-m", "one", "--message", "", "-m", "two",
			     "127.0.0.1", peer.port),
		   "not this\n");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "one\n\ntwo\n");
	ck_assert_str_eq(run.err, "");
	peer_end(&peer);
}
END_TEST

/* GIVEN a server that sends a byte of its reply as urgent data
   THEN dial prints the whole reply. */
START_TEST(prints_urgent_data_in_its_place)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, greet_urgently, NULL, "");
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "welcome\n");
	peer_end(&peer);
}
END_TEST

START_TEST(sends_lines_of_standard_input)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, echo, NULL, "one\ntwo\nno newline");
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "one\ntwo\nno newline");
	peer_end(&peer);
}
END_TEST

/* Those that end so already stay as they are, and so does a carriage return elsewhere. */
START_TEST(ends_lines_with_crlf_on_request)
{
	static const struct {
		const char *argv[8], *input, *sent;
	} cases[] = {
		{ { "-C" },
		  "one\n\r\ntwo\r\n\nno newline",
		  "one\r\n\r\ntwo\r\n\r\nno newline" },
		{ { "--crlf" }, "\r\r\n\ra\rb\n\n", "\r\r\n\ra\rb\r\n\r\n" },
		{ { "-C", "-m", "GET / HTTP/1.0", "-m", "" },
		  "",
		  "GET / HTTP/1.0\r\n\r\n" },
		{ { "-C", "-m", "a\nb\r", "-m", "c" }, "", "a\r\nb\r\nc\r\n" },
		{ { "-C", "-1" }, "one\ntwo\n", "one\r\ntwo\r\n" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *argv[12] = { "dial" };
		struct peer peer;
		struct run run;
		size_t count = 1;

		for (const char *const *word = cases[i].argv; *word != NULL; word++)
			argv[count++] = *word;
		peer_start(&peer, echo);
		argv[count++] = "127.0.0.1";
		argv[count] = peer.port;
		run = dial(argv, cases[i].input);
		peer_join(&peer);
		run_expect_status(&run, 0);
		ck_assert_str_eq(run.out, cases[i].sent);
		peer_end(&peer);
	}
}
END_TEST

START_TEST(takes_host_and_port_in_one_word)
{
	char operand[32];
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	snprintf(operand, sizeof operand, "127.0.0.1:%s", peer.port);
	run = dial(ARGUMENTS("dial", "-m", "x", operand), "");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "x\n");
	peer_end(&peer);
}
END_TEST

START_TEST(reads_what_comes_after_the_half_close)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, greet_and_close, NULL, "");
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "welcome\n");
	peer_end(&peer);
}
END_TEST

/* ---- many bytes ------------------------------------------------------------------------ */

START_TEST(carries_megabytes_both_ways_unchanged)
{
	struct peer peer;
	struct run run;

	fill_pattern(lot, LOT, 1);
	peer_start(&peer, echo);
	run = run_program(ARGUMENTS("dial", "127.0.0.1", peer.port), lot, LOT,
			  2 * WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, LOT);
	ck_assert_mem_eq(run.out, lot, LOT);
	ck_assert_uint_eq(peer.recorded, LOT);
	ck_assert_mem_eq(peer.record, lot, LOT);
	peer_end(&peer);
}
END_TEST

/* Each line is one byte and its end, so that a read ends between the two sooner or later. */
START_TEST(ends_many_lines_with_crlf_wherever_the_input_is_cut)
{
	char *text = much_memory(MEGABYTE), *expected = much_memory(LOT);
	struct peer peer;
	struct run run;
	size_t length = 0;

	for (size_t i = 0; i < MEGABYTE; i++) {
		text[i] = "a\nb\r\n"[i % 5];
		if (i % 5 == 1)
			expected[length++] = '\r';
		expected[length++] = text[i];
	}
	peer_start(&peer, echo);
	run = run_program(ARGUMENTS("dial", "-C", "127.0.0.1", peer.port), text, MEGABYTE,
			  2 * WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, length);
	ck_assert_mem_eq(run.out, expected, length);
	peer_end(&peer);
}
END_TEST

static void read_on_request(struct peer *peer, int fd)
{
	eventually(may_go, peer, WAIT_MS);
	while (peer_read(peer, fd) > 0)
		continue;
}

START_TEST(reads_no_more_input_than_the_server_takes)
{
	struct peer peer;
	struct program program;
	struct run run;
	size_t fed = 0;
	int small = 16 * 1024;

	fill_pattern(lot, LOT, 2);
	peer_listen(&peer, "127.0.0.1");
	ck_assert_int_eq(
		setsockopt(peer.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small),
		0);
	peer.behave = read_on_request;
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, peer_run, &peer), 0);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-N", "127.0.0.1", peer.port),
	});
	ck_assert_int_eq(io_set_nonblocking(program.in, true), 0);
	while (fed < LOT && io_wait(program.in, POLLOUT, 3 * A_WHILE) > 0) {
		ssize_t n = io_write(program.in, lot + fed, LOT - fed);

		if (n > 0)
			fed += (size_t)n;
	}
	ck_assert_msg(fed < LOT, "dial read %zu bytes that nobody takes", fed);
	atomic_store(&peer.go, true);
	program_end_input(&program);
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(peer.recorded, fed);
	ck_assert_mem_eq(peer.record, lot, fed);
	peer_end(&peer);
}
END_TEST

/* Sends until the client says something. */
static void flood(struct peer *peer, int fd)
{
	io_set_nonblocking(fd, true);
	for (;;) {
		int ready = io_wait(fd, POLLIN | POLLOUT, WAIT_MS);
		ssize_t n;

		if (ready <= 0 || (ready & POLLIN) != 0)
			break;
		n = io_write(fd, lot, BLOCK);
		if (n > 0)
			atomic_fetch_add(&peer->sent, (size_t)n);
	}
	peer_read(peer, fd);
}

static bool output_is_stuck(void *context)
{
	struct peer *peer = context;

	return atomic_load(&peer->sent) > 4 * BLOCK; /* more than a pipe holds */
}

START_TEST(sends_on_while_nobody_reads_its_output)
{
	struct peer peer;
	struct program program;
	struct run run;

	peer_start(&peer, flood);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "127.0.0.1", peer.port),
	});
	ck_assert(eventually(output_is_stuck, &peer, WAIT_MS));
	ck_assert_int_eq(io_write(program.in, "stop\n", 5), 5);
	peer_join(&peer); /* not a byte of the output has been read yet */
	ck_assert_uint_eq(peer.recorded, 5);
	program_end_input(&program);
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, atomic_load(&peer.sent));
	peer_end(&peer);
}
END_TEST

/* ---- lockstep -------------------------------------------------------------------------- */

/* Answers each line with its number, but first looks whether the next one comes early. */
static void count_lines(struct peer *peer, int fd)
{
	char reply[16];

	for (int number = 1; peer_read(peer, fd) > 0; number++) {
		bool last = strncmp(peer->record + peer->recorded - 2, "c\n", 2) == 0;

		peer->early = peer->early || (!last && io_wait(fd, POLLIN, A_WHILE) != 0);
		snprintf(reply, sizeof reply, "%d\n", number);
		peer_say(fd, reply);
	}
}

START_TEST(lockstep_waits_for_each_reply)
{
	const char *const by_messages[] = { "dial", "-1",        "-ma", "-mb",
					    "-mc",  "127.0.0.1", NULL,  NULL };
	const char *const by_lines[] = { "dial", "--lockstep", "127.0.0.1", NULL, NULL };
	const char *argv[8];
	struct peer peer;
	struct run run;
	size_t count = 0;

	peer_start(&peer, count_lines);
	memset(argv, 0, sizeof argv);
	while ((_i == 0 ? by_messages : by_lines)[count] != NULL) {
		argv[count] = (_i == 0 ? by_messages : by_lines)[count];
		count++;
	}
	argv[count] = peer.port;
	run = dial(argv, "a\nb\nc\n");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_msg(!peer.early, "the next line came before the reply");
	ck_assert_str_eq(run.out, "1\n2\n3\n");
	ck_assert_uint_eq(peer.recorded, 6);
	ck_assert_mem_eq(peer.record, "a\nb\nc\n", 6);
	peer_end(&peer);
}
END_TEST

START_TEST(lockstep_ends_when_no_reply_comes)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, stay_silent, ARGUMENTS("-1", "-w", "0.3", "-m", "a"), "");
	run_expect_status(&run, 1);
	assert_says(&run, "dial: no reply from 127.0.0.1 port %s within 0.3 s\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

static void read_and_close(struct peer *peer, int fd)
{
	peer_read(peer, fd);
}

START_TEST(lockstep_says_when_the_server_closes_instead_of_replying)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, read_and_close, ARGUMENTS("-1", "-m", "a"), "");
	run_expect_status(&run, 1);
	assert_says(&run,
		    "dial: 127.0.0.1 port %s closed the connection before it replied\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

/* Says a byte now and then and never a newline, until the client leaves. */
static void dribble(struct peer *peer, int fd)
{
	peer_read(peer, fd);
	do
		peer_say(fd, "x");
	while (io_wait(fd, POLLIN, 50) == 0);
}

START_TEST(lockstep_wants_the_whole_line_in_time)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, dribble, ARGUMENTS("-1", "-w", "2", "-m", "a"), "");
	run_expect_status(&run, 1);
	assert_says(&run, "dial: 127.0.0.1 port %s did not end a line within 2 s\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

/* ---- servers that close without a reply ------------------------------------------------- */

/* Takes a half-close for the end of the client, as many proxies do. */
static void cut_at_half_close(struct peer *peer, int fd)
{
	peer_read(peer, fd);
	if (io_wait(fd, POLLIN, WAIT_MS) == 0)
		peer_say(fd, "not cut\n");
}

START_TEST(says_when_the_server_closes_without_a_reply)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, cut_at_half_close, NULL, "GET /\n");
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "");
	assert_says(&run,
		    "dial: 127.0.0.1 port %s closed the connection without a reply "
		    "(after a half-close; to send none, use -k)\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

START_TEST(a_reply_that_nobody_expects_is_not_missed)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, cut_at_half_close, ARGUMENTS("--no-reply"), "data\n");
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	peer_end(&peer);
	run = dial_to(&peer, close_at_once, NULL, "");
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	peer_end(&peer);
}
END_TEST

/* Replies after a while, unless the client has half-closed meanwhile. */
static void reply_to_who_stays(struct peer *peer, int fd)
{
	peer_read(peer, fd);
	peer->early = io_wait(fd, POLLIN, A_WHILE) != 0;
	if (!peer->early)
		peer_say(fd, "here you are\n");
}

START_TEST(keeps_its_sending_side_open_on_request)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, reply_to_who_stays);
	run = _i == 0 ? dial(ARGUMENTS("dial", "-k", "127.0.0.1", peer.port), "GET /\n")
		      : dial(ARGUMENTS("dial", "--keep-open", "-m", "GET /", "127.0.0.1",
				       peer.port),
			     "");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert(!peer.early);
	ck_assert_str_eq(run.out, "here you are\n");
	ck_assert_str_eq(run.err, "");
	peer_end(&peer);
}
END_TEST

START_TEST(an_open_sending_side_does_not_wait_for_ever)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, stay_silent, ARGUMENTS("-k", "-w", "0.3"), "a\n");
	run_expect_status(&run, 1);
	assert_says(&run, "dial: no reply from 127.0.0.1 port %s within 0.3 s\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

/* What a slow server behind a proxy sees: the end of the connection, or no end at all. */
static void answer_http_to_who_stays(struct peer *peer, int fd)
{
	peer_read(peer, fd);
	peer->early = io_wait(fd, POLLIN, may_go(peer) ? A_WHILE : WAIT_MS) != 0;
	if (!peer->early)
		peer_say(fd, "HTTP/1.0 200 OK\r\n\r\nhere you are\n");
}

static const char nginx_setup[] =
	"daemon off; master_process off; error_log stderr; pid pid;\n"
	"events {}\n"
	"http { access_log off; client_body_temp_path body; proxy_temp_path proxy;\n"
	"  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
	"  server { listen 127.0.0.1:7999;\n"
	"    location / { proxy_pass http://127.0.0.1:%s; } } }\n";

/* In a network of our own, where port 7999 is free. @return whether that can be had */
static bool start_nginx(struct folder *folder, const char *to, struct program *nginx)
{
	char path[TOOL_TEXT], setup[2 * TEXT];

	if (needed_program("nginx", path) == NULL)
		return false;
	snprintf(setup, sizeof setup, nginx_setup, to);
	folder_create(folder);
	folder_text(folder, "nginx.conf", setup);
	*nginx = program_start(&(struct run_setup){
		.argv = ARGUMENTS(path, "-p", folder->path, "-c", "nginx.conf"),
	});
	return true;
}

static void stop_nginx(struct folder *folder, struct program *nginx)
{
	kill(nginx->pid, SIGTERM);
	program_wait(nginx, WAIT_MS);
	folder_remove(folder);
}

/* nginx ends the request of a client that half-closes: 499 in its log. */
START_TEST(a_proxy_that_cuts_the_reply_is_reported_and_avoided)
{
	const char *option = _i == 0 ? "-kCR" : "-CR";
	struct folder folder;
	struct program nginx;
	struct peer peer;
	struct run run;

	if (!network_enter_own()) {
		skipped("a port that must be free: no network of its own to be had");
		return;
	}
	peer_listen(&peer, "127.0.0.1");
	if (!start_nginx(&folder, peer.port, &nginx)) {
		close(peer.listener);
		return;
	}
	atomic_store(&peer.go, _i == 0);
	peer.behave = answer_http_to_who_stays;
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, peer_run, &peer), 0);
	run = dial(ARGUMENTS("dial", option, "127.0.0.1", "7999"), "GET / HTTP/1.0\n\n");
	peer_join(&peer);
	stop_nginx(&folder, &nginx);
	ck_assert_int_eq(peer.early, _i == 1);
	run_expect_status(&run, _i);
	if (_i == 0)
		expect_match(run.out, "^HTTP/1.1 200 OK\r\n.*\r\n\r\nhere you are\n$");
	else
		expect_match(run.err, "closed the connection without a reply");
	peer_end(&peer);
}
END_TEST

/* ---- hex dump, -v ---------------------------------------------------------------------- */

START_TEST(dumps_both_directions)
{
	struct peer peer;
	struct run run;

	run = dial_to(
		&peer, echo,
		ARGUMENTS("-1", "-x", "-m", "hello", "-m", "\x1b[31m 20 bytes \xff"), "");
	run_expect_status(&run, 0);
	ck_assert_str_eq(
		run.out,
		"> 00000000  68 65 6c 6c 6f 0a                                 |hello.|\n"
		"< 00000000  68 65 6c 6c 6f 0a                                 |hello.|\n"
		"> 00000006  1b 5b 33 31 6d 20 32 30  20 62 79 74 65 73 20 ff  |.[31m 20 "
		"bytes .|\n"
		"> 00000016  0a                                                |.|\n"
		"< 00000006  1b 5b 33 31 6d 20 32 30  20 62 79 74 65 73 20 ff  |.[31m 20 "
		"bytes .|\n"
		"< 00000016  0a                                                |.|\n");
	peer_end(&peer);
}
END_TEST

START_TEST(verbose_says_whom_it_reached_and_how_long_it_took)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = dial(ARGUMENTS("dial", "-v", "-1", "-m", "a", "-m", "bc", "127.0.0.1",
			     peer.port),
		   "");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "a\nbc\n");
	expect_match(run.err,
		     "^dial: connected to 127\\.0\\.0\\.1:[0-9]+ from "
		     "127\\.0\\.0\\.1:[0-9]+ in [0-9]+\\.[0-9]{3} ms\n"
		     "dial: reply after [0-9]+\\.[0-9]{3} ms\n"
		     "dial: reply after [0-9]+\\.[0-9]{3} ms\n"
		     "dial: sent 5 bytes, received 5 bytes in [0-9]+\\.[0-9]{3} ms\n$");
	peer_end(&peer);
}
END_TEST

/* ---- time-outs ------------------------------------------------------------------------- */

START_TEST(ends_when_a_server_stays_silent_after_the_half_close)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, stay_silent, ARGUMENTS("-w", "0.3"), "hello\n");
	run_expect_status(&run, 1);
	assert_says(&run, "dial: no reply from 127.0.0.1 port %s within 0.3 s\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

static void greet_and_stay(struct peer *peer, int fd)
{
	peer_read(peer, fd);
	peer_say(fd, "welcome\n");
	stay_silent(peer, fd);
}

START_TEST(ends_when_a_reply_does_not)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, greet_and_stay, ARGUMENTS("-w", "2", "-m", "hello"), "");
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "welcome\n");
	assert_says(&run, "dial: no end of the reply from 127.0.0.1 port %s within 2 s\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

/* Until the client hangs up: reads nothing meanwhile. */
static void take_nothing(struct peer *peer, int fd)
{
	(void)fd;
	eventually(may_go, peer, WAIT_MS);
}

START_TEST(ends_when_the_server_takes_nothing_more)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, take_nothing);
	run = run_program(ARGUMENTS("dial", "-w", "0.3", "127.0.0.1", peer.port), lot,
			  LOT, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 1);
	assert_says(&run, "dial: 127.0.0.1 port %s did not read for 0.3 s\n", peer.port);
	peer_end(&peer);
}
END_TEST

static void speak_late(struct peer *peer, int fd)
{
	peer->early = io_wait(fd, POLLIN, 4 * A_WHILE) != 0; /* or hung up */
	peer_say(fd, "late\n");
}

START_TEST(never_cuts_off_a_user_who_types_nothing)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, speak_late);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-w", "0.1", "127.0.0.1", peer.port),
		.hold_input = true,
	});
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert(!peer.early);
	ck_assert_str_eq(run.out, "late\n");
	peer_end(&peer);
}
END_TEST

START_TEST(connecting_has_a_limit)
{
	int clients[16];
	struct address address;
	struct peer peer;
	struct run run;

	peer_listen(&peer, "127.0.0.1");
	ck_assert_int_eq(listen(peer.listener, 0), 0);
	ck_assert_int_eq(address_local(peer.listener, &address), 0);
	client_fill_backlog(&address, clients, 16);
	run = dial(ARGUMENTS("dial", "-w", "0.3", "-m", "x", "127.0.0.1", peer.port), "");
	run_expect_status(&run, 1);
	assert_says(&run, "dial: cannot connect to 127.0.0.1 port %s: timed out\n",
		    peer.port);
	for (int i = 0; i < 16; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	close(peer.listener);
	peer_end(&peer);
}
END_TEST

/* ---- connecting ------------------------------------------------------------------------ */

/* A port that is ours and refuses everybody, until listen() is called. */
static int bind_only(char port[8])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct address local;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(address_local(fd, &local), 0);
	snprintf(port, 8, "%u", address_port(&local));
	return fd;
}

START_TEST(says_that_it_was_refused)
{
	char port[8];
	int fd = bind_only(port);
	struct run run = dial(ARGUMENTS("dial", "127.0.0.1", port), "x\n");

	run_expect_status(&run, 1);
	assert_says(&run,
		    "dial: cannot connect to 127.0.0.1 port %s: Connection refused\n",
		    port);
	close(fd);
}
END_TEST

START_TEST(retry_waits_for_the_server)
{
	struct program program;
	struct peer peer;
	struct run run;

	memset(&peer, 0, sizeof peer);
	peer.listener = bind_only(peer.port);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-R", "-m", "x", "127.0.0.1", peer.port),
	});
	ck_assert_int_eq(io_wait(program.err, POLLIN, A_WHILE), 0); /* not given up */
	ck_assert_int_eq(listen(peer.listener, 8), 0);
	peer.behave = echo;
	peer.record = malloc(LOT);
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, peer_run, &peer), 0);
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "x\n");
	peer_end(&peer);
}
END_TEST

START_TEST(retry_has_a_limit)
{
	char port[8];
	int fd = bind_only(port);
	struct run run =
		dial(ARGUMENTS("dial", "-R", "-w", "0.2", "127.0.0.1", port), "x\n");

	run_expect_status(&run, 1);
	assert_says(&run,
		    "dial: cannot connect to 127.0.0.1 port %s: Connection refused\n",
		    port);
	close(fd);
}
END_TEST

START_TEST(says_that_a_host_cannot_be_found)
{
	struct run run = dial(ARGUMENTS("dial", "no\x1bhost.invalid", "7007"), "");

	run_expect_status(&run, 1);
	expect_match(run.err,
		     "^dial: cannot find host no\\\\x1bhost\\.invalid: [^\n]+\n$");
}
END_TEST

START_TEST(ipv4_and_ipv6_can_be_asked_for)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, echo);
	run = dial(ARGUMENTS("dial", "-6", "-m", "x", "127.0.0.1", peer.port), "");
	run_expect_status(&run, 1);
	expect_match(run.err, "^dial: cannot find host 127\\.0\\.0\\.1: [^\n]+\n$");
	run = dial(ARGUMENTS("dial", "-4", "-m", "x", "localhost", peer.port), "");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "x\n");
	peer_end(&peer);
}
END_TEST

START_TEST(reaches_ipv6)
{
	char operand[32];
	struct peer peer;
	struct run run;

	if (!network_has_ipv6())
		return;
	peer_start_on(&peer, "::1", echo);
	snprintf(operand, sizeof operand, "[::1]:%s", peer.port);
	run = dial(ARGUMENTS("dial", "-6", "-v", "-m", "x", operand), "");
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "x\n");
	expect_match(run.err, "^dial: connected to \\[::1\\]:[0-9]+ from \\[::1\\]:");
	peer_end(&peer);
}
END_TEST

/* ---- servers that go away -------------------------------------------------------------- */

static void speak_and_reset(struct peer *peer, int fd)
{
	peer_say(fd, "the last words\n");
	peer_read(peer, fd); /* by now they have arrived */
	sock_set_abortive(fd);
}

START_TEST(says_that_it_was_reset_after_printing_what_came)
{
	struct peer peer;
	struct run run;

	run = dial_to(&peer, speak_and_reset, ARGUMENTS("-m", "x"), "");
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out, "the last words\n");
	assert_says(&run, "dial: 127.0.0.1 port %s: Connection reset by peer\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

START_TEST(says_that_not_everything_was_taken)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, close_at_once);
	run = run_program(ARGUMENTS("dial", "127.0.0.1", peer.port), lot, LOT, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 1);
	assert_says(&run, "dial: 127.0.0.1 port %s: Connection reset by peer\n",
		    peer.port);
	peer_end(&peer);
}
END_TEST

/* Not before there is input: dial does not wait for one that has said nothing. */
static void half_close_then_read(struct peer *peer, int fd)
{
	peer_read(peer, fd);
	peer_say(fd, "go on\n");
	shutdown(fd, SHUT_WR);
	while (peer_read(peer, fd) > 0)
		continue;
}

START_TEST(sends_the_rest_to_a_server_that_half_closes)
{
	struct peer peer;
	struct run run;

	fill_pattern(lot, LOT, 3);
	peer_start(&peer, half_close_then_read);
	run = run_program(ARGUMENTS("dial", "127.0.0.1", peer.port), lot, LOT, WAIT_MS);
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "go on\n");
	ck_assert_uint_eq(peer.recorded, LOT);
	ck_assert_mem_eq(peer.record, lot, LOT);
	peer_end(&peer);
}
END_TEST

START_TEST(ends_with_the_server_when_nobody_types)
{
	struct peer peer;
	struct run run;

	peer_start(&peer, greet_and_close);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-w", "60", "127.0.0.1", peer.port),
		.hold_input = true,
	});
	peer_join(&peer);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "welcome\n");
	ck_assert_str_eq(run.err, "");
	peer_end(&peer);
}
END_TEST

/* ---- standard input and output that fail ----------------------------------------------- */

static void close_one(void *context)
{
	close(*(int *)context);
}

static struct run dial_prepared(struct peer *peer, void (*prepare)(void *), void *context)
{
	struct run run;

	peer_start(peer, echo);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("dial", "127.0.0.1", peer->port),
		.input = "hello\n",
		.input_length = 6,
		.prepare = prepare,
		.context = context,
	});
	peer_join(peer);
	peer_end(peer);
	return run;
}

START_TEST(a_full_disk_is_an_error)
{
	struct peer peer;
	struct run run;

	if (access("/dev/full", W_OK) < 0)
		return; /* not everywhere */
	run = dial_prepared(&peer, output_is_full, NULL);
	run_expect_status(&run, 1);
	ck_assert_str_eq(
		run.err,
		"dial: cannot write to standard output: No space left on device\n");
}
END_TEST

START_TEST(ends_quietly_when_nobody_reads_its_output)
{
	struct peer peer;
	struct run run = dial_prepared(&peer, output_has_no_reader, NULL);

	run_expect_signal(&run, SIGPIPE);
	ck_assert_str_eq(run.err, "");
}
END_TEST

/* The socket must not get the number of what is missing. */
START_TEST(missing_standard_descriptors_are_errors)
{
	static const char *const messages[] = {
		"dial: cannot read standard input: Bad file descriptor\n",
		"dial: cannot write to standard output: Bad file descriptor\n",
	};
	struct peer peer;
	int fd = _i;
	struct run run;

	if (!kernel_has("standard descriptors that can be closed"))
		return;
	run = dial_prepared(&peer, close_one, &fd);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, messages[_i]);
}
END_TEST

/* ---- the terminal ---------------------------------------------------------------------- */

static void send_escapes(struct peer *peer, int fd)
{
	peer_say(fd, "\x1b[31mred gr\xc3"); /* half of an u with two dots */
	peer_read(peer, fd);                /* which dial sends once this has been read */
	peer_say(fd, "\xbc\xc3\x9f\x65\r\n");
}

/* What a terminal is sent by dial; it makes \r\n of \n. */
static bool dial_on_terminal(const char *option, char *shown, size_t size)
{
	int master, slave;
	struct program program;
	struct peer peer;
	struct run run;
	ssize_t n = 0;
	size_t used = 0;

	if (!terminal_open(&master, &slave))
		return false;
	peer_start(&peer, send_escapes);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", option, "127.0.0.1", peer.port),
		.prepare = output_is_terminal,
		.context = &slave,
	});
	close(slave);
	do {
		used += (size_t)n;
		shown[used] = '\0';
		if (strstr(shown, "red gr") != NULL && program.in >= 0) {
			ck_assert_int_eq(io_write(program.in, "x\n", 2), 2);
			program_end_input(&program);
		}
		n = io_wait(master, POLLIN, WAIT_MS) > 0
			    ? io_read(master, shown + used, size - 1 - used)
			    : 0;
	} while (n > 0); /* EIO when the last one has closed it */
	run = program_wait(&program, WAIT_MS);
	peer_join(&peer);
	peer_end(&peer);
	close(master);
	run_expect_status(&run, 0);
	return true;
}

START_TEST(a_terminal_is_not_obeyed_by_what_the_server_sends)
{
	char shown[TEXT];

	if (!dial_on_terminal("-q", shown, sizeof shown))
		return;
	ck_assert_str_eq(shown, "\\x1b[31mred gr\xc3\xbc\xc3\x9f\x65\r\r\n");
}
END_TEST

START_TEST(raw_shows_a_terminal_everything)
{
	char shown[TEXT];

	if (!dial_on_terminal("--raw", shown, sizeof shown))
		return;
	ck_assert_str_eq(shown, "\x1b[31mred gr\xc3\xbc\xc3\x9f\x65\r\r\n");
}
END_TEST

/* ---- usage ----------------------------------------------------------------------------- */

static const struct {
	const char *argv[6];
	const char *says;
} usage_errors[] = {
	{ { "dial" }, "HOST and PORT are missing" },
	{ { "dial", "localhost" }, "PORT is missing" },
	{ { "dial", "localhost:1", "2" }, "the port is given twice" },
	{ { "dial", "localhost", "1", "2" }, "unexpected argument after HOST and PORT" },
	{ { "dial", "", "7" }, "'' is not HOST, HOST:PORT or [IPV6]:PORT" },
	{ { "dial", "localhost", "99999" },
	  "'99999' is not a port (0 to 65535, or a service name)" },
	{ { "dial", "localhost:0x50" },
	  "'0x50' is not a port (0 to 65535, or a service name)" },
	{ { "dial", "localhost", "" },
	  "'' is not a port (0 to 65535, or a service name)" },
	{ { "dial", "localhost", "no-such-service" },
	  "'no-such-service' is not a port (0 to 65535, or a service name)" },
	{ { "dial", "-w", "soon", "localhost", "7" },
	  "-w, --wait: 'soon' is not a time of 0 to 86400 seconds, such as 2 or 0.5" },
	{ { "dial", "-w", "-1", "localhost", "7" },
	  "-w, --wait: '-1' is not a time of 0 to 86400 seconds, such as 2 or 0.5" },
	{ { "dial", "-Z", "localhost", "7" }, "unknown option -Z" },
	{ { "dial", "-u", "-C", "localhost", "7" }, "-C, --crlf cannot be used with -u" },
	{ { "dial", "--hex=3", "localhost", "7" }, "-x, --hex takes no argument" },
	{ { "dial", "localhost", "7", "-m" },
	  "-m, --message needs an argument (MESSAGE)" },
};

enum { USAGE_ERRORS = sizeof usage_errors / sizeof usage_errors[0] };

START_TEST(bad_usage_is_one_clear_line)
{
	struct run run = dial(usage_errors[_i].argv, "");
	char line[TEXT];

	snprintf(line, sizeof line, "dial: %s; try 'dial -h'\n", usage_errors[_i].says);
	ck_assert_str_eq(run.err, line);
	ck_assert_str_eq(run.out, "");
	run_expect_status(&run, 2);
}
END_TEST

START_TEST(help_and_version_go_to_standard_output)
{
	struct run run = dial(ARGUMENTS("dial", "-h"), "");

	run_expect_status(&run, 0);
	expect_match(run.out, "^usage: dial \\[options\\] HOST PORT\n");
	ck_assert_str_eq(run.err, "");
	run = dial(ARGUMENTS("dial", "--version"), "");
	run_expect_status(&run, 0);
	expect_match(run.out, "^dial \\(sockways\\) [^\n]+\n$");
}
END_TEST

Suite *suite_dial(void)
{
	Suite *suite = suite_create("dial");
	TCase *tcase = add_case(suite, "messages and lines");

	lot = much_memory(LOT);
	tcase_add_test(tcase, sends_each_message_and_prints_the_replies);
	tcase_add_test(tcase, prints_urgent_data_in_its_place);
	tcase_add_test(tcase, sends_lines_of_standard_input);
	tcase_add_test(tcase, ends_lines_with_crlf_on_request);
	tcase_add_test(tcase, takes_host_and_port_in_one_word);
	tcase_add_test(tcase, reads_what_comes_after_the_half_close);
	tcase = add_case(suite, "many bytes");
	tcase_add_test(tcase, carries_megabytes_both_ways_unchanged);
	tcase_add_test(tcase, ends_many_lines_with_crlf_wherever_the_input_is_cut);
	tcase_add_test(tcase, reads_no_more_input_than_the_server_takes);
	tcase_add_test(tcase, sends_on_while_nobody_reads_its_output);
	tcase = add_case(suite, "lockstep");
	tcase_add_loop_test(tcase, lockstep_waits_for_each_reply, 0, 2);
	tcase_add_test(tcase, lockstep_ends_when_no_reply_comes);
	tcase_add_test(tcase, lockstep_says_when_the_server_closes_instead_of_replying);
	tcase_add_test(tcase, lockstep_wants_the_whole_line_in_time);
	tcase = add_case(suite, "without a reply");
	tcase_add_test(tcase, says_when_the_server_closes_without_a_reply);
	tcase_add_test(tcase, a_reply_that_nobody_expects_is_not_missed);
	tcase_add_loop_test(tcase, keeps_its_sending_side_open_on_request, 0, 2);
	tcase_add_test(tcase, an_open_sending_side_does_not_wait_for_ever);
	tcase_add_loop_test(tcase, a_proxy_that_cuts_the_reply_is_reported_and_avoided, 0,
			    2);
	tcase = add_case(suite, "dump and details");
	tcase_add_test(tcase, dumps_both_directions);
	tcase_add_test(tcase, verbose_says_whom_it_reached_and_how_long_it_took);
	tcase = add_case(suite, "time-outs");
	tcase_add_test(tcase, ends_when_a_server_stays_silent_after_the_half_close);
	tcase_add_test(tcase, ends_when_a_reply_does_not);
	tcase_add_test(tcase, ends_when_the_server_takes_nothing_more);
	tcase_add_test(tcase, never_cuts_off_a_user_who_types_nothing);
	tcase_add_test(tcase, connecting_has_a_limit);
	tcase = add_case(suite, "connecting");
	tcase_add_test(tcase, says_that_it_was_refused);
	tcase_add_test(tcase, retry_waits_for_the_server);
	tcase_add_test(tcase, retry_has_a_limit);
	tcase_add_test(tcase, says_that_a_host_cannot_be_found);
	tcase_add_test(tcase, ipv4_and_ipv6_can_be_asked_for);
	tcase_add_test(tcase, reaches_ipv6);
	tcase = add_case(suite, "servers that go away");
	tcase_add_test(tcase, says_that_it_was_reset_after_printing_what_came);
	tcase_add_test(tcase, says_that_not_everything_was_taken);
	tcase_add_test(tcase, sends_the_rest_to_a_server_that_half_closes);
	tcase_add_test(tcase, ends_with_the_server_when_nobody_types);
	tcase = add_case(suite, "standard input and output");
	tcase_add_test(tcase, a_full_disk_is_an_error);
	tcase_add_test(tcase, ends_quietly_when_nobody_reads_its_output);
	tcase_add_loop_test(tcase, missing_standard_descriptors_are_errors, 0, 2);
	tcase_add_test(tcase, a_terminal_is_not_obeyed_by_what_the_server_sends);
	tcase_add_test(tcase, raw_shows_a_terminal_everything);
	tcase = add_case(suite, "usage");
	tcase_add_loop_test(tcase, bad_usage_is_one_clear_line, 0, USAGE_ERRORS);
	tcase_add_test(tcase, help_and_version_go_to_standard_output);
	return suite;
}
