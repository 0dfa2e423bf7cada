/*
 * address - who is at the other end: socket addresses and their text.
 *
 * IPv4 and IPv6 alike; nothing outside this module looks into a sockaddr.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/failure.h"

/** An address and port. 28 bytes and its length, where sockaddr_storage takes 128: a
 *  server keeps one for each client. */
struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t length;
};

/** Enough for "[IPv6%interface]:65535" and its NUL. */
enum { ADDRESS_TEXT = 80, HOST_TEXT = 256, PORT_TEXT = 32 };

/** How a name is to be looked up. */
struct address_query {
	int family;   /* AF_UNSPEC, AF_INET or AF_INET6 */
	int type;     /* SOCK_STREAM or SOCK_DGRAM: which list of service names */
	bool passive; /* to listen on: a NULL host is the wildcard address */
};

/**
 * Looks up a host and a port: RFC 3493's getaddrinfo, with a port that is checked.
 *
 * @param host  a name, an IPv4 or IPv6 address (with %interface), or NULL
 * @param port  a number from 0 to 65535, in decimal digits only, or a service's name
 * @param list  receives the addresses in the order to try them; free with freeaddrinfo()
 * @return 0, or -1 with *failure, which names the culprit
 */
int address_resolve(const char *host, const char *port, const struct address_query *query,
		    struct addrinfo **list, struct failure *failure);

/**
 * Splits "host:port", "[v6]:port", "[v6]", "host" or a bare IPv6 address.
 *
 * @param host  receives the host without brackets
 * @param port  receives the port, or "" when @p text has none
 * @return 0, or -1 with *failure when @p text is none of these or too long
 */
int address_split(const char *text, char host[HOST_TEXT], char port[PORT_TEXT],
		  struct failure *failure);

/** Whether @p port is one: a number from 0 to 65535, or a service known for this @p type of
 *  socket. @return 0, or -1 with *failure */
int address_check_port(const char *port, int type, struct failure *failure);

/**
 * Reads a client's operands: HOST PORT, or one word that address_split() takes apart. A
 * port that is none is found here, as bad usage; whether the host exists is not asked.
 *
 * @param type  as for address_check_port()
 * @return 0, or -1 with *failure
 */
int address_operands(char *const operands[], int count, int type, char host[HOST_TEXT],
		     char port[PORT_TEXT], struct failure *failure);

/** Copies a socket address, cut to what struct address holds. */
void address_set(struct address *address, const struct sockaddr *from, socklen_t length);

/**
 * Writes "127.0.0.1:7007" or "[::1]:7007": numeric, so that nothing waits for a name
 * server. An IPv4 client of a dual-stack socket (::ffff:127.0.0.1) is shown as IPv4.
 * A local (AF_UNIX) socket is "local".
 * @return @p out
 */
const char *address_text(const struct address *address, char out[ADDRESS_TEXT]);

/** The port in host order; 0 where the family has none. */
unsigned address_port(const struct address *address);

/** Our own end of a socket (getsockname). @return 0, or -1 with errno */
int address_local(int fd, struct address *address);

/** The other end of a connected socket (getpeername). @return 0, or -1 with errno */
int address_peer(int fd, struct address *address);

#endif
