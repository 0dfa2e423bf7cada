/*
 * screen - chat on a terminal, and the settings of chat.
 */
#ifndef CLIENT_CHAT_SCREEN_H
#define CLIENT_CHAT_SCREEN_H

#include <stdbool.h>

#include "client/lib/dial_stream.h"
#include "client/lib/speech.h"

/** The options of chat. */
struct chat_settings {
	struct dial_settings dial;        /* the server, how to connect, and times */
	char nickname[NICKNAME_MOST + 1]; /* "": the server gives one */
	char room[NICKNAME_MOST + 1];     /* "": the first room of the server */
	bool reconnect;
};

/** Runs the chat on the terminal until the user quits.
 *  @return the exit status */
int chat_screen(const struct chat_settings *settings);

#endif
