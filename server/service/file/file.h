/*
 * file - what all sessions of the service share, and how much work one step does. The
 * service itself is file_service. A test sets up the store without a command line.
 */
#ifndef SERVER_SERVICE_FILE_FILE_H
#define SERVER_SERVICE_FILE_FILE_H

#include "server/service/file/store.h"

enum {
	FILE_SUM_TURN = 4 * 1024 * 1024, /* bytes read for a checksum in one step */
	FILE_LIST_TURN = 1000,           /* entries read, or sent, in one step */
};

/** The directory that is served, and the limits for it. The options set it. */
extern struct file_store file_store;

/** The path of -r; NULL before that option. Not owned. */
extern const char *file_directory;

#endif
