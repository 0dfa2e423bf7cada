/*
 * filed as its users meet it, in every model: clients that are cut off, servers that are
 * killed, disks that are full. What it says byte by byte is in test_file.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include "common/checksum.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "tests/fixture/crowd.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum {
	KIB = 1024,
	BIG = 3000 * KIB,
	TEXT = 512,
	NOBODY = 65534,
};

#define GIB 1073741824ull

static struct folder folder;
static char *big;
static uint32_t big_sum;

static uint32_t sum_of(const void *bytes, size_t n)
{
	struct checksum sum = { 0 };

	checksum_add(&sum, bytes, n);
	return checksum_value(&sum);
}

static void make(void)
{
	folder_create(&folder);
	fill_pattern(big, BIG, 8);
	big_sum = sum_of(big, BIG);
}

static void clear(void)
{
	folder_remove(&folder);
}

/* A line of the server's, without its end. */
static const char *hear_line(int fd)
{
	static char line[TEXT];
	size_t length = 0;

	do {
		ck_assert_uint_lt(length, sizeof line - 1);
		ck_assert_msg(io_read(fd, line + length, 1) == 1, "no line: %s",
			      strerror(errno));
	} while (line[length++] != '\n');
	line[length - 1] = '\0';
	return line;
}

static void expect_refusal(int fd, const char *beginning)
{
	const char *line = hear_line(fd);

	ck_assert_msg(strncmp(line, beginning, strlen(beginning)) == 0, "'%s', not '%s'",
		      line, beginning);
}

/* Asks to send the big file. It may take a moment until one who was cut off or killed has let
 * go of it. @return from where on */
static size_t begin_big(int fd, const char *name)
{
	int64_t end = clock_milliseconds() + WAIT_MS;
	char line[TEXT];
	const char *reply;

	snprintf(line, sizeof line, "PUT %s %d 1700000000\n", name, BIG);
	do {
		client_say(fd, line);
		reply = hear_line(fd);
	} while (strncmp(reply, "ERR busy ", 9) == 0 && clock_milliseconds() < end);
	ck_assert_msg(strncmp(reply, "SEND ", 5) == 0, "'%s'", reply);
	return strtoul(reply + 5, NULL, 10);
}

static void end_big(int fd)
{
	char line[TEXT];

	snprintf(line, sizeof line, "SUM %u\n", big_sum);
	client_say(fd, line);
	snprintf(line, sizeof line, "DONE %d %u\n", BIG, big_sum);
	client_hear(fd, line);
}

static void upload_big(int fd, const char *name, size_t expected_offset)
{
	size_t offset = begin_big(fd, name);

	ck_assert_uint_eq(offset, expected_offset);
	client_send(fd, big + offset, BIG - offset);
	end_big(fd);
}

static void upload_small(int fd, const char *name)
{
	char line[TEXT];

	snprintf(line, sizeof line, "PUT %s 5 1\n", name);
	client_say(fd, line);
	client_hear(fd, "SEND 0\n");
	client_say(fd, "smallSUM -\n");
	client_hear(fd, "DONE 5 -\n");
}

/* Whether so much has come of the big file, under the name a. */
static bool half_is_there(void *context)
{
	struct stat status;

	(void)context;
	return stat(folder_path(&folder, ".filed/pa"), &status) == 0 &&
	       status.st_size >= BIG / 2;
}

static int send_half(const struct server *server)
{
	int fd = client_connect(server);

	ck_assert_uint_eq(begin_big(fd, "a"), 0);
	client_send(fd, big, BIG / 2);
	ck_assert(eventually(half_is_there, NULL, WAIT_MS));
	return fd;
}

/* The other half, from another client. */
static void send_other_half(const struct server *server)
{
	int fd = client_connect(server);

	ck_assert(!folder_has(&folder, "a"));
	upload_big(fd, "a", BIG / 2);
	folder_expect_file(&folder, "a", big, BIG);
	client_close(fd);
}

static struct server start(int model)
{
	return model_start(model, "file", ARGUMENTS("-q", "-w", "-r", folder.path));
}

/* One that finds its directory again after another one has taken its place. */
static struct server start_without_sandbox(int model)
{
	return model_start(model, "file",
			   ARGUMENTS("-q", "-w", "--no-sandbox", "-r", folder.path));
}

static struct server start_prepared(int model, void (*prepare)(void *), int workers)
{
	const struct server_setup setup = {
		.program = model_program(model, "file"),
		.options = model_options_for(
			model, ARGUMENTS("-q", "-w", "-r", folder.path), workers),
		.prepare = prepare,
	};

	return server_start_with(&setup);
}

/* ---- files there and back ---------------------------------------------------------------- */

START_TEST(a_file_comes_back_as_it_was_sent)
{
	struct server server = start(_i);
	int fd = client_connect(&server);
	char line[TEXT];

	upload_big(fd, "a", 0);
	folder_expect_file(&folder, "a", big, BIG);
	client_say(fd, "GET a\n");
	snprintf(line, sizeof line, "FILE %d 1700000000\n", BIG);
	client_hear(fd, line);
	client_expect(fd, big, BIG);
	snprintf(line, sizeof line, "SUM %u\n", big_sum);
	client_hear(fd, line);
	client_say(fd, "GET a 1000000 nosum\nQUIT\n");
	snprintf(line, sizeof line, "FILE %d 1700000000\n", BIG);
	client_hear(fd, line);
	client_expect(fd, big + 1000000, BIG - 1000000);
	client_hear(fd, "SUM -\nBYE\n");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(uploads_that_go_on_hold_up_nobody)
{
	struct server server;
	int uploads[3], fd;
	char name[] = "0";

	if (!model_serves_many(_i))
		return;
	server = start(_i);
	folder_text(&folder, "small", "small");
	for (int i = 0; i < 3; i++) {
		uploads[i] = client_connect(&server);
		name[0] = (char)('0' + i);
		begin_big(uploads[i], name);
		client_send(uploads[i], big, BIG / 2);
	}
	fd = client_connect(&server);
	client_say(fd, "GET small nosum\n");
	expect_refusal(fd, "FILE 5 ");
	client_hear(fd, "smallSUM -\n");
	client_say(fd, "PUT 1 5 5\n");
	expect_refusal(fd, "ERR busy 1: ");
	for (int i = 0; i < 3; i++) {
		client_send(uploads[i], big + BIG / 2, BIG / 2);
		end_big(uploads[i]);
		client_close(uploads[i]);
		name[0] = (char)('0' + i);
		folder_expect_file(&folder, name, big, BIG);
	}
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* ---- cut off ----------------------------------------------------------------------------- */

START_TEST(a_client_that_is_cut_off_can_go_on)
{
	struct server server = start(_i);
	int fd = send_half(&server);

	client_reset(fd);
	send_other_half(&server);
	server_finish(&server);
}
END_TEST

/* With the client, so that a child that is left alone ends, too. */
static void kill_server(struct server *server, int client)
{
	server_signal(server, SIGKILL);
	client_close(client);
	server_await(server, WAIT_MS);
}

START_TEST(an_upload_goes_on_after_the_server_was_killed)
{
	struct server server = start(_i);
	int fd = send_half(&server);

	kill_server(&server, fd);
	server = start(_i);
	send_other_half(&server);
	server_finish(&server);
}
END_TEST

START_TEST(an_upload_goes_on_after_the_server_was_stopped)
{
	struct server server = start(_i);
	int fd = send_half(&server);

	client_half_close(fd);
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
	server = start(_i);
	send_other_half(&server);
	server_finish(&server);
}
END_TEST

#ifdef __linux__

START_TEST(an_upload_goes_on_after_its_child_was_killed)
{
	struct server server;
	pid_t child;
	int fd;

	if (!model_is(_i, "fork"))
		return;
	server = start(_i);
	fd = send_half(&server);
	if (process_children(server.pid, &child, 1) != 1) {
		skipped("needs /proc/PID/task/PID/children");
	} else {
		kill(child, SIGKILL);
		client_expect_end(fd);
		send_other_half(&server);
	}
	client_close(fd);
	server_stop(&server);
}
END_TEST

#endif

START_TEST(what_is_done_is_there_though_the_server_is_killed)
{
	struct server server = start(_i);
	int fd = client_connect(&server);

	upload_big(fd, "d/a", 0);
	kill_server(&server, fd);
	folder_expect_file(&folder, "d/a", big, BIG);
}
END_TEST

/* ---- no room ----------------------------------------------------------------------------- */

static void limit_file_size(void *context)
{
	struct rlimit limit = { BIG / 3, BIG / 3 };

	(void)context;
	setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(a_limit_of_the_file_size_is_an_error_and_not_the_end)
{
	struct server server = start_prepared(_i, limit_file_size, MODEL_WORKERS);
	int fd = client_connect(&server);

	begin_big(fd, "a");
	client_send(fd, big, BIG / 2);
	expect_refusal(fd, "ERR too-large a: ");
	client_reset(fd);
	fd = client_connect(&server);
	upload_small(fd, "b");
	ck_assert(!folder_has(&folder, "a"));
	ck_assert(!folder_has(&folder, ".filed/pa"));
	ck_assert(!folder_has(&folder, ".filed/sa"));
	client_close(fd);
	server_finish(&server);
}
END_TEST

#ifdef __linux__

static void fill_disk(const char *name, size_t size)
{
	int fd = open(folder_path(&folder, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_eq(io_write(fd, big, size), (ssize_t)size);
	close(fd);
}

START_TEST(a_full_disk_is_an_error_and_not_the_end)
{
	struct server server;
	int fd, other;

	if (!network_enter_with_disk(folder.path, "4m")) {
		skipped("needs a mount namespace of its own");
		return;
	}
	server = start(_i);
	fd = client_connect(&server);
	client_say(fd, "PUT a 5000000 1\n");
	expect_refusal(fd, "ERR no-space a: ");
	begin_big(fd, "a");
	client_send(fd, big, BIG / 2);
	ck_assert(eventually(half_is_there, NULL, WAIT_MS));
	fill_disk("other", BIG * 4 / 5);
	client_send(fd, big + BIG / 2, BIG / 2);
	expect_refusal(fd, "ERR no-space a: ");
	client_reset(fd);
	other = client_connect(&server);
	upload_small(other, "b");
	ck_assert(!folder_has(&folder, "a"));
	ck_assert(!folder_has(&folder, ".filed/pa"));
	client_close(other);
	server_finish(&server);
	umount(folder.path);
}
END_TEST

#endif

static void become_nobody(void *context)
{
	(void)context;
	if (geteuid() == 0 && setuid(NOBODY) < 0)
		_exit(126);
}

START_TEST(a_directory_that_cannot_be_written_to_can_be_read)
{
	struct server server;
	int fd;

	folder_text(&folder, "a", "text");
	ck_assert_int_eq(chmod(folder.path, 0555), 0);
	server = start_prepared(_i, become_nobody, MODEL_WORKERS);
	fd = client_connect(&server);
	client_say(fd, "PUT b 5 1\n");
	expect_refusal(fd, "ERR forbidden b: ");
	client_say(fd, "GET a\n");
	expect_refusal(fd, "FILE 4 ");
	client_hear(fd, "text");
	expect_refusal(fd, "SUM ");
	client_close(fd);
	server_finish(&server);
	chmod(folder.path, 0755);
}
END_TEST

/* GIVEN a folder whose entries cannot be looked at, WHEN its list is asked for, THEN the client
 * is told so: it is not told that the folder is empty. */
START_TEST(a_list_that_would_lack_an_entry_is_refused)
{
	struct server server;
	int fd;

	folder_directory(&folder, "closed");
	folder_text(&folder, "closed/a", "text");
	ck_assert_int_eq(chmod(folder_path(&folder, "closed"), 0444), 0);
	ck_assert_int_eq(chmod(folder.path, 0555), 0);
	server = start_prepared(_i, become_nobody, MODEL_WORKERS);
	fd = client_connect(&server);
	client_say(fd, "LIST closed\n");
	expect_refusal(fd, "ERR forbidden ");
	client_close(fd);
	server_finish(&server);
	chmod(folder.path, 0755);
	chmod(folder_path(&folder, "closed"), 0755);
}
END_TEST

/* ---- lists that nobody reads ------------------------------------------------------------- */

/* A list is longer than the kernel holds for a client: what it holds counts no more. */
enum { ENTRIES = 30000, LISTENERS = 19, FIT = 128 * KIB * KIB / (ENTRIES * 251) };

static void make_entries(void)
{
	char name[TEXT];

	folder_directory(&folder, "many");
	folder_text(&folder, "one", "");
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof name, "many/%0251d", i);
		ck_assert_int_eq(linkat(folder.fd, "one", folder.fd, name, 0), 0);
	}
}

/* Asks for the long list, and reads no more than which reply it is. @return whether it is it */
static bool is_listed(int fd)
{
	char reply[8];

	client_say(fd, "LIST many\n");
	ck_assert_int_gt(io_wait(fd, POLLIN, LONG_WAIT_MS), 0);
	ck_assert_int_eq(io_read_all(fd, reply, sizeof reply), sizeof reply);
	if (memcmp(reply, "ENTRIES ", sizeof reply) == 0)
		return true;
	ck_assert_msg(memcmp(reply, "ERR busy", sizeof reply) == 0, "%.8s", reply);
	return false;
}

/* GIVEN clients that ask for long lists and do not read them, THEN so many get theirs as fit
 * into 128 MiB, in one process or in many; and WHEN these clients go, one whose process is
 * killed as well, THEN others get theirs. */
START_TEST(all_lists_of_the_server_have_a_limit_together)
{
	struct server server;
	int fds[LISTENERS], count = 0, one = 1024;

	if (!model_serves_many(_i) ||
	    model_is(_i, "thread")) /* one process, like select */
		return;
	make_entries();
	/* No idle timeout: those that are served first wait for all others. */
	server = model_start(_i, "file", ARGUMENTS("-q", "-t", "0", "-r", folder.path));
	for (int i = 0; i < LISTENERS; i++) {
		fds[i] = client_connect(&server);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &one, sizeof one);
		count += is_listed(fds[i]);
	}
	ck_assert_int_gt(count, 1);
	ck_assert_int_le(count, FIT);

	client_reset(fds[0]); /* what it had is free when the server has seen that */
	do {
		client_close(fds[1]);
		fds[1] = client_connect(&server);
	} while (!is_listed(fds[1]));
#ifdef __linux__
	if (model_is(_i, "fork")) {
		pid_t last = crowd_last_child(server.pid);

		if (last > 0)
			kill(last, SIGKILL);
		while (last > 0) {
			client_close(fds[LISTENERS - 1]);
			fds[LISTENERS - 1] = client_connect(&server);
			if (is_listed(fds[LISTENERS - 1]))
				break;
		}
	}
#endif
	for (int i = 1; i < LISTENERS; i++)
		client_reset(fds[i]);
	server_finish(&server);
}
END_TEST

/* ---- descriptors ------------------------------------------------------------------------- */

enum {
	FEW_DESCRIPTORS = 64,
	SOFT_LIMIT = 256,
	HARD_LIMIT = 20000,
	IDLE_CLIENTS = 70,
	UPLOADS = 200, /* two descriptors each */
	CROWD = 1100,  /* more than an fd_set holds */
	CROWD_UPLOADS = 700,
};

static int clients[CROWD];

static void limit_descriptors(rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = { soft, hard };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(127);
}

static void allow_few_descriptors(void *context)
{
	(void)context;
	limit_descriptors(FEW_DESCRIPTORS, FEW_DESCRIPTORS);
}

static void allow_more_descriptors_than_at_first(void *context)
{
	(void)context;
	limit_descriptors(SOFT_LIMIT, HARD_LIMIT);
}

static bool descriptors_suffice(int count)
{
	struct rlimit limit;

	if (process_raise_descriptors((uint64_t)count + 50) >= (uint64_t)count + 50 &&
	    getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= HARD_LIMIT)
		return true;
	skipped("needs more descriptors (ulimit -n)");
	return false;
}

/* The file is in a folder, which takes a descriptor more for a moment. */
static void begin_upload(int client)
{
	char line[TEXT];

	snprintf(line, sizeof line, "PUT folder/%d 5 1\n", client);
	client_say(clients[client], line);
}

static void end_upload(int client)
{
	client_say(clients[client], "smallSUM -\n");
	client_hear(clients[client], "DONE 5 -\n");
	client_close(clients[client]);
}

/* GIVEN few descriptors, and more clients than there are descriptors for, all with an upload
 * under way as soon as they are accepted, THEN each upload succeeds; some wait first. */
START_TEST(idle_clients_leave_descriptors_for_uploads)
{
	struct server server = start_prepared(_i, allow_few_descriptors, MODEL_WORKERS);

	for (int i = 0; i < IDLE_CLIENTS; i++) {
		clients[i] = client_connect(&server);
		begin_upload(i);
	}
	for (int i = 0; i < IDLE_CLIENTS; i++) {
		client_hear(clients[i], "SEND 0\n");
		end_upload(i);
	}
	server_finish(&server);
}
END_TEST

/* GIVEN a soft limit below two descriptors for each client, and a hard limit above, WHEN all
 * upload at the same time, THEN all succeed. */
START_TEST(many_upload_at_the_same_time)
{
	struct server server;

	if (!model_serves_many(_i) || !descriptors_suffice(UPLOADS))
		return;
	if (SANITIZED && model_has_processes(_i)) {
		skipped("needs a build without sanitizers");
		return;
	}
	server = start_prepared(_i, allow_more_descriptors_than_at_first, UPLOADS);
	for (int i = 0; i < UPLOADS; i++) {
		clients[i] = client_connect(&server);
		begin_upload(i);
	}
	for (int i = 0; i < UPLOADS; i++)
		client_hear(clients[i], "SEND 0\n");
	for (int i = 0; i < UPLOADS; i++)
		end_upload(i);
	server_finish(&server);
}
END_TEST

/* GIVEN uploads that take up descriptors, and more clients than an fd_set holds, THEN no
 * client is accepted and then reset. */
START_TEST(beside_uploads_further_clients_wait_and_are_not_reset)
{
	struct server server;

	if (!model_is(_i, "select") || !descriptors_suffice(CROWD))
		return;
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "file"),
		.options = ARGUMENTS("-S", "-t", "0", "-c", "2000", "-r", folder.path),
		.prepare = allow_more_descriptors_than_at_first,
	});
	for (int i = 0; i < CROWD; i++) {
		clients[i] = client_connect(&server);
		if (i < CROWD_UPLOADS)
			begin_upload(i);
	}
	server_wait_line(&server, "out of descriptors with", WAIT_MS);
	for (int i = CROWD_UPLOADS; i < CROWD; i++)
		begin_upload(i);
	for (int i = 0; i < CROWD; i++) {
		client_hear(clients[i], "SEND 0\n");
		end_upload(i);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "served 1100 clients, dropped 0;"),
			  1);
}
END_TEST

/* ---- a directory that is removed --------------------------------------------------------- */

static void remove_directory(void)
{
	folder_remove_path(folder.path);
}

static void make_directory(void)
{
	ck_assert_int_eq(mkdir(folder.path, 0755), 0);
	close(folder.fd);
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder.fd, 0);
}

/* GIVEN a client that is served, WHEN the directory is removed and made anew, THEN it and
 * every other one have the new one, and can put files there. */
START_TEST(a_directory_made_anew_is_served)
{
	struct server server;
	int fd, other;

	folder_text(&folder, "old", "old");
	server = start_without_sandbox(_i);
	fd = client_connect(&server);
	client_say(fd, "STAT old\n");
	expect_refusal(fd, "STAT F 3 ");

	remove_directory();
	make_directory();
	client_say(fd, "STAT old\n");
	expect_refusal(fd, "ERR not-found old: ");
	upload_small(fd, "sub/new");
	client_say(fd, "LIST\n");
	client_hear(fd, "ENTRIES 1\n");
	expect_refusal(fd, "D - ");
	client_close(fd);

	other = client_connect(&server);
	client_say(other, "LIST\n");
	client_hear(other, "ENTRIES 1\n");
	expect_refusal(other, "D - ");
	client_say(other, "GET sub/new\n");
	client_hear(other, "FILE 5 1\nsmallSUM ");
	client_close(other);
	server_finish(&server);
	ck_assert_str_eq(server_errors(&server), "");
}
END_TEST

/* GIVEN a directory that has gone, WHEN it is asked for, THEN nobody is told that it is empty,
 * and one line tells the operator, whoever asks. */
START_TEST(a_directory_that_has_gone_is_no_empty_one)
{
	static const char *const requests[] = { "LIST\n", "GET a\n", "STAT a\n",
						"PUT a 5 1\n" };
	struct server server = start_without_sandbox(_i);
	int fd = client_connect(&server);

	upload_small(fd, "a"); /* so the server has opened the directory */
	client_close(fd);
	remove_directory();
	for (int client = 0; client < 3; client++) {
		fd = client_connect(&server);
		for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
			client_say(fd, requests[i]);
			expect_refusal(fd, "ERR busy ");
		}
		client_close(fd);
	}
	ck_assert_uint_eq(server_count_lines(&server, ""), 1);
	ck_assert_uint_eq(server_count_lines(&server, "is missing (No such file"), 1);

	make_directory();
	fd = client_connect(&server);
	upload_small(fd, "a");
	client_close(fd);
	ck_assert_uint_eq(server_count_lines(&server, "exists again"), 1);
	server_finish(&server);
}
END_TEST

/* An upload that is under way while the server changes to another directory is told to come
 * again. */
static void upload_until_done(int fd, const char *name)
{
	char line[TEXT];
	const char *reply;

	snprintf(line, sizeof line, "PUT %s 5 1\n", name);
	do {
		client_say(fd, line);
		client_hear(fd, "SEND 0\n");
		client_say(fd, "smallSUM -\n");
		reply = hear_line(fd);
	} while (strncmp(reply, "ERR busy ", 9) == 0);
	ck_assert_str_eq(reply, "DONE 5 -");
}

/* GIVEN a directory that was renamed, and another one in its place, WHEN SIGHUP comes, THEN
 * that is served. */
START_TEST(sighup_resolves_the_name_of_the_directory_again)
{
	char aside[FOLDER_TEXT + 8];
	struct server server;
	int fd, other;

	folder_text(&folder, "old", "old");
	server = model_start(_i, "file", ARGUMENTS("--no-sandbox", "-r", folder.path));
	server_wait_line(&server, "listening on", WAIT_MS);
	fd = client_connect(&server);
	client_say(fd, "STAT old\n");
	expect_refusal(fd, "STAT F 3 ");
	snprintf(aside, sizeof aside, "%s.aside", folder.path);
	ck_assert_int_eq(rename(folder.path, aside), 0);
	make_directory();

	server_signal(&server, SIGHUP);
	do /* a signal has no reply */
		client_say(fd, "STAT old\n");
	while (strncmp(hear_line(fd), "STAT F 3 ", 9) == 0);
	upload_until_done(fd, "new");
	client_close(fd);

	other = client_connect(&server);
	upload_small(other, "newer");
	ck_assert(folder_has(&folder, ".filed"));
	folder_expect_file(&folder, "new", "small", 5);
	folder_expect_file(&folder, "newer", "small", 5);
	client_close(other);
	folder_remove_path(aside);
	server_finish(&server);
}
END_TEST

/* GIVEN a server, WHEN its directory of parts is removed, THEN it is made again. */
START_TEST(the_directory_of_parts_is_made_again)
{
	struct server server = start(_i);
	int fd = client_connect(&server);

	upload_small(fd, "a");
	for (int i = 0; i < 2; i++) {
		folder_remove_path(folder_path(&folder, ".filed"));
		upload_small(fd, "b");
		client_close(fd);
		fd = client_connect(&server);
		upload_small(fd, "c");
	}
	ck_assert(folder_has(&folder, ".filed"));
	client_close(fd);
	server_finish(&server);
	ck_assert_str_eq(server_errors(&server), "");
}
END_TEST

/* GIVEN an upload that is under way, WHEN its part is removed with the directory of parts, and
 * another client begins one of that name, THEN the first is told, and what it says at its end
 * neither makes a file of the other's part nor removes it. */
START_TEST(an_upload_whose_part_was_removed_harms_no_other)
{
	struct server server;
	int fd, other;

	if (!model_serves_many(_i))
		return;
	server = start(_i);
	fd = send_half(&server);
	folder_remove_path(folder_path(&folder, ".filed"));
	other = send_half(&server);
	client_send(fd, big + BIG / 2, BIG - BIG / 2);
	client_say(fd, "SUM -\n");
	expect_refusal(fd, "ERR busy a: the partial upload was removed");
	ck_assert(!folder_has(&folder, "a"));
	client_send(other, big + BIG / 2, BIG - BIG / 2);
	end_big(other);
	folder_expect_file(&folder, "a", big, BIG);
	client_close(fd);
	client_close(other);
	server_finish(&server);
}
END_TEST

/* ---- large files ------------------------------------------------------------------------- */

static void make_sparse(const char *name, uint64_t size)
{
	int fd = open(folder_path(&folder, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ck_assert_int_eq(pwrite(fd, "end", 3, (off_t)size - 3), 3);
	close(fd);
}

START_TEST(a_file_of_more_than_4_gib_is_sent_from_any_offset)
{
	struct server server = start(_i);
	int fd = client_connect(&server);

	make_sparse("sparse", 5 * GIB);
	client_say(fd, "GET sparse 5368709117 nosum\n");
	expect_refusal(fd, "FILE 5368709120 ");
	client_hear(fd, "endSUM -\n");
	client_say(fd, "STAT sparse\n");
	expect_refusal(fd, "STAT F 5368709120 ");
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* All but the last bytes of it are here already. */
START_TEST(an_upload_of_more_than_4_gib_goes_on)
{
	struct server server;
	struct stat status;
	int fd;

	if (!model_is(_i, "select")) /* the work is the same in each, and there is much */
		return;
	if (SANITIZED) { /* it is read as a whole */
		skipped("needs a build without sanitizers");
		return;
	}
	server = start(_i);
	fd = client_connect(&server);
	upload_small(fd, "first"); /* .filed is there */
	make_sparse(".filed/pa", 4 * GIB + 3);
	folder_link(&folder, ".filed/sa", "4294967303 1");
	client_say(fd, "PUT a 4294967303 1\n");
	ck_assert_int_gt(io_wait(fd, POLLIN, LONG_WAIT_MS), 0);
	client_hear(fd, "SEND 4294967299\n");
	client_say(fd, "tailSUM 2697726750\n");
	ck_assert_int_gt(io_wait(fd, POLLIN, LONG_WAIT_MS), 0);
	client_hear(fd, "DONE 4294967303 2697726750\n");
	ck_assert_int_eq(stat(folder_path(&folder, "a"), &status), 0);
	ck_assert_int_eq(status.st_size, 4294967303);
	client_say(fd, "GET a 4294967296 nosum\n");
	client_hear(fd, "FILE 4294967303 1\nendtailSUM -\n");
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(the_directory_must_be_given)
{
	struct run run =
		run_program(ARGUMENTS(model_program(_i, "file")), "", 0, WAIT_MS);

	run_expect_status(&run, 2);
	expect_match(run.err, "^filed-[a-z]+: no directory to serve: use -r DIR; "
			      "try 'filed-[a-z]+ -h'\n$");
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, kinds_count());
}

Suite *suite_filed(void)
{
	Suite *suite = suite_create("filed");
	TCase *tcase = add_case(suite, "files there and back");

	big = much_memory(BIG);
	tcase_add_checked_fixture(tcase, make, clear);
	add(tcase, a_file_comes_back_as_it_was_sent);
	add(tcase, uploads_that_go_on_hold_up_nobody);
	add(tcase, the_directory_must_be_given);
	tcase = add_case(suite, "cut off");
	tcase_add_checked_fixture(tcase, make, clear);
	add(tcase, a_client_that_is_cut_off_can_go_on);
	add(tcase, an_upload_goes_on_after_the_server_was_killed);
	add(tcase, an_upload_goes_on_after_the_server_was_stopped);
#ifdef __linux__
	add(tcase, an_upload_goes_on_after_its_child_was_killed);
#endif
	add(tcase, what_is_done_is_there_though_the_server_is_killed);
	tcase = add_case(suite, "no room");
	tcase_add_checked_fixture(tcase, make, clear);
	add(tcase, a_limit_of_the_file_size_is_an_error_and_not_the_end);
#ifdef __linux__
	add(tcase, a_full_disk_is_an_error_and_not_the_end);
#endif
	add(tcase, a_directory_that_cannot_be_written_to_can_be_read);
	add(tcase, a_list_that_would_lack_an_entry_is_refused);
	tcase = add_case(suite, "a directory that is removed");
	tcase_add_checked_fixture(tcase, make, clear);
	add_sharing_test_of_kinds(tcase, a_directory_made_anew_is_served);
	add_sharing_test_of_kinds(tcase, a_directory_that_has_gone_is_no_empty_one);
	add(tcase, sighup_resolves_the_name_of_the_directory_again);
	add_sharing_test_of_kinds(tcase, the_directory_of_parts_is_made_again);
	add(tcase, an_upload_whose_part_was_removed_harms_no_other);
	return suite;
}

Suite *suite_filed_limits(void)
{
	Suite *suite = suite_create("filed_limits");
	TCase *tcase;

	big = much_memory(BIG);
	tcase = add_case(suite, "lists that nobody reads");
	tcase_add_checked_fixture(tcase, make, clear);
	add_sharing_test_of_kinds(tcase, all_lists_of_the_server_have_a_limit_together);
	tcase = add_case(suite, "descriptors");
	tcase_add_checked_fixture(tcase, make, clear);
	add(tcase, idle_clients_leave_descriptors_for_uploads);
	add(tcase, many_upload_at_the_same_time);
	add(tcase, beside_uploads_further_clients_wait_and_are_not_reset);
	tcase = add_case(suite, "large files");
	tcase_add_checked_fixture(tcase, make, clear);
	add(tcase, a_file_of_more_than_4_gib_is_sent_from_any_offset);
	add(tcase, an_upload_of_more_than_4_gib_goes_on);
	return suite;
}
