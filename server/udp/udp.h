/*
 * udp - who answers datagrams: what a model chooses for -u.
 *
 * The loop that reads them is the same for all (udp/datagrams.c). The difference is who answers
 * a peer, the client of one address and port.
 *
 *   udp_serve                the process that reads, at once (udp/one_process.c)
 *   udp_serve_with_children  a child process per peer (udp/children.c)
 *   udp_serve_with_threads   a thread per peer (udp/threads.c)
 *
 * Each serves until server_running() is false, and returns 0, or -1 with errno when it could not
 * even begin.
 */
#ifndef SERVER_UDP_UDP_H
#define SERVER_UDP_UDP_H

struct server;

int udp_serve(struct server *server);
int udp_serve_with_children(struct server *server);
int udp_serve_with_threads(struct server *server);

#endif
