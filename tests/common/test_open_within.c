/*
 * Files in a directory and none outside: the same whether the kernel resolves the whole
 * path or we do it component by component.
 */
#ifdef __linux__
#define _GNU_SOURCE /* as in open_within.c, which is included */
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/open_within.h"
#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

/* The second way, as of a system that has no other. */
int openat_open(int directory, const char *path, int flags, mode_t mode);
bool openat_is_hidden(const char *path);

#undef OPEN_WITHIN_USE_OPENAT
#define OPEN_WITHIN_USE_OPENAT
#define open_within           openat_open
#define open_within_is_hidden openat_is_hidden
#include "common/open_within.c"
#undef open_within
#undef open_within_is_hidden

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#endif

enum { NOBODY = 65534, RACES = 20000, TEXT = 64 };

typedef int (*open_function)(int directory, const char *path, int flags, mode_t mode);

static const open_function ways[] = { open_within, openat_open };

enum { WAYS = sizeof ways / sizeof *ways };

static struct folder outside, inside;

static void create_folders(void)
{
	static char longest[NAME_MAX + 1];

	memset(longest, 'n', NAME_MAX);
	folder_create(&outside);
	folder_text(&outside, "secret", "secret");
	folder_create(&inside);
	folder_text(&inside, "file", "file");
	folder_text(&inside, ".hidden", "hidden");
	folder_text(&inside, "...", "three dots");
	folder_text(&inside, "..file", "two dots");
	folder_text(&inside, longest, "longest");
	folder_directory(&inside, "a");
	folder_directory(&inside, "a/b");
	folder_text(&inside, "a/b/file", "below");
	folder_link(&inside, "to-secret", "../secret");
	folder_link(&inside, "to-file", "file");
	folder_link(&inside, "to-root", "/");
	folder_link(&inside, "to-a", "a");
	folder_link(&inside, "to-itself", "to-itself");
	folder_link(&inside, "to-nothing", "nothing");
	folder_link(&inside, "a/to-outside", outside.path);
	folder_fifo(&inside, "fifo");
	folder_socket(&inside, "socket");
}

static void remove_folders(void)
{
	folder_remove(&inside);
	folder_remove(&outside);
}

/* ---- what is opened, and what is not ------------------------------------------------------ */

static const struct {
	const char *path;
	int flags;
	const char *text; /* of the file; NULL: of a directory nothing is read */
} found[] = {
	{ "file", O_RDONLY, "file" },
	{ "a/b/file", O_RDONLY, "below" },
	{ "a//b///file", O_RDONLY, "below" },
	{ "./a/./b/./file", O_RDONLY, "below" },
	{ ".hidden", O_RDONLY, "hidden" },
	{ "...", O_RDONLY, "three dots" },
	{ "..file", O_RDONLY, "two dots" },
	{ ".", O_RDONLY | O_DIRECTORY, NULL },
	{ "./", O_RDONLY | O_DIRECTORY, NULL },
	{ "a", O_RDONLY, NULL },
	{ "a/", O_RDONLY, NULL },
	{ "a///", O_RDONLY, NULL },
	{ "a/b/.", O_RDONLY, NULL },
	{ "fifo", O_RDONLY, NULL },
};

START_TEST(what_is_in_the_directory_is_opened)
{
	for (int way = 0; way < WAYS; way++) {
		int fd = ways[way](inside.fd, found[_i].path, found[_i].flags, 0);
		char text[TEXT] = "";
		struct stat status;

		ck_assert_msg(fd >= 0, "%d: %s: %s", way, found[_i].path,
			      strerror(errno));
		ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		ck_assert_int_eq(fstat(fd, &status), 0);
		ck_assert_int_eq(S_ISREG(status.st_mode), found[_i].text != NULL);
		if (found[_i].text != NULL) {
			ck_assert_int_gt(io_read_all(fd, text, TEXT - 1), 0);
			ck_assert_str_eq(text, found[_i].text);
		}
		close(fd);
	}
}
END_TEST

static const struct {
	const char *path;
	int flags, error;
} refused[] = {
	{ "..", O_RDONLY, EXDEV },
	{ "../", O_RDONLY, EXDEV },
	{ "../secret", O_RDONLY, EXDEV },
	{ "a/..", O_RDONLY, EXDEV },
	{ "a/../file", O_RDONLY, EXDEV },
	{ "a/b/../../../secret", O_RDONLY, EXDEV },
	{ "a//..//..", O_RDONLY, EXDEV },
	{ "nothing/..", O_RDONLY, EXDEV },
	{ "/", O_RDONLY, EXDEV },
	{ "/etc/passwd", O_RDONLY, EXDEV },
	{ "//etc/passwd", O_RDONLY, EXDEV },
	{ "", O_RDONLY, ENOENT },
	{ "nothing", O_RDONLY, ENOENT },
	{ "a/nothing/file", O_RDONLY, ENOENT },
	{ "a\\b\\file", O_RDONLY, ENOENT },
	{ "file/", O_RDONLY, ENOTDIR },
	{ "file/.", O_RDONLY, ENOTDIR },
	{ "file/file", O_RDONLY, ENOTDIR },
	{ "file", O_RDONLY | O_DIRECTORY, ENOTDIR },
	{ "fifo/file", O_RDONLY, ENOTDIR },
	{ "a", O_WRONLY, EISDIR },
	{ "a/", O_WRONLY, EISDIR },
	{ "fifo", O_WRONLY, ENXIO },
	{ "socket", O_RDONLY, ENXIO },
	{ "to-secret", O_RDONLY, ELOOP },
	{ "to-secret/", O_RDONLY, ELOOP },
	{ "to-secret", O_RDONLY | O_DIRECTORY, ELOOP },
	{ "to-file", O_RDONLY, ELOOP },
	{ "to-file", O_WRONLY, ELOOP },
	{ "to-file", O_WRONLY | O_CREAT, ELOOP },
	{ "to-file", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "to-nothing", O_WRONLY | O_CREAT, ELOOP },
	{ "to-nothing", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "to-root", O_RDONLY, ELOOP },
	{ "to-root/etc/passwd", O_RDONLY, ELOOP },
	{ "to-a/b/file", O_RDONLY, ELOOP },
	{ "to-a", O_RDONLY, ELOOP },
	{ "to-a/", O_RDONLY, ELOOP },
	{ "to-a/.", O_RDONLY, ELOOP },
	{ "to-itself", O_RDONLY, ELOOP },
	{ "to-itself/file", O_RDONLY, ELOOP },
	{ "a/to-outside", O_RDONLY, ELOOP },
	{ "a/to-outside/", O_RDONLY, ELOOP },
	{ "a/to-outside/secret", O_RDONLY, ELOOP },
	{ "a/to-outside/new", O_WRONLY | O_CREAT, ELOOP },
	{ "file", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "a", O_WRONLY | O_CREAT | O_EXCL, EEXIST },
	{ "new/", O_WRONLY | O_CREAT, EISDIR },
	{ "nothing/new", O_WRONLY | O_CREAT, ENOENT },
};

START_TEST(what_is_outside_or_needs_a_symbolic_link_is_refused_with_the_reason)
{
	for (int way = 0; way < WAYS; way++) {
		int fd = ways[way](inside.fd, refused[_i].path, refused[_i].flags, 0600);

		ck_assert_msg(fd < 0, "%d: '%s' was opened", way, refused[_i].path);
		ck_assert_msg(errno == refused[_i].error, "%d: '%s': %s, not %s", way,
			      refused[_i].path, strerror(errno),
			      strerror(refused[_i].error));
	}
	ck_assert_int_eq(faccessat(outside.fd, "new", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(inside.fd, "nothing", F_OK, 0), -1);
}
END_TEST

START_TEST(names_are_as_long_as_the_system_has_them)
{
	char name[NAME_MAX + 2], path[2 * PATH_MAX];

	for (int way = 0; way < WAYS; way++) {
		int fd;

		memset(name, 'n', sizeof name);
		name[NAME_MAX] = '\0';
		fd = ways[way](inside.fd, name, O_RDONLY, 0);
		ck_assert_int_ge(fd, 0);
		close(fd);
		memset(name, 'n', NAME_MAX + 1);
		name[NAME_MAX + 1] = '\0';
		ck_assert_int_eq(ways[way](inside.fd, name, O_RDONLY, 0), -1);
		ck_assert_int_eq(errno, ENAMETOOLONG);

		for (size_t i = 0; i < sizeof path; i += 2)
			memcpy(path + i, "./", 2);
		memcpy(path + PATH_MAX - 8, ".//file", 8);
		fd = ways[way](inside.fd, path, O_RDONLY, 0);
		ck_assert_msg(fd >= 0, "%d: %s", way, strerror(errno));
		close(fd);
		memcpy(path + PATH_MAX - 8, "././file", 9);
		ck_assert_int_eq(ways[way](inside.fd, path, O_RDONLY, 0), -1);
		ck_assert_int_eq(errno, ENAMETOOLONG);
	}
}
END_TEST

START_TEST(a_file_is_made_with_its_mode_and_written)
{
	mode_t mask = umask(022);

	for (int way = 0; way < WAYS; way++) {
		char name[TEXT], text[TEXT] = "";
		struct stat status;
		int fd;

		snprintf(name, sizeof name, "a/b/new-%d", way);
		fd = ways[way](inside.fd, name, O_RDWR | O_CREAT | O_EXCL,
			       S_IFREG | 0666);
		ck_assert_msg(fd >= 0, "%d: %s", way, strerror(errno));
		ck_assert_int_eq(io_write(fd, "text", 4), 4);
		close(fd);
		ck_assert_int_eq(fstatat(inside.fd, name, &status, 0), 0);
		ck_assert_uint_eq(status.st_mode & 0777, 0644);
		/* a mode without a file to make means nothing */
		fd = ways[way](inside.fd, name, O_RDONLY, 0666);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(io_read_all(fd, text, TEXT - 1), 4);
		ck_assert_str_eq(text, "text");
		close(fd);
		fd = ways[way](inside.fd, name, O_WRONLY | O_TRUNC, 0);
		ck_assert_int_ge(fd, 0);
		close(fd);
		ck_assert_int_eq(fstatat(inside.fd, name, &status, 0), 0);
		ck_assert_int_eq(status.st_size, 0);
	}
	umask(mask);
}
END_TEST

START_TEST(no_descriptor_is_left_behind)
{
	for (int way = 0; way < WAYS; way++) {
		int before = dup(0), after;

		close(before);
		for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
			ck_assert_int_lt(ways[way](inside.fd, refused[i].path,
						   refused[i].flags, 0600),
					 0);
		close(ways[way](inside.fd, "a/b/file", O_RDONLY, 0));
		after = dup(0);
		close(after);
		ck_assert_int_eq(after, before);
	}
}
END_TEST

/* ---- permissions -------------------------------------------------------------------------- */

START_TEST(a_directory_on_the_way_need_only_be_searchable)
{
	bool root = geteuid() == 0;

	if (!programs_use("O_PATH"))
		return;
	ck_assert_int_eq(fchmod(inside.fd, 0711), 0);
	ck_assert_int_eq(fchmodat(inside.fd, "a", root ? 0711 : 0100, 0), 0);
	ck_assert_int_eq(fchmodat(inside.fd, "a/b/file", root ? 0644 : 0400, 0), 0);
	ck_assert_int_eq(fchmodat(inside.fd, "file", 0, 0), 0);
	if (root && (setegid(NOBODY) < 0 || seteuid(NOBODY) < 0)) {
		skipped("needs root that can become an ordinary user");
		return;
	}
	for (int way = 0; way < WAYS; way++) {
		int fd = ways[way](inside.fd, "a/b/file", O_RDONLY, 0);

		ck_assert_msg(fd >= 0, "%d: %s", way, strerror(errno));
		close(fd);
		ck_assert_int_eq(ways[way](inside.fd, "a", O_RDONLY, 0), -1);
		ck_assert_int_eq(errno, EACCES);
		ck_assert_int_eq(ways[way](inside.fd, "file", O_RDONLY, 0), -1);
		ck_assert_int_eq(errno, EACCES);
	}
	if (root)
		ck_assert(seteuid(0) == 0 && setegid(0) == 0);
	ck_assert_int_eq(fchmodat(inside.fd, "a", 0, 0), 0);
	if (!root) {
		for (int way = 0; way < WAYS; way++) {
			ck_assert_int_eq(ways[way](inside.fd, "a/b/file", O_RDONLY, 0),
					 -1);
			ck_assert_int_eq(errno, EACCES);
		}
	}
	ck_assert_int_eq(fchmod(inside.fd, 0700), 0);
	ck_assert_int_eq(fchmodat(inside.fd, "a", 0700, 0), 0);
}
END_TEST

/* ---- while somebody renames --------------------------------------------------------------- */

struct juggler {
	pthread_t thread;
	atomic_bool over;
};

/* "a" is, in turn, the directory, nothing, and a link to the outside, where there is a
 * "b/file" as well. */
static void *juggle(void *context)
{
	struct juggler *juggler = context;

	while (!atomic_load(&juggler->over)) {
		renameat(inside.fd, "a", inside.fd, "away");
		if (symlinkat(outside.path, inside.fd, "a") == 0)
			unlinkat(inside.fd, "a", 0);
		renameat(inside.fd, "away", inside.fd, "a");
	}
	return NULL;
}

START_TEST(a_directory_that_becomes_a_link_meanwhile_leads_nowhere_else)
{
	struct juggler juggler = { .over = false };

	folder_directory(&outside, "b");
	folder_text(&outside, "b/file", "secret");
	ck_assert_int_eq(pthread_create(&juggler.thread, NULL, juggle, &juggler), 0);
	for (int i = 0; i < RACES; i++) {
		int fd = ways[i % WAYS](inside.fd, "a/b/file", O_RDONLY, 0);
		char text[TEXT] = "";

		if (fd < 0) {
			ck_assert_msg(errno == ENOENT || errno == ENOTDIR ||
					      errno == ELOOP,
				      "%s", strerror(errno));
			continue;
		}
		ck_assert_int_gt(io_read_all(fd, text, TEXT - 1), 0);
		ck_assert_str_eq(text, "below");
		close(fd);
	}
	atomic_store(&juggler.over, true);
	ck_assert_int_eq(pthread_join(juggler.thread, NULL), 0);
}
END_TEST

/* ---- a kernel, or a filter, without openat2 ------------------------------------------------ */

#if defined(SECCOMP_RET_ERRNO) && defined(SYS_openat2)

static bool forbid_openat2(unsigned error)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof steps / sizeof *steps, steps };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#else

static bool forbid_openat2(unsigned error)
{
	(void)error;
	return false;
}

#endif

START_TEST(where_openat2_is_missing_or_forbidden_openat_does_it)
{
	char text[TEXT] = "";
	int fd;

	if (!forbid_openat2(_i == 0 ? ENOSYS : EPERM)) {
		skipped("needs seccomp(2)");
		return;
	}
	fd = open_within(inside.fd, "a/b/file", O_RDONLY, 0);
	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	ck_assert_int_gt(io_read_all(fd, text, TEXT - 1), 0);
	ck_assert_str_eq(text, "below");
	close(fd);
	ck_assert_int_eq(open_within(inside.fd, "a/to-outside/secret", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, ELOOP);
}
END_TEST

/* ---- hidden names ------------------------------------------------------------------------- */

START_TEST(a_name_with_a_dot_in_front_is_hidden_wherever_it_is_in_a_path)
{
	static const char *const hidden[] = { ".",    "..",     ".a",  "a/.b",   "a/.b/c",
					      "/.a",  "a//.b",  "a/.", "a/../b", "./a",
					      ".git", "a/b/.c", "..." };
	static const char *const shown[] = { "",     "a",   "a.b", "a./b", "/",
					     "a/b.", "a/b", "/a/", "~",    "a..b/c" };

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		ck_assert_msg(open_within_is_hidden(hidden[i]), "%s", hidden[i]);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		ck_assert_msg(!open_within_is_hidden(shown[i]), "%s", shown[i]);
}
END_TEST

Suite *suite_open_within(void)
{
	Suite *suite = suite_create("open_within");
	TCase *tcase = add_case(suite, "files in a directory");

	tcase_add_checked_fixture(tcase, create_folders, remove_folders);
	tcase_add_loop_test(tcase, what_is_in_the_directory_is_opened, 0,
			    sizeof found / sizeof *found);
	tcase_add_loop_test(
		tcase,
		what_is_outside_or_needs_a_symbolic_link_is_refused_with_the_reason, 0,
		sizeof refused / sizeof *refused);
	tcase_add_test(tcase, names_are_as_long_as_the_system_has_them);
	tcase_add_test(tcase, a_file_is_made_with_its_mode_and_written);
	tcase_add_test(tcase, no_descriptor_is_left_behind);
	tcase_add_test(tcase, a_directory_on_the_way_need_only_be_searchable);
	tcase_add_test(tcase,
		       a_directory_that_becomes_a_link_meanwhile_leads_nowhere_else);
	tcase_add_loop_test(tcase, where_openat2_is_missing_or_forbidden_openat_does_it,
			    0, 2);
	tcase_add_test(tcase,
		       a_name_with_a_dot_in_front_is_hidden_wherever_it_is_in_a_path);
	return suite;
}
