/*
 * A rename that replaces nothing, by the system's own way and by the other one.
 */
#ifdef __linux__
#define _GNU_SOURCE /* as in rename.c, which is included */
#endif

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/rename.h"
#include "tests/fixture/folder.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

/* The second way, as of a system that has no other. */
int rename_by_linkat(int from_directory, const char *from, int to_directory,
		     const char *to);

#undef RENAME_USE_LINKAT
#define RENAME_USE_LINKAT
#define rename_new rename_by_linkat
#include "common/rename.c"
#undef rename_new

static int (*const ways[])(int, const char *, int, const char *) = { rename_new,
								     rename_by_linkat };

static struct folder folder;

static void make(void)
{
	folder_create(&folder);
	folder_text(&folder, "a", "first");
}

static void clear(void)
{
	folder_remove(&folder);
}

static off_t size_of(const char *name)
{
	struct stat status;

	return fstatat(folder.fd, name, &status, 0) == 0 ? status.st_size : -1;
}

START_TEST(a_new_name_is_taken)
{
	folder_directory(&folder, "d");
	ck_assert_int_eq(ways[_i](folder.fd, "a", folder.fd, "d/b"), 0);
	ck_assert_int_eq(size_of("a"), -1);
	ck_assert_int_eq(size_of("d/b"), 5);
}
END_TEST

START_TEST(nothing_is_replaced)
{
	folder_text(&folder, "b", "the other one");
	folder_directory(&folder, "d");
	folder_link(&folder, "l", "nowhere");
	ck_assert_int_eq(ways[_i](folder.fd, "a", folder.fd, "b"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(ways[_i](folder.fd, "a", folder.fd, "d"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(ways[_i](folder.fd, "a", folder.fd, "l"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(size_of("a"), 5);
	ck_assert_int_eq(size_of("b"), 13);
}
END_TEST

START_TEST(what_is_not_there_cannot_be_renamed)
{
	ck_assert_int_eq(ways[_i](folder.fd, "none", folder.fd, "b"), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *suite_rename(void)
{
	Suite *suite = suite_create("rename");
	TCase *tcase = add_case(suite, "rename");

	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase, a_new_name_is_taken, 0, 2);
	tcase_add_loop_test(tcase, nothing_is_replaced, 0, 2);
	tcase_add_loop_test(tcase, what_is_not_there_cannot_be_renamed, 0, 2);
	return suite;
}
