/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * starttls.h - where TLS begins in a connection that speaks another protocol first (RFC 3207, 2595,
 * 4217, 4642, 6120, 4511 section 4.14, 9110 section 9.3.6, 1928, and the manuals of PostgreSQL,
 * MySQL and RDP).
 *
 * In none of these protocols does a line or a message begin like a TLS handshake record (0x16), an
 * alert (0x15) from a server, or a client's SSLv2 hello (0x80).  So it is enough to know where
 * lines and messages begin, and that TLS was asked for.  Each direction is followed by itself: what
 * one says need not arrive before the other's. No allocation; nothing is kept but the head of the
 * line or message under way.
 */
#pragma once

#include "base/rd.h"

enum starttls_protocol {
	STARTTLS_NONE,
	STARTTLS_SMTP, /* and LMTP */
	STARTTLS_IMAP,
	STARTTLS_POP3,
	STARTTLS_FTP,
	STARTTLS_NNTP,
	STARTTLS_XMPP,
	STARTTLS_LDAP,
	STARTTLS_POSTGRESQL,
	STARTTLS_MYSQL,
	STARTTLS_RDP,
	STARTTLS_SOCKS4, /* and 4a */
	STARTTLS_SOCKS5,
	STARTTLS_HTTP,  /* CONNECT through a proxy */
	STARTTLS_PROXY, /* a balancer's PROXY line, version 1; only in the client's direction */
	STARTTLS_GNUTELLA,
	STARTTLS_TEXT, /* SMTP or FTP: a greeting with 220 fits both */
};

enum {
	STARTTLS_HEAD = 48,        /* bytes kept of a line or message */
	STARTTLS_GUESS_BYTES = 16, /* so many are enough for starttls_guess() */
};

struct starttls_side {
	uint8_t head[STARTTLS_HEAD]; /* beginning of the line or message under way */
	uint8_t head_size;
	bool done;        /* TLS has begun, or never will */
	uint8_t messages; /* that have passed; stays at 255 */
	uint32_t seen;    /* bytes that have passed */
	uint64_t skip;    /* bytes left of the message under way */
};

/* Begins as { .protocol = what starttls_guess() said }. */
struct starttls {
	uint8_t protocol;              /* enum starttls_protocol; grows more precise */
	bool asked;                    /* the client has asked for TLS (or for a tunnel) */
	struct starttls_side sides[2]; /* client, server */
};

enum starttls_verdict {
	STARTTLS_WAIT,  /* all bytes are used up; go on feeding */
	STARTTLS_TLS,   /* TLS begins in this direction where the reader now stands */
	STARTTLS_NEVER, /* not in this direction any more: stop feeding it */
};

/*
 * Whether the first bytes of a direction are those of a protocol of this list; STARTTLS_NONE if
 * not.  With fewer than STARTTLS_GUESS_BYTES, *maybe says that more of them could change that.
 */
enum starttls_protocol starttls_guess(struct rd first_bytes, bool from_server, bool *maybe);

/*
 * Goes on with in-order bytes of one direction, from the first one on (those that were guessed by
 * included), up to LIMIT_STARTTLS_BYTES.  After STARTTLS_TLS or STARTTLS_NEVER the other direction
 * still needs its own answer.
 */
enum starttls_verdict starttls_feed(struct starttls *s, bool from_server, struct rd *bytes);

/* A short lower-case name, as "smtp"; "none" for STARTTLS_NONE. */
const char *starttls_name(enum starttls_protocol protocol);
