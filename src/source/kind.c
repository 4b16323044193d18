/* SPDX-License-Identifier: BSD-3-Clause */
/* kind.c - a short table of magic numbers, then: is it text, else its first bytes. */
#include "source/kind.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

enum { LOOK = 512, SHOWN = 8 };

struct kind {
	const char *magic;
	uint16_t size, offset;
	const char *words;
};

#define KIND(offset, magic, words)                                                                 \
	{                                                                                          \
		magic, sizeof(magic) - 1, offset, words                                            \
	}

static const struct kind kinds[] = {
	KIND(0, "\177ELF", "an ELF program"),
	KIND(0, "\x89PNG\r\n", "a PNG image"),
	KIND(0, "\xff\xd8\xff", "a JPEG image"),
	KIND(0, "GIF8", "a GIF image"),
	KIND(0, "%PDF", "a PDF document"),
	KIND(0, "PK\x03\x04", "a zip archive (unpack it first)"),
	KIND(0, "7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"),
	KIND(0, "Rar!", "a RAR archive (unpack it first)"),
	KIND(0, "BZh", "bzip2 data (unpack it first)"),
	KIND(0, "\x04\x22\x4d\x18", "lz4 data (unpack it first)"),
	KIND(0, "\x5d\x00\x00", "lzma data (unpack it first)"),
	KIND(0, "\x1f\x9d", "compress data (unpack it first)"),
	KIND(0, "ARROW1", "an Arrow file"),
	KIND(0, "PAR1", "a Parquet file"),
	KIND(0, "SQLite format 3", "an SQLite database"),
	KIND(0, "snoop\0\0\0", "a snoop capture (editcap can convert it)"),
	KIND(0, "GMBU", "a Network Monitor capture (editcap can convert it)"),
	KIND(0, "RTSS", "a Network Monitor capture (editcap can convert it)"),
	KIND(0, "TRSNIFF data", "a Sniffer capture (editcap can convert it)"),
	KIND(0, "XCP\0", "a NetXray capture (editcap can convert it)"),
	KIND(0, "\x0c\xa5", "an nfdump file"),
	KIND(0, "!<arch>\n", "an archive of object files"),
	KIND(0, "MZ", "a Windows program"),
	KIND(257, "ustar", "a tar archive (unpack it first)"),
};

static const char *by_magic(struct rd first)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct rd r = first;

		rd_bytes(&r, kinds[i].offset);
		struct rd magic = rd_bytes(&r, kinds[i].size);
		if (rd_ok(&magic) && memcmp(magic.p, kinds[i].magic, magic.left) == 0)
			return kinds[i].words;
	}
	return NULL;
}

/* Printable ASCII, white space, and bytes that UTF-8 or Latin-1 text may have. */
static bool is_text(struct rd r)
{
	while (rd_more(&r)) {
		uint8_t c = rd_u8(&r);

		if ((c < 0x20 && (c < '\t' || c > '\r') && c != 0x1b) || c == 0x7f)
			return false;
	}
	return true;
}

static void in_hex(struct rd r, char *text, size_t size)
{
	int used = snprintf(text, size, "unknown data that begins with");

	r = rd_first(r, SHOWN);
	while (rd_more(&r) && used > 0 && (size_t)used < size)
		used += snprintf(text + used, size - (size_t)used, " %02x", rd_u8(&r));
}

/* "gzip of " for each coding around it, the outermost first; returns the size. */
static size_t put_codings(const struct input *in, char *text, size_t size)
{
	const char *names[LIMIT_CODINGS];
	size_t count = 0, used = 0;

	for (; in->below != NULL && count < LIMIT_CODINGS; in = in->below)
		names[count++] = in->coding;
	for (; count > 0; count--)
		used += (size_t)snprintf(text + used, size - used, "%s of ", names[count - 1]);
	return used;
}

void kind_describe(struct input *in, char text[static KIND_TEXT])
{
	const size_t used = put_codings(in, text, KIND_TEXT);
	char *to = text + used;

	input_need(in, 1);
	struct rd first = rd_first(input_rd(in), LOOK);
	const char *words = by_magic(first);

	if (!rd_more(&first))
		snprintf(to, KIND_TEXT - used, "nothing (0 bytes)");
	else if (words != NULL)
		snprintf(to, KIND_TEXT - used, "%s", words);
	else if (is_text(first))
		snprintf(to, KIND_TEXT - used, "text");
	else
		in_hex(first, to, KIND_TEXT - used);
}

bool kind_is_text(struct input *in)
{
	input_need(in, 1);
	return is_text(rd_first(input_rd(in), LOOK));
}
