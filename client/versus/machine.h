/*
 * machine - where something was measured: the kernel, the processors, memory, limits.
 */
#ifndef CLIENT_VERSUS_MACHINE_H
#define CLIENT_VERSUS_MACHINE_H

#include <stdio.h>

enum { MACHINE_FACTS = 24, MACHINE_TEXT = 128 };

struct machine_fact {
	const char *name;         /* "kernel" */
	char value[MACHINE_TEXT]; /* "Linux 6.18.5 x86_64" */
};

struct machine {
	struct machine_fact facts[MACHINE_FACTS];
	unsigned count;
};

/** Reads the facts; what this system does not tell is left out. No name of the host, and no path,
 *  is among them. */
void machine_read(struct machine *machine);

/** Writes the facts as a JSON object. */
void machine_write_json(const struct machine *machine, FILE *out);

#endif
