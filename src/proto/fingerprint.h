/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint.h - names for how a client or server says hello: JA3, JA3S, JA4 and Cisco's NPF.
 *
 * Sources: salesforce/ja3; FoxIO's JA4.md (JA4 alone, which is under the BSD licence; the others of
 * JA4+ are not and are not here); "Network Protocol Fingerprinting" in cisco/mercury, doc/npf.md.
 *
 * A hello is read into a worker's memory once; all its fingerprints are made of that.  They are
 * text; what can be long goes to a struct buf, whose cap the caller has named and which it may
 * reuse.  Take the first ClientHello of a connection, not the one behind a HelloRetryRequest.
 * SSLv2 hellos have none of these: nothing is written, and the fixed outputs are "".
 */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "proto/tls_hello.h"

enum {
	JA3_SIZE = 32 + 1, /* MD5 in hex, terminated */
	JA4_SIZE = 36 + 1, /* "t13d1516h2_8daaf6152771_e5627efa2ab1", terminated */
	NPF_HASH_SIZE = 32 + 1,
};

/* A buffer that no fingerprint fills: one for each worker serves them all. */
static inline struct buf fingerprint_buf(void)
{
	return buf_new(LIMIT_FINGERPRINT_BYTES);
}

/* --- reading a hello
 * ------------------------------------------------------------------------------
 */

/* Memory of a worker: its last hello, walked and sorted, and hashes of texts that came before. */
struct fingerprint_work;

struct fingerprint_work *fingerprint_work_new(void);
void fingerprint_work_free(struct fingerprint_work *w);
size_t fingerprint_work_memory(const struct fingerprint_work *w);

/* What comes next is of this hello, which is borrowed until the next one is read. */
void fingerprint_read(struct fingerprint_work *w, const struct tls_hello *h);

/* --- JA3 -----------------------------------------------------------------------------------------
 */

/* Appends what JA3 (of a ClientHello) or JA3S (of a ServerHello) is the MD5 of. */
void ja3_text(const struct fingerprint_work *w, struct buf *out);

/* The hash of it, in lower-case hex.  'scratch' is cleared and used. */
void ja3(struct fingerprint_work *w, struct buf *scratch, char out[JA3_SIZE]);

/* --- JA4 -----------------------------------------------------------------------------------------
 */
enum ja4_transport { JA4_TLS = 't', JA4_QUIC = 'q', JA4_DTLS = 'd' };

/* Of a ClientHello.  'scratch' is cleared and has JA4_r then. */
void ja4(struct fingerprint_work *w, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *scratch, char out[JA4_SIZE]);

/* Appends JA4_r: the same with its sorted lists instead of their hashes. */
void ja4_r(struct fingerprint_work *w, const struct tls_hello_info *i, enum ja4_transport transport,
		struct buf *out);

/* Appends JA4_ro: lists in the order of the wire, server name and ALPN among them. */
void ja4_ro(struct fingerprint_work *w, const struct tls_hello_info *i,
		enum ja4_transport transport, struct buf *out);

/* --- NPF -----------------------------------------------------------------------------------------
 */
enum npf_format {
	NPF_PLAIN,    /* "tls/": extensions as they come ("quic/": sorted) */
	NPF_SORTED,   /* "tls/1/": sorted; for QUIC the same as NPF_SELECTED */
	NPF_SELECTED, /* "tls/2/", "quic/1/": sorted, unassigned and private types made one, rest
			 left out */
};

/*
 * Appends "tls/...", "dtls/..." of a ClientHello.  The version in it is the hello's, as in mercury
 * itself and its data bases; the text of NPF says the record's, which nobody writes.
 */
void npf_tls(struct fingerprint_work *w, bool dtls, enum npf_format format, struct buf *out);

/* Appends "quic/..." of a ClientHello that came in Initials of 'version'. */
void npf_quic(struct fingerprint_work *w, uint32_t version, enum npf_format format,
		struct buf *out);

/* Appends "tls_server/..." (or "dtls_server/...") of a ServerHello. */
void npf_server(const struct fingerprint_work *w, bool dtls, struct buf *out);

struct npf_syn {
	uint8_t ip_version; /* 4 or 6 */
	bool id_zero;       /* IPv4 identification, or IPv6 flow label, is zero */
	uint8_t ttl;        /* or hop limit */
	uint16_t window;
	struct rd options; /* of TCP, as on the wire */
};

/* Appends "tcp/..." of a SYN without ACK. */
void npf_tcp(const struct npf_syn *syn, struct buf *out);

/*
 * The short form of what the functions above wrote: "tls/1/" and the like, then the first 32 digits
 * of SHA-256 over the text (name included).  Appends it to 'out', another buffer.
 */
void npf_hash(const struct buf *text, struct buf *out);
