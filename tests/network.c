#ifdef __linux__
#define _GNU_SOURCE /* unshare, struct ifreq */
#endif

#include "tests/network.h"

#ifdef __linux__

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/waiting.h"

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

/* All later tests would be in there, too, if they were in one process. */
static bool is_process_of_its_own(void)
{
	const char *fork_mode = getenv("CK_FORK");

	return fork_mode == NULL || strcmp(fork_mode, "no") != 0;
}

bool network_enter_with_disk(const char *path, const char *size)
{
	char options[32];

	snprintf(options, sizeof options, "size=%s", size);
	return is_process_of_its_own() && network_enter_with(CLONE_NEWNS) &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

/* ---- two networks and a wire --------------------------------------------------------------- */

static const char wire_name[] = "wire";

/* A message to the kernel (rtnetlink(7)): its attributes follow each other. */
struct link_request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[256];
};

static struct rtattr *add(struct link_request *request, unsigned short type,
			  const void *value, size_t length)
{
	char *end = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(void *)end;

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(length);
	if (length > 0)
		memcpy(RTA_DATA(attribute), value, length);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) +
				    (unsigned)RTA_ALIGN(attribute->rta_len);
	return attribute;
}

/* What was added since is inside of it. */
static void end_nest(struct link_request *request, struct rtattr *nest)
{
	char *end = (char *)request + request->header.nlmsg_len;

	nest->rta_len = (unsigned short)(end - (char *)nest);
}

/* Asks the kernel. @return whether it agreed */
static bool ask_kernel(const struct link_request *request)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char more[512];
	} reply;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool done = fd >= 0 && send(fd, request, request->header.nlmsg_len, 0) >= 0 &&
		    recv(fd, &reply, sizeof reply, 0) >= (ssize_t)sizeof reply.header &&
		    reply.header.nlmsg_type == NLMSG_ERROR && reply.error.error == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

/* A pair of interfaces (veth(4)): one here, the other in that network. */
static bool make_pair(int network)
{
	struct ifinfomsg peer = { .ifi_family = AF_UNSPEC };
	struct link_request request = {
		.header.nlmsg_len = NLMSG_LENGTH(sizeof request.link),
		.header.nlmsg_type = RTM_NEWLINK,
		.header.nlmsg_flags =
			NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
	};
	struct rtattr *info, *data, *other;

	add(&request, IFLA_IFNAME, wire_name, sizeof wire_name);
	info = add(&request, IFLA_LINKINFO, NULL, 0);
	add(&request, IFLA_INFO_KIND, "veth", 4);
	data = add(&request, IFLA_INFO_DATA, NULL, 0);
	other = add(&request, VETH_INFO_PEER, &peer, sizeof peer);
	add(&request, IFLA_IFNAME, wire_name, sizeof wire_name);
	add(&request, IFLA_NET_NS_FD, &network, sizeof network);
	end_nest(&request, other);
	end_nest(&request, data);
	end_nest(&request, info);
	return ask_kernel(&request);
}

/* Gives the interface its address, and brings it up. */
static bool set_up(const char *address)
{
	struct ifreq interface = { .ifr_flags = 0 };
	struct sockaddr_in value = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	strcpy(interface.ifr_name, wire_name);
	inet_pton(AF_INET, address, &value.sin_addr);
	memcpy(&interface.ifr_addr, &value, sizeof value);
	done = fd >= 0 && ioctl(fd, SIOCSIFADDR, &interface) == 0;
	value.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&interface.ifr_netmask, &value, sizeof value);
	done = done && ioctl(fd, SIOCSIFNETMASK, &interface) == 0;
	value.sin_addr.s_addr = inet_addr("10.9.0.255");
	memcpy(&interface.ifr_broadaddr, &value, sizeof value);
	done = done && ioctl(fd, SIOCSIFBRDADDR, &interface) == 0;
	interface.ifr_flags = IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST;
	done = done && ioctl(fd, SIOCSIFFLAGS, &interface) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

static bool can_bind(const struct sockaddr *address)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool bound = fd >= 0 && bind(fd, address, sizeof(struct sockaddr_in6)) == 0;

	if (fd >= 0)
		close(fd);
	return bound;
}

/* The kernel gives the interface an IPv6 address by itself, after a moment. */
static bool has_link_local(void *context)
{
	struct ifaddrs *all, *one;
	bool found = false;

	(void)context;
	if (getifaddrs(&all) < 0)
		return false;
	for (one = all; one != NULL && !found; one = one->ifa_next)
		found = one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET6 &&
			strcmp(one->ifa_name, wire_name) == 0 && can_bind(one->ifa_addr);
	freeifaddrs(all);
	return found;
}

static int this_network(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* Without accept_dad an address waits for a second for others who might have it, too. */
static bool does_not_wait(void)
{
	return network_set("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
}

bool network_enter(int network)
{
	return setns(network, CLONE_NEWNET) == 0;
}

bool network_enter_wire(struct network_wire *wire)
{
	if (!network_enter_own())
		return false;
	wire->here = this_network();
	wire->ipv6 = does_not_wait();
	if (!network_enter_own())
		return false;
	wire->there = this_network();
	wire->ipv6 = does_not_wait() && wire->ipv6;
	if (!make_pair(wire->here) || !set_up("10.9.0.2") || !network_enter(wire->here) ||
	    !set_up("10.9.0.1"))
		return false;
	if (wire->ipv6)
		wire->ipv6 = eventually(has_link_local, NULL, PATIENCE) &&
			     network_enter(wire->there) &&
			     eventually(has_link_local, NULL, PATIENCE);
	return network_enter(wire->here);
}

#else

bool network_enter_with(int others)
{
	(void)others;
	return false;
}

bool network_enter_with_disk(const char *path, const char *size)
{
	(void)path;
	(void)size;
	return false;
}

bool network_enter_wire(struct network_wire *wire)
{
	(void)wire;
	return false;
}

bool network_enter(int network)
{
	(void)network;
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
