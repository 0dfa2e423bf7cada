/*
 * message - messages to the operator, one write(2) per line on standard error.
 *
 * A line is built in a buffer first, so that lines of many processes do not mix. See
 * io_write_line() for a full disk and for a reader that does not read.
 */
#include "common/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/io.h"

enum { LINE_LONGEST = 1024 };

static const char *program = "?";
static enum message_level wanted = MESSAGE_NOTICE;
static bool in_system_log;
static struct io_lines own_lines, *lines = &own_lines;

void message_program(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	if (slash != NULL)
		program = slash + 1;
	else if (argv0 != NULL)
		program = argv0;
}

const char *message_program_name(void)
{
	return program;
}

void message_to_system_log(void)
{
	openlog(program, LOG_PID, LOG_DAEMON);
	in_system_log = true;
}

void message_share(void)
{
	struct io_lines *shared = io_lines_create();

	if (shared != NULL)
		lines = shared;
}

void message_set_level(enum message_level level)
{
	wanted = level;
}

bool message_wanted(enum message_level level)
{
	return level <= wanted;
}

static int system_priority(enum message_level level)
{
	static const int priorities[] = {
		[MESSAGE_ERROR] = LOG_ERR,
		[MESSAGE_NOTICE] = LOG_NOTICE,
		[MESSAGE_CLIENT] = LOG_INFO,
		[MESSAGE_EVENT] = LOG_DEBUG,
	};

	return priorities[level];
}

static void write_line(enum message_level level, const char *prefix, int prefix_length,
		       const char *format, va_list arguments)
{
	char line[LINE_LONGEST];
	size_t used = 0;
	int n;

	if (prefix_length > 0) /* if the line was cut, vsnprintf(3) has used one byte
			        * for the NUL */
		used = prefix_length < LINE_LONGEST / 2 ? (size_t)prefix_length
							: LINE_LONGEST / 2 - 1;
	memcpy(line, prefix, used);
	n = vsnprintf(line + used, sizeof line - used, format, arguments);
	if (n > 0)
		used += (size_t)n < sizeof line - used ? (size_t)n
						       : sizeof line - used - 1;
	/* callers escape what others have sent; what is left, such as the name of a file, must
	 * not control the terminal either */
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == '\177')
			line[i] = '?';
	if (in_system_log) {
		syslog(system_priority(level), "%.*s", (int)used, line);
		return;
	}
	line[used++] = '\n';
	/* a failed message cannot be reported */
	io_write_line(STDERR_FILENO, line, used, true, lines);
}

void message(enum message_level level, const char *format, ...)
{
	int saved = errno;

	if (message_wanted(level)) {
		char prefix[LINE_LONGEST / 2] = "";
		va_list arguments;
		int length = in_system_log /* it adds the name itself */
				     ? 0
				     : snprintf(prefix, sizeof prefix, "%s: ", program);

		va_start(arguments, format);
		write_line(level, prefix, length, format, arguments);
		va_end(arguments);
	}
	errno = saved;
}

void message_about(enum message_level level, const char *who, const char *format, ...)
{
	int saved = errno;

	if (message_wanted(level)) {
		char prefix[LINE_LONGEST / 2] = "";
		va_list arguments;
		int length = in_system_log ? snprintf(prefix, sizeof prefix, "%s: ", who)
					   : snprintf(prefix, sizeof prefix,
						      "%s[%ld]: %s: ", program,
						      (long)getpid(), who);

		va_start(arguments, format);
		write_line(level, prefix, length, format, arguments);
		va_end(arguments);
	}
	errno = saved;
}
