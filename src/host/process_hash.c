/* SPDX-License-Identifier: BSD-3-Clause */
/* process_hash.c - hash executables once each, in a thread with a queue before and one behind it.
 */
#include "host/process_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/hash.h"

/* --- cache -------------------------------------------------------------------------------------
 */

enum { WAYS = 4, SETS = LIMIT_PROCESS_HASHES / WAYS, READ_BYTES = 1 << 18 };

struct cached {
	struct hash_file file; /* inode 0: free */
	uint8_t hash[HASH_BYTES];
};

struct hash_cache {
	uint64_t seed;
	struct cached item[SETS][WAYS];
	uint8_t next[SETS]; /* who leaves next */
	uint8_t buffer[READ_BYTES];
};

struct hash_cache *hash_cache_new(void)
{
	struct hash_cache *c = calloc(1, sizeof *c);

	if (c != NULL)
		c->seed = hash_seed();
	return c;
}

void hash_cache_free(struct hash_cache *c)
{
	free(c);
}

static size_t set_of(const struct hash_cache *c, const struct hash_file *f)
{
	return hash_bytes(f, sizeof *f, c->seed) % SETS;
}

bool hash_cache_get(const struct hash_cache *c, const struct hash_file *f, uint8_t out[HASH_BYTES])
{
	const struct cached *set = c->item[set_of(c, f)];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].file.inode != 0 && memcmp(&set[i].file, f, sizeof *f) == 0) {
			memcpy(out, set[i].hash, HASH_BYTES);
			return true;
		}
	}
	return false;
}

void hash_cache_put(struct hash_cache *c, const struct hash_file *f, const uint8_t hash[HASH_BYTES])
{
	size_t set = set_of(c, f);
	struct cached *to = &c->item[set][c->next[set]++ % WAYS];

	to->file = *f;
	memcpy(to->hash, hash, HASH_BYTES);
}

/* --- one file ----------------------------------------------------------------------------------
 */

static bool identify(int fd, struct hash_file *f)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
#ifdef __APPLE__
	const struct timespec modified = st.st_mtimespec;
#else
	const struct timespec modified = st.st_mtim;
#endif
	*f = (struct hash_file){ .device = (uint64_t)st.st_dev,
		.inode = (uint64_t)st.st_ino,
		.size = (uint64_t)st.st_size,
		.modified_ns = modified.tv_sec * INT64_C(1000000000) + modified.tv_nsec };
	return f->size <= LIMIT_PROCESS_EXECUTABLE;
}

static bool digest_file(struct hash_cache *c, int fd, EVP_MD_CTX *ctx, uint8_t out[HASH_BYTES])
{
	uint64_t total = 0;
	ssize_t n;

	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		return false;
	while ((n = read(fd, c->buffer, sizeof c->buffer)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		total += n < 0 ? 0 : (uint64_t)n;
		if (n < 0 || total > LIMIT_PROCESS_EXECUTABLE ||
				EVP_DigestUpdate(ctx, c->buffer, (size_t)n) != 1)
			return false;
	}
	return EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

bool hash_open_file(struct hash_cache *c, int fd, uint8_t out[HASH_BYTES])
{
	struct hash_file before, after;
	EVP_MD_CTX *ctx;
	bool good;

	if (!identify(fd, &before))
		return false;
	if (hash_cache_get(c, &before, out))
		return true;
	ctx = EVP_MD_CTX_new();
	good = ctx != NULL && digest_file(c, fd, ctx, out) && identify(fd, &after) &&
	       memcmp(&before, &after, sizeof before) == 0;
	EVP_MD_CTX_free(ctx);
	if (good)
		hash_cache_put(c, &before, out);
	return good;
}

/* --- the thread --------------------------------------------------------------------------------
 */

struct queue {
	struct hash_job *job; /* LIMIT_PROCESS_JOBS */
	size_t first, count;
};

struct hasher {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	bool stop;
	struct queue in, out;
	struct hash_cache *cache;
	int pipe[2]; /* a byte for each result */
};

static bool queue_push(struct queue *q, const struct hash_job *job)
{
	if (q->count == LIMIT_PROCESS_JOBS)
		return false;
	q->job[(q->first + q->count++) % LIMIT_PROCESS_JOBS] = *job;
	return true;
}

static bool queue_pop(struct queue *q, struct hash_job *job)
{
	if (q->count == 0)
		return false;
	*job = q->job[q->first];
	q->first = (q->first + 1) % LIMIT_PROCESS_JOBS;
	q->count--;
	return true;
}

static bool is_right(int fd, uint64_t inode)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (inode == 0 || (uint64_t)st.st_ino == inode);
}

/* Opens a file if it is the one that runs; else -1. */
static int open_if_right(const char *path, uint64_t inode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0 && !is_right(fd, inode)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* By the process; when it is gone, by its path, and by that in its parent's view of files. */
static int open_executable(const struct hash_job *job)
{
	char path[HASH_PATH + 32];
	int fd;

	snprintf(path, sizeof path, "/proc/%u/exe", job->pid);
	fd = open_if_right(path, job->inode);
	if (fd < 0 && job->path[0] == '/')
		fd = open_if_right(job->path, job->inode);
	if (fd < 0 && job->path[0] == '/' && job->inode != 0 && job->parent_pid != 0) {
		snprintf(path, sizeof path, "/proc/%u/root%s", job->parent_pid, job->path);
		fd = open_if_right(path, job->inode);
	}
	return fd;
}

static bool work(struct hasher *h, struct hash_job *job)
{
	int fd = open_executable(job);
	bool good;

	if (fd < 0)
		return false;
	good = hash_open_file(h->cache, fd, job->hash);
	close(fd);
	return good;
}

static void *run(void *arg)
{
	struct hasher *h = arg;
	struct hash_job job;

	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		if (!queue_pop(&h->in, &job)) {
			pthread_cond_wait(&h->asked, &h->lock);
			continue;
		}
		pthread_mutex_unlock(&h->lock);
		bool good = work(h, &job);
		pthread_mutex_lock(&h->lock);
		if (good && queue_push(&h->out, &job) && write(h->pipe[1], "", 1) < 0)
			h->stop = errno != EAGAIN; /* EAGAIN: it is readable anyway */
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static bool make(struct hasher *h)
{
	h->in.job = calloc(LIMIT_PROCESS_JOBS, sizeof *h->in.job);
	h->out.job = calloc(LIMIT_PROCESS_JOBS, sizeof *h->out.job);
	h->cache = hash_cache_new();
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->asked, NULL);
	if (h->in.job == NULL || h->out.job == NULL || h->cache == NULL || pipe(h->pipe) != 0)
		return false;
	for (int i = 0; i < 2; i++) {
		fcntl(h->pipe[i], F_SETFL, O_NONBLOCK);
		fcntl(h->pipe[i], F_SETFD, FD_CLOEXEC);
	}
	return true;
}

static void destroy(struct hasher *h)
{
	for (int i = 0; i < 2; i++)
		if (h->pipe[i] >= 0)
			close(h->pipe[i]);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->asked);
	hash_cache_free(h->cache);
	free(h->in.job);
	free(h->out.job);
	free(h);
}

struct hasher *hasher_new(struct err *e)
{
	struct hasher *h = calloc(1, sizeof *h);

	if (h == NULL) {
		err_set(e, "no memory to hash executables");
		return NULL;
	}
	h->pipe[0] = h->pipe[1] = -1;
	if (!make(h) || pthread_create(&h->thread, NULL, run, h) != 0) {
		err_set(e, "no thread to hash executables");
		destroy(h);
		return NULL;
	}
	return h;
}

void hasher_free(struct hasher *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->asked);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	destroy(h);
}

bool hasher_ask(struct hasher *h, const struct hash_job *job)
{
	bool good;

	pthread_mutex_lock(&h->lock);
	good = queue_push(&h->in, job);
	pthread_cond_signal(&h->asked);
	pthread_mutex_unlock(&h->lock);
	return good;
}

int hasher_fd(const struct hasher *h)
{
	return h->pipe[0];
}

bool hasher_next(struct hasher *h, struct hash_job *done)
{
	char bytes[64];
	bool good;

	pthread_mutex_lock(&h->lock);
	good = queue_pop(&h->out, done);
	if (!good)
		while (read(h->pipe[0], bytes, sizeof bytes) > 0)
			;
	pthread_mutex_unlock(&h->lock);
	return good;
}
