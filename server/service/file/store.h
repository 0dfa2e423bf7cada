/*
 * store - the directory that is served: its files, and how much it may hold.
 *
 * No name leads out of it: the kernel resolves each name within the directory, and
 * follows no symbolic link (common/open_within.h). It contains a hidden directory,
 * .filed, for partial uploads. Both are on the same file system, so that a complete file
 * gets its name by a rename.
 */
#ifndef SERVER_SERVICE_FILE_STORE_H
#define SERVER_SERVICE_FILE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/failure.h"
#include "common/root.h"

/** Shared by all processes of the server. */
struct file_shared {
	_Atomic int64_t used;  /* bytes of all files and parts; only with a quota */
	atomic_uint counts;    /* how often these were added up */
	_Atomic int64_t fresh; /* directories that were created and are not synced yet */
	_Atomic int64_t
		expire_at; /* when to remove old parts next, in seconds since 1970 */
};

/** The directory, and the rules for it. */
struct file_store {
	struct root root;
	/* descriptor of .filed: its number stays the same if .filed is created again */
	int parts;
	/* errno if .filed cannot be opened: no uploads then; else 0 */
	atomic_int parts_error;
	bool replaces;     /* an upload may replace a file */
	bool unsynced;     /* no fsync(2) */
	uint64_t most;     /* largest file, in bytes */
	int64_t quota;     /* bytes of all files; 0: no limit */
	int64_t part_life; /* after this many seconds a part is removed; 0: never */
	struct file_shared *shared;
};

/** Why a request is refused: a code of the protocol, and a text for people. */
struct file_refusal {
	const char *code, *why;
};

/** Fills *refusal. @return -1 always */
int file_refuse(struct file_refusal *refusal, const char *code, const char *why);

/** The same, for the error of a system call. @return -1 always */
int file_refuse_errno(struct file_refusal *refusal, int error);

/** Opens @p directory by the rules that are set in *store, creates .filed, and counts
 *  the used bytes.
 *  @return 0, or -1 with *failure, which names the directory */
int file_store_open(struct file_store *store, const char *directory,
		    struct failure *failure);

/** Resolves the name of the directory again, after SIGHUP. */
void file_store_reopen(struct file_store *store);

/** Must be called when a file cannot be created in .filed: resolves the directory again
 *  if it was removed, and creates .filed again if that was removed.
 *  @return whether to try again; if not, errno is the reason */
bool file_store_renew_parts(struct file_store *store);

/**
 * Opens the directory that contains a name's file, or would contain it.
 *
 * @param make  create missing directories. If the store syncs, also sync them, and
 *              those that another upload is creating
 * @param last  receives the position of the last component
 * @return a descriptor for file_store_leave(), or -1 with errno of open_within()
 */
int file_store_enter(const struct file_store *store, const char *name, bool make,
		     const char **last);
void file_store_leave(const struct file_store *store, int directory);

/** Opens a directory for reading; NULL is the served one.
 *  @return the descriptor, which the caller closes, or -1 with errno of open_within();
 *          ESTALE if the served directory is missing */
int file_store_open_directory(struct file_store *store, const char *name);

/** Gets the status of a regular file or directory. @return 0, or -1 with *refusal */
int file_store_look(struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal);

/** Opens a regular file for reading. @return the descriptor, or -1 with *refusal */
int file_store_read(struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal);

/** Checks whether @p bytes more fit, as far as is known now.
 *  @return 0, or -1 with errno: EDQUOT (quota), ENOSPC (disk) */
int file_store_check_space(const struct file_store *store, uint64_t bytes);

/** How often the files were added up. After each time only what has a name counts. */
unsigned file_store_counts(const struct file_store *store);

/** Counts bytes that are about to be written. @return false if the quota does not allow
 *  them */
bool file_store_add(const struct file_store *store, uint64_t bytes);

/** Counts bytes that were removed. */
void file_store_subtract(const struct file_store *store, uint64_t bytes);

/** Opens .filed for reading. @return a descriptor, or -1 with errno */
int file_store_open_parts(const struct file_store *store);

#endif
