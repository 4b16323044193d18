/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * _run.h - a handle of libjoy that a Python object and the streams from it own together, the
 * notes that its callbacks leave, and the stream that consumers get.
 *
 * A consumer may call a stream with the interpreter lock or without it, and in threads that Python
 * has never seen; it may release it after the Python object is gone.  So what it needs is no Python
 * object, and the lock is let go of wherever something may take its time.
 */
#pragma once

#define Py_LIMITED_API 0x030a0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "joy.h"
#include "record/arrow.h"

/* What a callback has said. */
struct note {
	struct note *next;
	int status;     /* JOY_ status of a trouble, JOY_LOG_ level of a line of the log */
	int64_t offset; /* -1: none */
	char *file;     /* NULL: none */
	char text[];
};

struct notes {
	struct note *first, **last;
	size_t count;
};

/* A schema that is given out in copies. */
struct schema;

struct run {
	struct joy *joy;
	struct schema *schema; /* of its stream; NULL before there is one */
	atomic_int owners;
	atomic_bool over;     /* its stream has given the end, or an error */
	atomic_bool told;     /* somebody has told of damaged input, or is about to */
	pthread_t opener;     /* the thread that begins its stream */
	bool refuse;          /* damaged input makes the end of the stream an error */
	pthread_mutex_t lock; /* of the notes */
	struct notes troubles, log;
};

struct run *run_new(void); /* NULL without memory */
struct run *run_own(struct run *r);
void run_drop(struct run *r); /* with or without the interpreter lock */

/* A list of tuples (status, file, offset, text); NULL with an exception. */
PyObject *run_notes(struct run *r, const struct notes *notes);

/* While the stream is begun by this thread, which may wait for a pipe, handlers of signals are
 * called; one that raises ends that. */
void run_hears_signals(struct run *r);

/*
 * Waits until get_next() of the run's stream would not wait.  The caller holds the interpreter
 * lock, which is let go of meanwhile.  False with an exception: a handler of a signal raised it.
 */
bool run_wait(struct run *r);

/* The exception that is set, and none is set then; and the way back. */
PyObject *raised_take(void);
void raised_set(PyObject *exception);

/* Moves a stream of the run into a capsule; NULL with an exception, and the stream is released. */
#define GUARD_CAPSULE "arrow_array_stream"
PyObject *guard_capsule(struct run *r, struct ArrowArrayStream *inner);

/* --- _schema.c: takes the original over; NULL without memory. */
#define SCHEMA_CAPSULE "arrow_schema"
struct schema *schema_new(const struct ArrowSchema *original);
void schema_drop(struct schema *s);         /* NULL is fine */
PyObject *schema_capsule(struct schema *s); /* a copy; NULL with an exception */

/* --- _interrupt.c: has SIGINTs of the process counted until interrupt_leave(); the count. */
unsigned interrupt_watch(void);
unsigned interrupt_count(void);
void interrupt_leave(void);
