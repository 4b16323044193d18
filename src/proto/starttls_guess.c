/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * starttls_guess.c - which of the protocols of starttls.h a direction begins with.
 *
 * Texts are compared in either case.  What begins with a few bytes alone and could be anything (a
 * server's one-byte answers in PostgreSQL and SOCKS) is recognised from the client's side only.
 */
#include "proto/starttls.h"

enum match { NO, PART /* so far, with too few bytes */, FULL };

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static enum match match_text(struct rd r, const char *text)
{
	for (; *text != '\0'; text++) {
		if (!rd_more(&r))
			return PART;
		if (lower(rd_u8(&r)) != (uint8_t)*text)
			return NO;
	}
	return FULL;
}

/* tag, space, and a command that clients begin with */
static enum match match_imap(struct rd r)
{
	enum { LONGEST_TAG = 8 };
	size_t n = 0;

	while (rd_more(&r) && n <= LONGEST_TAG && *r.p != ' ') {
		uint8_t c = lower(rd_u8(&r));

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.')
			return NO;
		n++;
	}
	if (n == 0 || n > LONGEST_TAG)
		return NO;
	if (!rd_more(&r))
		return PART;
	rd_bytes(&r, 1);

	enum match capability = match_text(r, "capabi"), starttls = match_text(r, "startt");

	return capability > starttls ? capability : starttls;
}

/* A byte that has one of two values, or is not there yet. */
static bool next_is(struct rd *r, uint8_t a, uint8_t b)
{
	uint8_t byte = rd_more(r) ? rd_u8(r) : a;

	return byte == a || byte == b;
}

/* | 30 | size | 02 01 id | 77: extended request, 63: search | */
static enum match match_ldap(struct rd r)
{
	enum { LONG_FORM = 0x80, LONGEST = 4 };
	bool sequence = next_is(&r, 0x30, 0x30);
	uint8_t size = rd_more(&r) ? rd_u8(&r) : 0;
	size_t n = size & LONG_FORM ? size - LONG_FORM : 0;

	if (!sequence || size == LONG_FORM || n > LONGEST)
		return NO;
	rd_bytes(&r, r.left < n ? r.left : n);
	if (!next_is(&r, 0x02, 0x02) || !next_is(&r, 0x01, 0x01))
		return NO;
	if (rd_more(&r))
		rd_bytes(&r, 1);
	if (!rd_more(&r))
		return PART;
	return next_is(&r, 0x77, 0x63) ? FULL : NO;
}

/* | 00 00 00 08 | 04 d2 16 2f: SSL, 30: GSS | */
static enum match match_postgresql(struct rd r)
{
	static const uint8_t request[] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16 };

	for (size_t i = 0; i < sizeof request; i++) {
		if (!next_is(&r, request[i], request[i]))
			return NO;
	}
	if (!rd_more(&r))
		return PART;
	return next_is(&r, 0x2f, 0x30) ? FULL : NO;
}

/* server: | size 3 | 00 | 0a | version, a digit first |; client: | 20 00 00 | 01 | flags, 08: SSL |
 */
static enum match match_mysql(struct rd r, bool from_server)
{
	enum { SSL = 0x08, SHORT = 0x20 };

	if (from_server) {
		rd_bytes(&r, r.left < 2 ? r.left : 2);
		if (!next_is(&r, 0, 0) || !next_is(&r, 0, 0) || !next_is(&r, 0x0a, 0x0a))
			return NO;
		if (!rd_more(&r))
			return PART;
		return *r.p >= '0' && *r.p <= '9' ? FULL : NO;
	}
	if (!next_is(&r, SHORT, SHORT) || !next_is(&r, 0, 0) || !next_is(&r, 0, 0) ||
			!next_is(&r, 1, 1))
		return NO;
	if (r.left < 2)
		return PART;
	return r.p[1] & SSL ? FULL : NO;
}

/* | 03 00 | size 2 | size of X.224 1 | e0: connection request, d0: confirm | */
static enum match match_rdp(struct rd r, bool from_server)
{
	uint8_t kind = from_server ? 0xd0 : 0xe0;

	if (!next_is(&r, 3, 3) || !next_is(&r, 0, 0) || !next_is(&r, 0, 0))
		return NO;
	if (r.left < 3)
		return PART;
	return r.p[2] == kind ? FULL : NO;
}

/* | 04 | 01 connect | port 2 | IPv4 address 4 | user, a text | 00 | */
static enum match match_socks4(struct rd r)
{
	enum { BEFORE_USER = 8 };

	if (!next_is(&r, 4, 4) || !next_is(&r, 1, 1))
		return NO;
	rd_bytes(&r, r.left < BEFORE_USER - 2 ? r.left : BEFORE_USER - 2);
	if (!rd_more(&r))
		return PART;
	return *r.p == 0 || (*r.p >= ' ' && *r.p < 0x7f) ? FULL : NO;
}

/* | 05 | count | methods | */
static enum match match_socks5(struct rd r)
{
	enum { MOST = 10, LAST_METHOD = 9, PRIVATE = 0x80 };
	bool version = next_is(&r, 5, 5);
	uint8_t count = rd_more(&r) ? rd_u8(&r) : 1;

	if (!version || count == 0 || count > MOST)
		return NO;
	for (; count > 0; count--) {
		if (!rd_more(&r))
			return PART;

		uint8_t method = rd_u8(&r);

		if (method > LAST_METHOD && method < PRIVATE)
			return NO;
	}
	return FULL;
}

struct greeting {
	const char *text; /* in lower case */
	uint8_t protocol; /* enum starttls_protocol */
};

static const struct greeting client_greetings[] = {
	{ "ehlo ", STARTTLS_SMTP },
	{ "helo ", STARTTLS_SMTP },
	{ "lhlo ", STARTTLS_SMTP },
	{ "starttls\r\n", STARTTLS_SMTP },
	{ "capa\r\n", STARTTLS_POP3 },
	{ "stls\r\n", STARTTLS_POP3 },
	{ "auth\r\n", STARTTLS_POP3 },
	{ "auth tls", STARTTLS_FTP },
	{ "auth ssl", STARTTLS_FTP },
	{ "feat\r\n", STARTTLS_FTP },
	{ "capabilities\r\n", STARTTLS_NNTP },
	{ "mode reader\r\n", STARTTLS_NNTP },
	{ "connect ", STARTTLS_HTTP },
	{ "proxy tcp", STARTTLS_PROXY },
	{ "gnutella connect", STARTTLS_GNUTELLA },
	{ "<?xml ", STARTTLS_XMPP },
	{ "<stream:stream", STARTTLS_XMPP },
	{ NULL, STARTTLS_NONE },
};

static const struct greeting server_greetings[] = {
	{ "220 ", STARTTLS_TEXT },
	{ "220-", STARTTLS_TEXT },
	{ "* ok", STARTTLS_IMAP },
	{ "+ok", STARTTLS_POP3 },
	{ "200 ", STARTTLS_NNTP },
	{ "201 ", STARTTLS_NNTP },
	{ "<?xml ", STARTTLS_XMPP },
	{ "<stream:stream", STARTTLS_XMPP },
	{ NULL, STARTTLS_NONE },
};

/* Remembers the best match so far. */
static void better(enum match found, enum starttls_protocol protocol, enum match *best,
		enum starttls_protocol *which)
{
	if (found > *best) {
		*best = found;
		*which = protocol;
	}
}

enum starttls_protocol starttls_guess(struct rd first_bytes, bool from_server, bool *maybe)
{
	const struct greeting *g = from_server ? server_greetings : client_greetings;
	struct rd r = rd_first(first_bytes, STARTTLS_GUESS_BYTES);
	enum starttls_protocol which = STARTTLS_NONE;
	enum match best = NO;

	for (; g->text != NULL; g++)
		better(match_text(r, g->text), (enum starttls_protocol)g->protocol, &best, &which);
	better(match_mysql(r, from_server), STARTTLS_MYSQL, &best, &which);
	better(match_rdp(r, from_server), STARTTLS_RDP, &best, &which);
	if (!from_server) {
		better(match_imap(r), STARTTLS_IMAP, &best, &which);
		better(match_ldap(r), STARTTLS_LDAP, &best, &which);
		better(match_postgresql(r), STARTTLS_POSTGRESQL, &best, &which);
		better(match_socks4(r), STARTTLS_SOCKS4, &best, &which);
		better(match_socks5(r), STARTTLS_SOCKS5, &best, &which);
	}
	*maybe = best == PART && r.left < STARTTLS_GUESS_BYTES;
	return best == FULL ? which : STARTTLS_NONE;
}

const char *starttls_name(enum starttls_protocol protocol)
{
	static const char *const names[] = {
		[STARTTLS_NONE] = "none",
		[STARTTLS_SMTP] = "smtp",
		[STARTTLS_IMAP] = "imap",
		[STARTTLS_POP3] = "pop3",
		[STARTTLS_FTP] = "ftp",
		[STARTTLS_NNTP] = "nntp",
		[STARTTLS_XMPP] = "xmpp",
		[STARTTLS_LDAP] = "ldap",
		[STARTTLS_POSTGRESQL] = "postgresql",
		[STARTTLS_MYSQL] = "mysql",
		[STARTTLS_RDP] = "rdp",
		[STARTTLS_SOCKS4] = "socks4",
		[STARTTLS_HTTP] = "http",
		[STARTTLS_PROXY] = "proxy",
		[STARTTLS_GNUTELLA] = "gnutella",
		[STARTTLS_SOCKS5] = "socks5",
		[STARTTLS_TEXT] = "text",
	};

	return (unsigned)protocol < sizeof names / sizeof names[0] ? names[protocol] : "none";
}
