#define _XOPEN_SOURCE 700 /* tsearch */

#include "server/service/chat/people.h"

#include <search.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct chat_limits chat_limits = { .waiting = 256 * 1024, .history = 10 };

static const char digits[] = "0123456789";
static const char guest[] = "guest";

static void *nicknames; /* a tree: tsearch(3) */

/* All of guest1 to the one before this are taken: the next is not looked for from 1. */
static unsigned long first_guest = 1;

/* ---- nicknames ------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct nickname *one = a, *other = b;

	return strcasecmp(one->text, other->text);
}

const char *person_nickname(const struct person *person)
{
	return person->nicknames[person->current].text;
}

bool name_is_sound(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t length = strspn(name, allowed);

	return length >= 1 && length <= CHAT_NAME && name[length] == '\0';
}

bool nickname_is_given(const char *nickname)
{
	const char *number = nickname + strlen(guest);

	return strncasecmp(nickname, guest, strlen(guest)) == 0 && *number != '\0' &&
	       number[strspn(number, digits)] == '\0';
}

/* The number of a guest, 0 for anybody else. */
static unsigned long guest_number(const char *nickname)
{
	unsigned long number = 0;

	if (nickname_is_given(nickname))
		sscanf(nickname + strlen(guest), "%lu", &number);
	return number;
}

struct person *person_find(const char *nickname)
{
	struct nickname wanted;
	struct nickname *const *found;

	if (!name_is_sound(nickname))
		return NULL;
	snprintf(wanted.text, sizeof wanted.text, "%s", nickname);
	found = tfind(&wanted, &nicknames, compare);
	return found != NULL ? (*found)->owner : NULL;
}

static void give_back(struct nickname *nickname)
{
	unsigned long number = guest_number(nickname->text);

	tdelete(nickname, &nicknames, compare);
	nickname->text[0] = '\0';
	if (number > 0 && number < first_guest)
		first_guest = number;
}

static bool take(struct person *person, const char *text)
{
	unsigned other = 1 - person->current;
	struct nickname *nickname = &person->nicknames[other];

	snprintf(nickname->text, sizeof nickname->text, "%s", text);
	nickname->owner = person;
	if (tsearch(nickname, &nicknames, compare) == NULL) {
		nickname->text[0] = '\0';
		return false;
	}
	person->current = other;
	return true;
}

bool person_become_guest(struct person *person)
{
	char text[CHAT_NAME + 1];
	unsigned long number = first_guest;

	do {
		snprintf(text, sizeof text, "%s%lu", guest, number++);
	} while (person_find(text) != NULL);
	if (!take(person, text))
		return false;
	first_guest = number;
	return true;
}

bool person_rename(struct person *person, const char *text)
{
	struct nickname *old = &person->nicknames[person->current];

	if (strcasecmp(old->text, text) == 0) { /* in its place in the tree */
		snprintf(old->text, sizeof old->text, "%s", text);
		return true;
	}
	if (!take(person, text))
		return false;
	give_back(old);
	return true;
}

void person_forget(struct person *person)
{
	give_back(&person->nicknames[person->current]);
}

/* ---- what people are told -------------------------------------------------------------- */

static struct person *answered; /* NULL: nobody */
static bool answer_has_begun;

void person_answer(struct person *person)
{
	answered = person;
	answer_has_begun = false;
}

void person_is_answered(void)
{
	if (answer_has_begun && !answered->deaf)
		hub_excuse(answered->member);
	answered = NULL;
}

/* How much may wait for it already. */
static size_t most_waiting(const struct person *person)
{
	bool goes_on = person == answered && answer_has_begun;

	if (person == answered)
		answer_has_begun = true;
	return goes_on ? SIZE_MAX : chat_limits.waiting;
}

void person_hear(struct person *person, const char *bytes, size_t n)
{
	if (person->deaf || hub_deliver(person->member, bytes, n, most_waiting(person)))
		return;
	person->deaf = true;
	person->reason = "does not read";
	hub_cut_off(person->member);
}

void told_format_list(struct told *told, const char *format, va_list arguments)
{
	size_t room = sizeof told->bytes - 3; /* "* " in front, and a newline behind */
	int length = vsnprintf(told->bytes + 2, room + 1, format, arguments);
	size_t n = length < 0 ? 0 : (size_t)length < room ? (size_t)length : room;

	memcpy(told->bytes, "* ", 2);
	told->bytes[2 + n] = '\n';
	told->length = 2 + n + 1;
}

void told_format(struct told *told, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	told_format_list(told, format, arguments);
	va_end(arguments);
}

void person_tell(struct person *person, const char *format, ...)
{
	struct told told;
	va_list arguments;

	va_start(arguments, format);
	told_format_list(&told, format, arguments);
	va_end(arguments);
	person_hear(person, told.bytes, told.length);
}
