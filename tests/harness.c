#ifdef __linux__
#define _GNU_SOURCE /* wait4 */
#endif

#include "tests/folder.h"
#include "tests/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "common/address.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"

extern char **environ; /* POSIX: a program declares it itself */

enum {
	PATH_TEXT = 4096,
	BLOCK = 64 * 1024,
	ORPHAN_GRACE = 1000, /* milliseconds */
	ACTIVATED_FD = 3,
	MOST_OWN_CHILDREN = 1024,
};

/* Everything handed out, so that a leak checker still sees who holds it. */
struct kept {
	struct kept *next;
	void *memory;
};

static struct kept *all_kept;

/* The children we know of; any other child was left to us by a server. */
static pid_t own_children[MOST_OWN_CHILDREN];
static size_t own_children_count;

/* ---- memory ---------------------------------------------------------------------------- */

static void keep(void *memory)
{
	struct kept *kept = malloc(sizeof *kept);

	ck_assert_ptr_nonnull(kept);
	kept->memory = memory;
	kept->next = all_kept;
	all_kept = kept;
}

/* A growing text with a NUL behind it. */
struct buffer {
	char *bytes;
	size_t length, room;
};

static void buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t room = buffer->length + more + 1;

	if (room > buffer->room) {
		room += buffer->room;
		buffer->bytes = realloc(buffer->bytes, room);
		ck_assert_ptr_nonnull(buffer->bytes);
		buffer->room = room;
	}
	buffer->bytes[buffer->length] = '\0';
}

/* ---- starting a process ---------------------------------------------------------------- */

static void harness_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
#ifdef __linux__
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
#endif
}

void harness_own_child(pid_t pid)
{
	size_t i = 0;

	while (i < own_children_count && own_children[i] != 0)
		i++;
	ck_assert_msg(i < MOST_OWN_CHILDREN, "too many children for the harness");
	own_children[i] = pid;
	if (i == own_children_count)
		own_children_count++;
}

static void forget_own_child(pid_t pid)
{
	for (size_t i = 0; i < own_children_count; i++)
		if (own_children[i] == pid)
			own_children[i] = 0;
}

static void program_path(const char *name, char path[PATH_TEXT])
{
	const char *folder = getenv("SOCKWAYS_BIN");
	int length;

	if (strchr(name, '/') != NULL) {
		length = snprintf(path, PATH_TEXT, "%s", name);
	} else {
		ck_assert_msg(folder != NULL, "SOCKWAYS_BIN does not say where %s is",
			      name);
		length = snprintf(path, PATH_TEXT, "%s/%s", folder, name);
	}
	ck_assert_msg(length > 0 && length < PATH_TEXT, "%s: the path is too long", name);
	ck_assert_msg(access(path, X_OK) == 0, "cannot run %s: %s", path,
		      strerror(errno));
}

/* Check's own files and our clients' sockets are not for the program: a descriptor that
 * it inherits would be counted, and would keep a connection open that we close. */
static void keep_descriptors_from_programs(void)
{
	DIR *folder = opendir("/dev/fd");
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		uint64_t fd;

		if (text_number(entry->d_name, STDERR_FILENO + 1, INT32_MAX, &fd))
			io_set_close_on_exec((int)fd);
	}
	closedir(folder);
}

/* The test process ignores SIGPIPE. A shell ignores SIGINT and SIGQUIT in what it starts in the
 * background, and nohup(1) SIGHUP. */
static void reset_signals(void)
{
	static const int defaults[] = { SIGPIPE, SIGINT, SIGQUIT, SIGHUP };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		signal(defaults[i], SIG_DFL);
}

struct launch {
	char path[PATH_TEXT];
	int program; /* open on it: see execute() */
	const char *const *argv;
	int descriptors[ACTIVATED_FD + 1]; /* which become 0, 1, 2, 3; -1: none */
	void (*prepare)(void *context);
	void *context;
};

/* In the child. Two steps, for a source may be a number that is a target too. */
static void place_descriptors(const int descriptors[])
{
	int high[ACTIVATED_FD + 1];

	for (int i = 0; i <= ACTIVATED_FD; i++) {
		high[i] = -1;
		if (descriptors[i] >= 0)
			high[i] =
				fcntl(descriptors[i], F_DUPFD_CLOEXEC, ACTIVATED_FD + 1);
	}
	for (int i = 0; i <= ACTIVATED_FD; i++)
		if (high[i] >= 0)
			dup2(high[i], i);
}

/* A test may have become a user who cannot pass the folders above the program: those of a
 * checkout in a home of mode 0700. Such a user may still run the program itself, from a
 * descriptor that was opened before. */
static void execute(const struct launch *launch)
{
	char *const *argv = (char *const *)(uintptr_t)launch->argv;

	execv(launch->path, argv);
	if (errno == EACCES)
		fexecve(launch->program, argv, environ);
}

static void become_program(const struct launch *launch)
{
	static const char no[] = "harness: cannot exec the program\n";
	char pid[24];

	reset_signals();
	place_descriptors(launch->descriptors);
	if (launch->descriptors[ACTIVATED_FD] >= 0) {
		snprintf(pid, sizeof pid, "%ld", (long)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	if (launch->prepare != NULL)
		launch->prepare(launch->context);
	execute(launch);
	io_write(STDERR_FILENO, no, sizeof no - 1);
	_exit(127);
}

/* Above those numbers that the program's own descriptors get. */
static int open_program(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, ACTIVATED_FD + 1);
	close(fd);
	return high;
}

static pid_t launch_program(struct launch *launch)
{
	pid_t pid;

	keep_descriptors_from_programs();
	launch->program = open_program(launch->path);
	pid = fork();
	ck_assert_msg(pid >= 0, "cannot fork: %s", strerror(errno));
	if (pid == 0)
		become_program(launch);
	if (launch->program >= 0)
		close(launch->program);
	harness_own_child(pid);
	return pid;
}

/* ---- waiting for a process ------------------------------------------------------------- */

struct awaited {
	pid_t pid;
	int status;
	struct rusage usage;
};

static bool has_ended(void *context)
{
	struct awaited *awaited = context;
	pid_t pid = wait4(awaited->pid, &awaited->status, WNOHANG, &awaited->usage);

	ck_assert_msg(pid >= 0 || errno == EINTR, "waiting for process %ld: %s",
		      (long)awaited->pid, strerror(errno));
	return pid == awaited->pid;
}

/* Kills it when it has not ended in time. @return whether it ended by itself */
static bool await_end(struct awaited *awaited, int64_t timeout)
{
	bool in_time = eventually(has_ended, awaited, timeout);

	if (!in_time) {
		kill(awaited->pid, SIGKILL);
		eventually(has_ended, awaited, PATIENCE);
	}
	forget_own_child(awaited->pid);
	return in_time;
}

/* ---- programs -------------------------------------------------------------------------- */

static void open_pipe(int ends[2])
{
	ck_assert_msg(pipe(ends) == 0, "cannot make a pipe: %s", strerror(errno));
	ck_assert_int_eq(io_set_close_on_exec(ends[0]), 0);
	ck_assert_int_eq(io_set_close_on_exec(ends[1]), 0);
}

struct program program_start(const struct run_setup *setup)
{
	struct program program = { .name = setup->argv[0] };
	struct launch launch = {
		.argv = setup->argv,
		.prepare = setup->prepare,
		.context = setup->context,
	};
	int in[2], out[2], err[2];

	harness_begin();
	program_path(setup->argv[0], launch.path);
	open_pipe(in);
	open_pipe(out);
	open_pipe(err);
	launch.descriptors[0] = in[0];
	launch.descriptors[1] = out[1];
	launch.descriptors[2] = err[1];
	launch.descriptors[ACTIVATED_FD] = -1;
	program.pid = launch_program(&launch);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	program.in = in[1];
	program.out = out[0];
	program.err = err[0];
	return program;
}

/* The input that is still to be fed to a program, and what it has printed. */
struct conversation {
	struct program *program;
	const char *input;
	size_t input_left;
	bool hold_input;
	struct buffer out, err;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void feed(struct conversation *talk)
{
	size_t piece = talk->input_left < BLOCK ? talk->input_left : BLOCK;
	ssize_t n = piece > 0 ? io_write(talk->program->in, talk->input, piece) : 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) { /* it does not want to read to the end: its right */
		talk->input_left = 0;
		talk->hold_input = false;
	} else {
		talk->input += n;
		talk->input_left -= (size_t)n;
	}
	if (talk->input_left == 0 && !talk->hold_input)
		close_end(&talk->program->in);
}

static void collect(int *fd, struct buffer *buffer)
{
	ssize_t n;

	buffer_reserve(buffer, BLOCK);
	n = io_read(*fd, buffer->bytes + buffer->length, BLOCK);
	ck_assert_msg(n >= 0, "reading what a program prints: %s", strerror(errno));
	if (n == 0)
		close_end(fd);
	buffer->length += (size_t)n;
	buffer->bytes[buffer->length] = '\0';
}

/* Until the program has closed both outputs; false when the time is over first. */
static bool converse(struct conversation *talk, int64_t end)
{
	struct program *program = talk->program;

	if (talk->input_left == 0 && !talk->hold_input)
		close_end(&program->in);
	while (program->out >= 0 || program->err >= 0) {
		struct pollfd ends[] = {
			{ .fd = talk->input_left > 0 ? program->in : -1,
			  .events = POLLOUT },
			{ .fd = program->out, .events = POLLIN },
			{ .fd = program->err, .events = POLLIN },
		};
		int64_t left = end - clock_milliseconds();

		if (left <= 0)
			return false;
		if (poll(ends, 3, (int)left) < 0)
			continue; /* a signal */
		if (ends[0].revents != 0)
			feed(talk);
		if (ends[1].revents != 0)
			collect(&program->out, &talk->out);
		if (ends[2].revents != 0)
			collect(&program->err, &talk->err);
	}
	return true;
}

static struct run run_to_end(struct conversation *talk, int64_t timeout)
{
	struct program *program = talk->program;
	struct awaited awaited = { .pid = program->pid };
	int64_t end = clock_milliseconds() + timeout;
	bool in_time;

	buffer_reserve(&talk->out, 0);
	buffer_reserve(&talk->err, 0);
	if (program->in >= 0)
		ck_assert_int_eq(io_set_nonblocking(program->in, true), 0);
	in_time = converse(talk, end);
	in_time =
		await_end(&awaited, in_time ? end - clock_milliseconds() : 0) && in_time;
	close_end(&program->in);
	close_end(&program->out);
	close_end(&program->err);
	keep(talk->out.bytes);
	keep(talk->err.bytes);
	ck_assert_msg(
		in_time,
		"%s did not end within %jd ms; on standard output it had %zu bytes, "
		"on standard error: %s",
		program->name, (intmax_t)timeout, talk->out.length, talk->err.bytes);
	return (struct run){
		.status = awaited.status,
		.out = talk->out.bytes,
		.out_length = talk->out.length,
		.err = talk->err.bytes,
		.err_length = talk->err.length,
	};
}

void program_end_input(struct program *program)
{
	close_end(&program->in);
}

struct run program_wait(struct program *program, int64_t timeout)
{
	struct conversation talk = { .program = program, .hold_input = true };

	return run_to_end(&talk, timeout);
}

struct run run_program_with(const struct run_setup *setup)
{
	struct program program = program_start(setup);
	struct conversation talk = {
		.program = &program,
		.input = setup->input,
		.input_left = setup->input_length,
		.hold_input = setup->hold_input,
	};

	return run_to_end(&talk, setup->timeout > 0 ? setup->timeout : PATIENCE);
}

struct run run_program(const char *const argv[], const void *input, size_t length,
		       int64_t timeout)
{
	return run_program_with(&(struct run_setup){
		.argv = argv,
		.input = input,
		.input_length = length,
		.timeout = timeout,
	});
}

int run_exit_status(const struct run *run)
{
	ck_assert_msg(WIFEXITED(run->status), "ended by signal %d; on standard error: %s",
		      WTERMSIG(run->status), run->err);
	return WEXITSTATUS(run->status);
}

void run_expect_status(const struct run *run, int status)
{
	ck_assert_msg(run_exit_status(run) == status,
		      "exit status %d where %d was expected; on standard error: %s",
		      run_exit_status(run), status, run->err);
}

void run_expect_signal(const struct run *run, int number)
{
	ck_assert_msg(
		WIFSIGNALED(run->status) && WTERMSIG(run->status) == number,
		"wait status %#x where signal %d was expected; on standard error: %s",
		(unsigned)run->status, number, run->err);
}

/* ---- servers --------------------------------------------------------------------------- */

/* A file that has no name any more. Appending: all processes of a server share it. */
static int open_nameless_file(void)
{
	int fd = folder_create_nameless();

	ck_assert_int_eq(io_set_close_on_exec(fd), 0);
	ck_assert_int_ge(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

static int open_listener(struct server *server, int backlog)
{
	struct sock_place place = {
		.host = server->host,
		.port = "0",
		.type = server->type,
		.backlog = backlog > 0 ? backlog : SOMAXCONN,
	};
	struct failure failure;
	struct address address;
	int fd = sock_listen(&place, &failure);

	ck_assert_msg(fd >= 0, "%s", failure.text);
	ck_assert_int_eq(address_local(fd, &address), 0);
	server->port = address_port(&address);
	return fd;
}

/* program, [-a HOST -p 0], options. Kept: the child reads it, and we may for messages. */
static const char **server_arguments(const struct server_setup *setup,
				     const struct server *server)
{
	size_t count = 0, used = 0;
	const char **argv;

	while (setup->options != NULL && setup->options[count] != NULL)
		count++;
	argv = calloc(count + 6, sizeof *argv);
	ck_assert_ptr_nonnull(argv);
	keep(argv);
	argv[used++] = setup->program;
	if (setup->opens_itself) {
		argv[used++] = "-a";
		argv[used++] = server->host;
		argv[used++] = "-p";
		argv[used++] = "0";
	}
	for (size_t i = 0; i < count; i++)
		argv[used++] = setup->options[i];
	return argv;
}

/* "NAME: listening on 127.0.0.1:7007 (tcp)" */
static unsigned port_of_ready_line(const struct server *server)
{
	static const char mark[] = "listening on ";
	const char *line = server_wait_line(server, mark, PATIENCE);
	const char *colon = strrchr(strstr(line, mark), ':');
	unsigned port = 0;

	ck_assert_msg(colon != NULL && sscanf(colon, ":%u", &port) == 1 && port > 0,
		      "no port in the ready line: %s", line);
	return port;
}

struct server server_start_with(const struct server_setup *setup)
{
	struct server server = {
		.name = setup->program,
		.host = setup->host ? setup->host : "127.0.0.1",
		.type = setup->type ? setup->type : SOCK_STREAM,
	};
	struct launch launch = { .prepare = setup->prepare, .context = setup->context };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), listener = -1;

	harness_begin();
	program_path(setup->program, launch.path);
	launch.argv = server_arguments(setup, &server);
	server.err = open_nameless_file();
	if (!setup->opens_itself)
		listener = open_listener(&server, setup->backlog);
	launch.descriptors[0] = null;
	launch.descriptors[1] = null;
	launch.descriptors[2] = server.err;
	launch.descriptors[ACTIVATED_FD] = listener;
	server.pid = launch_program(&launch);
	close(null);
	if (setup->opens_itself)
		server.port = port_of_ready_line(&server);
	else
		close(listener); /* the server alone has it: gone when it is gone */
	return server;
}

struct server server_start(const char *program, const char *const options[])
{
	return server_start_with(&(struct server_setup){
		.program = program,
		.options = options,
	});
}

const char *server_errors(const struct server *server)
{
	struct buffer text = { .length = 0 };
	struct stat status;
	ssize_t n;

	ck_assert_int_eq(fstat(server->err, &status), 0);
	buffer_reserve(&text, (size_t)status.st_size);
	n = pread(server->err, text.bytes, (size_t)status.st_size, 0);
	ck_assert_int_ge(n, 0);
	text.bytes[n] = '\0';
	keep(text.bytes);
	return text.bytes;
}

/* The first whole line at or behind text that has what in it; NULL if there is none.
 * *end receives where its newline is. */
static const char *find_line(const char *text, const char *what, const char **end)
{
	const char *hit, *start;

	for (;; text = *end + 1) {
		*end = strchr(text, '\n');
		if (*end == NULL)
			return NULL;
		start = text;
		hit = strstr(start, what);
		if (hit == NULL)
			return NULL;
		if (hit < *end)
			return start;
	}
}

unsigned server_count_lines(const struct server *server, const char *text)
{
	const char *end, *line = find_line(server_errors(server), text, &end);
	unsigned count = 0;

	for (; line != NULL; line = find_line(end + 1, text, &end))
		count++;
	return count;
}

struct wanted_line {
	const struct server *server;
	const char *text;
	char *line;
};

static bool line_has_come(void *context)
{
	struct wanted_line *wanted = context;
	const char *end, *start;

	start = find_line(server_errors(wanted->server), wanted->text, &end);
	if (start == NULL)
		return false;
	wanted->line = strndup(start, (size_t)(end - start));
	ck_assert_ptr_nonnull(wanted->line);
	return true;
}

const char *server_wait_line(const struct server *server, const char *text,
			     int64_t timeout)
{
	struct wanted_line wanted = { .server = server, .text = text };

	ck_assert_msg(eventually(line_has_come, &wanted, timeout),
		      "%s did not say '%s' within %jd ms, but: %s", server->name, text,
		      (intmax_t)timeout, server_errors(server));
	keep(wanted.line);
	return wanted.line;
}

void server_signal(const struct server *server, int signal_number)
{
	ck_assert_msg(server->pid > 0, "%s has ended already", server->name);
	ck_assert_msg(kill(server->pid, signal_number) == 0,
		      "cannot send signal %d to %s: %s", signal_number, server->name,
		      strerror(errno));
}

/* ---- what the kernel knows of processes ------------------------------------------------ */

struct process {
	pid_t pid, parent;
	char state;
	unsigned threads;
	int64_t ticks;
	char name[32];
	bool in_tree;
};

struct process_list {
	struct process *all;
	size_t count;
};

/* /proc/PID/stat, see proc(5): "pid (name) state ppid ...". The name may have anything in
 * it, parentheses and blanks too, but the last ')' is its end. */
static bool parse_process(char *text, struct process *process)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	long pid, parent, threads;
	long long user, system, children_user, children_system;

	if (open == NULL || close == NULL || sscanf(text, "%ld", &pid) != 1)
		return false;
	*close = '\0';
	if (sscanf(close + 1,
		   " %c %ld %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%lld %lld %lld %lld %*s %*s %ld",
		   &process->state, &parent, &user, &system, &children_user,
		   &children_system, &threads) != 7)
		return false;
	snprintf(process->name, sizeof process->name, "%s", open + 1);
	process->pid = (pid_t)pid;
	process->parent = (pid_t)parent;
	process->threads = (unsigned)threads;
	process->ticks = user + system + children_user + children_system;
	process->in_tree = false;
	return true;
}

static bool read_process(const char *name, struct process *process)
{
	char path[64], text[1024];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%.20s/stat", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* it has gone meanwhile */
	n = io_read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return parse_process(text, process);
}

static struct process_list list_processes(void)
{
	struct process_list list = { NULL, 0 };
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	size_t room = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		if (list.count == room) {
			room = room * 2 + 256;
			list.all = realloc(list.all, room * sizeof *list.all);
			ck_assert_ptr_nonnull(list.all);
		}
		if (read_process(entry->d_name, &list.all[list.count]))
			list.count++;
	}
	if (folder != NULL)
		closedir(folder);
	return list;
}

static struct process *find_process(const struct process_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->all[i].pid == pid)
			return &list->all[i];
	return NULL;
}

/* Marks the descendants of the marked, generation after generation. */
static void mark_descendants(const struct process_list *list)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < list->count; i++) {
			struct process *process = &list->all[i], *parent;

			if (process->in_tree)
				continue;
			parent = find_process(list, process->parent);
			process->in_tree = parent != NULL && parent->in_tree;
			more = more || process->in_tree;
		}
	}
}

bool process_facts_available(void)
{
	struct process self;

	return read_process("self", &self);
}

struct process_tree process_tree(pid_t pid)
{
	struct process_list list = list_processes();
	struct process *root = find_process(&list, pid);
	struct process_tree tree = { 0 };

	if (root != NULL) {
		root->in_tree = true;
		mark_descendants(&list);
	}
	for (size_t i = 0; i < list.count; i++) {
		const struct process *process = &list.all[i];

		if (!process->in_tree)
			continue;
		tree.threads += process->threads;
		tree.cpu += process->ticks;
		if (process == root)
			continue;
		tree.descendants++;
		tree.children += process->parent == pid;
		tree.zombies += process->state == 'Z';
	}
	tree.cpu = tree.cpu * 1000 / sysconf(_SC_CLK_TCK);
	free(list.all);
	return tree;
}

unsigned process_descriptors(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	unsigned count = 0;
	DIR *folder;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	folder = opendir(path);
	ck_assert_msg(folder != NULL, "cannot list %s: %s", path, strerror(errno));
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* ---- the end of a server --------------------------------------------------------------- */

static bool is_own_child(pid_t pid)
{
	for (size_t i = 0; i < own_children_count; i++)
		if (own_children[i] == pid)
			return true;
	return false;
}

struct orphans {
	unsigned met;   /* so far, each counted once: dead ones are waited for */
	unsigned alive; /* at the last look */
	bool kill;      /* those alive */
	char name[32];  /* of one of them */
};

/* A look at the children that nobody here has started. @return whether none is alive */
static bool orphans_have_ended(void *context)
{
	struct orphans *orphans = context;
	struct process_list list = list_processes();

	orphans->alive = 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct process *process = &list.all[i];

		if (process->parent != getpid() || is_own_child(process->pid))
			continue;
		if (waitpid(process->pid, NULL, WNOHANG) == process->pid) {
			orphans->met++;
			continue;
		}
		orphans->alive++;
		snprintf(orphans->name, sizeof orphans->name, "%s", process->name);
		if (orphans->kill)
			kill(process->pid, SIGKILL);
	}
	free(list.all);
	return orphans->alive == 0;
}

struct server_end server_await(struct server *server, int64_t timeout)
{
	struct awaited awaited = { .pid = server->pid };
	struct orphans orphans = { .met = 0 };
	bool in_time, clean;
	unsigned left;

	ck_assert_msg(server->pid > 0, "%s has ended already", server->name);
	in_time = await_end(&awaited, timeout);
	server->pid = 0;
	clean = eventually(orphans_have_ended, &orphans, ORPHAN_GRACE);
	left = orphans.alive;
	orphans.kill = true;
	eventually(orphans_have_ended, &orphans, PATIENCE);
	ck_assert_msg(in_time, "%s did not end within %jd ms; it said: %s", server->name,
		      (intmax_t)timeout, server_errors(server));
	ck_assert_msg(clean, "%s left %u processes (%s) behind; it said: %s",
		      server->name, left, orphans.name, server_errors(server));
	return (struct server_end){
		.status = awaited.status,
		.usage = awaited.usage,
		.orphans = orphans.met,
	};
}

struct server_end server_stop(struct server *server)
{
	server_signal(server, SIGTERM);
	return server_await(server, PATIENCE);
}

struct server_end server_finish(struct server *server)
{
	struct server_end end = server_stop(server);

	ck_assert_msg(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0,
		      "%s ended with %s %d; it said: %s", server->name,
		      WIFEXITED(end.status) ? "status" : "signal",
		      WIFEXITED(end.status) ? WEXITSTATUS(end.status)
					    : WTERMSIG(end.status),
		      server_errors(server));
	ck_assert_msg(end.orphans == 0, "%s left %u processes to be waited for",
		      server->name, end.orphans);
	return end;
}

/* ---- clients --------------------------------------------------------------------------- */

int client_connect(const struct server *server)
{
	return client_connect_by(server->type, server->host, server->port);
}

bool terminal_open(int *master, int *slave)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master < 0) {
		skipped("needs a terminal (/dev/pts)");
		return false;
	}
	ck_assert_int_eq(grantpt(*master), 0);
	ck_assert_int_eq(unlockpt(*master), 0);
	*slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(*slave, 0);
	return true;
}

static void fill_up(int fd)
{
	int full = open("/dev/full", O_WRONLY);

	dup2(full, fd);
	close(full);
}

static void lose_reader(int fd)
{
	int ends[2];

	if (pipe(ends) < 0)
		_exit(127);
	close(ends[0]);
	dup2(ends[1], fd);
	close(ends[1]);
}

void output_is_terminal(void *context)
{
	dup2(*(int *)context, STDOUT_FILENO);
}

void errors_are_terminal(void *context)
{
	dup2(*(int *)context, STDERR_FILENO);
}

void output_is_full(void *context)
{
	(void)context;
	fill_up(STDOUT_FILENO);
}

void output_has_no_reader(void *context)
{
	(void)context;
	lose_reader(STDOUT_FILENO);
}

void errors_are_full(void *context)
{
	(void)context;
	fill_up(STDERR_FILENO);
}

void errors_have_no_reader(void *context)
{
	(void)context;
	lose_reader(STDERR_FILENO);
}
