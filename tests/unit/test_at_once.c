/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_at_once.c - features that can wait say the same of a whole flow as of its packets one by
 * one.
 */
#include "unit/feature_kit.h"

#include "feature/journal.h"
#include "feature/stats_out.h"
#include "random_kit.h"
#include "record/plan.h"

extern const struct feature feature_packets, feature_salt, feature_ppi, feature_stats;

struct both {
	struct kit kit;
	struct journal_packet packet[JOURNAL_PACKETS];
	size_t count;
};

static bool wants(const struct feature *f, const struct journal_packet *p)
{
	return f->wants & WANT_PACKET || (f->wants & WANT_DATA && p->payload_len > 0) ||
	       (f->wants & WANT_TCP && p->segment);
}

static void show_one_by_one(struct both *b)
{
	struct kit *k = &b->kit;

	for (size_t i = 0; i < b->count && !k->done; i++) {
		if (!wants(k->feature, &b->packet[i]))
			continue;
		journal_show(&b->packet[i], k->flow.key.proto, &k->pkt);
		k->done = k->feature->update(k->state, &k->env, &k->flow, &k->pkt) == DONE;
	}
}

static struct buf text(const struct kit *k, bool there)
{
	const void *data[] = { there ? k->out : NULL };
	struct buf to = buf_new(1 << 20);
	struct err e;
	struct plan *plan = plan_new(&k->feature->fields, 1, true, &e);

	assert_non_null(plan);
	plan_json(plan, data, &to);
	assert_true(buf_ok(&to));
	plan_free(plan);
	return to;
}

static void compare(struct both *b)
{
	struct kit *k = &b->kit;
	struct buf one_by_one, at_once;

	show_one_by_one(b);
	one_by_one = text(k, kit_finish(k));
	memset(k->out, 0, k->feature->out_size);
	at_once = text(k, k->feature->at_once(b->packet, b->count, &k->env, &k->view, k->out));
	assert_int_equal(one_by_one.size, at_once.size);
	assert_memory_equal(one_by_one.p, at_once.p, at_once.size);
	buf_free(&one_by_one);
	buf_free(&at_once);
}

/* Numbers that mostly go on from packet to packet. */
static struct journal_packet some_packet(uint8_t proto, int64_t *now_ns, uint32_t *seq)
{
	static const uint16_t marks[] = { 0, 0, 0, 0, 0, PKT_FRAGMENT, PKT_BAD_TRANSPORT };
	struct journal_packet p = { .now_ns = *now_ns += (int64_t)(next_random() >> 33),
		.payload_len = next_random() % 3 == 0 ? 0 : (uint32_t)(next_random() % 1461),
		.marks = marks[next_random() % 7],
		.dir = next_random() % 5 < 2,
		.transport_len = proto == PROTO_TCP ? 32 : 8 };

	p.ip_len = p.payload_len + 40;
	p.segment = proto == PROTO_TCP && p.marks == 0;
	p.old = proto == PROTO_TCP && next_random() % 8 == 0;
	if (p.marks != 0)
		p.transport_len = 0;
	if (!p.segment)
		return p;
	p.tcp_flags = next_random() % 4 == 0 ? next_random() % 512 : TCP_ACK;
	p.seq = seq[p.dir];
	p.ack = seq[!p.dir];
	seq[p.dir] += p.payload_len;
	return p;
}

static void make(struct both *b, const struct feature *feature)
{
	int64_t now_ns = (int64_t)(next_random() >> 4);
	uint32_t seq[2] = { (uint32_t)next_random(), (uint32_t)next_random() };
	struct kit *k = &b->kit;

	kit_start(k, feature, now_ns);
	k->flow.key.proto = next_random() % 4 == 0 ? PROTO_UDP : PROTO_TCP;
	k->conf.num_pkts = next_random() % 3 == 0 ? 5 : 200;
	k->conf.zeros = next_random() & 1;
	k->conf.retrans = next_random() & 1;
	if (feature == &feature_stats)
		((struct stats_options *)k->options)->idle.ns = INT64_C(2000000000);
	b->count = next_random() % (JOURNAL_PACKETS + 1) >> next_random() % 7;
	for (size_t i = 0; i < b->count; i++) {
		b->packet[i] = some_packet(k->flow.key.proto, &now_ns, seq);
		k->flow.side[b->packet[i].dir].packets++;
	}
}

static void at_once_as_one_by_one(void **unused)
{
	static const struct feature *const features[] = { &feature_packets, &feature_salt,
		&feature_ppi, &feature_stats };

	(void)unused;
	for (unsigned round = 0; round < 4000; round++) {
		struct both b;

		make(&b, features[round % 4]);
		compare(&b);
		kit_free(&b.kit);
	}
}

/* Every feature that can wait can do both. */
static void who_waits_can_do_both(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < feature_count; i++)
		assert_int_equal(feature_list[i]->later, feature_list[i]->at_once != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once_as_one_by_one),
		cmocka_unit_test(who_waits_can_do_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
