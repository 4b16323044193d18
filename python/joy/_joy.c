/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * _joy.c - the extension joy._joy: joy.h for Python, and nothing that joy.h does not have.
 *
 * Methods that can fail return the JOY_ status as a number, and error() has the words; exceptions
 * of its own are for joy/stream.py to raise.  The interpreter lock is let go of around everything
 * that can wait.  Limited API: one binary serves Python 3.10 and later.
 */
#include <stdlib.h>

#include "_run.h"
#include "_texts.h"

struct handle {
	PyObject_HEAD struct run *run;
};

static struct joy *joy_of(PyObject *self)
{
	return ((struct handle *)self)->run->joy;
}

/* --- making, options --------------------------------------------------------------------- */

static PyObject *handle_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
	allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *self = PyArg_ParseTuple(args, "") ? allocate(type, 0) : NULL;

	(void)keywords;
	if (self == NULL)
		return NULL;
	((struct handle *)self)->run = run_new();
	if (((struct handle *)self)->run == NULL) {
		Py_DECREF(self);
		return PyErr_NoMemory();
	}
	return self;
}

static void handle_free(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	struct run *run = ((struct handle *)self)->run;

	if (run != NULL)
		run_drop(run);
	release(self);
	Py_DECREF(type);
}

static PyObject *handle_set(PyObject *self, PyObject *args)
{
	const char *name;
	PyObject *value = NULL, *done;

	if (!PyArg_ParseTuple(args, "sO&", &name, PyUnicode_FSConverter, &value))
		return NULL;
	done = PyLong_FromLong(joy_set(joy_of(self), name, PyBytes_AsString(value)));
	Py_DECREF(value);
	return done;
}

/* A text of the library, which is freed; NULL: None. */
static PyObject *text_object(char *text)
{
	PyObject *object = text == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeFSDefault(text);

	joy_text_free(text);
	return object;
}

static PyObject *handle_get(PyObject *self, PyObject *args)
{
	const char *name;

	if (!PyArg_ParseTuple(args, "s", &name))
		return NULL;
	return text_object(joy_get(joy_of(self), name));
}

static PyObject *handle_text(PyObject *self, PyObject *args)
{
	int what;
	const char *argument = NULL;
	char *text;

	if (!PyArg_ParseTuple(args, "i|z", &what, &argument))
		return NULL;
	Py_BEGIN_ALLOW_THREADS text = joy_text(joy_of(self), (enum joy_text)what, argument);
	Py_END_ALLOW_THREADS return text_object(text);
}

static PyObject *handle_error(PyObject *self, PyObject *unused)
{
	(void)unused;
	return PyUnicode_DecodeFSDefault(joy_error(joy_of(self)));
}

/* --- columns ----------------------------------------------------------------------------- */

static PyObject *handle_columns(PyObject *self, PyObject *args)
{
	struct joy_columns wanted = { 0 };
	struct texts names;
	Py_ssize_t rows, bytes;
	PyObject *list, *done;

	if (!PyArg_ParseTuple(args, "Onnp", &list, &rows, &bytes, &wanted.binary_addresses) ||
			!texts_new(list, &names))
		return NULL;
	wanted.names = names.at;
	wanted.count = names.count;
	wanted.batch_rows = rows < 0 ? 0 : (size_t)rows;
	wanted.batch_bytes = bytes < 0 ? 0 : (size_t)bytes;
	done = PyLong_FromLong(joy_columns(joy_of(self), &wanted));
	texts_free(&names);
	return done;
}

/* A capsule, or the status of what failed. */
static PyObject *handle_schema(PyObject *self, PyObject *args)
{
	struct ArrowSchema original;
	struct schema *schema;
	PyObject *capsule;
	int all, status;

	if (!PyArg_ParseTuple(args, "p", &all))
		return NULL;
	status = joy_schema(joy_of(self), all, &original);
	if (status != JOY_OK)
		return PyLong_FromLong(status);
	schema = schema_new(&original);
	if (schema == NULL) {
		original.release(&original);
		return PyErr_NoMemory();
	}
	capsule = schema_capsule(schema);
	schema_drop(schema);
	return capsule;
}

/* Of its stream, as often as one likes; None before there is one. */
static PyObject *handle_stream_schema(PyObject *self, PyObject *unused)
{
	struct schema *schema = ((struct handle *)self)->run->schema;

	(void)unused;
	return schema == NULL ? Py_NewRef(Py_None) : schema_capsule(schema);
}

/* --- runs -------------------------------------------------------------------------------- */

/* A capsule, or the status of what failed. */
static PyObject *handle_stream(PyObject *self, PyObject *args)
{
	struct run *run = ((struct handle *)self)->run;
	struct ArrowArrayStream inner = { 0 };
	struct texts paths;
	PyObject *list;
	int what, refuse, status;

	if (!PyArg_ParseTuple(args, "Oip", &list, &what, &refuse) || !texts_new(list, &paths))
		return NULL;
	run->refuse = refuse;
	run_hears_signals(run);
	Py_BEGIN_ALLOW_THREADS status =
			joy_stream(run->joy, (enum joy_input)what, paths.at, paths.count, &inner);
	Py_END_ALLOW_THREADS texts_free(&paths);
	if (PyErr_Occurred() != NULL) { /* a signal's handler has raised it */
		if (inner.release != NULL)
			inner.release(&inner);
		return NULL;
	}
	return status == JOY_OK ? guard_capsule(run, &inner) : PyLong_FromLong(status);
}

/* Takes the stream out of a capsule.  False with an exception. */
static bool capsule_take(PyObject *args, struct ArrowArrayStream *out)
{
	struct ArrowArrayStream *in;
	PyObject *capsule;

	if (!PyArg_ParseTuple(args, "O", &capsule))
		return false;
	in = PyCapsule_GetPointer(capsule, GUARD_CAPSULE);
	if (in == NULL)
		return false;
	if (in->release == NULL) {
		PyErr_SetString(PyExc_ValueError, "the stream was consumed already");
		return false;
	}
	*out = *in;
	in->release = NULL;
	return true;
}

static PyObject *handle_rewrite(PyObject *self, PyObject *args)
{
	struct run *run = ((struct handle *)self)->run;
	struct ArrowArrayStream in;
	int status;

	if (!capsule_take(args, &in))
		return NULL;
	Py_BEGIN_ALLOW_THREADS status = joy_rewrite(run->joy, &in);
	Py_END_ALLOW_THREADS atomic_store(&run->over, true);
	return PyLong_FromLong(status);
}

/* A capsule, or the status of what failed. */
static PyObject *handle_stream_rewrite(PyObject *self, PyObject *args)
{
	struct run *run = ((struct handle *)self)->run;
	struct ArrowArrayStream in, out = { 0 };
	int status;

	if (!capsule_take(args, &in))
		return NULL;
	Py_BEGIN_ALLOW_THREADS status = joy_stream_rewrite(run->joy, &in, &out);
	Py_END_ALLOW_THREADS return status == JOY_OK ? guard_capsule(run, &out)
						     : PyLong_FromLong(status);
}

static PyObject *handle_end(PyObject *self, PyObject *unused)
{
	(void)unused;
	joy_stream_end(joy_of(self));
	return Py_NewRef(Py_None);
}

static PyObject *handle_wait(PyObject *self, PyObject *unused)
{
	(void)unused;
	return run_wait(((struct handle *)self)->run) ? Py_NewRef(Py_None) : NULL;
}

/* None while it runs. */
static PyObject *handle_status(PyObject *self, PyObject *unused)
{
	struct run *run = ((struct handle *)self)->run;
	int status;

	(void)unused;
	if (!atomic_load(&run->over))
		return Py_NewRef(Py_None);
	Py_BEGIN_ALLOW_THREADS status = joy_stream_status(run->joy);
	Py_END_ALLOW_THREADS return PyLong_FromLong(status);
}

/* True for the first who asks. */
static PyObject *handle_tell(PyObject *self, PyObject *unused)
{
	(void)unused;
	return PyBool_FromLong(!atomic_exchange(&((struct handle *)self)->run->told, true));
}

static PyObject *handle_troubles(PyObject *self, PyObject *unused)
{
	struct run *run = ((struct handle *)self)->run;

	(void)unused;
	return run_notes(run, &run->troubles);
}

static PyObject *handle_log(PyObject *self, PyObject *unused)
{
	struct run *run = ((struct handle *)self)->run;

	(void)unused;
	return run_notes(run, &run->log);
}

static PyObject *handle_stats(PyObject *self, PyObject *unused)
{
	struct joy_stats s;

	(void)unused;
	Py_BEGIN_ALLOW_THREADS joy_stats(joy_of(self), &s, sizeof(s));
	Py_END_ALLOW_THREADS
#define COUNTER(name) #name, (unsigned long long)s.name
			return Py_BuildValue("{sKsKsKsKsKsKsKsKsKsKsKsKsKsKsK}", COUNTER(packets),
					COUNTER(bytes), COUNTER(ip_packets), COUNTER(not_ip),
					COUNTER(cut_short), COUNTER(malformed), COUNTER(unknown),
					COUNTER(truncated), COUNTER(drops), COUNTER(flows),
					COUNTER(records), COUNTER(memory), COUNTER(memory_peak),
					COUNTER(input_read), COUNTER(input_total));
#undef COUNTER
}

/* --- the module -------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
	{ "set", handle_set, METH_VARARGS, "set(name, value) -> status" },
	{ "get", handle_get, METH_VARARGS, "get(name) -> str or None" },
	{ "text", handle_text, METH_VARARGS, "text(TEXT_*, argument=None) -> str or None" },
	{ "error", handle_error, METH_NOARGS, "error() -> str" },
	{ "columns", handle_columns, METH_VARARGS,
			"columns(names or None, batch_rows, batch_bytes, binary_addresses) -> "
			"status" },
	{ "schema", handle_schema, METH_VARARGS, "schema(all) -> capsule arrow_schema, or status" },
	{ "stream", handle_stream, METH_VARARGS,
			"stream(paths, CAPTURES or RECORDS, refuse_damaged) -> capsule "
			"arrow_array_stream, or status" },
	{ "stream_schema", handle_stream_schema, METH_NOARGS,
			"stream_schema() -> capsule arrow_schema of the stream" },
	{ "rewrite", handle_rewrite, METH_VARARGS, "rewrite(capsule) -> status" },
	{ "stream_rewrite", handle_stream_rewrite, METH_VARARGS,
			"stream_rewrite(capsule) -> capsule arrow_array_stream, or status" },
	{ "end", handle_end, METH_NOARGS, "end() asks for the end of the run" },
	{ "wait", handle_wait, METH_NOARGS, "wait() until the stream's next batch is there" },
	{ "status", handle_status, METH_NOARGS, "status() -> status, None while it runs" },
	{ "tell", handle_tell, METH_NOARGS, "tell() -> True the first time" },
	{ "troubles", handle_troubles, METH_NOARGS,
			"troubles() -> list of (status, file, offset, text)" },
	{ "log", handle_log, METH_NOARGS, "log() -> list of (level, None, None, text)" },
	{ "stats", handle_stats, METH_NOARGS, "stats() -> dict of counters" },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "One run of libjoy." },
	{ Py_tp_new, handle_new },
	{ Py_tp_dealloc, handle_free },
	{ Py_tp_methods, methods },
	{ 0, NULL },
};

static PyType_Spec spec = {
	.name = "joy._joy.Handle",
	.basicsize = sizeof(struct handle),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = slots,
};

static int add_constants(PyObject *module)
{
	static const struct {
		const char *name;
		int value;
	} constants[] = {
		{ "OK", JOY_OK },
		{ "FAILED", JOY_FAILED },
		{ "USAGE", JOY_USAGE },
		{ "DAMAGED", JOY_DAMAGED },
		{ "CAPTURES", JOY_CAPTURES },
		{ "RECORDS", JOY_RECORDS },
		{ "TEXT_CONFIG", JOY_TEXT_CONFIG },
		{ "TEXT_VERSION", JOY_TEXT_VERSION },
		{ "TEXT_EXPLAIN", JOY_TEXT_EXPLAIN },
		{ "TEXT_OPTION_TABLE", JOY_TEXT_OPTION_TABLE },
		{ "TEXT_SUMMARY", JOY_TEXT_SUMMARY },
		{ "TEXT_SCHEMA", JOY_TEXT_SCHEMA },
	};

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
			return -1;
	return PyModule_AddStringConstant(module, "VERSION", joy_version());
}

static int fill(PyObject *module)
{
	PyObject *type = PyType_FromSpec(&spec);
	int status = type == NULL ? -1 : PyModule_AddObjectRef(module, "Handle", type);

	Py_XDECREF(type);
	return status < 0 ? -1 : add_constants(module);
}

static PyModuleDef_Slot module_slots[] = {
	{ Py_mod_exec, fill },
	{ 0, NULL },
};

static struct PyModuleDef definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "joy._joy",
	.m_doc = "libjoy, as joy.h has it.",
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__joy(void);

PyMODINIT_FUNC PyInit__joy(void)
{
	return PyModuleDef_Init(&definition);
}
