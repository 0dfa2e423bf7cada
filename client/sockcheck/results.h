/*
 * results - the verdicts of a run, and how they are written.
 */
#ifndef CLIENT_SOCKCHECK_RESULTS_H
#define CLIENT_SOCKCHECK_RESULTS_H

#include <stdbool.h>
#include <stdio.h>

#include "client/sockcheck/checks.h"

enum { RESULTS_MOST = 64 };

struct result {
	const struct check_kind *kind;
	bool made; /* the check was made */
	enum check_verdict verdict;
	bool unjudged;  /* skipped, because the server has failed before */
	bool not_tried; /* skipped, because the server does not answer */
	char evidence[CHECK_EVIDENCE];
};

struct results {
	struct result list[RESULTS_MOST];
	size_t count;
	bool named;                   /* by --only: then each must be made */
	char trouble[CHECK_EVIDENCE]; /* why no check could be made; "": they were made */
	double seconds;
};

enum results_format { RESULTS_TEXT, RESULTS_TAP, RESULTS_JSON, RESULTS_GRADESCOPE };

/** How much the text says. */
enum results_level { RESULTS_FAILURES, RESULTS_ALL, RESULTS_REASONS };

/** Ends a run: a check that was not made has not passed. */
void results_finish(struct results *results);

/** Writes all results. */
void results_write(const struct results *results, enum results_format format,
		   enum results_level level, FILE *out);

/** Whether all checks have passed. One that was skipped counts as passed, unless it was named, or
 *  could not be judged. */
bool results_all_pass(const struct results *results);

/** Writes the list of all checks, or all about one. */
void results_list(FILE *out);
void results_explain(const struct check_kind *kind, FILE *out);

#endif
