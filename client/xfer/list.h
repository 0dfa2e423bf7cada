/*
 * xfer_list - what is in a folder at the server, or under a name.
 *
 * Its names are a stranger's: one that could lead elsewhere, or that a terminal might obey,
 * is none.
 */
#ifndef CLIENT_XFER_LIST_H
#define CLIENT_XFER_LIST_H

#include "client/xfer/link.h"

/** More entries than so many no folder may have. And the lists of a folder and of all that it
 *  is in, which are held while one descends, may not take more than so many bytes of memory. */
enum { XFER_ENTRIES = 1000000, XFER_LIST_BYTES = 128 << 20 };

struct xfer_entry {
	char *name; /* in a folder: one part of a path, name_flaw() */
	bool is_folder;
	uint64_t size; /* of a file */
	struct timespec time;
};

struct xfer_entries {
	struct xfer_entry *list;
	size_t count;
	size_t capacity; /* this module's own; so, too: */
	size_t bytes;    /* that it and those above it take, about */
};

/** Asks for what is in the folder; "" is the uppermost. Says by itself when it has to try
 *  again. @param above  the list that the folder was found in, and which is still held, or NULL
 *  @param entries  receives it, to be freed by xfer_entries_free() where XFER_DONE is
 *  returned. @return as xfer_link_try() */
enum xfer_outcome xfer_entries_ask(struct xfer_link *link, const char *folder,
				   const struct xfer_entries *above,
				   struct xfer_entries *entries, struct failure *failure);

void xfer_entries_free(struct xfer_entries *entries);

/** Asks what there is under a name, as a part of an attempt: xfer_link_try().
 *  @return XFER_DONE with *entry, but for its name; XFER_REFUSED, XFER_LOST or XFER_CUT */
enum xfer_outcome xfer_entry_ask(struct xfer_link *link, const char *name,
				 struct xfer_entry *entry, struct failure *failure);

#endif
