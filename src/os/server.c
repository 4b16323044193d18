/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.c - one poll() without waiting, then a step for each client that can make one.
 *
 * A client reads its question, then gets its answer, then is gone.  One that takes longer than
 * LIMIT_CLIENT_SECONDS for both is cut off, so that a place becomes free for the next.
 */
#include "os/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

#define SECOND_NS INT64_C(1000000000)

struct client {
	int fd;            /* -1: a free place */
	int64_t end_ns;    /* it is cut off then */
	struct buf answer; /* what is to be sent; nothing while the question is read */
	size_t sent;       /* of it */
	bool closing;      /* all is sent: what it still sends is thrown away until it closes */
	size_t size;       /* of the question so far */
	char question[LIMIT_QUESTION_BYTES];
};

struct server {
	int listener;
	server_take *take;
	void *ctx;
	struct client client[LIMIT_CLIENTS];
};

static void never_wait(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

struct server *server_new(int listener, server_take *take, void *ctx)
{
	struct server *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		close(listener);
		return NULL;
	}
	*s = (struct server){ .listener = listener, .take = take, .ctx = ctx };
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		s->client[i].fd = -1;
	never_wait(listener);
	return s;
}

static void drop(struct client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	buf_free(&c->answer);
}

void server_free(struct server *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		drop(&s->client[i]);
	close(s->listener);
	free(s);
}

size_t server_clients(const struct server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		n += s->client[i].fd != -1;
	return n;
}

static struct client *free_place(struct server *s)
{
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		if (s->client[i].fd == -1)
			return &s->client[i];
	return NULL;
}

/* Who finds no place waits in the listener's queue. */
static void accept_one(struct server *s, int64_t now_ns)
{
	struct client *c = free_place(s);
	int fd = c == NULL ? -1 : accept(s->listener, NULL, NULL);

	if (fd == -1)
		return;
	never_wait(fd);
	c->fd = fd;
	c->end_ns = now_ns + LIMIT_CLIENT_SECONDS * SECOND_NS;
	c->answer = buf_new(LIMIT_ANSWER_BYTES);
	c->size = c->sent = 0;
	c->closing = false;
}

static bool later(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* A question that fills its room is whole, whatever it is. */
static void ask(struct server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->question + c->size, sizeof(c->question) - c->size, 0);

	if (n == -1 && later())
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->size += (size_t)n;
	if (!s->take(s->ctx, c->question, c->size, &c->answer)) {
		if (c->size == sizeof(c->question))
			drop(c);
	} else if (!buf_ok(&c->answer) || c->answer.size == 0) {
		drop(c);
	}
}

/* Closing while bytes of the client are unread would take the answer back (RFC 9112, 9.6). */
static void say(struct client *c)
{
	ssize_t n = send(c->fd, c->answer.p + c->sent, c->answer.size - c->sent, 0);

	if (n == -1 && !later())
		drop(c);
	if (n <= 0)
		return;
	c->sent += (size_t)n;
	if (c->sent < c->answer.size)
		return;
	shutdown(c->fd, SHUT_WR);
	buf_free(&c->answer);
	c->closing = true;
}

static void drain(struct client *c)
{
	ssize_t n = recv(c->fd, c->question, sizeof(c->question), 0);

	if (n == 0 || (n == -1 && !later()))
		drop(c);
}

static void step(struct server *s, struct client *c)
{
	if (c->closing)
		drain(c);
	else if (c->answer.size == 0)
		ask(s, c);
	if (c->fd != -1 && c->answer.size > 0)
		say(c);
}

void server_poll(struct server *s, int64_t now_ns)
{
	struct pollfd p[LIMIT_CLIENTS + 1];

	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &s->client[i];

		if (c->fd != -1 && now_ns >= c->end_ns)
			drop(c);
		p[i] = (struct pollfd){ .fd = c->fd,
			.events = c->answer.size > 0 ? POLLOUT : POLLIN };
	}
	p[LIMIT_CLIENTS] = (struct pollfd){ .fd = s->listener, .events = POLLIN };
	if (poll(p, LIMIT_CLIENTS + 1, 0) <= 0)
		return;
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		if (p[i].revents != 0 && s->client[i].fd != -1)
			step(s, &s->client[i]);
	if (p[LIMIT_CLIENTS].revents != 0)
		accept_one(s, now_ns);
}
