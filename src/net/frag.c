/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag.c - the table of datagrams that are being put together.
 *
 * A datagram keeps its fragments as they came and a sorted list of byte ranges, each given by
 * the fragment that brought those bytes first.  They stand in a hash table and in a list by age.
 * Fragments are rare, so memory comes from malloc; limits.h bounds it, and every loop here.
 */
#include "net/frag.h"
#include "net/frag_late.h"

#include <xxhash.h>

enum {
	BUCKETS = 2 * LIMIT_DATAGRAMS,
	DATAGRAM_MAX = 65535, /* no datagram is longer */
	LOW_MEMORY = LIMIT_FRAGMENT_BYTES / 4 * 3,
};

struct key {
	uint8_t address[2][16];
	uint32_t id;
	uint8_t ip_version;
	uint8_t proto; /* IPv4; 0 for IPv6 */
	uint16_t vlan_count;
	uint16_t vlan[LIMIT_LAYERS];
};

/* Bytes start to end of the datagram are those of fragments[fragment]. */
struct range {
	uint32_t start, end;
	uint32_t fragment;
};

/* What a fragment's readers and layers point into. */
struct copy {
	struct copy *next;
	size_t size; /* of the whole block */
	uint8_t bytes[];
};

struct datagram {
	struct key key;
	uint64_t hash;
	struct datagram *next; /* in its bucket */
	struct datagram *older, *newer;
	int64_t start_ns;
	struct pkt *fragments;
	size_t count, room;
	struct range *ranges; /* sorted, disjoint */
	size_t range_count, range_room;
	struct copy *copies;
	size_t memory;    /* of all of it */
	uint32_t covered; /* bytes in ranges */
	uint32_t end;     /* length of the datagram, once a last fragment came */
	uint32_t overlaps;
	bool end_known;
};

struct frag_table {
	int64_t timeout_ns;
	uint64_t seed;
	struct datagram *buckets[BUCKETS];
	struct datagram *oldest, *newest;
	size_t datagrams;
	size_t memory; /* of the datagrams */
	struct datagram *ready;
	bool complete;    /* 'ready' is */
	struct pkt alone; /* a fragment there was no room for, ready by itself */
	bool is_alone;
	bool is_late;              /* 'alone' is a copy of what has been handed out */
	struct frag_datagram late; /* its bytes */
	struct late_table *remembered;
	uint8_t *whole; /* header and body of what is ready */
	size_t whole_room;
	struct frag_counts counts;
};

struct frag_table *frag_new(int64_t timeout_ns, uint64_t seed, struct err *e)
{
	struct frag_table *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		err_set(e, "no memory for the table of fragments");
		return NULL;
	}
	t->remembered = late_new();
	if (t->remembered == NULL) {
		err_set(e, "no memory for the table of fragments");
		free(t);
		return NULL;
	}
	t->timeout_ns = timeout_ns;
	t->seed = seed;
	return t;
}

static void datagram_free(struct datagram *d)
{
	while (d->copies != NULL) {
		struct copy *next = d->copies->next;

		free(d->copies);
		d->copies = next;
	}
	free(d->fragments);
	free(d->ranges);
	free(d);
}

/* What the last call made ready has been taken, or is not wanted. */
static void forget_ready(struct frag_table *t)
{
	if (t->ready != NULL)
		datagram_free(t->ready);
	t->ready = NULL;
	t->is_alone = t->is_late = false;
}

void frag_free(struct frag_table *t)
{
	if (t == NULL)
		return;
	forget_ready(t);
	while (t->oldest != NULL) {
		struct datagram *newer = t->oldest->newer;

		datagram_free(t->oldest);
		t->oldest = newer;
	}
	late_free(t->remembered);
	free(t->whole);
	free(t);
}

void frag_renew(struct frag_table *t)
{
	forget_ready(t);
	late_renew(t->remembered);
}

/* --- finding ------------------------------------------------------------------------------- */

static struct key key_of(const struct pkt *pkt)
{
	struct key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.address, pkt->address, sizeof(key.address));
	key.id = pkt->fragment_id;
	key.ip_version = pkt->ip_version;
	key.proto = pkt->ip_version == 4 ? pkt->proto : 0;
	for (unsigned i = 0; i < pkt->layer_count; i++)
		if (pkt->layer[i].type == LAYER_VLAN && pkt->layer[i].id != 0)
			key.vlan[key.vlan_count++] = (uint16_t)pkt->layer[i].id;
	return key;
}

static struct datagram *find(const struct frag_table *t, const struct key *key, uint64_t hash)
{
	struct datagram *d = t->buckets[hash % BUCKETS];

	while (d != NULL && (d->hash != hash || memcmp(&d->key, key, sizeof(*key)) != 0))
		d = d->next;
	return d;
}

static struct datagram *datagram_new(const struct key *key, uint64_t hash, int64_t start_ns)
{
	struct datagram *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->key = *key;
	d->hash = hash;
	d->start_ns = start_ns;
	d->memory = sizeof(*d);
	return d;
}

static void put_in(struct frag_table *t, struct datagram *d)
{
	struct datagram **bucket = &t->buckets[d->hash % BUCKETS];

	d->next = *bucket;
	*bucket = d;
	d->older = t->newest;
	if (t->newest != NULL)
		t->newest->newer = d;
	else
		t->oldest = d;
	t->newest = d;
	t->datagrams++;
	t->memory += d->memory;
}

static void take_out(struct frag_table *t, struct datagram *d)
{
	struct datagram **at = &t->buckets[d->hash % BUCKETS];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	*(d->older != NULL ? &d->older->newer : &t->oldest) = d->newer;
	*(d->newer != NULL ? &d->newer->older : &t->newest) = d->older;
	t->datagrams--;
	t->memory -= d->memory;
}

static void make_ready(struct frag_table *t, struct datagram *d, bool complete)
{
	take_out(t, d);
	t->ready = d;
	t->complete = complete;
	*(complete ? &t->counts.complete : &t->counts.incomplete) += 1;
}

/* --- adding -------------------------------------------------------------------------------- */

static size_t addresses_size(const struct layer *layer)
{
	if (layer->addresses == NULL)
		return 0;
	return layer->ip_version == 4 ? 8 : 32;
}

static size_t copy_size(const struct pkt *pkt)
{
	size_t size = sizeof(struct copy) + pkt->ip.left;

	for (unsigned i = 0; i < pkt->layer_count; i++)
		size += addresses_size(&pkt->layer[i]);
	return size;
}

/* Copies what the fragment points to, and points 'to' there. */
static struct copy *copy_new(const struct pkt *pkt, struct pkt *to)
{
	size_t size = copy_size(pkt);
	struct copy *copy = malloc(size);

	if (copy == NULL)
		return NULL;
	*copy = (struct copy){ .size = size };
	*to = *pkt;
	uint8_t *at = copy->bytes;
	for (unsigned i = 0; i < pkt->layer_count; i++) {
		size_t n = addresses_size(&pkt->layer[i]);

		if (n > 0)
			to->layer[i].addresses = memcpy(at, pkt->layer[i].addresses, n);
		at += n;
	}
	if (pkt->ip.left > 0)
		memcpy(at, pkt->ip.p, pkt->ip.left);
	to->ip.p = at;
	to->body = to->ip;
	rd_bytes(&to->body, pkt->ip_header_len); /* the body lies behind the headers */
	to->payload = to->tcp_options = to->rest = (struct rd){ NULL, 0 };
	return copy;
}

/* Room for one more item of 'size' bytes in an array; adds to 'memory' what it grew. */
static bool room_for(void **items, size_t count, size_t *room, size_t size, size_t *memory)
{
	if (count < *room)
		return true;
	size_t grown = *room == 0 ? 2 : *room * 2;
	void *moved = realloc(*items, grown * size);

	if (moved == NULL)
		return false;
	*memory += (grown - *room) * size;
	*items = moved;
	*room = grown;
	return true;
}

static void insert_range(struct datagram *d, size_t at, struct range range)
{
	if (!room_for((void **)&d->ranges, d->range_count, &d->range_room, sizeof(range),
			    &d->memory))
		return; /* a hole that stays */
	memmove(&d->ranges[at + 1], &d->ranges[at], (d->range_count - at) * sizeof(range));
	d->ranges[at] = range;
	d->range_count++;
	d->covered += range.end - range.start;
}

/* Adds those bytes of start to end that no fragment gave before. True: some had been given. */
static bool add_ranges(struct datagram *d, uint32_t start, uint32_t end, uint32_t fragment)
{
	bool overlap = false;
	size_t i = 0;

	while (i < d->range_count && d->ranges[i].end <= start)
		i++;
	while (start < end) {
		bool last = i == d->range_count || d->ranges[i].start >= end;
		uint32_t stop = last ? end : d->ranges[i].start;

		if (start < stop) {
			size_t before = d->range_count;

			insert_range(d, i, (struct range){ start, stop, fragment });
			i += d->range_count - before;
		}
		if (last)
			break;
		overlap = true;
		start = d->ranges[i++].end;
	}
	return overlap;
}

/* Ranges that reach from 0 to the end, without a hole. */
static bool is_complete(const struct datagram *d)
{
	uint32_t upto = 0;

	if (!d->end_known || d->covered < d->end)
		return false;
	for (size_t i = 0; i < d->range_count && d->ranges[i].start == upto && upto < d->end; i++)
		upto = d->ranges[i].end;
	return upto >= d->end;
}

/* Takes over 'copy'; the datagram has room for another fragment. */
static void add_fragment(
		struct frag_table *t, struct datagram *d, const struct pkt *pkt, struct copy *copy)
{
	uint32_t len = pkt->ip_len > pkt->ip_header_len ? pkt->ip_len - pkt->ip_header_len : 0;
	uint64_t end = (uint64_t)pkt->fragment_offset + len;

	copy->next = d->copies;
	d->copies = copy;
	d->memory += copy->size;
	d->fragments[d->count++] = *pkt;
	if (end > DATAGRAM_MAX) /* counts as a packet, but nothing can be made of it */
		return;
	if (!pkt->fragment_more && !d->end_known) {
		d->end_known = true;
		d->end = (uint32_t)end;
	}
	if (add_ranges(d, pkt->fragment_offset, (uint32_t)end, (uint32_t)d->count - 1)) {
		d->overlaps++;
		t->counts.overlaps++;
	}
}

/* No room, no memory: the fragment is ready at once, by itself. */
static bool hand_back(struct frag_table *t, const struct pkt *fragment, struct copy *unused)
{
	free(unused);
	t->alone = *fragment;
	t->is_alone = true;
	t->counts.capped++;
	t->counts.incomplete++;
	return true;
}

/* A copy of a fragment of a datagram that is whole and gone: ready at once, by itself. */
static bool is_late_copy(struct frag_table *t, uint64_t hash, const struct pkt *fragment)
{
	t->late = (struct frag_datagram){ 0 };
	if (!late_find(t->remembered, hash, fragment, &t->late))
		return false;
	t->alone = *fragment;
	t->is_alone = t->is_late = true;
	t->counts.late++;
	return true;
}

/* After an addition to 'd': is it whole, or has something else to leave? */
static bool settle(struct frag_table *t, struct datagram *d)
{
	if (is_complete(d) && t->ready == NULL) {
		make_ready(t, d, true);
	} else if (t->ready == NULL && t->oldest != d &&
			(t->datagrams > LIMIT_DATAGRAMS || t->memory > LOW_MEMORY)) {
		t->counts.capped++;
		make_ready(t, t->oldest, false);
	}
	return t->ready != NULL;
}

bool frag_add(struct frag_table *t, const struct pkt *fragment)
{
	struct key key = key_of(fragment);
	uint64_t hash = XXH3_64bits_withSeed(&key, sizeof(key), t->seed);
	struct datagram *d = find(t, &key, hash);
	struct pkt pkt;

	forget_ready(t);
	t->counts.fragments++;
	if (d == NULL && is_late_copy(t, hash, fragment))
		return true;
	if (t->memory + copy_size(fragment) > LIMIT_FRAGMENT_BYTES)
		return hand_back(t, fragment, NULL);
	struct copy *copy = copy_new(fragment, &pkt);
	if (copy == NULL)
		return hand_back(t, fragment, copy);
	struct datagram *full = d != NULL && d->count == LIMIT_FRAGMENTS ? d : NULL;
	if (d == NULL || full != NULL) {
		d = datagram_new(&key, hash, fragment->clock_ns);
		if (d == NULL)
			return hand_back(t, fragment, copy);
		put_in(t, d);
	}
	size_t before = d->memory;
	if (!room_for((void **)&d->fragments, d->count, &d->room, sizeof(pkt), &d->memory)) {
		if (d->count == 0) {
			take_out(t, d);
			datagram_free(d);
		}
		return hand_back(t, fragment, copy);
	}
	if (full != NULL) {
		t->counts.capped++;
		make_ready(t, full, false);
	}
	add_fragment(t, d, &pkt, copy);
	t->memory += d->memory - before;
	return settle(t, d);
}

/* When the time of the oldest datagram, which is there, is over. */
static int64_t oldest_over(const struct frag_table *t)
{
	int64_t over;

	return __builtin_add_overflow(t->oldest->start_ns, t->timeout_ns, &over) ? INT64_MAX : over;
}

int64_t frag_due(const struct frag_table *t)
{
	if (t->oldest == NULL)
		return INT64_MAX;
	if (t->memory > LOW_MEMORY)
		return INT64_MIN;
	return oldest_over(t);
}

bool frag_expired(struct frag_table *t, int64_t clock_ns)
{
	struct datagram *d = t->oldest;

	forget_ready(t);
	if (d == NULL || clock_ns < frag_due(t))
		return false;
	if (clock_ns < oldest_over(t)) /* for want of memory, then */
		t->counts.capped++;
	make_ready(t, d, false);
	return true;
}

/* --- taking -------------------------------------------------------------------------------- */

static const struct pkt *first_of(const struct pkt *fragments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fragments[i].fragment_offset == 0)
			return &fragments[i];
	return NULL;
}

/* Writes the datagram's bytes up to the first that is missing; returns how many. */
static size_t gather(const struct datagram *d, uint8_t *to)
{
	size_t done = 0;

	for (size_t i = 0; i < d->range_count && d->ranges[i].start == done; i++) {
		const struct range *range = &d->ranges[i];
		const struct pkt *pkt = &d->fragments[range->fragment];
		struct rd r = pkt->body;
		size_t skip = range->start - pkt->fragment_offset;
		size_t size = range->end - range->start;

		rd_bytes(&r, skip < r.left ? skip : r.left);
		r = rd_first(r, size);
		if (r.left > 0)
			memcpy(to + done, r.p, r.left);
		done += r.left;
		if (r.left < size) /* not captured */
			break;
	}
	return done;
}

/* Headers of the first fragment, then the bytes of all. False: no memory. */
static bool put_together(struct frag_table *t, const struct pkt *first, struct frag_datagram *out)
{
	struct rd header = rd_first(first->ip, first->ip_header_len);
	size_t size = header.left + DATAGRAM_MAX;

	if (size > t->whole_room) {
		uint8_t *grown = realloc(t->whole, size);

		if (grown == NULL)
			return false;
		t->whole = grown;
		t->whole_room = size;
	}
	if (header.left > 0)
		memcpy(t->whole, header.p, header.left);
	out->header = (struct rd){ t->whole, header.left };
	out->whole = (struct rd){ t->whole + header.left,
		gather(t->ready, t->whole + header.left) };
	if (t->complete)
		out->whole = rd_first(out->whole, t->ready->end);
	return true;
}

static struct frag_datagram take_late(struct frag_table *t)
{
	struct frag_datagram out = t->late;

	out.fragments = &t->alone;
	out.count = 1;
	out.whole_len = (uint32_t)out.whole.left;
	out.complete = out.has_first = out.late = true;
	return out;
}

static struct frag_datagram take_alone(struct frag_table *t)
{
	const struct pkt *pkt = &t->alone;
	bool first = pkt->fragment_offset == 0;
	struct frag_datagram out = {
		.fragments = pkt,
		.count = 1,
		.has_first = first,
		.whole_len = pkt->ip_len > pkt->ip_header_len ? pkt->ip_len - pkt->ip_header_len
							      : 0,
	};

	if (first) {
		out.header = rd_first(pkt->ip, pkt->ip_header_len);
		out.whole = pkt->body;
	}
	return out;
}

struct frag_datagram frag_take(struct frag_table *t)
{
	struct frag_datagram out = { 0 };
	struct datagram *d = t->ready;

	if (t->is_late)
		return take_late(t);
	if (t->is_alone)
		return take_alone(t);
	if (d == NULL)
		return out;
	const struct pkt *first = first_of(d->fragments, d->count);
	out.fragments = d->fragments;
	out.count = d->count;
	out.overlaps = d->overlaps;
	out.complete = t->complete;
	out.has_first = first != NULL;
	if (d->range_count > 0)
		out.whole_len = d->ranges[d->range_count - 1].end;
	if (d->end_known && (d->end > out.whole_len || t->complete))
		out.whole_len = d->end;
	if (first != NULL && !put_together(t, first, &out))
		out.complete = out.has_first = false;
	if (out.complete)
		late_remember(t->remembered, d->hash, d->fragments[d->count - 1].clock_ns, &out);
	return out;
}

bool frag_packet(const struct frag_datagram *d, struct pkt *pkt)
{
	const struct pkt *first = d->late ? d->fragments : NULL;

	if (first == NULL && d->has_first)
		first = first_of(d->fragments, d->count);

	if (first == NULL)
		return false;
	*pkt = *first;
	pkt->ip_header_len = (uint32_t)d->header.left;
	pkt->ip = (struct rd){ d->header.p, d->header.left + d->whole.left };
	pkt->body = d->whole;
	pkt->ip_len = pkt->ip_header_len + d->whole_len;
	return true;
}

const struct frag_counts *frag_counts(const struct frag_table *t)
{
	return &t->counts;
}

size_t frag_memory(const struct frag_table *t)
{
	size_t ready = t->ready != NULL ? t->ready->memory : 0;

	return sizeof(*t) + late_memory(t->remembered) + t->memory + t->whole_room + ready;
}
