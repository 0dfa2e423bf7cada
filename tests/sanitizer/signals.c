/*
 * Linked with every program that is built with SAN=thread.
 *
 * The thread sanitizer makes a record of a thread's signals when the thread first blocks, or
 * first receives a signal. A signal that arrives while the record is being made gets a record
 * of its own, which the other one then replaces (seen with gcc 12): the handler never runs,
 * and the server does not stop. So the main thread has its record before there is a handler.
 */
#include <poll.h>
#include <stddef.h>

__attribute__((constructor)) static void make_record_of_signals(void)
{
	poll(NULL, 0, 0);
}
