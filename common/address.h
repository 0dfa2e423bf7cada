/*
 * address - socket addresses and their text.
 *
 * IPv4 and IPv6 alike. Nothing outside this module reads a sockaddr.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/credentials.h"
#include "common/failure.h"

/** An address and a port. 28 bytes and a length; sockaddr_storage has 128. A server
 *  keeps one per client. Of a UNIX-domain socket (AF_UNIX) the name is not kept, which can
 *  have 108 bytes (local_address.h), but the process at its other end. */
struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct {
			struct sockaddr family;
			struct credentials credentials;
			bool known; /* the credentials */
		} local;
	};
	socklen_t length;
};

/** Enough for "[IPv6%interface]:65535" and its NUL. */
enum { ADDRESS_TEXT = 80, HOST_TEXT = 256, PORT_TEXT = 32 };

/** Enough for any host name (NI_MAXHOST, RFC 3493) and its NUL. */
enum { HOST_NAME_TEXT = 1025 };

/** How to look up a name. */
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
 * @return 0, or -1 with *failure, which names the invalid part
 */
int address_resolve(const char *host, const char *port, const struct address_query *query,
		    struct addrinfo **list, struct failure *failure);

/**
 * Looks up a host: all its addresses, in the order to try them; the first one has its
 * canonical name (ai_canonname).
 *
 * @param family  AF_UNSPEC, AF_INET or AF_INET6
 * @param list    receives the addresses, port 0; free with freeaddrinfo()
 * @return 0, or -1 with *failure, which names the host
 */
int address_find_host(const char *host, int family, struct addrinfo **list,
		      struct failure *failure);

/** Looks up the name of the host with this address (RFC 3493, getnameinfo). The name is
 *  untrusted text.
 *  @return 0, or -1 with *failure, which names the address */
int address_find_name(const struct address *address, char name[HOST_NAME_TEXT],
		      struct failure *failure);

/**
 * Parses a numeric address, without a name service: IPv6, also in brackets and with
 * %interface; IPv4, also in the old forms of getaddrinfo(3) (127.1, 0x7f000001).
 *
 * @return 0 with *address, port 0; or -1 if @p text is none
 */
int address_parse(const char *text, struct address *address);

/**
 * Splits "host:port", "[v6]:port", "[v6]", "host" or a bare IPv6 address.
 *
 * @param host  receives the host without brackets
 * @param port  receives the port, or "" when @p text has none
 * @return 0, or -1 with *failure when @p text is none of these or too long
 */
int address_split(const char *text, char host[HOST_TEXT], char port[PORT_TEXT],
		  struct failure *failure);

/** Whether @p port is valid: a number from 0 to 65535, or a service known for this
 *  @p type of socket. @return 0, or -1 with *failure */
int address_check_port(const char *port, int type, struct failure *failure);

/**
 * Parses the operands of a client: HOST PORT, or one word for address_split(), or the name of
 * a UNIX-domain socket (local_address.h), which has no port: then @p port is "". An invalid
 * port or name is bad usage and found here; the host is not looked up.
 *
 * @param type  as for address_check_port()
 * @return 0, or -1 with *failure
 */
int address_operands(char *const operands[], int count, int type, char host[HOST_TEXT],
		     char port[PORT_TEXT], struct failure *failure);

/** Copies a socket address, cut to the size of struct address. */
void address_set(struct address *address, const struct sockaddr *from, socklen_t length);

/**
 * Writes "127.0.0.1:7007" or "[::1]:7007": numeric, so that nothing waits for a name
 * server. An IPv4 client of a dual-stack socket (::ffff:127.0.0.1) is shown as IPv4.
 * The peer of a UNIX-domain socket is "pid 123 uid 1000"; "uid 1000" or "local" where the
 * system does not tell more.
 * @return @p out
 */
const char *address_text(const struct address *address, char out[ADDRESS_TEXT]);

/** The same without a port: "127.0.0.1", "::1", "fe80::1%eth0", the name of the interface
 *  escaped. @return @p out */
const char *address_host_text(const struct address *address, char out[ADDRESS_TEXT]);

/** AF_INET or AF_INET6; AF_INET for IPv4 inside IPv6 (::ffff:127.0.0.1). */
int address_family(const struct address *address);

/** Orders by family (IPv4 first) and address, whatever the ports; interfaces count only
 *  where both have one. @return less than, equal to or greater than 0, as memcmp(3) */
int address_compare_host(const struct address *one, const struct address *other);

/** The port in host order; 0 where the family has none. */
unsigned address_port(const struct address *address);

/** Sets the port, in host order; nothing where the family has none. */
void address_set_port(struct address *address, unsigned port);

/** The local address of a socket (getsockname). The length is that of the family alone for a
 *  UNIX-domain socket without a name. @return 0, or -1 with errno */
int address_local(int fd, struct address *address);

/** The peer of a connected socket (getpeername), with its credentials if it is a UNIX-domain
 *  socket. @return 0, or -1 with errno */
int address_peer(int fd, struct address *address);

/** To be called for the address that accept(2) has written for @p fd: cuts a length that is
 *  more than the address has, and replaces the name of a UNIX-domain socket by the credentials
 *  of the peer. */
void address_accepted(struct address *address, int fd);

#endif
