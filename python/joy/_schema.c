/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * _schema.c - one schema given out as often as somebody asks.
 *
 * Each copy has nodes of its own, since a consumer may move and release any of them; what they
 * point to stays the original's, which lives as long as the last node.
 */
#include <stdlib.h>

#include "_run.h"

struct schema {
	atomic_int owners;
	struct ArrowSchema original;
};

struct schema *schema_new(const struct ArrowSchema *original)
{
	struct schema *s = malloc(sizeof(*s));

	if (s != NULL) {
		atomic_init(&s->owners, 1);
		s->original = *original;
	}
	return s;
}

void schema_drop(struct schema *s)
{
	if (s == NULL || atomic_fetch_sub(&s->owners, 1) > 1)
		return;
	s->original.release(&s->original);
	free(s);
}

static void node_free(struct ArrowSchema *node)
{
	if (node != NULL && node->release != NULL)
		node->release(node);
	free(node);
}

static void node_release(struct ArrowSchema *node)
{
	for (int64_t i = 0; node->children != NULL && i < node->n_children; i++)
		node_free(node->children[i]);
	free(node->children);
	node_free(node->dictionary);
	schema_drop(node->private_data);
	node->release = NULL;
}

static struct ArrowSchema *node_copy(struct schema *s, const struct ArrowSchema *from);

/* False without memory; 'to' is to be released in any case. */
static bool node_fill(struct schema *s, const struct ArrowSchema *from, struct ArrowSchema *to)
{
	*to = *from;
	to->release = node_release;
	to->private_data = s;
	atomic_fetch_add(&s->owners, 1);
	to->children = calloc((size_t)from->n_children + 1, sizeof(*to->children));
	to->dictionary = from->dictionary == NULL ? NULL : node_copy(s, from->dictionary);
	if (to->children == NULL || (from->dictionary != NULL && to->dictionary == NULL))
		return false;
	for (int64_t i = 0; i < from->n_children; i++) {
		to->children[i] = node_copy(s, from->children[i]);
		if (to->children[i] == NULL)
			return false;
	}
	return true;
}

static struct ArrowSchema *node_copy(struct schema *s, const struct ArrowSchema *from)
{
	struct ArrowSchema *to = malloc(sizeof(*to));

	if (to != NULL && !node_fill(s, from, to)) {
		node_free(to);
		to = NULL;
	}
	return to;
}

static void capsule_free(PyObject *capsule)
{
	node_free(PyCapsule_GetPointer(capsule, SCHEMA_CAPSULE));
}

PyObject *schema_capsule(struct schema *s)
{
	struct ArrowSchema *copy = node_copy(s, &s->original);
	PyObject *capsule = copy == NULL ? PyErr_NoMemory()
					 : PyCapsule_New(copy, SCHEMA_CAPSULE, capsule_free);

	if (capsule == NULL)
		node_free(copy);
	return capsule;
}
