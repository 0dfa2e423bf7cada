/*
 * The page of versus --report: the same figures as in its JSON, and what Chromium makes of it.
 *
 * The page is made once for all tests, by short runs of two models.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { PATH_TEXT = 300, FILE_MOST = 1024 * 1024 };

static char html_path[PATH_TEXT], json_path[PATH_TEXT];
static char *html, *json;
static size_t json_length;
static struct folder folder;

static char *read_file(const char *path, size_t *length)
{
	char *text = much_memory(FILE_MOST);
	FILE *file = fopen(path, "r");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	*length = fread(text, 1, FILE_MOST, file);
	ck_assert_uint_lt(*length, FILE_MOST);
	fclose(file);
	return text;
}

static void make_report(void)
{
	size_t length;
	struct run run;

	folder_create(&folder);
	snprintf(html_path, sizeof html_path, "%s", folder_path(&folder, "x.html"));
	snprintf(json_path, sizeof json_path, "%s", folder_path(&folder, "x.json"));
	run = run_program(ARGUMENTS("versus", "-q", "--quick", "-r", "2", "-d",
				    slow_seconds(0.1), "-c", "16", "-i", "20", "-e",
				    "timeline,clients,idle,cost", "--report", html_path,
				    "--json", json_path, "echo", "fork", "poll"),
			  "", 0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	ck_assert_str_eq(run.out, ""); /* the page is in place of the tables */
	html = read_file(html_path, &length);
	ck_assert_uint_eq(strlen(html), length);
	json = read_file(json_path, &json_length);
}

static void remove_report(void)
{
	folder_remove(&folder);
}

static unsigned count(const char *text, const char *part)
{
	unsigned found = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		found++;
	return found;
}

/* ---- the figures --------------------------------------------------------------------------- */

/* RFC 3986, section 2.1. @return how many bytes there are in @p bytes */
static size_t decode_percent(const char *text, size_t length, char *bytes)
{
	size_t decoded = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned byte = (unsigned char)text[i];

		if (text[i] == '%') {
			ck_assert_int_eq(sscanf(text + i + 1, "%2x", &byte), 1);
			i += 2;
		}
		bytes[decoded++] = (char)byte;
	}
	return decoded;
}

/* Removes what JSON allows between its tokens. @return the new length */
static size_t remove_blanks(char *text, size_t length)
{
	bool in_string = false;
	size_t kept = 0;

	for (size_t i = 0; i < length; i++) {
		if (in_string && text[i] == '\\')
			text[kept++] = text[i++];
		else if (text[i] == '"')
			in_string = !in_string;
		if (in_string || strchr(" \n", text[i]) == NULL)
			text[kept++] = text[i];
	}
	return kept;
}

START_TEST(the_link_has_the_json_without_blanks)
{
	static const char link[] = "<a id=\"figures\" download=\"figures.json\" "
				   "href='data:application/json,";
	const char *begin = strstr(html, link);
	char *bytes = much_memory(FILE_MOST), *expected = much_memory(FILE_MOST);
	size_t length, expected_length;

	ck_assert_ptr_nonnull(begin);
	begin += strlen(link);
	memcpy(expected, json, json_length);
	expected_length = remove_blanks(expected, json_length);
	length = decode_percent(begin, strcspn(begin, "'"), bytes);
	ck_assert_uint_eq(length, expected_length);
	ck_assert_mem_eq(bytes, expected, length);
}
END_TEST

/* Reads the tables of the page, and compares each cell with the median of the JSON. */
static const char check_tables[] =
	"import html.parser, json, sys\n"
	"def number(v):\n"
	"    unit = 0\n"
	"    while v >= 999.5 and unit < 4: v /= 1000; unit += 1\n"
	"    digits = 0 if v >= 99.95 else 1 if v >= 9.995 else 2 if v >= .0995 else 3\n"
	"    text = '%.*f' % (digits, v)\n"
	"    if '.' in text: text = text.rstrip('0').rstrip('.')\n"
	"    return text + ['', 'k', 'M', 'G', 'T'][unit]\n"
	"class Page(html.parser.HTMLParser):\n"
	"    tables, section, small, cell = {}, None, 0, None\n"
	"    def handle_starttag(self, tag, attrs):\n"
	"        if tag == 'section': self.section = dict(attrs)['id']\n"
	"        if tag == 'table': self.rows = []\n"
	"        if tag == 'tr': self.rows.append([])\n"
	"        if tag in ('td', 'th'): self.cell = ''\n"
	"        if tag == 'small': self.small += 1\n"
	"    def handle_endtag(self, tag):\n"
	"        if tag == 'table': self.tables.setdefault(self.section, "
	"[]).append(self.rows)\n"
	"        if tag in ('td', 'th'): self.rows[-1].append(self.cell.strip()); "
	"self.cell = None\n"
	"        if tag == 'small': self.small -= 1\n"
	"    def handle_data(self, data):\n"
	"        if self.cell is not None and not self.small: self.cell += data\n"
	"page = Page()\n"
	"page.feed(open(sys.argv[1], encoding='utf-8').read())\n"
	"results = {(e['name'], r['server'], r['x']): r\n"
	"    for e in json.load(open(sys.argv[2]))['experiments'] for r in "
	"e['results']}\n"
	"cells = 0\n"
	"def check(cell, experiment, server, x, figure, scale):\n"
	"    global cells\n"
	"    cells += 1\n"
	"    f = results[experiment, server, x].get(figure)\n"
	"    if f is None: expected = {'\\u2013'}\n"
	"    else: expected = {number(f['median'] * scale * k) for k in (1, 1 - 1e-5, 1 "
	"+ 1e-5)}\n"
	"    assert cell in expected, (experiment, server, x, figure, cell, expected)\n"
	"for experiment, points, figures in (\n"
	"        ('clients', (1, 4, 16), (('exchanges_per_second', 1), "
	"('p99_microseconds', 1))),\n"
	"        ('idle', (0, 10, 20), (('exchanges_per_second', 1),\n"
	"            ('memory_in_all_with_clients_kib', 1 / 1024)))):\n"
	"    assert len(page.tables[experiment]) == len(figures)\n"
	"    for table, (figure, scale) in zip(page.tables[experiment], figures):\n"
	"        assert table[0][1:] == [number(x) for x in points], table\n"
	"        assert [row[0] for row in table[1:]] == ['fork', 'poll'], table\n"
	"        for row in table[1:]:\n"
	"            for x, cell in zip(points, row[1:]):\n"
	"                check(cell, experiment, row[0], x, figure, scale)\n"
	"[table] = page.tables['cost']\n"
	"x = [k[2] for k in results if k[0] == 'cost'][0]\n"
	"assert table[0][1:] == ['CPU time of the server', 'Context switches',\n"
	"    'Events for each wake-up', 'Latency, 99th percentile'], table[0]\n"
	"for row in table[1:]:\n"
	"    for cell, figure in zip(row[1:], ('cpu_milliseconds_per_1000',\n"
	"            'context_switches_per_1000', 'exchanges_per_sleep', "
	"'p99_microseconds')):\n"
	"        check(cell, 'cost', row[0], x, figure, 1)\n"
	"assert cells == 12 + 12 + 8, cells\n";

START_TEST(the_tables_have_the_medians_of_the_json)
{
	char python[TOOL_TEXT];
	struct run run;

	if (needed_program("python3", python) == NULL)
		return;
	run = run_program(ARGUMENTS(python, "-c", check_tables, html_path, json_path), "",
			  0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s", run.err);
}
END_TEST

/* ---- what the page is made of -------------------------------------------------------------- */

static const char *const wanted[] = {
	"clients-rate", "clients-p99",   "idle-rate",   "idle-memory",
	"cost-cpu",     "cost-switches", "cost-wakeup", "cost-p99",
};

/* The svg element of that name, in @p text: its end is cut off. */
static char *svg_of(const char *text, const char *name)
{
	char begin[PATH_TEXT];
	const char *at;
	char *svg;

	snprintf(begin, sizeof begin, " id=\"%s\" role=\"img\"", name);
	at = strstr(text, begin);
	ck_assert_msg(at != NULL, "no picture %s", name);
	ck_assert_ptr_nonnull(strstr(at, "</svg>"));
	svg = much_memory(FILE_MOST);
	memcpy(svg, at, (size_t)(strstr(at, "</svg>") - at));
	return svg;
}

/* It has a title, a description, and a line or a bar for each server whose figures are known. */
static void expect_picture(const char *text, const char *name)
{
	const char *svg = svg_of(text, name);
	bool bars = strncmp(name, "cost", 4) == 0;
	unsigned shapes =
		count(svg, bars ? "<rect class=\"c0\"" : "<path class=\"line c");

	ck_assert_msg(count(svg, "</title>") >= 1 + shapes, "%s: %s", name, svg);
	ck_assert_uint_eq(count(svg, "<title id="), 1);
	ck_assert_uint_eq(count(svg, "</desc>"), 1);
	/* memory and wake-ups are not known everywhere */
	if (strstr(name, "rate") != NULL || strstr(name, "p99") != NULL)
		ck_assert_msg(shapes == 2, "%s: %s", name, svg);
}

START_TEST(each_figure_has_a_picture)
{
	expect_picture(html, wanted[_i]);
}
END_TEST

/* What would ask another host, or another file. */
START_TEST(the_page_needs_nothing_else)
{
	static const char *const references[] = { "http:", "https:",  "//",     "src=",
						  "url(",  "@import", "<script" };
	static const char space[] = "http://www.w3.org/2000/svg";
	char *rest = strdup(html), *at;

	at = strstr(rest, "'data:application/json,");
	ck_assert_ptr_nonnull(at);
	memset(at, ' ', strcspn(at + 1, "'"));
	while ((at = strstr(rest, space)) != NULL)
		memset(at, ' ', sizeof space - 1);
	for (size_t i = 0; i < sizeof references / sizeof *references; i++)
		ck_assert_msg(strstr(rest, references[i]) == NULL, "%s: %.100s",
			      references[i], strstr(rest, references[i]));
	for (at = rest; (at = strstr(at, " href=\"")) != NULL; at++)
		ck_assert_msg(at[7] == '#' || strncmp(at + 7, "data:", 5) == 0, "%.80s",
			      at);
	free(rest);
}
END_TEST

START_TEST(each_name_in_the_page_is_there_once)
{
	for (const char *at = html; (at = strstr(at, " id=\"")) != NULL; at++) {
		char name[PATH_TEXT];

		snprintf(name, sizeof name, "%.*s", (int)(6 + strcspn(at + 5, "\"")), at);
		ck_assert_msg(count(html, name) == 1, "twice: %s", name);
	}
	/* and what is referred to is there */
	for (const char *at = html; (at = strstr(at, "href=\"#")) != NULL; at++) {
		char name[PATH_TEXT];

		snprintf(name, sizeof name, " id=\"%.*s\"", (int)strcspn(at + 7, "\""),
			 at + 7);
		ck_assert_msg(count(html, name) == 1, "not there: %s", name);
	}
}
END_TEST

START_TEST(each_server_has_a_timeline_of_ten_clients)
{
	ck_assert_ptr_nonnull(strstr(html, "<h3 id=\"timeline-1\">fork</h3>"));
	ck_assert_ptr_nonnull(strstr(html, "<h3 id=\"timeline-2\">poll</h3>"));
	ck_assert_uint_eq(count(html, ": timeline of 10 clients</title>\n<desc>"), 2);
}
END_TEST

/* ---- in a browser -------------------------------------------------------------------------- */

static const char *find_chromium(char out[TOOL_TEXT])
{
	static const char *const names[] = { "chromium", "chromium-browser",
					     "google-chrome" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (find_program(names[i], out) != NULL)
			return out;
	return NULL;
}

/* Its profile, and all that it writes, goes to the folder of the test. */
static void with_own_home(void *context)
{
	(void)context;
	setenv("HOME", folder.path, 1);
	setenv("TMPDIR", folder.path, 1);
	setenv("XDG_CONFIG_HOME", folder.path, 1);
	setenv("XDG_CACHE_HOME", folder.path, 1);
}

static bool no_child_is_left(void *context)
{
	(void)context;
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/* GIVEN the page, WHEN Chromium reads it, THEN its document has all pictures within their
 * experiments, and the console has no error. */
START_TEST(chromium_shows_the_page_without_an_error)
{
	char chromium[TOOL_TEXT], profile[PATH_TEXT + 32], address[PATH_TEXT + 8];
	struct run_setup setup = {
		.argv = ARGUMENTS(
			chromium, "--headless", "--no-sandbox", "--disable-gpu",
			"--disable-dev-shm-usage", "--no-first-run",
			"--disable-background-networking", "--disable-component-update",
			"--disable-sync", "--disable-extensions",
			"--host-resolver-rules=MAP * ~NOTFOUND", profile,
			"--enable-logging=stderr", "--v=0", "--dump-dom", address),
		.timeout = LONG_WAIT_MS,
		.prepare = with_own_home,
	};
	struct run run;

	if (find_chromium(chromium) == NULL) {
		skipped("needs chromium");
		return;
	}
	snprintf(profile, sizeof profile, "--user-data-dir=%s/profile", folder.path);
	snprintf(address, sizeof address, "file://%s", html_path);
	run = run_program_with(&setup);
	ck_assert_msg(eventually(no_child_is_left, NULL, WAIT_MS),
		      "a process of chromium is left running");
	if (strstr(run.out, "ERR_FILE_NOT_FOUND") != NULL) {
		skipped("needs a chromium that can read the files in TMPDIR");
		return;
	}
	ck_assert_msg(run_exit_status(&run) == 0, "%s", run.err);
	ck_assert_msg(strstr(run.err, "CONSOLE") == NULL, "%s", run.err);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		expect_picture(run.out, wanted[i]);
	/* nothing was moved to where it does not belong: as many elements as are written */
	ck_assert_uint_eq(count(run.out, "<svg"), count(html, "<svg"));
	ck_assert_uint_eq(count(run.out, "<path"), count(html, "<path"));
	ck_assert_uint_eq(count(run.out, "<td"), count(html, "<td"));
	expect_match(run.out, "</section>\n+</body></html>\n$");
	expect_match(run.out, "^<!DOCTYPE html>\n?<html lang=\"en\"><head>");
	ck_assert_ptr_nonnull(strstr(run.out, "<title>sockways: echo</title>"));
}
END_TEST

Suite *suite_versus_report(void)
{
	Suite *suite = suite_create("versus_report");
	TCase *tcase = add_case(suite, "page");

	tcase_add_unchecked_fixture(tcase, make_report, remove_report);
	tcase_add_test(tcase, the_link_has_the_json_without_blanks);
	tcase_add_test(tcase, the_tables_have_the_medians_of_the_json);
	tcase_add_loop_test(tcase, each_figure_has_a_picture, 0,
			    (int)(sizeof wanted / sizeof *wanted));
	tcase_add_test(tcase, the_page_needs_nothing_else);
	tcase_add_test(tcase, each_name_in_the_page_is_there_once);
	tcase_add_test(tcase, each_server_has_a_timeline_of_ten_clients);
	tcase_add_test(tcase, chromium_shows_the_page_without_an_error);
	return suite;
}
