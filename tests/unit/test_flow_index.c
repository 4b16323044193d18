/* SPDX-License-Identifier: BSD-3-Clause */
/* test_flow_index.c - the index against an array: what is in is found, what was taken out is not,
 * however hashes collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/index.h"
#include "flow/key.h"

enum { FLOWS = 600, BUCKETS = 64 };

static struct slab slab;
static uint32_t number[FLOWS];
static bool in[FLOWS];

static struct flow *flow(unsigned i)
{
	return slab_at(&slab, number[i]);
}

static void check_all(const struct index *x)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < FLOWS; i++) {
		uint32_t found = index_find(x, &slab, flow(i)->hash, &flow(i)->key);

		assert_int_equal(found, in[i] ? number[i] : SLAB_NONE);
		count += in[i];
	}
	assert_int_equal(count, x->count);
}

/* 'spread': how many different hashes there are. */
static void play(uint32_t spread)
{
	struct index x;
	unsigned seed = 7;

	assert_true(slab_init(&slab, 256, FLOWS));
	assert_true(index_init(&x, BUCKETS));
	for (unsigned i = 0; i < FLOWS; i++) {
		in[i] = false;
		number[i] = slab_take(&slab);
		memset(flow(i), 0, sizeof(struct flow));
		flow(i)->key.port[0] = (uint16_t)i;
		flow(i)->hash = (i % spread + 1) * 2654435761u;
	}
	for (unsigned round = 0; round < 6000; round++) {
		seed = seed * 1103515245 + 12345;
		unsigned i = (seed >> 16) % FLOWS;

		if (in[i])
			index_remove(&x, flow(i)->hash, number[i]);
		else
			index_add(&x, flow(i)->hash, number[i]);
		in[i] = !in[i];
		if (round % 900 == 450 && !index_grows(&x))
			assert_true(index_grow(&x));
		if (round % 3 == 0)
			index_step(&x, &slab, 1);
		if (round % 100 == 0)
			check_all(&x);
	}
	check_all(&x);
	assert_true(x.now.mask >= 4 * BUCKETS);
	index_step(&x, &slab, UINT32_MAX);
	assert_false(index_grows(&x));
	check_all(&x);
	for (unsigned i = 0; i < FLOWS; i++)
		slab_give(&slab, number[i]);
	index_destroy(&x);
	slab_destroy(&slab);
}

/* Full buckets on both sides of where memory is given back. */
static void grows_by_pieces(void **unused)
{
	enum { MANY = 80000, LARGE = 8192 };
	static uint32_t many[MANY];
	struct index x;

	(void)unused;
	assert_true(slab_init(&slab, 256, MANY));
	assert_true(index_init(&x, LARGE));
	const struct key_secret secret = key_secret(5);
	for (uint32_t i = 0; i < MANY; i++) {
		struct flow *f;

		many[i] = slab_take(&slab);
		f = slab_at(&slab, many[i]);
		memset(f, 0, sizeof *f);
		memcpy(f->key.address[0], &i, sizeof i);
		f->hash = key_hash(&f->key, &secret);
		index_add(&x, f->hash, many[i]);
	}
	assert_true(index_grow(&x));
	for (unsigned step = 0; index_grows(&x); step++) {
		for (uint32_t i = step % 97; i < MANY && step % 128 < 3; i += 97) {
			const struct flow *f = slab_at(&slab, many[i]);

			assert_int_equal(index_find(&x, &slab, f->hash, &f->key), many[i]);
		}
		index_step(&x, &slab, 1);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		const struct flow *f = slab_at(&slab, many[i]);

		assert_int_equal(index_find(&x, &slab, f->hash, &f->key), many[i]);
		index_remove(&x, f->hash, many[i]);
		slab_give(&slab, many[i]);
	}
	assert_int_equal(x.count, 0);
	index_destroy(&x);
	slab_destroy(&slab);
}

static void finds_what_is_in(void **unused)
{
	(void)unused;
	play(FLOWS);
}

static void survives_equal_hashes(void **unused)
{
	(void)unused;
	play(1);
	play(3);
	play(40);
}

static struct pkt udp(const char *source, uint16_t sp, const char *destination, uint16_t dp)
{
	struct pkt p;

	memset(&p, 0, sizeof p);
	p.ip_version = 4;
	p.proto = PROTO_UDP;
	memcpy(p.address[0], source, 4);
	memcpy(p.address[1], destination, 4);
	p.port[0] = sp;
	p.port[1] = dp;
	return p;
}

static void both_directions_have_one_key(void **unused)
{
	(void)unused;
	struct pkt out = udp("\x0a\0\0\1", 5000, "\x0a\0\0\2", 53);
	struct pkt back = udp("\x0a\0\0\2", 53, "\x0a\0\0\1", 5000);
	struct pkt other = udp("\x0a\0\0\1", 53, "\x0a\0\0\2", 5000);
	const struct key_secret secret = key_secret(42), another = key_secret(43);
	struct flow_key a, b, c;

	assert_false(key_make(&out, true, &a));
	assert_true(key_make(&back, true, &b));
	key_make(&other, true, &c);
	assert_true(key_equal(&a, &b));
	assert_false(key_equal(&a, &c));
	assert_int_equal(key_hash(&a, &secret), key_hash(&b, &secret));
	assert_int_not_equal(key_hash(&a, &secret), key_hash(&a, &another));
}

static void vlan_ids_are_in_the_key(void **unused)
{
	(void)unused;
	struct pkt p = udp("\x0a\0\0\1", 5000, "\x0a\0\0\2", 53);
	struct flow_key plain, tagged, priority, inner;

	key_make(&p, true, &plain);
	p.layer_count = 1;
	p.layer[0] = (struct layer){ .type = LAYER_VLAN, .id = 0 };
	key_make(&p, true, &priority);
	p.layer[0].id = 10;
	key_make(&p, true, &tagged);
	assert_true(key_equal(&plain, &priority));
	assert_false(key_equal(&plain, &tagged));
	key_make(&p, false, &tagged);
	assert_true(key_equal(&plain, &tagged));

	static const uint8_t outer[8] = { 192, 0, 2, 1, 192, 0, 2, 2 };
	p.layer_count = 2;
	p.layer[0] = (struct layer){
		.type = LAYER_VXLAN, .id = 7, .ip_version = 4, .addresses = outer
	};
	p.layer[1] = (struct layer){ .type = LAYER_VLAN, .id = 10 };
	key_make(&p, true, &inner);
	assert_true(key_equal(&plain, &inner));
}

static void echo_and_reply_are_one(void **unused)
{
	(void)unused;
	struct pkt request = udp("\x7f\0\0\1", 0, "\x7f\0\0\1", 0), reply;
	struct flow_key a, b;

	request.proto = PROTO_ICMP;
	request.icmp_type = 8;
	request.icmp_id = 77;
	reply = request;
	reply.icmp_type = 0;
	/* to oneself: the type alone tells the direction */
	assert_false(key_make(&request, true, &a));
	assert_true(key_make(&reply, true, &b));
	assert_true(key_equal(&a, &b));
	reply.icmp_id = 78;
	key_make(&reply, true, &b);
	assert_false(key_equal(&a, &b));
}

/* Each bit of a key makes it another, and changes its hash, differently for each seed. */
static void every_bit_counts(void **unused)
{
	(void)unused;
	const struct key_secret secret = key_secret(1), other = key_secret(2);
	struct pkt p = udp("\x0a\0\0\1", 5000, "\x0a\0\0\2", 53);
	struct flow_key key;
	uint32_t seen[8 * sizeof key];

	key_make(&p, true, &key);
	for (unsigned bit = 0; bit < 8 * sizeof key; bit++) {
		struct flow_key k = key;

		assert_true(key_equal(&k, &key));
		((uint8_t *)&k)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(key_equal(&k, &key));
		seen[bit] = key_hash(&k, &secret);
		assert_int_not_equal(seen[bit], key_hash(&key, &secret));
		assert_int_not_equal(seen[bit] - key_hash(&key, &secret),
				key_hash(&k, &other) - key_hash(&key, &other));
		for (unsigned i = 0; i < bit; i++)
			assert_int_not_equal(seen[i], seen[bit]);
	}
}

/* In the middle of growing, too; and what is added then is found. */
static void clear_forgets_all(void **unused)
{
	const struct flow_key key = { .proto = 6 };
	struct index x;

	(void)unused;
	assert_true(slab_init(&slab, 256, FLOWS));
	assert_true(index_init(&x, BUCKETS));
	for (unsigned i = 0; i < FLOWS; i++) {
		number[i] = slab_take(&slab);
		*flow(i) = (struct flow){ .key = key, .hash = i * 2654435761u };
		index_add(&x, flow(i)->hash, number[i]);
		if (i == FLOWS / 2)
			assert_true(index_grow(&x));
	}
	assert_true(index_grows(&x));
	index_clear(&x);
	assert_int_equal(x.count, 0);
	for (unsigned i = 0; i < FLOWS; i++)
		assert_int_equal(index_find(&x, &slab, flow(i)->hash, &key), SLAB_NONE);
	index_add(&x, flow(1)->hash, number[1]);
	assert_int_equal(index_find(&x, &slab, flow(1)->hash, &key), number[1]);
	for (unsigned i = 0; i < FLOWS; i++)
		slab_give(&slab, number[i]);
	index_destroy(&x);
	slab_destroy(&slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_by_pieces),
		cmocka_unit_test(finds_what_is_in),
		cmocka_unit_test(survives_equal_hashes),
		cmocka_unit_test(both_directions_have_one_key),
		cmocka_unit_test(vlan_ids_are_in_the_key),
		cmocka_unit_test(echo_and_reply_are_one),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(clear_forgets_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
