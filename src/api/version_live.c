/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * version_live.c - the versions of the libraries that a sensor needs.
 *
 * Apart from version.c, because libbpf's header and libpcap's each define struct bpf_insn.
 */
#ifdef HAVE_LIBBPF
#include <bpf/libbpf.h>
#endif
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif
#ifdef HAVE_MAXMINDDB
#include <maxminddb.h>
#endif

#include "api/handle.h"

#define MISSING "not found when this was built"

void version_live(struct buf *out)
{
#ifdef HAVE_LIBBPF
	buf_printf(out, "libbpf     %s\n", libbpf_version_string() + 1); /* "v1.1" */
#else
	buf_printf(out, "libbpf     %s\n", MISSING);
#endif
#ifdef HAVE_SECCOMP
	const struct scmp_version *v = seccomp_version();

	buf_printf(out, "libseccomp %u.%u.%u\n", v->major, v->minor, v->micro);
#else
	buf_printf(out, "libseccomp %s\n", MISSING);
#endif
#ifdef HAVE_MAXMINDDB
	buf_printf(out, "libmaxminddb %s\n", MMDB_lib_version());
#else
	buf_printf(out, "libmaxminddb %s\n", MISSING);
#endif
}
