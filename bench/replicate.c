/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replicate.c - a large Ethernet capture out of small real ones:
 *
 *	replicate [-h CERTIFICATES] FLOWS SECONDS OUT CAPTURE...
 *
 * Each connection of the seeds (TCP and UDP over IPv4 and IPv6 on Ethernet) is written again and
 * again under new addresses and ports of the client, its own gaps kept, starts spread over SECONDS,
 * packets in order of time. The same arguments give the same file.  Checksums are not renewed:
 * readers here do not check them.
 *
 * With -h only handshakes: as many of TLS 1.2 as of TLS 1.3 and QUIC, all with port 443, each made
 * one of its own by fresh.c, with so many different certificates from each one of the seeds.
 */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fresh.h"

enum { MAX_CONVERSATIONS = 4096, MAX_PACKETS = 2000, ETHER = 14 };

struct packet {
	uint64_t us; /* since the conversation's first */
	uint32_t caplen, wirelen;
	bool back; /* sent by the one who did not send the first */
	uint8_t *bytes;
};

struct conversation {
	uint8_t key[37];
	bool client; /* the first packet's source is the second of the key */
	uint64_t first_us;
	size_t count;
	struct packet *packets;
	struct fresh *fresh;
};

struct event {
	uint64_t us;
	uint32_t copy, packet;
	const struct conversation *seed;
};

static struct conversation *seeds[MAX_CONVERSATIONS];
static size_t seed_count;
static struct conversation *kinds[FRESH_KINDS][MAX_CONVERSATIONS]; /* with -h */
static size_t kind_count[FRESH_KINDS];
static uint32_t certificates; /* of -h */
static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t roll(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Offsets of addresses and ports; 0 when it is not TCP or UDP over IP on Ethernet. */
static size_t find(const uint8_t *b, uint32_t n, size_t *addresses, size_t *size)
{
	if (n >= ETHER + 28 && b[12] == 8 && b[13] == 0 && (b[20] & 0x3f) == 0 && b[21] == 0 &&
			(b[23] == 6 || b[23] == 17)) {
		*addresses = ETHER + 12;
		*size = 4;
		size_t l4 = ETHER + (b[14] & 15u) * 4u;
		return l4 + 4 <= n ? l4 : 0;
	}
	if (n >= ETHER + 44 && b[12] == 0x86 && b[13] == 0xdd && (b[20] == 6 || b[20] == 17)) {
		*addresses = ETHER + 8;
		*size = 16;
		return ETHER + 40;
	}
	return 0;
}

static struct conversation *conversation_of(const uint8_t *key, uint64_t us, bool client)
{
	for (size_t i = 0; i < seed_count; i++)
		if (memcmp(seeds[i]->key, key, sizeof seeds[i]->key) == 0)
			return seeds[i];
	if (seed_count == MAX_CONVERSATIONS)
		return NULL;

	struct conversation *c = calloc(1, sizeof *c);

	memcpy(c->key, key, sizeof c->key);
	c->first_us = us;
	c->client = client;
	return seeds[seed_count++] = c;
}

static void take(const struct pcap_pkthdr *h, const uint8_t *b)
{
	size_t at, size, l4 = find(b, h->caplen, &at, &size);
	uint8_t key[37] = { 0 };
	uint64_t us = (uint64_t)h->ts.tv_sec * 1000000u + (uint64_t)h->ts.tv_usec;

	if (l4 == 0)
		return;

	bool back = memcmp(b + at, b + at + size, size) > 0;

	memcpy(key, b + at + (back ? size : 0), size);
	memcpy(key + 16, b + at + (back ? 0 : size), size);
	memcpy(key + 32, b + l4 + (back ? 2 : 0), 2);
	memcpy(key + 34, b + l4 + (back ? 0 : 2), 2);
	key[36] = size == 4 ? b[23] : b[20];

	struct conversation *c = conversation_of(key, us, back);

	if (c == NULL || c->count == MAX_PACKETS)
		return;
	c->packets = realloc(c->packets, (c->count + 1) * sizeof *c->packets);

	struct packet *p = &c->packets[c->count++];

	*p = (struct packet){ us > c->first_us ? us - c->first_us : 0, h->caplen, h->len,
		back != c->client, malloc(h->caplen) };
	memcpy(p->bytes, b, h->caplen);
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->us != y->us)
		return x->us < y->us ? -1 : 1;
	if (x->copy != y->copy)
		return x->copy < y->copy ? -1 : 1;
	return x->packet < y->packet ? -1 : 1;
}

/* The payload of a frame whose transport header is at 'l4'. */
static struct fresh_part part_of(uint8_t *b, size_t l4, bool server)
{
	const uint8_t *t = b + l4;
	bool v4 = b[12] == 8, tcp = b[v4 ? ETHER + 9 : ETHER + 6] == 6;
	size_t end = ETHER +
		     (v4 ? (size_t)(b[16] << 8 | b[17]) : 40u + (size_t)(b[18] << 8 | b[19]));
	size_t at = l4 + (tcp ? (t[12] >> 4) * 4u : 8u);
	struct fresh_part p = { .tcp = tcp, .server = server, .bytes = b + at };

	p.size = end > at ? end - at : 0;
	if (tcp) {
		p.seq = (uint32_t)t[4] << 24 | (uint32_t)t[5] << 16 | (uint32_t)t[6] << 8 | t[7];
		p.syn = t[13] & 2;
	}
	return p;
}

static void find_kinds(void)
{
	for (size_t i = 0; i < seed_count; i++) {
		struct conversation *c = seeds[i];
		struct fresh_part *parts = calloc(c->count, sizeof *parts);
		enum fresh_kind kind;
		size_t at, size;

		for (size_t n = 0; n < c->count; n++) {
			struct packet *p = &c->packets[n];

			parts[n] = part_of(
					p->bytes, find(p->bytes, p->caplen, &at, &size), p->back);
		}
		c->fresh = fresh_look(parts, c->count, &kind);
		kinds[kind][kind_count[kind]++] = c;
		free(parts);
	}
}

/* The seed of a copy: with -h each kind in its turn. */
static struct conversation *seed_of(uint32_t copy)
{
	if (certificates == 0)
		return seeds[roll() % seed_count];

	enum fresh_kind kind = (enum fresh_kind)(FRESH_TLS12 + copy % (FRESH_KINDS - FRESH_TLS12));

	return kind_count[kind] == 0 ? NULL : kinds[kind][roll() % kind_count[kind]];
}

/* New addresses 10.x.y.z (and fd00::) and ports from the copy's number. */
static void write_packet(FILE *out, const struct event *e)
{
	const struct packet *p = &e->seed->packets[e->packet];
	uint8_t bytes[65536 + ETHER];
	uint32_t n = p->caplen < sizeof bytes ? p->caplen : (uint32_t)sizeof bytes;
	uint32_t head[4] = { (uint32_t)(1700000000 + e->us / 1000000), (uint32_t)(e->us % 1000000),
		n, p->wirelen < n ? n : p->wirelen };
	size_t at, size, l4;

	memcpy(bytes, p->bytes, n);
	l4 = find(bytes, n, &at, &size);
	bytes[at + (p->back ? size : 0) + size - 1] = (uint8_t)(e->copy >> 16);
	bytes[at + (p->back ? size : 0) + size - 2] = (uint8_t)(e->copy >> 8);
	bytes[at + (p->back ? size : 0)] = size == 4 ? 10 : 0xfd;
	bytes[at + (p->back ? 0 : size)] = size == 4 ? 172 : 0xfd;
	bytes[l4 + (p->back ? 2 : 0)] = (uint8_t)(0x80 | e->copy >> 9);
	bytes[l4 + (p->back ? 3 : 1)] = (uint8_t)e->copy;
	if (e->seed->fresh != NULL) {
		struct fresh_part part = part_of(bytes, l4, p->back);

		memcpy(bytes + l4 + (p->back ? 0 : 2), "\x01\xbb", 2);
		fresh_make(e->seed->fresh, e->copy, e->copy % certificates, &part);
	}
	fwrite(head, sizeof head, 1, out);
	fwrite(bytes, n, 1, out);
}

static int write_all(const char *path, uint32_t flows, uint64_t seconds)
{
	size_t count = 0, room = 1 << 20;
	struct event *events = malloc(room * sizeof *events);
	static const uint32_t header[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1 };
	FILE *out = fopen(path, "wb");

	if (out == NULL || events == NULL || seed_count == 0) {
		fprintf(stderr, "replicate: cannot write %s, or no conversation in the seeds\n",
				path);
		return 1;
	}
	for (uint32_t copy = 0; copy < flows; copy++) {
		const struct conversation *seed = seed_of(copy);
		uint64_t start = roll() % (seconds * 1000000);

		for (uint32_t i = 0; seed != NULL && i < seed->count; i++) {
			if (count == room)
				events = realloc(events, (room *= 2) * sizeof *events);
			events[count++] = (struct event){ start + seed->packets[i].us, copy, i,
				seed };
		}
	}
	qsort(events, count, sizeof *events, by_time);
	fwrite(header, sizeof header, 1, out);
	for (size_t i = 0; i < count; i++)
		write_packet(out, &events[i]);
	printf("%s: %u flows, %zu packets\n", path, flows, count);
	free(events);
	return fclose(out) == 0 ? 0 : 1;
}

static void read_seeds(char **paths)
{
	char why[PCAP_ERRBUF_SIZE];

	for (; *paths != NULL; paths++) {
		pcap_t *p = pcap_open_offline(*paths, why);
		struct pcap_pkthdr *h;
		const u_char *b;

		if (p == NULL || pcap_datalink(p) != DLT_EN10MB)
			continue;
		while (pcap_next_ex(p, &h, &b) == 1)
			take(h, b);
		pcap_close(p);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "-h") == 0) {
		certificates = (uint32_t)strtoul(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc < 5) {
		fprintf(stderr, "usage: replicate [-h CERTIFICATES] FLOWS SECONDS OUT "
				"CAPTURE...\n");
		return 2;
	}
	read_seeds(argv + 4);
	if (certificates > 0) {
		find_kinds();
		printf("seeds: %zu handshakes of TLS 1.2, %zu of TLS 1.3, %zu of QUIC\n",
				kind_count[FRESH_TLS12], kind_count[FRESH_TLS13],
				kind_count[FRESH_QUIC]);
	}
	return write_all(argv[3], (uint32_t)strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
}
