/*
 * list - lists folders of the server, for xfer ls and for recursive downloads.
 *
 * A server is not trusted: the number of entries and the memory of nested lists are
 * limited, and names that could leave the target folder or contain control characters are
 * dropped.
 */
#include "client/xfer/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/xfer/path.h"
#include "client/xfer/report.h"

enum { ALLOCATION = 16 }; /* approximate overhead of malloc(3), in bytes */

/* A query and its result. */
struct question {
	const char *folder;
	const struct xfer_entries *above;
	struct xfer_entries *entries;
};

void xfer_entries_free(struct xfer_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->list[i].name);
	free(entries->list);
	*entries = (struct xfer_entries){ 0 };
}

static enum xfer_outcome out_of_memory(struct xfer_link *link, struct failure *failure)
{
	xfer_link_drop(link);
	failure_set(failure, "out of memory");
	return XFER_FAILED;
}

/* Counts @p more bytes of memory. A server can invent nested folders, each with a
 * list of the maximum length. */
static enum xfer_outcome reserve(struct xfer_link *link, struct xfer_entries *entries,
				 size_t more, struct failure *failure)
{
	entries->bytes += more;
	if (entries->bytes <= XFER_LIST_BYTES)
		return XFER_DONE;
	xfer_link_drop(link); /* the rest of the list is not read */
	failure_set(failure,
		    "the lists of this directory and those above it need more than "
		    "%d MiB of memory",
		    XFER_LIST_BYTES >> 20);
	return XFER_FAILED;
}

static enum xfer_outcome make_space(struct xfer_link *link, struct xfer_entries *entries,
				    struct failure *failure)
{
	size_t capacity = entries->capacity > 0 ? 2 * entries->capacity : 64;
	struct xfer_entry *list;
	enum xfer_outcome outcome;

	if (entries->count < entries->capacity)
		return XFER_DONE;
	outcome = reserve(link, entries, (capacity - entries->capacity) * sizeof *list,
			  failure);
	if (outcome != XFER_DONE)
		return outcome;
	list = realloc(entries->list, capacity * sizeof *list);
	if (list == NULL)
		return out_of_memory(link, failure);
	entries->list = list;
	entries->capacity = capacity;
	return XFER_DONE;
}

static enum xfer_outcome add(struct xfer_link *link, struct xfer_entries *entries,
			     const struct xfer_entry *entry, struct failure *failure)
{
	size_t size = strlen(entry->name) + 1;
	enum xfer_outcome outcome = make_space(link, entries, failure);

	if (outcome == XFER_DONE)
		outcome = reserve(link, entries, ALLOCATION + size, failure);
	if (outcome != XFER_DONE)
		return outcome;
	entries->list[entries->count] = *entry;
	entries->list[entries->count].name = strdup(entry->name);
	if (entries->list[entries->count].name == NULL)
		return out_of_memory(link, failure);
	entries->count++;
	return XFER_DONE;
}

/* Parses "F 1234 1700000000.5" or "D - 1700000000", as in a list and in STAT. */
static enum xfer_outcome take_facts(struct xfer_link *link, char *const words[],
				    struct xfer_entry *entry, struct failure *failure)
{
	enum xfer_outcome outcome = xfer_link_time(link, words[2], &entry->time, failure);

	entry->is_folder = strcmp(words[0], "D") == 0;
	if (outcome != XFER_DONE || entry->is_folder)
		return outcome;
	if (strcmp(words[0], "F") != 0)
		return xfer_link_invalid(
			link, "an entry is neither a file nor a directory", failure);
	return xfer_link_number(link, words[1], INT64_MAX, &entry->size, failure);
}

/* Parses such facts and "name". */
static enum xfer_outcome take_entry(struct xfer_link *link, struct xfer_entries *entries,
				    struct failure *failure)
{
	struct xfer_entry entry = { 0 };
	char *words[XFER_WORDS];
	enum xfer_outcome outcome = xfer_link_reply(link, "", 4, words, failure);

	if (outcome == XFER_DONE)
		outcome = take_facts(link, words, &entry, failure);
	if (outcome != XFER_DONE)
		return outcome;
	entry.name = words[3];
	if (name_flaw(entry.name) != NULL || strchr(entry.name, '/') != NULL)
		return xfer_link_invalid(link, "invalid file name in a list", failure);
	return add(link, entries, &entry, failure);
}

static enum xfer_outcome attempt_list(struct xfer_link *link, void *context,
				      struct failure *failure)
{
	const struct question *question = context;
	const char *const request[] = {
		"LIST", *question->folder != '\0' ? question->folder : NULL, NULL
	};
	char *words[XFER_WORDS];
	uint64_t count;
	enum xfer_outcome outcome = xfer_link_request(link, request, failure);

	xfer_entries_free(question->entries);
	question->entries->bytes = question->above != NULL ? question->above->bytes : 0;
	if (outcome == XFER_DONE)
		outcome = xfer_link_reply(link, "ENTRIES", 2, words, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_number(link, words[1], XFER_ENTRIES, &count, failure);
	for (; outcome == XFER_DONE && count > 0; count--)
		outcome = take_entry(link, question->entries, failure);
	return outcome;
}

enum xfer_outcome xfer_entries_ask(struct xfer_link *link, const char *folder,
				   const struct xfer_entries *above,
				   struct xfer_entries *entries, struct failure *failure)
{
	struct question question = { folder, above, entries };
	char shown[XFER_SHOWN];
	enum xfer_outcome outcome;

	*entries = (struct xfer_entries){ 0 };
	outcome = xfer_link_try(link, xfer_show(folder, shown), attempt_list, &question,
				failure);
	if (outcome != XFER_DONE)
		xfer_entries_free(entries);
	return outcome;
}

enum xfer_outcome xfer_entry_ask(struct xfer_link *link, const char *name,
				 struct xfer_entry *entry, struct failure *failure)
{
	const char *const request[] = { "STAT", name, NULL };
	char *words[XFER_WORDS];
	enum xfer_outcome outcome = xfer_link_request(link, request, failure);

	*entry = (struct xfer_entry){ 0 };
	if (outcome == XFER_DONE)
		outcome = xfer_link_reply(link, "STAT", 5, words, failure);
	return outcome == XFER_DONE ? take_facts(link, words + 1, entry, failure)
				    : outcome;
}

/* ---- xfer ls ----------------------------------------------------------------------------- */

/* Lists a name that is not a folder. */
struct single {
	const char *name;
	struct xfer_entry entry;
};

static enum xfer_outcome attempt_stat(struct xfer_link *link, void *context,
				      struct failure *failure)
{
	struct single *single = context;

	return xfer_entry_ask(link, single->name, &single->entry, failure);
}

/* A name that is not a folder may be a file. @return as xfer_link_try() with the
 * *failure of it */
static enum xfer_outcome list_file(struct xfer *xfer, const char *name,
				   struct failure *failure)
{
	struct single single = { .name = name };
	struct failure refusal = *failure;
	char shown[XFER_SHOWN];
	enum xfer_outcome outcome = xfer_link_try(xfer->link, xfer_show(name, shown),
						  attempt_stat, &single, failure);

	if (outcome == XFER_DONE)
		xfer_report_entry(xfer, name, single.entry.is_folder, single.entry.size,
				  &single.entry.time);
	else if (outcome == XFER_REFUSED)
		*failure = refusal;
	return outcome;
}

static void list_folder(struct xfer *xfer, const char *folder,
			const struct xfer_entries *above, unsigned depth)
{
	struct xfer_file file = { .name = *folder != '\0' ? folder : "/" };
	struct xfer_entries entries = { 0 };
	struct failure failure;
	enum xfer_outcome outcome;

	if (depth == XFER_DEPTH) {
		failure_set(&failure, "more than 100 nested directories");
		xfer_report_failed(xfer, &file, false, &failure);
		return;
	}
	outcome = xfer_entries_ask(xfer->link, folder, above, &entries, &failure);
	if (outcome == XFER_REFUSED && depth == 0 && *folder != '\0' &&
	    strcmp(xfer->link->code, "not-found") == 0) {
		outcome = list_file(xfer, folder, &failure);
		if (outcome == XFER_DONE)
			return;
	}
	if (outcome != XFER_DONE) {
		xfer_report_failed(xfer, &file, outcome == XFER_LOST, &failure);
		return;
	}
	for (size_t i = 0; i < entries.count && !xfer->lost; i++) {
		const struct xfer_entry *entry = &entries.list[i];
		char path[XFER_NAME];

		if (!xfer_join(path, folder, entry->name))
			continue; /* it could not be requested either */
		xfer_report_entry(xfer, path, entry->is_folder, entry->size,
				  &entry->time);
		if (entry->is_folder && xfer->settings->recursive)
			list_folder(xfer, path, &entries, depth + 1);
	}
	xfer_entries_free(&entries);
}

void xfer_list(struct xfer *xfer, const char *path)
{
	char copy[XFER_NAME];
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	if (length == 1 && *path == '.')
		length = 0;
	snprintf(copy, sizeof copy, "%.*s", (int)length, path);
	list_folder(xfer, copy, NULL, 0);
}
