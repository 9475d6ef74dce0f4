// SPDX-License-Identifier: Apache-2.0
#include "capacity/memo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/wallclock.h"
#include "results/file/checkpoint_file.h"
#include "results/file/durable.h"

static const char magic[8] = {'r', 'f', 'm', 'e', 'm', 'o', 0x1a, '\n'};

#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define FORMAT_VERSION 1u
#define PROGRAM_BYTES 64
#define HEAD_BYTES (sizeof magic + 8 + PROGRAM_BYTES + MEMO_DIGEST_BYTES + 8)
#define SYNC_EVERY_S 10.0

struct memo_file {
    char *path;
    int fd;
    double synced_s;
};

// ---- writing ------------------------------------------------------------------------------------

// A file longer than the process may write is an error, not the end of the program.
static int write_all(const struct memo_file *file, const struct blob *bytes, struct err *err)
{
    sigset_t limit, before;
    size_t done = 0;
    int reason = 0;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &limit, &before);
    while (done < bytes->n && reason == 0) {
        ssize_t n = write(file->fd, bytes->bytes + done, bytes->n - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            reason = errno;
    }
    if (reason == EFBIG)
        sigtimedwait(&limit, NULL, &(struct timespec){0, 0});
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (reason != 0)
        return err_set(err, ERR_FAIL, "memo %s: cannot write: %s", file->path, strerror(reason));
    return 0;
}

static int sync_file(struct memo_file *file, struct err *err)
{
    file->synced_s = wallclock_s();
    if (fdatasync(file->fd) != 0 && errno != EINVAL)
        return err_set(err, ERR_FAIL, "memo %s: cannot write: %s", file->path, strerror(errno));
    return 0;
}

int memo_file_add(struct memo_file *file, uint64_t key, const struct blob *bytes, struct err *err)
{
    struct blob entry = {0};
    blob_put_u64(&entry, key);
    blob_put_u64(&entry, bytes->n);
    blob_put(&entry, bytes->bytes, bytes->n);
    blob_put_u64(&entry, checkpoint_file_hash(entry.bytes, entry.n));
    int rc = write_all(file, &entry, err);
    blob_release(&entry);
    if (rc == 0 && wallclock_s() - file->synced_s > SYNC_EVERY_S)
        rc = sync_file(file, err);
    return rc;
}

// ---- the head -----------------------------------------------------------------------------------

static void make_head(const struct memo_file_config *config, struct blob *head)
{
    char program[PROGRAM_BYTES] = "";
    snprintf(program, sizeof program, "%s", config->program);
    blob_put(head, magic, sizeof magic);
    blob_put_u32(head, BYTE_ORDER_MARK);
    blob_put_u32(head, FORMAT_VERSION);
    blob_put(head, program, sizeof program);
    blob_put(head, config->digest, MEMO_DIGEST_BYTES);
    blob_put_u64(head, checkpoint_file_hash(head->bytes, head->n));
}

// What a file is to us by its first bytes.
enum kind {
    KIND_NEW,     // begun and no further: nothing is lost
    KIND_OURS,    // to go on with
    KIND_STUDY,   // a memo of another study
    KIND_PROGRAM, // a memo of another program, or of another kind of machine
    KIND_DAMAGED,
    KIND_FOREIGN // no memo
};

static enum kind kind_of(const struct blob *found, const struct blob *head)
{
    uint64_t hash;
    size_t digest = sizeof magic + 8 + PROGRAM_BYTES; // behind it; before it, who wrote the file
    if (found->n == 0)
        return KIND_NEW;
    if (found->n < HEAD_BYTES)
        return memcmp(found->bytes, head->bytes, found->n) == 0 ? KIND_NEW : KIND_FOREIGN;
    if (memcmp(found->bytes, magic, sizeof magic) != 0)
        return KIND_FOREIGN;
    memcpy(&hash, found->bytes + HEAD_BYTES - sizeof hash, sizeof hash);
    if (hash != checkpoint_file_hash(found->bytes, HEAD_BYTES - sizeof hash))
        return KIND_DAMAGED;
    if (memcmp(found->bytes, head->bytes, digest) != 0)
        return KIND_PROGRAM;
    return memcmp(found->bytes + digest, head->bytes + digest, MEMO_DIGEST_BYTES) == 0 ? KIND_OURS
                                                                                       : KIND_STUDY;
}

// Whether the file may be used, given what it is; *anew: from the beginning.
static int judge(const struct memo_file_config *config, enum kind kind, bool *anew, struct err *err)
{
    const char *why = kind == KIND_STUDY     ? "belongs to another study"
                      : kind == KIND_PROGRAM ? "was written by another version of the program"
                                             : "is damaged";
    *anew = kind != KIND_OURS || !config->resume;
    if (kind == KIND_FOREIGN)
        return err_set(err, ERR_STUDY, "memo %s: exists and is not a file of kept answers",
                       config->path);
    if (kind == KIND_NEW || config->force)
        return 0;
    if (!config->resume)
        return err_set(err, ERR_STUDY,
                       "memo %s: exists; --resume goes on from it, --force begins anew",
                       config->path);
    if (kind != KIND_OURS)
        return err_set(err, ERR_STUDY, "memo %s: %s; --force begins anew", config->path, why);
    return 0;
}

// ---- opening ------------------------------------------------------------------------------------

static int read_all(const struct memo_file *file, struct blob *bytes, struct err *err)
{
    unsigned char piece[1 << 16];
    for (;;) {
        ssize_t n = read(file->fd, piece, sizeof piece);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set(err, ERR_FAIL, "memo %s: cannot read: %s", file->path, strerror(errno));
        blob_put(bytes, piece, n > 0 ? (size_t)n : 0);
    }
}

bool memo_file_next(struct blob_reader *reader, uint64_t *key, struct blob_reader *bytes)
{
    struct blob_reader ahead = *reader;
    *key = blob_get_u64(&ahead);
    uint64_t n = blob_get_u64(&ahead);
    if (ahead.short_of || n > blob_left(&ahead))
        return false;
    const void *content = blob_take(&ahead, n);
    uint64_t hash = blob_get_u64(&ahead);
    if (ahead.short_of || hash != checkpoint_file_hash(reader->bytes + reader->at, 16 + n))
        return false;
    *bytes = blob_read(content, n);
    *reader = ahead;
    return true;
}

// Moves the whole entries behind the head into *entries, and cuts the file behind them.
static int take_entries(const struct memo_file *file, const struct blob *found,
                        struct blob *entries, struct err *err)
{
    struct blob_reader reader = blob_read(found->bytes + HEAD_BYTES, found->n - HEAD_BYTES), bytes;
    uint64_t key;
    while (memo_file_next(&reader, &key, &bytes))
        continue;
    if (blob_left(&reader) > 0) {
        log_warn("memo %s: its last %zu bytes are cut off or damaged, they are left out",
                 file->path, blob_left(&reader));
        if (ftruncate(file->fd, (off_t)(HEAD_BYTES + reader.at)) != 0)
            return err_set(err, ERR_FAIL, "memo %s: cannot write: %s", file->path, strerror(errno));
    }
    blob_put(entries, reader.bytes, reader.at);
    return 0;
}

static int begin(struct memo_file *file, const struct blob *head, struct err *err)
{
    if (ftruncate(file->fd, 0) != 0)
        return err_set(err, ERR_FAIL, "memo %s: cannot write: %s", file->path, strerror(errno));
    if (write_all(file, head, err) < 0 || sync_file(file, err) < 0)
        return -1;
    return durable_sync_folder(file->path, err);
}

static int open_fd(const struct memo_file_config *config, struct err *err)
{
    struct stat st;
    size_t length = strlen(config->path);
    if (length == 0 || config->path[length - 1] == '/')
        return err_set(err, ERR_STUDY, "memo '%s': expected the name of a file", config->path);
    if (stat(config->path, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(err, ERR_STUDY, "memo %s: exists and is not a regular file", config->path);
    int fd = open(config->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, ERR_STUDY, "memo %s: cannot write: %s", config->path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return fd;
    close(fd);
    return err_set(err, ERR_STUDY, "memo %s: another run has it open", config->path);
}

static int take_up(struct memo_file *file, const struct memo_file_config *config,
                   struct blob *entries, struct err *err)
{
    struct blob found = {0}, head = {0};
    bool anew = false;
    make_head(config, &head);
    int rc = read_all(file, &found, err);
    if (rc == 0)
        rc = judge(config, kind_of(&found, &head), &anew, err);
    if (rc == 0)
        rc = anew ? begin(file, &head, err) : take_entries(file, &found, entries, err);
    blob_release(&found);
    blob_release(&head);
    return rc;
}

struct memo_file *memo_file_open(const struct memo_file_config *config, struct blob *entries,
                                 struct err *err)
{
    struct memo_file *file = mem_calloc(1, sizeof *file);
    file->path = mem_strdup(config->path);
    file->fd = open_fd(config, err);
    file->synced_s = wallclock_s();
    if (file->fd >= 0 && take_up(file, config, entries, err) == 0)
        return file;
    if (file->fd >= 0)
        close(file->fd);
    mem_free(file->path);
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
    mem_free(file->path);
    mem_free(file);
}
