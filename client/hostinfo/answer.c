/*
 * answer - decides what a word is (service, port, address or host) and looks it up.
 *
 * The text decides before any lookup: a mistyped address is never sent to a name server as
 * a name. All texts of the resolver and of the services list are untrusted; the caller
 * escapes them.
 */
#include "client/hostinfo/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

enum { CULPRIT_TEXT = 80 };

static void fail(struct answer *answer, const char *culprit, const char *reason)
{
	char shown[CULPRIT_TEXT];

	text_escape(culprit, strlen(culprit), shown, sizeof shown);
	answer->failed = true;
	failure_set(&answer->failure, "'%s' %s", shown, reason);
}

/* ---- what a word is ------------------------------------------------------------------------ */

static bool is_number(const char *word)
{
	return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* No host name ends in a number (RFC 1123, section 2.1) or contains a colon or a
 * bracket. A mistyped address is not sent to the name server. */
static bool is_meant_as_address(const char *word)
{
	size_t length = strlen(word), digits = 0;

	if (strpbrk(word, ":[]") != NULL)
		return true;
	if (length > 0 && word[length - 1] == '.') /* an absolute name: "host." */
		length--;
	while (digits < length && strchr("0123456789", word[length - digits - 1]) != NULL)
		digits++;
	return digits > 0 && (digits == length || word[length - digits - 1] == '.');
}

static bool is_known_service(const char *word)
{
	struct service_question question;
	struct known_service found[SERVICE_PROTOCOLS];

	return service_question_parse(word, &question, NULL) == 0 &&
	       known_services_find(&question, found) > 0;
}

static enum answer_kind classify(const char *word, const struct answer_wish *wish,
				 struct address *address)
{
	if (word[0] == '\0')
		return ANSWER_UNKNOWN;
	if (wish->services)
		return ANSWER_SERVICE;
	if (!wish->names && (strchr(word, '/') != NULL || is_number(word)))
		return ANSWER_SERVICE;
	if (address_parse(word, address) == 0)
		return ANSWER_ADDRESS;
	if (wish->names)
		return ANSWER_NAME;
	if (is_meant_as_address(word))
		return ANSWER_UNKNOWN;
	return is_known_service(word) ? ANSWER_SERVICE : ANSWER_NAME;
}

/* ---- looking it up ------------------------------------------------------------------------- */

static void find_service(struct answer *answer)
{
	struct service_question question;

	if (service_question_parse(answer->word, &question, &answer->failure) < 0) {
		answer->failed = true;
		return;
	}
	answer->service_count = known_services_find(&question, answer->services);
	answer->known = answer->service_count > 0;
	if (!answer->known)
		fail(answer, answer->word, "is not in the list of services");
}

static void find_name(struct answer *answer, const struct answer_wish *wish)
{
	answer->known = lookup_host(answer->word, wish->family, &wish->limits,
				    &answer->host, &answer->failure) == 0;
	answer->failed = !answer->known;
}

static bool has_address(const struct lookup_host *host, const struct address *address)
{
	for (size_t i = 0; i < host->count; i++)
		if (address_compare_host(&host->addresses[i], address) == 0)
			return true;
	return false;
}

/* The owner of an address can give it any name in the reverse zone; only the owner
 * of the name decides which addresses it has. So a name counts as confirmed if it
 * resolves to the address again. A name that looks like an address is no name: it
 * would resolve to whatever address it claims. */
static void find_forward(struct answer *answer, int family,
			 const struct lookup_limits *limits)
{
	struct address claimed;

	if (address_parse(answer->name, &claimed) == 0)
		return;
	answer->failed = lookup_host(answer->name, family, limits, &answer->host,
				     &answer->failure) < 0;
	answer->confirmed = has_address(&answer->host, &answer->address);
}

static void find_address(struct answer *answer, const struct answer_wish *wish)
{
	int family = address_family(&answer->address);

	if (wish->family != AF_UNSPEC && wish->family != family) {
		fail(answer, answer->word,
		     family == AF_INET ? "is not an IPv6 address"
				       : "is not an IPv4 address");
		return;
	}
	answer->known = true; /* the address itself is known */
	answer->named = lookup_name(&answer->address, &wish->limits, answer->name,
				    &answer->failure) == 0;
	answer->failed = !answer->named;
	if (answer->named)
		find_forward(answer, family, &wish->limits);
}

static void find_unknown(struct answer *answer)
{
	fail(answer, answer->word,
	     answer->word[0] == '\0' ? "is not a name, an address or a service"
				     : "is not an address");
}

void answer_word(const char *word, const struct answer_wish *wish, struct answer *answer)
{
	memset(answer, 0, sizeof *answer);
	answer->word = word;
	answer->kind = classify(word, wish, &answer->address);
	switch (answer->kind) {
	case ANSWER_SERVICE:
		find_service(answer);
		break;
	case ANSWER_ADDRESS:
		find_address(answer, wish);
		break;
	case ANSWER_NAME:
		find_name(answer, wish);
		break;
	default:
		find_unknown(answer);
	}
}

void answer_self(const struct answer_wish *wish, struct answer *answer)
{
	memset(answer, 0, sizeof *answer);
	answer->kind = ANSWER_SELF;
	if (gethostname(answer->name, sizeof answer->name - 1) < 0 ||
	    interfaces_list(wish->family, &answer->interfaces, &answer->interface_count) <
		    0) {
		answer->failed = true;
		failure_set(&answer->failure, "cannot describe this host: %s",
			    strerror(errno));
		return;
	}
	answer->known = true;
	answer->failed = lookup_host(answer->name, wish->family, &wish->limits,
				     &answer->host, &answer->failure) < 0;
}

void answer_free(struct answer *answer)
{
	lookup_host_free(&answer->host);
	free(answer->interfaces);
	answer->interfaces = NULL;
}
