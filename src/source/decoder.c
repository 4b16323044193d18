/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decoder.c - the part that is the same for every coding: when to wait for packed bytes, when to
 * hand out what there is, and how the end of the data is judged.
 *
 * It waits for more packed bytes only when it has nothing to hand out, so frames of a packed pipe
 * come as soon as their bytes do.
 */
#include "source/decoder.h"

#include "base/limits.h"

enum { LOOK = 6 }; /* the longest magic number */

#define FORMAT(name)
#define CODING(name) extern const struct coding coding_##name;
#include "source/list.def"
#undef CODING

static const struct coding *const codings[] = {
#define CODING(name) &coding_##name,
#include "source/list.def"
#undef CODING
};
#undef FORMAT

const struct coding *decoder_find(struct rd first)
{
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		if (codings[i]->is(first))
			return codings[i];
	}
	return NULL;
}

bool decoder_next_member(struct decoder *d, struct decoder_from *from, bool (*begins)(uint8_t byte))
{
	while (from->at < from->end && *from->at == 0)
		from->at++;
	if (from->at == from->end)
		return false;
	if (begins(*from->at)) {
		d->between = false;
		return true;
	}
	d->done = true;
	d->in.minor = true;
	return err_set(&d->in.fault, "other bytes follow the %s data; they were left out",
			d->coding->name);
}

/* Nothing moves any more, normally because the packed data is at its end: was it whole? */
static void judge_end(struct decoder *d)
{
	d->done = true;
	if (!d->between && d->in.fault.text[0] == '\0')
		err_set(&d->in.fault, "%s data ends too early", d->coding->name);
}

/* One step over the packed bytes at hand; says whether anything moved. */
static bool step(struct decoder *d, struct decoder_to *to)
{
	struct input *below = d->in.below;
	struct decoder_from from = { below->at, below->end };
	const uint8_t *to_before = to->at;

	if (!d->coding->step(d, &from, to))
		d->done = true;
	bool moved = from.at != below->at || to->at != to_before;
	below->at = from.at;
	return moved;
}

static size_t decoder_read(struct input *in, uint8_t *room, size_t n)
{
	struct decoder *d = (struct decoder *)in;
	struct decoder_to to = { room, room + n };

	while (to.at < to.end && !d->done) {
		if (step(d, &to) || d->done)
			continue;
		if (to.at > room)
			break;
		if (d->last || input_at_hand(in->below) > 0)
			judge_end(d);
		else
			d->last = input_need(in->below, 1) == 0;
	}
	return (size_t)(to.at - room);
}

static void decoder_close(struct input *in)
{
	struct decoder *d = (struct decoder *)in;

	if (d->state != NULL)
		d->coding->close(d);
}

static const struct input_ops decoder_ops = { .read = decoder_read, .close = decoder_close };

struct input *decoder_open(const struct coding *coding, struct input *below, struct err *e)
{
	struct decoder *d = (struct decoder *)input_new(sizeof(*d), &decoder_ops);

	if (d == NULL) {
		err_set(e, "no memory");
		return NULL;
	}
	d->coding = coding;
	d->between = true;
	d->in.coding = coding->name;
	if (!coding->open(d)) {
		err_set(e, "%s", d->in.fault.text[0] != '\0' ? d->in.fault.text : "no memory");
		input_close(&d->in);
		return NULL;
	}
	d->in.below = below;
	return &d->in;
}

bool decoder_unwrap(struct input **in, struct err *why)
{
	for (int layers = 0;; layers++) {
		input_need(*in, LOOK);
		const struct coding *coding = decoder_find(rd_first(input_rd(*in), LOOK));

		if (coding == NULL)
			return true;
		if (layers == LIMIT_CODINGS)
			return err_set(why, "is packed more than %d times over", LIMIT_CODINGS);
		struct input *decoder = decoder_open(coding, *in, why);
		if (decoder == NULL)
			return false;
		*in = decoder;
	}
}
