/*
 * pass - sendmsg(2) and recvmsg(2) with descriptors.
 *
 * A descriptor is only a number in one process. To give an open socket to a process that
 * exists already, the kernel must translate the number: it does so for the control data of
 * a message on a local socket. The bytes of the message are ordinary data, and at least one
 * is needed to carry the control data.
 */
#define _DEFAULT_SOURCE /* CMSG_LEN, CMSG_SPACE */
#ifdef __linux__
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#endif

#include "common/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/io.h"
#include "common/sock.h"

/* The control data, aligned for its header. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PASS_MOST * sizeof(int))];
};

int pass_open(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -1;
	io_set_close_on_exec(ends[0]);
	io_set_close_on_exec(ends[1]);
	return 0;
}

int pass_send(int socket, const void *bytes, size_t size, const int fds[], unsigned count)
{
	union control control = { 0 };
	struct iovec part = { (void *)bytes, size };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	ssize_t sent;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	do
		sent = sendmsg(socket, &message, MSG_DONTWAIT | SOCK_NO_SIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static void take_descriptors(struct msghdr *message, int fds[PASS_MOST])
{
	struct cmsghdr *header;

	for (unsigned i = 0; i < PASS_MOST; i++)
		fds[i] = -1;
	for (header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
#ifndef MSG_CMSG_CLOEXEC
	for (unsigned i = 0; i < PASS_MOST; i++)
		if (fds[i] >= 0)
			io_set_close_on_exec(fds[i]);
#endif
}

int pass_receive(int socket, void *bytes, size_t size, int fds[PASS_MOST])
{
	union control control = { 0 };
	struct iovec part = { bytes, size };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	ssize_t n;

#ifdef MSG_CMSG_CLOEXEC
	n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
#else
	n = recvmsg(socket, &message, 0);
#endif
	if (n <= 0)
		return (int)n;
	take_descriptors(&message, fds);
	if ((size_t)n == size)
		return 1;
	for (unsigned i = 0; i < PASS_MOST; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	errno = EPROTO;
	return -1;
}
