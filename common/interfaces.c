/*
 * interfaces - lists the addresses of this host, by getifaddrs(3).
 *
 * getifaddrs(3) returns several entries per interface, one of them for the link layer. They
 * are sorted, and an entry without an address stays only if its interface has no other.
 */
#define _DEFAULT_SOURCE /* getifaddrs, IFF_UP */

#include "common/interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

/* getifaddrs(3) also lists each interface in its own family (AF_PACKET, AF_LINK).
 * That entry has no IP address, but shows that the interface exists. */
static void set_entry(struct interface_address *entry, const struct ifaddrs *from,
		      int family)
{
	const struct sockaddr *address = from->ifa_addr;
	int found = address != NULL ? address->sa_family : AF_UNSPEC;

	memset(entry, 0, sizeof *entry);
	strncpy(entry->name, from->ifa_name, sizeof entry->name - 1);
	entry->up = (from->ifa_flags & IFF_UP) != 0;
	if (family != AF_UNSPEC && family != found)
		return;
	if (found == AF_INET)
		address_set(&entry->address, address, sizeof(struct sockaddr_in));
	else if (found == AF_INET6)
		address_set(&entry->address, address, sizeof(struct sockaddr_in6));
}

/* Entries without an address sort after the others of the same interface. */
static int compare_entries(const void *one, const void *other)
{
	const struct interface_address *a = one, *b = other;
	int order = strcmp(a->name, b->name);

	if (order != 0)
		return order;
	if (a->address.length == 0 || b->address.length == 0)
		return (a->address.length == 0) - (b->address.length == 0);
	return address_compare_host(&a->address, &b->address);
}

/* Drops entries that add nothing to the one before. @return the number that is left */
static size_t drop_empty(struct interface_address *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i].address.length > 0 || kept == 0 ||
		    strcmp(list[i].name, list[kept - 1].name) != 0)
			list[kept++] = list[i];
	return kept;
}

int interfaces_list(int family, struct interface_address **list, size_t *count)
{
	struct ifaddrs *all, *each;

	*list = NULL;
	*count = 0;
	if (getifaddrs(&all) < 0)
		return -1;
	for (each = all; each != NULL; each = each->ifa_next)
		++*count;
	*list = calloc(*count + 1, sizeof **list);
	if (*list == NULL) {
		freeifaddrs(all);
		errno = ENOMEM;
		return -1;
	}
	*count = 0;
	for (each = all; each != NULL; each = each->ifa_next)
		set_entry(&(*list)[(*count)++], each, family);
	freeifaddrs(all);
	qsort(*list, *count, sizeof **list, compare_entries);
	*count = drop_empty(*list, *count);
	return 0;
}
