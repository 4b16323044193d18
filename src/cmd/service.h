/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * service.h - a run that others look after: user, sandbox, control socket, metrics, signals,
 * service manager.
 *
 *	service_start -> joy_run ( service_ready, then service_tick again and again ) ->
 *service_stop
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cmd/message.h"
#include "cmd/places.h"
#include "os/daemon.h"
#include "os/notify.h"
#include "os/privileges.h"
#include "os/server.h"

struct service {
	struct joy *joy;
	struct messages *messages;
	bool live;
	bool stopping; /* the service manager was told */
	struct daemon daemon;
	struct notify notify;
	struct places places;
	struct privileges_user user; /* to become; without a name: nobody else */
	struct server *control, *metrics;
	int pidfile;
	struct err failure; /* why service_ready() has failed; "" if it has not */
};

/*
 * Finds out where the run writes and as whom; option username has that user's name from then on, or
 * none.  'live': the run captures, so that it gives up rights when it is ready.
 */
bool service_start(struct service *s, struct joy *j, struct messages *m, bool live, struct err *e);

/*
 * All is open: listens, becomes the user, enters the sandbox, tells whoever waits.  A ready
 * callback of joy.h; 'ctx' is the service.  Not 0: s->failure says why.
 */
int service_ready(void *ctx);

/* Signals, questions, signs of life; never waits.  To be called ten times a second. */
void service_tick(struct service *s);

void service_stop(struct service *s);

/* Answers for the two servers; 'ctx' is the service. */
bool service_take_control(void *ctx, const char *bytes, size_t size, struct buf *answer);
bool service_take_http(void *ctx, const char *bytes, size_t size, struct buf *answer);

/* Lists are read again, a log file that was moved away begins anew. */
bool service_reload(struct service *s);
