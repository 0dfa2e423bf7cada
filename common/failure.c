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
