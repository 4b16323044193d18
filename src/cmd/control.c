/* SPDX-License-Identifier: BSD-3-Clause */
/* control.c - words into questions, answers into text. */
#include "cmd/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/listen.h"

static const char *const words[] = { "stats", "flows", "reload", "rotate", "health" };

bool control_read(const char *bytes, size_t size, enum control_word *word)
{
	const char *end = memchr(bytes, '\n', size);

	*word = CONTROL_UNKNOWN;
	if (end == NULL)
		return size >= LIMIT_QUESTION_BYTES;
	for (unsigned i = 0; i < CONTROL_UNKNOWN; i++)
		if (strlen(words[i]) == (size_t)(end - bytes) &&
				memcmp(words[i], bytes, strlen(words[i])) == 0)
			*word = (enum control_word)i;
	return true;
}

void control_write(struct buf *answer, const char *failure, const char *text)
{
	if (failure != NULL)
		buf_printf(answer, "error: %s\n", failure);
	else
		buf_text(answer, "ok\n");
	if (text == NULL || text[0] == '\0')
		return;
	buf_text(answer, text);
	if (text[strlen(text) - 1] != '\n')
		buf_byte(answer, '\n');
}

/* --- the client -------------------------------------------------------------------------- */

static bool exchange(int fd, const char *word, struct buf *answer, struct err *e)
{
	char question[64];
	int size = snprintf(question, sizeof(question), "%s\n", word);
	ssize_t n;

	if (send(fd, question, (size_t)size, 0) != size)
		return err_set(e, "cannot ask: %s", strerror(errno));
	do {
		char *to = buf_reserve(answer, 65536);

		if (to == NULL)
			return err_set(e, "the answer is too long");
		n = read(fd, to, 65536);
		buf_commit(answer, n > 0 ? (size_t)n : 0);
	} while (n > 0 || (n == -1 && errno == EINTR));
	return n == 0 ||
	       err_set(e, "no answer: %s", errno == EAGAIN ? "it is too busy" : strerror(errno));
}

static bool print(const struct buf *answer, struct err *e)
{
	const char *end = answer->size == 0 ? NULL : memchr(answer->p, '\n', answer->size);
	size_t first = end == NULL ? answer->size : (size_t)(end - answer->p);

	if (end == NULL)
		return err_set(e, "the connection was closed without an answer");
	if (first > 7 && memcmp(answer->p, "error: ", 7) == 0)
		return err_set(e, "%.*s", (int)(first - 7), answer->p + 7);
	first++;
	return (fwrite(answer->p + first, 1, answer->size - first, stdout) ==
					       answer->size - first &&
			       fflush(stdout) == 0) ||
	       err_set(e, "cannot write to standard output: %s", strerror(errno));
}

bool control_ask(const char *path, const char *word, struct err *e)
{
	struct buf answer = buf_new(LIMIT_ANSWER_BYTES);
	int fd;

	if (!listen_connect(path, &fd, e))
		return false;
	bool good = exchange(fd, word, &answer, e) && print(&answer, e);

	close(fd);
	buf_free(&answer);
	return good;
}
