/*
 * The same on the wire: one script, cut and timed by chance, through every model; what the
 * client hears must be the same bytes.
 *
 * The chance is a seed, so that a failure comes again: SOCKWAYS_SEED=N.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	SCRIPTS = SANITIZED ? 4 : 12,
	LONGEST = 300 * 1000, /* bytes that a script sends */
	MOST_HEARD = 4 * 1024 * 1024,
	PAUSE_EVERY = 6,   /* pieces, on average */
	LONGEST_PAUSE = 4, /* milliseconds */
};

/* ---- chance ---------------------------------------------------------------------------- */

struct chance {
	uint32_t state;
};

static uint32_t up_to(struct chance *chance, uint32_t most)
{
	chance->state = chance->state * 1664525u + 1013904223u; /* Knuth, TAOCP 2 */
	return (uint32_t)((uint64_t)(chance->state >> 8) * (most + 1u) >> 24);
}

static uint32_t first_seed(void)
{
	const char *text = getenv("SOCKWAYS_SEED");

	return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 1;
}

/* ---- scripts --------------------------------------------------------------------------- */

struct script {
	uint32_t seed;
	size_t length;
	char bytes[LONGEST];
};

/* Lines, of lengths from none to thousands; at the end perhaps half a one. */
static void write_lines(struct script *script, struct chance *chance)
{
	size_t at = 0;

	fill_pattern(script->bytes, script->length, script->seed);
	while (at < script->length) {
		at += up_to(chance, 9) > 0 ? up_to(chance, 80) : up_to(chance, 9000);
		if (at < script->length)
			script->bytes[at++] = '\n';
	}
}

/* Copies pieces, one of the last ones in a thousand, until the script is full: the end of
 * it is perhaps the beginning of a piece. */
static void write_pieces(struct script *script, struct chance *chance,
			 const char *const good[], uint32_t good_count,
			 const char *const last[], uint32_t last_count)
{
	size_t at = 0, length;

	while (at < script->length) {
		const char *piece = up_to(chance, 999) > 0
					    ? good[up_to(chance, good_count - 1)]
					    : last[up_to(chance, last_count - 1)];

		length = strlen(piece);
		if (length > script->length - at)
			length = script->length - at;
		memcpy(script->bytes + at, piece, length);
		at += length;
	}
}

/* Requests, mostly such as a server takes; at the end perhaps half a one. A bad one is the
 * last that is answered. */
static void write_requests(struct script *script, struct chance *chance)
{
#define FIELDS " HTTP/1.1\r\nHost: localhost\r\n"
	static const char *const good[] = {
		"GET /" FIELDS "\r\n",
		"GET /a/path?and=a&query" FIELDS "User-Agent: transcripts\r\n\r\n",
		"HEAD /" FIELDS "\r\n",
		"GET /bytes/70001" FIELDS "\r\n",
		"HEAD /bytes/70001" FIELDS "\r\n",
		"GET /bytes/many" FIELDS "\r\n",
		"GET /delay/1" FIELDS "\r\n",
		"OPTIONS *" FIELDS "\r\n",
		"POST /" FIELDS "Content-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz",
		"GET /" FIELDS "Transfer-Encoding: chunked\r\n\r\n"
		"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n",
		"BREW /coffee" FIELDS "\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	};
	static const char *const last[] = {
		"GET /" FIELDS "Connection: close\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"POST /" FIELDS "Content-Length: 1, 2\r\n\r\n",
		"POST /" FIELDS "Content-Length: 1048577\r\n\r\n",
		"POST /" FIELDS "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
		"GET / HTTP/3.0\r\n\r\n",
		"hello\n",
	};
#undef FIELDS
	enum { GOOD = sizeof good / sizeof *good, LAST = sizeof last / sizeof *last };

	write_pieces(script, chance, good, GOOD, last, LAST);
}

/* What one can say and do in a chat, alone; nothing is answered after it has left. */
static void write_chat(struct script *script, struct chance *chance)
{
	static const char *const good[] = {
		"hello\r\n",
		"//hello\n",
		"  \n\n",
		"/me waves\n",
		"/nick alice\n",
		"/nick Alice\n",
		"/nick no such name\n",
		"/nick guest7\n",
		"/who\n",
		"/rooms\n",
		"/join #attic\n",
		"/join lobby\n",
		"/topic this and that\n",
		"/topic -\n",
		"/topic\n",
		"/msg alice \033[2J \xff\xfb\x01 \xc3\xa9 \xc3(\n",
		"/msg nobody hello\n",
		"/ping \xe2\x80\xae \xed\xa0\x80 \tpong\n",
		"/help\n",
		"/nonsense\n",
		"a long line without an end in sight, with 64 bytes in each piece ",
	};
	static const char *const last[] = { "/quit\n", "/quit supper\n" };
	enum { GOOD = sizeof good / sizeof *good, LAST = sizeof last / sizeof *last };

	write_pieces(script, chance, good, GOOD, last, LAST);
}

/* Uploads whose client does not wait to be asked for the bytes, and requests for what they
 * have left; at the end half of one, with which the next script may go on. */
static void write_transfers(struct script *script, struct chance *chance)
{
	static const char *const parts[] = {
		"PUT a 5 1\n12345SUM -\n",
		"PUT \"b c\" 9 1.5\r\n123456789SUM 930766865\r\n",
		"PUT \"b c\" 9 1\n123456789SUM 930766866\n",
		"PUT d 0 -1\nSUM 4294967295\n",
		"PUT e 26 7\nabcdefghijklmnopqrstuvwxyzSUM -\n",
		"PUT f 5 1 nosum\n12345SUM -\n",
		"GET a\nGET e 20\n",
		"GET a nosum\nGET \"b c\" 4 nosum\n",
		"GET nothing\nSTAT a\nSTAT \"b c\"\n",
		"LIST\nLIST a\n",
		"STAT ../a\nFETCH a\n\n",
		"HELP\n",
	};
	enum { PARTS = sizeof parts / sizeof *parts };
	size_t at = 0, length;

	while (at < script->length) {
		const char *part = up_to(chance, 2999) > 0
					   ? parts[up_to(chance, PARTS - 1)]
					   : "QUIT\n";

		length = strlen(part);
		if (length > script->length - at)
			length = script->length - at;
		memcpy(script->bytes + at, part, length);
		at += length;
	}
}

typedef void script_writer(struct script *script, struct chance *chance);

static void write_script(struct script *script, uint32_t seed, script_writer *write)
{
	struct chance chance = { seed };

	script->seed = seed;
	script->length =
		up_to(&chance, 1) ? up_to(&chance, LONGEST) : up_to(&chance, 2000);
	write(script, &chance);
}

struct performance {
	const struct script *script;
	int fd;
};

/* The client's mouth: a thread, so that it never waits for its own ears. */
static void *speak(void *context)
{
	const struct performance *performance = context;
	const struct script *script = performance->script;
	struct chance chance = { script->seed ^ 0x5eed };
	size_t sent = 0;

	while (sent < script->length) {
		size_t n = up_to(&chance, 3) ? up_to(&chance, 40) : up_to(&chance, 20000);

		n = n + 1 < script->length - sent ? n + 1 : script->length - sent;
		if (io_write(performance->fd, script->bytes + sent, n) != (ssize_t)n)
			return NULL; /* the server has hung up: its right */
		sent += n;
		if (script->length < 10000 && up_to(&chance, PAUSE_EVERY) == 0)
			poll(NULL, 0, (int)up_to(&chance, LONGEST_PAUSE));
	}
	shutdown(performance->fd, SHUT_WR);
	return NULL;
}

struct transcript {
	char *bytes;
	size_t length;
};

static struct transcript perform(const struct script *script, const struct server *server)
{
	struct performance performance = { script, client_connect(server) };
	struct transcript heard = { malloc(MOST_HEARD), 0 };
	pthread_t mouth;
	ssize_t n;

	ck_assert_ptr_nonnull(heard.bytes);
	ck_assert_int_eq(pthread_create(&mouth, NULL, speak, &performance), 0);
	do {
		n = io_read(performance.fd, heard.bytes + heard.length,
			    MOST_HEARD - heard.length);
		ck_assert_msg(n >= 0, "%s, seed %u: nothing more comes after %zu bytes",
			      server->name, script->seed, heard.length);
		heard.length += (size_t)n;
	} while (n > 0);
	ck_assert_int_eq(pthread_join(mouth, NULL), 0);
	client_close(performance.fd);
	return heard;
}

/* The services, with options by which their words depend on nothing but what they are
 * told. chargen's have no end: see test_small_services.c. */
static struct folder folder;

static const struct {
	const char *name, *options[5];
	size_t least; /* bytes that it says to each script */
	script_writer *write;
} services[] = {
	{ "echo", { NULL }, 1, write_lines },
	{ "discard", { NULL }, 0, write_lines },
	{ "daytime", { "-f", "the time" }, 1, write_lines },
	{ "greet", { "-m", "{} %s" }, 1, write_lines },
	{ "reply", { NULL }, 1, write_lines },
	{ "reply", { "-m", "<{}>{" }, 1, write_lines },
	{ "chat", { "-R0", "-B64M" }, 1, write_chat },
	{ "chat", { "-R0", "-B64M" }, 1, write_lines },
	{ "http", { "-q", "--lab" }, 1, write_requests },
	{ "http", { "-q" }, 1, write_lines },
	{ "file", { "-S", "-w", "-r", folder.path }, 1, write_transfers },
	{ "file", { "-S", "-w", "-r", folder.path }, 1, write_lines },
};

enum { SERVICES = sizeof services / sizeof *services };

START_TEST(every_model_says_the_same)
{
	static struct script script;
	struct transcript first[SCRIPTS] = { { .length = 0 } }, heard;

	for (int model = 0; model < models_count(); model++) {
		struct server server;

		if (strcmp(services[_i].name, "chat") == 0 &&
		    !model_shares_a_server(model))
			continue; /* names are used again there, and nobody meets anybody */
		folder_create(&folder); /* for each model a new one */
		server = model_start(model, services[_i].name, services[_i].options);

		for (uint32_t i = 0; i < SCRIPTS; i++) {
			write_script(&script, first_seed() + i, services[_i].write);
			heard = perform(&script, &server);
			mask_http_dates(heard.bytes, heard.length);
			if (first[i].bytes == NULL) {
				first[i] = heard;
				continue;
			}
			ck_assert_msg(heard.length == first[i].length &&
					      memcmp(heard.bytes, first[i].bytes,
						     heard.length) == 0,
				      "seed %u: %s says %zu bytes, not the %zu of the "
				      "first model",
				      script.seed, server.name, heard.length,
				      first[i].length);
			free(heard.bytes);
		}
		server_finish(&server);
		folder_remove(&folder);
	}
	for (int i = 0; i < SCRIPTS; i++) {
		if (first[i].bytes != NULL)
			ck_assert_uint_ge(first[i].length, services[_i].least);
		free(first[i].bytes);
	}
}
END_TEST

Suite *suite_transcripts(void)
{
	Suite *suite = suite_create("transcripts");
	TCase *tcase = tcase_create("transcripts");

	tcase_add_loop_test(tcase, every_model_says_the_same, 0, SERVICES);
	suite_add_tcase(suite, tcase);
	return suite;
}
