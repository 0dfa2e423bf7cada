#define _XOPEN_SOURCE 700 /* nftw */

#include "tests/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/waiting.h"

enum { OPEN_DIRECTORIES = 16, PATH_TEXT = 4096 };

/* A pattern for mkdtemp() and mkstemp(). */
static void set_pattern(char path[FOLDER_TEXT], const char *name)
{
	const char *temporary = getenv("TMPDIR");
	int length = snprintf(path, FOLDER_TEXT, "%s/sockways-%s-XXXXXX",
			      temporary != NULL ? temporary : "/tmp", name);

	ck_assert_msg(length < FOLDER_TEXT, "TMPDIR is too long: %s", temporary);
}

void folder_create_path(char path[FOLDER_TEXT], const char *name)
{
	set_pattern(path, name);
	ck_assert_msg(mkdtemp(path) != NULL, "%s: %s", path, strerror(errno));
}

int folder_create_file(char path[FOLDER_TEXT], const char *name)
{
	int fd;

	set_pattern(path, name);
	fd = mkstemp(path);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

int folder_create_nameless(void)
{
	char path[FOLDER_TEXT];
	int fd = folder_create_file(path, "nameless");

	unlink(path);
	return fd;
}

void folder_longest_path(const char *directory, char *path, size_t size)
{
	size_t length = strlen(directory);

	ck_assert_uint_lt(length + strlen("/0"), size);
	memset(path, '0', size - 1);
	path[size - 1] = '\0';
	memcpy(path, directory, length);
	path[length] = '/';
}

void folder_create(struct folder *folder)
{
	folder_create_path(folder->path, "test");
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder->fd, 0);
}

static int remove_entry(const char *path, const struct stat *status, int type,
			struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void folder_remove_path(const char *path)
{
	nftw(path, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS);
}

void folder_remove(struct folder *folder)
{
	close(folder->fd);
	folder_remove_path(folder->path);
}

void folder_file(const struct folder *folder, const char *name, const void *bytes,
		 size_t length)
{
	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	ck_assert_int_eq(io_write(fd, bytes, length), (ssize_t)length);
	ck_assert_int_eq(close(fd), 0);
}

void folder_text(const struct folder *folder, const char *name, const char *text)
{
	folder_file(folder, name, text, strlen(text));
}

void folder_directory(const struct folder *folder, const char *name)
{
	ck_assert_msg(mkdirat(folder->fd, name, 0755) == 0, "%s: %s", name,
		      strerror(errno));
}

void folder_link(const struct folder *folder, const char *name, const char *target)
{
	ck_assert_msg(symlinkat(target, folder->fd, name) == 0, "%s: %s", name,
		      strerror(errno));
}

void folder_fifo(const struct folder *folder, const char *name)
{
	ck_assert_msg(mkfifoat(folder->fd, name, 0644) == 0, "%s: %s", name,
		      strerror(errno));
}

void folder_socket(const struct folder *folder, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt((size_t)snprintf(address.sun_path, sizeof address.sun_path,
					   "%s/%s", folder->path, name),
			  sizeof address.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

const char *folder_path(const struct folder *folder, const char *name)
{
	static char path[PATH_TEXT];

	ck_assert_uint_lt(
		(size_t)snprintf(path, sizeof path, "%s/%s", folder->path, name),
		sizeof path);
	return path;
}

bool folder_has(const struct folder *folder, const char *name)
{
	return access(folder_path(folder, name), F_OK) == 0;
}

void folder_expect_file(const struct folder *folder, const char *name, const void *bytes,
			size_t length)
{
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
	char *found = malloc(length + 1);

	ck_assert_msg(fd >= 0, "there is no %s", name);
	ck_assert_ptr_nonnull(found);
	ck_assert_int_eq(io_read_all(fd, found, length + 1), (ssize_t)length);
	ck_assert_mem_eq(found, bytes, length);
	free(found);
	close(fd);
}
