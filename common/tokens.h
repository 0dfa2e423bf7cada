/*
 * tokens - a number of tokens shared by processes; a killed process keeps none.
 *
 * Each token is a place in shared memory with the pid of its owner. A killed process
 * returns nothing. So when no token is free, those of processes that no longer exist
 * are taken back. (A new process that happens to have the pid of a killed one keeps its
 * tokens until it ends.) All threads of a process share its tokens.
 */
#ifndef COMMON_TOKENS_H
#define COMMON_TOKENS_H

#include <stdbool.h>

struct tokens;

/** Creates @p count tokens for this process and its children of fork(2).
 *  @return them, never freed, or NULL with errno (ENOMEM) */
struct tokens *tokens_create(unsigned count);

/** Takes @p n tokens for this process. @return false if fewer are free; then none is
 *  taken */
bool tokens_take(struct tokens *tokens, unsigned n);

/** Returns @p n tokens of this process. */
void tokens_give(struct tokens *tokens, unsigned n);

#endif
