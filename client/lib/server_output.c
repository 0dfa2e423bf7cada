/*
 * server_output - reads what a server prints, on a thread of its own.
 *
 * Only the end of the output is kept: the last line says why a server ended, and its
 * statistics come last.
 */
#include "client/lib/server_output.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/io.h"
#include "common/text.h"

enum {
	PIECE = 1024,   /* bytes of a read; less than what is kept */
	LOOK_MS = 20,   /* longest wait before server_output_await() looks again */
	NOTICE_MS = 50, /* longest time until the thread notices that it must end */
};

/* Appends bytes. The oldest half makes room. */
static void keep(struct server_output *output, const char *bytes, size_t length)
{
	if (output->used + length > sizeof output->kept) {
		size_t half = output->used - sizeof output->kept / 2;

		memmove(output->kept, output->kept + half, output->used - half);
		output->used -= half;
	}
	memcpy(output->kept + output->used, bytes, length);
	output->used += length;
}

static void *read_all(void *argument)
{
	struct server_output *output = argument;
	char piece[PIECE];
	ssize_t n = 1;

	while (n > 0 && !atomic_load(&output->over)) {
		if (io_wait(output->fd, POLLIN, NOTICE_MS) <= 0)
			continue;
		n = io_read(output->fd, piece, sizeof piece);
		pthread_mutex_lock(&output->lock);
		if (n > 0)
			keep(output, piece, (size_t)n);
		else
			output->ended = true;
		pthread_cond_signal(&output->changed);
		pthread_mutex_unlock(&output->lock);
	}
	return NULL;
}

int server_output_start(struct server_output *output, int fd)
{
	sigset_t all, before;
	int error;

	output->fd = fd;
	output->used = 0;
	output->ended = false;
	atomic_init(&output->over, false);
	pthread_mutex_init(&output->lock, NULL);
	condition_begin(&output->changed);
	/* the main thread handles the signals */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&output->thread, NULL, read_all, output);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* Whether the text stands in a complete line. Called with the lock. */
static bool has_line_with(const struct server_output *output, const char *text)
{
	const char *line = output->kept, *end = output->kept + output->used, *newline;
	size_t wanted = strlen(text);

	for (; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL;
	     line = newline + 1)
		for (const char *at = line; (size_t)(newline - at) >= wanted; at++)
			if (memcmp(at, text, wanted) == 0)
				return true;
	return false;
}

/* Waits a moment for more output. Called with the lock. */
static void await_change(struct server_output *output)
{
	condition_wait(&output->changed, &output->lock, clock_milliseconds() + LOOK_MS);
}

bool server_output_await(struct server_output *output, const char *text, int64_t time,
			 bool (*leave)(void *context), void *context)
{
	int64_t end = clock_milliseconds() + time;
	bool found = false;

	pthread_mutex_lock(&output->lock);
	for (;;) {
		found = text != NULL ? has_line_with(output, text) : output->ended;
		if (found || output->ended || clock_milliseconds() >= end)
			break;
		if (leave != NULL && leave(context))
			break;
		await_change(output);
	}
	pthread_mutex_unlock(&output->lock);
	return found;
}

const char *server_output_last_line(struct server_output *output,
				    char out[SERVER_OUTPUT_LINE])
{
	size_t end, start;

	pthread_mutex_lock(&output->lock);
	for (end = output->used; end > 0 && strchr("\r\n", output->kept[end - 1]); end--)
		;
	for (start = end; start > 0 && output->kept[start - 1] != '\n'; start--)
		;
	text_escape(output->kept + start, end - start, out, SERVER_OUTPUT_LINE);
	pthread_mutex_unlock(&output->lock);
	return out;
}

/* The kept bytes as a string. A NUL would end the search. */
static void copy_kept(struct server_output *output, char text[SERVER_OUTPUT_KEPT + 1])
{
	pthread_mutex_lock(&output->lock);
	for (size_t i = 0; i < output->used; i++)
		text[i] = output->kept[i] != '\0' ? output->kept[i] : ' ';
	text[output->used] = '\0';
	pthread_mutex_unlock(&output->lock);
}

int64_t server_output_number_before(struct server_output *output, const char *words)
{
	char text[SERVER_OUTPUT_KEPT + 1];
	const char *end, *digit;
	int64_t number = 0;

	copy_kept(output, text);
	digit = end = strstr(text, words);
	if (end == NULL)
		return -1;
	while (digit > text && digit[-1] >= '0' && digit[-1] <= '9')
		digit--;
	if (digit == end || end - digit > 18)
		return -1;
	for (; digit < end; digit++)
		number = number * 10 + (*digit - '0');
	return number;
}

unsigned server_output_numbers_after(struct server_output *output, const char *words,
				     uint64_t numbers[], unsigned most)
{
	char text[SERVER_OUTPUT_KEPT + 1], *at;
	unsigned count = 0;

	copy_kept(output, text);
	at = strstr(text, words);
	if (at == NULL)
		return 0;
	for (at += strlen(words);
	     count < most && *at == ' ' && isdigit((unsigned char)at[1]);)
		numbers[count++] = strtoull(at + 1, &at, 10);
	return count;
}

void server_output_stop(struct server_output *output)
{
	atomic_store(&output->over, true);
	pthread_join(output->thread, NULL);
	pthread_cond_destroy(&output->changed);
	pthread_mutex_destroy(&output->lock);
	close(output->fd);
}
