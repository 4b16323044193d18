/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * certs.h - one copy and one parse of each certificate, for all flows of a worker.
 *
 * Certificates are found by a keyed hash and compared byte by byte.  A holder counts; one that
 * nobody holds stays until room is needed, and then the least recently used leaves first.
 * Entries and bytes have caps (LIMIT_CERTS, LIMIT_CERTS_BYTES); when held ones fill them,
 * certs_hold() gives NULL, which the holder marks in its record.
 */
#pragma once

#include "proto/x509.h"

struct certs;
struct cert;

struct certs_stats {
	uint64_t held;    /* successful calls of certs_hold() */
	uint64_t known;   /* of these: the certificate was there already */
	uint64_t parsed;  /* certificates parsed */
	uint64_t evicted; /* certificates that left to make room */
	uint64_t refused; /* calls of certs_hold() that gave NULL */
	uint64_t count;   /* certificates there at the moment */
	uint64_t bytes;   /* and their memory, with what was parsed */
};

struct certs *certs_new(void); /* NULL without memory */

/* The same with lower caps. */
struct certs *certs_new_capped(size_t count, size_t bytes);

void certs_free(struct certs *s); /* with everything in it, held or not; NULL is fine */

/*
 * The certificate with these bytes, held once more.  NULL: empty, larger than LIMIT_CERT_BYTES, or
 * no room.  Costs a hash and a memcmp when known.
 */
struct cert *certs_hold(struct certs *s, struct rd der);

/* Gives back one hold; NULL is fine. */
void certs_release(struct certs *s, struct cert *c);

/* The bytes; valid while held. */
struct rd cert_der(const struct cert *c);

/*
 * What it says; parsed when first asked, valid while held, never NULL.  Where LIMIT_CERTS_BYTES
 * leaves no room for all of it, it is "cut".
 */
const struct x509_info *certs_info(struct certs *s, struct cert *c);

/* Bytes of memory in all: what counts against the budget. */
size_t certs_memory(const struct certs *s);

struct certs_stats certs_stats(const struct certs *s);
