/*
 * hub_client - posts, deliveries and leaving: what is the same wherever the hub is.
 *
 * A delivery becomes output of the client's connection like any other output. It is fetched
 * only when the connection's queue is empty. So the bytes for a client that does not read
 * stay in the hub, which counts them and can cut the client off.
 *
 * Nothing here calls a service or the connection: the results are fields that the connection
 * reads. A service without a hub pays one comparison with NULL for each call.
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
	client->fetch_after_queue = !buffer_is_empty(&client->output->queue);
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
		atomic_store(client->stalled, output_is_blocked(client->output));
}

void hub_client_note_sent(struct hub_client *client)
{
	if (client == NULL)
		return;
	note_stalled(client);
	if (buffer_is_empty(&client->output->queue) && client->fetch_after_queue)
		hub_client_fetch(client);
}

void hub_client_flush(struct hub_client *client)
{
	struct output *output = client->output;

	if (buffer_is_empty(&output->queue) || output_is_blocked(output))
		return;
	output_send_queue(output);
	note_stalled(client);
}

/* The queue is sent first, because nothing is fetched while it is not empty. */
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

/* While output is queued, the only event from the hub is that the member is cut off. A member
 * that has left cannot be cut off. */
bool hub_client_is_polled(const struct hub_client *client)
{
	if (!hub_client_is_open(client) || client->fd < 0)
		return false;
	return buffer_is_empty(&client->output->queue) || !client->left ||
	       client->congested;
}

/* Deliveries are fetched only when the queue is empty. */
short hub_client_events(const struct hub_client *client)
{
	bool reads =
		buffer_is_empty(&client->output->queue) || client->wakes_while_queued;

	return (short)((reads ? POLLIN : 0) | (client->congested ? POLLOUT : 0));
}
