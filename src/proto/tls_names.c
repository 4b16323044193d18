/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_names.c - look-ups in the tables of tls_names.def, which tools/make_names.py makes from
 * data/iana-*.csv.  Every table is sorted by value, and beside it lie its rows' numbers by hash.
 */
#include "proto/tls_names.h"

#include <string.h>

struct tls_table {
	const struct tls_name *rows;
	size_t count;
	const uint16_t *slots; /* rows by the first bits of a hash, or behind that; 'count': none */
	unsigned shift;        /* which leaves as many bits as there are for slots */
};

struct alpn_name {
	const char *id, *description;
};

#include "proto/tls_names.def"

/* The row of 'value', or 'count' without one. */
static size_t row_of(const struct tls_table *t, uint64_t value)
{
	uint64_t last = UINT64_MAX >> t->shift;
	uint64_t slot = value * 0x9e3779b97f4a7c15u >> t->shift;

	while (t->slots[slot] < t->count && t->rows[t->slots[slot]].value != value)
		slot = (slot + 1) & last;
	return t->slots[slot];
}

const struct tls_name *tls_name_find(enum tls_registry registry, uint64_t value)
{
	static const struct tls_name grease = { 27, "GREASE", 0, TLS_ORIGIN_GREASE };
	const struct tls_table *t = &tables[registry];
	size_t row;

	if (registry == TLS_QUIC_ERRORS && value >= 0x100 && value <= 0x1ff)
		value = 0x100; /* an alert's description is in the low byte */
	row = row_of(t, value);
	if (row < t->count)
		return &t->rows[row];
	/* RFC 9000 section 18.1: 31 * N + 27 */
	return registry == TLS_QUIC_PARAMETERS && value % 31 == 27 ? &grease : NULL;
}

const struct tls_cipher *tls_cipher_find(uint16_t suite)
{
	size_t row = row_of(&tables[TLS_CIPHERS], suite);

	return row < tables[TLS_CIPHERS].count && ciphers[row].cipher != NULL ? &ciphers[row]
									      : NULL;
}

enum tls_exchange tls_cipher_key_exchange(uint16_t suite)
{
	const struct tls_cipher *c = tls_cipher_find(suite);

	return c == NULL ? TLS_EXCHANGE_UNKNOWN : (enum tls_exchange)c->kx;
}

const struct tls_group *tls_group_find(uint16_t group)
{
	size_t row = row_of(&tables[TLS_GROUPS], group);

	if (row == tables[TLS_GROUPS].count || tls_groups[row].origin == TLS_ORIGIN_GREASE)
		return NULL;
	return &groups[row];
}

const char *tls_exchange_name(enum tls_exchange kx)
{
	static const char *const names[TLS_EXCHANGE_COUNT] = {
		[TLS_EXCHANGE_UNKNOWN] = "unknown",
		[TLS_EXCHANGE_NULL] = "NULL",
		[TLS_EXCHANGE_RSA] = "RSA",
		[TLS_EXCHANGE_RSA_EXPORT] = "RSA_EXPORT",
		[TLS_EXCHANGE_DH] = "DH",
		[TLS_EXCHANGE_DH_EXPORT] = "DH_EXPORT",
		[TLS_EXCHANGE_DHE] = "DHE",
		[TLS_EXCHANGE_DHE_EXPORT] = "DHE_EXPORT",
		[TLS_EXCHANGE_ECDH] = "ECDH",
		[TLS_EXCHANGE_ECDHE] = "ECDHE",
		[TLS_EXCHANGE_PSK] = "PSK",
		[TLS_EXCHANGE_DHE_PSK] = "DHE_PSK",
		[TLS_EXCHANGE_RSA_PSK] = "RSA_PSK",
		[TLS_EXCHANGE_ECDHE_PSK] = "ECDHE_PSK",
		[TLS_EXCHANGE_SRP] = "SRP",
		[TLS_EXCHANGE_KRB5] = "KRB5",
		[TLS_EXCHANGE_KRB5_EXPORT] = "KRB5_EXPORT",
		[TLS_EXCHANGE_GOST] = "GOST",
		[TLS_EXCHANGE_ECCPWD] = "ECCPWD",
		[TLS_EXCHANGE_SM2] = "SM2",
		[TLS_EXCHANGE_FORTEZZA] = "FORTEZZA",
		[TLS_EXCHANGE_TLS13] = "TLS13",
	};

	return (unsigned)kx < TLS_EXCHANGE_COUNT ? names[kx] : names[TLS_EXCHANGE_UNKNOWN];
}

const char *tls_auth_name(enum tls_auth auth)
{
	static const char *const names[TLS_AUTH_COUNT] = {
		[TLS_AUTH_UNKNOWN] = "unknown",
		[TLS_AUTH_NULL] = "NULL",
		[TLS_AUTH_ANON] = "anon",
		[TLS_AUTH_RSA] = "RSA",
		[TLS_AUTH_DSS] = "DSS",
		[TLS_AUTH_ECDSA] = "ECDSA",
		[TLS_AUTH_PSK] = "PSK",
		[TLS_AUTH_KRB5] = "KRB5",
		[TLS_AUTH_SRP] = "SRP",
		[TLS_AUTH_GOST] = "GOST",
		[TLS_AUTH_ECCPWD] = "ECCPWD",
		[TLS_AUTH_SM2] = "SM2",
		[TLS_AUTH_FORTEZZA] = "FORTEZZA",
		[TLS_AUTH_TLS13] = "TLS13",
	};

	return (unsigned)auth < TLS_AUTH_COUNT ? names[auth] : names[TLS_AUTH_UNKNOWN];
}

static bool alpn_grease(struct rd id)
{
	return id.left == 2 && id.p[0] == id.p[1] && (id.p[0] & 0x0f) == 0x0a;
}

const char *alpn_description(struct rd id)
{
	size_t low = 0, count = sizeof alpn / sizeof alpn[0], high = count;

	if (alpn_grease(id))
		return "GREASE";
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t size = strlen(alpn[middle].id);
		int order = id.left == 0 ? 1
					 : memcmp(alpn[middle].id, id.p,
							   size < id.left ? size : id.left);

		if (order == 0 && size == id.left)
			return alpn[middle].description;
		if (order < 0 || (order == 0 && size < id.left))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
