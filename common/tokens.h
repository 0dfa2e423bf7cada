/*
 * tokens - a number of things that several processes share, of which no killed process keeps
 * any.
 *
 * Each token is a place in shared memory with the pid of the process that has it. A process
 * that was killed returns nothing; so when no token is free, those of processes that are not
 * there any more are taken back. (A new process that by chance has the pid of a killed one
 * keeps its tokens from the others until it ends.) Within a process all threads share them.
 */
#ifndef COMMON_TOKENS_H
#define COMMON_TOKENS_H

#include <stdbool.h>

struct tokens;

/** Makes @p count of them, for this process and its children of fork(2).
 *  @return them, never freed, or NULL with errno (ENOMEM) */
struct tokens *tokens_create(unsigned count);

/** Takes @p n of them for this process. @return false, and none is taken, if not so many are
 *  left */
bool tokens_take(struct tokens *tokens, unsigned n);

/** Gives back @p n of those that this process has. */
void tokens_give(struct tokens *tokens, unsigned n);

#endif
