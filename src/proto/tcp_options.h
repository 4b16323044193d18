/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp_options.h - walk the options of a TCP header (RFC 9293 section 3.1).
 *
 * Pure: values point into what was passed in.  The walk always ends: each step consumes at least a
 * byte.
 */
#pragma once

#include "base/rd.h"

enum { /* IANA, TCP Option Kind Numbers */
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_MSS = 2,
	TCP_OPTION_WINDOW_SCALE = 3,
	TCP_OPTION_SACK_PERMITTED = 4,
	TCP_OPTION_SACK = 5,
	TCP_OPTION_TIMESTAMPS = 8,
	TCP_OPTION_MD5 = 19,
	TCP_OPTION_USER_TIMEOUT = 28,
	TCP_OPTION_AUTHENTICATION = 29,
	TCP_OPTION_MPTCP = 30,
	TCP_OPTION_FAST_OPEN = 34,
};

struct tcp_option {
	uint8_t kind;
	struct rd value; /* behind kind and length; of the end of options: the padding behind it */
};

/*
 * Takes the next option.  False at the end of the area, behind an end-of-options option (which is
 * given), and at an option that does not fit, which makes 'r' fail: rd_ok(r) tells them apart.
 */
bool tcp_option_next(struct rd *r, struct tcp_option *o);

/* What the options say that everybody asks for. */
struct tcp_options {
	bool has_mss, has_scale, has_timestamps;
	bool sack_permitted;
	bool sound; /* every option fits */
	uint8_t scale;
	uint16_t mss;
	uint32_t ts_value, ts_echo;
};

/* Reads all options; of one that is there twice the last counts, one of a wrong length does not. */
void tcp_options_parse(struct rd r, struct tcp_options *out);

/* A short lower-case name, "unknown" for kinds without one here. */
const char *tcp_option_name(uint8_t kind);
