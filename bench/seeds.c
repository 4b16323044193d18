/* SPDX-License-Identifier: BSD-3-Clause */
/* seeds.c - captures into conversations, by the library's own reader and decoder. */
#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/key.h"
#include "net/decode.h"
#include "proto/quic_wire.h"
#include "source/source.h"

enum {
	BATCH = 256,
	BUCKETS = 1 << 16,
	MAX_PACKETS = 2000,   /* of a conversation */
	MAX_GAP_US = 3000000, /* below any timeout, so that a copy is one flow */
	SYSTEM_PORTS = 1024,
};

/* A seed while captures are read. */
struct making {
	struct seed seed;
	struct flow_key key;
	uint32_t interface;
	bool client_is_second; /* of the key */
	bool closed;           /* a FIN or RST was seen: a SYN begins another */
	bool damaged;          /* bytes are missing, or a packet cannot be cut */
	int64_t last_ns;
	struct making *next; /* in its bucket, the latest first */
};

static struct making *buckets[BUCKETS];

/* --- which conversation ----------------------------------------------------------------------- */

static bool is_echo(const struct pkt *p)
{
	return (p->proto == PROTO_ICMP && (p->icmp_type == 8 || p->icmp_type == 0)) ||
	       (p->proto == PROTO_ICMPV6 && (p->icmp_type == 128 || p->icmp_type == 129));
}

static bool is_wanted(const struct pkt *p)
{
	return !(p->marks & PKT_BAD_TRANSPORT) &&
	       (p->proto == PROTO_TCP || p->proto == PROTO_UDP || is_echo(p));
}

static struct making *add_seed(struct seeds *s, const struct pkt *p, bool second)
{
	struct making *m = calloc(1, sizeof *m);
	bool answer = p->port[0] < SYSTEM_PORTS && p->port[1] >= SYSTEM_PORTS; /* begun before */
	uint16_t client = p->port[answer], server = p->port[!answer];

	m->client_is_second = second != answer;
	m->last_ns = p->ns;
	m->seed.own_port = client >= SYSTEM_PORTS && client != server;
	if ((s->count & (s->count - 1)) == 0)
		s->list = realloc(s->list, (s->count * 2 + 1) * sizeof(struct seed *));
	s->list[s->count++] = &m->seed;
	return m;
}

static struct making *making_of(
		struct seeds *s, const struct pkt *p, uint32_t interface, bool *server)
{
	struct flow_key key = { 0 };
	bool second = key_make(p, false, &key);
	bool syn = p->proto == PROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	const struct key_secret secret = key_secret(1); /* the same file from the same seeds */
	struct making **bucket = &buckets[(key_hash(&key, &secret) + interface) % BUCKETS];
	struct making *m = *bucket;

	while (m != NULL && !(key_equal(&m->key, &key) && m->interface == interface))
		m = m->next;
	if (m == NULL || (syn && m->closed)) {
		m = add_seed(s, p, second);
		m->key = key;
		m->interface = interface;
		m->next = *bucket;
		*bucket = m;
	}
	*server = second != m->client_is_second;
	return m;
}

/* --- what it says ----------------------------------------------------------------------------- */

static bool begins(struct rd payload, const char *text)
{
	return payload.left > strlen(text) && memcmp(payload.p, text, strlen(text)) == 0;
}

static enum service tcp_service(enum service before, struct rd payload)
{
	static const char *const http[] = { "GET ", "POST ", "HEAD ", "HTTP/1." };

	if (before != SERVICE_SILENT && before != SERVICE_TCP)
		return before;
	if (payload.left == 0)
		return before;
	if (payload.left > 5 && begins(payload, "\x16\x03") && payload.p[5] == 1)
		return SERVICE_TLS;
	for (size_t i = 0; i < sizeof http / sizeof *http; i++)
		if (begins(payload, http[i]))
			return SERVICE_HTTP;
	return SERVICE_TCP;
}

static void classify(struct seed *s, const struct pkt *p)
{
	if (p->proto == PROTO_TCP)
		s->service = tcp_service(s->count == 0 ? SERVICE_SILENT : s->service, p->payload);
	else if (p->proto != PROTO_UDP)
		s->service = SERVICE_ICMP;
	else if (s->count == 0)
		s->service = p->port[0] == 53 || p->port[1] == 53 ? SERVICE_DNS
			     : quic_guess(p->payload)             ? SERVICE_QUIC
								  : SERVICE_UDP;
}

/* --- its packets ------------------------------------------------------------------------------ */

/* A packet of the first 'heads' bytes of an IP packet and a piece of its payload. */
static struct wire_packet *add_packet(
		struct seed *s, const struct pkt *p, size_t heads, struct rd piece)
{
	bool v4 = p->ip_version == 4;

	s->packets = realloc(s->packets, (s->count + 1) * sizeof *s->packets);

	struct wire_packet *w = &s->packets[s->count++];

	*w = (struct wire_packet){ .size = (uint32_t)(WIRE_ETHERNET + heads + piece.left),
		.transport = (uint16_t)(WIRE_ETHERNET + p->ip_header_len),
		.proto = p->proto,
		.ip_version = p->ip_version };
	w->bytes = calloc(1, w->size);
	memcpy(w->bytes + 12, v4 ? "\x08\x00" : "\x86\xdd", 2);
	memcpy(w->bytes + WIRE_ETHERNET, p->ip.p, heads);
	memcpy(w->bytes + WIRE_ETHERNET + heads, piece.p, piece.left);
	return w;
}

/* Sequence numbers and flags of the piece that begins at 'at' of a merged segment's payload. */
static void mend_segment(struct wire_packet *w, uint32_t seq, bool last)
{
	uint8_t *t = w->bytes + w->transport;

	for (unsigned i = 0; i < 4; i++)
		t[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
	if (!last)
		t[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

static void add_packets(struct making *m, const struct pkt *p, uint64_t us, bool server)
{
	size_t heads = (size_t)(p->payload.p - p->ip.p), at = 0;

	if (heads >= WIRE_MTU || (heads + p->payload.left > WIRE_MTU && p->proto != PROTO_TCP)) {
		m->damaged = true;
		return;
	}
	do {
		size_t room = WIRE_MTU - heads, left = p->payload.left - at;
		struct rd piece = { p->payload.p + at, left < room ? left : room };
		struct wire_packet *w = add_packet(&m->seed, p, heads, piece);

		w->us = us;
		w->server = server;
		at += piece.left;
		if (p->proto == PROTO_TCP)
			mend_segment(w, p->seq + (uint32_t)(at - piece.left),
					at == p->payload.left);
	} while (at < p->payload.left);
}

static void take(struct seeds *s, const struct frame *f)
{
	static const struct decode_rules rules = { 0 };
	struct pkt p;
	bool server;

	if (decode_frame(&rules, f, &p) != OUTCOME_PACKET || !is_wanted(&p))
		return;
	p.ns = f->ns;

	struct making *m = making_of(s, &p, f->interface, &server);
	struct seed *seed = &m->seed;
	int64_t gap = (p.ns - m->last_ns) / 1000;
	uint64_t before = seed->count > 0 ? seed->packets[seed->count - 1].us : 0;

	m->damaged |= (p.marks & PKT_TRUNCATED) != 0;
	if (seed->count >= MAX_PACKETS || m->damaged)
		return;
	classify(seed, &p);
	add_packets(m, &p,
			before + (uint64_t)(gap < 0                 ? 0
						 : gap > MAX_GAP_US ? MAX_GAP_US
								    : gap),
			server);
	m->closed |= p.proto == PROTO_TCP && (p.tcp_flags & (TCP_FIN | TCP_RST)) != 0;
	m->last_ns = p.ns;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void say(void *ctx, const struct source_report *report)
{
	(void)ctx;
	if (report->what != SOURCE_WARNING)
		fprintf(stderr, "%s\n", report->text);
}

void seeds_read(struct seeds *s, const char *const *paths, size_t count)
{
	const struct source_conf conf = { .trouble = say };
	struct err e = { 0 };
	struct source *source = source_new(paths, count, &conf, &e);
	struct frame frames[BATCH];
	bool ok = source != NULL;
	size_t kept = 0;

	for (size_t n; ok && (n = source_read(source, frames, BATCH, &ok, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			take(s, &frames[i]);
	source_free(source);
	if (!ok)
		fprintf(stderr, "%s\n", e.text);
	for (size_t i = 0; i < s->count; i++) {
		const struct making *m = (const struct making *)s->list[i]; /* its first member */

		if (!m->damaged && m->seed.count > 0)
			s->list[kept++] = s->list[i];
	}
	s->count = kept;
}

struct fresh_part seeds_part(const struct wire_packet *p)
{
	const uint8_t *t = p->bytes + p->transport;
	bool tcp = p->proto == PROTO_TCP;
	size_t head = p->transport + (tcp ? (t[12] >> 4) * 4u : 8u);

	return (struct fresh_part){ .tcp = tcp,
		.syn = tcp && (t[13] & TCP_SYN),
		.server = p->server,
		.seq = tcp ? (uint32_t)(key_big_endian(t + 4) >> 32) : 0,
		.bytes = p->bytes + head,
		.size = p->size - head };
}

void seeds_look_fresh(struct seeds *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct seed *seed = s->list[i];
		struct fresh_part *parts = calloc(seed->count, sizeof *parts);

		for (size_t n = 0; n < seed->count; n++)
			parts[n] = seeds_part(&seed->packets[n]);
		if (seed->service != SERVICE_ICMP && !seed->packets[0].server)
			seed->fresh = fresh_look(parts, seed->count, &seed->kind);
		free(parts);
	}
}
