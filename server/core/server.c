/*
 * server - accepts clients, and stops accepting when there is no room.
 *
 *                   +---------------- a client leaves, or retry_at -----------+
 *                   v                                                         |
 *   begin --> accepting --- -c reached, EMFILE, ENOMEM, fork fails ... ---> full
 *                   |                                                         |
 *                   +--- SIGTERM, SIGINT, --exit-idle ---> stopping <---------+
 *                                                             |
 *                                    no client is left, or after SERVER_GRACE: ended
 *
 * While the server is full, the listener is not in the set that pselect(2) waits for.
 * Otherwise each wait would end at once. A client that was accepted, but for which no
 * worker could be created, is held. It is the next client to be served when there is
 * room.
 */
#include "server/core/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/poll_with_mask.h"
#include "common/process.h"
#include "common/sock.h"
#include "server/core/connection.h"
#include "server/core/handover.h"
#include "server/core/operator.h"
#include "server/core/served.h"
#include "server/core/signals.h"
#include "server/core/trace.h"
#include "server/hub/place.h"

static const char out_of_descriptors[] = "out of descriptors";

/* In milliseconds. RETRY: a shortage that another process causes (ENFILE, ENOMEM) can end
 * although no client of this server leaves, so the server tries again after this time.
 * RETRY_SOON: a thread's stack is freed shortly after its client has left, so the first
 * retry comes early. */
enum {
	RETRY_SOON = 5,
	RETRY = RETRY_LONGEST,
	STOP_TICK = 100,
};

/* Signals are delivered while pselect(2) waits, and under a flood of clients it never
 * waits. So they are also let in after this many clients in a row. The number is not
 * smaller, so that clients that were in the backlog before a stop signal are still
 * served. */
enum { IN_A_ROW = 4096 };

/* Descriptors that are open only for a moment: a directory on the path to a file, or a
 * file that a library reads. */
enum { FOR_A_MOMENT = 4 };

/* The most clients that are accepted at a time. */
static unsigned most_accepted(const struct server *server)
{
	return server->max_clients + server->queued_most;
}

/* Returns the number of clients. While the server stops, a worker process that has not ended
 * counts as one: it may have accepted a client just now. */
static unsigned count_clients(struct server *server)
{
	if (server->served == NULL)
		return atomic_load(&server->clients);
	return atomic_load(&server->stopping) ? served_processes(server->served)
					      : served_clients(server->served);
}

/* Returns whether one more client can be served. */
static bool has_room(struct server *server)
{
	return server->served != NULL ? served_find_idle(server->served) >= 0
				      : atomic_load(&server->clients) < server->room;
}

static int64_t empty_since(struct server *server)
{
	return server->served != NULL ? atomic_load(&server->served->empty_since)
				      : atomic_load(&server->empty_since);
}

unsigned server_files_of_session(const struct server *server)
{
	int files = server->service->descriptors;

	return files == 0 ? SERVICE_DESCRIPTORS : files > 0 ? (unsigned)files : 0;
}

/* Returns the lowest free descriptor; -1 if there is none. */
static int next_descriptor(void)
{
	int next = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0); /* open: io_begin() */

	if (next >= 0)
		close(next);
	return next;
}

/* Returns how many clients the server can have if all descriptors, including those of the
 * files that the clients request, are below this limit. */
static unsigned clients_below(const struct server *server, uint64_t limit)
{
	unsigned each = 1 + server_files_of_session(server);
	int next = next_descriptor(); /* all below it are taken */
	uint64_t others = (uint64_t)next + FOR_A_MOMENT, clients;

	if (next < 0 || limit < others + each)
		return 1;
	clients = (limit - others) / each;
	return clients < most_accepted(server) ? (unsigned)clients
					       : most_accepted(server);
}

/* A client needs descriptors for the files that it requests, in addition to its socket.
 * If the sockets could use all descriptors, no request could be served. */
static void count_room(struct server *server)
{
	server->room = most_accepted(server);
	if (server->datagrams)
		return;
	server->low_numbers =
		clients_below(server, (uint64_t)server->model->socket_numbers);
	if (server->model->one_process && server_files_of_session(server) > 0)
		server->room = clients_below(server, process_raise_descriptors(0));
}

static void set_options(int fd)
{
	(void)sock_set_nodelay(fd);
	(void)sock_set_keepalive(fd);
	(void)sock_set_urgent_inline(fd);
}

static int begin_listener(struct server *server, unsigned i)
{
	int fd = server->listeners.fds[i];

	/* An fd_set cannot contain it. */
	if (fd >= FD_SETSIZE && (server->datagrams || !server->model->needs_no_fd_set)) {
		errno = EMFILE;
		return -1;
	}
	/* The accept queue may be empty again when accept(2) is called. BSD removes a
	 * client that resets from the queue. Linux leaves it there, but another process
	 * that shares the listener may have accepted it. With a blocking listener
	 * accept(2) would then wait for the next client, and this process would serve no
	 * other client. */
	if (io_set_nonblocking(fd, true) < 0)
		return -1;
	/* Accepted TCP sockets inherit these options from the listener. */
	if (!server->datagrams) {
		set_options(fd);
		server->early[i] = sock_backlog(fd);
	}
	return 0;
}

int server_check_model(const struct server *server, struct failure *failure)
{
	const struct model *model = server->model;

	if (model->name == NULL || model->summary == NULL || model->serve == NULL ||
	    model->most_clients == 0)
		return failure_set(failure,
				   "the model lacks a name, a summary, most_clients or "
				   "serve (server/model.h)");
	if (server->service->hub != NULL && model->hub == NULL)
		return failure_set(failure,
				   "the model %s has no hub, which %s needs: set .hub "
				   "(server/hub/place.h)",
				   model->name, server->service->name);
	if (server->datagrams && model->serve_datagrams == NULL)
		return failure_set(failure, "-u: the model %s does not serve datagrams",
				   model->name);
	return 0;
}

int server_cannot_start(struct failure *failure)
{
	return failure_set(failure, "cannot start: %s", strerror(errno));
}

int server_begin(struct server *server, const struct listeners *listeners,
		 struct failure *failure)
{
	server->listeners = *listeners;
	server->opened = listeners->count;
	server->turn = 0;
	server->wake_at = CLOCK_NEVER;
	server->thread = pthread_self();
	pthread_mutex_init(&server->accept_mutex, NULL);
	server->statistics = statistics_create();
	if (server->statistics == NULL)
		return server_cannot_start(failure);
	for (unsigned i = 0; i < listeners->count; i++)
		if (begin_listener(server, i) < 0)
			return server_cannot_start(failure);
	if (server->model->begin != NULL && server->model->begin(server, failure) < 0)
		return -1;
	count_room(server);
	atomic_store(&server->empty_since, clock_milliseconds());
	atomic_store(&server->retry_after, RETRY_SOON);
	signals_begin(&server->wait_mask, server->service->reopen != NULL);
	server->hub = server->service->hub != NULL ? server->model->hub : NULL;
	if (server->hub != NULL && server->hub->begin(server) < 0)
		return server_cannot_start(failure);
	return 0;
}

/* Keeps an accepted client as the next one to be served. */
static void hold(struct server *server, struct connection *connection)
{
	connection->next = server->held;
	server->held = connection;
}

static struct connection *take_held(struct server *server)
{
	struct connection *connection = server->held;

	server->held = connection->next;
	return connection;
}

/* A client was accepted, but the server stops before a worker has taken it. */
static void release_unserved(struct server *server, struct connection *connection)
{
	if (trace_is_on())
		trace_text(connection_number(connection), TRACE_CLOSED,
			   "not served: the server stops");
	server_release(server, connection);
}

static void release_held(struct server *server)
{
	release_unserved(server, take_held(server));
}

static void begin_stop(struct server *server)
{
	if (server->leaving != NULL)
		server->leaving(server);
	signals_request_stop();
	pthread_mutex_lock(&server->accept_mutex);
	server->stop_at = clock_milliseconds() + SERVER_GRACE;
	server->stopping = true;
	socket_file_remove(&server->file); /* while its socket is open */
	if (!server->datagrams) /* replies to datagrams are sent on these sockets */
		listeners_close(&server->listeners);
	while (server->held != NULL) {
		release_held(server);
		statistics_add(&server->statistics->refused, 1);
	}
	pthread_mutex_unlock(&server->accept_mutex);
	handover_end(server->handover);
}

static bool nobody_came(struct server *server)
{
	return server->exit_idle > 0 && count_clients(server) == 0 &&
	       server->held == NULL &&
	       clock_milliseconds() - empty_since(server) >= server->exit_idle;
}

static void say_ready(struct server *server)
{
	if (server->ready != NULL)
		server->ready(server);
	server->ready = NULL;
}

bool server_running(struct server *server)
{
	say_ready(server);
	operator_attend(server);
	if (!server->stopping && (signals_stop() > 0 || nobody_came(server)))
		begin_stop(server);
	return server_goes_on(server);
}

bool server_goes_on(struct server *server)
{
	if (!server->stopping)
		return true;
	return signals_stop() < 2 && count_clients(server) > 0 &&
	       clock_milliseconds() < server->stop_at;
}

bool server_accepting(struct server *server)
{
	if (atomic_load(&server->full) && clock_milliseconds() >= server->retry_at)
		atomic_store(&server->full, false);
	return !server->stopping && !atomic_load(&server->full) && has_room(server);
}

/* server_timeout() for a thread that accepts no clients: another thread begins to serve the connection
 * that is held, so this thread need not wake up for it. */
static int64_t timeout_of_pause(struct server *server, int64_t until)
{
	int64_t now = clock_milliseconds();

	until = clock_earlier(until, server->wake_at);
	if (trace_is_on())
		until = clock_earlier(until, trace_attend(now));
	if (server->stopping && count_clients(server) == 0)
		return 0; /* the last one has left since server_running() */
	if (server->stopping)
		until = clock_earlier(until,
				      clock_earlier(server->stop_at, now + STOP_TICK));
	if (atomic_load(&server->full))
		until = clock_earlier(until, server->retry_at);
	if (server->exit_idle > 0 && count_clients(server) == 0 && server->held == NULL)
		until = clock_earlier(until, empty_since(server) + server->exit_idle);
	return clock_until(until, now);
}

int64_t server_timeout(struct server *server, int64_t until)
{
	if (server->held != NULL && server_accepting(server))
		return 0;
	return timeout_of_pause(server, until);
}

/* Under a flood the server becomes full many times a second. One line a minute is enough
 * for the log. */
static bool is_worth_a_line(struct server *server, enum message_level level)
{
	struct statistics *shared = server->statistics;

	return message_wanted(level) &&
	       operator_is_due(level == MESSAGE_ERROR ? &shared->lack_repeat_at
						      : &shared->full_repeat_at);
}

/* Signals are delivered only where the model waits, and now it waits here. A signal that
 * arrives just before nanosleep(2) is noticed after it, at most one second later. */
static void sleep_after_failure(struct server *server, const char *what, int error,
				int64_t delay)
{
	if (operator_is_due(&server->statistics->failure_repeat_at))
		message(MESSAGE_ERROR, "%s: %s: trying again", what, strerror(error));
	signals_admit_all(true);
	retry_sleep(delay);
	signals_admit_all(false);
}

int server_wait_result(struct server *server, int ready)
{
	int error = errno;
	int64_t delay;

	if (ready >= 0) {
		retry_succeeded(&server->waits);
		return ready;
	}
	delay = error == EINTR ? 0 : retry_failed(&server->waits);
	if (delay > 0)
		sleep_after_failure(server, "cannot wait for clients", error, delay);
	return 0;
}

bool server_read_failed(struct server *server)
{
	int error = errno;
	int64_t delay = retry_failed(&server->reads);

	if (delay > 0)
		sleep_after_failure(server, "cannot receive datagrams", error, delay);
	return delay == 0;
}

/* Stops accepting until a client leaves, or until retry_at. */
static void pause_accepting(struct server *server, const char *what, int error)
{
	int64_t after = atomic_load(&server->retry_after);

	if (is_worth_a_line(server, MESSAGE_ERROR))
		message(MESSAGE_ERROR, "%s with %u clients (%s): further clients wait",
			what, count_clients(server), strerror(error));
	server->retry_at = clock_milliseconds() + after;
	atomic_store(&server->retry_after, after < RETRY / 2 ? after * 2 : RETRY);
	atomic_store(&server->full, true);
}

void server_lack(struct server *server, const char *what, int error)
{
	if (is_worth_a_line(server, MESSAGE_ERROR))
		message(MESSAGE_ERROR, "%s with %u clients (%s)", what,
			count_clients(server), strerror(error));
}

void server_lost(struct server *server, const struct address *peer, const char *how)
{
	char text[ADDRESS_TEXT];

	if (!operator_is_due(&server->statistics->lost_repeat_at)) {
		server->lost++;
		return;
	}
	if (server->lost == 0)
		message_about(MESSAGE_ERROR, address_text(peer, text), "%s", how);
	else
		message_about(MESSAGE_ERROR, address_text(peer, text),
			      "%s; %u more clients were lost in this way since the last "
			      "such line",
			      how, server->lost);
	server->lost = 0;
}

void server_arrived(struct server *server)
{
	atomic_fetch_add(&server->clients, 1);
	statistics_add(&server->statistics->served, 1);
}

void server_report_full(struct server *server, unsigned clients)
{
	bool chosen = server->room >= most_accepted(server);
	const char *option =
		server->limited_by != NULL ? server->limited_by : "--max-clients";
	enum message_level level = chosen ? MESSAGE_NOTICE : MESSAGE_ERROR;

	if (is_worth_a_line(server, level))
		message(level, "%s with %u clients (%s): further clients wait",
			chosen ? "full" : out_of_descriptors, clients,
			chosen ? option : strerror(EMFILE));
}

/* A client joins the hub before a worker is created for it. */
static struct connection *admit(struct server *server, struct connection *connection)
{
	unsigned clients;

	if (server->hub != NULL && server->hub->join(connection) < 0) {
		hold(server, connection);
		pause_accepting(server, "out of descriptors or memory", errno);
		return NULL;
	}
	clients = atomic_fetch_add(&server->clients, 1) + 1;
	if (server->served != NULL)
		clients = served_clients(server->served) + 1;
	statistics_add(&server->statistics->served, 1);
	/* An iterative server is always full with one client: no message. */
	if ((clients >= server->room || clients == server->max_clients) &&
	    server->model->most_clients > 1)
		server_report_full(server, clients);
	return connection;
}

/* The error concerns one client, which has left again or cannot be reached. The next
 * client may be fine (accept(2), "Error handling"), so the server does not pause for one
 * such error. It pauses only if many of them follow each other, because they may have
 * another cause. */
static void accept_failed_for_client(struct server *server, int error)
{
	if (retry_failed(&server->accepts) > 0)
		pause_accepting(server, "cannot accept", error);
	else
		message(MESSAGE_EVENT, "accept: %s", strerror(error));
}

static void accept_failed(struct server *server, int error)
{
	switch (error) {
	case EAGAIN: /* no client waits */
	case EINTR:  /* a signal */
		retry_succeeded(&server->accepts);
		break;
	case ECONNABORTED:
	case EPROTO:
	case ENOPROTOOPT:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ETIMEDOUT:
#ifdef EHOSTDOWN
	case EHOSTDOWN:
#endif
#ifdef ENONET
	case ENONET:
#endif
		accept_failed_for_client(server, error);
		break;
	case EMFILE:
	case ENFILE:
		pause_accepting(server, out_of_descriptors, error);
		break;
	case ENOMEM:
	case ENOBUFS:
		pause_accepting(server, "out of memory", error);
		break;
	default:
		pause_accepting(server, "cannot accept", error);
	}
}

/* Returns whether the model can use the descriptor of the next socket. With few clients it
 * always can. The check for the others costs an fcntl(2). */
static bool next_number_will_do(const struct server *server)
{
	int numbers = server->model->socket_numbers, next;

	if (numbers == 0 || atomic_load(&server->clients) < server->low_numbers)
		return true;
	next = next_descriptor();
	return next < numbers; /* -1: there is none, and accept(2) will fail */
}

/* Clients that were queued before the options were set (with socket activation, the first one)
 * do not inherit the listener's options. */
static bool inherits_options(struct server *server, unsigned listener)
{
	if (server->early[listener] == 0)
		return true;
	server->early[listener]--;
	return false;
}

static void accepted(struct server *server, unsigned listener, int fd,
		     const struct address *peer)
{
	retry_succeeded(&server->accepts);
	atomic_store(&server->retry_after, RETRY_SOON);
	if (peer->any.sa_family ==
	    AF_UNIX) /* inherits nothing, and has no other option */
		(void)sock_set_urgent_inline(fd);
	else if (!inherits_options(server, listener))
		set_options(fd);
}

/* The connection belongs to a new client, which has a number if there is a trace. */
static void attach(struct connection *connection, int fd, const struct address *peer)
{
	connection_attach(connection, fd, peer);
	if (trace_is_on())
		connection_set_number(connection, trace_accepted(peer));
}

static int accept_from(struct server *server, const struct listeners *listeners,
		       unsigned listener, struct address *peer)
{
	int fd = sock_accept(listeners->fds[listener], peer, server->model->nonblocking);

	if (fd >= 0)
		accepted(server, listener, fd, peer);
	return fd;
}

/* Takes a client from each listener in turn, so that a flood at one does not delay clients at
 * another. Returns -1 with EAGAIN when no client waits at any of them. */
static int accept_next(struct server *server, const struct listeners *listeners,
		       struct address *peer)
{
	unsigned count = listeners->count;
	int fd = -1;

	if (!next_number_will_do(server)) {
		errno = EMFILE;
		return -1;
	}
	for (unsigned asked = 0; asked < count; asked++) {
		unsigned listener = server->turn;

		server->turn = (listener + 1) % count;
		fd = accept_from(server, listeners, listener, peer);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static bool number_will_do(const struct server *server, int fd)
{
	return server->model->socket_numbers == 0 || fd < server->model->socket_numbers;
}

/* The service has opened more descriptors than are reserved for it, so the number of this
 * client's socket is too high for the model. @return whether the socket has a lower
 * number now */
static bool renumber(struct server *server, struct connection *connection)
{
	int fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (!number_will_do(server, fd)) {
		close(fd);
		return false;
	}
	close(connection->fd);
	connection->fd = fd;
	return true;
}

/* Serves the client that was accepted earlier and could not be served then. */
static struct connection *accept_held(struct server *server)
{
	struct connection *connection = server->held;

	if (!number_will_do(server, connection->fd) && !renumber(server, connection)) {
		pause_accepting(server, "out of descriptors below FD_SETSIZE", EMFILE);
		return NULL;
	}
	return admit(server, take_held(server));
}

static struct connection *accept_one(struct server *server,
				     const struct listeners *listeners)
{
	struct connection *connection;
	struct address peer;
	int fd;

	if (!server_accepting(server))
		return NULL;
	if (server->held != NULL)
		return accept_held(server);
	/* Allocate before accept(2): an accepted client can no longer wait in the
	 * backlog. */
	if (server->spare == NULL)
		server->spare = connection_create(server);
	if (server->spare == NULL) {
		accept_failed(server, ENOMEM);
		return NULL;
	}
	fd = accept_next(server, listeners, &peer);
	if (fd < 0) {
		accept_failed(server, errno);
		return NULL;
	}
	connection = server->spare;
	server->spare = NULL;
	attach(connection, fd, &peer);
	hold(server, connection);
	return accept_held(server);
}

struct connection *server_accept(struct server *server)
{
	return server_accept_from(server, &server->listeners);
}

struct connection *server_accept_from(struct server *server,
				      const struct listeners *listeners)
{
	struct connection *connection;

	pthread_mutex_lock(&server->accept_mutex);
	connection = accept_one(server, listeners);
	pthread_mutex_unlock(&server->accept_mutex);
	return connection;
}

struct connection *server_adopt(struct server *server, int fd, const struct address *peer)
{
	struct connection *connection = connection_create(server);

	if (connection == NULL)
		return NULL;
	set_options(fd);
	attach(connection, fd, peer);
	/* If the client cannot join the hub, admit() holds it, and server_end() releases
	 * it. */
	return admit(server, connection);
}

void server_exit_when_idle(struct server *server)
{
	if (server->idle_timeout == 0)
		return;
	/* A peer that has left was silent for the idle timeout, so there is nothing more
	 * to wait for. */
	server->exit_idle = 1;
	atomic_store(&server->empty_since, clock_milliseconds() + server->idle_timeout);
}

/* ---- for a model that accepts by itself ---- */

unsigned server_places(struct server *server)
{
	if (server->held != NULL || !server_accepting(server))
		return 0;
	return server->room - count_clients(server);
}

/* Whom the model has accepted although there is no room waits behind those that are held. */
static void hold_last(struct server *server, struct connection *connection)
{
	struct connection *last = server->held;

	if (last == NULL) {
		server->held = connection;
		return;
	}
	while (last->next != NULL)
		last = last->next;
	last->next = connection;
}

struct connection *server_admit(struct server *server, struct connection *connection,
				unsigned listener, int fd, const struct address *peer)
{
	attach(connection, fd, peer);
	if (server->stopping) {
		release_unserved(server, connection);
		statistics_add(&server->statistics->refused, 1);
		return NULL;
	}
	accepted(server, listener, fd, peer);
	hold_last(server, connection);
	return server_next_held(server);
}

void server_accept_failed(struct server *server, int error)
{
	/* several attempts may fail at once, for the same reason */
	if (server_accepting(server))
		accept_failed(server, error);
}

struct connection *server_next_held(struct server *server)
{
	return server->held != NULL && server_accepting(server) ? accept_held(server)
								: NULL;
}

/* Adds the listeners to the set, but only while a client would be accepted: otherwise
 * each wait would end at once. Datagrams have no such limit. @return the highest
 * listener, or -1 */
static int add_listeners(struct server *server, fd_set *readable)
{
	if (server->datagrams ? server->stopping : !server_accepting(server))
		return -1;
	return listeners_add_to(&server->listeners, readable);
}

/* Removes the listeners from the set. @return how many were in it */
static int take_listeners(const struct server *server, fd_set *readable)
{
	int count = 0;

	for (unsigned i = 0; i < server->listeners.count; i++) {
		if (!FD_ISSET(server->listeners.fds[i], readable))
			continue;
		FD_CLR(server->listeners.fds[i], readable);
		count++;
	}
	return count;
}

void server_enter_child(struct server *server, struct connection *connection)
{
	if (server->hub != NULL)
		server->hub->enter_child(connection);
	handover_leave_to_parent(server->handover);
	listeners_close(&server->listeners);
}

unsigned server_poll_listeners(struct server *server, struct pollfd fds[])
{
	unsigned count = 0;

	pthread_mutex_lock(&server->accept_mutex);
	if (server_accepting(server))
		for (; count < server->listeners.count; count++)
			fds[count] = (struct pollfd){ .fd = server->listeners.fds[count],
						      .events = POLLIN };
	pthread_mutex_unlock(&server->accept_mutex);
	return count;
}

void server_become_worker(struct server *server)
{
	if (server->held != NULL) /* it is the parent's */
		server_release(server, server->held);
	server->held = NULL;
	atomic_store(&server->full, false);
	atomic_store(&server->clients, 0);
	server->served = NULL;
	server->leaving = NULL;
	handover_leave_to_parent(server->handover);
	server->exit_idle = 0;
	server->room = UINT_MAX;
	server->wake_at = CLOCK_NEVER;
	/* The signals that a worker admits are not blocked: pselect(2) changes nothing. */
	pthread_sigmask(SIG_BLOCK, NULL, &server->wait_mask);
}

void server_pause(struct server *server)
{
	struct timespec time;
	int64_t timeout;

	(void)server_accepting(server); /* a shortage may be over */
	timeout = timeout_of_pause(server, CLOCK_NEVER);
	time = clock_timespec(timeout);
	server_wait_result(server, pselect(0, NULL, NULL, NULL,
					   timeout == CLOCK_NEVER ? NULL : &time,
					   &server->wait_mask));
}

int server_pselect(struct server *server, int highest, fd_set *readable, fd_set *writable,
		   int64_t until)
{
	int listener = add_listeners(server, readable);
	int64_t timeout = server_timeout(server, until);
	struct timespec time = clock_timespec(timeout);

	if (highest < listener)
		highest = listener;
	/* pselect(2), not select(2): it unblocks the signals and begins to wait in one
	 * step. With two steps, a signal between them would not end the wait. */
	return server_wait_result(server, pselect(highest + 1, readable, writable, NULL,
						  timeout == CLOCK_NEVER ? NULL : &time,
						  &server->wait_mask));
}

bool server_has_client(struct server *server, fd_set *readable, int *ready)
{
	int listeners = *ready > 0 ? take_listeners(server, readable) : 0;

	*ready -= listeners;
	return listeners > 0 || server->held != NULL;
}

/* An entry with a negative descriptor is ignored. */
static void set_listeners(struct server *server, struct pollfd watched[])
{
	unsigned count = server_accepting(server) ? server->listeners.count : 0;

	for (unsigned i = 0; i < server->opened; i++)
		watched[i] = (struct pollfd){
			.fd = i < count ? server->listeners.fds[i] : -1,
			.events = POLLIN,
		};
}

int server_ppoll(struct server *server, struct pollfd watched[], nfds_t count,
		 int64_t until)
{
	int64_t timeout = server_timeout(server, until);
	struct timespec time = clock_timespec(timeout);

	set_listeners(server, watched);
	return server_wait_result(server,
				  poll_with_mask(watched, count,
						 timeout == CLOCK_NEVER ? NULL : &time,
						 &server->wait_mask));
}

bool server_has_polled_client(struct server *server, const struct pollfd watched[],
			      int *ready)
{
	int listeners = 0;

	for (unsigned i = 0; i<server->opened && * ready> 0; i++)
		listeners += watched[i].revents != 0;
	*ready -= listeners;
	return listeners > 0 || server->held != NULL;
}

struct connection *server_wait(struct server *server)
{
	fd_set readable;

	if (server->hub != NULL && server->hub->wait != NULL)
		return server->hub->wait(server);
	if (server->held != NULL && server_accepting(server))
		return server_accept(server);
	FD_ZERO(&readable);
	if (server_pselect(server, -1, &readable, NULL, CLOCK_NEVER) == 0) {
		server->in_a_row = 0;
		return NULL;
	}
	if (++server->in_a_row % IN_A_ROW == 0)
		signals_let_in();
	return server_accept(server);
}

void server_hold(struct server *server, struct connection *connection, const char *what,
		 int error)
{
	if (server->hub != NULL)
		server->hub->cancel(connection);
	atomic_fetch_sub(&server->clients, 1);
	atomic_fetch_sub(&server->statistics->served, 1);
	hold(server, connection);
	pause_accepting(server, what, error);
}

void server_release(struct server *server, struct connection *connection)
{
	connection_detach(connection);
	if (server->spare == NULL)
		server->spare = connection;
	else
		connection_free(connection);
}

void server_refuse(struct server *server, struct connection *connection)
{
	if (server->hub != NULL)
		server->hub->cancel(connection);
	atomic_fetch_sub(&server->statistics->served, 1);
	statistics_add(&server->statistics->refused, 1);
	pthread_mutex_lock(&server->accept_mutex);
	release_unserved(server, connection);
	pthread_mutex_unlock(&server->accept_mutex);
	server_left(server);
}

void server_hand_over(struct server *server, struct connection *connection)
{
	if (server->hub != NULL)
		server->hub->hand_over();
	server_release(server, connection);
}

void server_left(struct server *server)
{
	unsigned before;
	bool made_room, must_wake;

	/* Every client sets the time, and before it is subtracted: of two clients that
	 * leave at once, neither can know that it is the last. */
	if (server->exit_idle > 0)
		atomic_store(&server->empty_since, clock_milliseconds());
	atomic_store(&server->retry_after, RETRY_SOON);
	before = atomic_fetch_sub(&server->clients, 1);
	made_room = atomic_exchange(&server->full, false) || before >= server->room;
	must_wake =
		made_room || (before == 1 && (server->exit_idle > 0 || server->stopping));
	if (made_room && server->wake_all != NULL)
		server->wake_all();
	else if (must_wake && !pthread_equal(pthread_self(), server->thread))
		pthread_kill(server->thread, SIGNAL_INTERRUPT);
}

void server_end(struct server *server)
{
	if (server->hub != NULL && server->hub->end != NULL)
		server->hub->end();
	while (server->held != NULL)
		release_held(server);
	connection_free(server->spare);
	server->spare = NULL;
	listeners_close(&server->listeners);
	if (server->lost > 0)
		message(MESSAGE_ERROR,
			"%u more clients were lost because their processes did not end "
			"by themselves",
			server->lost);
}
