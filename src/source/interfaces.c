/* SPDX-License-Identifier: BSD-3-Clause */
/* interfaces.c - a list that grows by doubling; each entry holds its texts behind itself. */
#include "source/interfaces.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* How much of a text to keep: up to a zero byte, and never the half of a UTF-8 character. */
static size_t text_size(struct rd text)
{
	size_t size = rd_first(text, LIMIT_INTERFACE_TEXT).left;
	const void *zero = size > 0 ? memchr(text.p, 0, size) : NULL;

	if (zero != NULL)
		return (size_t)((const uint8_t *)zero - text.p);
	while (size > 0 && size < text.left && (text.p[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* Copies the text to *at and moves *at behind it; NULL for no text. */
static const char *keep(char **at, struct rd text)
{
	size_t size = text_size(text);
	char *kept = *at;

	if (size == 0)
		return NULL;
	memcpy(kept, text.p, size);
	kept[size] = '\0';
	*at += size + 1;
	return kept;
}

static bool make_room(struct interfaces *all)
{
	uint32_t room = all->room > 0 ? all->room * 2 : 16;

	if (all->count < all->room)
		return true;
	struct source_interface **list = realloc(all->list, room * sizeof(*list));
	if (list == NULL)
		return false;
	all->list = list;
	all->room = room;
	return true;
}

bool interfaces_add(struct interfaces *all, const struct interfaces_new *what, uint32_t *number)
{
	if (all->count >= LIMIT_INTERFACES) {
		all->over++;
		*number = LIMIT_INTERFACES - 1;
		return true;
	}
	size_t texts = text_size(what->name) + text_size(what->description) + 2;
	struct source_interface *one = make_room(all) ? malloc(sizeof(*one) + texts) : NULL;

	if (one == NULL)
		return false;
	char *at = (char *)(one + 1);
	*one = (struct source_interface){
		.file = what->file,
		.linktype = what->linktype,
		.snaplen = what->snaplen,
	};
	one->name = keep(&at, what->name);
	one->description = keep(&at, what->description);
	*number = all->count;
	all->list[all->count++] = one;
	return true;
}

void interfaces_destroy(struct interfaces *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		free(all->list[i]);
	free(all->list);
}
