/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_salt.c - where application messages begin and end. */
#include "unit/feature_kit.h"

extern const struct feature feature_salt;

static void send_ack(struct kit *k, unsigned dir, uint32_t size, uint32_t ack, int64_t ns)
{
	k->pkt.ack = ack;
	kit_packet(k, dir, size, ns);
}

static void a_message_keeps_its_acknowledgement_number(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_salt, 0);
	send_ack(&k, 0, 100, 7, 10); /* request of 300 */
	send_ack(&k, 1, 0, 200, 15); /* an empty acknowledgement does not end it */
	send_ack(&k, 0, 200, 7, 20);
	send_ack(&k, 1, 1460, 301, 30); /* answer of 1560 */
	send_ack(&k, 1, 100, 301, 40);
	send_ack(&k, 1, 5, 302, 50); /* another: the other side was heard meanwhile */
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "salt"), 3);
	assert_int_equal(kit_int(&k, "salt.0.b"), 300);
	assert_true(kit_is(&k, "salt.0.dir", ">"));
	assert_int_equal(kit_int(&k, "salt.0.ipt"), 0);
	assert_int_equal(kit_int(&k, "salt.1.b"), 1560);
	assert_true(kit_is(&k, "salt.1.dir", "<"));
	assert_int_equal(kit_int(&k, "salt.1.ipt"), 20);
	assert_int_equal(kit_int(&k, "salt.2.b"), 5);
	assert_int_equal(kit_int(&k, "salt.2.ipt"), 20);
	kit_free(&k);
}

static void the_other_direction_ends_it(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_salt, 0);
	send_ack(&k, 0, 1, 7, 10);
	send_ack(&k, 1, 2, 7, 20);
	send_ack(&k, 0, 3, 7, 30);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "salt"), 3);
	assert_int_equal(kit_int(&k, "salt.2.b"), 3);
	kit_free(&k);
}

static void retransmissions_do_not_count(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_salt, 0);
	send_ack(&k, 0, 10, 7, 10);
	k.pkt.tcp_class = TCP_CLASS_RETRANS;
	send_ack(&k, 1, 10, 99, 15);
	k.pkt.tcp_class = TCP_CLASS_LATE;
	send_ack(&k, 0, 20, 7, 20);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "salt"), 1);
	assert_int_equal(kit_int(&k, "salt.0.b"), 30);
	kit_free(&k);
}

static void a_datagram_is_a_message(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_salt, 0);
	k.pkt.proto = k.flow.key.proto = PROTO_UDP;
	kit_packet(&k, 0, 10, 10);
	kit_packet(&k, 0, 20, 13);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "salt"), 2);
	assert_int_equal(kit_int(&k, "salt.1.b"), 20);
	assert_int_equal(kit_int(&k, "salt.1.ipt"), 3);
	kit_free(&k);
}

static void the_last_message_is_listed_whole(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_salt, 0);
	k.conf.num_pkts = 2;
	send_ack(&k, 0, 1, 7, 10);
	send_ack(&k, 1, UINT32_MAX, 8, 20);
	send_ack(&k, 1, UINT32_MAX, 8, 30);
	assert_false(k.done);
	send_ack(&k, 0, 3, 9, 40);
	assert_true(k.done);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_count_of(&k, "salt"), 2);
	assert_int_equal(kit_int(&k, "salt.1.b"), 2 * (int64_t)UINT32_MAX);
	kit_free(&k);
}

static void is_on_by_switch_or_type(void **unused)
{
	struct conf conf = { .num_pkts = 50, .type = 1 };
	bool on = false;

	(void)unused;
	assert_int_equal(feature_salt.options_size, sizeof on);
	assert_false(feature_salt.enabled(&conf, &on));
	conf.type = 2;
	assert_true(feature_salt.enabled(&conf, &on));
	conf.type = 1;
	on = true;
	assert_true(feature_salt.enabled(&conf, &on));
	conf.num_pkts = 0;
	assert_false(feature_salt.enabled(&conf, &on));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_keeps_its_acknowledgement_number),
		cmocka_unit_test(the_other_direction_ends_it),
		cmocka_unit_test(retransmissions_do_not_count),
		cmocka_unit_test(a_datagram_is_a_message),
		cmocka_unit_test(the_last_message_is_listed_whole),
		cmocka_unit_test(is_on_by_switch_or_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
