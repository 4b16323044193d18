/* SPDX-License-Identifier: BSD-3-Clause */
/* process_bpf_object.c - holds the object file that the Makefile makes of src/bpf/process.bpf.c. */
#ifdef HAVE_PROCESS_BPF
#include "host/process_bpf_linux.h"

/* Link-time optimisation may put the function elsewhere: so the names are not of this file alone.
 */
__asm__(".section .rodata\n"
	".globl process_bpf_start, process_bpf_end\n"
	".hidden process_bpf_start, process_bpf_end\n"
	".balign 16\n"
	"process_bpf_start:\n"
	".incbin \"" PROCESS_BPF_OBJECT "\"\n"
	"process_bpf_end:\n"
	".byte 0\n"
	".previous\n");

extern const char process_bpf_start[], process_bpf_end[];

const void *process_bpf_object(size_t *size)
{
	*size = (size_t)(process_bpf_end - process_bpf_start);
	return process_bpf_start;
}
#endif
