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

/* What a service needs beyond its default options. */
struct stage_needs {
	const char *service;
	bool quiet;  /* -q: its log would be a line a reply */
	bool folder; /* -r in all loads: its clients put files there */
	const char *options[STAGE_OPTIONS - 3]; /* others; NULL behind the last */
	const char *reply; /* by default; NULL: what is right for the protocol */
	unsigned files;    /* loads in which it serves a folder, by -r: of each the bit
			      1 << kind */
};

static const struct stage_needs http = {
	.service = "http",
	.quiet = true,
	.reply = "Hello, World!",
	.files = 1U << LOAD_BULK,
};

/* No limits: what is said as fast as it goes, and waits for all to be heard, is not misuse. */
static const struct stage_needs chat = {
	.service = "chat",
	.quiet = true,
	.options = { "-R", "0", "-B", "64M" },
};

/* What is measured is the server and not the disk: nobody waits for that. */
static const struct stage_needs file = {
	.service = "file",
	.quiet = true,
	.folder = true,
	.options = { "--replace", "--no-sync" },
};

static const struct stage_needs nothing = { 0 };

static const struct stage_needs *const stages[] = { &http, &chat, &file };

/* The one file, and what is asked for. */
#define FILE_PATH "/letters.txt"

/* What the keeper says at first. */
struct keeper_report {
	int error;
	char folder[STAGE_PATH];
};

static const struct stage_needs *find(const char *service)
{
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
		if (strcmp(stages[i]->service, service) == 0)
			return stages[i];
	return &nothing;
}

static bool serves_file(const struct stage_needs *needs, enum load_kind kind)
{
	return needs->files & 1U << kind;
}

bool stage_has_file(const char *service, enum load_kind kind)
{
	return serves_file(find(service), kind);
}

/* ---- the folder -------------------------------------------------------------------------- */

/* Removes what is in the open folder, which is closed: the servers' clients have put files
 * there, in folders a few deep. */
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

static void remove_folder(const struct stage *stage)
{
	int fd = open(stage->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		empty_folder(fd);
	rmdir(stage->folder);
}

/* Makes the folder, and sets its name; or nothing, and returns -1 with errno. */
static int make_folder(struct stage *stage)
{
	const char *where = getenv("TMPDIR");
	int n = snprintf(stage->folder, sizeof stage->folder, "%s/versus.XXXXXX",
			 where != NULL && *where != '\0' ? where : "/tmp");

	if (n > 0 && (size_t)n < sizeof stage->folder)
		return mkdtemp(stage->folder) != NULL ? 0 : -1;
	errno = ENAMETOOLONG;
	return -1;
}

/* In the child: nothing that the terminal sends is for it. It makes the folder, says which,
 * or the errno, and waits until the last descriptor of the other end of guard has gone. So
 * have we then; the servers never had it. */
static _Noreturn void keep(struct stage *stage, int said, int guard)
{
	struct keeper_report report = { 0 };
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	report.error = make_folder(stage) < 0 ? errno : 0;
	memcpy(report.folder, stage->folder, sizeof report.folder);
	io_write(said, &report, sizeof report);
	close(said);
	while (report.error == 0 && io_read(guard, &byte, 1) > 0)
		;
	if (report.error == 0)
		remove_folder(stage);
	_exit(0);
}

/* Waits for what the keeper says. @return 0, or -1 with errno */
static int hear_keeper(struct stage *stage, int said)
{
	struct keeper_report report;

	if (io_read_all(said, &report, sizeof report) != sizeof report) {
		errno = ECHILD; /* it has been killed */
		return -1;
	}
	memcpy(stage->folder, report.folder, sizeof stage->folder);
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

/* The keeper makes the folder, so that it never is there without one who removes it.
 * @return 0, or -1 with errno */
static int start_keeper(struct stage *stage)
{
	int said[2], guard[2], result;

	if (open_pipe(said) < 0)
		return -1;
	if (open_pipe(guard) < 0) {
		close_pipe(said);
		return -1;
	}
	stage->keeper = fork();
	if (stage->keeper == 0) {
		close(said[0]);
		close(guard[1]);
		keep(stage, said[1], guard[0]);
	}
	close(said[1]);
	close(guard[0]);
	stage->guard = guard[1];
	result = stage->keeper < 0 ? -1 : hear_keeper(stage, said[0]);
	close(said[0]);
	return result;
}

static int write_file(const struct stage *stage)
{
	char path[STAGE_PATH + sizeof FILE_PATH];
	bool whole;
	int fd;

	snprintf(path, sizeof path, "%s" FILE_PATH, stage->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	whole = io_write(fd, stage->text, stage->size) == (ssize_t)stage->size;
	return close(fd) == 0 && whole ? 0 : -1;
}

static int open_folder(struct stage *stage, struct failure *failure)
{
	if (start_keeper(stage) == 0)
		return 0;
	return failure_set(failure, "cannot make the folder %s: %s", stage->folder,
			   strerror(errno));
}

static int make_file(struct stage *stage, struct failure *failure)
{
	stage->text = malloc(stage->size + 1);
	if (stage->text == NULL)
		return failure_set(failure, "no memory for a file of %zu bytes",
				   stage->size);
	load_letters(stage->text, stage->size);
	stage->text[stage->size] = '\0';
	if (open_folder(stage, failure) < 0)
		return -1;
	if (write_file(stage) < 0)
		return failure_set(failure, "cannot write a file in %s: %s",
				   stage->folder, strerror(errno));
	return 0;
}

int stage_set(struct stage *stage, const char *service, size_t size,
	      struct failure *failure)
{
	*stage = (struct stage){ .needs = find(service), .guard = -1, .size = size };
	if (size > 0 ? make_file(stage, failure) == 0
		     : !stage->needs->folder || open_folder(stage, failure) == 0)
		return 0;
	stage_clear(stage);
	return -1;
}

void stage_clear(struct stage *stage)
{
	if (stage->guard >= 0)
		close(stage->guard);
	if (stage->keeper > 0)
		while (waitpid(stage->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	free(stage->text);
	*stage = (struct stage){ .needs = &nothing, .guard = -1 };
}

/* ---- what to tell the servers, and the load ------------------------------------------------ */

void stage_options(const struct stage *stage, enum load_kind kind,
		   const char *options[STAGE_OPTIONS])
{
	size_t count = 0;

	for (; stage->needs->options[count] != NULL; count++)
		options[count] = stage->needs->options[count];
	if (stage->needs->quiet)
		options[count++] = "--quiet";
	if (stage->needs->folder || serves_file(stage->needs, kind)) {
		options[count++] = "-r";
		options[count++] = stage->folder;
	}
	options[count] = NULL;
}

bool stage_is_quiet(const struct stage *stage)
{
	return stage->needs->quiet;
}

const char *stage_path(const struct stage *stage, enum load_kind kind)
{
	return serves_file(stage->needs, kind) ? FILE_PATH : NULL;
}

const char *stage_reply(const struct stage *stage, enum load_kind kind)
{
	return serves_file(stage->needs, kind) ? stage->text : stage->needs->reply;
}

size_t stage_reply_size(const struct stage *stage, enum load_kind kind)
{
	const char *greeting = stage->needs->reply;

	if (serves_file(stage->needs, kind))
		return stage->size;
	return greeting != NULL ? strlen(greeting) + 1 : 0;
}
