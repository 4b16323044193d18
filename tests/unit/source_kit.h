/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source_kit.h - write captures into memory, byte by byte, and read them back through a source.
 *
 * Numbers are written in the order that 'big' asks for, so every test can run both ways round.
 */
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "source/memory.h"
#include "source/source.h"

enum { KIT_MOST = 4096, KIT_TEXT = 1024 };

/* What came out of a run. */
struct kit_run {
	size_t count;
	struct frame frames[KIT_MOST]; /* their bytes are copies */
	struct source_progress progress;
	int troubles[3]; /* by enum source_trouble */
	char last_trouble[KIT_TEXT];
	int64_t last_offset;
	char all_troubles[8 * KIT_TEXT];
};

static inline void kit_trouble(void *ctx, const struct source_report *r)
{
	struct kit_run *run = ctx;
	size_t used = strlen(run->all_troubles);

	assert_null(strchr(r->text, '\n'));
	assert_true(r->file[0] != 0);
	run->troubles[r->what]++;
	run->last_offset = r->offset;
	snprintf(run->last_trouble, sizeof(run->last_trouble), "%s", r->text);
	snprintf(run->all_troubles + used, sizeof(run->all_troubles) - used, "%s\n", r->text);
}

static inline struct kit_run *kit_run_new(void)
{
	struct kit_run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	return run;
}

static inline void kit_run_free(struct kit_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		free((void *)(uintptr_t)run->frames[i].bytes);
	free(run);
}

/* Reads a source to its end, 'batch' frames a time, and frees it. */
static inline void kit_drain(struct kit_run *run, struct source *s, size_t batch)
{
	struct frame *frames = calloc(batch, sizeof(*frames));
	struct err e;
	bool ok;
	size_t n;

	while ((n = source_read(s, frames, batch, &ok, &e)) > 0) {
		assert_true(ok);
		assert_true(n <= batch);
		for (size_t i = 0; i < n && run->count < KIT_MOST; i++) {
			struct frame f = frames[i];
			uint8_t *copy = malloc(f.caplen + 1);

			memcpy(copy, f.bytes, f.caplen);
			f.bytes = copy;
			run->frames[run->count++] = f;
		}
	}
	assert_true(ok);
	run->progress = source_progress(s);
	source_free(s);
	free(frames);
}

static inline struct kit_run *kit_read_memory(const struct buf *b, size_t step, size_t batch)
{
	struct kit_run *run = kit_run_new();
	struct source_conf conf = { .trouble = kit_trouble, .ctx = run };
	struct err e = { "" };
	uint8_t *exact = malloc(b->size + !b->size); /* so that a sanitizer sees any overread */

	memcpy(exact, b->p != NULL ? b->p : "", b->size);
	struct source *s = source_new_memory(exact, b->size, step, &conf, &e);
	assert_non_null(s);
	kit_drain(run, s, batch);
	free(exact);
	return run;
}

static inline struct kit_run *kit_read_paths(
		const char *const *paths, size_t count, const char *bpf)
{
	struct kit_run *run = kit_run_new();
	struct source_conf conf = { .trouble = kit_trouble, .ctx = run, .bpf = bpf };
	struct err e = { "" };
	struct source *s = source_new(paths, count, &conf, &e);

	assert_non_null(s);
	kit_drain(run, s, 64);
	return run;
}

/* --- writing ------------------------------------------------------------------------------- */

static inline void kit_uint(struct buf *b, bool big, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		buf_byte(b, (char)(v >> 8 * (big ? n - 1 - i : i)));
}

/* 'size' bytes that tell packets apart. */
static inline void kit_payload(struct buf *b, uint32_t seed, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buf_byte(b, (char)(seed * 31 + i));
}

static inline bool kit_is_payload(const struct frame *f, uint32_t seed)
{
	for (size_t i = 0; i < f->caplen; i++) {
		if (f->bytes[i] != (uint8_t)(seed * 31 + i))
			return false;
	}
	return true;
}

static inline void kit_pcap_header(
		struct buf *b, bool big, uint32_t magic, uint16_t minor, uint32_t linktype)
{
	kit_uint(b, big, 4, magic);
	kit_uint(b, big, 2, 2);
	kit_uint(b, big, 2, minor);
	kit_uint(b, big, 8, 0);
	kit_uint(b, big, 4, 262144);
	kit_uint(b, big, 4, linktype);
}

static inline void kit_pcap_packet(struct buf *b, bool big, uint32_t seconds, uint32_t fraction,
		uint32_t caplen, uint32_t wirelen)
{
	kit_uint(b, big, 4, seconds);
	kit_uint(b, big, 4, fraction);
	kit_uint(b, big, 4, caplen);
	kit_uint(b, big, 4, wirelen);
	kit_payload(b, seconds, caplen);
}

/* A usual little-endian capture of packets 1..count; packet i has 40 + i bytes. */
static inline struct buf kit_pcap(uint32_t count)
{
	struct buf b = buf_new(64 << 20);

	kit_pcap_header(&b, false, 0xa1b2c3d4, 4, 1);
	for (uint32_t i = 1; i <= count; i++)
		kit_pcap_packet(&b, false, i, i, 40 + i, 40 + i);
	return b;
}

/* A block around a body that is padded to four bytes. */
static inline void kit_block(struct buf *b, bool big, uint32_t type, const struct buf *body)
{
	size_t padding = -body->size & 3;
	size_t total = 12 + body->size + padding;

	kit_uint(b, big, 4, type);
	kit_uint(b, big, 4, total);
	buf_bytes(b, body->p, body->size);
	kit_uint(b, big, padding, 0);
	kit_uint(b, big, 4, total);
}

static inline void kit_option(
		struct buf *b, bool big, uint16_t code, const void *value, size_t size)
{
	kit_uint(b, big, 2, code);
	kit_uint(b, big, 2, size);
	buf_bytes(b, value, size);
	kit_uint(b, big, -size & 3, 0);
}

static inline void kit_section(struct buf *b, bool big, int64_t length)
{
	struct buf body = buf_new(1000);

	kit_uint(&body, big, 4, 0x1a2b3c4d);
	kit_uint(&body, big, 2, 1);
	kit_uint(&body, big, 2, 0);
	kit_uint(&body, big, 8, (uint64_t)length);
	kit_option(&body, big, 1, "a comment", 9);
	kit_uint(&body, big, 4, 0);
	kit_block(b, big, 0x0a0d0d0a, &body);
	buf_free(&body);
}

/* An interface with a time resolution (-1: none said) and offset (0: none said). */
static inline void kit_interface(struct buf *b, bool big, uint16_t linktype, uint32_t snaplen,
		int resolution, int64_t offset)
{
	struct buf body = buf_new(1000), value = buf_new(8);
	uint8_t tsresol = (uint8_t)resolution;

	kit_uint(&body, big, 2, linktype);
	kit_uint(&body, big, 2, 0);
	kit_uint(&body, big, 4, snaplen);
	kit_option(&body, big, 2, "eth7", 4);
	if (resolution >= 0)
		kit_option(&body, big, 9, &tsresol, 1);
	kit_uint(&value, big, 8, (uint64_t)offset);
	if (offset != 0)
		kit_option(&body, big, 14, value.p, 8);
	kit_option(&body, big, 3, "the uplink", 10);
	kit_uint(&body, big, 4, 0);
	kit_block(b, big, 1, &body);
	buf_free(&body);
	buf_free(&value);
}

static inline void kit_enhanced(struct buf *b, bool big, uint32_t interface, uint64_t time,
		uint32_t caplen, uint32_t wirelen)
{
	struct buf body = buf_new(1 << 20);

	kit_uint(&body, big, 4, interface);
	kit_uint(&body, big, 4, time >> 32);
	kit_uint(&body, big, 4, time & UINT32_MAX);
	kit_uint(&body, big, 4, caplen);
	kit_uint(&body, big, 4, wirelen);
	kit_payload(&body, caplen, caplen);
	kit_block(b, big, 6, &body);
	buf_free(&body);
}

/* --- files --------------------------------------------------------------------------------- */

static inline void kit_save(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}
