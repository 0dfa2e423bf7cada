#include "tests/models.h"

#include <stdio.h>
#include <string.h>

enum { MOST_MODELS = 32, NAME_TEXT = 32, PROGRAM_TEXT = 64 };

static char names[MOST_MODELS][NAME_TEXT];
static int count;

/* SOCKWAYS_MODELS is "iterative fork thread select". */
static void read_names(void)
{
	const char *name = SOCKWAYS_MODELS;

	while (count < MOST_MODELS && sscanf(name, "%31s", names[count]) == 1) {
		name = strstr(name, names[count]) + strlen(names[count]);
		count++;
	}
}

int models_count(void)
{
	if (count == 0)
		read_names();
	return count;
}

const char *model_name(int model)
{
	ck_assert_int_lt(model, models_count());
	return names[model];
}

bool model_is(int model, const char *name)
{
	return strcmp(model_name(model), name) == 0;
}

bool model_serves_many(int model)
{
	return !model_is(model, "iterative");
}

const char *model_program(int model, const char *service)
{
	static char programs[MOST_MODELS][PROGRAM_TEXT];

	snprintf(programs[model], PROGRAM_TEXT, "%sd-%s", service, model_name(model));
	return programs[model];
}

struct server model_start(int model, const char *service, const char *const options[])
{
	return server_start(model_program(model, service), options);
}
