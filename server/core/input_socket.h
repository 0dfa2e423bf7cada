/*
 * input_socket - the socket that a super-server such as inetd(8) gives a server as
 * standard input: an accepted client, or a datagram socket.
 */
#ifndef SERVER_CORE_INPUT_SOCKET_H
#define SERVER_CORE_INPUT_SOCKET_H

#include <stdbool.h>

#include "common/address.h"
#include "common/failure.h"
#include "common/listeners.h"

/** Whether a super-server has started this process: standard input is a socket that has an
 *  address, and no sockets are passed by LISTEN_FDS. */
bool input_socket_is_given(void);

/**
 * Ensures that no message reaches the client. If standard error is the same socket as
 * standard input, messages go to syslog(3) from now on. Standard output and standard error
 * become /dev/null if they are this socket.
 *
 * @return 0, or -1 with *failure
 */
int input_socket_keep_private(struct failure *failure);

/**
 * Checks that standard input is a socket that this server can serve.
 *
 * @param type       SOCK_STREAM: a client; SOCK_DGRAM: the socket on which datagrams arrive
 * @param listeners  receives the datagram socket; empty for a client
 * @return 0, or -1 with *failure, which says how to start the server
 */
int input_socket_take(int type, struct listeners *listeners, struct failure *failure);

/**
 * The address of the client. It comes from the socket. If the socket does not know it, or
 * is a local one, it comes from the variables TCPREMOTEIP and TCPREMOTEPORT, which
 * tcpserver(1) and tcpsvd(8) set. Invalid values of these are ignored.
 *
 * @param peer  is zero (AF_UNSPEC) if the address is unknown
 */
void input_socket_peer(struct address *peer);

#endif
