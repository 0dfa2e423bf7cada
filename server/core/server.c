#include "server/core/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/process.h"
#include "common/sock.h"
#include "server/core/connection.h"
#include "server/core/operator.h"
#include "server/core/signals.h"

static const char out_of_descriptors[] = "out of descriptors";

/* RETRY: a shortage that is not our own (ENFILE, ENOMEM) may end without one of our
 * clients leaving, so we look again after a while; and a thread's stack is returned a
 * moment after its client has left, so then we look again soon at first. */
enum {
	RETRY_SOON = 5,
	RETRY = RETRY_LONGEST,
	STOP_TICK = 100,
};

/* Signals come in where pselect(2) waits, and under a flood of clients it never does. So they
 * are let in after so many in a row; not much sooner: whoever was in the backlog before a
 * request to stop is served. */
enum { IN_A_ROW = 4096 };

/* Descriptors that are open for a moment only: a folder on the way to a file, what a library
 * reads. */
enum { FOR_A_MOMENT = 4 };

unsigned server_files_of_session(const struct server *server)
{
	int files = server->service->descriptors;

	return files == 0 ? SERVICE_DESCRIPTORS : files > 0 ? (unsigned)files : 0;
}

/* The lowest that is free; -1 if there is none. */
static int next_descriptor(const struct server *server)
{
	int next = fcntl(server->listeners.fds[0], F_DUPFD_CLOEXEC, 0);

	if (next >= 0)
		close(next);
	return next;
}

/* How many clients can be there, and have open what they ask for, with descriptors below
 * this limit. */
static unsigned clients_below(const struct server *server, uint64_t limit)
{
	unsigned each = 1 + server_files_of_session(server);
	int next = next_descriptor(server); /* all below it are taken */
	uint64_t others = (uint64_t)next + FOR_A_MOMENT, clients;

	if (next < 0 || limit < others + each)
		return 1;
	clients = (limit - others) / each;
	return clients < server->max_clients ? (unsigned)clients : server->max_clients;
}

/* A client that is let in must find descriptors for what it asks for. Were there one for each
 * socket and no more, the sockets would take them all, and nobody could be served. */
static void count_room(struct server *server)
{
	server->room = server->max_clients;
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

	if (fd >= FD_SETSIZE) { /* an fd_set has no room for it */
		errno = EMFILE;
		return -1;
	}
	/* The listener may be empty again when accept(2) is called. On BSD the kernel takes
	 * a client that resets out of the accept queue; Linux leaves it there, but another
	 * process that shares the listener can be faster. On a blocking listener accept(2)
	 * would then wait for the next client, and this process would serve nobody else. */
	if (io_set_nonblocking(fd, true) < 0)
		return -1;
	/* Accepted TCP sockets inherit these options from the listener. */
	if (!server->datagrams) {
		set_options(fd);
		server->early[i] = sock_backlog(fd);
	}
	return 0;
}

int server_begin(struct server *server, const struct listeners *listeners)
{
	server->listeners = *listeners;
	server->turn = 0;
	server->thread = pthread_self();
	server->statistics = statistics_create();
	if (server->statistics == NULL)
		return -1;
	for (unsigned i = 0; i < listeners->count; i++)
		if (begin_listener(server, i) < 0)
			return -1;
	count_room(server);
	atomic_store(&server->empty_since, clock_milliseconds());
	atomic_store(&server->retry_after, RETRY_SOON);
	signals_begin(&server->wait_mask, server->service->reopen != NULL);
	return 0;
}

static void begin_stop(struct server *server)
{
	signals_request_stop();
	server->stopping = true;
	server->stop_at = clock_milliseconds() + SERVER_GRACE;
	if (!server->datagrams) /* replies to datagrams go through them until the end */
		listeners_close(&server->listeners);
	if (server->held != NULL) {
		server_release(server, server->held);
		server->held = NULL;
		statistics_add(&server->statistics->refused, 1);
	}
}

static bool nobody_came(struct server *server)
{
	return server->exit_idle > 0 && atomic_load(&server->clients) == 0 &&
	       server->held == NULL &&
	       clock_milliseconds() - atomic_load(&server->empty_since) >=
		       server->exit_idle;
}

bool server_running(struct server *server)
{
	operator_attend(server);
	if (!server->stopping && (signals_stop() > 0 || nobody_came(server)))
		begin_stop(server);
	if (!server->stopping)
		return true;
	return signals_stop() < 2 && atomic_load(&server->clients) > 0 &&
	       clock_milliseconds() < server->stop_at;
}

bool server_accepting(struct server *server)
{
	if (atomic_load(&server->full) && clock_milliseconds() >= server->retry_at)
		atomic_store(&server->full, false);
	return !server->stopping && !atomic_load(&server->full) &&
	       atomic_load(&server->clients) < server->room;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int64_t server_patience(struct server *server, int64_t until)
{
	int64_t now = clock_milliseconds();

	if (server->held != NULL && server_accepting(server))
		return 0;
	if (server->stopping)
		until = earlier(until, earlier(server->stop_at, now + STOP_TICK));
	if (atomic_load(&server->full))
		until = earlier(until, server->retry_at);
	if (server->exit_idle > 0 && atomic_load(&server->clients) == 0 &&
	    server->held == NULL)
		until = earlier(until,
				atomic_load(&server->empty_since) + server->exit_idle);
	if (until < 0)
		return -1;
	return until > now ? until - now : 0;
}

/* Under a flood the server may be full, and not, many times a second. Once a minute is
 * enough for whoever reads the log. */
static bool is_due(int64_t *again_at)
{
	int64_t now = clock_milliseconds();

	if (now < *again_at)
		return false;
	*again_at = now + OPERATOR_REPEAT;
	return true;
}

static bool worth_telling(struct server *server, enum message_level level)
{
	return message_wanted(level) && is_due(&server->tell_again_at[level]);
}

/* Signals come in only where the model waits; now that is here. One that comes just before
 * nanosleep(2) is noticed after it, a second later at most. */
static void sleep_after_failure(struct server *server, const char *what, int error,
				int64_t delay)
{
	if (is_due(&server->tell_failure_at))
		message(MESSAGE_ERROR, "%s: %s: trying again", what, strerror(error));
	signals_admit_all(true);
	retry_sleep(delay);
	signals_admit_all(false);
}

int server_waited(struct server *server, int ready)
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

/* Stops accepting until a client leaves. The listener stays ready meanwhile, so it must
 * not be waited for, or we would spin. */
static void pause_accepting(struct server *server, const char *what, int error)
{
	int64_t after = atomic_load(&server->retry_after);

	if (worth_telling(server, MESSAGE_ERROR))
		message(MESSAGE_ERROR, "%s with %u clients (%s): the next ones wait",
			what, atomic_load(&server->clients), strerror(error));
	server->retry_at = clock_milliseconds() + after;
	atomic_store(&server->retry_after, after < RETRY / 2 ? after * 2 : RETRY);
	atomic_store(&server->full, true);
}

void server_lack(struct server *server, const char *what, int error)
{
	if (worth_telling(server, MESSAGE_ERROR))
		message(MESSAGE_ERROR, "%s with %u clients (%s)", what,
			atomic_load(&server->clients), strerror(error));
}

void server_lost(struct server *server, const struct address *peer, const char *how)
{
	char text[ADDRESS_TEXT];

	if (!is_due(&server->tell_lost_at)) {
		server->lost++;
		return;
	}
	if (server->lost == 0)
		message_about(MESSAGE_ERROR, address_text(peer, text), "%s", how);
	else
		message_about(MESSAGE_ERROR, address_text(peer, text),
			      "%s; %u more clients were lost so since the last such line",
			      how, server->lost);
	server->lost = 0;
}

void server_arrived(struct server *server)
{
	atomic_fetch_add(&server->clients, 1);
	statistics_add(&server->statistics->served, 1);
}

static void tell_full(struct server *server, unsigned clients)
{
	bool chosen = server->room == server->max_clients;
	enum message_level level = chosen ? MESSAGE_NOTICE : MESSAGE_ERROR;

	if (worth_telling(server, level))
		message(level, "%s with %u clients (%s): the next ones wait",
			chosen ? "full" : out_of_descriptors, clients,
			chosen ? "--max-clients" : strerror(EMFILE));
}

static struct connection *admit(struct server *server, struct connection *connection)
{
	unsigned clients = atomic_fetch_add(&server->clients, 1) + 1;

	statistics_add(&server->statistics->served, 1);
	/* That an iterative server serves one client is no news. */
	if (clients >= server->room && server->model->most_clients > 1)
		tell_full(server, clients);
	return connection;
}

/* The error of one client, which has left again or cannot be reached: the next one may have
 * none (accept(2), "Error handling"). When one such error follows the other it may be no
 * client's. The delay is only then, or each client would wait for those that left. */
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
	case EAGAIN: /* nobody waits */
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

/* Whether the next socket has a descriptor that the model can use. An fcntl(2) tells, and is
 * made only where there are so many clients that it may not have. */
static bool next_number_will_do(const struct server *server)
{
	int numbers = server->model->socket_numbers, next;

	if (numbers == 0 || atomic_load(&server->clients) < server->low_numbers)
		return true;
	next = next_descriptor(server);
	return next < numbers; /* -1: there is none, as accept(2) will say */
}

/* Two kinds of clients do not inherit the listener's options: those that were queued before
 * the options were set (with socket activation, the first one), and those of a local socket. */
static bool inherits_options(struct server *server, unsigned listener,
			     const struct address *peer)
{
	if (peer->any.sa_family == AF_UNIX)
		return false;
	if (server->early[listener] == 0)
		return true;
	server->early[listener]--;
	return false;
}

static int accept_from(struct server *server, unsigned listener, struct address *peer)
{
	int fd = sock_accept(server->listeners.fds[listener], peer,
			     server->model->nonblocking);

	if (fd >= 0) {
		retry_succeeded(&server->accepts);
		atomic_store(&server->retry_after, RETRY_SOON);
	}
	if (fd >= 0 && !inherits_options(server, listener, peer))
		set_options(fd);
	return fd;
}

/* Each listener has its turn, so that clients who keep one busy keep nobody at another
 * waiting. Returns -1 with EAGAIN when nobody waits at any of them. */
static int accept_next(struct server *server, struct address *peer)
{
	unsigned count = server->listeners.count;
	int fd = -1;

	errno = EMFILE;
	if (!next_number_will_do(server))
		return -1;
	for (unsigned asked = 0; asked < count; asked++) {
		unsigned listener = server->turn;

		server->turn = (listener + 1) % count;
		fd = accept_from(server, listener, peer);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static bool number_will_do(const struct server *server, int fd)
{
	return server->model->socket_numbers == 0 || fd < server->model->socket_numbers;
}

/* The service had more open than is reserved for it, and the model cannot use the number of
 * this client's socket. @return whether it has another one now */
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

/* Who was accepted and cannot be served yet, is not lost. */
static struct connection *accept_held(struct server *server)
{
	struct connection *connection = server->held;

	if (!number_will_do(server, connection->fd) && !renumber(server, connection)) {
		pause_accepting(server, out_of_descriptors, EMFILE);
		return NULL;
	}
	server->held = NULL;
	return admit(server, connection);
}

struct connection *server_accept(struct server *server)
{
	struct connection *connection;
	struct address peer;
	int fd;

	if (!server_accepting(server))
		return NULL;
	if (server->held != NULL)
		return accept_held(server);
	/* Memory first: a client that was accepted can no longer wait in the backlog. */
	if (server->spare == NULL)
		server->spare = connection_create(server);
	if (server->spare == NULL) {
		accept_failed(server, ENOMEM);
		return NULL;
	}
	fd = accept_next(server, &peer);
	if (fd < 0) {
		accept_failed(server, errno);
		return NULL;
	}
	connection = server->spare;
	server->spare = NULL;
	connection_attach(connection, fd, &peer);
	server->held = connection;
	return accept_held(server);
}

int server_add_listeners(struct server *server, fd_set *readable)
{
	return server_accepting(server) ? listeners_add_to(&server->listeners, readable)
					: -1;
}

int server_take_listeners(const struct server *server, fd_set *readable)
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

void server_close_listeners(struct server *server)
{
	listeners_close(&server->listeners);
}

struct connection *server_wait(struct server *server)
{
	int64_t patience = server_patience(server, -1);
	struct timespec time = clock_timespec(patience);
	fd_set readable;
	int highest;

	if (server->held != NULL && server_accepting(server))
		return server_accept(server);
	FD_ZERO(&readable);
	highest = server_add_listeners(server, &readable);
	/* pselect, not select: it lets our signals in and begins to wait in one step. With
	 * two, a signal between them would be slept through. */
	if (server_waited(server, pselect(highest + 1, &readable, NULL, NULL,
					  patience < 0 ? NULL : &time,
					  &server->wait_mask)) == 0) {
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
	atomic_fetch_sub(&server->clients, 1);
	atomic_fetch_sub(&server->statistics->served, 1);
	server->held = connection;
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

void server_left(struct server *server)
{
	unsigned before;
	bool news;

	/* Before it is counted out, and by each: of two that leave at once neither can know
	 * that it is the last. */
	if (server->exit_idle > 0)
		atomic_store(&server->empty_since, clock_milliseconds());
	atomic_store(&server->retry_after, RETRY_SOON);
	before = atomic_fetch_sub(&server->clients, 1);
	news = atomic_exchange(&server->full, false) || before == 1 ||
	       before >= server->room;
	if (news && !pthread_equal(pthread_self(), server->thread))
		pthread_kill(server->thread, SIGNAL_INTERRUPT);
}

void server_end(struct server *server)
{
	if (server->held != NULL)
		server_release(server, server->held);
	server->held = NULL;
	connection_free(server->spare);
	server->spare = NULL;
	server_close_listeners(server);
	if (server->lost > 0)
		message(MESSAGE_ERROR, "%u more clients were lost so", server->lost);
}
