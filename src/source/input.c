/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input.c - the window over bytes that are read into a buffer, and the two simplest sources of
 * them: a file descriptor and memory.
 *
 * A packet that does not fit behind the window's end is moved to the front of the buffer, which is
 * small enough to stay in the second-level cache and grows only for a packet larger than itself.
 * Plain files are read the same way: what read() copies is then near, so walking and counting it
 * costs less than mapping the file does, and a file that another process cuts just ends early.
 */
#include "source/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum {
#ifdef FUZZING
	ROOM = 512, /* so that small inputs reach the edges */
#else
	ROOM = 256 * 1024,
#endif
	STOP_MS = 250, /* how long a request to stop may go unseen */
};

static const uint8_t nothing[1];

struct input *input_new(size_t size, const struct input_ops *ops)
{
	struct input *in = calloc(1, size);

	if (in != NULL) {
		in->ops = ops;
		in->at = in->end = nothing;
	}
	return in;
}

void input_close(struct input *in)
{
	while (in != NULL) {
		struct input *below = in->below;

		in->ops->close(in);
		if (in->rooms == NULL)
			free(in->room);
		free(in);
		in = below;
	}
}

/* What is at hand goes to the front of another room. */
static bool move_to_next(struct input *in, size_t size)
{
	const size_t kept = input_at_hand(in);
	size_t got = 0;
	uint8_t *room = in->rooms->next(in->rooms->ctx, size > kept ? size : kept, &got);

	if (room == NULL)
		return err_set(&in->fault, "no memory for a buffer of %zu bytes", size);
	memcpy(room, in->at, kept);
	in->room = room;
	in->room_size = got;
	in->at = room;
	in->end = room + kept;
	return true;
}

bool input_use_rooms(struct input *in, const struct input_rooms *rooms)
{
	uint8_t *own = in->room;

	in->rooms = rooms;
	if (!move_to_next(in, ROOM)) {
		in->rooms = NULL;
		return false;
	}
	free(own);
	return true;
}

/* Moves what is at hand to the front of a buffer of at least 'need' bytes. */
static bool move_to_front(struct input *in, size_t need)
{
	size_t kept = input_at_hand(in);
	size_t size = need > ROOM ? need : ROOM;

	if (in->rooms != NULL)
		return move_to_next(in, size);
	if (in->room_size < size) {
		size = size < 2 * in->room_size ? 2 * in->room_size : size;
		uint8_t *room = malloc(size);

		if (room == NULL)
			return err_set(&in->fault, "no memory for a buffer of %zu bytes", size);
		memcpy(room, in->at, kept);
		free(in->room);
		in->room = room;
		in->room_size = size;
	} else {
		memmove(in->room, in->at, kept);
	}
	in->at = in->room;
	in->end = in->room + kept;
	return true;
}

static void fill(struct input *in, size_t need)
{
	if (in->ended)
		return;
	if (!move_to_front(in, need)) {
		in->ended = true;
		return;
	}
	size_t have = input_at_hand(in);
	while (have < need && !in->ended) {
		size_t got = in->ops->read(in, in->room + have, in->room_size - have);

		in->ended = got == 0;
		have += got;
		in->end_offset += got;
	}
	in->end = in->room + have;
}

size_t input_more(struct input *in, size_t need)
{
	if (need > LIMIT_INPUT_BYTES)
		need = LIMIT_INPUT_BYTES;
	fill(in, need);
	return input_at_hand(in);
}

uint64_t input_used(const struct input *in)
{
	while (in->below != NULL)
		in = in->below;
	return input_offset(in);
}

const struct input *input_fault(const struct input *in)
{
	const struct input *found = NULL;

	for (; in != NULL; in = in->below) {
		if (in->fault.text[0] != '\0')
			found = in;
	}
	return found;
}

/* --- a file descriptor --------------------------------------------------------------------- */

struct file {
	struct input in;
	int fd;
	struct input_stop stop;
};

/* Waits for bytes; false when the run shall stop.  A file that cannot be waited for is ready. */
static bool wait_for_bytes(const struct file *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };

	if (f->stop.stopped == NULL)
		return true;
	do {
		if (f->stop.stopped(f->stop.ctx))
			return false;
	} while (poll(&p, 1, STOP_MS) <= 0);
	return true;
}

/* The end of a file: was there more when reading began? */
static void look_back(const struct file *f, struct input *in)
{
	struct stat st;

	if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size < in->end_offset)
		err_set(&in->fault,
				"became shorter while it was read: to %llu bytes, when %llu were "
				"read",
				(unsigned long long)st.st_size, (unsigned long long)in->end_offset);
}

static size_t file_read(struct input *in, uint8_t *to, size_t n)
{
	struct file *f = (struct file *)in;
	ssize_t got;

	do {
		if (!wait_for_bytes(f))
			return 0;
		got = read(f->fd, to, n);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		err_set(&in->fault, "cannot be read: %s", strerror(errno));
	else if (got == 0)
		look_back(f, in);
	return got < 0 ? 0 : (size_t)got;
}

static void file_close(struct input *in)
{
	struct file *f = (struct file *)in;

	if (f->fd != STDIN_FILENO)
		close(f->fd);
}

static const struct input_ops file_ops = { .read = file_read, .close = file_close };

static struct input *file_new(int fd, const struct input_stop *stop)
{
	struct file *f = (struct file *)input_new(sizeof(*f), &file_ops);

	if (f == NULL)
		return NULL;
	f->fd = fd;
	if (stop != NULL)
		f->stop = *stop;
	return &f->in;
}

static struct input *of_descriptor(
		int fd, bool in_folder, const struct input_stop *stop, struct err *e)
{
	struct input *in;
	struct stat st;

	if (fstat(fd, &st) != 0) {
		err_set(e, "cannot be examined: %s", strerror(errno));
		return NULL;
	}
	if (in_folder && !S_ISREG(st.st_mode)) {
		err_set(e, "is not a regular file");
		return NULL;
	}
	if (S_ISREG(st.st_mode)) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		stop = NULL; /* never makes wait */
	}
	in = file_new(fd, stop);
	if (in == NULL)
		err_set(e, "no memory");
	return in;
}

struct input *input_open(
		const char *path, bool in_folder, const struct input_stop *stop, struct err *e)
{
	if (strcmp(path, "-") == 0 && !in_folder) {
		struct input *in = file_new(STDIN_FILENO, stop);

		if (in == NULL)
			err_set(e, "no memory");
		return in;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (in_folder ? O_NONBLOCK : 0));
	if (fd < 0) {
		err_set(e, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	struct input *in = of_descriptor(fd, in_folder, stop, e);
	if (in == NULL)
		close(fd);
	return in;
}

/* --- memory -------------------------------------------------------------------------------- */

struct memory {
	struct input in;
	struct rd left;
	size_t step;
};

static size_t memory_read(struct input *in, uint8_t *to, size_t n)
{
	struct memory *m = (struct memory *)in;
	struct rd part = rd_first(m->left, n < m->step ? n : m->step);

	if (part.left == 0)
		return 0;
	memcpy(to, part.p, part.left);
	rd_bytes(&m->left, part.left);
	return part.left;
}

static void memory_close(struct input *in)
{
	(void)in;
}

static const struct input_ops memory_ops = { .read = memory_read, .close = memory_close };

struct input *input_memory(const void *bytes, size_t size, size_t step)
{
	struct memory *m = (struct memory *)input_new(sizeof(*m), &memory_ops);

	if (m == NULL)
		return NULL;
	m->left = (struct rd){ bytes, size };
	m->step = step > 0 ? step : SIZE_MAX;
	return &m->in;
}
