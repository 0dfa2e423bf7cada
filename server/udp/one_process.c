/*
 * one_process - the process that reads a datagram answers it before it reads the next.
 *
 * This is the simplest and fastest way, because no datagram is passed to a worker. The
 * cost: while the service answers one peer, all others wait.
 */
#include "server/udp/datagrams.h"
#include "server/udp/udp.h"

int udp_serve(struct server *server)
{
	static struct datagrams datagrams;

	datagrams.server = server;
	return datagrams_serve(&datagrams);
}
