/*
 * loops - several event loops of one server, each in a thread of its own.
 *
 * The main thread runs the first loop, and alone receives the signals of the operator. The other
 * threads receive only SIGNAL_INTERRUPT, which ends a wait:
 *
 *     SIGTERM --> main thread --SIGNAL_INTERRUPT--> every loop: the server stops
 *     a client leaves a full server --SIGNAL_INTERRUPT--> every loop: there is room
 *
 * Each connection belongs to the loop that has accepted it, and only this loop frees it.
 * Without a hub the loops share no connection. With a hub, a loop may send what one of its
 * clients has posted to a client of another loop. Therefore one mutex is then held by each loop
 * except while it waits, so that only one loop works at a time.
 *
 * With one loop there is no thread, no mutex and no additional system call.
 */
#ifndef SERVER_CORE_LOOPS_H
#define SERVER_CORE_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/core/loop.h"
#include "server/core/server.h"

/** Adds a loop, after loop_begin(). The first one that is added is that of the main thread.
 *  @p loop must exist until loops_run() returns true. */
void loops_add(struct loop *loop);

/**
 * Runs all loops: calls @p run for each of them, in a thread of its own. @p run must return
 * when loops_go_on() is false.
 *
 * @param ended  receives whether all threads have ended. If not, because one of them computes
 *               for long after the end of the server, nothing that they use may be freed
 * @return 0, or -1 with errno if the threads could not be created; then no loop has run
 */
int loops_run(struct server *server, void (*run)(struct loop *), bool *ended);

/** The condition of the while statement of a loop, to be asked in each turn. In the main
 *  thread: server_running(), and tells the other loops when the server stops. */
bool loops_go_on(struct loop *loop);

/** Handles the result of the call in which a loop waited, as server_wait_result(). Any of the
 *  threads may call it, for its own loop. */
int loops_wait_result(struct loop *loop, int ready);

/** After a wait: locks the mutex, if there are several loops and a hub. What the kernel
 *  reported before may then be out of date, because another loop has changed or ended a
 *  connection of this one: ask again.
 *  @return whether it has locked the mutex */
bool loops_lock(void);

/** Before a wait: unlocks the mutex. Does nothing if loops_lock() does nothing. */
void loops_unlock(void);

#endif
