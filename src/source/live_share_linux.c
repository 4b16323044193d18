/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_share_linux.c - the program in full, in the kernel's classic language.
 *
 * X holds where the next header begins: counted from the Ethernet header (the kernel's own idea of
 * the network layer is behind the tags of packets that go out, but before those of packets that
 * come in), and of other links from the network layer.  So the program is there twice.
 *
 * The hash is the same when source and destination change places.
 */
#ifdef __linux__
#include "source/live_share.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <sys/socket.h>

enum {
	TYPE_OLD_VLAN = 0x9100,
	TYPE_PROVIDER_VLAN = 0x88a8,
	TYPE_MPLS = 0x8847,
	TYPE_PPPOE = 0x8864,
	PPP_IP4 = 0x0021,
	PPP_IP6 = 0x0057,
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_ICMP6 = 58,
	FRAGMENT = 0x3fff, /* more fragments, or an offset */
};

/* Memory words. */
enum { TYPE, SOURCE, DESTINATION, PORT, OTHER_PORT, SUM, BASE };

enum label {
	NEXT, /* none, or the next line */
	TAG1,
	BEHIND_TAG1,
	TAG2,
	BEHIND_TAG2,
	PPPOE,
	LABEL1,
	LABEL2,
	LABEL3,
	LABEL4,
	BOTTOM,
	IP4,
	IP4_HERE,
	QUOTED4,
	TCP4,
	IP6,
	QUOTED6,
	IP6_HERE,
	PORTS,
	HASH,
	NOT_IP,
	LABELS
};

struct line {
	uint16_t code;
	uint32_t k;
	uint8_t yes, no; /* of a jump */
	uint8_t label;   /* of this line */
};

/* Loads from behind X. */
#define BYTE(offset)                                                                               \
	{                                                                                          \
		.code = BPF_LD | BPF_B | BPF_IND, .k = (offset)                                    \
	}
#define HALF(offset)                                                                               \
	{                                                                                          \
		.code = BPF_LD | BPF_H | BPF_IND, .k = (offset)                                    \
	}
#define WORD(offset)                                                                               \
	{                                                                                          \
		.code = BPF_LD | BPF_W | BPF_IND, .k = (offset)                                    \
	}
#define PUT(word)                                                                                  \
	{                                                                                          \
		.code = BPF_ST, .k = (word)                                                        \
	}
#define GET(word)                                                                                  \
	{                                                                                          \
		.code = BPF_LD | BPF_W | BPF_MEM, .k = (word)                                      \
	}
#define GET_X(word)                                                                                \
	{                                                                                          \
		.code = BPF_LDX | BPF_W | BPF_MEM, .k = (word)                                     \
	}
#define SET_X(value)                                                                               \
	{                                                                                          \
		.code = BPF_LDX | BPF_W | BPF_IMM, .k = (value)                                    \
	}
#define SET(value)                                                                                 \
	{                                                                                          \
		.code = BPF_LD | BPF_W | BPF_IMM, .k = (value)                                     \
	}
#define DO(what, value)                                                                            \
	{                                                                                          \
		.code = BPF_ALU | (what) | BPF_K, .k = (value)                                     \
	}
#define DO_X(what)                                                                                 \
	{                                                                                          \
		.code = BPF_ALU | (what) | BPF_X                                                   \
	}
#define A_TO_X                                                                                     \
	{                                                                                          \
		.code = BPF_MISC | BPF_TAX                                                         \
	}
#define X_TO_A                                                                                     \
	{                                                                                          \
		.code = BPF_MISC | BPF_TXA                                                         \
	}
#define IF(value, to)                                                                              \
	{                                                                                          \
		.code = BPF_JMP | BPF_JEQ | BPF_K, .k = (value), .yes = (to)                       \
	}
#define IF_ANY(bits, to)                                                                           \
	{                                                                                          \
		.code = BPF_JMP | BPF_JSET | BPF_K, .k = (bits), .yes = (to)                       \
	}
#define UNLESS(value, to)                                                                          \
	{                                                                                          \
		.code = BPF_JMP | BPF_JEQ | BPF_K, .k = (value), .no = (to)                        \
	}
#define UNLESS_ABOVE(value, to)                                                                    \
	{                                                                                          \
		.code = BPF_JMP | BPF_JGT | BPF_K, .k = (value), .no = (to)                        \
	}
#define GO(to)                                                                                     \
	{                                                                                          \
		.code = BPF_JMP | BPF_JA, .yes = (to)                                              \
	}
#define RETURN_A                                                                                   \
	{                                                                                          \
		.code = BPF_RET | BPF_A                                                            \
	}
#define RETURN(value)                                                                              \
	{                                                                                          \
		.code = BPF_RET | BPF_K, .k = (value)                                              \
	}
/* A label stands before its line. */
#define HERE(name)                                                                                 \
	{                                                                                          \
		.label = (name)                                                                    \
	}
#define SKIP(bytes)      X_TO_A, DO(BPF_ADD, bytes), A_TO_X

/* A goes to TYPE, X behind the header of that many bytes. */
#define BEHIND(bytes)    PUT(TYPE), SKIP(bytes), GET(TYPE)

#define MPLS_LABEL(name) HERE(name), BYTE(2), BEHIND(4), IF_ANY(1, BOTTOM)

/* clang-format off */
static const struct line lines[] = {
	IF(ETHERTYPE_VLAN, TAG1), IF(TYPE_PROVIDER_VLAN, TAG1), UNLESS(TYPE_OLD_VLAN, BEHIND_TAG1),
	HERE(TAG1), HALF(2), BEHIND(4),
	IF(ETHERTYPE_VLAN, TAG2), IF(TYPE_PROVIDER_VLAN, TAG2), UNLESS(TYPE_OLD_VLAN, BEHIND_TAG2),
	HERE(TAG2), HALF(2), BEHIND(4),
	HERE(BEHIND_TAG1),
	HERE(BEHIND_TAG2),
	IF(ETHERTYPE_IP, IP4), IF(ETHERTYPE_IPV6, IP6),
	IF(TYPE_PPPOE, PPPOE), UNLESS(TYPE_MPLS, NOT_IP),

	MPLS_LABEL(LABEL1),
	MPLS_LABEL(LABEL2),
	MPLS_LABEL(LABEL3),
	MPLS_LABEL(LABEL4),
	GO(NOT_IP),
	HERE(BOTTOM), BYTE(0), DO(BPF_RSH, 4), IF(4, IP4), IF(6, IP6), GO(NOT_IP),

	HERE(PPPOE), HALF(6), BEHIND(8), IF(PPP_IP4, IP4), UNLESS(PPP_IP6, NOT_IP),

	/* an ICMPv6 error: the header that it quotes, behind 40 + 8 bytes */
	HERE(IP6), BYTE(6), UNLESS(PROTO_ICMP6, IP6_HERE),
	BYTE(40), IF(0, IP6_HERE), UNLESS_ABOVE(4, QUOTED6), GO(IP6_HERE),
	HERE(QUOTED6), SKIP(48),
	HERE(IP6_HERE), X_TO_A, PUT(BASE),
	WORD(8), PUT(SOURCE), WORD(12), GET_X(SOURCE), DO_X(BPF_XOR), PUT(SOURCE), GET_X(BASE),
	WORD(16), GET_X(SOURCE), DO_X(BPF_ADD), PUT(SOURCE), GET_X(BASE),
	WORD(20), GET_X(SOURCE), DO_X(BPF_XOR), PUT(SOURCE), GET_X(BASE),
	WORD(24), PUT(DESTINATION),
	WORD(28), GET_X(DESTINATION), DO_X(BPF_XOR), PUT(DESTINATION), GET_X(BASE),
	WORD(32), GET_X(DESTINATION), DO_X(BPF_ADD), PUT(DESTINATION), GET_X(BASE),
	WORD(36), GET_X(DESTINATION), DO_X(BPF_XOR), PUT(DESTINATION), GET_X(BASE),
	BYTE(6), UNLESS(PROTO_TCP, HASH), SKIP(40), GO(PORTS),

	/* an ICMP error: the header that it quotes, behind its own 8 bytes */
	HERE(IP4), BYTE(9), UNLESS(PROTO_ICMP, IP4_HERE), HALF(6), IF_ANY(0x1fff, IP4_HERE),
	X_TO_A, PUT(BASE),
	BYTE(0), DO(BPF_AND, 15), DO(BPF_LSH, 2), DO_X(BPF_ADD), A_TO_X,
	BYTE(0), IF(3, QUOTED4), IF(4, QUOTED4), IF(5, QUOTED4), IF(11, QUOTED4), IF(12, QUOTED4),
	GET_X(BASE), GO(IP4_HERE),
	HERE(QUOTED4), SKIP(8),
	HERE(IP4_HERE), WORD(12), PUT(SOURCE), WORD(16), PUT(DESTINATION),
	BYTE(9), UNLESS(PROTO_TCP, HASH), HALF(6), IF_ANY(FRAGMENT, HASH),
	HERE(TCP4), BYTE(0), DO(BPF_AND, 15), DO(BPF_LSH, 2), DO_X(BPF_ADD), A_TO_X,

	HERE(PORTS), HALF(0), PUT(PORT), HALF(2), PUT(OTHER_PORT),

	HERE(HASH),
	GET(SOURCE), GET_X(DESTINATION), DO_X(BPF_XOR), DO(BPF_MUL, 0x9e3779b1), PUT(SUM),
	GET(SOURCE), DO_X(BPF_ADD), DO(BPF_MUL, 0x85ebca6b), GET_X(SUM), DO_X(BPF_ADD), PUT(SUM),
	GET(PORT), GET_X(OTHER_PORT), DO_X(BPF_XOR), DO(BPF_MUL, 0xc2b2ae35),
	GET_X(SUM), DO_X(BPF_XOR), PUT(SUM),
	GET(PORT), GET_X(OTHER_PORT), DO_X(BPF_ADD), DO(BPF_MUL, 0x27d4eb2f),
	GET_X(SUM), DO_X(BPF_ADD), PUT(SUM),
	DO(BPF_RSH, 15), GET_X(SUM), DO_X(BPF_XOR), DO(BPF_MUL, 0x9e3779b1), DO(BPF_RSH, 16),
	RETURN_A,
	HERE(NOT_IP), RETURN(0),
};

static const struct line any_link[] = {
	SET(0), PUT(PORT), PUT(OTHER_PORT),
	{ .code = BPF_LD | BPF_W | BPF_ABS, .k = (uint32_t)SKF_AD_OFF + SKF_AD_HATYPE },
};

/* What 'lines' begins with: A is the type of what follows, X where it is. */
static const struct line ethernet[] = {
	{ .code = BPF_LD | BPF_H | BPF_ABS, .k = (uint32_t)SKF_LL_OFF + 12 }, SET_X(14),
};

static const struct line other_link[] = {
	{ .code = BPF_LD | BPF_W | BPF_ABS, .k = (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL }, SET_X(0),
};
/* clang-format on */

#define COUNT(table)     (sizeof(table) / sizeof((table)[0]))

enum { LINES = COUNT(lines), LONGEST_JUMP = 255, MOST = 2 * LINES + 16 };

struct code {
	struct sock_filter insn[MOST];
	uint16_t count;
	bool too_far; /* a jump */
};

static bool is_label(const struct line *l)
{
	return l->label != NEXT;
}

/* Labels are no instructions: a label's place is that of the next line. */
static void find_labels(uint16_t first, uint16_t place[LABELS])
{
	for (size_t i = 0; i < LINES; i++) {
		if (is_label(&lines[i]))
			place[lines[i].label] = first;
		else
			first++;
	}
}

static uint8_t jump(struct code *c, const uint16_t place[LABELS], uint8_t to)
{
	unsigned far = to == NEXT ? 0 : place[to] - c->count - 1U;

	c->too_far |= far > LONGEST_JUMP;
	return (uint8_t)far;
}

/* Lines without labels. */
static void add(struct code *c, const struct line *l, size_t count)
{
	for (size_t i = 0; i < count; i++)
		c->insn[c->count++] = (struct sock_filter){ .code = l[i].code, .k = l[i].k };
}

/* 'lines', with offsets that count from 'anchor'. */
static void add_lines(struct code *c, int anchor)
{
	uint16_t place[LABELS] = { 0 };

	find_labels(c->count, place);
	for (size_t i = 0; i < LINES; i++) {
		const struct line *l = &lines[i];
		struct sock_filter *to = &c->insn[c->count];

		if (is_label(l))
			continue;
		*to = (struct sock_filter){ .code = l->code, .k = l->k };
		if (l->code == (BPF_JMP | BPF_JA)) {
			to->k = place[l->yes] - c->count - 1U;
		} else {
			to->jt = jump(c, place, l->yes);
			to->jf = jump(c, place, l->no);
		}
		if (BPF_CLASS(l->code) == BPF_LD && BPF_MODE(l->code) == BPF_IND)
			to->k = (uint32_t)anchor + l->k;
		c->count++;
	}
}

bool live_share(int fd)
{
	struct code c = { .count = 0 };

	add(&c, any_link, COUNT(any_link));
	c.insn[c.count++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_ETHER, 2, 0);
	c.insn[c.count++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 1, 0);
	uint16_t other = c.count++;
	add(&c, ethernet, COUNT(ethernet));
	add_lines(&c, SKF_LL_OFF);
	c.insn[other] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, c.count - other - 1U);
	add(&c, other_link, COUNT(other_link));
	add_lines(&c, SKF_NET_OFF);
	struct sock_fprog program = { c.count, c.insn };

	errno = EINVAL;
	return !c.too_far &&
	       setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof(program)) == 0;
}
#endif
