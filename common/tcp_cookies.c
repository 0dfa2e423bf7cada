/*
 * tcp_cookies - reads the number of sent SYN cookies from /proc/net/netstat (Linux).
 *
 * The file has the names and the values of a group in two lines, so the column of a name is
 * found in the first and read in the second.
 */
#include "common/tcp_cookies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

enum { LINE = 8192 }; /* longer than any line of TcpExt */

/* The column of a name in a line of names; -1 if it is missing. */
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

/* Each group has two lines, of names and of values; both start with the name of the
 * group. */
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
