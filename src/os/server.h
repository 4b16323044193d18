/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.h - answers a question for each connection, without ever waiting for anybody.
 *
 * Two listeners have one: control socket and HTTP.  Clients, bytes of a question, bytes of an
 * answer and time are bounded (limits.h); who is slower than that is cut off.  SIGPIPE has to be
 * ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Looks at what a client has sent so far.  True: that is a whole question (or none that can ever
 * become one), and 'answer' is to be sent and the connection closed.  False: more is needed.
 */
typedef bool server_take(void *ctx, const char *bytes, size_t size, struct buf *answer);

struct server;

/* Owns 'listener' from now on; NULL without memory, then it is closed. */
struct server *server_new(int listener, server_take *take, void *ctx);
void server_free(struct server *s);

/* Accepts, reads, answers, sends as far as that goes at once; 'now_ns' of CLOCK_MONOTONIC. */
void server_poll(struct server *s, int64_t now_ns);

/* Clients that are served now. */
size_t server_clients(const struct server *s);
