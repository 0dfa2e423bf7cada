#include "tests/crowd.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/io.h"
#include "tests/client.h"
#include "tests/waiting.h"

enum { PIECE = 65536, NUMBER = 6 /* bytes at the end of a line */, PATH_TEXT = 64 };

/* ---- a conversation of many ------------------------------------------------------------ */

/* Of many thousand lines each is looked at: there the macros of Check, each of which writes
 * down where it stands, would take most of the time. */

char *crowd_speech(int who, int lines)
{
	char *text = malloc((size_t)lines * CROWD_LINE + 1);
	char line[64];

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < lines; i++) {
		int length = snprintf(line, sizeof line, "%02d says line %6d\n", who, i);

		if (length != CROWD_LINE)
			ck_abort_msg("a line of %d bytes", length);
		memcpy(text + i * CROWD_LINE, line, CROWD_LINE);
	}
	return text;
}

static void talk_on(struct talker *talker)
{
	size_t left = talker->says_length - talker->said;
	ssize_t n = io_write(talker->fd, talker->says + talker->said,
			     left < PIECE ? left : PIECE);

	ck_assert_msg(n > 0 || errno == EAGAIN, "write: %s", strerror(errno));
	if (n > 0)
		talker->said += (size_t)n;
}

static void listen_on(struct talker *talker)
{
	ssize_t n = io_read(talker->fd, talker->heard + talker->heard_length,
			    talker->expected - talker->heard_length + 1);

	ck_assert_msg(n != 0, "a talker is cut off after %zu of %zu bytes",
		      talker->heard_length, talker->expected);
	ck_assert_msg(n > 0 || errno == EAGAIN, "read: %s", strerror(errno));
	if (n > 0)
		talker->heard_length += (size_t)n;
	ck_assert_msg(talker->heard_length <= talker->expected,
		      "a talker hears more than was said to it");
}

void crowd_converse(struct talker talkers[], int count)
{
	struct pollfd fds[CROWD_MOST];
	int busy = count;

	ck_assert_int_le(count, CROWD_MOST);
	for (int i = 0; i < count; i++) {
		talkers[i].heard = malloc(talkers[i].expected + 1);
		ck_assert_ptr_nonnull(talkers[i].heard);
		ck_assert_int_eq(io_set_nonblocking(talkers[i].fd, true), 0);
	}
	while (busy > 0) {
		busy = 0;
		for (int i = 0; i < count; i++) {
			bool more = talkers[i].said < talkers[i].says_length;

			fds[i] = (struct pollfd){
				.fd = talkers[i].fd,
				.events = (short)(POLLIN | (more ? POLLOUT : 0)),
			};
			busy += more || talkers[i].heard_length < talkers[i].expected;
		}
		ck_assert_msg(busy == 0 || poll(fds, (nfds_t)count, PATIENCE) > 0,
			      "%d of %d wait for more, and nothing comes", busy, count);
		for (int i = 0; i < count && busy > 0; i++) {
			if (fds[i].revents & POLLOUT)
				talk_on(&talkers[i]);
			if (fds[i].revents & ~POLLOUT)
				listen_on(&talkers[i]);
		}
	}
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(io_set_nonblocking(talkers[i].fd, false), 0);
}

static int speaker(const char *line)
{
	int who = (line[0] - '0') * 10 + line[1] - '0';

	if (who < 0 || who >= CROWD_MOST)
		ck_abort_msg("'%.2s' begins a line", line);
	return who;
}

static void expect_order(const struct talker *talker, size_t length)
{
	int next[CROWD_MOST] = { 0 };

	for (size_t at = 0; at + length <= talker->heard_length; at += length) {
		const char *line = talker->heard + at;
		int who = speaker(line);

		if (line[length - 1] != '\n' ||
		    strtol(line + length - 1 - NUMBER, NULL, 10) != next[who])
			ck_abort_msg("'%.*s' is heard, and line %d of %02d was next",
				     (int)length, line, next[who], who);
		next[who]++;
	}
}

/* What a talker has heard, but for the lines of @p who. */
static size_t without(const struct talker *talker, int who, size_t length, char *out)
{
	size_t used = 0;

	for (size_t at = 0; at + length <= talker->heard_length; at += length) {
		if (speaker(talker->heard + at) == who)
			continue;
		memcpy(out + used, talker->heard + at, length);
		used += length;
	}
	return used;
}

void crowd_expect_same(const struct talker talkers[], int count, int lines, size_t length)
{
	size_t whole = length * (size_t)lines * (size_t)(count - 1);
	char *first = malloc(whole), *other = malloc(whole);

	ck_assert(first != NULL && other != NULL);
	for (int i = 0; i < count; i++) {
		ck_assert_uint_eq(talkers[i].heard_length, whole);
		expect_order(&talkers[i], length);
	}
	for (int i = 1; i < count; i++) {
		size_t n = without(&talkers[0], i, length, first);

		ck_assert_uint_eq(without(&talkers[i], 0, length, other), n);
		ck_assert_uint_eq(n, length * (size_t)lines * (size_t)(count - 2));
		ck_assert_msg(memcmp(first, other, n) == 0,
			      "0 and %d heard the same lines in another order", i);
	}
	free(first);
	free(other);
}

void crowd_part(struct talker talkers[], int count)
{
	for (int i = 0; i < count; i++) {
		client_close(talkers[i].fd);
		free(talkers[i].says);
		free(talkers[i].heard);
	}
}

/* ---- ways to go ------------------------------------------------------------------------ */

bool crowd_has_ended(int fd)
{
	char bytes[4096];

	for (;;) {
		ssize_t n = io_read(fd, bytes, sizeof bytes);

		if (n <= 0)
			return n == 0 || errno == ECONNRESET;
	}
}

void crowd_go(int fd, int how)
{
	switch (how % 4) {
	case 0:
		client_close(fd);
		break;
	case 1:
		client_reset(fd);
		break;
	case 2:
		client_say(fd, "/quit\n");
		client_close(fd);
		break;
	default:
		client_half_close(fd);
		client_close(fd);
	}
}

pid_t crowd_last_child(pid_t server)
{
	char path[PATH_TEXT];
	FILE *file;
	pid_t last = 0;
	int pid;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)server,
		 (int)server);
	file = fopen(path, "r");
	while (file != NULL && fscanf(file, "%d", &pid) == 1)
		last = pid;
	if (file != NULL)
		fclose(file);
	if (last == 0)
		skipped("needs /proc/PID/task/PID/children");
	return last;
}

void crowd_limit_descriptors(void *context)
{
	const struct rlimit limit = { CROWD_FEW, CROWD_FEW };

	(void)context;
	setrlimit(RLIMIT_NOFILE, &limit);
}
