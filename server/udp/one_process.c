/*
 * one_process - the process that reads a datagram answers it before it reads the next.
 *
 * Nothing is simpler or faster: no datagram is handed to anybody. It costs that a service that
 * takes long for one peer delays all the others.
 */
#include "server/udp/datagrams.h"
#include "server/udp/udp.h"

int udp_serve(struct server *server)
{
	static struct datagrams datagrams;

	datagrams.server = server;
	return datagrams_serve(&datagrams);
}
