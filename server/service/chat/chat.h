/*
 * chat - the limits of the service, and the messages between its session side and its
 * hub side.
 */
#ifndef SERVER_SERVICE_CHAT_CHAT_H
#define SERVER_SERVICE_CHAT_CHAT_H

#include <stddef.h>

#include "server/hub/hub.h"

enum {
	CHAT_LINE = 1024,              /* the longest line of a client, without its end */
	CHAT_TEXT = 3 * CHAT_LINE,     /* the same with each byte replaced by U+FFFD */
	CHAT_NAME = 24,                /* the longest nickname or name of a room */
	CHAT_TOPIC = 256,              /* the longest topic, in bytes */
	CHAT_OUTPUT = CHAT_TEXT + 128, /* the longest line that the server sends */
	CHAT_LISTED = 512, /* the approximate length of a line of a list of names */
};

/** The first byte of a message that a session posts. */
enum chat_post {
	/* a line follows: UTF-8 without control characters, at most CHAT_TEXT bytes */
	CHAT_SAYS = 's',
	CHAT_TOO_LONG = 'l', /* a line was too long, and is discarded */
	CHAT_ENDS = 'e',     /* the client has half-closed */
};

/** Set by the options, constant afterwards. */
struct chat_limits {
	size_t waiting; /* bytes that may wait for a member that does not read */
	size_t history; /* lines that a room keeps */
};

extern struct chat_limits chat_limits;

/** The hub side: hub.c. */
extern const struct hub_service chat_hub;

#endif
