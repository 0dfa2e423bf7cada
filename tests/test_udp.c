#include "tests/suites.h"
Suite *suite_udp(void)
{
	return suite_create("udp");
}
