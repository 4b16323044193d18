/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcapng_block.c - sections, interfaces and packets of a pcapng file.
 *
 *   interface: link type 2, reserved 2, snaplen 4; options
 *   enhanced:  interface 4, time 4 (high) 4 (low), captured 4, original 4; bytes, padding, options
 *   packet:    interface 2, drops 2, then as enhanced (obsolete)
 *   simple:    original 4; bytes
 *   option:    code 2, length 2; value, padding to four bytes; code 0 ends
 */
#include <stdlib.h>

#include "base/limits.h"
#include "source/order.h"
#include "source/pcapng.h"

enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_NAME = 2,
	OPTION_DESCRIPTION = 3,
	OPTION_TSRESOL = 9,
	OPTION_TSOFFSET = 14,
	MOST_DIGITS = 19, /* 10^19 is the largest power that a uint64_t holds */
};
#define BILLION 1000000000
#define LAST_NS (((int64_t)1 << 62) - 1)

static uint32_t u32(struct rd *r, const struct pcapng *ng)
{
	return (uint32_t)order_uint(r, 4, ng->big);
}

static uint16_t u16(struct rd *r, const struct pcapng *ng)
{
	return (uint16_t)order_uint(r, 2, ng->big);
}

/* The next option; false when there is none, or what is left is none. */
static bool next_option(const struct pcapng *ng, struct rd *r, uint16_t *code, struct rd *value)
{
	*code = u16(r, ng);
	*value = rd_bytes(r, u16(r, ng));
	if (!rd_ok(value) || *code == OPTION_END)
		return false;
	rd_bytes(r, rd_first(*r, -value->left & 3).left);
	return true;
}

static void count_comments(const struct pcapng *ng, struct format_file *file, struct rd options)
{
	uint16_t code;
	struct rd value;

	while (next_option(ng, &options, &code, &value))
		file->comments += code == OPTION_COMMENT;
}

static void section(struct pcapng *ng, struct format_file *file, const struct pcapng_block *b,
		struct rd r)
{
	u32(&r, ng); /* order */
	uint16_t major = u16(&r, ng);

	rd_bytes(&r, 2 + 8); /* minor; length, which only serves to jump */
	if (major != 1)
		format_damage(file, b->offset,
				"is pcapng of version %u, which is not known (offset %llu)", major,
				(unsigned long long)b->offset);
	ng->face_count = 0;
	count_comments(ng, file, r);
}

static uint64_t power_of_ten(unsigned int exponent)
{
	uint64_t v = 1;

	while (exponent-- > 0)
		v *= 10;
	return v;
}

/* if_tsresol: a unit is 10^-n seconds, or with the top bit 2^-n. */
static void set_resolution(struct pcapng_face *face, uint8_t value)
{
	unsigned int n = value & 0x7f;

	*face = (struct pcapng_face){ .mul = BILLION, .div = 1, .offset_s = face->offset_s };
	if (value & 0x80) {
		face->shift = (uint8_t)n;
		face->nanoseconds = n >= 20; /* 2^-20 is the first below a microsecond */
		return;
	}
	face->nanoseconds = n > 6;
	face->mul = n <= 9 ? power_of_ten(9 - n) : n <= 9 + MOST_DIGITS;
	face->div = n > 9 && n <= 9 + MOST_DIGITS ? power_of_ten(n - 9) : 1;
}

static void interface_options(const struct pcapng *ng, struct format_file *file, struct rd options,
		struct pcapng_face *face, struct interfaces_new *what)
{
	uint16_t code;
	struct rd value;

	while (next_option(ng, &options, &code, &value)) {
		if (code == OPTION_COMMENT)
			file->comments++;
		else if (code == OPTION_NAME)
			what->name = value;
		else if (code == OPTION_DESCRIPTION)
			what->description = value;
		else if (code == OPTION_TSRESOL && value.left >= 1)
			set_resolution(face, rd_u8(&value));
		else if (code == OPTION_TSOFFSET && value.left >= 8)
			face->offset_s = (int64_t)order_uint(&value, 8, ng->big);
	}
}

static struct pcapng_face *new_face(struct pcapng *ng, struct format_file *file)
{
	if (ng->face_count == ng->face_room) {
		uint32_t room = ng->face_room > 0 ? ng->face_room * 2 : 4;
		struct pcapng_face *faces = realloc(ng->faces, room * sizeof(*faces));

		if (faces == NULL) {
			err_set(&file->damage, "no memory for its interfaces");
			return NULL;
		}
		ng->faces = faces;
		ng->face_room = room;
	}
	return &ng->faces[ng->face_count];
}

static void interface(struct pcapng *ng, struct format_file *file, const struct pcapng_block *b,
		struct rd r)
{
	struct interfaces_new what = { .file = file->path, .linktype = u16(&r, ng) };
	struct pcapng_face *face;

	rd_bytes(&r, 2);
	what.snaplen = u32(&r, ng);
	if (!rd_ok(&r)) {
		format_damage(file, b->offset,
				"is damaged at offset %llu: an interface block of %u bytes",
				(unsigned long long)b->offset, b->length);
		return;
	}
	if (ng->face_count >= LIMIT_INTERFACES || (face = new_face(ng, file)) == NULL)
		return; /* packets that name it are told when they come */
	face->offset_s = 0;
	set_resolution(face, 6);
	interface_options(ng, file, r, face, &what);
	face->linktype = what.linktype;
	face->snaplen = what.snaplen;
	if (interfaces_add(file->interfaces, &what, &face->number))
		ng->face_count++;
	else
		err_set(&file->damage, "no memory for its interfaces");
}

/* Nanoseconds since 1970; what does not fit becomes the first or last that does, and is counted. */
static int64_t to_ns(struct format_file *file, const struct pcapng_face *face, uint64_t units)
{
	unsigned __int128 fraction = (unsigned __int128)units * face->mul;

	if (face->div != 1)
		fraction /= face->div;
	__int128 ns = (__int128)(fraction >> face->shift) + (__int128)face->offset_s * BILLION;
	if (ns >= -LAST_NS && ns <= LAST_NS)
		return (int64_t)ns;
	file->far_times++;
	return ns > 0 ? LAST_NS : -LAST_NS;
}

static bool skip(struct format_file *file, const struct pcapng_block *b, const char *why)
{
	if (file->skipped_count++ > 0)
		return false;
	file->skipped_at = (int64_t)b->offset;
	return err_set(&file->skipped, "block at offset %llu: %s", (unsigned long long)b->offset,
			why);
}

static void fill(struct frame *f, const struct pcapng_face *face, struct rd bytes, uint32_t wirelen)
{
	*f = (struct frame){
		.bytes = bytes.p,
		.caplen = (uint32_t)bytes.left,
		.wirelen = wirelen > bytes.left ? wirelen : (uint32_t)bytes.left,
		.interface = face->number,
		.linktype = face->linktype,
		.nanoseconds = face->nanoseconds,
	};
}

/* Enhanced and obsolete packets, from the time on. */
static bool packet(const struct pcapng *ng, struct format_file *file, const struct pcapng_block *b,
		uint32_t index, struct rd r, struct frame *frame)
{
	uint64_t high = u32(&r, ng), low = u32(&r, ng);
	uint32_t caplen = u32(&r, ng), wirelen = u32(&r, ng);
	struct rd bytes = rd_bytes(&r, caplen);

	if (!rd_ok(&bytes) || caplen > LIMIT_PACKET_BYTES)
		return skip(file, b, "a packet larger than its block");
	if (index >= ng->face_count)
		return skip(file, b, "a packet of an interface that is not described before it");
	fill(frame, &ng->faces[index], bytes, wirelen);
	frame->ns = to_ns(file, &ng->faces[index], high << 32 | low);
	rd_bytes(&r, rd_first(r, -caplen & 3).left);
	if (rd_more(&r))
		count_comments(ng, file, r);
	return true;
}

/* A simple packet is of the first interface; it says neither time nor captured length. */
static bool simple_packet(const struct pcapng *ng, struct format_file *file,
		const struct pcapng_block *b, struct rd r, struct frame *frame)
{
	uint32_t wirelen = u32(&r, ng);

	if (!rd_ok(&r))
		return skip(file, b, "a packet block without a length");
	if (ng->face_count == 0)
		return skip(file, b, "a packet of an interface that is not described before it");
	struct rd bytes = rd_first(r, wirelen);
	if (ng->faces[0].snaplen > 0)
		bytes = rd_first(bytes, ng->faces[0].snaplen);
	if (bytes.left > LIMIT_PACKET_BYTES)
		return skip(file, b, "a packet larger than any can be");
	fill(frame, &ng->faces[0], bytes, wirelen);
	frame->ns = ng->last_ns;
	frame->untimed = true;
	return true;
}

bool pcapng_block_read(struct pcapng *ng, struct format_file *file, const struct pcapng_block *b,
		struct rd body, struct frame *frame)
{
	uint32_t index;

	switch (b->type) {
	case PCAPNG_ENHANCED:
		index = u32(&body, ng);
		return packet(ng, file, b, index, body, frame);
	case PCAPNG_PACKET:
		index = u16(&body, ng);
		rd_bytes(&body, 2); /* drops, as far as the writer knew */
		return packet(ng, file, b, index, body, frame);
	case PCAPNG_SIMPLE:
		return simple_packet(ng, file, b, body, frame);
	case PCAPNG_INTERFACE:
		interface(ng, file, b, body);
		return false;
	case PCAPNG_SECTION:
		section(ng, file, b, body);
		return false;
	default:
		return false; /* names, statistics, secrets, or not known */
	}
}
