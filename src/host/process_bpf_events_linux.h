/* SPDX-License-Identifier: BSD-3-Clause */
/* process_bpf_events_linux.h - works off the events of src/bpf/process_event.h, one by one. */
#pragma once

#include "bpf/process_event.h"
#include "host/process_watcher.h"

struct bpf_events {
	struct watcher *w;
	uint64_t own_netns; /* cookie of our network namespace */
	bool planned;       /* a UDP socket was connected: its ports are not known yet */
	bool arrived;       /* a connection has come: who takes it may not ask from where */
};

/* One event; 'ctx' is a struct bpf_events.  Less than 0: no more, the sensor is gone. */
int bpf_events_take(void *ctx, void *data, size_t size);
