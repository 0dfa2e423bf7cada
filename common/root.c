/*
 * root - the directory that a server serves; it is found again after it was replaced.
 *
 * An open descriptor of a removed directory still works, but finds nothing. So after ENOENT
 * the link count of the directory is checked (one fstat(2)), and its name is resolved
 * again. Lookups that succeed cost nothing more.
 */
#include "common/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/message.h"
#include "common/process.h"
#include "common/text.h"

enum { NAME_TEXT = 128 };

/* Shared by all processes of the server: otherwise each would report the same. */
enum gone { GONE_NOT, GONE_MISSING, GONE_REFUSED };

struct root_shared {
	atomic_int gone; /* what was reported last: enum gone */
};

static const char *shown(const char *name, char text[NAME_TEXT])
{
	text_escape(name, strlen(name), text, NAME_TEXT);
	return text;
}

/* A relative name is resolved against the working directory of the start. If that
 * directory is removed, too ("-r ."), only an absolute name finds the new one. Symbolic
 * links in the name are not resolved here: they may change.
 * @return allocated, or NULL with errno */
static char *absolute(const char *name)
{
	char working[PATH_MAX], *whole;
	size_t size;

	if (*name == '/' || getcwd(working, sizeof working) == NULL)
		return strdup(name);
	size = strlen(working) + 1 + strlen(name) + 1;
	whole = malloc(size);
	if (whole != NULL)
		snprintf(whole, size, "%s/%s", working, name);
	return whole;
}

static int open_directory(const char *name)
{
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int root_open(struct root *root, const char *directory, struct failure *failure)
{
	char text[NAME_TEXT];

	*root = (struct root){ .fd = open_directory(directory) };
	if (root->fd < 0)
		return failure_set(failure, "cannot serve '%s': %s",
				   shown(directory, text), strerror(errno));
	root->name = absolute(directory);
	root->shared = process_shared_memory(sizeof *root->shared);
	if (root->name == NULL || root->shared == NULL)
		return failure_set(failure, "cannot serve '%s': %s",
				   shown(directory, text), strerror(ENOMEM));
	return 0;
}

unsigned root_renewals(const struct root *root)
{
	return atomic_load(&root->renewals);
}

/* A removed directory has no link left, not even its "."; NFS returns ESTALE. */
static bool has_gone(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return errno == ESTALE;
	return status.st_nlink == 0;
}

/* dup2(2) replaces the old directory with the new one in one step: no thread sees a
 * closed descriptor. @return 0, or -1 with errno */
static int renew(struct root *root)
{
	int fd = open_directory(root->name), saved;
	bool renewed;

	if (fd < 0)
		return -1;
	renewed = !has_gone(fd);
	errno = ENOENT;
	renewed = renewed && dup2(fd, root->fd) >= 0;
	saved = errno;
	close(fd);
	errno = saved;
	if (!renewed)
		return -1;
	(void)io_set_close_on_exec(root->fd);
	atomic_fetch_add(&root->renewals, 1);
	return 0;
}

static void tell_gone(const struct root *root)
{
	/* a directory that was created again is refused by the sandbox */
	int state = errno == EACCES || errno == EPERM ? GONE_REFUSED : GONE_MISSING;
	char text[NAME_TEXT];

	if (atomic_exchange(&root->shared->gone, state) == state)
		return;
	if (state == GONE_MISSING)
		message(MESSAGE_ERROR,
			"directory '%s' is missing (%s): requests fail until it "
			"is created",
			shown(root->name, text), strerror(errno));
	else
		message(MESSAGE_ERROR,
			"directory '%s' is another one now, which the server may not "
			"use (%s): restart it, or start it with --no-sandbox",
			shown(root->name, text), strerror(errno));
}

static void tell_renewed(const struct root *root)
{
	char text[NAME_TEXT];

	if (atomic_exchange(&root->shared->gone, GONE_NOT) != GONE_NOT)
		message(MESSAGE_ERROR, "directory '%s' exists again",
			shown(root->name, text));
}

enum root_state root_check(struct root *root, unsigned seen)
{
	if (root_renewals(root) != seen)
		return ROOT_RENEWED;
	if (!has_gone(root->fd))
		return ROOT_STAYS;
	if (renew(root) < 0) {
		tell_gone(root);
		return ROOT_GONE;
	}
	tell_renewed(root);
	return ROOT_RENEWED;
}

void root_reopen(struct root *root)
{
	char text[NAME_TEXT];

	if (renew(root) == 0)
		tell_renewed(root);
	else if (has_gone(root->fd))
		tell_gone(root);
	else
		message(MESSAGE_ERROR,
			"cannot reopen directory '%s': %s; still serving the old one",
			shown(root->name, text), strerror(errno));
}
