/*
 * report - HTML without a library, a script or a request to the network.
 *
 * Each picture has its figures in a table below it, for those who do not see it and those who want
 * the numbers. The page is light or dark as the reader's system is, and prints on white. The link
 * to the figures contains them (a data: URI, RFC 2397), so it works without a server.
 */
#include "client/versus/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/versus/chart_svg.h"
#include "client/versus/experiments_json.h"
#include "client/versus/view.h"
#include "common/markup.h"

static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<link rel=\"icon\" href=\"data:,\">\n" /* or a browser asks for one */
	"<style>\n"
	":root{color-scheme:light dark;--ink:#222;--paper:#fff;--soft:#666;--line:#ccc}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#ddd;--paper:#161616;"
	"--soft:#aaa;--line:#444}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);"
	"background:var(--paper);max-width:50rem;margin:2rem auto;padding:0 1rem}\n"
	"h1,h2{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid "
	"var(--line)}\n"
	"svg{max-width:100%;height:auto}figure{margin:1.5rem 0}\n"
	".table{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;"
	"font-variant-numeric:tabular-nums}\n"
	"caption{text-align:left;color:var(--soft);padding:.3rem 0}\n"
	"th,td{text-align:right;padding:.15rem .6rem;border-bottom:1px solid "
	"var(--line);white-space:nowrap}th:first-child{text-align:left}"
	".single th{white-space:normal}\n"
	".note,td small{color:var(--soft)}td.facts{text-align:left;white-space:normal}\n"
	"details{margin:.5rem 0}summary{cursor:pointer}\n"
	"@media print{:root{--ink:#000;--paper:#fff;--soft:#444}"
	".table{overflow:visible}table{font-size:.7rem}th,td{white-space:normal}"
	"figure,tr,.table{break-inside:avoid}h2,h3{break-after:avoid}"
	"section{break-inside:avoid-page}a{color:inherit}}\n"
	"</style>\n";

static void write_escaped_paragraph(const char *text, FILE *out)
{
	fputs("<p>", out);
	markup_write(text, out);
	fputs("</p>\n", out);
}

/* ---- the link to the figures ------------------------------------------------------------- */

/* Whether a byte of JSON may stand in the link as it is. The attribute is in single quotes, so a
 * double quote may. All others are escaped (RFC 3986, section 2.1). */
static bool is_plain(char byte)
{
	return isalnum((unsigned char)byte) ||
	       (byte != '\0' && strchr("{}[]\":,.-_/", byte) != NULL);
}

/* Writes JSON without the blanks between its tokens: three quarters of the size of base64. */
static void write_data(const char *json, size_t length, FILE *out)
{
	bool in_string = false, escaped = false;

	for (size_t i = 0; i < length; i++) {
		char byte = json[i];

		if (byte == '"' && !escaped)
			in_string = !in_string;
		escaped = byte == '\\' && !escaped;
		if (is_plain(byte))
			fputc(byte, out);
		else if (in_string || !isspace((unsigned char)byte))
			fprintf(out, "%%%02X", (unsigned)(unsigned char)byte);
	}
}

static int write_link(const struct experiments *experiments,
		      const struct machine *machine, const char *command,
		      bool interrupted, FILE *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return -1;
	experiments_write_json(experiments, machine, command, interrupted, memory);
	if (fclose(memory) != 0) {
		free(text);
		return -1;
	}
	fputs("<p><a id=\"figures\" download=\"figures.json\" "
	      "href='data:application/json,",
	      out);
	write_data(text, length, out);
	fputs("'>Save all figures as JSON</a></p>\n", out);
	free(text);
	return 0;
}

/* ---- an experiment ------------------------------------------------------------------------ */

/* The findings are in memory, a sentence a line. */
static void write_sentences(const char *text, FILE *out)
{
	fputs("<ul>\n", out);
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		char line[400];

		snprintf(line, sizeof line, "%.*s", (int)length, text);
		fputs("<li>", out);
		markup_write(line, out);
		fputs("</li>\n", out);
		text += length + (text[length] == '\n');
	}
	fputs("</ul>\n", out);
}

static char *findings(const struct experiment *experiment, enum experiment_kind kind)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return NULL;
	view_write_findings(experiment, kind, memory);
	if (fclose(memory) == 0)
		return text;
	free(text);
	return NULL;
}

/* Half of the range of the rounds, in percent of the median. */
static const char *spread_text(const struct summary *summary, char out[16])
{
	double percent = 100 * summary_half_range(summary) / summary->median;

	if (percent > 100)
		snprintf(out, 16, "±>100");
	else
		snprintf(out, 16, "±%.0f", percent);
	return out;
}

static void write_cell(const struct experiment *experiment, const struct view *view,
		       unsigned point, unsigned row, FILE *out)
{
	struct summary summary = experiment_summary(experiment, point, row, view->figure);
	char number[CHART_NUMBER], spread[16];

	fputs("<td>", out);
	if (!experiment_is_known(experiment, point, row, view->figure))
		fputs("–", out);
	else if (summary.count > 1 && summary.median > 0)
		fprintf(out, "%s <small>%s %%</small>",
			chart_number(summary.median * view->scale, number),
			spread_text(&summary, spread));
	else
		fputs(chart_number(summary.median * view->scale, number), out);
	if (experiment_is_lacking(experiment, point, row))
		fputs("<small>*</small>", out);
	fputs("</td>", out);
}

static void write_table(const struct experiment *experiment, const struct view *view,
			FILE *out)
{
	char number[CHART_NUMBER];

	fputs("<div class=\"table\"><table>\n<caption>", out);
	markup_write(view->title, out);
	fprintf(out,
		", %s: median, and half of the range of the rounds</caption>\n<tr><th "
		"scope=\"col\">",
		view->unit);
	markup_write(experiment->x_name, out);
	fputs("</th>", out);
	for (unsigned i = 0; i < experiment->point_count; i++)
		fprintf(out, "<th scope=\"col\">%s</th>",
			chart_number(experiment->points[i].x, number));
	fputs("</tr>\n", out);
	for (unsigned row = 0; row < experiment->row_count; row++) {
		fputs("<tr><th scope=\"row\">", out);
		markup_write(experiment->rows[row].name, out);
		fputs("</th>", out);
		for (unsigned i = 0; i < experiment->point_count; i++)
			write_cell(experiment, view, i, row, out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* The figures of an experiment with a single point: a column for each. */
static void write_single_table(const struct experiment *experiment,
			       const struct view *views, unsigned count, FILE *out)
{
	fputs("<div class=\"table single\"><table>\n<caption>Median, and half of the "
	      "range of the rounds</caption>\n<tr><th></th>",
	      out);
	for (unsigned i = 0; i < count; i++) {
		fputs("<th scope=\"col\">", out);
		markup_write(views[i].title, out);
		fputs("<br><small>", out);
		markup_write(views[i].unit, out);
		fputs("</small></th>", out);
	}
	fputs("</tr>\n", out);
	for (unsigned row = 0; row < experiment->row_count; row++) {
		fputs("<tr><th scope=\"row\">", out);
		markup_write(experiment->rows[row].name, out);
		fputs("</th>", out);
		for (unsigned i = 0; i < count; i++)
			write_cell(experiment, &views[i], 0, row, out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* What a row lacks at its points, if it lacks something. */
static void write_lacks_of_row(const struct experiment *experiment, unsigned row,
			       FILE *out)
{
	bool begun = false;

	for (unsigned i = 0; i < experiment->point_count; i++) {
		char *text = NULL, x[CHART_NUMBER];
		size_t length = 0;
		FILE *memory = open_memstream(&text, &length);
		bool lacks;

		if (memory == NULL)
			return;
		lacks = view_write_lack(experiment, i, row, memory);
		if (fclose(memory) == 0 && lacks) {
			fputs(begun ? ", " : "<br>", out);
			if (!begun)
				markup_write(experiment->rows[row].name, out);
			fprintf(out,
				" at %s: ", chart_number(experiment->points[i].x, x));
			markup_write(text, out);
			begun = true;
		}
		free(text);
	}
}

/* Why some figures are missing, or belong to a part of the clients only. */
static void write_lacks(const struct experiment *experiment, FILE *out)
{
	bool lacks = false;

	for (unsigned row = 0; row < experiment->row_count && !lacks; row++)
		for (unsigned i = 0; i < experiment->point_count; i++)
			lacks |= experiment_is_lacking(experiment, i, row);
	if (!lacks)
		return;
	fputs("<p class=\"note\"><small>* and hollow points: not all clients were served",
	      out);
	for (unsigned row = 0; row < experiment->row_count; row++)
		write_lacks_of_row(experiment, row, out);
	fputs("</small></p>\n", out);
}

static void draw_curves(const struct experiment *experiment, const struct view *view,
			FILE *out)
{
	static struct chart chart; /* large */
	char name[64], title[160], description[400];

	view_make_chart(experiment, view, &chart);
	snprintf(name, sizeof name, "%s-%s", experiment->name, view->name);
	snprintf(title, sizeof title, "%s: %s", experiment->title, view->title);
	snprintf(description, sizeof description,
		 "A curve for each server: %s in %s, over %s. The table below has the "
		 "values.",
		 view->title, view->unit, experiment->x_name);
	chart.name = name;
	chart.title = title;
	fputs("<figure>\n", out);
	chart_draw_svg(&chart, description, out);
	fputs("</figure>\n", out);
}

/* One bar for each server: at the only point of the experiment. */
static void draw_bars(const struct experiment *experiment, const struct view *view,
		      FILE *out)
{
	struct chart_bar bars[EXPERIMENT_ROWS];
	unsigned count = 0;
	char name[64], title[160];
	double most = 0;

	for (unsigned row = 0; row < experiment->row_count; row++) {
		double value =
			experiment_summary(experiment, 0, row, view->figure).median *
			view->scale;

		if (!experiment_is_known(experiment, 0, row, view->figure))
			continue;
		most = value > most ? value : most;
		bars[count] = (struct chart_bar){ .name = experiment->rows[row].name,
						  .parts = { value },
						  .count = 1 };
		count++;
	}
	snprintf(name, sizeof name, "%s-%s", experiment->name, view->name);
	snprintf(title, sizeof title, "%s, %s", view->title, view->unit);
	fputs("<figure>\n", out);
	chart_draw_bars(&(struct chart_bars){ name, title,
					      "A bar for each server. The table below "
					      "has the values.",
					      bars, count, most },
			out);
	fputs("</figure>\n", out);
}

/* The shares of the workers in the last completed round. */
static void draw_shares(const struct experiment *experiment, unsigned point, FILE *out)
{
	struct chart_bar bars[EXPERIMENT_ROWS];
	unsigned count = 0;
	char name[64], title[160], x[CHART_NUMBER];

	for (unsigned row = 0; row < experiment->row_count; row++) {
		const struct run_figures *run =
			experiment_last_run(experiment, point, row);

		if (run == NULL || run->workers == 0)
			continue;
		bars[count] = (struct chart_bar){ .name = experiment->rows[row].name,
						  .count = run->workers };
		memcpy(bars[count].parts, run->shares,
		       run->workers * sizeof *run->shares);
		count++;
	}
	chart_number(experiment->points[point].x, x);
	snprintf(name, sizeof name, "sharing-%s", x);
	snprintf(title, sizeof title, "Share of each worker in percent, %s %s", x,
		 experiment->x_name);
	fputs("<figure>\n", out);
	chart_draw_bars(&(struct chart_bars){ name, title,
					      "A bar for each server, divided into the "
					      "shares of its workers.",
					      bars, count, 100 },
			out);
	fputs("</figure>\n", out);
}

static int write_experiment(const struct experiment *experiment,
			    enum experiment_kind kind, FILE *out)
{
	const struct view *views;
	unsigned count = view_figures(kind, &views);
	char *text = findings(experiment, kind);

	if (text == NULL)
		return -1;
	fprintf(out, "<section id=\"%s\">\n<h2>", experiment->name);
	markup_write(experiment->title, out);
	fputs("</h2>\n", out);
	write_escaped_paragraph(view_question(kind), out);
	fputs("<p>", out);
	view_write_setting(experiment, out);
	if (kind == EXPERIMENT_RATE)
		fputs(" A ring marks the highest rate that a server keeps up with.", out);
	fputs("</p>\n", out);
	write_sentences(text, out);
	free(text);
	if (kind == EXPERIMENT_SHARING)
		for (unsigned i = 0; i < experiment->point_count; i++)
			draw_shares(experiment, i, out);
	for (unsigned i = 0; i < count; i++) {
		if (experiment->point_count > 1 && kind != EXPERIMENT_SHARING)
			draw_curves(experiment, &views[i], out);
		else if (experiment->point_count == 1)
			draw_bars(experiment, &views[i], out);
		if (experiment->point_count > 1)
			write_table(experiment, &views[i], out);
	}
	if (experiment->point_count == 1)
		write_single_table(experiment, views, count, out);
	write_lacks(experiment, out);
	fputs("</section>\n", out);
	return 0;
}

static int write_timelines(const struct experiments *experiments, FILE *out)
{
	int64_t length = timelines_length(experiments->timelines, EXPERIMENT_ROWS);

	fputs("<section id=\"timeline\">\n<h2>Timeline of a few clients</h2>\n", out);
	write_escaped_paragraph(timelines_question, out);
	fputs("<p>All pictures have the same time scale.</p>\n", out);
	for (unsigned row = 0; row < EXPERIMENT_ROWS; row++) {
		const struct timeline *timeline = &experiments->timelines[row];

		if (!timeline->known)
			continue;
		fprintf(out, "<h3 id=\"timeline-%u\">", row + 1);
		markup_write(timeline->name, out);
		fputs("</h3>\n<figure>\n", out);
		if (timeline_draw_svg(timeline, length, out) < 0)
			return -1;
		fputs("</figure>\n", out);
	}
	fputs("</section>\n", out);
	return 0;
}

/* ---- the page ----------------------------------------------------------------------------- */

/* A timeline has pictures only. */
static bool has_findings(const struct experiments *experiments)
{
	bool found = false;

	for (int kind = EXPERIMENT_CLIENTS; kind < EXPERIMENT_KINDS; kind++)
		found |= experiments->with[kind] && experiments->all[kind].runs != NULL;
	return found;
}

/* The first finding of each experiment. */
static int write_summary(const struct experiments *experiments, FILE *out)
{
	if (!has_findings(experiments))
		return 0;
	fputs("<section id=\"summary\">\n<h2>Summary</h2>\n<ul>\n", out);
	for (int kind = 0; kind < EXPERIMENT_KINDS; kind++) {
		const struct experiment *experiment = &experiments->all[kind];
		char *text;

		if (!experiments->with[kind] || experiment->runs == NULL ||
		    kind == EXPERIMENT_TIMELINE)
			continue;
		text = findings(experiment, (enum experiment_kind)kind);
		if (text == NULL)
			return -1;
		text[strcspn(text, "\n")] = '\0';
		if (text[0] != '\0') {
			fprintf(out, "<li><a href=\"#%s\">%s</a>: ", experiment->name,
				experiment->title);
			markup_write(text, out);
			fputs("</li>\n", out);
		}
		free(text);
	}
	fputs("</ul>\n</section>\n", out);
	return 0;
}

static void write_machine(const struct experiments *experiments,
			  const struct machine *machine, const char *command,
			  bool interrupted, FILE *out)
{
	fputs("<section id=\"measured\">\n<h2>How it was measured</h2>\n", out);
	fprintf(out,
		"<p>The load and the servers share this machine. So the figures compare "
		"the servers with each other; they do not show what a server can do on a "
		"machine of its own. Each server ran %s%u time%s at each point, for %g s "
		"each, one server after the other in every round. Points and bars show "
		"the median of the rounds, thin lines the range. Figures differ clearly "
		"only if they do so in every round and by more than half of the range of "
		"each.</p>\n",
		interrupted ? "at most " : "", experiments->rounds,
		experiments->rounds == 1 ? "" : "s",
		(double)experiments->base.duration / 1000);
	fputs("<div class=\"table\"><table>\n<tr><th scope=\"row\">command</th>"
	      "<td class=\"facts\"><code>",
	      out);
	markup_write(command, out);
	fputs("</code></td></tr>\n", out);
	for (unsigned i = 0; i < machine->count; i++) {
		fputs("<tr><th scope=\"row\">", out);
		markup_write(machine->facts[i].name, out);
		fputs("</th><td class=\"facts\">", out);
		markup_write(machine->facts[i].value, out);
		fputs("</td></tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

int report_write(const struct experiments *experiments, const struct machine *machine,
		 const char *command, bool interrupted, FILE *out)
{
	fputs(head, out);
	fputs("<title>sockways: ", out);
	markup_write(experiments->service, out);
	fputs("</title>\n<h1>Servers of ", out);
	markup_write(experiments->service, out);
	fputs(", side by side</h1>\n", out);
	if (interrupted)
		fputs("<p><strong>The experiments were interrupted: some figures are "
		      "missing.</strong></p>\n",
		      out);
	if (write_summary(experiments, out) < 0)
		return -1;
	if (experiments->with[EXPERIMENT_TIMELINE] &&
	    write_timelines(experiments, out) < 0)
		return -1;
	for (int kind = EXPERIMENT_CLIENTS; kind < EXPERIMENT_KINDS; kind++)
		if (experiments->with[kind] && experiments->all[kind].runs != NULL &&
		    write_experiment(&experiments->all[kind], (enum experiment_kind)kind,
				     out) < 0)
			return -1;
	write_machine(experiments, machine, command, interrupted, out);
	if (write_link(experiments, machine, command, interrupted, out) < 0)
		return -1;
	fputs("</section>\n</html>\n", out);
	return ferror(out) ? -1 : 0;
}
