/*
 * accept_lock - a mutex that processes share: whoever holds it accepts the next client.
 */
#ifndef SERVER_CORE_ACCEPT_LOCK_H
#define SERVER_CORE_ACCEPT_LOCK_H

#include <stdbool.h>

struct accept_lock;

enum { ACCEPT_LOCK_WAIT = 2 }; /* seconds */

/** Whether the system has such a mutex. */
bool accept_lock_exists(void);

/** Creates it, before fork(2); never destroyed. @return it, or NULL with errno (ENOMEM,
 *  ENOTSUP: the system has no such mutex) */
struct accept_lock *accept_lock_create(void);

/** Waits until this process holds the lock. A signal is handled, but does not end the wait.
 *  @return false after ACCEPT_LOCK_WAIT seconds without it: the owner may be stopped (SIGSTOP),
 *          so look whether the server stops, and try again */
bool accept_lock_take(struct accept_lock *lock);

void accept_lock_release(struct accept_lock *lock);

#endif
