/*
 * The suites. A new one is a file tests/test_NAME.c that defines suite_NAME(), and its
 * name in this list.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITES                                                                           \
	SUITE(text)                                                                      \
	SUITE(clock)                                                                     \
	SUITE(io)                                                                        \
	SUITE(address)                                                                   \
	SUITE(sock)                                                                      \
	SUITE(options)                                                                   \
	SUITE(message)                                                                   \
	SUITE(histogram)                                                                 \
	SUITE(poller)                                                                    \
	SUITE(load)                                                                      \
	SUITE(load_services)                                                             \
	SUITE(load_udp)                                                                  \
	SUITE(dial)

#define SUITE(name) Suite *suite_##name(void);
SUITES
#undef SUITE

#endif
