/*
 * terminal - puts the terminal into non-canonical mode, and restores it whenever the
 * program ends.
 *
 * What to watch for: the terminal outlives the process. It must be restored on exit(3), on
 * every fatal signal, and while the process is stopped (Ctrl-Z). The handlers call only
 * functions that are async-signal-safe: tcsetattr(3) and write(2).
 */
#define _XOPEN_SOURCE 700 /* sigaltstack */

#include "client/chat/terminal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/io.h"

/* Signals whose default action terminates the process (POSIX, signal.h). SIGKILL
 * cannot be caught; SIGPIPE is handled elsewhere. */
static const int deadly[] = {
	SIGHUP,    SIGINT,  SIGQUIT, SIGTERM, SIGABRT, SIGALRM,
	SIGUSR1,   SIGUSR2, SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,
	SIGTRAP,   SIGSYS,  SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM,
#ifdef SIGPOLL
	SIGPOLL,
#endif
#ifdef SIGSTKFLT
	SIGSTKFLT,
#endif
#ifdef SIGPWR
	SIGPWR,
#endif
};

enum {
	DEADLY = sizeof deadly / sizeof *deadly,
	HANDLER_STACK = 64 * 1024,
};

/* State for the handlers. It is complete before they are installed. */
static struct termios original, edited;
static struct sigaction before[DEADLY];
static volatile sig_atomic_t taken;
static int changes[2] = { -1, -1 };

static const char paste_marks_on[] = "\x1b[?2004h";
static const char leaving[] =
	"\x1b[0m\x1b[?2004l\r\n"; /* default attributes, no bracketed paste, a new row */
static const char leaving_clean[] = "\x1b[0m\x1b[?2004l\r\x1b[K";

bool terminal_is_usable(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind != NULL &&
	       kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

/* ---- in handlers: only what is safe there (POSIX, 2.4.3) -------------------------------- */

/* A terminal that blocks, or is gone, must not keep the process from ending. */
static void write_text(const char *text, size_t length)
{
	struct pollfd terminal = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (poll(&terminal, 1, 0) == 1 && (terminal.revents & POLLOUT) != 0 &&
	    write(STDOUT_FILENO, text, length) < 0)
		return; /* the terminal is gone */
}

/* A background process must not change the terminal: the shell or another program
 * uses it. */
static bool is_in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* TCSANOW: to wait for the output could block forever. */
static void give_back(const char *text, size_t length)
{
	if (taken && is_in_foreground()) {
		write_text(text, length);
		tcsetattr(STDIN_FILENO, TCSANOW, &original);
	}
	taken = 0; /* after tcsetattr: a signal in between restores it once more */
}

static void note_change(void)
{
	if (write(changes[1], "", 1) < 0)
		return; /* full pipe: the reader is notified already */
}

static void on_change(int number)
{
	int error = errno;

	(void)number;
	note_change();
	errno = error;
}

/* The signal is blocked during its handler, so it terminates the process after the
 * return. */
static void on_death(int number)
{
	int error = errno;

	give_back(leaving, sizeof leaving - 1);
	for (size_t i = 0; i < DEADLY; i++)
		if (deadly[i] == number)
			sigaction(number, &before[i], NULL);
	raise(number);
	errno = error;
}

static void handle(int number, void (*handler)(int), struct sigaction *old)
{
	struct sigaction action = { .sa_flags = SA_RESTART | SA_ONSTACK };

	action.sa_handler = handler;
	sigfillset(&action.sa_mask); /* block all signals during a handler */
	sigaction(number, &action, old);
}

/* Ctrl-Z: restores the terminal, then stops by the default action of SIGTSTP.
 * SIGSTOP instead would also stop a process in an orphaned process group, which
 * nothing would continue. */
static void on_stop(int number)
{
	int error = errno;
	struct sigaction stop = { .sa_flags = 0 };
	sigset_t this_one;

	give_back(leaving, sizeof leaving - 1);
	stop.sa_handler = SIG_DFL;
	sigemptyset(&stop.sa_mask);
	sigaction(number, &stop, NULL);
	sigemptyset(&this_one);
	sigaddset(&this_one, number);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &this_one, NULL); /* the process stops here */
	pthread_sigmask(SIG_BLOCK, &this_one, NULL);
	handle(number, on_stop, NULL);
	note_change();
	errno = error;
}

/* ---- taking and giving back -------------------------------------------------------------- */

/* A signal that was ignored at the start (nohup(1)) stays ignored. */
static void handle_unless_ignored(int number, void (*handler)(int), struct sigaction *old)
{
	handle(number, handler, old);
	if (old->sa_handler == SIG_IGN)
		sigaction(number, old, NULL);
}

/* A handler on its own stack also works after a stack overflow. */
static void prepare_stack(void)
{
	static char memory[HANDLER_STACK];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };

	sigaltstack(&stack, NULL);
}

static void handle_signals(void)
{
	struct sigaction old;

	prepare_stack();
	for (size_t i = 0; i < DEADLY; i++)
		handle_unless_ignored(deadly[i], on_death, &before[i]);
	handle_unless_ignored(SIGTSTP, on_stop, &old);
	handle(SIGCONT, on_change, NULL); /* also after SIGSTOP, which cannot be caught */
#ifdef SIGWINCH
	handle(SIGWINCH, on_change, NULL);
#endif
}

/* Each byte at once, no echo. ISIG stays set, so that Ctrl-C and Ctrl-Z work even if
 * the program hangs. Output processing stays set: \n also returns the carriage. */
static void choose_modes(void)
{
	edited = original;
	edited.c_iflag &=
		~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
	edited.c_oflag |= OPOST;
	edited.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
	edited.c_lflag |= ISIG;
	edited.c_cc[VMIN] = 1;
	edited.c_cc[VTIME] = 0;
}

static int open_changes(void)
{
	if (changes[0] >= 0)
		return 0;
	if (pipe(changes) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if (io_set_nonblocking(changes[i], true) < 0 ||
		    io_set_close_on_exec(changes[i]) < 0)
			return -1;
	return atexit(terminal_leave) == 0 ? 0 : -1;
}

/* Called outside handlers: in the background tcsetattr(3) stops the process
 * (SIGTTOU) until it is in the foreground. @return 0, or -1 with errno */
static int take(void)
{
	taken = 1; /* first, so that a signal from now on restores it */
	if (tcsetattr(STDIN_FILENO, TCSANOW, &edited) < 0) {
		taken = 0;
		return -1;
	}
	write_text(paste_marks_on, sizeof paste_marks_on - 1);
	return 0;
}

int terminal_enter(void)
{
	if (tcgetattr(STDIN_FILENO, &original) < 0 || open_changes() < 0)
		return -1;
	choose_modes();
	handle_signals();
	return take();
}

void terminal_leave(void)
{
	give_back(leaving_clean, sizeof leaving_clean - 1);
}

size_t terminal_columns(void)
{
#ifdef TIOCGWINSZ
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		return size.ws_col;
#endif
	return 0;
}

int terminal_changes(void)
{
	return changes[0];
}

int terminal_take_changes(void)
{
	char bytes[64];

	while (io_read(changes[0], bytes, sizeof bytes) > 0)
		continue;
	return take();
}
