/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_fields.c - what the fields of the "tls" object mean. */
#include "feature/tls_out.h"

#define NULLABLE  (FIELD_NULLABLE | FIELD_OPTIONAL)
#define NO_CLIENT "left out when no ClientHello was seen"
#define NO_SERVER "left out when no ServerHello was seen"
#define WORD_LIST "; numbers without a name as \"0x1234\""

static const struct field extension_fields[] = {
	FIELD(struct out_extension, type, "type", "", "Number of the extension.",
			.source = "IANA TLS ExtensionType Values"),
	FIELD(struct out_extension, name, "name", "", "Its name in that registry.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD(struct out_extension, data, "data", "", "Its bytes.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL | FIELD_IS_ADDRESS,
			.null_rule = "left out with anonymisation"),
	{ 0 },
};

static const struct field retry_fields[] = {
	FIELD(struct out_retry, group, "group", "", "Group that the server asks for" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it names none"),
	FIELD(struct out_retry, scs, "scs", "", "Ciphersuite in it.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out when it was not seen"),
	FIELD_LIST_OF(struct out_retry, s_extensions, "s_extensions", struct out_extension,
			extension_fields, "Extensions of HelloRetryRequest, in order.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none"),
	FIELD_SUB(struct out_retry, server, "server", tls_hello_fields,
			"What the extensions of HelloRetryRequest say.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out when it was not seen"),
	FIELD(struct out_retry, c_random, "c_random", "", "Random value of the second ClientHello.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it was not seen"),
	FIELD_LIST_OF(struct out_retry, c_extensions, "c_extensions", struct out_extension,
			extension_fields, "Extensions of the second ClientHello, in order.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none"),
	FIELD_SUB(struct out_retry, client, "client", tls_hello_fields,
			"What the extensions of the second ClientHello say.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it was not seen"),
	{ 0 },
};

static const struct field server_key_fields[] = {
	FIELD(struct out_server_key, type, "type", "",
			"Key exchange of the ciphersuite: rsa, dhe, ecdhe, ...; of TLS 1.3 tls13.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_SERVER),
	FIELD(struct out_server_key, curve, "curve", "",
			"Group of the server's key (ServerKeyExchange; TLS 1.3: "
			"key_share)" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without a curve or group",
			.source = "RFC 8422; IANA TLS Supported Groups"),
	FIELD(struct out_server_key, length, "length", "bits",
			"Size of the prime, of the RSA modulus, or of the curve's field; of a "
			"hybrid group that of its classical part.",
			.flags = NULLABLE, .null_rule = "left out when it is not known",
			.source = "RFC 5246 section 7.4.3"),
	FIELD(struct out_server_key, signature_algorithm, "signature_algorithm", "",
			"How ServerKeyExchange is signed (TLS 1.2)" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it is not said"),
	{ 0 },
};

static const struct field request_fields[] = {
	FIELD_SCALARS(struct out_request, types, "types", const char *, "",
			"Types of certificates asked for" WORD_LIST ".", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without any"),
	FIELD_SCALARS(struct out_request, signature_algorithms, "signature_algorithms",
			const char *, "", "Signature algorithms asked for" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "left out before TLS 1.2"),
	FIELD(struct out_request, authorities, "authorities", "",
			"Number of names of certificate authorities.", .flags = NULLABLE,
			.null_rule = "left out without a CertificateRequest"),
	{ 0 },
};

static const struct field ticket_fields[] = {
	FIELD(struct out_ticket, count, "count", "", "How many there were.", .flags = NULLABLE,
			.null_rule = "left out without any", .merge = MERGE_SUM),
	FIELD(struct out_ticket, lifetime, "lifetime", "s", "Lifetime hint of the first ticket.",
			.flags = NULLABLE, .null_rule = "left out without a ticket",
			.source = "RFC 5077"),
	FIELD(struct out_ticket, length, "length", "bytes", "Size of the first ticket.",
			.flags = NULLABLE, .null_rule = "left out without a ticket"),
	{ 0 },
};

static const struct field alert_fields[] = {
	FIELD(struct out_tls_alert, dir, "dir", "", "Direction, as in packets."),
	FIELD(struct out_tls_alert, level, "level", "", "warning or fatal.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it is encrypted"),
	FIELD(struct out_tls_alert, code, "code", "", "Description, as a number.",
			.flags = NULLABLE, .null_rule = "left out when it is encrypted",
			.source = "IANA TLS Alerts"),
	FIELD(struct out_tls_alert, description, "description", "", "Description.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when it is encrypted or has no name"),
	{ 0 },
};

static const struct field record_fields[] = {
	FIELD(struct out_record, b, "b", "bytes", "Length of the record's body, by its head."),
	FIELD(struct out_record, dir, "dir", "", "Direction, as in packets."),
	FIELD(struct out_record, ipt, "ipt", "ms",
			"Time since the record listed before it, of either direction; 0 for the "
			"first.  The time of a record is that of the packet with which the last "
			"byte of its head came in order."),
	FIELD(struct out_record, tp, "tp", "", "Content type.", .source = "IANA TLS ContentType"),
	FIELD_SCALARS(struct out_record, hs_types, "hs_types", uint8_t, "",
			"Types of the handshake messages whose first byte lies in the record, "
			"where they are clear.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without any",
			.source = "IANA TLS HandshakeType"),
	FIELD_SCALARS(struct out_record, hs_lens, "hs_lens", uint32_t, "bytes",
			"Lengths of the bodies of these messages, by their heads.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without any"),
	{ 0 },
};

#define IF_CLIENT FIELD_OPTIONAL, .null_rule = NO_CLIENT
#define IF_SERVER FIELD_OPTIONAL, .null_rule = NO_SERVER

const struct field tls_fields[] = {
	FIELD(struct out_tls, protocol, "protocol", "", "What carried it: tls (TCP), dtls, quic."),
	FIELD(struct out_tls, starttls, "starttls", "",
			"Protocol that asked for TLS or came before it: smtp, imap, pop3, ftp, "
			"nntp, xmpp, ldap, postgresql, mysql, rdp, http (CONNECT), socks4, socks5, "
			"proxy (the PROXY protocol), gnutella.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when TLS begins with the connection"),
	FIELD(struct out_tls, version, "version", "",
			"Version that the server selected, in HelloRetryRequest too" WORD_LIST ".",
			.flags = IF_SERVER, .source = "RFC 8446 section 4.1.3, 4.2.1"),
	FIELD(struct out_tls, version_code, "version_code", "", "The same as a number.",
			.flags = NULLABLE, .null_rule = NO_SERVER),
	FIELD(struct out_tls, handshake, "handshake", "",
			"full, or resumed: TLS 1.3: the server took a pre-shared key; before: it "
			"went on to change_cipher_spec without certificate, ServerKeyExchange or "
			"ServerHelloDone.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when neither was seen"),
	FIELD(struct out_tls, c_version, "c_version", "",
			"Version in ClientHello itself: 771 for TLS 1.2 and 1.3.",
			.flags = NULLABLE, .null_rule = NO_CLIENT,
			.source = "RFC 8446 section 4.1.2"),
	FIELD(struct out_tls, c_version_name, "c_version_name", "", "The same as text.",
			.flags = IF_CLIENT),
	FIELD(struct out_tls, s_version, "s_version", "",
			"Version in ServerHello itself: 771 for TLS 1.2 and 1.3.",
			.flags = NULLABLE, .null_rule = NO_SERVER,
			.source = "RFC 8446 section 4.1.3"),
	FIELD(struct out_tls, s_version_name, "s_version_name", "", "The same as text.",
			.flags = IF_SERVER),
	FIELD(struct out_tls, c_record_version, "c_record_version", "",
			"Version in the client's first record: mostly 769 for TLS, whatever is "
			"offered.",
			.flags = NULLABLE, .null_rule = "left out without records, as in QUIC",
			.source = "RFC 8446 section 5.1"),
	FIELD(struct out_tls, s_record_version, "s_record_version", "",
			"Version in the server's first record.", .flags = NULLABLE,
			.null_rule = "left out without records, as in QUIC"),
	FIELD(struct out_tls, sni, "sni", "", "Server name: the first host_name, as sent.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL | FIELD_IS_NAME | FIELD_IS_ADDRESS,
			.null_rule = "left out without that extension",
			.source = "RFC 6066 section 3"),
	FIELD(struct out_tls, alpn, "alpn", "",
			"Application protocol that the server selected in its hello; in TLS 1.3 it "
			"says so encrypted.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it was not seen",
			.source = "RFC 7301"),
	FIELD(struct out_tls, c_random, "c_random", "",
			"Random value of ClientHello; SSLv2: challenge.", .flags = IF_CLIENT),
	FIELD(struct out_tls, s_random, "s_random", "",
			"Random value of ServerHello; SSLv2: connection id.", .flags = IF_SERVER),
	FIELD(struct out_tls, c_sid, "c_sid", "", "Session id in ClientHello.", .flags = IF_CLIENT),
	FIELD(struct out_tls, s_sid, "s_sid", "", "Session id in ServerHello.", .flags = IF_SERVER),
	FIELD_SCALARS(struct out_tls, cs, "cs", struct field_hex, "",
			"Ciphersuites offered, in order, GREASE included: 2 bytes each, SSLv2 3.",
			.flags = IF_CLIENT, .source = "IANA TLS Cipher Suites"),
	FIELD(struct out_tls, scs, "scs", "", "Ciphersuite selected.", .flags = IF_SERVER,
			.source = "IANA TLS Cipher Suites"),
	FIELD(struct out_tls, scs_name, "scs_name", "", "Its name in that registry.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD(struct out_tls, scs_recommended, "scs_recommended", "",
			"Whether the registry recommends it: Y, N, D (discouraged).",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it does not say"),
	FIELD(struct out_tls, c_compressions, "c_compressions", "",
			"Compression methods offered, a byte each.", .flags = IF_CLIENT),
	FIELD(struct out_tls, s_compression, "s_compression", "", "Compression method selected.",
			.flags = IF_SERVER),
	FIELD_LIST_OF(struct out_tls, c_extensions, "c_extensions", struct out_extension,
			extension_fields, "Extensions of ClientHello, in order, GREASE included.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none"),
	FIELD_LIST_OF(struct out_tls, s_extensions, "s_extensions", struct out_extension,
			extension_fields, "Extensions of ServerHello, in order.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there are none"),
	FIELD_SUB(struct out_tls, client, "client", tls_hello_fields,
			"What the extensions of ClientHello say.", .flags = IF_CLIENT),
	FIELD_SUB(struct out_tls, server, "server", tls_hello_fields,
			"What the extensions of ServerHello say.", .flags = IF_SERVER),
	FIELD_SUB(struct out_tls, retry, "retry", retry_fields,
			"HelloRetryRequest, and the second ClientHello that answers it or a "
			"HelloVerifyRequest (DTLS).",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without either",
			.source = "RFC 8446 section 4.1.4"),
	FIELD(struct out_tls, verify_cookie_length, "verify_cookie_length", "bytes",
			"DTLS: size of the cookie in HelloVerifyRequest.", .flags = NULLABLE,
			.null_rule = "left out without one", .source = "RFC 6347 section 4.2.1"),
	FIELD(struct out_tls, c_key_length, "c_key_length", "bits",
			"Size of c_key_exchange: 8 times its bytes; of Diffie-Hellman without "
			"leading zero bits.",
			.flags = NULLABLE,
			.null_rule = "left out when it, or the ServerHello that tells its form, "
				     "was not seen",
			.source = "RFC 5246 section 7.4.7"),
	FIELD(struct out_tls, c_key_exchange, "c_key_exchange", "",
			"Encrypted premaster secret, Diffie-Hellman value or point of "
			"ClientKeyExchange; TLS 1.3: the client's key share in the group that "
			"the server took.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when it, or the ServerHello that tells its form, "
				     "was not seen"),
	FIELD_SUB(struct out_tls, s_key, "s_key", server_key_fields,
			"The server's part of the key exchange.", .flags = IF_SERVER),
	FIELD_SUB(struct out_tls, certificate_request, "certificate_request", request_fields,
			"CertificateRequest, where it is clear.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without one", .source = "RFC 5246 section 7.4.4"),
	FIELD(struct out_tls, c_signature_algorithm, "c_signature_algorithm", "",
			"How the client signed in CertificateVerify (TLS 1.2)" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when it is not said"),
	FIELD_LIST_OF(struct out_tls, c_cert, "c_cert", struct out_certificate,
			tls_certificate_fields,
			"Certificates of the client, where clear; compressed ones (RFC 8879) are "
			"unpacked.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when none was seen"),
	FIELD_LIST_OF(struct out_tls, s_cert, "s_cert", struct out_certificate,
			tls_certificate_fields,
			"Certificates of the server, its own first; encrypted in TLS 1.3.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when none was seen"),
	FIELD(struct out_tls, ocsp_length, "ocsp_length", "bytes",
			"Size of the OCSP response in CertificateStatus.", .flags = NULLABLE,
			.null_rule = "left out without one", .source = "RFC 6066 section 8"),
	FIELD_SUB(struct out_tls, tickets, "tickets", ticket_fields,
			"NewSessionTicket messages in the clear (up to TLS 1.2).",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one",
			.source = "RFC 5077"),
	FIELD(struct out_tls, hello_requests, "hello_requests", "",
			"HelloRequest messages in the clear.", .flags = NULLABLE,
			.null_rule = "left out without any", .merge = MERGE_SUM),
	FIELD(struct out_tls, heartbeats, "heartbeats", "records", "Heartbeat records.",
			.flags = NULLABLE, .null_rule = "left out without any",
			.source = "RFC 6520", .merge = MERGE_SUM),
	FIELD_LIST_OF(struct out_tls, alerts, "alerts", struct out_tls_alert, alert_fields,
			"Alert records, the first 16.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without any", .source = "RFC 8446 section 6",
			.merge = MERGE_OWN),
	FIELD_SCALARS(struct out_tls, marks, "marks", const char *, "",
			"early_data: the client offers data before the handshake's end (0-RTT); "
			"renegotiation: handshake records came behind application data (up to TLS "
			"1.2); midstream: no hello was seen, and the first record of a direction "
			"is one of a connection under way; cut: a hello was not seen to its end, "
			"or does not read to it; capped: a message, list or certificate is larger "
			"than what is kept; malformed: a record or message contradicts itself "
			"(nothing behind it is read of a TCP direction); heartbeat_overlong: a "
			"clear heartbeat says that it has more payload than it has.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without any",
			.merge = MERGE_UNION),
	FIELD_LIST_OF(struct out_tls, srlt, "srlt", struct out_record, record_fields,
			"Lengths, times and types of the first num_pkts records, in the order in "
			"which their heads were whole; not of QUIC, which has none.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without any"),
	{ 0 },
};
