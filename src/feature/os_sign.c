/* SPDX-License-Identifier: BSD-3-Clause */
/* os_sign.c - takes the signature from a SYN or SYN-ACK (RFC 9293, RFC 791), and writes it. */
#include "feature/os_rules.h"

#include "proto/tcp_options.h"

const char *const os_quirk_names[OS_QUIRKS] = {
	[OS_DF] = "df",
	[OS_ID_ZERO] = "id0",
	[OS_ID_ZMAP] = "id54321",
	[OS_ECN] = "ecn",
	[OS_PSH] = "psh",
	[OS_URG] = "urg",
	[OS_DATA] = "data",
	[OS_SEQ_ZERO] = "seq0",
	[OS_ACK_SET] = "ack",
	[OS_TS_ZERO] = "ts0",
	[OS_ECHO_SET] = "echo",
	[OS_SCALE_HIGH] = "scale15",
	[OS_PADDING] = "pad",
	[OS_BAD] = "bad",
};

static const char letters[16] = "ENMWSKTFPA?";

enum { OTHER = 10 }; /* place of ? in it */

static uint8_t letter_of(uint8_t kind)
{
	switch (kind) {
	case TCP_OPTION_END:
		return 0;
	case TCP_OPTION_NOP:
		return 1;
	case TCP_OPTION_MSS:
		return 2;
	case TCP_OPTION_WINDOW_SCALE:
		return 3;
	case TCP_OPTION_SACK_PERMITTED:
		return 4;
	case TCP_OPTION_SACK:
		return 5;
	case TCP_OPTION_TIMESTAMPS:
		return 6;
	case TCP_OPTION_FAST_OPEN:
		return 7;
	case TCP_OPTION_MPTCP:
		return 8;
	case TCP_OPTION_MD5:
	case TCP_OPTION_AUTHENTICATION:
		return 9;
	default:
		return OTHER;
	}
}

static uint8_t initial_ttl(uint8_t ttl)
{
	return ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

static void mark(struct os_sign *s, enum os_quirk q, bool has)
{
	s->quirks |= (uint16_t)(has << q);
}

static void see_ip(struct os_sign *s, const struct pkt *pkt)
{
	struct rd ip = pkt->ip;
	unsigned words = rd_u8(&ip) & 15;

	s->version = pkt->ip_version;
	s->ttl = initial_ttl(pkt->ttl);
	if (pkt->ip_version != 4)
		return;
	s->ip_options = (uint8_t)(words > 5 ? (words - 5) * 4 : 0);
	mark(s, OS_DF, pkt->ip_flags & 2);
	mark(s, OS_ID_ZERO, pkt->ip_id == 0);
	mark(s, OS_ID_ZMAP, pkt->ip_id == 54321);
}

static void see_layout(struct os_sign *s, struct rd r)
{
	struct tcp_option o;

	for (; tcp_option_next(&r, &o); s->options++) {
		if (s->options < OS_LAYOUT)
			s->layout[s->options / 2] |=
					(uint8_t)(letter_of(o.kind) << 4 * (s->options % 2));
		for (struct rd v = o.value; o.kind == TCP_OPTION_END && rd_more(&v);)
			mark(s, OS_PADDING, rd_u8(&v) != 0);
	}
}

static void see_options(struct os_sign *s, struct rd r)
{
	struct tcp_options known;

	tcp_options_parse(r, &known);
	see_layout(s, r);
	s->has_mss = known.has_mss;
	s->mss = known.mss;
	s->scale = known.has_scale ? known.scale : OS_NO_SCALE;
	mark(s, OS_TS_ZERO, known.has_timestamps && known.ts_value == 0);
	mark(s, OS_ECHO_SET, known.has_timestamps && known.ts_echo != 0 && !s->answer);
	mark(s, OS_SCALE_HIGH, known.has_scale && known.scale > 14);
	mark(s, OS_BAD, rd_ok(&r) && !known.sound);
}

/* Data offset and captured options disagree: the snaplen took some. */
static bool options_cut(const struct pkt *pkt)
{
	struct rd header = pkt->body;

	rd_bytes(&header, 12);
	return (size_t)(rd_u8(&header) >> 4) * 4 > 20 + pkt->tcp_options.left;
}

struct os_sign os_sign_of(const struct pkt *pkt)
{
	struct os_sign s = { .window = pkt->window, .answer = pkt->tcp_flags & TCP_ACK };

	see_ip(&s, pkt);
	see_options(&s, pkt->tcp_options);
	mark(&s, OS_BAD, options_cut(pkt));
	mark(&s, OS_ECN, pkt->tcp_flags & (TCP_ECE | TCP_CWR));
	mark(&s, OS_PSH, pkt->tcp_flags & TCP_PSH);
	mark(&s, OS_URG, pkt->tcp_flags & TCP_URG);
	mark(&s, OS_DATA, pkt->payload_len > 0);
	mark(&s, OS_SEQ_ZERO, pkt->seq == 0);
	mark(&s, OS_ACK_SET, pkt->ack != 0 && !s.answer);
	return s;
}

void os_layout_text(const struct os_sign *s, char text[OS_LAYOUT + 2])
{
	unsigned n = s->options < OS_LAYOUT ? s->options : OS_LAYOUT;

	for (unsigned i = 0; i < n; i++)
		text[i] = letters[s->layout[i / 2] >> 4 * (i % 2) & 15];
	if (s->options > OS_LAYOUT)
		text[n++] = '+';
	text[n] = '\0';
}

static char *put_text(char *to, const char *text)
{
	while (*text != '\0')
		*to++ = *text++;
	return to;
}

static char *put_number(char *to, unsigned v)
{
	if (v >= 10)
		to = put_number(to, v / 10);
	*to++ = (char)('0' + v % 10);
	return to;
}

static char *put_quirks(char *to, unsigned quirks)
{
	const char *comma = "";

	for (unsigned q = 0; q < OS_QUIRKS; q++) {
		if (!(quirks >> q & 1))
			continue;
		to = put_text(put_text(to, comma), os_quirk_names[q]);
		comma = ",";
	}
	return to;
}

void os_sign_text(const struct os_sign *s, char text[OS_TEXT])
{
	char layout[OS_LAYOUT + 2], *to = text;

	os_layout_text(s, layout);
	to = put_text(put_number(to, s->version), ":");
	to = put_text(put_number(to, s->ttl), ":");
	to = put_text(put_number(to, s->ip_options), ":");
	to = s->has_mss ? put_number(to, s->mss) : put_text(to, "-");
	to = put_text(put_number(put_text(to, ":"), s->window), ",");
	to = s->scale != OS_NO_SCALE ? put_number(to, s->scale) : put_text(to, "-");
	to = put_text(put_text(put_text(to, ":"), layout), ":");
	*put_quirks(to, s->quirks) = '\0';
}
