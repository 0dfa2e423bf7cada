/*
 * own_server - a server that is none of the suite's, for the tests of versus --server.
 *
 *	own_server [-l] [-w] [-f] PORT	opens the port on 127.0.0.1
 *	own_server [-l] [-w] [-f] PATH	listens at the path, and leaves the file
 *	own_server [-l] [-w] [-f] 3	has it as descriptor 3
 *	own_server -d			ends at once
 *	own_server -b FAULT ...		does not return all bytes: FAULT is tail, late, cr, nul or high
 *	own_server -e N ...		ends with status 0 when client N comes
 *	own_server -r N ...		closes its listener when client N comes, and ends 100 ms later
 *	own_server -n [-i]		never listens; -i: ignores SIGTERM
 *	own_server -s ...		stops itself at SIGTERM
 *	own_server -o FILE ...		leaves a process in a session of its own, with its number in FILE
 *
 * It echoes. -b: without what follows the last newline; or with that at the end of the input, to
 * its only client; without carriage returns, up to the first NUL of a piece, or without the highest
 * bit of a byte. -l: it logs a long line for each reply. -w: the replies are wrong. -f: a
 * process serves each client, and nobody waits for it.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 256, PIECE = 65536, LOG_LINE = 1000, ACTIVATED = 3 };

static const char *fault = "";
static char rest[PIECE]; /* what follows the last newline */
static size_t rest_length;
static int last_client, last_accepted; /* 0: there is none */
static bool logs, wrong, forks, ignores, never;

static int listen_at(int fd, const void *address, socklen_t length)
{
	if (bind(fd, address, length) < 0 || listen(fd, SOMAXCONN) < 0) {
		perror("own_server: cannot listen");
		exit(1);
	}
	return fd;
}

static int open_port(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return listen_at(fd, &address, sizeof address);
}

static int open_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof address.sun_path)
		exit(1);
	strcpy(address.sun_path, path);
	return listen_at(socket(AF_UNIX, SOCK_STREAM, 0), &address, sizeof address);
}

static bool is_activated(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid != NULL && count != NULL && atol(pid) == (long)getpid() &&
	       atoi(count) == 1;
}

/* Applies the fault to a piece. @return its new length */
static ssize_t spoil(char *piece, ssize_t length)
{
	char *end = piece + length, *nul = memchr(piece, '\0', (size_t)length);
	ssize_t kept = 0;

	if (strcmp(fault, "tail") == 0 || strcmp(fault, "late") == 0)
		while (end > piece && end[-1] != '\n')
			end--;
	rest_length = (size_t)(piece + length - end);
	memcpy(rest, end, rest_length);
	if (strcmp(fault, "nul") == 0 && nul != NULL)
		end = nul;
	for (const char *from = piece; from < end; from++)
		if (*from != '\r' || strcmp(fault, "cr") != 0)
			piece[kept++] =
				(char)(strcmp(fault, "high") == 0 ? *from & 0x7f : *from);
	return kept;
}

/* One piece of a client. @return whether there may be more */
static bool serve(int fd)
{
	static char piece[PIECE];
	ssize_t n = read(fd, piece, sizeof piece);

	if (n == 0 && strcmp(fault, "late") == 0)
		return write(fd, rest, rest_length) < 0;
	if (n <= 0)
		return false;
	if (fault[0] != '\0')
		n = spoil(piece, n);
	if (wrong && n > 0)
		piece[n - 1] ^= 1;
	if (logs)
		fprintf(stderr, "own_server: %0*d\n", LOG_LINE, 0);
	for (ssize_t sent = 0, w; sent < n; sent += w)
		if ((w = write(fd, piece + sent, (size_t)(n - sent))) <= 0)
			return false;
	return true;
}

static void serve_in_child(int listener, int fd)
{
	if (fork() == 0) {
		close(listener);
		while (serve(fd))
			;
		_exit(0);
	}
	close(fd);
}

static void leave(int number)
{
	(void)number;
	_exit(0);
}

static void leave_soon(void)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 100 * 1000 } };

	signal(SIGALRM, leave);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void serve_all(int listener)
{
	struct pollfd fds[MOST] = { { .fd = listener, .events = POLLIN } };
	nfds_t count = 1;
	int clients = 0;

	for (;;) {
		poll(fds, count, -1);
		if (fds[0].revents && count < MOST) {
			int fd = accept(listener, NULL, NULL);

			if (fd >= 0 && ++clients == last_client)
				exit(0);
			if (clients == last_accepted) {
				close(listener);
				fds[0].fd = -1;
				leave_soon();
			}
			if (forks && fd >= 0)
				serve_in_child(listener, fd);
			else if (fd >= 0)
				fds[count++] =
					(struct pollfd){ .fd = fd, .events = POLLIN };
		}
		for (nfds_t i = count; i-- > 1;)
			if (fds[i].revents && !serve(fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--count];
			}
	}
}

/* The parent of the process ends at once. This process goes on when the file has the number: the
 * pipe is then closed. */
static void leave_process(const char *path)
{
	FILE *file;
	char byte;
	int ends[2];

	if (pipe(ends) < 0)
		exit(1);
	if (fork() > 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		close(ends[0]);
		return;
	}
	setsid();
	if (fork() > 0)
		_exit(0);
	file = fopen(path, "w");
	if (file != NULL) {
		fprintf(file, "%ld\n", (long)getpid());
		fclose(file);
	}
	close(ends[0]);
	close(ends[1]);
	for (;;)
		pause();
}

static void stop_itself(int number)
{
	(void)number;
	raise(SIGSTOP);
}

int main(int argc, char **argv)
{
	int letter;

	signal(SIGPIPE, SIG_IGN);
	while ((letter = getopt(argc, argv, "lwfdnisb:e:o:r:")) != -1) {
		logs |= letter == 'l';
		wrong |= letter == 'w';
		forks |= letter == 'f';
		ignores |= letter == 'i';
		never |= letter == 'n';
		if (letter == 's')
			signal(SIGTERM, stop_itself);
		if (letter == 'o')
			leave_process(optarg);
		last_client = letter == 'e' ? atoi(optarg) : last_client;
		last_accepted = letter == 'r' ? atoi(optarg) : last_accepted;
		fault = letter == 'b' ? optarg : fault;
		if (letter == 'd') {
			fprintf(stderr, "one\nown_server: no tea today\n\n");
			return 7;
		}
	}
	if (forks)
		signal(SIGCHLD, SIG_IGN);
	if (ignores)
		signal(SIGTERM, SIG_IGN);
	if (never)
		optind = argc;
	if (argc > optind && strcmp(argv[optind], "3") == 0) {
		if (!is_activated())
			return 8;
		fprintf(stderr, "own_server: listening on descriptor 3\n");
		serve_all(ACTIVATED);
	} else if (argc > optind && argv[optind][0] == '/') {
		serve_all(open_path(argv[optind]));
	} else if (argc > optind) {
		serve_all(open_port((unsigned)atoi(argv[optind])));
	}
	for (;;)
		pause();
}
