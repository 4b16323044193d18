/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * geo.c - look-ups in MaxMind DB files, and what to say without the library.
 *
 * The files are mapped; a new one is to be put in place by renaming, as every tool for them does,
 * since a file that shrinks under its readers ends them.
 */
#include "host/geo.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MAXMINDDB

#include <maxminddb.h>
#include <netinet/in.h>

#include "base/limits.h"
#include "conf/value.h"

struct geo {
	MMDB_s files[LIMIT_GEO_FILES];
	size_t count;
};

static bool open_file(struct geo *g, const char *value, size_t size, struct err *e)
{
	char *path = strndup(value, size);
	int status;

	if (g->count == LIMIT_GEO_FILES || path == NULL) {
		free(path);
		return err_set(e, "geoip: %s", path == NULL ? "no memory" : "too many files");
	}
	status = MMDB_open(path, MMDB_MODE_MMAP, &g->files[g->count]);
	if (status == MMDB_SUCCESS)
		g->count++;
	else
		err_set(e, "geoip: cannot read %s: %s", path, MMDB_strerror(status));
	free(path);
	return status == MMDB_SUCCESS;
}

struct geo *geo_load(const char *option, struct err *e)
{
	struct geo *g = calloc(1, sizeof *g);
	const char *value;
	size_t size;

	if (g == NULL) {
		err_set(e, "geoip: no memory");
		return NULL;
	}
	while (value_next(&option, &value, &size)) {
		if (!open_file(g, value, size, e)) {
			geo_free(g);
			return NULL;
		}
	}
	return g;
}

void geo_free(struct geo *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++)
		MMDB_close(&g->files[i]);
	free(g);
}

static void take_text(MMDB_entry_s *entry, const char *const *path, const char **text, size_t *size)
{
	MMDB_entry_data_s data;

	if (*text == NULL && MMDB_aget_value(entry, &data, path) == MMDB_SUCCESS && data.has_data &&
			data.type == MMDB_DATA_TYPE_UTF8_STRING) {
		*text = data.utf8_string;
		*size = data.data_size;
	}
}

static void take_number(MMDB_entry_s *entry, const char *const *path, int64_t *number)
{
	MMDB_entry_data_s data;

	if (*number < 0 && MMDB_aget_value(entry, &data, path) == MMDB_SUCCESS && data.has_data &&
			data.type == MMDB_DATA_TYPE_UINT32)
		*number = data.uint32;
}

/* Files of City and Country have the first two, those of ASN the others. */
static void take_all(MMDB_entry_s *entry, struct geo_place *out)
{
	static const char *const country[] = { "country", "iso_code", NULL };
	static const char *const registered[] = { "registered_country", "iso_code", NULL };
	static const char *const asn[] = { "autonomous_system_number", NULL };
	static const char *const organisation[] = { "autonomous_system_organization", NULL };

	take_text(entry, country, &out->country, &out->country_size);
	take_text(entry, registered, &out->country, &out->country_size);
	take_number(entry, asn, &out->asn);
	take_text(entry, organisation, &out->organisation, &out->organisation_size);
}

bool geo_find(const struct geo *g, uint8_t version, const uint8_t *address, struct geo_place *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const void *sockaddr = version == 4 ? (const void *)&v4 : (const void *)&v6;

	memcpy(version == 4 ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr, address,
			version == 4 ? 4 : 16);
	*out = (struct geo_place){ .asn = -1 };
	for (size_t i = 0; i < g->count; i++) {
		int status;
		MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&g->files[i], sockaddr, &status);

		if (status == MMDB_SUCCESS && found.found_entry)
			take_all(&found.entry, out);
	}
	return out->country != NULL || out->asn >= 0 || out->organisation != NULL;
}

#else

struct geo *geo_load(const char *option, struct err *e)
{
	(void)option;
	err_set(e, "geoip: this build has no libmaxminddb (install it with its header and build "
		   "again)");
	return NULL;
}

void geo_free(struct geo *g)
{
	(void)g;
}

bool geo_find(const struct geo *g, uint8_t version, const uint8_t *address, struct geo_place *out)
{
	(void)g;
	(void)version;
	(void)address;
	*out = (struct geo_place){ .asn = -1 };
	return false;
}

#endif
