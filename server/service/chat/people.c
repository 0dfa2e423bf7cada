/*
 * people - the nicknames, and the output to one person.
 *
 * The nicknames are in a tree of tsearch(3), which glibc and musl keep balanced. So a
 * lookup takes O(log n) string comparisons. Each person has two nickname slots: a rename
 * inserts the new slot before it removes the old one, and fails without effect if there
 * is no memory.
 *
 * An answer to a person's own message is never cut off: see person_answer().
 */
#define _XOPEN_SOURCE 700 /* tsearch */

#include "server/service/chat/people.h"

#include <search.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct chat_limits chat_limits = { .waiting = 256 * 1024, .history = 10 };

static const char digits[] = "0123456789";
static const char guest[] = "guest";

static void *nicknames; /* a tree of tsearch(3) */

/* The nicknames guest1 up to this number - 1 are in use: the search for a free one
 * begins here. */
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

/* @return the number of a guest; 0 for any other nickname */
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

	if (strcasecmp(old->text, text) ==
	    0) { /* only the case differs: the place in the tree is the same */
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

/* ---- output to people
 * ------------------------------------------------------------------ */

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
		hub_exempt(answered->member);
	answered = NULL;
}

/* The limit for bytes that already wait for the person. */
static size_t most_waiting(const struct person *person)
{
	bool continues = person == answered && answer_has_begun;

	if (person == answered)
		answer_has_begun = true;
	return continues ? SIZE_MAX : chat_limits.waiting;
}

void person_hear(struct person *person, const char *bytes, size_t n)
{
	if (person->deaf || hub_deliver(person->member, bytes, n, most_waiting(person)))
		return;
	person->deaf = true;
	person->reason = "does not read";
	hub_cut_off(person->member);
}

void server_line_format_list(struct server_line *line, const char *format,
			     va_list arguments)
{
	size_t space = sizeof line->bytes - 3; /* without "* " and the newline */
	int length = vsnprintf(line->bytes + 2, space + 1, format, arguments);
	size_t n = length < 0 ? 0 : (size_t)length < space ? (size_t)length : space;

	memcpy(line->bytes, "* ", 2);
	line->bytes[2 + n] = '\n';
	line->length = 2 + n + 1;
}

void person_tell(struct person *person, const char *format, ...)
{
	struct server_line line;
	va_list arguments;

	va_start(arguments, format);
	server_line_format_list(&line, format, arguments);
	va_end(arguments);
	person_hear(person, line.bytes, line.length);
}
