/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_tuples.c - addresses and ports of sockets, in a table of two choices of buckets, and the
 * search for the socket that had a flow.
 */
#include "base/hash.h"
#include "host/process_pick.h"
#include "host/process_store_internal.h"

/* --- tuples ------------------------------------------------------------------------------------
 */

/* One of the buckets that a tuple may be in: from either half of its hash. */
static struct bucket *bucket_of(
		const struct process_store *s, const struct process_tuple *t, unsigned choice)
{
	return &s->bucket[hash_bytes(t, sizeof *t, s->seed) >> 32 * choice & (BUCKETS - 1)];
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
		return INT64_MIN + 1;
	if (!store_socket(s, e->socket, &socket) || socket.generation != e->generation)
		return INT64_MIN + 2;
	return socket.close_ns;
}

struct place { /* for an entry */
	struct bucket *bucket;
	struct entry e[WAYS]; /* what is in the bucket */
	struct entry *at;     /* NULL: none */
	int64_t leave_ns;     /* when who is there left; the earlier the better */
};

/* That of the same entry, a free one, that of the one longest closed. */
static void find_place(struct process_store *s, struct place *p, const struct entry *new)
{
	p->at = NULL;
	p->leave_ns = INT64_MAX;
	if (!read_bucket(p->bucket, p->e))
		return;
	for (struct entry *e = p->e; e < p->e + WAYS; e++) {
		int64_t ns = leave_ns(s, e);

		if (e->used && e->socket == new->socket &&same_tuple(&e->tuple, &new->tuple)) {
			p->at = e;
			p->leave_ns = INT64_MIN;
			return;
		}
		if (e->used && e->socket == (uint32_t)ADDRESS)
			continue;
		if (p->at == NULL || ns < p->leave_ns) {
			p->at = e;
			p->leave_ns = ns;
		}
	}
}

static unsigned free_ways(const struct place *p)
{
	unsigned n = 0;

	for (size_t i = 0; i < WAYS; i++)
		n += !p->e[i].used;
	return n;
}

/* The emptier bucket, else the one whose oldest is older. */
static bool put(struct process_store *s, const struct entry *new)
{
	struct place p[CHOICES], *best = NULL;

	for (unsigned i = 0; i < CHOICES; i++) {
		p[i].bucket = bucket_of(s, &new->tuple, i);
		find_place(s, &p[i], new);
		if (p[i].at == NULL)
			continue;
		if (best == NULL || p[i].leave_ns < best->leave_ns ||
				(p[i].leave_ns == best->leave_ns &&
						free_ways(&p[i]) > free_ways(best)))
			best = &p[i];
	}
	if (best == NULL)
		return false;
	s->evicted += best->leave_ns == INT64_MAX;
	*best->at = *new;
	cell_write(&best->bucket->cell, best->bucket->words, best->e,
			WAYS * CELL_WORDS(struct entry));
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
	for (unsigned choice = 0; choice < CHOICES; choice++) {
		struct bucket *b = bucket_of(s, t, choice);
		struct entry e[WAYS];

		if (!read_bucket(b, e))
			continue;
		for (size_t i = 0; i < WAYS; i++) {
			if (!e[i].used || !same_tuple(&e[i].tuple, t))
				continue;
			e[i] = (struct entry){ 0 };
			s->addresses--;
		}
		cell_write(&b->cell, b->words, e, WAYS * CELL_WORDS(struct entry));
	}
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

/* Those entries of a tuple in one of its buckets; returns how many. */
static size_t entries_of(const struct process_store *s, const struct process_tuple *t,
		unsigned choice, struct entry e[WAYS])
{
	size_t n = 0;

	if (!read_bucket(bucket_of(s, t, choice), e))
		return 0;
	for (size_t i = 0; i < WAYS; i++)
		if (e[i].used && same_tuple(&e[i].tuple, t))
			e[n++] = e[i];
	return n;
}

static bool is_here(const struct process_store *s, uint8_t version, const uint8_t address[16])
{
	struct process_tuple t = address_tuple(version, address);
	struct entry e[WAYS];
	size_t found = 0;

	for (unsigned choice = 0; choice < CHOICES; choice++)
		found += entries_of(s, &t, choice, e);
	return found > 0;
}

/* Shows the pick every socket that has the tuple. */
static void offer(const struct process_store *s, const struct process_tuple *t, struct pick *p)
{
	struct process_socket socket;
	struct entry e[WAYS];

	for (unsigned choice = 0; choice < CHOICES; choice++) {
		size_t n = entries_of(s, t, choice, e);

		for (size_t i = 0; i < n; i++)
			if (store_socket(s, e[i].socket, &socket) &&
					socket.generation == e[i].generation)
				pick_offer(p, &socket, e[i].mapped);
	}
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
	if (pick_nobody(&p)) { /* UDP sends from any address, to this peer */
		p.foreign = !here && !is_multicast(flow);
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
