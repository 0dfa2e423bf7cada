/*
 * The manual pages as their reader tries them: every example of every page is pasted into a
 * shell, and must print what the page says.
 *
 * An example is a block `.Bd -literal` in the section EXAMPLES; or in the section LABS, where
 * it belongs to the lab that its .Ss names; or anywhere in sockways-surprises(7), where each .Ss
 * is a question and the block is what shows the answer:
 *
 *	.\" figures vary		every number, with its unit, may be another
 *	.\" letters only		only the letters of a line count: the rest is a drawing
 *	.\" needs nc socat		skipped where these programs are missing; "zoo" is the
 *				folder of the broken servers, $ZOO, "root" the user,
 *				"glibc" the C library: the example shows what only it does,
 *				"Linux" its extensions in the programs, "1100-threads" no
 *				emulator, and /PATH a file.
 *				An example with a server of the model epoll needs that, too
 *	.\" takes long			run only with TEST_LAB=all
 *	.Bd -literal -offset indent
 *	$ echod-select -q &		a command
 *	$ printf 'one\en' |		a command that goes on in the next line:
 *	> dial -R localhost 7007
 *	one				what is printed, standard error included
 *	...				any lines, or none
 *	$ kill $!			whatever was started is ended again
 *	.Ed
 *
 * The messages of errors are those of glibc. With another C library its own are expected.
 *
 * A block without a command is text, and is not run. Each example runs in a directory of
 * its own, and where the kernel allows it in a network of its own (Linux: a network
 * namespace), so that the default ports are free. Then all of a page are pasted one behind
 * the other. Neither an example nor a page may leave a file or a process behind.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum {
	TEXT = 16 * 1024,
	NAME = 256,
	MOST_EXAMPLES = 512,
	MOST_LINES = 512,
	MOST_PROGRAMS = 256,
};

/* ---- examples -------------------------------------------------------------------------- */

/* Labs and questions may depend on pauses, and are not pasted one behind the other. */
enum kind { EXAMPLE, LAB, QUESTION, KINDS };

struct example {
	const char *page; /* "dial.1" */
	unsigned line;    /* of its .Bd */
	char title[NAME]; /* of its .Ss */
	bool figures_vary, letters_only, takes_long;
	enum kind kind;
	char needs[NAME];        /* programs, with blanks between them */
	char flaw[NAME];         /* why it cannot be run as it is written; "" */
	char *script, *expected; /* TEXT bytes each */
};

static struct example examples[MOST_EXAMPLES];
static size_t examples_count;
/* The labs and the questions among them, which are in one page each: from the first one up to, not
 * including, the end. */
static struct {
	size_t first, end;
} parts[KINDS];
static glob_t pages; /* paths of all pages */

static const char questions_page[] = "sockways-surprises.7";

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void flawed(struct example *example, const char *what, const char *line)
{
	if (example->flaw[0] == '\0')
		snprintf(example->flaw, sizeof example->flaw, "%s: %.180s", what, line);
}

static void append(struct example *example, char *to, const char *line)
{
	size_t length = strlen(to);

	if (length + strlen(line) + 2 > TEXT) {
		flawed(example, "it is too long", line);
		return;
	}
	snprintf(to + length, TEXT - length, "%s\n", line);
}

/* The line as it is shown. @return false if it has an escape that is not known here */
static bool undo_roff(const char *line, char shown[TEXT])
{
	static const struct {
		const char *escape, *shown;
	} known[] = {
		{ "\\e", "\\" },  { "\\&", "" },    { "\\-", "-" },
		{ "\\ ", " " },   { "\\(aq", "'" }, { "\\(dq", "\"" },
		{ "\\(ti", "~" }, { "\\(ha", "^" }, { "\\(ga", "`" },
	};
	size_t length = 0;

	while (*line != '\0' && length < TEXT - 1) {
		size_t i = 0;

		if (*line != '\\') {
			shown[length++] = *line++;
			continue;
		}
		while (i < sizeof known / sizeof *known &&
		       !begins_with(line, known[i].escape))
			i++;
		if (i == sizeof known / sizeof *known)
			return false;
		line += strlen(known[i].escape);
		if (known[i].shown[0] != '\0')
			shown[length++] = known[i].shown[0];
	}
	shown[length] = '\0';
	return true;
}

/* Whether a here-document has begun that has no last line yet. */
static bool has_open_document(const char *command)
{
	const char *begin = strstr(command, "<<'");
	char last[NAME];

	if (begin == NULL)
		return false;
	snprintf(last, sizeof last, "\n%.*s\n", (int)strcspn(begin + 3, "'"), begin + 3);
	return strstr(begin, last) == NULL;
}

/* Whether the shell waits for more: after a backslash, or in the middle of a construct. */
static bool is_unfinished(const char *command)
{
	size_t length = strlen(command);
	FILE *shell;

	if (length > 1 && command[length - 2] == '\\')
		return true;
	if (has_open_document(command)) /* which the shell would not mind */
		return true;
	fflush(NULL); /* or the shell has a copy of what we have not printed yet */
	shell = popen("sh -n 2>/dev/null", "w");
	if (shell == NULL)
		return false;
	fputs(command, shell);
	return pclose(shell) != 0;
}

/* Where the reader of a page is. */
struct reader {
	const char *page;
	unsigned line;
	bool in_examples;
	enum kind kind; /* of the examples in this section */
	char title[NAME];
	struct example *example; /* whose block this is; NULL outside of one */
	struct example next;     /* what the comments in front of the block say */
	size_t command;          /* where in the script the last command begins */
	bool in_command;         /* no output since */
};

static void begin_example(struct reader *reader)
{
	struct example *example = &examples[examples_count];

	if (examples_count == MOST_EXAMPLES)
		return;
	*example = reader->next;
	example->page = reader->page;
	example->line = reader->line;
	example->kind = reader->kind;
	memcpy(example->title, reader->title, sizeof example->title);
	example->script = calloc(1, TEXT);
	example->expected = calloc(1, TEXT);
	reader->in_command = false;
	if (example->script != NULL && example->expected != NULL)
		reader->example = example;
}

static void end_example(struct reader *reader)
{
	if (reader->example->script[0] != '\0') {
		if (parts[reader->kind].end == 0)
			parts[reader->kind].first = examples_count;
		parts[reader->kind].end = ++examples_count;
	} else { /* text */
		free(reader->example->script);
		free(reader->example->expected);
	}
	reader->example = NULL;
}

/* The messages of glibc that examples show and other C libraries word otherwise. */
static const struct {
	int error;
	const char *text;
} glibc_messages[] = {
	{ EADDRINUSE, "Address already in use" },
	{ EADDRNOTAVAIL, "Cannot assign requested address" },
	{ EDQUOT, "Disk quota exceeded" },
	{ EMFILE, "Too many open files" },
	{ EMSGSIZE, "Message too long" },
	{ ENOTCONN, "Transport endpoint is not connected" },
#ifdef ETOOMANYREFS
	{ ETOOMANYREFS, "Too many references: cannot splice" },
#endif
};

/* Replaces them by those of this C library. */
static void use_own_messages(char line[TEXT])
{
	for (size_t i = 0; i < sizeof glibc_messages / sizeof *glibc_messages; i++) {
		const char *text = glibc_messages[i].text;
		const char *found = strstr(line, text);
		char own[TEXT];

		if (found == NULL)
			continue;
		snprintf(own, sizeof own, "%.*s%s%s", (int)(found - line), line,
			 strerror(glibc_messages[i].error), found + strlen(text));
		memcpy(line, own, sizeof own);
	}
}

static void take_line(struct reader *reader, const char *line)
{
	struct example *example = reader->example;
	char shown[TEXT];

	if (line[0] == '.' || line[0] == '\'')
		flawed(example, "a request to roff within a block", line);
	if (!undo_roff(line, shown)) {
		flawed(example, "an escape sequence that the test does not know", line);
		return;
	}
	if (begins_with(shown, "$ ")) {
		reader->command = strlen(example->script);
		reader->in_command = true;
		append(example, example->script, shown + 2);
	} else if (begins_with(shown, "> ") && reader->in_command &&
		   is_unfinished(example->script + reader->command)) {
		append(example, example->script, shown + 2);
	} else {
		reader->in_command = false;
		use_own_messages(shown);
		append(example, example->expected, shown);
	}
}

static void take_comment(struct example *next, const char *comment)
{
	if (strcmp(comment, "figures vary") == 0)
		next->figures_vary = true;
	else if (strcmp(comment, "letters only") == 0)
		next->letters_only = true;
	else if (strcmp(comment, "takes long") == 0)
		next->takes_long = true;
	else if (begins_with(comment, "needs "))
		snprintf(next->needs, sizeof next->needs, "%s", comment + 6);
}

static void begin_section(struct reader *reader, const char *name)
{
	reader->kind = EXAMPLE;
	if (strcmp(name, "LABS") == 0)
		reader->kind = LAB;
	else if (strcmp(reader->page, questions_page) == 0)
		reader->kind = QUESTION;
	reader->in_examples = reader->kind != EXAMPLE || strcmp(name, "EXAMPLES") == 0;
	reader->title[0] = '\0';
}

static void read_line(struct reader *reader, const char *line)
{
	if (reader->example != NULL && strcmp(line, ".Ed") == 0)
		end_example(reader);
	else if (reader->example != NULL)
		take_line(reader, line);
	else if (begins_with(line, ".Sh "))
		begin_section(reader, line + 4);
	else if (begins_with(line, ".Ss "))
		snprintf(reader->title, sizeof reader->title, "%s", line + 4);
	else if (reader->in_examples && begins_with(line, ".Bd -literal"))
		begin_example(reader);
	if (begins_with(line, ".\\\" "))
		take_comment(&reader->next, line + 4);
	else
		reader->next = (struct example){ .line = 0 };
}

/* Hands every line of a file, without its newline, to take(). @return false: no such file */
static bool each_line(const char *path, void (*take)(void *context, const char *line),
		      void *context)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (file == NULL)
		return false;
	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		take(context, line);
	}
	free(line);
	fclose(file);
	return true;
}

static void take_page_line(void *context, const char *line)
{
	struct reader *reader = context;

	reader->line++;
	read_line(reader, line);
}

static void find_examples(void)
{
	char pattern[TEXT];

	if (pages.gl_pathc > 0)
		return;
	snprintf(pattern, sizeof pattern, "%s/man/*.[1-8]", source_folder());
	if (glob(pattern, 0, NULL, &pages) != 0)
		return;
	for (size_t i = 0; i < pages.gl_pathc; i++) {
		struct reader reader = { .page = base_name(pages.gl_pathv[i]) };

		each_line(pages.gl_pathv[i], take_page_line, &reader);
	}
}

/* ---- comparing ------------------------------------------------------------------------- */

/* The length of a number ("1,000", "0.25", "127.0.0.1") with its unit. */
static size_t figure_length(const char *text)
{
	static const char *const units[] = { "ns",  "us",   "ms",   "s",    "B",
					     "KiB", "MiB",  "GiB",  "kB",   "MB",
					     "GB",  "kB/s", "MB/s", "GB/s", "k" };
	size_t length = 0, blanks;

	while (isdigit((unsigned char)text[length]) ||
	       ((text[length] == '.' || text[length] == ',') &&
		isdigit((unsigned char)text[length + 1])))
		length++;
	blanks = strspn(text + length, " ");
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		const char *unit = text + length + blanks;

		if (begins_with(unit, units[i]) && unit[strlen(units[i])] != '/' &&
		    !isalnum((unsigned char)unit[strlen(units[i])]))
			return length + blanks + strlen(units[i]);
	}
	return length;
}

/* With # for each figure, no blanks around it, and one for any other run of blanks. Which
 * figure has the star that marks the best may vary with the figures. */
static void blur_figures(const char *line, char blurred[TEXT])
{
	size_t length = 0;

	while (*line != '\0' && length < TEXT - 2) {
		if (isdigit((unsigned char)*line)) {
			line += figure_length(line);
			while (length > 0 && blurred[length - 1] == ' ')
				length--;
			blurred[length++] = '#';
			line += *line == '*' ? 1 : 0;
			line += strspn(line, " ");
		} else if (*line == ' ') {
			blurred[length++] = ' ';
			line += strspn(line, " ");
		} else {
			blurred[length++] = *line++;
		}
	}
	while (length > 0 && blurred[length - 1] == ' ')
		length--;
	blurred[length] = '\0';
}

static void keep_letters(const char *line, char letters[TEXT])
{
	size_t length = 0;

	for (; *line != '\0' && length < TEXT - 1; line++) {
		if (isalpha((unsigned char)*line))
			letters[length++] = *line;
	}
	letters[length] = '\0';
}

/* How an output is compared with what the page shows. */
enum match { MATCH_ALL, MATCH_WORDS, MATCH_LETTERS };

static bool line_matches(const char *expected, const char *actual, enum match how)
{
	char wanted[TEXT], got[TEXT];

	if (how == MATCH_ALL)
		return strcmp(expected, actual) == 0;
	(how == MATCH_WORDS ? blur_figures : keep_letters)(expected, wanted);
	(how == MATCH_WORDS ? blur_figures : keep_letters)(actual, got);
	return strcmp(wanted, got) == 0;
}

static bool lines_match(char *const expected[], char *const actual[], enum match how)
{
	if (expected[0] == NULL)
		return actual[0] == NULL;
	if (strcmp(expected[0], "...") == 0)
		return lines_match(expected + 1, actual, how) ||
		       (actual[0] != NULL && lines_match(expected, actual + 1, how));
	return actual[0] != NULL && line_matches(expected[0], actual[0], how) &&
	       lines_match(expected + 1, actual + 1, how);
}

/* Cuts a text into its lines; the last line counts without a newline, too. */
static void split_lines(char *text, char *lines[MOST_LINES])
{
	size_t count = 0;

	while (*text != '\0' && count < MOST_LINES - 1) {
		lines[count++] = text;
		text += strcspn(text, "\n");
		if (*text != '\0')
			*text++ = '\0';
	}
	lines[count] = NULL;
}

static bool output_matches(const char *expected, const char *actual, enum match how)
{
	char *expected_copy = strdup(expected), *actual_copy = strdup(actual);
	char *expected_lines[MOST_LINES], *actual_lines[MOST_LINES];
	bool same;

	ck_assert_ptr_nonnull(expected_copy);
	ck_assert_ptr_nonnull(actual_copy);
	split_lines(expected_copy, expected_lines);
	split_lines(actual_copy, actual_lines);
	same = lines_match(expected_lines, actual_lines, how);
	free(expected_copy);
	free(actual_copy);
	return same;
}

/* ---- a network of its own -------------------------------------------------------------- */

/* Tried out by a child, for there is no way back. */
static bool can_have_own_network(void)
{
	pid_t child = fork();
	int status = -1;

	ck_assert_msg(child >= 0, "cannot fork: %s", strerror(errno));
	if (child == 0)
		_exit(network_enter_own() ? 0 : 1);
	harness_own_child(child);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

/* Without a network of its own an example uses the ports of this host. Several suites run examples: one
 * at a time does so. TMPDIR is the folder of the whole run (tests/main.c).
 * @return for release_ports(); -1: the network is its own */
static int wait_for_ports(bool own_network)
{
	const char *folder = getenv("TMPDIR");
	char path[TEXT];
	int fd;

	if (own_network)
		return -1;
	snprintf(path, sizeof path, "%s/ports", folder != NULL ? folder : "/tmp");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

static void release_ports(int ports)
{
	if (ports >= 0)
		close(ports);
}

/* Whether a number in the commands is a port of this host that somebody listens on. */
static bool finds_port_taken(const struct example *example, char port[NAME])
{
	const char *at = example->script;

	while (*(at += strcspn(at, "0123456789")) != '\0') {
		size_t length = strspn(at, "0123456789");
		struct sock_place place = { "127.0.0.1", port, SOCK_STREAM, 1 };
		struct failure failure;
		uint64_t number;
		int fd;

		snprintf(port, NAME, "%.*s", (int)length, at);
		at += length;
		if (!text_number(port, 1024, UINT16_MAX, &number))
			continue;
		fd = sock_listen(&place, &failure);
		if (fd < 0)
			return true;
		close(fd);
	}
	return false;
}

/* ---- running --------------------------------------------------------------------------- */

static void bin_path(const char *name, char path[TEXT])
{
	snprintf(path, TEXT, "%s/%s", getenv("SOCKWAYS_BIN"), name);
}

#ifdef __GLIBC__
enum { HAS_GLIBC = true };
#else
enum { HAS_GLIBC = false };
#endif

/* "zoo" is not a program, and a program of the zoo must not be found in place of one of the
 * system: there is a `cat`. */
static bool is_there(const char *needed)
{
	char path[TEXT], found[TOOL_TEXT];

	if (strcmp(needed, "root") == 0)
		return geteuid() == 0;
	if (strcmp(needed, "glibc") == 0)
		return HAS_GLIBC;
	if (strcmp(needed, "1100-threads") == 0)
		return !EMULATED;
	if (strcmp(needed, "Linux") == 0)
		return programs_use_linux();
	if (needed[0] == '/')
		return access(needed, R_OK) == 0;
	bin_path(strcmp(needed, "zoo") == 0 ? "zoo/deer" : needed, path);
	return access(path, X_OK) == 0 || find_program(needed, found) != NULL;
}

/* @return whether it is not run; the reason is in @p reason then */
static bool is_skipped(const struct example *example, bool own_network, char reason[NAME])
{
	char needs[NAME], port[NAME], *rest = needs, *program;

	memcpy(needs, example->needs, sizeof needs);
	reason[0] = '\0';
	if (SANITIZED &&
	    strstr(needs, "strace") != NULL) /* LeakSanitizer traces itself */
		snprintf(reason, NAME, "needs a build without sanitizers");
	while (reason[0] == '\0' && (program = strtok_r(rest, " ", &rest)) != NULL) {
		if (!is_there(program))
			snprintf(reason, NAME, "needs %.200s", program);
	}
	if (reason[0] == '\0' && !programs_use_linux() &&
	    strstr(example->script, "epoll") != NULL)
		snprintf(reason, NAME, "needs epoll");
	if (reason[0] == '\0' && example->takes_long && !lab_is_wanted())
		snprintf(reason, NAME, "needs TEST_LAB=all");
	if (reason[0] == '\0' && !own_network && finds_port_taken(example, port))
		snprintf(reason, NAME, "needs port %.20s of this host, which is in use",
			 port);
	return reason[0] != '\0';
}

/* `make facts` prints a line for each question. Its title is "QUESTION?\&", with the quotes.
 * @return whether this has been done */
static bool is_reported(const struct example *example, const char *result)
{
	const char *title = example->title + (example->title[0] == '"');

	if (getenv("TEST_FACTS") == NULL || example->kind != QUESTION)
		return false;
	printf("sockways-surprises(7): %.*s: %s\n", (int)strcspn(title, "\\\""), title,
	       result);
	fflush(stdout);
	return true;
}

static void report_skip(const struct example *example, const char *reason)
{
	char result[2 * NAME];

	snprintf(result, sizeof result, "skipped: %s", reason);
	if (!is_reported(example, result))
		skipped(reason);
}

struct place {
	char folder[FOLDER_TEXT];
	bool own_network;
};

/* In the child that becomes the shell. */
static void go_to_place(void *context)
{
	const struct place *place = context;
	const char *path = getenv("PATH");
	char longer[TEXT];

	setpgid(0, 0);
	dup2(STDOUT_FILENO, STDERR_FILENO); /* one pipe: both in their order */
	snprintf(longer, sizeof longer, "%s:%s/tests/kernel:%s", getenv("SOCKWAYS_BIN"),
		 source_folder(), path != NULL ? path : "/usr/bin:/bin");
	setenv("PATH", longer, 1);
	setenv("LC_ALL", "C", 1);
	bin_path("zoo", longer);
	setenv("ZOO", longer, 1);
	setenv("SOCKWAYS", source_folder(), 1);
	if (chdir(place->folder) < 0 || (place->own_network && !network_enter_own()))
		_exit(126);
}

/* Collects what is printed until nobody is left who could print.
 * @return false if that takes longer than @p longest milliseconds */
static bool collect_output(int fd, int64_t longest, char output[TEXT])
{
	int64_t end = clock_milliseconds() + longest;
	size_t length = 0;
	ssize_t n = 1;

	while (n > 0 && length < TEXT - 1) {
		int64_t left = end - clock_milliseconds();

		if (left <= 0 || io_wait(fd, POLLIN, left) <= 0)
			break;
		n = io_read(fd, output + length, TEXT - 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	output[length] = '\0';
	for (char *nul = output; (nul = memchr(nul, '\0', length)) != NULL;) {
		if (nul >= output + length)
			break;
		*nul = '?';
	}
	return n <= 0;
}

/* What came of pasting. */
struct outcome {
	bool ended;       /* the shell, and all that could still print */
	bool processes;   /* some are left that it has started */
	char files[NAME]; /* the names of those that are left */
	char output[TEXT];
};

/* Whether there is nobody in a group of processes. The orphans in it are our children. */
static bool group_is_empty(void *context)
{
	const pid_t *group = context;

	while (waitpid(-*group, NULL, WNOHANG) > 0)
		;
	return kill(-*group, 0) < 0 && errno == ESRCH;
}

static void list_files(const char *folder, char names[NAME])
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;

	names[0] = '\0';
	ck_assert_msg(directory != NULL, "%s: %s", folder, strerror(errno));
	while ((entry = readdir(directory)) != NULL) {
		size_t length = strlen(names);

		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			snprintf(names + length, NAME - length, " %s", entry->d_name);
	}
	closedir(directory);
}

/* Removes the lines that contain a text. They depend on the user and the kernel, so the pages show
 * them only where they are explained. */
static void remove_lines(char *output, const char *text)
{
	char *found;

	while ((found = strstr(output, text)) != NULL) {
		char *line = found, *end = strchr(found, '\n');

		while (line > output && line[-1] != '\n')
			line--;
		if (end == NULL) {
			*line = '\0';
			return;
		}
		memmove(line, end + 1, strlen(end + 1) + 1);
	}
}

/* Pastes commands into a shell, which is in an empty folder. */
static void paste(const char *script, bool own_network, int64_t longest,
		  struct outcome *outcome)
{
	struct place place = { .own_network = own_network };
	struct run_setup setup = {
		.argv = ARGUMENTS("/bin/sh"),
		.prepare = go_to_place,
		.context = &place,
	};
	struct program shell;
	pid_t group;

	folder_create_path(place.folder, "example");
	shell = program_start(&setup);
	group = shell.pid;
	io_write(shell.in, script, strlen(script));
	io_write(shell.in, "wait\n", 5);
	program_end_input(&shell);
	outcome->ended = collect_output(shell.out, longest, outcome->output);
	remove_lines(outcome->output, ROOT_LINE);
	remove_lines(outcome->output, ": sandbox: ");
	remove_lines(outcome->output, ": no sandbox");
	remove_lines(outcome->output, ": echod-uring did not start: ");
	if (!outcome->ended)
		kill(-group, SIGKILL);
	program_wait(&shell, WAIT_MS);
	outcome->processes = !eventually(group_is_empty, &group, WAIT_MS);
	kill(-group, SIGKILL);
	list_files(place.folder, outcome->files);
	folder_remove_path(place.folder);
}

/* Whether it printed what the page says. */
static bool is_as_said(const struct example *example, const struct outcome *outcome)
{
	enum match how = example->letters_only   ? MATCH_LETTERS
			 : example->figures_vary ? MATCH_WORDS
						 : MATCH_ALL;

	return outcome->ended && output_matches(example->expected, outcome->output, how);
}

/* Fails the test unless it printed what the page says, and left nothing behind. Check cuts a message
 * off at 8 KiB (BUFSIZ): each part has a limit, so that all parts are seen. */
static void expect_outcome(const struct example *example, const struct outcome *outcome)
{
	ck_assert_msg(outcome->ended,
		      "%s:%u: %s: there still runs what this example started\n"
		      "---- commands ----\n%.3000s---- actual ----\n%.3000s",
		      example->page, example->line, example->title, example->script,
		      outcome->output);
	ck_assert_msg(is_as_said(example, outcome),
		      "%s:%u: %s: the page shows another output\n"
		      "---- commands ----\n%.2000s---- expected ----\n%.2000s---- actual "
		      "----\n%.3000s",
		      example->page, example->line, example->title, example->script,
		      example->expected, outcome->output);
	ck_assert_msg(!outcome->processes, "%s:%u: %s: it leaves processes behind\n%s",
		      example->page, example->line, example->title, example->script);
	ck_assert_msg(outcome->files[0] == '\0',
		      "%s:%u: %s: it leaves files behind:%s\n%s", example->page,
		      example->line, example->title, outcome->files, example->script);
}

START_TEST(an_example_prints_what_its_page_says_and_leaves_nothing)
{
	const struct example *example = &examples[_i];
	bool own_network = can_have_own_network();
	int ports = wait_for_ports(own_network);
	struct outcome outcome;
	char reason[NAME];

	ck_assert_msg(example->flaw[0] == '\0', "%s:%u: %s", example->page, example->line,
		      example->flaw);
	if (is_skipped(example, own_network, reason)) {
		report_skip(example, reason);
		release_ports(ports);
		return;
	}
	paste(example->script, own_network, LONG_WAIT_MS, &outcome);
	/* its order may depend on pauses, which a busy machine makes too short; one that does not
	 * end is tried once more only: the test has a limit of time, too */
	for (int again = 0; again < (outcome.ended ? 2 : 1) && example->kind != EXAMPLE &&
			    !is_as_said(example, &outcome);
	     again++)
		paste(example->script, own_network, LONG_WAIT_MS, &outcome);
	release_ports(ports);
	is_reported(example, is_as_said(example, &outcome) ? "as described" : "DIFFERS");
	expect_outcome(example, &outcome);
}
END_TEST

/* Takes the example into another one, behind what that has. */
static void join_example(struct example *whole, const struct example *example)
{
	const struct {
		char *to;
		const char *from;
	} texts[] = {
		{ whole->script, example->script },
		{ whole->expected, example->expected },
	};

	if (whole->line == 0)
		whole->line = example->line;
	whole->figures_vary = whole->figures_vary || example->figures_vary;
	whole->letters_only = whole->letters_only || example->letters_only;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t length = strlen(texts[i].to);

		ck_assert_uint_lt(length + strlen(texts[i].from), TEXT);
		memcpy(texts[i].to + length, texts[i].from, strlen(texts[i].from) + 1);
	}
}

/* As a reader does who tries them all: no server may meet the one before, which has the
 * port still, and no file is in the way of the next example. */
START_TEST(the_examples_of_a_page_can_be_pasted_one_behind_the_other)
{
	static char script[TEXT], expected[TEXT];
	struct example whole = {
		.page = base_name(pages.gl_pathv[_i]),
		.script = script,
		.expected = expected,
	};
	bool own_network = can_have_own_network();
	struct outcome outcome;
	char reason[NAME];
	int ports;

	if (SANITIZED) /* the same has just been run, one by one */
		return;
	ports = wait_for_ports(own_network);
	for (size_t i = 0; i < examples_count; i++) {
		if (strcmp(examples[i].page, whole.page) != 0 ||
		    examples[i].kind != EXAMPLE)
			continue;
		if (!is_skipped(&examples[i], own_network, reason))
			join_example(&whole, &examples[i]);
		else
			skipped(reason);
	}
	paste(whole.script, own_network, 2 * LONG_WAIT_MS, &outcome);
	release_ports(ports);
	expect_outcome(&whole, &outcome);
}
END_TEST

START_TEST(figures_may_vary_but_words_may_not)
{
	const enum match all = MATCH_ALL, words = MATCH_WORDS;

	ck_assert(output_matches("p50  177.7 us\n", "p50    5.92 ms\n", words));
	ck_assert(output_matches("from 127.0.0.1:53412 in 21 ms\n",
				 "from 127.0.0.1:5 in 2.137 s\n", words));
	ck_assert(output_matches("fork 34.5*  1 of 2\n", "fork   72  1 of 2\n", words));
	ck_assert(!output_matches("p50 1 us\n", "p50 2 us\n", all));
	ck_assert(!output_matches("rate 1 /s\n", "ratio 1 /s\n", words));
	ck_assert(!output_matches("errors 1 reset\n", "errors none\n", words));
}
END_TEST

START_TEST(of_a_drawing_only_the_letters_count)
{
	const enum match letters = MATCH_LETTERS;

	ck_assert(output_matches("pool 1  -..+\n", "pool 2  --...+\n", letters));
	ck_assert(!output_matches("pool 1  -..+\n", "pool 1 a\n", letters));
	ck_assert(!output_matches("-..+\n--\n", "-..+\n", letters));
}
END_TEST

START_TEST(three_dots_stand_for_any_lines)
{
	const enum match all = MATCH_ALL;

	ck_assert(output_matches("a\n...\nz\n", "a\nb\nc\nz\n", all));
	ck_assert(output_matches("a\n...\nz\n", "a\nz\n", all));
	ck_assert(output_matches("...\n", "", all));
	ck_assert(!output_matches("a\n...\nz\n", "a\nb\n", all));
	ck_assert(!output_matches("a\n", "a\nb\n", all));
	ck_assert(!output_matches("a\nb\n", "a\n", all));
}
END_TEST

/* ---- pages ----------------------------------------------------------------------------- */

START_TEST(every_page_has_examples)
{
	ck_assert_msg(pages.gl_pathc > 0, "there are no pages in %s/man",
		      source_folder());
	ck_assert_msg(examples_count < MOST_EXAMPLES, "more than %d examples",
		      MOST_EXAMPLES);
	for (size_t i = 0; i < pages.gl_pathc; i++) {
		const char *page = base_name(pages.gl_pathv[i]);
		size_t own = 0;

		for (size_t j = 0; j < examples_count; j++)
			own += strcmp(examples[j].page, page) == 0;
		ck_assert_msg(own > 0, "%s has no examples", page);
	}
}
END_TEST

/* A list of the Makefile: "NAME = word word". */
struct makefile_list {
	const char *name;
	char words[TEXT];
};

static void take_makefile_line(void *context, const char *line)
{
	struct makefile_list *list = context;
	size_t length = strlen(list->name);

	if (begins_with(line, list->name) &&
	    line[length + strspn(line + length, " ")] == '=')
		snprintf(list->words, sizeof list->words, "%s", strchr(line, '=') + 1);
}

static char *makefile_words(const char *name, struct makefile_list *list)
{
	char path[TEXT];

	*list = (struct makefile_list){ .name = name };
	snprintf(path, sizeof path, "%s/Makefile", source_folder());
	each_line(path, take_makefile_line, list);
	ck_assert_msg(list->words[strspn(list->words, " ")] != '\0', "%s has no list %s",
		      path, name);
	return list->words;
}

/* A program and the page that it should have. */
struct program_page {
	char program[NAME], page[NAME];
};

static struct program_page program_pages[MOST_PROGRAMS];
static size_t program_pages_count;

static void expect_page(const char *program, const char *model, const char *page,
			const char *section)
{
	struct program_page *expected = &program_pages[program_pages_count++];

	ck_assert_uint_lt(program_pages_count, MOST_PROGRAMS);
	snprintf(expected->program, NAME, "%s%s", program, model);
	snprintf(expected->page, NAME, "%s.%s", page, section);
}

static void list_programs(void)
{
	struct makefile_list services, models, clients;
	char *rest = makefile_words("SERVICES", &services), *word, service[NAME];

	program_pages_count = 0;
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		char *models_rest = makefile_words("MODELS", &models), *model;

		snprintf(service, sizeof service, "%sd", word);
		while ((model = strtok_r(models_rest, " ", &models_rest)) != NULL) {
			char ending[NAME];

			snprintf(ending, sizeof ending, "-%s", model);
			expect_page(service, ending, service, "8");
		}
	}
	rest = makefile_words("CLIENTS", &clients);
	while ((word = strtok_r(rest, " ", &rest)) != NULL)
		expect_page(word, "", word, "1");
}

/* A page is searched for a word between two others than letters. */
struct search {
	const char *wanted;
	bool only_name; /* only in the section NAME, after .Nm */
	bool in_name, found;
};

static bool has_word(const char *line, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = line; (at = strstr(at, word)) != NULL; at++) {
		char before = at > line ? at[-1] : ' ', after = at[length];

		if (strchr(" \t\\", before) != NULL && strchr(" \t,", after) != NULL)
			return true; /* the end of the line is found by strchr(), too */
	}
	return false;
}

static void search_line(void *context, const char *line)
{
	struct search *search = context;

	if (begins_with(line, ".Sh "))
		search->in_name = strcmp(line, ".Sh NAME") == 0;
	if (search->only_name && (!search->in_name || !begins_with(line, ".Nm ")))
		return;
	if (has_word(line, search->wanted))
		search->found = true;
}

static bool page_has(const char *page, const char *word, bool only_name)
{
	struct search search = { .wanted = word, .only_name = only_name };
	char path[TEXT];

	snprintf(path, sizeof path, "%s/man/%s", source_folder(), page);
	ck_assert_msg(each_line(path, search_line, &search), "there is no man/%s", page);
	return search.found;
}

/* The page of a server is that of its service; the models are in one page. */
START_TEST(every_program_has_a_page_that_names_it)
{
	struct makefile_list models;
	char *rest = makefile_words("MODELS", &models), *model;

	list_programs();
	for (size_t i = 0; i < program_pages_count; i++) {
		const struct program_page *expected = &program_pages[i];
		char name[NAME];

		snprintf(name, sizeof name, "%.*s", (int)strcspn(expected->program, "-"),
			 expected->program);
		ck_assert_msg(page_has(expected->page, name, true),
			      "man/%s does not have %s in its NAME", expected->page,
			      name);
	}
	while ((model = strtok_r(rest, " ", &rest)) != NULL)
		ck_assert_msg(page_has("sockways.7", model, false),
			      "man/sockways.7 does not have the model %s", model);
}
END_TEST

/* The long options that a program's own help lists, and its page does not have. The options of a
 * model are in sockways.7, with the model. */
static void find_unexplained(const struct program_page *pair, const char *help)
{
	while ((help = strstr(help, "--")) != NULL) {
		size_t length = strcspn(help += 2, " ,\n");
		char option[NAME];

		snprintf(option, sizeof option, "-%.*s", (int)length, help);
		if (isalpha((unsigned char)help[0]))
			ck_assert_msg(page_has(pair->page, option, false) ||
					      page_has("sockways.7", option, false),
				      "man/%s does not have the option -%s of %s",
				      pair->page, option, pair->program);
	}
}

START_TEST(every_option_is_in_the_page)
{
	list_programs();
	for (size_t i = 0; i < program_pages_count; i++) {
		struct run run = run_program(ARGUMENTS(program_pages[i].program, "-h"),
					     "", 0, WAIT_MS);

		ck_assert_int_eq(run_exit_status(&run), 0);
		find_unexplained(&program_pages[i], run.out);
	}
}
END_TEST

START_TEST(the_help_of_every_program_fits_into_80_columns)
{
	list_programs();
	for (size_t i = 0; i < program_pages_count; i++) {
		struct run run = run_program(ARGUMENTS(program_pages[i].program, "-h"),
					     "", 0, WAIT_MS);
		size_t length;

		for (const char *line = run.out; *line != '\0'; line += length + 1) {
			length = strcspn(line, "\n");
			ck_assert_msg(length <= 80, "%s -h: %.*s",
				      program_pages[i].program, (int)length, line);
		}
	}
}
END_TEST

/* Whether mdoc(7) takes a word of a title for a macro, and so prints something else: of
 * ".Ss In a pipe" there remains "<a> pipe". A "\&" in front of the word helps. */
static bool is_macro(const char *word)
{
	static const char *const macros[] = {
		"%A", "%B", "%C", "%D", "%I", "%J", "%N", "%O",  "%P",  "%Q",  "%R",
		"%T", "%U", "%V", "Ac", "Ad", "An", "Ao", "Ap",  "Aq",  "Ar",  "At",
		"Bc", "Bd", "Bf", "Bk", "Bl", "Bo", "Bq", "Brc", "Bro", "Brq", "Bsx",
		"Bt", "Bx", "Cd", "Cm", "Db", "Dc", "Dd", "Dl",  "Do",  "Dq",  "Dt",
		"Dv", "Dx", "D1", "Ec", "Ed", "Ef", "Ek", "El",  "Em",  "En",  "Eo",
		"Er", "Es", "Ev", "Ex", "Fa", "Fc", "Fd", "Fl",  "Fn",  "Fo",  "Fr",
		"Ft", "Fx", "Hf", "Ic", "In", "It", "Lb", "Li",  "Lk",  "Lp",  "Ms",
		"Mt", "Nd", "Nm", "No", "Ns", "Nx", "Oc", "Oo",  "Op",  "Os",  "Ot",
		"Ox", "Pa", "Pc", "Pf", "Po", "Pp", "Pq", "Qc",  "Ql",  "Qo",  "Qq",
		"Re", "Rs", "Rv", "Sc", "Sh", "Sm", "So", "Sq",  "Ss",  "St",  "Sx",
		"Sy", "Ta", "Tg", "Tn", "Ud", "Ux", "Va", "Vt",  "Xc",  "Xo",  "Xr",
	};

	for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
		if (strcmp(word, macros[i]) == 0)
			return true;
	}
	return false;
}

static void check_title(void *context, const char *line)
{
	const char *path = context;
	char copy[TEXT], *rest = copy, *word;

	if (!begins_with(line, ".Sh ") && !begins_with(line, ".Ss "))
		return;
	snprintf(copy, sizeof copy, "%s", line + 4);
	while ((word = strtok_r(rest, " \"", &rest)) != NULL)
		ck_assert_msg(!is_macro(word), "%s: '%s': %s is a macro", path, line,
			      word);
}

START_TEST(no_word_of_a_title_is_a_macro)
{
	for (size_t i = 0; i < pages.gl_pathc; i++) {
		char *path = pages.gl_pathv[i];

		ck_assert(each_line(path, check_title, path));
	}
}
END_TEST

/* The text of a section, joined by blanks, without the lines that are macros. */
struct section {
	const char *title;
	bool inside;
	char text[TEXT];
};

static void take_section_line(void *context, const char *line)
{
	struct section *section = context;
	size_t length = strlen(section->text);

	if (begins_with(line, ".S"))
		section->inside = strcmp(line, section->title) == 0;
	else if (section->inside && line[0] != '.')
		snprintf(section->text + length, TEXT - length, " %s", line);
}

/* GIVEN the section of sockways(7) that refers to questions
   THEN each is a question of sockways-surprises(7), in the same words: without them, nothing of the
   section has a question mark. */
START_TEST(the_questions_that_sockways_refers_to_exist)
{
	static struct section section = { .title = ".Ss Surprises" };
	char path[TEXT];

	snprintf(path, sizeof path, "%s/man/sockways.7", source_folder());
	ck_assert(each_line(path, take_section_line, &section));
	ck_assert_ptr_nonnull(strchr(section.text, '?'));
	for (size_t i = parts[QUESTION].first; i < parts[QUESTION].end; i++) {
		char title[NAME], *at;

		snprintf(title, sizeof title, "%.*s",
			 (int)strcspn(examples[i].title + 1, "\\\""),
			 examples[i].title + 1);
		at = strstr(section.text, title);
		if (at != NULL)
			memset(at, ' ', strlen(title));
	}
	ck_assert_msg(strchr(section.text, '?') == NULL, "sockways.7 asks:%s",
		      section.text);
}
END_TEST

enum { MANDOC_FAILED = 5 }; /* up to then mandoc(1)'s status tells how bad the page is */

/* That a page is not installed here is no fault of the page that refers to it. */
static void take_complaints(char *report, char complaints[TEXT])
{
	char *lines[MOST_LINES];

	split_lines(report, lines);
	for (size_t i = 0; lines[i] != NULL; i++) {
		size_t length = strlen(complaints);

		if (strstr(lines[i], "referenced manual not found") == NULL)
			snprintf(complaints + length, TEXT - length, "%s\n", lines[i]);
	}
}

START_TEST(mandoc_has_nothing_to_say_against_a_page)
{
	char mandoc[TOOL_TEXT];

	if (needed_program("mandoc", mandoc) == NULL)
		return;
	for (size_t i = 0; i < pages.gl_pathc; i++) {
		struct run run = run_program(
			ARGUMENTS(mandoc, "-T", "lint", "-W", "style", pages.gl_pathv[i]),
			"", 0, WAIT_MS);
		char complaints[TEXT] = "";

		take_complaints(run.out, complaints);
		ck_assert_msg(complaints[0] == '\0', "%s", complaints);
		ck_assert_msg(run_exit_status(&run) < MANDOC_FAILED, "%s", run.err);
	}
}
END_TEST

static void add_examples(TCase *running, size_t first, size_t end)
{
	tcase_add_loop_test(running,
			    an_example_prints_what_its_page_says_and_leaves_nothing,
			    (int)first, (int)end);
}

Suite *suite_examples(void)
{
	Suite *suite = suite_create("examples");
	TCase *running = tcase_create("running");
	TCase *reading = tcase_create("reading");

	find_examples();
	suite_add_tcase(suite, reading);
	tcase_add_test(reading, figures_may_vary_but_words_may_not);
	tcase_add_test(reading, of_a_drawing_only_the_letters_count);
	tcase_add_test(reading, three_dots_stand_for_any_lines);
	tcase_add_test(reading, every_page_has_examples);
	tcase_add_test(reading, every_program_has_a_page_that_names_it);
	tcase_add_test(reading, every_option_is_in_the_page);
	tcase_add_test(reading, the_help_of_every_program_fits_into_80_columns);
	tcase_add_test(reading, no_word_of_a_title_is_a_macro);
	tcase_add_test(reading, the_questions_that_sockways_refers_to_exist);
	tcase_add_test(reading, mandoc_has_nothing_to_say_against_a_page);
	suite_add_tcase(suite, running);
	add_examples(running, 0, parts[LAB].first);
	add_examples(running, parts[LAB].end, parts[QUESTION].first);
	add_examples(running, parts[QUESTION].end, examples_count);
	return suite;
}

/* The commands of one page. One that fails is named by its title. */
static Suite *suite_of_part(const char *name, enum kind kind)
{
	Suite *suite = suite_create(name);
	TCase *running = tcase_create("running");

	find_examples();
	suite_add_tcase(suite, running);
	add_examples(running, parts[kind].first, parts[kind].end);
	return suite;
}

/* The labs of sockways-labs(7). */
Suite *suite_labs(void)
{
	return suite_of_part("labs", LAB);
}

/* The questions of sockways-surprises(7). */
Suite *suite_surprises(void)
{
	return suite_of_part("surprises", QUESTION);
}

Suite *suite_pasted_examples(void)
{
	Suite *suite = suite_create("pasted_examples");
	TCase *pasting = tcase_create("pasting");

	find_examples();
	suite_add_tcase(suite, pasting);
	tcase_set_timeout(pasting, 3 * TEST_SECONDS);
	tcase_add_loop_test(pasting,
			    the_examples_of_a_page_can_be_pasted_one_behind_the_other, 0,
			    (int)pages.gl_pathc);
	return suite;
}
