/*
 * report - prints the results of a load: as text, or as one JSON object.
 */
#ifndef CLIENT_LOADGEN_REPORT_H
#define CLIENT_LOADGEN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/load/load.h"

/** What the report says besides the results. */
struct report {
	const struct load_plan *plan; /* that was run */
	const char *load;             /* the name of the load, as the user gave it */
	bool histogram;               /* print the distribution of the latency, too */
	int64_t work; /* CPU time of a request in microseconds; 0: unknown */
};

/** What a load counts: "exchanges" or "deliveries". */
const char *report_unit(const struct load_plan *plan);

/** Whether the server has done all that was requested: the exit status is then 0. */
bool report_is_good(const struct report *report, const struct load_result *result);

/** Prints the lines that loadgen(1) describes on standard output. */
void report_print_text(const struct report *report, const struct load_result *result);

/** Prints one JSON object, in one line, on standard output. */
void report_print_json(const struct report *report, const struct load_result *result);

#endif
