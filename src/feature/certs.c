/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * certs.c - the store of certificates: a chained hash table, and a list of those nobody holds, the
 * least recently used first.
 *
 * A certificate is one malloc, of which a packet costs at most a few, and only the first time that
 * its bytes are seen: so memory goes back to the system whatever sizes came before.  What is parsed
 * lies in an arena of the certificate's own.
 */
#include "feature/certs.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"

enum { BUCKETS = 64 }; /* at first; a power of two */

struct cert {
	struct cert *next;          /* in its bucket */
	struct cert *older, *newer; /* among those that nobody holds */
	uint64_t hash;
	size_t size;
	uint32_t holders;
	bool parsed;
	size_t memory;
	struct arena arena;
	struct x509_info info;
	uint8_t der[];
};

struct certs {
	struct cert **buckets;
	size_t bucket_count, count_cap, bytes_cap;
	struct cert *oldest, *newest; /* that nobody holds */
	struct pool *pool;
	uint64_t seed;
	struct certs_stats stats;
};

struct certs *certs_new_capped(size_t count, size_t bytes)
{
	struct certs *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	*s = (struct certs){ .bucket_count = BUCKETS, .count_cap = count, .bytes_cap = bytes };
	s->buckets = calloc(BUCKETS, sizeof(struct cert *));
	s->pool = pool_new();
	s->seed = hash_seed();
	if (s->buckets == NULL || s->pool == NULL) {
		certs_free(s);
		return NULL;
	}
	pool_limit(s->pool, bytes);
	return s;
}

struct certs *certs_new(void)
{
	return certs_new_capped(LIMIT_CERTS, LIMIT_CERTS_BYTES);
}

void certs_free(struct certs *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->buckets != NULL && i < s->bucket_count; i++) {
		for (struct cert *c = s->buckets[i], *next; c != NULL; c = next) {
			next = c->next;
			arena_free(&c->arena, s->pool);
			free(c);
		}
	}
	free(s->buckets);
	pool_free(s->pool);
	free(s);
}

static struct cert **bucket_of(const struct certs *s, uint64_t hash)
{
	return &s->buckets[hash & (s->bucket_count - 1)];
}

static struct cert *find(const struct certs *s, struct rd der, uint64_t hash)
{
	struct cert *c = *bucket_of(s, hash);

	while (c != NULL && (c->hash != hash || c->size != der.left ||
					    memcmp(c->der, der.p, der.left) != 0))
		c = c->next;
	return c;
}

/* Twice as many buckets; without memory chains only become longer. */
static void grow(struct certs *s)
{
	size_t before = s->bucket_count;
	struct cert **old = s->buckets, **new = calloc(before * 2, sizeof(struct cert *));

	if (new == NULL)
		return;
	s->buckets = new;
	s->bucket_count = before * 2;
	for (size_t i = 0; i < before; i++) {
		for (struct cert *c = old[i], *next; c != NULL; c = next) {
			struct cert **to = bucket_of(s, c->hash);

			next = c->next;
			c->next = *to;
			*to = c;
		}
	}
	free(old);
}

/* Into and out of the list of those that nobody holds. */
static void append_idle(struct certs *s, struct cert *c)
{
	c->older = s->newest;
	c->newer = NULL;
	*(s->newest == NULL ? &s->oldest : &s->newest->newer) = c;
	s->newest = c;
}

static void remove_idle(struct certs *s, struct cert *c)
{
	*(c->older == NULL ? &s->oldest : &c->older->newer) = c->newer;
	*(c->newer == NULL ? &s->newest : &c->newer->older) = c->older;
}

/* The least recently used one that nobody holds leaves; false without such. */
static bool evict(struct certs *s)
{
	struct cert *c = s->oldest;

	if (c == NULL)
		return false;

	struct cert **link = bucket_of(s, c->hash);

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	remove_idle(s, c);
	arena_free(&c->arena, s->pool);
	s->stats.evicted++;
	s->stats.count--;
	s->stats.bytes -= c->memory;
	free(c);
	return true;
}

static bool make_room(struct certs *s, size_t bytes)
{
	if (bytes > s->bytes_cap || s->count_cap == 0)
		return false;
	while (s->stats.count >= s->count_cap || s->stats.bytes > s->bytes_cap - bytes) {
		if (!evict(s))
			return false;
	}
	return true;
}

static struct cert *add(struct certs *s, struct rd der, uint64_t hash)
{
	size_t memory = sizeof(struct cert) + der.left;
	struct cert *c = make_room(s, memory) ? malloc(memory) : NULL;

	if (c == NULL)
		return NULL;
	if (s->stats.count >= s->bucket_count)
		grow(s);

	struct cert **bucket = bucket_of(s, hash);

	*c = (struct cert){ .next = *bucket, .hash = hash, .size = der.left, .memory = memory };
	memcpy(c->der, der.p, der.left);
	*bucket = c;
	s->stats.count++;
	s->stats.bytes += memory;
	return c;
}

struct cert *certs_hold(struct certs *s, struct rd der)
{
	struct cert *c = NULL;

	if (rd_more(&der) && der.left <= LIMIT_CERT_BYTES) {
		uint64_t hash = hash_bytes(der.p, der.left, s->seed);

		c = find(s, der, hash);
		if (c != NULL) {
			s->stats.known++;
			if (c->holders == 0)
				remove_idle(s, c);
		} else {
			c = add(s, der, hash);
		}
	}
	if (c == NULL) {
		s->stats.refused++;
		return NULL;
	}
	s->stats.held++;
	c->holders++;
	return c;
}

void certs_release(struct certs *s, struct cert *c)
{
	if (c != NULL && --c->holders == 0)
		append_idle(s, c);
}

struct rd cert_der(const struct cert *c)
{
	return (struct rd){ c->der, c->size };
}

const struct x509_info *certs_info(struct certs *s, struct cert *c)
{
	enum { USUAL = 3 }; /* times its own size is what a certificate needs when parsed */
	size_t before;

	if (c->parsed)
		return &c->info;
	while (s->stats.bytes + USUAL * c->size > s->bytes_cap && evict(s))
		;
	before = pool_used(s->pool);
	x509_parse(cert_der(c), &c->arena, s->pool, &c->info);
	c->parsed = true;
	s->stats.parsed++;
	c->memory += pool_used(s->pool) - before;
	s->stats.bytes += pool_used(s->pool) - before;
	return &c->info;
}

size_t certs_memory(const struct certs *s)
{
	return sizeof *s + s->bucket_count * sizeof(struct cert *) + s->stats.bytes -
	       pool_used(s->pool) + pool_memory(s->pool);
}

struct certs_stats certs_stats(const struct certs *s)
{
	return s->stats;
}
