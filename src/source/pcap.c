/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap.c - the classic capture file (draft-ietf-opsawg-pcap).
 *
 *   file:   magic 4, major 2, minor 2, zone 4, accuracy 4, snaplen 4, link type 4 (upper half: FCS)
 *   packet: seconds 4, fraction 4, captured 4, original 4; bytes
 *
 * The writer's byte order shows in the magic.  0xa1b2c3d4 counts microseconds, 0xa1b23c4d
 * nanoseconds; 0xa1b2cd34 has eight more bytes in each packet header (an old Linux patch).
 */
#include <stdlib.h>

#include "base/limits.h"
#include "source/format.h"
#include "source/order.h"

enum {
	FILE_HEADER = 24,
	PACKET_HEADER = 16,
	MODIFIED_HEADER = 24,
	USUAL_LARGEST = 262144, /* no writer's default snapshot length is larger */
};

enum magic { MICRO = 0xa1b2c3d4, NANO = 0xa1b23c4d, MODIFIED = 0xa1b2cd34 };

struct pcap {
	bool swapped;
	bool nanoseconds;
	bool old_lengths; /* before version 2.3 the two lengths stood the other way round */
	bool maybe_old;   /* version 2.3: some writers did, some did not */
	uint16_t linktype;
	uint32_t header;  /* bytes before each packet */
	uint32_t largest; /* no packet of this file can have more bytes */
	uint32_t interface;
	int32_t unit_ns; /* of the fraction */
};

static bool known(uint32_t magic)
{
	return magic == MICRO || magic == NANO || magic == MODIFIED;
}

static bool is(struct rd first)
{
	uint32_t magic = rd_u32(&first);

	return rd_ok(&first) && (known(magic) || known(__builtin_bswap32(magic)));
}

/* False for a version whose layout nobody described. */
static bool read_header(struct rd r, struct pcap *p, uint32_t *snaplen)
{
	struct rd first = r;
	bool big = known(rd_u32(&first));
	uint32_t magic = (uint32_t)order_uint(&r, 4, big);
	uint64_t major = order_uint(&r, 2, big), minor = order_uint(&r, 2, big);

	rd_bytes(&r, 8); /* zone and accuracy were never used */
	*snaplen = (uint32_t)order_uint(&r, 4, big);
	p->swapped = big == ORDER_LITTLE_MACHINE;
	p->nanoseconds = magic == NANO;
	p->unit_ns = p->nanoseconds ? 1 : 1000;
	p->header = magic == MODIFIED ? MODIFIED_HEADER : PACKET_HEADER;
	p->linktype = (uint16_t)order_uint(&r, 4, big);
	p->old_lengths = minor < 3;
	p->maybe_old = minor == 3;
	p->largest = USUAL_LARGEST;
	if (*snaplen > p->largest)
		p->largest = *snaplen < LIMIT_PACKET_BYTES ? *snaplen : LIMIT_PACKET_BYTES;
	return major == 2;
}

static void *pcap_open(struct format_file *file)
{
	struct interfaces_new what = { .file = file->path };
	struct pcap *p = calloc(1, sizeof(*p));

	if (p == NULL || input_need(file->in, FILE_HEADER) < FILE_HEADER) {
		free(p);
		format_cut(file, "the pcap file header", FILE_HEADER);
		return NULL;
	}
	if (!read_header(input_rd(file->in), p, &what.snaplen))
		err_set(&file->damage, "is pcap of a version that is not known");
	what.linktype = p->linktype;
	file->in->at += FILE_HEADER;
	if (file->damage.text[0] == '\0' && !interfaces_add(file->interfaces, &what, &p->interface))
		err_set(&file->damage, "no memory for its interface");
	if (file->damage.text[0] == '\0')
		return p;
	free(p);
	return NULL;
}

/* Captured and original length, with the habits of old writers undone. */
static inline void lengths(const struct pcap *p, const uint8_t *at, uint32_t *cap, uint32_t *wire)
{
	uint32_t first = order_u32(at + 8, p->swapped), second = order_u32(at + 12, p->swapped);
	bool exchange = p->old_lengths || (p->maybe_old && first > second);

	*cap = exchange ? second : first;
	*wire = exchange ? first : second;
	if (*wire < *cap)
		*wire = *cap;
}

/*
 * Takes frames as long as they lie whole in the window.  Here is where the time of a source goes,
 * so it reads without struct rd; the two comparisons at its head are all the bounds there are.
 * 'p' comes as a copy whose constant members the compiler can fold.
 */
static inline __attribute__((always_inline)) size_t take(
		const struct pcap *p, struct input *in, struct frame *frames, size_t max)
{
	const uint8_t *at = in->at, *end = in->end;
	size_t n = 0;

	for (; n < max && (size_t)(end - at) >= p->header; n++) {
		uint32_t caplen, wirelen;

		lengths(p, at, &caplen, &wirelen);
		if (caplen > p->largest || (size_t)(end - at) - p->header < caplen)
			break;
		format_prefetch(in, at, at + p->header + caplen);
		frames[n] = (struct frame){
			.bytes = at + p->header,
			.caplen = caplen,
			.wirelen = wirelen,
			.ns = (int64_t)order_u32(at, p->swapped) * 1000000000 +
			      (int64_t)order_u32(at + 4, p->swapped) * p->unit_ns,
			.interface = p->interface,
			.linktype = p->linktype,
			.nanoseconds = p->nanoseconds,
		};
		at += p->header + caplen;
	}
	in->at = at;
	return n;
}

/* The usual kind of file, in this machine's byte order, gets a loop without questions. */
static size_t take_usual(const struct pcap *p, struct input *in, struct frame *frames, size_t max)
{
	struct pcap usual = *p;

	usual.swapped = usual.old_lengths = usual.maybe_old = false;
	usual.header = PACKET_HEADER;
	return take(&usual, in, frames, max);
}

static size_t take_any(const struct pcap *p, struct input *in, struct frame *frames, size_t max)
{
	if (!p->swapped && !p->old_lengths && !p->maybe_old && p->header == PACKET_HEADER)
		return take_usual(p, in, frames, max);
	return take(p, in, frames, max);
}

/* No whole packet is at hand: moves the window on; false at the end, good or bad. */
static bool bring(const struct pcap *p, struct format_file *file)
{
	size_t at_hand = input_need(file->in, p->header);
	uint32_t caplen, wirelen;

	if (at_hand == 0)
		return false;
	if (at_hand < p->header) {
		format_cut(file, "a packet header", p->header);
		return false;
	}
	lengths(p, file->in->at, &caplen, &wirelen);
	if (caplen > p->largest)
		return format_damage(file, input_offset(file->in),
				"is damaged at offset %llu: a packet of %u bytes, at most %u can "
				"be",
				(unsigned long long)input_offset(file->in), caplen, p->largest);
	if (input_need(file->in, (size_t)p->header + caplen) < (size_t)p->header + caplen) {
		format_cut(file, "a packet", p->header + caplen);
		return false;
	}
	return true;
}

static size_t pcap_read(void *state, struct format_file *file, struct frame *frames, size_t max)
{
	size_t n = take_any(state, file->in, frames, max);

	if (n == 0 && bring(state, file))
		n = take_any(state, file->in, frames, max);
	return n;
}

const struct format format_pcap = {
	.name = "pcap",
	.min_size = FILE_HEADER,
	.is = is,
	.open = pcap_open,
	.read = pcap_read,
	.close = free,
};
