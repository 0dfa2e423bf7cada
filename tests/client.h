/*
 * client - the test's own end of a connection, over which it talks to what it tests.
 *
 * Whatever goes wrong in here fails the test, with a message that says what.
 */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include <stddef.h>

/** Connects, with SOCK_STREAM or SOCK_DGRAM. @return a blocking descriptor on which no call
 *  waits longer than PATIENCE */
int client_connect_by(int type, const char *host, unsigned port);

/** The same by SOCK_STREAM. */
int client_connect_to(const char *host, unsigned port);

/** Sends all of it. */
void client_send(int fd, const void *bytes, size_t length);

/** Sends these bytes as urgent data (MSG_OOB): the last of them is the urgent byte. */
void client_send_urgent(int fd, const void *bytes, size_t length);

/** Sends a text. */
void client_say(int fd, const char *text);

/** Reads exactly @p length bytes, which must be these. */
void client_expect(int fd, const void *bytes, size_t length);

/** The next that is read must be this text. */
void client_hear(int fd, const char *text);

/** The server must have nothing more to say: end of the stream, and no reset. */
void client_expect_end(int fd);

/** Sends @p request while receiving @p reply, which must be these bytes exactly: for
 *  more than the buffers between the two hold. */
void client_exchange(int fd, const void *request, size_t request_length,
		     const void *reply, size_t reply_length);

/** Says that no more will be sent; the server can still answer. */
void client_half_close(int fd);

/** Ends the connection in order. */
void client_close(int fd);

/** Ends it by a reset. */
void client_reset(int fd);

#endif
