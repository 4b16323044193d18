/* SPDX-License-Identifier: BSD-3-Clause */
/* process_wire.c - write and read what the watcher tells the sensor. */
#include "host/process_wire.h"

enum { HEAD = 3, HASH = 32, ADDRESS = 16 }; /* bytes */

/* --- writing -----------------------------------------------------------------------------------
 */

static void put(struct buf *to, uint64_t value, size_t bytes)
{
	while (bytes-- > 0)
		buf_byte(to, (char)(value >> 8 * bytes));
}

/* Where a message begins; end() writes its length there. */
static size_t begin(struct buf *to, enum process_wire_type type)
{
	put(to, type, 1);
	put(to, 0, 2);
	return to->size;
}

static void end(struct buf *to, size_t start)
{
	if (!buf_ok(to))
		return;

	size_t size = to->size - start;

	to->p[start - 2] = (char)(size >> 8);
	to->p[start - 1] = (char)size;
}

static size_t begin_slot(
		struct buf *to, enum process_wire_type type, uint32_t slot, uint32_t generation)
{
	size_t start = begin(to, type);

	put(to, slot, 4);
	put(to, generation, 4);
	return start;
}

void process_wire_note(
		struct buf *to, enum process_wire_type type, uint8_t method, const char *text)
{
	size_t start = begin(to, type);

	put(to, method, 1);
	buf_text(to, text);
	end(to, start);
}

void process_wire_process(
		struct buf *to, uint32_t slot, uint32_t generation, const struct process *p)
{
	size_t start = begin_slot(to, PROCESS_WIRE_PROCESS, slot, generation);

	put(to, p->pid, 4);
	put(to, p->parent_pid, 4);
	put(to, p->uid, 4);
	put(to, p->cut, 4);
	put(to, (uint64_t)p->start_ns, 8);
	for (unsigned i = 0; i < PROCESS_TEXTS; i++) {
		size_t size;
		const char *text = process_text(p, i, &size);

		put(to, size, 2);
		buf_bytes(to, text, size);
	}
	end(to, start);
}

void process_wire_hash(struct buf *to, uint32_t slot, uint32_t generation, const uint8_t hash[32])
{
	size_t start = begin_slot(to, PROCESS_WIRE_HASH, slot, generation);

	buf_bytes(to, hash, HASH);
	end(to, start);
}

void process_wire_socket(struct buf *to, uint32_t slot, const struct process_socket *s)
{
	size_t start = begin_slot(to, PROCESS_WIRE_SOCKET, slot, s->generation);

	put(to, s->process, 4);
	put(to, s->process_generation, 4);
	put(to, s->confidence, 1);
	put(to, s->netns, 8);
	put(to, (uint64_t)s->open_ns, 8);
	put(to, (uint64_t)s->close_ns, 8);
	end(to, start);
}

void process_wire_tuple(
		struct buf *to, uint32_t slot, uint32_t generation, const struct process_tuple *t)
{
	size_t start = begin_slot(to, PROCESS_WIRE_TUPLE, slot, generation);

	put(to, t->version, 1);
	put(to, t->proto, 1);
	buf_bytes(to, t->local, ADDRESS);
	buf_bytes(to, t->remote, ADDRESS);
	put(to, t->local_port, 2);
	put(to, t->remote_port, 2);
	end(to, start);
}

void process_wire_close(struct buf *to, uint32_t slot, uint32_t generation, int64_t ns)
{
	size_t start = begin_slot(to, PROCESS_WIRE_CLOSE, slot, generation);

	put(to, (uint64_t)ns, 8);
	end(to, start);
}

void process_wire_address(struct buf *to, uint8_t version, const uint8_t address[16], bool here)
{
	size_t start = begin(to, PROCESS_WIRE_ADDRESS);

	put(to, version, 1);
	put(to, here, 1);
	buf_bytes(to, address, ADDRESS);
	end(to, start);
}

void process_wire_lost(struct buf *to, uint64_t lost)
{
	size_t start = begin(to, PROCESS_WIRE_COUNTS);

	put(to, lost, 8);
	end(to, start);
}

/* --- reading -----------------------------------------------------------------------------------
 */

void process_add_text(struct process *p, enum process_text which, const char *bytes, size_t size)
{
	size_t start = which == 0 ? 0 : p->end[which - 1];
	size_t room = LIMIT_PROCESS_TEXT - start;

	if (size > room) {
		p->cut |= UINT32_C(1) << which;
		size = room;
	}
	if (size > 0)
		memcpy(p->bytes + start, bytes, size);
	for (unsigned i = which; i < PROCESS_TEXTS; i++)
		p->end[i] = (uint16_t)(start + size);
}

static void read_bytes(struct rd *r, void *to, size_t size)
{
	struct rd part = rd_bytes(r, size);

	if (rd_ok(&part))
		memcpy(to, part.p, size);
}

static void read_process(struct rd *r, struct process *p)
{
	p->pid = rd_u32(r);
	p->parent_pid = rd_u32(r);
	p->uid = rd_u32(r);
	p->cut = rd_u32(r);
	p->start_ns = (int64_t)rd_uint(r, 8);
	for (unsigned i = 0; i < PROCESS_TEXTS; i++) {
		struct rd text = rd_block(r, 2);

		process_add_text(p, i, (const char *)text.p, text.left);
	}
}

static void read_socket(struct rd *r, struct process_socket *s, uint32_t generation)
{
	s->generation = generation;
	s->process = rd_u32(r);
	s->process_generation = rd_u32(r);
	s->confidence = rd_u8(r);
	s->netns = rd_uint(r, 8);
	s->open_ns = (int64_t)rd_uint(r, 8);
	s->close_ns = (int64_t)rd_uint(r, 8);
	if (s->confidence > PROCESS_EXACT)
		*r = (struct rd){ NULL, 0 };
}

static void read_tuple(struct rd *r, struct process_tuple *t)
{
	t->version = rd_u8(r);
	t->proto = rd_u8(r);
	read_bytes(r, t->local, ADDRESS);
	read_bytes(r, t->remote, ADDRESS);
	t->local_port = rd_u16(r);
	t->remote_port = rd_u16(r);
}

static void read_address(struct rd *r, struct process_wire *m)
{
	m->address.version = rd_u8(r);
	m->address.here = rd_u8(r) != 0;
	read_bytes(r, m->address.bytes, ADDRESS);
}

static void read_of_slot(struct rd *r, struct process_wire *m)
{
	m->slot = rd_u32(r);
	m->generation = rd_u32(r);
	switch (m->type) {
	case PROCESS_WIRE_PROCESS:
		read_process(r, &m->process);
		break;
	case PROCESS_WIRE_HASH:
		read_bytes(r, m->hash, HASH);
		break;
	case PROCESS_WIRE_SOCKET:
		read_socket(r, &m->socket, m->generation);
		break;
	case PROCESS_WIRE_TUPLE:
		read_tuple(r, &m->tuple);
		break;
	default:
		m->socket.close_ns = (int64_t)rd_uint(r, 8);
		break;
	}
}

static void read_body(struct rd *r, struct process_wire *m)
{
	switch (m->type) {
	case PROCESS_WIRE_READY:
	case PROCESS_WIRE_FAILED:
	case PROCESS_WIRE_NOTE:
		m->note.method = rd_u8(r);
		m->note.text = *r;
		break;
	case PROCESS_WIRE_PROCESS:
	case PROCESS_WIRE_HASH:
	case PROCESS_WIRE_SOCKET:
	case PROCESS_WIRE_TUPLE:
	case PROCESS_WIRE_CLOSE:
		read_of_slot(r, m);
		break;
	case PROCESS_WIRE_ADDRESS:
		read_address(r, m);
		break;
	case PROCESS_WIRE_COUNTS:
		m->lost = rd_uint(r, 8);
		break;
	default:
		m->type = 0;
		break;
	}
}

size_t process_wire_whole(struct rd bytes)
{
	struct rd r = bytes;
	size_t whole = 0;

	while (rd_more(&r)) {
		struct rd body;

		rd_u8(&r);
		body = rd_block(&r, 2);
		if (!rd_ok(&body))
			break;
		whole += HEAD + body.left;
	}
	return whole;
}

bool process_wire_next(struct rd *from, struct process_wire *m)
{
	struct rd body;

	if (!rd_more(from))
		return false;
	memset(m, 0, sizeof *m);
	m->type = rd_u8(from);
	body = rd_block(from, 2);
	if (!rd_ok(&body))
		return false;
	read_body(&body, m);
	return rd_ok(&body);
}
