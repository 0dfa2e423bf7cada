/*
 * local_address - the names of UNIX-domain sockets: see common/local_address.h.
 *
 * The length of the address matters: an abstract name has no NUL at its end, and each further
 * byte would belong to the name.
 */
#include "common/local_address.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

enum { NAME_AT = offsetof(struct sockaddr_un, sun_path) };

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
	char shown[LOCAL_ADDRESS_TEXT];

	text_escape(text, strlen(text), shown, sizeof shown);
	return failure_set(failure, "'%s' %s", shown, why);
}

int local_address_parse(const char *text, struct local_address *address,
			struct failure *failure)
{
	size_t length = strlen(text), most = sizeof address->name.sun_path - 1;
	bool abstract = text[0] == '@';
	char why[80];

	snprintf(why, sizeof why,
		 "is too long for the name of a socket, which has at most %zu bytes",
		 most);
	if (length > most)
		return refuse(text, why, failure);
	if (abstract && length == 1)
		return refuse(text, "has no name behind the @", failure);
	if (abstract && !has_abstract_names)
		return refuse(text, "is an abstract name, which only Linux has", failure);
	memset(address, 0, sizeof *address);
	address->name.sun_family = AF_UNIX;
	memcpy(address->name.sun_path, text, length);
	if (abstract)
		address->name.sun_path[0] = '\0';
	address->length = (socklen_t)(NAME_AT + length + !abstract);
	return 0;
}

int local_address_of(int fd, struct local_address *address)
{
	memset(address, 0, sizeof *address);
	address->length = (socklen_t)sizeof address->name;
	if (getsockname(fd, (struct sockaddr *)&address->name, &address->length) < 0)
		return -1;
	if (address->length > sizeof address->name)
		address->length = (socklen_t)sizeof address->name;
	if (address->name.sun_family == AF_UNIX)
		return 0;
	errno = EAFNOSUPPORT;
	return -1;
}

/* The bytes of sun_path that are in use. */
static size_t name_length(const struct local_address *address)
{
	return address->length > NAME_AT ? (size_t)address->length - NAME_AT : 0;
}

bool local_address_is_path(const struct local_address *address)
{
	return name_length(address) > 0 && address->name.sun_path[0] != '\0';
}

/* BSD returns an empty name for a socket without one, in full length. */
bool local_address_is_unnamed(const struct local_address *address)
{
	size_t length = name_length(address);

	return length == 0 || (address->name.sun_path[0] == '\0' &&
			       (length == 1 || !has_abstract_names));
}

/* A path may have a NUL at its end, or several (unix(7), BUGS). */
const char *local_address_text(const struct local_address *address,
			       char out[LOCAL_ADDRESS_TEXT])
{
	const char *name = address->name.sun_path;
	size_t length = name_length(address);

	if (local_address_is_unnamed(address)) {
		strcpy(out, "unnamed");
		return out;
	}
	if (local_address_is_path(address)) {
		text_escape(name, strnlen(name, length), out, LOCAL_ADDRESS_TEXT);
		return out;
	}
	out[0] = '@';
	text_escape(name + 1, length - 1, out + 1, LOCAL_ADDRESS_TEXT - 1);
	return out;
}

const char *local_address_why(int error, int type)
{
	if (error != EPROTOTYPE)
		return strerror(error);
	return type == SOCK_STREAM ? "this socket is for datagrams (-u)"
				   : "this socket is for streams, not datagrams (-u)";
}
