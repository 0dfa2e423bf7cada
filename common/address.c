/*
 * address - socket addresses: lookup by name, parsing, formatting, comparing.
 *
 * All users of sockaddr structures are in this file, so IPv4, IPv6 and IPv4-mapped IPv6 are
 * handled in one place. What to watch for: a lookup by name may block for seconds;
 * address_parse() never does.
 */
#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/local_address.h"
#include "common/text.h"

enum { CULPRIT_TEXT = 80 };

/* A port number has only digits: getaddrinfo(3) would also accept " 80", "+80" and
 * 65616 (as 80). A service name must look like one (RFC 6335, section 5.1: a letter,
 * digits, hyphens; some old names contain other characters); otherwise it is a
 * mistyped number. */
static bool port_is_sound(const char *port)
{
	uint64_t number;

	if (text_number(port, 0, UINT16_MAX, &number))
		return true;
	return strspn(port, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_+./*") == strlen(port) &&
	       port[strspn(port, "0123456789")] != '\0' && strchr("+-.", port[0]) == NULL;
}

static int look_up(const char *host, const char *port, const struct address_query *query,
		   int numeric, struct addrinfo **list)
{
	struct addrinfo hints = {
		.ai_family = query->family,
		.ai_socktype = query->type,
		.ai_flags = (query->passive ? AI_PASSIVE : 0) | numeric,
	};

	return getaddrinfo(host, port, &hints, list);
}

static int cannot_find_host(const char *host, int error, struct failure *failure)
{
	const char *reason = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
	char culprit[CULPRIT_TEXT];

	text_escape(host, strlen(host), culprit, sizeof culprit);
	return failure_set(failure, "cannot find host %s: %s", culprit, reason);
}

int address_resolve(const char *host, const char *port, const struct address_query *query,
		    struct addrinfo **list, struct failure *failure)
{
	char culprit[CULPRIT_TEXT];
	int error;

	*list = NULL;
	if (!port_is_sound(port) || strlen(port) >= PORT_TEXT) {
		text_escape(port, strlen(port), culprit, sizeof culprit);
		return failure_set(failure,
				   "'%s' is not a port (0 to 65535, or a service name)",
				   culprit);
	}
	if (host != NULL && host[0] == '\0')
		return failure_set(failure, "the host name is empty");
	/* Numeric first: this needs no name service, and none of its files and libraries. */
	error = look_up(host, port, query, AI_NUMERICHOST | AI_NUMERICSERV, list);
	if (error == EAI_NONAME || error == EAI_SERVICE) /* the latter on BSD */
		error = look_up(host, port, query, 0, list);
	if (error == 0)
		return 0;
	if (error == EAI_SERVICE) {
		text_escape(port, strlen(port), culprit, sizeof culprit);
		return failure_set(failure,
				   "'%s' is not a port (0 to 65535, or a service name)",
				   culprit);
	}
	return cannot_find_host(host ? host : "*", error, failure);
}

int address_find_host(const char *host, int family, struct addrinfo **list,
		      struct failure *failure)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM, /* otherwise each address is listed once
					     * per socket type */
		.ai_flags = AI_CANONNAME,
	};
	int error = EAI_NONAME;

	*list = NULL;
	if (host[0] != '\0' && strlen(host) < HOST_NAME_TEXT)
		error = getaddrinfo(host, NULL, &hints, list);
	return error == 0 ? 0 : cannot_find_host(host, error, failure);
}

/* Copies length bytes and a NUL, if they fit into size. */
static bool copy_part(char *out, size_t size, const char *from, size_t length)
{
	if (length >= size)
		return false;
	memcpy(out, from, length);
	out[length] = '\0';
	return true;
}

int address_parse(const char *text, struct address *address)
{
	struct address_query query = { AF_UNSPEC, SOCK_STREAM, false };
	size_t length = strlen(text);
	char host[HOST_TEXT];
	struct addrinfo *list;

	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length == 0 || !copy_part(host, sizeof host, text, length) ||
	    look_up(host, NULL, &query, AI_NUMERICHOST, &list) != 0)
		return -1;
	address_set(address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

int address_split(const char *text, char host[HOST_TEXT], char port[PORT_TEXT],
		  struct failure *failure)
{
	const char *start = text, *end, *colon;
	char culprit[CULPRIT_TEXT];

	if (text[0] == '[') {
		start = text + 1;
		end = strchr(start, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			goto unsound;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(text, ':');
		if (colon != NULL && strchr(colon + 1, ':') != NULL)
			colon = NULL; /* two colons without brackets: IPv6 without a
				       * port */
		end = colon ? colon : text + strlen(text);
	}
	if (end == start || strchr(text, '/') != NULL || /* part of a URL, or of a path */
	    (colon != NULL && colon[1] == '\0') ||
	    !copy_part(host, HOST_TEXT, start, (size_t)(end - start)) ||
	    !copy_part(port, PORT_TEXT, colon ? colon + 1 : "",
		       colon ? strlen(colon + 1) : 0))
		goto unsound;
	return 0;
unsound:
	text_escape(text, strlen(text), culprit, sizeof culprit);
	return failure_set(failure, "'%s' is not HOST, HOST:PORT or [IPV6]:PORT",
			   culprit);
}

int address_check_port(const char *port, int type, struct failure *failure)
{
	struct address_query any = { AF_UNSPEC, type, false };
	struct addrinfo *list;

	if (address_resolve(NULL, port, &any, &list, failure) < 0)
		return -1;
	freeaddrinfo(list);
	return 0;
}

static int local_operand(const char *operand, bool has_port, char host[HOST_TEXT],
			 char port[PORT_TEXT], struct failure *failure)
{
	struct local_address address;
	char text[LOCAL_ADDRESS_TEXT];

	if (local_address_parse(operand, &address, failure) < 0)
		return -1;
	if (has_port)
		return failure_set(failure,
				   "%s is a UNIX-domain socket, which has no port",
				   local_address_text(&address, text));
	copy_part(host, HOST_TEXT, operand, strlen(operand));
	port[0] = '\0';
	return 0;
}

static bool is_socket_file(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 && S_ISSOCK(status.st_mode);
}

int address_operands(char *const operands[], int count, int type, char host[HOST_TEXT],
		     char port[PORT_TEXT], struct failure *failure)
{
	if (count < 1)
		return failure_set(failure, "HOST and PORT are missing");
	if (count > 2)
		return failure_set(failure, "unexpected argument after HOST and PORT");
	if (local_address_is(operands[0]))
		return local_operand(operands[0], count > 1, host, port, failure);
	if (address_split(operands[0], host, port, failure) < 0)
		return -1;
	if (count == 1 && port[0] == '\0')
		return failure_set(failure,
				   is_socket_file(operands[0])
					   ? "PORT is missing (a socket file has a slash "
					     "in its name: ./FILE)"
					   : "PORT is missing");
	if (count == 2 && port[0] != '\0')
		return failure_set(failure, "the port is given twice");
	if (address_check_port(count == 2 ? operands[1] : port, type, failure) < 0)
		return -1;
	if (count == 2)
		copy_part(port, PORT_TEXT, operands[1], strlen(operands[1]));
	return 0;
}

/* The bytes of a UNIX-domain socket's name are where the credentials are. */
static void forget_name(struct address *address)
{
	sa_family_t family = address->any.sa_family;

	if (family != AF_UNIX)
		return;
	memset(&address->v6, 0, sizeof address->v6);
	address->any.sa_family = family;
}

void address_set(struct address *address, const struct sockaddr *from, socklen_t length)
{
	socklen_t capacity = (socklen_t)sizeof address->v6;

	memset(address, 0, sizeof *address);
	address->length = length < capacity ? length : capacity;
	memcpy(&address->v6, from, address->length);
	forget_name(address);
#ifdef SIN6_LEN /* RFC 3493, section 3.4: a sockaddr begins with its length */
	address->any.sa_len = (unsigned char)address->length;
#endif
}

/* The bytes of the address: 4 of IPv4, also if IPv4-mapped, or 16 of IPv6.
 * @return their number; 0 for other families */
static size_t host_bytes(const struct address *address, const unsigned char **bytes)
{
	switch (address->any.sa_family) {
	case AF_INET:
		*bytes = (const unsigned char *)&address->v4.sin_addr;
		return 4;
	case AF_INET6:
		*bytes = address->v6.sin6_addr.s6_addr;
		if (!IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
			return 16;
		*bytes += 12;
		return 4;
	default:
		*bytes = NULL;
		return 0;
	}
}

int address_family(const struct address *address)
{
	const unsigned char *bytes;

	return host_bytes(address, &bytes) == 4 ? AF_INET : address->any.sa_family;
}

static const char *local_text(const struct address *address, char out[ADDRESS_TEXT])
{
	const struct credentials *peer = &address->local.credentials;
	unsigned long uid = (unsigned long)peer->uid;

	if (address->any.sa_family != AF_UNIX || !address->local.known)
		snprintf(out, ADDRESS_TEXT, "local");
	else if (peer->pid <= 0)
		snprintf(out, ADDRESS_TEXT, "uid %lu", uid);
	else
		snprintf(out, ADDRESS_TEXT, "pid %ld uid %lu", (long)peer->pid, uid);
	return out;
}

const char *address_host_text(const struct address *address, char out[ADDRESS_TEXT])
{
	const unsigned char *bytes;
	char interface[IF_NAMESIZE];
	size_t length = host_bytes(address, &bytes), used;
	unsigned scope = length == 16 ? (unsigned)address->v6.sin6_scope_id : 0;

	if (length == 0)
		return local_text(address, out);
	inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, out, ADDRESS_TEXT);
	if (scope == 0)
		return out;
	if (if_indextoname(scope, interface) == NULL)
		snprintf(interface, sizeof interface, "%u", scope);
	used = strlen(out);
	out[used++] = '%';
	text_escape(interface, strlen(interface), out + used, ADDRESS_TEXT - used);
	return out;
}

/* Name services know IPv4-mapped IPv6 addresses as IPv4: hosts files list them so. */
static struct address without_mapping(const struct address *address)
{
	struct address plain = *address;

	if (address_family(address) == AF_INET && address->any.sa_family == AF_INET6) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };

		memcpy(&v4.sin_addr, &address->v6.sin6_addr.s6_addr[12], 4);
		address_set(&plain, (const struct sockaddr *)&v4, sizeof v4);
	}
	return plain;
}

int address_find_name(const struct address *address, char name[HOST_NAME_TEXT],
		      struct failure *failure)
{
	struct address asked = without_mapping(address);
	char text[ADDRESS_TEXT];
	int error = getnameinfo(&asked.any, asked.length, name, HOST_NAME_TEXT, NULL, 0,
				NI_NAMEREQD);

	if (error == 0)
		return 0;
	return failure_set(failure, "cannot find the name of %s: %s",
			   address_host_text(&asked, text),
			   error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

const char *address_text(const struct address *address, char out[ADDRESS_TEXT])
{
	const unsigned char *bytes;
	char host[ADDRESS_TEXT];
	size_t length = host_bytes(address, &bytes);

	if (length == 0)
		return local_text(address, out);
	address_host_text(address, host);
	snprintf(out, ADDRESS_TEXT, length == 4 ? "%.64s:%u" : "[%.64s]:%u", host,
		 address_port(address));
	return out;
}

static int compare_numbers(size_t one, size_t other)
{
	return (one > other) - (one < other);
}

int address_compare_host(const struct address *one, const struct address *other)
{
	const unsigned char *bytes, *other_bytes;
	size_t length = host_bytes(one, &bytes);
	size_t other_length = host_bytes(other, &other_bytes);
	int order = compare_numbers(length, other_length);

	if (order != 0 || length == 0)
		return order;
	order = memcmp(bytes, other_bytes, length);
	if (order != 0 || length == 4 || one->v6.sin6_scope_id == 0 ||
	    other->v6.sin6_scope_id == 0)
		return order;
	return compare_numbers(one->v6.sin6_scope_id, other->v6.sin6_scope_id);
}

unsigned address_port(const struct address *address)
{
	switch (address->any.sa_family) {
	case AF_INET:
		return ntohs(address->v4.sin_port);
	case AF_INET6:
		return ntohs(address->v6.sin6_port);
	default:
		return 0;
	}
}

void address_set_port(struct address *address, unsigned port)
{
	if (address->any.sa_family == AF_INET)
		address->v4.sin_port = htons((uint16_t)port);
	else if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons((uint16_t)port);
}

static void cut_length(struct address *address)
{
	socklen_t capacity = (socklen_t)sizeof address->v6;

	if (address->length > capacity)
		address->length = capacity;
}

/* Calls get (getsockname or getpeername). The kernel returns the full length, even
 * if it has written less: the path of a local socket is longer. */
static int ask(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
	       struct address *address)
{
	memset(address, 0, sizeof *address);
	address->length = (socklen_t)sizeof address->v6;
	if (get(fd, &address->any, &address->length) < 0)
		return -1;
	cut_length(address);
	forget_name(address);
	return 0;
}

int address_local(int fd, struct address *address)
{
	return ask(getsockname, fd, address);
}

static void note_credentials(struct address *address, int fd)
{
	if (address->any.sa_family == AF_UNIX)
		address->local.known =
			credentials_of_peer(fd, &address->local.credentials);
}

int address_peer(int fd, struct address *address)
{
	if (ask(getpeername, fd, address) < 0)
		return -1;
	note_credentials(address, fd);
	return 0;
}

void address_accepted(struct address *address, int fd)
{
	cut_length(address);
	forget_name(address);
	note_credentials(address, fd);
}
