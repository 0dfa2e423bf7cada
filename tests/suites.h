/*
 * The suites. They run in parallel, in this order: the longest start first, so that none runs
 * alone at the end.
 *
 * A new suite is a name in this list and a file that defines suite_NAME(). The folders of tests/
 * are those of the source tree: the tests of common/NAME.c are in tests/common/test_NAME.c, the
 * tests of whole servers in tests/server/test_*.c. What several suites share is in
 * tests/fixture/.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <check.h>

#define SUITES                                                                           \
	SUITE(filed_limits)                                                              \
	SUITE(versus_servers)                                                            \
	SUITE(versus_experiment_runs)                                                    \
	SUITE(versus_report)                                                             \
	SUITE(sockcheck_servers)                                                         \
	SUITE(sockcheck)                                                                 \
	SUITE(work)                                                                      \
	SUITE(surprises)                                                                 \
	SUITE(labs)                                                                      \
	SUITE(examples)                                                                  \
	SUITE(chatd_trouble)                                                             \
	SUITE(pasted_examples)                                                           \
	SUITE(filed)                                                                     \
	SUITE(connection_files)                                                          \
	SUITE(faults)                                                                    \
	SUITE(file)                                                                      \
	SUITE(httpd)                                                                     \
	SUITE(httpd_trouble)                                                             \
	SUITE(local_servers)                                                             \
	SUITE(servers)                                                                   \
	SUITE(udp)                                                                       \
	SUITE(chatd)                                                                     \
	SUITE(connection_time)                                                           \
	SUITE(engine)                                                                    \
	SUITE(epoll)                                                                     \
	SUITE(many)                                                                      \
	SUITE(kernel)                                                                    \
	SUITE(load_udp)                                                                  \
	SUITE(slow_readers)                                                              \
	SUITE(http)                                                                      \
	SUITE(hub)                                                                       \
	SUITE(portscan)                                                                  \
	SUITE(xfer)                                                                      \
	SUITE(load_chat)                                                                 \
	SUITE(chat_client)                                                               \
	SUITE(dial_udp)                                                                  \
	SUITE(http_documents)                                                            \
	SUITE(versus_local)                                                              \
	SUITE(versus)                                                                    \
	SUITE(compare)                                                                   \
	SUITE(frames)                                                                    \
	SUITE(templates)                                                                 \
	SUITE(sandbox)                                                                   \
	SUITE(traces)                                                                    \
	SUITE(outputs)                                                                   \
	SUITE(through)                                                                   \
	SUITE(zoo)                                                                       \
	SUITE(load_broken)                                                               \
	SUITE(load_faults)                                                               \
	SUITE(load_omission)                                                             \
	SUITE(load_endpoint)                                                             \
	SUITE(local_clients)                                                             \
	SUITE(load_local)                                                                \
	SUITE(load_ramp)                                                                 \
	SUITE(load_report)                                                               \
	SUITE(versus_experiments)                                                        \
	SUITE(versus_chart)                                                              \
	SUITE(load_services)                                                             \
	SUITE(text)                                                                      \
	SUITE(words)                                                                     \
	SUITE(rename)                                                                    \
	SUITE(retry)                                                                     \
	SUITE(json)                                                                      \
	SUITE(json_read)                                                                 \
	SUITE(clock)                                                                     \
	SUITE(io)                                                                        \
	SUITE(address)                                                                   \
	SUITE(sock)                                                                      \
	SUITE(socket_file)                                                               \
	SUITE(listeners)                                                                 \
	SUITE(starting)                                                                  \
	SUITE(children)                                                                  \
	SUITE(inetd)                                                                     \
	SUITE(queue)                                                                     \
	SUITE(workers)                                                                   \
	SUITE(options)                                                                   \
	SUITE(message)                                                                   \
	SUITE(histogram)                                                                 \
	SUITE(poller)                                                                    \
	SUITE(poll_with_mask)                                                            \
	SUITE(tokens)                                                                    \
	SUITE(root)                                                                      \
	SUITE(open_within)                                                               \
	SUITE(load)                                                                      \
	SUITE(trace)                                                                     \
	SUITE(uring)                                                                     \
	SUITE(uring_model)                                                               \
	SUITE(buffer)                                                                    \
	SUITE(output)                                                                    \
	SUITE(checksum)                                                                  \
	SUITE(echo)                                                                      \
	SUITE(discard)                                                                   \
	SUITE(chargen)                                                                   \
	SUITE(daytime)                                                                   \
	SUITE(greet)                                                                     \
	SUITE(reply)                                                                     \
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
	SUITE(proxy_client)                                                              \
	SUITE(proxy_header)                                                              \
	SUITE(transcripts)                                                               \
	SUITE(restart)                                                                   \
	SUITE(dial)                                                                      \
	SUITE(timeline)                                                                  \
	SUITE(completion)                                                                \
	SUITE(supervisors)                                                               \
	SUITE(hostinfo)                                                                  \
	SUITE(ports)                                                                     \
	SUITE(line_editor)                                                               \
	SUITE(speech)                                                                    \
	SUITE(dial_requests)                                                             \
	SUITE(load_http)                                                                 \
	SUITE(load_file)                                                                 \
	SUITE(xfer_servers)

#define SUITE(name) Suite *suite_##name(void);
SUITES
#undef SUITE

#endif
