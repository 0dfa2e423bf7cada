/*
 * harness - drives our programs as processes, as a user or a service manager would.
 *
 *	struct server server = server_start("echod-fork", NULL);
 *	int fd = client_connect(&server);
 *
 *	client_send(fd, "hello\n", 6);
 *	client_expect(fd, "hello\n", 6);
 *	client_close(fd);
 *	server_finish(&server);		the same as server_stop(), and it must exit 0
 *
 *	struct run run = run_program(ARGUMENTS("dial", "-h"), "", 0, PATIENCE);
 *	ck_assert_int_eq(run_exit_status(&run), 0);
 *	ck_assert_str_eq(run.out, "...");
 *
 * Rules of the house:
 *   - Programs are looked for in the directory $SOCKWAYS_BIN; a name with a slash in it
 *     is taken as it is ("/bin/sh").
 *   - Whatever goes wrong in here fails the test, with a message that says what. Nothing
 *     waits without a limit; PATIENCE is long enough for a sanitizer on a busy machine.
 *     Check's own limit is 4 s a test: tcase_set_timeout(tcase, 60).
 *   - No test sleeps for luck: it waits for something it can see, by eventually(),
 *     server_wait_line() or a reply.
 *   - Servers are started by socket activation: the harness binds port 0 and listens,
 *     so that no port is guessed and no client can come too early. A signal can come too
 *     early: before one, have a reply or server_wait_line(&server, "listening on", ...).
 *   - Programs start with descriptors 0, 1, 2 (a server: and 3), SIGPIPE, SIGINT, SIGQUIT
 *     and SIGHUP at their defaults, and no signal blocked, whatever the test process has. The test process itself
 *     ignores SIGPIPE from the first call on.
 *   - A server's standard error is a file without a name, not a pipe: however much it
 *     says, it is never blocked by a test that does not read.
 *   - The test process is a subreaper (Linux): what a server leaves behind becomes our
 *     child, and server_stop() sees it. A test that forks helpers of its own says so by
 *     harness_own_child().
 *   - Memory that the harness hands out (run.out, server_errors() ...) lives until the
 *     test process ends, and nobody frees it: each test is a process (CK_FORK).
 *   - Calls are for the main thread, but for client_*() and eventually().
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "tests/client.h"
#include "tests/waiting.h"

/** A NULL-terminated list of arguments, for argv and options. */
#define ARGUMENTS(...) ((const char *const[]){ __VA_ARGS__, (char *)NULL })

/* ---- programs that run to their end ---------------------------------------------------- */

/** How a program ended and what it printed; both texts have a NUL behind them. */
struct run {
	int status; /* as waitpid(2) gives it */
	char *out;
	size_t out_length;
	char *err;
	size_t err_length;
};

/** What run_program() cannot say. Zero is the usual for each member. */
struct run_setup {
	const char *const *argv;
	const void *input;
	size_t input_length;
	bool hold_input;                /* no end of input as long as the program runs */
	int64_t timeout;                /* milliseconds; 0 is PATIENCE */
	void (*prepare)(void *context); /* in the child before exec: rlimits, setenv,
					   other descriptors in place of 0, 1, 2 */
	void *context;
};

/** Runs a program with @p input as its standard input, which then ends, and collects both
 *  outputs. Fails the test, after killing the program, when it takes longer than
 *  @p timeout milliseconds. */
struct run run_program(const char *const argv[], const void *input, size_t length,
		       int64_t timeout);

/** The same with everything that can be set. */
struct run run_program_with(const struct run_setup *setup);

/** The exit status; fails the test if it was a signal that ended the program. */
int run_exit_status(const struct run *run);

/** The exit status must be this one. */
void run_expect_status(const struct run *run, int status);

/** It must have been this signal that ended it. */
void run_expect_signal(const struct run *run, int number);

/** A program that the test talks to while it runs. */
struct program {
	const char *name;
	pid_t pid;
	int in, out, err; /* our ends of its standard descriptors; blocking */
};

/** Starts a program with a pipe at each of 0, 1, 2. Of @p setup only argv, prepare and
 *  context count. */
struct program program_start(const struct run_setup *setup);

/** Lets its input end. */
void program_end_input(struct program *program);

/** Waits for the end of a started program while collecting what it still prints; the
 *  input stays open meanwhile, unless it has ended already. Then closes our ends. */
struct run program_wait(struct program *program, int64_t timeout);

/** For run_setup.prepare: standard output, or error, is a disk that is full (/dev/full), or
 *  a pipe whose reader has gone. */
void output_is_full(void *context);
void output_has_no_reader(void *context);
void errors_are_full(void *context);
void errors_have_no_reader(void *context);

/** So, too: standard output, or error, is the terminal whose descriptor (an int) @p context
 *  points to. */
void output_is_terminal(void *context);
void errors_are_terminal(void *context);

/** Opens a pseudo-terminal: @p master is the side where a person would sit. @return false,
 *  having said that the test is skipped, where there is none to be had */
bool terminal_open(int *master, int *slave);

/* ---- servers --------------------------------------------------------------------------- */

struct server {
	const char *name;
	pid_t pid;        /* 0 once it has been waited for */
	unsigned port;    /* on which it can be reached */
	const char *host; /* "127.0.0.1" */
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	int err;          /* the file that is its standard error */
};

/** What server_start() cannot say. Zero is the usual for each member. */
struct server_setup {
	const char *program;
	const char *const *options;     /* NULL-terminated; NULL: none */
	const char *host;               /* numeric; NULL is 127.0.0.1 */
	int type;                       /* SOCK_STREAM (0 too) or SOCK_DGRAM */
	int backlog;                    /* 0 is SOMAXCONN */
	bool opens_itself;              /* not activated: it is given -a HOST -p 0, and
					   the port is read from its ready line */
	void (*prepare)(void *context); /* in the child before exec: rlimits, setuid */
	void *context;
};

/** How a server ended. */
struct server_end {
	int status;          /* as waitpid(2) gives it */
	struct rusage usage; /* its own and its waited-for children's */
	unsigned orphans;    /* processes it left behind, dead or alive */
};

/** Starts $SOCKWAYS_BIN/@p program on a free port of 127.0.0.1. */
struct server server_start(const char *program, const char *const options[]);

/** The same with everything that can be set. */
struct server server_start_with(const struct server_setup *setup);

/** Waits until a whole line with @p text in it has come on its standard error.
 *  @return that line (the first such), without its newline */
const char *server_wait_line(const struct server *server, const char *text,
			     int64_t timeout);

/** Everything it has said on standard error so far. */
const char *server_errors(const struct server *server);

/** How many whole lines with @p text in them it has said so far. */
unsigned server_count_lines(const struct server *server, const char *text);

/** Sends it a signal. */
void server_signal(const struct server *server, int signal_number);

/** Waits at most @p timeout milliseconds for it to end by itself. What it leaves behind
 *  has a second to end, too. If either takes longer, kills what there is and fails. */
struct server_end server_await(struct server *server, int64_t timeout);

/** SIGTERM, then server_await(). What it said can still be read afterwards. */
struct server_end server_stop(struct server *server);

/** server_stop(), and asserts exit status 0 and that nothing was left behind. */
struct server_end server_finish(struct server *server);

/** A process that the test itself has forked and waits for: no server's orphan. */
void harness_own_child(pid_t pid);

/* ---- what the kernel knows of processes (Linux: /proc) --------------------------------- */

/** A process and all that descend from it, dead but not waited for included. */
struct process_tree {
	unsigned children;    /* of the root itself */
	unsigned descendants; /* children, their children ... */
	unsigned zombies;     /* among the descendants */
	unsigned threads;     /* in all of the tree; the root has at least 1 */
	int64_t cpu;          /* milliseconds that all have used, waited-for ones too */
};

/** Whether the facts below can be had here; a test of them is skipped if not. */
bool process_facts_available(void);

/** One look at the tree of @p pid; all 0 when there is no such process. */
struct process_tree process_tree(pid_t pid);

/** How many descriptors @p pid has open. */
unsigned process_descriptors(pid_t pid);

/* ---- clients: see client.h too ---------------------------------------------------------- */

/** Connects. @return a blocking descriptor on which no call waits longer than PATIENCE */
int client_connect(const struct server *server);

#endif
