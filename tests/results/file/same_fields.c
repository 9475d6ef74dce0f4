// SPDX-License-Identifier: Apache-2.0
#include "results/file/same_fields.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

void same_fields_text(const char *a, const char *b)
{
    ck_assert_str_eq(a ? a : "", b ? b : "");
}

static void same_bytes(const char *name, const void *a, const void *b, size_t bytes, bool real)
{
    double p = 0, q = 0;
    if (real) {
        memcpy(&p, a, sizeof p);
        memcpy(&q, b, sizeof q);
    }
    if (!isnan(p) || !isnan(q))
        ck_assert_msg(memcmp(a, b, bytes) == 0, "%s differs", name);
}

void same_fields_ci(const char *name, const struct ci *a, const struct ci *b)
{
    same_bytes(name, &a->value, &b->value, sizeof a->value, true);
    same_bytes(name, &a->half_95, &b->half_95, sizeof a->half_95, true);
}

void same_fields(const struct data_field *fields, const void *a, const void *b)
{
    for (const struct data_field *f = fields; f->name; f++) {
        const char *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
        char *p, *q;
        memcpy(&p, x, f->kind == DATA_KIND_TEXT ? sizeof p : 0);
        memcpy(&q, y, f->kind == DATA_KIND_TEXT ? sizeof q : 0);
        if (f->kind == DATA_KIND_TEXT)
            same_fields_text(p, q);
        else if (f->kind == DATA_KIND_ESTIMATE)
            same_fields_ci(f->name, (const void *)x, (const void *)y);
        else
            same_bytes(f->name, x, y, data_field_bytes(f->kind), f->kind == DATA_KIND_NUMBER);
    }
}
