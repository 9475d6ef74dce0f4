// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint_file.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "results/file/durable.h"

#define OWN_BYTES 264u // of the head, its members one behind the other

const struct frames_kind checkpoint_file_kind = {
    "checkpoint", {'r', 'f', 'c', 'k', 'p', 't', 0x1a, '\n'}, 1, OWN_BYTES};

// Text as it is in a head: always ended, the rest zeros, no control characters, so that it can
// be printed as a part of one line.
static void put_text(struct blob *blob, const char *text, size_t size)
{
    for (size_t i = 0, end = strnlen(text, size - 1); i < size; i++) {
        unsigned char c = i < end ? (unsigned char)text[i] : 0;
        if (i < end && (c < 0x20 || c == 0x7f))
            c = '?';
        blob_put(blob, &c, 1);
    }
}

static bool get_text(struct blob_reader *reader, char *text, size_t size)
{
    blob_get(reader, text, size);
    size_t n = strnlen(text, size);
    if (n == size)
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (i < n ? c < 0x20 || c == 0x7f : c != 0)
            return false;
    }
    return true;
}

static void put_head(struct blob *blob, const struct checkpoint_head *head)
{
    put_text(blob, head->program, sizeof head->program);
    put_text(blob, head->study, sizeof head->study);
    put_text(blob, head->name, sizeof head->name);
    blob_put_i64(blob, head->reached_ns);
    blob_put_i64(blob, head->end_ns);
    blob_put_u64(blob, head->n_restarts);
    blob_put(blob, &head->wall_s, sizeof head->wall_s);
}

// False when the members make no sense.
static bool get_head(struct blob_reader *reader, struct checkpoint_head *head)
{
    bool good = get_text(reader, head->program, sizeof head->program);
    good = get_text(reader, head->study, sizeof head->study) && good;
    good = get_text(reader, head->name, sizeof head->name) && good;
    head->reached_ns = blob_get_i64(reader);
    head->end_ns = blob_get_i64(reader);
    head->n_restarts = blob_get_u64(reader);
    blob_get(reader, &head->wall_s, sizeof head->wall_s);
    return good && head->reached_ns >= 0 && head->reached_ns <= head->end_ns &&
           isfinite(head->wall_s) && head->wall_s >= 0;
}

int checkpoint_file_head(struct frames_in *in, struct checkpoint_head *head, struct err *err)
{
    unsigned char own[OWN_BYTES];
    struct checkpoint_head found;
    if (frames_head(in, own, err) != 0)
        return -1;
    struct blob_reader reader = blob_read(own, sizeof own);
    if (!get_head(&reader, &found))
        return err_set(err, ERR_STUDY, "checkpoint %s: damaged at byte 0", in->name);
    *head = found;
    return 0;
}

// ---- writing ------------------------------------------------------------------------------------

struct checkpoint_file_out {
    struct durable_file file;
    struct frames_out frames;
};

struct checkpoint_file_out *
checkpoint_file_create(const char *path, const struct checkpoint_head *head, struct err *err)
{
    struct checkpoint_file_out *out = mem_calloc(1, sizeof *out);
    struct blob own = {0};
    if (durable_open(&out->file, checkpoint_file_kind.what, path, DURABLE_KEEP, err) != 0) {
        mem_free(out);
        return NULL;
    }
    out->frames = (struct frames_out){
        .kind = &checkpoint_file_kind, .name = out->file.path, .fd = out->file.fd};
    put_head(&own, head);
    int rc = frames_begin(&out->frames, own.bytes, err);
    blob_release(&own);
    if (rc == 0)
        return out;
    checkpoint_file_abandon(out);
    return NULL;
}

struct frames_out *checkpoint_file_frames(struct checkpoint_file_out *out)
{
    return &out->frames;
}

int checkpoint_file_finish(struct checkpoint_file_out *out, uint64_t *n_bytes, struct err *err)
{
    int rc = 0;
    if (out->frames.n_frames == 0)
        rc = err_set(err, ERR_FAIL, "checkpoint %s: no state to save", out->file.path);
    if (rc == 0)
        rc = frames_end(&out->frames, err);
    if (rc != 0) {
        checkpoint_file_abandon(out);
        return -1;
    }
    *n_bytes = out->frames.n_bytes;
    rc = durable_publish(&out->file, err);
    mem_free(out);
    return rc;
}

void checkpoint_file_abandon(struct checkpoint_file_out *out)
{
    if (out)
        durable_discard(&out->file);
    mem_free(out);
}

// ---- whose it is --------------------------------------------------------------------------------

int checkpoint_file_fits(const char *name, const struct checkpoint_head *head,
                         const struct checkpoint_head *expected, struct err *err)
{
    if (strncmp(head->study, expected->study, sizeof head->study - 1) != 0) {
        if (strncmp(head->name, expected->name, sizeof head->name - 1) == 0)
            return err_set(err, ERR_STUDY,
                           "checkpoint %s: of another study: this '%s' differs from the one it was "
                           "written for (%.39s, not %s)",
                           name, head->name, expected->study, head->study);
        return err_set(err, ERR_STUDY, "checkpoint %s: of another study, '%s'", name, head->name);
    }
    if (strncmp(head->program, expected->program, sizeof head->program - 1) != 0)
        return err_set(err, ERR_STUDY,
                       "checkpoint %s: written by recfleet %s, and this is %.63s; only the "
                       "same program can resume exactly",
                       name, head->program, expected->program);
    return 0;
}
