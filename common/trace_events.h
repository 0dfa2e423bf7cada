/*
 * trace_events - the words of a trace, which the servers write (--trace) and timeline reads.
 *
 * The format is described in sockways-trace(5). A server and a reader must agree on it, so the
 * names are here, once.
 */
#ifndef COMMON_TRACE_EVENTS_H
#define COMMON_TRACE_EVENTS_H

#include <stdbool.h>

/** What can happen to a client. The comment says what follows the name in a line. */
enum trace_event {
	TRACE_CONNECTED,  /* the client has connected; its address. No server writes it */
	TRACE_ACCEPTED,   /* accept(2) has returned the client; its address */
	TRACE_TAKEN,      /* a worker begins to serve it */
	TRACE_PROXIED,    /* the PROXY header names the client; its address */
	TRACE_RECEIVED,   /* bytes have arrived; how many */
	TRACE_REQUEST,    /* the service has consumed input; how many bytes */
	TRACE_INCOMPLETE, /* the service needs more input, and has consumed none */
	TRACE_PAUSED,     /* the service goes on later, without more input */
	TRACE_RESUMED,    /* it goes on */
	TRACE_SENT,       /* the kernel has accepted bytes; how many */
	TRACE_QUEUED,     /* the kernel accepts no more now; how many bytes wait */
	TRACE_DRAINED,    /* nothing waits any more */
	TRACE_HALF_CLOSED, /* the client sends no more */
	TRACE_SHUTDOWN, /* the server sends no more, and waits for the client's close */
	TRACE_CLOSED,   /* the conversation is over; why */
	TRACE_EVENTS,   /* how many there are */
};

/** The first line of a trace is this, the version, and "service=S model=M clock=C". */
#define TRACE_HEADER "# sockways-trace "

enum { TRACE_VERSION = 1 };

/** @return the name of an event, as in a trace: "half-closed" */
const char *trace_event_name(enum trace_event event);

/** Finds the event of that name. @return false if there is none */
bool trace_event_find(const char *name, enum trace_event *event);

/** Whether a number of bytes follows the name. */
bool trace_event_has_bytes(enum trace_event event);

/** Whether a text follows the name, up to the end of the line. */
bool trace_event_has_text(enum trace_event event);

#endif
