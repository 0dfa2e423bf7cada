#include "tests/suites.h"
Suite *suite_small_services(void)
{
	return suite_create("small_services");
}
