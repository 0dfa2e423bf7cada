/*
 * xfer_part - a local file in the making: whole under its name, or not there.
 *
 * The bytes go into a hidden file beside it. When all are there and their sum is right, they
 * are brought to the disk (fdatasync), given their name (link or rename) and the folder is
 * brought to the disk as well (fsync of it): in this order, a crash at any moment leaves what
 * was there before, or the new file as a whole.
 *
 * The part of a large file stays when we are cut off, for the next time. Its name tells of
 * what it is a part: ".NAME.SIZE-MTIME.part". Parts of the same name, but another size or
 * time, are of no use any more, and are removed when a new one is begun, unless another xfer
 * is at them: that holds a lock. What is there and not ours alone is neither written to nor
 * removed.
 *
 * That of a small one is ".NAME.RANDOM.part": always a new file, and gone when we are.
 */
#ifndef CLIENT_XFER_PART_H
#define CLIENT_XFER_PART_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/checksum.h"
#include "common/failure.h"
#include "common/text.h"

/** A file of so many bytes is large: worth keeping what there is of it. */
enum { XFER_PART_KEPT = 1 << 20 };

/** For callers: fd and at. The rest is this module's own. */
struct xfer_part {
	int fd;      /* -1 while there is none */
	uint64_t at; /* so many bytes are there */
	int folder;
	bool kept, force;
	char name[NAME_MAX + 1];   /* in the folder */
	char target[NAME_MAX + 1]; /* so, too */
};

/** What the file is to be. */
struct xfer_part_plan {
	int root;         /* an open directory ... */
	const char *path; /* ... and the file below it: name_flaw(). Folders on the
			     way are made */
	uint64_t size;
	struct timespec time; /* of its last change, at the server */
	bool force;           /* replaces a file that is there */
	bool anew;            /* does not go on with what is there from an earlier time */
	bool sync;            /* to the disk */
};

/**
 * Opens the part, with what is there of it from an earlier time. What would keep it from
 * getting its name at the end, or from becoming whole, is found out now, as far as that is
 * possible: then there is nothing to transfer.
 *
 * @param part  receives it; to be ended by xfer_part_finish(), _leave() or _discard()
 * @return 0, or -1 with *failure: the file exists or is a folder, somebody else is at it,
 *         no way to it, no room for it
 */
int xfer_part_open(struct xfer_part *part, const struct xfer_part_plan *plan,
		   struct failure *failure);

/**
 * Makes a folder and those on the way to it, or finds them there.
 *
 * @param root  an open directory
 * @param path  below it: name_flaw()
 * @param sync  to the disk
 * @return 0, or -1 with *failure
 */
int xfer_part_make_folder(int root, const char *path, bool sync, struct failure *failure);

/**
 * Whether a file can become as long as it is to be: by the free space of its file system
 * (fstatvfs) and the limit of a file's size (RLIMIT_FSIZE). A quota shows only when it is
 * reached.
 *
 * @param fd    the file, open for writing
 * @param at    bytes that are there
 * @param size  bytes that there are to be
 * @return 0, or -1 with *failure
 */
int xfer_part_check_room(int fd, uint64_t at, uint64_t size, struct failure *failure);

/** Writes at its end. @return 0, or -1 with *failure */
int xfer_part_write(struct xfer_part *part, const void *bytes, size_t length,
		    struct failure *failure);

/** Makes it the file. @return 0, or -1 with *failure, and the part is gone */
int xfer_part_finish(struct xfer_part *part, const struct xfer_part_plan *plan,
		     struct failure *failure);

/** Closes it. It stays if it is large. */
void xfer_part_leave(struct xfer_part *part);

/** Removes it. */
void xfer_part_discard(struct xfer_part *part);

/** For a handler of signals that end the program: removes the part that is open, if it is not
 *  to be kept. Async-signal-safe. */
void xfer_part_interrupt(void);

#endif
