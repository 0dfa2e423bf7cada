/*
 * endpoint - the two ends of the connections of a load: see client/load/endpoint.h.
 *
 * The source addresses are used in turn. Each socket is bound to its address without a port: the
 * kernel chooses the port in connect(2), where it knows the server, and so uses a port again for
 * another server. The whole network 127.0.0.0/8 is this machine (RFC 1122, 3.2.1.3), so a server
 * on loopback can have any number of connections.
 */
#include "client/load/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/socket_file.h"
#include "common/text.h"

enum { SHOWN_TEXT = 100 };

static int take_source(const char *item, size_t length, struct load_sources *sources,
		       struct failure *failure)
{
	struct address *address = &sources->list[sources->count];
	char text[HOST_TEXT], shown[SHOWN_TEXT];

	if (sources->count == LOAD_SOURCES_MOST)
		return failure_set(failure, "--source: more than %d addresses",
				   LOAD_SOURCES_MOST);
	text_escape(item, length, shown, sizeof shown);
	if (length < sizeof text) {
		memcpy(text, item, length);
		text[length] = '\0';
	}
	if (length >= sizeof text || address_parse(text, address) < 0)
		return failure_set(failure,
				   "--source: '%s' is not a numeric IPv4 or IPv6 address",
				   shown);
	if (address_family(address) != address_family(&sources->list[0]))
		return failure_set(failure,
				   "--source: '%s' is of another family than the first "
				   "address",
				   shown);
	sources->count++;
	return 0;
}

int load_sources_parse(const char *text, struct load_sources *sources,
		       struct failure *failure)
{
	sources->count = 0;
	for (;;) {
		size_t length = strcspn(text, ",");

		if (take_source(text, length, sources, failure) < 0)
			return -1;
		if (text[length] == '\0')
			return 0;
		text += length + 1;
	}
}

static int cannot_use(const struct address *address, struct failure *failure)
{
	char text[ADDRESS_TEXT];

	return failure_set(failure, "--source: cannot use %s: %s",
			   address_host_text(address, text), strerror(errno));
}

int load_sources_check(const struct load_sources *sources, struct failure *failure)
{
	for (unsigned i = 0; i < sources->count; i++) {
		const struct address *address = &sources->list[i];
		int fd = socket(address->any.sa_family, SOCK_STREAM, 0);

		if (fd < 0)
			return cannot_use(address, failure);
		if (bind(fd, &address->any, address->length) < 0) {
			cannot_use(address, failure);
			close(fd);
			return -1;
		}
		close(fd);
	}
	return 0;
}

const struct address *load_source(const struct load_sources *sources, unsigned number)
{
	return sources->count > 0 ? &sources->list[number % sources->count] : NULL;
}

#ifdef __linux__

/* The number of ports of a source address; 0 if unknown. */
static unsigned ports_of_a_source(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	unsigned first = 1, last = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%u %u", &first, &last) != 2 || last < first)
		last = first - 1;
	fclose(file);
	return last - first + 1;
}

/* Three quarters of the ports of each: to find one of the last free ports takes the kernel
 * long. */
void load_endpoint_add_sources(struct load_endpoint *endpoint, unsigned connections)
{
	struct load_sources *sources = &endpoint->sources;
	unsigned ports = ports_of_a_source(), wanted;
	char text[ADDRESS_TEXT];

	if (sources->count > 0 || ports == 0 || connections <= ports ||
	    strncmp(address_host_text(&endpoint->address, text), "127.", 4) != 0)
		return;
	wanted = connections / (ports * 3 / 4 + 1) + 1;
	if (wanted > LOAD_SOURCES_MOST)
		wanted = LOAD_SOURCES_MOST;
	while (sources->count < wanted) {
		snprintf(text, sizeof text, "127.0.0.%u", sources->count + 1);
		if (address_parse(text, &sources->list[sources->count]) < 0)
			return;
		sources->count++;
	}
}

#else

void load_endpoint_add_sources(struct load_endpoint *endpoint, unsigned connections)
{
	(void)endpoint;
	(void)connections;
}

#endif

int load_endpoint_connect(const struct load_endpoint *endpoint, unsigned number, int type)
{
	const struct address *address = &endpoint->address;
	struct socket_file none; /* LOAD_LOCAL_DATAGRAMS: the name is abstract */

	if (endpoint->local.length > 0 && type == SOCK_DGRAM)
		return sock_connect_datagrams(&endpoint->local, &none);
	if (endpoint->local.length > 0)
		return sock_connect_local(&endpoint->local, type);
	return sock_connect_start_from(&address->any, address->length, type,
				       load_source(&endpoint->sources, number));
}
