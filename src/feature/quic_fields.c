/* SPDX-License-Identifier: BSD-3-Clause */
/* quic_fields.c - what the fields of the "quic" object mean. */
#include "feature/quic_out.h"

#define NULLABLE  (FIELD_NULLABLE | FIELD_OPTIONAL)
#define IN_MERGED "left out of merged records, since only the first part knows of ids"

static const struct field retry_fields[] = {
	FIELD(struct out_retry_packet, token_length, "token_length", "bytes",
			"Size of the token in it.", .flags = NULLABLE,
			.null_rule = "left out without a Retry"),
	FIELD(struct out_retry_packet, authentic, "authentic", "",
			"Whether its integrity tag fits dcid: yes or no.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without a Retry", .source = "RFC 9001 section 5.8"),
	FIELD(struct out_retry_packet, c_token_length, "c_token_length", "bytes",
			"Size of the token in the client's first Initial behind it.",
			.flags = NULLABLE, .null_rule = "left out when none was read"),
	{ 0 },
};

static const struct field parameter_fields[] = {
	FIELD(struct out_parameter, id, "id", "", "Number of the parameter.",
			.source = "IANA QUIC Transport Parameters"),
	FIELD(struct out_parameter, name, "name", "", "Its name in that registry; grease.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD(struct out_parameter, number, "number", "", "Its value, when it is a number.",
			.flags = NULLABLE, .null_rule = "left out when it is none",
			.source = "RFC 9000 section 18.2"),
	FIELD(struct out_parameter, value, "value", "", "Its bytes.",
			.flags = FIELD_OPTIONAL | FIELD_IS_ADDRESS,
			.null_rule = "left out with anonymisation"),
	{ 0 },
};

static const struct field tag_fields[] = {
	FIELD(struct out_tag, tag, "tag", "", "The tag."),
	FIELD(struct out_tag, length, "length", "bytes",
			"Size of its value, as far as it is there."),
	{ 0 },
};

static const struct field message_fields[] = {
	FIELD(struct out_message, message, "message", "", "CHLO, REJ, SHLO, ..."),
	FIELD_LIST_OF(struct out_message, tags, "tags", struct out_tag, tag_fields,
			"Its tags, in order."),
	{ 0 },
};

static const struct field google_fields[] = {
	FIELD(struct out_google, sni, "sni", "", "Server name in the first CHLO.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL | FIELD_IS_NAME | FIELD_IS_ADDRESS,
			.null_rule = "left out without one"),
	FIELD(struct out_google, user_agent, "user_agent", "", "UAID in the first CHLO.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL,
			.null_rule = "left out without one"),
	FIELD(struct out_google, version, "version", "",
			"VER in the first CHLO: the version that the client wanted most.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD_LIST_OF(struct out_google, c_messages, "c_messages", struct out_message,
			message_fields, "The first 16 messages of the client's handshake.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without any"),
	FIELD_LIST_OF(struct out_google, s_messages, "s_messages", struct out_message,
			message_fields, "Likewise of the server.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without any"),
	{ 0 },
};

static const struct field close_fields[] = {
	FIELD(struct out_quic_close, dir, "dir", "", "Direction, as in packets.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without a close"),
	FIELD(struct out_quic_close, error, "error", "", "Error code.", .flags = NULLABLE,
			.null_rule = "left out without a close",
			.source = "IANA QUIC Transport Error Codes"),
	FIELD(struct out_quic_close, name, "name", "", "Its name in that registry.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out without one, and of the application's codes"),
	FIELD(struct out_quic_close, reason, "reason", "", "Reason phrase, its first 64 bytes.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when empty"),
	{ 0 },
};

static const struct field packet_fields[] = {
	FIELD(struct out_quic_packet, b, "b", "bytes",
			"Size of the packet, header included, as far as captured."),
	FIELD(struct out_quic_packet, dir, "dir", "", "Direction, as in packets."),
	FIELD(struct out_quic_packet, ipt, "ipt", "ms",
			"Time since the packet listed before it; 0 for the first, and for packets "
			"of one datagram behind the first."),
	FIELD(struct out_quic_packet, type, "type", "",
			"initial, 0-rtt, handshake, retry, version_negotiation, 1-rtt, google, "
			"google_reset, unknown."),
	{ 0 },
};

static const struct field quic_fields[] = {
	FIELD(struct out_quic, version, "version", "",
			"Version of the first packet with a long header: 1, 2, draft-29, Q046, "
			"...; one without a name as \"0x1234abcd\".",
			.source = "RFC 8999"),
	FIELD(struct out_quic, s_version, "s_version", "",
			"Version of the server's last packet with a long header.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when there is none"),
	FIELD_SCALARS(struct out_quic, version_negotiation, "version_negotiation", const char *, "",
			"Versions that the server offers in a Version Negotiation packet, the "
			"first 16.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one",
			.source = "RFC 9000 section 17.2.1"),
	FIELD(struct out_quic, dcid, "dcid", "",
			"Destination connection id of the first packet with a long header.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD(struct out_quic, c_scid, "c_scid", "", "The client's first source connection id.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD(struct out_quic, s_scid, "s_scid", "", "The server's first source connection id.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one"),
	FIELD(struct out_quic, token_length, "token_length", "bytes",
			"Size of the token in the client's first Initial.", .flags = NULLABLE,
			.null_rule = "left out when none was read"),
	FIELD_SUB(struct out_quic, retry, "retry", retry_fields, "Retry.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out without one", .source = "RFC 9000 section 17.2.5"),
	FIELD(struct out_quic, zero_rtt, "zero_rtt", "packets", "0-RTT packets.",
			.source = "RFC 9000 section 17.2.3", .merge = MERGE_SUM),
	FIELD(struct out_quic, undecrypted, "undecrypted", "packets",
			"Initials that could not be read: cut, of a version without known keys, or "
			"of a connection whose first packet was not seen; with bidir=0 all of the "
			"server.",
			.merge = MERGE_OWN, .flags = NULLABLE,
			.null_rule = "left out of merged records when a later part has such "
				     "Initials, which the "
				     "first might have made readable"),
	FIELD(struct out_quic, c_spin_changes, "c_spin_changes", "packets",
			"Packets with a short header whose spin bit differs from that of the "
			"client's one before.",
			.source = "RFC 9000 section 17.4", .merge = MERGE_OWN, .flags = NULLABLE,
			.null_rule = IN_MERGED),
	FIELD(struct out_quic, s_spin_changes, "s_spin_changes", "packets",
			"Likewise of the server.", .merge = MERGE_OWN, .flags = NULLABLE,
			.null_rule = IN_MERGED),
	FIELD(struct out_quic, c_cid_changes, "c_cid_changes", "packets",
			"Packets with a short header whose destination id differs from that of the "
			"client's one before: a migration, or a new id for its own sake.",
			.source = "RFC 9000 section 5.1", .merge = MERGE_OWN, .flags = NULLABLE,
			.null_rule = IN_MERGED),
	FIELD(struct out_quic, s_cid_changes, "s_cid_changes", "packets", "Likewise of the server.",
			.merge = MERGE_OWN, .flags = NULLABLE, .null_rule = IN_MERGED),
	FIELD_LIST_OF(struct out_quic, c_parameters, "c_parameters", struct out_parameter,
			parameter_fields, "The client's transport parameters, in order.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out when they were not seen",
			.source = "RFC 9000 section 18"),
	FIELD_SUB(struct out_quic, google, "google", google_fields,
			"Google's own handshake, in versions that begin with Q.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out of other versions"),
	FIELD_SUB(struct out_quic, close, "close", close_fields, "The first close in an Initial.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without one",
			.source = "RFC 9000 section 19.19"),
	FIELD_LIST_OF(struct out_quic, packets, "packets", struct out_quic_packet, packet_fields,
			"The first num_pkts packets, of which a datagram may hold several.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without any",
			.merge = MERGE_BEGIN),
	{ 0 },
};

const struct field quic_table[] = {
	FIELD_SUB(struct quic_record, quic, "quic", quic_fields,
			"QUIC, as far as it can be read by who is not part of it.  The hellos are "
			"in tls.",
			.null_rule = "left out of other flows", .merge = MERGE_FIRST),
	{ 0 },
};
