/* SPDX-License-Identifier: BSD-3-Clause */
/* process_poll.c - tell new sockets from known ones, and find their processes together. */
#include "host/process_poll.h"

#include <stdlib.h>

enum { TRIES = 3 }; /* looks for a holder before a socket is taken to have none */

bool poll_new(struct poll_look *p, struct watcher *w)
{
	*p = (struct poll_look){ .w = w };
	p->fresh = calloc(LIMIT_PROCESS_FRESH, sizeof *p->fresh);
	return p->fresh != NULL;
}

void poll_free(struct poll_look *p)
{
	free(p->fresh);
	p->fresh = NULL;
}

void poll_begin(struct poll_look *p)
{
	p->w->round++;
	p->count = 0;
	p->before_ns = p->now_ns;
	p->now_ns = process_clock();
}

/* A socket whose process is known, but whose ports were not: eBPF saw a UDP connect(). */
static void complete(struct watcher *w, struct known_socket *k, const struct seen *s)
{
	struct sighting sight = { .cookie = s->cookie, .process = KNOWN_NONE, .tuple = s->tuple };

	if (!k->planned || s->tuple.remote_port == 0)
		return;
	k->planned = false;
	watcher_sight(w, &sight);
}

void poll_see(struct poll_look *p, const struct seen *s)
{
	struct known_socket *k = known_find_socket(p->w->known, s->cookie);

	if (k != NULL) {
		k->round = p->w->round;
		complete(p->w, k, s);
		if (k->process != KNOWN_NONE || k->tries >= TRIES)
			return;
	}
	if (p->count < LIMIT_PROCESS_FRESH)
		p->fresh[p->count++] = *s;
	else
		p->w->lost++;
}

static int by_inode(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int by_pid(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static uint32_t process_of(struct watcher *w, uint32_t pid)
{
	struct process_facts f = { .pid = pid, .uid = UINT32_MAX, .start_ns = -1 };

	if (pid == 0)
		return KNOWN_NONE;
	system_facts(&f, w->conf->cmdline);
	return f.start_ns < 0 ? KNOWN_NONE : watcher_process(w, &f);
}

/* A new socket was opened after the last look, nobody knows when. */
static void report(struct poll_look *p, const struct seen *s, uint32_t process)
{
	struct sighting sight = { .cookie = s->cookie,
		.process = process,
		.confidence = PROCESS_LATE,
		.open_ns = p->w->seeded ? p->before_ns : 0,
		.tuple = s->tuple };
	struct known_socket *k = watcher_sight(p->w, &sight);

	k->tries++;
}

static void close_missing(struct watcher *w)
{
	struct known_socket *k;
	uint32_t slot = 0;

	while ((k = known_next_open(w->known, &slot)) != NULL)
		if (k->round != w->round && k->netns == 0)
			watcher_close(w, k, process_clock());
}

void poll_end(struct poll_look *p, bool whole)
{
	uint32_t process = KNOWN_NONE;

	if (p->count > 0) {
		qsort(p->fresh, p->count, sizeof *p->fresh, by_inode);
		system_holders(p->fresh, p->count);
		qsort(p->fresh, p->count, sizeof *p->fresh, by_pid);
	}
	for (size_t i = 0; i < p->count; i++) {
		if (i == 0 || p->fresh[i].pid != p->fresh[i - 1].pid)
			process = process_of(p->w, p->fresh[i].pid);
		report(p, &p->fresh[i], process);
	}
	if (whole)
		close_missing(p->w);
}
