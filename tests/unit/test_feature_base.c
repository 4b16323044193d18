/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_base.c - identity, counters, times and marks of a record. */
#include "unit/feature_kit.h"

extern const struct feature feature_base;

static uint8_t address_byte(const struct kit *k, const char *path)
{
	return ((const struct field_address *)kit_at(k, path).at)->bytes[3];
}

static struct field_time time_at(const struct kit *k, const char *path)
{
	return *(const struct field_time *)kit_at(k, path).at;
}

static void conversation(struct kit *k)
{
	kit_start(k, &feature_base, 1000);
	kit_count(k, 0, 100, 1000);
	kit_count(k, 1, 3000, 5000);
	kit_count(k, 1, 0, 4000);
	k->flow.end = FLOW_END_IDLE;
	k->flow.rtt_ns = 1234567;
}

static void both_directions(void **unused)
{
	struct kit k;

	(void)unused;
	conversation(&k);
	k.flow.marks = FLOW_NANOSECONDS | FLOW_CLOSED | FLOW_GONE;
	assert_true(kit_finish(&k));
	assert_int_equal(address_byte(&k, "sa"), 1);
	assert_int_equal(address_byte(&k, "da"), 2);
	assert_int_equal(kit_int(&k, "pr"), 6);
	assert_int_equal(kit_int(&k, "sp"), 40000);
	assert_int_equal(kit_int(&k, "dp"), 80);
	assert_int_equal(kit_int(&k, "bytes_out"), 100);
	assert_int_equal(kit_int(&k, "num_pkts_out"), 1);
	assert_int_equal(kit_int(&k, "bytes_in"), 3000);
	assert_int_equal(kit_int(&k, "num_pkts_in"), 2);
	assert_int_equal(kit_int(&k, "ip_bytes_out"), 140);
	assert_int_equal(kit_int(&k, "ip_bytes_in"), 3080);
	assert_int_equal(time_at(&k, "time_start").ns, 1000);
	assert_int_equal(time_at(&k, "time_end").ns, 5000);
	assert_true(time_at(&k, "time_end").nanoseconds);
	assert_int_equal(kit_int(&k, "flow_id"), 1);
	assert_int_equal(kit_int(&k, "part"), 1);
	assert_int_equal(kit_int(&k, "end_reason"), 1);
	assert_true(kit_is(&k, "expire_type", "i"));
	assert_int_equal(kit_int(&k, "rtt_ms"), 1234567);
	assert_int_equal(kit_int(&k, "retrans_out"), 0);
	assert_int_equal(kit_int(&k, "icmp_type"), -1);
	assert_int_equal(kit_int(&k, "icmp_errors_in"), -1);
	assert_int_equal(kit_int(&k, "spi"), -1);
	assert_int_equal(kit_count_of(&k, "marks"), 0); /* none that concerns the reader */
	assert_int_equal(kit_count_of(&k, "vlan"), 0);
	assert_true(kit_absent(&k, "community_id"));
	kit_free(&k);
}

static void initiator_is_the_second_endpoint(void **unused)
{
	struct kit k;

	(void)unused;
	conversation(&k);
	k.flow.marks = FLOW_REVERSED | FLOW_MIDSTREAM | FLOW_GAP;
	assert_true(kit_finish(&k));
	assert_int_equal(address_byte(&k, "sa"), 2);
	assert_int_equal(kit_int(&k, "sp"), 80);
	assert_int_equal(kit_int(&k, "dp"), 40000);
	assert_int_equal(kit_int(&k, "bytes_out"), 100);
	assert_int_equal(kit_count_of(&k, "marks"), 2);
	assert_true(kit_is(&k, "marks.0", "midstream"));
	assert_true(kit_is(&k, "marks.1", "gap"));
	kit_free(&k);
}

static void one_direction_has_times_of_its_own(void **unused)
{
	struct kit k;
	struct flow_extra extra = { .trouble[1].retrans = 9, .icmp_errors[1] = 4 };

	(void)unused;
	kit_start(&k, &feature_base, 1000);
	k.conf.bidir = false;
	k.flow.extra = &extra;
	assert_false(feature_base.stateless(&k.conf));
	kit_count(&k, 0, 100, 1000);
	kit_count(&k, 1, 3000, 5000);
	k.pkt.dir = 0; /* as the engine shows it */
	assert_int_equal(feature_base.update(k.state, &k.env, &k.flow, &k.pkt), DONE);
	kit_count(&k, 1, 200, 6000);
	kit_count(&k, 0, 1, 7000);
	k.view = (struct flow_view){ &k.flow, 1, false };
	assert_true(kit_finish(&k));
	assert_int_equal(address_byte(&k, "sa"), 2);
	assert_int_equal(kit_int(&k, "dp"), 40000);
	assert_int_equal(kit_int(&k, "bytes_out"), 3200);
	assert_int_equal(kit_int(&k, "num_pkts_out"), 2);
	assert_int_equal(time_at(&k, "time_start").ns, 5000);
	assert_int_equal(time_at(&k, "time_end").ns, 6000);
	assert_int_equal(kit_int(&k, "retrans_out"), 9);
	assert_int_equal(kit_int(&k, "icmp_errors_out"), 4);
	k.flow.extra = NULL;
	kit_free(&k);
}

static void icmp_has_types_for_ports(void **unused)
{
	struct kit k;

	(void)unused;
	conversation(&k);
	k.flow.key = (struct flow_key){ .address = { { 192, 168, 0, 1 }, { 192, 168, 0, 89 } },
		.port = { 4660, 0 },
		.proto = PROTO_ICMP,
		.ip_version = 4,
		.icmp = 8 << 8 };
	k.flow.marks = FLOW_REVERSED;
	k.conf.community_id = true;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "sp"), -1);
	assert_int_equal(kit_int(&k, "icmp_type"), 8);
	assert_int_equal(kit_int(&k, "icmp_code"), 0);
	assert_int_equal(kit_int(&k, "icmp_id"), 4660);
	assert_int_equal(kit_int(&k, "retrans_out"), -1);
	assert_int_equal(kit_int(&k, "rtt_ms"), -1);
	assert_true(kit_is(&k, "community_id", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="));
	k.view = (struct flow_view){ &k.flow, 1, false };
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "community_id", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="));
	kit_free(&k);
}

static void a_reply_without_its_request(void **unused)
{
	struct kit k;

	(void)unused;
	conversation(&k);
	k.flow.key = (struct flow_key){ .address = { { 192, 168, 0, 1 }, { 192, 168, 0, 89 } },
		.port = { 4660, 0 },
		.proto = PROTO_ICMP,
		.ip_version = 4,
		.icmp = 8 << 8 };
	k.conf.community_id = true;
	k.flow.marks = FLOW_ANSWERS; /* from 192.168.0.1, now the initiator */
	assert_true(kit_finish(&k));
	assert_int_equal(address_byte(&k, "sa"), 1);
	assert_true(kit_is(&k, "community_id", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="));
	kit_free(&k);
}

static void esp_has_an_spi(void **unused)
{
	struct kit k;

	(void)unused;
	conversation(&k);
	k.flow.key.proto = PROTO_ESP;
	k.flow.key.port[0] = k.flow.key.port[1] = 0xffff;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "sp"), -1);
	assert_int_equal(kit_int(&k, "spi"), 0xffffffff);
	kit_free(&k);
}

static void unknown_ports_are_null(void **unused)
{
	struct kit k;

	(void)unused;
	conversation(&k);
	k.flow.key.proto = PROTO_UDP;
	k.flow.key.port[0] = k.flow.key.port[1] = 0;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "sp"), 0);
	k.flow.marks = FLOW_NO_PORTS;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "sp"), -1);
	assert_true(kit_is(&k, "marks.0", "no_ports"));
	k.flow.key.proto = PROTO_ESP;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "spi"), -1);
	k.flow.key.proto = PROTO_ICMP;
	k.flow.key.icmp = FLOW_ICMP_UNKNOWN;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "icmp_type"), -1);
	assert_int_equal(kit_int(&k, "icmp_id"), -1);
	kit_free(&k);
}

static void outer_layers(void **unused)
{
	struct kit k;
	struct flow_extra extra = { 0 };
	const struct flow_layer layers[] = {
		{ LAYER_VLAN, 0, 100, { { 0 } } },
		{ LAYER_VLAN, 0, 4000, { { 0 } } },
		{ LAYER_MPLS, 0, 1048575, { { 0 } } },
		{ LAYER_GRE, 4, UINT32_MAX, { { 1, 1, 1, 1 }, { 2, 2, 2, 2 } } },
		{ LAYER_IPIP, 4, 0, { { 1, 1, 1, 3 }, { 2, 2, 2, 4 } } },
	};
	size_t size = sizeof *extra.outer + sizeof layers;

	(void)unused;
	conversation(&k);
	k.flow.extra = &extra;
	extra.outer = calloc(1, size);
	extra.outer->count = 5;
	memcpy(extra.outer->layer, layers, sizeof layers);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "vlan"), 2);
	assert_int_equal(kit_int(&k, "vlan.1"), 4000);
	assert_int_equal(kit_count_of(&k, "encap"), 3);
	assert_true(kit_is(&k, "encap.0.type", "mpls"));
	assert_int_equal(kit_int(&k, "encap.0.id"), 1048575);
	assert_int_equal(((const struct field_address *)kit_at(&k, "encap.0.sa").at)->version, 0);
	assert_int_equal(kit_int(&k, "encap.1.id"), UINT32_MAX);
	assert_int_equal(address_byte(&k, "encap.1.da"), 2);
	assert_int_equal(kit_int(&k, "encap.2.id"), -1);
	assert_int_equal(address_byte(&k, "encap.2.sa"), 3);
	free(extra.outer);
	k.flow.extra = NULL;
	kit_free(&k);
}

static void reverse_fields_say_so(void **unused)
{
	(void)unused;
	for (const struct field *f = feature_base.fields; f->key != NULL; f++) {
		size_t n = strlen(f->key);
		bool in = n > 3 && strcmp(f->key + n - 3, "_in") == 0;

		assert_int_equal((f->flags & FIELD_REVERSE) != 0, in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions),
		cmocka_unit_test(initiator_is_the_second_endpoint),
		cmocka_unit_test(one_direction_has_times_of_its_own),
		cmocka_unit_test(icmp_has_types_for_ports),
		cmocka_unit_test(a_reply_without_its_request),
		cmocka_unit_test(esp_has_an_spi),
		cmocka_unit_test(unknown_ports_are_null),
		cmocka_unit_test(outer_layers),
		cmocka_unit_test(reverse_fields_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
