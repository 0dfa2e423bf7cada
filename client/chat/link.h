/*
 * chat_link - the connection to a chat server: lines out, lines in, neither of them waited
 * for, and of neither more kept than a fixed amount.
 */
#ifndef CLIENT_CHAT_LINK_H
#define CLIENT_CHAT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "client/lib/speech.h"

enum {
	CHAT_UNSENT_MOST = 16 * 1024 /* bytes that wait for a server that does not read */
};

/** For callers: fd. The rest is this module's own. */
struct chat_link {
	int fd; /* non-blocking; -1: there is no connection */
	char unsent[CHAT_UNSENT_MOST];
	size_t start, end;
	char line[SPEECH_MOST]; /* of the server, as far as it has come */
	size_t length;
	bool skipping; /* the rest of a line that was longer */
};

/** Begins with a new connection, which is its own from now on.
 *  @return 0, or -1 with errno, and the connection is closed */
int chat_link_open(struct chat_link *link, int fd);

/** Ends it. What was not sent is lost; chat_link_unsent() tells whether there is any. */
void chat_link_close(struct chat_link *link);

/** Puts a line into the queue; a newline is added.
 *  @return false, and nothing was taken, if there is no room for it */
bool chat_link_send(struct chat_link *link, const char *text, size_t length);

/** Bytes that have not been sent yet. */
size_t chat_link_unsent(const struct chat_link *link);

/** Sends what the kernel takes now. @return 0, or -1 with errno */
int chat_link_flush(struct chat_link *link);

/**
 * Reads once, and hands over each line that is whole, without its newline. Of a line that is
 * longer than SPEECH_MOST so much is handed over at once, and the rest is skipped. At the
 * end what there is of a line counts as one.
 *
 * @return 1, or 0 at the end, or -1 with errno
 */
int chat_link_receive(struct chat_link *link,
		      void (*take)(void *context, const char *line, size_t length),
		      void *context);

#endif
