#include "tests/suites.h"
#include "tests/waiting.h"
Suite *suite_filed(void)
{
 return suite_create("filed");
}
