/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fingerprint_read.c - a hello walked once: its extensions in order, sorted, and as NPF shows each.
 *
 *   (type)                of most only the type, of 2 bytes like all numbers here
 *   (type size data)      of some, which say how a client was built
 *   ((type)[(id)...])     a client's QUIC transport parameters
 *
 * GREASE is 0a0a wherever it stands.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "proto/fingerprint_work.h"
#include "proto/quic_wire.h"

struct fingerprint_work *fingerprint_work_new(void)
{
	struct fingerprint_work *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->pieces = fingerprint_buf();
	w->memo.seed = hash_seed();
	return w;
}

void fingerprint_work_free(struct fingerprint_work *w)
{
	if (w == NULL)
		return;
	buf_free(&w->pieces);
	free(w);
}

size_t fingerprint_work_memory(const struct fingerprint_work *w)
{
	return sizeof *w + w->pieces.room;
}

/* --- the text of an extension --------------------------------------------------------------------
 */

/* TLS_EXT_FIXED: shown with their data. */
static bool with_data(uint16_t type)
{
	static const uint64_t low = 1ULL << 0x01 | 1ULL << 0x05 | 1ULL << 0x07 | 1ULL << 0x08 |
				    1ULL << 0x09 | 1ULL << 0x0a | 1ULL << 0x0b | 1ULL << 0x0d |
				    1ULL << 0x0f | 1ULL << 0x10 | 1ULL << 0x11 | 1ULL << 0x18 |
				    1ULL << 0x1b | 1ULL << 0x1c | 1ULL << 0x2b | 1ULL << 0x2d |
				    1ULL << 0x32;

	return type < 64 ? low >> type & 1 : type == 0x5500;
}

/* Of a list of numbers whose last byte may stand alone. */
static char *put_degreased(char *to, struct rd list)
{
	while (list.left >= 2)
		to = fingerprint_put_u16(to, fingerprint_degreased(rd_u16(&list)));
	return fingerprint_put_bytes(to, list);
}

/* Data whose numbers may be GREASE begins with the length of its list, 'skip' bytes. */
static char *put_data(char *to, const struct tls_extension *e, bool server)
{
	struct rd data = e->data;
	size_t skip = data.left;

	if (e->type == TLS_EXT_SUPPORTED_GROUPS)
		skip = 2;
	else if (e->type == TLS_EXT_SUPPORTED_VERSIONS)
		skip = server ? 0 : 1;
	to = fingerprint_put_u16(to, (uint16_t)data.left);
	to = fingerprint_put_bytes(to, rd_bytes(&data, skip < data.left ? skip : data.left));
	return put_degreased(to, data);
}

/*
 * A transport parameter's id as it is on the wire, GREASE made one, in the first bytes of a number.
 * Its two first bits are its length, so that numbers are in the order of the texts.
 */
static uint64_t id_value(struct rd parameter, uint64_t id)
{
	enum { GREASE = 0x1b };
	struct rd look = parameter;
	size_t size = (size_t)1 << (rd_u8(&look) >> 6);

	if (id % 31 == 27)
		return (uint64_t)GREASE << 56;
	return rd_uint(&parameter, size) << 8 * (sizeof(uint64_t) - size);
}

/* [(id)...]: which transport parameters there are. */
static char *put_parameters(char *to, struct rd data, uint64_t *ids)
{
	struct rd before = data, value;
	size_t count = 0;
	uint64_t id;

	for (; count < LIMIT_FINGERPRINT_VALUES && quic_parameter_next(&data, &id, &value);
			before = data)
		ids[count++] = id_value(before, id);
	fingerprint_sort_numbers(ids, count);
	*to++ = '[';
	for (size_t i = 0; i < count; i++) {
		*to++ = '(';
		for (unsigned size = 1u << (ids[i] >> 62); size > 0; size--, ids[i] <<= 8)
			to = fingerprint_put_u8(to, (uint8_t)(ids[i] >> 56));
		*to++ = ')';
	}
	*to++ = ']';
	return to;
}

static void add_piece(struct fingerprint_work *w, const struct tls_extension *e)
{
	enum { AROUND = 16 }; /* brackets, type and size */
	bool server = w->hello->server;
	bool parameters = e->type == TLS_EXT_QUIC_PARAMETERS ||
			  e->type == TLS_EXT_QUIC_PARAMETERS_DRAFT;
	char *begin = buf_reserve(&w->pieces, AROUND + 2 * e->data.left), *to = begin;

	if (to == NULL)
		return;
	*to++ = '(';
	if (parameters && !server)
		*to++ = '(';
	to = fingerprint_put_u16(to, fingerprint_degreased(e->type));
	if (parameters && !server) {
		*to++ = ')';
		to = put_parameters(to, e->data, w->scratch);
	} else if (with_data(e->type)) {
		to = put_data(to, e, server);
	}
	*to++ = ')';
	buf_commit(&w->pieces, (size_t)(to - begin));
}

/* --- the order of extensions ---------------------------------------------------------------------
 */
static bool smaller_data(const struct fingerprint_work *w, uint64_t a, uint64_t b)
{
	struct rd x = w->hello->extensions, y = x;
	struct tls_extension e, f;

	rd_bytes(&x, fingerprint_sorted_extension(w, a)->at);
	rd_bytes(&y, fingerprint_sorted_extension(w, b)->at);
	return tls_extension_next(&x, &e) && tls_extension_next(&y, &f) && e.data.left > 0 &&
	       memcmp(e.data.p, f.data.p, e.data.left) < 0;
}

static inline bool extension_before(const void *work, uint64_t a, uint64_t b)
{
	return a >> 16 != b >> 16 ? a < b : smaller_data(work, a, b);
}

void fingerprint_sort_extensions(const struct fingerprint_work *w, uint64_t *values, size_t count)
{
	bool alike = false;

	fingerprint_sort_numbers(values, count);
	for (size_t i = 1; i < count; i++)
		alike |= values[i] >> 16 == values[i - 1] >> 16;
	if (alike)
		fingerprint_sort(values, count, extension_before, w);
}

/*
 * The same for all of a hello.  Most types are small, and none of those comes twice: they go to
 * their place without a comparison.
 */
static void sort_all(struct fingerprint_work *w)
{
	enum { LOW = 64 };
	uint64_t low[LOW], there = 0, *high = w->scratch;
	size_t n = 0, count = 0;

	for (size_t i = 0; i < w->count; i++) {
		uint64_t v = w->sorted[i];
		uint16_t type = fingerprint_sorted_type(v);

		if (type >= LOW) {
			high[n++] = v;
			continue;
		}
		if (there >> type & 1) {
			fingerprint_sort_extensions(w, w->sorted, w->count);
			return;
		}
		there |= (uint64_t)1 << type;
		low[type] = v;
	}
	for (; there != 0; there &= there - 1)
		w->sorted[count++] = low[__builtin_ctzll(there)];
	fingerprint_sort_extensions(w, high, n);
	memcpy(w->sorted + count, high, n * sizeof *high);
}

static void add_head(struct fingerprint_work *w)
{
	enum { AROUND = 16 }; /* brackets and version */
	const struct tls_hello *h = w->hello;
	char *begin = buf_reserve(&w->pieces, AROUND + 2 * h->ciphers.left), *to = begin;

	if (to == NULL)
		return;
	*to++ = '(';
	to = fingerprint_put_u16(to, h->legacy_version);
	*to++ = ')';
	*to++ = '(';
	to = h->server ? fingerprint_put_bytes(to, h->ciphers) : put_degreased(to, h->ciphers);
	*to++ = ')';
	buf_commit(&w->pieces, (size_t)(to - begin));
}

void fingerprint_read(struct fingerprint_work *w, const struct tls_hello *h)
{
	struct rd r = h->extensions;
	struct tls_extension e;
	size_t at = 0, n = 0;

	w->hello = h;
	w->groups = w->formats = (struct rd){ NULL, 0 };
	buf_clear(&w->pieces);
	add_head(w);
	for (; n < LIMIT_FINGERPRINT_EXTENSIONS && tls_extension_next(&r, &e); n++) {
		w->extension[n] = (struct fingerprint_extension){ e.type, (uint16_t)at,
			(uint32_t)w->pieces.size };
		w->sorted[n] = (uint64_t)fingerprint_degreased(e.type) << 32 |
			       (uint64_t)e.data.left << 16 | n;
		add_piece(w, &e);
		if (e.type == TLS_EXT_SUPPORTED_GROUPS)
			w->groups = rd_block(&e.data, 2);
		else if (e.type == TLS_EXT_EC_POINT_FORMATS)
			w->formats = rd_block(&e.data, 1);
		at = h->extensions.left - r.left;
	}
	w->extension[n].piece = (uint32_t)w->pieces.size;
	w->count = n;
	sort_all(w);
}
