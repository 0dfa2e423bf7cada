/*
 * intruder - does what a client would do that has taken over the server: for the tests of the
 * sandbox, which replace no call and change no setting.
 *
 * Each line is an attempt; the reply is the name of the error, or "done". An attempt that succeeds
 * changes nothing outside.
 */
#define _GNU_SOURCE /* syscall */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ptrace.h>
#include <sys/resource.h>
#endif

#include "common/failure.h"
#include "server/core/session.h"
#include "server/service.h"

static bool close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool try_open(void)
{
	return close_if_open(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static bool try_create(void)
{
	char name[64];
	int fd;

	snprintf(name, sizeof name, "/tmp/intruder.%ld", (long)getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(name);
	return close_if_open(fd);
}

/* In a child: the program takes the place of this one. A child that cannot be made cannot do it
 * either, so then it is tried here, and must fail. */
static bool try_execute(void)
{
	char *const argv[] = { "true", NULL }, *const environment[] = { NULL };
	int status = 0;
	pid_t child = fork();

	if (child <= 0) {
		execve("/bin/true", argv, environment);
		if (child == 0)
			_exit(errno);
		return false;
	}
	waitpid(child, &status, 0);
	errno = WEXITSTATUS(status);
	return errno == 0;
}

/* TCP to a port of this machine on which nobody listens: it is refused, unless it is not tried. */
static bool try_connect(void)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(1) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool tried;

	if (fd < 0)
		return false;
	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tried = connect(fd, (struct sockaddr *)&there, sizeof there) == 0 ||
		errno == ECONNREFUSED;
	return close_if_open(fd) && tried;
}

static bool try_trace(void)
{
#ifdef __linux__
	/* a process that does not exist: ESRCH says that it was tried */
	return ptrace(PTRACE_SEIZE, 0x3ffffff, NULL, NULL) == 0 || errno == ESRCH;
#else
	errno = ENOSYS;
	return false;
#endif
}

/* Signal 0 only asks. Process 1 is there, and outside. */
static bool try_signal(void)
{
	return kill(1, 0) == 0;
}

/* musl reports EPERM as ENOMEM, unless there is an address: that of a variable is taken, so the
 * kernel chooses another. */
static bool try_machine_code(void)
{
	static char variable;
	void *page = mmap(&variable, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return false;
	munmap(page, 4096);
	return true;
}

/* A socket that is none: EBADF says that it was tried. */
static bool try_fast_open(void)
{
#ifdef MSG_FASTOPEN
	return sendto(-1, "", 1, MSG_FASTOPEN, NULL, 0) >= 0 || errno == EBADF;
#else
	return true;
#endif
}

/* Such a pair could send to any UNIX-domain socket. */
static bool try_datagrams(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0)
		return false;
	close(fds[0]);
	return close_if_open(fds[1]);
}

/* Of a process that does not exist. */
static bool try_limit(void)
{
#ifdef __linux__
	struct rlimit limit;

	return prlimit(0x3ffffff, RLIMIT_CORE, NULL, &limit) == 0 || errno == ESRCH;
#else
	errno = ENOSYS;
	return false;
#endif
}

static bool try_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child > 0)
		waitpid(child, NULL, 0);
	return child > 0;
}

static void *return_at_once(void *argument)
{
	return argument;
}

static bool try_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, return_at_once, NULL);

	if (error == 0)
		pthread_join(thread, NULL);
	errno = error;
	return error == 0;
}

static const struct {
	const char *name;
	bool (*attempt)(void);
} attempts[] = {
	{ "open", try_open },           { "create", try_create },
	{ "execute", try_execute },     { "connect", try_connect },
	{ "trace", try_trace },         { "signal", try_signal },
	{ "code", try_machine_code },   { "fork", try_fork },
	{ "thread", try_thread },       { "fastopen", try_fast_open },
	{ "datagrams", try_datagrams }, { "limit", try_limit },
};

static void answer(struct session *session, const char *name, size_t length)
{
	char text[80];

	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		if (strlen(attempts[i].name) != length ||
		    memcmp(attempts[i].name, name, length) != 0)
			continue;
		errno = 0;
		snprintf(text, sizeof text, "%s\n",
			 attempts[i].attempt() ? "done" : strerror(errno));
		session_write(session, text, strlen(text));
		return;
	}
	session_write(session, "unknown\n", 8);
}

static size_t intruder_input(struct session *session, const char *bytes, size_t n)
{
	const char *newline = memchr(bytes, '\n', n);

	if (newline == NULL)
		return 0;
	answer(session, bytes, (size_t)(newline - bytes));
	return (size_t)(newline - bytes) + 1;
}

const struct service intruder_service = {
	.name = "intruder",
	.summary = "tries what a server must not do",
	.port = "7099",
	.input = intruder_input,
};
