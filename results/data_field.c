// SPDX-License-Identifier: Apache-2.0
#include "results/data_field.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/schema.h"

const char *data_field_units(enum unit unit)
{
    static const char *const names[N_UNITS] = {
        [UNIT_NONE] = "1",        [UNIT_TIME] = "s",
        [UNIT_RATE] = "s-1",      [UNIT_ITEMS] = "items",
        [UNIT_FRAC] = "1",        [UNIT_POWER] = "W",
        [UNIT_ENERGY] = "J",      [UNIT_BYTES] = "byte",
        [UNIT_BW] = "byte s-1",   [UNIT_FLOPS] = "s-1",
        [UNIT_FLOP] = "1",        [UNIT_HZ] = "Hz",
        [UNIT_PRICE] = "USD h-1", [UNIT_CARBON] = "g kW-1 h-1",
        [UNIT_MASS] = "kg"};
    return names[unit];
}

struct data_field data_field_of_setting(const struct field *setting, size_t offset)
{
    return (struct data_field){.name = setting->key,
                               .units = data_field_units(setting->unit),
                               .long_name = setting->help,
                               .kind =
                                   setting->type == FIELD_TIME ? DATA_KIND_TIME : DATA_KIND_COUNT,
                               .offset = offset};
}

size_t data_field_bytes(enum data_kind kind)
{
    static const size_t bytes[] = {
        [DATA_KIND_NUMBER] = sizeof(double),    [DATA_KIND_ESTIMATE] = sizeof(struct ci),
        [DATA_KIND_TIME] = sizeof(int64_t),     [DATA_KIND_COUNT] = sizeof(uint64_t),
        [DATA_KIND_COUNT32] = sizeof(uint32_t), [DATA_KIND_INT] = sizeof(int32_t),
        [DATA_KIND_BOOL] = sizeof(bool),        [DATA_KIND_CODE] = sizeof(int32_t),
        [DATA_KIND_TEXT] = sizeof(char *),      [DATA_KIND_LABEL] = sizeof(uint32_t),
        [DATA_KIND_INDEX] = sizeof(uint32_t)};
    return bytes[kind];
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

struct ci data_field_number(const struct data_field *field, const void *row)
{
    struct ci ci = ci_none();
    uint64_t count;
    uint32_t count32;
    assert(field);
    const char *at = (const char *)row + field->offset;
    switch (field->kind) {
    case DATA_KIND_ESTIMATE:
        memcpy(&ci, at, sizeof ci);
        break;
    case DATA_KIND_NUMBER:
        memcpy(&ci.value, at, sizeof ci.value);
        break;
    case DATA_KIND_COUNT:
        memcpy(&count, at, sizeof count);
        ci.value = (double)count;
        break;
    case DATA_KIND_COUNT32:
        memcpy(&count32, at, sizeof count32);
        ci.value = count32;
        break;
    default:
        assert(!"a number");
    }
    return ci;
}

// What the member is where nothing is known, into bytes[].
static void nothing_of(const struct data_field *f, unsigned char bytes[sizeof(struct ci)])
{
    const struct ci no_estimate = ci_none(); // begins with a NaN, which is a number's nothing
    memset(bytes, 0, sizeof(struct ci));
    if (f->kind == DATA_KIND_NUMBER || f->kind == DATA_KIND_ESTIMATE)
        memcpy(bytes, &no_estimate, sizeof no_estimate);
    else if (f->kind == DATA_KIND_CODE)
        memcpy(bytes, &f->none, sizeof f->none);
}

void data_field_clear(const struct data_field *fields, void *row)
{
    unsigned char bytes[sizeof(struct ci)];
    for (const struct data_field *f = fields; f->name; f++) {
        nothing_of(f, bytes);
        memcpy((char *)row + f->offset, bytes, data_field_bytes(f->kind));
    }
}

static bool says_nothing(const struct data_field *f, const void *at)
{
    unsigned char bytes[sizeof(struct ci)];
    double value;
    if (f->kind == DATA_KIND_NUMBER || f->kind == DATA_KIND_ESTIMATE) {
        memcpy(&value, at, sizeof value); // of a struct ci its first member
        return isnan(value);              // every NaN is one
    }
    nothing_of(f, bytes);
    return memcmp(at, bytes, data_field_bytes(f->kind)) == 0;
}

// A row of which nothing is known need not be written: whoever reads it back has it cleared.
bool data_field_is_clear(const struct data_field *fields, const void *row)
{
    for (const struct data_field *f = fields; f->name; f++) {
        if (!says_nothing(f, (const char *)row + f->offset))
            return false;
    }
    return true;
}

void data_field_copy(const struct data_field *fields, void *to, const void *from)
{
    for (const struct data_field *f = fields; f->name; f++) {
        char *text;
        memcpy((char *)to + f->offset, (const char *)from + f->offset, data_field_bytes(f->kind));
        if (f->kind != DATA_KIND_TEXT)
            continue;
        memcpy(&text, (const char *)from + f->offset, sizeof text);
        text = text ? mem_strdup(text) : NULL;
        memcpy((char *)to + f->offset, &text, sizeof text);
    }
}

void data_field_release(const struct data_field *fields, void *row)
{
    // The row's type is not known here: a member is copied as bytes, from where its field says.
    for (const struct data_field *f = fields; f->name; f++) {
        char *text, *const none = NULL;
        if (f->kind != DATA_KIND_TEXT)
            continue;
        memcpy(&text, (char *)row + f->offset, sizeof text);
        mem_free(text);
        memcpy((char *)row + f->offset, &none, sizeof none);
    }
}
