/*
 * conditions - decides between 200, 206, 304, 412 and 416.
 *
 * The steps are in the order of RFC 9110, section 13.2.2:
 *
 *	If-Match, else If-Unmodified-Since    fails  -> 412
 *	If-None-Match, else If-Modified-Since known  -> 304
 *	If-Range, Range                              -> 206, 416, or 200
 *
 * The entity tag is made of the size and time of the file, so no file is read. The cost
 * is a search of the header for each field.
 *
 * A file that changes twice within the resolution of its time would keep its tag. So a
 * file younger than YOUNG seconds gets a weak tag, and its date proves nothing.
 */
#include "server/service/http/conditions.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The longest time in which a file can change without a new time, in seconds. FAT
 * stores times in steps of 2 seconds. */
enum { YOUNG = 2 };

/* A request and the document it is for. */
struct question {
	const struct http_request *request;
	const char *bytes;
	const struct http_document *document;
	time_t now;
	char tag[HTTP_TAG_TEXT]; /* the document's */
};

/* The part of a field value that is not read yet. */
struct value {
	const char *text, *end;
};

static bool is_young(const struct http_document *document, time_t now)
{
	return document->modified > now - YOUNG;
}

const char *http_tag(const struct http_document *document, time_t now,
		     char out[HTTP_TAG_TEXT])
{
	snprintf(out, HTTP_TAG_TEXT, "%s\"%" PRIx64 "-%" PRIx64 "-%lx\"",
		 is_young(document, now) ? "W/" : "", document->size,
		 (uint64_t)document->modified, (unsigned long)document->nanoseconds);
	return out;
}

time_t http_last_modified(const struct http_document *document, time_t now)
{
	return document->modified < now ? document->modified : now;
}

/* ---- fields ---------------------------------------------------------------------------- */

/* Finds the next field of that name; the first one if *found is zeroed. */
static bool next_value(const struct question *question, const char *name,
		       struct http_piece *found, struct value *value)
{
	if (!http_request_field(question->request, question->bytes, name, found))
		return false;
	value->text = question->bytes + found->at;
	value->end = value->text + found->length;
	return true;
}

static bool has_field(const struct question *question, const char *name)
{
	struct http_piece found = { 0 };

	return http_request_field(question->request, question->bytes, name, &found);
}

/* Finds a field that is not a list. If it appears twice, it is ignored. */
static bool only_value(const struct question *question, const char *name,
		       struct value *value)
{
	struct http_piece found = { 0 };
	struct value second;

	return next_value(question, name, &found, value) &&
	       !next_value(question, name, &found, &second);
}

static bool date_value(const struct question *question, const char *name, time_t *date)
{
	struct value value;

	return only_value(question, name, &value) &&
	       http_date_read(value.text, (size_t)(value.end - value.text), question->now,
			      date);
}

static bool take(struct value *value, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(value->end - value->text) < length ||
	    memcmp(value->text, text, length) != 0)
		return false;
	value->text += length;
	return true;
}

static void skip(struct value *value, const char *characters)
{
	while (value->text < value->end && *value->text != '\0' &&
	       strchr(characters, *value->text) != NULL)
		value->text++;
}

/* Moves to the next element of a list. Elements may be empty (RFC 9110, section
 * 5.6.1.2).
 * @return false at the end */
static bool next_element(struct value *value)
{
	skip(value, ", \t");
	return value->text < value->end;
}

/* An element must be followed by the end of the list or a comma. */
static bool at_element_end(struct value *value)
{
	skip(value, " \t");
	return value->text == value->end || *value->text == ',';
}

/* ---- entity tags (RFC 9110, section 8.8.3) ------------------------------------------------ */

struct tag {
	bool weak;
	const char *text; /* with its quotes */
	size_t length;
};

static bool take_tag(struct value *value, struct tag *tag)
{
	tag->weak = take(value, "W/");
	tag->text = value->text;
	if (!take(value, "\""))
		return false;
	for (; value->text < value->end && *value->text != '"'; value->text++) {
		unsigned char byte = (unsigned char)*value->text;

		if (byte <= ' ' || byte == 127)
			return false;
	}
	if (!take(value, "\""))
		return false;
	tag->length = (size_t)(value->text - tag->text);
	return true;
}

/* Strong comparison requires two strong tags. Weak comparison ignores strength (RFC
 * 9110, section 8.8.3.2). */
static bool is_current(const struct question *question, const struct tag *tag,
		       bool strongly)
{
	const char *current = question->tag;
	bool weak = *current == 'W';

	current += weak ? 2 : 0;
	return !(strongly && (weak || tag->weak)) && tag->length == strlen(current) &&
	       memcmp(tag->text, current, tag->length) == 0;
}

/* A malformed element ends the list. */
static bool list_has_tag(const struct question *question, struct value list,
			 bool strongly)
{
	struct tag tag;

	while (next_element(&list) && take_tag(&list, &tag) && at_element_end(&list))
		if (is_current(question, &tag, strongly))
			return true;
	return false;
}

/* Whether one of the fields of that name (If-Match or If-None-Match) contains the
 * document's tag, or is '*', which matches any. */
static bool matches(const struct question *question, const char *name, bool strongly)
{
	struct http_piece found = { 0 };
	struct value value;

	while (next_value(question, name, &found, &value))
		if ((found.length == 1 && *value.text == '*') ||
		    list_has_tag(question, value, strongly))
			return true;
	return false;
}

/* ---- preconditions (RFC 9110, section 13.2.2) --------------------------------------------- */

/* Steps 1 and 2: is the document still the version that the client expects? */
static bool fails(const struct question *question)
{
	time_t date;

	if (has_field(question, "if-match"))
		return !matches(question, "if-match", true);
	return date_value(question, "if-unmodified-since", &date) &&
	       question->document->modified > date;
}

/* Steps 3 and 4: does the client already have this version? A date does not prove that
 * for a young file, which may have changed again in the same second (section 8.8.2.2). */
static bool is_known(const struct question *question)
{
	time_t date;

	if (has_field(question, "if-none-match"))
		return matches(question, "if-none-match", false);
	return date_value(question, "if-modified-since", &date) &&
	       question->document->modified <= date &&
	       !is_young(question->document, question->now);
}

/* Step 5: is the document still the version of which the client has a part? A date
 * proves it only if it is equal and the file is not young (section 8.8.2.2). */
static bool is_range_wanted(const struct question *question)
{
	struct value value;
	struct tag tag;
	time_t date;

	if (!has_field(question, "if-range"))
		return true;
	if (date_value(question, "if-range", &date))
		return date == question->document->modified &&
		       !is_young(question->document, question->now);
	return only_value(question, "if-range", &value) && take_tag(&value, &tag) &&
	       value.text == value.end && is_current(question, &tag, true);
}

/* ---- ranges (RFC 9110, section 14) -------------------------------------------------------- */

/* "0-499": bytes 0 to 499; "500-": from byte 500 on; "-500": the last 500 bytes. */
struct range {
	bool has_first, has_last;
	uint64_t first, last;
};

/* @return whether there were digits. A number that is too large becomes the largest
 *         one, because no file is longer */
static bool take_number(struct value *value, uint64_t *number)
{
	const char *start = value->text;

	*number = 0;
	for (; value->text < value->end && *value->text >= '0' && *value->text <= '9';
	     value->text++) {
		uint64_t digit = (uint64_t)(*value->text - '0');

		*number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX
							      : *number * 10 + digit;
	}
	return value->text > start;
}

static bool take_range(struct value *value, struct range *range)
{
	range->has_first = take_number(value, &range->first);
	if (!take(value, "-"))
		return false;
	range->has_last = take_number(value, &range->last);
	if (range->has_first && range->has_last)
		return range->first <= range->last;
	return range->has_first || range->has_last;
}

/* Reads "bytes=" and one range. */
static bool take_only_range(struct value value, struct range *range)
{
	static const char unit[] = "bytes=";
	const size_t length = sizeof unit - 1;

	if ((size_t)(value.end - value.text) < length ||
	    strncasecmp(value.text, unit, length) != 0)
		return false;
	value.text += length;
	return next_element(&value) && take_range(&value, range) &&
	       at_element_end(&value) && !next_element(&value);
}

static struct http_part part_of(const struct range *range, uint64_t size)
{
	const struct http_part none = { .status = 416 };
	struct http_part part = { .status = 206 };
	uint64_t last = size - 1;

	if (!range->has_first) {
		if (range->last == 0)
			return none;
		part.length = range->last < size ? range->last : size;
		part.first = size - part.length;
		part.status =
			size > 0 ? 206
				 : 200; /* no Content-Range can describe an empty part */
		return part;
	}
	if (range->first >= size)
		return none;
	if (range->has_last && range->last < last)
		last = range->last;
	part.first = range->first;
	part.length = last - range->first + 1;
	return part;
}

struct http_part http_conditions(const struct http_request *request, const char *bytes,
				 const struct http_document *document, time_t now)
{
	struct question question = { request, bytes, document, now, "" };
	struct http_part all = { 200, 0, document->size };
	struct value value;
	struct range range;

	http_tag(document, now, question.tag);
	if (fails(&question))
		return (struct http_part){ .status = 412 };
	if (is_known(&question))
		return (struct http_part){ .status = 304 };
	if (request->method != HTTP_GET || !only_value(&question, "range", &value) ||
	    !is_range_wanted(&question) || !take_only_range(value, &range))
		return all;
	return part_of(&range, document->size);
}
