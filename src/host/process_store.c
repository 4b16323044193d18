/* SPDX-License-Identifier: BSD-3-Clause */
/* process_store.c - tables of processes, sockets and tuples, in cells that are read without lock.
 */
#include "host/process_store.h"

#include <stdlib.h>

#include "base/hash.h"
#include "host/process_cell.h"
#include "host/process_pick.h"

enum {
	WAYS = 8, /* tuples of a bucket */
	BUCKETS = LIMIT_PROCESS_TUPLES / WAYS,
	ADDRESS = UINT32_MAX, /* in place of a socket: an address of this host */
};

struct entry {
	struct process_tuple tuple;
	uint8_t used;
	uint8_t mapped; /* IPv4 at an IPv6 socket that takes any address */
	uint32_t socket, generation;
};

struct bucket {
	struct cell cell;
	_Atomic uint64_t words[WAYS * CELL_WORDS(struct entry)];
};

struct socket_cell {
	struct cell cell;
	_Atomic uint64_t words[CELL_WORDS(struct process_socket)];
};

struct process_cell {
	struct cell cell;
	_Atomic uint64_t words[1 + CELL_WORDS(struct process)]; /* generation, process */
};

struct held { /* what a process_cell holds */
	uint64_t generation;
	struct process process;
};

_Static_assert(sizeof(struct entry) % 8 == 0 && sizeof(struct process_socket) % 8 == 0 &&
				sizeof(struct process) % 8 == 0,
		"copied by words");
_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a power of 2");

struct process_store {
	uint64_t seed;
	uint64_t evicted;
	size_t addresses;
	struct bucket *bucket;
	struct socket_cell *socket;
	struct process_cell *process;
};

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

static bool get_socket(const struct process_store *s, uint32_t slot, struct process_socket *out)
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

	if (!get_socket(s, slot, &socket) || socket.generation != generation)
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

/* --- tuples ------------------------------------------------------------------------------------
 */

static struct bucket *bucket_of(const struct process_store *s, const struct process_tuple *t)
{
	return &s->bucket[hash_bytes(t, sizeof *t, s->seed) & (BUCKETS - 1)];
}

static bool read_bucket(const struct bucket *b, struct entry e[WAYS])
{
	return cell_read(&b->cell, b->words, e, WAYS * CELL_WORDS(struct entry));
}

static bool same_tuple(const struct process_tuple *a, const struct process_tuple *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* The time from which an entry may leave: the earlier the better; INT64_MAX: it is still open. */
static int64_t leave_ns(const struct process_store *s, const struct entry *e)
{
	struct process_socket socket;

	if (!e->used)
		return INT64_MIN;
	if (!get_socket(s, e->socket, &socket) || socket.generation != e->generation)
		return INT64_MIN + 1;
	return socket.close_ns;
}

/* The place for an entry: that of the same one, a free one, that of the one longest closed. */
static struct entry *place(struct process_store *s, struct entry e[WAYS], const struct entry *new)
{
	struct entry *best = NULL;
	int64_t best_ns = INT64_MAX;

	for (size_t i = 0; i < WAYS; i++) {
		int64_t ns = leave_ns(s, &e[i]);

		if (e[i].used && e[i].socket == new->socket &&same_tuple(&e[i].tuple, &new->tuple))
			return &e[i];
		if (e[i].used && e[i].socket == (uint32_t)ADDRESS)
			continue;
		if (best == NULL || ns < best_ns) {
			best = &e[i];
			best_ns = ns;
		}
	}
	s->evicted += best != NULL && best_ns == INT64_MAX;
	return best;
}

static bool put(struct process_store *s, const struct entry *new)
{
	struct bucket *b = bucket_of(s, &new->tuple);
	struct entry e[WAYS], *to;

	if (!read_bucket(b, e) || (to = place(s, e, new)) == NULL)
		return false;
	*to = *new;
	cell_write(&b->cell, b->words, e, WAYS * CELL_WORDS(struct entry));
	return true;
}

static bool is_mapped(const uint8_t address[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, prefix, sizeof prefix) == 0;
}

static bool is_any(const uint8_t address[16])
{
	static const uint8_t any[16];

	return memcmp(address, any, sizeof any) == 0;
}

static void unmap(uint8_t address[16])
{
	memmove(address, address + 12, 4);
	memset(address + 4, 0, 12);
}

/* Either end may be "any" while the other is mapped. */
static void make_plain(struct process_tuple *t)
{
	if (t->version != 6 || !(is_mapped(t->local) || is_mapped(t->remote)))
		return;
	t->version = 4;
	unmap(t->local);
	unmap(t->remote);
}

void process_store_tuple(struct process_store *s, const struct process_tuple *t, uint32_t socket,
		uint32_t generation)
{
	struct entry e = { .tuple = *t, .used = 1, .socket = socket, .generation = generation };

	if (socket >= LIMIT_PROCESS_SOCKETS)
		return;
	make_plain(&e.tuple);
	put(s, &e);
	if (e.tuple.version == 6 && is_any(e.tuple.local) && is_any(e.tuple.remote)) {
		e.tuple.version = 4;
		e.mapped = 1;
		put(s, &e);
	}
}

static struct process_tuple address_tuple(uint8_t version, const uint8_t address[16])
{
	struct process_tuple t = { .version = version };

	memcpy(t.local, address, sizeof t.local);
	return t;
}

static void forget(struct process_store *s, const struct process_tuple *t)
{
	struct bucket *b = bucket_of(s, t);
	struct entry e[WAYS];

	if (!read_bucket(b, e))
		return;
	for (size_t i = 0; i < WAYS; i++) {
		if (e[i].used && same_tuple(&e[i].tuple, t)) {
			e[i] = (struct entry){ 0 };
			s->addresses--;
		}
	}
	cell_write(&b->cell, b->words, e, WAYS * CELL_WORDS(struct entry));
}

void process_store_address(
		struct process_store *s, uint8_t version, const uint8_t address[16], bool here)
{
	struct entry e = { .tuple = address_tuple(version, address), .used = 1, .socket = ADDRESS };

	forget(s, &e.tuple);
	if (here && s->addresses < LIMIT_PROCESS_ADDRESSES && put(s, &e))
		s->addresses++;
}

/* --- finding -----------------------------------------------------------------------------------
 */

static bool is_loopback(const struct process_flow *f)
{
	static const uint8_t one[16] = { [15] = 1 };
	const uint8_t *a = f->local.address;

	return f->ip_version == 4 ? a[0] == 127 : memcmp(a, one, sizeof one) == 0;
}

static bool is_here(const struct process_store *s, uint8_t version, const uint8_t address[16])
{
	struct process_tuple t = address_tuple(version, address);
	struct entry e[WAYS];

	if (!read_bucket(bucket_of(s, &t), e))
		return false;
	for (size_t i = 0; i < WAYS; i++)
		if (e[i].used && e[i].socket == (uint32_t)ADDRESS && same_tuple(&e[i].tuple, &t))
			return true;
	return false;
}

/* Shows the pick every socket that has the tuple. */
static void offer(const struct process_store *s, const struct process_tuple *t, struct pick *p)
{
	struct entry e[WAYS];
	struct process_socket socket;

	if (!read_bucket(bucket_of(s, t), e))
		return;
	for (size_t i = 0; i < WAYS; i++)
		if (e[i].used && same_tuple(&e[i].tuple, t) &&
				get_socket(s, e[i].socket, &socket) &&
				socket.generation == e[i].generation)
			pick_offer(p, &socket, e[i].mapped);
}

static bool is_multicast(const struct process_flow *f)
{
	const uint8_t *a = f->local.address;

	return f->ip_version == 6 ? a[0] == 0xff
				  : (a[0] & 0xf0) == 0xe0 || memcmp(a, "\xff\xff\xff\xff", 4) == 0;
}

static struct process_tuple tuple_of(const struct process_flow *f, bool local, bool remote)
{
	struct process_tuple t = { .version = f->ip_version, .proto = f->proto };

	t.local_port = f->local.port;
	if (local)
		memcpy(t.local, f->local.address, sizeof t.local);
	if (remote) {
		memcpy(t.remote, f->remote.address, sizeof t.remote);
		t.remote_port = f->remote.port;
	}
	return t;
}

struct process_match process_store_find(
		const struct process_store *s, const struct process_flow *flow)
{
	const bool loopback = is_loopback(flow);
	const bool here = loopback || is_here(s, flow->ip_version, flow->local.address);
	struct pick p = { .flow = flow, .own_only = loopback };
	struct process_tuple t = tuple_of(flow, true, true);

	offer(s, &t, &p);
	if (pick_nobody(&p) && (here || is_multicast(flow))) {
		t = tuple_of(flow, false, true);
		offer(s, &t, &p);
	}
	if (pick_nobody(&p) && here) {
		p.by_port = true;
		t = tuple_of(flow, true, false);
		offer(s, &t, &p);
		t = tuple_of(flow, false, false);
		offer(s, &t, &p);
	}
	return pick_match(&p);
}
