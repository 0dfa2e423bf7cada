/*
 * local_address - the names of UNIX-domain sockets: see common/local_address.h.
 *
 * The length of the address matters: an abstract name has no NUL at its end, and each further
 * byte would belong to the name.
 */
#include "common/local_address.h"

#include <string.h>

#include "common/text.h"

enum { SHOWN_TEXT = 160 };

#ifdef __linux__
static const bool has_abstract_names = true;
#else
static const bool has_abstract_names = false;
#endif

bool local_address_is(const char *text)
{
	if (strstr(text, "://") != NULL) /* a URL */
		return false;
	return text[0] == '@' || strchr(text, '/') != NULL;
}

static int refuse(const char *text, const char *why, struct failure *failure)
{
	char shown[SHOWN_TEXT];

	text_escape(text, strlen(text), shown, sizeof shown);
	return failure_set(failure, "'%s' %s", shown, why);
}

int local_address_parse(const char *text, struct local_address *address,
			struct failure *failure)
{
	size_t length = strlen(text), name_at = offsetof(struct sockaddr_un, sun_path);
	bool abstract = text[0] == '@';

	if (length >= sizeof address->name.sun_path)
		return refuse(text, "is too long for the name of a socket", failure);
	if (abstract && length == 1)
		return refuse(text, "has no name behind the @", failure);
	if (abstract && !has_abstract_names)
		return refuse(text, "is an abstract name, which only Linux has", failure);
	memset(address, 0, sizeof *address);
	address->name.sun_family = AF_UNIX;
	memcpy(address->name.sun_path, text, length);
	if (abstract)
		address->name.sun_path[0] = '\0';
	address->length = (socklen_t)(name_at + length + !abstract);
	return 0;
}
