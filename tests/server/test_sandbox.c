/*
 * The sandbox: in every model a server cannot do what an intruder would, and can do it without the
 * sandbox. The servers are those of the service intruder, which has no file; and httpd and filed,
 * whose directory another one replaces.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/client.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/socket_fixture.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { TEXT = 400 };

static struct folder folder;

static void make_folder(void)
{
	folder_create(&folder);
}

static void remove_folder(void)
{
	folder_remove(&folder);
}

static const char *intruder(int model)
{
	static char program[TEXT];

	snprintf(program, sizeof program, TESTS_BUILD "/intruderd-%s", model_name(model));
	return program;
}

static struct server start(int model, const char *const options[])
{
	return server_start_with(
		&(struct server_setup){ .program = intruder(model), .options = options });
}

/* What the server says of an attempt. */
static const char *attempt(const struct server *server, const char *name)
{
	static char reply[TEXT];
	char line[32];
	int fd = client_connect(server);
	size_t length = 0;

	snprintf(line, sizeof line, "%s\n", name);
	client_say(fd, line);
	do {
		ssize_t n = io_read(fd, reply + length, sizeof reply - 1 - length);

		ck_assert_int_gt(n, 0);
		length += (size_t)n;
	} while (reply[length - 1] != '\n');
	reply[length - 1] = '\0';
	client_leave(fd);
	return reply;
}

/* Of other processors no system call is filtered (common/syscall_filter.c), and of other systems
 * none at all. */
#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(TESTS_PORTABLE)
enum { HAS_FILTER = 1 };
#else
enum { HAS_FILTER = 0 };
#endif

/* Landlock and seccomp are there, and this is no build whose sanitizer needs more. */
static bool has_sandbox(const struct server *server)
{
	const char *line = server_wait_line(server, "sandbox", WAIT_MS);

	return strstr(line, "Landlock (ABI") != NULL && strstr(line, "seccomp (") != NULL;
}

/* The server of one model says it for all: a server of inetd is there only with a client. */
static bool can_have_sandbox(void)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = TESTS_BUILD "/intruderd-thread", .options = ARGUMENTS("-v") });
	bool has = has_sandbox(&server);

	server_finish(&server);
	return has;
}

static const char *const crimes[] = { "open",      "create", "execute", "connect",
				      "trace",     "signal", "code",    "fastopen",
				      "datagrams", "limit" };

START_TEST(what_an_intruder_would_do_is_refused)
{
	struct server server;

	if (!HAS_FILTER || !can_have_sandbox()) {
		skipped("needs Landlock, seccomp and a build without a sanitizer");
		return;
	}
	server = start(_i, ARGUMENTS("-v"));
	for (size_t i = 0; i < sizeof crimes / sizeof *crimes; i++) {
		const char *reply = attempt(&server, crimes[i]);

		ck_assert_msg(strcmp(reply, "Operation not permitted") == 0 ||
				      strcmp(reply, "Permission denied") == 0,
			      "%s: %s", crimes[i], reply);
	}
	server_finish(&server);
}
END_TEST

/* So the attempts are real ones. */
START_TEST(without_the_sandbox_it_can_be_done)
{
	struct server server;

	if (!kernel_has("ptrace(2)"))
		return;
	server = start(_i, ARGUMENTS("-q", "--no-sandbox"));
	for (size_t i = 0; i < sizeof crimes / sizeof *crimes; i++) {
		const char *reply = attempt(&server, crimes[i]);

		if (strcmp(crimes[i], "signal") == 0 && geteuid() != 0)
			continue; /* process 1 is that of another user */
		ck_assert_msg(strcmp(reply, "done") == 0, "%s: %s", crimes[i], reply);
	}
	server_finish(&server);
}
END_TEST

/* The error of a thread that the sandbox refuses. glibc passes on the one of clone(2); POSIX and
 * musl have EAGAIN only, whatever the reason. */
#ifdef __GLIBC__
enum { NO_THREAD = EPERM };
#else
enum { NO_THREAD = EAGAIN };
#endif

/* A model says whether it creates processes or threads: no other one may. */
START_TEST(only_models_that_need_processes_or_threads_can_create_them)
{
	const char *name = model_name(_i);
	bool forks = strcmp(name, "fork") == 0 || strcmp(name, "prefork") == 0;
	bool threads = strcmp(name, "thread") == 0 || strcmp(name, "pool") == 0 ||
		       strcmp(name, "epoll") == 0;
	struct server server;

	if (!model_shares_a_server(_i))
		return;
	server = start(_i, ARGUMENTS("-v"));
	if (has_sandbox(&server)) {
		ck_assert_str_eq(attempt(&server, "fork"),
				 forks ? "done" : "Operation not permitted");
		ck_assert_str_eq(attempt(&server, "thread"),
				 threads ? "done" : strerror(NO_THREAD));
	}
	server_finish(&server);
}
END_TEST

/* GIVEN a server in the sandbox, WHEN its directory is removed and made anew, THEN requests fail,
 * and a line says what to do. */
START_TEST(a_directory_made_anew_needs_a_new_server)
{
	struct server server;
	int fd;

	if (!model_shares_a_server(_i))
		return;
	server = model_start(_i, "file", ARGUMENTS("-v", "-r", folder.path));
	if (has_sandbox(&server)) {
		folder_remove_path(folder.path);
		ck_assert_int_eq(mkdir(folder.path, 0755), 0);
		fd = client_connect(&server);
		client_say(fd, "STAT a\n");
		client_hear(fd, "ERR busy ");
		client_close(fd);
		server_wait_line(&server, "restart it, or start it with --no-sandbox",
				 WAIT_MS);
	}
	server_finish(&server);
}
END_TEST

/* ---- another user -------------------------------------------------------------------------- */

/* The effective user of a process and one of its groups, from /proc. */
static void expect_identity(pid_t pid, const struct passwd *user)
{
	char path[64], line[TEXT];
	unsigned long uid = 0, gid = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file) != NULL) {
		(void)sscanf(line, "Uid: %*u %lu", &uid);
		(void)sscanf(line, "Gid: %*u %lu", &gid);
		ck_assert_msg(strncmp(line, "Groups:\t0 ", 10) != 0, "%s", line);
	}
	fclose(file);
	ck_assert_uint_eq(uid, user->pw_uid);
	ck_assert_uint_eq(gid, user->pw_gid);
}

START_TEST(it_becomes_another_user)
{
	const struct passwd *user = getpwnam("nobody");
	struct server server;

	if (geteuid() != 0 || user == NULL || access("/proc/self/status", R_OK) != 0) {
		skipped("needs root, and a user nobody");
		return;
	}
	server = model_start(_i, "echo", ARGUMENTS("--user", "nobody"));
	server_wait_line(&server, "listening on", WAIT_MS);
	expect_identity(server.pid, user);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	ck_assert_ptr_null(strstr(server_errors(&server), "as root"));
}
END_TEST

/* given: a server as root with --user, --mode and the file of a UNIX-domain socket; when: it listens;
 * then: the file belongs to the user and the group, with these permissions */
START_TEST(the_socket_file_belongs_to_the_user_and_the_group)
{
	const struct passwd *user = getpwnam("nobody");
	struct server server;
	struct stat status;

	if (geteuid() != 0 || user == NULL) {
		skipped("needs root, and a user nobody");
		return;
	}
	server = server_start_with(&(struct server_setup){
		.program = "echod-select",
		.options = ARGUMENTS("--user", "nobody:1", "--mode", "0660"),
		.host = socket_name,
		.opens_itself = true,
	});
	client_leave(client_connect_and_echo(&server));
	ck_assert_int_eq(lstat(socket_name, &status), 0);
	ck_assert_uint_eq(status.st_uid, user->pw_uid);
	ck_assert_uint_eq(status.st_gid, 1);
	ck_assert_uint_eq(status.st_mode & 07777, 0660);
	server_finish(&server);
}
END_TEST

START_TEST(as_root_it_warns)
{
	struct run run;

	if (geteuid() != 0) {
		skipped("needs root");
		return;
	}
	run = run_program(ARGUMENTS(model_program(0, "echo"), "-p", "0", "-x", "0.1"), "",
			  0, WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_msg(strstr(run.err, ROOT_LINE) != NULL, "%s", run.err);
}
END_TEST

static const struct {
	const char *user, *error;
} bad_users[] = {
	{ "no such user", "--user: there is no user 'no such user'" },
	{ "root:no such group", "--user: there is no group 'no such group'" },
	{ "", "--user: there is no user ''" },
	{ ":root", "--user: there is no user ':root'" },
	{ "4294967295", "--user: there is no user '4294967295'" },
	{ "4000000000", "--user: the user 4000000000 has no name, so a group is needed" },
};

START_TEST(a_user_that_there_is_not_is_bad_usage)
{
	struct run run = run_program(ARGUMENTS(model_program(0, "echo"), "-p", "0",
					       "--user", bad_users[_i].user),
				     "", 0, WAIT_MS);

	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, bad_users[_i].error) != NULL, "%s", run.err);
}
END_TEST

Suite *suite_sandbox(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tcase = add_case(suite, "the sandbox");

	tcase_add_loop_test(tcase, what_an_intruder_would_do_is_refused, 0,
			    models_count());
	tcase_add_loop_test(tcase, without_the_sandbox_it_can_be_done, 0, models_count());
	tcase_add_loop_test(tcase,
			    only_models_that_need_processes_or_threads_can_create_them, 0,
			    models_count());
	tcase = add_case(suite, "directories");
	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, a_directory_made_anew_needs_a_new_server, 0,
			    models_count());
	tcase = add_case(suite, "the user");
	add_sharing_test(tcase, it_becomes_another_user);
	tcase_add_test(tcase, as_root_it_warns);
	tcase_add_loop_test(tcase, a_user_that_there_is_not_is_bad_usage, 0,
			    sizeof bad_users / sizeof *bad_users);
	tcase = add_case(suite, "the user of a socket file");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_test(tcase, the_socket_file_belongs_to_the_user_and_the_group);
	return suite;
}
