/*
 * try - what a program of a few lines needs to ask the kernel a question.
 *
 * The questions of sockways-surprises(7) and the tests of this folder use it. The functions are
 * short forms of system calls and hide nothing else: a failed call that nobody asked about ends
 * the program with a message. The script `try` compiles lines of C with this header.
 */
#ifndef TESTS_KERNEL_TRY_H
#define TESTS_KERNEL_TRY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** Ends the program if a call has failed. @return its result */
static inline int must(int result)
{
	if (result < 0) {
		perror("try");
		exit(1);
	}
	return result;
}

/** Milliseconds of a clock that runs on. */
static inline double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline void sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

/** Prints what a call returned: a number, or the error. @return the number */
static inline long say(const char *call, long result)
{
	if (result >= 0)
		printf("%s: %ld\n", call, result);
	else
		printf("%s: %s\n", call, strerror(errno));
	fflush(stdout);
	return result;
}

static inline int set(int fd, int level, int option, int value)
{
	return must(setsockopt(fd, level, option, &value, sizeof value));
}

static inline int get(int fd, int level, int option)
{
	int value = 0;
	socklen_t size = sizeof value;

	must(getsockopt(fd, level, option, &value, &size));
	return value;
}

/** 127.0.0.1 and a port. */
static inline struct sockaddr_in loopback(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static inline int bind_to(int fd, int port)
{
	struct sockaddr_in address = loopback(port);

	return bind(fd, (struct sockaddr *)&address, sizeof address);
}

static inline int connect_to(int fd, int port)
{
	struct sockaddr_in address = loopback(port);

	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

/** The port to which a socket is bound. */
static inline int port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;

	must(getsockname(fd, (struct sockaddr *)&address, &size));
	return ntohs(address.sin_port);
}

/** A socket of 127.0.0.1 that listens on a free port. */
static inline int tcp_listen(int backlog)
{
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));

	must(bind_to(fd, 0));
	must(listen(fd, backlog));
	return fd;
}

/** A client of that listener. */
static inline int tcp_connect(int listener)
{
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));

	must(connect_to(fd, port_of(listener)));
	return fd;
}

/** Both ends of a TCP connection: the client's and the server's. */
static inline void tcp_pair(int *client, int *server)
{
	int listener = tcp_listen(1);

	*client = tcp_connect(listener);
	*server = must(accept(listener, NULL, NULL));
	close(listener);
}

/** A datagram socket of 127.0.0.1 with a free port. */
static inline int udp_open(void)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0));

	must(bind_to(fd, 0));
	return fd;
}

/** close(2) that resets the connection. */
static inline void reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none));
	close(fd);
}

/** The events that poll(2) reports at once, or within some time. */
static inline int poll_for(int fd, short events, int timeout_ms)
{
	struct pollfd one = { .fd = fd, .events = events };

	must(poll(&one, 1, timeout_ms));
	return one.revents;
}

/** Waits until a process (or a thread, by its ID) sleeps: it has begun to wait for something.
 *  @return false if it does not within 10 s, or where /proc does not tell */
static inline bool wait_until_asleep(pid_t pid)
{
	double end = now_ms() + 10000;
	char path[64], state;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	while (now_ms() < end) {
		FILE *file = fopen(path, "r");
		int found = file != NULL ? fscanf(file, "%*d (%*[^)]) %c", &state) : 0;

		if (file != NULL)
			fclose(file);
		if (found == 1 && state == 'S')
			return true;
		sleep_ms(1);
	}
	return false;
}

/** A signal handler that counts. */
static volatile sig_atomic_t signals_handled;

static inline void count_signal(int number)
{
	(void)number;
	signals_handled++;
}

/** Handles a signal by counting it, with flags such as SA_RESTART. */
static inline void handle(int number, int flags)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };

	must(sigaction(number, &action, NULL));
}

/** Waits for an event of an epoll set that has a listener, or accepts at once where epoll is -1,
 *  and writes its own number to a pipe for each client. It ends with the process that forked it. */
static inline _Noreturn void accept_clients(int number, int epoll, int listener, int pipe)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct epoll_event event;
		int client = -1;

		if (epoll < 0 || epoll_wait(epoll, &event, 1, -1) == 1)
			client = accept4(listener, NULL, NULL, 0);
		if (client >= 0 && write(pipe, &number, sizeof number) < 0)
			exit(1);
		close(client);
	}
}

/** Adds a listener to a new epoll set. */
static inline int epoll_with(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = must(epoll_create1(0));

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

enum { TRY_WORKERS = 4 };

/** How four processes share quiet clients, which come one after another. */
enum sharing {
	BLOCKED_IN_ACCEPT,
	ONE_EPOLL_SET,   /* that all of them inherit */
	OWN_EPOLL_SET,   /* of each process */
	EXCLUSIVE_EPOLL, /* of each process, with EPOLLEXCLUSIVE */
};

/** Counts the clients of each process. The next client comes when all of them sleep again. */
static inline void share_clients(enum sharing how, int clients, int shares[TRY_WORKERS])
{
	int listener = tcp_listen(128), served[2], epoll = -1;
	pid_t workers[TRY_WORKERS];

	must(pipe(served));
	fflush(stdout);
	if (how != BLOCKED_IN_ACCEPT)
		must(fcntl(listener, F_SETFL, O_NONBLOCK));
	if (how == ONE_EPOLL_SET)
		epoll = epoll_with(listener, EPOLLIN);
	for (int i = 0; i < TRY_WORKERS; i++) {
		shares[i] = 0;
		if (how == OWN_EPOLL_SET || how == EXCLUSIVE_EPOLL)
			epoll = epoll_with(listener, how == OWN_EPOLL_SET
							     ? EPOLLIN
							     : EPOLLIN | EPOLLEXCLUSIVE);
		workers[i] = must(fork());
		if (workers[i] == 0)
			accept_clients(i, epoll, listener, served[1]);
		wait_until_asleep(workers[i]);
	}
	for (int n = 0; n < clients; n++) {
		int client = tcp_connect(listener), number = 0;

		if (read(served[0], &number, sizeof number) == sizeof number)
			shares[number]++;
		for (int i = 0; i < TRY_WORKERS; i++)
			wait_until_asleep(workers[i]);
		close(client);
	}
	for (int i = 0; i < TRY_WORKERS; i++) {
		kill(workers[i], SIGKILL);
		waitpid(workers[i], NULL, 0);
	}
}

static pthread_t try_thread;

static void *accept_one(void *argument)
{
	int fd = accept((int)(intptr_t)argument, NULL, NULL);

	if (fd >= 0)
		puts("accept: a client");
	else
		say("accept", fd);
	return NULL;
}

static void *fork_one(void *argument)
{
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		for (;;)
			pause();
	}
	sleep_ms(50); /* until the child has asked */
	return argument;
}

/** Starts a thread that accepts one client of a listener and prints the result, and waits until it
 *  is in accept(2). */
static inline void accept_in_thread(int listener)
{
	must(-pthread_create(&try_thread, NULL, accept_one, (void *)(intptr_t)listener));
	sleep_ms(50);
}

static inline void join_thread(void)
{
	pthread_join(try_thread, NULL);
}

/** Forks in a thread, which ends. The child asks for SIGTERM at the death of its parent. */
static inline void fork_in_thread(void)
{
	must(-pthread_create(&try_thread, NULL, fork_one, NULL));
	join_thread();
}

#endif
