/*
 * ports - a set of ports, and how one writes it: 22,80,8000-8100,http
 */
#ifndef CLIENT_PORTSCAN_PORTS_H
#define CLIENT_PORTSCAN_PORTS_H

#include <stdbool.h>

#include "common/failure.h"

enum { PORTS_NUMBERS = 65536 };

/** Which ports are in the set. All zero is the empty set. Port 0 is never in it. */
struct ports {
	bool wanted[PORTS_NUMBERS];
	unsigned count;
};

/** Puts the ports from @p first to @p last in; it does not matter if some are. */
void ports_add(struct ports *ports, unsigned first, unsigned last);

/**
 * Adds what a list names: numbers from 1 to 65535, ranges of them, and names of TCP
 * services, separated by commas. Order and repetition mean nothing.
 *
 * @return 0, or -1 with *failure, which names the item that is none; *ports then has some
 *         of the others
 */
int ports_parse(struct ports *ports, const char *list, struct failure *failure);

#endif
