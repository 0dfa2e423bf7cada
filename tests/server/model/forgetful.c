/*
 * forgetful - a model that has neither a hub nor a UDP variant: tests/server/model/test_templates.c.
 */
#include "server/core/server.h"
#include "server/model.h"

static int serve(struct server *server)
{
	(void)server;
	return 0;
}

const struct model forgetful_model = {
	.name = "forgetful",
	.summary = "a model without a hub and without datagrams",
	.most_clients = 1,
	.serve = serve,
};
