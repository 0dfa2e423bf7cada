/*
 * http - what the service has once for all its sessions, and its limits. The service itself is
 * http_service; a test reads these to know where a limit is.
 */
#ifndef SERVER_SERVICE_HTTP_HTTP_H
#define SERVER_SERVICE_HTTP_HTTP_H

#include "server/service/http/document.h"

enum {
	HTTP_GREETING_MOST = 65536, /* bytes of the text that the server answers with */
	HTTP_PAGE_PIECE = 65536,    /* bytes of a page that are sent at once */
};

/** The folder of -r; its directory.name is NULL until that option is given. */
extern struct http_root http_root;

#endif
