/*
 * xfer_part - an incomplete local file: complete under its name, or not there.
 *
 * The bytes go to a hidden file in the same folder. When all have arrived and the
 * checksum is right, they are synced (fdatasync), the file gets its name (link or
 * rename), and the folder is synced (fsync). In this order, a crash at any moment
 * leaves either the old state or the complete new file.
 *
 * The part of a large file is kept after an interruption, for the next run. Its name
 * identifies the file: ".NAME.SIZE-MTIME.part". Parts with the same name but another
 * size or time are useless; they are removed when a new one is created, unless another
 * xfer has locked them. A file that is not ours alone is neither written nor removed.
 *
 * A small file has the part ".NAME.RANDOM.part", which is always new and is removed at
 * the end.
 */
#ifndef CLIENT_XFER_PART_H
#define CLIENT_XFER_PART_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/checksum.h"
#include "common/failure.h"
#include "common/text.h"

/** A file of this size or more is large: its part is kept. */
enum { XFER_PART_KEPT = 1 << 20 };

/** Callers read only fd and at. */
struct xfer_part {
	int fd;      /* -1 while there is none */
	uint64_t at; /* number of bytes in the part */
	int folder;
	bool kept, force;
	char name[NAME_MAX + 1];   /* name of the part in its folder */
	char target[NAME_MAX + 1]; /* final name there */
};

/** The file to create. */
struct xfer_part_plan {
	int root;         /* an open directory ... */
	const char *path; /* ... and the path of the file relative to it: name_flaw().
			   * Missing folders are created */
	uint64_t size;
	struct timespec time; /* modification time on the server */
	bool force;           /* replace an existing file */
	bool ignore_part;     /* ignore the part of an earlier run */
	bool sync;            /* sync to the disk */
};

/**
 * Opens the part, with the bytes of an earlier run. It checks, as far as possible,
 * whether the file can become complete and get its name; if not, nothing is
 * transferred.
 *
 * @param part  receives it; end it with xfer_part_finish(), _leave() or _discard()
 * @return 0, or -1 with *failure: the file exists or is a folder, another xfer has
 * locked the part, the folder cannot be opened, no space left
 */
int xfer_part_open(struct xfer_part *part, const struct xfer_part_plan *plan,
		   struct failure *failure);

/**
 * Creates a folder and those above it, if they do not exist.
 *
 * @param root  an open directory
 * @param path  relative to it: name_flaw()
 * @param sync  sync to the disk
 * @return 0, or -1 with *failure
 */
int xfer_part_make_folder(int root, const char *path, bool sync, struct failure *failure);

/**
 * Checks whether a file can reach a size: by the free space of the file system
 * (fstatvfs) and the limit of file sizes (RLIMIT_FSIZE). A quota is noticed only when
 * it is reached.
 *
 * @param fd    the file, open for writing
 * @param at    current size in bytes
 * @param size  final size in bytes
 * @return 0, or -1 with *failure
 */
int xfer_part_check_space(int fd, uint64_t at, uint64_t size, struct failure *failure);

/** Appends bytes. @return 0, or -1 with *failure */
int xfer_part_write(struct xfer_part *part, const void *bytes, size_t length,
		    struct failure *failure);

/** Syncs the part and gives it its name. @return 0, or -1 with *failure; then the
 *  part is removed */
int xfer_part_finish(struct xfer_part *part, const struct xfer_part_plan *plan,
		     struct failure *failure);

/** Closes the part, and keeps it if it is large. */
void xfer_part_leave(struct xfer_part *part);

/** Closes and removes the part. */
void xfer_part_discard(struct xfer_part *part);

/** For handlers of fatal signals: removes the open part, if it is not to be kept.
 *  Async-signal-safe. */
void xfer_part_interrupt(void);

#endif
