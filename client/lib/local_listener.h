/*
 * local_listener - the listening socket of a server that this program starts.
 */
#ifndef CLIENT_LIB_LOCAL_LISTENER_H
#define CLIENT_LIB_LOCAL_LISTENER_H

#include <stdbool.h>

#include "common/address.h"
#include "common/failure.h"
#include "common/socket_file.h"

/**
 * Opens a listening socket at 127.0.0.1.
 *
 * @param port   "0" for any free one
 * @param taken  receives its port
 * @return the descriptor, or -1 with *failure
 */
int local_listener_open(const char *port, bool datagrams, char taken[PORT_TEXT],
			struct failure *failure);

/** Writes a name that no other socket has: the path of a file that is not there yet, in the
 *  directory of TMPDIR or in /tmp. @return 0, or -1 with *failure */
int local_listener_path(char name[HOST_TEXT], struct failure *failure);

/**
 * Opens a listening UNIX-domain socket, or one for datagrams: on Linux with an abstract name, elsewhere
 * with a file.
 *
 * @param name  receives its name
 * @param file  receives the file, for socket_file_remove()
 * @return the descriptor, or -1 with *failure
 */
int local_listener_open_unix(bool datagrams, char name[HOST_TEXT],
			     struct socket_file *file, struct failure *failure);

#endif
