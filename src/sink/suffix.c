/* SPDX-License-Identifier: BSD-3-Clause */
/* suffix.c - from a file's name to format and compression. */
#include "sink/suffix.h"

#include <strings.h>

enum { LONGEST = 8 }; /* more letters behind a point are part of the name */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The suffix that ends the first 'size' bytes of a name, point included, or an empty one. */
static struct rd last_suffix(const char *name, size_t size)
{
	size_t at = size;

	while (at > 0 && name[at - 1] != '.')
		at--;
	if (at <= 1 || at == size || size - at > LONGEST || !is_letter(name[at]))
		return (struct rd){ (const uint8_t *)name + size, 0 };
	return (struct rd){ (const uint8_t *)name + at - 1, size - at + 1 };
}

static bool is_suffix(struct rd r, const char *suffix)
{
	return r.left == strlen(suffix) && strncasecmp((const char *)r.p, suffix, r.left) == 0;
}

static enum compress_kind find_compression(struct rd r)
{
	for (enum compress_kind k = COMPRESS_GZIP; k <= COMPRESS_ZSTD; k++) {
		if (is_suffix(r, compress_suffix(k)))
			return k;
	}
	return COMPRESS_NONE;
}

static const struct format *find_format(struct rd r)
{
	rd_bytes(&r, 1); /* the point */
	for (size_t i = 0; i < format_count; i++) {
		for (const char *const *s = format_list[i]->suffixes; *s != NULL; s++) {
			if (is_suffix(r, *s))
				return format_list[i];
		}
	}
	return NULL;
}

static bool unknown(const char *path, struct rd r, struct err *e)
{
	struct buf known = buf_new(1024);

	for (size_t i = 0; i < format_count; i++) {
		for (const char *const *s = format_list[i]->suffixes; *s != NULL; s++)
			buf_printf(&known, "%s.%s", known.size > 0 ? ", " : "", *s);
	}
	err_set(e, "cannot write %s: unknown suffix %.*s; there are %.*s, each also with .gz%s",
			path, (int)r.left, (const char *)r.p, (int)known.size, known.p,
			compress_available(COMPRESS_ZSTD) ? " or .zst" : "");
	buf_free(&known);
	return false;
}

bool suffix_parse(const char *path, bool lenient, struct suffix *s, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	struct rd r = last_suffix(name, strlen(name));

	*s = (struct suffix){ format_list[0], find_compression(r), 0 };
	if (!compress_available(s->compression))
		return err_set(e, "cannot write %s: this build is without %s", path,
				compress_suffix(s->compression));
	if (s->compression != COMPRESS_NONE) {
		s->size = r.left;
		r = last_suffix(name, strlen(name) - r.left);
	}
	if (r.left == 0)
		return true;

	const struct format *format = find_format(r);

	if (format != NULL) {
		s->format = format;
		s->size += r.left;
	}
	return format != NULL || lenient || unknown(path, r, e);
}
