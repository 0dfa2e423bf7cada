/*
 * command - the lines of the file protocol: where each ends, and what it requests.
 *
 * It knows only bytes, no file and no session. The result does not depend on how the
 * network splits a line.
 */
#ifndef SERVER_SERVICE_FILE_COMMAND_H
#define SERVER_SERVICE_FILE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/failure.h"

/** The longest line in bytes, without its end. */
enum { FILE_LINE = 8192 };

/** The most components of a name that PUT accepts, including the file itself: the
 *  server may have to create all directories of a name. */
enum { FILE_DEPTH = 32 };

/** The search for the end of a line. Zeroed is the initial state. */
struct file_line {
	size_t taken; /* bytes that can be consumed now */
	/* length of a line that was found, without its end (LF or CR LF) */
	size_t length;
	size_t seen;   /* internal: bytes known to have no LF */
	bool skipping; /* internal: the line is already too long */
};

enum file_line_found { FILE_LINE_PART, FILE_LINE_WHOLE, FILE_LINE_TOO_LONG };

/**
 * Searches for the end of a line in @p n bytes, which begin with the bytes that were
 * not consumed the last time.
 *
 * @return FILE_LINE_PART: no end yet; FILE_LINE_WHOLE: found, see line->length; or
 *         FILE_LINE_TOO_LONG, when all of a line that is too long has arrived. In each
 *         case line->taken bytes must be consumed.
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

/** What a line requests. */
struct file_command {
	enum file_verb verb;
	const char *name; /* a valid name, in text[]; NULL for LIST without a path */
	uint64_t size;    /* of PUT: bytes, at most INT64_MAX */
	struct timespec modified; /* of PUT */
	uint64_t offset;          /* of GET: at most INT64_MAX */
	bool without_sum;         /* "nosum" of PUT and GET, "-" of SUM */
	uint32_t crc;             /* of SUM */
	char text[FILE_LINE + 1]; /* internal: the line, split into words */
};

/** Parses a line of @p length bytes, at most FILE_LINE, without its end.
 *  @return 0, or -1 with *why, which quotes the faulty word */
int file_command_read(struct file_command *command, const char *line, size_t length,
		      struct failure *why);

#endif
