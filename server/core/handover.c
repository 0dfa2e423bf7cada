/*
 * handover - descriptors over a UNIX-domain socket (SCM_RIGHTS), from the old instance of a
 * server to the new one.
 *
 * A listening socket is one queue of clients in the kernel, however many processes have it open.
 * As long as one of them has it, no client is refused, and none that waits is lost. That is why
 * the socket itself is passed on. With SO_REUSEPORT instead each instance has its own queue, and
 * closing the old one resets the clients that wait in it.
 *
 * A model waits in its own way, and knows nothing of this. So the kernel is asked to send SIGIO
 * when something arrives at the control socket (fcntl(2), O_ASYNC), and the signal is handled
 * where SIGUSR1 is: in every model. Only the main thread of the parent handles it.
 *
 * Who may take over: whoever may connect to the path. The file is for its owner only. And the new
 * instance trusts only its own user and root: another user, who may write the directory, could pass
 * it a socket on which that user also accepts clients. Where the kernel does not tell whose a socket
 * is, the permissions of the directory must be enough.
 *
 * New instances that start at once take turns: each locks the directory of the path from before it
 * looks for the old instance until it serves itself. Then the next one finds it at the path. The
 * kernel ends the lock of an instance that is killed. Its turn has three steps:
 *
 *	bind PATH.new; link PATH to PATH.old; rename PATH.new to PATH
 *	the sandbox; the first process or thread of the model
 *	serve; send READY; remove PATH.old
 *
 * If the new instance is killed after the rename and before READY, the old one serves, and no process
 * listens at PATH any more. The next instance then finds the old one at PATH.old.
 */
#define _DEFAULT_SOURCE /* O_ASYNC */

#include "server/core/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/credentials.h"
#include "common/io.h"
#include "common/message.h"
#include "common/pass.h"
#include "common/sock.h"
#include "server/core/server.h"
#include "server/core/signals.h"

/* TAKERS: instances that wait for their turn, where the directory cannot be locked.
 * ANSWER_SECONDS: how long a new instance waits for the old one, which may be stopped.
 * QUEUE_SECONDS: how long it waits for other new ones; after SILENT_SECONDS it says so. */
enum { TAKERS = 4, ANSWER_SECONDS = 10, QUEUE_SECONDS = 30, SILENT_SECONDS = 1 };

/* The permissions of the path. */
enum { OWNER_ONLY = 0600 };

/* What the new instance sends when it serves. */
enum { READY = 'r' };

/* What the old instance sends with each socket: how many follow, and the name of its service. */
struct offer {
	unsigned char more;
	char service[31];
};

void handover_none(struct handover *handover)
{
	memset(handover, 0, sizeof *handover);
	handover->lock = handover->old = handover->control = handover->taker = -1;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int fail(const struct handover *handover, const char *what,
		struct failure *failure)
{
	return failure_set(failure, "--hand-over: %s: %s: %s",
			   handover->path.name.sun_path, what, strerror(errno));
}

/* Only the user of this process and root are trusted: see above. */
static int check_owner(const struct handover *handover, struct failure *failure)
{
	struct credentials peer;

	if (!credentials_of_peer(handover->old, &peer) || peer.uid == 0 ||
	    peer.uid == geteuid())
		return 0;
	return failure_set(failure,
			   "--hand-over: %s: the server there belongs to uid %ju",
			   handover->path.name.sun_path, (uintmax_t)peer.uid);
}

/* Connects to the server at one of the names. @return 0, with handover->old -1 if no server answers;
 * or -1 with *failure */
static int connect_to(struct handover *handover, const struct local_address *address,
		      struct failure *failure)
{
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	struct stat there;
	int fd;

	if (lstat(address->name.sun_path, &there) == 0 && !S_ISSOCK(there.st_mode)) {
		errno = ENOTSOCK;
		return fail(handover, "cannot connect", failure);
	}
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return fail(handover, "cannot open a socket", failure);
	io_set_close_on_exec(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
		   sizeof limit); /* also of connect(2) */
	if (connect(fd, (const struct sockaddr *)&address->name, address->length) == 0) {
		handover->old = fd;
		return check_owner(handover, failure);
	}
	/* ECONNREFUSED: left over from an instance that was killed */
	if (errno == ENOENT || errno == ECONNREFUSED) {
		close(fd);
		return 0;
	}
	fail(handover, "cannot connect", failure);
	close(fd);
	return -1;
}

static bool is_socket(const char *path)
{
	struct stat there;

	return lstat(path, &there) == 0 && S_ISSOCK(there.st_mode);
}

/* @return as connect_to() */
static int find_old(struct handover *handover, struct failure *failure)
{
	if (connect_to(handover, &handover->path, failure) < 0)
		return -1;
	if (handover->old >= 0 || !is_socket(handover->spare.name.sun_path))
		return 0;
	if (connect_to(handover, &handover->spare, failure) < 0)
		return -1;
	handover->has_spare = handover->old >= 0;
	return 0;
}

/* @return 0, or -1 with *failure */
static int check_service(struct handover *handover, struct offer *offer,
			 const char *service, struct failure *failure)
{
	offer->service[sizeof offer->service - 1] = '\0';
	if (strcmp(offer->service, service) == 0)
		return 0;
	return failure_set(
		failure, "--hand-over: %s: the server there has the service '%s', not %s",
		handover->path.name.sun_path, offer->service, service);
}

static int take_listeners(struct handover *handover, const char *service, int type,
			  struct listeners *listeners, struct failure *failure)
{
	struct offer offer = { .more = 1 };

	while (offer.more > 0 && listeners->count < LISTENERS_MOST) {
		int fds[PASS_MOST],
			got = pass_receive(handover->old, &offer, sizeof offer, fds);

		if ((got == 0 || (got < 0 && errno == ECONNRESET)) &&
		    listeners->count == 0) {
			close_one(&handover->old);
			return 0; /* it stops */
		}
		if (got >= 0)
			errno = EPROTO;
		if (got <= 0 || fds[0] < 0)
			return fail(handover, "no listening socket from the server there",
				    failure);
		listeners->fds[listeners->count++] = fds[0];
		if (check_service(handover, &offer, service, failure) < 0)
			return -1;
		if (listeners_check(fds[0], type) < 0)
			return fail(handover,
				    type == SOCK_STREAM
					    ? "the server there has no tcp socket"
					    : "the server there has no udp socket",
				    failure);
	}
	return 0;
}

/* Waits until no other new instance is under way. A directory that cannot be locked is used without
 * a lock. @return 0, or -1 with *failure */
static int wait_for_turn(struct handover *handover, struct failure *failure)
{
	const char *path = handover->path.name.sun_path;

	handover->lock = socket_file_lock(path, SILENT_SECONDS * 1000);
	if (handover->lock >= 0 || errno != EWOULDBLOCK)
		return 0;
	message(MESSAGE_NOTICE,
		"--hand-over: %s: waiting for another new instance, which is taking over",
		path);
	handover->lock = socket_file_lock(path, QUEUE_SECONDS * 1000);
	if (handover->lock >= 0 || errno != EWOULDBLOCK)
		return 0;
	return failure_set(
		failure,
		"--hand-over: %s: another new instance is taking over, and has "
		"not finished within %d seconds (it has locked the directory)",
		path, QUEUE_SECONDS);
}

static int name_beside(const char *path, const char *suffix, struct local_address *beside)
{
	char name[sizeof beside->name.sun_path + sizeof ".new"];

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return local_address_parse(name, beside, NULL);
}

/* Binds the socket to PATH.new. handover_publish() renames it to PATH, so that at each moment a
 * process listens at PATH. */
static int open_control(struct handover *handover, struct failure *failure)
{
	struct failure reason;

	handover->control = socket(AF_UNIX, SOCK_STREAM, 0);
	if (handover->control < 0)
		return fail(handover, "cannot open a socket", failure);
	io_set_close_on_exec(handover->control);
	io_set_nonblocking(handover->control, true);
	if (socket_file_bind_locked(handover->control, &handover->draft, OWNER_ONLY,
				    &handover->file, &reason) < 0)
		return failure_set(failure, "--hand-over: %s", reason.text);
	if (listen(handover->control, TAKERS) < 0)
		return fail(handover, "cannot listen there", failure);
	return 0;
}

const char *handover_set_path(struct handover *handover, const char *path)
{
	if (path[0] == '\0' || path[0] == '@')
		return "is not a path";
	if (local_address_parse(path, &handover->path, NULL) < 0 ||
	    name_beside(path, ".new", &handover->draft) < 0 ||
	    name_beside(path, ".old", &handover->spare) < 0)
		return "is too long: with .new it must fit into the name of a socket";
	return NULL;
}

int handover_begin(struct handover *handover, const char *service, int type,
		   struct listeners *listeners, struct failure *failure)
{
	listeners->count = 0;
	if (wait_for_turn(handover, failure) == 0 &&
	    open_control(handover, failure) == 0 && find_old(handover, failure) == 0 &&
	    (handover->old < 0 ||
	     take_listeners(handover, service, type, listeners, failure) == 0))
		return 0;
	listeners_close(listeners);
	handover_end(handover);
	return -1;
}

/* SIGIO from now on when something arrives. */
static int ask_for_signal(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_ASYNC | O_NONBLOCK);
}

/* Gives the old instance its second name, so that it can be found until this one is ready. */
static void keep_old_reachable(struct handover *handover)
{
	const char *path = handover->path.name.sun_path,
		   *spare = handover->spare.name.sun_path;

	if (handover->has_spare)
		return;
	if (is_socket(spare))
		unlink(spare); /* left over: no server answers there */
	if (handover->old >= 0)
		handover->has_spare = link(path, spare) == 0;
}

int handover_publish(struct handover *handover, struct failure *failure)
{
	if (handover == NULL || handover->control < 0)
		return 0;
	keep_old_reachable(handover);
	if (rename(handover->draft.name.sun_path, handover->path.name.sun_path) < 0)
		return fail(handover, "cannot answer there", failure);
	handover->file.address = handover->path;
	return 0;
}

int handover_ready(struct handover *handover)
{
	if (handover == NULL || handover->control < 0)
		return 0;
	if (ask_for_signal(handover->control) < 0) {
		close_one(&handover->lock);
		return -1;
	}
	if (handover->old >= 0)
		send(handover->old, (const char[]){ READY }, 1, SOCK_NO_SIGNAL);
	close_one(&handover->old);
	if (handover->has_spare)
		unlink(handover->spare.name.sun_path);
	handover->has_spare = false;
	close_one(&handover->lock);
	return 0;
}

static int send_listeners(struct server *server, int taker)
{
	int result = server->listeners.count > 0 ? 0 : -1;
	struct offer offer = { 0 };

	snprintf(offer.service, sizeof offer.service, "%s", server->service->name);

	pthread_mutex_lock(&server->accept_mutex);
	for (unsigned i = 0; result == 0 && i < server->listeners.count; i++) {
		offer.more = (unsigned char)(server->listeners.count - 1 - i);
		result = pass_send(taker, &offer, sizeof offer, &server->listeners.fds[i],
				   1);
	}
	pthread_mutex_unlock(&server->accept_mutex);
	return result;
}

/* One that has left already is closed at once. @return false if none waits */
static bool accept_taker(struct server *server, struct handover *handover)
{
	handover->taker = accept(handover->control, NULL, NULL);
	if (handover->taker < 0)
		return errno == ECONNABORTED || errno == EINTR;
	handover->taker_since = clock_milliseconds();
	io_set_close_on_exec(handover->taker);
	if (ask_for_signal(handover->taker) < 0 ||
	    send_listeners(server, handover->taker) < 0)
		close_one(&handover->taker);
	return true;
}

/* Drops a new instance that has sent nothing for ANSWER_SECONDS. */
static void drop_silent_taker(struct handover *handover)
{
	if (handover->taker >= 0 &&
	    clock_milliseconds() - handover->taker_since > ANSWER_SECONDS * 1000)
		close_one(&handover->taker);
}

/* @return whether the next one may be asked for: this one is gone */
static bool hear_taker(struct handover *handover)
{
	char byte;
	ssize_t n = io_read(handover->taker, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	close_one(&handover->taker);
	if (n <= 0 || byte != READY)
		return true;
	handover->file.owner = 0; /* the path is the new instance's */
	message(MESSAGE_NOTICE, "another instance has taken over the listening sockets");
	raise(SIGTERM); /* this is the thread that handles it, in its next wait */
	return false;
}

void handover_attend(struct server *server)
{
	struct handover *handover = server->handover;

	if (handover == NULL || !signals_input_arrived() ||
	    !pthread_equal(server->thread, pthread_self()) || !signals_take_input())
		return;
	if (handover->control < 0 || server->stopping)
		return;
	/* The kernel sends no second signal for a connection that waits already. So all are accepted,
	 * until one takes over or none waits. */
	for (;;) {
		if (handover->taker >= 0 && !hear_taker(handover))
			drop_silent_taker(handover);
		if (server->stopping || handover->taker >= 0 ||
		    handover->file.owner == 0 || !accept_taker(server, handover))
			return;
	}
}

void handover_leave_to_parent(struct handover *handover)
{
	if (handover == NULL)
		return;
	close_one(&handover->lock);
	close_one(&handover->control);
	close_one(&handover->taker);
	handover->file.owner = 0;
	handover->has_spare = false;
}

/* The old instance gets its path back, if this one has not become ready. The sandbox may refuse
 * it; then the second name stays. */
static void give_path_back(struct handover *handover)
{
	if (!handover->has_spare || handover->file.owner == 0)
		return;
	if (rename(handover->spare.name.sun_path, handover->path.name.sun_path) == 0)
		handover->has_spare = false;
}

void handover_end(struct handover *handover)
{
	if (handover == NULL)
		return;
	give_path_back(handover);
	socket_file_remove(&handover->file); /* unless another instance has replaced it */
	close_one(&handover->old);
	close_one(&handover->control);
	close_one(&handover->taker);
	close_one(&handover->lock);
}
