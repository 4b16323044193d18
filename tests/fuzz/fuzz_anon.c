/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_anon.c - any bytes as a text, a name and a packet to anonymise.
 *
 * In what comes out no listed address is found, neither by the way it was put in nor by the check
 * of records.  The key is one by which no listed address becomes a listed address.
 */
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/limits.h"
#include "host/anon.h"
#include "host/anon_check.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz_anon.XXXXXX", list[64], users[64];
static struct anon *anon, *hashing;
static struct anon_worker *worker;

static void clean_up(void)
{
	char path[80];

	snprintf(path, sizeof path, "%s.key", list);
	unlink(path);
	unlink(list);
	unlink(users);
	rmdir(folder);
	anon_free(anon);
	anon_free(hashing);
	anon_worker_free(worker);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void begin(void)
{
	struct anon_conf conf = { .subnets = list, .users = users };
	struct err e;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(list, sizeof list, "%s/list", folder);
	snprintf(users, sizeof users, "%s/users", folder);
	atexit(clean_up);
	write_file(list, "10.0.0.0/8\n192.0.2.0/24\n2001:db8::/32\n");
	write_file(users, "alice\n");
	anon = anon_load(&conf, NULL, &e);
	conf.names = true;
	hashing = anon_load(&conf, NULL, &e);
	worker = anon_worker_new();
	if (anon == NULL || hashing == NULL || worker == NULL)
		abort();
}

/* As a record would have it. */
static void check(const struct buf *text)
{
	struct buf line = buf_new(1 << 20), report = buf_new(1 << 20);
	uint64_t found = 0;
	struct err e;

	buf_text(&line, "{\"text\":");
	json_string(&line, text->p, text->size);
	buf_text(&line, "}\n");
	if (buf_ok(&line) &&
			(!anon_check(list, memory_file(line.p, line.size), &report, &found, &e) ||
					memmem(report.p, report.size, "values", 6) != NULL)) {
		fwrite(report.p, 1, report.size, stderr);
		fwrite(line.p, 1, line.size, stderr);
		abort();
	}
	buf_free(&line);
	buf_free(&report);
}

static void text(const char *bytes, size_t size)
{
	struct buf out = buf_new(1 << 20);
	enum anon_outcome outcome = anon_text(anon, worker, ANON_TEXT, bytes, size, &out);

	if (outcome == ANON_FAILED)
		abort();
	if (outcome == ANON_SAME) {
		buf_clear(&out);
		buf_bytes(&out, bytes, size);
	}
	check(&out);
	buf_clear(&out);
	if (anon_text(hashing, worker, ANON_NAME, bytes, size, &out) == ANON_FAILED)
		abort();
	buf_free(&out);
}

static void packet(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + (size == 0));

	if (copy == NULL)
		return;
	memcpy(copy, bytes, size);
	if (anon_packet(anon, worker, copy, size) != ANON_CHANGED)
		abort();
	if (size >= 20 && copy[0] >> 4 == 4 &&
			(anon_listed(anon, 4, copy + 12) || anon_listed(anon, 4, copy + 16)))
		abort();
	if (size >= 40 && copy[0] >> 4 == 6 &&
			(anon_listed(anon, 6, copy + 8) || anon_listed(anon, 6, copy + 24)))
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (anon == NULL)
		begin();
	if (size > 2000)
		return 0;
	text((const char *)data, size);
	packet(data, size);
	return 0;
}
