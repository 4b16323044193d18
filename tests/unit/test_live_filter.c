/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_live_filter.c - bpf= in the kernel takes what the same filter takes of a file: many filters
 * over many frames, with tags that the kernel has taken out and tags that it has not.
 */
#include "live_kit.h"

#ifdef HAVE_PCAP
#include <pcap/pcap.h>
#include <pthread.h>

static const char *const filters[] = {
	"ip",
	"ip6",
	"arp",
	"udp",
	"tcp port 80",
	"udp port 53",
	"host 10.0.0.1 and udp dst port 9",
	"src net 10.0.0.0/8",
	"not ip",
	"vlan",
	"vlan 5",
	"vlan 5 and udp port 53",
	"vlan and ip",
	"vlan 5 and vlan 7",
	"vlan and vlan and udp",
	"not vlan",
	"udp port 53 or (vlan and udp port 53)",
	"ether proto 0x8100",
	"ether proto 0x88a8",
	"ether[12] = 0x81",
	"ether[13] = 0",
	"ether[14] & 0xe0 = 0x60",
	"ether[15] = 5",
	"ether[12:4] = 0x81000005",
	"ether[12:4] & 0xffff0fff = 0x81000005",
	"ether[14:4] = 0x00050800",
	"ether[10:4] = 0x00018100",
	"ether[9:4] = 0x00000181",
	"ether[13:2] = 0x0000",
	"ether[11:2] = 0x0181",
	"ether[13:4] = 0x00000508",
	"ether[15:2] = 0x0508",
	"ether[16:2] = 0x0800",
	"ether[9:2] = ether[7:2] and ether[10:4] = ether[10:4]",
	"ip[0:4] & 0xff000000 = 0x45000000",
	"ip[2:2] > 60",
	"udp[8] = 0 and udp[9] = 7",
	"len > 100",
	"len = 106",
	"greater 104",
	"less 104",
	"len - 4 > 98",
	"ether src 02:00:00:00:00:01",
	"ether dst 02:00:00:00:00:02 and len < 90",
	"ether multicast",
	"ip[6:2] & 0x1fff = 0",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) != 0",
	"ip proto 17 and portrange 50-60",
	"vlan 7 or pppoes",
	"ip and udp and host 10.0.0.2 and port 53 and not port 54 and ip[8] = 64",
};
enum { FILTERS = sizeof(filters) / sizeof(filters[0]), SAMPLES = 20 };

struct sample {
	size_t size;
	uint8_t bytes[512];
};

/* Frames with none, one and two tags around UDP to several ports, IPv6, ARP and nonsense. */
static void make_samples(struct sample *all)
{
	static const uint16_t tags[][2] = { { 0, 0 }, { 5, 0 }, { 7, 0 }, { 5, 7 }, { 7, 5 } };
	size_t n = 0;

	for (size_t t = 0; t < 5; t++) {
		for (int kind = 0; kind < 4; kind++) {
			struct sample *s = &all[n++];

			s->size = kit_udp(s->bytes, 9, kind == 0 ? 53 : 9, 60 + (size_t)kind);
			if (kind == 2)
				memcpy(s->bytes + 12, "\x86\xdd\x60\0\0\0\0\0\x11\x40", 10);
			if (kind == 3)
				memcpy(s->bytes + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
			if (tags[t][1] != 0)
				s->size = kit_tag(s->bytes, s->size, 0x8100, tags[t][1]);
			if (tags[t][0] != 0)
				s->size = kit_tag(s->bytes, s->size, t == 2 ? 0x88a8 : 0x8100,
						kind == 1 ? tags[t][0] | 0x6000 : tags[t][0]);
		}
	}
	assert_int_equal(n, SAMPLES);
}

/* How the filter takes it from a file; false if libpcap does not compile it. */
static bool in_file(const char *text, int type, const uint8_t *bytes, size_t size)
{
	pcap_t *handle = pcap_open_dead(type, 262144);
	struct bpf_program program;
	struct pcap_pkthdr head = { .caplen = (uint32_t)size, .len = (uint32_t)size };
	bool taken = false;

	if (pcap_compile(handle, &program, text, 1, PCAP_NETMASK_UNKNOWN) == 0) {
		taken = pcap_offline_filter(&program, &head, bytes) != 0;
		pcap_freecode(&program);
	}
	pcap_close(handle);
	return taken;
}

/* Reads all of a capture that was stopped; the frames of each end in the order of 'samples'. */
static size_t hold_against(struct live *l, const char *text, const struct sample *samples)
{
	struct frame frames[64];
	size_t at[2] = { 0, 0 }, taken = 0;

	for (bool ok = true; ok;) {
		size_t n = live_read(l, 0, frames, 64, 1000, &ok, NULL);

		for (size_t i = 0; i < n; i++, taken++) {
			size_t s = at[frames[i].interface];

			while (s < SAMPLES && !in_file(text, DLT_EN10MB, samples[s].bytes,
							      samples[s].size))
				s++;
			if (s == SAMPLES)
				fail_msg("\"%s\" takes too many", text);
			assert_int_equal(frames[i].caplen, samples[s].size);
			if (memcmp(frames[i].bytes, samples[s].bytes, samples[s].size) != 0)
				fail_msg("\"%s\" takes other frames", text);
			at[frames[i].interface] = s + 1;
		}
	}
	for (size_t end = 0; end < 2; end++)
		for (size_t s = at[end]; s < SAMPLES; s++)
			if (in_file(text, DLT_EN10MB, samples[s].bytes, samples[s].size))
				fail_msg("\"%s\" does not take frame %zu at end %zu", text, s, end);
	return taken;
}

static void *free_one(void *l)
{
	live_free(l);
	return NULL;
}

/* The kernel takes its time for each: all at once. */
static void free_all(struct live **live)
{
	pthread_t thread[FILTERS];

	for (size_t f = 0; f < FILTERS; f++)
		pthread_create(&thread[f], NULL, free_one, live[f]);
	for (size_t f = 0; f < FILTERS; f++)
		pthread_join(thread[f], NULL);
}

/* Both ends of the cable: the sender sees its tags as bytes, the receiver's were taken out. */
static void takes_what_a_file_gives(void **state)
{
	static struct sample samples[SAMPLES];
	struct live *live[FILTERS];
	size_t taken = 0;

	(void)state;
	kit_begin();
	make_samples(samples);
	int fd = kit_sender("a", false);
	for (size_t f = 0; f < FILTERS; f++) {
		struct live_conf conf = kit_conf("a,b");

		conf.bpf = filters[f];
		live[f] = kit_open(&conf);
	}
	for (size_t i = 0; i < SAMPLES; i++)
		kit_send_all(fd, samples[i].bytes, samples[i].size);
	close(fd);
	for (size_t f = 0; f < FILTERS; f++)
		live_stop(live[f]);
	for (size_t f = 0; f < FILTERS; f++) {
		taken += hold_against(live[f], filters[f], samples);
	}
	free_all(live);
	print_message("%d filters took %zu frames\n", FILTERS, taken);
	assert_true(taken > 400);
}

/* Those samples that are IP without a tag. */
static void takes_the_same_of_raw_ip(void **state)
{
	static struct sample samples[SAMPLES];
	struct live *live[FILTERS];

	(void)state;
	kit_begin();
	make_samples(samples);
	int tun = kit_tun("tun3");
	for (size_t f = 0; f < FILTERS; f++) {
		struct live_conf conf = kit_conf("tun3");

		conf.bpf = filters[f];
		live[f] = kit_open(&conf);
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(write(tun, samples[i].bytes + 14, samples[i].size - 14),
				(ssize_t)samples[i].size - 14);
	for (size_t f = 0; f < FILTERS; f++)
		live_stop(live[f]);
	for (size_t f = 0; f < FILTERS; f++) {
		struct frame frames[64];
		size_t at = 0;

		for (bool ok = true; ok;) {
			size_t n = live_read(live[f], 0, frames, 64, 1000, &ok, NULL);

			for (size_t i = 0; i < n; i++, at++) {
				while (at < 3 && !in_file(filters[f], DLT_RAW,
								 samples[at].bytes + 14,
								 samples[at].size - 14))
					at++;
				assert_true(at < 3);
				assert_int_equal(frames[i].caplen, samples[at].size - 14);
				assert_memory_equal(frames[i].bytes, samples[at].bytes + 14,
						samples[at].size - 14);
			}
		}
		for (; at < 3; at++)
			assert_false(in_file(filters[f], DLT_RAW, samples[at].bytes + 14,
					samples[at].size - 14));
	}
	free_all(live);
	close(tun);
}

static void says_what_is_wrong(void **state)
{
	struct live_conf conf = kit_conf("b");
	struct err e;

	(void)state;
	kit_begin();
	conf.bpf = "host and";
	assert_null(live_new(&conf, &e));
	assert_non_null(strstr(e.text, "bpf=host and: "));
	conf.bpf = "ether[ip[2:2]:2] = 0";
	assert_null(live_new(&conf, &e));
	assert_non_null(strstr(e.text, "VLAN tag"));
}

/* Not one packet from before the filter comes through. */
static void filters_from_the_first_packet_on(void **state)
{
	struct live_conf conf = kit_conf("b");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	size_t size = kit_udp(frame, 1, 9, 20);
	pid_t child = kit_fork();
	if (child == 0) {
		int fd = kit_sender("a", false);

		for (;;)
			if (send(fd, frame, size, 0) < 0 && errno != ENOBUFS)
				_exit(1);
	}
	conf.bpf = "udp port 53";
	for (conf.rings = 1; conf.rings <= 2; conf.rings++) {
		for (int i = 0; i < 5; i++) {
			struct live *l = kit_open(&conf);

			kit_take(l, 0, 10);
			assert_int_equal(kit_counts(l, 0).packets, 0);
			live_free(l);
		}
	}
	assert_int_equal(kit_got.count, 0);
	conf.bpf = "udp port 9";
	conf.rings = 1;
	struct live *l = kit_open(&conf);
	kit_await_any(l);
	live_free(l);
	kit_end(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_a_file_gives),
		cmocka_unit_test(takes_the_same_of_raw_ip),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(filters_from_the_first_packet_on),
	};

	return cmocka_run_group_tests(tests, live_kit_setup, NULL);
}
#else
int main(void)
{
	return 0;
}
#endif
