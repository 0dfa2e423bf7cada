/*
 * compare - the figures of two runs of versus: what has changed, and whether that may be chance.
 */
#ifndef CLIENT_VERSUS_COMPARE_H
#define CLIENT_VERSUS_COMPARE_H

#include <stddef.h>
#include <stdio.h>

#include "common/failure.h"
#include "common/json_read.h"

/** What a file of --json has: it depends on what was run. */
enum compare_kind { COMPARE_LOADS, COMPARE_EXPERIMENTS };

/** The most results of a run that are compared. */
enum { COMPARE_RESULTS = 10000 };

/** The figures of a server under a load, or at a point of an experiment. */
struct compare_result {
	const char *group, *server; /* the load or the experiment; UTF-8, not checked for
				     * control characters */
	const char *x_name;         /* of an experiment; otherwise NULL */
	double x;                   /* the point; 0 for a load */
	const struct json_value *figures; /* an object */
};

/** A run. It is private, but for the name. */
struct compare_run {
	const char *name; /* of the file; for messages and sentences */
	enum compare_kind kind;
	struct json_tree tree;
	struct compare_result *results;
	size_t count;
};

/**
 * Takes the figures of a run from @p length bytes of JSON, which comparison_write_json() or
 * experiments_write_json() has written.
 *
 * @param name  of the file; must live as long as @p run
 * @return 0, or -1 with *failure, which begins with the name: the text is not JSON, not of
 * versus, or has too many results. After 0, compare_end() frees the run.
 */
int compare_take(struct compare_run *run, const char *name, const char *text,
		 size_t length, struct failure *failure);

/** Reads a file, and takes its figures. @return as compare_take(); also -1 if the file cannot be
 *  read, is longer than JSON_BYTES, or has the figures of something else than @p kind */
int compare_read(struct compare_run *run, const char *name, enum compare_kind kind,
		 struct failure *failure);

/** The points of an experiment: each value of x once, ascending, at most @p most of them.
 *  @return their number; 0: the run has no such experiment */
unsigned compare_points(const struct compare_run *run, const char *experiment,
			double *points, unsigned most);

/**
 * Prints how the figures have changed between two runs of the same kind, in at most 80
 * columns, after an empty line: a table of the throughput; tables of the latency, CPU time and memory where they
 * have changed clearly (summary_is_clear()); and sentences about both.
 *
 * @return 0, or -1 with *failure: the runs have no result in common, and nothing is printed
 */
int compare_print(const struct compare_run *old, const struct compare_run *new, FILE *out,
		  struct failure *failure);

/** Frees a run. A zeroed one has nothing to free. */
void compare_end(struct compare_run *run);

#endif
