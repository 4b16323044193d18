/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * collide.c - a capture of flows that an unseeded hash puts into one bucket: collide FLOWS BITS
 *
 * Writes raw IPv4 UDP packets to standard output, ten for each flow.  BITS bits of the bucket
 * number (XXH3 of the flow key with seed 0) are the same for all flows; 0 gives random flows.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/key.h"

enum { ROUNDS = 10, PACKET = 32 };

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t roll(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* The next flow whose bucket number ends in zeros. */
static void search(unsigned bits, struct pkt *p)
{
	struct flow_key key;
	uint32_t mask = (uint32_t)((1u << bits) - 1);

	do {
		uint32_t address = (uint32_t)roll();

		memcpy(p->address[0], &address, sizeof(address));
		p->port[0] = (uint16_t)(roll() >> 20);
		key_make(p, true, &key);
	} while ((key_hash(&key, &secret) >> 8 & mask) != 0);
}

static void write_packet(const uint8_t *bytes, uint64_t i)
{
	uint32_t head[4] = { (uint32_t)(1700000000 + i / 1000000), (uint32_t)(i % 1000000), PACKET,
		PACKET };

	fwrite(head, sizeof(head), 1, stdout);
	fwrite(bytes, PACKET, 1, stdout);
}

int main(int argc, char **argv)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 101 };
	static const uint8_t fixed[PACKET] = { 0x45, 0, 0, PACKET, 0, 1, 0, 0, 64, 17, 0, 0, 0, 0,
		0, 0, 198, 51, 100, 1, 0, 0, 0, 53, 0, 12, 0, 0, 'p', 'i', 'n', 'g' };
	size_t flows = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	uint8_t(*packets)[PACKET] = calloc(flows + 1, PACKET);
	struct pkt p;

	if (flows == 0 || packets == NULL) {
		fprintf(stderr, "usage: collide FLOWS BITS\n");
		return 2;
	}
	memset(&p, 0, sizeof(p));
	p.ip_version = 4;
	p.proto = PROTO_UDP;
	p.port[1] = 53;
	memcpy(p.address[1], fixed + 16, 4);
	for (size_t i = 0; i < flows; i++) {
		search((unsigned)strtoul(argv[2], NULL, 10), &p);
		memcpy(packets[i], fixed, PACKET);
		memcpy(packets[i] + 12, p.address[0], 4);
		packets[i][20] = (uint8_t)(p.port[0] >> 8);
		packets[i][21] = (uint8_t)p.port[0];
	}
	fwrite(header, sizeof(header), 1, stdout);
	for (uint64_t i = 0; i < ROUNDS * flows; i++)
		write_packet(packets[i % flows], i);
	free(packets);
	return 0;
}
