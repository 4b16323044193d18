/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_assemble.c - handshake messages out of pieces; the contract is in tls_message.h.
 *
 * A message passes in two parts: head bytes are gathered in the assembler; then the body either
 * lies whole in the piece and is given from there, or goes to the caller's room piece by piece.
 */
#include <string.h>

#include "proto/tls_message.h"

static void gather_head(struct tls_assembler *a, struct rd *piece)
{
	struct rd part = rd_first(*piece, (size_t)TLS_MESSAGE_HEAD - a->head_size);

	if (part.left > 0)
		memcpy(a->head + a->head_size, part.p, part.left);
	a->head_size = (uint8_t)(a->head_size + part.left);
	rd_bytes(piece, part.left);
}

static uint32_t body_size(const struct tls_assembler *a)
{
	return (uint32_t)a->head[1] << 16 | (uint32_t)a->head[2] << 8 | a->head[3];
}

/* Moves body bytes from the piece to the room, as many as fit and as there are. */
static void fill_room(struct tls_assembler *a, struct rd *piece)
{
	size_t n = a->room_size - a->kept;
	size_t wanted = body_size(a) - a->seen;
	struct rd part = rd_first(*piece, n < wanted ? n : wanted);

	if (part.left > 0)
		memcpy(a->room + a->kept, part.p, part.left);
	a->kept += (uint32_t)part.left;
	a->seen += (uint32_t)part.left;
	rd_bytes(piece, part.left);
}

/* Lets body bytes pass that nobody keeps. */
static void count_body(struct tls_assembler *a, struct rd *piece)
{
	struct rd part = rd_first(*piece, body_size(a) - a->seen);

	a->seen += (uint32_t)part.left;
	rd_bytes(piece, part.left);
}

enum tls_step tls_assemble(struct tls_assembler *a, struct rd *piece, struct tls_message *m)
{
	gather_head(a, piece);
	if (a->head_size < TLS_MESSAGE_HEAD)
		return TLS_STEP_END;

	*m = (struct tls_message){ .type = a->head[0], .size = body_size(a) };
	if (a->seen == 0 && piece->left >= m->size) {
		m->body = rd_bytes(piece, m->size);
		*a = (struct tls_assembler){ 0 };
		return TLS_STEP_MESSAGE;
	}
	if (!a->counting)
		fill_room(a, piece);
	m->body = (struct rd){ a->room, a->kept };
	if (!a->counting && rd_more(piece) && a->seen < m->size) {
		a->counting = true; /* unless the caller gives room */
		return TLS_STEP_ROOM;
	}
	count_body(a, piece);
	if (a->seen < m->size)
		return TLS_STEP_END;
	*a = (struct tls_assembler){ 0 };
	return TLS_STEP_MESSAGE;
}

void tls_assembler_room(struct tls_assembler *a, uint8_t *room, uint32_t size)
{
	if (size <= a->room_size || a->seen > a->kept)
		return;
	if (a->kept > 0)
		memmove(room, a->room, a->kept);
	a->room = room;
	a->room_size = size;
	a->counting = false;
}

bool tls_assembler_partial(const struct tls_assembler *a, struct tls_message *m)
{
	if (a->head_size < TLS_MESSAGE_HEAD)
		return false;
	*m = (struct tls_message){ a->head[0], body_size(a), { a->room, a->kept } };
	return true;
}
