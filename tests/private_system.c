#ifdef __linux__
#define _GNU_SOURCE /* unshare, sethostname, struct ifreq */
#endif

#include "tests/private_system.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#endif

#include "common/io.h"
#include "tests/folder.h"
#include "tests/network.h"
#include "tests/waiting.h"

#ifdef __linux__

enum { DNS_PORT = 53, DNS_HEADER = 12, DNS_MESSAGE = 512, DNS_NAME = 256 };
enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_PTR = 12, CLASS_IN = 1, NO_SUCH_NAME = 3 };

/* ---- the name server (RFC 1035, section 4) ----------------------------------------------- */

struct name_server {
	int fd;
	const struct name_record *records;
};

/* A message that grows. */
struct reply {
	unsigned char bytes[DNS_MESSAGE];
	size_t length;
};

static void put_number(struct reply *reply, unsigned number)
{
	ck_assert_uint_le(reply->length + 2, sizeof reply->bytes);
	reply->bytes[reply->length++] = (unsigned char)(number >> 8);
	reply->bytes[reply->length++] = (unsigned char)number;
}

static void put_name(struct reply *reply, const char *name)
{
	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		ck_assert_uint_le(reply->length + label + 2, sizeof reply->bytes);
		reply->bytes[reply->length++] = (unsigned char)label;
		memcpy(reply->bytes + reply->length, name, label);
		reply->length += label;
		name += label + (name[label] == '.');
	}
	reply->bytes[reply->length++] = 0;
}

/* @return where the name ends in the message */
static size_t take_name(const unsigned char *message, size_t length, char name[DNS_NAME])
{
	size_t at = DNS_HEADER, used = 0;

	while (at < length && message[at] != 0 && at + message[at] < length &&
	       used + message[at] + 2 < DNS_NAME) {
		if (used > 0)
			name[used++] = '.';
		memcpy(name + used, message + at + 1, message[at]);
		used += message[at];
		at += 1u + message[at];
	}
	name[used] = '\0';
	return at + 1;
}

static const struct name_record *find_record(const struct name_record *record,
					     const char *name)
{
	for (; record->name != NULL; record++)
		if (strcasecmp(record->name, name) == 0)
			return record;
	return NULL;
}

static unsigned record_type(const struct name_record *record)
{
	return record->type == RECORD_ADDRESS ? TYPE_A
	       : record->type == RECORD_ALIAS ? TYPE_CNAME
					      : TYPE_PTR;
}

static void put_record(struct reply *reply, const struct name_record *record)
{
	size_t start;

	put_name(reply, record->name);
	put_number(reply, record_type(record));
	put_number(reply, CLASS_IN);
	put_number(reply, 0); /* the time to live: none */
	put_number(reply, 0);
	put_number(reply, 0); /* the length, once it is known */
	start = reply->length;
	if (record->type == RECORD_ADDRESS) {
		ck_assert_int_eq(inet_pton(AF_INET, record->value, reply->bytes + start),
				 1);
		reply->length += 4;
	} else {
		put_name(reply, record->value);
	}
	reply->bytes[start - 1] = (unsigned char)(reply->length - start);
}

/* The records of this type for the name, and for the name that it is an alias of.
 * @return how many */
static unsigned put_records(struct reply *reply, const struct name_record *records,
			    const char *name, unsigned type)
{
	const struct name_record *alias = find_record(records, name);
	unsigned count = 0;

	if (alias != NULL && alias->type == RECORD_ALIAS) {
		put_record(reply, alias);
		count++;
		name = alias->value;
	}
	for (; records->name != NULL; records++)
		if (strcasecmp(records->name, name) == 0 &&
		    record_type(records) == type) {
			put_record(reply, records);
			count++;
		}
	return count;
}

/* @return false when the server is to be silent */
static bool make_reply(const struct name_server *server, const unsigned char *query,
		       size_t length, struct reply *reply)
{
	const struct name_record *record;
	char name[DNS_NAME];
	size_t end = take_name(query, length, name);
	unsigned count;

	record = find_record(server->records, name);
	if (end + 4 > length || (record != NULL && record->type == RECORD_SILENCE))
		return false;
	memcpy(reply->bytes, query, end + 4);
	reply->length = end + 4;
	memset(reply->bytes + 6, 0, 6); /* the counts; one question stays */
	reply->bytes[2] = 0x85;         /* a reply, with authority, recursion as asked */
	reply->bytes[3] = 0x80 | (record == NULL ? NO_SUCH_NAME : 0);
	count = put_records(reply, server->records, name,
			    (unsigned)query[end] << 8 | query[end + 1]);
	reply->bytes[7] = (unsigned char)count;
	return true;
}

static void *serve_names(void *context)
{
	const struct name_server *server = context;

	for (;;) {
		unsigned char query[DNS_MESSAGE / 2];
		struct sockaddr_in client;
		socklen_t size = sizeof client;
		struct reply reply;
		ssize_t n = recvfrom(server->fd, query, sizeof query, 0,
				     (struct sockaddr *)&client, &size);

		if (n > DNS_HEADER && make_reply(server, query, (size_t)n, &reply))
			(void)sendto(server->fd, reply.bytes, reply.length, 0,
				     (struct sockaddr *)&client, size);
	}
	return NULL;
}

static void start_name_server(const struct name_record *records)
{
	static struct name_server server;
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	pthread_t thread;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.records = records;
	server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(server.fd, 0);
	ck_assert_msg(bind(server.fd, (struct sockaddr *)&here, sizeof here) == 0,
		      "cannot be the name server: %s", strerror(errno));
	ck_assert_int_eq(pthread_create(&thread, NULL, serve_names, &server), 0);
	pthread_detach(thread);
}

/* ---- the namespaces ---------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 && io_write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Puts a file in the place of another, for this namespace only. */
static bool replace(const char *path, const char *text)
{
	char file[FOLDER_TEXT];
	bool done;

	close(folder_create_file(file, "system"));
	done = write_file(file, text) && chmod(file, 0644) == 0 &&
	       mount(file, path, NULL, MS_BIND, NULL) == 0;
	unlink(file);
	return done;
}

static bool replace_files(const struct private_system *system)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	if (access("/etc/nsswitch.conf", F_OK) == 0 && /* glibc's; musl has none */
	    !replace("/etc/nsswitch.conf", "hosts: files dns\n"))
		return false;
	return replace("/etc/resolv.conf", "nameserver 127.0.0.1\nsearch .\n") &&
	       replace("/etc/hosts", system->hosts);
}

static bool enter(const struct private_system *system)
{
	return network_enter_with(CLONE_NEWNS | CLONE_NEWUTS) &&
	       sethostname(system->host_name, strlen(system->host_name)) == 0 &&
	       replace_files(system);
}

#else

static bool enter(const struct private_system *system)
{
	(void)system;
	return false;
}

static void start_name_server(const struct name_record *records)
{
	(void)records;
}

#endif

bool private_system_enter(const struct private_system *system)
{
	const char *fork_mode = getenv("CK_FORK");
	bool one_process = fork_mode != NULL && strcmp(fork_mode, "no") == 0;

	if (one_process || !enter(system)) { /* all later tests would be in there, too */
		skipped("needs namespaces of its own");
		return false;
	}
	start_name_server(system->records);
	return true;
}
