/*
 * people - the members of the chat, each with a nickname that nobody else has.
 *
 * Capitals do not tell two nicknames apart: where Alice is, there is no alice.
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

/** The state of a member. All zero is nobody yet. */
struct person {
	struct member *member;
	struct nickname nicknames[2]; /* one in use, and one for the change */
	unsigned current;             /* which */
	bool deaf;                    /* dismissed or cut off: it is told nothing more */
	const char *reason;           /* why it leaves, if the service knows */
	struct room *room;            /* NULL: in none (any more) */
	struct person *previous, *next; /* in the room */
};

/** A line for a client, with its newline. */
struct told {
	char bytes[CHAT_TOLD];
	size_t length;
};

const char *person_nickname(const struct person *person);

/** Whether it is 1 to 24 of ASCII letters, digits, - and _: of nicknames and of rooms. */
bool name_is_sound(const char *name);

/** Whether it is of those that are given, guest1, guest2 ... */
bool nickname_is_given(const char *nickname);

/** Gives a new person the first of guest1, guest2 ... that is free.
 *  @return false if there is no memory */
bool person_become_guest(struct person *person);

/** Changes a nickname, to one that nobody else has.
 *  @return false, and it is as it was, if there is no memory */
bool person_rename(struct person *person, const char *nickname);

/** Gives the nickname back: the person is nobody any more. */
void person_forget(struct person *person);

/** @return who is called that, or NULL */
struct person *person_find(const char *nickname);

/** What this person hears from now on is the answer to one message of its own (or the welcome),
 *  until person_is_answered(): of what waits for it only that counts as too much which waited
 *  before. So an answer comes whole, however long it is. Nor does it count afterwards: who is
 *  told more before it could read all of it has done nothing wrong. But as long as one answer
 *  waits, the next ones do count, so that no more than two wait beyond the limit. */
void person_answer(struct person *person);
void person_is_answered(void);

/** Tells a person a line, or several, as they are. Cuts it off if too much waits for it. */
void person_hear(struct person *person, const char *bytes, size_t n);

/** Makes a server line, "* TEXT", of a format. What does not fit is cut. */
void told_format(struct told *told, const char *format, ...) PRINTF_LIKE(2, 3);
void told_format_list(struct told *told, const char *format, va_list arguments);

/** Tells a person one server line. */
void person_tell(struct person *person, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
