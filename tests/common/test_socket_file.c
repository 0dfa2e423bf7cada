/*
 * The names of UNIX-domain sockets, and the files that belong to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/datagram.h"
#include "common/sock.h"
#include "common/socket_file.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static struct folder folder;
static struct failure failure;

static void set_up(void)
{
	folder_create(&folder);
}

static void tear_down(void)
{
	folder_remove(&folder);
}

static struct local_address address_of(const char *text)
{
	struct local_address address;

	ck_assert_msg(local_address_parse(text, &address, &failure) == 0, "%s",
		      failure.text);
	return address;
}

static int bind_file(const char *entry, unsigned mode, struct socket_file *file)
{
	struct local_address address = address_of(folder_path(&folder, entry));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(socket_file_bind(fd, &address, mode, file, &failure) == 0, "%s",
		      failure.text);
	return fd;
}

/* ---- names ----------------------------------------------------------------------------- */

START_TEST(a_socket_tells_its_name)
{
	struct local_address address;
	char text[LOCAL_ADDRESS_TEXT], path[2 * FOLDER_TEXT];
	struct socket_file file;
	int fd = bind_file("a\nb", 0600, &file), plain = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(local_address_of(fd, &address), 0);
	snprintf(path, sizeof path, "%s/a\\nb", folder.path); /* escaped */
	ck_assert_str_eq(local_address_text(&address, text), path);
	ck_assert(local_address_is_path(&address));
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(local_address_of(fd, &address), 0);
	ck_assert_str_eq(local_address_text(&address, text), "unnamed");
	ck_assert(!local_address_is_path(&address));
	ck_assert_int_eq(local_address_of(plain, &address), -1);
	close(fd);
	close(plain);
}
END_TEST

START_TEST(of_a_long_name_the_end_is_shown)
{
	struct datagram_peer peer = { .address.any.sa_family = AF_UNIX };
	char long_path[104], text[ADDRESS_TEXT];

	ck_assert(datagram_peer_is_unnamed(&peer));
	ck_assert_str_eq(datagram_peer_text(&peer, text), "unnamed");
	memset(long_path, '/', sizeof long_path);
	strcpy(long_path + sizeof long_path - 5, "/end");
	peer.local = address_of(long_path);
	datagram_peer_text(&peer, text);
	ck_assert_uint_eq(strlen(text), ADDRESS_TEXT - 1);
	ck_assert_int_eq(strncmp(text, "...//", 5), 0);
	ck_assert_str_eq(text + strlen(text) - 5, "//end");
}
END_TEST

/* ---- files ----------------------------------------------------------------------------- */

/* Also where the umask would forbid it, and it is the same afterwards. */
START_TEST(a_file_has_the_mode_that_was_asked_for)
{
	static const unsigned modes[] = { 0600, 0666, 0770, 0 };
	mode_t before = umask(077);

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct socket_file file;
		struct stat status;
		int fd = bind_file("socket", modes[i], &file);

		ck_assert_int_eq(stat(folder_path(&folder, "socket"), &status), 0);
		ck_assert_uint_eq(status.st_mode & 07777, modes[i]);
		socket_file_remove(&file);
		close(fd);
	}
	ck_assert_uint_eq(umask(before), 077);
}
END_TEST

START_TEST(only_the_process_that_made_a_file_removes_it)
{
	struct socket_file file;
	int fd = bind_file("socket", 0600, &file), status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		socket_file_remove(&file);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(folder_has(&folder, "socket"));
	socket_file_remove(&file);
	ck_assert(!folder_has(&folder, "socket"));
	folder_socket(&folder, "socket"); /* of somebody else */
	socket_file_remove(&file);
	ck_assert(folder_has(&folder, "socket"));
	close(fd);
}
END_TEST

START_TEST(a_moved_file_is_not_removed_from_its_old_place)
{
	struct socket_file file;
	int fd = bind_file("socket", 0600, &file);
	char path[FOLDER_TEXT];

	strcpy(path, folder_path(&folder, "moved"));
	ck_assert_int_eq(rename(folder_path(&folder, "socket"), path), 0);
	folder_text(&folder, "socket", "another");
	socket_file_remove(&file);
	ck_assert(folder_has(&folder, "socket"));
	ck_assert(folder_has(&folder, "moved"));
	close(fd);
}
END_TEST

/* ---- the name of a client -------------------------------------------------------------- */

START_TEST(a_temporary_name_gets_replies_and_is_removed)
{
	struct local_address server_name = address_of(folder_path(&folder, "server"));
	int server = socket(AF_UNIX, SOCK_DGRAM, 0), client, other;
	struct socket_file file, own, second;
	struct datagram_peer from;
	struct address to;
	char bytes[8];

	ck_assert_int_eq(setenv("TMPDIR", folder.path, 1), 0);
	ck_assert_int_eq(socket_file_bind(server, &server_name, 0600, &file, &failure),
			 0);
	client = socket(AF_UNIX, SOCK_DGRAM, 0);
	other = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(socket_file_bind_temporary(client, &own), 0);
	ck_assert_int_eq(socket_file_bind_temporary(other, &second), 0);
	ck_assert_int_eq(
		connect(client, (struct sockaddr *)&server_name.name, server_name.length),
		0);
	ck_assert_int_eq(send(client, "hi", 2, 0), 2);
	ck_assert_int_eq(
		datagram_receive(server, AF_UNIX, bytes, sizeof bytes, &from, &to), 2);
	ck_assert(!datagram_peer_is_unnamed(&from));
	ck_assert_int_eq(datagram_send(server, "you", 3, &from, &to), 0);
	ck_assert_int_eq(recv(client, bytes, sizeof bytes, 0), 3);
	socket_file_remove(&own);
	socket_file_remove(&second);
	socket_file_remove(&file);
	close(client);
	close(other);
	close(server);
	ck_assert_int_eq(rmdir(folder.path), 0); /* it is empty */
	ck_assert_int_eq(mkdir(folder.path, 0700), 0);
}
END_TEST

START_TEST(a_client_finds_out_that_there_is_no_server)
{
	struct local_address address = address_of(folder_path(&folder, "socket"));
	struct socket_file own;

	ck_assert_int_eq(sock_connect_datagrams(&address, &own), -1);
	ck_assert_int_eq(own.owner, 0);
	folder_socket(&folder, "socket");
	ck_assert_int_eq(sock_connect_datagrams(&address, &own), -1);
}
END_TEST

Suite *suite_socket_file(void)
{
	Suite *suite = suite_create("socket_file");
	TCase *tcase = add_case(suite, "names");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_socket_tells_its_name);
	tcase_add_test(tcase, of_a_long_name_the_end_is_shown);

	tcase = add_case(suite, "files");
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_file_has_the_mode_that_was_asked_for);
	tcase_add_test(tcase, only_the_process_that_made_a_file_removes_it);
	tcase_add_test(tcase, a_moved_file_is_not_removed_from_its_old_place);

	tcase = add_case(suite, "clients");
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_temporary_name_gets_replies_and_is_removed);
	tcase_add_test(tcase, a_client_finds_out_that_there_is_no_server);
	return suite;
}
