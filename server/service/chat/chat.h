/*
 * chat - what the two sides of the service agree on, and its limits.
 */
#ifndef SERVER_SERVICE_CHAT_CHAT_H
#define SERVER_SERVICE_CHAT_CHAT_H

#include <stddef.h>

#include "server/hub/hub.h"

enum {
	CHAT_LINE = 1024,            /* the longest line of a client, without its end */
	CHAT_TEXT = 3 * CHAT_LINE,   /* the same with each byte replaced by U+FFFD */
	CHAT_NAME = 24,              /* the longest nickname or name of a room */
	CHAT_TOPIC = 256,            /* the longest topic, in bytes */
	CHAT_TOLD = CHAT_TEXT + 128, /* the longest line that the server sends */
	CHAT_LISTED = 512,           /* about the longest line of a list of names */
};

/** What a session posts: the first byte of the message. */
enum chat_post {
	CHAT_SAYS =
		's', /* a line follows: UTF-8 without controls, at most CHAT_TEXT bytes */
	CHAT_TOO_LONG = 'l', /* a line was too long, and is skipped */
	CHAT_ENDS = 'e',     /* the client has half-closed */
};

/** What the options set; read only from then on. */
struct chat_limits {
	size_t waiting; /* bytes that may wait for a member that does not read */
	size_t history; /* lines that a room remembers */
};

extern struct chat_limits chat_limits;

/** The side in the hub: hub.c. */
extern const struct hub_service chat_hub;

#endif
