/*
 * hostinfo as its user sees it. Names are looked up in a system that the test makes, with
 * a hosts file and a name server of its own; the tests without one ask no name server.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hostinfo/answer.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/private_system.h"
#include "tests/suites.h"

enum { TEXT = 2048 };

/* ---- what the tests share -------------------------------------------------------------- */

static struct run hostinfo(const char *const argv[])
{
	return run_program(argv, "", 0, WAIT_MS);
}

static void assert_run(const struct run *run, int status, const char *out,
		       const char *err)
{
	ck_assert_str_eq(run->err, err);
	ck_assert_str_eq(run->out, out);
	ck_assert_int_eq(run_exit_status(run), status);
}

static const char hosts[] = "127.0.0.1 localhost\n"
			    "::1 localhost\n"
			    "127.0.0.2 canonical.test alias.test http\n"
			    "127.0.0.3 twice.test\n"
			    "127.0.0.3 twice.test\n"
			    "fd00::3 twice.test\n"
			    "127.0.0.4 evil\x1b[2J\"\xff\n"
			    "127.0.0.5 127.0.0.5\n"
			    "127.0.0.6 this.test\n";

static const struct name_record records[] = {
	{ "www.test", RECORD_ALIAS, "web.test" },
	{ "web.test", RECORD_ADDRESS, "127.0.1.1" },
	{ "web.test", RECORD_ADDRESS, "127.0.1.2" },
	{ "silent.test", RECORD_SILENCE, NULL },
	{ "9.0.0.127.in-addr.arpa", RECORD_POINTER, "liar.test" },
	{ "liar.test", RECORD_ADDRESS, "127.0.0.10" },
	{ "8.0.0.127.in-addr.arpa", RECORD_POINTER, "gone.test" },
	{ "7.0.0.127.in-addr.arpa", RECORD_SILENCE, NULL },
	{ NULL, RECORD_SILENCE, NULL },
};

static bool in_private_system(void)
{
	static const struct private_system system = { "this.test", hosts, records };

	return private_system_enter(&system);
}

/* Whether this system's list of services has what the test asks for. */
static bool services_are_listed(void)
{
	const struct servent *entry = getservbyname("http", "tcp");

	if (entry != NULL && getservbyname("domain", "udp") != NULL)
		return true;
	skipped("needs /etc/services");
	return false;
}

/* ---- names ----------------------------------------------------------------------------- */

START_TEST(a_name_has_all_its_addresses_once_and_a_canonical_name)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "alias.test"));
	assert_run(&run, 0,
		   "host           alias.test\n"
		   "canonical      canonical.test\n"
		   "address        127.0.0.2\n",
		   "");
	run = hostinfo(ARGUMENTS("hostinfo", "-4", "twice.test"));
	assert_run(&run, 0,
		   "host           twice.test\n"
		   "canonical      twice.test\n"
		   "address        127.0.0.3\n",
		   "");
	run = hostinfo(ARGUMENTS("hostinfo", "--ipv6", "twice.test"));
	assert_run(&run, 0,
		   "host           twice.test\n"
		   "canonical      twice.test\n"
		   "address        fd00::3\n",
		   "");
	run = hostinfo(ARGUMENTS("hostinfo", "twice.test"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "\naddress        127\\.0\\.0\\.3\n");
	expect_match(run.out, "\naddress        fd00::3\n");
	ck_assert_uint_eq(run.out_length, strlen("host           twice.test\n"
						 "canonical      twice.test\n"
						 "address        127.0.0.3\n"
						 "address        fd00::3\n"));
}
END_TEST

START_TEST(a_name_server_is_asked_for_addresses_and_the_canonical_name)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "www.test"));
	ck_assert_str_eq(run.err, "");
	expect_match(run.out, "^host           www\\.test\ncanonical      web\\.test\n");
	expect_match(run.out, "\naddress        127\\.0\\.1\\.1\n");
	expect_match(run.out, "\naddress        127\\.0\\.1\\.2\n");
}
END_TEST

START_TEST(a_name_that_does_not_resolve_is_one_line_and_the_others_are_answered)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "nowhere.test", "alias.test",
				 "a\x1b"
				 "cb\n.test"));
	ck_assert_str_eq(run.out, "host           alias.test\n"
				  "canonical      canonical.test\n"
				  "address        127.0.0.2\n");
	expect_match(run.err,
		     "^hostinfo: cannot find host nowhere\\.test: [^\n]+\n"
		     "hostinfo: cannot find host a\\\\x1bcb\\\\n\\.test: [^\n]+\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
}
END_TEST

START_TEST(a_name_that_cannot_be_one_is_refused_at_once)
{
	char label[80], name[5000];
	struct run run;

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	run = hostinfo(ARGUMENTS("hostinfo", name));
	ck_assert_str_eq(run.out, "");
	expect_match(run.err,
		     "^hostinfo: cannot find host x+\\.\\.\\.: the name is too long\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
	memset(label, 'x', sizeof label - 1);
	label[sizeof label - 1] = '\0';
	run = hostinfo(ARGUMENTS("hostinfo", label));
	ck_assert_str_eq(run.out, "");
	expect_match(run.err, "^hostinfo: cannot find host x+(\\.\\.\\.)?: [^\n]+\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
}
END_TEST

START_TEST(a_name_with_odd_bytes_is_data)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "127.0.0.4"));
	ck_assert_ptr_null(strchr(run.out, '\x1b'));
	ck_assert_ptr_null(strchr(run.out, '\xff'));
	ck_assert_ptr_null(strchr(run.err, '\x1b'));
	run = hostinfo(ARGUMENTS("hostinfo", "--json", "127.0.0.4"));
	ck_assert_ptr_null(strchr(run.out, '\x1b'));
	ck_assert_ptr_null(strchr(run.out, '\xff'));
	if (strstr(run.out, "evil") != NULL) /* not every libc takes such a name */
		ck_assert_ptr_nonnull(
			strstr(run.out, "\"name\":\"evil\\u001b[2J\\\"\ufffd\""));
}
END_TEST

/* ---- addresses ------------------------------------------------------------------------- */

START_TEST(an_address_has_a_name_that_confirmed)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "127.0.0.2"));
	assert_run(&run, 0,
		   "address        127.0.0.2\n"
		   "family         IPv4\n"
		   "scope          loopback\n"
		   "block          127.0.0.0/8  loopback (RFC 1122)\n"
		   "name           canonical.test\n"
		   "forward        127.0.0.2\n"
		   "confirmed      yes\n",
		   "");
	run = hostinfo(ARGUMENTS("hostinfo", "[fd00::3]"));
	assert_run(&run, 0,
		   "address        fd00::3\n"
		   "family         IPv6\n"
		   "scope          private\n"
		   "block          fc00::/7  unique local (RFC 4193)\n"
		   "name           twice.test\n"
		   "forward        fd00::3\n"
		   "confirmed      yes\n",
		   "");
}
END_TEST

START_TEST(ipv4_within_ipv6_is_ipv4)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "-4", "::ffff:127.0.0.2"));
	assert_run(&run, 0,
		   "address        127.0.0.2\n"
		   "family         IPv4\n"
		   "scope          loopback\n"
		   "block          127.0.0.0/8  loopback (RFC 1122)\n"
		   "name           canonical.test\n"
		   "forward        127.0.0.2\n"
		   "confirmed      yes\n",
		   "");
}
END_TEST

START_TEST(a_name_that_belongs_to_another_address_does_not_lead_back)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "127.0.0.9"));
	assert_run(&run, 0,
		   "address        127.0.0.9\n"
		   "family         IPv4\n"
		   "scope          loopback\n"
		   "block          127.0.0.0/8  loopback (RFC 1122)\n"
		   "name           liar.test\n"
		   "forward        127.0.0.10\n"
		   "confirmed      no\n",
		   "");
}
END_TEST

START_TEST(a_name_that_does_not_exist_does_not_lead_back)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "127.0.0.8"));
	ck_assert_str_eq(run.out, "address        127.0.0.8\n"
				  "family         IPv4\n"
				  "scope          loopback\n"
				  "block          127.0.0.0/8  loopback (RFC 1122)\n"
				  "name           gone.test\n"
				  "confirmed      no\n");
	expect_match(run.err, "^hostinfo: cannot find host gone\\.test: [^\n]+\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
}
END_TEST

/* It would lead back to any address that it claims to be. */
START_TEST(a_name_that_reads_as_an_address_does_not_lead_back)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "127.0.0.5"));
	assert_run(&run, 0,
		   "address        127.0.0.5\n"
		   "family         IPv4\n"
		   "scope          loopback\n"
		   "block          127.0.0.0/8  loopback (RFC 1122)\n"
		   "name           127.0.0.5\n"
		   "confirmed      no\n",
		   "");
}
END_TEST

START_TEST(an_address_without_a_name_is_one_line_and_the_others_are_answered)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "192.0.2.1", "::1"));
	ck_assert_str_eq(run.out,
			 "address        192.0.2.1\n"
			 "family         IPv4\n"
			 "scope          reserved\n"
			 "block          192.0.2.0/24  documentation (TEST-NET-1) "
			 "(RFC 5737)\n"
			 "\n"
			 "address        ::1\n"
			 "family         IPv6\n"
			 "scope          loopback\n"
			 "block          ::1/128  loopback (RFC 4291)\n"
			 "name           localhost\n"
			 "forward        ::1\n"
			 "confirmed      yes\n");
	expect_match(run.err,
		     "^hostinfo: cannot find the name of 192\\.0\\.2\\.1: [^\n]+\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
}
END_TEST

START_TEST(an_address_has_its_own_facts_though_no_name_is_found)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "10.1.2.3"));
	ck_assert_str_eq(run.out, "address        10.1.2.3\n"
				  "family         IPv4\n"
				  "scope          private\n"
				  "block          10.0.0.0/8  private use (RFC 1918)\n");
	expect_match(run.err,
		     "^hostinfo: cannot find the name of 10\\.1\\.2\\.3: [^\n]+\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
	run = hostinfo(ARGUMENTS("hostinfo", "2002:c000:201::1"));
	ck_assert_str_eq(run.out, "address        2002:c000:201::1\n"
				  "family         IPv6\n"
				  "scope          global\n"
				  "block          2002::/16  6to4 (RFC 3056)\n"
				  "embedded       192.0.2.1\n");
	run = hostinfo(ARGUMENTS("hostinfo", "-j", "100.64.0.1", "8.8.8.8"));
	expect_match(
		run.out,
		"^\\[\\{\"kind\":\"address\",\"word\":\"100.64.0.1\",\"address\":"
		"\"100.64.0.1\",\"family\":\"IPv4\",\"scope\":\"private\",\"block\":\\{"
		"\"prefix\":\"100.64.0.0/10\",\"use\":\"[^\"]+\",\"source\":\"RFC "
		"6598\"\\},"
		"\"embedded\":null,\"name\":null,\"forward\":\\[\\],\"confirmed\":false,"
		"\"error\":\"[^\"]+\"\\},\n"
		"\\{\"kind\":\"address\",\"word\":\"8.8.8.8\",\"address\":\"8.8.8.8\","
		"\"family\":\"IPv4\",\"scope\":\"global\",\"block\":null,");
}
END_TEST

START_TEST(an_address_of_the_unwanted_family_is_refused)
{
	struct run run = hostinfo(ARGUMENTS("hostinfo", "-4", "::1"));

	assert_run(&run, 1, "", "hostinfo: '::1' is not an IPv4 address\n");
	run = hostinfo(ARGUMENTS("hostinfo", "-6", "127.0.0.1"));
	assert_run(&run, 1, "", "hostinfo: '127.0.0.1' is not an IPv6 address\n");
}
END_TEST

/* ---- services -------------------------------------------------------------------------- */

START_TEST(a_service_has_a_port_and_a_protocol)
{
	struct run run;

	if (!services_are_listed())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "http"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^service        http\nport           80/tcp  http\n");
	run = hostinfo(ARGUMENTS("hostinfo", "80/tcp"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^service        80/tcp\nport           80/tcp  http\n");
	ck_assert_ptr_null(strstr(run.out, "/udp"));
	run = hostinfo(ARGUMENTS("hostinfo", "53/UDP"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^service        53/UDP\nport           53/udp  domain\n");
	run = hostinfo(ARGUMENTS("hostinfo", "domain/udp"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out,
		     "^service        domain/udp\nport           53/udp  domain\n");
	ck_assert_ptr_null(strstr(run.out, "/tcp"));
}
END_TEST

START_TEST(a_bare_number_is_a_port_of_every_protocol)
{
	struct run run;

	if (!services_are_listed())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "53"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^service        53\n(.*\n)?port           53/tcp  domain\n"
			      "(.*\n)?port           53/udp  domain\n");
}
END_TEST

static const struct {
	const char *word, *says;
} no_services[] = {
	{ "no-such/tcp", "'no-such/tcp' is not in the list of services" },
	{ "1/udp", "'1/udp' is not in the list of services" },
	{ "80/icmp", "'80/icmp' is not a service: the protocol is tcp or udp" },
	{ "10.0.0.0/8", "'10.0.0.0/8' is not a service: the protocol is tcp or udp" },
	{ "80/", "'80/' is not a service: the protocol is tcp or udp" },
	{ "/tcp", "'/tcp' is not a service" },
	{ "65536", "'65536' is not a port (0 to 65535)" },
	{ "99999999999999999999", "'99999999999999999999' is not a port (0 to 65535)" },
	{ "a\x1b/tcp", "'a\\x1b/tcp' is not in the list of services" },
};

START_TEST(what_is_no_service_is_one_clear_line)
{
	struct run run = hostinfo(ARGUMENTS("hostinfo", no_services[_i].word));
	char line[TEXT];

	snprintf(line, sizeof line, "hostinfo: %s\n", no_services[_i].says);
	assert_run(&run, 1, "", line);
}
END_TEST

/* ---- what a word is -------------------------------------------------------------------- */

static const char *const meant_as_addresses[] = {
	"256.1.1.1",    "1.2.3.4.5", "host.1",      "::g",
	"localhost:80", "[::1",      "[localhost]", "10.",
};

START_TEST(what_is_meant_as_an_address_is_never_asked_for_as_a_name)
{
	struct run run = hostinfo(ARGUMENTS("hostinfo", meant_as_addresses[_i]));
	char line[TEXT];

	snprintf(line, sizeof line, "hostinfo: '%s' is not an address\n",
		 meant_as_addresses[_i]);
	assert_run(&run, 1, "", line);
}
END_TEST

START_TEST(an_empty_word_is_nothing)
{
	static const char *const options[] = { "-q", "-s", "-n" };
	struct run run = hostinfo(ARGUMENTS("hostinfo", options[_i], ""));

	assert_run(&run, 1, "", "hostinfo: '' is not a name, an address or a service\n");
}
END_TEST

START_TEST(an_old_form_of_an_address_is_read_as_getaddrinfo_does)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "127.2"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^address        127\\.0\\.0\\.2\n");
}
END_TEST

START_TEST(a_word_that_is_both_is_a_service_unless_a_name_is_asked_for)
{
	struct run run;

	if (!services_are_listed() || !in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "http"));
	expect_match(run.out, "^service        http\n");
	run = hostinfo(ARGUMENTS("hostinfo", "-n", "http"));
	assert_run(&run, 0,
		   "host           http\n"
		   "canonical      canonical.test\n"
		   "address        127.0.0.2\n",
		   "");
	run = hostinfo(ARGUMENTS("hostinfo", "--name", "127.0.0.2"));
	expect_match(run.out, "^address        127\\.0\\.0\\.2\n");
	run = hostinfo(ARGUMENTS("hostinfo", "-n", "--service", "localhost"));
	assert_run(&run, 1, "", "hostinfo: 'localhost' is not in the list of services\n");
}
END_TEST

/* ---- this host ------------------------------------------------------------------------- */

START_TEST(without_a_word_this_host_is_described)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "-4"));
	expect_match(run.out, "^host           this\\.test\n"
			      "canonical      this\\.test\n"
			      "(interface .*\n)*"
			      "interface      lo +up    127\\.0\\.0\\.1 +loopback\n");
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(run_exit_status(&run), 0);
	run = hostinfo(ARGUMENTS("hostinfo", "-4", "-j"));
	expect_match(run.out,
		     "^\\[\\{\"kind\":\"self\",\"name\":\"this.test\","
		     "\"canonical\":\"this.test\",\"interfaces\":\\[.*"
		     "\\{\"name\":\"lo\",\"up\":true,\"address\":\"127.0.0.1\","
		     "\"family\":\"IPv4\",\"scope\":\"loopback\"\\}.*\\]\\}\\]\n$");
}
END_TEST

START_TEST(a_host_whose_own_name_does_not_resolve_is_still_described)
{
	static const struct private_system system = { "lost.test", hosts, records };
	struct run run;

	if (!private_system_enter(&system))
		return;
	run = hostinfo(ARGUMENTS("hostinfo"));
	expect_match(run.out, "^host           lost\\.test\n(interface .*\n)+$");
	expect_match(run.err, "^hostinfo: cannot find host lost\\.test: [^\n]+\n$");
	ck_assert_int_eq(run_exit_status(&run), 1);
}
END_TEST

/* On any machine, whatever its name is known to be. */
START_TEST(the_interfaces_are_sorted)
{
	struct interface_address *list;
	size_t count;

	ck_assert_int_eq(interfaces_list(AF_UNSPEC, &list, &count), 0);
	for (size_t i = 1; i < count; i++) {
		const struct interface_address *one = &list[i - 1], *next = &list[i];
		int order = strcmp(one->name, next->name);

		ck_assert_int_le(order, 0);
		if (order != 0)
			continue;
		ck_assert_uint_gt(one->address.length, 0);
		ck_assert_uint_gt(next->address.length, 0);
		ck_assert_int_le(address_compare_host(&one->address, &next->address), 0);
	}
	free(list);
}
END_TEST

START_TEST(the_interfaces_of_one_family_keep_those_without_an_address)
{
	struct interface_address *all, *some;
	size_t all_count, some_count;

	ck_assert_int_eq(interfaces_list(AF_UNSPEC, &all, &all_count), 0);
	ck_assert_int_eq(interfaces_list(AF_INET6, &some, &some_count), 0);
	for (size_t i = 0; i < some_count; i++)
		ck_assert(some[i].address.length == 0 ||
			  address_family(&some[i].address) == AF_INET6);
	for (size_t i = 0, j = 0; i < all_count; i++) {
		while (j < some_count && strcmp(some[j].name, all[i].name) != 0)
			j++;
		ck_assert_msg(j < some_count, "%s is missing", all[i].name);
	}
	free(all);
	free(some);
}
END_TEST

/* ---- JSON ------------------------------------------------------------------------------ */

START_TEST(json_is_one_document_for_all_words)
{
	struct run run;

	if (!services_are_listed() || !in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "--json", "alias.test", "256.1.1.1",
				 "127.0.0.2", "domain/udp"));
	expect_match(
		run.out,
		"^\\[\\{\"kind\":\"name\",\"word\":\"alias.test\","
		"\"canonical\":\"canonical.test\",\"addresses\":\\[\"127.0.0.2\"\\]\\},\n"
		"\\{\"kind\":\"unknown\",\"word\":\"256.1.1.1\","
		"\"error\":\"'256.1.1.1' is not an address\"\\},\n"
		"\\{\"kind\":\"address\",\"word\":\"127.0.0.2\","
		"\"address\":\"127.0.0.2\",\"family\":\"IPv4\",\"scope\":\"loopback\","
		"\"block\":\\{\"prefix\":\"127.0.0.0/8\",\"use\":\"loopback\",\"source\":"
		"\"RFC "
		"1122\"\\},\"embedded\":null,\"name\":\"canonical.test\",\"forward\":\\["
		"\"127.0.0.2\"\\],"
		"\"confirmed\":true\\},\n"
		"\\{\"kind\":\"service\",\"word\":\"domain/udp\",\"ports\":\\[\\{"
		"\"port\":53,\"protocol\":\"udp\",\"name\":\"domain\","
		"\"aliases\":\\[[^]]*\\]\\}\\]\\}\\]\n$");
	ck_assert_str_eq(run.err, "hostinfo: '256.1.1.1' is not an address\n");
	ck_assert_int_eq(run_exit_status(&run), 1);
}
END_TEST

START_TEST(json_is_a_document_though_nothing_was_found)
{
	struct run run = hostinfo(ARGUMENTS("hostinfo", "-j", "a\"\xff/tcp"));

	assert_run(&run, 1,
		   "[{\"kind\":\"service\",\"word\":\"a\\\"\ufffd/tcp\",\"error\":"
		   "\"'a\\\"\\\\xff/tcp' is not in the list of services\"}]\n",
		   "hostinfo: 'a\"\\xff/tcp' is not in the list of services\n");
}
END_TEST

/* ---- time ------------------------------------------------------------------------------ */

START_TEST(a_silent_name_server_does_not_keep_it)
{
	struct run run;

	if (!in_private_system())
		return;
	run = hostinfo(ARGUMENTS("hostinfo", "-w", "2", "silent.test", "alias.test",
				 "127.0.0.7"));
	assert_run(&run, 1,
		   "host           alias.test\n"
		   "canonical      canonical.test\n"
		   "address        127.0.0.2\n"
		   "\n"
		   "address        127.0.0.7\n"
		   "family         IPv4\n"
		   "scope          loopback\n"
		   "block          127.0.0.0/8  loopback (RFC 1122)\n",
		   "hostinfo: cannot find host silent.test: no answer within 2 s\n"
		   "hostinfo: cannot find the name of 127.0.0.7: no answer within 2 s\n");
}
END_TEST

/* What a terminal that is its standard error is sent; it makes \r\n of \n. */
static void errors_on_terminal(const char *const argv[], char shown[TEXT])
{
	int master, slave;
	struct program program;
	struct run run;
	size_t used = 0;
	ssize_t n = 0;

	ck_assert(terminal_open(&master, &slave));
	program = program_start(&(struct run_setup){
		.argv = argv, .prepare = errors_are_terminal, .context = &slave });
	close(slave);
	do {
		used += (size_t)n;
		n = io_wait(master, POLLIN, WAIT_MS) > 0
			    ? io_read(master, shown + used, TEXT - 1 - used)
			    : 0;
	} while (n > 0); /* EIO when it has ended */
	shown[used] = '\0';
	run = program_wait(&program, WAIT_MS);
	ck_assert_int_eq(run_exit_status(&run), 1);
	close(master);
}

START_TEST(a_long_wait_is_shown_on_a_terminal)
{
	char shown[TEXT];

	if (!in_private_system())
		return;
	errors_on_terminal(ARGUMENTS("hostinfo", "-w", "1.2", "silent.test"), shown);
	ck_assert_str_eq(shown, "\rlooking up host silent.test …\033[K\r\033[K"
				"hostinfo: cannot find host silent.test: "
				"no answer within 1.2 s\r\n");
	errors_on_terminal(ARGUMENTS("hostinfo", "-q", "-w", "1.2", "silent.test"),
			   shown);
	ck_assert_str_eq(shown, "hostinfo: cannot find host silent.test: "
				"no answer within 1.2 s\r\n");
}
END_TEST

/* ---- standard output, usage ------------------------------------------------------------ */

START_TEST(a_full_disk_is_an_error)
{
	struct run run;

	if (access("/dev/full", W_OK) < 0 || !services_are_listed())
		return;
	run = run_program_with(&(struct run_setup){ .argv = ARGUMENTS("hostinfo", "http"),
						    .prepare = output_is_full });
	ck_assert_int_eq(run_exit_status(&run), 1);
	expect_match(run.err, "^hostinfo: cannot write to standard output: [^\n]+\n$");
}
END_TEST

static const struct {
	const char *argv[5];
	const char *says;
} usage_errors[] = {
	{ { "hostinfo", "-Z" }, "unknown option -Z" },
	{ { "hostinfo", "--json=x", "http" }, "-j, --json takes no argument" },
	{ { "hostinfo", "http", "-w" }, "-w, --wait needs an argument (SEC)" },
	{ { "hostinfo", "-w", "soon", "http" },
	  "-w, --wait: 'soon' is not a time of 0 to 86400 seconds, such as 2 or 0.5" },
};

enum { USAGE_ERRORS = sizeof usage_errors / sizeof usage_errors[0] };

START_TEST(bad_usage_is_one_clear_line)
{
	struct run run = hostinfo(usage_errors[_i].argv);
	char line[TEXT];

	snprintf(line, sizeof line, "hostinfo: %s; try 'hostinfo -h'\n",
		 usage_errors[_i].says);
	assert_run(&run, 2, "", line);
}
END_TEST

START_TEST(help_and_version_go_to_standard_output)
{
	struct run run = hostinfo(ARGUMENTS("hostinfo", "-h"));

	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^usage: hostinfo \\[options\\] \\[NAME");
	ck_assert_str_eq(run.err, "");
	run = hostinfo(ARGUMENTS("hostinfo", "--version"));
	ck_assert_int_eq(run_exit_status(&run), 0);
	expect_match(run.out, "^hostinfo \\(sockways\\) [^\n]+\n$");
}
END_TEST

Suite *suite_hostinfo(void)
{
	Suite *suite = suite_create("hostinfo");
	TCase *tcase = add_case(suite, "names");

	tcase_add_test(tcase, a_name_has_all_its_addresses_once_and_a_canonical_name);
	tcase_add_test(tcase,
		       a_name_server_is_asked_for_addresses_and_the_canonical_name);
	tcase_add_test(
		tcase,
		a_name_that_does_not_resolve_is_one_line_and_the_others_are_answered);
	tcase_add_test(tcase, a_name_that_cannot_be_one_is_refused_at_once);
	tcase_add_test(tcase, a_name_with_odd_bytes_is_data);
	tcase = add_case(suite, "addresses");
	tcase_add_test(tcase, an_address_has_a_name_that_confirmed);
	tcase_add_test(tcase, ipv4_within_ipv6_is_ipv4);
	tcase_add_test(tcase, a_name_that_belongs_to_another_address_does_not_lead_back);
	tcase_add_test(tcase, a_name_that_does_not_exist_does_not_lead_back);
	tcase_add_test(tcase, a_name_that_reads_as_an_address_does_not_lead_back);
	tcase_add_test(tcase,
		       an_address_without_a_name_is_one_line_and_the_others_are_answered);
	tcase_add_test(tcase, an_address_has_its_own_facts_though_no_name_is_found);
	tcase_add_test(tcase, an_address_of_the_unwanted_family_is_refused);
	tcase = add_case(suite, "services");
	tcase_add_test(tcase, a_service_has_a_port_and_a_protocol);
	tcase_add_test(tcase, a_bare_number_is_a_port_of_every_protocol);
	tcase_add_loop_test(tcase, what_is_no_service_is_one_clear_line, 0,
			    sizeof no_services / sizeof *no_services);
	tcase = add_case(suite, "what a word is");
	tcase_add_loop_test(tcase,
			    what_is_meant_as_an_address_is_never_asked_for_as_a_name, 0,
			    sizeof meant_as_addresses / sizeof *meant_as_addresses);
	tcase_add_loop_test(tcase, an_empty_word_is_nothing, 0, 3);
	tcase_add_test(tcase, an_old_form_of_an_address_is_read_as_getaddrinfo_does);
	tcase_add_test(tcase,
		       a_word_that_is_both_is_a_service_unless_a_name_is_asked_for);
	tcase = add_case(suite, "this host");
	tcase_add_test(tcase, without_a_word_this_host_is_described);
	tcase_add_test(tcase, a_host_whose_own_name_does_not_resolve_is_still_described);
	tcase_add_test(tcase, the_interfaces_are_sorted);
	tcase_add_test(tcase, the_interfaces_of_one_family_keep_those_without_an_address);
	tcase = add_case(suite, "JSON");
	tcase_add_test(tcase, json_is_one_document_for_all_words);
	tcase_add_test(tcase, json_is_a_document_though_nothing_was_found);
	tcase = add_case(suite, "time");
	tcase_add_test(tcase, a_silent_name_server_does_not_keep_it);
	tcase_add_test(tcase, a_long_wait_is_shown_on_a_terminal);
	tcase = add_case(suite, "output and usage");
	tcase_add_test(tcase, a_full_disk_is_an_error);
	tcase_add_loop_test(tcase, bad_usage_is_one_clear_line, 0, USAGE_ERRORS);
	tcase_add_test(tcase, help_and_version_go_to_standard_output);
	return suite;
}
