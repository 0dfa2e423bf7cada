/*
 * known_services - looks up services and ports in the services list of the system.
 *
 * getservbyname(3) and getservbyport(3) return static storage, so results are copied. They
 * are not thread-safe; hostinfo calls them from one thread.
 */
#include "client/hostinfo/known_services.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

enum { CULPRIT_TEXT = 80 };

static const char *const protocols[SERVICE_PROTOCOLS] = { "tcp", "udp" };

static int refuse(const char *word, const char *reason, struct failure *failure)
{
	char culprit[CULPRIT_TEXT];

	text_escape(word, strlen(word), culprit, sizeof culprit);
	return failure_set(failure, "'%s' %s", culprit, reason);
}

static const char *protocol_find(const char *name)
{
	for (size_t i = 0; i < SERVICE_PROTOCOLS; i++)
		if (strcasecmp(name, protocols[i]) == 0)
			return protocols[i];
	return NULL;
}

int service_question_parse(const char *word, struct service_question *question,
			   struct failure *failure)
{
	size_t length = strcspn(word, "/");
	uint64_t port;

	memset(question, 0, sizeof *question);
	if (length == 0 || length >= sizeof question->name)
		return refuse(word, "is not a service", failure);
	if (word[length] == '/') {
		question->protocol = protocol_find(word + length + 1);
		if (question->protocol == NULL)
			return refuse(word,
				      "is not a service: the protocol is tcp or udp",
				      failure);
	}
	memcpy(question->name, word, length);
	if (question->name[strspn(question->name, "0123456789")] != '\0')
		return 0;
	if (!text_number(question->name, 0, UINT16_MAX, &port))
		return refuse(question->name, "is not a port (0 to 65535)", failure);
	question->port = (unsigned)port;
	question->name[0] = '\0';
	return 0;
}

static void add_alias(struct known_service *service, const char *alias)
{
	if (service->alias_count == SERVICE_ALIASES || strcmp(alias, service->name) == 0)
		return; /* musl lists the name of a service as an alias of itself */
	snprintf(service->aliases[service->alias_count++], SERVICE_TEXT, "%s", alias);
}

static bool find_one(const struct service_question *question, const char *protocol,
		     struct known_service *service)
{
	const struct servent *entry =
		question->name[0] != '\0'
			? getservbyname(question->name, protocol)
			: getservbyport(htons((uint16_t)question->port), protocol);

	if (entry == NULL)
		return false;
	memset(service, 0, sizeof *service);
	snprintf(service->name, sizeof service->name, "%s", entry->s_name);
	service->port = ntohs((uint16_t)entry->s_port);
	service->protocol = protocol;
	for (char **alias = entry->s_aliases; *alias != NULL; alias++)
		add_alias(service, *alias);
	return true;
}

size_t known_services_find(const struct service_question *question,
			   struct known_service found[SERVICE_PROTOCOLS])
{
	size_t count = 0;

	for (size_t i = 0; i < SERVICE_PROTOCOLS; i++)
		if ((question->protocol == NULL || question->protocol == protocols[i]) &&
		    find_one(question, protocols[i], &found[count]))
			count++;
	return count;
}
