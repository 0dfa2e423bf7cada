/*
 * chat - what the parts of the client have in common.
 *
 * client/chat/main.c reads the command line. On a terminal the conversation is
 * client/chat/screen.c; in a pipe it is that of dial, client/lib/dial_stream.c.
 */
#ifndef CLIENT_CHAT_SCREEN_H
#define CLIENT_CHAT_SCREEN_H

#include <stdbool.h>

#include "client/lib/dial_stream.h"
#include "client/lib/speech.h"

/** What the command line says. */
struct chat_settings {
	struct dial_settings dial;        /* whom to connect to, and how; times */
	char nickname[NICKNAME_MOST + 1]; /* "": that of a guest */
	char room[NICKNAME_MOST + 1];     /* "": where everybody starts */
	bool reconnect;
};

/** Talks with the server on the terminal, until the user has enough.
 *  @return the exit status */
int chat_screen(const struct chat_settings *settings);

#endif
