#ifdef __linux__
#define _GNU_SOURCE /* unshare, struct ifreq */
#endif

#include "tests/network.h"

#ifdef __linux__

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool network_set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return done;
}

/* In a new user namespace one has the privilege to make a network; who we are stays. */
static bool enter_as_user(int namespaces)
{
	long user = (long)geteuid(), group = (long)getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER | namespaces) < 0)
		return false;
	snprintf(map, sizeof map, "%ld %ld 1", user, user);
	if (!network_set("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof map, "%ld %ld 1", group, group);
	return network_set("/proc/self/setgroups", "deny") &&
	       network_set("/proc/self/gid_map", map);
}

bool network_enter_with(int others)
{
	struct ifreq loopback = { .ifr_name = "lo" };
	int fd, done, namespaces = CLONE_NEWNET | others;

	if (unshare(namespaces) < 0 && !enter_as_user(namespaces))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	loopback.ifr_flags = IFF_UP | IFF_RUNNING;
	done = fd >= 0 ? ioctl(fd, SIOCSIFFLAGS, &loopback) : -1;
	if (fd >= 0)
		close(fd);
	return done == 0;
}

#else

bool network_enter_with(int others)
{
	(void)others;
	return false;
}

bool network_set(const char *path, const char *value)
{
	(void)path;
	(void)value;
	return false;
}

#endif

bool network_enter_own(void)
{
	return network_enter_with(0);
}
