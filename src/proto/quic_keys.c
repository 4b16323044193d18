/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_keys.c - from a connection id to keys (RFC 9001 section 5.2), and Initials deciphered.
 *
 *   secret = HKDF-Extract(salt of the version, id)
 *   side   = HKDF-Expand-Label(secret, "client in" or "server in", 32)
 *   key, iv, header key = HKDF-Expand-Label(side, "quic key" 16, "quic iv" 12, "quic hp" 16)
 *
 *   protected Initial:  | first | ... | number 1 to 4 | ciphertext | tag 16 |
 *   its header mask:    AES-ECB(header key, 16 bytes from 4 behind the start of the number on)
 *
 * All lengths here are at most one block of SHA-256, so HMAC is written out over the old functions
 * of libcrypto, which work on the stack: 40 ns a block, against 170 ns through EVP.  AES goes
 * through EVP contexts that are made once and only get new keys.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/quic_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proto/quic_version.h"

enum { KEY = 16, IV = 12, TAG = 16, SAMPLE = 16, NUMBER_MAX = 4, HASH = 32, BLOCK = 64 };

struct quic_env {
	EVP_CIPHER *gcm, *ecb;
	EVP_CIPHER_CTX *open; /* AES-128-GCM */
	EVP_CIPHER_CTX *mask; /* AES-128-ECB */
};

struct quic_env *quic_env_new(void)
{
	struct quic_env *env = calloc(1, sizeof *env);

	if (env == NULL)
		return NULL;
	env->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	env->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	env->open = EVP_CIPHER_CTX_new();
	env->mask = EVP_CIPHER_CTX_new();
	if (env->gcm != NULL && env->ecb != NULL && env->open != NULL && env->mask != NULL &&
			EVP_DecryptInit_ex2(env->open, env->gcm, NULL, NULL, NULL) &&
			EVP_EncryptInit_ex2(env->mask, env->ecb, NULL, NULL, NULL))
		return env;
	quic_env_free(env);
	return NULL;
}

void quic_env_free(struct quic_env *env)
{
	if (env == NULL)
		return;
	EVP_CIPHER_CTX_free(env->open);
	EVP_CIPHER_CTX_free(env->mask);
	EVP_CIPHER_free(env->gcm);
	EVP_CIPHER_free(env->ecb);
	free(env);
}

/* --- HKDF (RFC 5869) -----------------------------------------------------------------------------
 */
/* HMAC with a key of at most a block: the states behind its first blocks, to begin many with. */
struct hmac {
	SHA256_CTX inner, outer;
};

static void hmac_key(struct hmac *h, const uint8_t *key, size_t size)
{
	uint8_t pad[BLOCK] = { 0 };

	memcpy(pad, key, size);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	SHA256_Init(&h->inner);
	SHA256_Update(&h->inner, pad, BLOCK);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&h->outer);
	SHA256_Update(&h->outer, pad, BLOCK);
}

static void hmac(const struct hmac *key, const uint8_t *bytes, size_t size, uint8_t out[HASH])
{
	SHA256_CTX c = key->inner;

	SHA256_Update(&c, bytes, size);
	SHA256_Final(out, &c);
	c = key->outer;
	SHA256_Update(&c, out, HASH);
	SHA256_Final(out, &c);
}

/* HKDF-Expand-Label (RFC 8446 section 7.1) without context, of at most one hash. */
static void expand(const struct hmac *key, const char *label, uint8_t *out, size_t size)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[2 + 1 + 32 + 2] = { 0, (uint8_t)size }, whole[HASH];
	size_t n = 2, length = strlen(label);

	info[n++] = (uint8_t)(sizeof prefix - 1 + length);
	memcpy(info + n, prefix, sizeof prefix - 1);
	n += sizeof prefix - 1;
	memcpy(info + n, label, length);
	n += length;
	info[n++] = 0; /* size of the context */
	info[n++] = 1; /* number of the only block */
	hmac(key, info, n, whole);
	memcpy(out, whole, size);
}

bool quic_keys_derive(struct quic_keys *k, uint32_t version, struct rd dcid)
{
	const struct quic_protection *p = quic_protection(version);
	struct hmac salt;

	*k = (struct quic_keys){ 0 };
	if (p == NULL || !rd_ok(&dcid))
		return false;
	k->version = version;
	hmac_key(&salt, p->salt, sizeof p->salt);
	hmac(&salt, dcid.p, dcid.left, k->secret);
	return true;
}

void quic_keys_side(struct quic_keys *k, bool server)
{
	const struct quic_protection *p = quic_protection(k->version);
	struct quic_side *s = server ? &k->server : &k->client;
	struct hmac h;
	uint8_t secret[HASH];

	if (p == NULL)
		return;
	hmac_key(&h, k->secret, HASH);
	expand(&h, server ? "server in" : "client in", secret, HASH);
	hmac_key(&h, secret, HASH);
	expand(&h, p->v2_labels ? "quicv2 key" : "quic key", s->key, sizeof s->key);
	expand(&h, p->v2_labels ? "quicv2 iv" : "quic iv", s->iv, sizeof s->iv);
	expand(&h, p->v2_labels ? "quicv2 hp" : "quic hp", s->header, sizeof s->header);
	s->derived = true;
}

/* --- deciphering ---------------------------------------------------------------------------------
 */
/* The number nearest to the one expected that ends in what was sent (RFC 9000 appendix A.3). */
static uint64_t whole_number(const struct quic_side *s, uint64_t sent, size_t size)
{
	uint64_t expected = s->read ? s->largest + 1 : 0;
	uint64_t window = (uint64_t)1 << 8 * size, half = window / 2;
	uint64_t number = (expected & ~(window - 1)) | sent;

	if (number + half <= expected && number < ((uint64_t)1 << 62) - window)
		return number + window;
	if (number > expected + half && number >= window)
		return number - window;
	return number;
}

/* A packet's header with its protection off. */
struct header {
	struct rd before;    /* between first byte and packet number */
	uint8_t first;       /* byte */
	uint8_t number_size; /* bytes */
	uint8_t number[NUMBER_MAX];
	uint64_t whole;   /* number */
	struct rd sealed; /* ciphertext and tag */
};

static bool unmask(struct quic_env *env, const struct quic_side *s, const struct quic_packet *p,
		struct header *h)
{
	struct rd whole = p->whole, at = p->payload;
	uint8_t mask[SAMPLE];
	uint64_t sent = 0;
	int n;

	rd_bytes(&at, NUMBER_MAX);

	struct rd sample = rd_bytes(&at, SAMPLE);

	if (!rd_ok(&sample) || !EVP_EncryptInit_ex2(env->mask, NULL, s->header, NULL, NULL) ||
			!EVP_EncryptUpdate(env->mask, mask, &n, sample.p, SAMPLE))
		return false;
	h->first = rd_u8(&whole) ^ (mask[0] & 0x0f);
	h->before = rd_bytes(&whole, p->whole.left - 1 - p->payload.left);
	h->number_size = (h->first & 3) + 1;
	for (size_t i = 0; i < h->number_size; i++) {
		h->number[i] = rd_u8(&whole) ^ mask[1 + i];
		sent = sent << 8 | h->number[i];
	}
	h->whole = whole_number(s, sent, h->number_size);
	h->sealed = whole;
	return rd_ok(&whole) && whole.left >= TAG;
}

/* The associated data is the header as it was before its protection: short ones in one piece. */
static bool put_header(EVP_CIPHER_CTX *c, const struct header *h)
{
	enum { USUAL = 128 };
	uint8_t whole[USUAL];
	const size_t size = 1 + h->before.left + h->number_size;
	int n;

	if (size > sizeof whole)
		return EVP_DecryptUpdate(c, NULL, &n, &h->first, 1) &&
		       EVP_DecryptUpdate(c, NULL, &n, h->before.p, (int)h->before.left) &&
		       EVP_DecryptUpdate(c, NULL, &n, h->number, h->number_size);
	whole[0] = h->first;
	memcpy(whole + 1, h->before.p, h->before.left);
	memcpy(whole + 1 + h->before.left, h->number, h->number_size);
	return EVP_DecryptUpdate(c, NULL, &n, whole, (int)size);
}

static bool open_sealed(struct quic_env *env, const struct quic_side *s, const struct header *h,
		uint8_t *out)
{
	uint8_t nonce[IV], tag[TAG];
	struct rd sealed = h->sealed, text = rd_bytes(&sealed, sealed.left - TAG);
	EVP_CIPHER_CTX *c = env->open;
	int n;

	memcpy(nonce, s->iv, IV);
	for (size_t i = 0; i < 8; i++)
		nonce[IV - 1 - i] ^= (uint8_t)(h->whole >> 8 * i);
	memcpy(tag, sealed.p, TAG);
	return EVP_DecryptInit_ex2(c, NULL, s->key, nonce, NULL) && put_header(c, h) &&
	       EVP_DecryptUpdate(c, out, &n, text.p, (int)text.left) &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) &&
	       EVP_DecryptFinal_ex(c, out + text.left, &n) > 0;
}

enum quic_outcome quic_decrypt_initial(struct quic_env *env, struct quic_keys *k, bool server,
		const struct quic_packet *p, uint8_t *scratch, size_t room, struct rd *frames)
{
	struct quic_side *s = server ? &k->server : &k->client;
	struct header h;

	*frames = (struct rd){ NULL, 0 };
	if (p->cut)
		return QUIC_CUT;
	if (k->version == 0 || k->version != p->version)
		return QUIC_NO_KEYS;
	if (p->payload.left > room || p->payload.left > LIMIT_QUIC_PACKET)
		return QUIC_NO_ROOM;
	if (!s->derived)
		quic_keys_side(k, server);
	if (!unmask(env, s, p, &h) || !open_sealed(env, s, &h, scratch))
		return QUIC_WRONG_TAG;
	if (!s->read || h.whole > s->largest)
		s->largest = h.whole;
	s->read = true;
	*frames = (struct rd){ scratch, h.sealed.left - TAG };
	return QUIC_READ;
}

/*
 * The tag is that of an empty text whose associated data is
 *   | block 1: id that the client's first Initial went to | Retry without its tag |
 */
bool quic_retry_authentic(struct quic_env *env, struct rd original, const struct quic_packet *retry)
{
	const struct quic_protection *p = quic_protection(retry->version);
	struct rd whole = retry->whole, body = rd_bytes(&whole, whole.left - TAG);
	uint8_t size = (uint8_t)original.left, tag[TAG], none[TAG];
	EVP_CIPHER_CTX *c = env->open;
	int n;

	if (p == NULL || !p->retry_tag || retry->type != QUIC_RETRY || !rd_ok(&whole) ||
			!rd_ok(&original) || original.left > UINT8_MAX)
		return false;
	memcpy(tag, whole.p, TAG);
	return EVP_DecryptInit_ex2(c, NULL, p->retry_key, p->retry_nonce, NULL) &&
	       EVP_DecryptUpdate(c, NULL, &n, &size, 1) &&
	       (size == 0 || EVP_DecryptUpdate(c, NULL, &n, original.p, size)) &&
	       EVP_DecryptUpdate(c, NULL, &n, body.p, (int)body.left) &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) &&
	       EVP_DecryptFinal_ex(c, none, &n) > 0;
}
