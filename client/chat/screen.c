/*
 * screen - chat on a terminal: messages appear above the line that the user edits.
 *
 * What it shows: one thread waits for the user and for the server at once, in poll(2). The
 * bottom row belongs to the line editor. Any other output first erases that row; at the end
 * of the iteration the row is shown again with the cursor in place. All output of an
 * iteration is one write(2), so the screen does not flicker.
 *
 * After the server closes, the user can still type, and the program reconnects after 1 s, 2
 * s, 4 s ... 60 s. Each delay varies by up to a quarter, so that the clients of a restarted
 * server do not all connect at the same time.
 *
 *     CONNECTING ──connected──> TALKING ──/quit──> LEAVING ──closed──> OVER
 *       ^   │                      │
 *       │   └──failed──> WAITING <─┘ closed by the server
 *       └──delay is over────┘
 *
 * Try it: bin/chatd-select & bin/chat -n alice localhost
 */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "client/chat/screen.h"
#include "client/chat/connector.h"
#include "client/chat/line_editor.h"
#include "client/chat/link.h"
#include "client/chat/terminal.h"
#include "client/lib/dial_stream.h"
#include "client/lib/dial_text.h"
#include "client/lib/through.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "common/text.h"

enum {
	FIRST_DELAY = 1000,    /* milliseconds */
	LONGEST_DELAY = 60000, /* milliseconds */
	LASTING = 10000,       /* milliseconds: a connection that lasted longer resets
			        * the delay */
	QUIT_TIME = 2000,      /* milliseconds: the server must close within this after
			        * /quit */
	OUTPUT = 4 * SPEECH_SHOWN_MOST,
	NOTICE_TEXT = FAILURE_TEXT + 128,
	KEYS = 512,                 /* bytes of one read of the terminal */
	REASON = FAILURE_TEXT - 20, /* bytes of the reason why a connection was lost */
};

enum phase {
	TALKING,
	WAITING,    /* for the time to reconnect */
	CONNECTING, /* a connector runs */
	LEAVING,    /* /quit was sent */
	OVER,
};

/* State of a bracketed paste. */
struct paste {
	size_t unsent;      /* number of lines that could not be sent ... */
	const char *reason; /* ... and the reason for the first */
	size_t too_long;    /* number of lines longer than LINE_MOST */
	bool given_up;      /* the server reads no more of it */
	int64_t held_since; /* milliseconds: since when it waits for the server; 0: it
			     * does not */
};

struct screen {
	const struct chat_settings *settings;
	struct speech_style style;
	enum phase phase;
	int status; /* exit status, in the state OVER */
	struct chat_link link;
	struct through through; /* the command that is the connection */
	struct connector *connector;
	int64_t since;    /* milliseconds: time of connecting, or of /quit */
	int64_t again_at; /* milliseconds: when to reconnect */
	int64_t delay;    /* milliseconds: the last delay, 0 at first */
	/* Requested after connecting; "": nothing, the default of the server. */
	char nickname[NICKNAME_MOST + 1], room[NICKNAME_MOST + 1];
	char start[NICKNAME_MOST + 1]; /* the room in which every client starts */
	bool arrived;                  /* the server has named that room */
	struct failure failure;
	struct line_editor editor;
	struct paste paste;
	char keys[KEYS];             /* typed or pasted bytes ... */
	size_t keys_start, keys_end; /* ... that are not handled yet */
	bool stale;                  /* the line must be shown again */
	size_t output_used;          /* used bytes of output, which starts with the
				      * sequence that erases the line */
	char output[OUTPUT];
};

/* ---- what is shown --------------------------------------------------------------------- */

static void end(struct screen *screen, int status)
{
	screen->phase = OVER;
	screen->status = status;
}

static void write_output(struct screen *screen)
{
	if (dial_print(screen->output, screen->output_used) < 0) {
		failure_set(&screen->failure, "cannot write to the terminal: %s",
			    strerror(errno));
		end(screen, 1);
	}
	screen->output_used = 0;
}

static char *output_space(struct screen *screen, size_t length)
{
	if (length > sizeof screen->output - screen->output_used)
		write_output(screen);
	return screen->output + screen->output_used;
}

static void put(struct screen *screen, const char *text)
{
	size_t length = strlen(text);

	memcpy(output_space(screen, length), text, length);
	screen->output_used += length;
	screen->stale = true;
}

static void print_line(struct screen *screen, enum speaker speaker, const char *line,
		       size_t length)
{
	if (screen->output_used == 0)
		put(screen, "\r\x1b[K");
	screen->output_used +=
		speech_show(&screen->style, speaker, line, length, time(NULL),
			    output_space(screen, SPEECH_SHOWN_MOST));
	screen->stale = true;
}

static void notice(struct screen *screen, const char *format, ...) PRINTF_LIKE(2, 3);

static void notice(struct screen *screen, const char *format, ...)
{
	char text[NOTICE_TEXT];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (length > 0)
		print_line(screen, SPEAKER_PROGRAM, text,
			   (size_t)length < sizeof text ? (size_t)length
							: sizeof text - 1);
}

static void show(struct screen *screen)
{
	if (!screen->stale)
		return;
	screen->stale = false;
	screen->output_used += line_editor_show(&screen->editor, terminal_columns(),
						output_space(screen, LINE_SHOWN_MOST));
	write_output(screen);
}

/* ---- connecting, and doing so again ------------------------------------------------------ */

static void ask_for(struct screen *screen, const char *command, const char *name)
{
	char line[64];
	int length = snprintf(line, sizeof line, "%s %s", command, name);

	if (name[0] != '\0')
		chat_link_send(&screen->link, line, (size_t)length);
}

/* @return 0, or -1 with errno */
static int begin_talking(struct screen *screen, int fd)
{
	if (chat_link_open(&screen->link, fd) < 0)
		return -1;
	screen->phase = TALKING;
	screen->since = clock_milliseconds();
	screen->arrived = false;
	ask_for(screen, "/nick", screen->nickname);
	ask_for(screen, "/join", screen->room);
	return 0;
}

static int64_t next_delay(int64_t last)
{
	int64_t delay = last > 0 ? 2 * last : FIRST_DELAY;

	return delay < LONGEST_DELAY ? delay : LONGEST_DELAY;
}

/* Between 3/4 and 5/4 of the delay. The microseconds of the clock are random enough. */
static int64_t spread(int64_t delay)
{
	return delay - delay / 4 + clock_nanoseconds() / 1000 % (delay / 2);
}

static void try_later(struct screen *screen, const char *what)
{
	int64_t wait;

	screen->delay = next_delay(screen->delay);
	wait = spread(screen->delay);
	screen->again_at = clock_milliseconds() + wait;
	screen->phase = WAITING;
	notice(screen, "* %s; trying again in %.1f s", what, (double)wait / 1000);
}

static void connection_lost(struct screen *screen, const char *reason)
{
	struct failure failure;
	char what[FAILURE_TEXT];

	chat_link_close(&screen->link);
	if (through_end(&screen->through, true, &failure) < 0)
		reason = failure.text;
	if (screen->phase == LEAVING) {
		end(screen, 0);
		return;
	}
	snprintf(what, sizeof what, "connection lost: %.*s", REASON, reason);
	if (!screen->settings->reconnect) {
		failure_set(&screen->failure, "%s", what);
		end(screen, 1);
		return;
	}
	if (chat_link_unsent(&screen->link) > 0)
		notice(screen, "* not sent: the last lines that were entered");
	if (clock_milliseconds() - screen->since >= LASTING)
		screen->delay = 0;
	try_later(screen, what);
}

/* The command connects by itself: there is nothing to wait for. */
static void restart_command(struct screen *screen)
{
	const struct dial_settings *settings = &screen->settings->dial;
	struct failure failure;
	int fd = through_start(&screen->through, settings->through, settings->host,
			       settings->port, &failure);

	if (fd < 0)
		try_later(screen, failure.text);
	else if (begin_talking(screen, fd) < 0)
		try_later(screen, strerror(errno));
	else
		notice(screen, "* started the command again");
}

static void start_connecting(struct screen *screen)
{
	const struct dial_settings *settings = &screen->settings->dial;
	struct sock_target target = {
		.host = settings->host,
		.port = settings->port,
		.family = settings->family,
		.type = SOCK_STREAM,
		.timeout = settings->timeout > 0 ? settings->timeout : -1,
	};
	struct failure failure;

	if (settings->through != NULL) {
		restart_command(screen);
		return;
	}
	screen->connector = connector_start(&target, &failure);
	if (screen->connector != NULL)
		screen->phase = CONNECTING;
	else
		try_later(screen, failure.text);
}

static void finish_connecting(struct screen *screen)
{
	struct failure failure;
	int fd = connector_finish(screen->connector, &failure);

	screen->connector = NULL;
	if (fd < 0)
		try_later(screen, failure.text);
	else if (begin_talking(screen, fd) < 0)
		try_later(screen, strerror(errno));
	else
		notice(screen, "* reconnected");
}

/* ---- from the server ------------------------------------------------------------------- */

/* If the line is START NAME and then a character that cannot be in a name, keeps the
 * name. */
static bool learn(const char *line, size_t length, const char *start,
		  char name[NICKNAME_MOST + 1])
{
	size_t skip = strlen(start), n = 0;

	if (length <= skip || memcmp(line, start, skip) != 0)
		return false;
	while (skip + n < length && line[skip + n] != ' ' && line[skip + n] != '\r')
		n++;
	if (n <= NICKNAME_MOST && speech_is_name(line + skip, n))
		snprintf(name, NICKNAME_MOST + 1, "%.*s", (int)n, line + skip);
	return true;
}

/* Learns the nickname and the room from the messages of chatd(8), to restore both
 * after reconnecting. */
static void learn_names(struct screen *screen, const char *line, size_t length)
{
	char *room = screen->arrived ? screen->room : screen->start;

	learn(line, length, "* you are now ", screen->nickname);
	if (!learn(line, length, "* you are in ", room))
		return;
	if (screen->arrived && strcmp(screen->room, screen->start) == 0)
		screen->room[0] = '\0';
	screen->arrived = true;
}

static void take_line(void *context, const char *line, size_t length)
{
	struct screen *screen = context;

	learn_names(screen, line, length);
	print_line(screen, SPEAKER_ROOM, line, length);
}

static void receive(struct screen *screen)
{
	int n = chat_link_receive(&screen->link, take_line, screen);

	if (n <= 0)
		connection_lost(screen, n < 0 ? strerror(errno) : "the server closed it");
}

static void flush(struct screen *screen)
{
	size_t before = chat_link_unsent(&screen->link);

	/* The receive path reports the reason, after the last messages of the
	 * server. */
	if (chat_link_flush(&screen->link) < 0)
		screen->link.start = screen->link.end;
	if (chat_link_unsent(&screen->link) < before)
		screen->paste.held_since = 0;
}

/* ---- from the user --------------------------------------------------------------------- */

static bool is_quit(const char *text, size_t length)
{
	static const char command[] = "/quit";
	size_t n = sizeof command - 1;

	return length >= n && strncasecmp(text, command, n) == 0 &&
	       (length == n || text[n] == ' ');
}

static void leave(struct screen *screen)
{
	screen->phase = LEAVING;
	screen->since = clock_milliseconds();
}

static void quit(struct screen *screen)
{
	if (screen->phase == TALKING && chat_link_send(&screen->link, "/quit", 5))
		leave(screen);
	else
		end(screen, 0);
}

/* Sends the lines of a paste one by one. Lines that cannot be sent are counted and
 * kept in the history. A cut line is never sent: it would be another message. */
static void enter_pasted(struct screen *screen)
{
	const struct line_editor *editor = &screen->editor;
	struct paste *paste = &screen->paste;
	const char *reason = NULL;

	if (editor->lost > 0) {
		paste->too_long++;
		line_editor_drop(&screen->editor);
		return;
	}
	if (editor->length == 0)
		return;
	if (screen->phase == LEAVING)
		reason = "it follows /quit";
	else if (screen->phase != TALKING)
		reason = "not connected";
	else if (paste->given_up ||
		 !chat_link_send(&screen->link, editor->text, editor->length))
		reason = "the server does not read";
	if (reason == NULL) {
		print_line(screen, SPEAKER_OURSELVES, editor->text, editor->length);
		if (is_quit(editor->text, editor->length))
			leave(screen);
	} else if (paste->unsent++ == 0) {
		paste->reason = reason;
	}
	screen->stale = true;
	line_editor_accept(&screen->editor);
}

/* Reports the unsent lines of a finished paste. */
static void end_paste(struct screen *screen)
{
	struct paste *paste = &screen->paste;

	if (paste->unsent > 0)
		notice(screen, "* not sent: %zu pasted line%s: %s", paste->unsent,
		       paste->unsent == 1 ? "" : "s", paste->reason);
	if (paste->too_long > 0)
		notice(screen, "* not sent: %zu pasted line%s of more than %d bytes",
		       paste->too_long, paste->too_long == 1 ? "" : "s", LINE_MOST);
	if (screen->editor.lost > 0)
		notice(screen, "* the line is full: %zu pasted bytes were dropped",
		       screen->editor.lost);
	*paste = (struct paste){ 0 };
}

/* A line that cannot be sent stays in the editor. */
static void enter_line(struct screen *screen)
{
	const struct line_editor *editor = &screen->editor;
	bool quits = is_quit(editor->text, editor->length);

	if (editor->length == 0)
		return;
	if (screen->phase == LEAVING || (quits && screen->phase != TALKING)) {
		end(screen, 0);
	} else if (screen->phase != TALKING) {
		notice(screen, "* not sent: not connected");
	} else if (!chat_link_send(&screen->link, editor->text, editor->length)) {
		notice(screen, "* not sent: the server does not read");
	} else {
		print_line(screen, SPEAKER_OURSELVES, editor->text, editor->length);
		line_editor_accept(&screen->editor);
		if (quits)
			leave(screen);
	}
}

/* Reports it once per line. */
static void report_full(struct screen *screen, size_t lost_before)
{
	screen->stale = true;
	if (lost_before == 0 && !line_editor_is_pasting(&screen->editor))
		notice(screen, "* the line is full: at most %d bytes", LINE_MOST);
}

static void take_key(struct screen *screen, unsigned char byte)
{
	size_t lost = screen->editor.lost;
	bool pasting = line_editor_is_pasting(&screen->editor);

	switch (line_editor_take(&screen->editor, byte)) {
	case LINE_NOTHING:
		if (pasting && !line_editor_is_pasting(&screen->editor))
			end_paste(screen);
		break;
	case LINE_CHANGED:
		screen->stale = true;
		break;
	case LINE_FULL:
		report_full(screen, lost);
		break;
	case LINE_ENTERED:
		if (pasting)
			enter_pasted(screen);
		else
			enter_line(screen);
		break;
	case LINE_NO_MORE:
		quit(screen);
		break;
	case LINE_REDRAW:
		put(screen, "\x1b[H\x1b[2J");
		break;
	}
}

static bool has_keys(const struct screen *screen)
{
	return screen->keys_start < screen->keys_end;
}

/* Whether the next line of a paste might not fit into the queue. Then the rest of
 * the paste waits in the terminal until the server reads more. */
static bool is_held(struct screen *screen)
{
	struct paste *paste = &screen->paste;
	bool held = line_editor_is_pasting(&screen->editor) && !paste->given_up &&
		    screen->phase == TALKING &&
		    chat_link_unsent(&screen->link) >= CHAT_UNSENT_MOST - LINE_MOST - 1;

	if (!held)
		paste->held_since = 0;
	else if (paste->held_since == 0)
		paste->held_since = clock_milliseconds();
	return held;
}

static void take_keys(struct screen *screen)
{
	while (has_keys(screen) && screen->phase != OVER && !is_held(screen))
		take_key(screen, (unsigned char)screen->keys[screen->keys_start++]);
}

static void read_keys(struct screen *screen)
{
	ssize_t n = io_read(STDIN_FILENO, screen->keys, sizeof screen->keys);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		failure_set(&screen->failure, "the terminal was closed");
		end(screen, 1);
	}
	screen->keys_start = 0;
	screen->keys_end = n > 0 ? (size_t)n : 0;
}

/* ---- whose turn it is ------------------------------------------------------------------ */

static bool has_connection(const struct screen *screen)
{
	return screen->link.fd >= 0;
}

/* Milliseconds until then, as timeout for poll(2). */
static int until(int64_t moment)
{
	int64_t left = moment - clock_milliseconds();

	return left > 0 ? (int)left : 0;
}

/* Timeout for poll(2), in milliseconds; -1: none. */
static int poll_timeout(const struct screen *screen)
{
	if (screen->phase == WAITING)
		return until(screen->again_at);
	if (screen->phase == LEAVING)
		return until(screen->since + QUIT_TIME);
	if (screen->paste.held_since > 0 && screen->settings->dial.timeout > 0)
		return until(screen->paste.held_since + screen->settings->dial.timeout);
	return -1;
}

static void time_is_over(struct screen *screen)
{
	if (screen->phase == WAITING && until(screen->again_at) == 0)
		start_connecting(screen);
	if (screen->phase == LEAVING && until(screen->since + QUIT_TIME) == 0)
		end(screen, 0);
	if (screen->paste.held_since > 0 && poll_timeout(screen) == 0)
		screen->paste.given_up = true;
}

static void take_changes(struct screen *screen)
{
	if (terminal_take_changes() < 0) {
		failure_set(&screen->failure, "the terminal was closed");
		end(screen, 1);
	}
	/* After a terminal has become narrower, the old line may continue in the
	 * next row. Some terminals move the cursor there, others do not, and a
	 * program cannot tell. So the row above is not erased: it might hold a
	 * message. */
	put(screen, "\r\x1b[J");
}

/* Timeout of an incomplete key or paste. */
static void give_up_key(struct screen *screen)
{
	bool pasting = line_editor_is_pasting(&screen->editor);

	line_editor_give_up(&screen->editor);
	if (pasting && !line_editor_is_pasting(&screen->editor))
		end_paste(screen);
}

static void take_turn(struct screen *screen)
{
	short wanted =
		(short)(POLLIN | (chat_link_unsent(&screen->link) > 0 ? POLLOUT : 0));
	struct pollfd ends[] = {
		{ .fd = has_keys(screen) ? -1 : STDIN_FILENO, .events = POLLIN },
		{ .fd = screen->link.fd, .events = wanted },
		{ .fd = terminal_changes(), .events = POLLIN },
		{ .fd = screen->phase == CONNECTING
				? connector_descriptor(screen->connector)
				: -1,
		  .events = POLLIN },
	};
	int key = has_keys(screen) ? -1 : line_editor_timeout(&screen->editor);
	int wait = has_keys(screen) && !is_held(screen) ? 0 : poll_timeout(screen);
	int ready = poll(ends, sizeof ends / sizeof *ends,
			 key >= 0 && (wait < 0 || key < wait) ? key : wait);

	if (ready <= 0)
		memset(ends, 0, sizeof ends);
	if (ready == 0 && key >= 0 && (wait < 0 || key <= wait))
		give_up_key(screen);
	if (ends[2].revents != 0)
		take_changes(screen);
	if ((ends[1].revents & ~POLLIN) != 0)
		flush(screen);
	if ((ends[1].revents & ~POLLOUT) != 0)
		receive(screen);
	if (ends[3].revents != 0)
		finish_connecting(screen);
	if (ends[0].revents != 0)
		read_keys(screen);
	take_keys(screen);
	if (has_connection(screen))
		flush(screen);
	time_is_over(screen);
	show(screen);
}

/* ---- beginning and end ------------------------------------------------------------------ */

/* wcwidth(3) depends on LC_CTYPE. The server sends UTF-8 in any locale, so for a
 * locale without UTF-8 the width comes from C.UTF-8. */
static void choose_locale(void)
{
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

/* @param where  receives the address of the server, or "HOST through COMMAND"
 * @return the descriptor, or -1 with screen->failure */
static int connect_first(struct screen *screen, char where[FAILURE_TEXT])
{
	const struct dial_settings *settings = &screen->settings->dial;
	struct address reached;
	char text[DIAL_PEER_TEXT];
	int fd;

	if (settings->through != NULL) {
		snprintf(where, FAILURE_TEXT, "%s through %s", settings->host,
			 settings->through);
		return through_start(&screen->through, settings->through, settings->host,
				     settings->port, &screen->failure);
	}
	fd = dial_connect(settings, &reached, &screen->failure);
	if (fd >= 0)
		snprintf(where, FAILURE_TEXT, "%s",
			 dial_reached_text(settings, &reached, text));
	return fd;
}

static int begin(struct screen *screen)
{
	const struct chat_settings *settings = screen->settings;
	char where[FAILURE_TEXT];
	int fd = connect_first(screen, where);

	if (fd < 0)
		return -1;
	snprintf(screen->nickname, sizeof screen->nickname, "%s", settings->nickname);
	snprintf(screen->room, sizeof screen->room, "%s", settings->room);
	if (begin_talking(screen, fd) < 0 || terminal_enter() < 0)
		return failure_set(&screen->failure, "%s", strerror(errno));
	notice(screen, "* connected to %s; to leave, press Ctrl-D or enter /quit", where);
	show(screen);
	return 0;
}

static int converse(struct screen *screen)
{
	screen->failure.text[0] = '\0';
	if (begin(screen) < 0)
		end(screen, 1);
	while (screen->phase != OVER)
		take_turn(screen);
	terminal_leave();
	if (screen->status != 0)
		message(MESSAGE_ERROR, "%s", screen->failure.text);
	chat_link_close(&screen->link);
	through_end(&screen->through, false, NULL);
	line_editor_end(&screen->editor);
	return screen->status;
}

int chat_screen(const struct chat_settings *settings)
{
	struct screen *screen = calloc(1, sizeof *screen);
	int status;

	if (screen == NULL) {
		message(MESSAGE_ERROR, "%s", strerror(errno));
		return 1;
	}
	choose_locale();
	screen->settings = settings;
	screen->style = speech_style_here(settings->dial.times);
	screen->link.fd = -1;
	status = converse(screen);
	free(screen);
	return status;
}
