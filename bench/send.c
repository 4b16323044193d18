/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * send.c - packets onto an interface at an even rate: those of a capture, or small ones made here.
 *
 *	send INTERFACE CAPTURE|64 RATE COUNT [FLOWS]
 *
 * RATE is packets per second, 0 as fast as it goes.  With 64 the packets are UDP of 64 bytes (with
 * their frame check sequence) in FLOWS conversations; with "syn" TCP SYNs, each a new flow.  Prints
 * what was sent, bytes, and seconds as JSON.  What the interface refuses is sent again, so what is
 * printed has been sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 32, SMALL = 60, FLOW_MAX = 1 << 20, MTU = 1514 };

struct packet {
	uint8_t *bytes;
	uint32_t size;
};

struct load {
	struct packet *list;
	size_t count;
	int fresh; /* every packet gets an address of its own */
	uint32_t serial;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void add(struct load *l, const uint8_t *bytes, uint32_t size)
{
	if (l->count % 4096 == 0)
		l->list = realloc(l->list, (l->count + 4096) * sizeof *l->list);
	if (l->list == NULL)
		die("memory");
	struct packet *p = &l->list[l->count++];

	p->bytes = malloc(size);
	p->size = size;
	if (p->bytes == NULL)
		die("memory");
	memcpy(p->bytes, bytes, size);
}

static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Source 10.x.y.z from 'n'. */
static void set_source(uint8_t *p, uint32_t n)
{
	p[24] = p[25] = 0;
	p[27] = (uint8_t)(n >> 16);
	p[28] = (uint8_t)(n >> 8);
	p[29] = (uint8_t)n;

	const uint16_t sum = checksum(p + 14, 20);

	p[24] = (uint8_t)(sum >> 8);
	p[25] = (uint8_t)sum;
}

static void make_small(struct load *l, size_t flows, int syn)
{
	uint8_t p[SMALL] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 0, 0x40,
		0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 255, 0, 1, 0x30, 0x39, 0, 53, 0, 26 };

	if (syn) {
		p[23] = 6;
		p[46] = 0x50;
		p[47] = 2; /* SYN */
		p[48] = 0xff;
	}
	for (size_t i = 0; i < flows; i++) {
		set_source(p, (uint32_t)i);
		add(l, p, SMALL);
	}
	l->fresh = syn;
}

static void load_capture(struct load *l, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, why);
	struct pcap_pkthdr *h;
	const u_char *bytes;

	if (p == NULL) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	while (pcap_next_ex(p, &h, &bytes) == 1 && l->count < FLOW_MAX)
		if (h->caplen == h->len && h->len <= MTU && h->len >= 14)
			add(l, bytes, h->caplen);
	pcap_close(p);
}

static int open_socket(const char *interface)
{
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(interface) };

	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&to, sizeof to) != 0)
		die(interface);
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
	return fd;
}

/* Sends all of a batch; returns its bytes. */
static uint64_t send_batch(int fd, struct load *l, uint64_t at, unsigned n)
{
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	uint64_t bytes = 0;

	memset(m, 0, sizeof m);
	for (unsigned i = 0; i < n; i++) {
		struct packet *p = &l->list[(at + i) % l->count];

		if (l->fresh)
			set_source(p->bytes, l->serial++);
		v[i] = (struct iovec){ p->bytes, p->size };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
		bytes += p->size;
	}
	for (unsigned done = 0; done < n;) {
		int sent = sendmmsg(fd, m + done, n - done, 0);

		if (sent > 0)
			done += (unsigned)sent;
		else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("sendmmsg");
	}
	return bytes;
}

/* Sleeps while that is early enough, and watches the clock for the rest. */
static void wait_until(double then)
{
	const double early = 2e-4;
	double left;

	while ((left = then - now()) > 0) {
		if (left > 2 * early)
			nanosleep(&(struct timespec){ (time_t)(left - early),
						  (long)((left - early - (time_t)(left - early)) *
								  1e9) },
					NULL);
	}
}

int main(int argc, char **argv)
{
	struct load l = { 0 };

	if (argc < 5) {
		fprintf(stderr, "usage: send INTERFACE CAPTURE|64|syn RATE COUNT [FLOWS]\n");
		return 2;
	}
	if (strcmp(argv[2], "64") == 0 || strcmp(argv[2], "syn") == 0)
		make_small(&l, argc > 5 ? (size_t)atol(argv[5]) : 1000, argv[2][0] == 's');
	else
		load_capture(&l, argv[2]);
	if (l.count == 0) {
		fprintf(stderr, "nothing to send\n");
		return 1;
	}

	const double rate = atof(argv[3]), start = now();
	const uint64_t count = strtoull(argv[4], NULL, 10);
	uint64_t bytes = 0, sent = 0;
	int fd = open_socket(argv[1]);

	while (sent < count) {
		unsigned n = count - sent < BATCH ? (unsigned)(count - sent) : BATCH;

		bytes += send_batch(fd, &l, sent, n);
		sent += n;
		if (rate > 0)
			wait_until(start + (double)sent / rate);
	}
	printf("{\"sent\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)sent,
			(unsigned long long)bytes, now() - start);
	return 0;
}
