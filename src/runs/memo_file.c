// SPDX-License-Identifier: Apache-2.0
#include "runs/memo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "results/file/checksum.h"
#include "results/file/durable.h"
#include "results/file/frames.h"

#define SYNC_EVERY_S 10.0

// Whose answers they are.
struct owner {
    char program[64];
    unsigned char digest[MEMO_DIGEST_BYTES];
};

static const struct frames_kind kind = {
    "memo", {'r', 'f', 'm', 'e', 'm', 'o', 0x1a, '\n'}, 2, sizeof(struct owner)};

struct memo_file {
    const char *path;
    int fd;
    struct frames_out frames;
    double synced_s;
};

// ---- writing ------------------------------------------------------------------------------------

static int cannot_write(const struct memo_file *file, struct err *err)
{
    return err_set(err, ERR_FAIL, "memo %s: cannot write: %s", file->path, strerror(errno));
}

static int sync_file(struct memo_file *file, struct err *err)
{
    file->synced_s = wallclock_s();
    if (fdatasync(file->fd) != 0 && errno != EINVAL)
        return cannot_write(file, err);
    return 0;
}

int memo_file_add(struct memo_file *file, uint64_t key, const void *bytes, size_t n,
                  struct err *err)
{
    struct blob entry = {0};
    blob_put_u64(&entry, key);
    blob_put(&entry, bytes, n);
    int rc =
        frames_put(&file->frames, entry.bytes, entry.n, checksum_bytes(entry.bytes, entry.n), err);
    blob_release(&entry);
    if (rc == 0 && wallclock_s() - file->synced_s > SYNC_EVERY_S)
        rc = sync_file(file, err);
    return rc;
}

static int begin(struct memo_file *file, const struct owner *owner, struct err *err)
{
    if (ftruncate(file->fd, 0) != 0)
        return cannot_write(file, err);
    if (frames_begin(&file->frames, owner, err) < 0 || sync_file(file, err) < 0)
        return -1;
    return durable_sync_folder(file->path, err);
}

// ---- reading ------------------------------------------------------------------------------------

bool memo_file_next(struct blob_reader *reader, uint64_t *key, struct blob_reader *bytes)
{
    if (blob_left(reader) == 0)
        return false;
    uint64_t n = blob_get_u64(reader);
    *key = blob_get_u64(reader);
    *bytes = blob_read(blob_take(reader, n), n);
    return true;
}

// Moves the whole entries into *entries, and cuts the file behind them.
static int take_entries(const struct memo_file *file, struct frames_in *in, struct blob *entries,
                        struct err *err)
{
    uint64_t end = in->at, n, hash;
    bool whole = true;
    while (whole && in->at < in->size && frames_next(in, &n, &hash, NULL) == 1 &&
           n >= sizeof(uint64_t)) {
        unsigned char *bytes = mem_alloc(n);
        whole = frames_get(in, bytes, n, hash, NULL) == 0;
        if (whole) {
            blob_put_u64(entries, n - sizeof(uint64_t)); // without the key
            blob_put(entries, bytes, n);
            end = in->at;
        }
        mem_free(bytes);
    }
    if (end == in->size)
        return 0;
    log_warn("memo %s: its last %llu bytes are cut off or damaged, they are left out", file->path,
             (unsigned long long)(in->size - end));
    return ftruncate(file->fd, (off_t)end) == 0 ? 0 : cannot_write(file, err);
}

// ---- opening ------------------------------------------------------------------------------------

static int open_fd(const char *path, struct err *err)
{
    if (durable_check_place(kind.what, path, ERR_STUDY, err) < 0)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, ERR_STUDY, "memo %s: cannot write: %s", path, strerror(errno));
    if (durable_lock(fd))
        return fd;
    close(fd);
    return err_set(err, ERR_STUDY, "memo %s: another run has it open", path);
}

// Can the answers be resumed from? 0 with the reader at the first, or -1 with the reason.
static int check_owner(struct frames_in *in, const struct owner *owner, struct err *err)
{
    struct owner found;
    const char *differs = NULL;
    if (frames_head(in, &found, err) < 0)
        return -1;
    if (memcmp(found.program, owner->program, sizeof found.program) != 0)
        differs = "was written by another version of the program";
    else if (memcmp(found.digest, owner->digest, sizeof found.digest) != 0)
        differs = "belongs to another study";
    return differs ? err_set(err, ERR_STUDY, "memo %s: %s", in->name, differs) : 0;
}

// What took hours is never dropped by accident: without a word about it an old file is an error,
// and --force with --resume drops only what cannot be used. Resumes or begins, whichever was asked
// for and can be.
static int take_up(struct memo_file *file, const struct memo_file_config *config,
                   struct frames_in *in, struct blob *entries, struct err *err)
{
    struct owner owner = {0};
    snprintf(owner.program, sizeof owner.program, "%s", config->program);
    memcpy(owner.digest, config->digest, sizeof owner.digest);
    // One whose head is not complete was begun a moment ago: nothing is lost.
    if (in->size < FRAMES_HEAD_BYTES(kind.n_own))
        return begin(file, &owner, err);
    if (!config->resume && !config->force)
        return err_set(err, ERR_STUDY,
                       "memo %s: exists; resume with --resume, or begin anew with "
                       "--force",
                       config->path);
    if (!config->resume)
        return begin(file, &owner, err);
    if (check_owner(in, &owner, err) == 0)
        return take_entries(file, in, entries, err);
    if (config->force)
        return begin(file, &owner, err);
    if (err)
        err->code = ERR_STUDY;
    return err_append(err, "; begin anew with --force");
}

struct memo_file *memo_file_open(const struct memo_file_config *config, struct blob *entries,
                                 struct err *err)
{
    struct frames_in in = {0};
    int fd = open_fd(config->path, err);
    if (fd < 0)
        return NULL;
    struct memo_file *file = mem_calloc(1, sizeof *file);
    *file = (struct memo_file){.path = config->path, .fd = fd};
    file->frames = (struct frames_out){.kind = &kind, .name = file->path, .fd = fd};
    file->synced_s = wallclock_s();
    int rc = frames_replaceable(&kind, config->path, err);
    if (rc == 0)
        rc = frames_open(&in, &kind, config->path, err);
    if (rc == 0)
        rc = take_up(file, config, &in, entries, err);
    frames_close(&in);
    if (rc == 0)
        return file;
    struct stat st;
    if (fstat(fd, &st) == 0 && st.st_size == 0) // made here, or begun by who could not go on either
        unlink(config->path);
    close(fd);
    mem_free(file);
    return NULL;
}

void memo_file_close(struct memo_file *file, bool remove)
{
    if (!file)
        return;
    if (remove)
        unlink(file->path);
    else
        sync_file(file, NULL);
    close(file->fd);
    mem_free(file);
}
