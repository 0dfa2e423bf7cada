/*
 * trace_events - a table of names. It is searched from its beginning: a reader of a trace spends
 * more time on the numbers of a line.
 */
#include "common/trace_events.h"

#include <string.h>

static const char *const names[TRACE_EVENTS] = {
	[TRACE_CONNECTED] = "connected",
	[TRACE_ACCEPTED] = "accepted",
	[TRACE_TAKEN] = "taken",
	[TRACE_PROXIED] = "proxied",
	[TRACE_RECEIVED] = "received",
	[TRACE_REQUEST] = "request",
	[TRACE_INCOMPLETE] = "incomplete",
	[TRACE_PAUSED] = "paused",
	[TRACE_RESUMED] = "resumed",
	[TRACE_SENT] = "sent",
	[TRACE_QUEUED] = "queued",
	[TRACE_DRAINED] = "drained",
	[TRACE_HALF_CLOSED] = "half-closed",
	[TRACE_SHUTDOWN] = "shutdown",
	[TRACE_CLOSED] = "closed",
};

const char *trace_event_name(enum trace_event event)
{
	return names[event];
}

bool trace_event_find(const char *name, enum trace_event *event)
{
	for (int i = 0; i < TRACE_EVENTS; i++)
		if (strcmp(names[i], name) == 0) {
			*event = (enum trace_event)i;
			return true;
		}
	return false;
}

bool trace_event_has_bytes(enum trace_event event)
{
	return event == TRACE_RECEIVED || event == TRACE_REQUEST || event == TRACE_SENT ||
	       event == TRACE_QUEUED;
}

bool trace_event_has_text(enum trace_event event)
{
	return event == TRACE_CONNECTED || event == TRACE_ACCEPTED ||
	       event == TRACE_PROXIED || event == TRACE_CLOSED;
}
