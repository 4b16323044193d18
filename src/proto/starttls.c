/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * starttls.c - follow another protocol up to the first byte of TLS.
 *
 *   SMTP, IMAP, POP3, FTP, NNTP, HTTP CONNECT, PROXY, Gnutella:  lines up to LF
 *   XMPP:        XML, in which 0x16 stands nowhere
 *   LDAP:        | 30 | BER size | body |
 *   PostgreSQL:  client | 00 00 00 08 | request 4 |, server one byte
 *   MySQL:       | size 3, little endian | sequence 1 | body |
 *   RDP:         | 03 00 | size 2, head included | X.224 |
 *   SOCKS4:      a request, an answer
 *   SOCKS5:      greeting, perhaps name and password, request; their answers
 */
#include <string.h>

#include "base/limits.h"
#include "proto/starttls.h"

enum { CLIENT, SERVER };
/* first bytes: of a handshake record, of an alert, of an SSLv2 ClientHello */
enum { TLS_HELLO = 0x16, TLS_REFUSAL = 0x15, SSL2_HELLO = 0x80 };
/* instead of a message's size */
static const size_t NEED_MORE = 0, NO_MESSAGE = SIZE_MAX;

/*
 * Whether TLS may begin in this direction: the client has asked, or of the client nothing was
 * captured.  In MySQL an answer may begin with 0x16 too, so there the client must have asked.
 */
static bool may_begin(const struct starttls *s, bool from_server)
{
	bool unseen = from_server && s->sides[CLIENT].seen == 0 && s->protocol != STARTTLS_MYSQL;

	return s->asked || unseen;
}

static bool begins(const struct starttls *s, bool from_server, const struct rd *bytes)
{
	const struct starttls_side *side = &s->sides[from_server];
	bool between = side->head_size == 0 && side->skip == 0;
	uint8_t other = from_server ? TLS_REFUSAL : SSL2_HELLO;

	return between && (*bytes->p == TLS_HELLO || *bytes->p == other) &&
	       may_begin(s, from_server);
}

/* Takes bytes that pass; at most 'n'. */
static struct rd pass(struct starttls_side *side, struct rd *bytes, uint64_t n)
{
	struct rd part = rd_first(*bytes, n < bytes->left ? (size_t)n : bytes->left);

	rd_bytes(bytes, part.left);
	side->seen += (uint32_t)rd_first(part, LIMIT_STARTTLS_BYTES).left;
	return part;
}

static void add_head(struct starttls_side *side, struct rd part)
{
	struct rd fitting = rd_first(part, (size_t)STARTTLS_HEAD - side->head_size);

	if (fitting.left > 0)
		memcpy(side->head + side->head_size, fitting.p, fitting.left);
	side->head_size = (uint8_t)(side->head_size + fitting.left);
}

static void next_message(struct starttls_side *side)
{
	side->head_size = 0;
	side->messages = (uint8_t)(side->messages + (side->messages < UINT8_MAX));
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* The line begins with a text, which is in lower case. */
static bool line_is(const struct starttls_side *side, size_t at, const char *text)
{
	size_t n = strlen(text);

	if (side->head_size < at + n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = side->head[at + i];

		if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)text[i])
			return false;
	}
	return true;
}

/* Where the second word of the line begins; 0 without one. */
static size_t second_word(const struct starttls_side *side)
{
	const uint8_t *space = memchr(side->head, ' ', side->head_size);

	return space == NULL ? 0 : (size_t)(space - side->head) + 1;
}

/* A client's lines that ask for TLS (or a tunnel), or say whose greeting "220" was. */
static const struct command {
	const char *text; /* in lower case */
	bool asks;
	uint8_t protocol; /* enum starttls_protocol, of those that begin with 220 */
} commands[] = {
	{ "ehlo", false, STARTTLS_SMTP },
	{ "helo", false, STARTTLS_SMTP },
	{ "lhlo", false, STARTTLS_SMTP },
	{ "starttls", true, STARTTLS_SMTP },
	{ "feat", false, STARTTLS_FTP },
	{ "auth tls", true, STARTTLS_FTP },
	{ "auth ssl", true, STARTTLS_FTP },
	{ "stls", true, STARTTLS_POP3 },
	{ "connect ", true, STARTTLS_HTTP },
	{ "proxy ", true, STARTTLS_PROXY },
	{ "gnutella", true, STARTTLS_GNUTELLA },
};

static void client_line(struct starttls *s, const struct starttls_side *side)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (!line_is(side, 0, commands[i].text))
			continue;
		s->asked = s->asked || commands[i].asks;
		if (s->protocol == STARTTLS_TEXT)
			s->protocol = commands[i].protocol;
	}
	if (s->protocol == STARTTLS_IMAP && line_is(side, second_word(side), "starttls"))
		s->asked = true;
}

static enum starttls_verdict feed_lines(struct starttls *s, bool from_server, struct rd *bytes)
{
	struct starttls_side *side = &s->sides[from_server];

	while (rd_more(bytes)) {
		if (begins(s, from_server, bytes))
			return STARTTLS_TLS;

		const uint8_t *end = memchr(bytes->p, '\n', bytes->left);

		add_head(side, pass(side, bytes,
					       end == NULL ? bytes->left
							   : (size_t)(end - bytes->p) + 1));
		if (end != NULL && !from_server)
			client_line(s, side);
		if (end != NULL)
			next_message(side);
	}
	return STARTTLS_WAIT;
}

static enum starttls_verdict feed_xml(struct starttls *s, bool from_server, struct rd *bytes)
{
	size_t n = 0;

	while (n < bytes->left && bytes->p[n] != TLS_HELLO &&
			(!from_server || bytes->p[n] != TLS_REFUSAL))
		n++;
	pass(&s->sides[from_server], bytes, n);
	s->asked = s->asked || rd_more(bytes);
	return rd_more(bytes) ? STARTTLS_TLS : STARTTLS_WAIT;
}

/* --- messages with a size
 * ------------------------------------------------------------------------- */

static size_t ldap_size(struct rd r)
{
	enum { SEQUENCE = 0x30, LONG_FORM = 0x80, LONGEST = 4 };

	if (rd_u8(&r) != SEQUENCE)
		return NO_MESSAGE;
	if (!rd_more(&r))
		return NEED_MORE;

	uint8_t size = rd_u8(&r);
	uint8_t n = size & LONG_FORM ? size - LONG_FORM : 0;

	if (size < LONG_FORM)
		return 2 + (size_t)size;
	if (n == 0 || n > LONGEST)
		return NO_MESSAGE;
	return r.left < n ? NEED_MORE : 2 + n + (size_t)rd_uint(&r, n);
}

/* The client's requests, SSL and GSS; all else is the protocol itself, in the clear. */
static size_t postgresql_size(struct rd r, bool from_server)
{
	enum { REQUEST = 8, SSL = 80877103, GSS = 80877104 };

	if (from_server)
		return *r.p == 'S' || *r.p == 'N' || *r.p == 'G' ? 1 : NO_MESSAGE;
	if (r.left < REQUEST)
		return NEED_MORE;

	uint32_t size = rd_u32(&r), code = rd_u32(&r);

	return size == REQUEST && (code == SSL || code == GSS) ? REQUEST : NO_MESSAGE;
}

/* The server's greeting and the client's SSL request: one message each. */
static size_t mysql_size(struct rd r, bool from_server, uint8_t messages)
{
	enum { HEAD = 4, REQUEST = HEAD + 32, SSL = 0x08 };

	if (messages > 0)
		return NO_MESSAGE;
	if (r.left < HEAD + 2)
		return NEED_MORE;

	size_t size = HEAD + ((size_t)r.p[2] << 16 | (size_t)r.p[1] << 8 | r.p[0]);

	if (size < HEAD + 2 || r.p[3] != !from_server)
		return NO_MESSAGE;
	return from_server || (size == REQUEST && r.p[HEAD + 1] & SSL) ? size : NO_MESSAGE;
}

/* Connection request and confirm: one message each. */
static size_t rdp_size(struct rd r, uint8_t messages)
{
	enum { HEAD = 4, SHORTEST = 7 };

	if (messages > 0 || r.p[0] != 3)
		return NO_MESSAGE;
	if (r.left < HEAD)
		return NEED_MORE;

	size_t size = (size_t)r.p[2] << 8 | r.p[3];

	return r.p[1] == 0 && size >= SHORTEST ? size : NO_MESSAGE;
}

/*
 * client: | 04 | 01 | port 2 | address 4 | user | 00 | [ name | 00 ] |, a name with address 0.0.0.x
 * server: | 00 | answer 1 | port 2 | address 4 |
 */
static size_t socks4_size(struct rd r, bool from_server, uint8_t messages)
{
	enum { HEAD = 8, SOCKS = 4 };
	struct rd text = r;

	if (messages > 0 || *r.p != (from_server ? 0 : SOCKS))
		return NO_MESSAGE;
	if (r.left < HEAD)
		return NEED_MORE;
	if (from_server)
		return HEAD;

	bool named = r.p[4] == 0 && r.p[5] == 0 && r.p[6] == 0 && r.p[7] != 0;

	rd_bytes(&text, HEAD);
	for (int n = named ? 2 : 1; n > 0; n--) {
		const uint8_t *end = rd_more(&text) ? memchr(text.p, 0, text.left) : NULL;

		if (end == NULL)
			return NEED_MORE;
		rd_bytes(&text, (size_t)(end - text.p) + 1);
	}
	return r.left - text.left;
}

/* | 05 | command or reply | 00 | address type | address | port 2 | */
static size_t socks5_request_size(struct rd r)
{
	enum { IPV4 = 1, NAME = 3, IPV6 = 4, BEFORE_NAME = 5 };

	if (r.left < BEFORE_NAME)
		return NEED_MORE;
	switch (r.p[3]) {
	case IPV4:
		return 4 + 4 + 2;
	case IPV6:
		return 4 + 16 + 2;
	case NAME:
		return BEFORE_NAME + (size_t)r.p[4] + 2;
	default:
		return NO_MESSAGE;
	}
}

static size_t socks5_size(struct rd r, bool from_server, uint8_t messages)
{
	enum { SOCKS = 5, PASSWORD = 1 };

	if (r.p[0] == SOCKS && messages > 0)
		return socks5_request_size(r);
	if (r.left < 2)
		return r.p[0] == SOCKS || r.p[0] == PASSWORD ? NEED_MORE : NO_MESSAGE;
	if (r.p[0] == SOCKS)
		return from_server ? 2 : 2 + (size_t)r.p[1];
	if (r.p[0] != PASSWORD || messages == 0)
		return NO_MESSAGE;
	if (from_server)
		return 2;

	/* | 01 | name <1> | password <1> | */
	rd_bytes(&r, 1);

	size_t name = rd_block(&r, 1).left;

	return rd_more(&r) ? 3 + name + *r.p : NEED_MORE;
}

static size_t message_size(const struct starttls *s, bool from_server)
{
	const struct starttls_side *side = &s->sides[from_server];
	struct rd head = { side->head, side->head_size };

	if (!rd_more(&head))
		return NEED_MORE;
	switch (s->protocol) {
	case STARTTLS_LDAP:
		return ldap_size(head);
	case STARTTLS_POSTGRESQL:
		return postgresql_size(head, from_server);
	case STARTTLS_MYSQL:
		return mysql_size(head, from_server, side->messages);
	case STARTTLS_RDP:
		return rdp_size(head, side->messages);
	case STARTTLS_SOCKS4:
		return socks4_size(head, from_server, side->messages);
	case STARTTLS_SOCKS5:
		return socks5_size(head, from_server, side->messages);
	default:
		return NO_MESSAGE;
	}
}

/* Whether a client's message asks for TLS, or for a tunnel. */
static bool message_asks(const struct starttls *s, const struct starttls_side *side)
{
	static const char start_tls[] = "1.3.6.1.4.1.1466.20037";
	enum { SOCKS = 5, CONNECT = 1, SSL = 0x2f, CODE_LAST = 7 };

	switch (s->protocol) {
	case STARTTLS_LDAP:
		return memmem(side->head, side->head_size, start_tls, sizeof start_tls - 1) != NULL;
	case STARTTLS_POSTGRESQL:
		return side->head[CODE_LAST] == SSL;
	case STARTTLS_SOCKS5:
		return side->messages > 0 && side->head[0] == SOCKS && side->head[1] == CONNECT;
	default: /* those whose only message is the request */
		return true;
	}
}

/* Bytes that the head of a message of that size still lacks. */
static size_t left_of_head(const struct starttls_side *side, size_t size)
{
	return (size < STARTTLS_HEAD ? size : STARTTLS_HEAD) - side->head_size;
}

static enum starttls_verdict feed_messages(struct starttls *s, bool from_server, struct rd *bytes)
{
	struct starttls_side *side = &s->sides[from_server];

	while (rd_more(bytes)) {
		if (begins(s, from_server, bytes))
			return STARTTLS_TLS;
		if (side->skip > 0) {
			side->skip -= pass(side, bytes, side->skip).left;
			continue;
		}
		if (side->head_size == STARTTLS_HEAD)
			return STARTTLS_NEVER; /* and still no size */
		add_head(side, pass(side, bytes, 1));

		size_t size = message_size(s, from_server);

		if (size == NO_MESSAGE)
			return STARTTLS_NEVER;
		if (size == NEED_MORE)
			continue;
		add_head(side, pass(side, bytes, left_of_head(side, size)));
		if (side->head_size < size && side->head_size < STARTTLS_HEAD)
			continue;
		s->asked = s->asked || (!from_server && message_asks(s, side));
		side->skip = size - side->head_size;
		next_message(side);
	}
	return STARTTLS_WAIT;
}

enum starttls_verdict starttls_feed(struct starttls *s, bool from_server, struct rd *bytes)
{
	struct starttls_side *side = &s->sides[from_server];
	enum starttls_verdict verdict;

	if (side->done)
		return STARTTLS_NEVER;
	if (s->protocol == STARTTLS_XMPP)
		verdict = feed_xml(s, from_server, bytes);
	else if (s->protocol >= STARTTLS_LDAP && s->protocol <= STARTTLS_SOCKS5)
		verdict = feed_messages(s, from_server, bytes);
	else
		verdict = feed_lines(s, from_server, bytes);
	if (verdict == STARTTLS_WAIT && side->seen > LIMIT_STARTTLS_BYTES)
		verdict = STARTTLS_NEVER;
	side->done = verdict != STARTTLS_WAIT;
	return verdict;
}
