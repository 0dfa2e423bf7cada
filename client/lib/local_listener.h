/*
 * local_listener - the listening socket of a server that this program starts.
 */
#ifndef CLIENT_LIB_LOCAL_LISTENER_H
#define CLIENT_LIB_LOCAL_LISTENER_H

#include <stdbool.h>

#include "common/address.h"
#include "common/failure.h"

/**
 * Opens a listening socket at 127.0.0.1.
 *
 * @param port   "0" for any free one
 * @param taken  receives its port
 * @return the descriptor, or -1 with *failure
 */
int local_listener_open(const char *port, bool datagrams, char taken[PORT_TEXT],
			struct failure *failure);

#endif
