/* SPDX-License-Identifier: BSD-3-Clause */
/* name.c - host names in one form: the usual name in one pass, others label by label. */
#include "host/name.h"

#include <string.h>

#include "base/json.h"

enum { LABEL_MAX = 63 };

/* --- letters ----------------------------------------------------------------------------- */

/* In ranges of Unicode where upper case stands before lower case. */
static const struct range {
	uint32_t first, last;
	uint32_t add; /* to each, or with 'step' to each second one, beginning with the first */
	bool second;
} upper[] = {
	{ 'A', 'Z', 32, false },
	{ 0xc0, 0xd6, 32, false },
	{ 0xd8, 0xde, 32, false },
	{ 0x100, 0x12e, 1, true },
	{ 0x132, 0x136, 1, true },
	{ 0x139, 0x147, 1, true },
	{ 0x14a, 0x176, 1, true },
	{ 0x179, 0x17d, 1, true },
	{ 0x1a0, 0x1a4, 1, true },
	{ 0x1af, 0x1af, 1, false },
	{ 0x1cd, 0x1db, 1, true },
	{ 0x1de, 0x1ee, 1, true },
	{ 0x1f4, 0x1f4, 1, false },
	{ 0x1f8, 0x21e, 1, true },
	{ 0x222, 0x232, 1, true },
	{ 0x386, 0x386, 38, false },
	{ 0x388, 0x38a, 37, false },
	{ 0x38c, 0x38c, 64, false },
	{ 0x38e, 0x38f, 63, false },
	{ 0x391, 0x3a1, 32, false },
	{ 0x3a3, 0x3ab, 32, false },
	{ 0x400, 0x40f, 80, false },
	{ 0x410, 0x42f, 32, false },
	{ 0x460, 0x480, 1, true },
	{ 0x48a, 0x4be, 1, true },
	{ 0x4c0, 0x4c0, 15, false },
	{ 0x4c1, 0x4cd, 1, true },
	{ 0x4d0, 0x52e, 1, true },
	{ 0x531, 0x556, 48, false },
	{ 0x1e00, 0x1e94, 1, true },
	{ 0x1ea0, 0x1efe, 1, true },
};

static uint32_t lower(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e) /* full width */
		c -= 0xfee0;
	if (c == 0x178)
		return 0xff;
	for (size_t i = 0; i < sizeof upper / sizeof upper[0] && c >= upper[i].first; i++)
		if (c <= upper[i].last && (!upper[i].second || (c - upper[i].first) % 2 == 0))
			return c + upper[i].add;
	return c;
}

static bool is_dot(uint32_t c)
{
	return c == '.' || c == 0x3002 || c == 0xff0e || c == 0xff61;
}

static bool is_plain(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
}

/* --- Punycode (RFC 3492 section 6.3) ----------------------------------------------------- */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 128 };

static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

struct label {
	uint32_t c[LABEL_MAX];
	uint32_t count;
	bool plain; /* ASCII */
};

/* Writes to 'to', which has 'room'; false when it is not enough. */
static bool put(char *to, size_t room, size_t *size, char c)
{
	if (*size == room)
		return false;
	to[(*size)++] = c;
	return true;
}

static bool put_delta(char *to, size_t room, size_t *size, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		uint32_t digit = delta < t ? delta : t + (delta - t) % (BASE - t);

		if (!put(to, room, size, "abcdefghijklmnopqrstuvwxyz0123456789"[digit]))
			return false;
		if (delta < t)
			return true;
		delta = (delta - t) / (BASE - t);
	}
}

static uint32_t least_from(const struct label *l, uint32_t n)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < l->count; i++)
		if (l->c[i] >= n && l->c[i] < least)
			least = l->c[i];
	return least;
}

/* "xn--" and the label; its size, or 0 when it is too long. */
static size_t punycode(const struct label *l, char to[static LABEL_MAX])
{
	size_t size = 4;
	uint32_t n = FIRST, delta = 0, bias = BIAS, basic, done = 0;

	memcpy(to, "xn--", 4);
	for (uint32_t i = 0; i < l->count; i++)
		if (l->c[i] < FIRST && (done++, !put(to, LABEL_MAX, &size, (char)l->c[i])))
			return 0;
	basic = done;
	if (basic > 0 && !put(to, LABEL_MAX, &size, '-'))
		return 0;
	while (done < l->count) {
		uint32_t next = least_from(l, n);

		delta += (next - n) * (done + 1); /* at most 2^21 * 64 */
		n = next;
		for (uint32_t i = 0; i < l->count; i++) {
			delta += l->c[i] < n;
			if (l->c[i] != n)
				continue;
			if (!put_delta(to, LABEL_MAX, &size, delta, bias))
				return 0;
			done++;
			bias = adapt(delta, done, done == basic + 1);
			delta = 0;
		}
		delta++;
		n++;
	}
	return size;
}

/* --- names ------------------------------------------------------------------------------- */

static uint32_t decode(const uint8_t *p, size_t size)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = p[0] & mask[size];

	for (size_t i = 1; i < size; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* Takes the next character; false: bytes that are no UTF-8. */
static bool take(struct rd *r, uint32_t *c)
{
	size_t size = json_utf8_size(*r);
	struct rd bytes = rd_bytes(r, size);

	if (size == 0)
		return false;
	*c = lower(decode(bytes.p, size));
	return true;
}

/* Takes a label and the dot behind it. */
static bool take_label(struct rd *r, struct label *l)
{
	uint32_t c = 0;

	l->count = 0;
	l->plain = true;
	while (rd_more(r)) {
		if (!take(r, &c))
			return false;
		if (is_dot(c))
			return l->count > 0;
		if (c == 0xad) /* soft hyphen */
			continue;
		if ((c < FIRST && !is_plain(c)) || l->count == LABEL_MAX)
			return false;
		l->plain &= c < FIRST;
		l->c[l->count++] = c;
	}
	return l->count > 0;
}

static size_t put_label(const struct label *l, char to[static LABEL_MAX])
{
	if (!l->plain)
		return punycode(l, to);
	for (uint32_t i = 0; i < l->count; i++)
		to[i] = (char)l->c[i];
	return l->count;
}

static size_t by_labels(const char *text, size_t size, char to[static NAME_ROOM])
{
	struct rd r = { (const uint8_t *)text, size };
	size_t at = 0;

	while (rd_more(&r)) {
		struct label l;
		char label[LABEL_MAX];
		size_t n = take_label(&r, &l) ? put_label(&l, label) : 0;

		if (n == 0 || at + (at > 0) + n > NAME_MAX_SIZE)
			return 0;
		if (at > 0)
			to[at++] = '.';
		memcpy(to + at, label, n);
		at += n;
	}
	return at;
}

/* 0: other; 1: stands for itself when it is lower case; 2: a dot; 3: beyond ASCII */
static unsigned kind(uint8_t c)
{
	if (c >= FIRST)
		return 3;
	return c == '.' ? 2 : is_plain(c);
}

size_t name_normal(const char *text, size_t size, char to[static NAME_ROOM])
{
	size_t label = 0;

	if (size > 0 && text[size - 1] == '.')
		size--;
	if (size == 0 || size > 4 * NAME_MAX_SIZE)
		return 0;
	for (size_t i = 0; i < size; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;

		unsigned k = kind(c);

		if (k == 3)
			return by_labels(text, size, to);
		if (k == 0 || i == NAME_MAX_SIZE || (k == 2 && label == 0))
			return 0;
		label = k == 2 ? 0 : label + 1;
		if (label > LABEL_MAX)
			return 0;
		to[i] = (char)c;
	}
	return label == 0 ? 0 : size;
}
