/*
 * What a service manager sees of a server: when it is ready, when it stops (NOTIFY_SOCKET); and
 * what clients see of a restart, which is nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/local_address.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum { TEXT = 512 };

/* ---- NOTIFY_SOCKET --------------------------------------------------------------------- */

/* The socket of a service manager. */
static int open_manager(const char *name)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	struct local_address address;
	struct failure failure;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(local_address_parse(name, &address, &failure), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address.name, address.length), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

static void expect_state(int manager, const char *state)
{
	char said[TEXT];
	ssize_t n = recv(manager, said, sizeof said - 1, 0);

	ck_assert_msg(n > 0, "the server did not say %s", state);
	said[n] = '\0';
	ck_assert_msg(strncmp(said, state, strlen(state)) == 0, "'%s' instead of '%s'",
		      said, state);
}

static void set_notify_socket(void *context)
{
	setenv("NOTIFY_SOCKET", context, 1);
}

static struct server start_notifying(const char *program, char *name)
{
	struct server_setup setup = {
		.program = program,
		.prepare = set_notify_socket,
		.context = name,
	};

	return server_start_with(&setup);
}

/* given: a service manager with a socket, a path or an abstract name; when: a server starts and
 * gets SIGTERM; then: it says READY=1 when it serves, and STOPPING=1 once, in each model */
START_TEST(manager_is_told)
{
	struct folder folder;
	char name[TEXT], rest[TEXT];
	struct server server;
	int manager;

	folder_create(&folder);
	if (_i % 2 == 0)
		snprintf(name, sizeof name, "%s", folder_path(&folder, "manager"));
	else
		snprintf(name, sizeof name, "@sockways-test-%ld", (long)getpid());
	manager = open_manager(name);
	server = start_notifying(model_program(_i, "echo"), name);
	expect_state(manager, "READY=1\n");
	close(client_connect_and_echo(&server));
	server_finish(&server);
	expect_state(manager, "STOPPING=1");
	ck_assert_int_lt(recv(manager, rest, sizeof rest, MSG_DONTWAIT), 0);
	close(manager);
	folder_remove(&folder);
}
END_TEST

/* given: NOTIFY_SOCKET names nothing, or no socket; when: a server starts; then: it says so in one
 * line, and serves */
START_TEST(missing_manager_stops_nothing)
{
	static char *const names[] = { "/nowhere/manager", "manager", "@", "/" };
	struct server server = start_notifying("echod-select", names[_i]);

	server_wait_line(&server, "NOTIFY_SOCKET", WAIT_MS);
	close(client_connect_and_echo(&server));
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "NOTIFY_SOCKET"), 1);
}
END_TEST

Suite *suite_restart(void)
{
	Suite *suite = suite_create("restart");
	TCase *notify = add_case(suite, "notify");

	add_sharing_test(notify, manager_is_told);
	tcase_add_loop_test(notify, missing_manager_stops_nothing, 0, 4);
	return suite;
}
