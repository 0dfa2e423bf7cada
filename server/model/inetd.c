/*
 * inetd - no server at all: a super-server starts a process for each client.
 *
 * What it shows: the oldest division of labour. Another program, such as inetd(8) or
 * tcpserver(1), listens and accepts. For each client it forks, makes the client's socket
 * descriptor 0, and executes this program. The process serves this one client with a
 * blocking recv(2), and exits. It has no loop around accept(2), and no list of clients.
 * With -u descriptor 0 is the datagram socket of all peers. The super-server does not read
 * it while the process runs. The process exits when no peer is left.
 *
 * Why one would choose it: a service that is seldom used takes no memory while it waits,
 * and one super-server can wait for many services. It also limits clients, changes the user
 * and writes the log, so none of this is in the service. A new version of the program is
 * used from the next client on. What it costs: an execve(2) for each client, in addition to
 * the fork(2) of fork.c. The dynamic linker runs and the options are read again each time.
 * Clients share no state.
 *
 * The same as fork.c without the parent: compare serve() with its serve_client().
 */
#include <stddef.h>
#include <unistd.h>

#include "common/io.h"
#include "server/core/connection.h"
#include "server/core/input_socket.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

static void serve_client(struct server *server, struct connection *connection)
{
	static struct worker worker;

	signals_admit_all(true);
	serve_blocking(connection, &worker);
	signals_admit_all(false);
	connection_close(connection);
	server_left(server);
}

static int serve(struct server *server)
{
	struct connection *connection;
	struct address peer;

	/* O_NONBLOCK belongs to the socket, not to the descriptor: the super-server may have
	 * set it. */
	if (io_set_nonblocking(STDIN_FILENO, false) < 0)
		return -1;
	input_socket_peer(&peer);
	connection = server_adopt(server, STDIN_FILENO, &peer);
	if (connection == NULL)
		return -1;
	serve_client(server, connection);
	return 0;
}

/* The mode "wait" of inetd.conf(5). The datagram that has woken the super-server is still
 * in the socket. */
static int serve_datagrams(struct server *server)
{
	server_exit_when_idle(server);
	return udp_serve(server);
}

const struct model inetd_model = {
	.name = "inetd",
	.summary = "serves the client on standard input, and exits",
	.most_clients = 1,
	.serves_input = true,
	.serve = serve,
	.serve_datagrams = serve_datagrams,
	.hub = &hub_in_process, /* where the client is alone */
};
