/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replicate.c - a large Ethernet capture out of small real ones:
 *
 *	replicate [-b BYTES] MODE FLOWS SECONDS SEED OUT CAPTURE...
 *
 * Conversations of the captures (seeds.c) are written again and again under new addresses and
 *ports, their own gaps kept, starts spread over SECONDS, packets in order of time, lengths and
 *checksums right.  The same arguments give the same file.  MODE:
 *
 *	web       what a network of clients does
 *	mix       what an edge sees: many look-ups and scans
 *	small     flows of 1 to 3 packets: look-ups and scans alone
 *	tls       handshakes of TLS 1.2, TLS 1.3 and QUIC in turn, the first packets of each, with
 *	          randoms, connection ids and certificates of their own (fresh.c)
 *	elephant  TCP connections at full size, BYTES in all; no captures needed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/packet.h"
#include "seeds.h"

enum {
	BEGIN = 1700000000, /* seconds since 1970 */
	SHARES = 1000,
	SMALL = 3,           /* packets of a flow of mode small, at most */
	HANDSHAKE = 20,      /* packets of a flow of mode tls, at most */
	CERTIFICATES = 2000, /* variants of each in mode tls */
	SCANS = 4,
	SEGMENT = 1460,
	RECORD = 11, /* segments of a TLS record in mode elephant */
};

/* Of a thousand flows. */
static const uint16_t web[SERVICES] = { 330, 300, 80, 80, 70, 40, 80, 20 };
static const uint16_t mix[SERVICES] = { 430, 60, 30, 25, 290, 15, 130, 20 };

struct pool {
	const struct seed **list;
	size_t count;
};

static struct seeds seeds;
static struct pool services[SERVICES], kinds[FRESH_KINDS], lookups;
static struct seed scans[SCANS]; /* of four, two are a SYN without an answer */
static FILE *out;
static uint64_t state;

static uint64_t roll(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* The same number for each packet of a copy. */
static uint64_t number_of(uint32_t copy)
{
	uint64_t z = (copy + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 31) * 0xd6e8feb86659fd93u;
	return z ^ z >> 32;
}

static void write_packet(const struct wire_packet *p, uint64_t us)
{
	uint32_t head[4] = { (uint32_t)(BEGIN + us / 1000000), (uint32_t)(us % 1000000), p->size,
		p->size };

	fwrite(head, sizeof head, 1, out);
	fwrite(p->bytes, p->size, 1, out);
}

/* --- which seed a copy has -------------------------------------------------------------------- */

static void put(struct pool *p, const struct seed *s)
{
	if ((p->count & (p->count - 1)) == 0)
		p->list = realloc(p->list, (p->count * 2 + 1) * sizeof *p->list);
	p->list[p->count++] = s;
}

static const struct seed *any_of(const struct pool *p)
{
	return p->list[roll() % p->count];
}

/* 'at', or the next pool behind it that is not empty; NULL when all are. */
static const struct pool *filled(const struct pool *pools, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (pools[(at + i) % count].count > 0)
			return &pools[(at + i) % count];
	return NULL;
}

static const struct seed *by_shares(const uint16_t *shares)
{
	size_t at = 0;

	for (uint64_t n = roll() % SHARES; n >= shares[at]; at++)
		n -= shares[at];

	const struct pool *p = filled(services, SERVICES, at);

	return p == NULL ? NULL : any_of(p);
}

static const struct seed *choose_web(uint32_t copy)
{
	(void)copy;
	return by_shares(web);
}

static const struct seed *choose_mix(uint32_t copy)
{
	(void)copy;
	return by_shares(mix);
}

static const struct seed *choose_small(uint32_t copy)
{
	(void)copy;
	return lookups.count > 0 && roll() % 2 == 0 ? any_of(&lookups) : &scans[roll() % SCANS];
}

static const struct seed *choose_tls(uint32_t copy)
{
	size_t count = FRESH_KINDS - FRESH_TLS12;
	const struct pool *p = filled(kinds + FRESH_TLS12, count, copy % count);

	return p == NULL ? NULL : any_of(p);
}

/* A connection that is asked for: not answered, refused, or answered and given up. */
static void make_scan(struct seed *s, bool refused, bool answered)
{
	static const uint8_t flags[SMALL] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_RST };
	struct wire_segment w = { 40000, answered ? 22 : 443, 1, 0, 0 };

	s->own_port = true;
	s->count = answered ? 3 : refused ? 2 : 1;
	s->packets = calloc(s->count, sizeof *s->packets);
	for (size_t i = 0; i < s->count; i++) {
		struct wire_packet *p = &s->packets[i];

		p->us = i * 20000;
		p->server = i == 1;
		p->bytes = malloc(WIRE_MAX);
		w.flags = refused && i == 1 ? TCP_RST | TCP_ACK : flags[i];
		w.seq = i == 0 ? 1 : i == 1 ? 77 : 2;
		w.ack = i == 1 ? 2 : 0;
		wire_tcp(p, &w);
	}
}

static void sort_seeds(bool handshakes)
{
	if (handshakes)
		seeds_look_fresh(&seeds);
	for (size_t i = 0; i < seeds.count; i++) {
		const struct seed *s = seeds.list[i];

		put(&services[s->service], s);
		if (s->fresh != NULL)
			put(&kinds[s->kind], s);
		if (s->service == SERVICE_DNS && s->count <= SMALL)
			put(&lookups, s);
	}
	make_scan(&scans[0], false, false);
	make_scan(&scans[1], false, false);
	make_scan(&scans[2], true, false);
	make_scan(&scans[3], false, true);
}

/* --- copies ----------------------------------------------------------------------------------- */

struct event {
	uint64_t us;
	uint32_t copy, packet;
	const struct seed *seed;
};

struct events {
	struct event *list;
	size_t count, room;
};

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->us != y->us)
		return x->us < y->us ? -1 : 1;
	if (x->copy != y->copy)
		return x->copy < y->copy ? -1 : 1;
	return x->packet < y->packet ? -1 : 1;
}

/* All of a copy lies within half of the capture's time after its start. */
static void add_copy(struct events *e, uint32_t copy, const struct seed *s, size_t count,
		uint64_t all_us)
{
	uint64_t start = roll() % all_us, span = s->packets[count - 1].us, half = all_us / 2;

	while (e->count + count > e->room) {
		e->room = e->room == 0 ? 1 << 16 : e->room * 2;
		e->list = realloc(e->list, e->room * sizeof *e->list);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t us = s->packets[i].us;

		us = span > half ? us * half / span : us;
		e->list[e->count++] = (struct event){ start + us, copy, i, s };
	}
}

static void write_event(const struct event *e)
{
	uint8_t bytes[WIRE_MAX];
	struct wire_packet p = e->seed->packets[e->packet];
	struct wire_ends ends = wire_ends_of(e->copy, number_of(e->copy), e->seed->own_port);

	memcpy(bytes, p.bytes, p.size);
	p.bytes = bytes;
	wire_address(&p, &ends);
	if (e->seed->fresh != NULL) {
		struct fresh_part part = seeds_part(&p);

		fresh_make(e->seed->fresh, e->copy, e->copy % CERTIFICATES, &part);
	}
	wire_seal(&p);
	write_packet(&p, e->us);
}

static size_t write_copies(const struct seed *(*choose)(uint32_t copy), size_t most, uint32_t flows,
		uint64_t seconds)
{
	struct events e = { 0 };

	for (uint32_t copy = 0; copy < flows; copy++) {
		const struct seed *s = choose(copy);

		if (s == NULL)
			return 0;
		add_copy(&e, copy, s, most > 0 && s->count > most ? most : s->count,
				seconds * 1000000);
	}
	qsort(e.list, e.count, sizeof *e.list, by_time);
	for (size_t i = 0; i < e.count; i++)
		write_event(&e.list[i]);
	free(e.list);
	return e.count;
}

/* --- elephants -------------------------------------------------------------------------------- */

/* A connection that goes on to the end of the capture: what its next packets say. */
struct elephant {
	struct wire_ends ends;
	uint32_t seq; /* of the server */
	uint32_t segments;
};

static size_t write_segment(struct elephant *f, bool server, uint8_t flags, size_t payload,
		uint8_t *bytes, uint64_t us)
{
	struct wire_packet p = { .bytes = bytes, .size = (uint32_t)payload, .server = server };
	bool syn = flags & TCP_SYN, first = flags == TCP_SYN;

	wire_tcp(&p, &(struct wire_segment){ f->ends.port, 443, server ? f->seq : 1000u - syn,
				     first    ? 0
				     : server ? 1000
					      : f->seq,
				     flags });
	wire_address(&p, &f->ends);
	wire_seal(&p);
	write_packet(&p, us);
	f->seq += server ? (uint32_t)payload + syn : 0;
	return p.size + 16;
}

/* Bytes that cannot be foreseen; at the start of a TLS record, its header. */
static void fill_segment(const struct elephant *f, uint8_t *payload)
{
	static const uint8_t head[5] = { 23, 3, 3, (RECORD * SEGMENT - 5) >> 8,
		(RECORD * SEGMENT - 5) & 0xff };

	for (size_t i = 0; i < SEGMENT; i += sizeof(uint32_t)) {
		uint64_t r = roll();

		memcpy(payload + i, &r, sizeof(uint32_t));
	}
	if (f->segments % RECORD == 0)
		memcpy(payload, head, sizeof head);
}

static size_t write_elephants(uint32_t flows, uint64_t seconds, uint64_t size)
{
	struct elephant *all = calloc(flows, sizeof *all);
	uint8_t bytes[WIRE_MAX];
	uint64_t all_us = seconds * 1000000, written = 24;
	size_t packets = 0;

	for (uint32_t i = 0; i < flows; i++) {
		all[i].ends = wire_ends_of(i, number_of(i), true);
		all[i].seq = 4999;
		written += write_segment(&all[i], false, TCP_SYN, 0, bytes, packets++);
		written += write_segment(&all[i], true, TCP_SYN | TCP_ACK, 0, bytes, packets++);
		written += write_segment(&all[i], false, TCP_ACK, 0, bytes, packets++);
	}
	while (written < size) {
		struct elephant *f = &all[roll() % flows];
		uint64_t us = packets + (uint64_t)((double)written / (double)size * (double)all_us);

		fill_segment(f, bytes + WIRE_PAYLOAD);
		written += write_segment(f, true, TCP_ACK, SEGMENT, bytes, us);
		packets++;
		if (++f->segments % 2 == 0) {
			written += write_segment(f, false, TCP_ACK, 0, bytes, us + 1);
			packets++;
		}
	}
	free(all);
	return packets;
}

/* --- arguments -------------------------------------------------------------------------------- */

static const struct mode {
	const char *name;
	const struct seed *(*choose)(uint32_t copy);
	size_t packets; /* of a flow, at most; 0: all */
} modes[] = {
	{ "web", choose_web, 0 },
	{ "mix", choose_mix, 0 },
	{ "small", choose_small, SMALL },
	{ "tls", choose_tls, HANDSHAKE },
	{ "elephant", NULL, 0 },
};

static int run(const struct mode *m, uint32_t flows, uint64_t seconds, uint64_t bytes)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1 };
	size_t packets;

	fwrite(header, sizeof header, 1, out);
	packets = m->choose == NULL ? write_elephants(flows, seconds, bytes)
				    : write_copies(m->choose, m->packets, flows, seconds);
	if (packets == 0 || fclose(out) != 0) {
		fprintf(stderr, "replicate: no conversation of that kind in the captures, or "
				"cannot "
				"write\n");
		return 1;
	}
	printf("%s: %u flows, %zu packets, of %zu seeds\n", m->name, flows, packets, seeds.count);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t bytes = (uint64_t)2 << 30;
	const struct mode *mode = NULL;
	int option;

	while ((option = getopt(argc, argv, "b:")) == 'b')
		bytes = strtoull(optarg, NULL, 10);
	argv += optind;
	for (size_t i = 0; option == -1 && argc - optind >= 5 && i < sizeof modes / sizeof *modes;
			i++)
		if (strcmp(argv[0], modes[i].name) == 0)
			mode = &modes[i];
	if (mode == NULL) {
		fprintf(stderr, "usage: replicate [-b BYTES] web|mix|small|tls|elephant FLOWS "
				"SECONDS "
				"SEED OUT CAPTURE...\n");
		return 2;
	}

	unsigned long flows = strtoul(argv[1], NULL, 10), seconds = strtoul(argv[2], NULL, 10);

	state = number_of((uint32_t)strtoul(argv[3], NULL, 10));
	out = fopen(argv[4], "wb");
	if (out == NULL || flows == 0 || flows > WIRE_COPIES || seconds == 0) {
		fprintf(stderr, "replicate: cannot write %s, or no such number of flows\n",
				argv[4]);
		return 1;
	}
	if (mode->choose != NULL) {
		seeds_read(&seeds, (const char *const *)argv + 5, (size_t)(argc - optind - 5));
		sort_seeds(mode->choose == choose_tls);
	}
	return run(mode, (uint32_t)flows, seconds, bytes);
}
