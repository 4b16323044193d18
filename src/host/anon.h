/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon.h - what becomes of addresses and names that must not be known.
 *
 * Addresses in the listed subnets are replaced by Crypto-PAn (Xu, Fan, Ammar, Moon 2002): two
 * addresses with n leading bits in common keep exactly n in common.  Names and users are replaced
 * by a keyed hash (HMAC-SHA256), names label by label, so that names of one domain still end alike.
 *
 * A struct anon is shared and does not change; each worker has a struct anon_worker of its own,
 * with the cipher's state and a cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct anon_conf {
	const char *subnets;  /* file of subnets whose addresses are replaced; NULL: none */
	const char *users;    /* file of user names, one a line; NULL: none */
	const char *key_file; /* NULL: that of 'subnets', else of 'users', with ".key" behind */
	bool names;           /* host names too */
};

struct anon;
struct anon_worker;

/*
 * Reads the files.  A key file that is not there is made, for its owner only; one that others may
 * read is refused.  With 'old' the key is that one's, and its file is left alone.
 */
struct anon *anon_load(const struct anon_conf *conf, const struct anon *old, struct err *e);
void anon_free(struct anon *a);

/* NULL without memory. */
struct anon_worker *anon_worker_new(void);
void anon_worker_free(struct anon_worker *w);

/* Is the address, or an IPv4 address that an IPv6 address is made of, one of those to be replaced?
 */
bool anon_listed(const struct anon *a, uint8_t version, const uint8_t *address);

enum anon_outcome {
	ANON_SAME,
	ANON_CHANGED,
	ANON_FAILED, /* it should be another, and there is no memory: it must not be used */
};

/* Replaces an address (4 or 16 bytes) if it is listed. */
enum anon_outcome anon_address(
		const struct anon *a, struct anon_worker *w, uint8_t version, uint8_t *address);

enum anon_text {
	ANON_TEXT, /* what it may hold is replaced: addresses, reverse names, user names */
	ANON_NAME, /* it is a host's name, or may be: likewise, or with anon_conf.names hashed */
};

/* Appends what becomes of a text; when it stays the same, perhaps nothing. */
enum anon_outcome anon_text(const struct anon *a, struct anon_worker *w, enum anon_text what,
		const char *text, size_t size, struct buf *out);

/*
 * In place: bytes that begin with an IP header.  Listed addresses are replaced and the header's
 * checksum is made anew; the transport header's is zeroed, and so is all that is no fixed header:
 * options, the insides of extension headers, payload.
 */
enum anon_outcome anon_packet(
		const struct anon *a, struct anon_worker *w, uint8_t *bytes, size_t size);
