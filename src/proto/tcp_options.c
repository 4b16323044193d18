/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp_options.c - TCP options: MSS (RFC 9293), window scale and timestamps (RFC 7323), SACK
 * (RFC 2018), and the names of the others (IANA).
 *
 *   kind 0, 1:  | kind |                      end of options, no-operation
 *   others:     | kind | length | value |     length counts all three
 */
#include "proto/tcp_options.h"

bool tcp_option_next(struct rd *r, struct tcp_option *o)
{
	if (!rd_more(r))
		return false;
	o->kind = rd_u8(r);
	o->value = (struct rd){ r->p, 0 };
	if (o->kind == TCP_OPTION_NOP)
		return true;
	if (o->kind == TCP_OPTION_END) {
		o->value = rd_bytes(r, r->left);
		return true;
	}

	uint8_t length = rd_u8(r);

	/* A length below 2 contradicts itself; as a size it is one that nothing has. */
	o->value = rd_bytes(r, (size_t)length - 2);
	return rd_ok(r);
}

void tcp_options_parse(struct rd r, struct tcp_options *out)
{
	struct tcp_option o;

	*out = (struct tcp_options){ 0 };
	while (tcp_option_next(&r, &o)) {
		struct rd v = o.value;

		if (o.kind == TCP_OPTION_MSS && v.left == 2) {
			out->has_mss = true;
			out->mss = rd_u16(&v);
		} else if (o.kind == TCP_OPTION_WINDOW_SCALE && v.left == 1) {
			out->has_scale = true;
			out->scale = rd_u8(&v);
		} else if (o.kind == TCP_OPTION_SACK_PERMITTED && v.left == 0) {
			out->sack_permitted = true;
		} else if (o.kind == TCP_OPTION_TIMESTAMPS && v.left == 8) {
			out->has_timestamps = true;
			out->ts_value = rd_u32(&v);
			out->ts_echo = rd_u32(&v);
		}
	}
	out->sound = rd_ok(&r);
}

const char *tcp_option_name(uint8_t kind)
{
	static const char *const names[] = {
		[TCP_OPTION_END] = "end",
		[TCP_OPTION_NOP] = "nop",
		[TCP_OPTION_MSS] = "mss",
		[TCP_OPTION_WINDOW_SCALE] = "window_scale",
		[TCP_OPTION_SACK_PERMITTED] = "sack_permitted",
		[TCP_OPTION_SACK] = "sack",
		[6] = "echo",
		[7] = "echo_reply",
		[TCP_OPTION_TIMESTAMPS] = "timestamps",
		[9] = "partial_order_permitted",
		[10] = "partial_order_profile",
		[11] = "cc",
		[12] = "cc_new",
		[13] = "cc_echo",
		[14] = "alternate_checksum_request",
		[15] = "alternate_checksum_data",
		[18] = "trailer_checksum",
		[TCP_OPTION_MD5] = "md5_signature",
		[27] = "quick_start_response",
		[TCP_OPTION_USER_TIMEOUT] = "user_timeout",
		[TCP_OPTION_AUTHENTICATION] = "authentication",
		[TCP_OPTION_MPTCP] = "mptcp",
		[TCP_OPTION_FAST_OPEN] = "fast_open",
		[69] = "encryption_negotiation",
		[172] = "accurate_ecn_0",
		[174] = "accurate_ecn_1",
		[253] = "experiment_1",
		[254] = "experiment_2",
	};
	const char *name = kind < sizeof names / sizeof names[0] ? names[kind] : NULL;

	return name == NULL ? "unknown" : name;
}
