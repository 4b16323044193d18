/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cert_decompress.h - certificate messages compressed as of RFC 8879: zlib, brotli, zstd.
 */
#pragma once

#include "base/rd.h"

enum {
	CERT_ZLIB = 1,
	CERT_BROTLI = 2,
	CERT_ZSTD = 3
}; /* IANA, Certificate Compression Algorithms */

/* Can this build do it?  zlib always; brotli and zstd when their libraries were found. */
bool cert_decompress_knows(uint16_t algorithm);

/*
 * Unpacks 'in' into 'out', which has room for 'declared' bytes.  True only when it becomes exactly
 * 'declared' bytes and nothing is left over (RFC 8879 section 4); 'declared' above
 * LIMIT_CERT_MESSAGE is refused.  On false 'out' may have been written to.
 */
bool cert_decompress(uint16_t algorithm, struct rd in, size_t declared, uint8_t *out);
