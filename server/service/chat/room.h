/*
 * room - where people are: what one of them says, the others are told.
 *
 * A room begins with the first who joins it and ends with the last who leaves, its topic
 * and history with it; only the lobby stays.
 */
#ifndef SERVER_SERVICE_CHAT_ROOM_H
#define SERVER_SERVICE_CHAT_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"
#include "server/service/chat/people.h"

/** Where everyone starts. */
#define ROOM_LOBBY "lobby"

/** A line that was said. */
struct said {
	char *bytes; /* allocated */
	size_t length;
};

struct room {
	char name[CHAT_NAME + 1];
	char topic[CHAT_TOPIC + 1]; /* "": none */
	size_t people;
	struct person *first, *last; /* in the order in which they came */
	struct room *next;           /* in the order of the names */
	size_t said;                 /* lines, since it began */
	struct said history[]; /* a ring of chat_limits.history: where they go round */
};

/** All rooms, in the order of their names. */
struct room *room_first(void);

/** Lets a person go from where it is, or from nowhere, into the room of that name, and
 *  tells it and the others so. @return false, and nothing has happened, if there is no
 *  memory for a new room */
bool room_join(struct person *person, const char *name);

/** Takes a person out of its room, and tells the others so, with the reason. */
void room_leave(struct person *person, const char *reason);

/** Tells all in the person's room but the person a server line. */
void room_announce(const struct person *person, const char *format, ...)
	PRINTF_LIKE(2, 3);

/** Tells all others in the person's room a line that the person has said, and keeps it in
 *  the history. @p line ends with its newline */
void room_say(struct person *person, const char *line, size_t n);

#endif
