/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * anon_key.c - the key: read from a file that is its owner's alone, or made and written there.
 *
 * The file has 64 hexadecimal digits.  The first 16 bytes are Crypto-PAn's AES key, the others make
 * its pad; the key of names is derived from all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "host/anon_internal.h"

enum { DIGITS = 2 * ANON_KEY, DRAWS = 200 };

static bool make_pad(struct anon *a)
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	int size = 0;
	bool good = aes != NULL &&
		    EVP_EncryptInit_ex(aes, EVP_aes_128_ecb(), NULL, a->key, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(aes, 0) == 1 &&
		    EVP_EncryptUpdate(aes, a->pad, &size, a->key + 16, ANON_BLOCK) == 1;

	EVP_CIPHER_CTX_free(aes);
	return good;
}

bool anon_key_set(struct anon *a, const uint8_t key[static ANON_KEY])
{
	memcpy(a->key, key, ANON_KEY);
	anon_hash_key(a, key, ANON_KEY);
	a->number = hash_seed() | 1;
	return make_pad(a);
}

/* --- a key that fits a list -------------------------------------------------------------- */

static struct prefix_table *mapped_table(
		const struct anon *a, struct anon_worker *w, const struct prefix_table *from)
{
	struct prefix_table *t = prefix_new();
	bool good = t != NULL;

	for (uint32_t i = 0; good && i < prefix_count(from); i++) {
		struct prefix p = prefix_at(from, i);

		good = anon_map(a, w, p.version, p.bytes) && prefix_add(t, &p, NULL);
	}
	if (good && prefix_build(t, NULL))
		return t;
	prefix_free(t);
	return NULL;
}

/* Does a subnet of one table begin inside one of the other? */
static bool meets(const struct prefix_table *a, const struct prefix_table *b)
{
	for (uint32_t i = 0; i < prefix_count(a); i++) {
		struct prefix p = prefix_at(a, i);

		if (prefix_find(b, p.version, p.bytes) != PREFIX_NONE)
			return true;
	}
	return false;
}

/* Do listed addresses become listed addresses? Then nobody could tell what has been replaced. */
static bool falls_into_list(const struct anon *a, struct anon_worker *w)
{
	struct prefix_table *mapped = mapped_table(a, w, a->subnets);
	bool falls = mapped == NULL || meets(mapped, a->subnets) || meets(a->subnets, mapped);

	prefix_free(mapped);
	return falls;
}

/* With many subnets it may not be had; the last one drawn then is as good as any. */
static bool draw(struct anon *a, struct err *e)
{
	struct anon_worker *w = anon_worker_new();
	bool good = w != NULL;
	uint8_t key[ANON_KEY];

	for (unsigned i = 0; good && i < DRAWS; i++) {
		good = getentropy(key, sizeof key) == 0 && anon_key_set(a, key);
		if (a->subnets == NULL || (good && !falls_into_list(a, w)))
			break;
	}
	explicit_bzero(key, sizeof key);
	anon_worker_free(w);
	return good || err_set(e, "anon: cannot make a key");
}

/* --- the file ---------------------------------------------------------------------------- */

static bool write_key(const struct anon *a, int fd)
{
	char text[DIGITS + 8];
	char *end = json_put_hex(text, a->key, ANON_KEY);

	*end++ = '\n';

	bool good = write(fd, text, (size_t)(end - text)) == end - text && fsync(fd) == 0;

	explicit_bzero(text, sizeof text);
	return good;
}

static bool make_file(struct anon *a, const char *path, struct err *e)
{
	int fd;
	bool good;

	if (!draw(a, e))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, "anon_key: cannot make %s: %s", path, strerror(errno));
	good = fchmod(fd, 0600) == 0 && write_key(a, fd);
	if (!good)
		err_set(e, "anon_key: cannot write %s: %s", path, strerror(errno));
	if (close(fd) != 0 && good)
		good = err_set(e, "anon_key: cannot write %s: %s", path, strerror(errno));
	if (!good)
		unlink(path);
	return good;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

static bool parse_key(struct anon *a, const char *text, size_t size)
{
	uint8_t key[ANON_KEY];
	bool good = size >= DIGITS;

	while (size > DIGITS && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		size--;
	good = good && size == DIGITS;
	for (size_t i = 0; good && i < ANON_KEY; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		good = high >= 0 && low >= 0;
		key[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	good = good && anon_key_set(a, key);
	explicit_bzero(key, sizeof key);
	return good;
}

static bool read_file(struct anon *a, const char *path, int fd, struct err *e)
{
	char text[DIGITS + 8];
	struct stat s;
	ssize_t size;

	if (fstat(fd, &s) != 0)
		return err_set(e, "anon_key: cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		return err_set(e, "anon_key: %s is no file", path);
	if (s.st_mode & 077)
		return err_set(e, "anon_key: others may read or write %s (mode %03o); chmod 600 %s",
				path, (unsigned)s.st_mode & 0777, path);
	size = read(fd, text, sizeof text);

	bool good = size >= 0 && parse_key(a, text, (size_t)size);

	explicit_bzero(text, sizeof text);
	return good || err_set(e, "anon_key: %s does not have %d hexadecimal digits", path, DIGITS);
}

bool anon_key_read(struct anon *a, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good;

	if (fd < 0 && errno == ENOENT)
		return make_file(a, path, e);
	if (fd < 0)
		return err_set(e, "anon_key: cannot read %s: %s", path, strerror(errno));
	good = read_file(a, path, fd, e);
	close(fd);
	return good;
}
