/* SPDX-License-Identifier: BSD-3-Clause */
/* _run.c - what a run and its callbacks leave behind, and how to wait for it. */
#include "_run.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLICE_MS = 100,    /* between two looks at signals */
	NOTES_MOST = 1000, /* of a kind; what comes behind is dropped */
};

/* --- notes ------------------------------------------------------------------------------- */

static void leave(struct run *r, struct notes *notes, const struct note *like, const char *file,
		const char *text)
{
	size_t size = strlen(text) + 1;
	struct note *n = malloc(sizeof(*n) + size);

	if (n == NULL)
		return;
	*n = *like;
	n->file = file == NULL ? NULL : strdup(file);
	memcpy(n->text, text, size);
	pthread_mutex_lock(&r->lock);
	if (notes->count < NOTES_MOST) {
		*notes->last = n;
		notes->last = &n->next;
		notes->count++;
		n = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	if (n != NULL)
		free(n->file);
	free(n);
}

static void on_trouble(void *ctx, int status, const char *file, int64_t offset, const char *text)
{
	struct run *r = ctx;

	leave(r, &r->troubles, &(struct note){ .status = status, .offset = offset }, file, text);
}

static void on_log(void *ctx, enum joy_level level, const char *text)
{
	struct run *r = ctx;

	leave(r, &r->log, &(struct note){ .status = (int)level, .offset = -1 }, NULL, text);
}

static void notes_free(struct notes *notes)
{
	struct note *n = notes->first;

	while (n != NULL) {
		struct note *next = n->next;

		free(n->file);
		free(n);
		n = next;
	}
}

static PyObject *note_tuple(const struct note *n)
{
	PyObject *file = n->file == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeFSDefault(n->file);
	PyObject *offset = n->offset < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(n->offset);
	PyObject *text = PyUnicode_DecodeFSDefault(n->text);

	return Py_BuildValue("(iNNN)", n->status, file, offset, text);
}

PyObject *run_notes(struct run *r, const struct notes *notes)
{
	PyObject *list = PyList_New(0);
	const struct note *n;
	size_t count;

	pthread_mutex_lock(&r->lock); /* notes are only added: those there now stay as they are */
	n = notes->first;
	count = notes->count;
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; list != NULL && i < count; i++) {
		PyObject *tuple = note_tuple(n);

		if (tuple == NULL || PyList_Append(list, tuple) < 0)
			Py_CLEAR(list);
		Py_XDECREF(tuple);
		if (i + 1 < count)
			n = n->next;
	}
	return list;
}

/* --- a run ------------------------------------------------------------------------------- */

struct run *run_new(void)
{
	struct run *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->joy = joy_new();
	if (r->joy == NULL) {
		free(r);
		return NULL;
	}
	atomic_init(&r->owners, 1);
	pthread_mutex_init(&r->lock, NULL);
	r->troubles.last = &r->troubles.first;
	r->log.last = &r->log.first;
	joy_on_trouble(r->joy, on_trouble, r);
	joy_on_log(r->joy, on_log, r);
	return r;
}

struct run *run_own(struct run *r)
{
	atomic_fetch_add(&r->owners, 1);
	return r;
}

void run_drop(struct run *r)
{
	if (atomic_fetch_sub(&r->owners, 1) > 1)
		return;
	joy_free(r->joy);
	schema_drop(r->schema);
	notes_free(&r->troubles);
	notes_free(&r->log);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* --- signals ----------------------------------------------------------------------------- */

PyObject *raised_take(void)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (value != NULL && traceback != NULL)
		PyException_SetTraceback(value, traceback);
	Py_XDECREF(type);
	Py_XDECREF(traceback);
	return value;
}

void raised_set(PyObject *exception)
{
	PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
	Py_DECREF(exception);
}

/* A pipe's first line may be long in coming; later the run has another thread, which has no
 * business with the interpreter. */
static int on_progress(void *ctx)
{
	const struct run *r = ctx;
	PyGILState_STATE state;
	int raised;

	if (!pthread_equal(pthread_self(), r->opener))
		return 0;
	state = PyGILState_Ensure();
	raised = PyErr_CheckSignals();
	PyGILState_Release(state);
	return raised;
}

void run_hears_signals(struct run *r)
{
	r->opener = pthread_self();
	joy_on_progress(r->joy, on_progress, r);
}

bool run_wait(struct run *r)
{
	for (;;) {
		int ready;

		Py_BEGIN_ALLOW_THREADS ready = joy_stream_wait(r->joy, SLICE_MS);
		Py_END_ALLOW_THREADS if (ready) return true;
		if (PyErr_CheckSignals() < 0) /* calls handlers in the main thread only */
			return false;
	}
}
