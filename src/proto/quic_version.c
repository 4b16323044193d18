/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * quic_version.c - the versions of QUIC: names, layouts, and what protects their Initials.
 *
 * Sources: RFC 9001, RFC 9369, draft-ietf-quic-tls-22 to -34, Chromium for Google's versions; names
 * of others are from the QUIC working group's list of versions.
 */
#include "proto/quic_version.h"

enum { DRAFT_FIRST = 22, DRAFT_LAST = 34, GOOGLE_FIRST = 9, GOOGLE_LAST = 50 };

/* version 1, drafts 33 and 34 */
static const struct quic_protection v1 = {
	.salt = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4,
			0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
	.retry_tag = true,
	.retry_key = { 0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3,
			0x68, 0xc8, 0x4e },
	.retry_nonce = { 0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb },
};

/* version 2 */
static const struct quic_protection v2 = {
	.salt = { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e,
			0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
	.v2_labels = true,
	.retry_tag = true,
	.retry_key = { 0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad,
			0x7c, 0xcc, 0x92 },
	.retry_nonce = { 0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a },
};

/* drafts 29 to 32 */
static const struct quic_protection draft_29 = {
	.salt = { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c,
			0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 },
	.retry_tag = true,
	.retry_key = { 0xcc, 0xce, 0x18, 0x7e, 0xd0, 0x9a, 0x09, 0xd0, 0x57, 0x28, 0x15, 0x5a, 0x6c,
			0xb9, 0x6b, 0xe1 },
	.retry_nonce = { 0xe5, 0x49, 0x30, 0xf9, 0x7f, 0x21, 0x36, 0xf0, 0x53, 0x0a, 0x8c, 0x1c },
};

/* drafts 25 to 28 */
static const struct quic_protection draft_25 = {
	.salt = { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b,
			0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 },
	.retry_tag = true,
	.retry_key = { 0x4d, 0x32, 0xec, 0xdb, 0x2a, 0x21, 0x33, 0xc8, 0x41, 0xe4, 0x04, 0x3d, 0xf2,
			0x7d, 0x44, 0x30 },
	.retry_nonce = { 0x4d, 0x16, 0x11, 0xd0, 0x55, 0x13, 0xa5, 0x52, 0xc5, 0x87, 0xd5, 0x75 },
};

/* drafts 23 and 24 */
static const struct quic_protection draft_23 = {
	.salt = { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b,
			0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 },
};

/* draft 22 */
static const struct quic_protection draft_22 = {
	.salt = { 0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21,
			0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a },
};

/* Q050 */
static const struct quic_protection q050 = {
	.salt = { 0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb,
			0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45 },
};

/* T050 */
static const struct quic_protection t050 = {
	.salt = { 0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43,
			0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10 },
};

/* T051 */
static const struct quic_protection t051 = {
	.salt = { 0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12,
			0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d },
};

/* Blocks of numbers that implementations took for their experiments; the first that fits counts. */
static const struct named {
	uint32_t number, mask;
	const char *name;
	uint8_t draft; /* that it is built like, 0 when not known */
} named[] = {
	{ QUIC_V1, 0xffffffff, "1", 34 },
	{ QUIC_V2, 0xffffffff, "2", 0 },
	{ 0x709a50c4, 0xffffffff, "2-draft", 0 },
	{ 0xfaceb001, 0xffffffff, "mvfst-draft-22", 22 },
	{ 0xfaceb002, 0xffffffff, "mvfst-draft-27", 27 },
	{ 0xfaceb00e, 0xffffffff, "mvfst-experimental", 27 },
	{ 0xfaceb000, 0xfffffff0, "mvfst", 0 },
	{ 0x54303530, 0xffffffff, "T050", 0 },
	{ 0x54303531, 0xffffffff, "T051", 0 },
	{ 0x50524f58, 0xffffffff, "proxied", 0 },
	{ 0x50435130, 0xfffffffe, "picoquic", 0 },
	{ 0xabcd0000, 0xfffffff0, "msquic", 0 },
	{ 0x91c17000, 0xffffff00, "quicly", 0 },
	{ 0x51474f00, 0xffffff00, "quic-go", 0 },
	{ 0x45474700, 0xffffff00, "quant", 0 },
	{ 0xf123f0c0, 0xfffffff0, "mozquic", 0 },
	{ 0x0a0a0a0a, 0x0f0f0f0f, "grease", 0 },
};

static const struct named *named_find(uint32_t version)
{
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if ((version & named[i].mask) == named[i].number)
			return &named[i];
	return NULL;
}

/* The number NNN of "QNNN" when that is one of Google's versions, else 0. */
static unsigned google_number(uint32_t version)
{
	unsigned tens = (version >> 8 & 0xff) - '0', ones = (version & 0xff) - '0';
	unsigned number = 10 * tens + ones;

	if (version >> 16 != 0x5130 || tens > 9 || ones > 9) /* "Q0" */
		return 0;
	return number >= GOOGLE_FIRST && number <= GOOGLE_LAST ? number : 0;
}

unsigned quic_draft(uint32_t version)
{
	const struct named *n = named_find(version);

	if (n != NULL)
		return n->draft;
	if (version >= 0xff000000 + DRAFT_FIRST && version <= 0xff000000 + DRAFT_LAST)
		return version & 0xff;
	return 0;
}

enum quic_layout quic_layout(uint32_t version)
{
	unsigned google = google_number(version);

	if (version == QUIC_V1) /* asked for each frame */
		return QUIC_LAYOUT_IETF;
	if (google > 0)
		return google <= 43   ? QUIC_LAYOUT_GOOGLE_43
		       : google <= 45 ? QUIC_LAYOUT_GOOGLE_44
		       : google <= 48 ? QUIC_LAYOUT_GOOGLE_46
				      : QUIC_LAYOUT_GOOGLE_50;
	if (version == 0x54303530 || version == 0x54303531) /* T050, T051 */
		return QUIC_LAYOUT_GOOGLE_50;
	if (version == QUIC_V2)
		return QUIC_LAYOUT_V2;
	return quic_draft(version) > 0 ? QUIC_LAYOUT_IETF : QUIC_LAYOUT_UNKNOWN;
}

/* From DRAFT_FIRST and GOOGLE_FIRST on. */
static const char drafts[][9] = { "draft-22", "draft-23", "draft-24", "draft-25", "draft-26",
	"draft-27", "draft-28", "draft-29", "draft-30", "draft-31", "draft-32", "draft-33",
	"draft-34" };
static const char google[][5] = { "Q009", "Q010", "Q011", "Q012", "Q013", "Q014", "Q015", "Q016",
	"Q017", "Q018", "Q019", "Q020", "Q021", "Q022", "Q023", "Q024", "Q025", "Q026", "Q027",
	"Q028", "Q029", "Q030", "Q031", "Q032", "Q033", "Q034", "Q035", "Q036", "Q037", "Q038",
	"Q039", "Q040", "Q041", "Q042", "Q043", "Q044", "Q045", "Q046", "Q047", "Q048", "Q049",
	"Q050" };

const char *quic_version_name(uint32_t version)
{
	const struct named *n = named_find(version);

	if (n != NULL)
		return n->name;
	if (google_number(version) > 0)
		return google[google_number(version) - GOOGLE_FIRST];
	return quic_draft(version) > 0 ? drafts[quic_draft(version) - DRAFT_FIRST] : NULL;
}

const struct quic_protection *quic_protection(uint32_t version)
{
	unsigned draft = quic_draft(version);

	if (draft > 0)
		return draft >= 33   ? &v1
		       : draft >= 29 ? &draft_29
		       : draft >= 25 ? &draft_25
		       : draft >= 23 ? &draft_23
				     : &draft_22;
	switch (version) {
	case QUIC_V2:
		return &v2;
	case 0x51303530:
		return &q050;
	case 0x54303530:
		return &t050;
	case 0x54303531:
		return &t051;
	default:
		return NULL;
	}
}

bool quic_version_readable(uint32_t version)
{
	return quic_protection(version) != NULL;
}
