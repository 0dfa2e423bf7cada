/*
 * http - a web server: a greeting, or the files of a directory (RFC 9110, RFC 9112).
 *
 * It shows how to split a protocol with many rules into parts that each know one thing.
 * The parser (request.c) finds out what the client requests, document.c what exists,
 * conditions.c how much of it the client needs. exchange.c chooses the answer, answer.c
 * writes it, log.c records it. This file is the conversation: one request after the
 * other, each answered before the next is parsed.
 *
 * An idle connection costs its state of a few hundred bytes. A request body costs a copy
 * of the header, because the body pushes the header out of the input buffer.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/message.h"
#include "common/options.h"
#include "server/service.h"
#include "server/service/http/answer.h"
#include "server/service/http/cache_control.h"
#include "server/service/http/date.h"
#include "server/service/http/document.h"
#include "server/service/http/exchange.h"
#include "server/service/http/http.h"
#include "server/service/http/lab.h"
#include "server/service/http/listing.h"
#include "server/service/http/log.h"
#include "server/service/http/request.h"
#include "server/core/sandbox.h"
#include "server/core/session.h"
#include "server/core/work.h"

enum {
	DELAY_MOST = 3600 * 1000, /* milliseconds */
	TIMEOUT_MOST = 86400,     /* seconds */
	BODY_PACE = 16384,        /* bytes a second: a slower body times out */
	/* Requests of one client that are answered in one turn: 64 KiB of input may
	 * hold thousands. Clients that send several at once seldom send more than 16. */
	TURN = 32,
	BODY_TURN = 1024 * 1024, /* bytes of one body that are written in one turn */
	MADE_PIECE = 16384,      /* bytes that are made at once, on the stack */
	OPTION_DELAY = SERVICE_LETTERS_FROM,
	OPTION_HEADER_TIMEOUT,
	OPTION_CACHE_CONTROL,
	OPTION_WORK,
	OPTION_LAB,
};

static struct http_site site = { .greeting = "Hello, World!" };
static const char *directory; /* NULL: serve only the greeting */
struct http_root http_root;
static bool listings;
static const char *log_name;                      /* NULL: standard output, unless -q */
static int64_t delay, header_timeout = 10 * 1000; /* milliseconds */
static int64_t work; /* CPU time of each answer, in microseconds */
static uint64_t body_most = 1024 * 1024;

/*
 * The phases of a session:
 *
 *                  a body follows                  the body is complete
 *   READS_HEADER -----------------> READS_BODY ------------------------+
 *     ^     |                                                          |
 *     |     | the header is complete, no body                          |
 *     |     +-----------------------------------+----------------------+
 *     |                                         |  (with a delay: WAITS until the pause ends)
 *     |  a greeting, file or error is written   v
 *     +<------------------------------------ answer
 *     |                                         |  a listing
 *     |  all is written           all is read   v
 *     +<---------------- WRITES_PAGE <------- LISTS, in steps
 *
 * A bad request or a timeout is answered from the first two phases, and ends the session.
 */
enum phase {
	READS_HEADER,
	READS_BODY,
	WAITS,       /* the request is complete, but its answer is delayed */
	LISTS,       /* reads a directory, in steps */
	WRITES_PAGE, /* or a body of /bytes/N, as fast as the client reads it */
};

/* In the last three phases a part of the request stays in the input, although it is
 * parsed: input() is called again only if there is input. */
struct http_state {
	struct http_request request;
	enum phase phase;
	char *header; /* a copy, if the request has a body; else NULL */
	size_t left;  /* bytes of the request that stay in the input, see above */
	struct http_listing *listing; /* a listing in progress; else NULL */
	/* the body of an answer that is being written; else, or if it is made while it
	 * is written, NULL */
	char *page;
	size_t page_length, written;
	unsigned turn; /* requests that may still be answered in this turn */
	time_t now;    /* the time in date[] */
	char date[HTTP_DATE_TEXT];
};

/* ---- one request ---- */

/* Finds the first line of an incomplete request, as far as it has arrived. Empty lines
 * before it are skipped: some clients send one after a body. They do not begin a
 * request, and an answer to them would be mistaken for the answer to the next request
 * (RFC 9112, section 2.2). */
static struct http_log_text first_line(const char *bytes, size_t n)
{
	const char *end;

	while (n > 0 && (*bytes == '\r' || *bytes == '\n'))
		bytes++, n--;
	end = memchr(bytes, '\n', n);
	if (end != NULL)
		n = (size_t)(end - bytes);
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	return (struct http_log_text){ bytes, n };
}

/* Reads the clock. The date is formatted again only when the second has changed. */
static struct http_exchange begin_exchange(struct session *session, const char *bytes)
{
	struct http_state *state = session->state;
	time_t now = time(NULL);

	if (now != state->now) {
		state->now = now;
		http_date(now, state->date);
	}
	return (struct http_exchange){
		.session = session,
		.request = &state->request,
		.bytes = bytes,
		.now = now,
		.date = state->date,
		.keep_alive = state->request.keep_alive,
	};
}

/* The answer is written: prepares for the next request, if the connection stays open. */
static void end_request(struct session *session, bool keep_alive)
{
	struct http_state *state = session->state;

	if (!keep_alive)
		session_finish(session);
	if (session_has_deadline(session))
		session_deadline(session, 0);
	if (state->phase != READS_HEADER)
		session_set_busy(session, false);
	free(state->header);
	free(state->page);
	state->header = state->page = NULL;
	state->phase = READS_HEADER;
	if (state->turn > 0)
		state->turn--;
	memset(&state->request, 0, sizeof state->request);
}

/* Functions that consume input return the number of bytes. In the next five functions
 * the request is complete, except that @p left bytes of it stay in the input until the
 * answer is written. @p bytes are its header. */

/* @return the number of bytes written, at most @p most */
static size_t write_page_piece(struct session *session, size_t most)
{
	const struct http_state *state = session->state;
	size_t n = most < HTTP_PAGE_PIECE ? most : HTTP_PAGE_PIECE;

	session_write(session, state->page + state->written, n);
	return n;
}

static size_t write_made_piece(struct session *session, size_t most)
{
	const struct http_state *state = session->state;
	char bytes[MADE_PIECE];
	size_t n = most < sizeof bytes ? most : sizeof bytes;

	http_lab_make(bytes, n, state->written);
	session_write(session, bytes, n);
	return n;
}

/* A client that reads fast lets the others go first after each BODY_TURN bytes. */
static size_t write_page(struct session *session)
{
	struct http_state *state = session->state;
	size_t end = state->written + BODY_TURN;

	while (state->written < state->page_length && !session_full(session)) {
		size_t most = state->page_length - state->written;

		if (state->written >= end) {
			session_pause(session, 0);
			return 0;
		}
		state->written += state->page != NULL ? write_page_piece(session, most)
						      : write_made_piece(session, most);
	}
	if (state->written < state->page_length)
		return 0;
	end_request(session, state->request.keep_alive);
	return state->left;
}

/* The answer is written, except for its page. */
static size_t finish_answer(struct session *session, struct http_exchange *exchange,
			    size_t left)
{
	struct http_state *state = session->state;

	if (http_log_wanted())
		http_exchange_log(exchange);
	if (exchange->page == NULL && !exchange->is_made) {
		end_request(session, exchange->keep_alive);
		return left;
	}
	state->phase = WRITES_PAGE;
	state->left = left;
	state->page = exchange->page;
	state->page_length = (size_t)exchange->length;
	state->written = 0;
	session_set_busy(session, true);
	return write_page(session);
}

static struct http_exchange begin_whole_exchange(struct session *session,
						 const char *bytes)
{
	struct http_exchange exchange = begin_exchange(session, bytes);
	const struct http_piece *line = &exchange.request->line;

	exchange.line = (struct http_log_text){ bytes + line->at, line->length };
	return exchange;
}

/* Does the next step of a listing. A large directory takes many steps, and other
 * clients are served between them. */
static size_t list(struct session *session, const char *bytes)
{
	struct http_state *state = session->state;
	int more = http_listing_go_on(state->listing), error = more < 0 ? errno : 0;
	struct http_exchange exchange;

	if (more > 0) {
		session_pause(session, 0);
		return 0;
	}
	exchange = begin_whole_exchange(session, bytes);
	http_exchange_answer_listing(&exchange, state->listing, error);
	http_listing_end(state->listing);
	state->listing = NULL;
	state->turn = 0;
	return finish_answer(session, &exchange, state->left);
}

static size_t answer_request(struct session *session, const char *bytes, size_t left)
{
	struct http_state *state = session->state;
	struct http_exchange exchange;

	work_do(work);
	exchange = begin_whole_exchange(session, bytes);
	state->listing = http_exchange_answer(&exchange, &site);
	if (state->listing == NULL)
		return finish_answer(session, &exchange, left);
	state->phase = LISTS;
	state->left = left;
	if (session_has_deadline(session))
		session_deadline(session, 0);
	session_set_busy(session, true);
	return list(session, bytes);
}

static size_t answer_in_time(struct session *session, const char *bytes, size_t left)
{
	struct http_state *state = session->state;
	int64_t wait = delay + http_exchange_delay(&state->request, bytes, &site);

	if (wait == 0)
		return answer_request(session, bytes, left);
	state->phase = WAITS;
	state->left = left;
	session_deadline(session, 0);
	session_set_busy(session, true);
	session_pause(session, wait);
	return 0;
}

/* Answers a bad request. The rest of the input is discarded, because its meaning is
 * unknown. @p line is the first line of the request. */
static void refuse_request(struct session *session, int status, const char *why,
			   struct http_log_text line)
{
	const struct http_state *state = session->state;
	struct http_exchange exchange = begin_exchange(session, state->header);

	exchange.line = line;
	exchange.keep_alive = false;
	http_exchange_refuse(&exchange, status, why);
	if (http_log_wanted())
		http_exchange_log(&exchange);
	end_request(session, false);
}

/* Answers a request with a bad body. */
static void refuse_body(struct session *session, int status, const char *why)
{
	const struct http_state *state = session->state;
	const struct http_piece *line = &state->request.line;

	refuse_request(session, status, why,
		       (struct http_log_text){ state->header + line->at, line->length });
}

static size_t read_body(struct session *session, const char *bytes, size_t n)
{
	struct http_state *state = session->state;
	struct http_request *request = &state->request;
	size_t taken = 0;

	switch (http_request_body(request, bytes, n, body_most, &taken)) {
	case HTTP_MORE:
		return taken;
	case HTTP_BAD:
		refuse_body(session, request->status, request->why);
		return n;
	default:
		return taken - 1 + answer_in_time(session, state->header, 1);
	}
}

/* The body is incomplete. A client that waits for permission to send it gets "100
 * Continue", unless it has not waited (RFC 9110, section 10.1.1). */
static void expect_body(struct session *session, bool has_begun)
{
	const struct http_state *state = session->state;
	const struct http_request *request = &state->request;
	uint64_t most = request->chunked ? body_most : request->body_left;

	session_set_busy(session, true);
	if (header_timeout > 0)
		session_deadline(session,
				 header_timeout + (int64_t)(most / BODY_PACE * 1000));
	if (request->continues && !has_begun)
		http_answer_text(session, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* The header is needed until the body has arrived. It is copied, because the input is
 * consumed. */
static size_t begin_body(struct session *session, const char *bytes, size_t n)
{
	struct http_state *state = session->state;
	size_t length = state->request.length, taken;

	state->header = malloc(length);
	if (state->header == NULL) {
		refuse_request(session, 503, NULL, first_line(bytes, length));
		return n;
	}
	memcpy(state->header, bytes, length);
	state->phase = READS_BODY;
	taken = read_body(session, bytes + length, n - length);
	if (state->phase == READS_BODY)
		expect_body(session, n > length);
	return length + taken;
}

static size_t read_header(struct session *session, const char *bytes, size_t n)
{
	struct http_state *state = session->state;
	struct http_request *request = &state->request;

	switch (http_request_header(request, bytes, n)) {
	case HTTP_MORE:
		if (!session_has_deadline(session) && first_line(bytes, n).length > 0)
			session_deadline(session, header_timeout);
		return 0;
	case HTTP_BAD:
		refuse_request(session, request->status, request->why,
			       first_line(bytes, n));
		return n;
	default:
		break;
	}
	if (session_has_deadline(session))
		session_deadline(session, 0);
	if (request->has_body)
		return begin_body(session, bytes, n);
	return answer_in_time(session, bytes, request->length);
}

/* ---- the conversation ---- */

/* Continues a request that stays in the input. */
static size_t go_on(struct session *session, const char *bytes)
{
	struct http_state *state = session->state;
	const char *header = state->header != NULL ? state->header : bytes;

	if (state->phase == WAITS)
		return answer_request(session, header, state->left);
	return state->phase == LISTS ? list(session, header) : write_page(session);
}

static bool takes_more(const struct session *session)
{
	const struct http_state *state = session->state;

	return (state->phase == READS_HEADER || state->phase == READS_BODY) &&
	       !session_full(session) && !session->finished;
}

static size_t http_input(struct session *session, const char *bytes, size_t n)
{
	struct http_state *state = session->state;
	size_t used = 0, taken = 1;

	state->turn = work > 0 ? 1 : TURN;
	if (state->phase != READS_HEADER && state->phase != READS_BODY)
		used = taken = go_on(session, bytes);
	while (used < n && taken > 0 && takes_more(session)) {
		if (state->turn == 0) {
			session_pause(session, 0);
			break;
		}
		taken = state->phase == READS_HEADER
				? read_header(session, bytes + used, n - used)
				: read_body(session, bytes + used, n - used);
		used += taken;
	}
	return used;
}

/* An incomplete request gets an answer, too (RFC 9112, section 8). */
static void http_end(struct session *session, const char *bytes, size_t n)
{
	const struct http_state *state = session->state;
	struct http_log_text line = first_line(bytes, n);

	if (state->phase == READS_BODY)
		refuse_body(session, 400,
			    "the request ended before its body was complete");
	else if (line.length > 0)
		refuse_request(session, 400,
			       "the request ended before its header was complete", line);
	session_finish(session);
}

static void http_expired(struct session *session)
{
	const struct http_state *state = session->state;
	const struct http_log_text unknown = { NULL, 0 };

	if (state->phase == READS_BODY)
		refuse_body(session, 408,
			    "the body of the request took too long to arrive");
	else
		refuse_request(session, 408,
			       "the header of the request took too long to arrive",
			       unknown);
}

static void http_close(struct session *session)
{
	struct http_state *state = session->state;

	free(state->header);
	free(state->page);
	http_listing_end(state->listing);
}

/* ---- options ---- */

static int http_option(int letter, const struct options *options, struct failure *failure)
{
	uint64_t number;

	switch (letter) {
	case 'm':
		if (strlen(options->value) > HTTP_GREETING_MOST)
			return options_bad_value(failure, options, letter,
						 "is longer than 64 KiB");
		site.greeting = options->value;
		return 0;
	case 'r':
		directory = options->value;
		return 0;
	case 'l':
		listings = true;
		return 0;
	case 'L':
		log_name = options->value;
		return 0;
	case OPTION_CACHE_CONTROL:
		if (!http_cache_control_is_valid(options->value))
			return options_bad_value(
				failure, options, letter,
				"is not a list of cache directives such as "
				"'no-cache' or 'public, max-age=3600'");
		site.cache_control = options->value;
		return 0;
	case OPTION_LAB:
		site.lab = true;
		return 0;
	case OPTION_WORK:
		return work_option(options, letter, &work, failure);
	case 'M':
		return options_size(options, letter, 0, UINT64_MAX, &body_most, failure);
	case OPTION_DELAY:
		if (options_number(options, letter, 0, DELAY_MOST, &number, failure) < 0)
			return -1;
		delay = (int64_t)number;
		return 0;
	default:
		return options_seconds(options, letter, TIMEOUT_MOST, &header_timeout,
				       failure);
	}
}

static const struct option_line http_options[] = {
	{ 'm', "message", "TEXT", "the answer to any GET (default: Hello, World!)" },
	{ 'r', "root", "DIR", "serve the files in DIR instead" },
	{ 'l', "list", NULL, "with -r, list directories that have no index.html" },
	{ 'L', "log", "FILE",
	  "write a line for each answer to FILE, reopened at\n"
	  "SIGHUP; - is standard output (default without -q)" },
	{ 'M', "max-body", "SIZE", "largest request body, in bytes (default 1M)" },
	{ OPTION_CACHE_CONTROL, "cache-control", "VALUE",
	  "send Cache-Control: VALUE with greeting and files,\n"
	  "for example no-cache or 'public, max-age=3600'" },
	{ OPTION_HEADER_TIMEOUT, "header-timeout", "SEC",
	  "time limit for a request header\n(default 10; 0: none)" },
	{ OPTION_DELAY, "delay", "MS",
	  "delay each answer by MS milliseconds (default 0)" },
	{ OPTION_WORK, "work", "MS",
	  "use MS milliseconds of CPU time for each answer,\n"
	  "such as 1 or 0.05 (default 0)" },
	{ OPTION_LAB, "lab", NULL,
	  "for exercises: /bytes/N answers N bytes, and\n"
	  "/delay/MS answers after MS milliseconds" },
	{ 0 },
};

static int http_check(struct failure *failure)
{
	if (listings && directory == NULL)
		return failure_set(failure, "-l, --list needs -r DIR");
	return 0;
}

static int http_prepare(struct failure *failure)
{
	const char *log = message_wanted(MESSAGE_NOTICE) ? "-" : NULL;
	char date[HTTP_DATE_TEXT];

	if (directory != NULL && root_open(&http_root.directory, directory, failure) < 0)
		return -1;
	http_root.listings = listings;
	site.root = directory != NULL ? &http_root : NULL;
	http_date(time(NULL),
		  /* the first call may load data of the library: once, before fork(2) */
		  date);
	return http_log_open(log_name != NULL ? log_name : log, failure);
}

static void http_allow(struct sandbox *sandbox)
{
	if (directory != NULL)
		sandbox_read(sandbox, directory);
	if (log_name != NULL && strcmp(log_name, "-") != 0)
		sandbox_append(sandbox, log_name);
}

static void http_reopen(void)
{
	http_log_reopen();
	if (site.root != NULL)
		root_reopen(&site.root->directory);
}

const struct service http_service = {
	.name = "http",
	.summary = "web server: a greeting, or the files of a directory",
	.port = "8080",
	.state_size = sizeof(struct http_state),
	/* the file that is being sent, or the directory that is being listed */
	.descriptors = 1,
	.options = http_options,
	.option = http_option,
	.check = http_check,
	.prepare = http_prepare,
	.allow = http_allow,
	.input = http_input,
	.end = http_end,
	.expired = http_expired,
	.reopen = http_reopen,
	.close = http_close,
};
