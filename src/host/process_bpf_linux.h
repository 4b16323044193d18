/* SPDX-License-Identifier: BSD-3-Clause */
/* process_bpf_linux.h - the eBPF programs of src/bpf as they lie in the library. */
#pragma once

#include "host/process_watcher.h"

extern const struct follow follow_bpf;

/* The compiled object file, in memory. */
const void *process_bpf_object(size_t *size);
