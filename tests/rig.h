/*
 * rig - a connection on a bench: one connection of the engine, with a service made for the
 * purpose, over a socket whose other end is the test's.
 *
 *	struct rig rig;
 *
 *	rig_start(&rig, _i, &service);
 *	client_send(rig.client, "hello", 5);
 *	client_expect(rig.client, "hello", 5);
 *	rig_end(&rig);
 *
 * A thread serves it, blocking or in the least loop that there can be; or the test itself
 * does the loop's turns (rig_make(), connection_begin(), rig_do_what_is_possible()).
 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/core/connection.h"
#include "tests/client.h"
#include "tests/waiting.h"

enum socket_kind { TCP, LOCAL, RECORDS };

struct form {
	bool nonblocking;
	enum socket_kind kind;
};

/** In which ways a connection can be served: those on TCP, which knows resets, come first. */
enum { RIG_FORMS = 4, RIG_TCP_FORMS = 2 };
extern const struct form rig_forms[RIG_FORMS];

struct rig {
	struct model model;
	struct server server;
	struct connection *connection;
	struct worker worker;
	int client;
	pthread_t thread;
	atomic_bool stop, over;
};

/** The service's close, so that rig_join() can see that it was called once. */
void rig_count_close(struct session *session);

/** Makes one whose service nobody calls yet. @param idle_timeout  milliseconds, 0 never */
void rig_make(struct rig *rig, struct form form, const struct service *service,
	      int64_t idle_timeout);

/** Has a thread serve it, to its end. */
void rig_serve(struct rig *rig);

/** Both, in the way of rig_forms[@p form], without an idle timeout. */
void rig_start(struct rig *rig, int form, const struct service *service);

/** The server stops. */
void rig_stop(struct rig *rig);

/** Whether the thread has served it to its end. @param rig  a struct rig */
bool rig_is_over(void *rig);

/** The connection must end by itself. */
void rig_join(struct rig *rig);

/** The client closes; then the connection must end. */
void rig_end(struct rig *rig);

/** How much has come from the client, and how much has gone to it. */
uint64_t rig_bytes_in(const struct rig *rig);
uint64_t rig_bytes_out(const struct rig *rig);

/** Waits until so much has come from the client. */
void rig_wait_for_arrival(struct rig *rig, uint64_t count);

/** What its descriptor is ready for of that for which it waits; 0 for nothing. */
unsigned rig_ready(const struct rig *rig);

/** A loop's turns, until there is nothing that could be done without waiting. */
void rig_do_what_is_possible(struct rig *rig);

#endif
