/* SPDX-License-Identifier: BSD-3-Clause */
/* quic_out.h - the "quic" object of a record: struct and table, for quic.c. */
#pragma once

#include "feature/handshake_quic.h"

struct out_quic_packet {
	uint32_t b;
	const char *dir, *type;
	struct field_ms ipt;
};

struct out_parameter {
	uint64_t id;
	const char *name;
	int64_t number;
	struct field_hex value;
};

struct out_tag {
	const char *tag;
	uint32_t length;
	char tag_text[9];
};

struct out_message {
	const char *message;
	struct field_list tags;
	char tag_text[9];
};

struct quic_record {
	struct out_quic {
		const char *version, *s_version;
		struct field_list version_negotiation;
		struct field_hex dcid, c_scid, s_scid;
		int32_t token_length;
		struct out_retry_packet {
			int32_t token_length, c_token_length;
			const char *authentic;
		} retry;
		uint32_t zero_rtt, undecrypted;
		uint32_t c_spin_changes, s_spin_changes, c_cid_changes, s_cid_changes;
		struct field_list c_parameters;
		struct out_google {
			struct field_text sni, user_agent, version;
			struct field_list c_messages, s_messages;
		} google;
		struct out_quic_close {
			const char *dir, *name;
			int64_t error;
			struct field_text reason;
		} close;
		struct field_list packets;
	} quic;
};

extern const struct field quic_table[]; /* of struct quic_record */
