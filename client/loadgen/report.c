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

/* Whether a signal ended the load before its time. */
static bool was_interrupted(const struct load_plan *plan)
{
	return plan->stop != NULL && *plan->stop != 0;
}

static void print_time(const struct load_plan *plan, const struct load_result *result)
{
	printf("%-15s%.2f s", "measured", result->elapsed);
	if (was_interrupted(plan))
		printf(" of %.2f s, until a signal stopped the load",
		       (double)plan->duration / 1e3);
	putchar('\n');
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

enum { TIME_TEXT = 32 };

/* A time in the unit that suits it. @return @p out */
static const char *time_text(int64_t nanoseconds, char out[TIME_TEXT])
{
	double value = (double)nanoseconds;

	if (nanoseconds < 1000000)
		snprintf(out, TIME_TEXT, "%.1f us", value / 1e3);
	else if (nanoseconds < 1000000000)
		snprintf(out, TIME_TEXT, "%.2f ms", value / 1e6);
	else
		snprintf(out, TIME_TEXT, "%.2f s", value / 1e9);
	return out;
}

/* The percentiles that are reported. 100 is the maximum. */
static const struct {
	const char *name, *label;
	double percent;
} percentiles[] = {
	{ "p50", "latency p50", 50 },       { "p90", "latency p90", 90 },
	{ "p95", "latency p95", 95 },       { "p99", "latency p99", 99 },
	{ "p99.9", "latency p99.9", 99.9 }, { "max", "latency max", 100 },
};

enum { PERCENTILES = sizeof percentiles / sizeof *percentiles };

/* The maximum is exact. */
static int64_t percentile(const struct histogram *histogram, double percent)
{
	return percent >= 100 ? histogram_max(histogram)
			      : histogram_percentile(histogram, percent);
}

/* Without an exchange there is no latency: an empty histogram would give 0. */
static void print_latencies(const struct load_result *result)
{
	bool known = histogram_count(&result->latency) > 0;
	bool open = histogram_count(&result->service) > 0;
	char text[TIME_TEXT];

	for (int i = 0; i < PERCENTILES; i++) {
		double percent = percentiles[i].percent;

		printf("%-15s%s", percentiles[i].label,
		       known ? time_text(percentile(&result->latency, percent), text)
			     : "-");
		if (open)
			printf(", service %s",
			       time_text(percentile(&result->service, percent), text));
		putchar('\n');
	}
}

/* How many exchanges took at most how long. The rows end where fewer than one exchange would
 * be beyond the row. */
static void print_histogram(const struct report *report, const struct histogram *latency)
{
	static const double rows[] = { 1,    5,    10,    20,    30,     40,     50,
				       60,   70,   80,    90,    95,     98,     99,
				       99.5, 99.9, 99.95, 99.99, 99.999, 99.9999 };
	double count = (double)histogram_count(latency);
	char text[TIME_TEXT];

	if (!report->histogram || count <= 0)
		return;
	printf("%-15s%11s%14s %s\n", "histogram", "percentile", "latency",
	       report_unit(report->plan));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t value = histogram_percentile(latency, rows[i]);

		if (count * (100 - rows[i]) < 100)
			break;
		printf("%15s%9g %%%14s %ju\n", "", rows[i], time_text(value, text),
		       (uintmax_t)histogram_passed(latency, value));
	}
	printf("%15s%9d %%%14s %ju\n", "", 100, time_text(histogram_max(latency), text),
	       (uintmax_t)histogram_count(latency));
}

/* What the load generator itself had to do, and whether that was too much. */
static void print_generator(const struct load_plan *plan,
			    const struct load_result *result)
{
	char latest[TIME_TEXT];

	time_text(result->tardiest, latest);
	printf("%-15s%.1f %% busy", "generator", result->busy * 100);
	if (plan->rate > 0)
		printf(", %ju of %ju requests sent late (more than 1 ms), the latest by "
		       "%s",
		       (uintmax_t)result->tardy, (uintmax_t)result->requests, latest);
	putchar('\n');
	switch (load_bottleneck(result)) {
	case LOAD_BUSY_THREAD:
		printf("%-15sloadgen itself: its busiest thread needed the CPU %.0f %% "
		       "of the time\n",
		       "bottleneck", result->busy * 100);
		break;
	case LOAD_TARDY_REQUESTS:
		printf("%-15sloadgen itself: it sent %.1f %% of the requests late, up to "
		       "%s\n",
		       "bottleneck",
		       (double)result->tardy * 100 / (double)result->requests, latest);
		break;
	default:
		break;
	}
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

/* The work of a request is done before its reply, so no exchange can be shorter. With a server
 * that was not started with this work the number of CPUs would be absurd. @return the median
 * service time if it is too short (histograms are exact within 1 %), otherwise 0 */
static int64_t too_short_for_work(const struct report *report,
				  const struct load_result *result)
{
	const struct histogram *times =
		report->plan->rate > 0 ? &result->service : &result->latency;
	int64_t median = histogram_percentile(times, 50);

	return report->work > 0 && (double)median * 1.02 < (double)report->work * 1000
		       ? median
		       : 0;
}

static void print_work(const struct report *report, const struct load_result *result)
{
	int64_t median = too_short_for_work(report, result);
	double work = (double)report->work / 1e3;
	char text[TIME_TEXT];

	if (report->work == 0)
		return;
	if (median > 0)
		printf("%-15snot what --work says: half of the exchanges took at most "
		       "%s, less than %.3f ms\n",
		       "work", time_text(median, text), work);
	else
		printf("%-15s%.2f CPUs busy with %.3f ms for each exchange\n", "work",
		       work_cpus(report, result), work);
}

/* chatd does not tell a client that it reads its lines at a limited rate. But then each sender
 * delivers this many lines a second, after twice as many at the start; see chatd(8), -R. */
enum { CHAT_RATE = 20, CHAT_SECONDS_AT_ONCE = 2 };

/* Lines a second that were delivered for each sender, if that is the usual limit of chatd;
 * otherwise 0. */
static double limited_lines(const struct load_plan *plan,
			    const struct load_result *result)
{
	double lines, most;

	if (!is_broadcast(plan) || result->elapsed <= 0 ||
	    (plan->rate > 0 && result->unsent == 0))
		return 0;
	lines = per_second((double)result->exchanges, result) / (plan->connections - 1) /
		plan->senders;
	most = CHAT_RATE * (1 + CHAT_SECONDS_AT_ONCE / result->elapsed);
	return lines >= 0.9 * CHAT_RATE && lines <= 1.1 * most ? lines : 0;
}

static void print_limit(const struct load_plan *plan, const struct load_result *result)
{
	double lines = limited_lines(plan, result);

	if (lines > 0)
		printf("%-15s%.1f lines a second for each sender: chatd allows %d, "
		       "unless its -R says otherwise\n",
		       "limit", lines, CHAT_RATE);
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

/* "faults" and "work" are added to a load of the engine. */
static void print_load(const struct report *report)
{
	const char *base = load_kind_name(report->plan->kind);

	if (strcmp(report->load, base) == 0)
		printf("%-15s%s\n", "load", report->load);
	else
		printf("%-15s%s (%s)\n", "load", report->load, base);
}

static const char *transport(const struct load_plan *plan)
{
	if (load_plan_is_local(plan))
		return plan->datagrams ? "datagrams of a UNIX-domain socket"
				       : "a UNIX-domain socket";
	return plan->datagrams ? "UDP" : "TCP";
}

/* The peer of a UNIX-domain socket has no address of its own: its name is that of the plan. */
static const char *server_text(const struct load_plan *plan,
			       const struct load_result *result,
			       char address[ADDRESS_TEXT])
{
	return load_plan_is_local(plan) ? plan->host
					: address_text(&result->address, address);
}

void report_print_text(const struct report *report, const struct load_result *result)
{
	const struct load_plan *plan = report->plan;
	char address[ADDRESS_TEXT];
	uint64_t puts = result->uploads;

	print_load(report);
	printf("%-15s%s over %s at %s\n", "server", plan->protocol->name, transport(plan),
	       server_text(plan, result, address));
	printf("%-15s%u at a time, %u served",
	       plan->datagrams ? "sockets" : "connections", plan->connections,
	       result->served);
	if (result->served_late > 0)
		printf(", %u served only after the end", result->served_late);
	if (plan->kind != LOAD_CONNECTIONS && result->made > plan->connections)
		printf(", %ju opened in all", (uintmax_t)result->made);
	putchar('\n');
	if (result->sources > 0)
		printf("%-15s%u addresses, in turn\n", "source", result->sources);
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
	if (plan->ramp > 0)
		printf("%-15s%.2f s before the measured time\n", "ramp",
		       (double)plan->ramp / 1e3);
	print_time(plan, result);
	printf("%-15s%ju\n", report_unit(plan), (uintmax_t)result->exchanges);
	printf("%-15s%.0f /s\n", "rate", per_second((double)result->exchanges, result));
	print_work(report, result);
	print_limit(plan, result);
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
	print_latencies(result);
	print_histogram(report, &result->latency);
	if (plan->datagrams)
		print_datagrams(plan, &result->fate);
	if (is_broadcast(plan)) {
		printf("%-15s%ju\n", "sent", (uintmax_t)result->lines_sent);
		printf("%-15s%ju of %ju\n", "delivered", (uintmax_t)result->delivered,
		       (uintmax_t)result->due);
	}
	print_generator(plan, result);
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

/* Null without an exchange: there is no latency then. */
static void print_json_latency(const char *name, const struct histogram *latency)
{
	bool known = histogram_count(latency) > 0;

	printf("\"%s\":", name);
	for (int i = 0; i < PERCENTILES; i++) {
		printf("%s\"%s\":", i > 0 ? "," : "{", percentiles[i].name);
		if (known)
			printf("%jd",
			       (intmax_t)percentile(latency, percentiles[i].percent));
		else
			printf("null");
	}
	printf("},");
}

/* The buckets with a count, each as its smallest value and its count. The bounds are those of
 * every run, so that runs can be added. */
static void print_json_histogram(const struct histogram *latency)
{
	const char *before = "";

	printf("\"histogram_ns\":[");
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (latency->buckets[i] == 0)
			continue;
		printf("%s[%jd,%ju]", before, (intmax_t)histogram_lower(i),
		       (uintmax_t)latency->buckets[i]);
		before = ",";
	}
	printf("],");
}

/* The load generator itself. In a closed loop no request has a time at which it is due. */
static void print_json_generator(const struct load_plan *plan,
				 const struct load_result *result)
{
	bool open = plan->rate > 0;

	printf("\"generator\":{\"busy\":%.4f,", result->busy);
	print_json_count("requests", result->requests, open);
	print_json_count("late", result->tardy, open);
	print_json_count("latest_ns", (uint64_t)result->tardiest, open);
	printf("\"bottleneck\":%s},",
	       load_bottleneck(result) == LOAD_NO_BOTTLENECK ? "false" : "true");
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

/* All texts, except wrong and missing replies and the name of a UNIX-domain socket, are constants
 * and need no quoting. */
void report_print_json(const struct report *report, const struct load_result *result)
{
	const struct load_plan *plan = report->plan;
	char address[ADDRESS_TEXT];
	uint64_t idle = plan->kind == LOAD_IDLE ? plan->idle : 0;

	printf("{\"load\":\"%s\",\"base_load\":\"%s\",\"protocol\":\"%s\",\"transport\":"
	       "\"%s\",\"address\":",
	       report->load, load_kind_name(plan->kind), plan->protocol->name,
	       load_plan_is_local(plan) ? plan->datagrams ? "unix-datagram" : "unix"
	       : plan->datagrams        ? "udp"
					: "tcp");
	json_write_string(stdout, server_text(plan, result, address));
	putchar(',');
	printf("\"connections\":%u,\"served\":%u,\"served_late\":%u,\"waiting\":%u,"
	       "\"unanswered\":%u,\"made\":%ju,",
	       plan->connections, result->served, result->served_late, result->waiting,
	       result->unanswered, (uintmax_t)result->made);
	print_json_count("sources", result->sources, result->sources > 0);
	printf("\"idle\":%ju,\"idle_made\":%u,\"idle_standing\":%u,", (uintmax_t)idle,
	       result->idle_made, result->idle_open);
	printf("\"size\":%zu,\"threads\":%u,\"seconds\":%.6f,\"interrupted\":%s,",
	       load_plan_has_size(plan) ? result->size : 0, result->threads,
	       result->elapsed, was_interrupted(plan) ? "true" : "false");
	printf("\"exchanges\":%ju,\"exchanges_per_second\":%.1f,",
	       (uintmax_t)result->exchanges,
	       per_second((double)result->exchanges, result));
	printf("\"bytes\":%ju,\"bytes_per_second\":%.1f,", (uintmax_t)result->bytes,
	       per_second((double)result->bytes, result));
	print_json_count("puts", result->uploads, plan->protocol->uploads);
	print_json_count("gets", result->exchanges - result->uploads,
			 plan->protocol->uploads);
	printf("\"ramp_seconds\":%.3f,\"connect_rate\":%u,", (double)plan->ramp / 1e3,
	       plan->connect_rate);
	printf("\"rate\":%.0f,\"unsent\":%ju,", plan->rate, (uintmax_t)result->unsent);
	print_json_datagrams(plan, result);
	if (report->work > 0)
		printf("\"work_ms\":%.3f,\"work_cpus\":%.3f,", (double)report->work / 1e3,
		       work_cpus(report, result));
	else
		printf("\"work_ms\":null,\"work_cpus\":null,");
	printf("\"work_doubtful\":%s,", report->work == 0 ? "null"
					: too_short_for_work(report, result) > 0
						? "true"
						: "false");
	printf("\"limited\":%s,", !is_broadcast(plan)               ? "null"
				  : limited_lines(plan, result) > 0 ? "true"
								    : "false");
	print_json_faults(plan, result);
	print_json_count("senders", plan->senders, is_broadcast(plan));
	print_json_count("window", plan->window, is_broadcast(plan));
	print_json_count("due", result->due, is_broadcast(plan));
	print_json_count("delivered", result->delivered, is_broadcast(plan));
	print_json_latency("latency_ns", &result->latency);
	print_json_latency("service_ns",
			   plan->rate > 0 ? &result->service : &result->latency);
	print_json_histogram(&result->latency);
	print_json_generator(plan, result);
	print_json_text("\"no_reply\":", result->silence.text);
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
