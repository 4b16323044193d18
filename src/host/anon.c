/* SPDX-License-Identifier: BSD-3-Clause */
/* anon.c - reads what anonymisation is to be done with: lists of subnets and users, and the key. */
#include "host/anon.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/anon_internal.h"
#include "host/lines.h"

static bool add_subnet(struct anon *a, const struct lines *l, struct err *e)
{
	struct prefix p;
	const char *wrong = prefix_parse(l->text, l->size, &p);
	struct err why;

	if (wrong != NULL)
		return lines_refuse(l, wrong, e);
	return prefix_add(a->subnets, &p, &why) || lines_refuse(l, why.text, e);
}

bool anon_read_subnets(struct anon *a, const char *path, struct err *e)
{
	struct lines l;
	struct err why;
	bool good = (a->subnets = prefix_new()) != NULL || err_set(e, "anon: no memory");

	if (!good)
		return false;
	if (!lines_open(&l, path, &why))
		return err_set(e, "anon: %s", why.text);
	while (good && lines_next(&l))
		good = add_subnet(a, &l, e);
	lines_close(&l);
	return good && (prefix_build(a->subnets, &why) || err_set(e, "anon: %s", why.text));
}

static bool add_user(struct anon *a, const struct lines *l, struct err *e)
{
	char lower[UINT8_MAX];
	struct err why;

	if (l->size > sizeof lower)
		return lines_refuse(l, "longer than a user name", e);
	for (size_t i = 0; i < l->size; i++) {
		char c = l->text[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	if (l->size > a->user_size)
		a->user_size = l->size;
	return nameset_add(a->users, lower, l->size, 0, &why) || lines_refuse(l, why.text, e);
}

static bool read_users(struct anon *a, const char *path, struct err *e)
{
	struct lines l;
	struct err why;
	bool good = (a->users = nameset_new()) != NULL || err_set(e, "useranon: no memory");

	if (!good)
		return false;
	if (!lines_open(&l, path, &why))
		return err_set(e, "useranon: %s", why.text);
	while (good && lines_next(&l))
		good = add_user(a, &l, e);
	lines_close(&l);
	return good && (nameset_build(a->users, &why) || err_set(e, "useranon: %s", why.text));
}

static bool read_key(struct anon *a, const struct anon_conf *conf, struct err *e)
{
	const char *beside = conf->subnets != NULL ? conf->subnets : conf->users;
	char path[PATH_MAX];

	if (conf->key_file != NULL)
		return anon_key_read(a, conf->key_file, e);
	if (beside == NULL)
		return err_set(e, "anon_names=1 needs a key: anon_key=FILE");
	if (snprintf(path, sizeof path, "%s.key", beside) >= (int)sizeof path)
		return err_set(e, "anon: the name of the list is too long");
	return anon_key_read(a, path, e);
}

static bool load(
		struct anon *a, const struct anon_conf *conf, const struct anon *old, struct err *e)
{
	a->names = conf->names;
	if (conf->subnets != NULL && !anon_read_subnets(a, conf->subnets, e))
		return false;
	if (conf->users != NULL && !read_users(a, conf->users, e))
		return false;
	if (old == NULL)
		return read_key(a, conf, e);
	if (!anon_key_set(a, old->key))
		return err_set(e, "anon: no memory");
	a->number = old->number;
	return true;
}

struct anon *anon_load(const struct anon_conf *conf, const struct anon *old, struct err *e)
{
	struct anon *a = calloc(1, sizeof *a);

	if (a == NULL) {
		err_set(e, "anon: no memory");
		return NULL;
	}
	if (load(a, conf, old, e))
		return a;
	anon_free(a);
	return NULL;
}

void anon_free(struct anon *a)
{
	if (a == NULL)
		return;
	prefix_free(a->subnets);
	nameset_free(a->users);
	explicit_bzero(a, sizeof *a);
	free(a);
}
