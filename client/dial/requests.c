/*
 * requests - finds the request that a UDP reply answers, and counts losses and duplicates.
 *
 * The last DIAL_REMEMBERED requests are kept in a ring, indexed by their number. So memory
 * is constant however long dial -n runs. A reply to an older request is not recognized.
 */
#include "client/dial/requests.h"

#include <stdio.h>
#include <string.h>

void dial_requests_begin(struct dial_requests *requests)
{
	requests->oldest = 1;
}

static struct dial_request *request(struct dial_requests *requests, uint64_t number)
{
	return &requests->memory[number % DIAL_REMEMBERED];
}

/* ---- stamps ---------------------------------------------------------------------------- */

void dial_requests_stamp(struct dial_requests *requests, uint32_t unlike)
{
	snprintf(requests->stamp, sizeof requests->stamp, "dial %08jx seq ",
		 (uintmax_t)unlike);
}

void dial_requests_write(const struct dial_requests *requests, char to[DIAL_STAMPED])
{
	char stamp[DIAL_STAMPED];
	int used = snprintf(stamp, sizeof stamp, "%s%ju ", requests->stamp,
			    (uintmax_t)requests->sent + 1);

	memcpy(to, stamp, (size_t)used);
	for (int i = used; i < DIAL_STAMPED; i++)
		to[i] = (char)('a' + (i - used) % 26);
}

static bool is_remembered(const struct dial_requests *requests, uint64_t number)
{
	return number > 0 && number <= requests->sent &&
	       requests->sent - number < DIAL_REMEMBERED;
}

/* Finds the number of our stamp in the reply; NULL if there is none. */
static const char *find_number(const struct dial_requests *requests, const char *reply,
			       const char *end)
{
	size_t stamp = strlen(requests->stamp);

	if (stamp == 0)
		return NULL;
	while (reply != NULL && (size_t)(end - reply) > stamp) {
		if (memcmp(reply, requests->stamp, stamp) == 0)
			return reply + stamp;
		reply++;
		reply = memchr(reply, requests->stamp[0], (size_t)(end - reply));
	}
	return NULL;
}

/* The number of our stamp anywhere in the reply; 0 if there is none. */
static uint64_t stamped_number(const struct dial_requests *requests, const char *reply,
			       size_t length)
{
	const char *end = reply + length, *at = find_number(requests, reply, end);
	uint64_t number = 0;

	for (; at != NULL && at < end && *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (uint64_t)(*at - '0');
		if (number > requests->sent)
			return 0;
	}
	return is_remembered(requests, number) ? number : 0;
}

/* ---- what becomes of a request --------------------------------------------------------- */

static void settle(struct dial_requests *requests, uint64_t number,
		   enum dial_request_state state)
{
	struct dial_request *this = request(requests, number);

	if (this->state == REQUEST_WAITING)
		requests->under_way--;
	this->state = state;
	while (requests->oldest <= requests->sent &&
	       request(requests, requests->oldest)->state != REQUEST_WAITING)
		requests->oldest++;
}

void dial_requests_sent(struct dial_requests *requests, int64_t sent_at)
{
	/* The slot belongs to an old request, which is given up now. */
	if (requests->sent + 1 - requests->oldest >= DIAL_REMEMBERED)
		settle(requests, requests->oldest, REQUEST_GIVEN_UP);
	requests->sent++;
	requests->under_way++;
	*request(requests, requests->sent) = (struct dial_request){ .sent_at = sent_at };
}

void dial_requests_sent_again(struct dial_requests *requests, int64_t sent_at)
{
	if (requests->sent == 1)
		request(requests, 1)->sent_at = sent_at;
}

bool dial_requests_answered(struct dial_requests *requests, const char *reply,
			    size_t length, int64_t now, struct dial_answer *answer)
{
	uint64_t number = stamped_number(requests, reply, length);
	struct dial_request *asked;

	if (requests->sent == 0)
		return false;
	if (number == 0) {
		requests->in_turn = true;
		number = requests->under_way > 0 ? requests->oldest : requests->sent;
	}
	asked = request(requests, number);
	answer->number = number;
	answer->took = now - asked->sent_at;
	answer->duplicate = asked->state == REQUEST_ANSWERED;
	if (answer->duplicate) {
		requests->duplicates++;
		return true;
	}
	requests->received++;
	round_trip_record(&requests->times, answer->took);
	settle(requests, number, REQUEST_ANSWERED);
	return true;
}

uint64_t dial_requests_give_up(struct dial_requests *requests)
{
	uint64_t number = requests->under_way > 0 ? requests->oldest : requests->sent;

	if (requests->under_way > 0)
		settle(requests, number, REQUEST_GIVEN_UP);
	return number;
}

int64_t dial_requests_oldest_sent_at(const struct dial_requests *requests)
{
	return requests->memory[requests->oldest % DIAL_REMEMBERED].sent_at;
}
