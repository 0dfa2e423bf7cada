/*
 * Clients that read slowly, and clients that do not read, in every model and service: the idle
 * timeout ends the second kind only. By a clock that the test holds: test_send_queue.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	MODELS_MOST = 16,
	BIG = 24 * 1024 * 1024, /* more than the kernel holds for a client */
	SETTLED = 250, /* milliseconds without room: nothing more will be taken */
	IDLE = 3000, /* -t: a slow reader makes a send queue shorter in steps, up to 2 s apart */
	SLOWLY = IDLE + IDLE / 2,
	REQUESTS = 64 * 1024, /* bytes that are sent in one piece */
	SMALL = 64 * 1024,    /* a receive buffer, which the kernel doubles */
	RATE = 230,           /* bytes in a millisecond, while it reads slowly */
	SIP_EVERY = 20,
	THEN = 1024 * 1024, /* bytes: it has read less until then */
};

/* A reader of each model's server. */
struct reader {
	struct server server;
	int fd;
	size_t got;
};

/* What a client sends, again and again until nobody takes it, for more than it reads. */
struct appetite {
	const char *service;
	const char *const *options;
	const char *request; /* NULL: none is needed */
	bool again;
	size_t all; /* bytes that must come; 0: without end */
};

static struct folder folder;

static const char *const no_options[] = { "-t", "3", "-vv", NULL };
static const char *const chat_options[] = {
	"-t", "3", "-vv", "-R", "0", "-B", "64M", NULL
};
static const char *const folder_options[] = { "-t", "3", "-vv", "-r", folder.path, NULL };
static const char *const site_options[] = { "-t",        "3",  "-vv",       "-L",
					    "/dev/null", "-r", folder.path, NULL };

static const struct appetite appetites[] = {
	{ "http", site_options, "GET /big HTTP/1.0\r\n\r\n", false, BIG },
	{ "file", folder_options, "GET big\n", false, BIG },
	{ "chargen", no_options, NULL, false, 0 },
	{ "echo", no_options, "hello, hello, hello\n", true, 0 },
	{ "chat", chat_options, "/help\n", true, 0 },
};

enum { APPETITES = sizeof appetites / sizeof *appetites };

static void make_big_file(void)
{
	char *bytes = much_memory(BIG);

	folder_create(&folder);
	folder_file(&folder, "big", bytes, BIG);
}

/* Many times the same, in one piece. */
static void fill_with(char requests[REQUESTS], const char *request, size_t *whole)
{
	size_t length = strlen(request);

	*whole = REQUESTS / length * length;
	for (size_t i = 0; i < *whole; i++)
		requests[i] = request[i % length];
}

static void send_until_stuck(int fd, const char *request)
{
	static char requests[REQUESTS];
	size_t whole;

	fill_with(requests, request, &whole);
	while (io_wait(fd, POLLOUT, SETTLED) > 0)
		ck_assert(send(fd, requests, whole, 0) > 0 || errno == EAGAIN);
}

/* The size of a receive buffer is set before the connection stands: a window that was
 * announced cannot be taken back. */
static int connect_with_small_buffer(const struct server *server)
{
	const int small = SMALL;
	struct sockaddr_in where = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)server->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
	ck_assert_int_eq(io_set_nonblocking(fd, true), 0);
	return fd;
}

/* Its receive buffer is small: what it has not read is in the server's kernel. */
static void arrive(struct reader *reader, int model, const struct appetite *appetite)
{
	reader->server = model_start(model, appetite->service, appetite->options);
	reader->fd = connect_with_small_buffer(&reader->server);
	reader->got = 0;
	if (appetite->request != NULL)
		client_say(reader->fd, appetite->request);
	/* The server answers: before it has begun, it takes nothing either. */
	ck_assert_int_gt(io_wait(reader->fd, POLLIN, WAIT_MS), 0);
}

/* Reads what there is, at most so much. @return how much; 0: nothing is there */
static size_t sip(struct reader *reader, size_t most)
{
	static char bytes[65536];
	ssize_t n = recv(reader->fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);

	ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN), "%s: %s after %zu bytes:\n%s",
		      reader->server.name, n == 0 ? "cut off" : strerror(errno),
		      reader->got, server_errors(&reader->server));
	if (n > 0)
		reader->got += (size_t)n;
	return n > 0 ? (size_t)n : 0;
}

/* Reads at the rate: after a delay it reads more at once. It also sends more requests whenever the
 * kernel takes them, so that the server always has something to send. Each reader is served in
 * each turn, so none waits until another one has sent everything. */
static void read_slowly(struct reader *readers, int count,
			const struct appetite *appetite)
{
	static char requests[REQUESTS];
	int64_t begin = clock_milliseconds(), passed = 0;
	size_t whole = 0;

	if (appetite->again)
		fill_with(requests, appetite->request, &whole);
	while (passed < SLOWLY) {
		poll(NULL, 0, SIP_EVERY);
		passed = clock_milliseconds() - begin;
		for (int i = 0; i < count; i++) {
			size_t due = (size_t)(passed < SLOWLY ? passed : SLOWLY) * RATE;

			if (whole > 0 && send(readers[i].fd, requests, whole, 0) < 0)
				ck_assert_int_eq(errno, EAGAIN);
			while (readers[i].got < due &&
			       sip(&readers[i], due - readers[i].got) > 0)
				continue;
		}
	}
}

/* Reads no more than a part: meanwhile the others read nothing. One that has enough reads on
 * where there is no end: the others may need longer than the idle timeout.
 * @return whether a reader has not got enough yet */
static bool read_on(struct reader *reader, size_t enough, bool endless)
{
	size_t part = reader->got + THEN;

	if (!endless && part > enough)
		part = enough;
	while (reader->got < part && sip(reader, part - reader->got) > 0)
		continue;
	return reader->got < enough;
}

/* All of them in turn: none is to wait for another. */
static void read_the_rest(struct reader *readers, int count,
			  const struct appetite *appetite)
{
	size_t enough = appetite->all > 0 ? appetite->all : 2 * THEN;
	int64_t end = clock_milliseconds() + 3 * WAIT_MS;
	bool more = count > 0;

	for (int i = 0; i < count; i++)
		ck_assert_uint_lt(readers[i].got, THEN); /* it was slow */
	while (more) {
		more = false;
		for (int i = 0; i < count; i++)
			more = read_on(&readers[i], enough, appetite->all == 0) || more;
		ck_assert_msg(clock_milliseconds() < end, "no more comes");
		poll(NULL, 0, 1);
	}
}

/* GIVEN a server with an idle timeout, and more to send than the kernel holds
   WHEN the client reads slowly for longer than that: too little to make room for more
   THEN the client is not cut off, and gets the rest. */
START_TEST(a_client_that_reads_slowly_gets_all)
{
	const struct appetite *appetite = &appetites[_i];
	struct reader readers[MODELS_MOST];
	int models = models_count();

	if (SANITIZED) { /* the clients of this test must keep a rate */
		skipped("needs a build without sanitizers");
		return;
	}
	ck_assert_int_le(models, MODELS_MOST);
	make_big_file();
	for (int i = 0; i < models; i++)
		arrive(&readers[i], i, appetite);
	if (sock_send_queue(readers[0].fd) < 0) {
		skipped("the length of a send queue cannot be had here");
	} else {
		read_slowly(readers, models, appetite);
		read_the_rest(readers, models, appetite);
	}
	/* all before a server stops, because they read no more */
	for (int i = 0; i < models; i++)
		client_reset(readers[i].fd);
	for (int i = 0; i < models; i++) {
		ck_assert_msg(server_count_lines(&readers[i].server, "does not read") ==
				      0,
			      "%s", server_errors(&readers[i].server));
		server_finish(&readers[i].server);
	}
	folder_remove(&folder);
}
END_TEST

/* GIVEN the same
   WHEN the client reads nothing
   THEN it is cut off. */
START_TEST(a_client_that_reads_nothing_is_cut_off)
{
	const struct appetite *appetite = &appetites[_i];
	struct reader readers[MODELS_MOST];

	if (SANITIZED) { /* the clients of this test must keep a rate */
		skipped("needs a build without sanitizers");
		return;
	}
	ck_assert_int_le(models_count(), MODELS_MOST);
	make_big_file();
	for (int i = 0; i < models_count(); i++) {
		arrive(&readers[i], i, appetite);
		if (appetite->again)
			send_until_stuck(readers[i].fd, appetite->request);
	}
	for (int i = 0; i < models_count(); i++) {
		server_wait_line(&readers[i].server,
				 "timed out: the client does not read", WAIT_MS);
		client_close(readers[i].fd);
		server_finish(&readers[i].server);
	}
	folder_remove(&folder);
}
END_TEST

Suite *suite_slow_readers(void)
{
	Suite *suite = suite_create("slow_readers");
	TCase *tcase = add_case(suite, "slow readers");

	tcase_add_loop_test(tcase, a_client_that_reads_slowly_gets_all, 0, APPETITES);
	tcase_add_loop_test(tcase, a_client_that_reads_nothing_is_cut_off, 0, APPETITES);
	return suite;
}
