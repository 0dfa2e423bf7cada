#include "common/tcp_cookies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

enum { LINE = 8192 }; /* longer than either line of TcpExt */

/* The place of a name in a line of them; -1 if it is not there. */
static int place_of(char *names, const char *name)
{
	char *rest = names, *word;

	for (int i = 0; (word = strtok_r(rest, " \n", &rest)) != NULL; i++)
		if (strcmp(word, name) == 0)
			return i;
	return -1;
}

static bool number_at(char *values, int place, uint64_t *number)
{
	char *rest = values, *word;

	for (int i = 0; (word = strtok_r(rest, " \n", &rest)) != NULL; i++)
		if (i == place)
			return text_number(word, 0, UINT64_MAX, number);
	return false;
}

/* The file has two lines for each group, of the names and of the numbers; both begin with
 * the name of the group. */
bool tcp_cookies_sent(uint64_t *count)
{
	static const char group[] = "TcpExt:";
	char names[LINE], values[LINE];
	FILE *file = fopen("/proc/net/netstat", "re");
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fgets(names, sizeof names, file) != NULL &&
	       fgets(values, sizeof values, file) != NULL)
		if (strncmp(names, group, sizeof group - 1) == 0)
			found = number_at(values, place_of(names, "SyncookiesSent"),
					  count);
	fclose(file);
	return found;
}
