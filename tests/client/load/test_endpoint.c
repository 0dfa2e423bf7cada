/*
 * Where the connections of a load come from: addresses that the user names, or as many of
 * loopback as the ports require.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/load/load.h"
#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/network.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

/* notes->count has a bit for each address 127.0.0.N that a client came from, N up to 63;
 * notes->bytes counts the clients. */
static void note_source(const struct address *peer)
{
	char text[ADDRESS_TEXT];
	unsigned last = 0;

	if (sscanf(address_host_text(peer, text), "127.0.0.%u", &last) == 1 && last < 64)
		atomic_fetch_or(&notes->count, UINT64_C(1) << last);
	atomic_fetch_add(&notes->bytes, 1);
}

static void serve_and_note(int fd, unsigned number)
{
	struct address peer;
	char bytes[64];

	(void)number;
	if (address_peer(fd, &peer) == 0)
		note_source(&peer);
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes);
}

static void answer_and_note(const struct heard *heard)
{
	note_source(&heard->from);
	answer(heard, heard->bytes, heard->length);
}

static void set_sources(const char *text)
{
	ck_assert_msg(load_sources_parse(text, &plan.sources, &failure) == 0, "%s",
		      failure.text);
}

/* ---- addresses of the user --------------------------------------------------------------------- */

START_TEST(connections_come_from_the_addresses_in_turn)
{
	plan.kind = _i == 0 ? LOAD_CONVERSATIONS : _i == 1 ? LOAD_CONNECTIONS : LOAD_IDLE;
	plan.idle = 4;
	plan.connections = 4;
	set_sources("127.0.0.5,127.0.0.7");
	start_server(serve_and_note);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.sources, 2);
	ck_assert_uint_eq(result.idle_made, plan.kind == LOAD_IDLE ? 4 : 0);
	ck_assert_uint_eq(atomic_load(&notes->count), 1U << 5 | 1U << 7);
}
END_TEST

START_TEST(datagrams_come_from_the_addresses_too)
{
	set_plan("echo", true);
	set_sources("127.0.0.5,127.0.0.7");
	start_datagram_server(answer_and_note);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(atomic_load(&notes->count), 1U << 5 | 1U << 7);
}
END_TEST

START_TEST(faulty_clients_come_from_the_addresses_too)
{
	plan.connections = 2;
	plan.faults.clients[LOAD_FAULT_STALL] = 2;
	set_sources("127.0.0.5,127.0.0.6,127.0.0.7,127.0.0.8");
	start_server(serve_and_note);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(atomic_load(&notes->count),
			  1U << 5 | 1U << 6 | 1U << 7 | 1U << 8);
}
END_TEST

static const struct {
	const char *sources, *error;
} bad[] = {
	{ "localhost", "--source: 'localhost' is not a numeric IPv4 or IPv6 address" },
	{ "127.0.0.1,", "--source: '' is not a numeric IPv4 or IPv6 address" },
	{ "127.0.0.1,::1",
	  "--source: '::1' is of another family than the first address" },
	{ "::1", "--source: the addresses are of IPv6, and 127.0.0.1 is not" },
};

START_TEST(addresses_that_are_none_are_bad_usage)
{
	struct run run = run_loadgen(
		ARGUMENTS("loadgen", "--source", bad[_i].sources, "127.0.0.1", "9"));

	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, bad[_i].error) != NULL, "%s", run.err);
}
END_TEST

START_TEST(more_addresses_than_can_be_used_are_refused)
{
	char text[LOAD_SOURCES_MOST * 12 + 12] = "127.0.0.1";

	for (int i = 0; i < LOAD_SOURCES_MOST; i++)
		strcat(text, ",127.0.0.1");
	ck_assert_int_eq(load_sources_parse(text, &plan.sources, &failure), -1);
	ck_assert_str_eq(failure.text, "--source: more than 64 addresses");
}
END_TEST

START_TEST(an_address_of_another_machine_is_named)
{
	char says[FAILURE_TEXT];
	struct run run;

	start_server(serve_and_note);
	run = run_loadgen(ARGUMENTS("loadgen", "--source", "127.0.0.1,192.0.2.77",
				    "127.0.0.1", port));
	run_expect_status(&run, 1);
	snprintf(says, sizeof says, "loadgen: --source: cannot use 192.0.2.77: %s\n",
		 strerror(EADDRNOTAVAIL));
	ck_assert_str_eq(run.err, says);
}
END_TEST

START_TEST(the_report_shows_how_many_addresses_were_used)
{
	struct run run;

	start_server(serve_and_note);
	run = run_loadgen(ARGUMENTS("loadgen", "-d", "0.1", "--source",
				    "127.0.0.1,127.0.0.2", "127.0.0.1", port));
	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\nsource         2 addresses, in turn\n"));
}
END_TEST

/* ---- addresses of loopback --------------------------------------------------------------------- */

/* With 40 ports, 100 connections need more than two addresses. */
START_TEST(loopback_has_as_many_connections_as_are_wanted)
{
	if (!programs_use("the range of local ports"))
		return;
	if (!network_enter_own() ||
	    !network_set("/proc/sys/net/ipv4/ip_local_port_range", "40000 40039")) {
		skipped("needs a network of its own");
		return;
	}
	plan.kind = _i == 0 ? LOAD_CONVERSATIONS : LOAD_IDLE;
	plan.connections = _i == 0 ? 100 : 10;
	plan.duration = 1000 * SLOW_MACHINE; /* enough for a reply to each */
	plan.idle = _i == 0 ? 0 : 100;
	start_server(serve_and_note);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.idle_open, plan.idle);
	ck_assert_uint_eq(result.served, plan.connections);
	ck_assert_uint_ge(result.sources, 3);
	ck_assert_uint_eq(atomic_load(&notes->count), (1U << (result.sources + 1)) - 2);
}
END_TEST

START_TEST(one_address_is_used_while_its_ports_suffice)
{
	plan.connections = 10;
	start_server(serve_and_note);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.sources, 0);
	ck_assert_uint_eq(atomic_load(&notes->count), 1U << 1);
}
END_TEST

Suite *suite_load_endpoint(void)
{
	Suite *suite = suite_create("load_endpoint");
	TCase *tcase = load_case(suite, "addresses of the user");

	tcase_add_loop_test(tcase, connections_come_from_the_addresses_in_turn, 0, 3);
	tcase_add_test(tcase, datagrams_come_from_the_addresses_too);
	tcase_add_test(tcase, faulty_clients_come_from_the_addresses_too);
	tcase_add_loop_test(tcase, addresses_that_are_none_are_bad_usage, 0,
			    (int)(sizeof bad / sizeof bad[0]));
	tcase_add_test(tcase, more_addresses_than_can_be_used_are_refused);
	tcase_add_test(tcase, an_address_of_another_machine_is_named);
	tcase_add_test(tcase, the_report_shows_how_many_addresses_were_used);

	tcase = load_case(suite, "addresses of loopback");
	tcase_add_loop_test(tcase, loopback_has_as_many_connections_as_are_wanted, 0, 2);
	tcase_add_test(tcase, one_address_is_used_while_its_ports_suffice);
	return suite;
}
