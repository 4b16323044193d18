/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch.h - lists of addresses, subnets and domains to look out for.
 *
 * Formats, told apart by what is in the file: one entry a line; hosts files ("0.0.0.0
 * bad.example"); CSV with a column named domain, ip, indicator or the like, else the first.  An
 * entry is an address (with or without port), a subnet, a name (with or without "*." in front) or a
 * URL, of which the host counts.  A name holds for itself and for all names below it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/prefix.h"

struct watch;

/* 'option': file names, one a line, as OPTION_REPEAT keeps them. */
struct watch *watch_load(const char *option, struct err *e);
void watch_free(struct watch *w);

struct watch_hit {
	const char *entry; /* a name in the form of name.h; NULL: it is the subnet */
	size_t entry_size;
	struct prefix subnet;
	const char *list; /* the file's name without folders */
};

/* What is found of an address or a name: of each list the longest entry.  Returns how many are
 * written, at most 'max'; *more is raised by those for which there was no room. */
size_t watch_address(const struct watch *w, uint8_t version, const uint8_t *address,
		struct watch_hit *hits, size_t max, size_t *more);

/* 'text' as it came from the wire: in any case, perhaps with a dot or a port at its end, perhaps an
 * address as text. */
size_t watch_name(const struct watch *w, const char *text, size_t size, struct watch_hit *hits,
		size_t max, size_t *more);
