/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_certs.c - any order of holds and releases: the store does what a naive one does.
 *
 * The first byte is the cap on certificates, each other one an act: its high bits say which, its
 * low ones on which certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "feature/certs.h"

enum { IDS = 32, CAPS = 12 };

struct entry { /* of the naive store */
	struct cert *cert;
	unsigned holders;
	uint64_t released; /* when the last holder went */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rd bytes_of(unsigned id, uint8_t *room)
{
	for (unsigned n = 0; n <= id; n++)
		room[n] = (uint8_t)(n == id ? id : 7);
	return (struct rd){ room, id + 1 };
}

/* Which one leaves; NULL when all are held. */
static struct entry *oldest(struct entry *entries)
{
	struct entry *best = NULL;

	for (unsigned id = 0; id < IDS; id++) {
		struct entry *e = &entries[id];

		if (e->cert != NULL && e->holders == 0 &&
				(best == NULL || e->released < best->released))
			best = e;
	}
	return best;
}

static unsigned count(const struct entry *entries)
{
	unsigned n = 0;

	for (unsigned id = 0; id < IDS; id++)
		n += entries[id].cert != NULL;
	return n;
}

static void hold(struct certs *s, struct entry *entries, unsigned id, unsigned cap)
{
	uint8_t room[IDS];
	struct entry *e = &entries[id];
	struct cert *c = certs_hold(s, bytes_of(id, room));

	if (e->cert == NULL && count(entries) == cap) {
		struct entry *leaves = oldest(entries);

		if ((leaves == NULL) != (c == NULL))
			abort();
		if (leaves == NULL)
			return;
		leaves->cert = NULL;
	}
	if (c == NULL || (e->cert != NULL && e->cert != c))
		abort();
	e->cert = c;
	e->holders++;
	if (cert_der(c).left != id + 1 || memcmp(cert_der(c).p, room, id + 1) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry entries[IDS] = { { 0 } };
	unsigned cap = size > 0 ? 1 + data[0] % CAPS : 1;
	struct certs *s = certs_new_capped(cap, 1 << 20);

	for (size_t n = 1; s != NULL && n < size; n++) {
		unsigned id = data[n] % IDS;
		struct entry *e = &entries[id];

		if (data[n] < 0x80) {
			hold(s, entries, id, cap);
		} else if (e->holders > 0 && data[n] < 0xe0) {
			certs_release(s, e->cert);
			e->holders--;
			e->released = n;
		} else if (e->holders > 0 && certs_info(s, e->cert)->size != id + 1) {
			abort();
		}
		if (certs_stats(s).count != count(entries) || certs_stats(s).bytes > 1 << 20)
			abort();
	}
	certs_free(s);
	return 0;
}
