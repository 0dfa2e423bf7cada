/*
 * list - a list whose items are removed without a search.
 *
 * An item has two members: next, and link, which points to the pointer that points to the item,
 * the head of the list or the next of the item before. So removal is two assignments:
 *
 *      head --> a --> b --> NULL        a.link == &head, b.link == &a.next
 *
 *	struct item {
 *		struct item *next, **link;
 *	};
 *	struct item *items = NULL;
 *
 *	LIST_INSERT(&items, item);
 *	LIST_REMOVE(item);
 *
 * Macros, because an item may be of any type. An argument is evaluated more than once.
 */
#ifndef COMMON_LIST_H
#define COMMON_LIST_H

#include <stddef.h>

/** Makes @p item the first of the list at @p head, a pointer to the pointer to the first. */
#define LIST_INSERT(head, item)                                                          \
	do {                                                                             \
		(item)->next = *(head);                                                  \
		(item)->link = (head);                                                   \
		if ((item)->next != NULL)                                                \
			(item)->next->link = &(item)->next;                              \
		*(head) = (item);                                                        \
	} while (0)

/** Takes @p item out of its list. Its link is NULL then. */
#define LIST_REMOVE(item)                                                                \
	do {                                                                             \
		*(item)->link = (item)->next;                                            \
		if ((item)->next != NULL)                                                \
			(item)->next->link = (item)->link;                               \
		(item)->link = NULL;                                                     \
	} while (0)

#endif
