/*
 * failure - an error as a value: one line of text.
 *
 * A fixed buffer: setting an error needs no memory, so it also works when memory is
 * exhausted. Longer lines are cut.
 */
#include "common/failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, const char *format, ...)
{
	va_list arguments;

	if (failure == NULL)
		return -1;
	va_start(arguments, format);
	if (vsnprintf(failure->text, sizeof failure->text, format, arguments) < 0)
		failure->text[0] = '\0';
	va_end(arguments);
	return -1;
}
