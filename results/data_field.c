// SPDX-License-Identifier: Apache-2.0
#include "results/data_field.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

size_t data_field_bytes(enum data_kind kind)
{
    switch (kind) {
    case DATA_KIND_NUMBER:
        return sizeof(double);
    case DATA_KIND_ESTIMATE:
        return sizeof(struct ci);
    case DATA_KIND_TIME:
        return sizeof(int64_t);
    case DATA_KIND_COUNT:
        return sizeof(uint64_t);
    case DATA_KIND_BOOL:
        return sizeof(bool);
    case DATA_KIND_TEXT:
        return sizeof(char *);
    case DATA_KIND_COUNT32:
    case DATA_KIND_INT:
    case DATA_KIND_CODE:
    case DATA_KIND_LABEL:
    case DATA_KIND_INDEX:
        break;
    }
    return sizeof(uint32_t);
}

uint32_t data_field_n_codes(const char *const *codes)
{
    uint32_t n = 0;
    while (codes && codes[n])
        n++;
    return n;
}

const struct data_field *data_field_find(const struct data_field *fields, const char *name)
{
    while (fields->name && strcmp(fields->name, name) != 0)
        fields++;
    return fields->name ? fields : NULL;
}

void data_field_clear(const struct data_field *fields, void *row)
{
    const double nan = NAN;
    const struct ci no_estimate = ci_none();
    for (const struct data_field *f = fields; f->name; f++) {
        void *at = (char *)row + f->offset;
        if (f->kind == DATA_KIND_NUMBER)
            memcpy(at, &nan, sizeof nan);
        else if (f->kind == DATA_KIND_ESTIMATE)
            memcpy(at, &no_estimate, sizeof no_estimate);
        else if (f->kind == DATA_KIND_CODE)
            memcpy(at, &f->none, sizeof f->none);
        else
            memset(at, 0, data_field_bytes(f->kind));
    }
}

static bool says_nothing(const struct data_field *f, const void *at)
{
    const unsigned char zero[sizeof(struct ci)] = {0};
    double value;
    if (f->kind == DATA_KIND_NUMBER || f->kind == DATA_KIND_ESTIMATE) {
        memcpy(&value, at, sizeof value); // of a struct ci its first member
        return isnan(value);
    }
    if (f->kind == DATA_KIND_CODE)
        return memcmp(at, &f->none, sizeof f->none) == 0;
    return memcmp(at, zero, data_field_bytes(f->kind)) == 0;
}

bool data_field_is_clear(const struct data_field *fields, const void *row)
{
    for (const struct data_field *f = fields; f->name; f++) {
        if (!says_nothing(f, (const char *)row + f->offset))
            return false;
    }
    return true;
}

void data_field_release(const struct data_field *fields, void *row)
{
    for (const struct data_field *f = fields; f->name; f++) {
        char *text, *const none = NULL;
        if (f->kind != DATA_KIND_TEXT)
            continue;
        memcpy(&text, (char *)row + f->offset, sizeof text);
        mem_free(text);
        memcpy((char *)row + f->offset, &none, sizeof none);
    }
}
