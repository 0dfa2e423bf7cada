/*
 * landlock - gives up the file system, except for some directories.
 *
 * Landlock (landlock(7)) lets a process that is not root confine itself. It first names all kinds
 * of access that it wants to give up, then the directories for which they stay allowed. The rules
 * belong to the directories themselves and not to their names: a directory that is removed and
 * created again is another one, without a rule.
 *
 * Each version of the kernel knows more kinds of access, and refuses those that it does not know.
 * So the version is asked first. The structures and numbers stand here, because the header of
 * older systems lacks the newer ones. It costs nothing for a descriptor that is open already, and
 * a walk up the directories for each open(2).
 */
#define _GNU_SOURCE /* O_PATH, syscall */
#include "common/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

void landlock_allow(struct landlock *landlock, const char *directory, unsigned access)
{
	if (landlock->count == LANDLOCK_RULES)
		return;
	landlock->rules[landlock->count].directory = directory;
	landlock->rules[landlock->count].access = access;
	landlock->count++;
}

#ifdef __linux__

#include <sys/syscall.h>

/* The same numbers on all processors. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { RULE_PATH_BENEATH = 1, VERSION = 1 };

/* landlock_create_ruleset(2) */
struct ruleset {
	uint64_t files, network, scoped;
};

/* landlock_add_rule(2); packed, as in the kernel's header */
struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* Access to files: the first version has all up to MAKE_SYM. */
enum {
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	MAKE_SYM = 1 << 12,
	FIRST_VERSION = (1 << 13) - 1,
	REFER = 1 << 13,     /* version 2: rename(2) into another directory */
	TRUNCATE = 1 << 14,  /* version 3 */
	IOCTL_DEV = 1 << 15, /* version 5 */
};

/* Version 4: bind(2) and connect(2) of TCP. Version 6: signals. */
enum { NETWORK = 3, SCOPE_SIGNAL = 2 };

static uint64_t handled_files(int version)
{
	uint64_t handled = FIRST_VERSION;

	if (version >= 2)
		handled |= REFER;
	if (version >= 3)
		handled |= TRUNCATE;
	if (version >= 5)
		handled |= IOCTL_DEV;
	return handled;
}

static uint64_t file_access(unsigned access)
{
	uint64_t files = 0;

	if (access & (LANDLOCK_READ | LANDLOCK_APPEND | LANDLOCK_CHANGE))
		files |= READ_FILE;
	if (access & LANDLOCK_REMOVE)
		files |= REMOVE_FILE;
	if (access & (LANDLOCK_READ | LANDLOCK_CHANGE))
		files |= READ_DIR;
	if (access & (LANDLOCK_APPEND | LANDLOCK_CHANGE))
		files |= WRITE_FILE | MAKE_REG;
	if (access & LANDLOCK_CHANGE)
		files |=
			REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_SYM | REFER | TRUNCATE;
	return files;
}

/* The first version refuses rename(2) into another directory, whatever is allowed. */
static bool is_possible(const struct landlock *landlock, int version)
{
	for (unsigned i = 0; i < landlock->count; i++)
		if (version < 2 && (landlock->rules[i].access & LANDLOCK_CHANGE))
			return false;
	return version >= 1;
}

/* A directory that is not there has no rule; nor has one that this user may not even search, if
 * files are only to be removed there: that would be refused anyway. */
static bool needs_no_rule(unsigned access, int error)
{
	return error == ENOENT || error == ENOTDIR ||
	       (error == EACCES && access == LANDLOCK_REMOVE);
}

static int add_rule(int ruleset, const char *directory, unsigned access, uint64_t handled)
{
	struct path_beneath rule = { .allowed = file_access(access) & handled };
	int result, error;

	rule.parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent < 0)
		return needs_no_rule(access, errno) ? 0 : -1;
	result = (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
	error = errno;
	close(rule.parent);
	errno = error;
	return result;
}

static int confine_by(int ruleset, const struct landlock *landlock, uint64_t handled)
{
	for (unsigned i = 0; i < landlock->count; i++)
		if (add_rule(ruleset, landlock->rules[i].directory,
			     landlock->rules[i].access, handled) < 0)
			return -1;
	return (int)syscall(RESTRICT_SELF, ruleset, 0);
}

int landlock_confine(const struct landlock *landlock)
{
	int version = (int)syscall(CREATE_RULESET, NULL, 0, VERSION), ruleset, result,
	    error;
	struct ruleset gives_up = { 0 };
	/* a kernel takes a longer structure only if the part that it does not know is zero */
	size_t size = sizeof gives_up;

	if (version < 0) /* ENOSYS; EOPNOTSUPP: turned off at boot */
		return 0;
	if (!is_possible(landlock, version))
		return 0;
	gives_up.files = handled_files(version);
	if (version >= 4)
		gives_up.network = NETWORK;
	if (version >= 6)
		gives_up.scoped = SCOPE_SIGNAL;
	ruleset = (int)syscall(CREATE_RULESET, &gives_up, size, 0);
	if (ruleset < 0)
		return -1;
	result = confine_by(ruleset, landlock, gives_up.files);
	error = errno;
	close(ruleset);
	errno = error;
	return result < 0 ? -1 : version;
}

#else

int landlock_confine(const struct landlock *landlock)
{
	(void)landlock;
	return 0;
}

#endif
