/*
 * How far it is from a model to send(2): gdb stops echod, built without optimization, in send
 * for an echoed line, and the functions on the stack are counted.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fixture/client.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

/* MOST_FRAMES: from the function that the model calls, to send(2), both counted. */
enum { MOST_FRAMES = 6, MOST_FILES = 4, LINE = 1024, STACK = 32, COMMAND = 1024 };

static const char *const models[] = { "fork", "thread", "select", "poll", "epoll" };

enum { MODELS_TRACED = sizeof models / sizeof *models };

struct stack {
	int frames;     /* above the model's own function */
	bool has_model; /* its own function was found */
	char files[STACK][64];
	int file_count;
};

static bool has_gdb(void)
{
	return system("gdb --version >/dev/null 2>&1") == 0;
}

/* Standard error of the server comes with the output of gdb. -x: the parent that forked ends by
 * itself, and the output with it. */
static FILE *start(const char *model)
{
	char command[COMMAND];
	FILE *output;

	snprintf(command, sizeof command,
		 "exec timeout 40 gdb -q -nx -batch -iex 'set debuginfod enabled off' "
		 "-ex 'set width 0' -ex 'set breakpoint pending on' "
		 "-ex 'set follow-fork-mode child' -ex 'break send' -ex run -ex bt "
		 "-ex kill --args %s/plain/bin/echod-%s -x 3 -p 0 2>&1 </dev/null",
		 TESTS_BUILD, model);
	output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	return output;
}

/* @return false if the server does not begin to listen: gdb may not trace here */
static bool wait_for_port(FILE *output, unsigned *port)
{
	char line[LINE];
	const char *found;

	while (fgets(line, sizeof line, output) != NULL) {
		found = strstr(line, "listening on 127.0.0.1");
		if (found != NULL &&
		    sscanf(found, "listening on 127.0.0.1%*[^0-9]%u", port) == 1)
			return true;
	}
	return false;
}

static void note_file(struct stack *stack, const char *name)
{
	char file[64];

	snprintf(file, sizeof file, "%.*s", (int)strcspn(name, ":\n"), name);
	for (int i = 0; i < stack->file_count; i++)
		if (strcmp(stack->files[i], file) == 0)
			return;
	if (stack->file_count < STACK)
		strcpy(stack->files[stack->file_count++], file);
}

/* "#4  0x00005555 in settle (c=0x5555) at server/core/connection.c:301" */
static void read_stack(FILE *output, struct stack *stack)
{
	char line[LINE];
	const char *where;

	while (fgets(line, sizeof line, output) != NULL) {
		if (line[0] != '#' || stack->has_model)
			continue;
		where = strstr(line, ") at ");
		if (where != NULL && strncmp(where + 5, "server/model/", 13) == 0) {
			stack->has_model = true;
			continue;
		}
		stack->frames++;
		if (where != NULL && (strncmp(where + 5, "server/", 7) == 0 ||
				      strncmp(where + 5, "common/", 7) == 0))
			note_file(stack, where + 5);
	}
}

/* GIVEN a server without optimization
   WHEN it echoes a line
   THEN few functions, in few files, are between the model and send(2). */
START_TEST(few_functions_lie_between_a_model_and_send)
{
	struct stack stack = { 0 };
	unsigned port;
	FILE *output;
	int fd;

	if (SANITIZED || !has_gdb()) {
		skipped(SANITIZED ? "needs a build without a sanitizer" : "needs gdb");
		return;
	}
	output = start(models[_i]);
	if (!wait_for_port(output, &port)) {
		pclose(output);
		skipped("needs a gdb that can trace");
		return;
	}
	fd = client_connect_to("127.0.0.1", port);
	client_send(fd, "hello\n", 6);
	read_stack(output, &stack);
	pclose(output);
	client_close(fd);
	ck_assert_msg(stack.has_model, "%s: send was not called by the model",
		      models[_i]);
	ck_assert_int_gt(stack.frames, 1);
	ck_assert_int_le(stack.frames, MOST_FRAMES);
	ck_assert_int_le(stack.file_count, MOST_FILES);
}
END_TEST

Suite *suite_frames(void)
{
	Suite *suite = suite_create("frames");
	TCase *tcase = tcase_create("send");

	tcase_add_loop_test(tcase, few_functions_lie_between_a_model_and_send, 0,
			    MODELS_TRACED);
	suite_add_tcase(suite, tcase);
	return suite;
}
