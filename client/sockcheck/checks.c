/*
 * checks - the table of all checks.
 *
 * The order is that of the output: from what every server must do to what few do right.
 */
#include "client/sockcheck/checks.h"

#include <string.h>

enum {
	ROOM = PROTOCOL_ROOM,
	SILENT = PROTOCOL_SILENT,
	CLOSES = PROTOCOL_CLOSES,
	FIRST = PROTOCOL_SPEAKS_FIRST,
	FEW = 32, /* descriptors */
};

const struct check_kind checks[] = {
	{ .name = "answers",
	  .sentence = "a client gets the right replies",
	  .why = "All other checks build on it.",
	  .bug = "The server does not listen where it should, or its replies are not "
		 "those of the protocol.",
	  .pages = "socket(7), accept(2), read(2), write(2)",
	  .run = check_answers },
	{ .name = "two-at-once",
	  .sentence = "two clients are answered alternately",
	  .why = "A client that stays connected must not keep others waiting.",
	  .bug = "The server serves one client at a time; its loop waits in accept(2) or "
		 "read(2) while another client has sent something; or select(2) was "
		 "given the set that it had changed.",
	  .pages = "accept(2), fork(2), pthread_create(3), select(2), poll(2)",
	  .run = check_two_at_once },
	{ .name = "silent-client",
	  .sentence = "silent clients do not delay the others",
	  .why = "Anybody can connect and be silent, by intent or because of a lost "
		 "network.",
	  .bug = "The server waits in read(2) for the client that came first.",
	  .pages = "read(2), poll(2), fork(2), pthread_create(3)",
	  .run = check_silent_client },
	{ .name = "own-answers",
	  .sentence = "many clients at once get their own replies",
	  .why = "State of one client must not be visible to another one.",
	  .bug = "A variable is shared: the address of connfd is passed to all threads, "
		 "the buffer is static, or a function of libc is not thread-safe.",
	  .pages = "pthread_create(3), pthreads(7), attributes(7)",
	  .never = ROOM | SILENT,
	  .run = check_own_answers },
	{ .name = "split-input",
	  .sentence = "a request that arrives in pieces is one request",
	  .why = "TCP is a stream of bytes. It may deliver a request in any number of "
		 "pieces.",
	  .bug = "Each read(2) is taken for a whole request.",
	  .pages = "tcp(7), read(2)",
	  .never = FIRST | SILENT,
	  .run = check_split_input },
	{ .name = "pipelined",
	  .sentence = "requests that arrive together are all answered",
	  .why = "TCP may deliver several requests in one segment, and a client may send "
		 "the next one before it has the reply.",
	  .bug = "After one request the rest of the buffer is dropped; or an "
		 "edge-triggered epoll(7) is read only once.",
	  .pages = "tcp(7), read(2), epoll(7)",
	  .never = FIRST | SILENT | CLOSES | PROTOCOL_COUNTS,
	  .run = check_pipelined },
	{ .name = "all-bytes",
	  .sentence = "each byte comes back, also after the last newline",
	  .why = "A client may send any bytes: an image, UTF-8, the line ends of "
		 "Windows. Its last line may have no newline.",
	  .bug = "The bytes are taken for a string, which NUL ends, or for text, which "
		 "is decoded; or only whole lines are sent back, without a rest.",
	  .pages = "read(2), write(2), getline(3), strlen(3)",
	  .only = PROTOCOL_ECHOES,
	  .run = check_all_bytes },
	{ .name = "half-close",
	  .sentence = "a client that sends no more gets all replies, and the end",
	  .why = "shutdown(2) ends one direction; many clients end a request with it.",
	  .bug = "The server closes at the end of the input, although output is not sent "
		 "yet; or a descriptor stays open in another process, so that the client "
		 "never sees the end.",
	  .pages = "shutdown(2), close(2), fork(2), tcp(7)",
	  .never = FIRST | ROOM,
	  .run = check_half_close },
	{ .name = "partial-writes",
	  .sentence = "long output arrives whole, though the client reads late",
	  .why = "A socket's buffer is finite. When it is full, a non-blocking write(2) "
		 "takes a part of the bytes only; a blocking one waits, and is cut short "
		 "by a signal at most.",
	  .bug = "The result of a non-blocking write(2) is not compared with the length; "
		 "or EAGAIN is taken for an error.",
	  .pages = "write(2), send(2), poll(2)",
	  .never = FIRST | SILENT | ROOM | CLOSES | PROTOCOL_COUNTS,
	  .run = check_partial_writes },
	{ .name = "last-bytes",
	  .sentence = "the last bytes arrive, though the client has sent more",
	  .why = "If unread input is left when a socket is closed, TCP resets the "
		 "connection, and bytes that are under way are lost.",
	  .bug = "The server calls close(2) without reading what the client still sends.",
	  .pages = "close(2), shutdown(2), tcp(7)",
	  .only = CLOSES | PROTOCOL_MAY_CLOSE,
	  .run = check_last_bytes },
	{ .name = "no-delay",
	  .sentence = "a reply does not wait for a delayed acknowledgement",
	  .why = "Two small writes make the second one wait until the first one is "
		 "acknowledged (Nagle), which the peer delays by 40 ms.",
	  .bug = "A reply is written in two parts, without TCP_NODELAY.",
	  .pages = "tcp(7), writev(2)",
	  .never = FIRST | SILENT | ROOM | CLOSES,
	  .run = check_no_delay },
	{ .name = "reset-before-reply",
	  .sentence = "a reset before the reply does not affect others",
	  .why = "A client may crash or be killed at any time.",
	  .bug = "SIGPIPE ends the server, or an error of one client ends its loop.",
	  .pages = "signal(7), send(2), write(2)",
	  .needs = CHECK_RESETS,
	  .run = check_reset_before_reply },
	{ .name = "reset-after-reply",
	  .sentence = "a reset after the reply does not affect others",
	  .why = "Many clients end a connection with a reset.",
	  .bug = "The error of read(2), ECONNRESET, ends the server.",
	  .pages = "read(2), recv(2)",
	  .needs = CHECK_RESETS,
	  .run = check_reset_after_reply },
	{ .name = "aborted-client",
	  .sentence = "a reset before accept(2) does not affect others",
	  .why = "Between the connection and accept(2) a client may have ended.",
	  .bug = "An error of accept(2), getpeername(2) or the first read(2) ends the "
		 "server.",
	  .pages = "accept(2), getpeername(2)",
	  .needs = CHECK_RESETS,
	  .run = check_aborted_client },
	{ .name = "slow-reader",
	  .sentence = "a client that never reads does not delay others",
	  .why = "When the buffers are full, a write to this client takes for ever.",
	  .bug = "An event loop writes to a blocking socket; or a lock is held during "
		 "write(2).",
	  .pages = "send(2), poll(2), fcntl(2)",
	  .never = FIRST | SILENT | CLOSES,
	  .run = check_slow_reader },
	{ .name = "slow-writer",
	  .sentence = "a client that sends slowly does not delay others",
	  .why = "A slow network, or an attack (slowloris).",
	  .bug = "The server reads until the request is complete, and serves no other "
		 "client meanwhile.",
	  .pages = "read(2), poll(2)",
	  .never = FIRST,
	  .run = check_slow_writer },
	{ .name = "many-clients",
	  .sentence = "1100 clients at once harm nothing",
	  .why = "Their descriptors pass FD_SETSIZE, 1024, and the limits of small "
		 "arrays.",
	  .bug = "FD_SET of a descriptor above FD_SETSIZE writes beyond the end of the "
		 "set; or an array for clients has no check of its bounds.",
	  .pages = "select(2), poll(2), epoll(7)",
	  .never = ROOM,
	  .run = check_many_clients },
	{ .name = "no-descriptors",
	  .sentence = "without a free descriptor it waits, and serves on",
	  .why = "The limit of descriptors is reached sooner or later.",
	  .bug = "EMFILE of accept(2) ends the server, or its loop calls accept(2) again "
		 "at once and uses a whole processor.",
	  .pages = "accept(2), getrlimit(2)",
	  .needs = CHECK_STARTS,
	  .descriptors = FEW,
	  .never = ROOM,
	  .run = check_no_descriptors },
	{ .name = "idle-cpu",
	  .sentence = "with silent clients it uses no processor",
	  .why = "A server that looks all the time wastes a processor.",
	  .bug = "poll(2) asks for POLLOUT without output, a non-blocking read is "
		 "repeated at once, or the end of a client is not noticed.",
	  .pages = "poll(2), epoll(7)",
	  .needs = CHECK_STARTS,
	  .run = check_idle_cpu },
	{ .name = "zombies",
	  .sentence = "after many clients no child is a zombie",
	  .why = "A zombie keeps its place in the table of processes.",
	  .bug = "waitpid(2) is never called; or it is called once for each SIGCHLD, "
		 "though several children may have ended.",
	  .pages = "waitpid(2), signal(7)",
	  .needs = CHECK_STARTS | CHECK_SHARES,
	  .run = check_zombies },
	{ .name = "descriptor-leak",
	  .sentence = "after many clients no descriptor is left",
	  .why = "At the limit of descriptors the server accepts no client.",
	  .bug = "A path of the code, often that of an error, does not close; or the "
		 "parent keeps the client's socket after fork(2).",
	  .pages = "close(2), fork(2)",
	  .needs = CHECK_STARTS | CHECK_SHARES,
	  .run = check_descriptor_leak },
	{ .name = "thread-leak",
	  .sentence = "after many clients no thread or process is left",
	  .why = "Each takes memory, and their number is limited.",
	  .bug = "A thread or process does not notice the end of its client; or threads "
		 "are neither joined nor detached.",
	  .pages = "pthread_detach(3), pthread_join(3), read(2)",
	  .needs = CHECK_STARTS | CHECK_SHARES,
	  .run = check_thread_leak },
	{ .name = "killed-child",
	  .sentence = "the end of one client's process harms no other client",
	  .why = "The process of a client may crash.",
	  .bug = "The parent ends with its child, waits for it wrongly, or does not "
		 "replace it.",
	  .pages = "waitpid(2), fork(2)",
	  .needs = CHECK_STARTS,
	  .never = ROOM | CLOSES | SILENT,
	  .run = check_killed_child },
	{ .name = "lost-updates",
	  .sentence = "no update of the shared number is lost",
	  .why = "Reading, adding and writing are three steps.",
	  .bug = "The number is changed without a lock, or each process has its own "
		 "copy.",
	  .pages = "pthread_mutex_lock(3), mmap(2)",
	  .only = PROTOCOL_COUNTS,
	  .run = check_lost_updates },
	{ .name = "workers",
	  .sentence = "exactly as many clients as workers are served at once",
	  .why = "The number of workers is the promise of a pool.",
	  .bug = "The main thread works, too; or a thread is made for each client.",
	  .pages = "pthread_create(3), pthread_cond_wait(3)",
	  .needs = CHECK_WORKERS,
	  .never = ROOM | FIRST | SILENT,
	  .run = check_workers },
	{ .name = "workers-last",
	  .sentence = "after many clients there are still as many workers",
	  .why = "A pool works for ever, not only for its first clients.",
	  .bug = "A worker ends after its client, or when its client resets.",
	  .pages = "pthread_create(3), read(2)",
	  .needs = CHECK_WORKERS,
	  .never = ROOM | FIRST | SILENT,
	  .run = check_workers_last },
	{ .name = "sigterm",
	  .sentence = "SIGTERM ends it, and frees its port",
	  .why = "Service managers, shells and shutdown(8) end programs with SIGTERM.",
	  .bug = "A handler sets a flag that a blocked accept(2) does not see; workers "
		 "live on; or a child keeps the listening socket.",
	  .pages = "signal(7), sigaction(2), accept(2)",
	  .needs = CHECK_STARTS,
	  .run = check_sigterm },
	{ .name = "rebind",
	  .sentence = "it can be started again at once on the same port",
	  .why = "Connections in TIME_WAIT keep the port for a minute. The file of a "
		 "UNIX-domain socket stays until it is removed.",
	  .bug = "SO_REUSEADDR is not set before bind(2); or unlink(2) is not called.",
	  .pages = "socket(7), ip(7), unix(7), bind(2), unlink(2)",
	  .needs = CHECK_STARTS | CHECK_PORT,
	  .run = check_rebind },
	{ .name = "udp-answers",
	  .sentence = "a datagram gets the right reply",
	  .why = "All other checks build on it.",
	  .bug = "The server does not listen where it should.",
	  .pages = "udp(7), recvfrom(2), sendto(2)",
	  .needs = CHECK_DATAGRAMS,
	  .run = check_udp_answers },
	{ .name = "udp-own-peer",
	  .sentence = "each reply goes to the sender of its request",
	  .why = "One socket serves all clients.",
	  .bug = "The address of the last sender is kept for all replies, or the socket "
		 "is connected to the first client.",
	  .pages = "recvfrom(2), sendto(2)",
	  .needs = CHECK_DATAGRAMS,
	  .run = check_udp_own_peer },
	{ .name = "udp-empty",
	  .sentence = "an empty datagram is a datagram",
	  .why = "It is legal, and UDP has no end of the stream.",
	  .bug = "0 from recvfrom(2) is taken for the end.",
	  .pages = "recvfrom(2), udp(7)",
	  .needs = CHECK_DATAGRAMS,
	  .run = check_udp_empty },
	{ .name = "udp-largest",
	  .sentence = "the largest datagram is not cut",
	  .why = "A datagram may have 65507 bytes (IPv4).",
	  .bug = "The buffer is too small: recvfrom(2) drops the rest without an error.",
	  .pages = "recvfrom(2), udp(7)",
	  .needs = CHECK_DATAGRAMS,
	  .run = check_udp_largest },
};

const size_t checks_count = sizeof checks / sizeof *checks;

const struct check_kind *checks_find(const char *name, size_t length)
{
	for (size_t i = 0; i < checks_count; i++)
		if (strlen(checks[i].name) == length &&
		    memcmp(checks[i].name, name, length) == 0)
			return &checks[i];
	return NULL;
}

bool checks_applies(const struct check_kind *kind, const struct check_settings *settings)
{
	const struct protocol *protocol = &settings->protocol;

	if (settings->datagrams != ((kind->needs & CHECK_DATAGRAMS) != 0))
		return false;
	if (kind->needs & CHECK_RESETS && settings->local)
		return false;
	return !protocol_has(protocol, kind->never) &&
	       (kind->only == 0 || protocol_has(protocol, kind->only));
}

const char *checks_lacks(const struct check_kind *kind,
			 const struct check_settings *settings)
{
	if (kind->needs & CHECK_STARTS && !settings->starts)
		return "needs -- COMMAND";
	if (kind->needs & CHECK_WORKERS && settings->workers == 0)
		return "needs -w N, the number of workers";
	if (kind->needs & CHECK_PORT && !settings->command.opens_port)
		return settings->local ? "needs {path} in the command: the server must "
					 "open its socket"
				       : "needs {port} in the command: the server must "
					 "open its port";
	return NULL;
}
