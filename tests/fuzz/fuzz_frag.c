/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_frag.c - fragments of four datagrams in any order and shape, against a map of bytes and
 * owners.
 *
 * Each step takes four bytes: what (datagram 2 bits, more 1, expire 1), offset, length, value.
 */
#include <stdlib.h>
#include <string.h>

#include "net/frag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DATAGRAMS = 4, MAP = 256 * 8 + 256 };

/* What a slow reader of RFC 791 with first-wins would know. */
struct model {
	uint8_t byte[MAP];
	bool known[MAP];
	bool end_known, first;
	size_t end, count;
};

static struct model models[DATAGRAMS];

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool model_complete(const struct model *m)
{
	for (size_t i = 0; i < m->end; i++)
		if (!m->known[i])
			return false;
	return m->end_known;
}

static void model_add(struct model *m, size_t offset, size_t len, bool more, uint8_t value)
{
	for (size_t i = offset; i < offset + len; i++) {
		if (!m->known[i])
			m->byte[i] = value;
		m->known[i] = true;
	}
	if (!more && !m->end_known) {
		m->end_known = true;
		m->end = offset + len;
	}
	m->first |= offset == 0;
	m->count++;
}

static void compare(const struct frag_datagram *d)
{
	struct pkt pkt;
	size_t known = 0;

	check(d->count > 0);
	check(frag_packet(d, &pkt) == d->has_first);
	struct model *m = &models[d->fragments[0].fragment_id];
	if (d->late)
		return;
	check(d->count == m->count && d->has_first == m->first && d->complete == model_complete(m));
	while (known < MAP && m->known[known])
		known++;
	if (d->complete)
		known = m->end;
	check(d->whole.left == (m->first ? known : 0));
	check(known == 0 || !m->first || memcmp(d->whole.p, m->byte, known) == 0);
	check(!d->complete || d->whole_len == m->end);
	*m = (struct model){ 0 };
}

static bool add(struct frag_table *t, const uint8_t *step, int64_t clock_ns)
{
	uint8_t bytes[20 + 256];
	struct pkt pkt;
	size_t offset = step[1] * 8u, len = step[2];
	bool more = step[0] & 4;

	memset(&pkt, 0, sizeof(pkt));
	memset(bytes, step[3], sizeof(bytes));
	pkt.ip = (struct rd){ bytes, 20 + len };
	pkt.body = (struct rd){ bytes + 20, len };
	pkt.ip_len = (uint32_t)(20 + len);
	pkt.ip_header_len = 20;
	pkt.ip_version = 4;
	pkt.clock_ns = clock_ns;
	pkt.fragment_id = step[0] & 3;
	pkt.fragment_offset = (uint32_t)offset;
	pkt.fragment_more = more;
	bool ready = frag_add(t, &pkt);
	if (!ready || !frag_take(t).late)
		model_add(&models[pkt.fragment_id], offset, len, more, step[3]);
	return ready;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frag_table *t = frag_new(1000, 1, NULL);
	int64_t clock_ns = 0;

	check(t != NULL);
	memset(models, 0, sizeof(models));
	/* fewer steps than the cap of one datagram */
	for (size_t i = 0; i + 4 <= size && i < 4 * LIMIT_FRAGMENTS; i += 4) {
		clock_ns += data[i] >> 4;
		while (data[i] & 8 && frag_expired(t, clock_ns)) {
			struct frag_datagram d = frag_take(t);

			compare(&d);
		}
		if (add(t, data + i, clock_ns)) {
			struct frag_datagram d = frag_take(t);

			compare(&d);
		}
		check(frag_memory(t) < LIMIT_FRAGMENT_BYTES);
	}
	while (frag_expired(t, INT64_MAX)) {
		struct frag_datagram d = frag_take(t);

		compare(&d);
	}
	for (size_t i = 0; i < DATAGRAMS; i++)
		check(models[i].count == 0);
	frag_free(t);
	return 0;
}
