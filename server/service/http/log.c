#include "server/service/http/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/address.h"
#include "common/io.h"
#include "common/message.h"
#include "common/text.h"

/* The most that a request line and another field may take: with all else a line is below
 * PIPE_BUF, of which POSIX promises at least 512, and Linux has 4096. */
enum { LINE_TEXT = 1024, FIELD_TEXT = 512, ENTRY_TEXT = 2560, NAME_TEXT = 128 };

static const char *log_name; /* of a file; NULL: nothing to open anew */
static int log_fd = -1;      /* its number stays the same, whatever file it is */
static bool has_reader;      /* it is a pipe or terminal, whose reader may be asleep */
static atomic_bool is_stuck;

static int open_file(const char *name)
{
	return open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static void look_at_kind(void)
{
	struct stat facts;

	has_reader = fstat(log_fd, &facts) == 0 && !S_ISREG(facts.st_mode);
}

int http_log_open(const char *name, struct failure *failure)
{
	bool is_file = name != NULL && strcmp(name, "-") != 0;
	char text[NAME_TEXT];

	if (log_name != NULL)
		close(log_fd);
	log_name = NULL;
	log_fd = name == NULL ? -1 : is_file ? open_file(name) : STDOUT_FILENO;
	if (is_file && log_fd < 0) {
		int error = errno;

		text_escape(name, strlen(name), text, sizeof text);
		return failure_set(failure, "cannot open the log %s: %s", text,
				   strerror(error));
	}
	log_name = is_file ? name : NULL;
	look_at_kind();
	return 0;
}

bool http_log_wanted(void)
{
	return log_fd >= 0;
}

void http_log_reopen(void)
{
	char text[NAME_TEXT];
	int fd;

	if (log_name == NULL)
		return;
	fd = open_file(log_name);
	/* dup2() puts the new file in the place of the old one in one step: there is no
	 * moment at which a thread finds the number closed, or given to a client. */
	if (fd < 0 || dup2(fd, log_fd) < 0 || io_set_close_on_exec(log_fd) < 0) {
		int error = errno;

		text_escape(log_name, strlen(log_name), text, sizeof text);
		message(MESSAGE_ERROR,
			"cannot open the log %s anew: %s; going on with the old one",
			text, strerror(error));
	}
	if (fd >= 0)
		close(fd);
}

/* "[2001:db8::1]:53412" without brackets and port. Returns its length. */
static size_t find_host(const char **peer)
{
	const char *end = strrchr(*peer, ':');

	if (**peer == '[') {
		++*peer;
		end = strchr(*peer, ']');
	}
	return end != NULL ? (size_t)(end - *peer) : strlen(*peer);
}

static const char *shown(const struct http_log_text *text, char *out, size_t size)
{
	if (text->length == 0)
		return "-";
	text_escape_quoted(text->bytes, text->length, out, size);
	return out;
}

/* The date of the answer says the same in another order:
 * "Sun, 06 Nov 1994 08:49:37 GMT" is "06/Nov/1994:08:49:37 +0000". */
void http_log(const struct http_log_entry *entry)
{
	char line[LINE_TEXT], referer[FIELD_TEXT], agent[FIELD_TEXT];
	char text[ENTRY_TEXT], bytes[24] = "-";
	const char *peer = entry->peer, *date = entry->date;
	int host = (int)find_host(&peer), length;

	if (entry->bytes > 0)
		snprintf(bytes, sizeof bytes, "%" PRIu64, entry->bytes);
	length = snprintf(
		text, sizeof text,
		"%.*s - - [%.2s/%.3s/%.4s:%.8s +0000] \"%s\" %d %s \"%s\" \"%s\"\n",
		host < ADDRESS_TEXT ? host : ADDRESS_TEXT, peer, date + 5, date + 8,
		date + 12, date + 17, shown(&entry->line, line, sizeof line),
		entry->status, bytes, shown(&entry->referer, referer, sizeof referer),
		shown(&entry->agent, agent, sizeof agent));
	if (length <= 0 || (size_t)length >= sizeof text)
		return;
	if (has_reader)
		io_write_unless_stuck(log_fd, text, (size_t)length, &is_stuck);
	else
		io_write(log_fd, text, (size_t)length);
}
