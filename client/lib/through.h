/*
 * through - a connection through a command, such as ssh or "openssl s_client -quiet".
 *
 * The standard input and output of the command are the connection. So a client reaches a server
 * that it cannot connect to itself, or that expects an encrypted connection. This is like the
 * option ProxyCommand of ssh_config(5).
 */
#ifndef CLIENT_LIB_THROUGH_H
#define CLIENT_LIB_THROUGH_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/failure.h"

/** A running command. Callers read only pid: 0 if none runs. */
struct through {
	const char *command;
	pid_t pid;
};

/**
 * Checks @p command before it is run: it is not empty, and its "%" sequences are known.
 * "%h" is the host, "%p" the port, "%%" a percent sign. A host or port whose characters have a
 * meaning for the shell is refused, because it may come from elsewhere than the command.
 *
 * @return 0, or -1 with *failure
 */
int through_check(const char *command, const char *host, const char *port,
		  struct failure *failure);

/**
 * Starts @p command with sh(1). Its standard error and its terminal are those of the caller.
 *
 * @param command  kept until through_end()
 * @return the connection: a blocking descriptor of a stream socket, which the caller closes; or
 *         -1 with *failure
 */
int through_start(struct through *through, const char *command, const char *host,
		  const char *port, struct failure *failure);

/**
 * Waits for the end of the command, and collects its exit status. The caller has closed the
 * connection. A command that does not end within a second gets SIGHUP, and SIGKILL after another
 * one; so do its descendants in the process group of the caller (Linux). Does nothing if none runs.
 *
 * @param ended  the command closed the connection first: then an exit status other than 0 is a
 *               failure. Otherwise the command has no say in how the conversation ended.
 * @return 0, or -1 with *failure: the command and its exit status or signal
 */
int through_end(struct through *through, bool ended, struct failure *failure);

#endif
