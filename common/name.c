/*
 * name - checks names of files that come from another machine.
 *
 * The check lists the characters that are allowed, and refuses all others. Client and server
 * both check, because neither trusts the other.
 */
#include "common/name.h"

#include <stddef.h>
#include <string.h>

#include "common/text.h"

static const char *flaw_of_parts(const char *name)
{
	for (;;) {
		size_t length = strcspn(name, "/");

		if (length == 0)
			return "empty path component";
		if (*name == '.')
			return "path component begins with a dot";
		if (length > NAME_PART_MOST)
			return "path component too long";
		name += length;
		if (*name == '\0')
			return NULL;
		name++;
	}
}

const char *name_flaw(const char *name)
{
	size_t length = strlen(name);

	if (length == 0)
		return "empty";
	if (*name == '/')
		return "begins with /";
	if (length > NAME_MOST)
		return "too long";
	if (!text_is_plain(name, length))
		return "not UTF-8, or has control characters";
	return flaw_of_parts(name);
}
