/*
 * xfer_list - the entries of a folder on the server, or the facts about one name.
 *
 * Names are untrusted. A name that could lead out of the folder, or that contains
 * control characters, is dropped.
 */
#ifndef CLIENT_XFER_LIST_H
#define CLIENT_XFER_LIST_H

#include "client/xfer/link.h"

/** Limits: entries of a folder; and bytes of memory for the lists of a folder and of
 *  all folders above it, which are kept during the descent. */
enum { XFER_ENTRIES = 1000000, XFER_LIST_BYTES = 128 << 20 };

struct xfer_entry {
	char *name; /* in a folder: one component of a path, name_flaw() */
	bool is_folder;
	uint64_t size; /* of a file */
	struct timespec time;
};

struct xfer_entries {
	struct xfer_entry *list;
	size_t count;
	size_t capacity; /* private to this module, as: */
	size_t bytes;    /* approximate memory of this list and of those above it */
};

/** Requests the entries of a folder; "" is the root. Reports retries to the user.
 *  @param above  the list that contains the folder, which is still allocated, or NULL
 *  @param entries  receives the entries; free them with xfer_entries_free() after
 *  XFER_DONE
 *  @return as xfer_link_try() */
enum xfer_outcome xfer_entries_ask(struct xfer_link *link, const char *folder,
				   const struct xfer_entries *above,
				   struct xfer_entries *entries, struct failure *failure);

void xfer_entries_free(struct xfer_entries *entries);

/** Requests the facts about a name, within an attempt of xfer_link_try().
 *  @return XFER_DONE with *entry, except its name; XFER_REFUSED, XFER_LOST or
 *  XFER_CUT */
enum xfer_outcome xfer_entry_ask(struct xfer_link *link, const char *name,
				 struct xfer_entry *entry, struct failure *failure);

#endif
