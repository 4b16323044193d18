/* SPDX-License-Identifier: BSD-3-Clause */
/* process_known.c - slots of processes and sockets: two arrays, each with chains by hash, and a
 * hand that goes round when room is needed. */
#include "host/process_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct known_process {
	struct known_key key;
	uint32_t generation; /* 0: never used */
	uint32_t open;       /* sockets */
	uint32_t next;
	bool recent; /* used since the hand came by */
};

struct slots {
	uint32_t *chain; /* by hash: first slot, or KNOWN_NONE */
	uint32_t count, used, hand;
};

struct known {
	uint64_t seed, evicted;
	uint32_t unowned;
	struct slots processes, sockets;
	struct known_process *process;
	struct known_socket *socket;
};

static bool slots_new(struct slots *s, uint32_t count)
{
	s->count = count;
	s->chain = malloc(count * sizeof *s->chain);
	if (s->chain == NULL)
		return false;
	memset(s->chain, 0xff, count * sizeof *s->chain);
	return true;
}

struct known *known_new(uint32_t processes, uint32_t sockets)
{
	struct known *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->seed = hash_seed();
	k->process = calloc(processes, sizeof *k->process);
	k->socket = calloc(sockets, sizeof *k->socket);
	if (k->process == NULL || k->socket == NULL || !slots_new(&k->processes, processes) ||
			!slots_new(&k->sockets, sockets)) {
		known_free(k);
		return NULL;
	}
	return k;
}

void known_free(struct known *k)
{
	if (k == NULL)
		return;
	free(k->processes.chain);
	free(k->sockets.chain);
	free(k->process);
	free(k->socket);
	free(k);
}

uint32_t known_unowned(const struct known *k)
{
	return k->unowned;
}

uint64_t known_evicted(const struct known *k)
{
	return k->evicted;
}

/* --- processes ---------------------------------------------------------------------------------
 */

static uint32_t *process_chain(struct known *k, const struct known_key *key)
{
	return &k->processes.chain[hash_bytes(key, sizeof *key, k->seed) % k->processes.count];
}

static void unchain_process(struct known *k, uint32_t slot)
{
	uint32_t *at = process_chain(k, &k->process[slot].key);

	while (*at != slot)
		at = &k->process[*at].next;
	*at = k->process[slot].next;
}

/* A slot never used, else the first that nobody needs; after two rounds any. */
static uint32_t take_process(struct known *k)
{
	struct slots *s = &k->processes;

	if (s->used < s->count)
		return s->used++;
	for (uint32_t tries = 0;; tries++) {
		uint32_t slot = s->hand;
		struct known_process *p = &k->process[slot];

		s->hand = (s->hand + 1) % s->count;
		if ((p->open == 0 && !p->recent) || tries > 2 * s->count) {
			unchain_process(k, slot);
			return slot;
		}
		p->recent = false;
	}
}

uint32_t known_process(struct known *k, const struct known_key *key, bool *is_new)
{
	uint32_t *chain = process_chain(k, key), slot;

	*is_new = false;
	for (slot = *chain; slot != KNOWN_NONE; slot = k->process[slot].next) {
		if (memcmp(&k->process[slot].key, key, sizeof *key) == 0) {
			k->process[slot].recent = true;
			return slot;
		}
	}
	*is_new = true;
	slot = take_process(k);
	k->process[slot] = (struct known_process){ .key = *key,
		.generation = k->process[slot].generation + 1,
		.next = *chain,
		.recent = true };
	*chain = slot;
	return slot;
}

uint32_t known_generation(const struct known *k, uint32_t process)
{
	return process == KNOWN_NONE ? 0 : k->process[process].generation;
}

/* --- sockets -----------------------------------------------------------------------------------
 */

static uint32_t *socket_chain(struct known *k, uint64_t cookie)
{
	return &k->sockets.chain[hash_bytes(&cookie, sizeof cookie, k->seed) % k->sockets.count];
}

struct known_socket *known_find_socket(struct known *k, uint64_t cookie)
{
	uint32_t slot = *socket_chain(k, cookie);

	while (slot != KNOWN_NONE && k->socket[slot].cookie != cookie)
		slot = k->socket[slot].next_;
	return slot == KNOWN_NONE ? NULL : &k->socket[slot];
}

static void unchain_socket(struct known *k, uint32_t slot)
{
	uint32_t *at = socket_chain(k, k->socket[slot].cookie);

	while (*at != slot)
		at = &k->socket[*at].next_;
	*at = k->socket[slot].next_;
}

enum { TRIES = 64 }; /* open sockets passed over for a closed one */

static uint32_t take_socket(struct known *k)
{
	struct slots *s = &k->sockets;
	uint32_t slot = s->hand;

	if (s->used < s->count)
		return s->used++;
	for (unsigned i = 0; i < TRIES && k->socket[slot].open; i++)
		slot = (slot + 1) % s->count;
	if (k->socket[slot].open) {
		known_close(k, &k->socket[slot]);
		k->evicted++;
	}
	s->hand = (slot + 1) % s->count;
	unchain_socket(k, slot);
	return slot;
}

struct known_socket *known_add_socket(struct known *k, uint64_t cookie)
{
	uint32_t slot = take_socket(k), *chain = socket_chain(k, cookie);

	k->socket[slot] = (struct known_socket){ .cookie = cookie,
		.process = KNOWN_NONE,
		.generation = k->socket[slot].generation + 1,
		.open = true,
		.next_ = *chain };
	*chain = slot;
	k->unowned++;
	return &k->socket[slot];
}

uint32_t known_socket_slot(const struct known *k, const struct known_socket *s)
{
	return (uint32_t)(s - k->socket);
}

static void release_owner(struct known *k, struct known_socket *s)
{
	if (!s->open)
		return;
	if (s->process == KNOWN_NONE)
		k->unowned--;
	else if (s->owner_generation_ == known_generation(k, s->process))
		k->process[s->process].open--;
}

static void take_owner(struct known *k, struct known_socket *s)
{
	s->owner_generation_ = known_generation(k, s->process);
	if (!s->open)
		return;
	if (s->process == KNOWN_NONE)
		k->unowned++;
	else
		k->process[s->process].open++;
}

void known_set_owner(struct known *k, struct known_socket *s, uint32_t process)
{
	release_owner(k, s);
	s->process = process;
	take_owner(k, s);
}

void known_close(struct known *k, struct known_socket *s)
{
	release_owner(k, s);
	s->open = false;
}

struct known_socket *known_next_open(struct known *k, uint32_t *slot)
{
	while (*slot < k->sockets.used) {
		struct known_socket *s = &k->socket[(*slot)++];

		if (s->open)
			return s;
	}
	return NULL;
}
