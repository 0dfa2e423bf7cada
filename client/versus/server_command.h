/*
 * server_command - the argument of --server: the name of a row, and a command.
 */
#ifndef CLIENT_VERSUS_SERVER_COMMAND_H
#define CLIENT_VERSUS_SERVER_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "client/versus/server_process.h"
#include "common/failure.h"

/**
 * Takes NAME=COMMAND or COMMAND. NAME consists of letters, digits, blanks and the
 * characters . _ + - , and none of its words begins with '-'. NAME={port}... is a command
 * that begins with a variable, and so is one whose first word is "exec" or "env". Without a NAME it is the base name of the first word that
 * is neither a variable nor "exec" or "env".
 *
 * @param server  receives ->name, escaped and cut, and ->command, which points into
 *                @p argument
 * @param named   receives whether there is a NAME
 * @return 0, or -1 with *failure: COMMAND is empty
 */
int server_command_take(struct server_process *server, const char *argument, bool *named,
			struct failure *failure);

/** Appends "-2", "-3" ... to the name of a server, cut if needed. */
void server_command_number(struct server_process *server, unsigned number);

/** Writes a word for sh(1): in single quotes, if it has other characters than letters, digits and
 *  a few that mean nothing to the shell. */
void server_command_write_word(const char *word, FILE *out);

#endif
