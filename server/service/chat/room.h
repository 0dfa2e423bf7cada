/*
 * room - a set of people: what one of them writes is sent to the others.
 *
 * A room is created when its first member joins, and removed with its topic and history
 * when its last member leaves. Only the lobby stays.
 */
#ifndef SERVER_SERVICE_CHAT_ROOM_H
#define SERVER_SERVICE_CHAT_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"
#include "server/service/chat/people.h"

/** The room of every new client. */
#define ROOM_LOBBY "lobby"

/** A line of the history. */
struct history_line {
	char *bytes; /* allocated */
	size_t length;
};

struct room {
	char name[CHAT_NAME + 1];
	char topic[CHAT_TOPIC + 1]; /* "": none */
	size_t people;
	struct person *first, *last;   /* in order of arrival */
	struct room *next;             /* in order of names */
	size_t lines;                  /* lines since the room was created */
	struct history_line history[]; /* a ring buffer of chat_limits.history lines */
};

/** @return the first room, in order of names */
struct room *room_first(void);

/** Moves a person from its room, or from none, into the room of that name. Announces
 *  this to the person and to the others.
 *  @return false, and nothing has happened, if there is no memory for a new room */
bool room_join(struct person *person, const char *name);

/** Removes a person from its room, and sends the others the reason. */
void room_leave(struct person *person, const char *reason);

/** Sends a server line to all others in the person's room. */
void room_announce(const struct person *person, const char *format, ...)
	PRINTF_LIKE(2, 3);

/** Sends a line of the person to all others in its room, and keeps it in the history.
 *  @p line ends with a newline. */
void room_say(struct person *person, const char *line, size_t n);

#endif
