/*
 * command - the lines of the file protocol: where each ends, and what it asks for.
 *
 * It knows bytes and nothing else: no file, no session. What a line means is the same
 * wherever the network has cut it.
 */
#ifndef SERVER_SERVICE_FILE_COMMAND_H
#define SERVER_SERVICE_FILE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/failure.h"

/** The most bytes of a line, without its end. */
enum { FILE_LINE = 8192 };

/** The most parts of a name that PUT takes, with the file's own: as many directories less one
 *  may have to be made. */
enum { FILE_DEPTH = 32 };

/** A line that is being looked for. Zeroed is how the first one begins. */
struct file_line {
	size_t taken;  /* so many bytes can be consumed now */
	size_t length; /* of a line that was found, without its end: LF, or CR LF */
	size_t seen;   /* its own: bytes in which there is no end */
	bool skipping; /* its own: it is too long already */
};

enum file_line_found { FILE_LINE_PART, FILE_LINE_WHOLE, FILE_LINE_TOO_LONG };

/**
 * Looks for the end of a line in @p n bytes, which begin with those that were not consumed
 * the last time.
 *
 * @return FILE_LINE_PART: there is none yet; FILE_LINE_WHOLE, with line->length; or
 *         FILE_LINE_TOO_LONG, when all of it has come. In each case line->taken bytes are
 *         done with.
 */
enum file_line_found file_line_find(struct file_line *line, const char *bytes, size_t n);

enum file_verb {
	FILE_PUT,
	FILE_GET,
	FILE_LIST,
	FILE_STAT,
	FILE_SUM,
	FILE_HELP,
	FILE_QUIT,
};

/** What a line asks for. */
struct file_command {
	enum file_verb verb;
	const char *name; /* a valid one, in text[]; NULL of LIST without a path */
	uint64_t size;    /* of PUT: bytes, at most INT64_MAX */
	struct timespec modified; /* of PUT */
	uint64_t offset;          /* of GET: at most INT64_MAX */
	bool without_sum;         /* "nosum" of PUT and GET, "-" of SUM */
	uint32_t crc;             /* of SUM */
	char text[FILE_LINE + 1]; /* its own: the line in words */
};

/** Reads a line of @p length bytes, FILE_LINE at most, without its end.
 *  @return 0, or -1 with *why, which names the culprit */
int file_command_read(struct file_command *command, const char *line, size_t length,
		      struct failure *why);

#endif
