/*
 * Runs every suite and prints Check's summary.
 *
 * CK_RUN_SUITE=name runs one; CK_FORK=no stays in one process, for a debugger.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/suites.h"

int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

#define SUITE(name) srunner_add_suite(runner, suite_##name());
	SUITES
#undef SUITE
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
