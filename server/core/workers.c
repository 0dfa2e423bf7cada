/*
 * workers - keeps the number of worker processes, and passes clients to them.
 *
 * A worker that ends by itself (--requests) is replaced at once. One that crashes, is killed or
 * cannot receive a client is replaced at once if that happens now and then. If each worker crashes as soon as
 * it runs, replacing at once would be a loop of fork(2) that takes a whole processor. So the
 * parent has a credit: REPLACED_AT_ONCE workers, and one more every REPLACE_INTERVAL.
 *
 * If the parent accepts, each worker has a pair of local sockets to it. The parent sends the
 * client's descriptor (common/pass.h) to the first idle worker in the table. So a few workers
 * serve most clients, and their memory is in the processor's cache.
 */
#include "server/core/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/pass.h"
#include "common/process.h"
#include "server/core/children.h"
#include "server/core/connection.h"
#include "server/core/operator.h"
#include "server/core/signals.h"
#include "server/hub/place.h"

enum {
	REPLACED_AT_ONCE = 5,
	REPLACE_INTERVAL = 250, /* milliseconds */
	FORK_RETRY = 1000,      /* milliseconds */
	/* While the wait for clients never sleeps, SIGCHLD is not delivered. So waitpid(2) is
	 * also called once in this many turns. */
	REAP_EVERY = 16,
	/* Descriptors of the parent besides those of each worker: for the client that it has
	 * accepted, and those that are open only for a moment. */
	DESCRIPTORS_BESIDES = 8,
};

/* What the parent sends with the descriptors of the client's socket and, if the service has
 * a hub, of its channel. */
struct passed {
	struct address peer;
	uint64_t number; /* in the trace */
	unsigned hub_slot;
};

/* ---- the parent: which workers there are ------------------------------------------------ */

/* Each worker takes a descriptor of the parent, and with a hub each client another one. If
 * the workers took all of them, no client could be accepted. */
static unsigned most_workers(const struct server *server)
{
	uint64_t limit = process_raise_descriptors(0), each = server->hub != NULL ? 2 : 1;
	int next = fcntl(server->listeners.fds[0], F_DUPFD_CLOEXEC, 0);

	if (next < 0)
		return 1;
	close(next);
	if (limit < (uint64_t)next + DESCRIPTORS_BESIDES + each)
		return 1;
	limit = (limit - (uint64_t)next - DESCRIPTORS_BESIDES) / each;
	return limit < server->max_clients ? (unsigned)limit : server->max_clients;
}

int workers_begin(struct workers *workers, struct server *server, bool passes,
		  uint64_t most_clients)
{
	unsigned count = passes ? most_workers(server) : server->max_clients;

	if (count < server->max_clients)
		message(MESSAGE_ERROR, "out of descriptors: %u workers instead of %u",
			count, server->max_clients);
	server->max_clients = count;
	atomic_store(&server->statistics->workers, count);
	*workers = (struct workers){
		.server = server,
		.passes = passes,
		.most_clients = most_clients,
		.starting_pipe = -1,
		.credit = REPLACED_AT_ONCE,
		.credit_at = clock_milliseconds(),
		.pipe = -1,
	};
	workers->processes = calloc(count, sizeof *workers->processes);
	workers->served = served_create(count);
	if (workers->processes == NULL || workers->served == NULL)
		return -1;
	for (unsigned i = 0; i < count; i++)
		workers->processes[i].pipe = -1;
	server->served = workers->served;
	return 0;
}

static void signal_all(const struct workers *workers, int signal)
{
	for (unsigned i = 0; i < workers->served->count; i++)
		if (workers->processes[i].pid > 0)
			kill(workers->processes[i].pid, signal);
}

/* A worker exits with status 0. Any other end is a crash, or somebody's kill(1). */
static void report_death(struct workers *workers, unsigned slot, int state, int status)
{
	pid_t pid = workers->processes[slot].pid;
	char how[CHILD_END_TEXT];

	child_end_text(pid, status, how);
	if (state == SERVED_CLIENT)
		server_lost(workers->server, &workers->served->slots[slot].peer, how);
	else if (operator_is_due(&workers->death_report_at))
		message(MESSAGE_ERROR, "an idle worker has ended: %s", how);
}

static void close_pipe(struct worker_process *process)
{
	if (process->pipe >= 0)
		close(process->pipe);
	process->pipe = -1;
}

static void remove_worker(struct workers *workers, unsigned slot)
{
	struct served *served = workers->served;

	close_pipe(&workers->processes[slot]);
	workers->processes[slot].pid = 0;
	if (atomic_load(&served->slots[slot].state) == SERVED_CLIENT)
		atomic_store(&served->empty_since, clock_milliseconds());
	atomic_store(&served->slots[slot].state, SERVED_NO_PROCESS);
}

static void note_end(struct workers *workers, pid_t pid, int status)
{
	unsigned slot = 0, count = workers->served->count;

	while (slot < count && workers->processes[slot].pid != pid)
		slot++;
	if (slot == count)
		return;
	if (status != 0) {
		report_death(workers, slot,
			     atomic_load(&workers->served->slots[slot].state), status);
		workers->owed++;
	}
	remove_worker(workers, slot);
}

static void reap(struct workers *workers)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(workers, pid, status);
}

void workers_attend(struct workers *workers)
{
	struct server *server = workers->server;
	struct served *served = workers->served;

	if (server->stopping)
		signal_all(workers, SIGNAL_INTERRUPT);
	if (signals_take_reopen_of_children()) /* each worker has the log open as well */
		signal_all(workers, SIGHUP);
	if (signals_take_child() || ++workers->turns % REAP_EVERY == 0)
		reap(workers);
	atomic_store(&served->wake_when_empty, server->exit_idle > 0);
	atomic_store(&served->wake_when_idle,
		     workers->passes && served_find_idle(served) < 0);
}

/* ---- the parent: starting workers ------------------------------------------------------- */

static void add_credit(struct workers *workers, int64_t now)
{
	int64_t intervals = (now - workers->credit_at) / REPLACE_INTERVAL;

	workers->credit_at += intervals * REPLACE_INTERVAL;
	if (workers->credit + (uint64_t)intervals >= REPLACED_AT_ONCE)
		workers->credit = REPLACED_AT_ONCE;
	else
		workers->credit += (unsigned)intervals;
}

/* Returns when the next worker may be started: now, or later. */
static int64_t start_time(struct workers *workers, unsigned missing, int64_t now)
{
	if (now < workers->retry_at)
		return workers->retry_at;
	if (workers->owed > missing)
		workers->owed = missing;
	if (missing > workers->owed)
		return now;
	add_credit(workers, now);
	if (workers->credit == 0)
		return workers->credit_at + REPLACE_INTERVAL;
	workers->credit--;
	workers->owed--;
	return now;
}

static void cannot_start(struct workers *workers, const char *what)
{
	server_lack(workers->server, what, errno);
	workers->retry_at = clock_milliseconds() + FORK_RETRY;
}

/* Opens the pair of sockets of the next worker. */
static bool open_pipe(struct workers *workers)
{
	int ends[2];

	if (!workers->passes)
		return true;
	if (pass_open(ends) < 0) {
		cannot_start(workers, "cannot start a worker");
		return false;
	}
	workers->processes[workers->starting].pipe = ends[0];
	workers->starting_pipe = ends[1];
	return true;
}

bool workers_must_start(struct workers *workers)
{
	struct server *server = workers->server;
	unsigned slot = 0, count = workers->served->count;
	unsigned missing = count - served_processes(workers->served);
	int64_t now, at;

	server->wake_at = CLOCK_NEVER;
	if (missing == 0 || server->stopping)
		return false;
	now = clock_milliseconds();
	at = start_time(workers, missing, now);
	if (at > now) {
		server->wake_at = at;
		return false;
	}
	while (workers->processes[slot].pid != 0)
		slot++;
	workers->starting = slot;
	if (open_pipe(workers)) {
		atomic_store(&workers->served->slots[slot].state, SERVED_IDLE);
		return true;
	}
	server->wake_at = workers->retry_at;
	return false;
}

void workers_add(struct workers *workers, pid_t pid)
{
	int error = errno;

	if (workers->starting_pipe >= 0)
		close(workers->starting_pipe);
	workers->starting_pipe = -1;
	if (pid > 0) {
		workers->processes[workers->starting].pid = pid;
		return;
	}
	errno = error;
	cannot_start(workers, "cannot fork");
	remove_worker(workers, workers->starting);
}

void workers_pass(struct workers *workers, struct connection *connection)
{
	struct server *server = workers->server;
	struct passed passed;
	int fds[PASS_MOST] = { connection->fd, -1 }, slot;

	memset(&passed, 0, sizeof passed); /* with the bytes between its members */
	passed.peer = connection->peer;
	passed.number = connection_number(connection);
	if (server->hub != NULL)
		fds[1] = server->hub->pass(&passed.hub_slot);
	errno = EAGAIN;
	while ((slot = served_find_idle(workers->served)) >= 0) {
		if (!served_begin(workers->served, (unsigned)slot, &connection->peer))
			continue;
		if (pass_send(workers->processes[slot].pipe, &passed, sizeof passed, fds,
			      server->hub != NULL ? 2 : 1) == 0) {
			statistics_add_client(server->statistics, (unsigned)slot);
			server_hand_over(server, connection);
			return;
		}
		if (errno != EPIPE && errno != ECONNRESET) {
			int error = errno;

			atomic_store(&workers->served->slots[slot].state, SERVED_IDLE);
			errno = error;
			break;
		}
		/* The worker is dead. SIGCHLD follows, or has come. */
		atomic_store(&workers->served->slots[slot].state, SERVED_ENDING);
	}
	server_hold(server, connection, "cannot pass a client to a worker", errno);
}

void workers_end(struct workers *workers)
{
	signal_all(workers, SIGKILL);
	for (unsigned i = 0; i < workers->served->count; i++) {
		if (workers->processes[i].pid > 0)
			while (waitpid(workers->processes[i].pid, NULL, 0) < 0 &&
			       errno == EINTR)
				continue;
		close_pipe(&workers->processes[i]);
	}
	free(workers->processes);
}

/* ---- a worker --------------------------------------------------------------------------- */

void workers_enter(struct workers *workers)
{
	struct server *server = workers->server;

	workers->slot = workers->starting;
	workers->pipe = workers->starting_pipe;
	/* A copy of the parent's end of a pipe would keep that pipe open. */
	for (unsigned i = 0; i < workers->served->count; i++)
		close_pipe(&workers->processes[i]);
	signals_interrupt_is_stop();
	signals_admit_stop();
	server_become_worker(server);
	if (workers->passes)
		listeners_close(&server->listeners);
	if (server->hub != NULL)
		server->hub->enter_worker();
	process_signal_with_parent(SIGNAL_INTERRUPT, workers->served->parent);
}

bool workers_go_on(struct workers *workers)
{
	if (workers->parent_gone ||
	    (workers->most_clients > 0 && workers->clients >= workers->most_clients))
		return false;
	if (server_running(workers->server))
		return true;
	/* It must stop. But the parent may have passed it a client. */
	return workers->passes && !served_end(workers->served, workers->slot);
}

void workers_take(struct workers *workers, const struct connection *connection)
{
	struct served *served = workers->served;

	(void)served_begin(served, workers->slot, &connection->peer);
	statistics_add_client(workers->server->statistics, workers->slot);
	if (served_clients(served) == served->count)
		server_report_full(workers->server, served->count);
}

/* A worker that cannot receive is of no use. A new one may be, after a shortage of memory. */
static void lose_parent(struct workers *workers, int received)
{
	int error = errno;

	workers->parent_gone = true;
	workers->failed = received < 0;
	if (workers->failed &&
	    operator_is_due(&workers->server->statistics->lack_repeat_at))
		message(MESSAGE_ERROR,
			"a worker cannot receive a client from its parent: %s",
			strerror(error));
}

/* Without a free descriptor, the kernel delivers the message and drops the descriptors. */
static bool has_descriptors(const struct server *server, const int fds[PASS_MOST])
{
	return fds[0] >= 0 && (server->hub == NULL || fds[1] >= 0);
}

struct connection *workers_receive(struct workers *workers)
{
	struct server *server = workers->server;
	struct connection *connection;
	struct passed passed = { 0 };
	int fds[PASS_MOST], received;

	received = pass_receive(workers->pipe, &passed, sizeof passed, fds);
	if (received <= 0) {
		if (received == 0 || errno != EINTR)
			lose_parent(workers, received);
		return NULL;
	}
	connection = has_descriptors(server, fds) ? connection_create(server) : NULL;
	if (connection == NULL) { /* no memory, or no descriptor was free */
		server_lack(server, "cannot serve a client",
			    has_descriptors(server, fds) ? ENOMEM : EMFILE);
		for (int i = 0; i < PASS_MOST; i++)
			if (fds[i] >= 0)
				close(fds[i]);
		workers_client_left(workers);
		return NULL;
	}
	connection_attach(connection, fds[0], &passed.peer);
	connection_set_number(connection, passed.number);
	if (server->hub != NULL)
		server->hub->receive(connection, fds[1], passed.hub_slot);
	return connection;
}

int workers_exit_status(const struct workers *workers)
{
	return workers->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void workers_client_left(struct workers *workers)
{
	workers->clients++;
	if (!workers->passes)
		server_left(workers->server); /* counted by server_accept() */
	served_left(workers->served, workers->slot,
		    workers->most_clients > 0 &&
			    workers->clients >= workers->most_clients);
}
