/*
 * ports - a set of ports, and its text form: 22,80,8000-8100,http
 */
#ifndef CLIENT_PORTSCAN_PORTS_H
#define CLIENT_PORTSCAN_PORTS_H

#include <stdbool.h>

#include "common/failure.h"

enum { PORTS_NUMBERS = 65536 };

/** The ports of the set. Zeroed, it is empty. Port 0 is never in it. */
struct ports {
	bool wanted[PORTS_NUMBERS];
	unsigned count;
};

/** Adds the ports from @p first to @p last. Ports that are in the set already are
 *  ignored. */
void ports_add(struct ports *ports, unsigned first, unsigned last);

/**
 * Adds the ports of a list: numbers from 1 to 65535, ranges, and names of TCP services,
 * separated by commas. Order and repetition do not matter.
 *
 * @return 0, or -1 with *failure, which names the wrong item; *ports may then contain
 * the items before it
 */
int ports_parse(struct ports *ports, const char *list, struct failure *failure);

#endif
