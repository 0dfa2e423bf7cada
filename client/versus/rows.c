/*
 * rows - the rows of the comparison: see client/versus/rows.h.
 *
 * A row is known by its name, in the tables and in the files, so two rows never have the same.
 */
#include "client/versus/rows.h"

#include <string.h>

#include "client/versus/server_command.h"

static bool is_taken(const struct comparison *comparison, const char *name)
{
	for (unsigned i = 0; i < comparison->model_count; i++)
		if (strcmp(comparison->models[i], name) == 0)
			return true;
	return false;
}

/* A server of inetd has no listening socket: it gets one client from its starter. */
static bool listens(const char *model)
{
	return strcmp(model, "inetd") != 0;
}

/* A row for a model of the suite. @return 0, or -1 with *failure */
static int add_model(struct settings *settings, const char *model,
		     struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;

	if (!listens(model))
		return failure_set(failure,
				   "a server of %s does not listen: versus cannot "
				   "load it",
				   model);
	if (comparison->model_count == COMPARISON_MODELS)
		return failure_set(failure, "too many models (at most %d)",
				   COMPARISON_MODELS);
	if (server_process_find(&comparison->servers[comparison->model_count],
				settings->program, comparison->service, model,
				failure) < 0)
		return -1;
	comparison->models[comparison->model_count++] = model;
	return 0;
}

/* All models of the suite that are installed.
 * @return 0, or -1 with *failure: there is none; it names the last one */
static int add_all_models(struct settings *settings, struct failure *failure)
{
	static char known[] = SOCKWAYS_MODELS; /* strtok_r writes to it */
	char *rest = known, *model;

	while ((model = strtok_r(rest, " ", &rest)) != NULL)
		if (listens(model) && !is_taken(&settings->comparison, model))
			(void)add_model(settings, model, failure);
	return settings->comparison.model_count > 0 ? 0 : -1;
}

/* The rows of --server, after those of the models. */
static int add_commands(struct settings *settings, struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;

	for (unsigned i = 0; i < settings->command_count; i++) {
		struct server_process *server =
			&comparison->servers[comparison->model_count];
		char name[SERVER_PROCESS_NAME];

		if (comparison->model_count == COMPARISON_MODELS)
			return failure_set(failure, "too many servers (at most %d)",
					   COMPARISON_MODELS);
		*server = settings->commands[i];
		memcpy(name, server->name, sizeof name);
		if (settings->named[i] && is_taken(comparison, name))
			return failure_set(failure, "the name %s is given twice", name);
		for (unsigned n = 2; is_taken(comparison, server->name); n++) {
			memcpy(server->name, name, sizeof name);
			server_command_number(server, n);
		}
		comparison->models[comparison->model_count++] = server->name;
	}
	return 0;
}

int rows_take(struct settings *settings, char **models, int count,
	      struct failure *failure)
{
	const struct comparison *comparison = &settings->comparison;

	if (count == 0 && settings->command_count == 0)
		return add_all_models(settings, failure);
	for (int i = 0; i < count; i++) {
		if (strcmp(models[i], "all") == 0) {
			if (add_all_models(settings, failure) < 0)
				return -1;
			continue;
		}
		if (is_taken(comparison, models[i]))
			return failure_set(failure, "the model %s is given twice",
					   models[i]);
		if (add_model(settings, models[i], failure) < 0)
			return -1;
	}
	return add_commands(settings, failure);
}
