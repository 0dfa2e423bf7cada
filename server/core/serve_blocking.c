/*
 * serve_blocking - recv, service, send: the loop of all models in which a worker has one
 * client.
 *
 * The worker has one client, so it can block in recv(2) until that client sends
 * something. The code is short, and one exchange takes two system calls. The cost is a
 * process or thread that has only this client, and sleeps most of the time.
 *
 * Where the worker blocks:
 *
 *   recv(2)   in this file: for the client's next bytes; SO_RCVTIMEO is the idle timeout
 *   poll(2)   in blocking_wait.c: while the service writes more than the kernel takes, and
 *             whenever the worker has more than one thing to wait for: a deadline, a pause,
 *             the hub
 *
 * The stop signal, deadlines, pauses and the hub are in blocking_wait.c.
 */
#include "server/core/serve_blocking.h"

#include <errno.h>
#include <sys/socket.h>

#include "server/core/blocking_wait.h"

/* With a hub, poll(2) has already waited, and recv(2) must not wait again. */
static ssize_t receive(const struct connection *c, char *bytes, size_t n)
{
	return recv(c->fd, bytes, n, c->hub != NULL ? MSG_DONTWAIT : 0);
}

void serve_blocking(struct connection *c, struct worker *worker)
{
	unsigned ready;
	size_t kept;
	ssize_t n;

	blocking_begin(c, worker);
	while (blocking_goes_on(c, worker)) {
		ready = blocking_wait(
			c, worker);     /* usually returns at once: recv(2) waits */
		if (ready & WANT_WRITE) /* the send buffer has space again */
			connection_on_writable(c, worker);
		if (ready & connection_wants(c) & WANT_READ) {
			kept = connection_prepare_input(c, worker);
			n = receive(c, worker->input + kept, sizeof worker->input - kept);
			if (n < 0 && errno == EAGAIN)
				blocking_timed_out(c);
			else if (connection_received(c, n))
				connection_offer(c, kept + (size_t)n); /* service, send */
		}
		blocking_deliver(c, worker, ready);
	}
}
