// SPDX-License-Identifier: Apache-2.0
// Any bytes as a checkpoint, and any bytes as a record inside one.
//
// The first byte says how the rest is meant: as a file; as a file whose checksums are put right
// first, so that what lies behind them is reached; as a record's bytes. A file that passes must
// hand out its frames again, and a record that is taken must come out of its own bytes as the same.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "results/file/checkpoint_file.h"
#include "results/file/checksum.h"
#include "results/record.h"

#define HEAD_BYTES 288
#define END_MARK UINT64_MAX

enum meaning { AS_FILE, AS_FILE_MENDED, AS_RECORD, N_MEANINGS };

static const struct record_shape shape = {1, 1, 2, 3, 0, 1000000000, 0, 0};

// An error is one line.
static void check_error(const struct err *err)
{
    if (err->code == ERR_NONE || !*err->text || strchr(err->text, '\n'))
        abort();
}

static struct blob save(const struct record *record)
{
    struct blob blob = {0};
    record_save(record, &blob);
    return blob;
}

static void reload(const struct blob *blob)
{
    struct record *again = record_create(&shape);
    struct blob_reader reader = blob_read(blob->bytes, blob->n);
    struct err err = {0};
    if (record_load(again, &reader, &err) != 0 || blob_end(&reader, &err) != 0)
        abort();
    struct blob back = save(again);
    if (back.n != blob->n || memcmp(back.bytes, blob->bytes, back.n) != 0)
        abort();
    blob_release(&back);
    record_destroy(again);
}

// Loaded twice: sums that would not fit must be refused, and then nothing may have changed.
static void read_record(const void *bytes, uint64_t n)
{
    struct record *record = record_create(&shape);
    struct blob before = save(record);
    for (int round = 0; round < 2; round++) {
        struct err err = {0};
        struct blob_reader reader = blob_read(bytes, n);
        int rc = record_load(record, &reader, &err);
        struct blob after = save(record);
        if (rc != 0) {
            check_error(&err);
            if (after.n != before.n || memcmp(after.bytes, before.bytes, after.n) != 0)
                abort();
        } else {
            reload(&after);
        }
        blob_release(&before);
        before = after;
    }
    blob_release(&before);
    record_destroy(record);
}

static uint64_t word_at(const uint8_t *bytes, size_t at)
{
    uint64_t word;
    memcpy(&word, bytes + at, sizeof word);
    return word;
}

// Puts the right hashes where a head, frames and an end seem to be.
static void mend(uint8_t *bytes, size_t size)
{
    uint64_t hash, words[3] = {0, 0, 0};
    size_t at = HEAD_BYTES;
    if (size < HEAD_BYTES)
        return;
    hash = checksum_bytes(bytes, HEAD_BYTES - sizeof hash);
    memcpy(bytes + HEAD_BYTES - sizeof hash, &hash, sizeof hash);
    words[0] = checksum_bytes(bytes, HEAD_BYTES);
    while (size - at >= 16) {
        uint64_t n = word_at(bytes, at);
        if (n == END_MARK && size - at >= 24)
            memcpy(bytes + at + 16, &words[0], sizeof words[0]);
        if (n > size - at - 16)
            return;
        hash = checksum_bytes(bytes + at + 16, n);
        memcpy(bytes + at + 8, &hash, sizeof hash);
        words[1] = n;
        words[2] = hash;
        words[0] = checksum_bytes(words, sizeof words);
        at += 16 + n;
    }
}

// A checked file gives its frames without an error, none longer than it.
static void read_frames(struct frames_in *in)
{
    uint64_t n, hash;
    struct err err = {0};
    int more;
    while ((more = frames_next(in, &n, &hash, &err)) == 1) {
        if (n > in->size)
            abort();
        uint8_t *bytes = mem_alloc(n);
        if (frames_get(in, bytes, n, hash, &err) != 0)
            abort();
        read_record(bytes, n);
        mem_free(bytes);
    }
    if (more != 0)
        abort();
}

static void read_file(const uint8_t *bytes, size_t size)
{
    struct err err = {0};
    struct checkpoint_head head;
    FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "rb");
    if (!file)
        abort();
    struct frames_in in = {
        .file = file, .kind = &checkpoint_file_kind, .name = "fuzz", .size = size};
    if (checkpoint_file_head(&in, &head, &err) == 0 && frames_check(&in, &err) == 0)
        read_frames(&in);
    else
        check_error(&err);
    frames_close(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) // fmemopen() has no empty file
        return 0;
    enum meaning meaning = data[0] % N_MEANINGS;
    uint8_t *bytes = memcpy(mem_alloc(size - 1), data + 1, size - 1);
    if (meaning == AS_FILE_MENDED)
        mend(bytes, size - 1);
    if (meaning == AS_RECORD)
        read_record(bytes, size - 1);
    else
        read_file(bytes, size - 1);
    mem_free(bytes);
    return 0;
}
