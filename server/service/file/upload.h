/*
 * upload - a file that is on its way here.
 *
 * What has come of it is a part: a file in the directory .filed, which its name locks by
 * flock(2), so that there is one upload of a name at a time, whichever process or thread has
 * it, and none that a killed process could leave locked. When all has come and the sum is
 * right, the part is brought to disk and renamed to the name: nobody ever sees half a file
 * there. If the upload is cut off, the part stays for the next one that is of the same name,
 * size and time.
 *
 * Which upload a part is of, its state, is the target of a symbolic link beside it, to which
 * nobody goes: one call makes it, one reads it, and it is whole or not there. A file system
 * without symbolic links has uploads that begin anew each time.
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
	char *name; /* NULL: there is none */
	int fd;     /* of the part, locked */
	uint64_t size;
	uint64_t here; /* bytes of it that are in the part */
	struct timespec modified;
	bool without_sum;    /* then there is none: */
	struct checksum sum; /* of the bytes here, once file_upload_check() has no more */
	bool has_state;
	bool goes_on; /* with a part that was here: only a sum tells that it is this file's */
};

/**
 * Begins an upload, or goes on with one that was cut off: then upload->here is not 0, and
 * file_upload_check() is to be called before anything else.
 *
 * @param without_sum  it will not be checked: file_upload_finish() without a CRC. It always
 *                     begins anew
 * @return 0; the upload is for file_upload_finish() or file_upload_cut_off(). Or -1 with
 *         *refusal
 */
int file_upload_begin(struct file_store *store, struct file_upload *upload,
		      const char *name, uint64_t size, struct timespec modified,
		      bool without_sum, struct file_refusal *refusal);

/** Reads again what was here before, at most @p most bytes of it, for the sum: after a power
 *  cut it need not be what was sent. @return 1 if there is more, 0, or -1 with *refusal, and
 *  the upload is over */
int file_upload_check(const struct file_store *store, struct file_upload *upload,
		      size_t most, struct file_refusal *refusal);

/** Takes the next @p n bytes, not more than are missing. @return 0, or -1 with *refusal: the
 *  part is removed, the upload is over */
int file_upload_write(const struct file_store *store, struct file_upload *upload,
		      const char *bytes, size_t n, struct file_refusal *refusal);

/** Puts the file, of which all has come, in its place, or removes the part. The upload is
 *  over. @param crc  what the client says, or NULL, but not of one that goes_on @return 0, or -1 with *refusal: then nothing
 *  is there, unless only the last step failed, to bring the directory to disk */
int file_upload_finish(const struct file_store *store, struct file_upload *upload,
		       const uint32_t *crc, struct file_refusal *refusal);

/** Sees to it that a later upload can go on with what is here, even if this process is killed
 *  now. To be called when no more bytes are at hand: one that comes whole in one piece, with
 *  its sum, can do without. */
void file_upload_keep(const struct file_store *store, struct file_upload *upload);

/** The upload is over for now; what is here stays. */
void file_upload_cut_off(const struct file_store *store, struct file_upload *upload);

/** Removes the parts that are older than they may be, if nobody has looked for them in the
 *  last minute. */
void file_upload_expire(const struct file_store *store);

#endif
