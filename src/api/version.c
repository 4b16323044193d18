/* SPDX-License-Identifier: BSD-3-Clause */
/* version.c - the versions of the program and of the libraries that it runs on. */
#include <openssl/crypto.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>
#ifdef HAVE_PCAP
#include <pcap/pcap.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_BROTLI
#include <brotli/decode.h>
#endif

#include "api/handle.h"

#define MISSING "not found when this was built"

static const char *pcap_version(void)
{
#ifdef HAVE_PCAP
	static const char words[] = "libpcap version ";
	const char *text = pcap_lib_version();

	return strncmp(text, words, sizeof(words) - 1) == 0 ? text + sizeof(words) - 1 : text;
#else
	return MISSING;
#endif
}

static const char *zstd_version(void)
{
#ifdef HAVE_ZSTD
	return ZSTD_versionString();
#else
	return MISSING;
#endif
}

static const char *lzma_version(void)
{
#ifdef HAVE_LZMA
	return lzma_version_string();
#else
	return MISSING;
#endif
}

static void write_brotli_version(struct buf *out)
{
#ifdef HAVE_BROTLI
	unsigned v = BrotliDecoderVersion();

	buf_printf(out, "libbrotli  %u.%u.%u\n", v >> 24, v >> 12 & 0xfff, v & 0xfff);
#else
	buf_printf(out, "libbrotli  %s\n", MISSING);
#endif
}

static const char *compiler(void)
{
#ifdef __clang__
	return __VERSION__;
#else
	return "gcc " __VERSION__;
#endif
}

void version_write(struct buf *out)
{
	unsigned xxhash = XXH_versionNumber();

	buf_printf(out, "pcap2flow %s\n", JOY_VERSION);
	buf_printf(out, "compiler   %s\n", compiler());
	buf_printf(out, "zlib       %s\n", zlibVersion());
	buf_printf(out, "libcrypto  %s\n", OpenSSL_version(OPENSSL_VERSION));
	buf_printf(out, "xxHash     %u.%u.%u\n", xxhash / 10000, xxhash / 100 % 100, xxhash % 100);
	buf_printf(out, "libpcap    %s\n", pcap_version());
	buf_printf(out, "libzstd    %s\n", zstd_version());
	buf_printf(out, "liblzma    %s\n", lzma_version());
	write_brotli_version(out);
	version_live(out);
}
