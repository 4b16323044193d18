/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_hello.h - ClientHello, ServerHello and HelloRetryRequest of SSLv2 to TLS 1.3, DTLS and QUIC
 * (RFC 8446 section 4.1, RFC 5246 section 7.4.1, RFC 9147 section 5.3), and their extensions.
 *
 * Pure: readers point into the message.  Throughout, a reader that failed ({ NULL, 0 }) means that
 * the thing is not there; one that is there and empty is rd_ok() with nothing left.
 */
#pragma once

#include "base/rd.h"
#include "proto/tls_record.h"

struct tls_hello {
	bool server;
	bool retry; /* HelloRetryRequest: a ServerHello with the random value reserved for it */
	bool ssl2;
	uint16_t legacy_version;
	struct rd random;       /* 32 bytes; SSLv2: challenge (16 to 32 bytes) or connection id */
	struct rd session_id;   /* not there in ServerHellos of the TLS 1.3 drafts up to 21 */
	struct rd cookie;       /* ClientHello of DTLS only */
	struct rd ciphers;      /* 2 bytes each; server: the selected one; SSLv2: 3 bytes each */
	struct rd compressions; /* 1 byte each; server: the selected one */
	struct rd extensions;   /* for tls_extension_next(); not there in old hellos */
	struct rd certificate;  /* ServerHello of SSLv2 only: X.509 DER */
};

/*
 * Reads the body (behind the handshake head) of a ClientHello, or with 'server' of a ServerHello
 * or HelloRetryRequest; 'dtls' for a ClientHello of DTLS, which has a cookie.  False when it is
 * cut, malformed or followed by bytes that belong to nothing: what was read before that stays in
 * *h, and of cut extensions those bytes that are there.  The caller, who knows whether the message
 * was whole, tells cut from malformed.
 */
bool tls_hello_parse(struct rd body, bool server, bool dtls, struct tls_hello *h);

/* HelloRetryRequest as its own message (type 6) of the TLS 1.3 drafts up to 21; else as above. */
bool tls_retry_parse(struct rd body, struct tls_hello *h);

/* The same for a whole SSLv2 record, head included: ClientHello or ServerHello, by its type. */
bool tls_ssl2_hello_parse(struct rd record, struct tls_hello *h);

enum tls_extension_type { /* IANA, TLS ExtensionType Values; those that are decoded here */
	TLS_EXT_SERVER_NAME = 0,
	TLS_EXT_MAX_FRAGMENT_LENGTH = 1,
	TLS_EXT_TRUNCATED_HMAC = 4,
	TLS_EXT_STATUS_REQUEST = 5,
	TLS_EXT_CLIENT_AUTHZ = 7,
	TLS_EXT_SERVER_AUTHZ = 8,
	TLS_EXT_SUPPORTED_GROUPS = 10,
	TLS_EXT_EC_POINT_FORMATS = 11,
	TLS_EXT_SRP = 12,
	TLS_EXT_SIGNATURE_ALGORITHMS = 13,
	TLS_EXT_USE_SRTP = 14,
	TLS_EXT_HEARTBEAT = 15,
	TLS_EXT_ALPN = 16,
	TLS_EXT_STATUS_REQUEST_V2 = 17,
	TLS_EXT_SCT = 18, /* signed_certificate_timestamp */
	TLS_EXT_CLIENT_CERTIFICATE_TYPE = 19,
	TLS_EXT_SERVER_CERTIFICATE_TYPE = 20,
	TLS_EXT_PADDING = 21,
	TLS_EXT_ENCRYPT_THEN_MAC = 22,
	TLS_EXT_EXTENDED_MASTER_SECRET = 23,
	TLS_EXT_TOKEN_BINDING = 24,
	TLS_EXT_COMPRESS_CERTIFICATE = 27,
	TLS_EXT_RECORD_SIZE_LIMIT = 28,
	TLS_EXT_DELEGATED_CREDENTIAL = 34,
	TLS_EXT_SESSION_TICKET = 35,
	TLS_EXT_KEY_SHARE_DRAFT = 40, /* key_share of drafts up to 22 */
	TLS_EXT_PRE_SHARED_KEY = 41,
	TLS_EXT_EARLY_DATA = 42,
	TLS_EXT_SUPPORTED_VERSIONS = 43,
	TLS_EXT_COOKIE = 44,
	TLS_EXT_PSK_KEY_EXCHANGE_MODES = 45,
	TLS_EXT_CERTIFICATE_AUTHORITIES = 47,
	TLS_EXT_POST_HANDSHAKE_AUTH = 49,
	TLS_EXT_SIGNATURE_ALGORITHMS_CERT = 50,
	TLS_EXT_KEY_SHARE = 51,
	TLS_EXT_CONNECTION_ID = 54,
	TLS_EXT_QUIC_PARAMETERS = 57,
	TLS_EXT_NEXT_PROTOCOL = 13172,  /* NPN, never registered */
	TLS_EXT_ALPS_OLD = 17513,       /* application_settings */
	TLS_EXT_ALPS = 17613,           /* the same, new number */
	TLS_EXT_CHANNEL_ID = 30032,     /* Google */
	TLS_EXT_ECH = 0xfe0d,           /* encrypted_client_hello, RFC 9849 */
	TLS_EXT_RENEGOTIATION = 0xff01, /* renegotiation_info, RFC 5746 */
	TLS_EXT_QUIC_PARAMETERS_DRAFT = 0xffa5,
	TLS_EXT_ESNI = 0xffce, /* encrypted_server_name, forerunner of ECH */
};

struct tls_extension {
	uint16_t type;
	struct rd data;
};

/* Takes the next extension.  False at the end, and at a cut one, which makes the reader fail. */
static inline bool tls_extension_next(struct rd *extensions, struct tls_extension *e)
{
	if (!rd_more(extensions))
		return false;
	e->type = rd_u16(extensions);
	e->data = rd_block(extensions, 2);
	return rd_ok(extensions);
}

enum tls_ech_type { TLS_ECH_OUTER = 0, TLS_ECH_INNER = 1 };

struct tls_ech { /* encrypted_client_hello; GREASE looks the same as the real one */
	bool present;
	uint8_t type;      /* enum tls_ech_type; the others stand in the outer one only */
	uint8_t config_id; /* which key of the server's */
	uint16_t kdf, aead;
	uint16_t enc_size, payload_size; /* the HPKE key (none behind a retry), the hidden hello */
	struct rd confirmation;          /* HelloRetryRequest: 8 bytes */
};

/*
 * Everything that the extensions say.  A list is given as its inside, without its own length, sized
 * in whole elements; "u16 list" is for tls_u16_next().  Of an extension that is there twice the
 * first counts.
 */
struct tls_hello_info {
	uint16_t extension_count; /* GREASE and unknown ones included */
	uint16_t grease_count;    /* extensions with a GREASE type */
	uint16_t malformed; /* known extensions whose inside contradicts itself: not decoded */
	bool sound;         /* the walk over the extensions ended at their end */
	bool duplicate;     /* some type is there twice (looked for among the first 64 types) */

	bool has_sni;       /* server_name is there; servers answer with an empty one */
	struct rd sni;      /* first host_name, as sent */
	struct rd alpn;     /* for tls_name_next(); server: one name */
	struct rd alps;     /* likewise: protocols with application settings */
	struct rd npn;      /* likewise: the server's list; client: empty */
	uint16_t alps_type; /* TLS_EXT_ALPS or TLS_EXT_ALPS_OLD */

	struct rd versions;       /* u16 list; server: the selected one */
	struct rd groups;         /* u16 list */
	struct rd key_shares;     /* for tls_key_share_next(); server: one; retry: empty */
	uint16_t key_share_group; /* server: of its share; retry: the group asked for */
	struct rd point_formats;  /* u8 list */
	struct rd signature_algorithms, signature_algorithms_cert; /* u16 lists */
	struct rd delegated_credentials;                           /* u16 list of signatures */
	struct rd compress_certificate;                            /* u16 list of algorithms */
	struct rd certificate_authorities; /* of distinguished names with 2-byte lengths */
	struct rd client_certificate_types, server_certificate_types; /* u8 lists; server: one */

	bool has_psk;
	uint16_t psk_count;        /* client: identities offered */
	uint16_t psk_selected;     /* server */
	struct rd psk_identities;  /* client: for tls_psk_next() */
	struct rd psk_modes;       /* u8 list */
	struct rd cookie;          /* TLS 1.3 */
	struct rd session_ticket;  /* its data; empty asks for one */
	struct rd renegotiation;   /* verify data; empty in an initial handshake */
	struct rd connection_id;   /* RFC 9146: the id that the sender wants to see */
	struct rd srtp_profiles;   /* u16 list */
	struct rd srtp_mki;        /* use_srtp */
	struct rd srp_user;        /* RFC 5054 */
	struct rd quic_parameters; /* transport parameters: for quic_parameter_next() */
	struct rd scts;            /* server: list of timestamps with 2-byte lengths */
	struct rd token_binding;   /* u8 list of key parameters */
	struct rd esni;            /* its data */
	struct tls_ech ech;

	uint16_t record_size_limit;  /* 0: not there */
	uint16_t padding_size;       /* data of the padding extension */
	uint8_t max_fragment_length; /* code 1 to 4, for 512 to 4096 bytes; 0: not there */
	uint8_t heartbeat;           /* mode 1 (may be sent to) or 2 (may not); 0: not there */
	uint8_t status_type;         /* of status_request, 1: OCSP; server 0 */
	bool has_status_request, has_status_request_v2, has_sct, has_padding;
	bool has_extended_master_secret, has_encrypt_then_mac, has_truncated_hmac;
	bool has_early_data, has_post_handshake_auth, has_channel_id, has_token_binding;
	bool quic_parameters_draft; /* they came under the number of the drafts */
};

/* Decodes all extensions of a hello; all of *i is written. */
void tls_hello_decode(const struct tls_hello *h, struct tls_hello_info *i);

/*
 * The version that a server selected, or the highest that a client offered: of supported_versions
 * where it is there, GREASE left out, else legacy_version.  Drafts of TLS 1.3 rank between 1.2 and
 * 1.3; of DTLS the smaller number is the higher version.
 */
uint16_t tls_hello_version(const struct tls_hello *h, const struct tls_hello_info *i);

/* Compares two versions by age: negative when 'a' is older, 0 when they are of the same age. */
int tls_version_compare(uint16_t a, uint16_t b);

/* TLS 1.3 or a draft of it, DTLS 1.3 included. */
bool tls_version_is_13(uint16_t version);

/* GREASE values (RFC 8701) of ciphersuites, groups, extensions, versions: 0x0a0a, 0x1a1a, ... */
static inline bool tls_is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* Takes the next number of a list; false at its end (a single byte left makes it fail). */
static inline bool tls_u16_next(struct rd *list, uint16_t *v)
{
	*v = rd_u16(list);
	return rd_ok(list);
}

/* Takes the next name, a block with one byte of length; false at the end or at a cut one. */
bool tls_name_next(struct rd *list, struct rd *name);

struct tls_key_share {
	uint16_t group;
	struct rd key;
};

/* Takes the next key share; false at the end or at a cut one. */
bool tls_key_share_next(struct rd *list, struct tls_key_share *k);

struct tls_psk {
	struct rd identity;
	uint32_t age; /* obfuscated ticket age */
};

/* Takes the next identity; false at the end or at a cut one. */
bool tls_psk_next(struct rd *list, struct tls_psk *p);
