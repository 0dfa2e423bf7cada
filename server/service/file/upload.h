/*
 * upload - a file that is being received.
 *
 * The content that has arrived is the part: a file in the directory .filed, locked by
 * flock(2). So there is one upload of a name at a time, in all processes and threads,
 * and a killed process leaves no lock. When all bytes have arrived and the checksum is
 * right, the part is synced and renamed. No other client ever sees an incomplete file.
 * If the upload is cut off, the part stays for the next upload of the same name, size
 * and time.
 *
 * The state of a part says which upload it belongs to. It is stored as the target of a
 * symbolic link next to the part, which is never followed: one system call creates it,
 * one reads it, and it is complete or absent. On a file system without symbolic links
 * each upload starts from the beginning.
 *
 *	none --begin--> OPEN --write: all bytes--> COMPLETE --finish--> none, file in place
 *	                  |                            |
 *	                  +-----------cut_off----------+--> none, the part stays
 *	                  +------------error-----------+--> none, the part is removed
 *
 * A resumed upload must go through file_upload_check() after begin.
 */
#ifndef SERVER_SERVICE_FILE_UPLOAD_H
#define SERVER_SERVICE_FILE_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/checksum.h"
#include "server/service/file/store.h"

struct file_upload {
	char *name; /* NULL: no upload */
	int fd;     /* the part, locked */
	uint64_t size;
	uint64_t here; /* bytes that are in the part */
	/* bytes of it that count for the quota, and file_store_counts() when that was so */
	uint64_t counted;
	unsigned counts;
	struct timespec modified;
	bool without_sum;    /* no checksum follows, and the next member is unused */
	struct checksum sum; /* of these bytes, when file_upload_check() has returned 0 */
	bool has_state;
	bool resumed; /* resumed: only a checksum proves that the part is of this file */
};

/**
 * Starts an upload, or resumes one that was cut off: then upload->here is not 0, and
 * file_upload_check() must be called before anything else.
 *
 * @param without_sum  no checksum follows: file_upload_finish() gets no CRC. Such an
 *                     upload always starts from the beginning
 * @return 0: call file_upload_finish() or file_upload_cut_off() later. Or -1 with
 *         *refusal
 */
int file_upload_begin(struct file_store *store, struct file_upload *upload,
		      const char *name, uint64_t size, struct timespec modified,
		      bool without_sum, struct file_refusal *refusal);

/** Reads the content of a resumed part, at most @p most bytes of it, for the checksum:
 *  after a power failure it may differ from what was sent.
 *  @return 1 if there is more to read, 0 at the end, or -1 with *refusal, and the
 *          upload is over */
int file_upload_check(const struct file_store *store, struct file_upload *upload,
		      size_t most, struct file_refusal *refusal);

/** Writes the next @p n bytes, not more than are missing.
 *  @return 0, or -1 with *refusal: the part is removed, the upload is over */
int file_upload_write(const struct file_store *store, struct file_upload *upload,
		      const char *bytes, size_t n, struct file_refusal *refusal);

/** Gives the complete file its name, or removes the part. The upload is over.
 *  @param crc  the checksum of the client; NULL for none, which a resumed upload does
 *              not allow
 *  @return 0, or -1 with *refusal: the file does not exist, unless only the last step
 *          failed, the sync of the directory */
int file_upload_finish(const struct file_store *store, struct file_upload *upload,
		       const uint32_t *crc, struct file_refusal *refusal);

/** Stores the state, so that a later upload can resume this one even if the process is
 *  killed now. To be called when all available bytes are written: a file that arrives
 *  in one piece, with its checksum, needs no state. */
void file_upload_keep(const struct file_store *store, struct file_upload *upload);

/** Ends the upload for now. The part stays. */
void file_upload_cut_off(const struct file_store *store, struct file_upload *upload);

/** Removes parts that are too old, at most once a minute. */
void file_upload_expire(const struct file_store *store);

#endif
