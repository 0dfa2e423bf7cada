/*
 * chat - what the parts of the client have in common.
 *
 * client/chat.c reads the command line. On a terminal the conversation is
 * client/chat_screen.c; in a pipe it is that of dial, client/dial_stream.c.
 */
#ifndef CLIENT_CHAT_H
#define CLIENT_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/speech.h"
#include "common/address.h"

/** What the command line says. */
struct chat_settings {
	char host[HOST_TEXT], port[PORT_TEXT];
	int family;                       /* AF_UNSPEC, AF_INET or AF_INET6 */
	int64_t timeout;                  /* milliseconds to connect; 0: for ever */
	char nickname[NICKNAME_MOST + 1]; /* "": that of a guest */
	char room[NICKNAME_MOST + 1];     /* "": where everybody starts */
	bool times, reconnect;
};

/** Talks with the server on the terminal, until the user has enough.
 *  @return the exit status */
int chat_screen(const struct chat_settings *settings);

#endif
