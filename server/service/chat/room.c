/*
 * room - the rooms, their members and their history.
 *
 * The rooms are a list sorted by name, and the members of a room a doubly linked list.
 * Finding a room takes O(rooms), but only /join and leaving need it. A line to a room
 * takes O(members). A room with history keeps the last lines in a ring buffer, one
 * malloc(3) for each line.
 */
#include "server/service/chat/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/service/chat/chat.h"

static struct room *rooms;

struct room *room_first(void)
{
	return rooms;
}

/* ---- rooms ----------------------------------------------------------------------------- */

/* Finds the place in the list where the room of that name is or belongs. There are at
 * most as many rooms as people, and only a change of room calls this. */
static struct room **room_place(const char *name)
{
	struct room **place = &rooms;

	while (*place != NULL && strcasecmp((*place)->name, name) < 0)
		place = &(*place)->next;
	return place;
}

/* @return the room, created if necessary, or NULL if there is no memory */
static struct room *room_open(const char *name)
{
	struct room **place = room_place(name), *room = *place;

	if (room != NULL && strcasecmp(room->name, name) == 0)
		return room;
	room = calloc(1, sizeof *room + chat_limits.history * sizeof *room->history);
	if (room == NULL)
		return NULL;
	snprintf(room->name, sizeof room->name, "%s", name);
	room->next = *place;
	*place = room;
	return room;
}

static void room_close(struct room *room)
{
	*room_place(room->name) = room->next;
	for (size_t i = 0; i < chat_limits.history; i++)
		free(room->history[i].bytes);
	free(room);
}

static void put_in(struct room *room, struct person *person)
{
	person->room = room;
	person->next = NULL;
	person->previous = room->last;
	*(room->last != NULL ? &room->last->next : &room->first) = person;
	room->last = person;
	room->people++;
}

static void take_out(struct person *person)
{
	struct room *room = person->room;
	struct person *previous = person->previous, *next = person->next;

	*(previous != NULL ? &previous->next : &room->first) = next;
	*(next != NULL ? &next->previous : &room->last) = previous;
	person->room = NULL;
	room->people--;
}

/* ---- output to rooms
 * ------------------------------------------------------------------- */

static void send_to_others(const struct person *person, const char *bytes, size_t n)
{
	for (struct person *p = person->room->first; p != NULL; p = p->next)
		if (p != person)
			person_hear(p, bytes, n);
}

void room_announce(const struct person *person, const char *format, ...)
{
	struct server_line line;
	va_list arguments;

	va_start(arguments, format);
	server_line_format_list(&line, format, arguments);
	va_end(arguments);
	send_to_others(person, line.bytes, line.length);
}

/* Without memory the line is missing from the history, but not from the output. */
static void remember(struct room *room, const char *line, size_t n)
{
	struct history_line *kept;
	char *bytes;

	if (chat_limits.history == 0)
		return;
	kept = &room->history[room->lines % chat_limits.history];
	bytes = realloc(kept->bytes, n);
	if (bytes == NULL)
		return;
	memcpy(bytes, line, n);
	*kept = (struct history_line){ .bytes = bytes, .length = n };
	room->lines++;
}

void room_say(struct person *person, const char *line, size_t n)
{
	send_to_others(person, line, n);
	remember(person->room, line, n);
}

static void send_history(struct person *person)
{
	const struct room *room = person->room;
	size_t most = chat_limits.history;
	size_t count = room->lines < most ? room->lines : most;

	if (count > 0)
		person_tell(person, "last %zu line%s of %s:", count,
			    count == 1 ? "" : "s", room->name);
	for (size_t i = room->lines - count; i < room->lines; i++)
		person_hear(person, room->history[i % most].bytes,
			    room->history[i % most].length);
}

/* ---- moving between rooms
 * -------------------------------------------------------------- */

static void enter(struct person *person, struct room *room)
{
	put_in(room, person);
	person_tell(person, "you are in %s (%zu %s)", room->name, room->people,
		    room->people == 1 ? "person" : "people");
	if (room->topic[0] != '\0')
		person_tell(person, "topic of %s: %s", room->name, room->topic);
	send_history(person);
	room_announce(person, "%s has joined", person_nickname(person));
}

void room_leave(struct person *person, const char *reason)
{
	struct room *room = person->room;

	room_announce(person, "%s has left (%s)", person_nickname(person), reason);
	take_out(person);
	if (room->people == 0 && strcmp(room->name, ROOM_LOBBY) != 0)
		room_close(room);
}

bool room_join(struct person *person, const char *name)
{
	struct room *room = room_open(name);
	char reason[CHAT_NAME + sizeof "went to "];

	if (room == NULL)
		return false;
	snprintf(reason, sizeof reason, "went to %s", room->name);
	if (person->room != NULL)
		room_leave(person, reason);
	enter(person, room);
	return true;
}
