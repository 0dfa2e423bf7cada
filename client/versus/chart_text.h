/*
 * chart_text - a chart drawn with characters, for a terminal.
 */
#ifndef CLIENT_VERSUS_CHART_TEXT_H
#define CLIENT_VERSUS_CHART_TEXT_H

#include <stdio.h>

#include "client/versus/chart.h"

/** Draws it in at most 80 columns: a letter for each series, in lower case where not all
 *  clients were served; '+' where several meet. */
void chart_draw_text(const struct chart *chart, FILE *out);

#endif
