/* SPDX-License-Identifier: BSD-3-Clause */
/* test_starttls.c - sessions of other protocols up to the first byte of TLS, cut anywhere. */
#include "unit/cut_kit.h"

#include "proto/starttls.h"

#define HELLO "\x16\x03\x01"

/* A session: what each side says before TLS begins, the client first or not. */
static const struct session {
	enum starttls_protocol guess_client, guess_server, protocol;
	struct rd client, server; /* up to and with the TLS that begins with 0x16 */
	size_t client_before, server_before;
} sessions[] = {
#define BOTH(c, s)                                                                                 \
	.client = BYTES(c HELLO), .server = BYTES(s HELLO), .client_before = sizeof(c) - 1,        \
	.server_before = sizeof(s) - 1
	{ STARTTLS_SMTP, STARTTLS_TEXT, STARTTLS_SMTP,
			BOTH("EHLO me\r\nStartTLS\r\n", "220 mx ESMTP\r\n250-mx\r\n250 "
							"STARTTLS\r\n220 ready\r\n") },
	{ STARTTLS_IMAP, STARTTLS_IMAP, STARTTLS_IMAP,
			BOTH("a1 CAPABILITY\r\na2 STARTTLS\r\n",
					"* OK hi\r\n* CAPABILITY STARTTLS\r\na1 OK\r\na2 OK "
					"go\r\n") },
	{ STARTTLS_POP3, STARTTLS_POP3, STARTTLS_POP3,
			BOTH("CAPA\r\nSTLS\r\n", "+OK hi\r\n+OK\r\nSTLS\r\n.\r\n+OK go\r\n") },
	{ STARTTLS_FTP, STARTTLS_TEXT, STARTTLS_FTP,
			BOTH("AUTH TLS\r\n", "220-hi\r\n220 there\r\n234 go\r\n") },
	{ STARTTLS_NNTP, STARTTLS_NNTP, STARTTLS_NNTP,
			BOTH("CAPABILITIES\r\nSTARTTLS\r\n",
					"200 hi\r\n101 list\r\n.\r\n382 go\r\n") },
	{ STARTTLS_XMPP, STARTTLS_XMPP, STARTTLS_XMPP,
			BOTH("<?xml version='1.0'?><stream:stream><starttls xmlns='x'/>",
					"<?xml version='1.0'?><stream:stream><proceed "
					"xmlns='x'/>") },
	{ STARTTLS_HTTP, STARTTLS_NONE, STARTTLS_HTTP,
			BOTH("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
					"HTTP/1.1 200 Connection established\r\n\r\n") },
	{ STARTTLS_PROXY, STARTTLS_NONE, STARTTLS_PROXY,
			BOTH("PROXY TCP4 10.0.0.1 10.0.0.2 4000 443\r\n", "") },
	{ STARTTLS_GNUTELLA, STARTTLS_NONE, STARTTLS_GNUTELLA,
			BOTH("GNUTELLA CONNECT/0.6\r\nUpgrade: TLS/1.0\r\n\r\nGNUTELLA/0.6 200 "
			     "OK\r\n\r\n",
					"GNUTELLA/0.6 200 OK\r\nConnection: Upgrade\r\n\r\n") },
	/* connect to 10.0.0.1:443, user "me"; granted */
	{ STARTTLS_SOCKS4, STARTTLS_NONE, STARTTLS_SOCKS4,
			BOTH("\x04\x01\x01\xbb\x0a\x00\x00\x01me\x00",
					"\x00\x5a\x01\xbb\x0a\x00\x00\x01") },
	/* connect to "a.b":443 by name, no user */
	{ STARTTLS_SOCKS4, STARTTLS_NONE, STARTTLS_SOCKS4,
			BOTH("\x04\x01\x01\xbb\x00\x00\x00\x01\x00"
			     "a.b\x00",
					"\x00\x5a\x00\x00\x00\x00\x00\x00") },
	/* extended request 1, OID of StartTLS; extended response 1, success */
	{ STARTTLS_LDAP, STARTTLS_NONE, STARTTLS_LDAP,
			BOTH("\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
			     "1.3.6.1.4.1.1466.20037",
					"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04"
					"\x00") },
	/* the same as Windows writes sizes */
	{ STARTTLS_LDAP, STARTTLS_NONE, STARTTLS_LDAP,
			BOTH("\x30\x84\x00\x00\x00\x21\x02\x01\x01\x77\x84\x00\x00\x00\x18\x80\x16"
			     "1.3.6.1.4.1.1466.20037",
					"\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x78\x07\x0a\x01\x00"
					"\x04\x00\x04\x00") },
	/* GSSENCRequest, no; SSLRequest, yes */
	{ STARTTLS_POSTGRESQL, STARTTLS_NONE, STARTTLS_POSTGRESQL,
			BOTH("\x00\x00\x00\x08\x04\xd2\x16\x30"
			     "\x00\x00\x00\x08\x04\xd2\x16\x2f",
					"NS") },
	/* greeting of protocol 10, 8 bytes; SSLRequest of 32 bytes */
	{ STARTTLS_MYSQL, STARTTLS_MYSQL, STARTTLS_MYSQL,
			BOTH("\x20\x00\x00\x01\x05\xae\x0f\x00\x00\x00\x00\x01\x21"
			     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
					"\x08\x00\x00\x00\x0a"
					"8.0.36\x00") },
	/* connection request and confirm, with negotiation */
	{ STARTTLS_RDP, STARTTLS_RDP, STARTTLS_RDP,
			BOTH("\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00"
			     "\x00\x00",
					"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08"
					"\x00\x02\x00\x00\x00") },
	/* no or name and password; name "me", password "pw"; connect to a:443 */
	{ STARTTLS_SOCKS5, STARTTLS_NONE, STARTTLS_SOCKS5,
			BOTH("\x05\x02\x00\x02"
			     "\x01\x02me\x02pw"
			     "\x05\x01\x00\x03\x01"
			     "a\x01\xbb",
					"\x05\x02"
					"\x01\x00"
					"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38") },
};

enum { SESSIONS = sizeof sessions / sizeof sessions[0] };

/* Feeds r in pieces of 'n' bytes; where TLS began, or r.left + 1 when it never did. */
static size_t feed(struct starttls *s, bool from_server, struct rd r, size_t n)
{
	size_t passed = 0;

	while (passed < r.left) {
		size_t size = n < r.left - passed ? n : r.left - passed;
		struct rd piece = cut_copy((struct rd){ r.p + passed, size }, size), rest = piece;
		enum starttls_verdict verdict = starttls_feed(s, from_server, &rest);

		passed += size - rest.left;
		assert_true(verdict != STARTTLS_WAIT || rest.left == 0);
		cut_free(piece);
		if (verdict == STARTTLS_TLS)
			return passed;
		if (verdict == STARTTLS_NEVER)
			break;
	}
	return r.left + 1;
}

static void follows_each_protocol(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SESSIONS; i++) {
		for (size_t n = 1; n < 80; n++) {
			const struct session *t = &sessions[i];
			struct starttls s = { .protocol = t->guess_client };

			assert_int_equal(feed(&s, false, t->client, n), t->client_before);
			assert_int_equal(feed(&s, true, t->server, n), t->server_before);
			assert_int_equal(s.protocol, t->protocol);
			assert_true(s.asked);
		}
	}
}

static void follows_a_server_alone(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SESSIONS; i++) {
		const struct session *t = &sessions[i];
		struct starttls s = { .protocol = t->guess_server };
		bool known = t->guess_server != STARTTLS_NONE && t->protocol != STARTTLS_MYSQL;

		if (known)
			assert_int_equal(feed(&s, true, t->server, 7), t->server_before);
	}
}

static void guesses_by_first_bytes(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SESSIONS; i++) {
		const struct session *t = &sessions[i];
		bool maybe = true;

		assert_int_equal(starttls_guess(t->client, false, &maybe), t->guess_client);
		assert_int_equal(starttls_guess(t->server, true, &maybe), t->guess_server);
		for (size_t n = 0; n < t->client.left; n++) {
			struct rd cut = cut_copy(t->client, n);
			enum starttls_protocol found = starttls_guess(cut, false, &maybe);

			assert_true(found == t->guess_client || (found == STARTTLS_NONE && maybe));
			assert_true(n < STARTTLS_GUESS_BYTES || found == t->guess_client);
			cut_free(cut);
		}
	}
}

static void knows_what_it_does_not_know(void **unused)
{
	static const char *others[] = { "GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "POST /x HTTP/1.1\r\n",
		"\023BitTorrent protocol", "\x30\x81\xff\x03\x01\x01\x60\x10" };
	bool maybe = true;

	(void)unused;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct rd r = { (const uint8_t *)others[i], strlen(others[i]) };

		assert_int_equal(starttls_guess(r, false, &maybe), STARTTLS_NONE);
		assert_false(maybe);
	}
	for (unsigned p = 0; p <= STARTTLS_TEXT; p++)
		assert_non_null(starttls_name((enum starttls_protocol)p));
	assert_string_equal(starttls_name(STARTTLS_LDAP), "ldap");
}

static void does_not_begin_unasked(void **unused)
{
	struct starttls s = { .protocol = STARTTLS_SMTP };

	(void)unused;
	assert_int_equal(feed(&s, false, BYTES("EHLO me\r\n" HELLO), 5), 13);
	assert_int_equal(feed(&s, true, BYTES("220 hi\r\n" HELLO), 5), 12);
	s = (struct starttls){ .protocol = STARTTLS_MYSQL };
	assert_int_equal(feed(&s, true,
					 BYTES("\x02\x00\x00\x00\x0a"
					       "8" HELLO),
					 5),
			10);
}

static void takes_alerts_and_ssl2(void **unused)
{
	struct starttls s = { .protocol = STARTTLS_SMTP };

	(void)unused;
	assert_int_equal(feed(&s, false, BYTES("STARTTLS\r\n\x80\x2e\x01"), 5), 10);
	assert_int_equal(feed(&s, true, BYTES("220 go\r\n\x15\x03\x01"), 5), 8);
	assert_int_equal(feed(&s, true, BYTES("x"), 1), 2); /* done */
}

static void gives_up(void **unused)
{
	static const struct {
		enum starttls_protocol protocol;
		bool from_server;
		struct rd bytes;
	} sessions_in_the_clear[] = {
		{ STARTTLS_POSTGRESQL, false, BYTES("\x00\x00\x00\x08\x00\x03\x00\x00") },
		{ STARTTLS_POSTGRESQL, true, BYTES("NR") },
		{ STARTTLS_MYSQL, false, BYTES("\x20\x00\x00\x01\x05\xa6") },
		{ STARTTLS_MYSQL, true,
				BYTES("\x02\x00\x00\x00\x0a"
				      "8"
				      "\x07\x00\x00\x02") },
		{ STARTTLS_LDAP, false, BYTES("\x31") },
		{ STARTTLS_LDAP, false, BYTES("\x30\x85") },
		{ STARTTLS_RDP, false, BYTES("\x03\x00\x00\x06") },
		{ STARTTLS_SOCKS5, false,
				BYTES("\x05\x01\x00"
				      "\x05\x01\x00\x02\x09") },
		{ STARTTLS_SOCKS5, false,
				BYTES("\x05\x01\x00"
				      "GET /") },
		{ STARTTLS_SOCKS5, false,
				BYTES("\x05\x01\x00"
				      "\x01\xff"
				      "0123456789012345678901234567890123"
				      "456789012345678901234567890123456789") },
	};
	char line[4096];
	struct starttls s = { .protocol = STARTTLS_SMTP };
	size_t fed = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof sessions_in_the_clear / sizeof sessions_in_the_clear[0];
			i++) {
		struct starttls t = { .protocol = (uint8_t)sessions_in_the_clear[i].protocol };
		struct rd r = sessions_in_the_clear[i].bytes;

		assert_int_equal(feed(&t, sessions_in_the_clear[i].from_server, r, 3), r.left + 1);
		assert_true(t.sides[sessions_in_the_clear[i].from_server].done);
	}
	memset(line, 'x', sizeof line);
	while (!s.sides[0].done && fed < 1000000)
		fed += feed(&s, false, (struct rd){ (uint8_t *)line, sizeof line }, 4096) - 1;
	assert_in_range(fed, 65536, 65536 + 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_each_protocol),
		cmocka_unit_test(follows_a_server_alone),
		cmocka_unit_test(guesses_by_first_bytes),
		cmocka_unit_test(knows_what_it_does_not_know),
		cmocka_unit_test(does_not_begin_unasked),
		cmocka_unit_test(takes_alerts_and_ssl2),
		cmocka_unit_test(gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
