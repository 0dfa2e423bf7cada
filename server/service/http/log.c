/*
 * log - writes the access log, and survives a log that cannot be written.
 *
 * Each line is one write(2) to a descriptor in append mode, so no lock is needed between
 * processes and threads. A pipe or terminal is waited for at most a tenth of a second;
 * then the line is lost. The number of lost lines is in shared memory, because all
 * processes write the same log and only one of them should report it. The cost is one
 * write(2) for each answer.
 */
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
#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/process.h"
#include "common/text.h"

/* The most characters of a request line and of another field. With everything else a
 * line is shorter than PIPE_BUF, which is at least 512 in POSIX and 4096 on Linux. */
enum { LINE_TEXT = 1024, FIELD_TEXT = 512, ENTRY_TEXT = 2560, NAME_TEXT = 128 };

/* The shortest time between two messages about lost lines, in milliseconds. With a
 * slow reader they would otherwise alternate. */
enum { REPORT_INTERVAL = 60000 };

/* The losses of all processes together, so that only one process reports them. */
struct losses {
	atomic_ullong lines;  /* lost lines that are not reported yet */
	atomic_bool reported; /* it was reported that lines are lost */
	atomic_llong next_report_at;
	struct io_lines lines_written;
};

static const char *log_name;     /* the name of the log file; NULL: no file to reopen */
static char shown[NAME_TEXT];    /* its name in messages */
static int log_fd = -1;          /* the number stays the same when the file is reopened */
static atomic_bool needs_reader; /* the log is a pipe or terminal, which needs a reader */
static struct losses *losses;    /* NULL before the log is opened */

/* O_NONBLOCK: otherwise open(2) of a FIFO would wait for a reader, and write(2) for a
 * reader that is too slow. A log must not stop the server. */
static int open_file(const char *name)
{
	return open(name,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		    0640);
}

/* Finds out the kind of the log, and whether an earlier server has left an incomplete
 * line at its end. */
static void look_at_file(void)
{
	struct stat facts;

	atomic_store(&needs_reader,
		     fstat(log_fd, &facts) == 0 && !S_ISREG(facts.st_mode));
	if (log_name != NULL && !atomic_load(&needs_reader))
		atomic_store(&losses->lines_written.cut, io_ends_in_a_line(log_name));
}

/* The reason for an errno of the log, in terms of a log. */
static const char *reason(int error)
{
	switch (error) {
	case ENXIO:
	case EPIPE:
		return "no process reads from it";
	case EAGAIN:
		return "its reader is too slow";
	default:
		return strerror(error);
	}
}

static void name_for_messages(const char *name)
{
	char text[NAME_TEXT - 2];

	text_escape(name, strlen(name), text, sizeof text);
	snprintf(shown, sizeof shown,
		 strcmp(name, "-") == 0 ? "(standard output)" : "'%s'", text);
}

static int begin_losses(struct failure *failure)
{
	if (losses == NULL)
		losses = process_shared_memory(sizeof *losses);
	if (losses == NULL)
		return failure_set(failure, "cannot start the log: %s", strerror(errno));
	atomic_store(&losses->lines, 0);
	atomic_store(&losses->reported, false);
	atomic_store(&losses->next_report_at, 0);
	return 0;
}

int http_log_open(const char *name, struct failure *failure)
{
	bool is_file = name != NULL && strcmp(name, "-") != 0;

	if (log_name != NULL)
		close(log_fd);
	log_name = NULL;
	log_fd = -1;
	if (name == NULL)
		return 0;
	if (begin_losses(failure) < 0)
		return -1;
	name_for_messages(name);
	log_fd = is_file ? open_file(name) : STDOUT_FILENO;
	if (log_fd < 0)
		return failure_set(failure, "cannot open the log %s: %s", shown,
				   reason(errno));
	log_name = is_file ? name : NULL;
	look_at_file();
	return 0;
}

bool http_log_wanted(void)
{
	return log_fd >= 0;
}

void http_log_reopen(void)
{
	int fd;

	if (log_name == NULL)
		return;
	fd = open_file(log_name);
	/* dup2() replaces the old file in one step. So no other thread finds the
	 * descriptor closed, or used for a client. */
	if (fd < 0 || dup2(fd, log_fd) < 0 || io_set_close_on_exec(log_fd) < 0)
		message(MESSAGE_ERROR,
			"cannot reopen the log %s: %s; still writing to the old one",
			shown, reason(errno));
	if (fd >= 0)
		close(fd);
	look_at_file();
}

/* ---- lost lines ---- */

/* Whether a message may be printed now. If several threads ask at once, only one may. */
static bool may_report(void)
{
	long long at = atomic_load(&losses->next_report_at), now = clock_milliseconds();

	return now >= at && atomic_compare_exchange_strong(&losses->next_report_at, &at,
							   now + REPORT_INTERVAL);
}

static void line_is_lost(int error)
{
	atomic_fetch_add(&losses->lines, 1);
	if (atomic_load(&losses->reported) || !may_report())
		return;
	atomic_store(&losses->reported, true);
	message(MESSAGE_ERROR, "cannot write to the log %s: %s; lines are lost", shown,
		reason(error));
}

/* After a report of lost lines, the first line that is written reports their number at
 * once. Otherwise losses wait for the next report. */
static void line_is_written(void)
{
	unsigned long long lines;

	if (atomic_load_explicit(&losses->lines, memory_order_relaxed) == 0 ||
	    (!atomic_exchange(&losses->reported, false) && !may_report()))
		return;
	lines = atomic_exchange(&losses->lines, 0);
	if (lines > 0)
		message(MESSAGE_ERROR, "writing to the log %s again; %llu %s lost", shown,
			lines, lines == 1 ? "line was" : "lines were");
}

static void write_line(const char *line, size_t length)
{
	ssize_t n = io_write_line(log_fd, line, length, atomic_load(&needs_reader),
				  &losses->lines_written);

	if (n == (ssize_t)length)
		line_is_written();
	else
		line_is_lost(errno);
}

/* ---- the line ---- */

/* Copies the host of an address like "[2001:db8::1]:53412". "pid 7 uid 0", the peer of a
 * UNIX-domain socket, becomes one field: "pid-7-uid-0". */
static const char *host_of(const char *peer, char out[ADDRESS_TEXT])
{
	bool bracket = *peer == '[';
	const char *start = bracket ? peer + 1 : peer;
	const char *end = bracket ? strchr(start, ']') : strrchr(start, ':');
	size_t length = end != NULL ? (size_t)(end - start) : strlen(start);

	if (length >= ADDRESS_TEXT)
		length = ADDRESS_TEXT - 1;
	for (size_t i = 0; i < length; i++)
		out[i] = start[i] == ' ' ? '-' : start[i];
	out[length] = '\0';
	return out;
}

static const char *field(const struct http_log_text *text, char *out, size_t size)
{
	if (text->length == 0)
		return "-";
	text_escape_quoted(text->bytes, text->length, out, size);
	return out;
}

/* The date of the answer is reordered: "Sun, 06 Nov 1994 08:49:37 GMT" becomes
 * "06/Nov/1994:08:49:37 +0000". */
void http_log(const struct http_log_entry *entry)
{
	char line[LINE_TEXT], referer[FIELD_TEXT], agent[FIELD_TEXT];
	char text[ENTRY_TEXT], host[ADDRESS_TEXT], bytes[24] = "-";
	const char *date = entry->date;
	int length;

	if (entry->bytes > 0)
		snprintf(bytes, sizeof bytes, "%" PRIu64, entry->bytes);
	length = snprintf(
		text, sizeof text,
		"%s - - [%.2s/%.3s/%.4s:%.8s +0000] \"%s\" %d %s \"%s\" \"%s\"\n",
		host_of(entry->peer, host), date + 5, date + 8, date + 12, date + 17,
		field(&entry->line, line, sizeof line), entry->status, bytes,
		field(&entry->referer, referer, sizeof referer),
		field(&entry->agent, agent, sizeof agent));
	if (length <= 0 || (size_t)length >= sizeof text)
		return;
	write_line(text, (size_t)length);
}
