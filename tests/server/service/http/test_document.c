/*
 * What a path means in a directory that is served: files, listings, redirects, errors, and
 * never anything that is not in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "server/service/http/document.h"
#include "server/service/http/listing.h"
#include "server/service/http/types.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { NOBODY = 65534, RACES = 20000, TEXT = 128, PATH_TEXT = 3 * PATH_MAX };

#define HTML  "text/html; charset=utf-8"
#define PLAIN "text/plain; charset=utf-8"
#define BYTES "application/octet-stream"

static struct folder outside, site;
static struct http_root root;
static char longest[NAME_MAX + 1];

static void create_site(void)
{
	struct failure failure;

	memset(longest, 'n', NAME_MAX);
	folder_create(&outside);
	folder_text(&outside, "secret", "secret");
	folder_text(&outside, "index.html", "secret");
	folder_create(&site);
	folder_text(&site, "hello.txt", "hello");
	folder_text(&site, "empty", "");
	folder_text(&site, "a b&c%20.txt", "odd");
	folder_text(&site, "back\\slash", "backslash");
	folder_text(&site, "semi;colon", "semicolon");
	folder_text(&site, "dots..", "dots");
	folder_text(&site, "caf\xc3\xa9.html", "utf-8");
	folder_text(&site, "latin-\xe9", "latin");
	folder_text(&site, longest, "longest");
	folder_text(&site, ".hidden", "secret");
	folder_directory(&site, ".git");
	folder_text(&site, ".git/config", "secret");
	folder_directory(&site, ".well-known");
	folder_text(&site, ".well-known/acme", "token");
	folder_text(&site, ".well-known/.hidden", "secret");
	folder_directory(&site, ".well-known/.well-known");
	folder_text(&site, ".well-known/.well-known/acme", "secret");
	folder_directory(&site, ".well-known-not");
	folder_text(&site, ".well-known-not/file", "secret");
	folder_text(&site, "new\nline", "secret");
	folder_directory(&site, "with");
	folder_text(&site, "with/index.html", "<p>index");
	folder_directory(&site, "without");
	folder_text(&site, "without/page.HTML", "<p>page");
	folder_directory(&site, "without/deep");
	folder_directory(&site, "without/.well-known");
	folder_text(&site, "without/.well-known/acme", "secret");
	folder_text(&site, "without/deep/file.css", "p {}");
	folder_directory(&site, "strange");
	folder_directory(&site, "strange/index.html");
	folder_directory(&site, "linked");
	folder_link(&site, "linked/index.html", "../hello.txt");
	folder_link(&site, "to-file", "hello.txt");
	folder_link(&site, "to-secret", "../secret");
	folder_link(&site, "to-outside", outside.path);
	folder_link(&site, "to-with", "with");
	folder_link(&site, "to-passwd", "/etc/passwd");
	folder_fifo(&site, "fifo");
	folder_socket(&site, "socket");
	ck_assert_int_eq(root_open(&root.directory, site.path, &failure), 0);
	root.listings = false;
}

static void remove_site(void)
{
	close(root.directory.fd);
	folder_remove(&site);
	folder_remove(&outside);
}

static void find_in(struct http_root *in, const char *path, size_t length,
		    struct http_document *document)
{
	const char *query = memchr(path, '?', length);
	struct http_target target = { .path = path, .path_length = length };

	if (query != NULL) {
		target.path_length = (size_t)(query - path);
		target.query = query + 1;
		target.query_length = length - target.path_length - 1;
	}
	http_document_find(in, &target, document);
}

static struct http_document find(const char *path)
{
	struct http_document document;

	find_in(&root, path, strlen(path), &document);
	ck_assert_msg((document.status == 200) ==
			      (document.fd >= 0 || document.listing != NULL),
		      "%s: %d", path, document.status);
	return document;
}

static void expect_status(const char *path, int status)
{
	struct http_document document = find(path);

	ck_assert_msg(document.status == status, "'%s' is %d, not %d", path,
		      document.status, status);
	http_document_release(&document);
	ck_assert_int_eq(document.fd, -1);
	ck_assert_ptr_null(document.listing);
}

/* Makes the page of a listing, to its end; the caller frees it. */
static char *page_of(struct http_document *document)
{
	size_t length;
	char *page;
	int more;

	ck_assert_int_eq(document->status, 200);
	ck_assert_ptr_nonnull(document->listing);
	ck_assert_str_eq(document->type, HTML);
	while ((more = http_listing_go_on(document->listing)) > 0)
		;
	ck_assert_msg(more == 0, "%s", strerror(errno));
	page = http_listing_take(document->listing, &length);
	ck_assert_uint_eq(length, strlen(page));
	ck_assert_uint_le(length, HTTP_LISTING_PAGE);
	http_document_release(document);
	return page;
}

/* ---- files -------------------------------------------------------------------------------- */

static const struct {
	const char *path, *text, *type;
} files[] = {
	{ "/hello.txt", "hello", PLAIN },
	{ "/%68%65llo%2Etxt", "hello", PLAIN },
	{ "/empty", "", BYTES },
	{ "/a%20b&c%2520.txt", "odd", PLAIN },
	{ "/a%20b%26c%2520.txt", "odd", PLAIN },
	{ "/back\\slash", "backslash", PLAIN },
	{ "/back%5Cslash", "backslash", PLAIN },
	{ "/back%5cslash", "backslash", PLAIN },
	{ "/semi;colon", "semicolon", PLAIN },
	{ "/dots..", "dots", BYTES },
	{ "/caf%C3%A9.html", "utf-8", HTML },
	{ "/caf\xc3\xa9.html", "utf-8", HTML },
	{ "/latin-%E9", "latin", PLAIN },
	{ "/with/", "<p>index", HTML },
	{ "/with/index.html", "<p>index", HTML },
	{ "/without/page.HTML", "<p>page", HTML },
	{ "/without/deep/file.css", "p {}", "text/css; charset=utf-8" },
	/* dot segments and slashes: RFC 3986, section 5.2.4 */
	{ "//hello.txt", "hello", PLAIN },
	{ "/./hello.txt", "hello", PLAIN },
	{ "/%2e/hello.txt", "hello", PLAIN },
	{ "/.//./hello.txt", "hello", PLAIN },
	{ "/with/../hello.txt", "hello", PLAIN },
	{ "/with/%2e%2E/hello.txt", "hello", PLAIN },
	{ "/with/.%2e/hello.txt", "hello", PLAIN },
	{ "/without/deep/../../hello.txt", "hello", PLAIN },
	{ "/without//deep/../..//hello.txt", "hello", PLAIN },
	{ "/nothing/../hello.txt", "hello", PLAIN },
	{ "/hello.txt/../hello.txt", "hello", PLAIN },
	{ "/.git/../hello.txt", "hello", PLAIN },
	{ "/to-outside/../hello.txt", "hello", PLAIN },
	{ "/with//", "<p>index", HTML },
	{ "/with/.", "<p>index", HTML },
	{ "/with/./", "<p>index", HTML },
	{ "/without/../with/deep/..", "<p>index", HTML },
	{ "/with//index.html", "<p>index", HTML },
	{ "/with/./index.html", "<p>index", HTML },
	{ "/with/%2e/index.html", "<p>index", HTML },
	/* RFC 8615 */
	{ "/.well-known/acme", "token", PLAIN },
	{ "/%2Ewell-known/acme", "token", PLAIN },
	{ "/with/../.well-known/acme", "token", PLAIN },
};

static void expect_file(const char *path, const char *text, const char *type)
{
	const struct timespec times[2] = { { 784111777, 1000000 },
					   { 784111777, 123000000 } };
	struct http_document document = find(path);
	char content[TEXT] = "";

	ck_assert_msg(document.status == 200, "%s: %d", path, document.status);
	ck_assert_str_eq(document.type, type);
	ck_assert_uint_eq(document.size, strlen(text));
	ck_assert_int_eq(io_read_all(document.fd, content, TEXT - 1),
			 (ssize_t)document.size);
	ck_assert_str_eq(content, text);
	ck_assert_int_eq(fcntl(document.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(futimens(document.fd, times), 0);
	http_document_release(&document);

	document = find(path);
	ck_assert_int_eq(document.modified, 784111777);
	ck_assert_int_eq(document.nanoseconds, 123000000);
	http_document_release(&document);
}

START_TEST(a_file_is_found_with_its_size_its_time_and_its_type)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		expect_file(files[i].path, files[i].text, files[i].type);
}
END_TEST

START_TEST(a_name_of_255_bytes_is_found_and_a_longer_one_is_not)
{
	char path[NAME_MAX + 3] = "/";

	memset(path + 1, 'n', NAME_MAX);
	expect_status(path, 200);
	path[NAME_MAX + 1] = 'n';
	expect_status(path, 404);
}
END_TEST

START_TEST(a_path_longer_than_any_name_is_not_found)
{
	static char path[PATH_TEXT + 1];

	for (size_t length = PATH_MAX - 20; length < PATH_MAX + 20; length++) {
		memset(path, 'a', length);
		path[0] = '/';
		path[length] = '\0';
		expect_status(path, 404);
		for (size_t i = 2; i < length; i += 2)
			path[i] = '/';
		expect_status(path, 404);
	}
	for (size_t i = 0; i < PATH_TEXT; i += 3)
		memcpy(path + i, i == 0 ? "/aa" : "%61", 3);
	expect_status(path, 404);
}
END_TEST

START_TEST(what_the_caller_took_stays)
{
	struct http_document document = find("/hello.txt");
	int fd = document.fd;

	document.fd = -1;
	http_document_release(&document);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* ---- what is not served ------------------------------------------------------------------- */

static const struct {
	const char *path;
	int status;
} refused[] = {
	/* not there, or not so */
	{ "/nothing", 404 },
	{ "/nothing/", 404 },
	{ "/without/nothing", 404 },
	{ "/hello.txt/", 404 },
	{ "/hello.txt/index.html", 404 },
	{ "/HELLO.TXT", 404 },
	{ "/hello.txt ", 404 },
	{ "/hello.txt%20", 404 },
	{ "/hello.txt.", 404 },
	{ "/hello.txt%2e", 404 },
	/* directories */
	{ "/with", 301 },
	{ "/without", 301 },
	{ "/without/deep", 301 },
	{ "/%77ith", 301 },
	{ "/strange/", 403 },
	{ "/strange/index.html", 301 },
	/* no path */
	{ "", 400 },
	{ "*", 400 },
	{ "hello.txt", 400 },
	{ "../secret", 400 },
	{ "%2fhello.txt", 400 },
	{ "http://host/hello.txt", 400 },
	{ "/%", 400 },
	{ "/%2", 400 },
	{ "/hello.txt%", 400 },
	{ "/%zz", 400 },
	{ "/%2g", 400 },
	{ "/%g2", 400 },
	{ "/% 41", 400 },
	{ "/%+41", 400 },
	{ "/%u002e", 400 },
	{ "/%%32%65", 400 },
	/* up and out */
	{ "/..", 400 },
	{ "/../", 400 },
	{ "/../secret", 400 },
	{ "/../../../../../../etc/passwd", 400 },
	{ "/with/../../secret", 400 },
	{ "/hello.txt/.", 404 },
	{ "/with/../..", 400 },
	{ "/../hello.txt", 400 },
	{ "/with/../../site/hello.txt", 400 },
	{ "/%2e%2e/secret", 400 },
	{ "/%2E%2E/secret", 400 },
	{ "/.%2e/secret", 400 },
	{ "/%2e./secret", 400 },
	{ "/%2e%2e%2fsecret", 404 },
	{ "/..%2fsecret", 404 },
	{ "/..%2Fsecret", 404 },
	{ "/with%2f..%2f..%2fsecret", 404 },
	{ "/with%2findex.html", 404 },
	{ "/%2fetc/passwd", 404 },
	{ "/with/%2fetc/passwd", 404 },
	{ "/..\\secret", 404 },
	{ "/..%5csecret", 404 },
	{ "/..%5C..%5Csecret", 404 },
	{ "/with\\..\\..\\secret", 404 },
	{ "/with%5c..%5c..%5csecret", 404 },
	{ "/%252e%252e/secret", 404 },
	{ "/%252e%252e%252fsecret", 404 },
	{ "/..%252fsecret", 404 },
	{ "/..;/secret", 404 },
	{ "/..;a=b/secret", 404 },
	{ "/%2e%2e;/secret", 404 },
	{ "/..../secret", 404 },
	{ "/....//secret", 404 },
	{ "/.../secret", 404 },
	{ "/%c0%ae%c0%ae/secret", 404 },
	{ "/%c0%2e%c0%2e/secret", 404 },
	{ "/..%c0%afsecret", 404 },
	{ "/with%c0%af..%c0%afsecret", 404 },
	{ "/%e0%80%ae%e0%80%ae/secret", 404 },
	{ "/%ef%bc%8e%ef%bc%8e/secret", 404 }, /* U+FF0E, a full-width dot */
	{ "/%f0%80%80%ae/secret", 404 },
	{ "//with", 301 },
	{ "///etc/passwd", 404 },
	{ "//etc/passwd", 404 },
	{ "/with//../../secret", 400 },
	{ "/~root/", 404 },
	/* bytes that no name here has */
	{ "/hello.txt%00", 404 },
	{ "/hello.txt%00.html", 404 },
	{ "/%00", 404 },
	{ "/..%00/secret", 404 },
	{ "/new%0aline", 404 },
	{ "/new\nline", 404 },
	{ "/hello.txt%0d%0aX:%20y", 404 },
	{ "/hello.txt%7f", 404 },
	{ "/hello.txt%09", 404 },
	/* hidden */
	{ "/.hidden", 404 },
	{ "/%2ehidden", 404 },
	{ "/.git/config", 404 },
	{ "/%2Egit/config", 404 },
	{ "/.git/", 404 },
	{ "/.git", 404 },
	{ "/.nothing", 404 },
	{ "/with/../.hidden", 404 },
	{ "/.well-known", 301 },
	{ "/.well-known/nothing", 404 },
	{ "/.well-known/.hidden", 404 },
	{ "/.well-known-not", 404 },
	{ "/.well-known-not/file", 404 },
	{ "/.WELL-KNOWN/acme", 404 },
	{ "/without/.well-known/acme", 404 },
	{ "/.well-known/.well-known/acme", 404 },
	{ "/.well-known/../.git/config", 404 },
	/* links, and what is no file */
	{ "/to-file", 403 },
	{ "/to-file/", 403 },
	{ "/to-secret", 403 },
	{ "/to-outside", 403 },
	{ "/to-outside/", 403 },
	{ "/to-outside/secret", 403 },
	{ "/to-outside/nothing", 403 },
	{ "/to-with/", 403 },
	{ "/to-with/index.html", 403 },
	{ "/to-passwd", 403 },
	{ "/linked/", 403 },
	{ "/fifo", 403 },
	{ "/fifo/", 404 },
	{ "/socket", 403 },
};

START_TEST(what_is_not_served_is_refused_however_it_is_written)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		/* a listing is no answer to any of them either */
		root.listings = true;
		expect_status(refused[i].path, refused[i].status);
	}
}
END_TEST

START_TEST(a_directory_without_an_index_is_refused_unless_it_is_listed)
{
	static const char *const paths[] = { "/",  "/without/", "/.",
					     "//", "/with/..",  "/without/deep/../.." };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		root.listings = false;
		expect_status(paths[i], 403);
		root.listings = true;
		expect_status(paths[i], 200);
	}
}
END_TEST

START_TEST(a_nul_in_the_path_does_not_end_it)
{
	struct http_document document;

	find_in(&root, "/hello.txt\0.html", 16, &document);
	ck_assert_int_eq(document.status, 404);
	find_in(&root, "/hello.txtXXX", 10, &document);
	ck_assert_int_eq(document.status, 200);
	http_document_release(&document);
}
END_TEST

START_TEST(a_fifo_is_not_opened_since_that_would_kill_who_writes_to_it)
{
#ifdef __linux__
	struct inotify_event event;
	char path[PATH_MAX];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	snprintf(path, sizeof path, "%s/fifo", site.path);
	if (watch < 0 || inotify_add_watch(watch, path, IN_OPEN) < 0) {
		skipped("needs inotify(7)");
		return;
	}
	expect_status("/fifo", 403);
	expect_status("/fifo/", 404);
	expect_status("/", 403);
	ck_assert_int_lt(read(watch, &event, sizeof event), 0);
	ck_assert_int_eq(errno, EAGAIN);
	close(watch);
#else
	skipped("needs inotify(7)");
#endif
}
END_TEST

START_TEST(a_device_is_refused)
{
	static struct http_root devices = { .listings = true };
	struct http_document document;
	struct failure failure;
	char *page;

	ck_assert_int_eq(root_open(&devices.directory, "/dev", &failure), 0);
	find_in(&devices, "/null", 5, &document);
	ck_assert_int_eq(document.status, 403);
	find_in(&devices, "/", 1, &document);
	page = page_of(&document);
	ck_assert_ptr_null(strstr(page, ">null<"));
	free(page);
	close(devices.directory.fd);
}
END_TEST

START_TEST(what_may_not_be_read_is_forbidden)
{
	bool is_root = geteuid() == 0;

	if (!programs_use("O_PATH"))
		return;
	folder_directory(&site, "read-only");
	folder_text(&site, "read-only/file", "secret");
	folder_directory(&site, "closed");
	folder_text(&site, "closed/file", "secret");
	folder_directory(&site, "closed-index");
	folder_text(&site, "closed-index/index.html", "secret");
	folder_directory(&site, "search-only");
	folder_text(&site, "search-only/index.html", "index");
	folder_directory(&site, "search-only/none");
	ck_assert_int_eq(fchmod(site.fd, 0755), 0);
	ck_assert_int_eq(fchmodat(site.fd, "hello.txt", 0, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "closed-index/index.html", 0, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "search-only/none", 0111, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "search-only", 0111, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "closed", 0, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "read-only", 0444, 0), 0);
	root.listings = true;
	if (is_root && (setegid(NOBODY) < 0 || seteuid(NOBODY) < 0)) {
		skipped("needs root that can become an ordinary user");
		return;
	}
	expect_status("/hello.txt", 403);
	expect_status("/closed", 403);
	expect_status("/closed/", 403);
	expect_status("/closed/file", 403);
	expect_status("/closed/nothing", 403);
	expect_status("/closed-index/", 403);
	expect_status("/search-only/", 200);
	expect_status("/search-only/none/", 403);
	/* its names can be read, and nothing else: that is no empty directory */
	expect_status("/read-only/", 403);
	if (is_root)
		ck_assert(seteuid(0) == 0 && setegid(0) == 0);
	ck_assert_int_eq(fchmodat(site.fd, "closed", 0700, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "read-only", 0700, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "search-only", 0700, 0), 0);
	ck_assert_int_eq(fchmodat(site.fd, "search-only/none", 0700, 0), 0);
}
END_TEST

START_TEST(without_descriptors_it_is_503_and_later_200)
{
	struct rlimit before, none;

	root.listings = true;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	expect_status("/hello.txt", 503);
	expect_status("/with/", 503);
	expect_status("/", 503);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	expect_status("/hello.txt", 200);
	expect_status("/with/", 200);
	expect_status("/", 200);
}
END_TEST

START_TEST(no_descriptor_is_left_behind)
{
	int before = dup(0), after;

	close(before);
	root.listings = true;
	expect_status("/", 200);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct http_document document = find(refused[i].path);

		http_document_release(&document);
	}
	after = dup(0);
	close(after);
	ck_assert_int_eq(after, before);
}
END_TEST

START_TEST(a_directory_that_cannot_be_served_is_named)
{
	struct failure failure;

	ck_assert_int_eq(root_open(&root.directory, "/nothing/here\n", &failure), -1);
	ck_assert_str_eq(failure.text,
			 "cannot serve '/nothing/here\\n': No such file or directory");
	ck_assert_int_eq(root_open(&root.directory, "/dev/null", &failure), -1);
	ck_assert_str_eq(failure.text, "cannot serve '/dev/null': Not a directory");
}
END_TEST

/* ---- while somebody renames --------------------------------------------------------------- */

static atomic_bool juggling;

static void *juggle(void *unused)
{
	(void)unused;
	while (atomic_load(&juggling)) {
		renameat(site.fd, "with", site.fd, "away");
		if (symlinkat(outside.path, site.fd, "with") == 0)
			unlinkat(site.fd, "with", 0);
		renameat(site.fd, "away", site.fd, "with");
	}
	return NULL;
}

START_TEST(a_directory_that_becomes_a_link_meanwhile_shows_nothing_else)
{
	pthread_t thread;

	root.listings = true;
	atomic_store(&juggling, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, juggle, NULL), 0);
	for (int i = 0; i < RACES; i++) {
		struct http_document document =
			find(i % 2 ? "/with/index.html" : "/with/");
		char text[TEXT] = "";

		/* a listing: between the search for the index and for the directory it
		 * was put back */
		ck_assert(document.status == 404 || document.status == 403 ||
			  document.status == 200);
		if (document.fd >= 0) {
			ck_assert_int_gt(io_read_all(document.fd, text, TEXT - 1), 0);
			ck_assert_str_eq(text, "<p>index");
		} else if (document.listing != NULL) {
			char *page = page_of(&document);

			ck_assert_ptr_null(strstr(page, "secret"));
			free(page);
		}
		http_document_release(&document);
	}
	atomic_store(&juggling, false);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* ---- listings ----------------------------------------------------------------------------- */

/* The listing of a directory; the caller frees it. */
static char *listing(const char *path)
{
	struct http_document document;

	root.listings = true;
	document = find(path);
	return page_of(&document);
}

/* The page must have each of these, in this order. */
static void expect_in_order(const char *page, const char *const parts[])
{
	const char *at = page;

	for (; *parts != NULL; parts++) {
		const char *found = strstr(at, *parts);

		ck_assert_msg(found != NULL, "'%s' is not, or not there, in\n%s", *parts,
			      page);
		at = found + strlen(*parts);
	}
}

static unsigned count(const char *page, const char *part)
{
	unsigned found = 0;

	while ((page = strstr(page, part)) != NULL) {
		page += strlen(part);
		found++;
	}
	return found;
}

START_TEST(a_listing_has_directories_first_and_then_files_by_name)
{
	char *page = listing("/");
	static const char *const parts[] = {
		"<!DOCTYPE html>",
		"<title>Index of /</title>",
		"<h1>Index of /</h1>",
		"<a href=\"linked/\"><bdi>linked/</bdi></a>",
		"<a href=\"strange/\">",
		"<a href=\"with/\">",
		"<a href=\"without/\">",
		"<a href=\"a%20b%26c%2520.txt\"><bdi>a b&#38;c%20.txt</bdi></a>",
		"<a href=\"back%5Cslash\"><bdi>back\\slash</bdi></a>",
		"<a href=\"caf%C3%A9.html\"><bdi>caf\xc3\xa9.html</bdi></a>",
		"<a href=\"dots..\">",
		"<a href=\"empty\">",
		"<a href=\"hello.txt\">",
		"<a href=\"latin-%E9\"><bdi>latin-\xef\xbf\xbd</bdi></a>",
		"<a href=\"semi%3Bcolon\"><bdi>semi;colon</bdi></a>",
		"</html>\n",
		NULL,
	};

	expect_in_order(page, parts);
	free(page);
}
END_TEST

START_TEST(a_listing_has_no_more_than_what_is_served)
{
	char *page = listing("/");

	ck_assert_uint_eq(count(page, "<a href="), 4 + 9);
	ck_assert_ptr_null(strstr(page, "hidden"));
	ck_assert_ptr_null(strstr(page, "git"));
	ck_assert_ptr_null(strstr(page, "to-"));
	ck_assert_ptr_null(strstr(page, "fifo"));
	ck_assert_ptr_null(strstr(page, "socket"));
	ck_assert_ptr_null(strstr(page, "new"));
	free(page);
}
END_TEST

START_TEST(only_the_root_has_no_way_up)
{
	char *page = listing("/");

	ck_assert_ptr_null(strstr(page, "\"../\""));
	free(page);
	page = listing("/without/");
	ck_assert_uint_eq(count(page, "<a href=\"../\">../</a>"), 1);
	ck_assert_ptr_nonnull(strstr(page, "<title>Index of /without/</title>"));
	free(page);
	page = listing("/without/%64eep/");
	ck_assert_ptr_nonnull(strstr(page, "<title>Index of /without/deep/</title>"));
	free(page);
}
END_TEST

START_TEST(an_empty_directory_says_so)
{
	char *page;

	folder_directory(&site, "void");
	page = listing("/void/");
	ck_assert_ptr_nonnull(strstr(page, "There are no files here."));
	free(page);
	page = listing("/");
	ck_assert_ptr_null(strstr(page, "There are no files here."));
	free(page);
}
END_TEST

static const struct {
	const char *name, *link, *text;
} odd_names[] = {
	{ "<script>alert(1)<", "%3Cscript%3Ealert%281%29%3C",
	  "&#60;script&#62;alert(1)&#60;" },
	{ "\"onclick='x'", "%22onclick%3D%27x%27", "&#34;onclick=&#39;x&#39;" },
	{ "&amp;&lt;", "%26amp%3B%26lt%3B", "&#38;amp;&#38;lt;" },
	{ "javascript:alert(1)", "javascript%3Aalert%281%29", "javascript:alert(1)" },
	{ "http:", "http%3A", "http:" },
	{ "a?b#c", "a%3Fb%23c", "a?b#c" },
	{ "%2e%2e", "%252e%252e", "%2e%2e" },
	{ " two  blanks ", "%20two%20%20blanks%20", " two  blanks " },
	{ "\\evil.example", "%5Cevil.example", "\\evil.example" },
	{ "~user-_.", "~user-_.", "~user-_." },
	{ "\xff\xfe", "%FF%FE", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xc3\xa9\xc3", "%C3%A9%C3", "\xc3\xa9\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "%ED%A0%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe2\x80\xae"
	  "gpj.exe",
	  "%E2%80%AEgpj.exe",
	  "\xe2\x80\xae"
	  "gpj.exe" },
	{ "\xf0\x9f\x90\x8c", "%F0%9F%90%8C", "\xf0\x9f\x90\x8c" },
};

START_TEST(an_odd_name_is_shown_as_it_is_and_its_link_leads_to_it)
{
	char expected[2 * TEXT], path[TEXT];
	char *page;

	folder_directory(&site, "odd");
	folder_directory(&site, "odd/sub");
	snprintf(path, sizeof path, "odd/%s", odd_names[_i].name);
	folder_text(&site, path, "odd");
	snprintf(path, sizeof path, "odd/sub/%s", odd_names[_i].name);
	folder_directory(&site, path);

	page = listing("/odd/");
	snprintf(expected, sizeof expected, "<a href=\"%s\"><bdi>%s</bdi></a>",
		 odd_names[_i].link, odd_names[_i].text);
	ck_assert_msg(strstr(page, expected) != NULL, "%s\n%s", expected, page);
	free(page);
	snprintf(path, sizeof path, "/odd/%s", odd_names[_i].link);
	expect_status(path, 200);

	/* and as a directory, in the title of its own page as well */
	page = listing("/odd/sub/");
	snprintf(expected, sizeof expected, "<a href=\"%s/\"><bdi>%s/</bdi></a>",
		 odd_names[_i].link, odd_names[_i].text);
	ck_assert_msg(strstr(page, expected) != NULL, "%s\n%s", expected, page);
	free(page);
	snprintf(path, sizeof path, "/odd/sub/%s/", odd_names[_i].link);
	page = listing(path);
	snprintf(expected, sizeof expected, "<title>Index of /odd/sub/%s/</title>",
		 odd_names[_i].text);
	ck_assert_msg(strstr(page, expected) != NULL, "%s\n%s", expected, page);
	free(page);
}
END_TEST

START_TEST(sizes_are_readable)
{
	static const struct {
		off_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, ">0 B<" },
		{ 1, ">1 B<" },
		{ 1023, ">1023 B<" },
		{ 1024, ">1.0 KiB<" },
		{ 1536, ">1.5 KiB<" },
		{ 1024 * 1024 - 1, ">1.0 MiB<" },
		{ 1023 * 1024, ">1023.0 KiB<" },
		{ 10 * 1024 * 1024, ">10.0 MiB<" },
		{ (off_t)5 << 30, ">5.0 GiB<" },
	};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *page;
		int fd;

		folder_text(&site, "without/sparse", "");
		fd = openat(site.fd, "without/sparse", O_WRONLY);
		ck_assert_int_eq(ftruncate(fd, sizes[i].bytes), 0);
		close(fd);
		page = listing("/without/");
		ck_assert_msg(strstr(page, sizes[i].text) != NULL, "%s\n%s",
			      sizes[i].text, page);
		free(page);
	}
}
END_TEST

START_TEST(times_are_in_utc)
{
	const struct timespec times[2] = { { 0 }, { 784111777, 123000000 } };
	char *page;

	ck_assert_int_eq(setenv("TZ", "XXX-5", 1), 0);
	ck_assert_int_eq(utimensat(site.fd, "without/deep/file.css", times, 0), 0);
	page = listing("/without/deep/");
	ck_assert_msg(strstr(page, "<td>4 B</td><td><time datetime="
				   "\"1994-11-06T08:49:37Z\">1994-11-06 08:49</time>"),
		      "%s", page);
	free(page);
}
END_TEST

/* Names of one and the same file: quicker made than as many files. */
static void make_names(const char *format, int many)
{
	for (int i = 0; i < many; i++) {
		char name[PATH_MAX];

		snprintf(name, sizeof name, format, i);
		ck_assert_int_eq(linkat(site.fd, "empty", site.fd, name, 0), 0);
	}
}

/* The path of the page that the link with this text leads to; "" where there is none. */
static const char *link_named(const char *page, const char *directory, const char *text)
{
	static char path[TEXT + 3 * NAME_MAX];
	char end[TEXT];
	const char *found, *from;

	snprintf(end, sizeof end, "\">%s</a>", text);
	found = strstr(page, end);
	if (found == NULL)
		return "";
	for (from = found; memcmp(from, "=\"", 2) != 0; from--)
		;
	from += 2;
	if (strncmp(from, "./", 2) == 0)
		from += 2;
	snprintf(path, sizeof path, "%s%.*s", directory, (int)(found - from), from);
	return path;
}

static const char *next_of(const char *page, const char *directory)
{
	return link_named(page, directory, "Next page");
}

/* What the page says of its place: "1 to 1000 of 2501". */
static void expect_range(const char *page, unsigned first, unsigned last, unsigned all)
{
	char text[TEXT];

	snprintf(text, sizeof text, "<p>%u to %u of %u.", first, last, all);
	ck_assert_msg(strstr(page, text) != NULL, "no '%s' in the end of\n%s", text,
		      page + (strlen(page) > 1000 ? strlen(page) - 1000 : 0));
}

START_TEST(a_large_directory_is_listed_in_pages_each_name_once_and_in_order)
{
	enum { DIRECTORIES = 3, FILES = 2500, ALL = DIRECTORIES + FILES };
	char path[TEXT + 3 * NAME_MAX] = "/large/", row[TEXT];
	unsigned seen = 0, pages = 0;

	folder_directory(&site, "large");
	make_names("large/%06d", FILES);
	make_names("large/.hidden-%d", 7);
	folder_directory(&site, "large/zz-1");
	folder_directory(&site, "large/zz-2");
	folder_directory(&site, "large/zz-3");
	do {
		char *page = listing(path);
		unsigned shown = count(page, "<bdi>");
		const char *at = page;

		ck_assert_uint_eq(shown, seen + 1000 <= ALL ? 1000 : ALL - seen);
		for (unsigned i = seen; i < seen + shown; i++) {
			snprintf(row, sizeof row,
				 i < DIRECTORIES ? "<bdi>zz-%u/</bdi>"
						 : "<bdi>%06u</bdi>",
				 i < DIRECTORIES ? i + 1 : i - DIRECTORIES);
			at = strstr(at, row);
			ck_assert_msg(at != NULL, "%s is not there", row);
		}
		expect_range(page, seen + 1, seen + shown, ALL);
		ck_assert_str_eq(link_named(page, "/large/", "First page"),
				 seen == 0 ? "" : "/large/");
		strcpy(path, next_of(page, "/large/"));
		seen += shown;
		pages++;
		free(page);
	} while (*path != '\0' && pages < 10);
	ck_assert_uint_eq(seen, ALL);
	ck_assert_uint_eq(pages, 3);
}
END_TEST

START_TEST(a_directory_of_one_page_has_no_links_to_others)
{
	char *page;

	folder_directory(&site, "large");
	make_names("large/%06d", 1000);
	page = listing("/large/");
	ck_assert_uint_eq(count(page, "<bdi>"), 1000);
	ck_assert_str_eq(next_of(page, "/large/"), "");
	ck_assert_ptr_null(strstr(page, "First page"));
	free(page);
}
END_TEST

/* The last name of a page is in the link to the next one. */
START_TEST(a_page_may_end_with_any_name)
{
	char name[TEXT], last[TEXT];
	char *page;

	folder_directory(&site, "large");
	for (int i = 0; i < 999; i++) {
		snprintf(name, sizeof name, "large/%03d", i);
		folder_directory(&site, name);
	}
	folder_text(&site, "large/\xff\xff\xff\xff", "");
	for (size_t i = 0; i < sizeof odd_names / sizeof *odd_names; i++) {
		snprintf(name, sizeof name, "large/%s", odd_names[i].name);
		folder_text(&site, name, "");
		page = listing("/large/");
		snprintf(last, sizeof last, "href=\"?after=%s\">Next page",
			 odd_names[i].link);
		ck_assert_msg(strstr(page, last) != NULL, "no %s", last);
		strcpy(last, next_of(page, "/large/"));
		free(page);

		page = listing(last);
		ck_assert_uint_eq(count(page, "<bdi>"), 1);
		ck_assert_ptr_nonnull(strstr(page, "\"%FF%FF%FF%FF\""));
		expect_range(page, 1001, 1001, 1001);
		free(page);
		ck_assert_int_eq(unlinkat(site.fd, name, 0), 0);
	}
	/* and with a directory */
	folder_directory(&site, "large/999");
	page = listing("/large/");
	strcpy(last, next_of(page, "/large/"));
	ck_assert_str_eq(last, "/large/?after=999%2F");
	free(page);
	page = listing(last);
	ck_assert_uint_eq(count(page, "<bdi>"), 1);
	ck_assert_ptr_nonnull(strstr(page, "\"%FF%FF%FF%FF\""));
	free(page);
}
END_TEST

START_TEST(names_that_come_and_go_between_pages_move_no_other)
{
	char next[TEXT];
	char *page;

	folder_directory(&site, "large");
	make_names("large/%06d", 1500);
	page = listing("/large/");
	strcpy(next, next_of(page, "/large/"));
	ck_assert_str_eq(next, "/large/?after=000999");
	free(page);

	/* when the very name in the link goes, others before it, and one comes */
	ck_assert_int_eq(unlinkat(site.fd, "large/000999", 0), 0);
	ck_assert_int_eq(unlinkat(site.fd, "large/000000", 0), 0);
	ck_assert_int_eq(unlinkat(site.fd, "large/000500", 0), 0);
	folder_text(&site, "large/000000-new", "");
	page = listing(next);
	ck_assert_uint_eq(count(page, "<bdi>"), 500);
	ck_assert_ptr_nonnull(strstr(page, "<bdi>001000</bdi>"));
	ck_assert_ptr_nonnull(strstr(page, "<bdi>001499</bdi>"));
	expect_range(page, 999, 1498, 1498);
	free(page);

	/* when all that would be on it go */
	for (int i = 1000; i < 1500; i++) {
		char name[TEXT];

		snprintf(name, sizeof name, "large/%06d", i);
		ck_assert_int_eq(unlinkat(site.fd, name, 0), 0);
	}
	page = listing(next);
	ck_assert_uint_eq(count(page, "<bdi>"), 0);
	ck_assert_ptr_nonnull(strstr(page, "There are no more files here."));
	ck_assert_str_eq(link_named(page, "/large/", "First page"), "/large/");
	ck_assert_ptr_nonnull(strstr(page, "<p><a href=\"./\">First page</a></p>"));
	free(page);
}
END_TEST

/* How often a listing must be gone on with. */
static int turns_of(const char *path)
{
	struct http_document document = find(path);
	int turns = 1;

	while (http_listing_go_on(document.listing) > 0)
		turns++;
	http_document_release(&document);
	return turns;
}

START_TEST(names_that_go_while_the_page_is_made_are_not_on_it)
{
	struct http_document document;
	size_t length;
	char *page;
	int turns;

	/* given: all names are read, and not all rows are written */
	folder_directory(&site, "large");
	make_names("large/%06d", 1100);
	root.listings = true;
	turns = turns_of("/large/");
	document = find("/large/");
	for (int i = 0; i < turns - 8; i++)
		ck_assert_int_eq(http_listing_go_on(document.listing), 1);

	/* when */
	for (int i = 950; i < 1000; i++) {
		char name[TEXT];

		snprintf(name, sizeof name, "large/%06d", i);
		ck_assert_int_eq(unlinkat(site.fd, name, 0), 0);
	}

	/* then */
	while (http_listing_go_on(document.listing) > 0)
		;
	page = http_listing_take(document.listing, &length);
	ck_assert_uint_eq(count(page, "<bdi>"), 950);
	expect_range(page, 1, 950, 1050);
	ck_assert_str_eq(next_of(page, "/large/"), "/large/?after=000999");
	free(page);
	http_document_release(&document);
}
END_TEST

/* The longest names, of bytes that take the most room in link and text. */
START_TEST(a_page_has_its_limit_whatever_the_names_are)
{
	enum { NAMES = 600 };
	char format[] = "wide/%05d________________________________________________"
			"_____________________________________________________________"
			"_____________________________________________________________"
			"_____________________________________________________________";
	char path[TEXT + 3 * NAME_MAX] = "/wide/";
	unsigned seen = 0;

	folder_directory(&site, "wide");
	for (char *filler = strchr(format, '_'); *filler != '\0'; filler++)
		*filler = '"';
	make_names(format, NAMES);
	while (*path != '\0') {
		char *page = listing(path); /* which looks at its length */
		unsigned shown = count(page, "<bdi>");

		ck_assert_uint_eq(shown, count(page, "</td></tr>\n") - 1);
		ck_assert_uint_gt(shown, 0);
		expect_range(page, seen + 1, seen + shown, NAMES);
		strcpy(path, next_of(page, "/wide/"));
		if (*path != '\0')
			ck_assert_uint_gt(strlen(page), HTTP_LISTING_PAGE - 4096);
		seen += shown;
		free(page);
	}
	ck_assert_uint_eq(seen, NAMES);
}
END_TEST

START_TEST(a_page_begins_after_the_name_that_the_query_says)
{
	static const struct {
		const char *query, *first;
		unsigned shown;
	} queries[] = {
		{ "", "a", 4 },
		{ "?", "a", 4 },
		{ "?after=", "a", 4 },
		{ "?after=b", "c", 1 },
		{ "?after=%62", "c", 1 },
		{ "?sort=size&after=b&x", "c", 1 },
		{ "?afterwards=b", "a", 4 },
		{ "?x=after=b", "a", 4 },
		{ "?after=aa", "b", 2 },
		{ "?after=d%2F", "a", 3 },
		{ "?after=c%2F", "d", 4 },
		{ "?after=e%2F", "a", 3 },
		{ "?after=%FF", "", 0 },
		{ "?after=%3Cscript%3E", "a", 3 },
		{ "?after=%0A", "a", 3 },
	};

	folder_directory(&site, "few");
	folder_directory(&site, "few/d");
	folder_text(&site, "few/a", "");
	folder_text(&site, "few/b", "");
	folder_text(&site, "few/c", "");
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		char path[TEXT];
		char *page;

		snprintf(path, sizeof path, "/few/%s", queries[i].query);
		page = listing(path);
		ck_assert_msg(count(page, "<bdi>") == queries[i].shown, "%s: %u", path,
			      count(page, "<bdi>"));
		ck_assert_ptr_null(strstr(page, "script"));
		free(page);
	}
	expect_status("/few/?after=%", 400);
	expect_status("/few/?after=%zz", 400);
	expect_status("/few/?after=%00", 400);
}
END_TEST

START_TEST(a_name_to_begin_after_may_be_as_long_as_any_and_no_longer)
{
	char path[TEXT + NAME_MAX + 4];
	int n = snprintf(path, sizeof path, "/without/?after=");

	root.listings = true;
	memset(path + n, 'n', NAME_MAX + 2);
	path[n + NAME_MAX + 1] = '\0';
	expect_status(path, 200);
	path[n + NAME_MAX + 1] = 'n';
	path[n + NAME_MAX + 2] = '\0';
	expect_status(path, 400);
}
END_TEST

START_TEST(an_index_is_not_listed_but_shown)
{
	struct http_document document;

	root.listings = true;
	document = find("/with/");
	ck_assert_int_eq(document.status, 200);
	ck_assert_ptr_null(document.listing);
	http_document_release(&document);
}
END_TEST

/* ---- types -------------------------------------------------------------------------------- */

START_TEST(the_extension_names_the_type_in_either_case)
{
	static const struct {
		const char *name, *type;
	} types[] = {
		{ "a.html", HTML },
		{ "a.htm", HTML },
		{ "A.HTML", HTML },
		{ "a/b.c/d.Css", "text/css; charset=utf-8" },
		{ "app.js", "text/javascript; charset=utf-8" },
		{ "app.mjs", "text/javascript; charset=utf-8" },
		{ "a.json", "application/json" },
		{ "a.svg", "image/svg+xml" },
		{ "a.png", "image/png" },
		{ "a.jpg", "image/jpeg" },
		{ "a.JPEG", "image/jpeg" },
		{ "a.gif", "image/gif" },
		{ "a.webp", "image/webp" },
		{ "favicon.ico", "image/vnd.microsoft.icon" },
		{ "a.pdf", "application/pdf" },
		{ "a.txt", PLAIN },
		{ "a.c", PLAIN },
		{ "a.md", "text/markdown; charset=utf-8" },
		{ "a.csv", "text/csv; charset=utf-8" },
		{ "a.xml", "application/xml" },
		{ "a.mp4", "video/mp4" },
		{ "a.webm", "video/webm" },
		{ "a.mp3", "audio/mpeg" },
		{ "a.woff", "font/woff" },
		{ "a.woff2", "font/woff2" },
		{ "a.wasm", "application/wasm" },
		{ "a.zip", "application/zip" },
		{ "a.tar.gz", "application/gzip" },
		{ "a.7z", "application/x-7z-compressed" },
		{ "a.zst", "application/zstd" },
		{ "a.mov", "video/quicktime" },
		{ "a.m3u8", "application/vnd.apple.mpegurl" },
		{ "a.ts", "video/mp2t" },
		{ "a.mpd", "application/dash+xml" },
		{ "a.m4s", "video/iso.segment" },
		{ "a.webmanifest", "application/manifest+json" },
		{ "a.docx",
		  "application/"
		  "vnd.openxmlformats-officedocument.wordprocessingml.document" },
		{ "a.xlsx",
		  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
		{ "a.odt", "application/vnd.oasis.opendocument.text" },
		{ "3.3gp", "video/3gpp" },
		{ "a.rs", PLAIN },
		{ "a.html.", BYTES },
		{ "a.htmlx", BYTES },
		{ "a.", BYTES },
		{ "html", BYTES },
		{ "a.html/b", BYTES },
		{ "", BYTES },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		ck_assert_msg(strcmp(http_type(types[i].name), types[i].type) == 0,
			      "%s: %s", types[i].name, http_type(types[i].name));
}
END_TEST

START_TEST(a_name_without_extension_is_text_if_its_first_bytes_are)
{
	static const struct {
		const char *name, *text;
		const char *type;
	} cases[] = {
		{ "README", "Read me.\n", PLAIN },
		{ "Makefile", "all:\n\techo \f\r\n", PLAIN },
		{ "umlaut", "\xc3\xbc", PLAIN },
		{ "colours", "\x1b[1m", PLAIN },
		{ "binary",
		  "\x7f"
		  "ELF\x02\x01",
		  BYTES },
		{ "latin", "\xfc", BYTES },
		{ "cut", "\xc3", BYTES },
		{ "surrogate", "\xed\xa0\x80", BYTES },
		{ "bell", "\a", BYTES },
		{ "nothing", "", BYTES },
		{ "README.what", "Read me.\n", BYTES },
		{ "README.", "Read me.\n", BYTES },
		{ "page.html", "\x01", HTML },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char path[TEXT];

		folder_text(&site, cases[i].name, cases[i].text);
		snprintf(path, sizeof path, "/%s", cases[i].name);
		expect_file(path, cases[i].text, cases[i].type);
	}
}
END_TEST

START_TEST(of_a_name_without_extension_512_bytes_are_looked_at)
{
	static const struct {
		size_t length, at; /* where what is no character begins: "\xc3\xbc\0" */
		const char *type;
	} cases[] = {
		{ 512, 0, BYTES },     { 512, 509, BYTES },
		{ 514, 510, PLAIN }, /* the NUL is the byte 513 */
		{ 514, 511, PLAIN }, /* a character is cut off there */
		{ 5000, 4000, PLAIN },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_document document;
		char bytes[5000];

		memset(bytes, 'a', sizeof bytes);
		memcpy(bytes + cases[i].at, "\xc3\xbc", 3);
		folder_file(&site, "long", bytes, cases[i].length);
		document = find("/long");
		ck_assert_msg(strcmp(document.type, cases[i].type) == 0, "%zu: %s", i,
			      document.type);
		http_document_release(&document);
	}
}
END_TEST

/* ---- a directory that is removed and made anew ---------------------------------------------- */

static void remake_site(void)
{
	ck_assert_int_eq(mkdir(site.path, 0700), 0);
	close(site.fd);
	site.fd = open(site.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(site.fd, 0);
	folder_text(&site, "hello.txt", "anew");
}

START_TEST(a_directory_made_anew_is_served_from_the_next_request_on)
{
	/* given: one that has gone, of which a line tells the operator */
	ck_assert_int_ge(dup2(folder_create_nameless(), STDERR_FILENO), 0);
	folder_remove_path(site.path);
	for (int listed = 0; listed < 2; listed++) {
		root.listings = listed;
		expect_status("/hello.txt", 503);
		expect_status("/", 503);
		expect_status("/nothing", 503);
		expect_status("/..", 400);
	}

	/* when */
	remake_site();

	/* then */
	expect_file("/hello.txt", "anew", PLAIN);
	expect_status("/empty", 404);
}
END_TEST

START_TEST(a_listing_of_a_directory_made_anew_has_what_is_in_it_now)
{
	char *page;

	folder_remove_path(site.path);
	remake_site();
	page = listing("/");
	ck_assert_uint_eq(count(page, "<bdi>"), 1);
	ck_assert_ptr_nonnull(strstr(page, ">hello.txt<"));
	free(page);
}
END_TEST

Suite *suite_http_documents(void)
{
	Suite *suite = suite_create("http_documents");
	TCase *tcase = add_case(suite, "paths");

	tcase_add_checked_fixture(tcase, create_site, remove_site);
	tcase_add_test(tcase, a_file_is_found_with_its_size_its_time_and_its_type);
	tcase_add_test(tcase, a_name_of_255_bytes_is_found_and_a_longer_one_is_not);
	tcase_add_test(tcase, a_path_longer_than_any_name_is_not_found);
	tcase_add_test(tcase, what_the_caller_took_stays);
	tcase_add_test(tcase, what_is_not_served_is_refused_however_it_is_written);
	tcase_add_test(tcase,
		       a_directory_without_an_index_is_refused_unless_it_is_listed);
	tcase_add_test(tcase, a_nul_in_the_path_does_not_end_it);
	tcase_add_test(tcase,
		       a_fifo_is_not_opened_since_that_would_kill_who_writes_to_it);
	tcase_add_test(tcase, a_device_is_refused);
	tcase_add_test(tcase, what_may_not_be_read_is_forbidden);
	tcase_add_test(tcase, without_descriptors_it_is_503_and_later_200);
	tcase_add_test(tcase, no_descriptor_is_left_behind);
	tcase_add_test(tcase,
		       a_directory_that_becomes_a_link_meanwhile_shows_nothing_else);

	tcase = add_case(suite, "roots");
	tcase_add_test(tcase, a_directory_that_cannot_be_served_is_named);

	tcase = add_case(suite, "listings");
	tcase_add_checked_fixture(tcase, create_site, remove_site);
	tcase_add_test(tcase, a_listing_has_directories_first_and_then_files_by_name);
	tcase_add_test(tcase, a_listing_has_no_more_than_what_is_served);
	tcase_add_test(tcase, only_the_root_has_no_way_up);
	tcase_add_test(tcase, an_empty_directory_says_so);
	tcase_add_loop_test(tcase, an_odd_name_is_shown_as_it_is_and_its_link_leads_to_it,
			    0, sizeof odd_names / sizeof *odd_names);
	tcase_add_test(tcase, sizes_are_readable);
	tcase_add_test(tcase, times_are_in_utc);
	tcase_add_test(tcase,
		       a_large_directory_is_listed_in_pages_each_name_once_and_in_order);
	tcase_add_test(tcase, a_directory_of_one_page_has_no_links_to_others);
	tcase_add_test(tcase, a_page_may_end_with_any_name);
	tcase_add_test(tcase, names_that_come_and_go_between_pages_move_no_other);
	tcase_add_test(tcase, names_that_go_while_the_page_is_made_are_not_on_it);
	tcase_add_test(tcase, a_page_begins_after_the_name_that_the_query_says);
	tcase_add_test(tcase, a_name_to_begin_after_may_be_as_long_as_any_and_no_longer);
	tcase_add_test(tcase, a_page_has_its_limit_whatever_the_names_are);
	tcase_add_test(tcase, an_index_is_not_listed_but_shown);

	tcase = add_case(suite, "types");
	tcase_add_test(tcase, the_extension_names_the_type_in_either_case);

	tcase = add_case(suite, "contents");
	tcase_add_checked_fixture(tcase, create_site, remove_site);
	tcase_add_test(tcase, a_name_without_extension_is_text_if_its_first_bytes_are);
	tcase_add_test(tcase, of_a_name_without_extension_512_bytes_are_looked_at);

	tcase = add_case(suite, "made anew");
	tcase_add_checked_fixture(tcase, create_site, remove_site);
	tcase_add_test(tcase, a_directory_made_anew_is_served_from_the_next_request_on);
	tcase_add_test(tcase, a_listing_of_a_directory_made_anew_has_what_is_in_it_now);
	return suite;
}
