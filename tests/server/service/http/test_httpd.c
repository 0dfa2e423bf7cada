/*
 * httpd as its users meet it, in every model: with curl, wrk, ab and a browser where these
 * are there, with clients that drip, stall, reset and flood, and with an operator who turns
 * its log. What it says byte by byte is in test_http.c.
 */
#define _GNU_SOURCE /* memmem */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	MEGABYTE = 1024 * 1024,
	URL = 1024,
	BIG = 32 * MEGABYTE, /* more than the buffers between the two ever hold */
};

static struct folder folder;
static char *big; /* BIG bytes */

/* Once for all tests: it takes its time. */
static void make_big(void)
{
	big = much_memory(BIG);
	fill_pattern(big, BIG, 4);
}

static void make_site(void)
{
	folder_create(&folder);
	folder_text(&folder, "index.html", "<!doctype html><title>home</title>home\n");
	folder_text(&folder, "small.txt", "a small file\n");
	folder_file(&folder, "big.bin", big, BIG);
	folder_directory(&folder, "listed");
	folder_text(&folder, "listed/one.txt", "one\n");
	folder_text(&folder, ".hidden", "hidden\n");
}

static void remove_site(void)
{
	folder_remove(&folder);
}

static struct server start(int model, const char *const options[])
{
	return model_start(model, "http", options);
}

static struct server start_site(int model)
{
	return start(model, ARGUMENTS("-q", "-l", "-r", folder.path));
}

/* Two may be in use at a time. */
static const char *url(const struct server *server, const char *path)
{
	static char texts[2][URL];
	static unsigned turn;
	char *text = texts[turn++ % 2];

	snprintf(text, URL, "http://%s:%u%s", server->host, server->port, path);
	return text;
}

/* What a file of the folder holds, NUL behind it. */
static const char *text_of(const char *name)
{
	static char text[65536];
	int fd = open(folder_path(&folder, name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_msg(fd >= 0, "there is no %s", name);
	n = read(fd, text, sizeof text - 1);
	ck_assert_int_ge(n, 0);
	close(fd);
	text[n] = '\0';
	return text;
}

/* Sends a request and returns the answer up to the server's hanging up. */
static const char *ask(const struct server *server, const char *request)
{
	static char answer[65536];
	int fd = client_connect(server);
	size_t length = 0;
	ssize_t n;

	client_send(fd, request, strlen(request));
	while (length < sizeof answer - 1 &&
	       (n = read(fd, answer + length, sizeof answer - 1 - length)) > 0)
		length += (size_t)n;
	answer[length] = '\0';
	client_close(fd);
	return answer;
}

/* Reads exactly one answer of a connection that stays open: header and body. */
static void expect_answer(int fd, const char *status, size_t body)
{
	static char header[8192], bytes[65536];
	size_t length = 0;
	char line[64];

	while (strstr(header, "\r\n\r\n") == NULL || length == 0) {
		ck_assert_uint_lt(length, sizeof header - 1);
		ck_assert_int_eq(read(fd, header + length, 1), 1);
		header[++length] = '\0';
	}
	snprintf(line, sizeof line, "HTTP/1.1 %s", status);
	ck_assert_msg(strncmp(header, line, strlen(line)) == 0, "'%s'", header);
	snprintf(line, sizeof line, "\r\nContent-Length: %zu\r\n", body);
	ck_assert_msg(strstr(header, line) != NULL, "no %s in '%s'", line, header);
	while (body > 0) {
		size_t most = body < sizeof bytes ? body : sizeof bytes;
		ssize_t n = read(fd, bytes, most);

		ck_assert_int_gt(n, 0);
		body -= (size_t)n;
	}
	header[0] = '\0';
}

static const char get_root[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char get_root_close[] =
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/* A client that has been served, and stays. */
static int connect_and_get(const struct server *server)
{
	int fd = client_connect(server);

	client_send(fd, get_root, strlen(get_root));
	expect_answer(fd, "200 OK", strlen("Hello, World!\n"));
	return fd;
}

/* ---- curl ------------------------------------------------------------------------------ */

static const char *curl_program;

/* Runs curl with these arguments, silently; it must succeed. Returns what it printed. */
#define CURL(...) curl(ARGUMENTS(curl_program, "-sS", "--max-time", "30", __VA_ARGS__))

static bool has_curl(void)
{
	static char path[TOOL_TEXT];

	curl_program = needed_program("curl", path);
	return curl_program != NULL;
}

static const char *curl(const char *const argv[])
{
	struct run run = run_program(argv, "", 0, LONG_WAIT_MS);

	ck_assert_msg(run.status == 0, "curl: %s%s", run.err, run.out);
	return run.out;
}

START_TEST(greets_out_of_the_box)
{
	struct server server = start(_i, NULL);

	expect_match(ask(&server, get_root_close),
		     "^HTTP/1\\.1 200 OK\r\n(.*\r\n)*\r\nHello, World!\n$");
	server_finish(&server);
}
END_TEST

START_TEST(curl_keeps_its_connection_alive)
{
	struct server server;

	if (!has_curl())
		return;
	server = start(_i, ARGUMENTS("-q"));
	ck_assert_str_eq(CURL("-w", "%{http_code} %{num_connects}\n", url(&server, "/a"),
			      "-w", "%{http_code} %{num_connects}\n", url(&server, "/")),
			 "Hello, World!\n200 1\nHello, World!\n200 0\n");
	server_finish(&server);
}
END_TEST

START_TEST(curl_gets_files_whole_in_parts_and_resumed)
{
	struct server server;
	struct run whole;
	char half[64];

	if (!has_curl())
		return;
	server = start_site(_i);
	ck_assert_str_eq(CURL(url(&server, "/small.txt")), "a small file\n");
	ck_assert_str_eq(CURL("-r", "2-6", url(&server, "/small.txt")), "small");
	ck_assert_str_eq(CURL("-r", "-5", url(&server, "/small.txt")), "file\n");
	ck_assert_str_eq(CURL("-o", "/dev/null", "-w", "%{http_code}", "-r", "99-",
			      url(&server, "/small.txt")),
			 "416");
	whole = run_program(ARGUMENTS(curl_program, "-sS", url(&server, "/big.bin")), "",
			    0, LONG_WAIT_MS);
	run_expect_status(&whole, 0);
	ck_assert_uint_eq(whole.out_length, BIG);
	ck_assert_int_eq(memcmp(whole.out, big, BIG), 0);
	/* The first half is there from another time; curl asks for the rest. */
	folder_file(&folder, "part", big, BIG / 2);
	snprintf(half, sizeof half, "206 %d", BIG - BIG / 2);
	ck_assert_str_eq(CURL("-C", "-", "-o", folder_path(&folder, "part"), "-w",
			      "%{http_code} %{size_download}", url(&server, "/big.bin")),
			 half);
	folder_expect_file(&folder, "part", big, BIG);
	server_finish(&server);
}
END_TEST

START_TEST(curl_sees_the_same_header_by_head)
{
	struct server server;
	const char *seen;

	if (!has_curl())
		return;
	server = start_site(_i);
	seen = CURL("-I", url(&server, "/small.txt"));
	expect_match(seen, "^HTTP/1\\.1 200 OK\r\n");
	expect_match(seen, "\r\nContent-Length: 13\r\n");
	expect_match(seen, "\r\nLast-Modified: ");
	expect_match(seen, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
	expect_match(CURL("-I", url(&server, "/listed")),
		     "^HTTP/1\\.1 301 (.*\r\n)*Location: /listed/\r\n");
	ck_assert_str_eq(CURL("-L", url(&server, "/listed/one.txt")), "one\n");
	server_finish(&server);
}
END_TEST

START_TEST(curl_is_reported_that_its_upload_is_too_large)
{
	static const char *const expectations[] = { "Expect:", "Expect: 100-continue" };
	struct server server;

	if (!has_curl())
		return;
	server = start_site(_i);
	folder_file(&folder, "upload", big, 3 * MEGABYTE);
	for (size_t i = 0; i < 2; i++) {
		struct run run = run_program(
			ARGUMENTS(curl_program, "-sS", "-o", "/dev/null", "-H",
				  expectations[i], "-w", "%{http_code}", "--data-binary",
				  "@/proc/self/fd/0", url(&server, "/")),
			big, 3 * MEGABYTE, LONG_WAIT_MS);

		ck_assert_msg(strcmp(run.out, "413") == 0, "with '%s': %s %s",
			      expectations[i], run.out, run.err);
	}
	/* Chunked, the server finds out only as it comes. */
	expect_match(CURL("-o", "/dev/null", "-w", "%{http_code}", "-H",
			  "Transfer-Encoding: chunked", "-T",
			  folder_path(&folder, "upload"), url(&server, "/")),
		     "^413$");
	/* One that is not too large is read and dropped; the method is refused. */
	ck_assert_str_eq(CURL("-o", "/dev/null", "-w", "%{http_code}", "-d", "a=b",
			      url(&server, "/")),
			 "405");
	server_finish(&server);
}
END_TEST

START_TEST(no_path_leaves_the_directory)
{
	static const char *const paths[] = {
		"/../secret",
		"/..%2fsecret",
		"/%2e%2e/secret",
		"/%2e%2e%2fsecret",
		"/.%2e/secret",
		"/listed/../../secret",
		"/listed/%2e%2e/%2e%2e/secret",
		"/..%5csecret",
		"/..\\secret",
		"/%252e%252e/secret",
		"/..;/secret",
		"/%c0%ae%c0%ae/secret",
		"/%c0%ae%c0%ae%c0%afsecret",
		"/....//secret",
		"/./../secret",
		"//../secret",
		"/..%00/secret",
		"/../secret%00.txt",
		"/link",
		"/links/secret",
		"/.hidden",
		"/%2ehidden",
		"/pipe",
	};
	struct server server;
	struct folder outside;
	char target[2 * FOLDER_TEXT], site[2 * FOLDER_TEXT];

	if (!has_curl())
		return;
	folder_create(&outside);
	folder_text(&outside, "secret", "the secret\n");
	folder_directory(&outside, "site");
	folder_directory(&outside, "site/listed");
	folder_text(&outside, "site/.hidden", "the secret\n");
	snprintf(target, sizeof target, "%s/secret", outside.path);
	folder_link(&outside, "site/link", target);
	folder_link(&outside, "site/links", "..");
	folder_fifo(&outside, "site/pipe");
	snprintf(site, sizeof site, "%s/site", outside.path);
	server = start(_i, ARGUMENTS("-q", "-l", "-r", site));
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct run run = run_program(
			ARGUMENTS(curl_program, "-sS", "--path-as-is", "--max-time", "10",
				  "-w", " %{http_code}", url(&server, paths[i])),
			"", 0, WAIT_MS);

		ck_assert_msg(run.status == 0, "%s: %s", paths[i], run.err);
		ck_assert_msg(strstr(run.out, "the secret") == NULL, "%s: %s", paths[i],
			      run.out);
		expect_match(run.out, " (400|403|404)$");
	}
	server_finish(&server);
	folder_remove(&outside);
}
END_TEST

START_TEST(odd_names_are_listed_and_can_be_followed)
{
	static const char *const names[] = {
		"listed/with space.txt",
		"listed/<b>&amp;.txt",
		"listed/100%.txt",
		"listed/quote\".txt",
		"listed/umlaut-\xc3\xbc.txt",
		"listed/bad-\xff.txt",
		"listed/a?b#c.txt",
		"listed/plus+semi;colon:.txt",
	};
	struct server server;
	const char *page, *link;
	unsigned found = 0;

	if (!has_curl())
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		folder_text(&folder, names[i], "odd\n");
	server = start_site(_i);
	page = CURL(url(&server, "/listed/"));
	ck_assert_ptr_null(strstr(page, "<b>"));
	for (link = strstr(page, "href=\""); link != NULL;
	     link = strstr(link, "href=\"")) {
		char path[512] = "/listed/";

		link += strlen("href=\"");
		if (strncmp(link, "../", 3) == 0 || strncmp(link, "one", 3) == 0)
			continue;
		snprintf(path + strlen(path), sizeof path - strlen(path), "%.*s",
			 (int)strcspn(link, "\""), link);
		ck_assert_msg(strcmp(CURL("--path-as-is", url(&server, path)), "odd\n") ==
				      0,
			      "%s", path);
		found++;
	}
	ck_assert_uint_eq(found, sizeof names / sizeof *names);
	server_finish(&server);
}
END_TEST

/* ---- load ------------------------------------------------------------------------------ */

/* For one process that serves all: it has so much memory and no more. */
static void limit_memory(void *context)
{
	const struct rlimit limit = { 64 * MEGABYTE, 64 * MEGABYTE };

	(void)context;
	setrlimit(RLIMIT_DATA, &limit);
}

/* Reads up to the server's hanging up. @return what has come last, a NUL behind it */
static const char *read_to_the_end(int fd, size_t *length)
{
	static char bytes[2 * 65536];
	size_t kept = 0;
	ssize_t n;

	*length = 0;
	while ((n = read(fd, bytes + kept, sizeof bytes - 1 - kept)) > 0) {
		*length += (size_t)n;
		kept += (size_t)n;
		if (kept > 65536) {
			memmove(bytes, bytes + kept - 1024, 1024);
			kept = 1024;
		}
	}
	ck_assert_int_eq(n, 0);
	bytes[kept] = '\0';
	return bytes;
}

START_TEST(a_hundred_clients_list_a_large_directory_in_bounded_memory)
{
	enum { CLIENTS = 100, MANY_NAMES = 20000, FEW_NAMES = 2000 };
	static const char request[] =
		"GET /many/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	bool limited = model_is(_i, "select") && !SANITIZED;
	int names = limited ? MANY_NAMES : FEW_NAMES, clients[CLIENTS];
	char name[64], range[64];
	struct server server;

	folder_directory(&folder, "many");
	for (int i = 0; i < names; i++) {
		snprintf(name, sizeof name, "many/%06d", i);
		ck_assert_int_eq(linkat(folder.fd, "small.txt", folder.fd, name, 0), 0);
	}
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "http"),
		.options = model_options(_i, ARGUMENTS("-q", "-l", "-r", folder.path)),
		.prepare = limited ? limit_memory : NULL,
	});
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = client_connect(&server);
		client_send(clients[i], request, strlen(request));
	}
	snprintf(range, sizeof range, "<p>1 to 1000 of %d.", names);
	for (int i = 0; i < CLIENTS; i++) {
		size_t length;
		const char *end = read_to_the_end(clients[i], &length);

		ck_assert_msg(strstr(end, range) != NULL, "client %d: %s", i, end);
		ck_assert_uint_gt(length, 100000);
		client_close(clients[i]);
	}
	server_finish(&server);
}
END_TEST

START_TEST(wrk_and_ab_meet_no_error)
{
	static const char *const paths[] = { "/", "/small.txt" };
	const char *clients = model_serves_many(_i) ? "20" : "1";
	/* inetd executes a program for each connection */
	const char *requests = SANITIZED || !model_shares_a_server(_i) ? "400" : "1000";
	char paths_of_tools[2][TOOL_TEXT];
	const char *wrk = needed_program("wrk", paths_of_tools[0]);
	const char *ab = needed_program("ab", paths_of_tools[1]);

	if (wrk == NULL && ab == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		struct server server =
			i == 0 ? start(_i, ARGUMENTS("-q")) : start_site(_i);
		struct run run;

		if (wrk != NULL && i == 1) {
			run = run_program(ARGUMENTS(wrk, "-t1", "-c", clients, "-d", "1s",
						    url(&server, paths[i])),
					  "", 0, LONG_WAIT_MS);
			run_expect_status(&run, 0);
			expect_match(run.out, "Requests/sec: +[1-9]");
			ck_assert_msg(strstr(run.out, "Non-2xx") == NULL &&
					      strstr(run.out, "Socket errors") == NULL,
				      "%s", run.out);
		}
		for (int keep = 0; keep < 2 && ab != NULL; keep++) {
			run = run_program(ARGUMENTS(ab, "-q", "-n", requests, "-c",
						    clients, keep ? "-k" : "-q",
						    url(&server, paths[i])),
					  "", 0, LONG_WAIT_MS);
			ck_assert_msg(run.status == 0, "ab: %s", run.err);
			expect_match(run.out, "Failed requests: +0\n");
			ck_assert_msg(strstr(run.out, "Non-2xx") == NULL, "%s", run.out);
			if (keep) /* HTTP/1.0, which must be told that it is kept */
				expect_match(run.out, "Keep-Alive requests: +[1-9]");
		}
		server_finish(&server);
	}
}
END_TEST

/* ---- a browser ------------------------------------------------------------------------- */

static const char page[] =
	"<!doctype html><meta charset=utf-8><title>page</title>\n"
	"<link rel=stylesheet href=style.css><h1>A page</h1>\n"
	"<img src=pixels.svg alt=pixels><script src=look.js></script>\n";
static const char style[] = "body { background: #204060 } h1 { color: #f0e0d0 }\n";
static const char image[] =
	"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"123\" height=\"45\">"
	"<rect width=\"123\" height=\"45\" fill=\"#ff8000\"/></svg>\n";
/* What the browser saw it writes into the document, which is printed afterwards. */
static const char look[] =
	"onload = () => { const seen = document.createElement('p');\n"
	"seen.textContent = 'seen: ' + document.images[0].naturalWidth + ' ' +\n"
	"getComputedStyle(document.body).backgroundColor;\n"
	"document.body.append(seen); };\n";

static char chromium[TOOL_TEXT];

/* A browser's helpers end after it, and become our children: they are waited for. */
static bool has_no_helpers(void *context)
{
	(void)context;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	return process_tree(getpid()).children <= 1; /* the server */
}

static struct run browse(const struct server *server, const char *how)
{
	struct run run;

	static char profile[URL + 32];

	snprintf(profile, sizeof profile, "--user-data-dir=%s",
		 folder_path(&folder, ".browser"));
	run = run_program(ARGUMENTS(chromium, "--headless", "--no-sandbox",
				    "--disable-gpu", "--disable-dev-shm-usage",
				    "--virtual-time-budget=5000", "--window-size=500,300",
				    profile, how, url(server, "/page.html")),
			  "", 0, LONG_WAIT_MS);
	ck_assert(eventually(has_no_helpers, NULL, WAIT_MS));
	return run;
}

/* The first bytes of the file, and that it is more than a few. */
static bool is_png(const char *name)
{
	struct stat facts;

	return stat(folder_path(&folder, name), &facts) == 0 && facts.st_size > 1000 &&
	       memcmp(text_of(name), "\x89PNG\r\n\x1a\n", 8) == 0;
}

START_TEST(a_browser_shows_a_page_with_style_image_and_script)
{
	static char screenshot[URL + 32];
	struct server server;
	struct run run;

	/* It opens several connections and leaves some unused: that is hard for a server that
	 * serves one at a time, and easy for all others alike. */
	if (SANITIZED || needed_program("chromium", chromium) == NULL ||
	    !(model_is(_i, "iterative") || model_is(_i, "select")))
		return;
	folder_text(&folder, "page.html", page);
	folder_text(&folder, "style.css", style);
	folder_text(&folder, "pixels.svg", image);
	folder_text(&folder, "look.js", look);
	server = start(_i, ARGUMENTS("-q", "-t", model_serves_many(_i) ? "60" : "0.2",
				     "-r", folder.path));
	run = browse(&server, "--dump-dom");
	ck_assert_msg(strstr(run.out, "seen: 123 rgb(32, 64, 96)") != NULL, "%s%s",
		      run.out, run.err);
	if (!model_is(_i, "select")) {
		server_finish(&server);
		return;
	}
	snprintf(screenshot, sizeof screenshot, "--screenshot=%s",
		 folder_path(&folder, "shot.png"));
	browse(&server, screenshot);
	ck_assert(is_png("shot.png"));
	server_finish(&server);
}
END_TEST

/* ---- clients that are no friends --------------------------------------------------------- */

START_TEST(five_hundred_that_drip_hold_up_nobody_and_are_answered_with_408)
{
	enum { DRIPPING = SANITIZED ? 100 : 500 };
	static int fds[DRIPPING];
	/* inetd executes a program for each of them, within their time */
	int dripping = model_shares_a_server(_i) ? DRIPPING : 50, friend;
	struct server server;

	if (!model_serves_many(_i))
		return;
	server = start(_i,
		       model_options_for(
			       _i, ARGUMENTS("-q", "--header-timeout", slow_seconds(4)),
			       dripping + 1));
	for (int i = 0; i < dripping; i++) {
		fds[i] = client_connect(&server);
		client_send(fds[i], "GET / HT", 8);
	}
	friend = client_connect(&server);
	for (int turn = 0; turn < 20; turn++) {
		for (int i = turn; i < dripping; i += 20)
			client_send(fds[i], "T", 1);
		client_send(friend, get_root, strlen(get_root));
		expect_answer(friend, "200 OK", strlen("Hello, World!\n"));
	}
	for (int i = 0; i < dripping; i++) {
		char answer[16];

		ck_assert_int_eq(read(fds[i], answer, 12), 12);
		ck_assert_msg(memcmp(answer, "HTTP/1.1 408", 12) == 0, "%.12s", answer);
		client_close(fds[i]);
	}
	client_close(friend);
	server_finish(&server);
}
END_TEST

static struct server *watched;
static unsigned descriptors_before;

static bool has_closed_all(void *context)
{
	(void)context;
	return process_descriptors(watched->pid) == descriptors_before &&
	       process_tree(watched->pid).descendants == model_idle_children(watched);
}

START_TEST(resets_in_mid_file_leave_nothing_open)
{
	struct server server = start(_i, ARGUMENTS("-L", "/dev/null", "-r", folder.path));
	const char *request = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
	char piece[1000];

	server_wait_line(&server, "listening on", WAIT_MS);
	watched = &server;
	descriptors_before = process_descriptors(server.pid);
	for (int i = 0; i < 50; i++) {
		int fd = client_connect(&server);

		client_send(fd, request, strlen(request));
		ck_assert_int_gt(read(fd, piece, sizeof piece), 0);
		client_reset(fd);
	}
	if (process_facts_available())
		ck_assert(eventually(has_closed_all, NULL, WAIT_MS));
	expect_match(ask(&server, get_root_close), "^HTTP/1\\.1 200 OK\r\n");
	server_finish(&server);
}
END_TEST

START_TEST(a_file_that_shrinks_ends_that_connection_only)
{
	struct server server;
	const char *request = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
	static char piece[65536];
	size_t length = 0;
	ssize_t n;
	int other = -1, fd;

	server = start_site(_i);
	if (model_serves_many(_i)) {
		other = client_connect(&server);
		client_send(other, get_root, strlen(get_root));
		expect_answer(other, "200 OK", strlen(text_of("index.html")));
	}
	fd = client_connect(&server);
	client_send(fd, request, strlen(request));
	ck_assert_int_gt(read(fd, piece, 1000), 0);
	ck_assert_int_eq(truncate(folder_path(&folder, "big.bin"), 100), 0);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		length += (size_t)n;
	ck_assert_uint_lt(length, BIG);
	client_close(fd);
	if (other >= 0) {
		client_send(other, get_root, strlen(get_root));
		expect_answer(other, "200 OK", strlen(text_of("index.html")));
		client_close(other);
	}
	expect_match(ask(&server, get_root_close), "^HTTP/1\\.1 200 OK\r\n");
	server_finish(&server);
}
END_TEST

START_TEST(a_client_that_does_not_read_its_file_holds_up_nobody)
{
	const char *request = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
	struct server server;
	int fd;

	server = start(_i,
		       ARGUMENTS("-vv", "-L", "/dev/null", "-t", "1", "-r", folder.path));
	fd = client_connect(&server);
	client_send(fd, request, strlen(request));
	if (model_serves_many(_i))
		expect_match(ask(&server, get_root_close), "^HTTP/1\\.1 200 OK\r\n");
	server_wait_line(&server, "timed out: the client does not read", WAIT_MS);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* ---- the operator ------------------------------------------------------------------------ */

static const char *wanted_file, *wanted_text;

static bool has_come(void *context)
{
	struct stat facts;

	(void)context;
	return stat(folder_path(&folder, wanted_file), &facts) == 0 &&
	       strstr(text_of(wanted_file), wanted_text) != NULL;
}

static void expect_in_file(const char *name, const char *text)
{
	wanted_file = name;
	wanted_text = text;
	ck_assert_msg(eventually(has_come, NULL, WAIT_MS), "'%s' is not in %s", text,
		      name);
}

START_TEST(the_log_is_reopened_at_sighup_by_all_that_write_to_it)
{
	static char log[URL], moved[URL];
	struct server server;
	int kept = -1;

	snprintf(log, sizeof log, "%s", folder_path(&folder, "log"));
	snprintf(moved, sizeof moved, "%s", folder_path(&folder, "log.1"));
	server = start(_i, ARGUMENTS("-L", log));
	if (model_serves_many(_i))
		kept = connect_and_get(&server);
	ask(&server, "GET /before HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	expect_in_file("log", "\"GET /before HTTP/1.1\" 200 14 \"-\" \"-\"\n");
	ck_assert_int_eq(rename(log, moved), 0);
	server_signal(&server, SIGHUP);
	expect_in_file("log", "");
	/* A worker of prefork, which is there already, is told by the parent, and may take a
	 * moment. */
	do
		ask(&server,
		    "GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	while (model_is(_i, "prefork") && strstr(text_of("log"), "GET /after") == NULL);
	expect_in_file("log", "GET /after");
	/* So does the worker of a client that was there before. In fork it is told by the
	 * parent, and may take a moment: what it writes until then is in the old file. */
	while (kept >= 0 && strstr(text_of("log"), "GET / ") == NULL) {
		client_send(kept, get_root, strlen(get_root));
		expect_answer(kept, "200 OK", strlen("Hello, World!\n"));
	}
	if (kept >= 0)
		client_close(kept);
	if (!model_is(_i, "prefork"))
		ck_assert_ptr_null(strstr(text_of("log.1"), "GET /after"));
	server_finish(&server);
}
END_TEST

/* GIVEN a log that is a symbolic link into another directory, to a file that is not there yet
   WHEN the file, and then the link, is renamed, and SIGHUP is sent
   THEN the server creates the file, and then a file in place of the link. */
START_TEST(a_log_that_is_a_symbolic_link_is_reopened)
{
	static char log[URL], file[URL], moved[URL];
	struct server server;

	folder_directory(&folder, "links");
	folder_directory(&folder, "other");
	folder_link(&folder, "links/log", "../other/file");
	snprintf(log, sizeof log, "%s", folder_path(&folder, "links/log"));
	snprintf(file, sizeof file, "%s", folder_path(&folder, "other/file"));
	snprintf(moved, sizeof moved, "%s", folder_path(&folder, "moved"));
	server = start(_i, ARGUMENTS("-L", log));
	ask(&server, get_root_close);
	expect_in_file("other/file", "\"GET / HTTP/1.1\" 200 14 ");
	ck_assert_int_eq(rename(file, moved), 0);
	server_signal(&server, SIGHUP);
	expect_in_file("other/file", "");
	ck_assert_int_eq(rename(log, moved), 0);
	server_signal(&server, SIGHUP);
	expect_in_file("links/log", "");
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "cannot reopen"), 0);
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_is_an_error_at_the_start)
{
	struct run run = run_program(
		ARGUMENTS(model_program(_i, "http"), "-L", "/nonexistent/log"), "", 0,
		WAIT_MS);

	run_expect_status(&run, 1);
	expect_match(run.err, "'/nonexistent/log': No such file or directory\n$");
	run = run_program(ARGUMENTS(model_program(_i, "http"), "-r", "/nonexistent"), "",
			  0, WAIT_MS);
	run_expect_status(&run, 1);
	expect_match(run.err, "'/nonexistent': No such file or directory\n$");
}
END_TEST

/* The content of /file, or the status where there is none. */
static const char *ask_for_file(const struct server *server)
{
	const char *answer = ask(server, "GET /file HTTP/1.1\r\nHost: a\r\n"
					 "Connection: close\r\n\r\n");
	const char *body = strstr(answer, "\r\n\r\n");

	ck_assert_ptr_nonnull(body);
	if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
		return body + 4;
	((char *)(uintptr_t)answer)[12] = '\0';
	return answer + 9;
}

static void make_served(const char *content)
{
	folder_directory(&folder, "served");
	folder_text(&folder, "served/file", content);
}

START_TEST(a_directory_that_is_removed_and_made_anew_is_served_again)
{
	static char served[URL];
	static const char get_file[] = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
	struct server server;
	int kept = -1;

	snprintf(served, sizeof served, "%s", folder_path(&folder, "served"));
	make_served("one");
	server = start(_i, ARGUMENTS("-q", "-l", "-r", served, "--no-sandbox"));
	ck_assert_str_eq(ask_for_file(&server), "one");
	if (model_serves_many(_i)) {
		kept = client_connect(&server);
		client_send(kept, get_file, strlen(get_file));
		expect_answer(kept, "200 OK", strlen("one"));
	}

	/* when it has gone, then each request fails, and one line tells the operator */
	folder_remove_path(served);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(ask_for_file(&server), "503");
	expect_match(ask(&server, get_root_close), "^HTTP/1\\.1 503 ");
	server_wait_line(&server, "is missing (No such file or directory)", WAIT_MS);
	ck_assert_uint_eq(server_count_lines(&server, "is missing"), 1);

	/* when it is made anew, then new clients and old ones are served */
	make_served("three");
	ck_assert_str_eq(ask_for_file(&server), "three");
	server_wait_line(&server, "exists again", WAIT_MS);
	if (kept >= 0) {
		client_send(kept, get_file, strlen(get_file));
		expect_answer(kept, "200 OK", strlen("three"));
		client_close(kept);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "is missing"), 1);
}
END_TEST

static bool has_changed(void *context)
{
	return strcmp(ask_for_file(context), "new") == 0;
}

START_TEST(another_directory_of_the_same_name_is_served_from_sighup_on)
{
	static char served[URL], aside[URL];
	struct server server;

	snprintf(served, sizeof served, "%s", folder_path(&folder, "served"));
	snprintf(aside, sizeof aside, "%s", folder_path(&folder, "aside"));
	make_served("old");
	server = start(_i, ARGUMENTS("-q", "-r", served, "--no-sandbox"));
	ck_assert_str_eq(ask_for_file(&server), "old");
	ck_assert_int_eq(rename(served, aside), 0);
	make_served("new");
	ck_assert_str_eq(ask_for_file(&server), "old");

	server_signal(&server, SIGHUP);
	ck_assert(eventually(has_changed, &server, WAIT_MS));
	server_finish(&server);
	ck_assert_str_eq(server_errors(&server), "");
}
END_TEST

/* What comes is waited for and thrown away, up to this text. */
static void expect_in_pipe(int fd, const char *text)
{
	char bytes[8192];
	size_t length = 0;
	ssize_t n;

	do {
		ck_assert_msg(io_wait(fd, POLLIN, WAIT_MS) > 0, "there is no '%s'", text);
		n = io_read(fd, bytes + length, sizeof bytes - 1 - length);
		ck_assert_int_gt(n, 0);
		length += (size_t)n;
		bytes[length] = '\0';
	} while (strstr(bytes, text) == NULL);
}

START_TEST(a_log_whose_reader_has_left_holds_up_nothing_and_goes_on_with_the_next)
{
	static char log[URL];
	struct server server;
	int reader;

	folder_fifo(&folder, "log");
	snprintf(log, sizeof log, "%s", folder_path(&folder, "log"));
	reader = open(log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(reader, 0);
	server = start(_i, ARGUMENTS("-L", log));
	ask(&server, get_root_close);
	expect_in_pipe(reader, "\"GET / HTTP/1.1\" 200 14 ");
	close(reader);
	server_signal(&server, SIGHUP);
	server_wait_line(&server, ": no process reads from it; still", WAIT_MS);
	for (int i = 0; i < 3; i++)
		expect_match(ask(&server, get_root_close), "^HTTP/1\\.1 200 OK\r\n");
	server_wait_line(&server, "': no process reads from it; lines are lost", WAIT_MS);
	reader = open(log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(reader, 0);
	ask(&server, get_root_close);
	expect_in_pipe(reader, "\"GET / HTTP/1.1\" 200 14 ");
	server_wait_line(&server, "again; 3 lines were lost", WAIT_MS);
	close(reader);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "lines are lost"), 1);
	ck_assert_uint_eq(server_count_lines(&server, "lines were lost"), 1);
}
END_TEST

START_TEST(listings_of_no_directory_are_bad_usage)
{
	const char *program = model_program(_i, "http");
	struct run run = run_program(ARGUMENTS(program, "-l"), "", 0, WAIT_MS);

	run_expect_status(&run, 2);
	expect_match(run.err, "^httpd-[a-z]+: -l, --list needs "
			      "-r DIR; try 'httpd-[a-z]+ -h'\n$");
	run = run_program(ARGUMENTS(program, "-l", "-h"), "", 0, WAIT_MS);
	run_expect_status(&run, 0);
}
END_TEST

START_TEST(a_late_answer_still_comes_when_the_server_stops)
{
	struct server server = start(_i, ARGUMENTS("--delay", "700"));
	int fd = client_connect(&server);

	server_wait_line(&server, "listening on", WAIT_MS);
	client_send(fd, get_root, strlen(get_root));
	expect_answer(fd, "200 OK", strlen("Hello, World!\n"));
	client_send(fd, get_root, strlen(get_root));
	server_signal(&server, SIGTERM);
	expect_answer(fd, "200 OK", strlen("Hello, World!\n"));
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* Two clients that wait, and one whose bytes nobody reads, occupy three workers of eight. */
START_TEST(who_waits_for_a_target_of_the_lab_holds_up_nobody)
{
	static const char delayed[] = "GET /delay/60000 HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char unread[] = "GET /bytes/99999999 HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char bytes[] = "GET /bytes/2000003 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct server server = start(_i, ARGUMENTS("-q", "--lab"));
	int waiting[3] = { -1, -1, -1 }, fd;

	for (size_t i = 0; i < 3 && model_serves_many(_i); i++) {
		const char *request = i < 2 ? delayed : unread;

		waiting[i] = client_connect(&server);
		client_send(waiting[i], request, strlen(request));
	}
	fd = client_connect(&server);
	for (int i = 0; i < 3; i++) {
		client_send(fd, bytes, sizeof bytes - 1);
		expect_answer(fd, "200 OK", 2000003);
	}
	client_close(fd);
	for (size_t i = 0; i < 3 && waiting[i] >= 0; i++)
		client_close(waiting[i]);
	server_finish(&server);
}
END_TEST

START_TEST(a_file_on_its_way_is_sent_whole_when_the_server_stops)
{
	const char *request =
		"GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	struct server server = start_site(_i);
	const size_t most = BIG + 65536;
	char *bytes = much_memory(most);
	int fd = client_connect(&server);
	size_t length = 0;
	const char *body;
	ssize_t n;

	client_send(fd, request, strlen(request));
	n = read(fd, bytes, 1000);
	ck_assert_int_gt(n, 0);
	server_signal(&server, SIGTERM);
	length = (size_t)n;
	while ((n = read(fd, bytes + length, most - length)) > 0)
		length += (size_t)n;
	client_close(fd);
	body = memmem(bytes, length, "\r\n\r\n", 4);
	ck_assert_ptr_nonnull(body);
	body += 4;
	ck_assert_uint_eq(length - (size_t)(body - bytes), BIG);
	ck_assert_int_eq(memcmp(body, big, BIG), 0);
	server_finish(&server);
}
END_TEST

Suite *suite_httpd(void)
{
	Suite *suite = suite_create("httpd");
	TCase *tools = add_case(suite, "httpd and its clients");
	int models = kinds_count();

	tcase_add_unchecked_fixture(tools, make_big, NULL);
	tcase_add_checked_fixture(tools, make_site, remove_site);
	tcase_add_loop_test(tools, greets_out_of_the_box, 0, models);
	tcase_add_loop_test(tools, curl_keeps_its_connection_alive, 0, models);
	tcase_add_loop_test(tools, curl_gets_files_whole_in_parts_and_resumed, 0, models);
	tcase_add_loop_test(tools, curl_sees_the_same_header_by_head, 0, models);
	tcase_add_loop_test(tools, curl_is_reported_that_its_upload_is_too_large, 0,
			    models);
	tcase_add_loop_test(tools, no_path_leaves_the_directory, 0, models);
	tcase_add_loop_test(tools, odd_names_are_listed_and_can_be_followed, 0, models);
	tcase_add_loop_test(tools,
			    a_hundred_clients_list_a_large_directory_in_bounded_memory, 0,
			    models);
	tcase_add_loop_test(tools, wrk_and_ab_meet_no_error, 0, models);
	tcase_add_loop_test(tools, a_browser_shows_a_page_with_style_image_and_script, 0,
			    models);
	return suite;
}

Suite *suite_httpd_trouble(void)
{
	Suite *suite = suite_create("httpd_trouble");
	TCase *foes = add_case(suite, "httpd and its foes");
	TCase *operator= add_case(suite, "httpd and its operator");
	int models = kinds_count();

	tcase_add_unchecked_fixture(foes, make_big, NULL);
	tcase_add_checked_fixture(foes, make_site, remove_site);
	tcase_add_loop_test(
		foes, five_hundred_that_drip_hold_up_nobody_and_are_answered_with_408, 0,
		models);
	tcase_add_loop_test(foes, resets_in_mid_file_leave_nothing_open, 0, models);
	tcase_add_loop_test(foes, a_file_that_shrinks_ends_that_connection_only, 0,
			    models);
	tcase_add_loop_test(foes, a_client_that_does_not_read_its_file_holds_up_nobody, 0,
			    models);
	tcase_add_unchecked_fixture(operator, make_big, NULL);
	tcase_add_checked_fixture(operator, make_site, remove_site);
	tcase_add_loop_test(operator,
			    the_log_is_reopened_at_sighup_by_all_that_write_to_it, 0,
			    models);
	add_sharing_test_of_kinds(operator, a_log_that_is_a_symbolic_link_is_reopened);
	add_sharing_test_of_kinds(
		operator, a_directory_that_is_removed_and_made_anew_is_served_again);
	add_sharing_test_of_kinds(
		operator, another_directory_of_the_same_name_is_served_from_sighup_on);
	tcase_add_loop_test(operator,
			    a_log_that_cannot_be_opened_is_an_error_at_the_start, 0,
			    models);
	add_sharing_test_of_kinds(
		operator,
		a_log_whose_reader_has_left_holds_up_nothing_and_goes_on_with_the_next);
	tcase_add_loop_test(operator, listings_of_no_directory_are_bad_usage, 0, models);
	tcase_add_loop_test(operator, who_waits_for_a_target_of_the_lab_holds_up_nobody,
			    0, models);
	tcase_add_loop_test(operator, a_late_answer_still_comes_when_the_server_stops, 0,
			    models);
	tcase_add_loop_test(operator,
			    a_file_on_its_way_is_sent_whole_when_the_server_stops, 0,
			    models);
	return suite;
}
