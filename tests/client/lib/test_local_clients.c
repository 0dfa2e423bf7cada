/*
 * Clients of servers on a UNIX-domain socket: dial, chat, xfer, loadgen.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/socket_fixture.h"
#include "tests/suites.h"

enum { TEXT = 512, BIG = 1024 * 1024 };

static char *bytes;

static struct server start(const char *program, const char *const options[])
{
	return server_start_with(&(struct server_setup){
		.program = program,
		.options = options,
		.host = socket_name,
		.opens_itself = true,
	});
}

static void expect_error(const struct run *run, int status, const char *says)
{
	ck_assert_str_eq(run->err, says);
	run_expect_status(run, status);
}

/* ---- dial ------------------------------------------------------------------------------ */

START_TEST(dial_talks_with_a_server_at_a_path)
{
	struct server server = start("echod-select", NULL);
	char line[TEXT];
	struct run run;

	fill_pattern(bytes, BIG, 1);
	run = run_program(ARGUMENTS("dial", "--raw", socket_name), bytes, BIG,
			  LONG_WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, BIG);
	ck_assert_int_eq(memcmp(run.out, bytes, BIG), 0);

	run = run_program(ARGUMENTS("dial", "-v", "-m", "hello", socket_name), "", 0,
			  WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "hello\n");
	snprintf(line, sizeof line, "^dial: connected to %s in [0-9.]+ ms\n",
		 socket_name);
	expect_match(run.err, line);
	server_finish(&server);
}
END_TEST

/* given: a server at "socket"; when: the user leaves out "./"; then: the line says what is missing */
START_TEST(a_socket_file_without_a_slash_is_explained)
{
	struct server server = start("echod-select", NULL);
	struct run run;

	ck_assert_int_eq(fchdir(socket_folder.fd), 0);
	run = run_program(ARGUMENTS("dial", "socket"), "", 0, WAIT_MS);
	expect_error(&run, 2,
		     "dial: PORT is missing (a socket file has a slash in its name: "
		     "./FILE); try 'dial -h'\n");
	server_finish(&server);
}
END_TEST

START_TEST(dial_names_the_path_that_it_cannot_reach)
{
	char line[TEXT];
	struct run run = run_program(ARGUMENTS("dial", socket_name), "", 0, WAIT_MS);

	snprintf(line, sizeof line,
		 "dial: cannot connect to %s: No such file or directory\n", socket_name);
	expect_error(&run, 1, line);
	folder_socket(&socket_folder, "socket");
	run = run_program(ARGUMENTS("dial", socket_name), "", 0, WAIT_MS);
	snprintf(line, sizeof line, "dial: cannot connect to %s: Connection refused\n",
		 socket_name);
	expect_error(&run, 1, line);
}
END_TEST

/* First there is no file, then a file to which nobody listens, then a server. */
START_TEST(dial_waits_for_the_server)
{
	struct program dial;
	struct server server;
	struct run run;

	dial = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-R", "-w", slow_seconds(20), "-m", "hello",
				  socket_name),
	});
	folder_socket(&socket_folder, "socket");
	server = start("echod-select", NULL);
	run = program_wait(&dial, WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "hello\n");
	server_finish(&server);
}
END_TEST

/* connect(2) would block; -w limits it. */
START_TEST(dial_does_not_wait_longer_for_a_full_backlog)
{
	const struct sock_place place = { socket_name, "", SOCK_STREAM, 0 };
	struct local_address address;
	struct socket_file file;
	struct run run;
	char line[TEXT];
	int listener, fd;

	ck_assert_int_eq(local_address_parse(socket_name, &address, NULL), 0);
	listener = sock_listen_local(&address, &place, SOCKET_FILE_MODE, &file, NULL);
	ck_assert_int_ge(listener, 0);
	while ((fd = sock_connect_local(&address, SOCK_STREAM)) >= 0)
		;
	run = run_program(ARGUMENTS("dial", "-w", "0.1", socket_name), "", 0, WAIT_MS);
	snprintf(line, sizeof line, "dial: cannot connect to %s: timed out\n",
		 socket_name);
	expect_error(&run, 1, line);
	close(listener);
}
END_TEST

START_TEST(dial_sends_datagrams_to_a_path)
{
	struct program dial;
	struct server server;
	struct run run;
	char line[TEXT];

	run = run_program(ARGUMENTS("dial", "-u", socket_name), "", 0, WAIT_MS);
	snprintf(line, sizeof line, "dial: %s: No such file or directory\n", socket_name);
	expect_error(&run, 1, line);
	dial = program_start(&(struct run_setup){
		.argv = ARGUMENTS("dial", "-R", "-u", "-v", "-m", "one", "-m", "two",
				  socket_name),
	});
	server = server_start_with(&(struct server_setup){
		.program = "echod-thread",
		.options = ARGUMENTS("-u"),
		.host = socket_name,
		.type = SOCK_DGRAM,
		.opens_itself = true,
	});
	run = program_wait(&dial, WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.out, "one\ntwo\n");
	snprintf(line, sizeof line, "dial: sending to %s\n", socket_name);
	ck_assert_ptr_nonnull(strstr(run.err, line));
	run = run_program(ARGUMENTS("dial", "-u", "-n", "2", "-i", "0.01", socket_name),
			  "", 0, WAIT_MS);
	run_expect_status(&run, 0);
	snprintf(line, sizeof line, "bytes from %s: seq=1 time=", socket_name);
	ck_assert_ptr_nonnull(strstr(run.out, line));
	server_finish(&server);
}
END_TEST

/* ---- bad usage ------------------------------------------------------------------------- */

static const struct {
	const char *const *arguments;
	const char *error;
} bad[] = {
	{ ARGUMENTS("dial", "./s", "7007"),
	  "dial: ./s is a UNIX-domain socket, which has no port; try 'dial -h'\n" },
	{ ARGUMENTS("dial", "@"), "dial: '@' has no name behind the @; try 'dial -h'\n" },
	{ ARGUMENTS("chat", "./s", "7022"),
	  "chat: ./s is a UNIX-domain socket, which has no port; try 'chat -h'\n" },
	{ ARGUMENTS("xfer", "-p", "7021", "ls", "./s"),
	  "xfer: -p: a UNIX-domain socket has no port; try 'xfer -h'\n" },
	{ ARGUMENTS("loadgen", "echo", "./s", "7007"),
	  "loadgen: ./s is a UNIX-domain socket, which has no port; try 'loadgen -h'\n" },
};

START_TEST(what_a_socket_cannot_have_is_bad_usage)
{
	struct run run = run_program(bad[_i].arguments, "", 0, WAIT_MS);

	expect_error(&run, 2, bad[_i].error);
}
END_TEST

/* ---- the others ------------------------------------------------------------------------ */

START_TEST(chat_joins_a_room_at_a_path)
{
	struct server server = start("chatd-thread", NULL);
	struct run run = run_program(ARGUMENTS("chat", "-n", "alice", socket_name),
				     "hello\n", 6, WAIT_MS);

	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "* you are now alice\n"));
	server_finish(&server);
}
END_TEST

START_TEST(xfer_moves_a_file_through_a_path)
{
	char from[FOLDER_TEXT], to[FOLDER_TEXT], host[TEXT];
	struct server server;
	struct run run;

	folder_directory(&socket_folder, "stored");
	folder_directory(&socket_folder, "fetched");
	fill_pattern(bytes, BIG, 2);
	folder_file(&socket_folder, "file", bytes, BIG);
	server = start("filed-fork",
		       ARGUMENTS("-r", folder_path(&socket_folder, "stored")));
	strcpy(from, folder_path(&socket_folder, "file"));
	strcpy(to, folder_path(&socket_folder, "fetched"));
	run = run_program(ARGUMENTS("xfer", "-q", "put", socket_name, from), "", 0,
			  WAIT_MS);
	expect_error(&run, 0, "");
	run = run_program(ARGUMENTS("xfer", "-j", "-o", to, "get", socket_name, "file"),
			  "", 0, WAIT_MS);
	expect_error(&run, 0, "");
	snprintf(host, sizeof host,
		 "\"host\":\"%s\",\"files\":", socket_name); /* no port */
	ck_assert_msg(strstr(run.out, host) != NULL, "%s", run.out);
	folder_expect_file(&socket_folder, "fetched/file", bytes, BIG);
	server_finish(&server);
}
END_TEST

START_TEST(loadgen_loads_a_server_at_a_path)
{
	struct server server = start("echod-poll", NULL);
	struct run run = run_program(
		ARGUMENTS("loadgen", "-c", "2", "-d", "0.3", "echo", socket_name), "", 0,
		WAIT_MS);

	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "errors         none\n"));
	server_finish(&server);
}
END_TEST

START_TEST(sockcheck_checks_a_server_at_a_path)
{
	struct server server = start("echod-thread", NULL);
	struct run run = run_program(ARGUMENTS("sockcheck", "--only",
					       "answers,two-at-once,half-close,"
					       "partial-writes,reset-after-reply",
					       "echo", socket_name),
				     "", 0, LONG_WAIT_MS);

	/* of --only, a check that is skipped is not a pass */
	ck_assert_msg(run_exit_status(&run) == 1, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(strstr(run.out, "4 passed, 0 failed, 1 skipped\n"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "has no meaning for echo on a UNIX-domain"));
	server_finish(&server);
	run = run_program(
		ARGUMENTS("sockcheck", "--only", "answers", "echo", socket_name), "", 0,
		LONG_WAIT_MS);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "FAIL  answers: the client"));
}
END_TEST

START_TEST(sockcheck_checks_datagrams_at_a_path)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = "echod-thread",
		.options = ARGUMENTS("-u"),
		.host = socket_name,
		.type = SOCK_DGRAM,
		.opens_itself = true,
	});
	struct run run = run_program(ARGUMENTS("sockcheck", "-u", "echo", socket_name),
				     "", 0, LONG_WAIT_MS);

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(strstr(run.out, "4 passed, 0 failed, 0 skipped\n"));
	server_finish(&server);
}
END_TEST

Suite *suite_local_clients(void)
{
	Suite *suite = suite_create("local_clients");
	TCase *tcase = add_case(suite, "dial");

	bytes = much_memory(BIG);
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_test(tcase, dial_talks_with_a_server_at_a_path);
	tcase_add_test(tcase, a_socket_file_without_a_slash_is_explained);
	tcase_add_test(tcase, dial_names_the_path_that_it_cannot_reach);
	tcase_add_test(tcase, dial_waits_for_the_server);
	tcase_add_test(tcase, dial_does_not_wait_longer_for_a_full_backlog);
	tcase_add_test(tcase, dial_sends_datagrams_to_a_path);

	tcase = add_case(suite, "usage");
	tcase_add_loop_test(tcase, what_a_socket_cannot_have_is_bad_usage, 0,
			    (int)(sizeof bad / sizeof *bad));

	tcase = add_case(suite, "others");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_test(tcase, chat_joins_a_room_at_a_path);
	tcase_add_test(tcase, xfer_moves_a_file_through_a_path);
	tcase_add_test(tcase, loadgen_loads_a_server_at_a_path);
	tcase_add_test(tcase, sockcheck_checks_a_server_at_a_path);
	tcase_add_test(tcase, sockcheck_checks_datagrams_at_a_path);
	return suite;
}
