/*
 * store - the directory that is served: what is in it, how full it may get.
 *
 * No name leads out of it: the kernel resolves each one beneath it, and follows no symbolic
 * link (common/open_within.h). In it there is a hidden directory, .filed, for the parts of
 * uploads: in the same file system, so that a whole file is put in its place by a rename.
 */
#ifndef SERVER_SERVICE_FILE_STORE_H
#define SERVER_SERVICE_FILE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/failure.h"
#include "common/root.h"

/** What all processes of the server know together. */
struct file_shared {
	_Atomic int64_t used;  /* bytes of all files and parts, if there is a quota */
	_Atomic int64_t fresh; /* directories that were made and are not yet on disk */
	_Atomic int64_t expire_at; /* when to look for old parts: seconds since 1970 */
};

/** The directory, and its rules. */
struct file_store {
	struct root root;
	int parts; /* .filed: the number stays the same when it is made anew */
	atomic_int parts_error; /* errno if .filed cannot be had: then nothing is taken */
	bool replaces;          /* an upload may replace a file */
	bool unsynced;          /* what is done need not be on disk */
	uint64_t most;          /* bytes of one file */
	int64_t quota;          /* bytes of all; 0: as many as there is room for */
	int64_t part_life;      /* seconds after which a part is removed; 0: never */
	struct file_shared *shared;
};

/** Why something is not done: one of the codes of the protocol, and words for a person. */
struct file_refusal {
	const char *code, *why;
};

/** Fills *refusal. @return -1 always */
int file_refuse(struct file_refusal *refusal, const char *code, const char *why);

/** The same for what a system call said. @return -1 always */
int file_refuse_errno(struct file_refusal *refusal, int error);

/** Opens @p directory by the rules that stand in the store already, makes .filed, counts what
 *  is used and removes old parts. @return 0, or -1 with *failure, which names the culprit */
int file_store_open(struct file_store *store, const char *directory,
		    struct failure *failure);

/** Resolves the name of the directory again, for SIGHUP. */
void file_store_reopen(struct file_store *store);

/** To be called when nothing can be made in .filed: finds the directory again if it has gone,
 *  and makes .filed if that has gone.
 *  @return whether to try again; if not, errno says why */
bool file_store_renew_parts(struct file_store *store);

/**
 * Opens the directory that a name's file is in or would be in.
 *
 * @param make  make the ones that are missing, and bring them to disk if the store syncs, and
 *              those as well that somebody else is about to
 * @param last  receives where the name's last part begins
 * @return a descriptor for file_store_leave(), or -1 with errno of open_within()
 */
int file_store_enter(const struct file_store *store, const char *name, bool make,
		     const char **last);
void file_store_leave(const struct file_store *store, int directory);

/** Opens a directory for reading; with NULL the one that is served.
 *  @return the descriptor, which the caller closes, or -1 with errno of open_within(), and
 *          ESTALE if the directory that is served has gone */
int file_store_open_directory(struct file_store *store, const char *name);

/** What a name is: a regular file or a directory. @return 0, or -1 with *refusal */
int file_store_look(struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal);

/** Opens a regular file for reading. @return the descriptor, or -1 with *refusal */
int file_store_read(struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal);

/** Whether so many bytes more could be taken, as far as one can tell now. */
bool file_store_has_room(const struct file_store *store, uint64_t bytes);

/** Counts bytes that will be there in a moment. @return false if they are too many */
bool file_store_add(const struct file_store *store, uint64_t bytes);

/** Counts bytes that are gone. */
void file_store_subtract(const struct file_store *store, uint64_t bytes);

/** Opens .filed, where the parts are, to be read. @return a descriptor, or -1 with errno */
int file_store_open_parts(const struct file_store *store);

#endif
