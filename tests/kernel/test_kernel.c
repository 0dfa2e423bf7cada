/*
 * What the servers and clients rely on, asked of the kernel by direct system calls. A test that
 * fails here names a behaviour that has changed: the code that relies on it is named in the comment.
 * sockways-surprises(7) explains each; the behaviours that a suite of our own functions shows
 * already (self-connection, SO_REUSEPORT after bind(2)) are in tests/common/test_sock.c.
 */
#include "tests/kernel/try.h"

#include "tests/fixture/can_run.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum { SHORT_MS = 100 };

static long receive(int fd)
{
	char bytes[64];
	long n = recv(fd, bytes, sizeof bytes, 0);

	return n < 0 ? -errno : n;
}

static pid_t start_child(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child > 0)
		harness_own_child(child);
	return child;
}

static void kill_child(pid_t child)
{
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* ---- options ---------------------------------------------------------------------------- */

/* common/sock.c sets them once, on the listener, and accepted sockets are made non-blocking. */
START_TEST(an_accepted_socket_inherits_the_options_of_its_listener_but_not_o_nonblock)
{
	int listener = tcp_listen(1), client, server;

	set(listener, IPPROTO_TCP, TCP_NODELAY, 1);
	set(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(listener, SOL_SOCKET, SO_OOBINLINE, 1);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	client = tcp_connect(listener);
	server = accept(listener, NULL, NULL);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(get(server, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(get(server, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(get(server, SOL_SOCKET, SO_OOBINLINE), 1);
	ck_assert_int_eq(fcntl(server, F_GETFL) & O_NONBLOCK, 0);
	close(client);
}
END_TEST

/* server/core/server.c therefore sets them again on clients that came before the server. */
START_TEST(an_option_that_is_set_after_the_handshake_is_not_inherited)
{
	int listener = tcp_listen(1), client = tcp_connect(listener), server;

	set(listener, IPPROTO_TCP, TCP_NODELAY, 1);
	server = accept(listener, NULL, NULL);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(get(server, IPPROTO_TCP, TCP_NODELAY), 0);
	close(client);
}
END_TEST

/* Urgent data of clients of a local socket: each accepted socket gets the option. */
START_TEST(an_accepted_local_socket_inherits_no_option)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t size = sizeof name;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), server;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	set(listener, SOL_SOCKET, SO_OOBINLINE, 1);
	must(bind(listener, (struct sockaddr *)&name,
		  sizeof name.sun_family)); /* any name */
	must(listen(listener, 1));
	must(getsockname(listener, (struct sockaddr *)&name, &size));
	must(connect(client, (struct sockaddr *)&name, size));
	server = accept(listener, NULL, NULL);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(get(server, SOL_SOCKET, SO_OOBINLINE), 0);
}
END_TEST

/* ---- signals ---------------------------------------------------------------------------- */

static long wait_by_pselect(int fd, const sigset_t *mask)
{
	fd_set readable;

	FD_ZERO(&readable);
	FD_SET(fd, &readable);
	return pselect(fd + 1, &readable, NULL, NULL, NULL, mask);
}

static long wait_by_ppoll(int fd, const sigset_t *mask)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return ppoll(&one, 1, NULL, mask);
}

static long wait_by_epoll_pwait(int fd, const sigset_t *mask)
{
	struct epoll_event event;
	int epoll = epoll_with(fd, EPOLLIN);
	long ready = epoll_pwait(epoll, &event, 1, -1, mask);

	close(epoll);
	return ready;
}

/* server/core/server.c and loops.c: a busy loop lets signals in on purpose. */
START_TEST(a_wait_that_has_a_ready_descriptor_does_not_let_a_pending_signal_in)
{
	static long (*const waits[])(int, const sigset_t *) = { wait_by_pselect,
								wait_by_ppoll,
								wait_by_epoll_pwait };
	sigset_t blocked, let_in;
	int ends[2];

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &let_in);
	handle(SIGUSR1, 0);
	must(pipe(ends));
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	raise(SIGUSR1);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(waits[_i](ends[0], &let_in), 1);
	ck_assert_int_eq(signals_handled, 0);
}
END_TEST

/* Sends a signal when this process has begun to wait. */
static pid_t signal_me_when_asleep(int number)
{
	pid_t self = getpid(), child = start_child();

	if (child == 0) {
		wait_until_asleep(self);
		kill(self, number);
		sleep_ms(SHORT_MS);
		_exit(0);
	}
	return child;
}

/* server/core/blocking_wait.c: a signal ends a recv(2) with a timeout, so it begins again with
   what is left of the time. */
START_TEST(a_receive_with_a_timeout_ends_with_eintr_in_spite_of_sa_restart)
{
	struct timeval limit = { .tv_sec = 60 };
	int ends[2];
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	must(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
	handle(SIGUSR1, SA_RESTART);
	child = signal_me_when_asleep(SIGUSR1);
	ck_assert_int_eq(receive(ends[0]), -EINTR);
	ck_assert_int_eq(signals_handled, 1);
	kill_child(child);
}
END_TEST

START_TEST(without_a_timeout_sa_restart_restarts_the_receive)
{
	int ends[2];
	pid_t self = getpid(), child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	handle(SIGUSR1, SA_RESTART);
	child = start_child();
	if (child == 0) {
		wait_until_asleep(self);
		kill(self, SIGUSR1);
		wait_until_asleep(self);
		_exit(write(ends[1], "late", 4) != 4);
	}
	ck_assert_int_eq(receive(ends[0]), 4);
	ck_assert_int_eq(signals_handled, 1);
	kill_child(child);
}
END_TEST

/* common/process.c: a worker that gives up its rights asks for the signal after that. */
START_TEST(setuid_clears_the_signal_at_the_parents_death)
{
	pid_t child;
	int status, number = 0;

	if (geteuid() != 0) {
		skipped("needs root");
		return;
	}
	child = start_child();
	if (child == 0) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		must(setuid(65534));
		prctl(PR_GET_PDEATHSIG, &number);
		if (number != 0)
			_exit(1);
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		prctl(PR_GET_PDEATHSIG, &number);
		_exit(number == SIGKILL ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- sharing clients -------------------------------------------------------------------- */

enum { SHARED_CLIENTS = 40 };

/* server/model/prefork.c, --accept shared: the workers take turns. */
START_TEST(processes_blocked_in_accept_share_quiet_clients_evenly)
{
	int shares[TRY_WORKERS];

	share_clients(BLOCKED_IN_ACCEPT, SHARED_CLIENTS, shares);
	for (int i = 0; i < TRY_WORKERS; i++)
		ck_assert_int_ge(shares[i], SHARED_CLIENTS / TRY_WORKERS / 2);
}
END_TEST

/* server/model/epoll.c, --accept exclusive: a loop that has accepted goes to the end of the queue,
   as the kernel would wake the same one again. */
START_TEST(epollexclusive_alone_wakes_the_same_process_for_nearly_all_quiet_clients)
{
	int shares[TRY_WORKERS];

	share_clients(EXCLUSIVE_EPOLL, SHARED_CLIENTS, shares);
	ck_assert_int_ge(shares[0], SHARED_CLIENTS / 2);
}
END_TEST

/* server/model/epoll.c, --accept reuseport: the kernel distributes the clients over all listeners. */
START_TEST(listeners_with_so_reuseport_all_get_some_clients)
{
	int listeners[TRY_WORKERS], port = 0, all = 0;

	for (int i = 0; i < TRY_WORKERS; i++) {
		listeners[i] = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		set(listeners[i], SOL_SOCKET, SO_REUSEPORT, 1);
		must(bind_to(listeners[i], port));
		must(listen(listeners[i], 128));
		port = port_of(listeners[i]);
	}
	for (int i = 0; i < 100; i++)
		tcp_connect(listeners[0]);
	for (int i = 0; i < TRY_WORKERS; i++) {
		int share = 0;

		while (accept(listeners[i], NULL, NULL) >= 0)
			share++;
		ck_assert_int_gt(share, 0);
		all += share;
	}
	ck_assert_int_eq(all, 100);
}
END_TEST

/* server/core/accept_lock.c, --accept lock: a worker that is killed does not keep the lock. */
START_TEST(a_robust_mutex_passes_on_when_its_owner_is_killed)
{
	pthread_mutex_t *mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	int ready[2];
	char byte;
	pid_t owner;

	if (!kernel_has("a robust mutex"))
		return;
	ck_assert(mutex != MAP_FAILED);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	ck_assert_int_eq(pthread_mutex_init(mutex, &attributes), 0);
	must(pipe(ready));
	owner = start_child();
	if (owner == 0) {
		pthread_mutex_lock(mutex);
		must((int)write(ready[1], "", 1));
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(pthread_mutex_trylock(mutex), EBUSY);
	kill_child(owner);
	ck_assert_int_eq(pthread_mutex_lock(mutex), EOWNERDEAD);
	ck_assert_int_eq(pthread_mutex_consistent(mutex), 0);
	ck_assert_int_eq(pthread_mutex_unlock(mutex), 0);
	ck_assert_int_eq(pthread_mutex_lock(mutex), 0);
}
END_TEST

/* ---- datagrams -------------------------------------------------------------------------- */

/* common/datagram.c: the reply to a broadcast comes from ipi_spec_dst. */
START_TEST(of_a_broadcast_ipi_spec_dst_can_be_the_source_of_the_reply)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	char bytes[8];
	struct iovec piece = { bytes, sizeof bytes };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	int server = socket(AF_INET, SOCK_DGRAM, 0), client = udp_open();
	struct in_pktinfo info;

	to.sin_addr.s_addr = htonl(INADDR_ANY);
	must(bind(server, (struct sockaddr *)&to, sizeof to));
	set(server, IPPROTO_IP, IP_PKTINFO, 1);
	set(client, SOL_SOCKET, SO_BROADCAST, 1);
	to.sin_addr.s_addr = htonl(0x7fffffff); /* 127.255.255.255 */
	to.sin_port = htons((uint16_t)port_of(server));
	if (sendto(client, "x", 1, 0, (struct sockaddr *)&to, sizeof to) != 1 ||
	    poll_for(server, POLLIN, WAIT_MS) != POLLIN) {
		skipped("needs the broadcast address of the loopback interface");
		return;
	}
	message.msg_control = &control;
	message.msg_controllen = sizeof control;
	ck_assert_int_eq(recvmsg(server, &message, 0), 1);
	ck_assert_int_eq(CMSG_FIRSTHDR(&message)->cmsg_type, IP_PKTINFO);
	memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof info);
	ck_assert_uint_eq(ntohl(info.ipi_addr.s_addr), 0x7fffffff);
	ck_assert_uint_eq(ntohl(info.ipi_spec_dst.s_addr), INADDR_LOOPBACK);
}
END_TEST

/* ---- room to write ---------------------------------------------------------------------- */

static int send_until_full(int fd)
{
	int sent = 0;

	while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
		sent++;
	ck_assert_int_eq(errno, EAGAIN);
	return sent;
}

/* The hubs and the hand-over of datagrams: after EAGAIN they wait for POLLOUT, which must come
   before all is read, and the send is tried first, as POLLOUT is missing although there is room. */
START_TEST(a_seqpacket_socket_takes_messages_after_pollout_has_gone_and_until_it_is_back)
{
	int ends[2], at_pollout = 0, sent, read = 0;

	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	while (poll_for(ends[0], POLLOUT, 0) == POLLOUT) {
		ck_assert_int_eq(send(ends[0], "x", 1, MSG_DONTWAIT), 1);
		at_pollout++;
	}
	sent = at_pollout + send_until_full(ends[0]);
	ck_assert_int_gt(sent, 2 * at_pollout);
	while (poll_for(ends[0], POLLOUT, 0) != POLLOUT && read < sent) {
		ck_assert_int_eq(receive(ends[1]), 1);
		read++;
	}
	ck_assert_int_gt(read, sent / 2);
	ck_assert_int_lt(read, sent);
}
END_TEST

/* io_write_unless_stuck(): a pipe that poll(2) calls writable takes a line of PIPE_BUF bytes. */
START_TEST(a_pipe_is_writable_only_if_it_takes_pipe_buf_bytes)
{
	static char bytes[PIPE_BUF];
	int ends[2];

	must(pipe2(ends, O_NONBLOCK));
	while (poll_for(ends[1], POLLOUT, 0) == POLLOUT)
		ck_assert_int_eq(write(ends[1], bytes, sizeof bytes), PIPE_BUF);
	ck_assert_int_eq(write(ends[1], bytes, sizeof bytes), -1);
	ck_assert_int_eq(read(ends[0], bytes, 1), 1);
	ck_assert_int_eq(poll_for(ends[1], POLLOUT, 0), 0);
}
END_TEST

/* output.c announces a file by MSG_MORE; if the file cannot be read, what was announced arrives
   all the same. */
START_TEST(what_is_sent_with_msg_more_arrives_although_nothing_follows)
{
	int client, server;

	tcp_pair(&client, &server);
	ck_assert_int_eq(send(server, "head", 4, MSG_MORE), 4);
	ck_assert_int_eq(poll_for(client, POLLIN, SHORT_MS / 2), 0);
	ck_assert_int_eq(poll_for(client, POLLIN, WAIT_MS), POLLIN);
	ck_assert_int_eq(receive(client), 4);
}
END_TEST

/* ---- the end of a connection ------------------------------------------------------------ */

/* A process serves one client, writes, and is killed. */
static int client_of_a_killed_worker(bool unread)
{
	int client, server, ready[2];
	char byte;
	pid_t worker;

	tcp_pair(&client, &server);
	must(pipe(ready));
	if (unread)
		must((int)write(client, "unread", 6));
	worker = start_child();
	if (worker == 0) {
		poll_for(server, POLLIN, unread ? -1 : 0);
		must((int)write(server, "reply", 5));
		must((int)write(ready[1], "", 1));
		for (;;)
			pause();
	}
	close(server);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	kill_child(worker);
	return client;
}

/* sockways(7): a crash in fork and prefork affects one client, which sees an end. */
START_TEST(the_client_of_a_killed_worker_gets_what_was_written_and_then_the_end)
{
	int client = client_of_a_killed_worker(false);

	ck_assert_int_eq(receive(client), 5);
	ck_assert_int_eq(receive(client), 0);
}
END_TEST

START_TEST(unread_bytes_make_the_end_of_a_killed_worker_a_reset)
{
	int client = client_of_a_killed_worker(true);

	ck_assert_int_eq(receive(client), 5); /* it had arrived */
	ck_assert_int_eq(receive(client), -ECONNRESET);
}
END_TEST

/* connection.c closes in three steps for this reason: half-close, drain, close. */
START_TEST(a_close_with_unread_input_resets_and_a_drained_one_does_not)
{
	int client, server, drained = _i;

	tcp_pair(&client, &server);
	must((int)write(client, "unread", 6));
	ck_assert_int_eq(poll_for(server, POLLIN, WAIT_MS), POLLIN);
	must((int)write(server, "reply", 5));
	if (drained) {
		must(shutdown(server, SHUT_WR));
		ck_assert_int_eq(receive(server), 6);
	}
	close(server);
	ck_assert_int_eq(receive(client), 5);
	ck_assert_int_eq(receive(client), drained ? 0 : -ECONNRESET);
}
END_TEST

/* fork.c and thread.c: what shutdown(2) of a listener does to those who wait in accept(2). */
START_TEST(shutdown_of_a_listener_ends_a_blocked_accept)
{
	int listener = tcp_listen(1), status;
	pid_t child = start_child();

	if (child == 0)
		_exit(accept(listener, NULL, NULL) < 0 && errno == EINVAL ? 0 : 1);
	ck_assert(wait_until_asleep(child));
	must(shutdown(listener, SHUT_RDWR));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* sock_is_connected_to_itself(): connect(2) to a port where nobody listens can succeed. */
START_TEST(a_socket_that_connects_to_its_own_port_is_connected_to_itself)
{
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));

	must(bind_to(fd, 0));
	ck_assert_int_eq(connect_to(fd, port_of(fd)), 0);
	ck_assert_int_eq(write(fd, "echo", 4), 4);
	ck_assert_int_eq(receive(fd), 4);
}
END_TEST

/* ---- signals under load ----------------------------------------------------------------- */

enum { FLOOD = 1 << 20 };

/* Sends to a server without a pause until it is killed, and reports when the server has begun to
   read. */
static pid_t start_flood(const struct server *server)
{
	static char bytes[FLOOD];
	int begun[2];
	pid_t child;
	char byte;

	must(pipe(begun));
	child = start_child();
	if (child == 0) {
		int fd = must(socket(AF_INET, SOCK_STREAM, 0));

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		must(connect_to(fd, (int)server->port));
		for (int i = 0; write(fd, bytes, sizeof bytes) > 0; i++)
			if (i == 8) /* more than both kernels keep */
				must((int)write(begun[1], "", 1));
		_exit(1);
	}
	close(begun[1]);
	ck_assert_int_eq(read(begun[0], &byte, 1), 1);
	close(begun[0]);
	return child;
}

/* GIVEN a client that sends without a pause, so that a loop always has a ready descriptor
   WHEN SIGUSR1 comes
   THEN the statistics are printed during the flood. */
START_TEST(every_loop_lets_signals_in_under_flood)
{
	struct server server = model_start(_i, "discard", NULL);
	pid_t flood = start_flood(&server);

	server_signal(&server, SIGUSR1);
	server_wait_line(&server, "served", WAIT_MS);
	ck_assert_int_eq(kill(flood, 0), 0);
	kill_child(flood);
	server_stop(&server);
}
END_TEST

Suite *suite_kernel(void)
{
	Suite *suite = suite_create("kernel");
	TCase *options = add_case(suite, "options");
	TCase *signals = add_case(suite, "signals");
	TCase *sharing = add_case(suite, "sharing clients");
	TCase *sending = add_case(suite, "datagrams and room to write");
	TCase *ending = add_case(suite, "the end of a connection");
	TCase *flood = add_case(suite, "signals under load");

	tcase_add_test(
		options,
		an_accepted_socket_inherits_the_options_of_its_listener_but_not_o_nonblock);
	tcase_add_test(options,
		       an_option_that_is_set_after_the_handshake_is_not_inherited);
	tcase_add_test(options, an_accepted_local_socket_inherits_no_option);
	tcase_add_loop_test(
		signals,
		a_wait_that_has_a_ready_descriptor_does_not_let_a_pending_signal_in, 0,
		3);
	tcase_add_test(signals,
		       a_receive_with_a_timeout_ends_with_eintr_in_spite_of_sa_restart);
	tcase_add_test(signals, without_a_timeout_sa_restart_restarts_the_receive);
	tcase_add_test(signals, setuid_clears_the_signal_at_the_parents_death);
	tcase_add_test(sharing, processes_blocked_in_accept_share_quiet_clients_evenly);
	tcase_add_test(
		sharing,
		epollexclusive_alone_wakes_the_same_process_for_nearly_all_quiet_clients);
	tcase_add_test(sharing, listeners_with_so_reuseport_all_get_some_clients);
	tcase_add_test(sharing, a_robust_mutex_passes_on_when_its_owner_is_killed);
	tcase_add_test(sending,
		       of_a_broadcast_ipi_spec_dst_can_be_the_source_of_the_reply);
	tcase_add_test(
		sending,
		a_seqpacket_socket_takes_messages_after_pollout_has_gone_and_until_it_is_back);
	tcase_add_test(sending, a_pipe_is_writable_only_if_it_takes_pipe_buf_bytes);
	tcase_add_test(sending,
		       what_is_sent_with_msg_more_arrives_although_nothing_follows);
	tcase_add_test(
		ending,
		the_client_of_a_killed_worker_gets_what_was_written_and_then_the_end);
	tcase_add_test(ending, unread_bytes_make_the_end_of_a_killed_worker_a_reset);
	tcase_add_loop_test(ending,
			    a_close_with_unread_input_resets_and_a_drained_one_does_not,
			    0, 2);
	tcase_add_test(ending, shutdown_of_a_listener_ends_a_blocked_accept);
	tcase_add_test(ending,
		       a_socket_that_connects_to_its_own_port_is_connected_to_itself);
	add_sharing_test(flood, every_loop_lets_signals_in_under_flood);
	return suite;
}
