/* SPDX-License-Identifier: BSD-3-Clause */
/* test_frag.c - fragments in any order, overlaps, late copies, caps, expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/decode.h"
#include "net/frag.h"

#define TIMEOUT_NS INT64_C(30000000000)

enum { BODY_MAX = 65536, HEADER = 20 };

static uint8_t body[BODY_MAX]; /* of every datagram here: byte i is i * 7 + i / 256 */

static int setup(void **state)
{
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7 + i / 256);
	*state = frag_new(TIMEOUT_NS, 42, NULL);
	return *state == NULL;
}

static int teardown(void **state)
{
	frag_free(*state);
	return 0;
}

/* A fragment with 'len' bytes of the body from 'offset' on; 'bytes' keeps what it points into. */
static struct pkt fragment(uint32_t id, uint32_t offset, uint32_t len, bool more)
{
	static uint8_t bytes[HEADER + BODY_MAX];
	struct pkt p;

	memset(&p, 0, sizeof(p));
	memset(bytes, 0xee, HEADER);
	memcpy(bytes + HEADER, body + offset, len);
	p.ip = (struct rd){ bytes, HEADER + len };
	p.body = (struct rd){ bytes + HEADER, len };
	p.ip_len = HEADER + len;
	p.ip_header_len = HEADER;
	p.ip_version = 4;
	p.proto = 17;
	p.address[0][0] = 10;
	p.address[1][0] = 11;
	p.fragment_id = id;
	p.fragment_offset = offset;
	p.fragment_more = more;
	p.marks = PKT_FRAGMENT;
	return p;
}

/* Adds, and spoils the bytes afterwards: the table must have its own. */
static bool add(struct frag_table *t, struct pkt p)
{
	bool ready = frag_add(t, &p);

	memset((void *)(uintptr_t)p.ip.p, 0xdd, p.ip.left);
	return ready;
}

static void assert_whole(const struct frag_datagram *d, uint32_t len)
{
	assert_true(d->complete);
	assert_true(d->has_first);
	assert_false(d->late);
	assert_int_equal(d->whole_len, len);
	assert_int_equal(d->whole.left, len);
	assert_memory_equal(d->whole.p, body, len);
	assert_int_equal(d->header.left, HEADER);
	assert_ptr_equal(d->header.p + HEADER, d->whole.p);
	assert_int_equal(d->header.p[0], 0xee);
}

/* Adds pieces of 16 bytes in the order given; the last has 5. */
static void in_order(struct frag_table *t, const unsigned *order, unsigned count, uint32_t id)
{
	for (unsigned i = 0; i < count; i++) {
		bool last = order[i] == count - 1;
		bool ready = add(t, fragment(id, order[i] * 16, last ? 5 : 16, !last));

		assert_int_equal(ready, i == count - 1);
	}
	struct frag_datagram d = frag_take(t);
	assert_whole(&d, (count - 1) * 16 + 5);
	assert_int_equal(d.count, count);
	assert_int_equal(d.overlaps, 0);
	for (unsigned i = 0; i < count; i++) /* in order of arrival */
		assert_int_equal(d.fragments[i].fragment_offset, order[i] * 16);
}

static unsigned permute(
		struct frag_table *t, unsigned *order, unsigned done, unsigned count, uint32_t id)
{
	unsigned n = 0;

	if (done == count) {
		in_order(t, order, count, id);
		return 1;
	}
	for (unsigned i = done; i < count; i++) {
		unsigned swap = order[done];

		order[done] = order[i];
		order[i] = swap;
		n += permute(t, order, done + 1, count, id + n);
		order[i] = order[done];
		order[done] = swap;
	}
	return n;
}

static void any_order(void **state)
{
	static const unsigned factorial[] = { 1, 1, 2, 6, 24, 120 };
	struct frag_table *t = *state;
	uint32_t id = 0;

	for (unsigned count = 2; count <= 5; count++) {
		unsigned order[] = { 0, 1, 2, 3, 4 };

		assert_int_equal(permute(t, order, 0, count, id), factorial[count]);
		id += factorial[count];
	}
	assert_int_equal(frag_counts(t)->complete, 2 + 6 + 24 + 120);
	assert_int_equal(frag_counts(t)->incomplete, 0);
	assert_int_equal(frag_counts(t)->overlaps, 0);
	assert_false(frag_expired(t, INT64_MAX));
}

static void packet_of_datagram(void **state)
{
	struct frag_table *t = *state;
	struct pkt p;

	assert_false(add(t, fragment(1, 16, 5, false)));
	assert_true(add(t, fragment(1, 0, 16, true)));
	struct frag_datagram d = frag_take(t);
	assert_true(frag_packet(&d, &p));
	assert_int_equal(p.fragment_offset, 0);
	assert_int_equal(p.ip_len, HEADER + 21);
	assert_int_equal(p.body.left, 21);
	assert_int_equal(p.ip.left, HEADER + 21);
	/* each fragment keeps its own bytes */
	assert_memory_equal(d.fragments[0].body.p, body + 16, 5);
	assert_memory_equal(d.fragments[1].body.p, body, 16);
}

static void keys(void **state)
{
	struct frag_table *t = *state;
	struct layer vlan = { .type = LAYER_VLAN, .id = 10 };
	struct pkt a = fragment(1, 0, 16, true), b = fragment(1, 16, 5, false);

	assert_false(frag_add(t, &a));
	struct pkt other = b;
	other.proto = 6;
	assert_false(frag_add(t, &other));
	other = b;
	other.address[1][3] = 1;
	assert_false(frag_add(t, &other));
	other = b;
	other.fragment_id = 2;
	assert_false(frag_add(t, &other));
	other = b;
	other.layer[other.layer_count++] = vlan;
	assert_false(frag_add(t, &other));
	vlan.id = 0; /* priority only: no other network */
	b.layer[b.layer_count++] = vlan;
	assert_true(frag_add(t, &b));
	/* IPv6: the protocol is not in the key */
	a.ip_version = b.ip_version = 6;
	b.proto = 6;
	assert_false(frag_add(t, &a));
	assert_true(frag_add(t, &b));
	unsigned left = 0;
	while (frag_expired(t, INT64_MAX)) {
		struct frag_datagram d = frag_take(t);

		assert_false(d.has_first || d.complete);
		assert_int_equal(d.whole.left, 0);
		left++;
	}
	assert_int_equal(left, 4);
}

static void layer_addresses(void **state)
{
	struct frag_table *t = *state;
	uint8_t v4[8] = "abcdefg", v6[32] = "0123456789abcdef0123456789abcde";
	struct pkt p = fragment(1, 16, 5, false);

	p.layer_count = 3;
	p.layer[0] = (struct layer){ .type = LAYER_VLAN, .id = 1 };
	p.layer[1] = (struct layer){ .type = LAYER_GRE, .addresses = v4, .ip_version = 4 };
	p.layer[2] = (struct layer){ .type = LAYER_GRE, .addresses = v6, .ip_version = 6 };
	assert_false(add(t, p));
	memset(v4, 0, sizeof(v4));
	memset(v6, 0, sizeof(v6));
	assert_true(frag_expired(t, INT64_MAX));
	struct frag_datagram d = frag_take(t);
	assert_null(d.fragments[0].layer[0].addresses);
	assert_memory_equal(d.fragments[0].layer[1].addresses, "abcdefg", 8);
	assert_memory_equal(
			d.fragments[0].layer[2].addresses, "0123456789abcdef0123456789abcde", 32);
}

static void first_wins(void **state)
{
	struct frag_table *t = *state;
	struct pkt evil;

	/* 0-15 and 32-47 are there; then 8-39 with other bytes: only 16-31 is taken */
	assert_false(add(t, fragment(1, 0, 16, true)));
	assert_false(add(t, fragment(1, 32, 16, true)));
	evil = fragment(1, 8, 32, true);
	memset((void *)(uintptr_t)evil.body.p, 'x', 32);
	assert_false(add(t, evil));
	assert_true(add(t, fragment(1, 48, 4, false)));
	struct frag_datagram d = frag_take(t);
	assert_true(d.complete);
	assert_int_equal(d.overlaps, 1);
	assert_int_equal(d.whole.left, 52);
	for (unsigned i = 0; i < 52; i++)
		assert_int_equal(d.whole.p[i], i >= 16 && i < 32 ? 'x' : body[i]);
	/* one that covers everything before it, and what is beyond the end */
	assert_false(add(t, fragment(2, 16, 8, true)));
	assert_false(add(t, fragment(2, 40, 8, true)));
	assert_false(add(t, fragment(2, 56, 8, false)));
	assert_true(add(t, fragment(2, 0, 72, true)));
	d = frag_take(t);
	assert_whole(&d, 64);
	assert_int_equal(frag_counts(t)->overlaps, 2);
	/* a second end does not move the first */
	assert_false(add(t, fragment(3, 16, 4, false)));
	assert_false(add(t, fragment(3, 32, 4, false)));
	assert_true(add(t, fragment(3, 0, 16, true)));
	d = frag_take(t);
	assert_whole(&d, 20);
}

static void late_copies(void **state)
{
	struct frag_table *t = *state;
	struct frag_datagram d;
	struct pkt p;

	assert_false(add(t, fragment(1, 0, 16, true)));
	assert_false(add(t, fragment(1, 0, 16, true))); /* a copy in time is an overlap */
	assert_true(add(t, fragment(1, 16, 5, false)));
	d = frag_take(t);
	assert_int_equal(d.count, 3);
	assert_int_equal(d.overlaps, 1);
	/* a copy too late: of its datagram's flow */
	assert_true(add(t, fragment(1, 16, 5, false)));
	d = frag_take(t);
	assert_true(d.late && d.has_first && d.complete);
	assert_int_equal(d.count, 1);
	assert_memory_equal(d.whole.p, body, 16);
	assert_true(frag_packet(&d, &p));
	assert_int_equal(p.fragment_offset, 16);
	assert_memory_equal(p.body.p, body, 16);
	assert_int_equal(frag_counts(t)->late, 1);
	/* other bytes, or much later: a datagram of its own */
	p = fragment(1, 16, 5, false);
	((uint8_t *)(uintptr_t)p.body.p)[0] ^= 1;
	assert_false(add(t, p));
	assert_true(frag_expired(t, INT64_MAX));
	p = fragment(1, 16, 5, false);
	p.clock_ns = INT64_C(2000000000);
	assert_false(add(t, p));
}

/* Which datagrams are remembered must not depend on the seed of the hash, which differs from run to
 * run: the last ones are. */
static void the_last_datagrams_are_remembered(void **state)
{
	enum { DATAGRAMS = 300, REMEMBERED = 256 };

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct err e;
		struct frag_table *t =
				frag_new(INT64_C(30000000000), seed * 0x9e3779b97f4a7c15, &e);

		for (uint32_t id = 1; id <= DATAGRAMS; id++) {
			assert_false(add(t, fragment(id, 0, 16, true)));
			assert_true(add(t, fragment(id, 16, 4, false)));
			frag_take(t);
		}
		for (uint32_t id = 1; id <= DATAGRAMS; id++) {
			const bool late = add(t, fragment(id, 16, 4, false));

			assert_int_equal(late, id > DATAGRAMS - REMEMBERED);
			if (late)
				frag_take(t);
		}
		assert_int_equal(frag_counts(t)->late, REMEMBERED);
		frag_free(t);
	}
}

static void captured_in_part(void **state)
{
	struct frag_table *t = *state;
	struct pkt p = fragment(1, 0, 64, true);
	struct frag_datagram d;

	p.body.left = 10; /* the snaplen took the rest */
	p.ip.left = HEADER + 10;
	assert_false(add(t, p));
	assert_true(add(t, fragment(1, 64, 8, false)));
	d = frag_take(t);
	assert_true(d.complete);
	assert_int_equal(d.whole_len, 72);
	assert_int_equal(d.whole.left, 10);
	assert_memory_equal(d.whole.p, body, 10);
}

static void largest(void **state)
{
	struct frag_table *t = *state;
	struct frag_datagram d;

	for (uint32_t at = 0; at < 65528; at += 8192)
		assert_int_equal(add(t, fragment(1, at, at == 57344 ? 8191 : 8192, at != 57344)),
				at == 57344);
	d = frag_take(t);
	assert_whole(&d, 65535);
	/* one that reaches further counts as a packet, and nothing is made of it */
	struct pkt p = fragment(2, 0, 32, false);
	p.fragment_offset = 65528;
	assert_false(add(t, p));
	assert_false(add(t, fragment(2, 0, 16, true)));
	assert_true(frag_expired(t, INT64_MAX));
	d = frag_take(t);
	assert_false(d.complete);
	assert_int_equal(d.count, 2);
	assert_int_equal(d.whole.left, 16);
	/* neither header nor body */
	p = fragment(3, 0, 0, true);
	p.ip_len = p.ip_header_len = 0;
	p.ip = p.body = (struct rd){ NULL, 0 };
	assert_false(frag_add(t, &p));
	assert_true(frag_expired(t, INT64_MAX));
}

static void expiry(void **state)
{
	struct frag_table *t = *state;

	for (uint32_t i = 0; i < 10; i++) {
		struct pkt p = fragment(i, 0, 16, true);

		p.clock_ns = i;
		assert_false(add(t, p));
	}
	assert_false(frag_expired(t, TIMEOUT_NS - 1));
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(frag_expired(t, TIMEOUT_NS + 3));
		struct frag_datagram d = frag_take(t);

		assert_int_equal(d.fragments[0].fragment_id, i); /* oldest first */
		assert_true(d.has_first);
		assert_false(d.complete);
		assert_int_equal(d.whole_len, 16);
	}
	assert_false(frag_expired(t, TIMEOUT_NS + 3));
	assert_false(frag_expired(t, INT64_MIN));
	for (uint32_t i = 4; i < 10; i++) {
		assert_true(frag_expired(t, INT64_MAX));
		assert_int_equal(frag_take(t).fragments[0].fragment_id, i);
	}
	assert_false(frag_expired(t, INT64_MAX));
	assert_int_equal(frag_counts(t)->incomplete, 10);
	assert_int_equal(frag_counts(t)->fragments, 10);
}

/* Takes what is ready, if something is; returns how many fragments it had. */
static size_t take(struct frag_table *t, bool ready)
{
	return ready ? frag_take(t).count : 0;
}

static void many_fragments(void **state)
{
	struct frag_table *t = *state;
	size_t out = 0;

	/* a datagram in more pieces than are kept: what came is handed out, the rest goes on */
	for (uint32_t i = 0; i < LIMIT_FRAGMENTS + 10; i++) {
		bool ready = add(t, fragment(1, i * 16, 8, true)); /* with holes */

		assert_int_equal(ready, i == LIMIT_FRAGMENTS);
		out += take(t, ready);
	}
	assert_int_equal(out, LIMIT_FRAGMENTS);
	assert_int_equal(frag_counts(t)->capped, 1);
	assert_true(frag_expired(t, INT64_MAX));
	assert_int_equal(frag_take(t).count, 10);
	/* from behind, the worst order for a sorted list */
	for (uint32_t i = LIMIT_FRAGMENTS; i > 0; i--)
		assert_int_equal(add(t, fragment(2, (i - 1) * 8, 8, i < LIMIT_FRAGMENTS)), i == 1);
	struct frag_datagram d = frag_take(t);
	assert_whole(&d, LIMIT_FRAGMENTS * 8);
}

static void many_datagrams(void **state)
{
	struct frag_table *t = *state;
	size_t out = 0;

	for (uint32_t i = 0; i < 2 * LIMIT_DATAGRAMS; i++) {
		struct pkt p = fragment(i, 0, 8, true);
		bool ready = frag_add(t, &p);

		assert_int_equal(ready, i >= LIMIT_DATAGRAMS);
		if (ready)
			assert_int_equal(
					frag_take(t).fragments[0].fragment_id, i - LIMIT_DATAGRAMS);
		out += ready;
	}
	while (frag_expired(t, INT64_MAX))
		out += take(t, true);
	assert_int_equal(out, 2 * LIMIT_DATAGRAMS); /* none lost */
	assert_int_equal(frag_counts(t)->capped, LIMIT_DATAGRAMS);
}

static void much_memory(void **state)
{
	struct frag_table *t = *state;
	size_t out = 0, added = 0;

	/* small datagrams first, then large fragments: one small one leaves for each large one */
	for (uint32_t i = 0; i < 2000; i++, added++) {
		struct pkt p = fragment(i, 0, 8, true);

		out += take(t, frag_add(t, &p));
	}
	for (uint32_t i = 2000; i < 6000; i++, added++) {
		struct pkt p = fragment(i, 0, 60000, true);

		out += take(t, frag_add(t, &p));
		assert_true(frag_memory(t) < LIMIT_FRAGMENT_BYTES + (2 << 20));
	}
	/* the table can be brought back below its mark at once */
	while (frag_expired(t, 0))
		out += take(t, true);
	assert_true(frag_memory(t) < LIMIT_FRAGMENT_BYTES);
	assert_true(frag_counts(t)->capped > 1000);
	while (frag_expired(t, INT64_MAX))
		out += take(t, true);
	assert_int_equal(out, added);
}

/* A fragment for which there is no room is handed back by itself, with its bytes. */
static void alone(void **state)
{
	struct frag_table *t = *state;

	for (uint32_t i = 0; i < 5000; i++) {
		struct pkt p = fragment(i, 0, 65000, true);
		bool ready = frag_add(t, &p);
		struct frag_datagram d = frag_take(t);

		if (!ready)
			continue;
		assert_true(d.has_first);
		assert_false(d.complete);
		assert_int_equal(d.whole_len, 65000);
		assert_int_equal(d.whole.left, 65000);
		assert_memory_equal(d.whole.p, body, 65000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(packet_of_datagram, setup, teardown),
		cmocka_unit_test_setup_teardown(keys, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(first_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(late_copies, setup, teardown),
		cmocka_unit_test(the_last_datagrams_are_remembered),
		cmocka_unit_test_setup_teardown(captured_in_part, setup, teardown),
		cmocka_unit_test_setup_teardown(largest, setup, teardown),
		cmocka_unit_test_setup_teardown(expiry, setup, teardown),
		cmocka_unit_test_setup_teardown(many_fragments, setup, teardown),
		cmocka_unit_test_setup_teardown(many_datagrams, setup, teardown),
		cmocka_unit_test_setup_teardown(much_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(alone, setup, teardown),
	};

	return cmocka_run_group_tests_name("frag", tests, NULL, NULL);
}
