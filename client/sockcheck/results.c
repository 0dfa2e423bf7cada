/*
 * results - writes verdicts: for people, as TAP, as JSON, and for Gradescope.
 *
 * Evidence has bytes of the server in it. They are escaped where they enter it, and once more
 * as the format wants it.
 */
#include "client/sockcheck/results.h"

#include <string.h>

#include "client/lib/wrap.h"
#include "common/json.h"

enum { NAME_WIDTH = 19, INDENT = 6, TEXT = 1024 };

static size_t count(const struct results *results, enum check_verdict verdict)
{
	size_t found = 0;

	for (size_t i = 0; i < results->count; i++)
		found += results->list[i].verdict == verdict;
	return found;
}

/* Skipped, although the caller must not take it for a pass. */
static bool is_open(const struct results *results, const struct result *result)
{
	return result->verdict == CHECK_SKIPPED && (results->named || result->unjudged);
}

static size_t count_open(const struct results *results)
{
	size_t found = 0;

	for (size_t i = 0; i < results->count; i++)
		found += is_open(results, &results->list[i]);
	return found;
}

bool results_all_pass(const struct results *results)
{
	return results->trouble[0] == '\0' && count(results, CHECK_FAILED) == 0 &&
	       count_open(results) == 0;
}

void results_finish(struct results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		struct result *result = &results->list[i];

		if (result->made || result->verdict != CHECK_PASSED)
			continue;
		result->verdict = i == 0 ? CHECK_FAILED : CHECK_SKIPPED;
		result->not_tried = i > 0;
		snprintf(result->evidence, sizeof result->evidence, "%s%.500s",
			 i == 0 ? "" : "not tried: ", results->trouble);
	}
}

/* Says why the exit status is not 0, if a check is open. */
static void write_open(const struct results *results, const char *label, FILE *out)
{
	if (count_open(results) > 0)
		fprintf(out, "%sa check %s is not a pass: the exit status is 1\n", label,
			results->named ? "of --only that is skipped"
				       : "that could not be judged");
}

/* ---- for people -------------------------------------------------------------------------- */

static void write_paragraph(size_t indent, const char *label, const char *text, FILE *out)
{
	char line[TEXT];

	snprintf(line, sizeof line, "%s%s", label, text);
	wrap_print(line, sizeof line, indent, out);
}

static void write_failure(const struct result *result, bool reasons, FILE *out)
{
	const struct check_kind *kind = result->kind;
	char line[TEXT];

	snprintf(line, sizeof line, "FAIL  %s: %s", kind->name, result->evidence);
	wrap_print(line, sizeof line, INDENT, out);
	if (reasons) {
		write_paragraph(INDENT, "why   ", kind->why, out);
		write_paragraph(INDENT, "often ", kind->bug, out);
	}
	write_paragraph(INDENT, "hint  read ", kind->pages, out);
}

/* One line, or a paragraph. */
static void write_skip(const struct result *result, FILE *out)
{
	char line[TEXT];

	snprintf(line, sizeof line, "skip  %-*s skipped: %s", NAME_WIDTH,
		 result->kind->name, result->evidence);
	wrap_print(line, sizeof line, INDENT, out);
}

static void write_text(const struct results *results, enum results_level level, FILE *out)
{
	if (results->trouble[0] != '\0')
		return; /* main says it on standard error */
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->list[i];

		if (result->verdict == CHECK_FAILED)
			write_failure(result, level == RESULTS_REASONS, out);
		else if (level > RESULTS_FAILURES && result->verdict == CHECK_PASSED)
			fprintf(out, "ok    %-*s %s\n", NAME_WIDTH, result->kind->name,
				result->kind->sentence);
		else if (level > RESULTS_FAILURES || is_open(results, result))
			write_skip(result, out);
	}
	if (level > RESULTS_FAILURES)
		fprintf(out, "%zu passed, %zu failed, %zu skipped\n",
			count(results, CHECK_PASSED), count(results, CHECK_FAILED),
			count(results, CHECK_SKIPPED));
	write_open(results, "", out);
}

/* ---- TAP --------------------------------------------------------------------------------- */

/* A '#' would begin a directive. */
static void write_tap_text(const char *text, FILE *out)
{
	for (; *text != '\0'; text++)
		fprintf(out, *text == '#' ? "\\%c" : "%c", *text);
}

static void write_tap(const struct results *results, FILE *out)
{
	fprintf(out, "TAP version 13\n");
	if (results->trouble[0] != '\0') {
		fprintf(out, "Bail out! %s\n", results->trouble);
		return;
	}
	fprintf(out, "1..%zu\n", results->count);
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->list[i];

		fprintf(out, "%sok %zu - %s ",
			result->verdict == CHECK_FAILED ? "not " : "", i + 1,
			result->kind->name);
		write_tap_text(result->kind->sentence, out);
		if (result->verdict == CHECK_SKIPPED)
			fprintf(out, " # SKIP %s", result->evidence);
		fputc('\n', out);
		if (result->verdict != CHECK_FAILED)
			continue;
		fprintf(out, "  ---\n  evidence: ");
		json_write_string(out, result->evidence);
		fprintf(out, "\n  hint: ");
		json_write_string(out, result->kind->pages);
		fprintf(out, "\n  ...\n");
	}
	write_open(results, "# ", out);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void write_json(const struct results *results, FILE *out)
{
	static const char *const ok[] = { "true", "false", "null" };

	fputc('[', out);
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->list[i];

		fprintf(out, "%s\n  {\"name\": ", i > 0 ? "," : "");
		json_write_string(out, result->kind->name);
		fprintf(out, ", \"ok\": %s, \"evidence\": ", ok[result->verdict]);
		json_write_string(out, result->evidence);
		fputc('}', out);
	}
	fprintf(out, "\n]\n");
}

/* ---- Gradescope -------------------------------------------------------------------------- */

/* A skipped check is no test; but all are, and fail, if the server could not be started. */
static bool is_graded(const struct results *results, const struct result *result)
{
	return result->verdict != CHECK_SKIPPED || results->trouble[0] != '\0' ||
	       result->not_tried;
}

static void write_grade(const struct result *result, FILE *out)
{
	bool passed = result->verdict == CHECK_PASSED;
	char text[TEXT];

	fprintf(out, "{\"score\": %d, \"max_score\": 1, \"status\": \"%s\", \"name\": ",
		passed, passed ? "passed" : "failed");
	snprintf(text, sizeof text, "%s: %s", result->kind->name, result->kind->sentence);
	json_write_string(out, text);
	fprintf(out, ", \"output\": ");
	snprintf(text, sizeof text, "%s%s%s", result->evidence,
		 passed ? "" : "\nhint: read ", passed ? "" : result->kind->pages);
	json_write_string(out, text);
	fputc('}', out);
}

static void write_gradescope(const struct results *results, FILE *out)
{
	const char *comma = "";
	char text[TEXT];

	snprintf(text, sizeof text, "sockcheck: %zu passed, %zu failed, %zu skipped%s%s",
		 count(results, CHECK_PASSED), count(results, CHECK_FAILED),
		 count(results, CHECK_SKIPPED), results->trouble[0] != '\0' ? "; " : "",
		 results->trouble);
	fprintf(out, "{\n  \"score\": %zu,\n  \"execution_time\": %.0f,\n  \"output\": ",
		count(results, CHECK_PASSED), results->seconds + 0.5);
	json_write_string(out, text);
	fprintf(out, ",\n  \"tests\": [");
	for (size_t i = 0; i < results->count; i++) {
		if (!is_graded(results, &results->list[i]))
			continue;
		fprintf(out, "%s\n    ", comma);
		write_grade(&results->list[i], out);
		comma = ",";
	}
	fprintf(out, "\n  ]\n}\n");
}

void results_write(const struct results *results, enum results_format format,
		   enum results_level level, FILE *out)
{
	if (format == RESULTS_TAP)
		write_tap(results, out);
	else if (format == RESULTS_JSON)
		write_json(results, out);
	else if (format == RESULTS_GRADESCOPE)
		write_gradescope(results, out);
	else
		write_text(results, level, out);
}

/* ---- about the checks -------------------------------------------------------------------- */

void results_list(FILE *out)
{
	for (size_t i = 0; i < checks_count; i++)
		fprintf(out, "%-*s %s\n", NAME_WIDTH, checks[i].name, checks[i].sentence);
}

void results_explain(const struct check_kind *kind, FILE *out)
{
	fprintf(out, "%s: %s\n", kind->name, kind->sentence);
	write_paragraph(0, "Why it matters: ", kind->why, out);
	write_paragraph(0, "What usually breaks it: ", kind->bug, out);
	write_paragraph(0, "Read: ", kind->pages, out);
	if (kind->needs & CHECK_STARTS)
		fprintf(out, "Needs: -- COMMAND, as it looks at the processes of the "
			     "server\n");
	if (kind->needs & CHECK_WORKERS)
		fprintf(out, "Needs: -w N, the number of workers\n");
	if (kind->needs & CHECK_PORT)
		fprintf(out, "Needs: {port} or {path} in the command\n");
}
