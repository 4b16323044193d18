/* SPDX-License-Identifier: BSD-3-Clause */
/* compact_map.h - which of 16 bins each byte value is in, for the compact byte distribution. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { COMPACT_BINS = 16 };

/* The built-in bins; data/compact_bd_mapping.txt says the same with words. */
extern const uint8_t compact_map[256];

/* Reads 256 numbers from a file; errors name the file and the line. */
bool compact_map_load(const char *path, uint8_t bin[256], struct err *e);
