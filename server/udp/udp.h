/*
 * udp - the function that a model chooses for -u.
 *
 * The loop that reads the datagrams is the same in all models (udp/datagrams.c). The
 * models differ in the process or thread that answers a peer. A peer is a client: one
 * address and port.
 *
 *   udp_serve                the process that reads (udp/one_process.c)
 *   udp_serve_with_children  a child process per peer (udp/children.c)
 *   udp_serve_with_threads   a thread per peer (udp/threads.c)
 *
 * Each function serves until server_running() is false. It returns 0, or -1 with errno if
 * it could not begin.
 */
#ifndef SERVER_UDP_UDP_H
#define SERVER_UDP_UDP_H

struct server;

int udp_serve(struct server *server);
int udp_serve_with_children(struct server *server);
int udp_serve_with_threads(struct server *server);

#endif
