/*
 * state - what the result of a connect(2) tells about a port.
 *
 * The kernel reports most answers of the network as an errno of the connection. So a state and
 * its reason are found from an errno alone, without raw sockets and without root. Silence and
 * an ICMP message of a filter both mean "filtered"; the reason tells them apart.
 */
#include "client/portscan/state.h"

#include <errno.h>
#include <string.h>

const char *scan_state_name(enum scan_state state)
{
	static const char *const names[] = { "unknown", "open", "closed", "filtered" };

	return names[state];
}

/* A reset or broken connection was established before. An attempt that is not
 * established is refused. */
enum scan_state scan_state_of(int error)
{
	switch (error) {
	case 0:
	case ECONNRESET:
	case EPIPE:
		return SCAN_OPEN;
	case ECONNREFUSED:
		return SCAN_CLOSED;
	default:
		return SCAN_FILTERED;
	}
}

/* The kernel reports ICMP and ICMPv6 messages as errno (Linux: icmp_err_convert,
 * tab_unreach). */
const char *scan_reason(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return "no answer";
	case EHOSTUNREACH:
		return "host unreachable or prohibited";
	case ENETUNREACH:
		return "network unreachable or prohibited";
	case ENOPROTOOPT:
		return "protocol unreachable";
	case EACCES:
		return "prohibited";
	case EPERM:
		return "prohibited by this host";
#ifdef EHOSTDOWN
	case EHOSTDOWN:
		return "host unknown";
#endif
#ifdef ENONET
	case ENONET:
		return "host isolated";
#endif
	default:
		return strerror(error);
	}
}
