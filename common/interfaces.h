/*
 * interfaces - the addresses of this host.
 *
 * getifaddrs(3) is not in POSIX, but every system with IPv6 has it.
 */
#ifndef COMMON_INTERFACES_H
#define COMMON_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"

/** An address of an interface. */
struct interface_address {
	char name[IF_NAMESIZE]; /* name of the interface; it may contain any bytes */
	bool up;
	struct address address; /* its length is 0 if the interface has none */
};

/**
 * Lists the addresses of all interfaces, also of those that are down, sorted by name of
 * the interface, then IPv4 before IPv6, then by address. An interface without an
 * address is listed once.
 *
 * @param family  AF_UNSPEC, or AF_INET or AF_INET6 for only such addresses
 * @param list    receives an array; free(3) it
 * @param count   its length
 * @return 0, or -1 with errno
 */
int interfaces_list(int family, struct interface_address **list, size_t *count);

#endif
