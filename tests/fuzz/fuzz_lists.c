/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_lists.c - any bytes as a watchlist, as a list of labels, and as a host's name.
 *
 * What is in a watchlist of single lines is found by itself; a name in its form stays as it is.
 */
#include <stdint.h>
#include <string.h>

#include "host/label.h"
#include "host/name.h"
#include "host/watch.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names(const char *text, size_t size)
{
	char once[NAME_ROOM], twice[NAME_ROOM];
	size_t n = name_normal(text, size, once);

	if (n > NAME_MAX_SIZE || (n > 0 && (name_normal(once, n, twice) != n ||
							   memcmp(once, twice, n) != 0)))
		abort();
}

static void labels(const char *path)
{
	char option[64];
	struct err e;
	uint8_t address[16] = { 10 };
	size_t count;

	snprintf(option, sizeof option, "a:%s\nb:%s", path, path);
	struct labels *l = labels_load(option, &e);

	if (l != NULL) {
		labels_find(l, 4, address, &count);
		labels_find(l, 6, address, &count);
		if (count % 2 != 0)
			abort(); /* both files are one */
	}
	labels_free(l);
}

static void look_up(const struct watch *w, const char *text, size_t size)
{
	struct watch_hit hits[3];
	size_t more = 0, n = watch_name(w, text, size, hits, 3, &more);

	for (size_t i = 0; i < n; i++)
		if (hits[i].list == NULL || (hits[i].entry == NULL && hits[i].subnet.version == 0))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *path = memory_file(data, size);
	struct err e;
	struct watch *w = watch_load(path, &e);

	names(text, size);
	labels(path);
	for (size_t at = 0, end; w != NULL && at < size; at = end + 1) {
		const char *newline = memchr(text + at, '\n', size - at);

		end = newline == NULL ? size : (size_t)(newline - text);
		look_up(w, text + at, end - at);
	}
	watch_free(w);
	return 0;
}
