/*
 * http - what all sessions of the service share, and its limits. The service itself is
 * http_service. Tests use these limits.
 */
#ifndef SERVER_SERVICE_HTTP_HTTP_H
#define SERVER_SERVICE_HTTP_HTTP_H

#include "server/service/http/document.h"

enum {
	HTTP_GREETING_MOST = 65536, /* longest text of -m, in bytes */
	HTTP_PAGE_PIECE = 65536,    /* bytes of a page in one write */
};

/** The directory of -r; its directory.name is NULL until the server starts with that
 *  option. */
extern struct http_root http_root;

#endif
