/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nameset.c - a keyed hash of names, open addressing by groups of eight.
 *
 * Of each place a byte of the hash is kept apart from the rest, so that for most names that are not
 * there one look at eight bytes says so, and the bytes of a million names stay in the cache.  The
 * suffixes of a name are hashed first and then looked at, so that they wait for memory together.
 */
#include "host/nameset.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"

enum { GROUP = 8, AT_ONCE = 8, LABELS_MAX = 128 };

struct entry {
	uint32_t value;
	uint32_t same; /* the next entry of that name */
	uint32_t size;
	char text[];
};

struct nameset {
	struct buf entries; /* each at a multiple of 4 */
	size_t count;
	uint8_t *tags;    /* 0: free */
	uint32_t *places; /* entry, as its place in 'entries' */
	size_t mask;      /* number of groups, a power of two, less one */
	uint64_t labels;  /* bit n: there are names of n labels; 63: of so many or more */
	uint64_t seed;
};

struct nameset *nameset_new(void)
{
	struct nameset *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->entries = buf_new(UINT32_MAX);
	s->seed = hash_seed();
	return s;
}

void nameset_free(struct nameset *s)
{
	if (s == NULL)
		return;
	buf_free(&s->entries);
	free(s->tags);
	free(s->places);
	free(s);
}

static struct entry *entry_at(const struct nameset *s, size_t place)
{
	return (struct entry *)(void *)(s->entries.p + place);
}

static size_t whole_size(size_t size)
{
	return (sizeof(struct entry) + size + 3) / 4 * 4;
}

static size_t count_labels(const char *name, size_t size)
{
	size_t count = 1;

	for (size_t i = 0; i < size; i++)
		count += name[i] == '.';
	return count;
}

static uint64_t label_bit(size_t count)
{
	return UINT64_C(1) << (count < 63 ? count : 63);
}

bool nameset_add(struct nameset *s, const char *name, size_t size, uint32_t value, struct err *e)
{
	struct entry head = { value, NAMESET_NONE, (uint32_t)size };
	char *to;

	if (s->count == LIMIT_LIST_ENTRIES)
		return err_set(e, "more than %d names", LIMIT_LIST_ENTRIES);
	to = buf_reserve(&s->entries, whole_size(size));
	if (to == NULL)
		return err_set(e, "no memory for %zu names", s->count + 1);
	memcpy(to, &head, sizeof head);
	memcpy(to + sizeof head, name, size);
	buf_commit(&s->entries, whole_size(size));
	s->labels |= label_bit(count_labels(name, size));
	s->count++;
	return true;
}

/* --- the table --------------------------------------------------------------------------- */

static uint64_t each_byte(uint8_t v)
{
	return v * UINT64_C(0x0101010101010101);
}

/* Has its highest bit set for each byte that is 0, and perhaps for some behind the first of them.
 */
static uint64_t zeros(uint64_t v)
{
	return (v - each_byte(0x01)) & ~v & each_byte(0x80);
}

static uint64_t load_group(const struct nameset *s, size_t group)
{
	uint64_t v;

	memcpy(&v, s->tags + GROUP * group, sizeof v);
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(v) : v;
}

static uint8_t tag_of(uint64_t hash)
{
	uint8_t tag = (uint8_t)(hash >> 56);

	return tag == 0 ? 1 : tag;
}

static uint32_t probe(const struct nameset *s, const char *name, size_t size, uint64_t hash)
{
	for (size_t at = (size_t)hash;; at++) {
		size_t group = at & s->mask;
		uint64_t tags = load_group(s, group);
		uint64_t match = zeros(tags ^ each_byte(tag_of(hash)));

		for (; match != 0; match &= match - 1) {
			uint32_t place = s->places[GROUP * group +
						   (unsigned)__builtin_ctzll(match) / 8];
			const struct entry *e = entry_at(s, place);

			if (e->size == size && memcmp(e->text, name, size) == 0)
				return place;
		}
		if (zeros(tags) != 0)
			return NAMESET_NONE;
	}
}

static void insert(struct nameset *s, size_t place, uint64_t hash)
{
	for (size_t at = (size_t)hash;; at++) {
		size_t group = at & s->mask;
		uint64_t free_ones = zeros(load_group(s, group));

		if (free_ones != 0) {
			size_t i = GROUP * group + (unsigned)__builtin_ctzll(free_ones) / 8;

			s->tags[i] = tag_of(hash);
			s->places[i] = (uint32_t)place;
			return;
		}
	}
}

/* Behind those of the same name, unless one of them has the same value. */
static void add_same(struct nameset *s, uint32_t first, size_t place)
{
	struct entry *at = entry_at(s, first);
	const uint32_t value = entry_at(s, place)->value;

	while (at->value != value && at->same != NAMESET_NONE)
		at = entry_at(s, at->same);
	if (at->value != value)
		at->same = (uint32_t)place;
}

bool nameset_build(struct nameset *s, struct err *e)
{
	size_t groups = 8;

	while (groups * GROUP < 2 * s->count)
		groups *= 2;
	s->tags = calloc(groups, GROUP);
	s->places = calloc(groups * GROUP, sizeof *s->places);
	if (s->tags == NULL || s->places == NULL)
		return err_set(e, "no memory for %zu names", s->count);
	s->mask = groups - 1;
	for (size_t at = 0; at < s->entries.size; at += whole_size(entry_at(s, at)->size)) {
		const struct entry *entry = entry_at(s, at);
		uint64_t hash = hash_bytes(entry->text, entry->size, s->seed);
		uint32_t first = probe(s, entry->text, entry->size, hash);

		if (first == NAMESET_NONE)
			insert(s, at, hash);
		else
			add_same(s, first, at);
	}
	return true;
}

/* --- asking ------------------------------------------------------------------------------ */

uint32_t nameset_find(const struct nameset *s, const char *name, size_t size)
{
	return probe(s, name, size, hash_bytes(name, size, s->seed));
}

struct suffix {
	size_t at;
	uint64_t hash;
};

/* Where suffixes begin of which there may be entries, by their number of labels. */
static size_t list_suffixes(const struct nameset *s, const char *name, size_t size,
		uint8_t out[static LABELS_MAX])
{
	uint8_t begin[LABELS_MAX];
	size_t labels = 0, n = 0;

	begin[labels++] = 0;
	for (size_t i = 0; i + 1 < size && labels < LABELS_MAX; i++)
		if (name[i] == '.')
			begin[labels++] = (uint8_t)(i + 1);
	for (size_t i = 0; i < labels; i++)
		if (s->labels & label_bit(labels - i))
			out[n++] = begin[i];
	return n;
}

/* Hashes some suffixes and has their groups fetched. */
static void hash_suffixes(const struct nameset *s, const char *name, size_t size,
		const uint8_t *begin, size_t count, struct suffix *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i].at = begin[i];
		out[i].hash = hash_bytes(name + begin[i], size - begin[i], s->seed);
		__builtin_prefetch(s->tags + GROUP * (out[i].hash & s->mask));
		__builtin_prefetch(s->places + GROUP * (out[i].hash & s->mask));
	}
}

size_t nameset_match(const struct nameset *s, const char *name, size_t size, uint32_t *entries,
		size_t max)
{
	uint8_t begin[LABELS_MAX];
	struct suffix suffixes[AT_ONCE];
	size_t count = size == 0 || size > UINT8_MAX ? 0 : list_suffixes(s, name, size, begin);
	size_t found = 0;

	for (size_t at = 0; at < count; at += AT_ONCE) {
		size_t some = count - at < AT_ONCE ? count - at : AT_ONCE;

		hash_suffixes(s, name, size, begin + at, some, suffixes);
		for (size_t i = 0; i < some && found < max; i++) {
			entries[found] = probe(s, name + suffixes[i].at, size - suffixes[i].at,
					suffixes[i].hash);
			found += entries[found] != NAMESET_NONE;
		}
	}
	return found;
}

uint32_t nameset_same(const struct nameset *s, uint32_t entry)
{
	return entry_at(s, entry)->same;
}

uint32_t nameset_value(const struct nameset *s, uint32_t entry)
{
	return entry_at(s, entry)->value;
}

const char *nameset_text(const struct nameset *s, uint32_t entry, size_t *size)
{
	*size = entry_at(s, entry)->size;
	return entry_at(s, entry)->text;
}

size_t nameset_count(const struct nameset *s)
{
	return s->count;
}

size_t nameset_memory(const struct nameset *s)
{
	return sizeof *s + s->entries.room +
	       (s->mask + 1) * GROUP * (sizeof *s->tags + sizeof *s->places);
}
