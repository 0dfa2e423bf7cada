/*
 * Addresses: looked up, split, and written as text.
 *
 * Nothing here asks a name server: hosts are numbers, or names too long to be sent.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/address.h"
#include "common/address_block.h"
#include "common/address_prefix.h"
#include "tests/fixture/client.h"
#include "tests/fixture/folder.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct address_query STREAM = { AF_UNSPEC, SOCK_STREAM, false };

/* The first address found for host and port, which must be there. */
static struct address resolved(const char *host, const char *port,
			       const struct address_query *query)
{
	struct addrinfo *list;
	struct failure failure = { "" };
	struct address address;

	ck_assert_msg(address_resolve(host, port, query, &list, &failure) == 0, "%s",
		      failure.text);
	address_set(&address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return address;
}

static void assert_resolved(const char *host, const char *port, const char *expected)
{
	struct address address = resolved(host, port, &STREAM);
	char text[ADDRESS_TEXT];

	ck_assert_str_eq(address_text(&address, text), expected);
}

/* What is said when host and port cannot be had. */
static struct failure refused(const char *host, const char *port,
			      const struct address_query *query)
{
	struct addrinfo *list = (struct addrinfo *)&list;
	struct failure failure = { "" };

	ck_assert_msg(address_resolve(host, port, query, &list, &failure) == -1,
		      "'%s' port '%s' was taken", host ? host : "(none)", port);
	ck_assert_ptr_null(list);
	return failure;
}

/* ---- ports ------------------------------------------------------------------------------- */

START_TEST(a_port_is_a_number_from_0_to_65535)
{
	assert_resolved("127.0.0.1", "0", "127.0.0.1:0");
	assert_resolved("127.0.0.1", "7", "127.0.0.1:7");
	assert_resolved("127.0.0.1", "65535", "127.0.0.1:65535");
	assert_resolved("127.0.0.1", "010", "127.0.0.1:10"); /* decimal, not octal */
}
END_TEST

START_TEST(a_bad_port_is_named_and_refused)
{
	static const struct {
		const char *port, *shown;
	} cases[] = {
		{ "0x50", "0x50" },
		{ "-1", "-1" },
		{ "+80", "+80" },
		{ " 80", " 80" },
		{ "80 ", "80 " },
		{ "80x", "80x" },
		{ "65536", "65536" },
		{ "65616", "65616" }, /* 80 modulo 65536 */
		{ "", "" },
		{ "80.0", "80.0" },
		{ ".", "." },
		{ "no-such-service", "no-such-service" },
		{ "80\n", "80\\n" },
		{ "\x1b[2J", "\\x1b[2J" },
		{ "99999999999999999999", "99999999999999999999" },
		{ "18446744073709551696", "18446744073709551696" }, /* 80 modulo 2^64 */
		{ "a-name-that-is-longer-than-any-service-has",
		  "a-name-that-is-longer-than-any-service-has" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct failure failure = refused("127.0.0.1", cases[i].port, &STREAM);
		char expected[FAILURE_TEXT];

		snprintf(expected, sizeof expected,
			 "'%s' is not a port (0 to 65535, or a service name)",
			 cases[i].shown);
		ck_assert_str_eq(failure.text, expected);
	}
}
END_TEST

START_TEST(a_very_long_port_is_cut_in_the_message)
{
	char port[5000];
	struct failure failure;

	memset(port, '1', sizeof port - 1);
	port[sizeof port - 1] = '\0';
	failure = refused("127.0.0.1", port, &STREAM);
	ck_assert_uint_lt(strlen(failure.text), 150);
	ck_assert_ptr_nonnull(strstr(failure.text, "...' is not a port"));
}
END_TEST

START_TEST(a_port_can_be_the_name_of_a_service)
{
	struct address_query datagram = { AF_UNSPEC, SOCK_DGRAM, false };
	struct address address;

	if (getservbyname("http", "tcp") == NULL ||
	    getservbyname("echo", "udp") == NULL) {
		skipped("needs /etc/services");
		return;
	}
	assert_resolved("127.0.0.1", "http", "127.0.0.1:80");
	assert_resolved("::1", "echo", "[::1]:7");
	address = resolved("127.0.0.1", "echo", &datagram);
	ck_assert_uint_eq(address_port(&address), 7);
}
END_TEST

/* ---- hosts ------------------------------------------------------------------------------- */

START_TEST(an_address_is_shown_in_its_shortest_form)
{
	assert_resolved("127.0.0.1", "7007", "127.0.0.1:7007");
	assert_resolved("::1", "7007", "[::1]:7007");
	assert_resolved("0:0:0:0:0:0:0:0", "1", "[::]:1");
	assert_resolved("2001:DB8:0:0:0:0:0:1", "80", "[2001:db8::1]:80");
	assert_resolved("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "65535",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(an_ipv4_client_of_a_dual_stack_socket_is_shown_as_ipv4)
{
	struct address address = { .v6 = { .sin6_family = AF_INET6 } };
	char text[ADDRESS_TEXT];

	inet_pton(AF_INET6, "::ffff:192.0.2.7", &address.v6.sin6_addr);
	address.v6.sin6_port = htons(4711);
	ck_assert_str_eq(address_text(&address, text), "192.0.2.7:4711");
	ck_assert_uint_eq(address_port(&address), 4711);
}
END_TEST

START_TEST(a_link_local_address_keeps_its_interface)
{
	char interface[IF_NAMESIZE], host[64], expected[ADDRESS_TEXT];

	if (if_indextoname(1, interface) == NULL) {
		skipped("needs a network interface with index 1");
		return;
	}
	snprintf(host, sizeof host, "fe80::1%%%s", interface);
	snprintf(expected, sizeof expected, "[fe80::1%%%s]:80", interface);
	assert_resolved(host, "80", expected);
}
END_TEST

START_TEST(an_interface_that_is_gone_is_shown_by_its_number)
{
	struct address address = { .v6 = { .sin6_family = AF_INET6 } };
	char text[ADDRESS_TEXT];

	inet_pton(AF_INET6, "fe80:1111:2222:3333:4444:5555:6666:7777",
		  &address.v6.sin6_addr);
	address.v6.sin6_scope_id = UINT32_MAX;
	address.v6.sin6_port = htons(65535);
	ck_assert_str_eq(address_text(&address, text),
			 "[fe80:1111:2222:3333:4444:5555:6666:7777%4294967295]:65535");
}
END_TEST

START_TEST(a_host_of_the_other_family_is_not_found)
{
	struct address_query v4 = { AF_INET, SOCK_STREAM, false };
	struct address_query v6 = { AF_INET6, SOCK_STREAM, false };
	static const char v4_text[] = "cannot find host 127.0.0.1: ";
	static const char v6_text[] = "cannot find host ::1: ";
	struct failure failure = refused("::1", "80", &v4);

	ck_assert_mem_eq(failure.text, v6_text, sizeof v6_text - 1);
	failure = refused("127.0.0.1", "80", &v6);
	ck_assert_mem_eq(failure.text, v4_text, sizeof v4_text - 1);
}
END_TEST

START_TEST(an_empty_host_is_refused)
{
	struct failure failure = refused("", "80", &STREAM);

	ck_assert_str_eq(failure.text, "the host name is empty");
}
END_TEST

START_TEST(a_host_that_is_none_is_shown_escaped_and_cut)
{
	char host[200];
	struct failure failure;
	static const char shown[] = "cannot find host \\n\\n";

	memset(host, '\n', sizeof host - 1); /* too long a label for any name server */
	host[sizeof host - 1] = '\0';
	failure = refused(host, "80", &STREAM);
	ck_assert_mem_eq(failure.text, shown, sizeof shown - 1);
	ck_assert_ptr_nonnull(strstr(failure.text, "...: "));
	ck_assert_ptr_null(strchr(failure.text, '\n'));
}
END_TEST

START_TEST(no_host_is_the_wildcard_for_a_server_and_loopback_for_a_client)
{
	struct address_query server = { AF_INET, SOCK_STREAM, true };
	struct address_query client = { AF_INET, SOCK_STREAM, false };
	char text[ADDRESS_TEXT];
	struct address address = resolved(NULL, "80", &server);

	ck_assert_str_eq(address_text(&address, text), "0.0.0.0:80");
	address = resolved(NULL, "80", &client);
	ck_assert_str_eq(address_text(&address, text), "127.0.0.1:80");
}
END_TEST

START_TEST(an_address_is_read_from_its_numbers_and_nothing_else)
{
	static const struct {
		const char *text, *host;
	} numbers[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "127.1", "127.0.0.1" },
		{ "::1", "::1" },
		{ "[::1]", "::1" },
		{ "0:0::0001", "::1" },
		{ "::ffff:10.0.0.1", "10.0.0.1" },
	};
	static const char *const others[] = {
		"",    "[]",       "[",    "localhost", "256.0.0.1",
		"::g", "[::1]:80", "[::1", "1.2.3.4.5",
	};
	char text[ADDRESS_TEXT];
	struct address address;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		ck_assert_int_eq(address_parse(numbers[i].text, &address), 0);
		ck_assert_uint_eq(address_port(&address), 0);
		ck_assert_str_eq(address_host_text(&address, text), numbers[i].host);
	}
	for (size_t i = 0; i < COUNT(others); i++)
		ck_assert_msg(address_parse(others[i], &address) == -1,
			      "'%s' was taken for an address", others[i]);
}
END_TEST

static struct address parsed(const char *text)
{
	struct address address;

	ck_assert_msg(address_parse(text, &address) == 0, "%s", text);
	return address;
}

START_TEST(the_scope_of_an_address_is_known)
{
	static const struct {
		const char *text, *scope;
	} cases[] = {
		{ "0.0.0.0", "unspecified" },       { "::", "unspecified" },
		{ "127.255.0.1", "loopback" },      { "::1", "loopback" },
		{ "::ffff:127.0.0.1", "loopback" }, { "169.254.1.1", "link-local" },
		{ "169.255.1.1", "global" },        { "fe80::1", "link-local" },
		{ "febf::1", "link-local" },        { "10.1.2.3", "private" },
		{ "172.16.0.1", "private" },        { "172.31.255.1", "private" },
		{ "172.32.0.1", "global" },         { "172.15.0.1", "global" },
		{ "192.168.0.1", "private" },       { "192.169.0.1", "global" },
		{ "100.64.0.1", "private" },        { "100.127.0.1", "private" },
		{ "100.128.0.1", "global" },        { "fc00::1", "private" },
		{ "fdff::1", "private" },           { "224.0.0.1", "multicast" },
		{ "239.1.1.1", "multicast" },       { "ff02::1", "multicast" },
		{ "255.255.255.255", "broadcast" }, { "192.0.2.1", "reserved" },
		{ "2001:db8::1", "reserved" },      { "8.8.8.8", "global" },
		{ "2606:4700::1", "global" },       { "4000::1", "reserved" },
		{ "240.0.0.1", "reserved" },        { "0.1.2.3", "reserved" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parsed(cases[i].text);

		ck_assert_msg(strcmp(address_scope(&address), cases[i].scope) == 0,
			      "%s: %s", cases[i].text, address_scope(&address));
	}
}
END_TEST

/* The first and the last address of a block, and those beside it. NULL: in no block. */
START_TEST(the_block_of_an_address_is_known)
{
	static const struct {
		const char *text, *prefix;
		unsigned bits;
	} cases[] = {
		{ "9.255.255.255", NULL, 0 },
		{ "10.0.0.0", "10.0.0.0", 8 },
		{ "10.255.255.255", "10.0.0.0", 8 },
		{ "11.0.0.0", NULL, 0 },
		{ "100.63.255.255", NULL, 0 },
		{ "100.64.0.0", "100.64.0.0", 10 },
		{ "100.127.255.255", "100.64.0.0", 10 },
		{ "100.128.0.0", NULL, 0 },
		{ "172.31.255.255", "172.16.0.0", 12 },
		{ "172.32.0.0", NULL, 0 },
		{ "192.0.0.7", "192.0.0.0", 29 },
		{ "192.0.0.8", "192.0.0.8", 32 },
		{ "192.0.0.11", "192.0.0.0", 24 },
		{ "192.0.0.171", "192.0.0.170", 31 },
		{ "198.19.255.255", "198.18.0.0", 15 },
		{ "198.20.0.0", NULL, 0 },
		{ "223.255.255.255", NULL, 0 },
		{ "224.0.0.251", "224.0.0.0", 24 },
		{ "224.0.1.1", "224.0.0.0", 4 },
		{ "255.255.255.254", "240.0.0.0", 4 },
		{ "255.255.255.255", "255.255.255.255", 32 },
		{ "::ffff:192.168.1.1", "192.168.0.0", 16 },
		{ "::1", "::1", 128 },
		{ "64:ff9b::1.2.3.4", "64:ff9b::", 96 },
		{ "64:ff9b:1::1", "64:ff9b:1::", 48 },
		{ "2001::1", "2001::", 32 },
		{ "2001:1::1", "2001:1::1", 128 },
		{ "2001:1ff::1", "2001::", 23 },
		{ "2001:200::1", NULL, 0 },
		{ "2001:2f:ffff::1", "2001:20::", 28 },
		{ "2001:db8:ffff::1", "2001:db8::", 32 },
		{ "2001:db9::1", NULL, 0 },
		{ "2002::1", "2002::", 16 },
		{ "3fff:fff::1", "3fff::", 20 },
		{ "3fff:1000::1", NULL, 0 },
		{ "fdff::1", "fc00::", 7 },
		{ "febf::1", "fe80::", 10 },
		{ "fec0::1", "fec0::", 10 },
		{ "ff02::1", "ff00::", 8 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parsed(cases[i].text);
		const struct address_block *block = address_block(&address);

		if (cases[i].prefix == NULL) {
			ck_assert_msg(block == NULL, "%s", cases[i].text);
			continue;
		}
		ck_assert_msg(block != NULL, "%s", cases[i].text);
		ck_assert_str_eq(block->prefix, cases[i].prefix);
		ck_assert_uint_eq(block->bits, cases[i].bits);
	}
}
END_TEST

START_TEST(the_address_within_an_address_is_found)
{
	static const struct {
		const char *text, *inner;
	} cases[] = {
		{ "2002:c000:204::1", "192.0.2.4" },
		{ "64:ff9b::198.51.100.7", "198.51.100.7" },
		{ "2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45" }, /* RFC 4380 */
		{ "2001:db8::1", NULL },
		{ "64:ff9b:1::1.2.3.4", NULL },
		{ "10.0.0.1", NULL },
	};
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parsed(cases[i].text), inner;
		bool found = address_embedded(&address, &inner);

		ck_assert_int_eq(found, cases[i].inner != NULL);
		if (found)
			ck_assert_str_eq(address_host_text(&inner, text), cases[i].inner);
	}
}
END_TEST

START_TEST(a_range_of_mapped_addresses_is_one_of_ipv4_addresses)
{
	static const struct {
		const char *range, *address;
		bool within;
	} cases[] = {
		{ "::ffff:10.0.0.1", "10.0.0.1", true },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1", true },
		{ "::ffff:10.0.0.1", "10.0.0.2", false },
		{ "::ffff:a00:1", "10.0.0.1", true },
		{ "::ffff:10.1.0.0/112", "10.1.255.255", true },
		{ "::ffff:10.1.0.0/112", "10.2.0.0", false },
		{ "::ffff:0:0/96", "192.0.2.1", true },
		{ "::ffff:0:0/96", "::1", false },
		{ "10.0.0.0/8", "::ffff:10.0.0.1", true },
		{ "::/0", "10.0.0.1", false },
		{ "::/0", "::ffff:10.0.0.1", false },
		{ "::10.0.0.1", "10.0.0.1", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address = parsed(cases[i].address);
		struct address_prefix range;

		ck_assert_int_eq(address_prefix_parse(cases[i].range, &range), 0);
		ck_assert_msg(address_prefix_has(&range, &address) == cases[i].within,
			      "%s in %s", cases[i].address, cases[i].range);
	}
}
END_TEST

START_TEST(hosts_are_compared_by_family_and_address)
{
	static const char *const sorted[] = {
		"1.2.3.4", "10.0.0.1", "127.0.0.1", "::1", "fe80::1", "fe80::2",
	};
	struct address mapped = parsed("::ffff:127.0.0.1"), plain = parsed("127.0.0.1");
	struct address here = parsed("fe80::1"), there = here;

	for (size_t i = 0; i < COUNT(sorted); i++) {
		for (size_t j = 0; j < COUNT(sorted); j++) {
			struct address one = parsed(sorted[i]), other = parsed(sorted[j]);
			int order = address_compare_host(&one, &other);

			ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
	ck_assert_int_eq(address_compare_host(&mapped, &plain), 0);
	ck_assert_int_eq(address_family(&mapped), AF_INET);
	there.v6.sin6_scope_id = 2;
	ck_assert_int_eq(address_compare_host(&here, &there), 0);
	here.v6.sin6_scope_id = 1;
	ck_assert_int_lt(address_compare_host(&here, &there), 0);
}
END_TEST

/* ---- HOST:PORT --------------------------------------------------------------------------- */

START_TEST(host_and_port_are_distinguished)
{
	static const struct {
		const char *text, *host, *port;
	} cases[] = {
		{ "localhost", "localhost", "" },
		{ "localhost:80", "localhost", "80" },
		{ "127.0.0.1:http", "127.0.0.1", "http" },
		{ "[::1]:80", "::1", "80" },
		{ "[::1]", "::1", "" },
		{ "::1", "::1", "" },
		{ "::", "::", "" },
		{ "fe80::1%lo", "fe80::1%lo", "" },
		{ "[fe80::1%lo]:7", "fe80::1%lo", "7" },
		{ "::ffff:127.0.0.1", "::ffff:127.0.0.1", "" },
		{ "2001:db8::1:80", "2001:db8::1:80", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char host[HOST_TEXT], port[PORT_TEXT];
		struct failure failure = { "" };

		ck_assert_msg(address_split(cases[i].text, host, port, &failure) == 0,
			      "%s", failure.text);
		ck_assert_str_eq(host, cases[i].host);
		ck_assert_str_eq(port, cases[i].port);
	}
}
END_TEST

START_TEST(what_is_neither_host_nor_host_and_port_is_refused)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "", "" },
		{ ":80", ":80" },
		{ "host:", "host:" },
		{ ":", ":" },
		{ "[::1", "[::1" },
		{ "[::1]80", "[::1]80" },
		{ "[::1]:", "[::1]:" },
		{ "[]:80", "[]:80" },
		{ "[]", "[]" },
		{ "[", "[" },
		{ "[[::1]]:80", "[[::1]]:80" },
		{ "\x1b[:", "\\x1b[:" },
		{ "http://localhost:80/", "http://localhost:80/" },
		{ "localhost/", "localhost/" },
		{ "[::1]:80/path", "[::1]:80/path" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char host[HOST_TEXT], port[PORT_TEXT], expected[FAILURE_TEXT];
		struct failure failure = { "" };

		ck_assert_msg(address_split(cases[i].text, host, port, &failure) == -1,
			      "'%s' was taken for '%s' and '%s'", cases[i].text, host,
			      port);
		snprintf(expected, sizeof expected,
			 "'%s' is not HOST, HOST:PORT or [IPV6]:PORT", cases[i].shown);
		ck_assert_str_eq(failure.text, expected);
	}
}
END_TEST

START_TEST(a_host_or_port_is_taken_up_to_its_longest_and_not_beyond)
{
	char text[HOST_TEXT + PORT_TEXT + 2], host[HOST_TEXT], port[PORT_TEXT];

	memset(text, 'h', sizeof text);
	text[HOST_TEXT - 1] = ':';
	text[HOST_TEXT + PORT_TEXT - 1] = '\0';
	ck_assert_int_eq(address_split(text, host, port, NULL), 0);
	ck_assert_uint_eq(strlen(host), HOST_TEXT - 1);
	ck_assert_uint_eq(strlen(port), PORT_TEXT - 1);

	text[HOST_TEXT + PORT_TEXT - 1] = 'p'; /* a port of one more */
	text[HOST_TEXT + PORT_TEXT] = '\0';
	ck_assert_int_eq(address_split(text, host, port, NULL), -1);

	text[HOST_TEXT - 1] = 'h'; /* a host of one more */
	text[HOST_TEXT] = '\0';
	ck_assert_int_eq(address_split(text, host, port, NULL), -1);
}
END_TEST

START_TEST(operands_are_one_word_or_two_and_their_port_is_checked)
{
	static struct {
		char *operands[3];
		const char *host, *port, *complaint;
	} cases[] = {
		{ { "localhost", "80" }, "localhost", "80", NULL },
		{ { "localhost:80" }, "localhost", "80", NULL },
		{ { "[::1]", "80" }, "::1", "80", NULL },
		{ { "::1", "80" }, "::1", "80", NULL },
		{ { NULL }, NULL, NULL, "HOST and PORT are missing" },
		{ { "localhost" }, NULL, NULL, "PORT is missing" },
		{ { "localhost:80", "81" }, NULL, NULL, "the port is given twice" },
		{ { "localhost", "80", "81" },
		  NULL,
		  NULL,
		  "unexpected argument after HOST and PORT" },
		{ { "localhost", "0x50" }, NULL, NULL, "'0x50' is not a port" },
		{ { "localhost:99999" }, NULL, NULL, "'99999' is not a port" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char host[HOST_TEXT], port[PORT_TEXT];
		struct failure failure = { "" };
		int count = 0, result;

		while (count < 3 && cases[i].operands[count] != NULL)
			count++;
		result = address_operands(cases[i].operands, count, SOCK_STREAM, host,
					  port, &failure);
		if (cases[i].complaint != NULL) {
			ck_assert_int_eq(result, -1);
			ck_assert_mem_eq(failure.text, cases[i].complaint,
					 strlen(cases[i].complaint));
			continue;
		}
		ck_assert_msg(result == 0, "%s", failure.text);
		ck_assert_str_eq(host, cases[i].host);
		ck_assert_str_eq(port, cases[i].port);
	}
}
END_TEST

/* ---- both ends of a socket --------------------------------------------------------------- */

START_TEST(both_ends_of_a_connection_are_known)
{
	struct sockaddr_in loopback = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	struct address server, here, there;
	char text[ADDRESS_TEXT], expected[ADDRESS_TEXT];

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&loopback, sizeof loopback),
			 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(address_local(listener, &server), 0);
	ck_assert_uint_gt(address_port(&server), 0);
	ck_assert_int_eq(address_peer(client, &there), -1); /* nobody yet */
	ck_assert_int_eq(connect(client, &server.any, server.length), 0);
	ck_assert_int_eq(address_local(client, &here), 0);
	ck_assert_int_eq(address_peer(client, &there), 0);
	ck_assert_uint_eq(address_port(&there), address_port(&server));
	ck_assert_uint_ne(address_port(&here), address_port(&server));
	snprintf(expected, sizeof expected, "127.0.0.1:%u", address_port(&server));
	ck_assert_str_eq(address_text(&there, text), expected);
	close(client);
	close(listener);
}
END_TEST

START_TEST(a_local_socket_shows_its_peer_however_long_its_path)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	char directory[FOLDER_TEXT], text[ADDRESS_TEXT], self[ADDRESS_TEXT];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct address address, copy;

	folder_create_path(directory, "test");
	folder_longest_path(directory, path.sun_path, sizeof path.sun_path);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&path, sizeof path), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&path, sizeof path), 0);
	unlink(path.sun_path);
	rmdir(directory);

	ck_assert_int_eq(address_local(listener, &address), 0);
	ck_assert_str_eq(address_text(&address, text), "local");
	ck_assert_uint_eq(address_port(&address), 0);
	ck_assert_uint_le(address.length, sizeof address.v6); /* what it holds, no more */
	ck_assert_int_eq(address_peer(client, &address), 0);
	ck_assert_str_eq(address_text(&address, text), client_of_local_socket(self));
	ck_assert_uint_le(address.length, sizeof address.v6);
	address_set(&copy, (struct sockaddr *)&path, sizeof path);
	ck_assert_str_eq(address_text(&copy, text), "local");
	ck_assert_uint_le(copy.length, sizeof copy.v6);
	close(client);
	close(listener);
}
END_TEST

START_TEST(a_descriptor_that_is_no_socket_has_no_ends)
{
	struct address address;

	ck_assert_int_eq(address_local(-1, &address), -1);
	ck_assert_int_eq(address_peer(-1, &address), -1);
}
END_TEST

Suite *suite_address(void)
{
	Suite *suite = suite_create("address");
	TCase *ports = tcase_create("ports"), *hosts = tcase_create("hosts");
	TCase *split = tcase_create("split"), *ends = tcase_create("ends");

	tcase_add_test(ports, a_port_is_a_number_from_0_to_65535);
	tcase_add_test(ports, a_bad_port_is_named_and_refused);
	tcase_add_test(ports, a_very_long_port_is_cut_in_the_message);
	tcase_add_test(ports, a_port_can_be_the_name_of_a_service);
	suite_add_tcase(suite, ports);
	tcase_add_test(hosts, an_address_is_shown_in_its_shortest_form);
	tcase_add_test(hosts, an_ipv4_client_of_a_dual_stack_socket_is_shown_as_ipv4);
	tcase_add_test(hosts, a_link_local_address_keeps_its_interface);
	tcase_add_test(hosts, an_interface_that_is_gone_is_shown_by_its_number);
	tcase_add_test(hosts, a_host_of_the_other_family_is_not_found);
	tcase_add_test(hosts, an_empty_host_is_refused);
	tcase_add_test(hosts, a_host_that_is_none_is_shown_escaped_and_cut);
	tcase_add_test(hosts,
		       no_host_is_the_wildcard_for_a_server_and_loopback_for_a_client);
	tcase_add_test(hosts, an_address_is_read_from_its_numbers_and_nothing_else);
	tcase_add_test(hosts, the_scope_of_an_address_is_known);
	tcase_add_test(hosts, the_block_of_an_address_is_known);
	tcase_add_test(hosts, the_address_within_an_address_is_found);
	tcase_add_test(hosts, a_range_of_mapped_addresses_is_one_of_ipv4_addresses);
	tcase_add_test(hosts, hosts_are_compared_by_family_and_address);
	suite_add_tcase(suite, hosts);
	tcase_add_test(split, host_and_port_are_distinguished);
	tcase_add_test(split, what_is_neither_host_nor_host_and_port_is_refused);
	tcase_add_test(split, a_host_or_port_is_taken_up_to_its_longest_and_not_beyond);
	tcase_add_test(split, operands_are_one_word_or_two_and_their_port_is_checked);
	suite_add_tcase(suite, split);
	tcase_add_test(ends, both_ends_of_a_connection_are_known);
	tcase_add_test(ends, a_local_socket_shows_its_peer_however_long_its_path);
	tcase_add_test(ends, a_descriptor_that_is_no_socket_has_no_ends);
	suite_add_tcase(suite, ends);
	return suite;
}
