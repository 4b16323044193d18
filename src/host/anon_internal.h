/* SPDX-License-Identifier: BSD-3-Clause */
/* anon_internal.h - what the files of anonymisation share. */
#pragma once

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/limits.h"
#include "host/anon.h"
#include "host/nameset.h"
#include "host/prefix.h"

enum { ANON_KEY = 32, ANON_BLOCK = 16, ANON_HASH = 32 };

struct anon {
	uint64_t number; /* of the key: another for each */
	uint8_t key[ANON_KEY];
	uint8_t pad[ANON_BLOCK]; /* Crypto-PAn's, from the second half of the key */
	SHA256_CTX inner,
			outer; /* of the key of names and users, as anon_hash() begins with them */
	struct prefix_table *subnets; /* NULL: no address is replaced */
	struct nameset *users;        /* in lower case; NULL: none */
	size_t user_size;             /* of the longest */
	bool names;
};

struct anon_pair {
	uint8_t version; /* 0: free */
	uint8_t from[16], to[16];
};

struct anon_worker {
	uint64_t number; /* of the key that 'aes' has */
	EVP_CIPHER_CTX *aes;
	uint64_t seed;
	struct anon_pair cache[LIMIT_ANON_CACHE];
};

/* anon.c: fills 'subnets'. */
bool anon_read_subnets(struct anon *a, const char *path, struct err *e);

/* anon_key.c: fills key, pad and the two of names. */
bool anon_key_read(struct anon *a, const char *path, struct err *e);
bool anon_key_set(struct anon *a, const uint8_t key[static ANON_KEY]);

/* anon_address.c: Crypto-PAn, whether the address is listed or not. */
bool anon_map(const struct anon *a, struct anon_worker *w, uint8_t version, uint8_t *address);

/* Where in an IPv6 address an IPv4 address is; how many (at most 2).  'flip': its bits are
 * inverted. */
struct anon_inner {
	uint8_t at;
	bool flip;
};
size_t anon_inner(const uint8_t *v6, struct anon_inner out[static 2]);

/* anon_hash.c: HMAC-SHA256 with the key of names, which is made from another. */
void anon_hash_key(struct anon *a, const uint8_t *key, size_t size);
void anon_hash(const struct anon *a, const void *bytes, size_t size, uint8_t out[static ANON_HASH]);

/* anon_name.c: appends what becomes of a name. */
void anon_name_put(const struct anon *a, const char *text, size_t size, struct buf *out);

/* anon_scan.c: an address, or a reverse name, in a text. */
enum anon_token_kind {
	ANON_NO_TOKEN,
	ANON_V4, /* with dots or dashes */
	ANON_V6,
	ANON_REVERSE4, /* the labels before in-addr.arpa, ip6.arpa */
	ANON_REVERSE6,
};

struct anon_token {
	enum anon_token_kind kind;
	size_t skip; /* bytes before it; without a token: bytes in which none begins, at least 1 */
	size_t size; /* of the token, without /LENGTH */
	char separator;
	uint8_t version;
	uint8_t bits;      /* so many are told: fewer with /LENGTH, and in names of zones */
	uint8_t bytes[16]; /* bits that are not told are 0 */
};

/* Does a word begin at 'at': is there no letter or digit before it? */
bool anon_is_start(const char *text, size_t at);

/* The token that begins at 'at', where a word begins, or in the numbers that do. */
struct anon_token anon_scan(const char *text, size_t size, size_t at);
