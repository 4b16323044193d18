/* SPDX-License-Identifier: BSD-3-Clause */
/* upload_retry.c - exponential back-off with jitter, for the other side and for single files. */
#include "sink/upload_retry.h"

struct upload_retry upload_retry_new(uint32_t first_ms, uint32_t longest_ms, uint64_t seed)
{
	return (struct upload_retry){
		.first_ms = first_ms,
		.longest_ms = longest_ms > first_ms ? longest_ms : first_ms,
		.random = seed | 1,
	};
}

/* xorshift64 (Marsaglia 2003): jitter needs no more. */
static uint64_t draw(struct upload_retry *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

static void fail(struct upload_retry *r, struct upload_wait *w, int64_t now_ms)
{
	const uint32_t doublings = w->failures < 31 ? w->failures : 31;
	uint64_t wait = (uint64_t)r->first_ms << doublings;

	if (wait > r->longest_ms)
		wait = r->longest_ms;
	w->failures++;
	w->next_ms = now_ms + (int64_t)(wait - draw(r) % (wait / 2 + 1));
}

bool upload_retry_away(struct upload_retry *r, int64_t now_ms)
{
	const bool first = r->side.failures == 0;

	if (first)
		r->away_ms = now_ms;
	fail(r, &r->side, now_ms);
	return first;
}

bool upload_retry_back(struct upload_retry *r)
{
	const bool was_away = r->side.failures > 0;

	r->side = (struct upload_wait){ 0 };
	return was_away;
}

static struct upload_failing *find(struct upload_retry *r, uint64_t number)
{
	for (size_t i = 0; i < LIMIT_UPLOAD_FAILING; i++) {
		if (r->file[i].number == number)
			return &r->file[i];
	}
	return NULL;
}

/* A free place, or that of the file whose turn comes first. */
static struct upload_failing *make_room(struct upload_retry *r)
{
	struct upload_failing *room = find(r, 0);

	if (room == NULL) {
		room = r->file;
		for (size_t i = 1; i < LIMIT_UPLOAD_FAILING; i++) {
			if (r->file[i].wait.next_ms < room->wait.next_ms)
				room = &r->file[i];
		}
	}
	return room;
}

bool upload_retry_failed(struct upload_retry *r, uint64_t number, int64_t now_ms)
{
	struct upload_failing *f = find(r, number);
	const bool first = f == NULL;

	if (first) {
		f = make_room(r);
		*f = (struct upload_failing){ .number = number };
	}
	fail(r, &f->wait, now_ms);
	return first;
}

void upload_retry_forget(struct upload_retry *r, uint64_t number)
{
	struct upload_failing *f = find(r, number);

	if (f != NULL)
		*f = (struct upload_failing){ 0 };
}

bool upload_retry_may(const struct upload_retry *r, uint64_t number, int64_t now_ms)
{
	for (size_t i = 0; i < LIMIT_UPLOAD_FAILING; i++) {
		if (r->file[i].number == number)
			return r->file[i].wait.next_ms <= now_ms;
	}
	return true;
}

int64_t upload_retry_next(const struct upload_retry *r)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < LIMIT_UPLOAD_FAILING; i++) {
		if (r->file[i].number != 0 && r->file[i].wait.next_ms < next)
			next = r->file[i].wait.next_ms;
	}
	return next;
}
