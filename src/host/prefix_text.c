/* SPDX-License-Identifier: BSD-3-Clause */
/* prefix_text.c - subnets and addresses as text, both ways. */
#include <arpa/inet.h>
#include <string.h>

#include "base/json.h"
#include "host/prefix.h"

enum { V4_DIGITS = 3, V6_TEXT = 46 };

/* Decimal digits, no more than 'most' of them; false: none, or a zero in front of others. */
static bool take_number(const char **at, const char *end, unsigned most, unsigned *out)
{
	const char *p = *at;
	unsigned v = 0;

	while (p < end && p - *at < most && *p >= '0' && *p <= '9')
		v = v * 10 + (unsigned)(*p++ - '0');
	if (p == *at || (**at == '0' && p - *at > 1))
		return false;
	*at = p;
	*out = v;
	return true;
}

static bool parse_v4(const char *text, size_t size, uint8_t *bytes)
{
	const char *at = text, *end = text + size;
	unsigned v;

	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && (at == end || *at++ != '.'))
			return false;
		if (!take_number(&at, end, V4_DIGITS, &v) || v > 255)
			return false;
		bytes[i] = (uint8_t)v;
	}
	return at == end;
}

static bool parse_v6(const char *text, size_t size, uint8_t *bytes)
{
	char copy[V6_TEXT];

	if (size >= sizeof copy || memchr(text, '\0', size) != NULL)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return inet_pton(AF_INET6, copy, bytes) == 1;
}

/* 255.255.240.0 as 20; false: no such mask. */
static bool parse_mask(const char *text, size_t size, uint8_t *length)
{
	uint8_t b[4];
	uint32_t holes;

	if (!parse_v4(text, size, b))
		return false;
	holes = ~((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
	if ((holes & (holes + 1)) != 0)
		return false;
	*length = (uint8_t)(holes == UINT32_MAX ? 0 : __builtin_clz(holes | 1) + (holes == 0));
	return true;
}

static const char *parse_length(const char *text, size_t size, struct prefix *out)
{
	const char *at = text, *end = text + size;
	unsigned v = 0, most = out->version == 4 ? 32 : 128;

	if (out->version == 4 && memchr(text, '.', size) != NULL)
		return parse_mask(text, size, &out->length) ? NULL : "not a subnet mask";
	if (!take_number(&at, end, 3, &v) || at != end || v > most)
		return out->version == 4 ? "the length of an IPv4 subnet is 0 to 32"
					 : "the length of an IPv6 subnet is 0 to 128";
	out->length = (uint8_t)v;
	return NULL;
}

const char *prefix_parse(const char *text, size_t size, struct prefix *out)
{
	const char *slash = memchr(text, '/', size);
	size_t address = slash == NULL ? size : (size_t)(slash - text);

	*out = (struct prefix){ 0 };
	if (parse_v4(text, address, out->bytes))
		out->version = 4;
	else if (memchr(text, ':', address) != NULL && parse_v6(text, address, out->bytes))
		out->version = 6;
	else
		return "not an IPv4 or IPv6 address or subnet";
	out->length = out->version == 4 ? 32 : 128;
	return slash == NULL ? NULL : parse_length(slash + 1, size - address - 1, out);
}

size_t prefix_text(const struct prefix *p, char *to)
{
	char *end = p->version == 4 ? json_put_ipv4(to, p->bytes) : json_put_ipv6(to, p->bytes);

	if (p->length < (p->version == 4 ? 32 : 128)) {
		*end++ = '/';
		end = json_put_u64(end, p->length);
	}
	return (size_t)(end - to);
}
