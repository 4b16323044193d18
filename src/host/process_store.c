/* SPDX-License-Identifier: BSD-3-Clause */
/* process_store.c - tables of processes and sockets, in cells that are read without lock.
 */
#include "host/process_store_internal.h"

#include <stdlib.h>

#include "base/hash.h"

struct process_store *process_store_new(struct err *e)
{
	struct process_store *s = calloc(1, sizeof *s);

	if (s != NULL) {
		s->seed = hash_seed();
		s->bucket = calloc(BUCKETS, sizeof *s->bucket);
		s->socket = calloc(LIMIT_PROCESS_SOCKETS, sizeof *s->socket);
		s->process = calloc(LIMIT_PROCESSES, sizeof *s->process);
		if (s->bucket != NULL && s->socket != NULL && s->process != NULL)
			return s;
	}
	process_store_free(s);
	err_set(e, "no memory for the table of processes");
	return NULL;
}

void process_store_free(struct process_store *s)
{
	if (s == NULL)
		return;
	free(s->bucket);
	free(s->socket);
	free(s->process);
	free(s);
}

uint64_t process_store_evicted(const struct process_store *s)
{
	return s->evicted;
}

/* --- processes and sockets ---------------------------------------------------------------------
 */

static void put_process(struct process_cell *c, const struct held *h)
{
	cell_write(&c->cell, c->words, h, CELL_WORDS(struct held));
}

void process_store_process(struct process_store *s, uint32_t slot, uint32_t generation,
		const struct process *p)
{
	struct held h = { .generation = generation, .process = *p };

	if (slot < LIMIT_PROCESSES)
		put_process(&s->process[slot], &h);
}

void process_store_hash(
		struct process_store *s, uint32_t slot, uint32_t generation, const uint8_t hash[32])
{
	struct process_cell *c = slot < LIMIT_PROCESSES ? &s->process[slot] : NULL;
	struct held h;

	if (c == NULL || !cell_read(&c->cell, c->words, &h, CELL_WORDS(struct held)) ||
			h.generation != generation)
		return;
	memcpy(h.process.hash, hash, sizeof h.process.hash);
	h.process.hashed = 1;
	put_process(c, &h);
}

bool store_socket(const struct process_store *s, uint32_t slot, struct process_socket *out)
{
	const struct socket_cell *c = slot < LIMIT_PROCESS_SOCKETS ? &s->socket[slot] : NULL;

	return c != NULL && cell_read(&c->cell, c->words, out, CELL_WORDS(struct process_socket));
}

void process_store_socket(
		struct process_store *s, uint32_t slot, const struct process_socket *socket)
{
	struct socket_cell *c = slot < LIMIT_PROCESS_SOCKETS ? &s->socket[slot] : NULL;

	if (c != NULL)
		cell_write(&c->cell, c->words, socket, CELL_WORDS(struct process_socket));
}

void process_store_close(struct process_store *s, uint32_t slot, uint32_t generation, int64_t ns)
{
	struct process_socket socket;

	if (!store_socket(s, slot, &socket) || socket.generation != generation)
		return;
	socket.close_ns = ns;
	process_store_socket(s, slot, &socket);
}

bool process_store_read(const struct process_store *s, struct process_match m, struct process *out)
{
	const struct process_cell *c = m.slot < LIMIT_PROCESSES ? &s->process[m.slot] : NULL;
	struct held h;

	if (c == NULL || m.confidence == PROCESS_NOBODY ||
			!cell_read(&c->cell, c->words, &h, CELL_WORDS(struct held)) ||
			h.generation != m.generation || h.generation == 0)
		return false;
	*out = h.process;
	return true;
}
