/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input.c - the window over bytes that are read into a buffer or mapped, and the simplest source of
 * them: memory.
 *
 * A packet that does not fit behind the end of a buffer is moved to its front.  The buffer is small
 * enough to stay in the second-level cache and grows only for a packet larger than itself.
 */
#include "source/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "os/mapping.h"

enum {
#ifdef FUZZING
	ROOM = 512, /* so that small inputs reach the edges */
#else
	ROOM = 256 * 1024,
#endif
};

static const uint8_t nothing[1];

struct input *input_new(size_t size, const struct input_ops *ops)
{
	struct input *in = calloc(1, size);

	if (in != NULL) {
		in->ops = ops;
		in->at = in->end = nothing;
	}
	return in;
}

/* The mapped window is not needed any more; who gives rooms knows better when. */
static void leave_mapped(struct input *in)
{
	if (in->rooms == NULL && in->mapped.bytes != NULL)
		mapping_free(in->mapped.bytes, in->mapped.size);
	in->mapped = (struct input_window){ 0 };
}

void input_close(struct input *in)
{
	while (in != NULL) {
		struct input *below = in->below;

		in->ops->close(in);
		leave_mapped(in);
		if (in->rooms == NULL)
			free(in->room);
		free(in);
		in = below;
	}
}

/* What is at hand goes to the front of another room. */
static bool move_to_next(struct input *in, size_t size)
{
	const size_t kept = input_at_hand(in);
	size_t got = 0;
	uint8_t *room = in->rooms->next(in->rooms->ctx, size > kept ? size : kept, &got);

	if (room == NULL)
		return err_set(&in->fault, "no memory for a buffer of %zu bytes", size);
	memcpy(room, in->at, kept);
	in->room = room;
	in->room_size = got;
	in->at = room;
	in->end = room + kept;
	return true;
}

bool input_use_rooms(struct input *in, const struct input_rooms *rooms)
{
	uint8_t *own = in->room;

	if (in->mapped.bytes != NULL) {
		if (!rooms->lend(rooms->ctx, &in->mapped))
			return false;
		in->rooms = rooms;
		return true;
	}
	in->rooms = rooms;
	if (!move_to_next(in, ROOM)) {
		in->rooms = NULL;
		return false;
	}
	free(own);
	return true;
}

bool input_move_to(struct input *in, const struct input_window *window, const uint8_t *at)
{
	if (in->rooms != NULL && !in->rooms->lend(in->rooms->ctx, window))
		return false;
	leave_mapped(in);
	in->mapped = *window;
	in->at = at;
	in->end = window->bytes + window->size;
	return true;
}

bool input_steady(struct input *in)
{
	struct input *low = in;

	while (low->below != NULL)
		low = low->below;
	if (low->mapped.bytes == NULL || !mapping_lost(low->mapped.bytes))
		return true;
	if (low->fault.text[0] == '\0')
		err_set(&low->fault, "became shorter while it was read, or cannot be read");
	in->at = in->end = low->at = low->end = nothing;
	in->ended = low->ended = true;
	return false;
}

/* Moves what is at hand to the front of a buffer of at least 'need' bytes. */
static bool move_to_front(struct input *in, size_t need)
{
	size_t kept = input_at_hand(in);
	size_t size = need > ROOM ? need : ROOM;

	if (in->rooms != NULL)
		return move_to_next(in, size);
	if (in->room_size < size) {
		size = size < 2 * in->room_size ? 2 * in->room_size : size;
		uint8_t *room = malloc(size);

		if (room == NULL)
			return err_set(&in->fault, "no memory for a buffer of %zu bytes", size);
		memcpy(room, in->at, kept);
		free(in->room);
		in->room = room;
		in->room_size = size;
	} else {
		memmove(in->room, in->at, kept);
	}
	in->at = in->room;
	in->end = in->room + kept;
	return true;
}

static void fill(struct input *in, size_t need)
{
	if (in->ended || (in->ops->slide != NULL && in->ops->slide(in, need)))
		return;
	if (!move_to_front(in, need)) {
		in->ended = true;
		return;
	}
	leave_mapped(in);
	size_t have = input_at_hand(in);
	while (have < need && !in->ended) {
		size_t got = in->ops->read(in, in->room + have, in->room_size - have);

		in->ended = got == 0;
		have += got;
		in->end_offset += got;
	}
	in->end = in->room + have;
}

size_t input_more(struct input *in, size_t need)
{
	if (need > LIMIT_INPUT_BYTES)
		need = LIMIT_INPUT_BYTES;
	fill(in, need);
	return input_at_hand(in);
}

uint64_t input_used(const struct input *in)
{
	while (in->below != NULL)
		in = in->below;
	return input_offset(in);
}

const struct input *input_fault(const struct input *in)
{
	const struct input *found = NULL;

	for (; in != NULL; in = in->below) {
		if (in->fault.text[0] != '\0')
			found = in;
	}
	return found;
}

/* --- memory -------------------------------------------------------------------------------- */

struct memory {
	struct input in;
	struct rd left;
	size_t step;
};

static size_t memory_read(struct input *in, uint8_t *to, size_t n)
{
	struct memory *m = (struct memory *)in;
	struct rd part = rd_first(m->left, n < m->step ? n : m->step);

	if (part.left == 0)
		return 0;
	memcpy(to, part.p, part.left);
	rd_bytes(&m->left, part.left);
	return part.left;
}

static void memory_close(struct input *in)
{
	(void)in;
}

static const struct input_ops memory_ops = { .read = memory_read, .close = memory_close };

struct input *input_memory(const void *bytes, size_t size, size_t step)
{
	struct memory *m = (struct memory *)input_new(sizeof(*m), &memory_ops);

	if (m == NULL)
		return NULL;
	m->left = (struct rd){ bytes, size };
	m->step = step > 0 ? step : SIZE_MAX;
	return &m->in;
}
