/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * paths.c - walk folders with scandir(3), remembering device and inode of all that was entered.
 *
 * What cannot be listed becomes an entry with its trouble, told when the run gets there.
 */
#include "source/paths.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"

/* A walk from one named folder. */
struct walk {
	struct paths *all;
	void *seen; /* tree of struct identity */
	struct err *e;
};

struct identity {
	dev_t device;
	ino_t inode;
};

static int compare(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* True the first time; false also without memory, which the next allocation will tell. */
static bool first_time(struct walk *w, const struct stat *st)
{
	struct identity *new = malloc(sizeof(*new));

	if (new == NULL)
		return false;
	*new = (struct identity){ st->st_dev, st->st_ino };
	struct identity **found = tsearch(new, &w->seen, compare);
	if (found != NULL && *found == new)
		return true;
	free(new);
	return false;
}

static bool add(struct paths *all, const char *path, const struct paths_entry *like,
		const char *trouble, struct err *e)
{
	if (all->count >= LIMIT_INPUT_FILES)
		return err_set(e, "%s: more than %d files in one run", path, LIMIT_INPUT_FILES);
	if (all->count == all->room) {
		size_t room = all->room > 0 ? all->room * 2 : 16;
		struct paths_entry *list = realloc(all->list, room * sizeof(*list));

		if (list == NULL)
			return err_set(e, "no memory for the list of files");
		all->list = list;
		all->room = room;
	}
	struct paths_entry one = *like;
	one.path = strdup(path);
	one.trouble = trouble != NULL ? strdup(trouble) : NULL;
	if (one.path == NULL || (trouble != NULL && one.trouble == NULL)) {
		free(one.path);
		return err_set(e, "no memory for the list of files");
	}
	all->list[all->count++] = one;
	all->bytes += one.size;
	return true;
}

static bool add_trouble(struct walk *w, const char *path, const char *what, const char *why)
{
	struct err text;

	snprintf(text.text, sizeof(text.text), "%s%s", what, why);
	return add(w->all, path, &(struct paths_entry){ .in_folder = true }, text.text, w->e);
}

static bool walk_folder(struct walk *w, const char *path, int depth);

static bool walk_entry(struct walk *w, const char *path, int depth)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return add_trouble(w, path, "cannot be examined: ", strerror(errno));
	if ((!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || !first_time(w, &st))
		return true;
	if (S_ISDIR(st.st_mode))
		return walk_folder(w, path, depth + 1);
	struct paths_entry like = { .size = (uint64_t)st.st_size, .in_folder = true };
	return add(w->all, path, &like, NULL, w->e);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static bool walk_names(
		struct walk *w, const char *folder, struct dirent **names, int count, int depth)
{
	const char *slash = folder[0] != '\0' && folder[strlen(folder) - 1] == '/' ? "" : "/";
	bool good = true;

	for (int i = 0; i < count; i++) {
		char *path = NULL;

		if (good && asprintf(&path, "%s%s%s", folder, slash, names[i]->d_name) < 0)
			good = err_set(w->e, "no memory for the list of files");
		if (good)
			good = walk_entry(w, path, depth);
		free(path);
		free(names[i]);
	}
	return good;
}

static bool walk_folder(struct walk *w, const char *path, int depth)
{
	struct dirent **names = NULL;

	if (depth > LIMIT_DIRECTORY_DEPTH)
		return add_trouble(w, path, "lies too deep and was not entered", "");
	int count = scandir(path, &names, not_dots, by_bytes);
	if (count < 0)
		return add_trouble(w, path, "cannot be listed: ", strerror(errno));
	bool good = walk_names(w, path, names, count, depth);
	free(names);
	return good;
}

static bool expand_one(struct paths *all, const char *path, struct err *e)
{
	struct walk w = { .all = all, .e = e };
	struct paths_entry like = { 0 };
	struct stat st;

	if (strcmp(path, "-") == 0) {
		all->endless = true;
		return add(all, path, &like, NULL, e);
	}
	if (stat(path, &st) != 0)
		return add(all, path, &like, NULL, e); /* opening it tells what is wrong */
	if (!S_ISDIR(st.st_mode)) {
		like.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		all->endless |= !S_ISREG(st.st_mode);
		return add(all, path, &like, NULL, e);
	}
	size_t before = all->count;
	bool good = first_time(&w, &st) && walk_folder(&w, path, 0);
	tdestroy(w.seen, free);
	if (good && all->count == before)
		return add(all, path, &like, "is a folder without files", e);
	return good;
}

bool paths_expand(struct paths *all, const char *const *named, size_t count, struct err *e)
{
	*all = (struct paths){ 0 };
	for (size_t i = 0; i < count; i++) {
		if (!expand_one(all, named[i], e)) {
			paths_destroy(all);
			return false;
		}
	}
	return true;
}

void paths_destroy(struct paths *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].path);
		free(all->list[i].trouble);
	}
	free(all->list);
	*all = (struct paths){ 0 };
}
