/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk.c - the floor: a pcap file, mapped, walked through without libpcap.  Of each frame the
 * headers are parsed and the 5-tuple is hashed, the same for both directions; memory is fetched
 * some packets ahead.  Ethernet with microseconds in this machine's order, as replicate.c writes.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_HEAD = 24, HEAD = 16, ETHERNET = 14, AHEAD = 2048, LINE = 64 };

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t scatter(uint64_t v)
{
	v *= 0x9e3779b97f4a7c15u;
	return v ^ v >> 29;
}

/* Both ends are scattered alike and added, so that their order does not matter. */
static uint64_t hash_tuple(const uint8_t *frame, uint32_t size)
{
	const uint8_t *ip = frame + ETHERNET, *ports;
	uint64_t ends[2];
	uint8_t proto;

	if (size >= ETHERNET + 20 && frame[12] == 8 && frame[13] == 0) {
		proto = ip[9];
		ports = ip + (ip[0] & 15u) * 4u;
		for (unsigned i = 0; i < 2; i++)
			ends[i] = load32(ip + 12 + i * 4);
	} else if (size >= ETHERNET + 40 && frame[12] == 0x86 && frame[13] == 0xdd) {
		proto = ip[6];
		ports = ip + 40;
		for (unsigned i = 0; i < 2; i++)
			ends[i] = scatter(load64(ip + 8 + i * 16)) ^ load64(ip + 16 + i * 16);
	} else {
		return 0;
	}
	if ((proto == 6 || proto == 17) && ports + 4 <= frame + size)
		for (unsigned i = 0; i < 2; i++)
			ends[i] ^= (uint64_t)(ports[i * 2] << 8 | ports[i * 2 + 1]) << 40;
	return scatter(scatter(ends[0]) + scatter(ends[1]) + proto);
}

static uint64_t walk(const uint8_t *p, const uint8_t *end, uint64_t *hash)
{
	uint64_t packets = 0;

	for (p += FILE_HEAD; p + HEAD <= end; packets++) {
		uint32_t size = load32(p + 8);

		if (size > (size_t)(end - p - HEAD))
			break;
		for (uint32_t i = 0; i < size + HEAD; i += LINE)
			__builtin_prefetch(p + AHEAD + i);
		*hash += hash_tuple(p + HEAD, size);
		p += HEAD + size;
	}
	return packets;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	struct stat st;
	uint64_t hash = 0;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < FILE_HEAD) {
		fprintf(stderr, "usage: walk CAPTURE\n");
		return 2;
	}

	size_t size = (size_t)st.st_size;
	uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (file == MAP_FAILED || load32(file) != 0xa1b2c3d4) {
		fprintf(stderr, "walk: %s: not a pcap file of this machine's order\n", argv[1]);
		return 1;
	}
	madvise(file, size, MADV_SEQUENTIAL);

	uint64_t packets = walk(file, file + size, &hash);

	printf("%llu packets, %llx\n", (unsigned long long)packets, (unsigned long long)hash);
	munmap(file, size);
	close(fd);
	return 0;
}
