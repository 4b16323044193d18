/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_ring_linux.c - sockets of AF_PACKET, and packets of a ring as frames.
 *
 * A packet in the ring, and what is written before it here, in room that the kernel leaves:
 *
 *	tpacket3_hdr 48 | sockaddr_ll 20 | room | virtio_net_hdr 10 | packet
 *	                                   destination 6, source 6, tag 4 | type ...   Ethernet
 *	                                               SLL2 header 20 | network layer  other links
 *
 * The kernel takes the outer VLAN tag out of a packet when it comes in; here it is put back.
 * Offsets and lengths in the ring are the kernel's, and as good as the rest of its work.
 */
#ifdef __linux__
#include "source/live_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "source/live_share.h"

#ifndef TP_STATUS_GSO_TCP
#define TP_STATUS_GSO_TCP (1 << 8) /* from 5.14 on */
#endif

enum {
	MOST_BLOCK = 256 << 10,  /* the smaller, the longer may reading pause without loss */
	LEAST_BLOCK = 128 << 10, /* holds any packet of 64 KiB */
	BLOCKS = 16,             /* at least, where blocks are not the smallest */
	FRAME_SIZE = 2048,       /* asked for by the kernel, without meaning in TPACKET_V3 */
	TAG = 4,                 /* bytes of a VLAN tag */
	ADDRESSES = 12,          /* bytes of Ethernet before the tag */
	SLL2 = 20,               /* bytes of the header of LINKTYPE_LINUX_SLL2 */
	HEADER = (sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT *
		 TPACKET_ALIGNMENT, /* bytes up to the address */
	LINK_ETHERNET = 1,
	LINK_RAW = 101,
	LINK_80211 = 105,
	LINK_PRISM = 119,
	LINK_RADIOTAP = 127,
	LINK_SLL2 = 276,
};

/* --- setting up ---------------------------------------------------------------------------------
 */

int ring_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static bool set(const struct ring *r, int option, int value)
{
	return setsockopt(r->fd, SOL_PACKET, option, &value, sizeof(value)) == 0;
}

/*
 * It is said in a virtio_net_hdr.  Where that has no word for a kind of segmentation the kernel
 * drops the packet: before Linux 6.2 for UDP, and always for SCTP, so these do without.
 */
bool ring_knows_gso_types(void)
{
	struct utsname names;
	unsigned major, minor;

	return uname(&names) == 0 && sscanf(names.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2)) && access("/proc/net/sctp", F_OK) != 0;
}

/* The virtio_net_hdr would move packets off the alignment that the kernel gives them. */
static void ask_for_gso_types(struct ring *r)
{
	enum { GSO_HEADER = sizeof(struct virtio_net_hdr) };

	if (!set(r, PACKET_VNET_HDR, 1))
		return;
	set(r, PACKET_RESERVE, TPACKET_ALIGNMENT - GSO_HEADER);
	r->gso_at = GSO_HEADER - offsetof(struct virtio_net_hdr, gso_type);
}

static uint32_t block_size(size_t bytes)
{
	uint32_t size = MOST_BLOCK;

	while (size > LEAST_BLOCK && bytes / size < BLOCKS)
		size /= 2;
	return size;
}

static bool make_ring(struct ring *r, size_t bytes, struct err *e)
{
	r->block_size = block_size(bytes);
	r->block_count = (uint32_t)(bytes / r->block_size);
	struct tpacket_req3 request = {
		.tp_block_size = r->block_size,
		.tp_block_nr = r->block_count,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = r->block_size / FRAME_SIZE * r->block_count,
		.tp_retire_blk_tov = RING_RETIRE_MS,
	};
	size_t size = (size_t)r->block_size * r->block_count;

	if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
		return err_set(e, "no packet ring of %zu bytes: %s (ring= sets its size)", size,
				strerror(errno));
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED)
		return err_set(e, "no packet ring of %zu bytes: %s (ring= sets its size)", size,
				strerror(errno));
	r->map = map;
	return true;
}

struct ring *ring_new(int fd, const struct ring_conf *conf, struct err *e)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		close(fd);
		err_set(e, "no memory for a packet ring");
		return NULL;
	}
	r->fd = fd;
	r->snaplen = conf->snaplen;
	bool good = set(r, PACKET_VERSION, TPACKET_V3);
	if (!good)
		err_set(e,
				"no packet ring: this kernel has no TPACKET_V3 (%s); "
				"capture=libpcap may work",
				strerror(errno));
	if (conf->adapter_clock)
		set(r, PACKET_TIMESTAMP, SOF_TIMESTAMPING_RAW_HARDWARE);
	if (conf->gso_types)
		ask_for_gso_types(r);
	if (!good || !make_ring(r, conf->bytes, e)) {
		ring_free(r);
		return NULL;
	}
	return r;
}

void ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	if (r->map != NULL)
		munmap(r->map, (size_t)r->block_size * r->block_count);
	close(r->fd);
	free(r);
}

bool ring_bind(const struct ring *r, int index)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index,
	};

	return bind(r->fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
}

int ring_bound(const struct ring *r)
{
	struct sockaddr_ll to = { 0 };
	socklen_t size = sizeof(to);

	return getsockname(r->fd, (struct sockaddr *)&to, &size) == 0 ? to.sll_ifindex : -1;
}

bool ring_join(const struct ring *r, int *group)
{
	enum { TYPE = PACKET_FANOUT_CBPF };
	socklen_t size = sizeof(*group);

	if (*group != 0)
		return set(r, PACKET_FANOUT, *group);
	return set(r, PACKET_FANOUT, (int)((TYPE | PACKET_FANOUT_FLAG_UNIQUEID) * 65536U)) &&
	       getsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, group, &size) == 0 && live_share(r->fd);
}

/* --- blocks -------------------------------------------------------------------------------------
 */

static struct tpacket_hdr_v1 *block_head(const struct ring *r, uint32_t number)
{
	struct tpacket_block_desc *block = (void *)(r->map + (size_t)number * r->block_size);

	return &block->hdr.bh1;
}

static bool is_ours(const struct ring *r, uint32_t number)
{
	return __atomic_load_n(&block_head(r, number)->block_status, __ATOMIC_ACQUIRE) &
	       TP_STATUS_USER;
}

bool ring_begin(struct ring *r, int64_t now_ms)
{
	if (r->open)
		return r->left > 0;
	if (!is_ours(r, r->block))
		return false;
	struct tpacket_hdr_v1 *head = block_head(r, r->block);

	r->open = true;
	r->opened_ms = now_ms;
	r->left = head->num_pkts;
	r->next = (const uint8_t *)head - offsetof(struct tpacket_block_desc, hdr) +
		  head->offset_to_first_pkt;
	ring_end(r); /* should a block ever be empty */
	return r->open;
}

void ring_end(struct ring *r)
{
	if (!r->open || r->left > 0)
		return;
	__atomic_store_n(
			&block_head(r, r->block)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->open = false;
	r->block = r->block + 1 == r->block_count ? 0 : r->block + 1;
}

bool ring_is_filling(const struct ring *r)
{
	return is_ours(r, (r->block + r->block_count / 4) % r->block_count);
}

unsigned ring_fill(const struct ring *r)
{
	uint32_t ours = 0;

	for (uint32_t i = 0; i < r->block_count; i++)
		ours += is_ours(r, i);
	return (unsigned)((uint64_t)ours * 100 / r->block_count);
}

bool ring_counts(const struct ring *r, struct ring_counts *out)
{
	struct tpacket_stats_v3 stats = { 0 };
	socklen_t size = sizeof(stats);

	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0)
		return false;
	*out = (struct ring_counts){
		.packets = stats.tp_packets - stats.tp_drops,
		.drops = stats.tp_drops,
		.freezes = stats.tp_freeze_q_cnt,
	};
	return true;
}

/* --- packets ------------------------------------------------------------------------------------
 */

static const struct sockaddr_ll *address(const struct tpacket3_hdr *h)
{
	return (const void *)((const uint8_t *)h + HEADER);
}

static int64_t packet_ns(const struct tpacket3_hdr *h)
{
	return (int64_t)h->tp_sec * 1000000000 + h->tp_nsec;
}

int64_t ring_next_ns(const struct ring *r)
{
	return packet_ns((const void *)r->next);
}

static void put16(uint8_t *to, uint16_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static bool was_merged(const struct ring *r, const struct tpacket3_hdr *h)
{
	const uint8_t *packet = (const uint8_t *)h + h->tp_mac;

	if (r->gso_at > 0)
		return *(packet - r->gso_at) != VIRTIO_NET_HDR_GSO_NONE;
	return (h->tp_status & TP_STATUS_GSO_TCP) != 0;
}

/* Moves the addresses forward and writes the tag behind them. */
static void restore_tag(const struct tpacket3_hdr *h, const struct ring *r, struct frame *f)
{
	enum { ROOM_FROM = HEADER + sizeof(struct sockaddr_ll) };
	bool typed = (h->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
	uint8_t *to = (uint8_t *)(uintptr_t)f->bytes - TAG;

	if (f->caplen < ADDRESSES || h->tp_mac < ROOM_FROM + TAG)
		return;
	memmove(to, f->bytes, ADDRESSES);
	put16(to + ADDRESSES, typed ? h->hv1.tp_vlan_tpid : ETHERTYPE_VLAN);
	put16(to + ADDRESSES + 2, (uint16_t)h->hv1.tp_vlan_tci);
	f->bytes = to;
	f->wirelen += TAG;
	f->caplen = f->caplen + TAG < r->snaplen ? f->caplen + TAG : r->snaplen;
}

/*
 * Of links without a header of their own, or with one that nobody knows: the network layer.  IP is
 * raw IP; what else there is gets the header that says which protocol it is.
 */
static void take_network(const struct tpacket3_hdr *h, const struct ring *r, struct frame *f)
{
	const struct sockaddr_ll *from = address(h);
	uint32_t skip = h->tp_net > h->tp_mac ? (uint32_t)h->tp_net - h->tp_mac : 0;

	if (skip > f->caplen)
		skip = f->caplen;
	f->bytes += skip;
	f->caplen -= skip;
	f->wirelen -= skip;
	f->linktype = LINK_RAW;
	if (from->sll_protocol == htons(ETHERTYPE_IP) ||
			from->sll_protocol == htons(ETHERTYPE_IPV6))
		return;
	uint8_t head[SLL2] = { 0 }, *to = (uint8_t *)(uintptr_t)f->bytes - SLL2;

	memcpy(head, &from->sll_protocol, 2);
	put16(head + 4, (uint16_t)((unsigned)from->sll_ifindex >> 16));
	put16(head + 6, (uint16_t)from->sll_ifindex);
	put16(head + 8, from->sll_hatype);
	head[10] = from->sll_pkttype;
	head[11] = from->sll_halen;
	memcpy(head + 12, from->sll_addr, sizeof(from->sll_addr));
	memcpy(to, head, sizeof(head)); /* over the address, which was read */
	f->bytes = to;
	f->caplen = f->caplen + SLL2 < r->snaplen ? f->caplen + SLL2 : r->snaplen;
	f->wirelen += SLL2;
	f->linktype = LINK_SLL2;
}

static inline void take(const struct ring *r, const struct tpacket3_hdr *h, struct frame *f)
{
	f->bytes = (const uint8_t *)h + h->tp_mac;
	f->caplen = h->tp_snaplen;
	f->wirelen = h->tp_len;
	f->nanoseconds = true;
	f->untimed = false;
	f->merged = was_merged(r, h);
	switch (address(h)->sll_hatype) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		f->linktype = LINK_ETHERNET;
		if (h->tp_status & TP_STATUS_VLAN_VALID)
			restore_tag(h, r, f);
		break;
	case ARPHRD_IEEE80211:
		f->linktype = LINK_80211;
		break;
	case ARPHRD_IEEE80211_PRISM:
		f->linktype = LINK_PRISM;
		break;
	case ARPHRD_IEEE80211_RADIOTAP:
		f->linktype = LINK_RADIOTAP;
		break;
	default:
		take_network(h, r, f);
	}
}

size_t ring_take(struct ring *r, int64_t until_ns, uint32_t interface, struct frame *frames,
		size_t max)
{
	size_t n = 0;

	for (; n < max && r->left > 0; n++) {
		const struct tpacket3_hdr *h = (const void *)r->next;

		frames[n].ns = packet_ns(h);
		if (frames[n].ns > until_ns)
			break;
		frames[n].interface = interface;
		take(r, h, &frames[n]);
		r->next += h->tp_next_offset;
		r->left--;
	}
	return n;
}
#endif
