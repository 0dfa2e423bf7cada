/*
 * What sockcheck says of good servers: of the suite in its models, and of others.
 *
 * With TEST_LAB=all (make check-lab) all services run in all models, and all checks are made.
 * Otherwise echo runs in all models and the others in two, without the checks that take much work.
 */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { TEXT = 4096, ARGUMENTS_MOST = 24, AT_ONCE = 4, RUNS_MOST = 512 };

/* The checks that take most of the processor time. */
#define HEAVY                                                                            \
	"zombies,descriptor-leak,thread-leak,many-clients,own-answers,partial-writes"

/* ---- the suite's own -------------------------------------------------------------------- */

static const struct service {
	const char *name;
	const char *options[4]; /* DIR is a folder */
	bool datagrams;         /* also on UDP */
	const char *iterative;  /* what must fail if clients are served one by one */
} services[] = {
	{ "echo",
	  { 0 },
	  true,
	  "two-at-once silent-client slow-reader slow-writer many-clients" },
	{ "reply",
	  { 0 },
	  true,
	  "two-at-once silent-client slow-reader slow-writer many-clients" },
	/* each client is served at once, and its connection ends soon */
	{ "greet", { 0 }, true, "" },
	{ "daytime", { 0 }, true, "" },
	/* there is no reply, so a client that waits for one does not delay others */
	{ "discard", { 0 }, false, "silent-client slow-writer" },
	{ "http",
	  { 0 },
	  false,
	  "two-at-once silent-client slow-reader slow-writer many-clients" },
	/* in iterative a client is always alone: there is no chat */
	{ "chat", { "-R", "0" }, false, NULL },
	{ "file",
	  { "-r", "DIR", "--replace", "--no-sync" },
	  false,
	  "two-at-once silent-client slow-reader slow-writer many-clients" },
};

enum transport { TCP, UDP, LOCAL, LOCAL_DATAGRAMS };

static const char *const transports[] = { "", " on UDP", " on a UNIX-domain socket",
					  " with datagrams on a UNIX-domain socket" };

static bool is_for_datagrams(enum transport transport)
{
	return transport == UDP || transport == LOCAL_DATAGRAMS;
}

static bool is_local(enum transport transport)
{
	return transport == LOCAL || transport == LOCAL_DATAGRAMS;
}

struct judged {
	const struct service *service;
	char model[32];
	enum transport transport;
};

static struct judged runs[RUNS_MOST];
static int runs_count;

/* In make check: the models that serve in ways of their own (select and poll are as epoll), and
 * the other services in one. */
static bool is_sample(const struct service *service, const char *model)
{
	if (lab_is_wanted())
		return true;
	if (service != &services[0])
		return strcmp(model, "fork") == 0;
	return strcmp(model, "select") != 0 && strcmp(model, "poll") != 0;
}

/* On a UNIX-domain socket only connecting differs. */
static bool is_sample_of(enum transport transport, const struct service *service,
			 const char *model)
{
	return transport == TCP || lab_is_wanted() ||
	       (service == &services[0] &&
		(transport == UDP || names_include("iterative fork epoll", model)));
}

static void note_run(const struct service *service, const char *model,
		     enum transport transport)
{
	struct judged *run = &runs[runs_count];

	if (!is_sample_of(transport, service, model))
		return;
	if (runs_count == RUNS_MOST)
		abort(); /* RUNS_MOST is too small */
	run->service = service;
	snprintf(run->model, sizeof run->model, "%s", model);
	run->transport = transport;
	runs_count++;
}

static void note_runs(void)
{
	char model[32];

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		const char *list = SOCKWAYS_LISTENING_MODELS;

		for (int n; sscanf(list, " %31s%n", model, &n) == 1; list += n) {
			if (!is_sample(&services[i], model) ||
			    (services[i].iterative == NULL &&
			     strcmp(model, "iterative") == 0))
				continue;
			if (can_run(model)) {
				note_run(&services[i], model, TCP);
				note_run(&services[i], model, LOCAL);
			}
			if (services[i].datagrams) {
				note_run(&services[i], model, UDP);
				note_run(&services[i], model, LOCAL_DATAGRAMS);
			}
		}
	}
}

static struct program start(const struct judged *judged, const struct folder *folder)
{
	const char *argv[ARGUMENTS_MOST] = { "sockcheck", "--tap" };
	static char path[TEXT];
	int count = 2;

	snprintf(path, sizeof path, "%s/%sd-%s", getenv("SOCKWAYS_BIN"),
		 judged->service->name, judged->model);
	if (is_local(judged->transport))
		argv[count++] = "--unix";
	if (is_for_datagrams(judged->transport)) {
		argv[count++] = "-u";
	} else if (!lab_is_wanted()) {
		argv[count++] = "--skip";
		argv[count++] = HEAVY;
	}
	argv[count++] = judged->service->name;
	argv[count++] = "--";
	argv[count++] = path;
	argv[count++] = "-q";
	if (is_for_datagrams(judged->transport))
		argv[count++] = "-u";
	if (is_local(judged->transport)) {
		argv[count++] = "-a";
		argv[count++] = "{path}";
	}
	for (int i = 0; i < 4 && judged->service->options[i] != NULL; i++)
		argv[count++] = strcmp(judged->service->options[i], "DIR") == 0
					? folder->path
					: judged->service->options[i];
	return program_start(&(struct run_setup){ .argv = argv });
}

/* The checks in names, and no others, have a line "not ok"; NAME? may have either line. */
static void expect_failures(const char *what, const char *output, const char *names)
{
	const char *line = output, *end, *skip;
	char name[64], either[sizeof name + 1];
	bool failed;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		failed = sscanf(line, "not ok %*d - %63s", name) == 1;
		if (!failed && sscanf(line, "ok %*d - %63s", name) != 1)
			continue;
		snprintf(either, sizeof either, "%s?", name);
		skip = strstr(line, "# SKIP");
		if ((skip != NULL && skip < end) || names_include(names, either))
			continue;
		ck_assert_msg(names_include(names, name) == failed, "%s: %s %s:\n%s",
			      what, name, failed ? "must not fail" : "must fail", output);
	}
}

START_TEST(a_server_of_the_suite_passes)
{
	int from = _i * AT_ONCE,
	    to = from + AT_ONCE < runs_count ? from + AT_ONCE : runs_count;
	struct program programs[AT_ONCE];
	struct folder folder;
	char what[128];

	folder_create(&folder);
	for (int i = from; i < to; i++)
		programs[i - from] = start(&runs[i], &folder);
	for (int i = from; i < to; i++) {
		struct run run = program_wait(&programs[i - from], LONG_WAIT_MS);
		bool one = strcmp(runs[i].model, "iterative") == 0 &&
			   !is_for_datagrams(runs[i].transport);
		const char *names = one ? runs[i].service->iterative : "";

		snprintf(what, sizeof what, "%s in %s%s", runs[i].service->name,
			 runs[i].model, transports[runs[i].transport]);
		ck_assert_msg(strncmp(run.out, "TAP version 13\n1..", 18) == 0,
			      "%s: %s%s", what, run.out, run.err);
		expect_failures(what, run.out, names);
		ck_assert_msg(run_exit_status(&run) == (*names != '\0'),
			      "%s: exit status %d", what, run_exit_status(&run));
	}
	folder_remove(&folder);
}
END_TEST

/* ---- on a UNIX-domain socket ------------------------------------------------------------ */

/* given: a server of one client at a time, and the file of its socket; when: it is checked with two
 * clients; then: the check waits no longer than over TCP */
START_TEST(a_running_server_on_a_socket_is_judged_in_time)
{
	struct folder folder;
	struct server server;
	struct run run;

	folder_create(&folder);
	server = server_start_with(&(struct server_setup){
		.program = "echod-iterative",
		.host = folder_path(&folder, "socket"),
		.opens_itself = true,
	});
	run = run_program(ARGUMENTS("sockcheck", "--only", "two-at-once", "--timeout",
				    "60", "echo", folder_path(&folder, "socket")),
			  "", 0, WAIT_MS);
	run_expect_status(&run, 1);
	ck_assert_msg(strstr(run.out, "nothing arrived for 3 seconds") != NULL, "%s",
		      run.out);
	server_stop(&server);
	folder_remove(&folder);
}
END_TEST

/* given: a socket whose backlog is full again and again; when: a crowd connects; then: its clients
 * wait for room, and are served; no file is left */
START_TEST(a_full_backlog_of_a_socket_is_no_failure)
{
	char program[TEXT], directory[FOLDER_TEXT];
	struct run run;

	folder_create_path(directory, "sockcheck");
	ck_assert_int_eq(setenv("TMPDIR", directory, 1), 0);
	snprintf(program, sizeof program, "%s/echod-thread", getenv("SOCKWAYS_BIN"));
	run = run_program(ARGUMENTS("sockcheck", "--unix", "--only",
				    "answers,own-answers,silent-client", "echo", "--",
				    program, "-q", "-b", "1", "-a", "{path}"),
			  "", 0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.out, run.err);
	ck_assert_msg(rmdir(directory) == 0, "%s: %s", directory, strerror(errno));
}
END_TEST

/* ---- others ----------------------------------------------------------------------------- */

/* An echo server with a thread for each client. */
#define PYTHON(kind)                                                                     \
	"import socketserver, sys\n"                                                     \
	"class Echo(socketserver.BaseRequestHandler):\n"                                 \
	"    def handle(self):\n"                                                        \
	"        while (b := self.request.recv(65536)):\n"                               \
	"            self.request.sendall(b)\n"                                          \
	"class Server(socketserver." kind "TCPServer):\n"                                \
	"    allow_reuse_address = True\n"                                               \
	"    daemon_threads = True\n"                                                    \
	"Server(('127.0.0.1', int(sys.argv[1])), Echo).serve_forever()\n"

/* An HTTP server. Each response has two chunks, one with a chunk extension, and a trailer field. */
#define CHUNKS                                                                           \
	"import http.server, sys\n"                                                      \
	"class Chunks(http.server.BaseHTTPRequestHandler):\n"                            \
	"    protocol_version = 'HTTP/1.1'\n"                                            \
	"    def do_GET(self):\n"                                                        \
	"        self.send_response(200)\n"                                              \
	"        self.send_header('Transfer-Encoding', 'chunked')\n"                     \
	"        self.end_headers()\n"                                                   \
	"        "                                                                       \
	"self.wfile.write(b'6\\r\\nhello\\n\\r\\nA;x=y\\r\\n0123456\\n\\n\\n\\r\\n')\n"  \
	"        self.wfile.write(b'0\\r\\nField: value\\r\\n\\r\\n')\n"                 \
	"    def log_message(self, *_):\n"                                               \
	"        pass\n"                                                                 \
	"class Server(http.server.ThreadingHTTPServer):\n"                               \
	"    daemon_threads = True\n"                                                    \
	"Server(('127.0.0.1', int(sys.argv[1])), Chunks).serve_forever()\n"

#define NODE                                                                             \
	"require('net').createServer({ allowHalfOpen: true }, s => {"                    \
	" s.on('error', () => {}); s.pipe(s); }).listen(+process.argv[1], '127.0.0.1')"

/* Servers that read a file: of a folder and a port, which are $1 and $2. sockcheck runs several at a
 * time. */
#define NGINX                                                                            \
	"mkdir $1/$2; cd $1/$2; echo hello >index.html; cat >conf <<END\n"               \
	"daemon off; worker_processes 2; error_log stderr error; pid pid;\n"             \
	"events { worker_connections 2048; }\n"                                          \
	"http { access_log off; client_body_temp_path x; proxy_temp_path x;\n"           \
	"fastcgi_temp_path x; scgi_temp_path x; uwsgi_temp_path x;\n"                    \
	"server { listen 127.0.0.1:$2; root .; } }\n"                                    \
	"END\n"                                                                          \
	"exec nginx -p . -c conf"
#define LIGHTTPD                                                                         \
	"mkdir $1/$2; cd $1/$2; echo hello >index.html; cat >conf <<END\n"               \
	"server.document-root=\"$1/$2\"\n"                                               \
	"server.bind=\"127.0.0.1\"\n"                                                    \
	"server.port=$2\n"                                                               \
	"server.max-fds=4096\n"                                                          \
	"server.errorlog=\"errors\"\n"                                                   \
	"index-file.names=(\"index.html\")\n"                                            \
	"END\n"                                                                          \
	"exec lighttpd -D -f conf"
#define INETD                                                                            \
	"cat >$1/$2 <<END\n"                                                             \
	"127.0.0.1:$2 stream tcp nowait.60000 $(id -un) /bin/cat cat\n"                  \
	"END\n"                                                                          \
	"exec inetd -i $1/$2"

/* Servers from elsewhere: what fails, and why. */
static const struct other {
	const char *needs;
	const char *argv[12]; /* from the protocol on; DIR is a folder */
	const char *script;   /* the last argument */
	const char *fails;
	const char *reason; /* for the reader */
} others[] = {
	{ "socat",
	  { "echo", "--", "socat", "TCP-LISTEN:{port},fork,reuseaddr,bind=127.0.0.1" },
	  "EXEC:cat",
	  "",
	  "" },
	{ "tcpserver",
	  { "echo", "--", "tcpserver", "-HRl0", "127.0.0.1", "{port}" },
	  "cat",
	  "",
	  "" },
	{ "python3",
	  { "echo", "--", "python3", "-c", PYTHON("Threading") },
	  "{port}",
	  "no-descriptors",
	  "When accept(2) fails for lack of a descriptor, its loop calls it again at "
	  "once." },
	{ "python3",
	  { "echo", "--", "python3", "-c", PYTHON("Forking") },
	  "{port}",
	  "sigterm",
	  "The process of a client keeps the listening socket." },
	{ "python3",
	  { "http", "--", "python3", "-c", CHUNKS },
	  "{port}",
	  "half-close? no-descriptors",
	  "As above." },
	{ "node", { "echo", "--", "node", "-e", NODE }, "{port}", "", "" },
	{ "nginx", { "http", "--", "sh", "-c", NGINX, "sh", "DIR" }, "{port}", "", "" },
	{ "lighttpd",
	  { "http", "--", "sh", "-c", LIGHTTPD, "sh", "DIR" },
	  "{port}",
	  "",
	  "" },
	{ "inetd", { "echo", "--", "sh", "-c", INETD, "sh", "DIR" }, "{port}", "", "" },
	{ "ncat",
	  { "echo", "--", "ncat", "-lk", "127.0.0.1", "{port}", "-e" },
	  "/bin/cat",
	  "half-close? partial-writes many-clients sigterm",
	  "It closes when its client has half-closed, mostly before the program has "
	  "answered. Its process for a client waits in write(2) for the program, which "
	  "waits in "
	  "write(2) for it. It serves 100 clients at a time, and resets the others. The "
	  "program's process keeps the listening socket." },
};

START_TEST(a_server_from_elsewhere_is_judged)
{
	const struct other *other = &others[_i];
	const char *argv[ARGUMENTS_MOST] = { "sockcheck", "--tap" };
	char path[TOOL_TEXT];
	struct folder folder;
	struct run run;
	int count = 2;

	if (needed_program(other->needs, path) == NULL)
		return;
	if (!lab_is_wanted()) {
		argv[count++] = "--only";
		argv[count++] = "answers,two-at-once,half-close,no-descriptors,sigterm,"
				"rebind";
	}
	folder_create(&folder);
	for (int i = 0; other->argv[i] != NULL; i++)
		argv[count++] =
			strcmp(other->argv[i], "DIR") == 0 ? folder.path : other->argv[i];
	argv[count++] = other->script;
	argv[count] = NULL;
	run = run_program(argv, "", 0, LONG_WAIT_MS);
	expect_failures(other->needs, run.out, other->fails);
	ck_assert_msg(run_exit_status(&run) == (*other->fails != '\0'), "%s: %s%s",
		      other->needs, run.out, run.err);
	folder_remove(&folder);
}
END_TEST

Suite *suite_sockcheck_servers(void)
{
	Suite *suite = suite_create("sockcheck_servers");
	TCase *tcase = add_case(suite, "suite");

	note_runs();
	tcase_add_loop_test(tcase, a_server_of_the_suite_passes, 0,
			    (runs_count + AT_ONCE - 1) / AT_ONCE);
	tcase = add_case(suite, "sockets");
	tcase_add_test(tcase, a_running_server_on_a_socket_is_judged_in_time);
	tcase_add_test(tcase, a_full_backlog_of_a_socket_is_no_failure);
	tcase = add_case(suite, "others");
	tcase_add_loop_test(tcase, a_server_from_elsewhere_is_judged, 0,
			    sizeof others / sizeof *others);
	return suite;
}
