/* SPDX-License-Identifier: BSD-3-Clause */
/* list_kit.h - a folder of files that vanishes, and addresses from text, for tests of lists. */
#pragma once

#include <arpa/inet.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "random_kit.h"

static char list_folder[] = "/tmp/joy_lists.XXXXXX";

static inline int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* For cmocka's group functions. */
static inline int make_folder(void **unused)
{
	(void)unused;
	return mkdtemp(list_folder) == NULL ? -1 : 0;
}

static inline int remove_folder(void **unused)
{
	(void)unused;
	return nftw(list_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file and returns its path, which is good for some calls more. */
static inline const char *file_bytes(const char *name, const void *bytes, size_t size)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", list_folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
	return path;
}

static inline const char *file(const char *name, const char *text)
{
	return file_bytes(name, text, strlen(text));
}

struct address {
	uint8_t version;
	uint8_t bytes[16];
};

static inline struct address address(const char *text)
{
	struct address a = { .version = strchr(text, ':') != NULL ? 6 : 4 };

	assert_int_equal(inet_pton(a.version == 4 ? AF_INET : AF_INET6, text, a.bytes), 1);
	return a;
}
