/*
 * identity - the user and the group that a server becomes after its start.
 *
 * A port below 1024 and many files need root, but serving clients does not. The order matters:
 * without root the groups can no longer be changed, so the user comes last. The set of
 * supplementary groups is replaced, too: it is that of root, and easily forgotten (setuid(2) and
 * setgid(2) leave it).
 */
#define _DEFAULT_SOURCE /* initgroups, setgroups */
#include "common/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

/* A number of a user or group. -1 is none: setuid(2) takes it for "do not change". */
static bool read_number(const char *text, uint64_t *number)
{
	return text_number(text, 0, UINT32_MAX - 1, number);
}

static int refuse(const char *what, const char *name, struct failure *failure)
{
	char shown[IDENTITY_TEXT];

	text_escape(name, strlen(name), shown, sizeof shown);
	return failure_set(failure, "--user: there is no %s '%s'", what, shown);
}

static int find_user(struct identity *identity, const char *name, struct failure *failure)
{
	const struct passwd *entry = getpwnam(name);
	uint64_t number;

	if (entry == NULL && read_number(name, &number))
		entry = getpwuid((uid_t)number);
	else if (entry == NULL)
		return refuse("user", name, failure);
	if (entry == NULL) { /* a number without a name */
		identity->user = (uid_t)number;
		return 0;
	}
	identity->user = entry->pw_uid;
	identity->group = entry->pw_gid;
	if (strlen(entry->pw_name) >= sizeof identity->name)
		return refuse("user", name, failure);
	memcpy(identity->name, entry->pw_name, strlen(entry->pw_name) + 1);
	return 0;
}

static int find_group(struct identity *identity, const char *name,
		      struct failure *failure)
{
	const struct group *entry = getgrnam(name);
	uint64_t number;

	if (entry != NULL)
		identity->group = entry->gr_gid;
	else if (read_number(name, &number))
		identity->group = (gid_t)number;
	else
		return refuse("group", name, failure);
	identity->group_named = true;
	return 0;
}

int identity_parse(struct identity *identity, const char *text, struct failure *failure)
{
	size_t length = strcspn(text, ":");
	char name[IDENTITY_TEXT];

	*identity = (struct identity){ .known = true };
	if (length == 0 || length >= sizeof name)
		return refuse("user", text, failure);
	memcpy(name, text, length);
	name[length] = '\0';
	if (find_user(identity, name, failure) < 0)
		return -1;
	if (text[length] == ':')
		return find_group(identity, text + length + 1, failure);
	if (identity->name[0] == '\0')
		return failure_set(failure,
				   "--user: the user %s has no name, so a group is "
				   "needed: --user %s:GROUP",
				   name, name);
	return 0;
}

static int set_groups(const struct identity *identity)
{
	if (identity->group_named)
		return setgroups(1, &identity->group);
#ifdef __APPLE__
	return initgroups(identity->name, (int)identity->group);
#else
	return initgroups(identity->name, identity->group);
#endif
}

static bool is_assumed(const struct identity *identity)
{
	return getuid() == identity->user && geteuid() == identity->user &&
	       getgid() == identity->group && getegid() == identity->group;
}

int identity_assume(const struct identity *identity, struct failure *failure)
{
	if (geteuid() != 0 && is_assumed(identity))
		return 0;
	if (set_groups(identity) < 0 || setgid(identity->group) < 0 ||
	    setuid(identity->user) < 0)
		return failure_set(failure, "cannot become user %ld, group %ld: %s",
				   (long)identity->user, (long)identity->group,
				   strerror(errno));
	if (!is_assumed(identity) || (identity->user != 0 && setuid(0) == 0))
		return failure_set(failure, "cannot give up the rights of root");
	return 0;
}
