/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filter.h - bpf=: a filter in libpcap's language, compiled once for each link type that is met.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/frame.h"

struct filter;

/* NULL with 'e' (in libpcap's words) when the text compiles for no usual link type. */
struct filter *filter_new(const char *text, struct err *e);
void filter_free(struct filter *f);

/* Link types that it does not fit are met anew; NULL is fine. */
void filter_renew(struct filter *f);

/* Moves the frames that pass to the front and returns how many. */
size_t filter_apply(struct filter *f, struct frame *frames, size_t count);

/*
 * True once for each link type met that the filter cannot be compiled for, with the reason: none
 * of its frames pass.
 */
bool filter_trouble(struct filter *f, struct err *why);
