/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mapped.c - a plain file through a window that slides over its mapping.
 *
 * The address range of the whole file is reserved at once, so a packet never straddles; but only
 * WINDOW bytes before the window's end have pages, and those behind are given back, so memory
 * stays small whatever the file's size.  Windows are aligned so that the kernel can use huge pages.
 *
 * If another process cuts the file, touching a page past its new end kills (SIGBUS).  So the size
 * is asked for before each batch and each window.  What remains is a cut in the time that one batch
 * is worked on, well under a millisecond; giving the file as standard input avoids it.
 */
#include "source/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW = 4 << 20,
	HUGE_PAGE = 2 << 20,
};

struct mapped {
	struct input in;
	int fd;
	uint64_t size;
	uint8_t *map;        /* start of the range that is still mapped */
	size_t map_size;     /* its bytes */
	uint64_t map_offset; /* of 'map' in the file */
};

static bool map_from(struct mapped *m, uint64_t offset)
{
	offset -= offset % HUGE_PAGE;
	if (m->size - offset > SIZE_MAX / 2)
		return false;
	size_t size = (size_t)(m->size - offset);
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, m->fd, (off_t)offset);
	if (map == MAP_FAILED)
		return false;
	madvise(map, size, MADV_SEQUENTIAL);
	if (m->map != NULL)
		munmap(m->map, m->map_size);
	m->map = map;
	m->map_size = size;
	m->map_offset = offset;
	return true;
}

/* Asks for the file's size; one that grew is followed, one that shrank has lost what is mapped. */
static bool same_size(struct mapped *m)
{
	struct stat st;

	if (fstat(m->fd, &st) != 0)
		return err_set(&m->in.fault, "cannot be examined: %s", strerror(errno));
	if ((uint64_t)st.st_size < m->size)
		return err_set(&m->in.fault,
				"became shorter while it was read: from %llu to %llu bytes",
				(unsigned long long)m->size, (unsigned long long)st.st_size);
	return true;
}

static bool mapped_steady(struct input *in)
{
	return same_size((struct mapped *)in);
}

/* Gives back the huge pages that lie wholly before 'offset'. */
static void give_back(struct mapped *m, uint64_t offset)
{
	size_t done = (size_t)(offset - m->map_offset);

	done -= done % HUGE_PAGE;
	if (done == 0)
		return;
	munmap(m->map, done);
	m->map += done;
	m->map_size -= done;
	m->map_offset += done;
}

/* Takes in what was appended since the file was mapped; false when nothing was. */
static bool grow(struct mapped *m, uint64_t offset)
{
	struct stat st;
	uint64_t before = m->size;

	if (fstat(m->fd, &st) != 0 || (uint64_t)st.st_size <= before)
		return false;
	m->size = (uint64_t)st.st_size;
	if (map_from(m, offset))
		return true;
	m->size = before;
	return false;
}

/*
 * Makes the pages from the window's end to 'to' present.  A page that cannot be read fails here,
 * not at its first touch.  Old kernels do not know the advice; there the pages come when touched.
 */
static bool populate(struct mapped *m, uint64_t from, uint64_t to)
{
	from -= from % HUGE_PAGE;
#ifdef MADV_POPULATE_READ
	if (madvise(m->map + (from - m->map_offset), (size_t)(to - from), MADV_POPULATE_READ) !=
					0 &&
			(errno == EFAULT || errno == EIO || errno == EHWPOISON))
		return err_set(&m->in.fault, "cannot be read near offset %llu: %s",
				(unsigned long long)from, strerror(EIO));
#else
	(void)to;
#endif
	return true;
}

static void mapped_slide(struct input *in, size_t need)
{
	struct mapped *m = (struct mapped *)in;
	uint64_t offset = input_offset(in);

	if (in->end_offset == m->size && !grow(m, offset)) {
		in->ended = true;
		return;
	}
	if (!input_steady(in))
		return;
	uint64_t to = in->end_offset + WINDOW;
	if (to < offset + need)
		to = offset + need;
	to += WINDOW - 1;
	to -= to % WINDOW;
	if (to > m->size)
		to = m->size;
	give_back(m, offset);
	if (!populate(m, in->end_offset, to)) {
		in->ended = true;
		return;
	}
	in->at = m->map + (offset - m->map_offset);
	in->end = m->map + (to - m->map_offset);
	in->end_offset = to;
}

static void mapped_close(struct input *in)
{
	struct mapped *m = (struct mapped *)in;

	if (m->map != NULL)
		munmap(m->map, m->map_size);
	close(m->fd);
}

static const struct input_ops mapped_ops = {
	.slide = mapped_slide,
	.steady = mapped_steady,
	.close = mapped_close,
};

struct input *mapped_open(int fd, uint64_t size)
{
	struct mapped *m = (struct mapped *)input_new(sizeof(*m), &mapped_ops);

	if (m == NULL)
		return NULL;
	m->fd = fd;
	m->size = size;
	if (!map_from(m, 0)) {
		free(m);
		return NULL;
	}
	return &m->in;
}
