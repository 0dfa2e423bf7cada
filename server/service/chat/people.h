/*
 * people - the members of the chat, each with a unique nickname.
 *
 * Nicknames are compared without regard to case: Alice and alice are the same.
 */
#ifndef SERVER_SERVICE_CHAT_PEOPLE_H
#define SERVER_SERVICE_CHAT_PEOPLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"
#include "server/service/chat/chat.h"

struct room;

struct nickname {
	char text[CHAT_NAME + 1]; /* "": not in use */
	struct person *owner;
};

/** The state of a member. Zeroed: a member without a nickname. */
struct person {
	struct member *member;
	struct nickname nicknames[2]; /* one in use, one for the next rename */
	unsigned current;             /* the index of the one in use */
	bool deaf;                    /* dismissed or cut off: gets no more output */
	const char *reason;           /* why it leaves; NULL: the service does not know */
	struct room *room;            /* NULL: not in a room */
	struct person *previous, *next; /* in the room */
};

/** A line of the server for a client, with its newline. */
struct server_line {
	char bytes[CHAT_OUTPUT];
	size_t length;
};

const char *person_nickname(const struct person *person);

/** @return whether the name is 1 to 24 ASCII letters, digits, - and _, as nicknames and
 *          room names must be */
bool name_is_sound(const char *name);

/** @return whether the nickname is reserved for guests: guest1, guest2 ... */
bool nickname_is_given(const char *nickname);

/** Gives a new person the first free nickname of guest1, guest2 ...
 *  @return false if there is no memory */
bool person_become_guest(struct person *person);

/** Changes the nickname. The caller has checked that it is free.
 *  @return false, and nothing has changed, if there is no memory */
bool person_rename(struct person *person, const char *nickname);

/** Releases the nickname. The person has none from now on. */
void person_forget(struct person *person);

/** @return the person with this nickname, or NULL */
struct person *person_find(const char *nickname);

/** Starts the answer to one message of the person (or the welcome). It lasts until
 *  person_is_answered(). Only output that waited before the answer counts against the
 *  limit, so an answer arrives complete, however long it is. The answer does not count
 *  afterwards either: a client that gets more output before it could read the answer
 *  must not be cut off for it. But while one answer waits, the next answers do count.
 *  So at most two answers wait beyond the limit. */
void person_answer(struct person *person);
void person_is_answered(void);

/** Sends bytes, one or more whole lines, to a person. Cuts the person off if too much
 *  output waits. */
void person_hear(struct person *person, const char *bytes, size_t n);

/** Makes a server line, "* TEXT", from a format. Text that does not fit is cut. */
void server_line_format_list(struct server_line *line, const char *format,
			     va_list arguments);

/** Sends a person one server line. */
void person_tell(struct person *person, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
