/*
 * crowd - clients that meet: many who talk and listen at once, what each has heard, and the
 * ways in which they go. For tests of the hub, and of the service that lives in it.
 *
 *	for (int i = 0; i < count; i++) {
 *		talkers[i] = (struct talker){ .fd = ... };
 *		talkers[i].says = crowd_speech(i, lines);
 *		talkers[i].says_length = (size_t)lines * CROWD_LINE;
 *		talkers[i].expected = ...;
 *	}
 *	crowd_converse(talkers, count);
 *	crowd_expect_same(talkers, count, lines, CROWD_LINE);
 *	crowd_part(talkers, count);
 *
 * Whatever goes wrong in here fails the test, with a message that says what.
 */
#ifndef TESTS_CROWD_H
#define TESTS_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	CROWD_MOST = 60, /* talkers */
	CROWD_LINE = 20, /* bytes of a line of theirs, with its newline */
	CROWD_FEW = 24,  /* descriptors, see crowd_limit_descriptors() */
};

struct talker {
	int fd;
	char *says; /* allocated, as is what is heard */
	size_t says_length, said;
	char *heard;
	size_t expected, heard_length; /* all of heard is filled with as much */
};

/** Lines of CROWD_LINE bytes that say who speaks, in the first two digits, and for which
 *  time. @return them, allocated */
char *crowd_speech(int who, int lines);

/** All talk and listen at once, until each has heard as many bytes as it expects. */
void crowd_converse(struct talker talkers[], int count);

/** Talkers that each have said @p lines, and heard those of the others as lines of
 *  @p length bytes that begin with the speaker's two digits: all must have heard the same
 *  sequence but for their own, and each speaker's lines in their order. */
void crowd_expect_same(const struct talker talkers[], int count, int lines,
		       size_t length);

/** Closes what they have open and frees what they have. */
void crowd_part(struct talker talkers[], int count);

/** Reads until the end, of whatever kind. @return false if it does not come */
bool crowd_has_ended(int fd);

/** One goes: by closing, a reset, "/quit" or a half-close, as @p how is counted up. */
void crowd_go(int fd, int how);

/** @return the child of the server that serves the last one who came; or 0, having said that
 *          the test is skipped, where that cannot be told */
pid_t crowd_last_child(pid_t server);

/** For server_setup.prepare: CROWD_FEW descriptors and no more. */
void crowd_limit_descriptors(void *context);

#endif
