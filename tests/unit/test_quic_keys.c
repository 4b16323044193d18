/* SPDX-License-Identifier: BSD-3-Clause */
/* test_quic_keys.c - keys, Initials and Retry against RFC 9001 A and RFC 9369 A, and by the kit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/quic_keys.h"
#include "unit/quic_kit.h"
#include "unit/quic_vectors.h"

static struct quic_env *env;
static uint8_t scratch[LIMIT_QUIC_PACKET];

static void assert_hex(const void *bytes, size_t size, const char *hex)
{
	struct rd want = kit_hex(hex);

	assert_int_equal(size, want.left);
	assert_memory_equal(bytes, want.p, size);
	free((void *)want.p);
}

/* RFC 9001 A.1, RFC 9369 A.1 */
static void derives_the_keys_of_the_rfcs(void **unused)
{
	struct rd dcid = kit_hex(VECTOR_DCID);
	struct quic_keys k;

	(void)unused;
	assert_true(quic_keys_derive(&k, QUIC_V1, dcid));
	assert_hex(k.secret, 32,
			"7db5df06e7a69e432496adedb00851923595221596ae2ae9fb8115c1e9ed0a44");
	quic_keys_side(&k, false);
	quic_keys_side(&k, true);
	assert_hex(k.client.key, 16, "1f369613dd76d5467730efcbe3b1a22d");
	assert_hex(k.client.iv, 12, "fa044b2f42a3fd3b46fb255c");
	assert_hex(k.client.header, 16, "9f50449e04a0e810283a1e9933adedd2");
	assert_hex(k.server.key, 16, "cf3a5331653c364c88f0f379b6067e37");
	assert_hex(k.server.iv, 12, "0ac1493ca1905853b0bba03e");
	assert_hex(k.server.header, 16, "c206b8d9b9f0f37644430b490eeaa314");

	assert_true(quic_keys_derive(&k, QUIC_V2, dcid));
	quic_keys_side(&k, false);
	quic_keys_side(&k, true);
	assert_hex(k.client.key, 16, "8b1a0bc121284290a29e0971b5cd045d");
	assert_hex(k.client.iv, 12, "91f73e2351d8fa91660e909f");
	assert_hex(k.client.header, 16, "45b95e15235d6f45a6b19cbcb0294ba9");
	assert_hex(k.server.key, 16, "82db637861d55e1d011f19ea71d5d2a7");
	assert_hex(k.server.iv, 12, "dd13c276499c0249d3310652");
	assert_hex(k.server.header, 16, "edf6d05c83121201b436e16877593c3a");
	free((void *)dcid.p);
}

/* Opens a vector: its number, its size, and the frames that it begins with. */
static void opens(const char *packet, bool server, uint64_t number, size_t size, const char *frames)
{
	struct rd dcid = kit_hex(VECTOR_DCID), datagram = kit_hex(packet), r = datagram, text;
	struct quic_keys k;
	struct quic_packet p;

	assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
	assert_int_equal(p.type, QUIC_INITIAL);
	assert_true(quic_keys_derive(&k, p.version, dcid));
	assert_int_equal(quic_decrypt_initial(env, &k, server, &p, scratch, sizeof scratch, &text),
			QUIC_READ);
	assert_int_equal((server ? &k.server : &k.client)->largest, number);
	assert_int_equal(text.left, size);
	assert_hex(text.p, strlen(frames) / 2, frames);
	for (size_t i = strlen(frames) / 2; i < size; i++)
		assert_int_equal(text.p[i], 0);
	assert_false(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
	free((void *)dcid.p);
	free((void *)datagram.p);
}

static void opens_the_initials_of_the_rfcs(void **unused)
{
	(void)unused;
	opens(vector_v1_client, false, 2, 1162, vector_client_frames);
	opens(vector_v1_server, true, 1, 99, vector_server_frames);
	opens(vector_v2_client, false, 2, 1162, vector_client_frames);
	opens(vector_v2_server, true, 1, 99, vector_server_frames);
}

static void knows_a_retry(void **unused)
{
	const char *vectors[] = { vector_v1_retry, vector_v2_retry };
	struct rd dcid = kit_hex(VECTOR_DCID);

	(void)unused;
	for (size_t v = 0; v < 2; v++) {
		struct rd datagram = kit_hex(vectors[v]), r = datagram;
		uint8_t *bytes = (uint8_t *)datagram.p;
		struct quic_packet p;

		assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
		assert_int_equal(p.type, QUIC_RETRY);
		assert_int_equal(p.token.left, 5);
		assert_memory_equal(p.token.p, "token", 5);
		assert_int_equal(p.scid.left, 8);
		assert_true(quic_retry_authentic(env, dcid, &p));
		assert_false(quic_retry_authentic(env, rd_first(dcid, 7), &p));
		assert_false(quic_retry_authentic(env, (struct rd){ NULL, 0 }, &p));
		for (size_t i = 0; i < datagram.left; i++) {
			bytes[i] ^= 1;
			assert_false(quic_retry_authentic(env, dcid, &p));
			bytes[i] ^= 1;
		}
		free((void *)datagram.p);
	}
	free((void *)dcid.p);
}

/* Each version with keys: what the kit seals opens, with every size of number. */
static void opens_every_version(void **unused)
{
	static const uint32_t versions[] = { QUIC_V1, QUIC_V2, 0xff000016, 0xff000017, 0xff000019,
		0xff00001d, 0xff000020, 0xff000021, 0xff000022, 0xfaceb002, 0x51303530, 0x54303530,
		0x54303531 };
	uint8_t out[256], frames[40] = { 1 };

	(void)unused;
	for (size_t v = 0; v < sizeof versions / sizeof versions[0]; v++) {
		for (size_t size = 1; size <= 4; size++) {
			struct kit_initial made = {
				.version = versions[v], .number = 7 * size, .number_size = size
			};
			struct quic_keys k;
			struct quic_packet p;
			struct rd text;

			made.dcid = (struct rd){ (const uint8_t *)"12345678", 8 };
			made.scid = (struct rd){ (const uint8_t *)"abc", 3 };
			made.token = (struct rd){ (const uint8_t *)"tok", 3 };
			made.frames = (struct rd){ frames, sizeof frames };
			assert_true(quic_version_readable(versions[v]));
			assert_true(quic_keys_derive(&k, versions[v], made.dcid));
			quic_keys_side(&k, false);

			struct rd r = { out, kit_initial(&made, &k.client, out) };

			assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
			assert_int_equal(p.token.left, 3);
			assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch,
							 sizeof scratch, &text),
					QUIC_READ);
			assert_int_equal(k.client.largest, 7 * size);
			assert_memory_equal(text.p, frames, sizeof frames);
		}
	}
}

/* RFC 9000 A.3: from 0xa82f30ea, two bytes 0x9b32 mean 0xa82f9b32. */
static void recovers_whole_packet_numbers(void **unused)
{
	static const struct {
		uint64_t largest, number;
		size_t size;
	} cases[] = {
		{ 0xa82f30ea, 0xa82f9b32, 2 },
		{ 250, 260, 1 },
		{ 260, 250, 1 },
		{ 0xffff, 0x10010, 1 },
		{ 0x10010, 0xfffe, 2 },
		{ 100000, 100001, 4 },
	};
	struct rd dcid = { (const uint8_t *)"87654321", 8 };
	uint8_t out[256], frames[40] = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct kit_initial made = { .version = QUIC_V1,
			.dcid = dcid,
			.number = cases[i].number,
			.number_size = cases[i].size,
			.frames = { frames, sizeof frames } };
		struct quic_keys k;
		struct quic_packet p;
		struct rd text;

		assert_true(quic_keys_derive(&k, QUIC_V1, dcid));
		quic_keys_side(&k, false);

		struct rd r = { out, kit_initial(&made, &k.client, out) };

		k.client.read = true;
		k.client.largest = cases[i].largest;
		assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
		assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch, sizeof scratch,
						 &text),
				QUIC_READ);
		assert_int_equal(k.client.largest, cases[i].number > cases[i].largest
								   ? cases[i].number
								   : cases[i].largest);
	}
}

static void tells_why_not(void **unused)
{
	struct rd dcid = kit_hex(VECTOR_DCID), datagram = kit_hex(vector_v1_client), r = datagram;
	uint8_t *bytes = (uint8_t *)datagram.p;
	struct quic_keys k = { 0 };
	struct quic_packet p;
	struct rd text;

	(void)unused;
	assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
	assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch, sizeof scratch, &text),
			QUIC_NO_KEYS);
	assert_false(quic_keys_derive(&k, 0x1a2a3a4a, dcid));
	assert_false(quic_keys_derive(&k, QUIC_V1, (struct rd){ NULL, 0 }));
	assert_true(quic_keys_derive(&k, QUIC_V2, dcid));
	assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch, sizeof scratch, &text),
			QUIC_NO_KEYS);
	assert_true(quic_keys_derive(&k, QUIC_V1, dcid));
	assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch, 100, &text),
			QUIC_NO_ROOM);
	assert_int_equal(quic_decrypt_initial(env, &k, true, &p, scratch, sizeof scratch, &text),
			QUIC_WRONG_TAG);
	assert_false(rd_ok(&text));
	bytes[600] ^= 1;
	assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch, sizeof scratch, &text),
			QUIC_WRONG_TAG);
	assert_false(k.client.read);
	bytes[600] ^= 1;
	assert_int_equal(quic_decrypt_initial(env, &k, false, &p, scratch, sizeof scratch, &text),
			QUIC_READ);
	assert_int_equal(rd_ok(&text), true);
	free((void *)dcid.p);
	free((void *)datagram.p);
}

/* A datagram cut at every byte: a packet that is cut, or none; never one that opens. */
static void opens_nothing_that_is_cut(void **unused)
{
	struct rd dcid = kit_hex(VECTOR_DCID), whole = kit_hex(vector_v1_server);
	struct quic_keys k;

	(void)unused;
	assert_true(quic_keys_derive(&k, QUIC_V1, dcid));
	for (size_t n = 0; n < whole.left; n++) {
		uint8_t *cut = kit_copy(whole.p, n);
		struct rd r = { cut, n }, text;
		struct quic_packet p;

		if (quic_packet_next(&r, QUIC_CID_UNKNOWN, &p)) {
			assert_true(p.cut);
			assert_int_equal(quic_decrypt_initial(env, &k, true, &p, scratch,
							 sizeof scratch, &text),
					QUIC_CUT);
			/* As if the sender had said so: too short for a sample or a tag, or wrong.
			 */
			p.cut = false;
			assert_int_equal(quic_decrypt_initial(env, &k, true, &p, scratch,
							 sizeof scratch, &text),
					QUIC_WRONG_TAG);
		} else {
			assert_true(n <= 18);
		}
		free(cut);
	}
	free((void *)dcid.p);
	free((void *)whole.p);
}

static int begin(void **unused)
{
	(void)unused;
	env = quic_env_new();
	return env == NULL;
}

static int end(void **unused)
{
	(void)unused;
	quic_env_free(env);
	quic_env_free(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_the_keys_of_the_rfcs),
		cmocka_unit_test(opens_the_initials_of_the_rfcs),
		cmocka_unit_test(knows_a_retry),
		cmocka_unit_test(opens_every_version),
		cmocka_unit_test(recovers_whole_packet_numbers),
		cmocka_unit_test(tells_why_not),
		cmocka_unit_test(opens_nothing_that_is_cut),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
