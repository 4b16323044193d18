/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cert_decompress.c - compressed certificate messages (RFC 8879), by zlib, libbrotlidec, libzstd.
 *
 * The size is declared beforehand, so the output has its room and no bomb goes off.
 */
#include "feature/cert_decompress.h"

#include <zlib.h>
#ifdef HAVE_BROTLI
#include <brotli/decode.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/limits.h"

static bool by_zlib(struct rd in, size_t declared, uint8_t *out)
{
	uLong used = (uLong)in.left;
	uLongf made = (uLongf)declared;

	return uncompress2(out, &made, in.p, &used) == Z_OK && made == declared && used == in.left;
}

static bool by_brotli(struct rd in, size_t declared, uint8_t *out)
{
#ifdef HAVE_BROTLI
	BrotliDecoderState *d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	size_t left = in.left, room = declared;
	const uint8_t *from = in.p;
	BrotliDecoderResult result = BROTLI_DECODER_RESULT_ERROR;

	if (d != NULL)
		result = BrotliDecoderDecompressStream(d, &left, &from, &room, &out, NULL);
	BrotliDecoderDestroyInstance(d);
	return result == BROTLI_DECODER_RESULT_SUCCESS && left == 0 && room == 0;
#else
	(void)in;
	(void)declared;
	(void)out;
	return false;
#endif
}

static bool by_zstd(struct rd in, size_t declared, uint8_t *out)
{
#ifdef HAVE_ZSTD
	return ZSTD_decompress(out, declared, in.p, in.left) == declared;
#else
	(void)in;
	(void)declared;
	(void)out;
	return false;
#endif
}

bool cert_decompress_knows(uint16_t algorithm)
{
	switch (algorithm) {
	case CERT_ZLIB:
#ifdef HAVE_BROTLI
	case CERT_BROTLI:
#endif
#ifdef HAVE_ZSTD
	case CERT_ZSTD:
#endif
		return true;
	default:
		return false;
	}
}

bool cert_decompress(uint16_t algorithm, struct rd in, size_t declared, uint8_t *out)
{
	if (!rd_more(&in) || declared == 0 || declared > LIMIT_CERT_MESSAGE)
		return false;
	switch (algorithm) {
	case CERT_ZLIB:
		return by_zlib(in, declared, out);
	case CERT_BROTLI:
		return by_brotli(in, declared, out);
	case CERT_ZSTD:
		return by_zstd(in, declared, out);
	default:
		return false;
	}
}
