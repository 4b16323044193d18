/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_filter_linux.c - libpcap's programs, put together for the kernel.
 *
 *	loopback and going out?  -> none
 *	Ethernet?  with a tag that was taken out? -> tagged
 *	                                     else -> plain
 *	IP of another link? -> network
 *	else -> none
 *
 * 'plain' is what libpcap compiles for Ethernet.  'tagged' is the same with its offsets mended:
 *what it wants of the tag's four bytes is asked of the kernel, and what is behind them lies four
 *bytes earlier.  'network' is compiled for raw IP, with offsets from the network header.
 */
#ifdef __linux__
#ifdef HAVE_PCAP
#include <pcap/pcap.h>
#endif

#include "source/live_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"

enum { OUTGOING = 4 /* PACKET_OUTGOING */, LONGEST_JUMP = 255, MOST = BPF_MAXINSNS };

#define EXTENSION(what) ((uint32_t)SKF_AD_OFF + (uint32_t)(what))

/* --- a program that grows -----------------------------------------------------------------------
 */

/* One more than fits is counted, so that whoever ends it sees that it is too long. */
static void add(struct live_filter *f, uint16_t code, uint32_t k)
{
	if (f->count < MOST)
		f->code[f->count] = (struct sock_filter){ .code = code, .k = k };
	if (f->count <= MOST)
		f->count++;
}

static void add_jump(struct live_filter *f, uint32_t k, uint8_t yes, uint8_t no)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, k);
	if (f->count <= MOST) {
		f->code[f->count - 1].jt = yes;
		f->code[f->count - 1].jf = no;
	}
}

/* A jump over what is added until land(); its place is returned. */
static uint16_t leap(struct live_filter *f)
{
	add(f, BPF_JMP | BPF_JA, 0);
	return (uint16_t)(f->count - 1);
}

static void land(struct live_filter *f, uint16_t from)
{
	if (from < MOST)
		f->code[from].k = (uint32_t)(f->count - from - 1);
}

static void add_loopback(struct live_filter *f)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_HATYPE));
	add_jump(f, ARPHRD_LOOPBACK, 0, 3);
	add(f, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_PKTTYPE));
	add_jump(f, OUTGOING, 0, 1);
	add(f, BPF_RET | BPF_K, 0);
}

/* --- libpcap's programs -------------------------------------------------------------------------
 */
#ifdef HAVE_PCAP
enum { TAG_AT = 12, TYPE_AT = 14, TAG_END = 16, TAG = 4 };
enum { KEPT_A = 14, KEPT_X = 15 }; /* memory words that libpcap comes to last */

/* Writes what stands for an instruction, at most MOST_OUT, and returns how many; 0: nothing can. */
enum { MOST_OUT = 32 };
typedef size_t rewrite(const struct bpf_insn *in, struct sock_filter out[MOST_OUT]);

static size_t as_it_is(const struct bpf_insn *in, struct sock_filter out[MOST_OUT])
{
	out[0] = (struct sock_filter){ in->code, in->jt, in->jf, in->k };
	return 1;
}

static bool is_load_at(const struct bpf_insn *in)
{
	uint16_t class = BPF_CLASS(in->code), mode = BPF_MODE(in->code);

	return (class == BPF_LD && (mode == BPF_ABS || mode == BPF_IND)) ||
	       (class == BPF_LDX && mode == BPF_MSH);
}

/* Offsets of raw IP count from the network header. */
static size_t from_network(const struct bpf_insn *in, struct sock_filter out[MOST_OUT])
{
	as_it_is(in, out);
	if (is_load_at(in))
		out[0].k = in->k + (uint32_t)SKF_NET_OFF;
	return 1;
}

static size_t put(struct sock_filter *out, unsigned code, uint32_t k)
{
	*out = (struct sock_filter){ .code = (uint16_t)code, .k = k };
	return 1;
}

/* Loads the byte that was at 'k'. */
static size_t load_byte(uint32_t k, struct sock_filter *out)
{
	uint32_t half = k < TYPE_AT ? SKF_AD_VLAN_TPID : SKF_AD_VLAN_TAG;

	if (k < TAG_AT || k >= TAG_END)
		return put(out, BPF_LD | BPF_B | BPF_ABS, k < TAG_AT ? k : k - TAG);
	put(out, BPF_LD | BPF_W | BPF_ABS, EXTENSION(half));
	if ((k & 1) == 0)
		put(out + 1, BPF_ALU | BPF_RSH | BPF_K, 8);
	else
		put(out + 1, BPF_ALU | BPF_AND | BPF_K, 0xff);
	return 2;
}

/* Loads bytes one by one that the tag is among; X is what it was. */
static size_t load_bytes(uint32_t k, uint32_t size, struct sock_filter *out)
{
	size_t n = put(out, BPF_STX, KEPT_X);

	n += load_byte(k, out + n);
	for (uint32_t i = 1; i < size; i++) {
		n += put(out + n, BPF_ALU | BPF_LSH | BPF_K, 8);
		n += put(out + n, BPF_ST, KEPT_A);
		n += put(out + n, BPF_LDX | BPF_W | BPF_MEM, KEPT_A);
		n += load_byte(k + i, out + n);
		n += put(out + n, BPF_ALU | BPF_OR | BPF_X, 0);
	}
	return n + put(out + n, BPF_LDX | BPF_W | BPF_MEM, KEPT_X);
}

/* A load by a fixed offset that ends behind the tag's beginning and begins before its end. */
static size_t load_of_tag(const struct bpf_insn *in, struct sock_filter *out)
{
	uint16_t size = BPF_SIZE(in->code);

	if (size == BPF_B)
		return load_byte(in->k, out);
	if (size == BPF_H && in->k == TAG_AT)
		return put(out, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_VLAN_TPID));
	if (size == BPF_H && in->k == TYPE_AT)
		return put(out, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_VLAN_TAG));
	return load_bytes(in->k, size == BPF_H ? 2 : 4, out);
}

static bool uses_kept(const struct bpf_insn *in)
{
	uint16_t class = BPF_CLASS(in->code);
	bool memory = ((class == BPF_LD || class == BPF_LDX) && BPF_MODE(in->code) == BPF_MEM) ||
		      class == BPF_ST || class == BPF_STX;

	return memory && in->k >= KEPT_A;
}

static size_t load_size(uint16_t size)
{
	return size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
}

/* The same for a packet of Ethernet whose tag was taken out. */
static size_t under_tag(const struct bpf_insn *in, struct sock_filter out[MOST_OUT])
{
	as_it_is(in, out);
	if (in->code == (BPF_RET | BPF_K) && in->k > TAG) {
		out[0].k = in->k - TAG;
		return 1;
	}
	if (in->code == (BPF_LD | BPF_W | BPF_LEN))
		return 1 + put(out + 1, BPF_ALU | BPF_ADD | BPF_K, TAG);
	if (in->code == (BPF_LDX | BPF_W | BPF_LEN) || uses_kept(in))
		return 0;
	if (!is_load_at(in))
		return 1;
	if (in->k >= TAG_END) {
		out[0].k = in->k - TAG;
		return 1;
	}
	if (BPF_CLASS(in->code) == BPF_LDX || BPF_MODE(in->code) == BPF_IND) {
		/* An IP header here: it was found untagged before, so this is not reached. */
		out[0].k = in->k < TYPE_AT ? in->k : in->k - TAG;
		return in->k < TYPE_AT ? 0 : 1;
	}
	if (in->k + load_size(BPF_SIZE(in->code)) <= TAG_AT)
		return 1;
	return load_of_tag(in, out);
}

/* Where each instruction of a program goes, counted from its beginning; NULL: there is no place. */
static uint32_t *places(const struct bpf_program *p, rewrite *how)
{
	uint32_t *place = calloc(p->bf_len + 1, sizeof(*place));
	struct sock_filter out[MOST_OUT];

	for (uint32_t i = 0; place != NULL && i < p->bf_len; i++) {
		size_t n = how(&p->bf_insns[i], out);

		if (n == 0) {
			free(place);
			return NULL;
		}
		place[i + 1] = place[i] + (uint32_t)n;
	}
	return place;
}

/* The jump from the last of an instruction's replacements to what 'jump' led to. */
static bool mend(const uint32_t *place, uint32_t i, uint8_t jump, uint8_t *out)
{
	uint32_t far = place[i + 1 + jump] - place[i + 1];

	*out = (uint8_t)far;
	return far <= LONGEST_JUMP;
}

static bool append(struct live_filter *f, const struct bpf_program *p, rewrite *how)
{
	uint32_t *place = places(p, how);
	bool good = place != NULL;

	for (uint32_t i = 0; good && i < p->bf_len; i++) {
		const struct bpf_insn *in = &p->bf_insns[i];
		struct sock_filter out[MOST_OUT];
		size_t n = how(in, out);

		if (BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) == BPF_JA)
			out[0].k = place[i + 1 + in->k] - place[i + 1];
		else if (BPF_CLASS(in->code) == BPF_JMP)
			good = mend(place, i, in->jt, &out[0].jt) &&
			       mend(place, i, in->jf, &out[0].jf);
		for (size_t j = 0; j < n; j++) {
			add(f, out[j].code, out[j].k);
			if (f->count <= MOST) {
				f->code[f->count - 1].jt = out[j].jt;
				f->code[f->count - 1].jf = out[j].jf;
			}
		}
	}
	free(place);
	return good;
}

static bool compile(
		const char *bpf, int type, uint32_t snaplen, struct bpf_program *p, struct err *e)
{
	pcap_t *handle = pcap_open_dead(type, (int)snaplen);

	if (handle == NULL)
		return err_set(e, "no memory for the filter");
	bool good = pcap_compile(handle, p, bpf, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!good)
		err_set(e, "bpf=%s: %s", bpf, pcap_geterr(handle));
	pcap_close(handle);
	return good;
}

static bool add_ethernet(struct live_filter *f, const char *bpf, uint32_t snaplen, struct err *e)
{
	struct bpf_program p;

	if (!compile(bpf, DLT_EN10MB, snaplen, &p, e))
		return false;
	add(f, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_VLAN_TAG_PRESENT));
	add_jump(f, 0, 1, 0);
	uint16_t tagged = leap(f);
	append(f, &p, as_it_is);
	land(f, tagged);
	bool good = append(f, &p, under_tag);
	if (!good)
		err_set(e,
				"bpf=%s: the kernel cannot apply this to packets with a VLAN tag, "
				"which "
				"it has taken out; capture=libpcap may",
				bpf);
	pcap_freecode(&p);
	return good;
}

/* Words that are only for Ethernet match no packet of another link. */
static void add_network(struct live_filter *f, const char *bpf, uint32_t snaplen)
{
	struct bpf_program p;
	struct err ignored;

	if (!compile(bpf, DLT_RAW, snaplen, &p, &ignored))
		return;
	add(f, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_PROTOCOL));
	add_jump(f, 0x0800, 2, 0);
	add_jump(f, 0x86dd, 1, 0);
	uint16_t other = leap(f);
	append(f, &p, from_network);
	land(f, other);
	pcap_freecode(&p);
}

static bool add_bpf(struct live_filter *f, const char *bpf, uint32_t snaplen, struct err *e)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, EXTENSION(SKF_AD_HATYPE));
	add_jump(f, ARPHRD_ETHER, 2, 0);
	add_jump(f, ARPHRD_LOOPBACK, 1, 0);
	uint16_t other = leap(f);
	if (!add_ethernet(f, bpf, snaplen, e))
		return false;
	land(f, other);
	add_jump(f, ARPHRD_IEEE80211, 2, 0);
	add_jump(f, ARPHRD_IEEE80211_PRISM, 1, 0);
	add_jump(f, ARPHRD_IEEE80211_RADIOTAP, 0, 1);
	add(f, BPF_RET | BPF_K, 0);
	add_network(f, bpf, snaplen);
	add(f, BPF_RET | BPF_K, 0);
	return f->count <= MOST || err_set(e, "bpf=%s: too long for the kernel", bpf);
}
#else
static bool add_bpf(struct live_filter *f, const char *bpf, uint32_t snaplen, struct err *e)
{
	(void)f, (void)snaplen;
	return err_set(e, "bpf=%s: this build has no filters (it was made without libpcap)", bpf);
}
#endif

bool live_filter_make(struct live_filter *f, const char *bpf, uint32_t snaplen, struct err *e)
{
	f->count = 0;
	f->code = calloc(MOST, sizeof(*f->code));
	if (f->code == NULL)
		return err_set(e, "no memory for the filter");
	add_loopback(f);
	if (bpf != NULL && !add_bpf(f, bpf, snaplen, e)) {
		live_filter_free(f);
		return false;
	}
	if (bpf == NULL)
		add(f, BPF_RET | BPF_K, snaplen);
	return true;
}

void live_filter_free(struct live_filter *f)
{
	free(f->code);
	*f = (struct live_filter){ 0 };
}

bool live_filter_attach(const struct live_filter *f, int fd)
{
	struct sock_fprog program = { f->count, f->code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

bool live_filter_close(int fd)
{
	struct sock_filter none = { .code = BPF_RET | BPF_K };

	return live_filter_attach(&(struct live_filter){ &none, 1 }, fd);
}
#endif
