/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_source.c - any bytes as a capture: formats and codings, at once and in small pieces.
 *
 * The first byte chooses the size of the pieces and of the batches.  Whatever the pieces, the
 * frames of an input without trouble are the same.
 */
#include <stdlib.h>

#include "source/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH = 16, MOST = 20000 };

struct sum {
	uint64_t frames, bytes, mixed;
	bool trouble;
};

static void on_trouble(void *ctx, const struct source_report *r)
{
	struct sum *sum = ctx;

	if (r->what != SOURCE_WARNING)
		sum->trouble = true;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void add(struct sum *sum, const struct source *s, const struct frame *f)
{
	const struct source_interface *i = source_interface(s, f->interface);

	check(f->caplen <= f->wirelen);
	check(i != NULL && i->file != NULL);
	check(f->ns > -((int64_t)1 << 62) && f->ns < (int64_t)1 << 62);
	for (uint32_t at = 0; at < f->caplen; at++)
		sum->mixed = sum->mixed * 31 + f->bytes[at];
	sum->mixed = sum->mixed * 31 + (uint64_t)f->ns;
	sum->mixed = sum->mixed * 31 + f->linktype;
	sum->bytes += f->wirelen;
	sum->frames++;
}

static struct sum read_all(const uint8_t *data, size_t size, size_t step, size_t batch)
{
	struct sum sum = { 0 };
	struct source_conf conf = { .trouble = on_trouble, .ctx = &sum };
	struct frame frames[BATCH];
	struct err e;
	bool ok;
	size_t n;
	struct source *s = source_new_memory(data, size, step, &conf, &e);

	check(s != NULL);
	while (sum.frames < MOST && (n = source_read(s, frames, batch, &ok, &e)) > 0) {
		check(ok && n <= batch);
		for (size_t i = 0; i < n; i++)
			add(&sum, s, &frames[i]);
	}
	check(sum.frames >= MOST || source_progress(s).packets == sum.frames);
	source_free(s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t step = data[0] & 0x3f, batch = 1 + (data[0] >> 6);
	struct sum whole = read_all(data + 1, size - 1, 0, BATCH);
	struct sum parts = read_all(data + 1, size - 1, step, batch);

	if (whole.frames < MOST && !whole.trouble && !parts.trouble)
		check(whole.frames == parts.frames && whole.bytes == parts.bytes &&
				whole.mixed == parts.mixed);
	return 0;
}
