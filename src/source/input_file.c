/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input_file.c - the bytes of a file descriptor.
 *
 * Of a large file one window after the other is mapped, so nothing is copied; a window begins
 * where the packet lies that did not fit into the one before.  That saves the copies, and costs
 * less as long as huge pages can serve, which how the file came into the page cache decides: read
 * from a disk it did, freshly written by small pieces it did not, and then it is read, unless
 * several threads look at the bytes: to copy what another processor takes costs more.  Read are
 * also pipes, small files, what cannot be mapped, and all files of a process without the guard of
 * os/mapping.h.
 */
#include "source/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/mapping.h"

enum {
	WINDOW = 2 * MAPPING_ALIGN,
	WORTH_MAPPING = 1 << 20, /* bytes */
	PATIENCE = 16,           /* windows by small pages, until the file is read */
	STOP_MS = 250,           /* how long a request to stop may go unseen */
};

struct file {
	struct input in;
	int fd;
	uint64_t size;        /* of a file that is mapped */
	unsigned small_pages; /* windows in a row that were mapped by small pages */
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
static void look_back(struct file *f)
{
	struct input *in = &f->in;
	struct stat st;

	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	f->size = (uint64_t)st.st_size;
	if (f->size < in->end_offset)
		err_set(&in->fault,
				"became shorter while it was read: to %llu bytes, when %llu were "
				"read",
				(unsigned long long)f->size, (unsigned long long)in->end_offset);
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
		look_back(f);
	return got < 0 ? 0 : (size_t)got;
}

static void file_close(struct input *in)
{
	struct file *f = (struct file *)in;

	if (f->fd != STDIN_FILENO)
		close(f->fd);
}

static const struct input_ops file_ops = { .read = file_read, .close = file_close };

/* --- mapped ---------------------------------------------------------------------------------- */

/* From now on it is read. */
static bool give_up_mapping(struct file *f)
{
	f->in.ops = &file_ops;
	lseek(f->fd, (off_t)f->in.end_offset, SEEK_SET);
	return false;
}

/* The window from the last place that can be mapped before 'at' on, with 'need' bytes behind it. */
static struct input_window next_window(struct file *f, uint64_t at, size_t need)
{
	struct input_window w = { 0 };
	bool huge;
	const uint64_t from = at - at % MAPPING_ALIGN;
	const uint64_t wanted = at % MAPPING_ALIGN + need;
	uint64_t size = (wanted + WINDOW - 1) / WINDOW * WINDOW;

	if (size > f->size - from)
		size = f->size - from;
	w.size = (size_t)size;
	w.bytes = mapping_new(f->fd, from, w.size, &huge);
	f->small_pages = huge ? 0 : f->small_pages + 1;
	return w;
}

static bool mapped_slide(struct input *in, size_t need)
{
	struct file *f = (struct file *)in;
	const uint64_t at = input_offset(in);
	struct input_window w;

	if (!input_steady(in))
		return true;
	if (in->end_offset == f->size) {
		look_back(f);
		in->ended = f->size <= in->end_offset;
		if (in->ended)
			return true;
	}
	if (f->small_pages >= PATIENCE)
		return give_up_mapping(f);
	w = next_window(f, at, need);
	if (w.bytes == NULL)
		return give_up_mapping(f);
	if (!input_move_to(in, &w, w.bytes + at % MAPPING_ALIGN)) {
		mapping_free(w.bytes, w.size);
		return give_up_mapping(f);
	}
	in->end_offset = at - at % MAPPING_ALIGN + w.size;
	return true;
}

static const struct input_ops mapped_ops = {
	.read = file_read, .slide = mapped_slide, .close = file_close
};

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

static void map(struct input *in, uint64_t size)
{
	in->ops = &mapped_ops;
	((struct file *)in)->size = size;
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
	else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size >= WORTH_MAPPING)
		map(in, (uint64_t)st.st_size);
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
