/*
 * hub - the hub side of the chat: the commands, and what happens when a member arrives,
 * posts or leaves.
 *
 * The hub calls these functions with one message at a time, in every model. So they use
 * shared lists without a lock, and no function here waits. A line to a room of n members
 * costs n deliveries.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/service/chat/chat.h"
#include "server/service/chat/people.h"
#include "server/service/chat/room.h"

static const char name_rule[] = "1 to 24 of A-Z, a-z, 0-9, - and _";

/* A command. Its argument is the rest of the line without blanks at both ends. */
struct command {
	const char *name;     /* "nick" */
	const char *argument; /* shown by /help */
	const char *help;
	bool needs_argument;
	void (*run)(struct person *, char *argument);
};

static void out_of_memory(struct person *person)
{
	person_tell(person, "error: out of memory");
}

/* ---- lists ----------------------------------------------------------------------------- */

/* Prints names in several lines, each with the same start. */
struct list {
	struct person *person;
	char start[64];
	char names[CHAT_LISTED];
};

static void list_end(struct list *list)
{
	if (list->names[0] != '\0')
		person_tell(list->person, "%s: %s", list->start, list->names);
	list->names[0] = '\0';
}

static void list_add(struct list *list, const char *name)
{
	size_t length = strlen(list->names);

	if (length + strlen(", ") + strlen(name) >= sizeof list->names) {
		list_end(list);
		length = 0;
	}
	snprintf(list->names + length, sizeof list->names - length, "%s%s",
		 length > 0 ? ", " : "", name);
}

/* ---- the commands ---------------------------------------------------------------------- */

static void nick(struct person *person, char *name)
{
	struct person *holder = person_find(name);
	char old[CHAT_NAME + 1];

	snprintf(old, sizeof old, "%s", person_nickname(person));
	if (strcmp(name, old) == 0)
		person_tell(person, "error: you are already %s", old);
	else if (!name_is_sound(name))
		person_tell(person, "error: a nickname is %s", name_rule);
	else if (nickname_is_given(name))
		person_tell(person, "error: nicknames like guest1 are reserved");
	else if (holder != NULL && holder != person)
		person_tell(person, "error: the nickname %s is taken",
			    person_nickname(holder));
	else if (!person_rename(person, name))
		out_of_memory(person);
	else {
		person_tell(person, "you are now %s", name);
		room_announce(person, "%s is now %s", old, name);
	}
}

static void who(struct person *person, char *argument)
{
	const struct room *room = person->room;
	struct list list = { .person = person };

	(void)argument;
	snprintf(list.start, sizeof list.start, "in %s (%zu)", room->name, room->people);
	for (const struct person *p = room->first; p != NULL; p = p->next)
		list_add(&list, person_nickname(p));
	list_end(&list);
}

static void msg(struct person *person, char *argument)
{
	char *end = argument + strcspn(argument, " "), *text = end + strspn(end, " ");
	char line[CHAT_OUTPUT];
	struct person *other;
	int n;

	*end = '\0';
	other = person_find(argument);
	if (*text == '\0') {
		person_tell(person, "error: usage: /msg NICK TEXT");
	} else if (!name_is_sound(argument)) {
		person_tell(person, "error: a nickname is %s", name_rule);
	} else if (other == NULL) {
		person_tell(person, "error: no such nickname: %s", argument);
	} else {
		n = snprintf(line, sizeof line, "%s -> %s: %s\n", person_nickname(person),
			     person_nickname(other), text);
		person_hear(other, line, (size_t)n);
	}
}

static void me(struct person *person, char *action)
{
	char line[CHAT_OUTPUT];
	int n = snprintf(line, sizeof line, "** %s %s\n", person_nickname(person),
			 action);

	room_say(person, line, (size_t)n);
}

static void join(struct person *person, char *name)
{
	if (*name == '#')
		name++;
	if (!name_is_sound(name))
		person_tell(person, "error: the name of a room is %s", name_rule);
	else if (strcasecmp(name, person->room->name) == 0)
		person_tell(person, "error: you are already in %s", person->room->name);
	else if (!room_join(person, name))
		out_of_memory(person);
}

static void list_rooms(struct person *person, char *argument)
{
	struct list list = { .person = person };
	char text[CHAT_NAME + 32];
	size_t count = 0;

	(void)argument;
	for (const struct room *room = room_first(); room != NULL; room = room->next)
		count++;
	snprintf(list.start, sizeof list.start, "rooms (%zu)", count);
	for (const struct room *room = room_first(); room != NULL; room = room->next) {
		snprintf(text, sizeof text, "%s (%zu)", room->name, room->people);
		list_add(&list, text);
	}
	list_end(&list);
}

static void send_topic(struct person *person)
{
	const struct room *room = person->room;

	if (room->topic[0] != '\0')
		person_tell(person, "topic of %s: %s", room->name, room->topic);
	else
		person_tell(person, "no topic in %s", room->name);
}

static void set_topic(struct person *person, const char *topic)
{
	struct room *room = person->room;

	snprintf(room->topic, sizeof room->topic, "%s", topic);
	send_topic(person);
	if (*topic != '\0')
		room_announce(person, "%s has set the topic: %s", person_nickname(person),
			      topic);
	else
		room_announce(person, "%s has removed the topic",
			      person_nickname(person));
}

static void topic(struct person *person, char *argument)
{
	if (*argument == '\0')
		send_topic(person);
	else if (strlen(argument) > CHAT_TOPIC)
		person_tell(person, "error: a topic has at most %d bytes", CHAT_TOPIC);
	else
		set_topic(person, strcmp(argument, "-") == 0 ? "" : argument);
}

static void ping(struct person *person, char *argument)
{
	person_tell(person, "pong%s%s", *argument != '\0' ? ": " : "", argument);
}

/* The person has left for all others at once, but may still read earlier output. */
static void part(struct person *person, const char *reason)
{
	person_tell(person, "goodbye");
	if (person->deaf) /* it was cut off: chat_leave() handles the rest */
		return;
	person->deaf = true;
	room_leave(person, reason);
	person_forget(person);
	hub_dismiss(person->member);
}

static void quit(struct person *person, char *reason)
{
	part(person, *reason != '\0' ? reason : "quit");
}

static void help(struct person *person, char *argument);

static const struct command commands[] = {
	{ "nick", " NAME", "change your nickname to NAME", true, nick },
	{ "who", "", "list the people in this room", false, who },
	{ "msg", " NICK TEXT", "send TEXT to NICK only", true, msg },
	{ "me", " ACTION", "describe an action", true, me },
	{ "join", " ROOM", "enter another room, or create it", true, join },
	{ "rooms", "", "list the rooms", false, list_rooms },
	{ "topic", " [TEXT]", "show or set the topic; - removes it", false, topic },
	{ "ping", " [TEXT]", "check that the server answers", false, ping },
	{ "quit", " [REASON]", "leave the chat", false, quit },
	{ "help", "", "show this list", false, help },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(struct person *person, char *argument)
{
	char usage[32];

	(void)argument;
	person_tell(person, "each line goes to all others in the room, except:");
	for (size_t i = 0; i < COMMANDS; i++) {
		snprintf(usage, sizeof usage, "/%s%s", commands[i].name,
			 commands[i].argument);
		person_tell(person, "%-16s %s", usage, commands[i].help);
	}
	person_tell(person, "%-16s %s", "//TEXT", "send /TEXT to the room");
}

/* ---- messages of the sessions
 * ---------------------------------------------------------- */

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcasecmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* Removes the blanks at the end. */
static void trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == ' ')
		length--;
	text[length] = '\0';
}

/* Runs a line that begins with a slash. */
static void run_command(struct person *person, const char *bytes, size_t n)
{
	const struct command *command;
	char text[CHAT_TEXT + 1], *name, *argument;

	memcpy(text, bytes, n);
	text[n] = '\0';
	trim(text);
	name = text + 1;
	argument = name + strcspn(name, " ");
	if (*argument != '\0')
		*argument++ = '\0';
	argument += strspn(argument, " ");
	command = command_find(name);
	if (command == NULL)
		person_tell(person, "error: unknown command /%s; see /help",
			    strlen(name) <= CHAT_NAME ? name : "...");
	else if (command->needs_argument && *argument == '\0')
		person_tell(person, "error: usage: /%s%s", command->name,
			    command->argument);
	else
		command->run(person, argument);
}

static void say(struct person *person, const char *text, size_t n)
{
	char line[CHAT_OUTPUT];
	const char *nickname = person_nickname(person);
	size_t length = strlen(nickname);

	memcpy(line, nickname, length);
	memcpy(line + length, ": ", 2);
	memcpy(line + length + 2, text, n);
	line[length + 2 + n] = '\n';
	room_say(person, line, length + 2 + n + 1);
}

static bool is_blank(const char *text, size_t n)
{
	while (n > 0 && text[n - 1] == ' ')
		n--;
	return n == 0;
}

static void take_line(struct person *person, const char *text, size_t n)
{
	if (is_blank(text, n))
		return;
	if (text[0] != '/')
		say(person, text, n);
	else if (n > 1 && text[1] == '/')
		say(person, text + 1, n - 1);
	else
		run_command(person, text, n);
}

static void chat_post(struct member *member, const char *bytes, size_t n)
{
	struct person *person = member->state;

	if (person->deaf || n > 1 + CHAT_TEXT)
		return;
	person_answer(person);
	switch (bytes[0]) {
	case CHAT_SAYS:
		take_line(person, bytes + 1, n - 1);
		break;
	case CHAT_TOO_LONG:
		person_tell(person, "error: a line has at most %d bytes", CHAT_LINE);
		break;
	case CHAT_ENDS:
		part(person, "hung up");
		break;
	default:
		break;
	}
	person_is_answered();
}

static void chat_arrive(struct member *member)
{
	struct person *person = member->state;

	person->member = member;
	person_answer(person);
	if (!person_become_guest(person)) {
		person->deaf = true;
		hub_cut_off(member);
		return;
	}
	person_tell(
		person,
		"welcome, you are %s; /nick NAME changes it, /help lists the commands",
		person_nickname(person));
	if (!room_join(person, ROOM_LOBBY)) {
		person->deaf = true;
		hub_cut_off(member);
	}
	person_is_answered();
}

static void chat_leave(struct member *member)
{
	struct person *person = member->state;

	person->deaf = true;
	if (person->room != NULL)
		room_leave(person,
			   person->reason != NULL ? person->reason : "connection lost");
	if (person_nickname(person)[0] != '\0')
		person_forget(person);
}

const struct hub_service chat_hub = {
	.member_size = sizeof(struct person),
	.arrive = chat_arrive,
	.post = chat_post,
	.leave = chat_leave,
};
