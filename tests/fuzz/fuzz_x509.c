/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_x509.c - any bytes as a certificate: texts say true, and OpenSSL sees the same. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "proto/x509_internal.h"
#include "x509_against.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte, so that the sanitizer sees each. */
static void look(const struct x509_text *t)
{
	if (t->utf8 && !x509_is_utf8(t->text))
		abort();
	for (size_t i = 0; i < t->text.left; i++) {
		volatile uint8_t byte = t->text.p[i];

		(void)byte;
	}
}

static void look_at_lists(const struct x509_info *i)
{
	for (uint32_t n = 0; n < i->subject.count; n++)
		look(&i->subject.items[n].value);
	for (uint32_t n = 0; n < i->issuer.count; n++)
		look(&i->issuer.items[n].value);
	for (uint32_t n = 0; n < i->san_count; n++)
		look(&i->sans[n].value);
	for (uint32_t n = 0; n < i->ocsp_count; n++)
		look(&i->ocsp[n]);
	for (uint32_t n = 0; n < i->ca_issuers_count; n++)
		look(&i->ca_issuers[n]);
	for (uint32_t n = 0; n < i->crl_count; n++)
		look(&i->crls[n]);
	for (uint32_t n = 0; n < i->policy_count; n++)
		look(&(struct x509_text){
				{ (const uint8_t *)i->policies[n], strlen(i->policies[n]) },
				true });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct arena arena = { NULL };
	struct x509_info i;
	const char *wrong;

	if (pool == NULL || size > LIMIT_CERT_BYTES)
		goto out;
	x509_parse((struct rd){ data, size }, &arena, pool, &i);
	if (pool_used(pool) > 2 * LIMIT_X509_BYTES)
		abort();
	look_at_lists(&i);
	wrong = x509_against((struct rd){ data, size }, &i);
	if (wrong != NULL) {
		fprintf(stderr, "differs from OpenSSL: %s\n", wrong);
		abort();
	}
out:
	arena_free(&arena, pool);
	pool_free(pool);
	return 0;
}
