#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

enum { CULPRIT_TEXT = 80 };

/* A port in digits: getaddrinfo alone would take " 80", "+80" and 65616 (as 80). A name
 * must look like one (RFC 6335, section 5.1: a letter, digits, hyphens; some old names
 * have other marks), or it is a mistyped number. */
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
		return failure_set(failure, "'' is not a host");
	/* Numbers first: that needs no name service, none of its files and libraries. */
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
	text_escape(host ? host : "*", host ? strlen(host) : 1, culprit, sizeof culprit);
	return failure_set(failure, "cannot find host %s: %s", culprit,
			   error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
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
			colon = NULL; /* two colons and no brackets: IPv6 without a port */
		end = colon ? colon : text + strlen(text);
	}
	if (end == start || (colon != NULL && colon[1] == '\0') ||
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

int address_operands(char *const operands[], int count, int type, char host[HOST_TEXT],
		     char port[PORT_TEXT], struct failure *failure)
{
	if (count < 1)
		return failure_set(failure, "HOST and PORT are missing");
	if (count > 2)
		return failure_set(failure, "more than HOST and PORT");
	if (address_split(operands[0], host, port, failure) < 0)
		return -1;
	if (count == 1 && port[0] == '\0')
		return failure_set(failure, "PORT is missing");
	if (count == 2 && port[0] != '\0')
		return failure_set(failure, "the port is given twice");
	if (address_check_port(count == 2 ? operands[1] : port, type, failure) < 0)
		return -1;
	if (count == 2)
		copy_part(port, PORT_TEXT, operands[1], strlen(operands[1]));
	return 0;
}

void address_set(struct address *address, const struct sockaddr *from, socklen_t length)
{
	socklen_t room = (socklen_t)sizeof address->v6;

	memset(address, 0, sizeof *address);
	address->length = length < room ? length : room;
	memcpy(&address->v6, from, address->length);
}

const char *address_text(const struct address *address, char out[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN], interface[IF_NAMESIZE + 1] = "";

	switch (address->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
		snprintf(out, ADDRESS_TEXT, "%s:%u", host, address_port(address));
		break;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
			inet_ntop(AF_INET, &address->v6.sin6_addr.s6_addr[12], host,
				  sizeof host);
			snprintf(out, ADDRESS_TEXT, "%s:%u", host, address_port(address));
			break;
		}
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
		if (address->v6.sin6_scope_id != 0) {
			interface[0] = '%';
			if (if_indextoname(address->v6.sin6_scope_id, interface + 1) ==
			    NULL)
				snprintf(interface, sizeof interface, "%%%u",
					 (unsigned)address->v6.sin6_scope_id);
		}
		snprintf(out, ADDRESS_TEXT, "[%s%s]:%u", host, interface,
			 address_port(address));
		break;
	default:
		snprintf(out, ADDRESS_TEXT, "local");
	}
	return out;
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

/* Asks get for an address. The kernel tells how long it would be whole, though it wrote
 * no more than there is room for: the path of a local socket is longer. */
static int ask(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
	       struct address *address)
{
	socklen_t room = (socklen_t)sizeof address->v6;

	memset(address, 0, sizeof *address);
	address->length = room;
	if (get(fd, &address->any, &address->length) < 0)
		return -1;
	if (address->length > room)
		address->length = room;
	return 0;
}

int address_local(int fd, struct address *address)
{
	return ask(getsockname, fd, address);
}

int address_peer(int fd, struct address *address)
{
	return ask(getpeername, fd, address);
}
