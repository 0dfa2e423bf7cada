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

/* The most that a request line and another field may take: with all else a line is below
 * PIPE_BUF, of which POSIX promises at least 512, and Linux has 4096. */
enum { LINE_TEXT = 1024, FIELD_TEXT = 512, ENTRY_TEXT = 2560, NAME_TEXT = 128 };

/* After a message that lines are lost, or that no more are, so many milliseconds without
 * one: a pipe whose reader is slow would have them alternate. */
enum { TELL_AGAIN = 60000 };

/* How it goes for all processes that write: each would tell of it, client by client. */
struct losses {
	atomic_ullong lines; /* that were lost, and nobody was told how many */
	atomic_bool told;    /* that some are lost */
	atomic_llong tell_again_at;
	struct io_lines lines_written;
};

static const char *log_name;     /* of a file; NULL: nothing to open anew */
static char shown[NAME_TEXT];    /* what messages call it */
static int log_fd = -1;          /* its number stays the same, whatever file it is */
static atomic_bool needs_reader; /* it is a pipe or terminal: somebody must read it */
static struct losses *losses;    /* NULL until there is a log */

/* Of a pipe without a reader open(2) would wait for one, for ever, and write(2) for a reader
 * that sleeps: a log must not stop the server. */
static int open_file(const char *name)
{
	return open(name,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		    0640);
}

/* What it is; and whether a server that ran before has left half a line at its end. */
static void look_at_file(void)
{
	struct stat facts;

	atomic_store(&needs_reader,
		     fstat(log_fd, &facts) == 0 && !S_ISREG(facts.st_mode));
	if (log_name != NULL && !atomic_load(&needs_reader))
		atomic_store(&losses->lines_written.cut, io_ends_in_a_line(log_name));
}

/* What errno of the log means to its owner. */
static const char *reason(int error)
{
	switch (error) {
	case ENXIO:
	case EPIPE:
		return "nobody reads from it";
	case EAGAIN:
		return "its reader does not keep up";
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
		return failure_set(failure, "cannot begin the log: %s", strerror(errno));
	atomic_store(&losses->lines, 0);
	atomic_store(&losses->told, false);
	atomic_store(&losses->tell_again_at, 0);
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
	/* dup2() puts the new file in the place of the old one in one step: there is no
	 * moment at which a thread finds the number closed, or given to a client. */
	if (fd < 0 || dup2(fd, log_fd) < 0 || io_set_close_on_exec(log_fd) < 0)
		message(MESSAGE_ERROR,
			"cannot open the log %s anew: %s; going on with the old one",
			shown, reason(errno));
	if (fd >= 0)
		close(fd);
	look_at_file();
}

/* ---- what is lost ---- */

/* Whether it is time for a message; of many who ask at once one is told so. */
static bool may_tell(void)
{
	long long at = atomic_load(&losses->tell_again_at), now = clock_milliseconds();

	return now >= at && atomic_compare_exchange_strong(&losses->tell_again_at, &at,
							   now + TELL_AGAIN);
}

static void line_is_lost(int error)
{
	atomic_fetch_add(&losses->lines, 1);
	if (atomic_load(&losses->told) || !may_tell())
		return;
	atomic_store(&losses->told, true);
	message(MESSAGE_ERROR, "cannot write to the log %s: %s; lines are lost", shown,
		reason(error));
}

/* The end of what was told is told, too, and at once; else the lines are added to those
 * that will be. */
static void line_is_written(void)
{
	unsigned long long lines;

	if (atomic_load_explicit(&losses->lines, memory_order_relaxed) == 0 ||
	    (!atomic_exchange(&losses->told, false) && !may_tell()))
		return;
	lines = atomic_exchange(&losses->lines, 0);
	if (lines > 0)
		message(MESSAGE_ERROR, "the log %s is written again; %llu %s lost", shown,
			lines, lines == 1 ? "line is" : "lines are");
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

static const char *field(const struct http_log_text *text, char *out, size_t size)
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
		date + 12, date + 17, field(&entry->line, line, sizeof line),
		entry->status, bytes, field(&entry->referer, referer, sizeof referer),
		field(&entry->agent, agent, sizeof agent));
	if (length <= 0 || (size_t)length >= sizeof text)
		return;
	write_line(text, (size_t)length);
}
