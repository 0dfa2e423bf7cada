/*
 * kiwi - a reply server: each line that a client sends is answered with "Message received".
 *
 *	./kiwi PORT	four threads; further clients wait until one is free
 *
 * Symptom: with few clients all is well. Under load the server ends with a message of assert(3).
 */
#define _POSIX_C_SOURCE 200809L

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4, QUEUE = 16 };

static int queue[QUEUE]; /* of clients that wait for a worker: a ring */
static unsigned first, queued;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER,
		      taken = PTHREAD_COND_INITIALIZER;

static int listen_on(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)atoi(port)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* for clients */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror("kiwi: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* Without descriptors or memory, accept(2) fails at once: the server waits a moment. */
static int next_client(int listener)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) < 0)
		poll(NULL, 0, 50);
	return fd;
}

static void serve(int fd)
{
	static const char answer[] = "Message received\n";
	char piece[4096];
	ssize_t n, sent = 0;

	while (sent >= 0 && (n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; i < n && sent >= 0; i++)
			if (piece[i] == '\n')
				sent = send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
	close(fd);
	nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL); /* work */
}

static void put_client(int fd)
{
	pthread_mutex_lock(&lock);
	while (queued == QUEUE)
		pthread_cond_wait(&taken, &lock);
	queue[(first + queued++) % QUEUE] = fd;
	poll(NULL, 0, 1); /* work: a line for the log */
	pthread_cond_signal(&arrived);
	pthread_mutex_unlock(&lock);
}

static int take_client(void)
{
	int fd;

	pthread_mutex_lock(&lock);
	if (queued == 0)
		pthread_cond_wait(&arrived, &lock);
	assert(queued > 0);
	fd = queue[first++ % QUEUE];
	queued--;
	pthread_cond_signal(&taken);
	pthread_mutex_unlock(&lock);
	return fd;
}

static void *work(void *unused)
{
	for (;;)
		serve(take_client());
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int listener;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: kiwi PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&thread, NULL, work, NULL);
	for (;;)
		put_client(next_client(listener));
}
