/*
 * private_system - a network, a hosts file and a name server that the test makes itself.
 *
 * What a name leads to depends on the machine and on the network. So a test of that moves
 * into namespaces of its own (Linux: user, mount, network, UTS), where nothing but the
 * loopback is there, /etc/hosts is what the test says, and the name server is a thread of
 * the test. No packet leaves the machine, and nothing waits for one.
 */
#ifndef TESTS_PRIVATE_SYSTEM_H
#define TESTS_PRIVATE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/** What the private name server answers; everything else is "no such name". */
struct name_record {
	const char *name; /* "web.test", "9.0.0.127.in-addr.arpa" */
	enum { RECORD_ADDRESS, RECORD_ALIAS, RECORD_POINTER, RECORD_SILENCE } type;
	const char *value; /* "127.0.0.9", "host.test"; with silence: nothing */
};

/** What is different in there. */
struct private_system {
	const char *host_name;
	const char *hosts;                 /* the text of /etc/hosts */
	const struct name_record *records; /* ends with one that is all zero */
};

/**
 * Moves the process of this test, and so what it starts from now on, into the private
 * system. There is no way back; Check runs each test in a process of its own.
 *
 * @param system  and what it points to must live as long as the process
 * @return false, after saying so, where the kernel does not allow it: skip the test
 */
bool private_system_enter(const struct private_system *system);

#endif
