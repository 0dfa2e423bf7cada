/*
 * network - a network that the test has for itself (Linux: a network namespace). In it there
 * is a loopback and nothing else: every port is free, nobody else's server is disturbed, and
 * its rules can be changed.
 */
#ifndef TESTS_NETWORK_H
#define TESTS_NETWORK_H

#include <stdbool.h>

/** Moves this process, and what it starts from now on, into a new network. There is no way
 *  back. @return false if that cannot be had here */
bool network_enter_own(void);

/** The same, and into @p others, new namespaces by the flags of unshare(2). */
bool network_enter_with(int others);

/** Writes @p value to a setting, such as /proc/sys/net/ipv4/ip_local_port_range; only of a
 *  network of our own. @return whether it was taken */
bool network_set(const char *path, const char *value);

#endif
