/*
 * The directory that a server serves, which others remove and make anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/root.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { ERRORS = 2048 };

static struct folder folder;
static struct root root;
static char served[FOLDER_TEXT];
static int errors; /* what is said on standard error */

/* A server in a program of its own has a standard error of its own, too. */
static void begin(void)
{
	struct failure failure = { "" };

	folder_create(&folder);
	folder_directory(&folder, "served");
	snprintf(served, sizeof served, "%s", folder_path(&folder, "served"));
	errors = folder_create_nameless();
	ck_assert_int_ge(dup2(errors, STDERR_FILENO), 0);
	ck_assert_msg(root_open(&root, served, &failure) == 0, "%s", failure.text);
}

static void end(void)
{
	folder_remove(&folder);
}

static void remove_served(void)
{
	folder_remove_path(served);
}

static void make_served(const char *content)
{
	folder_directory(&folder, "served");
	folder_text(&folder, "served/file", content);
}

static bool has_file(void)
{
	return faccessat(root.fd, "file", R_OK, 0) == 0;
}

static unsigned lines_with(const char *text)
{
	static char log[ERRORS];
	ssize_t n = pread(errors, log, sizeof log - 1, 0);
	unsigned count = 0;

	ck_assert_int_ge(n, 0);
	log[n] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

START_TEST(a_missing_name_does_not_renew_the_directory)
{
	unsigned seen = root_renewals(&root);

	ck_assert(!has_file());
	ck_assert_int_eq(root_check(&root, seen), ROOT_STAYS);
	ck_assert_uint_eq(root_renewals(&root), seen);
}
END_TEST

START_TEST(a_directory_made_anew_is_found_under_the_same_descriptor)
{
	unsigned seen = root_renewals(&root);
	int fd = root.fd;

	/* when */
	remove_served();
	make_served("new");
	ck_assert(!has_file());

	/* then: at once, and nobody need be told of it */
	ck_assert_int_eq(root_check(&root, seen), ROOT_RENEWED);
	ck_assert_int_eq(root.fd, fd);
	ck_assert(has_file());
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_uint_eq(lines_with("is missing"), 0);

	/* and: one who has failed before it was renewed is told to try again */
	ck_assert_int_eq(root_check(&root, seen), ROOT_RENEWED);
	ck_assert_int_eq(root_check(&root, root_renewals(&root)), ROOT_STAYS);
}
END_TEST

START_TEST(one_line_says_that_it_has_gone_and_one_that_it_is_back)
{
	remove_served();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(root_check(&root, root_renewals(&root)), ROOT_GONE);
		ck_assert_int_eq(errno, ENOENT);
	}
	ck_assert_uint_eq(lines_with("is missing (No such file or directory)"), 1);

	folder_text(&folder, "served", "a file is no directory");
	ck_assert_int_eq(root_check(&root, root_renewals(&root)), ROOT_GONE);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_uint_eq(lines_with("is missing"), 1);

	ck_assert_int_eq(unlink(served), 0);
	make_served("new");
	ck_assert_int_eq(root_check(&root, root_renewals(&root)), ROOT_RENEWED);
	ck_assert_uint_eq(lines_with("exists again"), 1);

	remove_served();
	ck_assert_int_eq(root_check(&root, root_renewals(&root)), ROOT_GONE);
	ck_assert_uint_eq(lines_with("is missing"), 2);
}
END_TEST

START_TEST(a_renamed_directory_is_served_until_it_is_reopened)
{
	char aside[FOLDER_TEXT];

	folder_text(&folder, "served/file", "old");
	snprintf(aside, sizeof aside, "%s", folder_path(&folder, "aside"));
	ck_assert_int_eq(rename(served, aside), 0);
	ck_assert_int_eq(root_check(&root, root_renewals(&root)), ROOT_STAYS);
	ck_assert(has_file());

	/* when there is nothing under its name, then the old one stays */
	root_reopen(&root);
	ck_assert_uint_eq(lines_with("still serving the old one"), 1);
	ck_assert(has_file());

	/* when there is */
	folder_directory(&folder, "served");
	root_reopen(&root);
	ck_assert(!has_file());
}
END_TEST

START_TEST(a_relative_name_and_the_working_directory_itself_are_found_again)
{
	static const char *const names[] = { ".", "../served", "./" };
	struct root other;

	ck_assert_int_eq(chdir(served), 0);
	ck_assert_int_eq(root_open(&other, names[_i], NULL), 0);
	remove_served();
	make_served("new");
	ck_assert_int_eq(root_check(&other, root_renewals(&other)), ROOT_RENEWED);
	ck_assert_int_eq(faccessat(other.fd, "file", R_OK, 0), 0);
	close(other.fd);
	free(other.name);
}
END_TEST

START_TEST(a_symbolic_link_is_followed_anew)
{
	struct root other;

	folder_directory(&folder, "release-1");
	folder_directory(&folder, "release-2");
	folder_text(&folder, "release-2/file", "2");
	folder_link(&folder, "current", "release-1");
	ck_assert_int_eq(root_open(&other, folder_path(&folder, "current"), NULL), 0);

	ck_assert_int_eq(unlink(folder_path(&folder, "current")), 0);
	folder_link(&folder, "current", "release-2");
	folder_remove_path(folder_path(&folder, "release-1"));
	ck_assert_int_eq(root_check(&other, root_renewals(&other)), ROOT_RENEWED);
	ck_assert_int_eq(faccessat(other.fd, "file", R_OK, 0), 0);
	close(other.fd);
	free(other.name);
}
END_TEST

Suite *suite_root(void)
{
	Suite *suite = suite_create("root");
	TCase *tcase = tcase_create("root");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_missing_name_does_not_renew_the_directory);
	tcase_add_test(tcase, a_directory_made_anew_is_found_under_the_same_descriptor);
	tcase_add_test(tcase, one_line_says_that_it_has_gone_and_one_that_it_is_back);
	tcase_add_test(tcase, a_renamed_directory_is_served_until_it_is_reopened);
	tcase_add_loop_test(
		tcase, a_relative_name_and_the_working_directory_itself_are_found_again,
		0, 3);
	tcase_add_test(tcase, a_symbolic_link_is_followed_anew);
	suite_add_tcase(suite, tcase);
	return suite;
}
