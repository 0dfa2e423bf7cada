/*
 * file without a network: the conversation byte by byte, and what is in the directory
 * afterwards: whole files, parts of those that were cut off, and nothing else.
 */
#ifdef __linux__
#define _GNU_SOURCE /* syscall */
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "common/io.h"
#include "common/checksum.h"
#include "common/text.h"
#include "server/service/file/file.h"
#include "server/service/file/listing.h"
#include "server/service/file/upload.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { TEXT = 1024, BIG = 9 * 1024 * 1024 + 5, MANY = 5000, DAY = 24 * 3600 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char hello[] = "hello, world\n"; /* 13 bytes; cksum: 1398783287 */
static char *big;
static struct folder folder;

static void make(void)
{
	folder_create(&folder);
}

static void clear(void)
{
	folder_remove(&folder);
}

/* A server opens its directory once. The tests open it again, as the next server does. */
static void forget_directory(void)
{
	if (file_store.root.name == NULL)
		return;
	close(file_store.root.fd);
	close(file_store.parts);
	free(file_store.root.name);
	file_store.root.name = NULL;
}

static int try_to_configure(const char *const arguments[], struct failure *failure)
{
	forget_directory();
	file_store = (struct file_store){ .most = INT64_MAX, .part_life = DAY };
	file_directory = NULL;
	return memory_configure(&file_service, arguments, failure);
}

static void configure_with(const char *const arguments[])
{
	struct failure failure = { .text = "" };

	ck_assert_msg(try_to_configure(arguments, &failure) == 0, "%s", failure.text);
}

#define configure(...)                                                                   \
	configure_with((const char *const[]){ "-r", folder.path, __VA_ARGS__, NULL })

/* ---- what is in the directory ------------------------------------------------------------ */

/* How much there is in .filed: parts and states. */
static unsigned leftovers(void)
{
	DIR *stream = opendir(folder_path(&folder, ".filed"));
	unsigned count = 0;
	const struct dirent *next;

	ck_assert_ptr_nonnull(stream);
	while ((next = readdir(stream)) != NULL)
		count += *next->d_name != '.';
	closedir(stream);
	return count;
}

static uint32_t sum_of(const void *bytes, size_t n)
{
	struct checksum sum = { 0 };

	checksum_add(&sum, bytes, n);
	return checksum_value(&sum);
}

/* ---- what a client says and hears -------------------------------------------------------- */

static void begin(struct memory_session *client)
{
	memory_open(client, &file_service);
}

static void send_text(struct memory_session *client, const char *text)
{
	memory_send(client, text, strlen(text));
}

static void expect(struct memory_session *client, const char *text)
{
	memory_expect(client, text, strlen(text));
}

static void ask(struct memory_session *client, const char *line, const char *reply)
{
	send_text(client, line);
	send_text(client, "\n");
	expect(client, reply);
}

/* A refusal: the code, and words that begin with the name. */
static void expect_refusal(struct memory_session *client, const char *beginning)
{
	const char *heard = memory_heard(client, NULL);

	ck_assert_msg(strncmp(heard, beginning, strlen(beginning)) == 0 &&
			      strchr(heard, '\n') == heard + strlen(heard) - 1,
		      "'%s' is not '%s...'", heard, beginning);
}

static void ask_and_be_refused(struct memory_session *client, const char *line,
			       const char *beginning)
{
	send_text(client, line);
	send_text(client, "\n");
	expect_refusal(client, beginning);
}

static void begin_upload(struct memory_session *client, const char *name, size_t size,
			 const char *mtime, size_t offset)
{
	char line[TEXT], reply[TEXT];

	snprintf(line, sizeof line, "PUT %s %zu %s", name, size, mtime);
	snprintf(reply, sizeof reply, "SEND %zu\n", offset);
	ask(client, line, reply);
}

static void end_upload(struct memory_session *client, const void *bytes, size_t size)
{
	char line[TEXT], reply[TEXT];
	uint32_t crc = sum_of(bytes, size);

	snprintf(line, sizeof line, "SUM %u", crc);
	snprintf(reply, sizeof reply, "DONE %zu %u\n", size, crc);
	ask(client, line, reply);
}

static void upload(struct memory_session *client, const char *name, const void *bytes,
		   size_t size)
{
	begin_upload(client, name, size, "1700000000", 0);
	memory_send(client, bytes, size);
	end_upload(client, bytes, size);
}

static void upload_text(struct memory_session *client, const char *name, const char *text)
{
	upload(client, name, text, strlen(text));
}

/* An upload of @p size bytes that is cut off behind @p sent. */
static void cut_off_upload(const char *name, const void *bytes, size_t size, size_t sent)
{
	struct memory_session client;

	begin(&client);
	begin_upload(&client, name, size, "1700000000", 0);
	memory_send(&client, bytes, sent);
	memory_close(&client);
}

/* ---- uploads ----------------------------------------------------------------------------- */

START_TEST(an_upload_is_a_file_with_its_content_and_time)
{
	struct memory_session client;
	struct stat status;

	configure("-E", "24");
	umask(022);
	begin(&client);
	begin_upload(&client, "a.txt", 13, "1700000000.123456789", 0);
	memory_send(&client, hello, 13);
	ck_assert(!folder_has(&folder, "a.txt"));
	end_upload(&client, hello, 13);
	folder_expect_file(&folder, "a.txt", hello, 13);
	ck_assert_int_eq(stat(folder_path(&folder, "a.txt"), &status), 0);
	ck_assert_int_eq(status.st_mtim.tv_sec, 1700000000);
	ck_assert_int_eq(status.st_mtim.tv_nsec, 123456789);
	ck_assert_uint_eq(status.st_mode, S_IFREG | 0644);
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(an_empty_file_is_a_file)
{
	struct memory_session client;

	configure("-S");
	begin(&client);
	begin_upload(&client, "empty", 0, "0", 0);
	ask(&client, "SUM 4294967295", "DONE 0 4294967295\n");
	folder_expect_file(&folder, "empty", "", 0);
	ask(&client, "GET empty", "FILE 0 0\nSUM 4294967295\n");
	memory_close(&client);
}
END_TEST

START_TEST(missing_directories_are_made)
{
	struct memory_session client;

	configure("-E", "1");
	begin(&client);
	begin_upload(&client, "\"a b/c/d.txt\"", 13, "1", 0);
	ck_assert(!folder_has(&folder, "a b"));
	memory_send(&client, hello, 13);
	ask(&client, "SUM -", "DONE 13 -\n");
	folder_expect_file(&folder, "a b/c/d.txt", hello, 13);
	upload_text(&client, "\"a b/e\"", "second");
	folder_expect_file(&folder, "a b/e", "second", 6);
	memory_close(&client);
}
END_TEST

#ifdef __linux__

/* While it is not NULL: who is called instead of fsync(2), which fails then. */
static void (*instead_of_fsync)(void);

int fsync(int fd)
{
	if (instead_of_fsync == NULL)
		return (int)syscall(SYS_fsync, fd);
	instead_of_fsync();
	errno = EIO;
	return -1;
}

static void begin_another_part(void)
{
	folder_text(&folder, ".filed/pa", "another");
}

START_TEST(a_file_that_is_renamed_stays_though_its_directory_is_not_synced)
{
	struct memory_session client;

	configure("-w");
	begin(&client);
	begin_upload(&client, "a", 13, "1700000000", 0);
	memory_send(&client, hello, 13);
	instead_of_fsync = begin_another_part;
	ask(&client, "SUM -", "ERR internal a: stored, but perhaps not on disk\n");
	instead_of_fsync = NULL;
	ask(&client, "STAT a", "STAT F 13 1700000000 a\n");
	memory_close(&client);
	folder_expect_file(&folder, "a", hello, 13);
	folder_expect_file(&folder, ".filed/pa", "another", 7);
}
END_TEST

/* A second upload into the directory that the first has made, and not yet synced. */
static void upload_beside(void)
{
	static unsigned synced;
	struct memory_session client;

	if (synced++ > 0)
		return;
	begin(&client);
	begin_upload(&client, "d/second", 13, "1700000000", 0);
	memory_send(&client, hello, 13);
	send_text(&client, "SUM -\n");
	ck_assert_uint_ge(synced, 2);
	expect_refusal(&client, "ERR internal d/second: ");
	memory_close(&client);
}

START_TEST(no_file_is_done_while_its_directory_is_not_on_disk)
{
	struct memory_session client;

	configure("-w");
	begin(&client);
	begin_upload(&client, "d/first", 13, "1700000000", 0);
	memory_send(&client, hello, 13);
	instead_of_fsync = upload_beside;
	ask_and_be_refused(&client, "SUM -", "ERR internal d/first: ");
	ck_assert(!folder_has(&folder, "d/second"));
	instead_of_fsync = NULL;
	memory_close(&client);
	begin(&client);
	upload_text(&client, "d/first", hello);
	memory_close(&client);
}
END_TEST

/* What the file system makes of a time: while it is not NULL. */
static time_t (*kept_time)(time_t time);

int futimens(int fd, const struct timespec times[2])
{
	struct timespec kept[2] = { times[0], times[1] };

	if (kept_time != NULL)
		kept[1] = (struct timespec){ kept_time(times[1].tv_sec), 0 };
#if defined(SYS_utimensat_time64) && !defined(__LP64__) /* of 32 bits: _TIME_BITS is 64 */
	return (int)syscall(SYS_utimensat_time64, fd, NULL, kept, 0);
#else
	return (int)syscall(SYS_utimensat, fd, NULL, kept, 0);
#endif
}

static time_t until_2038(time_t time)
{
	return time > INT32_MAX ? INT32_MAX : time;
}

static time_t every_other_second(time_t time)
{
	return time - time % 2;
}

static time_t since_1980(time_t time)
{
	return time < 315532800 ? 315532800 : time;
}

START_TEST(a_time_that_is_not_kept_is_refused_before_the_bytes_come)
{
	struct memory_session client;

	configure("-S", "-w");
	folder_text(&folder, "a", "old");
	begin(&client);
	kept_time = until_2038;
	ask_and_be_refused(
		&client, "PUT a 13 2147483650",
		"ERR forbidden a: the server's file system cannot store this time");
	ask_and_be_refused(&client, "PUT b 13 253402300800", "ERR forbidden b: ");
	ask_and_be_refused(&client, "PUT b 13 9223372036854775806", "ERR forbidden b: ");
	kept_time = since_1980;
	ask_and_be_refused(&client, "PUT b 13 -9223372036854775806", "ERR forbidden b: ");
	ask_and_be_refused(&client, "PUT b 13 0", "ERR forbidden b: ");
	ck_assert_uint_eq(leftovers(), 0);
	folder_expect_file(&folder, "a", "old", 3);
	upload_text(&client, "a", hello);
	folder_expect_file(&folder, "a", hello, 13);
	memory_close(&client);
}
END_TEST

START_TEST(no_file_is_done_with_another_time_than_its_own)
{
	struct memory_session client;

	configure("-S", "-w");
	folder_text(&folder, "a", "old");
	begin(&client);
	begin_upload(&client, "a", 13, "2147483650", 0);
	memory_send(&client, hello, 13);
	kept_time = until_2038;
	ask_and_be_refused(&client, "SUM -", "ERR forbidden a: ");
	folder_expect_file(&folder, "a", "old", 3);
	ck_assert_uint_eq(leftovers(), 0);
	kept_time = every_other_second;
	begin_upload(&client, "a", 13, "1700000001.999999999", 0);
	memory_send(&client, hello, 13);
	ask(&client, "SUM -", "DONE 13 -\n");
	ask(&client, "STAT a", "STAT F 13 1700000000 a\n");
	memory_close(&client);
}
END_TEST

#endif

START_TEST(an_upload_without_a_sum_has_none)
{
	struct memory_session client;

	configure("-S", "-w");
	begin(&client);
	ask(&client, "PUT a 13 2 nosum", "SEND 0\n");
	memory_send(&client, hello, 13);
	ask_and_be_refused(&client, "SUM 1", "ERR bad-request ");
	ask(&client, "PUT a 13 2", "SEND 13\n"); /* now with one: all is read again */
	ask_and_be_refused(&client, "SUM 1", "ERR checksum a: ");
	ask(&client, "PUT a 13 2", "SEND 0\n");
	memory_send(&client, hello, 13);
	ask(&client, "SUM -", "DONE 13 -\n");
	memory_close(&client);
}
END_TEST

/* GIVEN a part of one client's file, WHEN another one puts a file of the same name, size and
 * time without a sum, THEN nothing of the part is in it. */
START_TEST(an_upload_without_a_sum_always_begins_anew)
{
	struct memory_session client;

	configure("-S");
	begin(&client);
	begin_upload(&client, "a", 13, "1", 0);
	send_text(&client, "OTHER");
	memory_close(&client);

	begin(&client);
	ask(&client, "PUT a 13 1 nosum", "SEND 0\n");
	memory_send(&client, hello, 5);
	memory_close(&client);
	begin(&client);
	ask(&client, "PUT a 13 1 nosum", "SEND 0\n");
	memory_send(&client, hello, 13);
	ask(&client, "SUM -", "DONE 13 -\n");
	folder_expect_file(&folder, "a", hello, 13);
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

/* GIVEN an upload that goes on, WHEN its sum is not told at the end, THEN it does not become
 * the file; what is here stays for one that tells it. */
START_TEST(an_upload_that_goes_on_must_tell_its_sum)
{
	struct memory_session client;

	configure("-S");
	begin(&client);
	begin_upload(&client, "a", 13, "1", 0);
	memory_send(&client, hello, 5);
	memory_close(&client);

	begin(&client);
	begin_upload(&client, "a", 13, "1", 5);
	memory_send(&client, hello + 5, 8);
	ask_and_be_refused(&client, "SUM -", "ERR bad-request ");
	ck_assert(!folder_has(&folder, "a"));
	begin_upload(&client, "a", 13, "1", 13);
	ask(&client, "SUM 1398783287", "DONE 13 1398783287\n");
	folder_expect_file(&folder, "a", hello, 13);
	memory_close(&client);
}
END_TEST

START_TEST(a_wrong_checksum_leaves_nothing)
{
	struct memory_session client;

	configure("-S");
	begin(&client);
	begin_upload(&client, "a", 13, "1", 0);
	memory_send_in_pieces(&client, hello, 13, 5);
	ask_and_be_refused(&client, "SUM 1", "ERR checksum a: ");
	ck_assert(!folder_has(&folder, "a"));
	ck_assert_uint_eq(leftovers(), 0);
	upload_text(&client, "a", hello);
	folder_expect_file(&folder, "a", hello, 13);
	memory_close(&client);
}
END_TEST

START_TEST(a_file_is_not_replaced)
{
	struct memory_session client;

	configure("-S");
	folder_text(&folder, "a", "old");
	folder_directory(&folder, "d");
	begin(&client);
	ask_and_be_refused(&client, "PUT a 13 1", "ERR exists a: ");
	ask_and_be_refused(&client, "PUT d 13 1", "ERR exists d: ");
	begin_upload(&client, "b", 13, "1", 0);
	folder_text(&folder, "b", "somebody else's");
	memory_send(&client, hello, 13);
	ask_and_be_refused(&client, "SUM -", "ERR exists b: ");
	folder_expect_file(&folder, "a", "old", 3);
	folder_expect_file(&folder, "b", "somebody else's", 15);
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(a_file_is_replaced_whole_if_that_is_allowed)
{
	struct memory_session client;

	configure("-S", "-w");
	folder_text(&folder, "a", "old");
	folder_directory(&folder, "d");
	begin(&client);
	begin_upload(&client, "a", 13, "1", 0);
	memory_send(&client, hello, 13);
	folder_expect_file(&folder, "a", "old", 3);
	end_upload(&client, hello, 13);
	folder_expect_file(&folder, "a", hello, 13);
	ask_and_be_refused(&client, "PUT d 13 1", "ERR forbidden d: ");
	begin_upload(&client, "e", 0, "1", 0);
	folder_directory(&folder, "e");
	ask_and_be_refused(&client, "SUM -", "ERR forbidden e: ");
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(of_two_uploads_of_one_name_one_is_answered_busy)
{
	struct memory_session first, second;

	configure("-S", "-w");
	begin(&first);
	begin(&second);
	begin_upload(&first, "a", 13, "1", 0);
	ask_and_be_refused(&second, "PUT a 13 1", "ERR busy a: ");
	ask_and_be_refused(&second, "PUT a 99 2", "ERR busy a: ");
	upload_text(&second, "b", "another name");
	memory_send(&first, hello, 13);
	ask_and_be_refused(&second, "PUT a 13 1", "ERR busy a: ");
	end_upload(&first, hello, 13);
	upload_text(&second, "a", "now it may");
	folder_expect_file(&folder, "a", "now it may", 10);
	begin_upload(&first, "c", 13, "1", 0);
	memory_close(&first);
	upload_text(&second, "c", "the other has left");
	memory_close(&second);
	ck_assert_uint_eq(leftovers(), 0);
}
END_TEST

START_TEST(anything_but_a_sum_behind_the_bytes_keeps_them_for_another_time)
{
	static const char *const lines[] = { "LIST", "SUM", "nonsense", "SUM x" };
	struct memory_session client;

	configure("-S", "-w");
	begin(&client);
	for (size_t i = 0; i < COUNT(lines); i++) {
		begin_upload(&client, "a", 13, "1", 0);
		memory_send(&client, hello, 13);
		ask_and_be_refused(&client, lines[i], "ERR bad-request ");
		ck_assert_uint_eq(leftovers(), 2);
		begin_upload(&client, "a", 13, "1", 13);
		end_upload(&client, hello, 13);
		ck_assert_uint_eq(leftovers(), 0);
	}
	ask_and_be_refused(&client, "SUM 1", "ERR bad-request ");
	memory_close(&client);
}
END_TEST

/* ---- uploads that are cut off ------------------------------------------------------------ */

START_TEST(an_upload_goes_on_from_wherever_it_was_cut_off)
{
	struct memory_session client;

	configure("-S", "-w");
	for (size_t cut = 0; cut <= 13; cut++) {
		cut_off_upload("a", hello, 13, cut);
		ck_assert_int_eq(folder_has(&folder, "a"), cut > 0);
		ck_assert_uint_eq(leftovers(), cut > 0 ? 2 : 0);
		begin(&client);
		begin_upload(&client, "a", 13, "1700000000", cut);
		memory_send_in_pieces(&client, hello + cut, 13 - cut, 4);
		end_upload(&client, hello, 13);
		folder_expect_file(&folder, "a", hello, 13);
		ck_assert_uint_eq(leftovers(), 0);
		memory_close(&client);
	}
}
END_TEST

START_TEST(an_upload_of_another_size_or_time_begins_anew)
{
	static const struct {
		size_t size;
		const char *mtime;
	} others[] = { { 12, "1700000000" },
		       { 14, "1700000000" },
		       { 13, "1700000001" },
		       { 13, "1700000000.000000001" } };
	struct memory_session client;

	configure("-S", "-w");
	for (size_t i = 0; i < COUNT(others); i++) {
		cut_off_upload("a", "HELLO, WORLD\n", 13, 7);
		begin(&client);
		begin_upload(&client, "a", others[i].size, others[i].mtime, 0);
		memory_send(&client, "hello, world\n\n", others[i].size);
		end_upload(&client, "hello, world\n\n", others[i].size);
		folder_expect_file(&folder, "a", "hello, world\n\n", others[i].size);
		ck_assert_uint_eq(leftovers(), 0);
		memory_close(&client);
	}
}
END_TEST

/* What begins anew and is cut off again must not be taken for what was there before. */
START_TEST(a_part_is_never_taken_for_another_one)
{
	struct memory_session client;

	configure("-S");
	cut_off_upload("a", "HELLO, WORLD\n", 13, 7);
	begin(&client);
	begin_upload(&client, "a", 13, "5", 0);
	memory_send(&client, hello, 3);
	memory_close(&client);
	begin(&client);
	begin_upload(&client, "a", 13, "1700000000", 0);
	memory_close(&client);
	ck_assert_uint_eq(leftovers(), 0);
}
END_TEST

START_TEST(a_part_that_was_changed_is_found_by_the_sum)
{
	struct memory_session client;

	configure("-S");
	cut_off_upload("a", hello, 13, 7);
	folder_text(&folder, ".filed/pa", "HELLO, ");
	begin(&client);
	begin_upload(&client, "a", 13, "1700000000", 7);
	memory_send(&client, hello + 7, 6);
	ask_and_be_refused(&client, "SUM 1", "ERR checksum a: ");
	ck_assert(!folder_has(&folder, "a"));
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(a_long_part_is_read_again_in_turns)
{
	struct memory_session client;
	size_t cut = BIG - 5;

	configure("-S");
	fill_pattern(big, BIG, 3);
	cut_off_upload("big", big, BIG, cut);
	begin(&client);
	send_text(&client, "PUT big 9437189 1700000000\n");
	expect(&client, "");
	ck_assert(client.session.busy);
	memory_advance(&client, 1);
	expect(&client, "");
	memory_advance(&client, 10);
	expect(&client, "SEND 9437184\n");
	memory_send(&client, big + cut, 5);
	end_upload(&client, big, BIG);
	ck_assert(!client.session.busy);
	folder_expect_file(&folder, "big", big, BIG);
	memory_close(&client);
}
END_TEST

static void make_old(const char *name, time_t age)
{
	struct timespec times[2] = { { time(NULL) - age, 0 }, { time(NULL) - age, 0 } };

	ck_assert_int_eq(utimensat(folder.fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* Nobody can set the time of a change of status: the parts are older than they may be when
 * that is less than no time. */
static void look_for_parts_of(int64_t part_life, bool at_start)
{
	struct failure failure = { .text = "" };

	file_store.part_life = part_life;
	atomic_store(&file_store.shared->expire_at, 0); /* a minute goes by */
	if (at_start) {
		forget_directory();
		ck_assert_msg(file_store_open(&file_store, folder.path, &failure) == 0,
			      "%s", failure.text);
		file_upload_expire(&file_store);
	}
}

START_TEST(parts_are_removed_when_they_are_old)
{
	struct memory_session client, other;

	configure("-S", "-E", "1");
	cut_off_upload("old", hello, 13, 7);
	begin(&client);
	begin(&other);
	begin_upload(&client, "used", 13, "1700000000", 0);
	memory_send(&client, hello, 7);
	folder_link(&folder, ".filed/slost", "13 1");
	file_store.part_life = -DAY;
	begin_upload(&other, "other", 13, "1700000000", 0);
	ck_assert(folder_has(&folder, ".filed/pold")); /* somebody has just looked */
	memory_close(&other);
	look_for_parts_of(-DAY, _i == 1);
	begin(&other);
	begin_upload(&other, "other", 13, "1700000000", 0);
	ck_assert(!folder_has(&folder, ".filed/pold"));
	ck_assert(folder_has(&folder, ".filed/pused"));
	memory_close(&other);
	ck_assert_uint_eq(leftovers(), 2);
	memory_send(&client, hello + 7, 6);
	end_upload(&client, hello, 13);
	memory_close(&client);
	begin(&client);
	begin_upload(&client, "old", 13, "1700000000", 0);
	memory_close(&client);
}
END_TEST

/* A part that is whole has the client's time before it has its name. */
START_TEST(a_part_is_as_old_as_its_last_change_and_not_as_its_file)
{
	struct memory_session client;

	configure("-S", "-E", "1");
	cut_off_upload("a", hello, 13, 7);
	make_old(".filed/pa", 400 * DAY);
	look_for_parts_of(3600, _i == 1);
	begin(&client);
	begin_upload(&client, "b", 0, "1700000000", 0);
	end_upload(&client, "", 0);
	begin_upload(&client, "a", 13, "1700000000", 7);
	memory_close(&client);
}
END_TEST

/* As after a kill between link and unlink, or by a local user. */
START_TEST(a_part_that_is_a_file_already_is_not_written_to)
{
	struct memory_session client;

	configure("-S", "-w");
	folder_text(&folder, "f", hello);
	ck_assert_int_eq(linkat(folder.fd, "f", folder.fd, ".filed/pf", 0), 0);
	folder_link(&folder, ".filed/sf", _i == 0 ? "99 1" : "26 1700000000");
	begin(&client);
	begin_upload(&client, "f", 26, "1700000000", 0);
	memory_send(&client, "XY", 2);
	folder_expect_file(&folder, "f", hello, 13);
	memory_close(&client);
	folder_expect_file(&folder, "f", hello, 13);
	begin(&client);
	begin_upload(&client, "f", 26, "1700000000", 2);
	memory_close(&client);
}
END_TEST

/* ---- room -------------------------------------------------------------------------------- */

START_TEST(a_file_that_is_too_long_is_refused_before_it_comes)
{
	struct memory_session client;

	configure("-S", "-M", "13");
	begin(&client);
	ask_and_be_refused(&client, "PUT a 14 1", "ERR too-large a: ");
	ask_and_be_refused(&client, "PUT a 9223372036854775807 1", "ERR too-large a: ");
	upload_text(&client, "a", hello);
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(a_file_that_no_disk_has_room_for_is_refused)
{
	struct memory_session client;

	configure("-S");
	begin(&client);
	ask_and_be_refused(&client, "PUT a 9223372036854775807 1", "ERR no-space a: ");
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(what_is_there_counts_however_the_directory_is_named)
{
	static const char *const endings[] = { "", "/", "/.", "//" };
	struct failure failure = { .text = "" };
	struct memory_session client;
	char link[TEXT];

	folder_link(&folder, "link", folder.path);
	snprintf(link, sizeof link, "%s/link%s", folder.path, endings[_i]);
	folder_directory(&folder, "d");
	folder_text(&folder, "d/a", "0123456789");
	configure("-S", "-E", "1");
	cut_off_upload("old", hello, 13, 7);
	configure_with(
		(const char *const[]){ "-r", link, "-S", "-Q", "30", "-E", "1", NULL });
	begin(&client);
	ask_and_be_refused(&client, "PUT b 14 1", "ERR no-space b: ");
	upload_text(&client, "b", hello); /* 30 */
	memory_close(&client);
	file_store.part_life = -DAY;
	forget_directory();
	ck_assert_int_eq(file_store_open(&file_store, link, &failure), 0);
	file_upload_expire(&file_store);
	ck_assert_uint_eq(leftovers(), 0);
	begin(&client);
	ask_and_be_refused(&client, "PUT c 8 1", "ERR no-space c: ");
	memory_close(&client);
}
END_TEST

START_TEST(the_quota_is_for_all_files_and_parts)
{
	struct memory_session client, other;

	folder_directory(&folder, "d");
	folder_text(&folder, "d/a", "0123456789");
	configure("-S", "-w", "-Q", "30");
	begin(&client);
	begin(&other);
	ask_and_be_refused(&client, "PUT b 21 1", "ERR no-space b: ");
	upload_text(&client, "b", hello); /* 23 */
	ask_and_be_refused(&client, "PUT c 8 1", "ERR no-space c: ");
	cut_off_upload("c", "1234567", 7, 3); /* 26 */
	ask_and_be_refused(&client, "PUT d/e 5 1", "ERR no-space d/e: ");
	begin_upload(&client, "c", 7, "1700000000", 3);
	memory_send(&client, "4567", 4);
	end_upload(&client, "1234567", 7); /* 30 */
	upload_text(&client, "d/a", "");   /* 20 */
	begin_upload(&client, "e", 10, "1", 0);
	begin_upload(&other, "f", 10, "1", 0);
	memory_send(&client, "12345", 5);
	memory_send(&other, "123456", 6);
	expect_refusal(&other, "ERR no-space f: ");
	ck_assert(memory_finished(&other));
	memory_close(&other);
	memory_send(&client, "67890", 5);
	end_upload(&client, "1234567890", 10);
	ck_assert(!folder_has(&folder, "f"));
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

/* given: a quota, and .filed removed during an upload; when: .filed is created again for another
 * upload, or not, and the first upload ends, or is cut off; then: its bytes do not count any more */
START_TEST(bytes_of_a_part_that_was_removed_do_not_count)
{
	bool again = _i & 1, cut = _i & 2;
	struct memory_session client, other;

	configure("-S", "-Q", "30");
	begin(&client);
	begin(&other);
	begin_upload(&client, "a", 20, "1", 0);
	memory_send(&client, "12345", 5);
	folder_remove_path(folder_path(&folder, ".filed"));
	if (again)
		upload_text(&other, "b", "1");
	memory_send(&client, "1234567890", 10);
	if (!cut) {
		memory_send(&client, "12345", 5);
		send_text(&client, "SUM 1\n");
	}
	memory_close(&client);
	begin_upload(&other, "c", again ? 29 : 30, "1", 0);
	memory_close(&other);
}
END_TEST

/* ---- downloads --------------------------------------------------------------------------- */

START_TEST(a_file_is_sent_from_any_offset_with_its_whole_sum)
{
	struct memory_session client;
	char line[TEXT], reply[TEXT];

	configure("-S");
	begin(&client);
	upload_text(&client, "a", hello);
	for (unsigned offset = 0; offset <= 13; offset++) {
		snprintf(line, sizeof line, "GET a %u", offset);
		snprintf(reply, sizeof reply, "FILE 13 1700000000\n%sSUM %u\n",
			 hello + offset, sum_of(hello, 13));
		ask(&client, line, reply);
		snprintf(line, sizeof line, "GET a %u nosum\nSTAT a", offset);
		snprintf(reply, sizeof reply,
			 "FILE 13 1700000000\n%sSUM -\nSTAT F 13 1700000000 a\n",
			 hello + offset);
		ask(&client, line, reply);
	}
	ask_and_be_refused(&client, "GET a 14", "ERR bad-request a: ");
	memory_close(&client);
}
END_TEST

START_TEST(what_cksum_prints_is_the_sum)
{
	struct memory_session client;

	configure("-S");
	folder_text(&folder, "a", "123456789"); /* POSIX's own check value */
	begin(&client);
	send_text(&client, "GET a\n");
	ck_assert_ptr_nonnull(strstr(memory_heard(&client, NULL), "SUM 930766865\n"));
	memory_close(&client);
}
END_TEST

static void expect_big(struct memory_session *client, size_t offset)
{
	char ending[TEXT];
	const char *heard, *body;
	size_t n;

	for (int i = 0; i < 1000 && (memory_drain(client) || i < 20); i++)
		memory_advance(client, 1);
	heard = memory_heard(client, &n);
	ck_assert_msg(strncmp(heard, "FILE 9437189 ", 13) == 0, "%.40s", heard);
	body = strchr(heard, '\n') + 1;
	snprintf(ending, sizeof ending, "SUM %u\nBYE\n", sum_of(big, BIG));
	ck_assert_uint_eq(n, (size_t)(body - heard) + BIG - offset + strlen(ending));
	ck_assert_mem_eq(body, big + offset, BIG - offset);
	ck_assert_str_eq(body + BIG - offset, ending);
}

START_TEST(a_long_file_is_sent_in_pieces_and_what_is_asked_behind_it_waits)
{
	static const struct {
		const char *line;
		size_t offset;
	} asked[] = { { "GET big\nQUIT\n", 0 }, { "GET big 9000000\nQUIT\n", 9000000 } };
	struct memory_session client;

	configure("-S");
	fill_pattern(big, BIG, 3);
	folder_file(&folder, "big", big, BIG);
	begin(&client);
	send_text(&client, asked[_i].line);
	ck_assert_uint_lt(client.length, 1024 * 1024);
	expect_big(&client, asked[_i].offset);
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(no_more_is_read_of_a_file_than_the_client_takes)
{
	struct memory_session client;

	configure("-S");
	fill_pattern(big, BIG, 3);
	folder_file(&folder, "big", big, BIG);
	memory_open_full(&client, &file_service, 0);
	send_text(&client, "GET big\n");
	send_text(&client, "QUIT\n");
	for (size_t taken = 0; taken < 5 * 65536; taken += 10000) {
		ck_assert_uint_le(client.length, taken + 2 * 65536 + 100);
		memory_take(&client, 10000);
	}
	memory_take(&client, BIG * 2);
	expect_big(&client, 0);
	memory_close(&client);
}
END_TEST

START_TEST(a_file_that_shrinks_while_it_is_sent_ends_the_conversation)
{
	struct memory_session client;

	configure("-S");
	folder_file(&folder, "big", big, BIG);
	memory_open_full(&client, &file_service, 0);
	send_text(&client, "GET big\n");
	ck_assert_int_eq(truncate(folder_path(&folder, "big"), 100), 0);
	memory_take(&client, BIG * 2);
	ck_assert(memory_finished(&client));
	ck_assert_uint_lt(client.length, BIG);
	memory_close(&client);
}
END_TEST

START_TEST(a_client_that_half_closes_gets_what_it_asked_for)
{
	struct memory_session client;
	char ending[TEXT];

	configure("-S");
	fill_pattern(big, BIG, 3);
	snprintf(ending, sizeof ending, "%u\n", sum_of(big, BIG));
	memmove(ending, ending + strlen(ending) - 4, 4);
	folder_file(&folder, "big", big, BIG);
	begin(&client);
	send_text(&client, _i == 0 ? "GET big\n" : "GET big\nQUIT\n");
	memory_half_close(&client);
	ck_assert(!memory_finished(&client));
	for (int i = 0; i < 1000 && !memory_finished(&client); i++) {
		memory_drain(&client);
		memory_advance(&client, 1);
	}
	ck_assert(memory_finished(&client));
	ck_assert_mem_eq(client.output + client.length - 4, _i == 0 ? ending : "BYE\n",
			 4);
	memory_close(&client);
}
END_TEST

/* ---- names, lists ------------------------------------------------------------------------ */

START_TEST(what_is_no_file_of_the_directory_is_not_served)
{
	static const struct {
		const char *name, *code;
	} names[] = {
		{ "nothing", "not-found" },     { "a/b", "not-found" },
		{ "nothing/b", "not-found" },   { "link", "forbidden" },
		{ "out", "forbidden" },         { "out/passwd", "forbidden" },
		{ "fifo", "forbidden" },        { "socket", "forbidden" },
		{ "../x", "bad-request" },      { "/etc/passwd", "bad-request" },
		{ ".hidden", "bad-request" },   { ".filed/pa", "bad-request" },
		{ "d/../a", "bad-request" },    { "d//a", "bad-request" },
		{ "\"a\\nb\"", "bad-request" }, { "a\xff", "bad-request" },
		{ "a\x01", "bad-request" },
	};
	static const char *const commands[] = { "GET %s", "STAT %s", "LIST %s",
						"PUT %s/x 1 1" };
	struct memory_session client;
	char line[TEXT], code[TEXT];

	folder_text(&folder, "a", "a");
	folder_directory(&folder, "d");
	folder_text(&folder, ".hidden", "hidden");
	folder_link(&folder, "link", "a");
	folder_link(&folder, "out", "/etc");
	folder_fifo(&folder, "fifo");
	folder_socket(&folder, "socket");
	configure("-S", "-w");
	begin(&client);
	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t j = 0; j < COUNT(commands); j++) {
			if (j >= 2 && strcmp(names[i].code, "bad-request") != 0)
				continue;
			snprintf(line, sizeof line, commands[j], names[i].name);
			snprintf(code, sizeof code, "ERR %s ", names[i].code);
			ask_and_be_refused(&client, line, code);
		}
	ask_and_be_refused(&client, "GET d", "ERR forbidden d: ");
	ask_and_be_refused(&client, "LIST a", "ERR not-found a: ");
	ask_and_be_refused(&client, "LIST out", "ERR ");
	ask_and_be_refused(&client, "PUT link 1 1", "ERR forbidden link: ");
	ask_and_be_refused(&client, "PUT out/x 1 1", "ERR forbidden out/x: ");
	ask_and_be_refused(&client, "PUT a/x 1 1", "ERR forbidden a/x: ");
	ask_and_be_refused(&client, "PUT fifo 1 1", "ERR forbidden fifo: ");
	ck_assert_uint_eq(leftovers(), 0);
	memory_close(&client);
}
END_TEST

START_TEST(a_list_is_sorted_and_has_what_can_be_asked_for)
{
	struct memory_session client;

	configure("-S");
	folder_text(&folder, "b c", "12");
	folder_text(&folder, "B", "1");
	folder_text(&folder, "a\"\\", "");
	folder_text(&folder, ".hidden", "");
	folder_text(&folder, "new\nline", "");
	folder_text(&folder, "latin-\xe9", "");
	folder_link(&folder, "link", "B");
	folder_fifo(&folder, "fifo");
	folder_directory(&folder, "d");
	folder_text(&folder, "d/caf\xc3\xa9", "123");
	for (size_t i = 0; i < 4; i++)
		make_old((const char *const[]){ "b c", "B", "a\"\\", "d/caf\xc3\xa9" }[i],
			 time(NULL) - 100);
	make_old("d", time(NULL) - 100);
	begin(&client);
	ask(&client, "LIST",
	    "ENTRIES 4\nF 1 100 B\nF 0 100 \"a\\\"\\\\\"\nF 2 100 \"b c\"\nD - 100 d\n");
	ask(&client, "LIST d", "ENTRIES 1\nF 3 100 caf\xc3\xa9\n");
	ask(&client, "STAT \"a\\\"\\\\\"", "STAT F 0 100 \"a\\\"\\\\\"\n");
	ask(&client, "STAT d", "STAT D - 100 d\n");
	ask(&client, "STAT d/caf\xc3\xa9", "STAT F 3 100 d/caf\xc3\xa9\n");
	memory_close(&client);
}
END_TEST

START_TEST(a_long_list_comes_in_pieces)
{
	struct memory_session client;
	char name[TEXT];
	size_t n, lines = 0;
	const char *heard;

	configure("-S");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "n%05d", i);
		if (i == 0)
			folder_text(&folder, name, "");
		else
			ck_assert_int_eq(linkat(folder.fd, "n00000", folder.fd, name, 0),
					 0);
	}
	begin(&client);
	send_text(&client, "LIST\nQUIT\n");
	expect(&client, "");
	for (int i = 0; i < 100 && !memory_finished(&client); i++) {
		memory_advance(&client, 1);
		memory_drain(&client);
	}
	heard = memory_heard(&client, &n);
	ck_assert_int_eq(strncmp(heard, "ENTRIES 5000\nF 0 ", 17), 0);
	for (size_t i = 0; i < n; i++)
		lines += heard[i] == '\n';
	ck_assert_uint_eq(lines, 5002);
	ck_assert_str_eq(heard + n - 11, "n04999\nBYE\n");
	memory_close(&client);
}
END_TEST

static void get_list(struct memory_session *client, size_t room)
{
	memory_open_full(client, &file_service, room);
	send_text(client, "LIST\n");
	for (int i = 0; i < 2 * MANY / FILE_LIST_TURN; i++)
		memory_advance(client, 1);
}

static void make_many(int count)
{
	char name[TEXT];

	folder_text(&folder, "one", "");
	for (int i = 1; i < count; i++) { /* 251 bytes, the longest part but four */
		snprintf(name, sizeof name, "%0251d", i);
		ck_assert_int_eq(linkat(folder.fd, "one", folder.fd, name, 0), 0);
	}
}

static bool is_list(struct memory_session *client)
{
	return strncmp(memory_heard(client, NULL), "ENTRIES ", 8) == 0;
}

/* Long ones and those of 1024 entries; the memory that the names alone take is counted. */
START_TEST(lists_that_nobody_reads_have_a_limit_together)
{
	static struct memory_session clients[1000], client;
	const size_t entries = _i == 0 ? MANY : 1024, most = FILE_LISTINGS_MOST;
	size_t count = 0;

	configure("-S");
	make_many((int)entries);
	folder_directory(&folder, "short");
	for (int i = 0; i < 50; i++) {
		char name[TEXT];

		snprintf(name, sizeof name, "short/%0200d", i);
		folder_text(&folder, name, "");
	}
	do
		get_list(&clients[count], 0);
	while (is_list(&clients[count++]) && count < COUNT(clients));
	ck_assert_uint_lt(count * entries * 251, most);
	ck_assert_uint_gt(count * entries * 251, most / 2);
	get_list(&client, MEMORY_ROOM);
	expect_refusal(&client, "ERR busy ");
	send_text(&client, "LIST short\n");
	ck_assert_int_eq(strncmp(memory_heard(&client, NULL), "ENTRIES 50\n", 11), 0);
	memory_close(&client);
	for (size_t i = 0; i < count; i++)
		memory_close(&clients[i]);
	get_list(&client, MEMORY_ROOM);
	ck_assert(is_list(&client));
	memory_close(&client);
}
END_TEST

/* ---- the conversation -------------------------------------------------------------------- */

START_TEST(the_pieces_in_which_requests_come_make_no_difference)
{
	static const char script[] =
		"put \"a b\" 13 1\r\nhello, world\nSUM 1398783287\nSTAT \"a "
		"b\"\nnonsense\n"
		"PUT c 3 1\nabcSUM -\nGET \"a b\" 7\nGET c nosum\nGET none\n\n"
		"LIST\nPUT d 0 5\nSUM 4294967295\nQUIT\nSTAT c\n";
	static const char transcript[] =
		"SEND 0\nDONE 13 1398783287\nSTAT F 13 1 \"a b\"\n"
		"ERR bad-request command \"nonsense\": unknown (HELP lists the "
		"commands)\n"
		"SEND 0\nDONE 3 -\nFILE 13 1\nworld\nSUM 1398783287\n"
		"FILE 3 1\nabcSUM -\nERR not-found none: No such file or directory\n"
		"ERR bad-request empty line (HELP lists the commands)\n"
		"ENTRIES 2\nF 13 1 \"a b\"\nF 3 1 c\n"
		"SEND 0\nDONE 0 4294967295\nBYE\n";
	struct memory_session client;

	configure("-S", "-w");
	for (size_t piece = 1; piece < sizeof script; piece++) {
		begin(&client);
		for (size_t sent = 0;
		     sent < sizeof script - 1 && !memory_finished(&client);
		     sent += piece) {
			size_t left = sizeof script - 1 - sent;

			memory_send(&client, script + sent, piece < left ? piece : left);
			while (memory_drain(&client))
				;
			memory_advance(&client, 2);
		}
		expect(&client, transcript);
		ck_assert(memory_finished(&client));
		memory_close(&client);
		ck_assert_int_eq(unlinkat(folder.fd, "d", 0), 0);
		ck_assert_int_eq(unlinkat(folder.fd, "c", 0), 0);
	}
}
END_TEST

/* What a client sends in one piece, again and again, and how many of it are a turn. */
static const struct {
	const char *request;
	unsigned times, turn;
} floods[] = {
	{ "STAT none\n", 330, 32 },       { "\n", 330, 32 },
	{ "GET e nosum\n", 330, 32 },     { "GET one nosum\n", 330, 32 },
	{ "GET big 4194304\n", 8, 1 },    { "LIST d\n", 20, 1 },
	{ "PUT q 1 0\nxSUM -\n", 20, 1 },
};

START_TEST(of_many_requests_in_one_piece_only_some_are_a_turn)
{
	char piece[64 * 330], *end = piece;
	struct memory_session client;
	const char *heard;
	unsigned answers = 0, waited = 0;

	configure("-S", "-w");
	folder_text(&folder, "e", "");
	folder_text(&folder, "one", "1");
	folder_directory(&folder, "d");
	fill_pattern(big, BIG, 3);
	folder_file(&folder, "big", big, FILE_SUM_TURN);
	for (unsigned i = 0; i < floods[_i].times; i++)
		end = stpcpy(end, floods[_i].request);
	memcpy(end, "QUIT\n", 5);
	begin(&client);
	memory_send(&client, piece, (size_t)(end - piece) + 5);
	for (; waited < 1000 && !memory_finished(&client); waited++) {
		memory_advance(&client, 1);
		memory_drain(&client);
	}
	heard = memory_heard(&client, NULL);
	for (const char *at = heard; (at = strchr(at, '\n')) != NULL; at++)
		answers++;
	ck_assert_uint_ge(answers, floods[_i].times + 1);
	ck_assert_str_eq(heard + strlen(heard) - 4, "BYE\n");
	ck_assert_uint_ge(client.yielded + waited,
			  floods[_i].times / floods[_i].turn - 1);
	memory_close(&client);
}
END_TEST

START_TEST(a_name_may_have_32_parts)
{
	struct memory_session client;

	configure("-S");
	begin(&client);
	upload_text(&client,
		    "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/"
		    "24/25/26/27/28/29/30/31/32",
		    hello);
	ask_and_be_refused(&client,
			   "PUT 1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/"
			   "23/24/25/26/27/28/29/30/31/32/33 1 1",
			   "ERR bad-request name \"1/2/3/");
	memory_close(&client);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_skipped_to_its_end)
{
	static char line[20000];
	struct memory_session client;

	configure("-S");
	memset(line, 'a', sizeof line);
	begin(&client);
	memory_send(&client, line, sizeof line);
	expect(&client, "");
	ask(&client, "", "ERR bad-request line longer than 8192 bytes\n");
	ask_and_be_refused(&client, "STAT a", "ERR not-found a: ");
	memory_close(&client);
}
END_TEST

START_TEST(a_line_without_end_is_not_obeyed)
{
	struct memory_session client;

	configure("-S");
	folder_text(&folder, "a", "a");
	begin(&client);
	send_text(&client, "STAT a");
	memory_half_close(&client);
	expect(&client, "ERR bad-request incomplete line: no newline\n");
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(help_and_quit)
{
	struct memory_session client;
	const char *heard;
	unsigned lines = 0;

	configure("-S");
	begin(&client);
	send_text(&client, "HELP\n");
	heard = memory_heard(&client, NULL);
	ck_assert_int_eq(strncmp(heard, "HELP 7\n", 7), 0);
	for (; *heard != '\0'; heard++)
		lines += *heard == '\n';
	ck_assert_uint_eq(lines, 8);
	ask(&client, "quit", "BYE\n");
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(a_directory_must_be_given_and_be_there)
{
	struct failure failure;

	ck_assert_int_eq(try_to_configure((const char *const[]){ NULL }, &failure), -1);
	ck_assert_str_eq(failure.text, "no directory to serve: use -r DIR");
	ck_assert_int_eq(
		try_to_configure((const char *const[]){ "-r", "/nowhere\n", NULL },
				 &failure),
		-1);
	ck_assert_str_eq(failure.text,
			 "cannot serve '/nowhere\\n': No such file or directory");
	ck_assert_int_eq(
		try_to_configure((const char *const[]){ "-r", "/", "-E", "x", NULL },
				 &failure),
		-1);
	expect_match(failure.text, "^-E, --expire: 'x' ");
}
END_TEST

Suite *suite_file(void)
{
	Suite *suite = suite_create("file");
	TCase *tcase = add_case(suite, "uploads");

	big = much_memory(BIG);
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, an_upload_is_a_file_with_its_content_and_time);
	tcase_add_test(tcase, an_empty_file_is_a_file);
	tcase_add_test(tcase, missing_directories_are_made);
	tcase_add_test(tcase, an_upload_without_a_sum_has_none);
	tcase_add_test(tcase, an_upload_without_a_sum_always_begins_anew);
	tcase_add_test(tcase, an_upload_that_goes_on_must_tell_its_sum);
	tcase_add_test(tcase, a_wrong_checksum_leaves_nothing);
#ifdef __linux__
	tcase_add_test(tcase,
		       a_file_that_is_renamed_stays_though_its_directory_is_not_synced);
	tcase_add_test(tcase, no_file_is_done_while_its_directory_is_not_on_disk);
	tcase_add_test(tcase, a_time_that_is_not_kept_is_refused_before_the_bytes_come);
	tcase_add_test(tcase, no_file_is_done_with_another_time_than_its_own);
#endif
	tcase_add_test(tcase, a_file_is_not_replaced);
	tcase_add_test(tcase, a_file_is_replaced_whole_if_that_is_allowed);
	tcase_add_test(tcase, of_two_uploads_of_one_name_one_is_answered_busy);
	tcase_add_test(tcase,
		       anything_but_a_sum_behind_the_bytes_keeps_them_for_another_time);
	tcase = add_case(suite, "uploads that are cut off");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, an_upload_goes_on_from_wherever_it_was_cut_off);
	tcase_add_test(tcase, an_upload_of_another_size_or_time_begins_anew);
	tcase_add_test(tcase, a_part_is_never_taken_for_another_one);
	tcase_add_test(tcase, a_part_that_was_changed_is_found_by_the_sum);
	tcase_add_test(tcase, a_long_part_is_read_again_in_turns);
	tcase_add_loop_test(tcase, parts_are_removed_when_they_are_old, 0, 2);
	tcase_add_loop_test(
		tcase, a_part_is_as_old_as_its_last_change_and_not_as_its_file, 0, 2);
	tcase_add_loop_test(tcase, a_part_that_is_a_file_already_is_not_written_to, 0, 2);
	tcase = add_case(suite, "room");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, a_file_that_is_too_long_is_refused_before_it_comes);
	tcase_add_test(tcase, a_file_that_no_disk_has_room_for_is_refused);
	tcase_add_loop_test(tcase, what_is_there_counts_however_the_directory_is_named, 0,
			    4);
	tcase_add_test(tcase, the_quota_is_for_all_files_and_parts);
	tcase_add_loop_test(tcase, bytes_of_a_part_that_was_removed_do_not_count, 0, 4);
	tcase = add_case(suite, "downloads");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, a_file_is_sent_from_any_offset_with_its_whole_sum);
	tcase_add_test(tcase, what_cksum_prints_is_the_sum);
	tcase_add_loop_test(
		tcase, a_long_file_is_sent_in_pieces_and_what_is_asked_behind_it_waits, 0,
		2);
	tcase_add_test(tcase, no_more_is_read_of_a_file_than_the_client_takes);
	tcase_add_test(tcase, a_file_that_shrinks_while_it_is_sent_ends_the_conversation);
	tcase_add_loop_test(tcase, a_client_that_half_closes_gets_what_it_asked_for, 0,
			    2);
	tcase = add_case(suite, "names and lists");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, what_is_no_file_of_the_directory_is_not_served);
	tcase_add_test(tcase, a_list_is_sorted_and_has_what_can_be_asked_for);
	tcase_add_test(tcase, a_long_list_comes_in_pieces);
	tcase_add_loop_test(tcase, lists_that_nobody_reads_have_a_limit_together, 0,
			    SANITIZED ? 1 : 2); /* the same code, with other numbers */
	tcase = add_case(suite, "the conversation");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, the_pieces_in_which_requests_come_make_no_difference);
	tcase_add_loop_test(tcase, of_many_requests_in_one_piece_only_some_are_a_turn, 0,
			    (int)COUNT(floods));
	tcase_add_test(tcase, a_name_may_have_32_parts);
	tcase_add_test(tcase, a_line_that_is_too_long_is_skipped_to_its_end);
	tcase_add_test(tcase, a_line_without_end_is_not_obeyed);
	tcase_add_test(tcase, help_and_quit);
	tcase_add_test(tcase, a_directory_must_be_given_and_be_there);
	return suite;
}
