/*
 * experiments - the six experiments, and the order of their runs.
 *
 * An experiment answers one question. Its points are chosen so that the answer shows: the number
 * of clients grows by powers of two, the silent clients by powers of ten, the offered rate up to
 * what the best server can do and beyond.
 *
 * The runs are interleaved: in each round each point is run on each server, one server after the
 * other. So what else the machine does affects all servers alike.
 */
#include "client/versus/experiments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/versus/measure.h"
#include "client/versus/server_command.h"
#include "common/clock.h"
#include "common/message.h"
#include "common/process.h"

enum {
	MOST_CLIENTS = 1024,
	MOST_CLIENTS_QUICK = 256,
	MOST_IDLE = 10000,
	MOST_IDLE_QUICK = 1000,
	/* As many as the workers of prefork and pool by default, so that they serve all. */
	FEW_CLIENTS = 8,
	IDLE_BUSY = 4,
	ASIDE = 128,         /* descriptors for other purposes */
	SHARERS = 4,         /* workers that share the clients */
	MANY_SHARED = 16,    /* clients at a time that they share */
	START_AND_STOP = 250 /* milliseconds that a run takes besides its load */
};

/* 10,000 clients need about this much memory where each has a process; bytes. */
#define MEMORY_OF_CROWD (4.0 * 1024 * 1024 * 1024)

static const struct {
	const char *name, *title, *x_name, *x_one;
} kinds[EXPERIMENT_KINDS] = {
	[EXPERIMENT_TIMELINE] = { "timeline", "Timeline of a few clients", "", "" },
	[EXPERIMENT_CLIENTS] = { "clients", "Number of clients", "clients", "client" },
	[EXPERIMENT_IDLE] = { "idle", "Silent clients", "silent clients",
			      "silent client" },
	[EXPERIMENT_RATE] = { "rate", "Offered load", "requests per second",
			      "request per second" },
	[EXPERIMENT_COST] = { "cost", "Cost of a request", "requests per second",
			      "request per second" },
	[EXPERIMENT_WORK] = { "work", "Work for each request", "ms of CPU time",
			      "ms of CPU time" },
	[EXPERIMENT_SHARING] = { "sharing", "Sharing of the clients", "clients at a time",
				 "client at a time" },
};

bool experiments_find(const char *name, enum experiment_kind *kind)
{
	for (int i = 0; i < EXPERIMENT_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*kind = (enum experiment_kind)i;
			return true;
		}
	return false;
}

const char *experiments_names(char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < EXPERIMENT_KINDS && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
				 kinds[i].name);

		used += n > 0 ? (size_t)n : 0;
	}
	return out;
}

/* ---- the points ---- */

/* Adds a point: the base load with some clients. */
static struct experiment_point *add_point(struct experiments *experiments,
					  struct experiment *experiment, double x,
					  enum load_kind kind, unsigned clients)
{
	struct experiment_point *point = &experiment->points[experiment->point_count++];

	point->x = x;
	point->plan = experiments->base;
	point->plan.kind = kind;
	point->plan.connections = clients;
	point->plan.idle = 0;
	fixture_options(experiments->fixture, kind, point->options);
	point->quiet = fixture_is_quiet(experiments->fixture);
	return point;
}

/* The clients that the descriptors of this program allow. */
static unsigned clients_allowed(unsigned wanted)
{
	uint64_t limit = process_raise_descriptors((uint64_t)wanted + ASIDE);

	if (limit >= (uint64_t)wanted + ASIDE)
		return wanted;
	return limit > ASIDE ? (unsigned)(limit - ASIDE) : 1;
}

static int plan_clients(struct experiments *experiments, struct experiment *experiment,
			struct failure *failure)
{
	unsigned usual = experiments->quick ? MOST_CLIENTS_QUICK : MOST_CLIENTS;
	unsigned most = clients_allowed(
		experiments->most_clients > 0 ? experiments->most_clients : usual);
	unsigned step = experiments->quick ? 4 : 2;

	(void)failure;
	for (unsigned clients = 1; experiment->point_count < EXPERIMENT_POINTS;
	     clients *= step) {
		add_point(experiments, experiment, clients < most ? clients : most,
			  LOAD_CONVERSATIONS, clients < most ? clients : most);
		if (clients >= most)
			break;
	}
	return 0;
}

/* A machine with little memory cannot hold the largest crowd. */
static unsigned most_idle(const struct experiments *experiments)
{
	double free_memory =
		(double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

	if (experiments->most_idle > 0)
		return clients_allowed(experiments->most_idle);
	if (experiments->quick || free_memory < MEMORY_OF_CROWD)
		return clients_allowed(MOST_IDLE_QUICK);
	return clients_allowed(MOST_IDLE);
}

static int plan_idle(struct experiments *experiments, struct experiment *experiment,
		     struct failure *failure)
{
	unsigned most = most_idle(experiments), step = experiments->quick ? 100 : 10;

	(void)failure;
	add_point(experiments, experiment, 0, LOAD_CONVERSATIONS, IDLE_BUSY);
	for (unsigned idle = 10; experiment->point_count < EXPERIMENT_POINTS;
	     idle *= step) {
		unsigned number = idle < most ? idle : most;

		add_point(experiments, experiment, number, LOAD_IDLE, IDLE_BUSY)
			->plan.idle = number;
		if (idle >= most)
			break;
	}
	return 0;
}

/* The rates are set when the servers' own are known: set_rates(). Here are only their number and
 * their parts of the highest rate; or the rates themselves, if they are given. */
static int plan_rate(struct experiments *experiments, struct experiment *experiment,
		     struct failure *failure)
{
	static const double full[] = { .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1, 1.1 };
	static const double quick[] = { .1, .3, .6, .9, 1.1 };
	const double *parts = experiments->quick ? quick : full;
	size_t count = experiments->quick ? sizeof quick / sizeof *quick
					  : sizeof full / sizeof *full;

	(void)failure;
	if (experiments->rate_count > 0) {
		parts = experiments->rates;
		count = experiments->rate_count;
	}
	for (size_t i = 0; i < count; i++)
		add_point(experiments, experiment, parts[i], LOAD_CONVERSATIONS,
			  FEW_CLIENTS);
	return 0;
}

static int plan_cost(struct experiments *experiments, struct experiment *experiment,
		     struct failure *failure)
{
	(void)failure;
	add_point(experiments, experiment,
		  experiments->cost_rate > 0 ? experiments->cost_rate : 1,
		  LOAD_CONVERSATIONS, FEW_CLIENTS);
	return 0;
}

/* Only some services have --work: the servers of reply take the place of the others. */
static const char *service_with_work(const char *service)
{
	return strcmp(service, "http") == 0 ? "http" : "reply";
}

/* The servers are those of another service, in the same models. */
static int use_service(struct experiments *experiments, struct experiment *experiment,
		       const char *service, struct failure *failure)
{
	experiment->service = service;
	experiment->row_count = 0;
	for (unsigned i = 0; i < experiments->model_count; i++) {
		struct experiment_row *row = &experiment->rows[experiment->row_count++];

		*row = experiments->rows[i];
		if (server_process_find(&row->server, experiments->program, service,
					row->name, failure) < 0)
			return -1;
	}
	return 0;
}

static int plan_timeline(struct experiments *experiments, struct experiment *experiment,
			 struct failure *failure)
{
	return use_service(experiments, experiment, "reply", failure);
}

static int plan_work(struct experiments *experiments, struct experiment *experiment,
		     struct failure *failure)
{
	static const char *const full[] = { "0", "0.1", "0.3", "1", "3", "10" };
	static const char *const quick[] = { "0", "0.3", "3" };
	const char *const *works = experiments->quick ? quick : full;
	size_t count = experiments->quick ? sizeof quick / sizeof *quick
					  : sizeof full / sizeof *full;

	if (use_service(experiments, experiment, service_with_work(experiments->service),
			failure) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct experiment_point *point =
			add_point(experiments, experiment, strtod(works[i], NULL),
				  LOAD_CONVERSATIONS, FEW_CLIENTS);

		point->plan.protocol = load_protocol_find(experiment->service);
		point->plan.size = 0;
		memcpy(point->options, (const char *[]){ "-q", "--work", works[i], NULL },
		       4 * sizeof *point->options);
		point->quiet = true;
		if (load_plan_complete(&point->plan, failure) < 0)
			return -1;
	}
	return 0;
}

static bool is_compared(const struct experiments *experiments, const char *model)
{
	for (unsigned i = 0; i < experiments->model_count; i++)
		if (strcmp(experiments->rows[i].name, model) == 0)
			return true;
	return false;
}

/* A server of the suite as the command of a user: so it can open its listeners itself, which
 * --accept reuseport must. The command is needed as long as the program runs. */
static int add_sharer(struct experiments *experiments, struct experiment *experiment,
		      const char *model, const char *way, struct failure *failure)
{
	struct experiment_row *row = &experiment->rows[experiment->row_count];
	char *command = NULL;
	size_t length;
	FILE *memory;

	if (server_process_find(&row->server, experiments->program, experiments->service,
				model, failure) < 0)
		return -1;
	memory = open_memstream(&command, &length);
	if (memory == NULL)
		return failure_set(failure, "out of memory");
	fputs("exec ", memory);
	server_command_write_word(row->server.path, memory);
	fprintf(memory, " -p {port} -j %d --accept %s", SHARERS, way);
	for (int i = 0; experiment->points[0].options[i] != NULL; i++)
		if (strcmp(experiment->points[0].options[i], "-q") != 0) {
			fputc(' ', memory);
			server_command_write_word(experiment->points[0].options[i],
						  memory);
		}
	if (fclose(memory) != 0)
		return failure_set(failure, "out of memory");
	snprintf(row->name, sizeof row->name, "%s %s", model, way);
	memcpy(row->server.name, row->name, sizeof row->name);
	row->server.command = command;
	experiment->row_count++;
	return 0;
}

static int plan_sharing(struct experiments *experiments, struct experiment *experiment,
			struct failure *failure)
{
	static const char *const ways[][2] = {
		{ "prefork", "block" },   { "prefork", "lock" },    { "prefork", "pass" },
		{ "pool", "queue" },      { "pool", "mutex" },      { "epoll", "shared" },
		{ "epoll", "exclusive" }, { "epoll", "reuseport" },
	};

	add_point(experiments, experiment, 1, LOAD_CONNECTIONS, 1);
	add_point(experiments, experiment, MANY_SHARED, LOAD_CONNECTIONS, MANY_SHARED);
	experiment->row_count = 0;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (is_compared(experiments, ways[i][0]) &&
		    add_sharer(experiments, experiment, ways[i][0], ways[i][1], failure) <
			    0)
			return -1;
	return 0;
}

static int (*const planners[EXPERIMENT_KINDS])(struct experiments *, struct experiment *,
					       struct failure *) = {
	[EXPERIMENT_TIMELINE] = plan_timeline, [EXPERIMENT_CLIENTS] = plan_clients,
	[EXPERIMENT_IDLE] = plan_idle,         [EXPERIMENT_RATE] = plan_rate,
	[EXPERIMENT_COST] = plan_cost,         [EXPERIMENT_WORK] = plan_work,
	[EXPERIMENT_SHARING] = plan_sharing,
};

/* The experiments need a load with replies, whose clients stay connected. */
static int check_service(const struct experiments *experiments, struct failure *failure)
{
	const struct load_protocol *protocol = experiments->base.protocol;

	if (experiments->base.datagrams)
		return failure_set(failure, "the experiments are over TCP, not with -u");
	if (protocol->pattern != LOAD_REPLIES)
		return failure_set(failure,
				   "the experiments need clients that send requests and "
				   "get replies, which those of %s do not",
				   experiments->service);
	return 0;
}

/* Some need models of the suite, whose options they know. @return what it needs; NULL: nothing */
static const char *need_of(const struct experiments *experiments,
			   enum experiment_kind kind)
{
	bool own = kind == EXPERIMENT_TIMELINE || kind == EXPERIMENT_WORK;

	if (own && experiments->model_count == 0)
		return "a model of the suite";
	if (kind == EXPERIMENT_SHARING && !is_compared(experiments, "prefork") &&
	    !is_compared(experiments, "pool") && !is_compared(experiments, "epoll"))
		return "prefork, pool or epoll";
	return NULL;
}

int experiments_check(struct experiments *experiments, struct failure *failure)
{
	bool any = false;

	if (check_service(experiments, failure) < 0)
		return -1;
	for (int i = 0; i < EXPERIMENT_KINDS; i++) {
		const char *need = need_of(experiments, (enum experiment_kind)i);

		if (experiments->with[i] && need != NULL)
			failure_set(failure, "the experiment %s needs %s", kinds[i].name,
				    need);
		experiments->with[i] = experiments->with[i] && need == NULL;
		any |= experiments->with[i];
	}
	return any ? 0 : -1;
}

/* Whether its rates are found by calibrate(). */
static bool needs_rates(const struct experiments *experiments, enum experiment_kind kind)
{
	if (kind == EXPERIMENT_RATE)
		return experiments->with[kind] && experiments->rate_count == 0;
	return kind == EXPERIMENT_COST && experiments->with[kind] &&
	       experiments->cost_rate <= 0;
}

int experiments_plan(struct experiments *experiments, struct failure *failure)
{
	for (int kind = 0; kind < EXPERIMENT_KINDS; kind++) {
		struct experiment *experiment = &experiments->all[kind];

		if (!experiments->with[kind])
			continue;
		experiment->name = kinds[kind].name;
		experiment->title = kinds[kind].title;
		experiment->x_name = kinds[kind].x_name;
		experiment->x_one = kinds[kind].x_one;
		experiment->service = experiments->service;
		experiment->rounds = experiments->rounds;
		memcpy(experiment->rows, experiments->rows,
		       experiments->row_count * sizeof *experiments->rows);
		experiment->row_count = experiments->row_count;
		if (planners[kind](experiments, experiment, failure) < 0)
			return -1;
		experiments->runs += kind == EXPERIMENT_TIMELINE
					     ? experiment->row_count
					     : experiment->rounds *
						       experiment->point_count *
						       experiment->row_count;
	}
	if (needs_rates(experiments, EXPERIMENT_RATE) ||
	    needs_rates(experiments, EXPERIMENT_COST))
		experiments->runs += experiments->row_count;
	return 0;
}

unsigned experiments_seconds(const struct experiments *experiments)
{
	return (unsigned)((int64_t)experiments->runs *
			  (experiments->base.duration + START_AND_STOP) / 1000) +
	       1;
}

/* ---- the runs ---- */

static void show_progress(struct experiments *experiments,
			  const struct experiment *experiment, unsigned round, double x,
			  const char *row)
{
	int64_t spent = clock_milliseconds() - experiments->began;
	unsigned left = experiments->runs - experiments->done;

	if (!experiments->shows_progress)
		return;
	fprintf(stderr, "\r\033[K%s: round %u of %u, %g %s, %s", experiment->name,
		round + 1, experiment->rounds, x, experiment->x_name, row);
	if (experiments->done > 0)
		fprintf(stderr, "; about %jd s left",
			(intmax_t)(spent * left / experiments->done + 999) / 1000);
	fflush(stderr);
}

static void end_progress(const struct experiments *experiments)
{
	if (experiments->shows_progress)
		fprintf(stderr, "\r\033[K");
}

/* Whether this row has failed in the same way at an earlier point: it is said once. */
static bool is_repeated(const struct experiment *experiment, unsigned point, unsigned row)
{
	const char *text = experiment->failures[point][row].text;

	for (unsigned i = 0; i < experiment->point_count; i++)
		if (i != point && strcmp(experiment->failures[i][row].text, text) == 0)
			return true;
	return false;
}

static void run_once(struct experiments *experiments, struct experiment *experiment,
		     unsigned round, unsigned point, unsigned row)
{
	struct experiment_point *at = &experiment->points[point];
	const struct measurement measurement = {
		.server = &experiment->rows[row].server,
		.plan = &at->plan,
		.options = at->options,
		.quiet = at->quiet,
	};
	struct failure failure = { "" };

	show_progress(experiments, experiment, round, at->x, experiment->rows[row].name);
	if (measure_run(&measurement, experiment_run(experiment, round, point, row),
			&failure) == 0 ||
	    *at->plan.stop)
		return;
	experiment->failures[point][row] = failure;
	end_progress(experiments);
	if (!is_repeated(experiment, point, row))
		message(MESSAGE_ERROR, "%s", failure.text);
}

static void run_experiment(struct experiments *experiments, struct experiment *experiment)
{
	const volatile sig_atomic_t *stop = experiments->base.stop;

	for (unsigned round = 0; round < experiment->rounds; round++)
		for (unsigned point = 0; point < experiment->point_count; point++)
			for (unsigned row = 0; row < experiment->row_count && !*stop;
			     row++) {
				if (!experiment_has_failed(experiment, point, row))
					run_once(experiments, experiment, round, point,
						 row);
				experiments->done++;
			}
}

/* The models whose number of workers is fixed get fewer than there are clients. */
static const char *const *workers_of(const char *model)
{
	static const char *const four[] = { "-j", "4", NULL };
	bool fixed = strcmp(model, "prefork") == 0 || strcmp(model, "pool") == 0;

	return fixed ? four : four + 2;
}

static void run_timelines(struct experiments *experiments, struct experiment *experiment)
{
	const volatile sig_atomic_t *stop = experiments->base.stop;

	for (unsigned row = 0; row < experiment->row_count && !*stop; row++) {
		struct timeline *timeline = &experiments->timelines[row];
		const char *name = experiment->rows[row].name;

		show_progress(experiments, experiment, 0, 0, name);
		memcpy(timeline->name, name, sizeof timeline->name);
		if (timeline_run(timeline, &experiment->rows[row].server,
				 workers_of(name), stop) < 0) {
			end_progress(experiments);
			message(MESSAGE_ERROR, "%s: %s", name, timeline->failure.text);
		}
		experiments->done++;
	}
}

/* What each server can do with a closed loop: the rates of an open loop are chosen by it. */
static void calibrate(struct experiments *experiments, struct experiment *experiment)
{
	struct load_plan plan = experiment->points[0].plan;

	if (experiments->calibrated)
		return;
	experiments->calibrated = true;
	plan.rate = 0;
	for (unsigned row = 0; row < experiment->row_count && !*plan.stop; row++) {
		const struct measurement measurement = {
			.server = &experiment->rows[row].server,
			.plan = &plan,
			.options = experiment->points[0].options,
			.quiet = experiment->points[0].quiet,
		};
		struct run_figures figures = { 0 };
		struct failure failure;

		show_progress(experiments, experiment, 0, plan.connections,
			      experiment->rows[row].name);
		/* a server that fails will do so again, and then it is reported */
		if (measure_run(&measurement, &figures, &failure) == 0 &&
		    figures.served == figures.of && figures.figure[FIGURE_RATE] > 0)
			experiments->saturation[row] = figures.figure[FIGURE_RATE];
		experiments->done++;
	}
}

/* A rate that reads well: two digits, and zeros. */
static double rounded(double rate)
{
	double unit = 1;

	while (rate / unit >= 100)
		unit *= 10;
	return rate < 1 ? 1 : (double)(int64_t)(rate / unit + .5) * unit;
}

/* The rates of slow servers are rounded to the same one. */
static void drop_equal_points(struct experiment *experiment)
{
	unsigned count = 0;

	for (unsigned i = 0; i < experiment->point_count; i++)
		if (count == 0 ||
		    experiment->points[i].x > experiment->points[count - 1].x)
			experiment->points[count++] = experiment->points[i];
	experiment->point_count = count;
}

/* The rates are fractions of the highest rate that the fastest server reached. The rate of the
 * experiment cost is half of the slowest server's rate, so that no server is overloaded. */
static void set_rates(struct experiments *experiments, enum experiment_kind kind)
{
	struct experiment *experiment = &experiments->all[kind];
	double best = 0, worst = 0;

	for (unsigned row = 0; row < experiment->row_count; row++) {
		double rate = experiments->saturation[row];

		best = rate > best ? rate : best;
		worst = rate > 0 && (worst <= 0 || rate < worst) ? rate : worst;
	}
	for (unsigned i = 0; i < experiment->point_count; i++) {
		struct experiment_point *point = &experiment->points[i];

		if (needs_rates(experiments, kind))
			point->x = rounded(kind == EXPERIMENT_COST ? worst / 2
								   : best * point->x);
		point->plan.rate = point->x;
	}
	drop_equal_points(experiment);
}

int experiments_run(struct experiments *experiments, struct failure *failure)
{
	experiments->began = clock_milliseconds();
	for (int i = 0; i < EXPERIMENT_KINDS; i++) {
		enum experiment_kind kind = (enum experiment_kind)i;
		struct experiment *experiment = &experiments->all[kind];

		if (!experiments->with[kind] || *experiments->base.stop)
			continue;
		if (experiment_begin(experiment) < 0)
			return failure_set(failure, "out of memory");
		if (needs_rates(experiments, kind))
			calibrate(experiments, experiment);
		if (kind == EXPERIMENT_RATE || kind == EXPERIMENT_COST)
			set_rates(experiments, kind);
		if (kind == EXPERIMENT_TIMELINE)
			run_timelines(experiments, experiment);
		else
			run_experiment(experiments, experiment);
	}
	end_progress(experiments);
	return 0;
}

static bool has_runs(const struct experiment *experiment)
{
	for (unsigned point = 0;
	     experiment->runs != NULL && point < experiment->point_count; point++)
		for (unsigned row = 0; row < experiment->row_count; row++)
			if (experiment_last_run(experiment, point, row) != NULL)
				return true;
	return false;
}

bool experiments_have_runs(const struct experiments *experiments)
{
	for (int i = 0; i < EXPERIMENT_KINDS; i++)
		if (experiments->with[i] && has_runs(&experiments->all[i]))
			return true;
	for (unsigned row = 0; row < EXPERIMENT_ROWS; row++)
		if (experiments->timelines[row].trace.client_count > 0)
			return true;
	return false;
}

/* One that was not begun has not failed. */
static bool has_failed(const struct experiment *experiment)
{
	if (experiment->runs == NULL)
		return false;
	for (unsigned point = 0; point < experiment->point_count; point++)
		for (unsigned row = 0; row < experiment->row_count; row++)
			if (experiment_has_failed(experiment, point, row) ||
			    experiment_service(experiment, point, row).errors > 0)
				return true;
	return false;
}

bool experiments_failed(const struct experiments *experiments)
{
	bool failed = false;

	for (int kind = 0; kind < EXPERIMENT_KINDS; kind++)
		failed |= experiments->with[kind] && has_failed(&experiments->all[kind]);
	for (unsigned row = 0; row < EXPERIMENT_ROWS; row++)
		failed |= experiments->timelines[row].failure.text[0] != '\0';
	return failed;
}

void experiments_end(struct experiments *experiments)
{
	for (int kind = 0; kind < EXPERIMENT_KINDS; kind++)
		experiment_end(&experiments->all[kind]);
	for (unsigned row = 0; row < EXPERIMENT_ROWS; row++)
		timeline_end(&experiments->timelines[row]);
}
