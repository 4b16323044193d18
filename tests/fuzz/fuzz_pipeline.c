/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_pipeline.c - frames from fuzz input through the whole library with every feature on.
 *
 * Each frame is { link type, time step, flags, length, bytes }.  Every packet must be accounted for
 * once in the statistics, and every line be a line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "joy.h"
#include "json_valid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_line(void *ctx, const char *bytes, size_t size)
{
	size_t *lines = ctx;

	if (size < 3 || bytes[size - 1] != '\n' || memchr(bytes, '\n', size - 1) != NULL ||
			!json_is_valid(bytes, size - 1))
		abort();
	++*lines;
	return 0;
}

static const uint16_t links[] = { 1, 1, 1, 101, 0, 113, 276, 9, 50, 51, 104, 105, 127, 192, 163,
	239, 117, 258, 242, 108, 12, 228, 229, 119 };

static void set(struct joy *j, const char *name, const char *value)
{
	if (joy_set(j, name, value) != JOY_OK)
		abort();
}

static struct joy *handle(uint8_t mode, size_t *lines)
{
	struct joy *j = joy_new();

	if (j == NULL)
		abort();
	set(j, "features", "all");
	set(j, "bidir", mode & 1 ? "1" : "0");
	set(j, "zeros", mode & 2 ? "1" : "0");
	set(j, "retrans", mode & 4 ? "1" : "0");
	set(j, "tunnel", mode & 8 ? "outer" : "inner");
	set(j, "num_pkts", mode & 16 ? "3" : "200");
	set(j, "memory", "16M");
	joy_on_line(j, on_line, lines);
	if (joy_start(j) != JOY_OK)
		abort();
	return j;
}

static int64_t feed(struct joy *j, struct rd *r, int64_t ns)
{
	uint8_t link = rd_u8(r), step = rd_u8(r), flags = rd_u8(r);
	size_t size = rd_u16(r) & 0x7ff;
	struct rd bytes = rd_first(*r, size);

	rd_bytes(r, bytes.left);
	ns += ((int64_t)1 << (step & 0x27)) * (flags & 1 ? -1 : 1);

	uint8_t *copy = malloc(bytes.left + 1); /* of exact size, so that any overread is seen */
	uint8_t *exact = realloc(copy, bytes.left > 0 ? bytes.left : 1);

	if (bytes.left > 0)
		memcpy(exact, bytes.p, bytes.left);

	struct joy_packet p = {
		.bytes = exact,
		.caplen = (uint32_t)bytes.left,
		.wirelen = (uint32_t)bytes.left + (flags & 2 ? flags : 0),
		.ns = ns,
		.linktype = links[link % (sizeof links / sizeof links[0])],
	};

	if (joy_feed(j, &p, 1) != JOY_OK)
		abort();
	free(exact);
	return ns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { data, size };
	size_t lines = 0;
	struct joy *j = handle(rd_u8(&r), &lines);
	int64_t ns = 1700000000000000000;
	struct joy_stats s;

	while (rd_more(&r))
		ns = feed(j, &r, ns);
	if (joy_finish(j) != JOY_OK)
		abort();
	joy_stats(j, &s, sizeof s);
	if (lines != s.records + 2)
		abort();
	joy_free(j);
	return 0;
}
