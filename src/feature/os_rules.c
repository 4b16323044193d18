/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * os_rules.c - which systems send which SYN and SYN-ACK: the rule table, and the search in it.
 *
 * The first rule that fits wins, so what is special stands before what is general.  A rule rests
 * on what the stacks are publicly known to do (their sources and manuals) and names no more than
 * that tells; when in doubt there is no rule.  To add one, read probable_os.signature_out of one
 * that is known.
 */
#include "feature/os_rules.h"

#include <string.h>

enum when { SYN = 1, ANSWER = 2, EITHER = 3 };
enum fragment { DF, NO_DF, ANY_DF }; /* of IPv4 */
enum window {
	ANY_WINDOW,
	EXACT,    /* 'size' */
	MULTIPLE, /* 'size' times what a segment carries: see segment_size() */
	LARGEST,  /* the largest such multiple below 65,536 */
};

struct scales {
	uint8_t least, most;
};

struct rule {
	const char *name;
	enum when when;
	uint8_t ttl;
	enum fragment df;
	enum window window;
	uint16_t size;
	struct scales scale;
	const char *layout; /* NULL: any */
	uint16_t need;      /* quirks */
};

/* clang-format off */
#define ANY_SCALE { 0, OS_NO_SCALE }
#define SCALED    { 0, OS_NO_SCALE - 1 }
#define UNSCALED  { OS_NO_SCALE, OS_NO_SCALE }
/* clang-format on */
#define BIT(quirk) (uint16_t)(1u << (quirk))

static const char linux_22[] = "Linux 2.2", linux_24[] = "Linux 2.4 to 2.6.38",
		  linux_26[] = "Linux 2.6.39 to 3.10", linux_3[] = "Linux 3.11 to 4.19",
		  linux_5[] = "Linux 4.20 or later", linux_any[] = "Linux",
		  android[] = "Linux or Android", windows_xp[] = "Windows 2000, XP or Server 2003",
		  windows_7[] = "Windows Vista to 10", windows_10[] = "Windows 10 or later",
		  windows[] = "Windows", apple[] = "macOS or iOS", solaris[] = "Solaris or illumos";

static const struct rule rules[] = {
	/* scanners make their packets by hand */
	{ "ZMap", SYN, 255, ANY_DF, EXACT, 65535, ANY_SCALE, NULL, BIT(OS_ID_ZMAP) },
	{ "masscan", SYN, 255, NO_DF, EXACT, 1024, UNSCALED, "", 0 },
	{ "masscan", SYN, 255, NO_DF, EXACT, 1024, UNSCALED, "M", 0 },
	{ "nmap", SYN, 64, NO_DF, EXACT, 1024, UNSCALED, "M", 0 },
	{ "nmap", SYN, 64, NO_DF, EXACT, 2048, UNSCALED, "M", 0 },
	{ "nmap", SYN, 64, NO_DF, EXACT, 3072, UNSCALED, "M", 0 },
	{ "nmap", SYN, 64, NO_DF, EXACT, 4096, UNSCALED, "M", 0 },
	{ "nmap", SYN, 64, ANY_DF, EXACT, 1, SCALED, "WNMTS", 0 },

	/* Linux: the window is so many segments; how many changed in 2.6.39, 3.11 and 4.20 */
	{ linux_22, SYN, 64, DF, EXACT, 32120, { 0, 0 }, "MSTNW", 0 },
	{ linux_24, SYN, 64, DF, MULTIPLE, 4, SCALED, "MSTNW", 0 },
	{ linux_24, SYN, 64, DF, EXACT, 5840, SCALED, "MSTNW", 0 },
	{ linux_26, SYN, 64, DF, MULTIPLE, 10, SCALED, "MSTNW", 0 },
	{ linux_26, SYN, 64, DF, EXACT, 14600, SCALED, "MSTNW", 0 },
	{ linux_3, SYN, 64, DF, MULTIPLE, 20, SCALED, "MSTNW", 0 },
	{ linux_3, SYN, 64, DF, EXACT, 29200, SCALED, "MSTNW", 0 },
	{ linux_5, SYN, 64, DF, LARGEST, 0, SCALED, "MSTNW", 0 },
	{ linux_5, SYN, 64, DF, EXACT, 64240, SCALED, "MSTNW", 0 },
	{ linux_5, SYN, 64, DF, EXACT, 64240, SCALED, "MNNSNW", 0 },
	{ android, SYN, 64, DF, EXACT, 65535, SCALED, "MSTNW", 0 },
	{ linux_any, SYN, 64, DF, ANY_WINDOW, 0, SCALED, "MSTNW", 0 },
	{ linux_24, ANSWER, 64, DF, MULTIPLE, 4, SCALED, "MSTNW", 0 },
	{ linux_24, ANSWER, 64, DF, EXACT, 5792, SCALED, "MSTNW", 0 },
	{ linux_24, ANSWER, 64, DF, MULTIPLE, 4, SCALED, "MNNSNW", 0 },
	{ linux_24, ANSWER, 64, DF, EXACT, 5840, SCALED, "MNNSNW", 0 },
	{ linux_26, ANSWER, 64, DF, MULTIPLE, 10, SCALED, "MSTNW", 0 },
	{ linux_26, ANSWER, 64, DF, EXACT, 14480, SCALED, "MSTNW", 0 },
	{ linux_26, ANSWER, 64, DF, MULTIPLE, 10, SCALED, "MNNSNW", 0 },
	{ linux_26, ANSWER, 64, DF, EXACT, 14600, SCALED, "MNNSNW", 0 },
	{ linux_3, ANSWER, 64, DF, MULTIPLE, 20, SCALED, "MSTNW", 0 },
	{ linux_3, ANSWER, 64, DF, EXACT, 28960, SCALED, "MSTNW", 0 },
	{ linux_3, ANSWER, 64, DF, MULTIPLE, 20, SCALED, "MNNSNW", 0 },
	{ linux_3, ANSWER, 64, DF, EXACT, 29200, SCALED, "MNNSNW", 0 },
	{ linux_5, ANSWER, 64, DF, LARGEST, 0, SCALED, "MSTNW", 0 },
	{ linux_5, ANSWER, 64, DF, EXACT, 65160, SCALED, "MSTNW", 0 },
	{ linux_5, ANSWER, 64, DF, LARGEST, 0, SCALED, "MNNSNW", 0 },
	{ linux_5, ANSWER, 64, DF, EXACT, 64240, SCALED, "MNNSNW", 0 },
	{ linux_any, ANSWER, 64, DF, ANY_WINDOW, 0, SCALED, "MSTNW", 0 },
	{ linux_any, ANSWER, 64, DF, ANY_WINDOW, 0, SCALED, "MNNSNW", 0 },

	/* Windows: starts with 128 hops; scaled windows since Vista */
	{ windows_10, EITHER, 128, DF, EXACT, 64240, { 8, 8 }, "MNWNNS", 0 },
	{ windows_10, EITHER, 128, DF, EXACT, 65535, { 8, 8 }, "MNWNNS", 0 },
	{ windows_7, EITHER, 128, DF, EXACT, 8192, { 0, 8 }, "MNWNNS", 0 },
	{ windows_xp, SYN, 128, DF, EXACT, 64240, UNSCALED, "MNNS", 0 },
	{ windows_xp, SYN, 128, DF, EXACT, 65535, UNSCALED, "MNNS", 0 },
	{ windows_xp, SYN, 128, DF, EXACT, 16384, UNSCALED, "MNNS", 0 },
	{ windows_xp, ANSWER, 128, DF, ANY_WINDOW, 0, { 0, 0 }, "MNWNNTNNS", 0 },
	{ windows, EITHER, 128, DF, ANY_WINDOW, 0, { 8, 8 }, "MNWST", 0 },
	{ windows, SYN, 128, DF, ANY_WINDOW, 0, SCALED, "MNWNNS", 0 },
	{ windows, SYN, 128, DF, ANY_WINDOW, 0, UNSCALED, "MNNS", 0 },

	{ apple, EITHER, 64, DF, EXACT, 65535, SCALED, "MNWNNTSE", 0 },

	{ "FreeBSD", EITHER, 64, DF, EXACT, 65535, SCALED, "MNWST", 0 },
	{ "OpenBSD", EITHER, 64, DF, EXACT, 16384, SCALED, "MNNSNWNNT", 0 },
	{ "NetBSD", EITHER, 64, DF, EXACT, 32768, SCALED, "MNWSNNNNT", 0 },
	{ solaris, EITHER, 64, DF, ANY_WINDOW, 0, SCALED, "NNTMNWNNS", 0 },
	{ solaris, SYN, 64, DF, MULTIPLE, 34, SCALED, "MNWNNS", 0 },

	{ "Cisco IOS", EITHER, 255, NO_DF, EXACT, 4128, UNSCALED, "M", 0 },
	{ "lwIP", EITHER, 255, NO_DF, MULTIPLE, 4, UNSCALED, "M", 0 },
};

/* What a segment can carry: the MSS, less the 12 bytes of timestamps in an answer. */
static unsigned segment_size(const struct os_sign *s, const char *layout)
{
	unsigned stamps = s->answer && strchr(layout, 'T') != NULL ? 12 : 0;

	return s->has_mss && s->mss > stamps ? s->mss - stamps : 0;
}

static bool window_fits(const struct rule *r, const struct os_sign *s, unsigned segment)
{
	switch (r->window) {
	case EXACT:
		return s->window == r->size;
	case MULTIPLE:
		return segment > 0 && s->window == r->size * segment;
	case LARGEST:
		return segment > 0 && s->window == 65535 / segment * segment;
	default:
		return true;
	}
}

static bool fits(
		const struct rule *r, const struct os_sign *s, const char *layout, unsigned segment)
{
	bool df = s->quirks & BIT(OS_DF);

	return (r->when & (s->answer ? ANSWER : SYN)) && r->ttl == s->ttl &&
	       (s->version != 4 || r->df == ANY_DF || (r->df == DF) == df) &&
	       s->scale >= r->scale.least && s->scale <= r->scale.most &&
	       (s->quirks & r->need) == r->need && window_fits(r, s, segment) &&
	       (r->layout == NULL || strcmp(r->layout, layout) == 0);
}

const char *os_name(const struct os_sign *s)
{
	char layout[OS_LAYOUT + 2];

	os_layout_text(s, layout);

	unsigned segment = segment_size(s, layout);

	/* No system sends what contradicts itself; something on the way, or a person, made it. */
	for (size_t i = 0; !(s->quirks & BIT(OS_BAD)) && i < sizeof rules / sizeof rules[0]; i++)
		if (fits(&rules[i], s, layout, segment))
			return rules[i].name;
	return "unknown";
}
