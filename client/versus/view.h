/*
 * view - how an experiment is shown: its pictures, its tables, and what can be said of it.
 *
 * The page of HTML and the output in the terminal are made of the same parts.
 */
#ifndef CLIENT_VERSUS_VIEW_H
#define CLIENT_VERSUS_VIEW_H

#include <stdio.h>

#include "client/versus/chart.h"
#include "client/versus/experiment.h"
#include "client/versus/experiments.h"

/** A figure that is shown over all points. */
struct view {
	const char *name;  /* "rate" */
	const char *title; /* "Throughput" */
	const char *unit;  /* "exchanges per second" */
	enum figure figure;
	double scale; /* the figure is multiplied by it */
	bool logarithmic;
};

/** The figures that an experiment shows, the most important one first. @return their number */
unsigned view_figures(enum experiment_kind kind, const struct view **views);

/** Makes the curves of a figure. The names in it are those of the experiment. */
void view_make_chart(const struct experiment *experiment, const struct view *view,
		     struct chart *chart);

/** Returns what the experiment asks, in one or two sentences. */
const char *view_question(enum experiment_kind kind);

/** Writes what the points have in common, in one line without its end: the service, and how many
 *  clients are busy if the points do not differ in that. */
void view_write_setting(const struct experiment *experiment, FILE *out);

/** Writes what the experiment shows, a sentence a line. A sentence states a difference only if
 *  it holds in every round and is larger than the spread of both figures. */
void view_write_findings(const struct experiment *experiment, enum experiment_kind kind,
			 FILE *out);

/** Prints the experiment in at most 80 columns: tables, charts of characters, findings. */
void view_print(const struct experiment *experiment, enum experiment_kind kind,
		FILE *out);

/** Writes what a row did at a point where it did not serve all: "8 of 32 clients served", or why
 *  it failed. @return false if it served all, and nothing is written */
bool view_write_lack(const struct experiment *experiment, unsigned point, unsigned row,
		     FILE *out);

#endif
