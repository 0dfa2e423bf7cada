/*
 * chat as its user sees it, in a pseudo-terminal and in a pipe, against a server that says
 * just what the test tells it to.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum {
	MEGABYTE = 1024 * 1024,
	TEXT = 512,
	BLOCK = 4096,
	COLUMNS = 60,
	ROWS = 20,
	BY_SIGNAL = 128, /* and its number: exit status, as a shell tells it */
	ANY_STATUS = -1,
};

/* ---- the server ------------------------------------------------------------------------ */

struct room {
	int listener, fd;
	char port[8];
};

static void room_open(struct room *room)
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 8 };
	struct failure failure;
	struct address address;

	signal(SIGPIPE, SIG_IGN);
	room->fd = -1;
	room->listener = sock_listen(&place, &failure);
	ck_assert_msg(room->listener >= 0, "%s", failure.text);
	ck_assert_int_eq(address_local(room->listener, &address), 0);
	snprintf(room->port, sizeof room->port, "%u", address_port(&address));
}

static void room_accept(struct room *room)
{
	struct address address;

	ck_assert_msg(io_wait(room->listener, POLLIN, WAIT_MS) > 0, "nobody connects");
	room->fd = sock_accept(room->listener, &address, false);
	ck_assert_int_ge(room->fd, 0);
	sock_set_timeout(room->fd, WAIT_MS);
}

static void room_say(const struct room *room, const char *text)
{
	client_send(room->fd, text, strlen(text));
}

static void room_expect(const struct room *room, const char *text)
{
	client_expect(room->fd, text, strlen(text));
}

static void room_hang_up(struct room *room)
{
	close(room->fd);
	room->fd = -1;
}

static void room_close(struct room *room)
{
	if (room->fd >= 0)
		close(room->fd);
	close(room->listener);
}

/* ---- the terminal ---------------------------------------------------------------------- */

/* What one would see: as much of a terminal as chat makes use of. */
struct screen {
	char rows[ROWS][COLUMNS + 1];
	size_t row, column;
	char sequence[32]; /* after ESC, as far as it has come */
	size_t sequence_length;
	bool in_sequence;
	bool coloured; /* there was a colour, or bold or faint letters */
};

struct user {
	struct program program;
	int master, slave;
	const char *terminal; /* the name of the slave */
	const char *kind;     /* $TERM */
	bool no_color;
	struct termios before;
	struct screen screen;
};

static void screen_clear(struct screen *screen)
{
	for (size_t i = 0; i < ROWS; i++) {
		memset(screen->rows[i], ' ', COLUMNS);
		screen->rows[i][COLUMNS] = '\0';
	}
}

static void screen_next_row(struct screen *screen)
{
	if (screen->row < ROWS - 1) {
		screen->row++;
		return;
	}
	memmove(screen->rows[0], screen->rows[1], sizeof screen->rows[0] * (ROWS - 1));
	memset(screen->rows[ROWS - 1], ' ', COLUMNS);
}

static void screen_obey(struct screen *screen)
{
	const char *sequence = screen->sequence;
	char final = sequence[screen->sequence_length - 1];
	char *row = screen->rows[screen->row];

	if (final == 'K' || final == 'J')
		memset(row + screen->column, ' ', COLUMNS - screen->column);
	if (final == 'J' && screen->row < ROWS - 1)
		memset(screen->rows[screen->row + 1], ' ', COLUMNS);
	if (strcmp(sequence, "[2J") == 0)
		screen_clear(screen);
	if (final == 'H')
		screen->row = screen->column = 0;
	if (final == 'C')
		screen->column += strtoul(sequence + 1, NULL, 10);
	if (final == 'm' && strcmp(sequence, "[0m") != 0)
		screen->coloured = true;
	ck_assert_msg(strchr("KJHCmhl", final) != NULL, "ESC %s", sequence);
	ck_assert_uint_lt(screen->column, COLUMNS);
}

static void screen_take_sequence(struct screen *screen, char byte)
{
	ck_assert_uint_lt(screen->sequence_length, sizeof screen->sequence - 1);
	screen->sequence[screen->sequence_length++] = byte;
	screen->sequence[screen->sequence_length] = '\0';
	if (screen->sequence_length == 1) {
		ck_assert_int_eq(byte, '[');
	} else if (byte >= '@') {
		screen->in_sequence = false;
		screen_obey(screen);
	}
}

static void screen_take(struct screen *screen, char byte)
{
	if (screen->in_sequence) {
		screen_take_sequence(screen, byte);
	} else if (byte == '\x1b') {
		screen->in_sequence = true;
		screen->sequence_length = 0;
	} else if (byte == '\r') {
		screen->column = 0;
	} else if (byte == '\n') {
		screen_next_row(screen);
	} else {
		ck_assert_msg((unsigned char)byte >= ' ', "a control byte %d", byte);
		if (screen->column == COLUMNS) {
			screen->column = 0;
			screen_next_row(screen);
		}
		screen->rows[screen->row][screen->column++] = byte;
	}
}

/* Reads what is there. @return false at the end */
static bool user_look(struct user *user, int64_t timeout)
{
	char bytes[BLOCK];
	ssize_t n;

	if (io_wait(user->master, POLLIN, timeout) <= 0)
		return true;
	n = io_read(user->master, bytes, sizeof bytes);
	for (ssize_t i = 0; i < n; i++)
		screen_take(&user->screen, bytes[i]);
	return n > 0;
}

static bool row_is(const char *row, const char *text)
{
	size_t length = strlen(text);

	return strncmp(row, text, length) == 0 &&
	       strspn(row + length, " ") == strlen(row + length);
}

static bool screen_has(const struct screen *screen, const char *text)
{
	for (size_t i = 0; i < ROWS; i++)
		if (row_is(screen->rows[i], text))
			return true;
	return false;
}

static bool screen_contains(const struct screen *screen, const char *text)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strstr(screen->rows[i], text) != NULL)
			return true;
	return false;
}

static void show_screen(const struct screen *screen)
{
	for (size_t i = 0; i < ROWS; i++)
		printf("%2zu |%s|\n", i, screen->rows[i]);
	printf("cursor %zu, %zu\n", screen->column, screen->row);
	fflush(stdout);
}

/* Waits until a row of the screen is this text, or has it in it. */
static void expect_seen(struct user *user, const char *text,
			bool (*seen)(const struct screen *, const char *))
{
	int64_t end = clock_milliseconds() + WAIT_MS;

	while (!seen(&user->screen, text) && clock_milliseconds() < end)
		if (!user_look(user, 20))
			break;
	if (seen(&user->screen, text))
		return;
	show_screen(&user->screen);
	ck_abort_msg("'%s' is not to be seen", text);
}

static void expect_row(struct user *user, const char *text)
{
	expect_seen(user, text, screen_has);
}

static void expect_text(struct user *user, const char *text)
{
	expect_seen(user, text, screen_contains);
}

/* "> wor|ld": the row of the cursor, with the cursor in it. */
static bool input_is(const struct screen *screen, const char *text)
{
	size_t column = strcspn(text, "|");
	char row[COLUMNS + 8];

	snprintf(row, sizeof row, "%.*s%s", (int)column, text, text + column + 1);
	return screen->column == column && row_is(screen->rows[screen->row], row);
}

static void expect_input(struct user *user, const char *text)
{
	expect_seen(user, text, input_is);
}

static void user_type(const struct user *user, const char *keys)
{
	ck_assert_int_eq(io_write(user->master, keys, strlen(keys)),
			 (ssize_t)strlen(keys));
}

static void set_width(const struct user *user, unsigned short columns)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = columns };

	ck_assert_int_eq(ioctl(user->master, TIOCSWINSZ, &size), 0);
}

/* In a session of its own on this terminal, chat is the child of a shell so to speak, in a
 * group of its own: only so can it be stopped. */
static void sit_at_terminal(void *context)
{
	const struct user *user = context;
	int status, terminal;
	pid_t child;

	setsid();
	terminal = open(user->terminal, O_RDWR); /* the first is the controlling one */
	for (int i = 0; i < 3; i++)
		dup2(terminal, i);
	close(terminal);
	setenv("TERM", user->kind, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("COLORTERM");
	unsetenv("NO_COLOR");
	if (user->no_color)
		setenv("NO_COLOR", "1", 1);
	signal(SIGTTOU, SIG_IGN);
	child = fork();
	setpgid(child, child);
	tcsetpgrp(0, child > 0 ? child : getpid());
	if (child == 0) {
		signal(SIGTTOU, SIG_DFL);
		return;
	}
	for (int fd = 3; fd < 256; fd++)
		close(fd); /* this copy of the test's own */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status));
}

/* @return false where there is no terminal */
static bool user_start(struct user *user, const char *const argv[])
{
	if (!terminal_open(&user->master, &user->slave))
		return false;
	set_width(user, COLUMNS);
	user->before = (struct termios){ .c_iflag = 0 };
	ck_assert_int_eq(tcgetattr(user->slave, &user->before), 0);
	user->terminal = ptsname(user->master);
	if (user->kind == NULL)
		user->kind = "xterm";
	screen_clear(&user->screen);
	user->program = program_start(&(struct run_setup){
		.argv = argv,
		.prepare = sit_at_terminal,
		.context = user,
	});
	return true;
}

/* A user who has arrived. @return false where there is no terminal */
static bool user_arrive(struct user *user, struct room *room, const char *option,
			const char *value)
{
	const char *argv[] = { "chat", "127.0.0.1", room->port, option, value, NULL };

	room_open(room);
	if (!user_start(user, argv)) {
		room_close(room);
		return false;
	}
	room_accept(room);
	room_say(room, "* welcome, you are guest1; /help tells more\n"
		       "* you are in lobby (1 person)\n");
	expect_text(user, "* you are in lobby (1 person)");
	return true;
}

/* The process of chat itself. */
static pid_t chat_process(const struct user *user)
{
	return tcgetpgrp(user->master);
}

static void expect_terminal_as_before(const struct user *user)
{
	/* the kernel has fewer control characters than musl, which leaves the others as they are */
	struct termios now = { .c_iflag = 0 };

	ck_assert_int_eq(tcgetattr(user->slave, &now), 0);
	ck_assert_int_eq(now.c_iflag, user->before.c_iflag);
	ck_assert_int_eq(now.c_oflag, user->before.c_oflag);
	ck_assert_int_eq(now.c_cflag, user->before.c_cflag);
	ck_assert_int_eq(now.c_lflag, user->before.c_lflag);
	ck_assert_mem_eq(now.c_cc, user->before.c_cc, sizeof now.c_cc);
}

static bool has_single_keys(void *context)
{
	const struct user *user = context;
	struct termios now;

	return tcgetattr(user->slave, &now) == 0 &&
	       (now.c_lflag & (tcflag_t)(ICANON | ECHO)) == 0;
}

/* Waits for the end, and looks at the terminal. */
static void user_expect_end(struct user *user, struct room *room, int status)
{
	int64_t end = clock_milliseconds() + WAIT_MS;
	struct run run = program_wait(&user->program, WAIT_MS);

	if (status != ANY_STATUS)
		run_expect_status(&run, status);
	expect_terminal_as_before(user);
	close(user->slave);
	while (user_look(user, WAIT_MS) &&
	       clock_milliseconds() < end) /* to the last byte */
		continue;
	close(user->master);
	room_close(room);
}

/* Reads until that line has come. */
static void room_skip_to(const struct room *room, const char *line)
{
	char bytes[BLOCK];
	size_t length = strlen(line), used = 0;

	do {
		ssize_t n;

		if (used > length) { /* only the end counts */
			memmove(bytes, bytes + used - length, length);
			used = length;
		}
		n = io_read(room->fd, bytes + used, sizeof bytes - used);
		ck_assert_msg(n > 0, "%s has not come", line);
		used += (size_t)n;
	} while (used < length || memcmp(bytes + used - length, line, length) != 0);
}

static void user_leave(struct user *user, struct room *room)
{
	user_type(user, "\x05\x15/quit\r"); /* whatever is being typed */
	if (room->fd >= 0) {
		room_skip_to(room, "/quit\n");
		room_hang_up(room);
	}
	user_expect_end(user, room, 0);
}

/* ---- talking --------------------------------------------------------------------------- */

START_TEST(a_line_goes_to_the_server_and_is_shown)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "hello there\r");
	room_expect(&room, "hello there\n");
	expect_row(&user, "> hello there");
	expect_input(&user, "> |");
	user_type(&user, "/me waves\r");
	room_expect(&room, "/me waves\n");
	room_say(&room, "alice: hi\n");
	expect_row(&user, "alice: hi");
	user_type(&user, "\x1b[A"); /* up */
	expect_input(&user, "> /me waves|");
	user_type(&user, "\x15/quit for today\r");
	room_expect(&room, "/quit for today\n");
	room_say(&room, "* goodbye\n");
	room_hang_up(&room);
	user_expect_end(&user, &room, 0);
	expect_row(&user, "* goodbye");
}
END_TEST

START_TEST(a_message_in_the_middle_of_typing_leaves_the_line_whole)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "half a line\x1b[D\x1b[D");
	expect_input(&user, "> half a li|ne");
	room_say(&room, "alice: first\nbob: sec");
	expect_row(&user, "alice: first");
	expect_input(&user, "> half a li|ne");
	room_say(&room, "ond\n");
	expect_row(&user, "bob: second");
	expect_input(&user, "> half a li|ne");
	ck_assert(!screen_contains(&user.screen, "half a line"
						 "alice"));
	user_type(&user, "X\r");
	room_expect(&room, "half a liXne\n");
	user_leave(&user, &room);
}
END_TEST

START_TEST(asks_for_a_nickname_and_a_room_first)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-nalice", "-jden"))
		return;
	room_expect(&room, "/nick alice\n/join den\n");
	user_leave(&user, &room);
}
END_TEST

START_TEST(ctrl_d_says_goodbye)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "\x04");
	room_expect(&room, "/quit\n");
	room_hang_up(&room);
	user_expect_end(&user, &room, 0);
}
END_TEST

START_TEST(quit_does_not_wait_for_a_server_that_stays)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "/quit\r");
	user_expect_end(&user, &room, 0);
}
END_TEST

START_TEST(tells_the_time_of_each_line)
{
	struct user user = { .no_color = true };
	struct room room;
	bool found = false;

	if (!user_arrive(&user, &room, "-t", NULL))
		return;
	room_say(&room, "alice: late\n");
	expect_text(&user, ":");
	expect_text(&user, " alice: late");
	for (size_t i = 0; i < ROWS; i++)
		if (strstr(user.screen.rows[i], "alice: late") != NULL) {
			expect_match(user.screen.rows[i],
				     "^[0-2][0-9]:[0-5][0-9]:[0-6][0-9] alice: late *$");
			found = true;
		}
	ck_assert(found);
	user_leave(&user, &room);
}
END_TEST

/* ---- what is shown --------------------------------------------------------------------- */

START_TEST(nicknames_are_coloured_unless_one_does_not_want_it)
{
	struct user user = { .no_color = _i == 1 };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	room_say(&room, "alice: hi\n");
	expect_row(&user, "alice: hi");
	ck_assert_int_eq(user.screen.coloured, _i == 0);
	user_leave(&user, &room);
}
END_TEST

START_TEST(the_terminal_does_not_obey_the_server)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	room_say(&room, "mallory: \x1b[2J\x1b]0;title\x07\x08gone\n");
	expect_row(&user, "mallory: \\x1b[2J\\x1b]0;title\\x07\\x08gone");
	expect_row(&user, "* you are in lobby (1 person)");
	user_leave(&user, &room);
}
END_TEST

START_TEST(shows_the_line_in_the_width_that_there_is)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "abcdefghijklmnopqrstuvwxyz\x01");
	expect_input(&user, "> |abcdefghijklmnopqrstuvwxyz");
	set_width(&user, 20);
	expect_input(&user, "> |abcdefghijklmnop>");
	set_width(&user, COLUMNS);
	expect_input(&user, "> |abcdefghijklmnopqrstuvwxyz");
	user_leave(&user, &room);
}
END_TEST

START_TEST(ctrl_l_makes_the_screen_new)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "abc\x0c");
	expect_input(&user, "> abc|");
	ck_assert_uint_eq(user.screen.row, 0);
	user_leave(&user, &room);
}
END_TEST

/* ---- the terminal afterwards ----------------------------------------------------------- */

static const int deaths[] = { SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT,
			      SIGBUS,  SIGFPE, SIGUSR1, SIGALRM, SIGINT };

enum { DEATHS = sizeof deaths / sizeof *deaths };

/* A sanitizer has its own way to end what has crashed. */
static bool is_reported_by_sanitizers(int number)
{
	return SANITIZED && (number == SIGSEGV || number == SIGBUS || number == SIGFPE ||
			     number == SIGABRT);
}

START_TEST(a_signal_ends_it_with_the_terminal_as_it_was)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "half a line");
	expect_input(&user, "> half a line|");
	ck_assert(has_single_keys(&user));
	kill(chat_process(&user), deaths[_i]);
	user_expect_end(&user, &room,
			is_reported_by_sanitizers(deaths[_i]) ? ANY_STATUS
							      : BY_SIGNAL + deaths[_i]);
}
END_TEST

START_TEST(ctrl_c_ends_it_with_the_terminal_as_it_was)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	user_type(&user, "half a line\x03");
	user_expect_end(&user, &room, BY_SIGNAL + SIGINT);
}
END_TEST

static bool has_stopped(void *context)
{
	const struct user *user = context;
	char path[64], line[TEXT] = "";
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)chat_process(user));
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fgets(line, sizeof line, file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strstr(line, ") T ") != NULL;
}

START_TEST(ctrl_z_gives_the_terminal_back_for_a_while)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!process_facts_available()) {
		skipped("needs /proc");
		return;
	}
	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	for (int i = 0; i < 3; i++) {
		user_type(&user, "x");
		expect_text(&user, &"xxx"[2 - i]);
		user_type(&user, "\x1a");
		ck_assert_msg(eventually(has_stopped, &user, WAIT_MS), "it goes on");
		expect_terminal_as_before(&user);
		room_say(&room, "alice: meanwhile\n");
		kill(chat_process(&user), SIGCONT);
		ck_assert(eventually(has_single_keys, &user, WAIT_MS));
		expect_row(&user, "alice: meanwhile");
	}
	expect_input(&user, "> xxx|");
	user_type(&user, "\r");
	room_expect(&room, "xxx\n");
	user_leave(&user, &room);
}
END_TEST

START_TEST(a_terminal_that_goes_ends_it)
{
	struct user user = { .no_color = true };
	struct room room;
	struct run run;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	close(user.slave);
	close(user.master);
	run = program_wait(&user.program, WAIT_MS);
	ck_assert_int_ne(run.status, 0);
	client_expect_end(room.fd);
	room_close(&room);
}
END_TEST

/* ---- servers that go, stall or flood ----------------------------------------------------- */

START_TEST(connects_again_as_the_same_in_the_same_room)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-nalice", NULL))
		return;
	room_expect(&room, "/nick alice\n");
	room_say(&room, "* you are now alice\n");
	user_type(&user, "/nick bob\r/join den\r");
	room_expect(&room, "/nick bob\n/join den\n");
	room_say(&room, "* you are now bob\n* you are in den (1 person)\n");
	expect_row(&user, "* you are in den (1 person)");
	user_type(&user, "unfinished");
	room_hang_up(&room);
	expect_text(&user, "* connection lost: the server closed it;");
	expect_input(&user, "> unfinished|");
	room_accept(&room);
	room_expect(&room, "/nick bob\n/join den\n");
	expect_row(&user, "* reconnected");
	user_type(&user, "\r");
	room_expect(&room, "unfinished\n");
	user_leave(&user, &room);
}
END_TEST

START_TEST(keeps_a_line_that_cannot_be_sent)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	client_reset(room.fd);
	room.fd = -1;
	expect_text(&user, "* connection lost: Connection reset by peer;");
	user_type(&user, "keep me\r");
	expect_row(&user, "* not sent: not connected");
	expect_input(&user, "> keep me|");
	room_accept(&room);
	expect_row(&user, "* reconnected");
	user_type(&user, "\r");
	room_expect(&room, "keep me\n");
	user_leave(&user, &room);
}
END_TEST

START_TEST(waits_longer_each_time)
{
	struct user user = { .no_color = true };
	struct room room;
	int64_t began, first, second;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	room_hang_up(&room);
	began = clock_milliseconds();
	room_accept(&room);
	first = clock_milliseconds() - began;
	room_hang_up(&room);
	began = clock_milliseconds();
	room_accept(&room);
	second = clock_milliseconds() - began;
	ck_assert_int_ge(first, 700); /* 1 s and 2 s, less a quarter */
	ck_assert_int_ge(second, 1400);
	/* Accepted here, it may not know it yet: a /quit would not be sent. The row of the first
	 * connection says nothing of the second. */
	room_say(&room, "* once more\n");
	expect_row(&user, "* once more");
	user_leave(&user, &room);
}
END_TEST

START_TEST(says_why_it_cannot_connect_again)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	close(room.listener);
	room.listener = -1;
	room_hang_up(&room);
	expect_text(&user, "Connection refused"); /* after a second */
	user_type(&user, "/quit\r");
	user_expect_end(&user, &room, 0);
}
END_TEST

START_TEST(ends_when_it_is_not_to_connect_again)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "--no-reconnect", NULL))
		return;
	room_hang_up(&room);
	expect_text(&user, "chat: connection lost: the server closed it");
	user_expect_end(&user, &room, 1);
}
END_TEST

START_TEST(a_line_without_an_end_is_cut)
{
	struct user user = { .no_color = true };
	struct room room;
	char *flood = malloc(MEGABYTE);

	ck_assert_ptr_nonnull(flood);
	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	memset(flood, 'x', MEGABYTE);
	user_type(&user, "typed");
	client_send(room.fd, flood, MEGABYTE);
	room_say(&room, "\nalice: sorry\n");
	expect_row(&user, "alice: sorry");
	expect_input(&user, "> typed|");
	free(flood);
	user_leave(&user, &room);
}
END_TEST

START_TEST(a_flood_does_not_keep_one_from_typing)
{
	struct user user = { .no_color = true };
	struct room room;
	const char line[] = "bob: buy\n";
	/* a terminal that a sanitizer slows down takes less in the same time */
	const size_t most = SANITIZED ? MEGABYTE / 16 : MEGABYTE / 4;
	char *flood = malloc(most + sizeof line);
	size_t length = 0, sent = 0;
	int64_t end = clock_milliseconds() + WAIT_MS;

	ck_assert_ptr_nonnull(flood);
	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	for (; length < most; length += sizeof line - 1)
		memcpy(flood + length, line, sizeof line - 1);
	io_set_nonblocking(room.fd, true);
	while (sent < length && clock_milliseconds() < end) {
		ssize_t n = io_write(room.fd, flood + sent, length - sent);

		if (sent == 0)
			user_type(&user, "stop it\r");
		sent += n > 0 ? (size_t)n : 0;
		user_look(&user, 1);
	}
	ck_assert_uint_eq(sent, length);
	/* a terminal that nobody reads holds back what is typed */
	while (io_wait(room.fd, POLLIN, 0) == 0 && clock_milliseconds() < end)
		user_look(&user, 1);
	io_set_nonblocking(room.fd, false);
	room_expect(&room, "stop it\n");
	room_say(&room, "alice: at last\n");
	expect_row(&user, "alice: at last");
	free(flood);
	expect_input(&user, "> |");
	user_leave(&user, &room);
}
END_TEST

/* ---- pastes ------------------------------------------------------------------------------- */

enum { PASTED = 2000 };

/* Types more than the terminal's queue holds, and looks at the screen meanwhile: as soon as it
 * fills, nobody would read what chat shows. */
static void user_paste(struct user *user, const char *text)
{
	size_t length = strlen(text), used = 0;
	int64_t end = clock_milliseconds() + WAIT_MS;

	io_set_nonblocking(user->master, true);
	while (used < length && clock_milliseconds() < end) {
		ssize_t n = io_write(user->master, text + used, length - used);

		if (n > 0)
			used += (size_t)n;
		user_look(user, n > 0 ? 0 : 10);
	}
	io_set_nonblocking(user->master, false);
	ck_assert_uint_eq(used, length);
}

/* "line 0\r" to the last but one, as a terminal sends them. */
static const char *many_lines(const char *newline)
{
	static char text[PASTED * 16];
	size_t length = (size_t)sprintf(text, "\x1b[200~");

	for (int i = 0; i < PASTED; i++)
		length += (size_t)sprintf(text + length, "line %d%s", i, newline);
	sprintf(text + length, "the last\x1b[201~");
	return text;
}

/* Waits so many milliseconds; then reads so many lines that begin with that text, and others
 * before them. In a child: meanwhile the test can look at the screen. */
static pid_t room_count(const struct room *room, int delay, const char *start,
			size_t lines)
{
	pid_t child = fork();
	size_t length = strlen(start), at = 0;
	bool same = true;
	char byte;

	if (child != 0) {
		harness_own_child(child);
		return child;
	}
	poll(NULL, 0, delay);
	while (lines > 0) {
		if (io_read(room->fd, &byte, 1) <= 0)
			_exit(1);
		if (byte == '\n') {
			lines -= same && at >= length ? 1 : 0;
			same = true;
			at = 0;
			continue;
		}
		same = same && (at >= length || byte == start[at]);
		at++;
	}
	_exit(0);
}

static void expect_counted(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "not all lines have come");
}

START_TEST(each_line_of_a_paste_is_a_line)
{
	struct user user = { .no_color = true };
	struct room room;
	pid_t counter;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	counter = room_count(&room, 0, "line ", PASTED);
	user_paste(&user, many_lines(_i == 0 ? "\r" : "\r\n"));
	expect_input(&user, "> the last|");
	expect_counted(counter);
	user_type(&user, "\r");
	room_expect(&room, "the last\n");
	user_leave(&user, &room);
}
END_TEST

START_TEST(a_pasted_line_that_is_too_long_is_not_sent_in_part)
{
	struct user user = { .no_color = true };
	struct room room;
	static char text[4 * BLOCK];

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	sprintf(text, "\x1b[200~before\r%05000d\rbehind\r%02000d\x1b[201~", 0, 0);
	user_paste(&user, text);
	expect_row(&user, "* not sent: 1 pasted line of more than 1024 bytes");
	expect_row(&user, "* the line is full: 976 pasted bytes were dropped");
	room_expect(&room, "before\nbehind\n");
	user_type(&user, "\x15");
	expect_input(&user, "> |");
	user_leave(&user, &room);
}
END_TEST

START_TEST(a_line_that_is_full_says_so)
{
	struct user user = { .no_color = true };
	struct room room;
	char text[1026];

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	user_paste(&user, text); /* not marked: typed */
	expect_row(&user, "* the line is full: at most 1024 bytes");
	user_leave(&user, &room);
}
END_TEST

/* Types a line again and again (up, Enter), until the server, which does not read, takes
 * nothing more. */
static void fill_connection(struct user *user)
{
	int64_t end = clock_milliseconds() + WAIT_MS;
	char line[1001];

	memset(line, 'y', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	user_type(user, line);
	user_type(user, "\r");
	while (!screen_contains(&user->screen, "* not sent: the server does not read") &&
	       clock_milliseconds() < end) {
		for (int i = 0; i < 20; i++)
			user_type(user, "\x1b[A\r");
		for (int i = 0; i < 20; i++)
			user_look(user, 1);
	}
	expect_text(user, "* not sent: the server does not read");
}

/* The server reads again after a while, or it does not. */
START_TEST(a_paste_waits_for_the_server_or_says_what_was_not_sent)
{
	struct user user = { .no_color = true };
	struct room room;
	pid_t counter;

	if (!network_enter_own() ||
	    !network_set("/proc/sys/net/ipv4/tcp_wmem", "4096 8192 8192") ||
	    !network_set("/proc/sys/net/ipv4/tcp_rmem", "4096 8192 8192")) {
		skipped("small buffers of TCP: no network of its own to be had");
		return;
	}
	if (!user_arrive(&user, &room, "-w", _i == 0 ? "0" : "0.3"))
		return;
	fill_connection(&user);
	user_type(&user, "\x15\x0c"); /* the line and the screen are empty again */
	if (_i == 0) {
		counter = room_count(&room, 300, "line ", PASTED);
		user_paste(&user, many_lines("\r"));
		expect_input(&user, "> the last|");
		ck_assert(!screen_contains(&user.screen, "* not sent"));
		expect_counted(counter);
		user_leave(&user, &room);
		return;
	}
	user_paste(&user, many_lines("\r"));
	expect_text(&user, " pasted lines: the server does not");
	user_type(&user, "\x03");
	user_expect_end(&user, &room, BY_SIGNAL + SIGINT);
}
END_TEST

START_TEST(lines_that_are_pasted_without_a_connection_are_reported)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	room_hang_up(&room);
	expect_text(&user, "connection lost");
	user_paste(&user, "\x1b[200~one\rtwo\rthree\r\x1b[201~");
	expect_row(&user, "* not sent: 3 pasted lines: not connected");
	user_type(&user, "\x1b[A");
	expect_input(&user, "> three|");
	user_leave(&user, &room);
}
END_TEST

START_TEST(says_when_the_server_takes_nothing_more)
{
	struct user user = { .no_color = true };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	fill_connection(&user);
	user_type(&user, "\x03");
	user_expect_end(&user, &room, BY_SIGNAL + SIGINT);
}
END_TEST

/* ---- in a pipe ------------------------------------------------------------------------- */

static struct program filter_start(const struct room *room, const char *option)
{
	const char *argv[] = { "chat", "127.0.0.1", room->port, option, NULL };

	return program_start(&(struct run_setup){ .argv = argv });
}

static void expect_output(const struct program *program, const char *text)
{
	char got[TEXT] = "";
	size_t length = 0;

	while (length < strlen(text)) {
		ssize_t n;

		ck_assert_msg(io_wait(program->out, POLLIN, WAIT_MS) > 0, "got '%s'",
			      got);
		n = io_read(program->out, got + length, sizeof got - 1 - length);
		ck_assert_int_gt(n, 0);
		length += (size_t)n;
	}
	ck_assert_str_eq(got, text);
}

START_TEST(in_a_pipe_lines_go_through_as_they_come)
{
	struct room room;
	struct program program;
	struct run run;

	room_open(&room);
	program = filter_start(&room, "-nalice");
	room_accept(&room);
	room_expect(&room, "/nick alice\n");
	client_send_urgent(room.fd, "* wel", 5); /* in its place, as any other byte */
	room_say(&room, "come\n");
	expect_output(&program, "* welcome\n");
	ck_assert_int_eq(io_write(program.in, "one\n", 4), 4);
	room_expect(&room, "one\n");
	room_say(&room, "bob: \x1b[31mtwo\n");
	expect_output(&program, "bob: \x1b[31mtwo\n");
	program_end_input(&program);
	client_expect_end(room.fd);
	room_say(&room, "* goodbye\n");
	room_hang_up(&room);
	run = program_wait(&program, WAIT_MS);
	ck_assert_str_eq(run.out, "* goodbye\n");
	ck_assert_str_eq(run.err, "");
	run_expect_status(&run, 0);
	room_close(&room);
}
END_TEST

START_TEST(in_a_pipe_it_ends_with_the_server)
{
	struct room room;
	struct program program;
	struct run run;

	room_open(&room);
	program = filter_start(&room, "-jden");
	room_accept(&room);
	room_expect(&room, "/join den\n");
	room_say(&room, "* you are in den\n");
	expect_output(&program, "* you are in den\n");
	if (_i == 0)
		room_hang_up(&room);
	else
		client_reset(room.fd);
	run = program_wait(&program, WAIT_MS);
	if (_i == 1)
		expect_match(run.err, "^chat: 127.0.0.1 port [0-9]+: Connection reset");
	run_expect_status(&run, _i);
	room.fd = -1;
	room_close(&room);
}
END_TEST

/* What a hostile server, or one that is no chat server, may do to a client in a pipe. */
enum hostility { SILENT, CLOSING, SLOW_LINE, SLOW_LINES, SILENT_AT_THE_END };

#define NO_END "^chat: no end of the reply from 127\\.0\\.0\\.1 port [0-9]+ within 2 s\n$"

static const struct {
	enum hostility server;
	const char *says;
} hostilities[] = {
	{ SILENT, "^chat: no greeting from 127\\.0\\.0\\.1 port [0-9]+ within 2 s\n$" },
	{ CLOSING, "^chat: 127\\.0\\.0\\.1 port [0-9]+ closed the connection without a "
		   "reply[^\n]*\n$" },
	{ SLOW_LINE, NO_END },
	{ SLOW_LINES, NO_END },
	{ SILENT_AT_THE_END, NO_END },
};

/* A byte now and then, until the client leaves. */
static void room_dribble(const struct room *room, const char *byte_sent)
{
	char byte;

	while (io_read(room->fd, &byte, 1) > 0)
		continue; /* to the half-close */
	while (send(room->fd, byte_sent, 1, MSG_NOSIGNAL) == 1)
		poll(NULL, 0, 50);
}

START_TEST(in_a_pipe_a_hostile_server_is_left_in_time)
{
	enum hostility server = hostilities[_i].server;
	struct room room;
	struct program program;
	struct run run;

	room_open(&room);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("chat", "-w", "2", "127.0.0.1", room.port),
	});
	program_end_input(&program);
	room_accept(&room);
	if (server == SILENT_AT_THE_END)
		room_say(&room, "* welcome\n");
	if (server == SLOW_LINE || server == SLOW_LINES)
		room_dribble(&room, server == SLOW_LINE ? "x" : "\n");
	if (server == CLOSING)
		room_hang_up(&room);
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 1);
	expect_match(run.err, hostilities[_i].says);
	room_close(&room);
}
END_TEST

/* A server that takes few lines a second from each client is silent meanwhile. */
START_TEST(in_a_pipe_a_server_has_time_for_many_lines)
{
	static const char line[] = "one of many\n";
	struct room room;
	struct program program;
	struct run run;

	room_open(&room);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("chat", "-w", "0.2", "127.0.0.1", room.port),
	});
	room_accept(&room);
	room_say(&room, "* welcome\n");
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(io_write(program.in, line, strlen(line)),
				 (ssize_t)strlen(line));
	program_end_input(&program);
	poll(NULL, 0, 800); /* four times -w */
	room_say(&room, "* goodbye\n");
	room_hang_up(&room);
	run = program_wait(&program, WAIT_MS);
	ck_assert_str_eq(run.out, "* welcome\n* goodbye\n");
	room_close(&room);
}
END_TEST

START_TEST(in_a_pipe_it_can_stay_when_its_input_has_ended)
{
	struct room room;
	struct program program;
	struct run run;

	room_open(&room);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("chat", "-k", "-w", "0.1", "127.0.0.1", room.port),
	});
	program_end_input(&program);
	room_accept(&room);
	room_say(&room, "* welcome\n");
	expect_output(&program, "* welcome\n");
	ck_assert_int_eq(io_wait(room.fd, POLLIN, 300), 0);
	room_say(&room, "alice: still there?\n");
	expect_output(&program, "alice: still there?\n");
	room_hang_up(&room);
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	room_close(&room);
}
END_TEST

START_TEST(in_a_pipe_lines_have_their_time_too)
{
	struct room room;
	struct program program;
	struct run run;

	room_open(&room);
	program = filter_start(&room, "-t");
	room_accept(&room);
	room_say(&room, "one\ntwo");
	room_say(&room, "\n\nthree");
	room_hang_up(&room);
	run = program_wait(&program, WAIT_MS);
	expect_match(run.out,
		     "^(..:..:.. one)\n(..:..:.. two)\n(..:..:.. )\n(..:..:.. three)$");
	run_expect_status(&run, 0);
	room_close(&room);
}
END_TEST

START_TEST(in_a_terminal_that_can_do_nothing_it_is_a_filter)
{
	struct user user = { .kind = "dumb" };
	struct room room;

	if (!user_arrive(&user, &room, "-4", NULL))
		return;
	ck_assert(!has_single_keys(&user));
	room_say(&room, "alice: \x1b[31mhi\n");
	expect_row(&user, "alice: \\x1b[31mhi");
	user_type(&user, "hello\n");
	room_expect(&room, "hello\n");
	ck_assert(!user.screen.coloured);
	room_hang_up(&room);
	user_expect_end(&user, &room, 0);
}
END_TEST

/* ---- usage ----------------------------------------------------------------------------- */

static const struct {
	const char *argv[6];
	const char *says;
} usage_errors[] = {
	{ { "chat" }, "HOST is missing" },
	{ { "chat", "localhost", "1", "2" }, "unexpected argument after HOST and PORT" },
	{ { "chat", "localhost:1", "2" }, "the port is given twice" },
	{ { "chat", "localhost", "99999" },
	  "'99999' is not a port (0 to 65535, or a service name)" },
	{ { "chat", "localhost:99999" },
	  "'99999' is not a port (0 to 65535, or a service name)" },
	{ { "chat", "" }, "'' is not HOST, HOST:PORT or [IPV6]:PORT" },
	{ { "chat", "-n", "a b", "localhost" },
	  "-n, --nick: 'a b' must be 1 to 24 characters of A-Z, a-z, 0-9, - and _" },
	{ { "chat", "-n", "", "localhost" },
	  "-n, --nick: '' must be 1 to 24 characters of A-Z, a-z, 0-9, - and _" },
	{ { "chat", "-j", "x\n/quit", "localhost" },
	  "-j, --join: 'x\\n/quit' must be 1 to 24 characters of A-Z, a-z, 0-9, - and "
	  "_" },
	{ { "chat", "-w", "soon", "localhost" },
	  "-w, --wait: 'soon' is not a time of 0 to 86400 seconds, such as 2 or 0.5" },
	{ { "chat", "-Z", "localhost" }, "unknown option -Z" },
};

enum { USAGE_ERRORS = sizeof usage_errors / sizeof *usage_errors };

START_TEST(bad_usage_is_one_clear_line)
{
	struct run run = run_program(usage_errors[_i].argv, "", 0, WAIT_MS);
	char line[TEXT];

	snprintf(line, sizeof line, "chat: %s; try 'chat -h'\n", usage_errors[_i].says);
	ck_assert_str_eq(run.err, line);
	ck_assert_str_eq(run.out, "");
	run_expect_status(&run, 2);
}
END_TEST

START_TEST(nobody_there_is_one_clear_line)
{
	struct room room;
	struct run run;
	struct user user = { .no_color = true };

	room_open(&room);
	close(room.listener);
	run = run_program(ARGUMENTS("chat", "127.0.0.1", room.port), "", 0, WAIT_MS);
	expect_match(run.err, "^chat: cannot connect to 127.0.0.1 port [0-9]+: "
			      "Connection refused\n$");
	run_expect_status(&run, 1);
	room.listener = -1;
	if (!user_start(&user, ARGUMENTS("chat", "127.0.0.1", room.port)))
		return;
	expect_text(&user, "chat: cannot connect to 127.0.0.1 port");
	user_expect_end(&user, &room, 1);
}
END_TEST

START_TEST(help_and_version_go_to_standard_output)
{
	struct run run = run_program(ARGUMENTS("chat", "-h"), "", 0, WAIT_MS);

	expect_match(run.out, "^usage: chat .*--nick NICK");
	ck_assert_str_eq(run.err, "");
	run_expect_status(&run, 0);
	run = run_program(ARGUMENTS("chat", "--version"), "", 0, WAIT_MS);
	expect_match(run.out, "^chat \\(sockways\\) [^\n]+\n$");
	run_expect_status(&run, 0);
}
END_TEST

Suite *suite_chat_client(void)
{
	Suite *suite = suite_create("chat_client");
	TCase *tcase = add_case(suite, "talking");

	tcase_add_test(tcase, a_line_goes_to_the_server_and_is_shown);
	tcase_add_test(tcase, a_message_in_the_middle_of_typing_leaves_the_line_whole);
	tcase_add_test(tcase, asks_for_a_nickname_and_a_room_first);
	tcase_add_test(tcase, ctrl_d_says_goodbye);
	tcase_add_test(tcase, quit_does_not_wait_for_a_server_that_stays);
	tcase_add_test(tcase, tells_the_time_of_each_line);
	tcase = add_case(suite, "what is shown");
	tcase_add_loop_test(tcase, nicknames_are_coloured_unless_one_does_not_want_it, 0,
			    2);
	tcase_add_test(tcase, the_terminal_does_not_obey_the_server);
	tcase_add_test(tcase, shows_the_line_in_the_width_that_there_is);
	tcase_add_test(tcase, ctrl_l_makes_the_screen_new);
	tcase = add_case(suite, "the terminal afterwards");
	tcase_add_loop_test(tcase, a_signal_ends_it_with_the_terminal_as_it_was, 0,
			    DEATHS);
	tcase_add_test(tcase, ctrl_c_ends_it_with_the_terminal_as_it_was);
	tcase_add_test(tcase, ctrl_z_gives_the_terminal_back_for_a_while);
	tcase_add_test(tcase, a_terminal_that_goes_ends_it);
	tcase = add_case(suite, "servers that go, stall or flood");
	tcase_add_test(tcase, connects_again_as_the_same_in_the_same_room);
	tcase_add_test(tcase, keeps_a_line_that_cannot_be_sent);
	tcase_add_test(tcase, waits_longer_each_time);
	tcase_add_test(tcase, says_why_it_cannot_connect_again);
	tcase_add_test(tcase, ends_when_it_is_not_to_connect_again);
	tcase_add_test(tcase, a_line_without_an_end_is_cut);
	tcase_add_test(tcase, a_flood_does_not_keep_one_from_typing);
	tcase_add_test(tcase, says_when_the_server_takes_nothing_more);
	tcase = add_case(suite, "pastes");
	tcase_add_loop_test(tcase, each_line_of_a_paste_is_a_line, 0, 2);
	tcase_add_test(tcase, a_pasted_line_that_is_too_long_is_not_sent_in_part);
	tcase_add_test(tcase, a_line_that_is_full_says_so);
	tcase_add_loop_test(tcase, a_paste_waits_for_the_server_or_says_what_was_not_sent,
			    0, 2);
	tcase_add_test(tcase, lines_that_are_pasted_without_a_connection_are_reported);
	tcase = add_case(suite, "in a pipe");
	tcase_add_test(tcase, in_a_pipe_lines_go_through_as_they_come);
	tcase_add_loop_test(tcase, in_a_pipe_it_ends_with_the_server, 0, 2);
	tcase_add_loop_test(tcase, in_a_pipe_a_hostile_server_is_left_in_time, 0,
			    (int)(sizeof hostilities / sizeof *hostilities));
	tcase_add_test(tcase, in_a_pipe_a_server_has_time_for_many_lines);
	tcase_add_test(tcase, in_a_pipe_it_can_stay_when_its_input_has_ended);
	tcase_add_test(tcase, in_a_pipe_lines_have_their_time_too);
	tcase_add_test(tcase, in_a_terminal_that_can_do_nothing_it_is_a_filter);
	tcase = add_case(suite, "usage");
	tcase_add_loop_test(tcase, bad_usage_is_one_clear_line, 0, USAGE_ERRORS);
	tcase_add_test(tcase, nobody_there_is_one_clear_line);
	tcase_add_test(tcase, help_and_version_go_to_standard_output);
	return suite;
}
