// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/blob.h"
#include "base/mem.h"
#include "results/file/checkpoint_name.h"

static const char magic[8] = {'r', 'f', 'c', 'k', 'p', 't', 0x1a, '\n'};

#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define SWAPPED_MARK UINT32_C(0x04030201)
#define HEAD_BYTES 288u // all that stands before the first frame
#define END_MARK UINT64_MAX
#define PIECE_BYTES (1u << 20)

uint64_t checkpoint_file_hash(const void *bytes, uint64_t n)
{
    return XXH3_64bits(bytes, n);
}

// The hash over all frames so far, with one more: their order and number count.
static uint64_t chain_on(uint64_t chain, uint64_t n_bytes, uint64_t hash)
{
    const uint64_t words[3] = {chain, n_bytes, hash};
    return checkpoint_file_hash(words, sizeof words);
}

// Text as it stands in a head: always ended, the rest zeros, no control characters, so that it can
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
    blob_put(blob, magic, sizeof magic);
    blob_put_u32(blob, BYTE_ORDER_MARK);
    blob_put_u32(blob, CHECKPOINT_FORMAT_VERSION);
    put_text(blob, head->program, sizeof head->program);
    put_text(blob, head->study, sizeof head->study);
    put_text(blob, head->name, sizeof head->name);
    blob_put_i64(blob, head->reached_ns);
    blob_put_i64(blob, head->end_ns);
    blob_put_u64(blob, head->n_restarts);
    blob_put(blob, &head->wall_s, sizeof head->wall_s);
    blob_put_u64(blob, checkpoint_file_hash(blob->bytes, blob->n));
}

// The members from behind the version; false when they make no sense.
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

// ---- writing

struct checkpoint_file_out {
    struct checkpoint_name name;
    uint64_t n_bytes, n_frames, chain;
    sigset_t signals; // blocked before this file was opened
};

// A file longer than the process may write raises SIGXFSZ, which ends the program unless it is
// blocked; blocked, the write fails with EFBIG and the signal waits to be taken away again.
static void block_limit(struct checkpoint_file_out *out)
{
    sigset_t limit;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit, &out->signals);
}

static void unblock_limit(const struct checkpoint_file_out *out)
{
    sigset_t limit;
    if (sigismember(&out->signals, SIGXFSZ))
        return;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    while (sigtimedwait(&limit, NULL, &(struct timespec){0, 0}) == SIGXFSZ)
        ;
    pthread_sigmask(SIG_SETMASK, &out->signals, NULL);
}

static int write_all(struct checkpoint_file_out *out, const void *bytes, uint64_t n,
                     struct err *err)
{
    uint64_t done = 0;
    while (done < n) {
        ssize_t put = write(out->name.fd, (const unsigned char *)bytes + done, n - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) // nothing written of something to write: no space, whatever errno says
            return err_set(err, ERR_FAIL, "checkpoint %s: cannot write: %s", out->name.path,
                           strerror(put < 0 ? errno : ENOSPC));
        done += (uint64_t)put;
    }
    out->n_bytes += n;
    return 0;
}

struct checkpoint_file_out *
checkpoint_file_create(const char *path, const struct checkpoint_head *head, struct err *err)
{
    struct checkpoint_file_out *out = mem_calloc(1, sizeof *out);
    struct blob blob = {0};
    block_limit(out);
    if (checkpoint_name_open(&out->name, path, err) != 0) {
        unblock_limit(out);
        mem_free(out);
        return NULL;
    }
    put_head(&blob, head);
    out->chain = checkpoint_file_hash(blob.bytes, blob.n);
    int rc = write_all(out, blob.bytes, blob.n, err);
    blob_release(&blob);
    if (rc == 0)
        return out;
    checkpoint_file_abandon(out);
    return NULL;
}

int checkpoint_file_put(struct checkpoint_file_out *out, const void *bytes, uint64_t n,
                        uint64_t hash, struct err *err)
{
    const uint64_t words[2] = {n, hash};
    if (n > CHECKPOINT_MAX_FRAME_BYTES)
        return err_set(err, ERR_FAIL,
                       "checkpoint %s: a piece of state of %" PRIu64 " bytes is too long",
                       out->name.path, n);
    if (write_all(out, words, sizeof words, err) != 0 || write_all(out, bytes, n, err) != 0)
        return -1;
    out->n_frames++;
    out->chain = chain_on(out->chain, n, hash);
    return 0;
}

int checkpoint_file_finish(struct checkpoint_file_out *out, uint64_t *n_bytes, struct err *err)
{
    const uint64_t words[3] = {END_MARK, out->n_frames, out->chain};
    int rc = 0;
    if (out->n_frames == 0)
        rc = err_set(err, ERR_FAIL, "checkpoint %s: there is no state to keep", out->name.path);
    if (rc != 0 || write_all(out, words, sizeof words, err) != 0) {
        checkpoint_file_abandon(out);
        return -1;
    }
    *n_bytes = out->n_bytes;
    rc = checkpoint_name_publish(&out->name, err);
    unblock_limit(out);
    mem_free(out);
    return rc;
}

void checkpoint_file_abandon(struct checkpoint_file_out *out)
{
    if (!out)
        return;
    checkpoint_name_discard(&out->name);
    unblock_limit(out);
    mem_free(out);
}

// ---- reading

int checkpoint_file_open(struct checkpoint_file_in *in, const char *path, struct err *err)
{
    struct stat st;
    *in = (struct checkpoint_file_in){.name = path};
    // Not blocked: a FIFO without a writer would never come back.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_STUDY : ERR_FAIL, "checkpoint %s: %s", path,
                       strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_STUDY, "checkpoint %s: not a regular file", path);
    }
    in->size = (uint64_t)st.st_size;
    in->file = fdopen(fd, "rb");
    if (in->file)
        return 0;
    close(fd);
    return err_set(err, ERR_FAIL, "checkpoint %s: %s", path, strerror(errno));
}

void checkpoint_file_close(struct checkpoint_file_in *in)
{
    if (in->file)
        fclose(in->file);
    in->file = NULL;
}

int checkpoint_file_replaceable(const char *path, struct err *err)
{
    struct checkpoint_file_in in;
    unsigned char bytes[sizeof magic] = {0};
    if (access(path, F_OK) != 0)
        return 0;
    if (checkpoint_file_open(&in, path, err) != 0)
        return -1;
    size_t n = fread(bytes, 1, sizeof bytes, in.file);
    bool ours = in.size == 0 || memcmp(bytes, magic, n > 0 ? n : sizeof magic) == 0;
    checkpoint_file_close(&in);
    if (ours)
        return 0;
    return err_set(err, ERR_STUDY,
                   "checkpoint %s: exists, is not a checkpoint of recfleet and is never replaced",
                   path);
}

static int damaged(const struct checkpoint_file_in *in, uint64_t at, struct err *err)
{
    return err_set(err, ERR_FAIL, "checkpoint %s: damaged at byte %" PRIu64, in->name, at);
}

static int cut_off(const struct checkpoint_file_in *in, struct err *err)
{
    return err_set(err, ERR_FAIL,
                   "checkpoint %s: cut off: it ends at byte %" PRIu64 ", before it is complete",
                   in->name, in->size);
}

static int read_on(struct checkpoint_file_in *in, void *bytes, uint64_t n, struct err *err)
{
    if (in->size - in->at < n)
        return cut_off(in, err);
    errno = 0;
    if (n > 0 && fread(bytes, 1, n, in->file) != n)
        return err_set(err, ERR_FAIL, "checkpoint %s: cannot read: %s", in->name,
                       errno ? strerror(errno) : "it has become shorter");
    in->at += n;
    return 0;
}

static int go_to(struct checkpoint_file_in *in, uint64_t at, struct err *err)
{
    if (fseeko(in->file, (off_t)at, SEEK_SET) != 0)
        return err_set(err, ERR_FAIL, "checkpoint %s: cannot read: %s", in->name, strerror(errno));
    in->at = at;
    return 0;
}

// The first 16 bytes, which say how to read the others.
static int check_kind(struct checkpoint_file_in *in, struct blob_reader *reader, struct err *err)
{
    if (in->size < sizeof magic ||
        memcmp(blob_take(reader, sizeof magic), magic, sizeof magic) != 0)
        return err_set(err, ERR_STUDY, "checkpoint %s: not a checkpoint of recfleet", in->name);
    if (in->size < HEAD_BYTES)
        return cut_off(in, err);
    uint32_t mark = blob_get_u32(reader), version = blob_get_u32(reader);
    if (mark == SWAPPED_MARK)
        return err_set(err, ERR_STUDY,
                       "checkpoint %s: written on a machine with another order of bytes", in->name);
    if (mark != BYTE_ORDER_MARK)
        return damaged(in, sizeof magic, err);
    if (version != CHECKPOINT_FORMAT_VERSION)
        return err_set(err, ERR_STUDY,
                       "checkpoint %s: of format version %" PRIu32 "; this program reads %u",
                       in->name, version, CHECKPOINT_FORMAT_VERSION);
    return 0;
}

int checkpoint_file_head(struct checkpoint_file_in *in, struct checkpoint_head *head,
                         struct err *err)
{
    unsigned char bytes[HEAD_BYTES] = {0};
    struct blob_reader reader = blob_read(bytes, sizeof bytes);
    struct checkpoint_head found;
    uint64_t n = in->size < HEAD_BYTES ? in->size : HEAD_BYTES;
    if (go_to(in, 0, err) != 0 || read_on(in, bytes, n, err) != 0 ||
        check_kind(in, &reader, err) != 0)
        return -1;
    bool good = get_head(&reader, &found);
    uint64_t hash = blob_get_u64(&reader);
    if (!good || hash != checkpoint_file_hash(bytes, HEAD_BYTES - sizeof hash))
        return damaged(in, 0, err);
    *head = found;
    in->head_chain = in->chain = checkpoint_file_hash(bytes, HEAD_BYTES);
    in->n_frames = 0;
    return 0;
}

// The end has been met: is it that of these frames, and of the file?
static int check_end(struct checkpoint_file_in *in, struct err *err)
{
    uint64_t words[2], at = in->at;
    if (read_on(in, words, sizeof words, err) != 0)
        return -1;
    if (words[0] != in->n_frames || words[1] != in->chain || in->n_frames == 0)
        return damaged(in, at, err);
    if (in->at != in->size)
        return err_set(err, ERR_FAIL,
                       "checkpoint %s: damaged: %" PRIu64 " bytes behind its end at byte %" PRIu64,
                       in->name, in->size - in->at, in->at);
    return 0;
}

int checkpoint_file_next(struct checkpoint_file_in *in, uint64_t *n_bytes, uint64_t *hash,
                         struct err *err)
{
    uint64_t at = in->at;
    if (read_on(in, n_bytes, sizeof *n_bytes, err) != 0)
        return -1;
    if (*n_bytes == END_MARK)
        return check_end(in, err);
    if (*n_bytes > CHECKPOINT_MAX_FRAME_BYTES)
        return damaged(in, at, err);
    if (read_on(in, hash, sizeof *hash, err) != 0)
        return -1;
    if (*n_bytes > in->size - in->at)
        return err_set(err, ERR_FAIL,
                       "checkpoint %s: cut off at byte %" PRIu64 " or damaged at byte %" PRIu64,
                       in->name, in->size, at);
    in->n_frames++;
    in->chain = chain_on(in->chain, *n_bytes, *hash);
    return 1;
}

static int frame_damaged(const struct checkpoint_file_in *in, uint64_t n_bytes, struct err *err)
{
    return err_set(err, ERR_FAIL,
                   "checkpoint %s: damaged between byte %" PRIu64 " and byte %" PRIu64, in->name,
                   in->at - n_bytes, in->at);
}

// Reads n_bytes in pieces for their hash alone.
static int check_frame(struct checkpoint_file_in *in, XXH3_state_t *state, unsigned char *piece,
                       uint64_t n_bytes, uint64_t hash, struct err *err)
{
    XXH3_64bits_reset(state);
    for (uint64_t left = n_bytes; left > 0;) {
        uint64_t n = left < PIECE_BYTES ? left : PIECE_BYTES;
        if (read_on(in, piece, n, err) != 0)
            return -1;
        XXH3_64bits_update(state, piece, n);
        left -= n;
    }
    return XXH3_64bits_digest(state) == hash ? 0 : frame_damaged(in, n_bytes, err);
}

int checkpoint_file_check(struct checkpoint_file_in *in, struct err *err)
{
    uint64_t n_bytes, hash, piece_bytes = in->size < PIECE_BYTES ? in->size : PIECE_BYTES;
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return err_set(err, ERR_FAIL, "checkpoint %s: out of memory", in->name);
    unsigned char *piece = mem_alloc(piece_bytes);
    int more;
    while ((more = checkpoint_file_next(in, &n_bytes, &hash, err)) == 1) {
        if (check_frame(in, state, piece, n_bytes, hash, err) != 0) {
            more = -1;
            break;
        }
    }
    mem_free(piece);
    XXH3_freeState(state);
    if (more != 0)
        return -1;
    in->n_frames = 0;
    in->chain = in->head_chain;
    return go_to(in, HEAD_BYTES, err);
}

int checkpoint_file_get(struct checkpoint_file_in *in, void *bytes, uint64_t n_bytes, uint64_t hash,
                        struct err *err)
{
    if (read_on(in, bytes, n_bytes, err) != 0)
        return -1;
    return checkpoint_file_hash(bytes, n_bytes) == hash ? 0 : frame_damaged(in, n_bytes, err);
}

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
                       "same program can go on exactly",
                       name, head->program, expected->program);
    return 0;
}
