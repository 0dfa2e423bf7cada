/*
 * network - a network that the test has for itself (Linux: a network namespace). In it there
 * is a loopback and nothing else, or a wire to a second one: every port is free, nobody
 * else's server is disturbed, and its rules can be changed.
 */
#ifndef TESTS_NETWORK_H
#define TESTS_NETWORK_H

#include <stdbool.h>

/** Moves this process, and what it starts from now on, into a new network. There is no way
 *  back. @return false if that cannot be had here */
bool network_enter_own(void);

/** The same, and into @p others, new namespaces by the flags of unshare(2). */
bool network_enter_with(int others);

/** Moves this process, and what it starts from now on, into a new mount namespace, where @p path
 *  is a disk of its own of that @p size ("4m", see tmpfs(5)). @return false if that cannot be
 *  had here */
bool network_enter_with_disk(const char *path, const char *size);

/** Writes @p value to a setting, such as /proc/sys/net/ipv4/ip_local_port_range; only of a
 *  network of our own. @return whether it was taken */
bool network_set(const char *path, const char *value);

/** Two networks and a wire between them: in each the interface "wire" is up, has an IPv4
 *  address, 10.9.0.1 or 10.9.0.2 of 24 bits, and a link-local IPv6 address, where there is
 *  IPv6. Both descriptors are for network_enter(). */
struct network_wire {
	int here;  /* 10.9.0.1 */
	int there; /* 10.9.0.2 */
	bool ipv6;
};

/** Makes such a pair, and moves this process into wire->here. @return false if that cannot be
 *  had here */
bool network_enter_wire(struct network_wire *wire);

/** Moves this process into another network. Its sockets stay in the one in which they were
 *  made. @return whether it did */
bool network_enter(int network);

#endif
