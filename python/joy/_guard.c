/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * _guard.c - the stream that consumers get: libjoy's, with waits that can be interrupted.
 *
 * get_next() waits in slices.  Between them a thread of Python's looks for signals; when a handler
 * raises, the stream fails with EINTR, and the exception is raised once more as soon as the
 * interpreter has control again, since a consumer turns EINTR into an exception of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "_run.h"

enum { SLICE_MS = 100 }; /* between two looks at interrupts in a thread of others */

struct guard {
	struct ArrowArrayStream inner;
	struct run *run;
	const char *error; /* NULL: the inner stream's */
	bool watching;     /* for interrupts: a thread that Python does not know has waited */
	unsigned interrupts;
};

/* The interpreter lock, let go of for a while; in a thread that Python does not know there is none
 * to let go of. */
struct parole {
	bool known;
	PyGILState_STATE state;
	PyThreadState *thread;
};

static struct parole parole_begin(void)
{
	struct parole p = { .known = Py_IsInitialized() &&
				     PyGILState_GetThisThreadState() != NULL };

	if (p.known) {
		p.state = PyGILState_Ensure(); /* held already or not: it is now */
		p.thread = PyEval_SaveThread();
	}
	return p;
}

static void parole_end(const struct parole *p)
{
	if (p->known) {
		PyEval_RestoreThread(p->thread);
		PyGILState_Release(p->state);
	}
}

/* --- what comes later, in the main thread, when the interpreter has control ---------------- */

static int raise_later(void *exception)
{
	raised_set(exception);
	return -1;
}

/* joy.stream.warn(troubles): the consumer may be in any thread. */
static int warn_later(void *ctx)
{
	struct run *r = ctx;
	PyObject *module = PyImport_ImportModule("joy.stream");
	PyObject *troubles = run_notes(r, &r->troubles), *done = NULL;

	if (module != NULL && troubles != NULL)
		done = PyObject_CallMethod(module, "warn", "O", troubles);
	Py_XDECREF(module);
	Py_XDECREF(troubles);
	Py_XDECREF(done);
	run_drop(r);
	return done == NULL ? -1 : 0;
}

/* --- the stream ---------------------------------------------------------------------------- */

/* A handler has raised: keep that for later. */
static void interrupted(struct guard *g)
{
	PyObject *exception = raised_take();

	g->error = "interrupted by a signal";
	if (Py_AddPendingCall(raise_later, exception) == 0)
		return;
	Py_DECREF(exception);
	PyErr_SetInterrupt();
}

/* In a thread that Python does not know.  False: interrupted; the main thread's handler is called
 * once that has control. */
static bool wait_foreign(struct guard *g)
{
	if (!g->watching)
		g->interrupts = interrupt_watch();
	g->watching = true;
	while (!joy_stream_wait(g->run->joy, SLICE_MS)) {
		if (interrupt_count() != g->interrupts) {
			g->error = "interrupted by a signal";
			return false;
		}
	}
	return true;
}

/* False: interrupted. */
static bool wait_next(struct guard *g)
{
	bool good = true;

	if (joy_stream_wait(g->run->joy, 0))
		return true;
	if (!Py_IsInitialized() || PyGILState_GetThisThreadState() == NULL)
		return wait_foreign(g);
	PyGILState_STATE state = PyGILState_Ensure();

	if (!run_wait(g->run)) {
		interrupted(g);
		good = false;
	}
	PyGILState_Release(state);
	return good;
}

/* The end of the stream, or its failure: is there damaged input to tell of? */
static int at_end(struct guard *g, int failed)
{
	struct run *r = g->run;
	struct parole p = parole_begin();
	int status = joy_stream_status(r->joy);

	parole_end(&p);
	atomic_store(&r->over, true);
	if (failed != 0 || status != JOY_DAMAGED)
		return failed;
	if (r->refuse) {
		g->error = joy_error(r->joy);
		return EIO;
	}
	if (!atomic_exchange(&r->told, true) && Py_AddPendingCall(warn_later, run_own(r)) < 0)
		run_drop(r);
	return 0;
}

static int guard_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
	struct guard *g = stream->private_data;
	int failed;

	g->error = NULL;
	out->release = NULL;
	if (!wait_next(g))
		return EINTR;
	failed = g->inner.get_next(&g->inner, out);
	return failed != 0 || out->release == NULL ? at_end(g, failed) : 0;
}

static int guard_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
	struct guard *g = stream->private_data;

	g->error = NULL;
	return g->inner.get_schema(&g->inner, out);
}

static const char *guard_error(struct ArrowArrayStream *stream)
{
	struct guard *g = stream->private_data;

	return g->error != NULL ? g->error : g->inner.get_last_error(&g->inner);
}

/* Ends the run, which may take a moment. */
static void guard_release(struct ArrowArrayStream *stream)
{
	struct guard *g = stream->private_data;
	struct parole p = parole_begin();

	g->inner.release(&g->inner);
	if (g->watching)
		interrupt_leave();
	run_drop(g->run);
	parole_end(&p);
	free(g);
	stream->release = NULL;
}

static void capsule_free(PyObject *capsule)
{
	struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, GUARD_CAPSULE);

	if (stream != NULL && stream->release != NULL)
		stream->release(stream);
	free(stream);
}

/* A stream knows its schema from the beginning. */
static bool keep_schema(struct run *r, struct ArrowArrayStream *inner)
{
	struct ArrowSchema schema;

	if (inner->get_schema(inner, &schema) != 0) {
		PyErr_SetString(PyExc_RuntimeError, inner->get_last_error(inner));
		return false;
	}
	r->schema = schema_new(&schema);
	if (r->schema == NULL) {
		schema.release(&schema);
		PyErr_NoMemory();
	}
	return r->schema != NULL;
}

PyObject *guard_capsule(struct run *r, struct ArrowArrayStream *inner)
{
	struct ArrowArrayStream *stream = malloc(sizeof(*stream));
	struct guard *g = malloc(sizeof(*g));
	PyObject *capsule = NULL;

	if (stream == NULL || g == NULL) {
		PyErr_NoMemory();
	} else if (keep_schema(r, inner)) {
		*g = (struct guard){ .inner = *inner, .run = r };
		*stream = (struct ArrowArrayStream){ guard_schema, guard_next, guard_error,
			guard_release, g };
		capsule = PyCapsule_New(stream, GUARD_CAPSULE, capsule_free);
	}
	if (capsule != NULL) {
		run_own(r);
		return capsule;
	}
	inner->release(inner);
	free(stream);
	free(g);
	return NULL;
}
