/*
 * ports - parses a list of ports: 22,80,8000-8100,http
 *
 * The set is an array with a flag for each of the 65536 ports: simple, without duplicates,
 * and iterated in order.
 */
#include "client/portscan/ports.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/text.h"

enum { ITEM_TEXT = 40 };

void ports_add(struct ports *ports, unsigned first, unsigned last)
{
	for (unsigned port = first; port <= last; port++) {
		ports->count += !ports->wanted[port];
		ports->wanted[port] = true;
	}
}

static bool is_all_digits(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* The port of a named service. */
static bool look_up(const char *name, unsigned *port)
{
	struct address_query query = { AF_UNSPEC, SOCK_STREAM, false };
	struct address address;
	struct addrinfo *list;

	if (is_all_digits(name) || address_resolve(NULL, name, &query, &list, NULL) < 0)
		return false;
	address_set(&address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	*port = address_port(&address);
	return *port != 0;
}

static bool read_number(const char *text, unsigned *port)
{
	uint64_t number;

	if (!text_number(text, 1, UINT16_MAX, &number))
		return false;
	*port = (unsigned)number;
	return true;
}

/* An item is a number, a range or a name. The text before the hyphen distinguishes a
 * range from a name, because names contain hyphens too. */
static int add_item(struct ports *ports, char *item, struct failure *failure)
{
	char *hyphen = strchr(item, '-'), culprit[ITEM_TEXT];
	unsigned first, last;

	text_escape(item, strlen(item), culprit, sizeof culprit);
	if (read_number(item, &first) || look_up(item, &first)) {
		ports_add(ports, first, first);
		return 0;
	}
	if (hyphen != NULL)
		*hyphen = '\0';
	if (hyphen == NULL || !read_number(item, &first) ||
	    !read_number(hyphen + 1, &last))
		return failure_set(failure,
				   "'%s' is not a port (1 to 65535), a range such as "
				   "8000-8100, or the name of a service",
				   culprit);
	if (last < first)
		return failure_set(failure, "the range '%s' ends before its first port",
				   culprit);
	ports_add(ports, first, last);
	return 0;
}

int ports_parse(struct ports *ports, const char *list, struct failure *failure)
{
	const char *next = list;
	char item[PORT_TEXT], culprit[ITEM_TEXT];
	size_t length;

	for (;; next += length + 1) {
		length = strcspn(next, ",");
		if (length == 0) {
			text_escape(list, strlen(list), culprit, sizeof culprit);
			return failure_set(failure, "empty item in the list '%s'",
					   culprit);
		}
		if (length >= sizeof item) {
			text_escape(next, length, culprit, sizeof culprit);
			return failure_set(failure, "'%s' is too long for a port",
					   culprit);
		}
		memcpy(item, next, length);
		item[length] = '\0';
		if (add_item(ports, item, failure) < 0)
			return -1;
		if (next[length] == '\0')
			return 0;
	}
}
