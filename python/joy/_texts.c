/* SPDX-License-Identifier: BSD-3-Clause */
/* _texts.c - a Python sequence of names as an array of texts. */
#include "_texts.h"

#include <stdlib.h>

void texts_free(struct texts *t)
{
	Py_XDECREF(t->bytes);
	free(t->at);
}

static bool texts_add(struct texts *t, PyObject *item)
{
	PyObject *bytes = NULL;
	bool good = PyUnicode_FSConverter(item, &bytes) && PyList_Append(t->bytes, bytes) == 0;

	if (good)
		t->at[t->count++] = PyBytes_AsString(bytes);
	Py_XDECREF(bytes);
	return good;
}

bool texts_new(PyObject *sequence, struct texts *t)
{
	Py_ssize_t count = sequence == Py_None ? 0 : PySequence_Size(sequence);

	*t = (struct texts){ 0 };
	if (sequence == Py_None)
		return true;
	t->bytes = count < 0 ? NULL : PyList_New(0);
	t->at = count < 0 ? NULL : calloc((size_t)count + 1, sizeof(*t->at));
	if (t->bytes != NULL && t->at == NULL)
		PyErr_NoMemory();
	for (Py_ssize_t i = 0; t->bytes != NULL && t->at != NULL && i < count; i++) {
		PyObject *item = PySequence_GetItem(sequence, i);
		bool good = item != NULL && texts_add(t, item);

		Py_XDECREF(item);
		if (!good)
			Py_CLEAR(t->bytes);
	}
	if (t->bytes != NULL && t->at != NULL)
		return true;
	texts_free(t);
	return false;
}
