/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_ops.h - a way to capture, and what live.c has settled before it begins.
 *
 * A way is a struct live_ops.  Its own state begins with a struct live; live.c makes it, zeroed,
 * and calls the functions below as live.h says of those with the same names.
 */
#pragma once

#include "base/limits.h"
#include "source/live.h"

enum { LIVE_NAME_BYTES = 64 };

struct live {
	const struct live_ops *ops;
	struct live_conf conf; /* its texts are there during open() only */
	bool any;              /* one interface of that name: all of the machine */
	size_t count;
	struct source_interface interface[LIMIT_LIVE_INTERFACES]; /* open() sets the link type */
	char name[LIMIT_LIVE_INTERFACES][LIVE_NAME_BYTES];
};

struct live_ops {
	size_t size;                                 /* of the state */
	bool (*open)(struct live *l, struct err *e); /* close() follows, whatever it returns */
	void (*close)(struct live *l);
	size_t (*read)(struct live *l, unsigned ring, struct frame *frames, size_t max,
			int timeout_ms, bool *ok, struct err *e);
	void (*wake)(struct live *l);
	void (*watch)(struct live *l);
	void (*stop)(struct live *l);
	bool (*counts)(struct live *l, size_t i, struct live_counts *out);
	unsigned (*fill)(struct live *l, unsigned ring);
};

/* NULL where there is no such way. */
const struct live_ops *live_packet(void);
const struct live_ops *live_libpcap(void);

/* conf.say() with a line made like printf. */
void live_say(const struct live *l, enum source_trouble what, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/*
 * False when this process can open no interface any more, because it gave its rights up; to try
 * might end it then.
 */
bool live_can_open(void);

/* What to do about missing rights, for the end of an error's text. */
#define LIVE_RIGHTS "capturing needs root or the capability cap_net_raw"
