// SPDX-License-Identifier: Apache-2.0
#include "base/blob.h"

#include <string.h>

#include "base/mem.h"

void blob_put(struct blob *blob, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (blob->cap - blob->n < n) {
        blob->cap = 2 * (blob->n + n);
        blob->bytes = mem_realloc(blob->bytes, blob->cap, 1);
    }
    memcpy(blob->bytes + blob->n, bytes, n);
    blob->n += n;
}

void blob_put_u32(struct blob *blob, uint32_t value)
{
    blob_put(blob, &value, sizeof value);
}

void blob_put_u64(struct blob *blob, uint64_t value)
{
    blob_put(blob, &value, sizeof value);
}

void blob_put_i64(struct blob *blob, int64_t value)
{
    blob_put(blob, &value, sizeof value);
}

void blob_clear(struct blob *blob)
{
    blob->n = 0;
}

void blob_release(struct blob *blob)
{
    mem_free(blob->bytes);
    *blob = (struct blob){0};
}

struct blob_reader blob_read(const void *bytes, size_t n)
{
    // No bytes may be given as NULL, which must not be counted on from.
    return (struct blob_reader){.bytes = bytes ? bytes : "", .n = n};
}

size_t blob_left(const struct blob_reader *reader)
{
    return reader->n - reader->at;
}

const void *blob_take(struct blob_reader *reader, size_t n)
{
    if (reader->short_of || blob_left(reader) < n) {
        reader->short_of = true;
        return NULL;
    }
    const unsigned char *bytes = reader->bytes + reader->at;
    reader->at += n;
    return bytes;
}

void blob_get(struct blob_reader *reader, void *bytes, size_t n)
{
    const void *from = blob_take(reader, n);
    if (from && n > 0)
        memcpy(bytes, from, n);
    else if (n > 0)
        memset(bytes, 0, n);
}

uint32_t blob_get_u32(struct blob_reader *reader)
{
    uint32_t value;
    blob_get(reader, &value, sizeof value);
    return value;
}

uint64_t blob_get_u64(struct blob_reader *reader)
{
    uint64_t value;
    blob_get(reader, &value, sizeof value);
    return value;
}

int64_t blob_get_i64(struct blob_reader *reader)
{
    int64_t value;
    blob_get(reader, &value, sizeof value);
    return value;
}

int blob_refuse(struct blob_reader *reader)
{
    reader->short_of = true;
    return -1;
}

int blob_end(const struct blob_reader *reader, struct err *err)
{
    if (!reader->short_of && reader->at == reader->n)
        return 0;
    return err_set(err, ERR_FAIL, "damaged state");
}
