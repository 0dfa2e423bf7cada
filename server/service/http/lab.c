/*
 * lab - reads the targets of --lab, and makes the bytes of /bytes/N.
 *
 * Each byte depends only on its offset. So a body of a gigabyte is made piece by piece
 * while the client reads it, and needs no memory for each client but its offset. The cost
 * is about a nanosecond a byte.
 */
#include "server/service/http/lab.h"

#include <limits.h>
#include <string.h>

#include "common/text.h"
#include "server/service/http/path.h"

enum { LINE = 16 };

static const struct {
	const char *name;
	enum http_lab_kind kind;
	uint64_t most;
	const char *why;
} targets[] = {
	{ "bytes/", HTTP_LAB_BYTES, HTTP_LAB_BYTES_MOST,
	  "/bytes/N needs a number of bytes from 0 to 1073741824" },
	{ "delay/", HTTP_LAB_DELAY, HTTP_LAB_DELAY_MOST,
	  "/delay/MS needs a number of milliseconds from 0 to 60000" },
};

struct http_lab http_lab_find(const char *path, size_t length)
{
	struct http_lab lab = { .kind = HTTP_LAB_NONE };
	char name[PATH_MAX];
	const char *why;

	if (http_path_name(path, length, name, &why) != 0)
		return lab;
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		size_t prefix = strlen(targets[i].name);

		if (strncmp(name, targets[i].name, prefix) != 0)
			continue;
		lab.kind = targets[i].kind;
		if (!text_number(name + prefix, 0, targets[i].most, &lab.number)) {
			lab.kind = HTTP_LAB_BAD;
			lab.why = targets[i].why;
		}
	}
	return lab;
}

void http_lab_make(char *bytes, size_t n, uint64_t offset)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		uint64_t line = (offset + i) / LINE * LINE;
		unsigned column = (unsigned)((offset + i) % LINE);

		bytes[i] = column == LINE - 1
				   ? '\n'
				   : digits[line >> 4 * (LINE - 2 - column) & 15];
	}
}
