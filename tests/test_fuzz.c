/*
 * The fuzz targets without a fuzzer: each is given its corpus, and some thousands of inputs
 * that are made from it, the same ones each time. `make fuzz` looks further.
 */
#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { LONGEST = 4096, INPUTS_MOST = 2000, MUTATIONS = SANITIZED ? 5000 : 20000 };

#define TARGET(name) int fuzz_##name(const uint8_t *bytes, size_t n);
FUZZ_TARGETS
#undef TARGET

static const struct {
	const char *name;
	int (*run)(const uint8_t *bytes, size_t n);
} targets[] = {
#define TARGET(name) { #name, fuzz_##name },
	FUZZ_TARGETS
#undef TARGET
};

struct input {
	uint8_t bytes[LONGEST];
	size_t n;
};

static struct input *corpus;
static size_t corpus_count;

/* ---- what is being tried, for who wants to try it again ---------------------------------- */

static char trying[5 * LONGEST];

/* A target that has found something says what, and aborts. */
static void print_input(int signal_number)
{
	ssize_t ignored = write(STDERR_FILENO, trying, strlen(trying));

	(void)ignored;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* In a block of exactly its size: the sanitizer sees who reads beyond it. */
static void try(size_t target, const struct input *input)
{
	uint8_t *block = malloc(input->n > 0 ? input->n : 1);
	size_t length = text_escape(input->bytes, input->n, trying, sizeof trying - 1);

	ck_assert_ptr_nonnull(block);
	memcpy(block, input->bytes, input->n);
	memcpy(trying + length, "\n", 2);
	ck_assert_int_eq(targets[target].run(block, input->n), 0);
	free(block);
}

/* ---- the corpus ------------------------------------------------------------------------ */

static void load_file(const char *path, struct input *input)
{
	FILE *file = fopen(path, "rb");

	ck_assert_msg(file != NULL, "%s cannot be read", path);
	input->n = fread(input->bytes, 1, sizeof input->bytes, file);
	ck_assert_msg(fgetc(file) == EOF, "%s is longer than %d bytes", path, LONGEST);
	fclose(file);
}

static void load_corpus(size_t target)
{
	char pattern[1000];
	glob_t files;

	snprintf(pattern, sizeof pattern, "%s/tests/fuzz/corpus/%s/*", source_folder(),
		 targets[target].name);
	ck_assert_msg(glob(pattern, 0, NULL, &files) == 0, "%s: nothing there", pattern);
	ck_assert_uint_le(files.gl_pathc, INPUTS_MOST);
	corpus_count = files.gl_pathc;
	for (size_t i = 0; i < corpus_count; i++)
		load_file(files.gl_pathv[i], &corpus[i]);
	globfree(&files);
	signal(SIGABRT, print_input);
}

/* ---- other inputs made from it ----------------------------------------------------------- */

static uint32_t random_state;

static size_t random_below(size_t limit)
{
	random_state ^= random_state << 13; /* Marsaglia's xorshift32 */
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return (random_state >> 4) % limit;
}

static void insert(struct input *input, size_t at, const uint8_t *bytes, size_t n)
{
	if (n > LONGEST - input->n)
		n = LONGEST - input->n;
	memmove(input->bytes + at + n, input->bytes + at, input->n - at);
	memcpy(input->bytes + at, bytes, n);
	input->n += n;
}

static void cut_out(struct input *input, size_t at, size_t n)
{
	memmove(input->bytes + at, input->bytes + at + n, input->n - at - n);
	input->n -= n;
}

/* A byte becomes another, comes or goes, or a stretch does: often one that another input
 * has. */
static void mutate(struct input *input)
{
	static const char likely[] = "\0\t\n\r \"%,/0:;=?\x7f\xff";
	size_t at = random_below(input->n + 1), stretch = 1 + random_below(24);
	const struct input *other = &corpus[random_below(corpus_count)];
	uint8_t byte = random_below(4) > 0 ? (uint8_t)likely[random_below(sizeof likely)]
					   : (uint8_t)random_below(256);
	size_t from = random_below(other->n + 1);

	switch (random_below(5)) {
	case 0:
		if (at < input->n)
			input->bytes[at] = byte;
		break;
	case 1:
		insert(input, at, &byte, 1);
		break;
	case 2:
		cut_out(input, at, at < input->n);
		break;
	case 3:
		cut_out(input, at, stretch < input->n - at ? stretch : input->n - at);
		break;
	default:
		insert(input, at, other->bytes + from,
		       stretch < other->n - from ? stretch : other->n - from);
		break;
	}
}

/* ---- tests ----------------------------------------------------------------------------- */

START_TEST(the_corpus_is_read_right)
{
	load_corpus((size_t)_i);
	for (size_t i = 0; i < corpus_count; i++)
		try((size_t)_i, &corpus[i]);
}
END_TEST

START_TEST(what_is_made_from_the_corpus_is_read_right)
{
	static struct input input;

	load_corpus((size_t)_i);
	random_state = 1;
	for (size_t i = 0; i < MUTATIONS; i++) {
		input = corpus[random_below(corpus_count)];
		for (size_t times = 1 + random_below(4); times > 0; times--)
			mutate(&input);
		try((size_t)_i, &input);
	}
}
END_TEST

Suite *suite_fuzz(void)
{
	Suite *suite = suite_create("fuzz");
	TCase *tcase = add_case(suite, "fuzz");
	int count = sizeof targets / sizeof *targets;

	corpus = much_memory(INPUTS_MOST * sizeof *corpus);
	tcase_add_loop_test(tcase, the_corpus_is_read_right, 0, count);
	tcase_add_loop_test(tcase, what_is_made_from_the_corpus_is_read_right, 0, count);
	return suite;
}
