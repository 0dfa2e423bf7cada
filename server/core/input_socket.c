/*
 * input_socket - recognizes the socket of a super-server on standard input.
 *
 * The super-servers differ. inetd and xinetd give the socket as descriptors 0, 1 and 2;
 * tcpserver, tcpsvd and systemd-socket-activate as 0 and 1. So a message on standard error
 * could be sent to the client. It goes to the system log instead.
 */
#include "server/core/input_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/message.h"
#include "common/text.h"

/* A socketpair(2) has no address: some programs (ssh, node) use one instead of a pipe. */
bool input_socket_is_given(void)
{
	struct local_address name;
	struct address local;

	if (address_local(STDIN_FILENO, &local) < 0 || listeners_are_passed())
		return false;
	return local.any.sa_family != AF_UNIX ||
	       (local_address_of(STDIN_FILENO, &name) == 0 &&
		!local_address_is_unnamed(&name));
}

static bool is_input_socket(int fd)
{
	struct stat input, other;

	return fstat(STDIN_FILENO, &input) == 0 && S_ISSOCK(input.st_mode) &&
	       fstat(fd, &other) == 0 && input.st_dev == other.st_dev &&
	       input.st_ino == other.st_ino;
}

static int replace_by_null(int fd)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, fd) < 0)
		return -1;
	close(null);
	return 0;
}

int input_socket_keep_private(struct failure *failure)
{
	bool errors = is_input_socket(STDERR_FILENO);

	if (errors)
		message_to_system_log();
	if ((errors && replace_by_null(STDERR_FILENO) < 0) ||
	    (is_input_socket(STDOUT_FILENO) && replace_by_null(STDOUT_FILENO) < 0))
		return failure_set(failure, "cannot open /dev/null: %s", strerror(errno));
	return 0;
}

static bool socket_has(int option, int value)
{
	int actual = 0;
	socklen_t length = sizeof actual;

	return getsockopt(STDIN_FILENO, SOL_SOCKET, option, &actual, &length) == 0 &&
	       actual == value;
}

/* @return NULL if standard input is right */
static const char *what_is_wrong(int type)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0 || !S_ISSOCK(status.st_mode))
		return listeners_are_passed()
			       ? "the socket of LISTEN_FDS is not served: give it as "
				 "standard input (systemd: Accept=yes, "
				 "StandardInput=socket), or start another model"
			       : "standard input is not a socket: inetd, xinetd, "
				 "tcpserver, tcpsvd or systemd must start this server, "
				 "for one client (see sockways(7))";
	if (type == SOCK_STREAM && socket_has(SO_ACCEPTCONN, 1))
		return "standard input is a listening socket: the client itself is "
		       "needed (inetd: nowait; systemd: Accept=yes)";
	if (type == SOCK_STREAM && socket_has(SO_TYPE, SOCK_DGRAM))
		return "standard input is a datagram socket, which needs -u";
	if (type == SOCK_STREAM && !socket_has(SO_TYPE, SOCK_STREAM))
		return "standard input is not a stream socket";
	if (type == SOCK_DGRAM && !socket_has(SO_TYPE, SOCK_DGRAM))
		return "standard input is not a datagram socket: -u needs one (inetd: "
		       "dgram, wait)";
	return NULL;
}

int input_socket_take(int type, struct listeners *listeners, struct failure *failure)
{
	const char *wrong = what_is_wrong(type);

	if (wrong != NULL)
		return failure_set(failure, "%s", wrong);
	listeners->fds[0] = STDIN_FILENO;
	listeners->count = type == SOCK_DGRAM ? 1 : 0;
	return 0;
}

/* The variables of ucspi-tcp, such as TCPREMOTEIP=127.0.0.1 and TCPREMOTEPORT=53412. */
static bool peer_of_environment(struct address *peer)
{
	const char *host = getenv("TCPREMOTEIP"), *port = getenv("TCPREMOTEPORT");
	uint64_t number = 0;

	if (host == NULL || address_parse(host, peer) < 0)
		return false;
	if (port != NULL && text_number(port, 0, UINT16_MAX, &number))
		address_set_port(peer, (unsigned)number);
	return true;
}

void input_socket_peer(struct address *peer)
{
	struct address stated;
	bool known = address_peer(STDIN_FILENO, peer) == 0;

	if (known && peer->any.sa_family != AF_UNIX)
		return;
	if (peer_of_environment(&stated))
		*peer = stated;
	else if (!known)
		memset(peer, 0, sizeof *peer);
}
