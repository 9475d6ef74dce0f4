// SPDX-License-Identifier: Apache-2.0
#include "results/file/frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/mem.h"
#include "results/file/checksum.h"
#include "results/file/durable.h"

#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define SWAPPED_MARK UINT32_C(0x04030201)
#define END_MARK UINT64_MAX

// The hash over all frames so far, with one more: their order and number count.
static uint64_t chain_on(uint64_t chain, uint64_t n_bytes, uint64_t hash)
{
    const uint64_t words[3] = {chain, n_bytes, hash};
    return checksum_bytes(words, sizeof words);
}

// ---- writing ------------------------------------------------------------------------------------

static int write_all(struct frames_out *out, const void *bytes, uint64_t n, struct err *err)
{
    int reason = durable_write(out->fd, bytes, n);
    if (reason != 0)
        return err_set(err, ERR_FAIL, "%s %s: cannot write: %s", out->kind->what, out->name,
                       strerror(reason));
    out->n_bytes += n;
    return 0;
}

int frames_begin(struct frames_out *out, const void *own, struct err *err)
{
    struct blob head = {0};
    blob_put(&head, out->kind->magic, sizeof out->kind->magic);
    blob_put_u32(&head, BYTE_ORDER_MARK);
    blob_put_u32(&head, out->kind->version);
    blob_put(&head, own, out->kind->n_own);
    blob_put_u64(&head, checksum_bytes(head.bytes, head.n));
    out->chain = checksum_bytes(head.bytes, head.n);
    int rc = write_all(out, head.bytes, head.n, err);
    blob_release(&head);
    return rc;
}

int frames_put(struct frames_out *out, const void *bytes, uint64_t n, uint64_t hash,
               struct err *err)
{
    const uint64_t words[2] = {n, hash};
    if (n > FRAMES_MAX_BYTES)
        return err_set(err, ERR_FAIL, "%s %s: a piece of %" PRIu64 " bytes is too long",
                       out->kind->what, out->name, n);
    if (write_all(out, words, sizeof words, err) != 0 || write_all(out, bytes, n, err) != 0)
        return -1;
    out->n_frames++;
    out->chain = chain_on(out->chain, n, hash);
    return 0;
}

int frames_end(struct frames_out *out, struct err *err)
{
    const uint64_t words[3] = {END_MARK, out->n_frames, out->chain};
    return write_all(out, words, sizeof words, err);
}

// ---- reading ------------------------------------------------------------------------------------

int frames_open(struct frames_in *in, const struct frames_kind *kind, const char *path,
                struct err *err)
{
    char *name = mem_printf("%s %s", kind->what, path);
    *in = (struct frames_in){.kind = kind, .name = path};
    in->file = checksum_open(path, name, &in->size, err);
    mem_free(name);
    return in->file ? 0 : -1;
}

void frames_close(struct frames_in *in)
{
    if (in->file)
        fclose(in->file);
    in->file = NULL;
}

int frames_replaceable(const struct frames_kind *kind, const char *path, struct err *err)
{
    struct frames_in in;
    unsigned char bytes[sizeof kind->magic] = {0};
    if (access(path, F_OK) != 0)
        return 0;
    if (frames_open(&in, kind, path, err) != 0)
        return -1;
    size_t n = fread(bytes, 1, sizeof bytes, in.file);
    bool ours = in.size == 0 || memcmp(bytes, kind->magic, n > 0 ? n : sizeof bytes) == 0;
    frames_close(&in);
    if (ours)
        return 0;
    return err_set(err, ERR_STUDY, "%s %s: exists, is not a %s of recfleet and is never replaced",
                   kind->what, path, kind->what);
}

static int damaged(const struct frames_in *in, uint64_t at, struct err *err)
{
    return err_set(err, ERR_STUDY, "%s %s: damaged at byte %" PRIu64, in->kind->what, in->name, at);
}

static int cut_off(const struct frames_in *in, struct err *err)
{
    return err_set(err, ERR_STUDY,
                   "%s %s: cut off: it ends at byte %" PRIu64 ", before it is complete",
                   in->kind->what, in->name, in->size);
}

static int cannot_read(const struct frames_in *in, struct err *err)
{
    return err_set(err, ERR_FAIL, "%s %s: cannot read: %s", in->kind->what, in->name,
                   errno ? strerror(errno) : "it has become shorter");
}

static int read_on(struct frames_in *in, void *bytes, uint64_t n, struct err *err)
{
    if (in->size - in->at < n)
        return cut_off(in, err);
    errno = 0;
    if (n > 0 && fread(bytes, 1, n, in->file) != n)
        return cannot_read(in, err);
    in->at += n;
    return 0;
}

static int go_to(struct frames_in *in, uint64_t at, struct err *err)
{
    if (fseeko(in->file, (off_t)at, SEEK_SET) != 0)
        return cannot_read(in, err);
    in->at = at;
    return 0;
}

// The first 16 bytes, which say how to read the others.
static int check_kind(struct frames_in *in, struct blob_reader *reader, struct err *err)
{
    const struct frames_kind *kind = in->kind;
    if (in->size < sizeof kind->magic ||
        memcmp(blob_take(reader, sizeof kind->magic), kind->magic, sizeof kind->magic) != 0)
        return err_set(err, ERR_STUDY, "%s %s: not a %s of recfleet", kind->what, in->name,
                       kind->what);
    if (in->size < FRAMES_HEAD_BYTES(kind->n_own))
        return cut_off(in, err);
    uint32_t mark = blob_get_u32(reader), version = blob_get_u32(reader);
    if (mark == SWAPPED_MARK)
        return err_set(err, ERR_STUDY, "%s %s: written on a machine with another order of bytes",
                       kind->what, in->name);
    if (mark != BYTE_ORDER_MARK)
        return damaged(in, sizeof kind->magic, err);
    if (version != kind->version)
        return err_set(err, ERR_STUDY,
                       "%s %s: of format version %" PRIu32 "; this program reads %" PRIu32,
                       kind->what, in->name, version, kind->version);
    return 0;
}

int frames_head(struct frames_in *in, void *own, struct err *err)
{
    uint64_t n_head = FRAMES_HEAD_BYTES(in->kind->n_own), n = in->size < n_head ? in->size : n_head;
    unsigned char *bytes = mem_calloc(n_head, 1);
    struct blob_reader reader = blob_read(bytes, n_head);
    int rc = go_to(in, 0, err);
    if (rc == 0)
        rc = read_on(in, bytes, n, err);
    if (rc == 0)
        rc = check_kind(in, &reader, err);
    if (rc == 0) {
        const void *found = blob_take(&reader, in->kind->n_own);
        if (blob_get_u64(&reader) == checksum_bytes(bytes, n_head - sizeof(uint64_t)))
            memcpy(own, found, in->kind->n_own);
        else
            rc = damaged(in, 0, err);
    }
    in->head_chain = in->chain = checksum_bytes(bytes, n_head);
    in->n_frames = 0;
    mem_free(bytes);
    return rc;
}

// The end has been met: is it that of these frames, and of the file?
static int check_end(struct frames_in *in, struct err *err)
{
    uint64_t words[2], at = in->at;
    if (read_on(in, words, sizeof words, err) != 0)
        return -1;
    if (words[0] != in->n_frames || words[1] != in->chain || in->n_frames == 0)
        return damaged(in, at, err);
    if (in->at != in->size)
        return err_set(err, ERR_STUDY,
                       "%s %s: damaged: %" PRIu64 " bytes behind its end at byte %" PRIu64,
                       in->kind->what, in->name, in->size - in->at, in->at);
    return 0;
}

int frames_next(struct frames_in *in, uint64_t *n_bytes, uint64_t *hash, struct err *err)
{
    uint64_t at = in->at;
    if (read_on(in, n_bytes, sizeof *n_bytes, err) != 0)
        return -1;
    if (*n_bytes == END_MARK)
        return check_end(in, err);
    if (*n_bytes > FRAMES_MAX_BYTES)
        return damaged(in, at, err);
    if (read_on(in, hash, sizeof *hash, err) != 0)
        return -1;
    if (*n_bytes > in->size - in->at)
        return err_set(err, ERR_STUDY,
                       "%s %s: cut off at byte %" PRIu64 " or damaged at byte %" PRIu64,
                       in->kind->what, in->name, in->size, at);
    in->n_frames++;
    in->chain = chain_on(in->chain, *n_bytes, *hash);
    return 1;
}

static int frame_damaged(const struct frames_in *in, uint64_t n_bytes, struct err *err)
{
    return err_set(err, ERR_STUDY, "%s %s: damaged between byte %" PRIu64 " and byte %" PRIu64,
                   in->kind->what, in->name, in->at - n_bytes, in->at);
}

int frames_check(struct frames_in *in, struct err *err)
{
    uint64_t n_bytes, hash, found;
    int more;
    while ((more = frames_next(in, &n_bytes, &hash, err)) == 1) {
        if (checksum_stream(in->file, n_bytes, &found) != 0)
            return cannot_read(in, err);
        in->at += n_bytes;
        if (found != hash)
            return frame_damaged(in, n_bytes, err);
    }
    if (more != 0)
        return -1;
    in->n_frames = 0;
    in->chain = in->head_chain;
    return go_to(in, FRAMES_HEAD_BYTES(in->kind->n_own), err);
}

int frames_get(struct frames_in *in, void *bytes, uint64_t n_bytes, uint64_t hash, struct err *err)
{
    if (read_on(in, bytes, n_bytes, err) != 0)
        return -1;
    return checksum_bytes(bytes, n_bytes) == hash ? 0 : frame_damaged(in, n_bytes, err);
}
