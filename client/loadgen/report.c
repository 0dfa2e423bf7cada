/*
 * report - prints the results of a load: as text, or as one JSON object.
 *
 * Every figure has its unit. What was not measured is "-" in the text and null in JSON: a 0 would
 * look like a result.
 */
#include "client/loadgen/report.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"

static bool is_broadcast(const struct load_plan *plan)
{
	return plan->protocol->pattern == LOAD_BROADCAST;
}

const char *report_unit(const struct load_plan *plan)
{
	return is_broadcast(plan) ? "deliveries" : "exchanges";
}

bool report_is_good(const struct report *report, const struct load_result *result)
{
	const struct load_plan *plan = report->plan;

	return result->exchanges > 0 && load_errors(result) == 0 &&
	       (plan->kind != LOAD_IDLE || result->idle_open == plan->idle);
}

/* ---- text ---------------------------------------------------------------------------------- */

static double per_second(double count, const struct load_result *result)
{
	return result->elapsed > 0 ? count / result->elapsed : 0;
}

/* Without an exchange there is no latency: an empty histogram would give 0. */
static void print_latency(const char *label, int64_t nanoseconds)
{
	double value = (double)nanoseconds;

	if (nanoseconds == 0)
		printf("%-15s-\n", label);
	else if (nanoseconds < 1000000)
		printf("%-15s%.1f us\n", label, value / 1e3);
	else if (nanoseconds < 1000000000)
		printf("%-15s%.2f ms\n", label, value / 1e6);
	else
		printf("%-15s%.2f s\n", label, value / 1e9);
}

/* "none" only if all is well. */
static void print_no_errors(const struct report *report, const struct load_result *result)
{
	if (report_is_good(report, result))
		printf("%-15snone\n", "errors");
	else if (result->exchanges == 0)
		printf("%-15s0, but no exchange was completed\n", "errors");
	else
		printf("%-15s0, but %u silent connections were not open at the end\n",
		       "errors", report->plan->idle - result->idle_open);
}

static void print_errors(const struct report *report, const struct load_result *result)
{
	const char *before = ": ";

	if (load_errors(result) == 0) {
		print_no_errors(report, result);
		return;
	}
	printf("%-15s%ju", "errors", (uintmax_t)load_errors(result));
	for (int i = 0; i < LOAD_ERRORS; i++) {
		if (result->errors[i] == 0)
			continue;
		printf("%s%ju %s", before, (uintmax_t)result->errors[i],
		       load_error_text((enum load_error)i, result->errors[i]));
		if (i == LOAD_OTHER)
			printf(" (%s)", strerror(result->other));
		if (i == LOAD_NO_REPLY)
			printf(" (%s)", result->silence.text);
		if (i == LOAD_WRONG_REPLY && result->wrong.text[0] != '\0')
			printf(" (%s)", result->wrong.text);
		before = ", ";
	}
	putchar('\n');
}

/* Clients that the kernel accepted and the server has not noticed (SYN cookies). */
static void print_cookies(const struct load_result *result)
{
	if (result->cookies == 0)
		return;
	printf("%-15s%ju SYN cookies sent: the server's backlog was full, so the server\n"
	       "%-15smay not know of connected clients that received nothing\n",
	       "backlog", (uintmax_t)result->cookies, "");
}

/* Prints the counts of datagrams. Some are unknown if the reply does not identify
 * its request; all are if there are no replies. */
static void print_datagrams(const struct load_plan *plan, const struct load_fate *fate)
{
	printf("%-15s%ju\n", "sent", (uintmax_t)fate->sent);
	if (plan->protocol->pattern == LOAD_SINK)
		return;
	printf("%-15s%ju (%.2f %%)\n", "lost", (uintmax_t)fate->lost,
	       fate->sent > 0 ? (double)fate->lost * 100 / (double)fate->sent : 0);
	if (plan->protocol->mirrors)
		printf("%-15s%ju\n", "late", (uintmax_t)fate->late);
	printf("%-15s%ju\n", "duplicates", (uintmax_t)fate->duplicates);
	if (plan->protocol->mirrors)
		printf("%-15s%ju\n", "reordered", (uintmax_t)fate->reordered);
}

/* How many CPUs were busy with the work of the requests that were answered. */
static double work_cpus(const struct report *report, const struct load_result *result)
{
	return per_second((double)result->exchanges * (double)report->work / 1e6, result);
}

static void print_end(const char **before, uint64_t count, const char *text)
{
	if (count == 0)
		return;
	printf("%s%ju %s", *before, (uintmax_t)count, text);
	*before = ", ";
}

/* A line for each kind of faulty clients. */
static void print_faults(const struct load_plan *plan, const struct load_result *result)
{
	for (int fault = 0; fault < LOAD_FAULTS; fault++) {
		const struct load_fault_ends *ends = &result->faults[fault];
		const char *before = ": ";
		char label[32];

		if (plan->faults.clients[fault] == 0)
			continue;
		snprintf(label, sizeof label, "fault %s",
			 load_fault_name((enum load_fault)fault));
		printf("%-15s%u at a time, %ju connected", label,
		       plan->faults.clients[fault], (uintmax_t)ends->made);
		print_end(&before, ends->left, "reset by the client");
		print_end(&before, ends->closed, "closed by the server");
		print_end(&before, ends->reset, "reset by the server");
		print_end(&before, ends->open, "still open");
		print_end(&before, ends->failed, "not connected");
		if (ends->failed > 0)
			printf(" (%s)", strerror(ends->error));
		putchar('\n');
	}
}

void report_print_text(const struct report *report, const struct load_result *result)
{
	const struct load_plan *plan = report->plan;
	char address[ADDRESS_TEXT];
	uint64_t puts = result->uploads;

	printf("%-15s%s\n", "load", report->load);
	printf("%-15s%s over %s at %s\n", "server", plan->protocol->name,
	       plan->datagrams ? "UDP" : "TCP", address_text(&result->address, address));
	printf("%-15s%u at a time, %u served",
	       plan->datagrams ? "sockets" : "connections", plan->connections,
	       result->served);
	if (result->served_late > 0)
		printf(", %u served only after the end", result->served_late);
	if (plan->kind != LOAD_CONNECTIONS && result->made > plan->connections)
		printf(", %ju opened in all", (uintmax_t)result->made);
	putchar('\n');
	if (result->waiting > 0)
		printf("%-15s%u requests had no reply yet when the load was stopped\n",
		       "unanswered", result->waiting);
	if (result->unanswered > 0)
		printf("%-15sno reply on %u %s\n", "unanswered", result->unanswered,
		       plan->datagrams ? "sockets" : "connections");
	if (is_broadcast(plan))
		printf("%-15s%u, with a window of %u lines each\n", "senders",
		       plan->senders, plan->window);
	if (plan->kind == LOAD_IDLE)
		printf("%-15s%u wanted, %u connected, %u still open at the end\n", "idle",
		       plan->idle, result->idle_made, result->idle_open);
	print_faults(plan, result);
	if (load_plan_has_size(plan))
		printf("%-15s%zu bytes\n", "message", result->size);
	printf("%-15s%.2f s\n", "measured", result->elapsed);
	printf("%-15s%ju\n", report_unit(plan), (uintmax_t)result->exchanges);
	printf("%-15s%.0f /s\n", "rate", per_second((double)result->exchanges, result));
	if (report->work > 0)
		printf("%-15s%.2f CPUs busy with %.3f ms for each exchange\n", "work",
		       work_cpus(report, result), (double)report->work / 1e3);
	if (plan->protocol->uploads) {
		printf("%-15s%.0f /s\n", "puts", per_second((double)puts, result));
		printf("%-15s%.0f /s\n", "gets",
		       per_second((double)(result->exchanges - puts), result));
	}
	if (plan->rate > 0) {
		printf("%-15s%.0f /s\n", "target rate", plan->rate);
		printf("%-15s%ju\n", "unsent", (uintmax_t)result->unsent);
	}
	printf("%-15s%.2f MB/s\n", "throughput",
	       per_second((double)result->bytes, result) / 1e6);
	print_latency("latency p50", histogram_percentile(&result->latency, 50));
	print_latency("latency p90", histogram_percentile(&result->latency, 90));
	print_latency("latency p99", histogram_percentile(&result->latency, 99));
	print_latency("latency p99.9", histogram_percentile(&result->latency, 99.9));
	print_latency("latency max", histogram_max(&result->latency));
	if (plan->datagrams)
		print_datagrams(plan, &result->fate);
	if (is_broadcast(plan)) {
		printf("%-15s%ju\n", "sent", (uintmax_t)result->lines_sent);
		printf("%-15s%ju of %ju\n", "delivered", (uintmax_t)result->delivered,
		       (uintmax_t)result->due);
	}
	print_errors(report, result);
	print_cookies(result);
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* A count, or null if unknown. */
static void print_json_count(const char *name, uint64_t count, bool known)
{
	if (known)
		printf("\"%s\":%ju,", name, (uintmax_t)count);
	else
		printf("\"%s\":null,", name);
}

static void print_json_datagrams(const struct load_plan *plan,
				 const struct load_result *result)
{
	const struct load_fate *fate = &result->fate;
	bool answered = plan->datagrams && plan->protocol->pattern != LOAD_SINK;
	bool numbered = plan->datagrams && plan->protocol->mirrors;

	print_json_count("sent", is_broadcast(plan) ? result->lines_sent : fate->sent,
			 plan->datagrams || is_broadcast(plan));
	print_json_count("lost", fate->lost, answered);
	print_json_count("late", fate->late, numbered);
	print_json_count("duplicates", fate->duplicates, answered);
	print_json_count("reordered", fate->reordered, numbered);
}

/* Without an exchange there is no latency. */
static void print_json_latency(const struct histogram *latency)
{
	static const char *const names[] = { "p50", "p90", "p99", "p99.9" };
	static const double percents[] = { 50, 90, 99, 99.9 };
	bool known = histogram_count(latency) > 0;

	printf("\"latency_ns\":{");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		print_json_count(names[i],
				 (uint64_t)histogram_percentile(latency, percents[i]),
				 known);
	if (known)
		printf("\"max\":%jd}", (intmax_t)histogram_max(latency));
	else
		printf("\"max\":null}");
}

/* A text, or null if there is none. */
static void print_json_text(const char *before, const char *text)
{
	fputs(before, stdout);
	if (text[0] != '\0')
		json_write_string(stdout, text);
	else
		printf("null");
}

/* One member for each kind of faulty clients; null if there are none. */
static void print_json_faults(const struct load_plan *plan,
			      const struct load_result *result)
{
	if (load_fault_mix_total(&plan->faults) == 0) {
		printf("\"faults\":null,");
		return;
	}
	for (int fault = 0; fault < LOAD_FAULTS; fault++) {
		const struct load_fault_ends *ends = &result->faults[fault];

		printf("%s\"%s\":{\"clients\":%u,\"connected\":%ju,\"left\":%ju,"
		       "\"closed\":%ju,\"reset\":%ju,\"open\":%ju,\"failed\":%ju}",
		       fault > 0 ? "," : "\"faults\":{",
		       load_fault_name((enum load_fault)fault),
		       plan->faults.clients[fault], (uintmax_t)ends->made,
		       (uintmax_t)ends->left, (uintmax_t)ends->closed,
		       (uintmax_t)ends->reset, (uintmax_t)ends->open,
		       (uintmax_t)ends->failed);
	}
	printf("},");
}

/* All texts, except wrong and missing replies, are constants or numeric addresses
 * and need no quoting. */
void report_print_json(const struct report *report, const struct load_result *result)
{
	const struct load_plan *plan = report->plan;
	char address[ADDRESS_TEXT];
	uint64_t idle = plan->kind == LOAD_IDLE ? plan->idle : 0;

	printf("{\"load\":\"%s\",\"protocol\":\"%s\",\"transport\":\"%s\",", report->load,
	       plan->protocol->name, plan->datagrams ? "udp" : "tcp");
	printf("\"address\":\"%s\",", address_text(&result->address, address));
	printf("\"connections\":%u,\"served\":%u,\"served_late\":%u,\"waiting\":%u,"
	       "\"unanswered\":%u,\"made\":%ju,",
	       plan->connections, result->served, result->served_late, result->waiting,
	       result->unanswered, (uintmax_t)result->made);
	printf("\"idle\":%ju,\"idle_made\":%u,\"idle_standing\":%u,", (uintmax_t)idle,
	       result->idle_made, result->idle_open);
	printf("\"size\":%zu,\"threads\":%u,\"seconds\":%.6f,",
	       load_plan_has_size(plan) ? result->size : 0, result->threads,
	       result->elapsed);
	printf("\"exchanges\":%ju,\"exchanges_per_second\":%.1f,",
	       (uintmax_t)result->exchanges,
	       per_second((double)result->exchanges, result));
	printf("\"bytes\":%ju,\"bytes_per_second\":%.1f,", (uintmax_t)result->bytes,
	       per_second((double)result->bytes, result));
	print_json_count("puts", result->uploads, plan->protocol->uploads);
	print_json_count("gets", result->exchanges - result->uploads,
			 plan->protocol->uploads);
	printf("\"rate\":%.0f,\"unsent\":%ju,", plan->rate, (uintmax_t)result->unsent);
	print_json_datagrams(plan, result);
	if (report->work > 0)
		printf("\"work_ms\":%.3f,\"work_cpus\":%.3f,", (double)report->work / 1e3,
		       work_cpus(report, result));
	else
		printf("\"work_ms\":null,\"work_cpus\":null,");
	print_json_faults(plan, result);
	print_json_count("senders", plan->senders, is_broadcast(plan));
	print_json_count("window", plan->window, is_broadcast(plan));
	print_json_count("due", result->due, is_broadcast(plan));
	print_json_count("delivered", result->delivered, is_broadcast(plan));
	print_json_latency(&result->latency);
	print_json_text(",\"no_reply\":", result->silence.text);
	printf(",\"syn_cookies\":%ju,\"errors\":{", (uintmax_t)result->cookies);
	for (int i = 0; i < LOAD_ERRORS; i++) {
		char key[32];

		snprintf(key, sizeof key, "%s", load_error_name((enum load_error)i));
		for (char *blank = key; (blank = strchr(blank, ' ')) != NULL;)
			*blank = '_';
		printf("%s\"%s\":%ju", i > 0 ? "," : "", key,
		       (uintmax_t)result->errors[i]);
	}
	print_json_text("},\"wrong\":", result->wrong.text);
	printf("}\n");
}
