/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch_read.c - the formats of lists that are published: one a line, hosts, CSV.
 *
 * A file is CSV (RFC 4180; commas or semicolons) when its first line has such a sign.  Otherwise a
 * line has one entry, or is that of a hosts file: an address that leads nowhere, and names.
 */
#include "host/watch_read.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/lines.h"
#include "host/name.h"

struct part {
	const char *p;
	size_t size;
};

struct reader {
	struct watch *watch;
	uint32_t list;
	struct lines lines;
	struct err *e;
};

static bool refuse(struct reader *r, const char *why)
{
	return lines_refuse(&r->lines, why, r->e);
}

/* --- one entry --------------------------------------------------------------------------- */

static bool add_subnet(struct reader *r, const struct prefix *p)
{
	struct prefix copy = *p;
	struct err why;

	copy.value = r->list;
	return prefix_add(r->watch->subnets, &copy, &why) || refuse(r, why.text);
}

/* "1.2.3.999" would pass for a name. */
static bool ends_in_number(const char *name, size_t size)
{
	size_t digits = 0;

	while (digits < size && name[size - 1 - digits] >= '0' && name[size - 1 - digits] <= '9')
		digits++;
	return digits == size || (digits > 0 && name[size - 1 - digits] == '.');
}

static bool add_name(struct reader *r, struct part t)
{
	char name[NAME_ROOM];
	struct err why;

	if (t.size > 2 && memcmp(t.p, "*.", 2) == 0)
		t = (struct part){ t.p + 2, t.size - 2 };
	else if (t.size > 1 && *t.p == '.')
		t = (struct part){ t.p + 1, t.size - 1 };

	size_t size = name_normal(t.p, t.size, name);

	if (size == 0 || memchr(name, '*', size) != NULL || ends_in_number(name, size))
		return refuse(r, "neither an address, nor a subnet, nor a name");
	return nameset_add(r->watch->names, name, size, r->list, &why) || refuse(r, why.text);
}

/* The bytes before one of 'signs'. */
static struct part before(struct part t, const char *signs)
{
	for (size_t i = 0; i < t.size; i++)
		if (strchr(signs, t.p[i]) != NULL)
			return (struct part){ t.p, i };
	return t;
}

static bool is_address(struct part t)
{
	struct prefix p;

	return memchr(t.p, '/', t.size) == NULL && prefix_parse(t.p, t.size, &p) == NULL;
}

/* Of "http://user@host:80/path", "host:80" and "[2001:db8::1]:80": the host. */
static struct part host_of(struct part t)
{
	const char *scheme = memmem(t.p, t.size, "://", 3), *at;

	if (scheme != NULL)
		t = (struct part){ scheme + 3, t.size - (size_t)(scheme + 3 - t.p) };
	t = before(t, "/?#\\");
	at = memchr(t.p, '@', t.size);
	if (at != NULL)
		t = (struct part){ at + 1, t.size - (size_t)(at + 1 - t.p) };
	if (t.size > 0 && *t.p == '[')
		return before((struct part){ t.p + 1, t.size - 1 }, "]");
	return is_address(t) ? t : before(t, ":");
}

static bool add_entry(struct reader *r, struct part t)
{
	struct prefix p;
	const char *wrong = prefix_parse(t.p, t.size, &p);

	if (wrong == NULL)
		return add_subnet(r, &p);
	if (is_address(before(t, "/")))
		return refuse(r, wrong); /* of a subnet's length */
	t = host_of(t);
	if (prefix_parse(t.p, t.size, &p) == NULL)
		return add_subnet(r, &p);
	return add_name(r, t);
}

/* --- one a line, hosts ------------------------------------------------------------------- */

/* The next word of *rest; size 0: no more. */
static struct part next_word(struct part *rest)
{
	struct part word;

	while (rest->size > 0 && (*rest->p == ' ' || *rest->p == '\t'))
		*rest = (struct part){ rest->p + 1, rest->size - 1 };
	word = before(*rest, " \t");
	*rest = (struct part){ rest->p + word.size, rest->size - word.size };
	return word;
}

/* Addresses that a hosts file gives to names that should not be found, and to its own. */
static bool leads_nowhere(struct part t)
{
	static const uint8_t zeros[16], loopback[16] = { [15] = 1 };
	struct prefix p;

	t = before(t, "%");
	if (!is_address(t) || prefix_parse(t.p, t.size, &p) != NULL)
		return false;
	if (p.version == 4)
		return p.bytes[0] == 0 || p.bytes[0] == 127 || p.bytes[0] == 255;
	return memcmp(p.bytes, zeros, 16) == 0 || memcmp(p.bytes, loopback, 16) == 0 ||
	       p.bytes[0] == 0xff || (p.bytes[0] == 0xfe && p.bytes[1] == 0x80);
}

/* Names that every hosts file has. */
static bool is_own_name(struct part t)
{
	static const char *const names[] = { "localhost", "localhost.localdomain", "local",
		"broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix",
		"ip6-allnodes", "ip6-allrouters", "ip6-allhosts", "0.0.0.0" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i]) == t.size && strncasecmp(names[i], t.p, t.size) == 0)
			return true;
	return false;
}

static bool read_line(struct reader *r)
{
	struct part rest = { r->lines.text, r->lines.size }, first = next_word(&rest), word;

	word = next_word(&rest);
	if (word.size == 0)
		return add_entry(r, first);
	if (!leads_nowhere(first))
		return refuse(r, "more than one entry in a line");
	for (; word.size > 0; word = next_word(&rest))
		if (!is_own_name(word) && !add_name(r, word))
			return false;
	return true;
}

/* --- CSV --------------------------------------------------------------------------------- */

struct row {
	struct part cell[LIMIT_LINE_COLUMNS];
	size_t count;
};

static struct part trimmed(struct part t)
{
	while (t.size > 0 && (*t.p == ' ' || *t.p == '\t'))
		t = (struct part){ t.p + 1, t.size - 1 };
	while (t.size > 0 && (t.p[t.size - 1] == ' ' || t.p[t.size - 1] == '\t'))
		t.size--;
	return t;
}

/* A cell in quotes ends at the quote; two quotes in it stay as they are: no entry has any. */
static struct part take_cell(struct part *rest, const char *sign)
{
	struct part t = trimmed(*rest), cell;

	if (t.size > 0 && *t.p == '"') {
		cell = before((struct part){ t.p + 1, t.size - 1 }, "\"");

		const char *end = cell.p + cell.size;
		struct part behind = { end, (size_t)(rest->p + rest->size - end) };
		size_t skipped = before(behind, sign).size;

		*rest = (struct part){ end + skipped, behind.size - skipped };
	} else {
		cell = before(*rest, sign);
		*rest = (struct part){ rest->p + cell.size, rest->size - cell.size };
	}
	return trimmed(cell);
}

static void split(const struct lines *l, const char *sign, struct row *row)
{
	struct part rest = { l->text, l->size };

	row->count = 0;
	for (;;) {
		row->cell[row->count++] = take_cell(&rest, sign);
		if (rest.size == 0 || row->count == LIMIT_LINE_COLUMNS)
			return;
		rest = (struct part){ rest.p + 1, rest.size - 1 };
	}
}

static bool is_column(struct part t)
{
	static const char *const names[] = { "domain", "domain_name", "hostname", "host", "fqdn",
		"ip", "ip_address", "ipaddress", "ip address", "address", "dst_ip", "indicator",
		"ioc", "ioc_value", "network", "subnet", "cidr", "url" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i]) == t.size && strncasecmp(names[i], t.p, t.size) == 0)
			return true;
	return false;
}

/* Is the first line the names of columns?  Fills those that have entries. */
static bool is_header(const struct row *row, size_t *columns, size_t *count)
{
	struct prefix p;
	struct part first = row->cell[0];

	*count = 0;
	for (size_t i = 0; i < row->count; i++)
		if (is_column(row->cell[i]))
			columns[(*count)++] = i;
	if (*count > 0)
		return true;
	columns[(*count)++] = 0;
	return prefix_parse(first.p, first.size, &p) != NULL &&
	       memchr(first.p, '.', first.size) == NULL;
}

static bool read_row(struct reader *r, const struct row *row, const size_t *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (columns[i] >= row->count || row->cell[columns[i]].size == 0)
			continue;
		if (!add_entry(r, row->cell[columns[i]]))
			return false;
	}
	return true;
}

static bool read_csv(struct reader *r, const char *sign)
{
	size_t columns[LIMIT_LINE_COLUMNS], count = 0;
	struct row *row = malloc(sizeof *row);
	bool good = row != NULL || refuse(r, "no memory");

	for (bool first = true; good && lines_next_row(&r->lines); first = false) {
		split(&r->lines, sign, row);
		if (!first || !is_header(row, columns, &count))
			good = read_row(r, row, columns, count);
	}
	free(row);
	return good;
}

/* --- a file ------------------------------------------------------------------------------ */

/* What stands between the cells of a line of CSV; NULL: it is none. */
static const char *separator(const struct lines *l)
{
	if (memchr(l->text, ',', l->size) != NULL)
		return ",";
	return memchr(l->text, ';', l->size) != NULL ? ";" : NULL;
}

static bool read_file(struct reader *r)
{
	const char *sign = lines_next(&r->lines) ? separator(&r->lines) : NULL;
	bool good = true;

	lines_again(&r->lines);
	if (sign != NULL)
		return read_csv(r, sign);
	while (good && lines_next(&r->lines))
		good = read_line(r);
	return good;
}

bool watch_read(struct watch *w, const char *path, uint32_t list, struct err *e)
{
	struct reader r = { .watch = w, .list = list, .e = e };
	struct err why;
	bool good = lines_open(&r.lines, path, &why);

	if (!good)
		return err_set(e, "watch: %s", why.text);
	good = read_file(&r);
	lines_close(&r.lines);
	return good;
}
