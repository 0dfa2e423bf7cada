/*
 * The suites. A new one is a file tests/test_NAME.c that defines suite_NAME(), and its
 * name in this list.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITES                                                                           \
	SUITE(text)                                                                      \
	SUITE(words)                                                                     \
	SUITE(rename)                                                                    \
	SUITE(json)                                                                      \
	SUITE(clock)                                                                     \
	SUITE(io)                                                                        \
	SUITE(address)                                                                   \
	SUITE(sock)                                                                      \
	SUITE(options)                                                                   \
	SUITE(message)                                                                   \
	SUITE(histogram)                                                                 \
	SUITE(poller)                                                                    \
	SUITE(beneath)                                                                   \
	SUITE(load)                                                                      \
	SUITE(buffer)                                                                    \
	SUITE(checksum)                                                                  \
	SUITE(echo)                                                                      \
	SUITE(discard)                                                                   \
	SUITE(chargen)                                                                   \
	SUITE(daytime)                                                                   \
	SUITE(greet)                                                                     \
	SUITE(reply)                                                                     \
	SUITE(http)                                                                      \
	SUITE(httpd)                                                                     \
	SUITE(http_documents)                                                            \
	SUITE(http_conditions)                                                           \
	SUITE(http_request)                                                              \
	SUITE(file_command)                                                              \
	SUITE(file)                                                                      \
	SUITE(filed)                                                                     \
	SUITE(fuzz)                                                                      \
	SUITE(connection_time)                                                           \
	SUITE(connection_files)                                                          \
	SUITE(chat)                                                                      \
	SUITE(connection)                                                                \
	SUITE(engine)                                                                    \
	SUITE(servers)                                                                   \
	SUITE(hub)                                                                       \
	SUITE(chatd)                                                                     \
	SUITE(small_services)                                                            \
	SUITE(udp)                                                                       \
	SUITE(transcripts)                                                               \
	SUITE(faults)                                                                    \
	SUITE(dial)                                                                      \
	SUITE(hostinfo)                                                                  \
	SUITE(ports)                                                                     \
	SUITE(portscan)                                                                  \
	SUITE(line_editor)                                                               \
	SUITE(speech)                                                                    \
	SUITE(chat_client)                                                               \
	SUITE(dial_requests)                                                             \
	SUITE(dial_udp)                                                                  \
	SUITE(load_services)                                                             \
	SUITE(load_http)                                                                 \
	SUITE(load_chat)                                                                 \
	SUITE(versus)                                                                    \
	SUITE(load_udp)                                                                  \
	SUITE(load_file)                                                                 \
	SUITE(xfer)                                                                      \
	SUITE(xfer_servers)                                                              \
	SUITE(examples)

#define SUITE(name) Suite *suite_##name(void);
SUITES
#undef SUITE

#endif
