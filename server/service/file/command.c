/*
 * command - finds lines in the input, and parses them.
 *
 * A line is found with memchr(3); file_line.seen remembers how far the input was
 * searched, so each byte is searched once although the unconsumed input is passed again.
 * A line is parsed by a table of verbs: each row has the number of arguments and a
 * function that reads them. A command costs a copy of its line and no allocation.
 */
#include "server/service/file/command.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "common/words.h"
#include "server/service/file/name.h"

enum { WORDS_MOST = 5, CULPRIT = 120 };

#define PUT_USAGE "usage: PUT name size mtime [nosum]"
#define GET_USAGE "usage: GET name [offset] [nosum]"

/* ---- the line ------------------------------------------------------------------------- */

enum file_line_found file_line_find(struct file_line *line, const char *bytes, size_t n)
{
	const char *newline = memchr(bytes + line->seen, '\n', n - line->seen);
	bool too_long;

	if (newline == NULL) {
		/* The longest allowed line may be followed by a CR. */
		line->skipping = line->skipping || n > FILE_LINE + 1;
		line->taken = line->skipping ? n : 0;
		line->seen = line->skipping ? 0 : n;
		return FILE_LINE_PART;
	}
	line->length = (size_t)(newline - bytes);
	line->taken = line->length + 1;
	if (line->length > 0 && newline[-1] == '\r')
		line->length--;
	too_long = line->skipping || line->length > FILE_LINE;
	line->skipping = false;
	line->seen = 0;
	return too_long ? FILE_LINE_TOO_LONG : FILE_LINE_WHOLE;
}

/* ---- parsing
 * -------------------------------------------------------------------------- */

static int bad_word(struct failure *why, const char *what, const char *word,
		    const char *reason)
{
	char text[CULPRIT];

	text_escape_quoted(word, strlen(word), text, sizeof text);
	return failure_set(why, "%s \"%s\": %s", what, text, reason);
}

static int read_name(struct file_command *command, const char *word, struct failure *why)
{
	const char *flaw = name_flaw(word);

	if (flaw != NULL)
		return bad_word(why, "name", word, flaw);
	command->name = word;
	return 0;
}

static int read_bytes(const char *what, const char *word, uint64_t *bytes,
		      struct failure *why)
{
	if (text_number(word, 0, INT64_MAX, bytes))
		return 0;
	return bad_word(why, what, word, "not a number from 0 to 9223372036854775807");
}

static size_t depth(const char *name)
{
	size_t count = 1;

	for (; *name != '\0'; name++)
		count += *name == '/';
	return count;
}

/* Reads the optional last word. */
static int read_nosum(struct file_command *command, char *const words[],
		      const char *usage, struct failure *why)
{
	if (*words == NULL)
		return 0;
	if (strcasecmp(*words, "nosum") != 0 || words[1] != NULL)
		return bad_word(why, "unexpected argument", *words, usage);
	command->without_sum = true;
	return 0;
}

static int read_put(struct file_command *command, char *const words[],
		    struct failure *why)
{
	if (read_name(command, words[0], why) < 0 ||
	    read_bytes("size", words[1], &command->size, why) < 0)
		return -1;
	if (depth(words[0]) > FILE_DEPTH)
		return bad_word(why, "name", words[0], "more than 32 path components");
	if (!text_read_timestamp(words[2], &command->modified))
		return bad_word(why, "time", words[2],
				"not a time in seconds since 1970");
	return read_nosum(command, words + 3, PUT_USAGE, why);
}

/* "nosum" may take the place of the offset: it cannot be mistaken for a number. */
static int read_get(struct file_command *command, char *const words[],
		    struct failure *why)
{
	if (read_name(command, *words++, why) < 0)
		return -1;
	if (*words != NULL && strcasecmp(*words, "nosum") != 0 &&
	    read_bytes("offset", *words++, &command->offset, why) < 0)
		return -1;
	return read_nosum(command, words, GET_USAGE, why);
}

static int read_optional_name(struct file_command *command, char *const words[],
			      struct failure *why)
{
	return words[0] != NULL ? read_name(command, words[0], why) : 0;
}

static int read_sum(struct file_command *command, char *const words[],
		    struct failure *why)
{
	uint64_t crc = 0;

	command->without_sum = strcmp(words[0], "-") == 0;
	if (!command->without_sum && !text_number(words[0], 0, UINT32_MAX, &crc))
		return bad_word(why, "sum", words[0], "not a CRC of cksum(1) or -");
	command->crc = (uint32_t)crc;
	return 0;
}

static int read_nothing(struct file_command *command, char *const words[],
			struct failure *why)
{
	(void)command;
	(void)words;
	(void)why;
	return 0;
}

static const struct verb {
	const char *word, *usage;
	enum file_verb verb;
	int least, most; /* number of arguments */
	int (*read)(struct file_command *, char *const words[], struct failure *);
} verbs[] = {
	{ "PUT", PUT_USAGE, FILE_PUT, 3, 4, read_put },
	{ "GET", GET_USAGE, FILE_GET, 1, 3, read_get },
	{ "LIST", "usage: LIST [path]", FILE_LIST, 0, 1, read_optional_name },
	{ "STAT", "usage: STAT name", FILE_STAT, 1, 1, read_optional_name },
	{ "SUM", "usage: SUM crc", FILE_SUM, 1, 1, read_sum },
	{ "HELP", "usage: HELP", FILE_HELP, 0, 0, read_nothing },
	{ "QUIT", "usage: QUIT", FILE_QUIT, 0, 0, read_nothing },
};

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcasecmp(word, verbs[i].word) == 0)
			return &verbs[i];
	return NULL;
}

int file_command_read(struct file_command *command, const char *line, size_t length,
		      struct failure *why)
{
	char *words[WORDS_MOST + 1] = { NULL };
	const struct verb *verb;
	const char *reason;
	int count;

	command->name = NULL;
	command->size = command->offset = 0;
	command->crc = 0;
	command->without_sum = false;
	memcpy(command->text, line, length);
	count = words_split(command->text, length, words, WORDS_MOST, &reason);
	if (count < 0)
		return failure_set(why, "malformed line: %s", reason);
	if (count == 0)
		return failure_set(why, "empty line (HELP lists the commands)");
	words[count] = NULL;
	verb = find_verb(words[0]);
	if (verb == NULL)
		return bad_word(why, "command", words[0],
				"unknown (HELP lists the commands)");
	command->verb = verb->verb;
	if (count - 1 < verb->least || count - 1 > verb->most)
		return failure_set(why, "%s", verb->usage);
	return verb->read(command, words + 1, why);
}
