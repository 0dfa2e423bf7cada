/*
 * crowd - drives many clients with one loop of poll(2).
 *
 * A client connects, sends a request, waits for the reply, and either sends the next request or
 * leaves, and another one takes its place. In a room each client has a hearer, and is opened as
 * one alone.
 */
#include "client/sockcheck/crowd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/sockcheck/protocols.h"
#include "common/sock.h"

enum { STEP = 20 };

struct member {
	struct talk talk;
	struct exchange exchange;
	unsigned replies;
	bool present, asked;
};

struct gathering {
	struct check *check;
	const struct crowd *crowd;
	const struct protocol *protocol;
	struct member *members;
	unsigned begun, done;
};

static bool begin_member(struct gathering *gathering, struct member *member)
{
	static const char who[] = "a client of a crowd";
	struct check *check = gathering->check;

	member->talk.fd = member->talk.hearer = -1;
	member->replies = 0;
	member->asked = false;
	member->present = true;
	gathering->begun++;
	if (protocol_has(gathering->protocol, PROTOCOL_ROOM))
		return talk_open(&member->talk, check, who);
	return talk_start(&member->talk, check, who) ||
	       check_fail(check, "%s cannot connect: %s", who, strerror(errno));
}

static bool ask(struct gathering *gathering, struct member *member)
{
	struct exchange *exchange = &member->exchange;

	member->asked = true;
	protocol_exchange(gathering->protocol, talk_number(), exchange);
	if (exchange->request_length > 0 &&
	    !talk_send(&member->talk, exchange->request, exchange->request_length))
		return false;
	if (protocol_has(gathering->protocol, PROTOCOL_SILENT))
		shutdown(member->talk.fd, SHUT_WR);
	return true;
}

static void leave(struct gathering *gathering, struct member *member)
{
	if (gathering->crowd->reset)
		talk_reset(&member->talk);
	else
		talk_close(&member->talk);
	member->present = false;
	gathering->done++;
}

/* Whether the reply has come: for a protocol without replies, the end. */
static enum reply_state look(struct gathering *gathering, struct member *member)
{
	talk_receive(&member->talk);
	if (!protocol_has(gathering->protocol, PROTOCOL_SILENT))
		return talk_look(&member->talk, &member->exchange);
	if (!member->talk.ended)
		return REPLY_INCOMPLETE;
	return member->talk.error == 0 && member->talk.bytes == 0 ? REPLY_RIGHT
								  : REPLY_WRONG;
}

static bool is_one_shot(const struct gathering *gathering)
{
	return protocol_has(gathering->protocol, PROTOCOL_CLOSES | PROTOCOL_SILENT);
}

/* What a ready member does. @return false if the check has failed */
static bool serve_member(struct gathering *gathering, struct member *member)
{
	const struct crowd *crowd = gathering->crowd;
	enum reply_state state;
	int error;

	if (!member->asked) {
		error = sock_error(member->talk.fd);
		if (error != 0)
			return check_fail(gathering->check, "%s cannot connect: %s",
					  member->talk.who, strerror(error));
		if (!ask(gathering, member))
			return false;
	}
	state = look(gathering, member);
	if (state == REPLY_INCOMPLETE)
		return true;
	if (state == REPLY_WRONG)
		return talk_fail_reply(&member->talk, &member->exchange, "");
	if (crowd->on_reply != NULL && !crowd->on_reply(&member->talk, crowd->context))
		return false;
	if (++member->replies < crowd->exchanges && !is_one_shot(gathering))
		return ask(gathering, member);
	leave(gathering, member);
	return true;
}

static bool fail_wait(struct gathering *gathering, const char *why)
{
	unsigned connecting = 0;
	struct member *waiting = NULL;

	for (unsigned i = 0; i < gathering->crowd->at_once; i++) {
		if (!gathering->members[i].present)
			continue;
		if (gathering->members[i].asked)
			waiting = &gathering->members[i];
		else
			connecting++;
	}
	if (waiting != NULL)
		return talk_fail_reply(&waiting->talk, &waiting->exchange, why);
	return check_fail(gathering->check, "%u clients cannot connect: %s", connecting,
			  why);
}

/* A client that waits for room in the backlog of a UNIX-domain socket. */
static bool start_again(struct member *member)
{
	return member->talk.fd >= 0 || talk_start_again(&member->talk) ||
	       check_fail(member->talk.check, "%s cannot connect: %s", member->talk.who,
			  strerror(errno));
}

/* Whether a connection or bytes are under way. */
static bool is_under_way(const struct gathering *gathering, const struct member *member)
{
	return (!member->asked && !gathering->check->settings->local) ||
	       talk_is_under_way(&member->talk);
}

/* @return whether another turn is needed; false also if the check has failed */
static bool take_turn(struct gathering *gathering, struct check_wait *wait)
{
	const struct crowd *crowd = gathering->crowd;
	struct pollfd fds[CROWD_AT_ONCE];
	struct member *ready[CROWD_AT_ONCE];
	nfds_t count = 0;
	const char *why;

	for (unsigned i = 0; i < crowd->at_once; i++) {
		struct member *member = &gathering->members[i];

		if (!member->present && gathering->begun < crowd->clients &&
		    !begin_member(gathering, member))
			return false;
		if (!member->present)
			continue;
		if (!start_again(member))
			return false;
		ready[count] = member;
		fds[count++] = (struct pollfd){
			.fd = member->asked ? member->talk.hearer : member->talk.fd,
			.events = member->asked ? POLLIN : POLLOUT,
		};
	}
	if (count == 0)
		return false;
	if (poll(fds, count, STEP) > 0) {
		for (nfds_t i = 0; i < count; i++)
			if (fds[i].revents != 0 && !serve_member(gathering, ready[i]))
				return false;
		check_wait_begin(wait);
		return true;
	}
	for (nfds_t i = 0; i < count; i++)
		if (is_under_way(gathering, ready[i]))
			check_wait_touch(wait);
	return !check_wait_is_over(gathering->check, wait, 0, &why) ||
	       fail_wait(gathering, why);
}

bool crowd_run(struct check *check, const struct crowd *crowd)
{
	struct gathering gathering = { .check = check,
				       .crowd = crowd,
				       .protocol = &check->settings->protocol };
	struct check_wait wait;

	gathering.members = calloc(crowd->at_once, sizeof *gathering.members);
	if (gathering.members == NULL)
		return check_fail(check, "not enough memory");
	check_wait_begin(&wait);
	while (take_turn(&gathering, &wait))
		;
	for (unsigned i = 0; i < crowd->at_once; i++)
		if (gathering.members[i].present)
			leave(&gathering, &gathering.members[i]);
	free(gathering.members);
	return check->verdict == CHECK_PASSED;
}
