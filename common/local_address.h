/*
 * local_address - the names of UNIX-domain sockets (unix(7)).
 *
 * A word is such a name if it contains a slash, or begins with '@'. With a slash it is the path
 * of a socket file, such as ./echo.sock; so a name without one is always a host. "@name" is a
 * name in the abstract namespace of Linux: no file, and it is free as soon as its last socket is
 * closed.
 */
#ifndef COMMON_LOCAL_ADDRESS_H
#define COMMON_LOCAL_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/failure.h"

/** The name of a UNIX-domain socket. sockaddr_un is larger than struct address, which a server
 *  keeps for each client. */
struct local_address {
	struct sockaddr_un name;
	socklen_t length; /* 0: none */
};

/** Enough for most names, as text_escape() writes them; longer ones are cut. */
enum { LOCAL_ADDRESS_TEXT = 160 };

/** Whether a word names a UNIX-domain socket. A URL, which has "://", does not. */
bool local_address_is(const char *text);

/** Parses such a word. @return 0; or -1 with *failure, which names it: longer than the system
 *  allows (107 bytes on Linux), or abstract where the system has no such names */
int local_address_parse(const char *text, struct local_address *address,
			struct failure *failure);

/** Reads the name of the UNIX-domain socket @p fd (getsockname). @return 0, or -1 with errno:
 *  EAFNOSUPPORT it is another kind of socket */
int local_address_of(int fd, struct local_address *address);

/** Whether it is the path of a file, not an abstract name or none. */
bool local_address_is_path(const struct local_address *address);

/** Whether a socket without a name has this address: its length is 0, or on BSD its name is
 *  empty. */
bool local_address_is_unnamed(const struct local_address *address);

/** Why a socket of @p type could not connect: strerror(), or for EPROTOTYPE which type the socket at
 *  the name has. */
const char *local_address_why(int error, int type);

/** Writes "./echo.sock", "@name", or "unnamed", escaped. @return @p out */
const char *local_address_text(const struct local_address *address,
			       char out[LOCAL_ADDRESS_TEXT]);

#endif
