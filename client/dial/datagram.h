/*
 * datagram - a conversation over UDP.
 */
#ifndef CLIENT_DIAL_DATAGRAM_H
#define CLIENT_DIAL_DATAGRAM_H

#include "client/lib/dial_stream.h"

/** Sends each line of standard input, each -m message, or the whole input (--whole) as one
 *  datagram, and prints the datagrams that arrive. @return the exit status */
int dial_datagram(const struct dial_settings *settings);

#endif
