/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_sftp.c - ask and wait for the answer; write and read with many requests on their way.
 *
 *     uint32 length | byte type | uint32 id | what the type has        (3)
 *
 * Strings have a length of 32 bits; attributes a word of flags that says what follows (5).
 */
#include "sink/upload_sftp.h"

#include "base/limits.h"
#include "base/rd.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

enum type {
	INIT = 1,
	VERSION = 2,
	OPEN = 3,
	CLOSE = 4,
	READ = 5,
	WRITE = 6,
	FSTAT = 8,
	FSETSTAT = 10,
	REMOVE = 13,
	STAT = 17,
	RENAME = 18,
	STATUS = 101,
	HANDLE = 102,
	DATA = 103,
	ATTRS = 105,
	EXTENDED = 200,
};
enum { OPEN_READ = 1, OPEN_WRITE = 2, OPEN_CREAT = 8 };
enum { ATTR_SIZE = 1, ATTR_PERMISSIONS = 4 };
enum { STATUS_OK = 0, STATUS_EOF = 1 };

/* Every server takes 32 KiB in one request (3); so many of them fill a long line. */
enum { CHUNK = 32768, WINDOW = 32, HEAD = 5, UNSENT = 512 << 10 };

static const char sync_name[] = "fsync@openssh.com";

/* --- requests -----------------------------------------------------------------------------------
 */

static void put(struct buf *b, uint64_t value, unsigned bytes)
{
	while (bytes-- > 0)
		buf_byte(b, (char)(value >> 8 * bytes & 0xff));
}

static void put_string(struct buf *b, const void *bytes, size_t size)
{
	put(b, size, 4);
	buf_bytes(b, bytes, size);
}

static void put_text(struct buf *b, const char *text)
{
	put_string(b, text, strlen(text));
}

/* Sent bytes are dropped first, so that the buffer stays small while one window follows another. */
static struct buf *begin(struct upload_sftp *s, enum type type, size_t *start)
{
	struct upload_pipe *p = s->pipe;

	if (p->sent > 0) {
		p->out.size -= p->sent;
		memmove(p->out.p, p->out.p + p->sent, p->out.size);
		p->sent = 0;
	}
	p->moved_ms = upload_now_ms(); /* what came before may have taken long elsewhere */
	*start = p->out.size;
	put(&p->out, 0, 4); /* the length comes at the end */
	put(&p->out, type, 1);
	put(&p->out, ++s->last, 4);
	return &p->out;
}

static void finish(struct buf *b, size_t start)
{
	if (!buf_ok(b))
		return; /* noticed by whoever waits for the answer */
	const size_t size = b->size - start - 4;
	for (size_t i = 0; i < 4; i++)
		b->p[start + i] = (char)(size >> 8 * (3 - i) & 0xff);
}

static void ask_path(struct upload_sftp *s, enum type type, const char *path)
{
	size_t start;
	struct buf *b = begin(s, type, &start);

	put_text(b, path);
	finish(b, start);
}

static void ask_handle(struct upload_sftp *s, enum type type, const struct upload_handle *h)
{
	size_t start;
	struct buf *b = begin(s, type, &start);

	put_string(b, h->bytes, h->size);
	finish(b, start);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static enum upload_sftp_result gone(struct upload_sftp *s, const char *text)
{
	err_set(&s->why, "%s", text);
	return SFTP_GONE;
}

/* The next packet, if it has come whole; its bytes stay until the next turn of the pipe. */
static enum upload_sftp_result next_packet(struct upload_sftp *s, struct rd *packet, bool *whole)
{
	struct upload_pipe *p = s->pipe;

	*whole = false;
	if (p->in.size - p->taken < 4)
		return SFTP_GOOD;

	struct rd r = { (const uint8_t *)p->in.p + p->taken, p->in.size - p->taken };
	const uint32_t size = rd_u32(&r);
	if (size < HEAD || size > LIMIT_SFTP_PACKET)
		return gone(s, "the other side does not speak SFTP (does its shell print something "
			       "at the start?)");
	if (r.left < size)
		return SFTP_GOOD;
	*packet = rd_bytes(&r, size);
	*whole = true;
	p->taken += 4 + size;
	return SFTP_GOOD;
}

static enum upload_sftp_result wait_packet(struct upload_sftp *s, struct rd *packet)
{
	enum upload_sftp_result result;
	bool whole;

	while ((result = next_packet(s, packet, &whole)) == SFTP_GOOD && !whole) {
		if (!buf_ok(&s->pipe->out))
			return gone(s, "no memory");
		if (!upload_pipe_turn(s->pipe, &s->why))
			return SFTP_GONE;
	}
	return result;
}

/*
 * Waits for the answer to request 'id'.  Those to requests that nobody waits for any more, since
 * one before them was refused, are skipped.
 */
static enum upload_sftp_result wait_answer(
		struct upload_sftp *s, uint32_t id, enum type *type, struct rd *body)
{
	for (unsigned i = 0; i <= 2 * WINDOW; i++) {
		const enum upload_sftp_result result = wait_packet(s, body);

		if (result != SFTP_GOOD)
			return result;
		*type = rd_u8(body);
		if (rd_u32(body) == id && rd_ok(body))
			return SFTP_GOOD;
	}
	return gone(s, "the other side answers what was not asked");
}

static const char *code_text(uint32_t code)
{
	switch (code) {
	case SFTP_NO_SUCH_FILE:
		return "no such file or folder";
	case SFTP_PERMISSION_DENIED:
		return "permission denied";
	case SFTP_FAILURE:
		return "failure (a full disk, a quota?)";
	default:
		return "refused";
	}
}

/* The body of a status: good, or why not.  The server's own words are not repeated. */
static enum upload_sftp_result take_status(struct upload_sftp *s, enum type type, struct rd body)
{
	if (type != STATUS)
		return gone(s, "the other side answers with what was not asked");
	s->code = rd_u32(&body);
	if (!rd_ok(&body))
		return gone(s, "the other side's answer is cut short");
	if (s->code == STATUS_OK)
		return SFTP_GOOD;
	err_set(&s->why, "%s", code_text(s->code));
	return SFTP_REFUSED;
}

static enum upload_sftp_result wait_status(struct upload_sftp *s)
{
	enum type type;
	struct rd body;
	const enum upload_sftp_result result = wait_answer(s, s->last, &type, &body);

	return result != SFTP_GOOD ? result : take_status(s, type, body);
}

/* An answer of that type, or a status that says why there is none. */
static enum upload_sftp_result wait_type(struct upload_sftp *s, enum type wanted, struct rd *body)
{
	enum type type;
	enum upload_sftp_result result = wait_answer(s, s->last, &type, body);

	if (result == SFTP_GOOD && type != wanted) {
		result = take_status(s, type, *body);
		if (result == SFTP_GOOD)
			result = gone(s, "the other side answers with what was not asked");
	}
	return result;
}

/* --- one request, one answer --------------------------------------------------------------------
 */

enum upload_sftp_result upload_sftp_begin(struct upload_sftp *s, struct upload_pipe *pipe)
{
	struct rd r;

	*s = (struct upload_sftp){ .pipe = pipe, .last = 2 }; /* it stands in the version's place */
	size_t start;
	struct buf *b = begin(s, INIT, &start);
	finish(b, start);
	const enum upload_sftp_result result = wait_packet(s, &r);
	if (result != SFTP_GOOD)
		return result;
	if (rd_u8(&r) != VERSION || rd_u32(&r) != 3)
		return gone(s, "the other side does not speak SFTP version 3");
	while (rd_more(&r)) {
		const struct rd name = rd_block(&r, 4);

		rd_block(&r, 4);
		if (name.left == sizeof sync_name - 1 && memcmp(name.p, sync_name, name.left) == 0)
			s->can_sync = true;
	}
	return SFTP_GOOD;
}

static enum upload_sftp_result wait_size(struct upload_sftp *s, uint64_t *size)
{
	struct rd body;
	const enum upload_sftp_result result = wait_type(s, ATTRS, &body);

	if (result != SFTP_GOOD)
		return result;
	const bool told = (rd_u32(&body) & ATTR_SIZE) != 0;
	*size = rd_uint(&body, 8);
	return told && rd_ok(&body) ? SFTP_GOOD : gone(s, "the other side tells no sizes");
}

enum upload_sftp_result upload_sftp_size(struct upload_sftp *s, const char *path, uint64_t *size)
{
	ask_path(s, STAT, path);
	return wait_size(s, size);
}

enum upload_sftp_result upload_sftp_open(struct upload_sftp *s, const char *path, bool create,
		uint32_t mode, struct upload_handle *out)
{
	size_t start;
	struct buf *b = begin(s, OPEN, &start);
	struct rd body;

	put_text(b, path);
	put(b, create ? OPEN_READ | OPEN_WRITE | OPEN_CREAT : OPEN_READ, 4);
	put(b, create ? ATTR_PERMISSIONS : 0, 4);
	if (create)
		put(b, mode, 4);
	finish(b, start);

	const enum upload_sftp_result result = wait_type(s, HANDLE, &body);
	if (result != SFTP_GOOD)
		return result;
	const struct rd handle = rd_block(&body, 4);
	if (!rd_ok(&handle) || handle.left > SFTP_HANDLE)
		return gone(s, "the other side's answer is cut short");
	memcpy(out->bytes, handle.p, handle.left);
	out->size = handle.left;
	return SFTP_GOOD;
}

enum upload_sftp_result upload_sftp_close(struct upload_sftp *s, const struct upload_handle *h)
{
	ask_handle(s, CLOSE, h);
	return wait_status(s);
}

enum upload_sftp_result upload_sftp_cut(
		struct upload_sftp *s, const struct upload_handle *h, uint64_t size)
{
	size_t start;
	struct buf *b = begin(s, FSETSTAT, &start);

	put_string(b, h->bytes, h->size);
	put(b, ATTR_SIZE, 4);
	put(b, size, 8);
	finish(b, start);
	return wait_status(s);
}

enum upload_sftp_result upload_sftp_sync(struct upload_sftp *s, const struct upload_handle *h)
{
	size_t start;

	if (!s->can_sync)
		return SFTP_GOOD;
	struct buf *b = begin(s, EXTENDED, &start);
	put_text(b, sync_name);
	put_string(b, h->bytes, h->size);
	finish(b, start);
	return wait_status(s);
}

enum upload_sftp_result upload_sftp_rename(struct upload_sftp *s, const char *from, const char *to)
{
	size_t start;
	struct buf *b = begin(s, RENAME, &start);

	put_text(b, from);
	put_text(b, to);
	finish(b, start);
	return wait_status(s);
}

enum upload_sftp_result upload_sftp_remove(struct upload_sftp *s, const char *path)
{
	ask_path(s, REMOVE, path);
	return wait_status(s);
}

/* --- many requests ------------------------------------------------------------------------------
 */

/* Appends one write request with bytes right out of the file. */
static enum upload_sftp_result ask_write(struct upload_sftp *s, const struct upload_handle *h,
		int fd, uint64_t at, size_t size)
{
	size_t start;
	struct buf *b = begin(s, WRITE, &start);

	put_string(b, h->bytes, h->size);
	put(b, at, 8);
	put(b, size, 4);
	char *to = buf_reserve(b, size);
	if (to == NULL)
		return gone(s, "no memory");

	const ssize_t n = pread(fd, to, size, (off_t)at);
	if (n != (ssize_t)size) {
		err_set(&s->why, "%s", n < 0 ? strerror(errno) : "it has become shorter");
		b->size = start; /* never asked */
		return SFTP_LOCAL;
	}
	buf_commit(b, size);
	finish(b, start);
	return SFTP_GOOD;
}

static size_t chunk_of(uint64_t at, uint64_t to)
{
	return to - at < CHUNK ? (size_t)(to - at) : CHUNK;
}

enum upload_sftp_result upload_sftp_write(struct upload_sftp *s, const struct upload_handle *h,
		int fd, uint64_t from, uint64_t to)
{
	enum upload_sftp_result result = SFTP_GOOD;
	unsigned waiting = 0;

	/* Answers are only counted: whatever their order, each has to be good. */
	while (result == SFTP_GOOD && (from < to || waiting > 0)) {
		if (from < to && waiting < WINDOW && upload_pipe_unsent(s->pipe) < UNSENT) {
			const size_t size = chunk_of(from, to);

			result = ask_write(s, h, fd, from, size);
			from += size;
			waiting++;
			continue;
		}

		struct rd body;
		result = wait_packet(s, &body);
		if (result == SFTP_GOOD) {
			const enum type type = rd_u8(&body);

			rd_u32(&body);
			waiting--;
			result = take_status(s, type, body);
		}
	}
	return result;
}

static void ask_read(struct upload_sftp *s, const struct upload_handle *h, uint64_t at, size_t size)
{
	size_t start;
	struct buf *b = begin(s, READ, &start);

	put_string(b, h->bytes, h->size);
	put(b, at, 8);
	put(b, size, 4);
	finish(b, start);
}

/* Takes the answer to request 'id'; 0 bytes at the file's end. */
static enum upload_sftp_result wait_data(struct upload_sftp *s, uint32_t id, struct rd *data)
{
	enum type type;
	struct rd body;
	enum upload_sftp_result result = wait_answer(s, id, &type, &body);

	*data = (struct rd){ (const uint8_t *)"", 0 };
	if (result != SFTP_GOOD)
		return result;
	if (type == DATA) {
		*data = rd_block(&body, 4);
		return rd_ok(data) ? SFTP_GOOD : gone(s, "the other side's answer is cut short");
	}
	result = take_status(s, type, body);
	return result == SFTP_REFUSED && s->code == STATUS_EOF ? SFTP_GOOD : result;
}

/*
 * Hashes 'size' bytes with 'window' requests on their way.  'read' is less at the end when an
 * answer was shorter than asked for.
 */
static enum upload_sftp_result hash_remote(struct upload_sftp *s, const struct upload_handle *h,
		uint64_t size, unsigned window, EVP_MD_CTX *md, uint64_t *read)
{
	uint64_t asked = 0;
	unsigned waiting = 0;

	for (*read = 0; *read < size;) {
		if (asked < size && waiting < window) {
			const size_t n = chunk_of(asked, size);

			ask_read(s, h, asked, n);
			asked += n;
			waiting++;
			continue;
		}

		struct rd data;
		const size_t wanted = chunk_of(*read, size);
		const enum upload_sftp_result result = wait_data(s, s->last - waiting + 1, &data);
		if (result != SFTP_GOOD)
			return result;
		if (data.left > wanted || EVP_DigestUpdate(md, data.p, data.left) != 1)
			return gone(s, "the other side answers more than was asked for");
		*read += data.left;
		waiting--;
		if (data.left < wanted && (window > 1 || data.left == 0))
			return SFTP_GOOD;
		if (window == 1)
			asked = *read;
	}
	return SFTP_GOOD;
}

/* All at once; then, for servers that give less than they are asked for, piece by piece. */
static enum upload_sftp_result compare_bytes(struct upload_sftp *s, const struct upload_handle *h,
		uint64_t size, const uint8_t hash[SFTP_HASH], EVP_MD_CTX *md, bool *same)
{
	static const unsigned windows[] = { WINDOW, 1 };
	enum upload_sftp_result result = SFTP_GOOD;
	uint64_t read = 0;

	for (size_t i = 0; i < 2 && result == SFTP_GOOD && (i == 0 || read < size); i++) {
		if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
			return gone(s, "no SHA-256");
		result = hash_remote(s, h, size, windows[i], md, &read);
	}

	uint8_t found[EVP_MAX_MD_SIZE];
	*same = result == SFTP_GOOD && read == size && EVP_DigestFinal_ex(md, found, NULL) == 1 &&
		memcmp(found, hash, SFTP_HASH) == 0;
	return result;
}

enum upload_sftp_result upload_sftp_compare(struct upload_sftp *s, const struct upload_handle *h,
		uint64_t size, const uint8_t hash[SFTP_HASH], bool *same)
{
	uint64_t is = 0;

	*same = false;
	ask_handle(s, FSTAT, h);
	enum upload_sftp_result result = wait_size(s, &is);
	if (result != SFTP_GOOD || is != size)
		return result;

	EVP_MD_CTX *md = EVP_MD_CTX_new();
	result = md == NULL ? gone(s, "no memory") : compare_bytes(s, h, size, hash, md, same);
	EVP_MD_CTX_free(md);
	return result;
}
