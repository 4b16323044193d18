/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_address.c - Crypto-PAn for IPv4 and IPv6.
 *
 * Bit i of the result is bit i of the address, flipped when the first bit of the AES of this block
 * is set:  the first i bits of the address | the bits of the pad from i on.  All blocks of an
 * address are enciphered in one call, which keeps the processor's AES units busy.
 */
#include <string.h>

#include "base/hash.h"
#include "host/anon_internal.h"

enum { V4_BITS = 32, V6_BITS = 128 };

struct anon_worker *anon_worker_new(void)
{
	struct anon_worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->seed = hash_seed();
	w->aes = EVP_CIPHER_CTX_new();
	if (w->aes == NULL) {
		anon_worker_free(w);
		return NULL;
	}
	return w;
}

void anon_worker_free(struct anon_worker *w)
{
	if (w == NULL)
		return;
	EVP_CIPHER_CTX_free(w->aes);
	free(w);
}

/* Once for each key that the worker meets. */
static bool take_key(const struct anon *a, struct anon_worker *w)
{
	if (w->number == a->number)
		return true;
	memset(w->cache, 0, sizeof w->cache);
	w->number = 0;
	if (EVP_EncryptInit_ex(w->aes, EVP_aes_128_ecb(), NULL, a->key, NULL) != 1 ||
			EVP_CIPHER_CTX_set_padding(w->aes, 0) != 1)
		return false;
	w->number = a->number;
	return true;
}

static uint64_t load(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void store(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void make_blocks(const struct anon *a, const uint8_t *address, unsigned bits,
		uint8_t (*blocks)[ANON_BLOCK])
{
	const uint64_t pad[2] = { load(a->pad), load(a->pad + 8) };
	const uint64_t own[2] = { load(address), load(address + 8) };

	for (unsigned i = 0; i < bits; i++) {
		uint64_t high = i == 0 ? 0 : i >= 64 ? UINT64_MAX : UINT64_MAX << (64 - i);
		uint64_t low = i <= 64 ? 0 : UINT64_MAX << (128 - i);

		store(blocks[i], (own[0] & high) | (pad[0] & ~high));
		store(blocks[i] + 8, (own[1] & low) | (pad[1] & ~low));
	}
}

static bool encipher(const struct anon *a, struct anon_worker *w, uint8_t version,
		const uint8_t *from, uint8_t *to)
{
	uint8_t blocks[V6_BITS][ANON_BLOCK], whole[16] = { 0 };
	unsigned bits = version == 4 ? V4_BITS : V6_BITS;
	int size = 0;

	memcpy(whole, from, bits / 8);
	make_blocks(a, whole, bits, blocks);
	if (!take_key(a, w) || EVP_EncryptUpdate(w->aes, blocks[0], &size, blocks[0],
					       (int)(bits * ANON_BLOCK)) != 1)
		return false;
	for (unsigned i = 0; i < bits; i++)
		whole[i / 8] ^= (uint8_t)((blocks[i][0] & 0x80) >> i % 8);
	memcpy(to, whole, bits / 8);
	return true;
}

bool anon_map(const struct anon *a, struct anon_worker *w, uint8_t version, uint8_t *address)
{
	size_t size = version == 4 ? 4 : 16;
	uint64_t hash = hash_bytes(address, size, w->seed);
	struct anon_pair *p = &w->cache[hash % LIMIT_ANON_CACHE];

	if (w->number != a->number || p->version != version ||
			memcmp(p->from, address, size) != 0) {
		uint8_t to[16];

		if (!encipher(a, w, version, address, to))
			return false;
		p->version = version;
		memcpy(p->from, address, size);
		memcpy(p->to, to, size);
	}
	memcpy(address, p->to, size);
	return true;
}

/* --- IPv4 within IPv6 -------------------------------------------------------------------- */

/*
 *   ::a.b.c.d, ::ffff:a.b.c.d      RFC 4291 section 2.5.5; not :: and ::1
 *   64:ff9b::a.b.c.d               RFC 6052
 *   2002:ab:cd::                   RFC 3056
 *   2001:0:SERVER:...:~CLIENT      RFC 4380
 *   ...:[02]00:5efe:a.b.c.d        RFC 5214
 */
size_t anon_inner(const uint8_t *v6, struct anon_inner out[static 2])
{
	static const uint8_t zeros[12], mapped[12] = { [10] = 0xff, [11] = 0xff },
					nat64[12] = { 0, 0x64, 0xff, 0x9b },
					isatap[3] = { 0, 0x5e, 0xfe };

	out[0] = out[1] = (struct anon_inner){ 12, false };
	if (memcmp(v6, zeros, 12) == 0)
		return v6[12] != 0 || v6[13] != 0 || v6[14] != 0;
	if (memcmp(v6, mapped, 12) == 0 || memcmp(v6, nat64, 12) == 0)
		return 1;
	if (v6[0] == 0x20 && v6[1] == 0x02) {
		out[0].at = 2;
		return 1;
	}
	if (v6[0] == 0x20 && v6[1] == 0x01 && v6[2] == 0 && v6[3] == 0) {
		out[0].at = 4;
		out[1].flip = true;
		return 2;
	}
	return (v6[8] & 0xfd) == 0 && memcmp(v6 + 9, isatap, 3) == 0;
}

static void flip(uint8_t *v4)
{
	for (unsigned i = 0; i < 4; i++)
		v4[i] = (uint8_t)~v4[i];
}

/* --- both -------------------------------------------------------------------------------- */

static bool in_list(const struct anon *a, uint8_t version, const uint8_t *address)
{
	return prefix_find(a->subnets, version, address) != PREFIX_NONE;
}

static enum anon_outcome map_listed(
		const struct anon *a, struct anon_worker *w, uint8_t version, uint8_t *address)
{
	if (!in_list(a, version, address))
		return ANON_SAME;
	return anon_map(a, w, version, address) ? ANON_CHANGED : ANON_FAILED;
}

enum anon_outcome anon_address(
		const struct anon *a, struct anon_worker *w, uint8_t version, uint8_t *address)
{
	enum anon_outcome outcome = ANON_SAME;
	struct anon_inner inner[2];

	if (a->subnets == NULL)
		return ANON_SAME;
	outcome = map_listed(a, w, version, address);
	if (version == 4 || outcome != ANON_SAME)
		return outcome;
	for (size_t i = 0, n = anon_inner(address, inner); i < n; i++) {
		uint8_t *v4 = address + inner[i].at;

		if (inner[i].flip)
			flip(v4);

		enum anon_outcome one = map_listed(a, w, 4, v4);

		if (inner[i].flip)
			flip(v4);
		outcome = one > outcome ? one : outcome;
	}
	return outcome;
}

bool anon_listed(const struct anon *a, uint8_t version, const uint8_t *address)
{
	struct anon_inner inner[2];

	if (a->subnets == NULL)
		return false;
	if (in_list(a, version, address))
		return true;
	for (size_t i = 0, n = version == 6 ? anon_inner(address, inner) : 0; i < n; i++) {
		uint8_t v4[4];

		memcpy(v4, address + inner[i].at, 4);
		if (inner[i].flip)
			flip(v4);
		if (in_list(a, 4, v4))
			return true;
	}
	return false;
}
