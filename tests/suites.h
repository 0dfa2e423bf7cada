/*
 * The suites. A new one is a file tests/test_NAME.c that defines suite_NAME(), and its
 * name in this list. They run side by side: the longest begin first, so that none is left
 * alone at the end.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITES                                                                           \
	SUITE(filed)                                                                     \
	SUITE(chatd)                                                                     \
	SUITE(examples)                                                                  \
	SUITE(file)                                                                      \
	SUITE(httpd)                                                                     \
	SUITE(connection_time)                                                           \
	SUITE(faults)                                                                    \
	SUITE(connection_files)                                                          \
	SUITE(engine)                                                                    \
	SUITE(frames)                                                                    \
	SUITE(templates)                                                                 \
	SUITE(servers)                                                                   \
	SUITE(load_chat)                                                                 \
	SUITE(portscan)                                                                  \
	SUITE(load_udp)                                                                  \
	SUITE(outputs)                                                                   \
	SUITE(hub)                                                                       \
	SUITE(load_broken)                                                               \
	SUITE(load_services)                                                             \
	SUITE(versus)                                                                    \
	SUITE(slow_readers)                                                              \
	SUITE(text)                                                                      \
	SUITE(words)                                                                     \
	SUITE(rename)                                                                    \
	SUITE(retry)                                                                     \
	SUITE(json)                                                                      \
	SUITE(clock)                                                                     \
	SUITE(io)                                                                        \
	SUITE(address)                                                                   \
	SUITE(sock)                                                                      \
	SUITE(listeners)                                                                 \
	SUITE(starting)                                                                  \
	SUITE(children)                                                                  \
	SUITE(options)                                                                   \
	SUITE(message)                                                                   \
	SUITE(histogram)                                                                 \
	SUITE(poller)                                                                    \
	SUITE(tokens)                                                                    \
	SUITE(root)                                                                      \
	SUITE(open_within)                                                               \
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
	SUITE(http_documents)                                                            \
	SUITE(http_conditions)                                                           \
	SUITE(http_request)                                                              \
	SUITE(file_command)                                                              \
	SUITE(file_listing)                                                              \
	SUITE(fuzz)                                                                      \
	SUITE(chat)                                                                      \
	SUITE(connection)                                                                \
	SUITE(send_queue)                                                                \
	SUITE(repetition)                                                                \
	SUITE(small_services)                                                            \
	SUITE(proxy_header)                                                              \
	SUITE(udp)                                                                       \
	SUITE(transcripts)                                                               \
	SUITE(dial)                                                                      \
	SUITE(hostinfo)                                                                  \
	SUITE(ports)                                                                     \
	SUITE(line_editor)                                                               \
	SUITE(speech)                                                                    \
	SUITE(chat_client)                                                               \
	SUITE(dial_requests)                                                             \
	SUITE(dial_udp)                                                                  \
	SUITE(load_http)                                                                 \
	SUITE(load_file)                                                                 \
	SUITE(xfer)                                                                      \
	SUITE(xfer_servers)

#define SUITE(name) Suite *suite_##name(void);
SUITES
#undef SUITE

#endif
