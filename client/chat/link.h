/*
 * chat_link - the connection to a chat server: lines in, lines out, non-blocking and
 * bounded.
 */
#ifndef CLIENT_CHAT_LINK_H
#define CLIENT_CHAT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "client/lib/speech.h"

enum {
	CHAT_UNSENT_MOST = 16 * 1024 /* bytes queued for a server that does not read */
};

/** Callers read only fd. */
struct chat_link {
	int fd; /* non-blocking; -1: there is no connection */
	char unsent[CHAT_UNSENT_MOST];
	size_t start, end;
	char line[SPEECH_MOST]; /* a received line that is still incomplete */
	size_t length;
	bool skipping; /* skipping the rest of a line that is too long */
};

/** Takes over a new connection.
 *  @return 0, or -1 with errno; then the connection is closed */
int chat_link_open(struct chat_link *link, int fd);

/** Closes the connection. Unsent bytes are lost; chat_link_unsent() counts them. */
void chat_link_close(struct chat_link *link);

/** Queues a line; a newline is added.
 *  @return false if there is no space; then nothing is queued */
bool chat_link_send(struct chat_link *link, const char *text, size_t length);

/** Number of queued bytes. */
size_t chat_link_unsent(const struct chat_link *link);

/** Sends as much as the kernel takes. @return 0, or -1 with errno */
int chat_link_flush(struct chat_link *link);

/**
 * Reads once, and passes on each complete line without its newline. Of a line longer
 * than SPEECH_MOST the first part is passed on and the rest is skipped. At end of file
 * an incomplete line counts as complete.
 *
 * @return 1, or 0 at end of file, or -1 with errno
 */
int chat_link_receive(struct chat_link *link,
		      void (*take)(void *context, const char *line, size_t length),
		      void *context);

#endif
