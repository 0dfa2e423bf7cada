/*
 * Fuzzes the lines of the file protocol. The input is what a client sends on one connection,
 * all of it taken for lines: it is read whole, and then again and again in pieces, and must
 * come to the same each time. And a name that is read is the one that was written.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/words.h"
#include "server/service/file/command.h"
#include "server/service/file/name.h"

enum { SHORT = 512, RECORD = 1 << 20, EVENT = 2 * FILE_LINE };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* What the lines were read as, one after the other. */
struct record {
	size_t length;
	char text[RECORD];
};

static void give_up(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Read again from how it would be written, a name must be the same; and its part's name must
 * be one that a directory can have. */
static void check_name(const char *name)
{
	char quoted[WORDS_QUOTED(FILE_LINE)], part[FILE_PART_NAME], *word;
	size_t length = words_quote(name, quoted);
	const char *reason;

	if (name_flaw(name) != NULL)
		give_up("a name with a flaw was read");
	if (words_split(quoted, length, &word, 1, &reason) != 1 ||
	    strcmp(word, name) != 0)
		give_up("a name is not read as it is written");
	file_name_of_part(name, FILE_PART, part);
	if (strlen(part) >= sizeof part || strchr(part, '/') != NULL)
		give_up("the part of a file has no name");
}

static void note(struct record *record, const char *event)
{
	size_t n = strlen(event);

	if (n + 2 > RECORD - record->length)
		return;
	memcpy(record->text + record->length, event, n);
	record->length += n;
	record->text[record->length++] = '\n';
}

static void note_line(struct record *record, const char *line, size_t length)
{
	static struct file_command command;
	static char event[EVENT];
	struct failure why;
	char time[TEXT_TIMESTAMP];

	if (file_command_read(&command, line, length, &why) < 0) {
		note(record, why.text);
		return;
	}
	if (command.name != NULL)
		check_name(command.name);
	snprintf(event, sizeof event, "%d %s %" PRIu64 " %" PRIu64 " %d %" PRIu32 " %s",
		 (int)command.verb, command.name != NULL ? command.name : "-",
		 command.size, command.offset, command.without_sum, command.crc,
		 command.verb == FILE_PUT ? text_timestamp(command.modified, time) : "");
	note(record, event);
}

/* @return how many bytes are done with */
static size_t offer(struct record *record, struct file_line *line, const char *bytes,
		    size_t n)
{
	size_t used = 0;

	while (used < n) {
		enum file_line_found found = file_line_find(line, bytes + used, n - used);

		if (line->taken > n - used)
			give_up("more was taken than there was");
		if (found == FILE_LINE_WHOLE)
			note_line(record, bytes + used, line->length);
		else if (found == FILE_LINE_TOO_LONG)
			note(record, "too long");
		used += line->taken;
		if (found == FILE_LINE_PART)
			break;
	}
	return used;
}

/* The pieces are of @p size bytes, or, where it is 0, of as many as the bytes say themselves:
 * so the fuzzer can look for the places. The first is of @p first bytes. */
static void read_in_pieces(struct record *record, const char *bytes, size_t n,
			   size_t first, size_t size)
{
	struct file_line line = { 0 };
	size_t used = 0, end = first;

	record->length = 0;
	while (used < n || end < n) {
		end = end < n ? end : n;
		used += offer(record, &line, bytes + used, end - used);
		if (end == n)
			break;
		end += size > 0 ? size : (unsigned char)bytes[end] % 32u + 1;
	}
}

static void expect_same(const struct record *whole, const char *bytes, size_t n,
			size_t first, size_t size)
{
	static struct record pieces;

	read_in_pieces(&pieces, bytes, n, first, size);
	if (pieces.length != whole->length ||
	    memcmp(pieces.text, whole->text, whole->length) != 0)
		give_up("in pieces it is read as something else");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	static struct record whole;
	const char *bytes = (const char *)input;

	read_in_pieces(&whole, bytes, n, n, n);
	expect_same(&whole, bytes, n, 1, 0);
	for (size_t place = 1; place < n && n <= SHORT; place++)
		expect_same(&whole, bytes, n, place, n);
	if (n <= SHORT)
		expect_same(&whole, bytes, n, 1, 1);
	return 0;
}
