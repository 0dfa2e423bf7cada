/*
 * Tokens that processes share: all or none, and none is lost with a process.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tokens.h"
#include "tests/suites.h"

enum { COUNT = 100 };

START_TEST(so_many_can_be_taken_as_there_are)
{
	struct tokens *tokens = tokens_create(COUNT);

	ck_assert(tokens_take(tokens, 60));
	ck_assert(tokens_take(tokens, 40));
	ck_assert(!tokens_take(tokens, 1));
	tokens_give(tokens, 30);
	ck_assert(!tokens_take(tokens, 31)); /* takes none */
	ck_assert(tokens_take(tokens, 30));
	tokens_give(tokens, COUNT);
	ck_assert(tokens_take(tokens, COUNT));
}
END_TEST

/* Starts a process that takes n tokens and says so. */
static pid_t start_holder(struct tokens *tokens, unsigned n)
{
	int ends[2];
	pid_t pid;
	char reply;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		reply = tokens_take(tokens, n) ? 'y' : 'n';
		if (write(ends[1], &reply, 1) == 1)
			pause();
		_exit(0);
	}
	ck_assert_int_eq(read(ends[0], &reply, 1), 1);
	ck_assert_int_eq(reply, 'y');
	close(ends[0]);
	close(ends[1]);
	return pid;
}

START_TEST(those_of_a_killed_process_are_taken_back)
{
	struct tokens *tokens = tokens_create(COUNT);
	pid_t first = start_holder(tokens, 70), second = start_holder(tokens, 20);

	ck_assert(tokens_take(tokens, 10));
	ck_assert(!tokens_take(tokens, 1));
	tokens_give(tokens, COUNT); /* its own only */
	ck_assert(!tokens_take(tokens, 11));

	kill(first, SIGKILL);
	ck_assert_int_eq(waitpid(first, NULL, 0), first);
	ck_assert(!tokens_take(tokens, 81));
	ck_assert(tokens_take(tokens, 80));
	kill(second, SIGKILL);
	ck_assert_int_eq(waitpid(second, NULL, 0), second);
	ck_assert(tokens_take(tokens, 20));
	ck_assert(!tokens_take(tokens, 1));
}
END_TEST

Suite *suite_tokens(void)
{
	Suite *suite = suite_create("tokens");
	TCase *tcase = tcase_create("tokens");

	tcase_add_test(tcase, so_many_can_be_taken_as_there_are);
	tcase_add_test(tcase, those_of_a_killed_process_are_taken_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
