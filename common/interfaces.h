/*
 * interfaces - what addresses this host has itself.
 *
 * getifaddrs(3) tells, which POSIX lacks, but every system with IPv6 has.
 */
#ifndef COMMON_INTERFACES_H
#define COMMON_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"

/** An address of an interface. */
struct interface_address {
	char name[IF_NAMESIZE]; /* of the interface; root may have chosen odd bytes */
	bool up;
	struct address address; /* its length is 0 if the interface has none */
};

/**
 * Lists the addresses of all interfaces, those that are down included, by name of the
 * interface, then IPv4 before IPv6, then by address. An interface that has no address
 * is there once.
 *
 * @param family  AF_UNSPEC, or only addresses of AF_INET or AF_INET6
 * @param list    receives an array; free(3) it
 * @param count   its length
 * @return 0, or -1 with errno
 */
int interfaces_list(int family, struct interface_address **list, size_t *count);

#endif
