/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_check.c - looks for listed addresses in every text of written records.
 *
 * The other way round than anonymisation, and apart from it but for anon_scan(): no table of
 * fields, no flags, no key.
 */
#include "host/anon_check.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "host/anon_internal.h"

enum { CHUNK = 1 << 16, DEPTH = 64, SHORTEST_TEXT = 7, PATH = 200 };

/* What one field holds. */
struct place {
	char *path;
	uint64_t values, found;
	uint64_t windows,
			hits; /* bytes that could be an IPv4 address; those that are a listed one */
	uint64_t line;        /* of the first found */
	char shown[PREFIX_ROOM];
};

struct check {
	struct anon anon; /* with subnets only */
	double share;     /* of all IPv4 addresses that is listed */
	struct place *places;
	size_t count;
	uint64_t line;
	uint64_t *seen; /* hashes of bytes that were looked at; 0: free */
	size_t seen_count, seen_room;
	struct buf path, text, bytes;
};

/* --- places ------------------------------------------------------------------------------ */

static struct place *place_of(struct check *c)
{
	size_t size = c->path.size < PATH ? c->path.size : PATH;
	const char *name = size == 0 ? "" : c->path.p;

	for (size_t i = 0; i < c->count; i++)
		if (strlen(c->places[i].path) == size && memcmp(c->places[i].path, name, size) == 0)
			return &c->places[i];
	if (c->count == LIMIT_CHECK_FIELDS)
		return &c->places[c->count - 1];

	struct place *more = reallocarray(c->places, c->count + 1, sizeof *more);
	char *path = strndup(name, size);

	if (more != NULL)
		c->places = more;
	if (more == NULL || path == NULL) {
		free(path);
		return NULL;
	}
	more[c->count] = (struct place){ .path = path };
	return &more[c->count++];
}

static void note(struct check *c, struct place *p, uint8_t version, const uint8_t *address)
{
	struct prefix one = { .version = version, .length = version == 4 ? 32 : 128 };

	if (p->found++ > 0)
		return;
	memcpy(one.bytes, address, version == 4 ? 4 : 16);
	p->line = c->line;
	p->shown[prefix_text(&one, p->shown)] = '\0';
}

/* --- one value --------------------------------------------------------------------------- */

/* True: an address was found. */
static bool look_at_text(struct check *c, struct place *p, const char *text, size_t size)
{
	for (size_t at = 0; at < size;) {
		struct anon_token t = anon_scan(text, size, at);

		at += t.skip;
		if (t.kind == ANON_NO_TOKEN)
			continue;
		if (anon_listed(&c->anon, t.version, t.bytes)) {
			note(c, p, t.version, t.bytes);
			return true;
		}
		at += t.separator == '-' ? 1 : t.size;
	}
	return false;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a text of lower-case hexadecimal digits; false: it is none. */
static bool take_bytes(struct check *c, const char *text, size_t size)
{
	buf_clear(&c->bytes);
	if (size < 8 || size % 2 != 0)
		return false;
	for (size_t i = 0; i < size; i += 2) {
		int high = hex_value(text[i]), low = hex_value(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		buf_byte(&c->bytes, (char)(high << 4 | low));
	}
	return buf_ok(&c->bytes);
}

static bool look_at_header(struct check *c, struct place *p, const uint8_t *bytes, size_t size)
{
	bool v4 = size >= 20 && bytes[0] >> 4 == 4 && (bytes[0] & 15) >= 5;
	size_t at = v4 ? 12 : 8, width = v4 ? 4 : 16;

	if (!v4 && (size < 40 || bytes[0] >> 4 != 6))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (anon_listed(&c->anon, v4 ? 4 : 6, bytes + at + i * width)) {
			note(c, p, v4 ? 4 : 6, bytes + at + i * width);
			return true;
		}
	}
	return false;
}

/* Bytes of an IP header whose addresses have been looked at: what lies across these is no address.
 * 0: they are no header for sure. */
static size_t header_size(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	if (size >= 40 && bytes[0] >> 4 == 6)
		return 40;
	if (size < 20 || bytes[0] != 0x45)
		return 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return (sum & 0xffff) + (sum >> 16) == 0xffff ? 20 : 0;
}

/* Runs of characters that can be printed. */
static bool look_at_characters(struct check *c, struct place *p, const uint8_t *bytes, size_t size)
{
	for (size_t from = 0, to; from < size; from = to + 1) {
		for (to = from; to < size && bytes[to] >= ' ' && bytes[to] < 0x7f;)
			to++;
		if (to - from >= SHORTEST_TEXT &&
				look_at_text(c, p, (const char *)bytes + from, to - from))
			return true;
	}
	return false;
}

static bool grow_seen(struct check *c)
{
	size_t room = c->seen_room == 0 ? 1024 : 2 * c->seen_room;
	uint64_t *more = calloc(room, sizeof *more);

	if (more == NULL)
		return false;
	for (size_t i = 0; i < c->seen_room; i++) {
		size_t at = (size_t)c->seen[i] & (room - 1);

		while (c->seen[i] != 0 && more[at] != 0)
			at = (at + 1) & (room - 1);
		if (c->seen[i] != 0)
			more[at] = c->seen[i];
	}
	free(c->seen);
	c->seen = more;
	c->seen_room = room;
	return true;
}

/* What is there again and again, such as a certificate's hash, is one chance, not many. */
static bool is_new(struct check *c, const struct place *p)
{
	uint64_t hash = hash_bytes(c->bytes.p, c->bytes.size, (uint64_t)(p - c->places)) | 1;
	size_t at;

	if (c->seen_count == LIMIT_CHECK_VALUES ||
			(2 * c->seen_count >= c->seen_room && !grow_seen(c)))
		return true;
	for (at = (size_t)hash & (c->seen_room - 1); c->seen[at] != 0;
			at = (at + 1) & (c->seen_room - 1))
		if (c->seen[at] == hash)
			return false;
	c->seen[at] = hash;
	c->seen_count++;
	return true;
}

static void look_at_bytes(struct check *c, struct place *p)
{
	const uint8_t *bytes = (const uint8_t *)c->bytes.p;
	size_t size = c->bytes.size;

	if (look_at_header(c, p, bytes, size) || look_at_characters(c, p, bytes, size) ||
			!is_new(c, p))
		return;
	for (size_t at = header_size(bytes, size); at + 4 <= size; at++) {
		p->windows++;
		p->hits += prefix_find(c->anon.subnets, 4, bytes + at) != PREFIX_NONE;
	}
}

static void look_at(struct check *c, const char *text, size_t size)
{
	struct place *p = place_of(c);

	if (p == NULL)
		return;
	p->values++;
	if (!look_at_text(c, p, text, size) && take_bytes(c, text, size))
		look_at_bytes(c, p);
}

/* --- JSON -------------------------------------------------------------------------------- */

struct level {
	size_t path; /* size of the path of what is around */
	bool object, key;
};

static unsigned four_digits(const char *p)
{
	unsigned v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(hex_value((char)(p[i] | 0x20)) & 15);
	return v;
}

/* Takes a string behind its quote into c->text; what it means is enough to look for addresses. */
static const char *take_string(struct check *c, const char *at, const char *end)
{
	buf_clear(&c->text);
	while (at < end && *at != '"') {
		if (*at == '\\' && end - at >= 6 && at[1] == 'u') {
			unsigned v = four_digits(at + 2);

			buf_byte(&c->text, v < 0x100 ? (char)v : (char)0xff);
			at += 6;
		} else if (*at == '\\' && end - at >= 2) {
			buf_byte(&c->text, strchr("bfnrt", at[1]) != NULL ? ' ' : at[1]);
			at += 2;
		} else {
			buf_byte(&c->text, *at++);
		}
	}
	return at < end ? at + 1 : end;
}

static void set_path(struct check *c, const struct level *l)
{
	c->path.size = l->path;
	if (l->path > 0)
		buf_byte(&c->path, '.');
	buf_bytes(&c->path, c->text.p, c->text.size);
	if (!buf_ok(&c->path))
		buf_clear(&c->path);
}

static void look_at_json(struct check *c, const char *at, const char *end)
{
	struct level levels[DEPTH + 1] = { { 0 } };
	size_t depth = 0;

	buf_clear(&c->path);
	while (at < end) {
		struct level *l = &levels[depth];
		char sign = *at++;

		if ((sign == '{' || sign == '[') && depth < DEPTH) {
			levels[++depth] = (struct level){ c->path.size, sign == '{', sign == '{' };
		} else if ((sign == '}' || sign == ']') && depth > 0) {
			c->path.size = l->path;
			depth--;
		} else if (sign == ',') {
			l->key = l->object;
		} else if (sign == '"') {
			at = take_string(c, at, end);
			if (l->key)
				set_path(c, l);
			else
				look_at(c, c->text.p == NULL ? "" : c->text.p, c->text.size);
			l->key = false;
		}
	}
}

static void look_at_cells(struct check *c, const char *at, const char *end)
{
	buf_clear(&c->path);
	buf_text(&c->path, "(text)");
	while (at < end) {
		const char *from = at;

		while (at < end && strchr(",;\"'[]{} \t", *at) == NULL)
			at++;
		look_at(c, from, (size_t)(at - from));
		at++;
	}
}

static void look_at_line(struct check *c, const char *line, size_t size)
{
	c->line++;
	if (size > 0 && line[0] == '{')
		look_at_json(c, line, line + size);
	else
		look_at_cells(c, line, line + size);
}

/* --- the file ---------------------------------------------------------------------------- */

/* Whole lines of what has been read so far; keeps the rest. */
static void take_lines(struct check *c, struct buf *read)
{
	size_t from = 0;
	const char *newline;

	while ((newline = memchr(read->p + from, '\n', read->size - from)) != NULL) {
		look_at_line(c, read->p + from, (size_t)(newline - read->p) - from);
		from = (size_t)(newline - read->p) + 1;
	}
	memmove(read->p, read->p + from, read->size - from);
	read->size -= from;
}

static bool read_all(struct check *c, gzFile f, const char *name, struct err *e)
{
	struct buf read = buf_new(LIMIT_RECORD_BYTES + CHUNK);
	bool good = true;
	int size;

	for (;;) {
		char *to = buf_reserve(&read, CHUNK);

		if (to == NULL) {
			good = err_set(e, "%s:%llu: a line of more than %d bytes", name,
					(unsigned long long)c->line + 1, LIMIT_RECORD_BYTES);
			break;
		}
		size = gzread(f, to, CHUNK);
		if (size <= 0) {
			good = size == 0 ||
			       err_set(e, "cannot read %s: %s", name, gzerror(f, &size));
			break;
		}
		buf_commit(&read, (size_t)size);
		take_lines(c, &read);
	}
	if (good && read.size > 0)
		look_at_line(c, read.p, read.size);
	buf_free(&read);
	return good;
}

static bool read_records(struct check *c, const char *records, struct err *e)
{
	bool standard = strcmp(records, "-") == 0;
	gzFile f = standard ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(records, "rbe");
	bool good;

	if (f == NULL)
		return err_set(e, "cannot read %s: %s", records,
				errno == 0 ? "no memory" : strerror(errno));
	good = read_all(c, f, standard ? "standard input" : records, e);
	gzclose(f);
	return good;
}

/* --- the report -------------------------------------------------------------------------- */

/* So many hits where 'expected' are by chance happen less than once in a million times. */
static bool is_no_chance(double hits, double expected)
{
	return hits > expected && hits * log(expected) - expected - lgamma(hits + 1) < log(1e-6);
}

static uint64_t report_place(const struct check *c, const struct place *p, struct buf *out)
{
	double expected = (double)p->windows * c->share;

	if (p->found > 0)
		buf_printf(out, "%s: %llu of %llu values, the first in line %llu: %s\n", p->path,
				(unsigned long long)p->found, (unsigned long long)p->values,
				(unsigned long long)p->line, p->shown);
	if (p->hits == 0)
		return p->found;

	bool real = is_no_chance((double)p->hits, expected);

	buf_printf(out,
			"%s: %llu times four bytes that could be a listed address; by chance it "
			"would be %.3g%s\n",
			p->path, (unsigned long long)p->hits, expected,
			real ? "" : ", so they are passed over");
	return p->found + (real ? p->hits : 0);
}

static void report(const struct check *c, struct buf *out, uint64_t *found)
{
	uint64_t values = 0;

	*found = 0;
	for (size_t i = 0; i < c->count; i++) {
		values += c->places[i].values;
		*found += report_place(c, &c->places[i], out);
	}
	if (*found == 0)
		buf_printf(out, "listed addresses: none, in %llu texts of %llu lines\n",
				(unsigned long long)values, (unsigned long long)c->line);
	else
		buf_printf(out, "listed addresses: %llu, in %llu texts of %llu lines\n",
				(unsigned long long)*found, (unsigned long long)values,
				(unsigned long long)c->line);
}

static double listed_share(const struct prefix_table *t)
{
	double share = 0;

	for (uint32_t i = 0; i < prefix_count(t); i++) {
		struct prefix p = prefix_at(t, i);

		if (p.version == 4 && prefix_outer(t, i) == PREFIX_NONE)
			share += ldexp(1, -(int)p.length);
	}
	return share;
}

bool anon_check(const char *subnets, const char *records, struct buf *out, uint64_t *found,
		struct err *e)
{
	struct check c = { .path = buf_new(LIMIT_OPTION_BYTES),
		.text = buf_new(LIMIT_RECORD_BYTES),
		.bytes = buf_new(LIMIT_RECORD_BYTES) };
	bool good = anon_read_subnets(&c.anon, subnets, e);

	if (good) {
		c.share = listed_share(c.anon.subnets);
		good = read_records(&c, records, e);
	}
	if (good)
		report(&c, out, found);
	for (size_t i = 0; i < c.count; i++)
		free(c.places[i].path);
	free(c.places);
	free(c.seen);
	prefix_free(c.anon.subnets);
	buf_free(&c.path);
	buf_free(&c.text);
	buf_free(&c.bytes);
	return good;
}
