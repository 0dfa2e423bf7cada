/*
 * learn - the first exchanges with a server: the check "answers".
 *
 * Two requests on one connection show how the server words its replies, and whether it closes
 * after the first one, which http and --request leave open.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/sockcheck/checks.h"
#include "client/sockcheck/talk.h"
#include "common/io.h"
#include "common/sock.h"

enum { STEP = 20 };

/* An exchange with a copy of it. */
static bool exchange_with(struct talk *talk, struct exchange *exchange)
{
	protocol_exchange(&talk->check->settings->protocol, talk_number(), exchange);
	return talk_send(talk, exchange->request, exchange->request_length) &&
	       talk_reply(talk, exchange);
}

/* Whether the server closes after its first reply instead of answering the second request. */
static bool closes(struct talk *talk, bool *replied, struct exchange *exchange)
{
	struct check_wait wait;
	const char *why;

	protocol_exchange(&talk->check->settings->protocol, talk_number(), exchange);
	*replied = false;
	if (sock_send(talk->fd, exchange->request, exchange->request_length, false) < 0)
		return true;
	check_wait_begin(&wait);
	while (!check_wait_is_over(talk->check, &wait, talk->bytes, &why)) {
		talk_receive(talk);
		*replied = talk_look(talk, exchange) == REPLY_RIGHT;
		if (*replied || talk->used > 0)
			return false;
		if (talk->ended)
			return true;
		io_wait(talk->hearer, POLLIN, STEP);
	}
	return false;
}

static void learn_two(struct check_settings *settings, struct talk *talk)
{
	static struct exchange first, second; /* large; one thread learns */
	char reply[PROTOCOL_REPLY];
	size_t length;
	bool replied = false;

	if (!exchange_with(talk, &first))
		return;
	length = talk->reply_length;
	memcpy(reply, talk->reply, length);
	if (protocol_has(&settings->protocol, PROTOCOL_MAY_CLOSE) &&
	    closes(talk, &replied, &second))
		settings->protocol.traits |= PROTOCOL_CLOSES;
	if (protocol_has(&settings->protocol, PROTOCOL_CLOSES)) {
		talk_close(talk);
		if (!talk_open(talk, talk->check, talk->who))
			return;
	}
	if (!replied && !exchange_with(talk, &second))
		return;
	if (length > 0 && talk->reply_length > 0)
		protocol_learn(&settings->protocol, &first, reply, length, &second,
			       talk->reply, talk->reply_length);
}

/* An upload and a download. It leaves a small file. */
static void exchange_file(struct talk *talk)
{
	static struct exchange file = { 0 };
	struct timespec now;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	n = snprintf(file.request, sizeof file.request,
		     "PUT sockcheck-%ld-%ld%09ld 6 0 nosum\nhello\nSUM -\n"
		     "GET sockcheck-%ld-%ld%09ld nosum\n",
		     (long)getpid(), (long)now.tv_sec, now.tv_nsec, (long)getpid(),
		     (long)now.tv_sec, now.tv_nsec);
	file.request_length = (size_t)n;
	n = snprintf(file.reply, sizeof file.reply,
		     "SEND 0\nDONE 6 -\nFILE 6 0\nhello\nSUM -\n");
	file.reply_length = (size_t)n;
	if (talk_send(talk, file.request, file.request_length))
		talk_reply(talk, &file);
}

void checks_learn(struct check_settings *settings, struct check *check)
{
	struct talk talk = TALK_CLOSED;

	if (protocol_has(&settings->protocol, PROTOCOL_SILENT)) {
		talk_visit(check, "the client");
		return;
	}
	if (talk_open(&talk, check, "the client"))
		learn_two(settings, &talk);
	if (check->verdict == CHECK_PASSED &&
	    strcmp(protocol_name(&settings->protocol), "file") == 0)
		exchange_file(&talk);
	talk_close(&talk);
}
