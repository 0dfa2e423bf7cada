/*
 * Servers on a UNIX-domain socket, in every model: what becomes of the file, who may connect, and
 * that clients are served as on TCP.
 */
#define _DEFAULT_SOURCE /* setgroups */

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "common/pass.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/client.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/socket_fixture.h"
#include "tests/suites.h"

enum { TEXT = 512, NOBODY = 65534, BIG = 4 * 1024 * 1024 };

static struct server start_program(const char *program, const char *const options[],
				   bool activated)
{
	return server_start_with(&(struct server_setup){
		.program = program,
		.options = options,
		.host = socket_name,
		.opens_itself = !activated,
	});
}

static struct server start(int model, const char *const options[])
{
	return start_program(model_program(model, "echo"), model_options(model, options),
			     false);
}

static struct stat file_status(void)
{
	struct stat status;

	ck_assert_msg(lstat(socket_name, &status) == 0, "%s: %s", socket_name,
		      strerror(errno));
	return status;
}

static void expect_served(struct server *server)
{
	client_leave(client_connect_and_echo(server));
}

static struct run run_at(int model, const char *address, const char *option,
			 const char *value)
{
	return run_program(ARGUMENTS(model_program(model, "echo"), "-x", "0.01", "-a",
				     address, option, value),
			   "", 0, WAIT_MS);
}

static void expect_line(const struct run *run, int status, int model, const char *says)
{
	const char *program = model_program(model, "echo");
	char line[TEXT];

	if (status == 2)
		snprintf(line, sizeof line, "%s: %s; try '%s -h'\n", program, says,
			 program);
	else
		snprintf(line, sizeof line, "%s: %s\n", program, says);
	ck_assert_str_eq(run->err, line);
	ck_assert_str_eq(run->out, "");
	run_expect_status(run, status);
}

/* ---- in every model -------------------------------------------------------------------- */

START_TEST(serves_at_a_path_and_removes_its_file)
{
	struct server server = start(_i, ARGUMENTS("-v"));
	char line[TEXT], self[ADDRESS_TEXT];

	snprintf(line, sizeof line, "%s: listening on %s (unix)", server.name,
		 socket_name);
	server_wait_line(&server, line, WAIT_MS);
	ck_assert_uint_eq(file_status().st_mode & 07777, 0600);
	expect_served(&server);
	snprintf(line, sizeof line, "]: %s: 5 bytes in, 5 out, ",
		 client_of_local_socket(self));
	server_wait_line(&server, line, WAIT_MS);
	ck_assert(folder_has(&socket_folder, "socket")); /* no worker has removed it */
	server_finish(&server);
	ck_assert(!folder_has(&socket_folder, "socket"));
}
END_TEST

static char *request, *expected;

START_TEST(sends_back_much_and_loses_nothing_at_a_half_close)
{
	struct server server = start(_i, NULL);
	int fd = client_connect(&server);

	fill_pattern(request, BIG, (uint32_t)_i);
	memcpy(expected, request, BIG);
	client_exchange(fd, request, BIG, expected, BIG);
	client_say(fd, "the end");
	client_half_close(fd);
	client_hear(fd, "the end");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* A close with unread input: the server sees ECONNRESET. */
START_TEST(a_client_that_resets_ends_alone)
{
	struct server server = start(_i, NULL);
	int fd = client_connect(&server);

	client_say(fd, "unread");
	ck_assert(client_is_readable(fd, WAIT_MS));
	close(fd);
	expect_served(&server);
	server_finish(&server);
	ck_assert_ptr_null(strstr(server_errors(&server), "reset"));
}
END_TEST

START_TEST(a_stopping_server_answers_what_was_sent)
{
	struct server server = start(_i, NULL);
	int fd = client_connect_and_echo(&server);

	client_say(fd, "before the stop");
	server_signal(&server, SIGTERM);
	client_hear(fd, "before the stop");
	client_expect_end(fd);
	client_close(fd);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert(!folder_has(&socket_folder, "socket"));
}
END_TEST

START_TEST(a_file_that_a_killed_server_has_left_is_replaced)
{
	struct stat before, after;
	struct server server;

	if (model_is(_i, "prefork") && !programs_use("PR_SET_PDEATHSIG"))
		return;
	server = start(_i, NULL);
	before = file_status();
	server_signal(&server, SIGKILL);
	server_await(&server, WAIT_MS);
	/* the kernel holds the listener of a ring for a moment */
	ck_assert(eventually(server_refuses, &server, WAIT_MS));
	after = file_status();
	ck_assert(before.st_ino == after.st_ino);
	server = start(_i, NULL);
	expect_served(&server);
	server_finish(&server);
	ck_assert(!folder_has(&socket_folder, "socket"));
}
END_TEST

START_TEST(a_second_server_does_not_start)
{
	struct server server = start(_i, NULL);
	char says[TEXT];
	struct run run = run_at(_i, socket_name, NULL, NULL);

	snprintf(says, sizeof says, "cannot listen on %s: %s", socket_name,
		 strerror(EADDRINUSE));
	expect_line(&run, 1, _i, says);
	expect_served(&server);
	server_finish(&server);
	ck_assert_ptr_nonnull(
		strstr(server_errors(&server), ": served 1 clients")); /* and no other */
}
END_TEST

START_TEST(a_socket_that_is_passed_is_served_and_not_removed)
{
	struct server server =
		start_program(model_program(_i, "echo"), model_options(_i, NULL), true);
	char line[TEXT];

	snprintf(line, sizeof line, "listening on %s (unix)", socket_name);
	server_wait_line(&server, line, WAIT_MS);
	expect_served(&server);
	server_finish(&server);
	ck_assert(folder_has(&socket_folder, "socket"));
}
END_TEST

START_TEST(a_server_that_nobody_uses_removes_its_file)
{
	struct run run = run_at(_i, socket_name, "-q", NULL);

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	ck_assert(!folder_has(&socket_folder, "socket"));
}
END_TEST

/* ---- what is at the path already ------------------------------------------------------- */

START_TEST(a_file_of_another_kind_is_never_replaced)
{
	static const struct {
		const char *name, *why;
	} kinds[] = {
		{ "file", "the file exists and is not a socket" },
		{ "directory", "the file exists and is not a socket" },
		{ "fifo", "the file exists and is not a socket" },
		{ "link", "it is a symbolic link, not a socket" },
		{ "dangling", "it is a symbolic link, not a socket" },
		{ "missing/socket", "No such file or directory" },
		{ "file/socket", "Not a directory" },
	};

	folder_text(&socket_folder, "file", "precious");
	folder_directory(&socket_folder, "directory");
	folder_fifo(&socket_folder, "fifo");
	folder_socket(&socket_folder, "stale");
	folder_link(&socket_folder, "link", "stale");
	folder_link(&socket_folder, "dangling", "nothing");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char path[FOLDER_TEXT], says[TEXT];
		struct run run;

		strcpy(path, folder_path(&socket_folder, kinds[i].name));
		run = run_at(0, path, NULL, NULL);
		snprintf(says, sizeof says, "cannot listen on %s: %s", path,
			 kinds[i].why);
		expect_line(&run, 1, 0, says);
	}
	folder_expect_file(&socket_folder, "file", "precious", 8);
	ck_assert(folder_has(&socket_folder, "link"));
	ck_assert(folder_has(&socket_folder, "stale"));
}
END_TEST

static void become_nobody(void *context)
{
	(void)context;
	if (getuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(127);
}

START_TEST(a_directory_without_permission_is_one_clear_line)
{
	char says[TEXT];
	struct run run;

	ck_assert_int_eq(chmod(socket_folder.path, 0555), 0);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(model_program(0, "echo"), "-a", socket_name),
		.prepare = become_nobody,
	});
	ck_assert_int_eq(chmod(socket_folder.path, 0700), 0);
	if (strstr(run.err, "cannot exec") != NULL) {
		skipped("needs programs that another user can run");
		return;
	}
	snprintf(says, sizeof says, "cannot listen on %s: Permission denied",
		 socket_name);
	expect_line(&run, 1, 0, says);
}
END_TEST

/* Another program has put its own socket in the place of the file. */
START_TEST(the_file_of_another_server_is_not_removed)
{
	struct server server = start(0, NULL);

	ck_assert_int_eq(unlink(socket_name), 0);
	folder_socket(&socket_folder, "socket");
	server_finish(&server);
	ck_assert(folder_has(&socket_folder, "socket"));
}
END_TEST

/* A datagram socket is no stream socket, but it is in use. */
START_TEST(a_datagram_socket_is_in_use_too)
{
	struct local_address address;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char says[TEXT];
	struct run run;

	ck_assert_int_eq(local_address_parse(socket_name, &address, NULL), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address.name, address.length), 0);
	run = run_at(0, socket_name, NULL, NULL);
	snprintf(says, sizeof says, "cannot listen on %s: %s", socket_name,
		 strerror(EADDRINUSE));
	expect_line(&run, 1, 0, says);
	close(fd);
}
END_TEST

/* All of them find the stale file. */
START_TEST(of_servers_that_start_at_once_one_serves)
{
	enum { SERVERS = 6 };
	struct program programs[SERVERS];
	unsigned served = 0;

	folder_socket(&socket_folder, "socket");
	for (int i = 0; i < SERVERS; i++)
		programs[i] = program_start(&(struct run_setup){
			.argv = ARGUMENTS("echod-fork", "-a", socket_name, "-x", "1"),
		});
	for (int i = 0; i < SERVERS; i++) {
		struct run run = program_wait(&programs[i], WAIT_MS);

		served += run_exit_status(&run) == 0;
		ck_assert_msg(run_exit_status(&run) == 0 ||
				      strstr(run.err, strerror(EADDRINUSE)) != NULL,
			      "%s", run.err);
	}
	ck_assert_uint_eq(served, 1);
	ck_assert(!folder_has(&socket_folder, "socket"));
}
END_TEST

/* ---- options --------------------------------------------------------------------------- */

START_TEST(the_mode_of_the_file_is_chosen)
{
	static const struct {
		const char *option;
		mode_t mode;
	} modes[] = { { "666", 0666 }, { "0660", 0660 }, { "0", 0 } };

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct server server = start(0, ARGUMENTS("--mode", modes[i].option));

		ck_assert_uint_eq(file_status().st_mode & 07777, modes[i].mode);
		server_finish(&server);
	}
}
END_TEST

static const char too_long[] = "./0123456789012345678901234567890123456789012345678901234"
			       "567890123456789012345678901234567890123456789012345678";

START_TEST(bad_usage_is_one_clear_line)
{
	static const struct {
		const char *address, *option, *value, *says;
	} errors[] = {
		{ "./x", "-p", "7007",
		  "-p: ./x is a UNIX-domain socket, which has no port" },
		{ "./x", "--mode", "9",
		  "--mode: '9' is not a mode (octal, from 0 to 0777)" },
		{ "./x", "--mode", "1777",
		  "--mode: '1777' is not a mode (octal, from 0 to 0777)" },
		{ "./x", "--mode", "-1",
		  "--mode: '-1' is not a mode (octal, from 0 to 0777)" },
		{ "127.0.0.1", "--mode", "600",
		  "--mode: only a socket file has one (-a ./FILE)" },
		{ "@x", "--mode", "600",
		  "--mode: only a socket file has one (-a ./FILE)" },
	};

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		struct run run;

		if (errors[i].address[0] == '@' && !programs_use(ABSTRACT_NAMES))
			continue;
		run = run_at(0, errors[i].address, errors[i].option, errors[i].value);
		expect_line(&run, 2, 0, errors[i].says);
	}
}
END_TEST

#ifdef __linux__
START_TEST(a_path_has_at_most_107_bytes)
{
	char says[TEXT];
	struct run run = run_at(0, too_long, NULL, NULL);

	snprintf(says, sizeof says,
		 "'%s' is too long for the name of a socket, which has at most 107 bytes",
		 too_long);
	expect_line(&run, 2, 0, says);
}
END_TEST

START_TEST(an_abstract_name_has_no_file)
{
	struct server server;
	char says[TEXT];
	struct run run;

	if (!programs_use(ABSTRACT_NAMES))
		return;
	snprintf(socket_name, sizeof socket_name, "@sockways-test-%ld", (long)getpid());
	server = start(_i, NULL);
	expect_served(&server);
	run = run_at(_i, socket_name, NULL, NULL);
	snprintf(says, sizeof says, "cannot listen on %s: %s", socket_name,
		 strerror(EADDRINUSE));
	expect_line(&run, 1, _i, says);
	server_finish(&server);
}
END_TEST

START_TEST(several_loops_share_it)
{
	struct server server;
	struct run run;

	if (!can_run("epoll"))
		return;
	server = start_program("echod-epoll", ARGUMENTS("-j", "2"), false);
	expect_served(&server);
	server_finish(&server);
	run = run_program(ARGUMENTS("echod-epoll", "-j", "2", "--accept", "reuseport",
				    "-a", socket_name),
			  "", 0, WAIT_MS);
	ck_assert_str_eq(run.err,
			 "echod-epoll: --accept reuseport: a UNIX-domain socket cannot "
			 "be opened twice, use shared or exclusive\n");
	run_expect_status(&run, 1);
}
END_TEST
#endif

/* ---- what services show of a client ---------------------------------------------------- */

static const char *file_text(const char *path)
{
	static char text[TEXT];
	FILE *file = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(file);
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

START_TEST(services_show_the_process_of_the_client)
{
	char self[ADDRESS_TEXT], line[TEXT], log[FOLDER_TEXT];
	const char *file;
	struct server server =
		start_program("replyd-select", ARGUMENTS("-m", "{peer}"), false);
	int fd = client_connect(&server);

	client_say(fd, "who\n");
	client_hear(fd, client_of_local_socket(self));
	client_close(fd);
	server_finish(&server);

	/* the first field of a log has no blanks */
	strcpy(log, folder_path(&socket_folder, "log"));
	server = start_program("httpd-thread", ARGUMENTS("-L", log), false);
	fd = client_connect(&server);
	client_say(fd, "GET / HTTP/1.0\r\n\r\n");
	ck_assert(client_is_readable(fd, WAIT_MS));
	client_close(fd);
	server_finish(&server);
	for (char *blank = self; (blank = strchr(blank, ' ')) != NULL;)
		*blank = '-';
	file = file_text(log);
	snprintf(line, sizeof line, "%s - - [", self);
	ck_assert_msg(strncmp(file, line, strlen(line)) == 0, "%s", file);
}
END_TEST

/* ---- datagrams ------------------------------------------------------------------------- */

static struct server start_datagrams(int model, const char *service,
				     const char *const options[], bool activated)
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, service),
		.options = options,
		.host = socket_name,
		.type = SOCK_DGRAM,
		.opens_itself = !activated,
	});
}

START_TEST(each_peer_gets_its_own_replies)
{
	enum { PEERS = 4, ROUNDS = 20 };
	bool listens = model_shares_a_server(_i);
	struct server server = start_datagrams(_i, "echo", ARGUMENTS("-u"), !listens);
	int fds[PEERS];
	char text[32];

	snprintf(text, sizeof text, "unix datagrams");
	server_wait_line(&server, text, WAIT_MS);
	ck_assert_uint_eq(file_status().st_mode & 07777, 0600);
	for (int i = 0; i < PEERS; i++)
		fds[i] = client_connect(&server);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < PEERS; i++) {
			snprintf(text, sizeof text, "%d to %d", round, i);
			client_say(fds[i], text);
		}
		for (int i = 0; i < PEERS; i++) {
			snprintf(text, sizeof text, "%d to %d", round, i);
			client_hear(fds[i], text);
		}
	}
	for (int i = 0; i < PEERS; i++)
		close(fds[i]);
	server_signal(&server, SIGTERM);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert_int_eq(folder_has(&socket_folder, "socket"), !listens);
}
END_TEST

static int connect_as(const char *own, bool nonblocking)
{
	struct local_address server, client;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(local_address_parse(socket_name, &server, NULL), 0);
	if (own != NULL) {
		ck_assert_int_eq(local_address_parse(own, &client, NULL), 0);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&client.name, client.length),
				 0);
	}
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&server.name, server.length), 0);
	ck_assert_int_eq(sock_set_timeout(fd, WAIT_MS), 0);
	ck_assert_int_eq(io_set_nonblocking(fd, nonblocking), 0);
	return fd;
}

/* GIVEN a client that sends descriptors with its datagrams, WHEN they have been answered, THEN the server
 * keeps none of them. */
START_TEST(descriptors_of_a_client_are_not_kept)
{
	enum { DATAGRAMS = 20 };
	struct server server;
	char reply[8];
	unsigned before;
	int fd;

	if (!process_facts_available()) {
		skipped("needs /proc");
		return;
	}
	server = start_datagrams(_i, "echo", ARGUMENTS("-u"), false);
	fd = client_connect(&server);
	client_echo(fd);
	before = process_descriptors(server.pid);
	for (int i = 0; i < DATAGRAMS; i++) {
		ck_assert_int_eq(pass_send(fd, "hi", 2, (int[]){ fd }, 1), 0);
		ck_assert_int_eq(io_read(fd, reply, sizeof reply), 2);
	}
	ck_assert_uint_eq(process_descriptors(server.pid), before);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(a_peer_with_a_path_is_named_by_it)
{
	struct server server = start_datagrams(_i, "echo", ARGUMENTS("-uvv"), false);
	char path[FOLDER_TEXT], line[TEXT];
	int fd;

	strcpy(path, folder_path(&socket_folder, "client"));
	fd = connect_as(path, false);
	client_echo(fd);
	snprintf(line, sizeof line, "client: first datagram");
	server_wait_line(&server, line, WAIT_MS);
	close(fd);
	server_finish(&server);
	snprintf(line, sizeof line, "client: 5 bytes in, 5 out");
	ck_assert_ptr_nonnull(strstr(server_errors(&server), line));
}
END_TEST

/* The client's name leads to another server, because a symbolic link has replaced its socket. */
START_TEST(two_servers_do_not_answer_each_other_for_ever)
{
	struct server one =
		start_datagrams(_i, "echo", ARGUMENTS("-uvv", "--repeats", "100"), false);
	char client[FOLDER_TEXT], path[FOLDER_TEXT];
	struct server other;
	int fd;

	strcpy(client, folder_path(&socket_folder, "client"));
	strcpy(path, folder_path(&socket_folder, "other"));
	other = server_start_with(&(struct server_setup){
		.program = "echod-select",
		.options = ARGUMENTS("-u", "--repeats", "0"),
		.host = path,
		.type = SOCK_DGRAM,
		.opens_itself = true,
	});
	fd = connect_as(client, false);
	ck_assert_int_eq(unlink(client), 0);
	ck_assert_int_eq(symlink(path, client), 0);
	client_say(fd, "to the other server");
	server_wait_line(&one, "too many repeated datagrams, perhaps from a server",
			 WAIT_MS);
	close(fd);
	server_finish(&one);
	server_finish(&other);
}
END_TEST

START_TEST(a_peer_without_a_name_gets_no_reply)
{
	struct server server = start_datagrams(_i, "echo", ARGUMENTS("-uvv"), false);
	int fd = connect_as(NULL, false), other;

	client_say(fd, "who am I");
	server_wait_line(&server,
			 "]: unnamed: no reply: the socket of the client has no name",
			 WAIT_MS);
	other = client_connect(&server);
	client_echo(other);
	close(other);
	close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(a_service_that_never_replies_serves_a_peer_without_a_name)
{
	struct server server =
		start_datagrams(0, "discard", ARGUMENTS("-u", "-v"), false);
	int fd = connect_as(NULL, false);

	client_say(fd, "nine char");
	close(fd);
	server_finish(&server);
	ck_assert_ptr_nonnull(strstr(server_errors(&server), "unnamed: 9 bytes in"));
}
END_TEST

/* Its receive queue is full, and sendmsg(2) fails. */
START_TEST(a_peer_that_does_not_read_delays_nobody)
{
	enum { MANY = 2000 };
	struct server server = start_datagrams(_i, "echo", ARGUMENTS("-u"), false);
	char path[FOLDER_TEXT];
	int lazy, other;

	strcpy(path, folder_path(&socket_folder, "lazy"));
	lazy = connect_as(path, false);
	other = client_connect(&server);
	for (int i = 0; i < MANY; i++) /* waits for the server to take each */
		client_send(lazy, "x", 1);
	client_echo(other);
	close(lazy);
	close(other);
	server_finish(&server);
}
END_TEST

START_TEST(a_second_server_of_datagrams_does_not_start)
{
	struct server server = start_datagrams(0, "echo", ARGUMENTS("-u"), false);
	struct run run = run_at(0, socket_name, "-u", NULL);
	char says[TEXT];

	snprintf(says, sizeof says, "cannot listen on %s: %s", socket_name,
		 strerror(EADDRINUSE));
	expect_line(&run, 1, 0, says);
	server_signal(&server, SIGKILL);
	server_await(&server, WAIT_MS);
	server = start_datagrams(0, "echo", ARGUMENTS("-u"), false);
	server_finish(&server);
}
END_TEST

/* What a client says of a socket for datagrams, and of one for streams. */
static void expect_type(const char *const *stream, const char *const *datagram)
{
	static const char *const why[] = {
		"this socket is for datagrams (-u)",
		"this socket is for streams, not datagrams (-u)"
	};

	for (int i = 0; i < 2; i++) {
		struct server server =
			i == 0 ? start_datagrams(0, "echo", ARGUMENTS("-u"), false)
			       : start(0, NULL);
		struct run run = run_program(i == 0 ? stream : datagram, "", 0, WAIT_MS);
		const char *said =
			strcmp(stream[0], "sockcheck") == 0 ? run.out : run.err;

		run_expect_status(&run, 1);
		ck_assert_msg(strstr(said, why[i]) != NULL, "%s", said);
		server_finish(&server);
	}
}

START_TEST(a_client_is_told_the_type_of_the_socket)
{
	expect_type(ARGUMENTS("dial", "-m", "hello", socket_name),
		    ARGUMENTS("dial", "-u", "-m", "hello", socket_name));
	if (programs_use(ABSTRACT_NAMES))
		expect_type(ARGUMENTS("loadgen", "-d", "0.1", "echo", socket_name),
			    ARGUMENTS("loadgen", "-u", "-d", "0.1", "echo", socket_name));
	expect_type(ARGUMENTS("sockcheck", "--tap", "echo", socket_name),
		    ARGUMENTS("sockcheck", "--tap", "-u", "echo", socket_name));
}
END_TEST

Suite *suite_local_servers(void)
{
	Suite *suite = suite_create("local_servers");
	TCase *tcase = add_case(suite, "models");

	request = much_memory(BIG);
	expected = much_memory(BIG);
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	add_sharing_test(tcase, serves_at_a_path_and_removes_its_file);
	add_sharing_test(tcase, sends_back_much_and_loses_nothing_at_a_half_close);
	add_sharing_test(tcase, a_client_that_resets_ends_alone);
	add_sharing_test(tcase, a_stopping_server_answers_what_was_sent);
	add_sharing_test(tcase, a_file_that_a_killed_server_has_left_is_replaced);
	add_sharing_test(tcase, a_second_server_does_not_start);
	tcase_add_loop_test(tcase, a_socket_that_is_passed_is_served_and_not_removed, 0,
			    models_count());
	add_sharing_test(tcase, a_server_that_nobody_uses_removes_its_file);

	tcase = add_case(suite, "file");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_test(tcase, a_file_of_another_kind_is_never_replaced);
	tcase_add_test(tcase, a_directory_without_permission_is_one_clear_line);
	tcase_add_test(tcase, the_file_of_another_server_is_not_removed);
	tcase_add_test(tcase, a_datagram_socket_is_in_use_too);
	tcase_add_test(tcase, of_servers_that_start_at_once_one_serves);

	tcase = add_case(suite, "options");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_test(tcase, the_mode_of_the_file_is_chosen);
	tcase_add_test(tcase, bad_usage_is_one_clear_line);
#ifdef __linux__
	tcase_add_test(tcase, a_path_has_at_most_107_bytes);
	add_sharing_test_of_kinds(tcase, an_abstract_name_has_no_file);
	tcase_add_test(tcase, several_loops_share_it);
#endif
	tcase_add_test(tcase, services_show_the_process_of_the_client);

	tcase = add_case(suite, "datagrams");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_loop_test(tcase, each_peer_gets_its_own_replies, 0, models_count());
	add_sharing_test(tcase, descriptors_of_a_client_are_not_kept);
	add_sharing_test_of_kinds(tcase, a_peer_with_a_path_is_named_by_it);
	add_sharing_test_of_kinds(tcase, a_peer_without_a_name_gets_no_reply);
	tcase_add_loop_test(tcase, two_servers_do_not_answer_each_other_for_ever, 0,
			    models_count());
	tcase_add_test(tcase, a_service_that_never_replies_serves_a_peer_without_a_name);
	add_sharing_test_of_kinds(tcase, a_peer_that_does_not_read_delays_nobody);
	tcase_add_test(tcase, a_second_server_of_datagrams_does_not_start);
	tcase_add_test(tcase, a_client_is_told_the_type_of_the_socket);
	return suite;
}
