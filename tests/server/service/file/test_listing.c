/*
 * The list of a directory in which an entry cannot be looked at: it may have been removed since
 * it was read, and for any other reason the list would be wrong without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fixture/folder.h"
#include "tests/suites.h"

static int failure; /* errno of a look at the entry "b" */

static int look(int directory, const char *name, struct stat *status, int flags)
{
	if (strcmp(name, "b") != 0)
		return fstatat(directory, name, status, flags);
	errno = failure;
	return -1;
}

/* A copy of the module whose looks fail. */
#define fstatat              look
#define file_listing_prepare copy_prepare
#define file_listing_begin   copy_begin
#define file_listing_read    copy_read
#define file_listing_count   copy_count
#define file_listing_line    copy_line
#define file_listing_end     copy_end
#define file_entry_line      copy_entry_line
#include "server/service/file/listing.c"
#undef fstatat

static struct folder folder;

static struct file_listing *begin(void)
{
	struct file_listing *listing;

	folder_create(&folder);
	folder_text(&folder, "a", "");
	folder_text(&folder, "b", "");
	folder_text(&folder, "c", "");
	ck_assert_int_eq(file_listing_prepare(), 0);
	listing =
		file_listing_begin(open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ck_assert_ptr_nonnull(listing);
	return listing;
}

START_TEST(an_entry_that_was_removed_is_left_out)
{
	struct file_listing *listing = begin();

	failure = ENOENT;
	ck_assert_int_eq(file_listing_read(listing, 100), 0);
	ck_assert_uint_eq(file_listing_count(listing), 2);
	file_listing_end(listing);
	folder_remove(&folder);
}
END_TEST

START_TEST(an_entry_that_cannot_be_looked_at_is_an_error)
{
	static const int failures[] = { EIO, ENOMEM, EACCES };
	struct file_listing *listing = begin();

	failure = failures[_i];
	errno = 0;
	ck_assert_int_eq(file_listing_read(listing, 100), -1);
	ck_assert_int_eq(errno, failure);
	file_listing_end(listing);
	folder_remove(&folder);
}
END_TEST

Suite *suite_file_listing(void)
{
	Suite *suite = suite_create("file_listing");
	TCase *tcase = tcase_create("entries");

	tcase_add_test(tcase, an_entry_that_was_removed_is_left_out);
	tcase_add_loop_test(tcase, an_entry_that_cannot_be_looked_at_is_an_error, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
