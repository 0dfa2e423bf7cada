/*
 * fixture - what a service needs to be compared: its options, and a temporary folder of
 * files.
 *
 * The folder must be removed even if versus is killed. So a child process, the keeper,
 * creates it and waits for the end of file of a pipe that only versus holds open. The
 * kernel closes the pipe whenever versus ends. It costs one process.
 */
#include "client/versus/fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/load/bytes.h"
#include "common/io.h"

/* The needs of a service beyond its default options. */
struct fixture_needs {
	const char *service;
	bool quiet;  /* -q: otherwise it logs a line per reply */
	bool folder; /* -r in all loads: clients upload files to the folder */
	const char *options[FIXTURE_OPTIONS - 3]; /* other options, terminated by NULL */
	const char *reply; /* default reply; NULL: as the protocol says */
	unsigned files;    /* loads in which it serves a folder, by -r: bits 1 << kind */
};

static const struct fixture_needs http = {
	.service = "http",
	.quiet = true,
	.reply = "Hello, World!",
	.files = 1U << LOAD_BULK,
};

/* Without limits: the load sends as fast as it can, which is no misuse here. */
static const struct fixture_needs chat = {
	.service = "chat",
	.quiet = true,
	.options = { "-R", "0", "-B", "64M" },
};

/* The server is measured, not the disk: nothing waits for fsync(2). */
static const struct fixture_needs file = {
	.service = "file",
	.quiet = true,
	.folder = true,
	.options = { "--replace", "--no-sync" },
};

static const struct fixture_needs nothing = { 0 };

static const struct fixture_needs *const services_with_needs[] = { &http, &chat, &file };

/* The file in the folder, and its path in requests. */
#define FILE_PATH "/letters.txt"

/* The first report of the keeper. */
struct keeper_report {
	int error;
	char folder[FIXTURE_PATH];
};

static const struct fixture_needs *find(const char *service)
{
	for (size_t i = 0; i < sizeof services_with_needs / sizeof *services_with_needs;
	     i++)
		if (strcmp(services_with_needs[i]->service, service) == 0)
			return services_with_needs[i];
	return &nothing;
}

static bool serves_file(const struct fixture_needs *needs, enum load_kind kind)
{
	return needs->files & 1U << kind;
}

bool fixture_has_file(const char *service, enum load_kind kind)
{
	return serves_file(find(service), kind);
}

/* ---- the folder -------------------------------------------------------------------------- */

/* Removes the contents of the open folder, and closes it. Clients may have uploaded
 * files into folders a few levels deep. */
static void empty_folder(int fd)
{
	DIR *stream = fdopendir(fd);
	const struct dirent *entry;

	if (stream == NULL) {
		close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		const char *name = entry->d_name;
		int below;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    unlinkat(fd, name, 0) == 0)
			continue;
		below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			empty_folder(below);
		unlinkat(fd, name, AT_REMOVEDIR);
	}
	closedir(stream);
}

static void remove_folder(const struct fixture *fixture)
{
	int fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		empty_folder(fd);
	rmdir(fixture->folder);
}

/* Creates the folder and sets its name. @return 0, or -1 with errno */
static int make_folder(struct fixture *fixture)
{
	const char *where = getenv("TMPDIR");
	int n = snprintf(fixture->folder, sizeof fixture->folder, "%s/versus.XXXXXX",
			 where != NULL && *where != '\0' ? where : "/tmp");

	if (n > 0 && (size_t)n < sizeof fixture->folder)
		return mkdtemp(fixture->folder) != NULL ? 0 : -1;
	errno = ENAMETOOLONG;
	return -1;
}

/* In the child, without signals of the terminal. Creates the folder, reports its
 * name or the errno, and waits until the write end of guard is closed everywhere.
 * That is when versus has ended; the servers do not inherit it. */
static _Noreturn void keep(struct fixture *fixture, int report_fd, int guard)
{
	struct keeper_report report = { 0 };
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	report.error = make_folder(fixture) < 0 ? errno : 0;
	memcpy(report.folder, fixture->folder, sizeof report.folder);
	io_write(report_fd, &report, sizeof report);
	close(report_fd);
	while (report.error == 0 && io_read(guard, &byte, 1) > 0)
		;
	if (report.error == 0)
		remove_folder(fixture);
	_exit(0);
}

/* Reads the report of the keeper. @return 0, or -1 with errno */
static int read_report(struct fixture *fixture, int report_fd)
{
	struct keeper_report report;

	if (io_read_all(report_fd, &report, sizeof report) != sizeof report) {
		errno = ECHILD; /* the keeper was killed */
		return -1;
	}
	memcpy(fixture->folder, report.folder, sizeof fixture->folder);
	errno = report.error;
	return report.error == 0 ? 0 : -1;
}

static int open_pipe(int ends[2])
{
	if (pipe(ends) < 0)
		return -1;
	io_set_close_on_exec(ends[0]);
	io_set_close_on_exec(ends[1]);
	return 0;
}

static void close_pipe(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* Starts the keeper, which creates the folder itself: so the folder never exists
 * without a process that removes it.
 * @return 0, or -1 with errno */
static int start_keeper(struct fixture *fixture)
{
	int report_fd[2], guard[2], result;

	if (open_pipe(report_fd) < 0)
		return -1;
	if (open_pipe(guard) < 0) {
		close_pipe(report_fd);
		return -1;
	}
	fixture->keeper = fork();
	if (fixture->keeper == 0) {
		close(report_fd[0]);
		close(guard[1]);
		keep(fixture, report_fd[1], guard[0]);
	}
	close(report_fd[1]);
	close(guard[0]);
	fixture->guard = guard[1];
	result = fixture->keeper < 0 ? -1 : read_report(fixture, report_fd[0]);
	close(report_fd[0]);
	return result;
}

static int write_file(const struct fixture *fixture)
{
	char path[FIXTURE_PATH + sizeof FILE_PATH];
	bool whole;
	int fd;

	snprintf(path, sizeof path, "%s" FILE_PATH, fixture->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	whole = io_write(fd, fixture->text, fixture->size) == (ssize_t)fixture->size;
	return close(fd) == 0 && whole ? 0 : -1;
}

static int open_folder(struct fixture *fixture, struct failure *failure)
{
	if (start_keeper(fixture) == 0)
		return 0;
	return failure_set(failure, "cannot create the directory %s: %s", fixture->folder,
			   strerror(errno));
}

static int make_file(struct fixture *fixture, struct failure *failure)
{
	fixture->text = malloc(fixture->size + 1);
	if (fixture->text == NULL)
		return failure_set(failure, "not enough memory for a file of %zu bytes",
				   fixture->size);
	load_letters(fixture->text, fixture->size);
	fixture->text[fixture->size] = '\0';
	if (open_folder(fixture, failure) < 0)
		return -1;
	if (write_file(fixture) < 0)
		return failure_set(failure, "cannot write a file in %s: %s",
				   fixture->folder, strerror(errno));
	return 0;
}

int fixture_prepare(struct fixture *fixture, const char *service, size_t size,
		    struct failure *failure)
{
	*fixture = (struct fixture){ .needs = find(service), .guard = -1, .size = size };
	if (size > 0 ? make_file(fixture, failure) == 0
		     : !fixture->needs->folder || open_folder(fixture, failure) == 0)
		return 0;
	fixture_remove(fixture);
	return -1;
}

void fixture_remove(struct fixture *fixture)
{
	if (fixture->guard >= 0)
		close(fixture->guard);
	if (fixture->keeper > 0)
		while (waitpid(fixture->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	free(fixture->text);
	*fixture = (struct fixture){ .needs = &nothing, .guard = -1 };
}

/* ---- what to tell the servers, and the load ------------------------------------------------ */

void fixture_options(const struct fixture *fixture, enum load_kind kind,
		     const char *options[FIXTURE_OPTIONS])
{
	size_t count = 0;

	for (; fixture->needs->options[count] != NULL; count++)
		options[count] = fixture->needs->options[count];
	if (fixture->needs->quiet)
		options[count++] = "--quiet";
	if (fixture->needs->folder || serves_file(fixture->needs, kind)) {
		options[count++] = "-r";
		options[count++] = fixture->folder;
	}
	options[count] = NULL;
}

bool fixture_is_quiet(const struct fixture *fixture)
{
	return fixture->needs->quiet;
}

const char *fixture_path(const struct fixture *fixture, enum load_kind kind)
{
	return serves_file(fixture->needs, kind) ? FILE_PATH : NULL;
}

const char *fixture_reply(const struct fixture *fixture, enum load_kind kind)
{
	return serves_file(fixture->needs, kind) ? fixture->text : fixture->needs->reply;
}

size_t fixture_reply_size(const struct fixture *fixture, enum load_kind kind)
{
	const char *greeting = fixture->needs->reply;

	if (serves_file(fixture->needs, kind))
		return fixture->size;
	return greeting != NULL ? strlen(greeting) + 1 : 0;
}
