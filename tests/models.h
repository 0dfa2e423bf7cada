/*
 * models - the models that there are, for tests that must hold in every one of them.
 *
 *	START_TEST(echoes)
 *	{
 *		struct server server = model_start(_i, "echo", NULL);
 *		...
 *	tcase_add_loop_test(tcase, echoes, 0, models_count());
 *
 * The list is the Makefile's MODELS: a new model is tested as soon as it is made.
 */
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include <stdbool.h>

#include "tests/harness.h"

/** How many models there are. */
int models_count(void);

/** "fork", for a @p model from 0 to models_count() - 1. */
const char *model_name(int model);

bool model_is(int model, const char *name);

/** Whether it serves more than one client at a time. */
bool model_serves_many(int model);

/** "echod-fork". */
const char *model_program(int model, const char *service);

/** Starts that program, with @p options or NULL, by socket activation. */
struct server model_start(int model, const char *service, const char *const options[]);

#endif
