/*
 * server_output - reads what a server prints.
 *
 * A thread reads it, from the start of the server to its end. Otherwise a server that
 * logs each client would fill the pipe and wait for the client that started it.
 */
#ifndef CLIENT_LIB_SERVER_OUTPUT_H
#define CLIENT_LIB_SERVER_OUTPUT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SERVER_OUTPUT_KEPT = 4096, /* bytes of the end of the output that are kept */
	SERVER_OUTPUT_LINE = 256,  /* size of an escaped line */
};

struct server_output {
	int fd; /* read end of the pipe */
	pthread_t thread;
	atomic_bool over;       /* the thread must end */
	pthread_mutex_t lock;   /* protects: */
	pthread_cond_t changed; /*   more was read */
	char kept[SERVER_OUTPUT_KEPT];
	size_t used;
	bool ended; /*   end of file: no process has the write end any longer */
};

/** Starts the thread. @p fd is the read end of a pipe; server_output_stop() closes it.
 *  @return 0; or -1 with errno, and @p fd is still open */
int server_output_start(struct server_output *output, int fd);

/** Waits until a complete line among the kept bytes contains @p text; NULL: until the
 *  end of file.
 *  @param time   milliseconds, at most
 *  @param leave  asked a few times per second; true ends the wait
 *  @return whether it does */
bool server_output_await(struct server_output *output, const char *text, int64_t time,
			 bool (*leave)(void *context), void *context);

/** The last line that is not empty, escaped; "" if there is none. @return @p out */
const char *server_output_last_line(struct server_output *output,
				    char out[SERVER_OUTPUT_LINE]);

/** The number before these words in the kept bytes; -1 if there is none. */
int64_t server_output_number_before(struct server_output *output, const char *words);

/** The numbers after these words in the kept bytes, separated by single spaces.
 *  @param most  how many fit into @p numbers
 *  @return how many there are; 0 if the words are missing */
unsigned server_output_numbers_after(struct server_output *output, const char *words,
				     uint64_t numbers[], unsigned most);

/** Ends the thread and closes the pipe. The kept bytes stay. */
void server_output_stop(struct server_output *output);

#endif
