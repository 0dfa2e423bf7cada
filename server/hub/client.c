/*
 * hub_client - posts, deliveries and leaving, the same wherever the hub lives.
 *
 * A delivery becomes output of the client's connection like any other. It is fetched only
 * when the queue is empty, so the hub sees how much waits for a client that does not read,
 * and can cut it off. Nothing here calls a service or the connection; outcomes are fields
 * that the connection reads. A service without a hub costs one comparison with NULL.
 */
#include "server/hub/client.h"

#include <poll.h>

void hub_client_begin(struct hub_client *client)
{
	if (client != NULL)
		client->kind->arrive(client);
}

void hub_client_post(struct hub_client *client, const char *bytes, size_t n)
{
	client->kind->post(client, bytes, n);
}

bool hub_client_is_open(const struct hub_client *client)
{
	return client != NULL && client->state == HUB_CLIENT_OPEN;
}

bool hub_client_is_congested(const struct hub_client *client)
{
	return client != NULL && client->congested;
}

void hub_client_fetch(struct hub_client *client)
{
	if (!hub_client_is_open(client))
		return;
	client->fetch_after_queue = client->output->queue.length > 0;
	client->state = client->kind->fetch(client, &client->output->queue);
}

void hub_client_dispatch(struct hub_client *client, bool finished)
{
	if (client == NULL)
		return;
	client->kind->dispatch(client);
	if (!finished || client->left)
		return;
	client->left = true;
	client->kind->leave(client);
	hub_client_fetch(client);
}

static void note_stalled(const struct hub_client *client)
{
	if (client->stalled != NULL)
		atomic_store(client->stalled, client->output->blocked);
}

void hub_client_note_sent(struct hub_client *client)
{
	if (client == NULL)
		return;
	note_stalled(client);
	if (client->output->queue.length == 0 && client->fetch_after_queue)
		hub_client_fetch(client);
}

void hub_client_flush(struct hub_client *client)
{
	struct output *output = client->output;

	if (output->queue.length == 0 || output->blocked)
		return;
	output_send_queue(output);
	note_stalled(client);
}

/* What was fetched before is sent first: while it is queued nothing more is fetched, and fd
 * does not become readable twice for one delivery. */
void hub_client_fetch_and_send(struct hub_client *client)
{
	hub_client_flush(client);
	hub_client_fetch(client);
	hub_client_flush(client);
}

void hub_client_end(struct hub_client *client)
{
	if (client != NULL)
		client->kind->close(client);
}

/* With output queued the only event to wait for is that the client is cut off, and a client
 * that has left cannot be. */
bool hub_client_is_polled(const struct hub_client *client)
{
	if (!hub_client_is_open(client) || client->fd < 0)
		return false;
	return client->output->queue.length == 0 || !client->left || client->congested;
}

/* Deliveries are fetched when the queue is empty. */
short hub_client_events(const struct hub_client *client)
{
	bool reads = client->output->queue.length == 0 || client->listens_always;

	return (short)((reads ? POLLIN : 0) | (client->congested ? POLLOUT : 0));
}
