/*
 * repeat - ping over UDP: loss and round-trip times of one repeated datagram.
 */
#ifndef CLIENT_DIAL_REPEAT_H
#define CLIENT_DIAL_REPEAT_H

#include "client/lib/dial_stream.h"

/** Sends the same datagram at an interval, and reports loss and round-trip times.
 *  @return the exit status */
int dial_repeat(const struct dial_settings *settings);

#endif
