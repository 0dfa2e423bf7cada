/*
 * file - what the service has once for all its sessions, and how much it does in one turn.
 * The service itself is file_service; a test sets the store up without a command line.
 */
#ifndef SERVER_SERVICE_FILE_FILE_H
#define SERVER_SERVICE_FILE_FILE_H

#include "server/service/file/store.h"

enum {
	FILE_SUM_TURN = 4 * 1024 * 1024, /* bytes read for a sum in one turn */
	FILE_LIST_TURN = 1000,           /* entries looked at, or sent, in one turn */
};

/** The folder that is served, and the limits on what is stored there. The options set it. */
extern struct file_store file_store;

/** The path of -r; NULL until it is given. Owned by whoever gave the options. */
extern const char *file_directory;

#endif
