// SPDX-License-Identifier: Apache-2.0
#include "results/file/checkpoint_name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/durable.h"

// Linux gives no process a larger number, so adding multiples makes further names of our own.
#define PID_LIMIT (1L << 22)
#define MAX_TRIES 16

char *checkpoint_name_previous(const char *path)
{
    return mem_printf("%s.previous", path);
}

// A name may be replaced when a regular file has it, also through a link, or nothing has.
static int check_place(const char *path, enum err_code code, struct err *err)
{
    struct stat st;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        return err_set(err, code, "checkpoint '%s': expected the name of a file", path);
    if (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return err_set(err, code, "checkpoint %s: %s", path, strerror(errno));
        if (lstat(path, &st) == 0)
            return err_set(err, code, "checkpoint %s: a link that leads nowhere", path);
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, code, "checkpoint %s: exists and is not a regular file", path);
    return 0;
}

static int check_places(const char *path, enum err_code code, struct err *err)
{
    char *previous = checkpoint_name_previous(path);
    int rc = check_place(path, code, err);
    if (rc == 0)
        rc = check_place(previous, code, err);
    mem_free(previous);
    return rc;
}

// Removes a temporary file that nobody holds the lock of. Where locks do not work it stays.
static void remove_abandoned(const char *path)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlink(path);
    close(fd);
}

// Is it ".NAME.tmp-", or ".NAME.previous.tmp-", and then digits?
static bool is_temporary(const char *entry, const char *name)
{
    const char *const tails[] = {".tmp-", ".previous.tmp-"};
    size_t n = strlen(name);
    if (entry[0] != '.' || strncmp(entry + 1, name, n) != 0)
        return false;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        const char *rest = entry + 1 + n;
        size_t tail = strlen(tails[i]);
        if (strncmp(rest, tails[i], tail) == 0 && rest[tail] != '\0' &&
            rest[tail + strspn(rest + tail, "0123456789")] == '\0')
            return true;
    }
    return false;
}

static void remove_all_abandoned(const char *path)
{
    char *folder;
    const char *name;
    durable_split(path, &folder, &name);
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!is_temporary(entry->d_name, name))
            continue;
        char *abandoned = mem_printf("%s/%s", folder, entry->d_name);
        remove_abandoned(abandoned);
        mem_free(abandoned);
    }
    if (dir)
        closedir(dir);
    mem_free(folder);
}

static void release(struct checkpoint_name *name)
{
    if (name->fd >= 0)
        close(name->fd);
    mem_free(name->path);
    mem_free(name->previous);
    mem_free(name->temporary);
    mem_free(name->keep);
    *name = (struct checkpoint_name){.fd = -1};
}

// Opens the file and takes its lock. False when another had the name, or took the file for
// abandoned before the lock was ours: another name must be tried.
static bool open_locked(struct checkpoint_name *name)
{
    struct stat st;
    name->fd = open(name->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (name->fd < 0)
        return errno != EEXIST;
    bool lost = flock(name->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!lost && fstat(name->fd, &st) == 0 && st.st_nlink > 0)
        return true;
    close(name->fd);
    name->fd = -1;
    errno = EEXIST;
    return false;
}

int checkpoint_name_open(struct checkpoint_name *name, const char *path, struct err *err)
{
    *name = (struct checkpoint_name){.fd = -1};
    if (check_places(path, ERR_FAIL, err) != 0)
        return -1;
    remove_all_abandoned(path);
    name->path = mem_strdup(path);
    name->previous = checkpoint_name_previous(path);
    bool done = false;
    for (long i = 0; i < MAX_TRIES && !done; i++) {
        long number = (long)getpid() + i * PID_LIMIT;
        mem_free(name->temporary);
        mem_free(name->keep);
        name->temporary = durable_temporary(path, number);
        name->keep = durable_temporary(name->previous, number);
        done = open_locked(name);
    }
    if (name->fd >= 0)
        return 0;
    err_set(err, ERR_FAIL, "checkpoint %s: cannot write: %s", path, strerror(errno));
    release(name);
    return -1;
}

void checkpoint_name_discard(struct checkpoint_name *name)
{
    if (name->temporary)
        unlink(name->temporary);
    release(name);
}

// How the file that has the name now will still be there afterwards.
enum kept { KEPT_NOTHING, KEPT_LINKED, KEPT_MOVED };

static int keep_old(const struct checkpoint_name *name, enum kept *kept, struct err *err)
{
    struct stat st;
    *kept = KEPT_NOTHING;
    if (lstat(name->path, &st) != 0 && errno == ENOENT)
        return 0;
    unlink(name->keep); // as a rule it is not there
    if (link(name->path, name->keep) == 0)
        *kept = KEPT_LINKED;
    else if (rename(name->path, name->previous) == 0)
        *kept = KEPT_MOVED;
    else
        return err_set(err, ERR_FAIL, "checkpoint %s: cannot keep the one before as %s: %s",
                       name->path, name->previous, strerror(errno));
    return 0;
}

static void undo_keep(const struct checkpoint_name *name, enum kept kept)
{
    if (kept == KEPT_LINKED)
        unlink(name->keep);
    else if (kept == KEPT_MOVED)
        (void)rename(name->previous, name->path); // else it is still there as PATH.previous
}

static int take_name(const struct checkpoint_name *name, struct err *err)
{
    enum kept kept;
    if (fsync(name->fd) != 0)
        return err_set(err, ERR_FAIL, "checkpoint %s: cannot write: %s", name->path,
                       strerror(errno));
    // What has the name may have changed since the file was opened.
    if (check_places(name->path, ERR_FAIL, err) != 0 || keep_old(name, &kept, err) != 0)
        return -1;
    if (rename(name->temporary, name->path) != 0) {
        err_set(err, ERR_FAIL, "checkpoint %s: cannot take its name: %s", name->path,
                strerror(errno));
        undo_keep(name, kept);
        return -1;
    }
    if (kept == KEPT_LINKED) {
        int rc = rename(name->keep, name->previous), reason = errno;
        unlink(name->keep); // still there when the rename failed, or had nothing to do
        if (rc != 0 && reason != ENOENT)
            return err_set(err, ERR_FAIL, "checkpoint %s: cannot keep the one before as %s: %s",
                           name->path, name->previous, strerror(reason));
    }
    return durable_sync_folder(name->path, err);
}

int checkpoint_name_publish(struct checkpoint_name *name, struct err *err)
{
    int rc = take_name(name, err);
    if (rc == 0)
        release(name);
    else
        checkpoint_name_discard(name);
    return rc;
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool checkpoint_name_exists(const char *path)
{
    char *previous = checkpoint_name_previous(path);
    bool there = is_there(path) || is_there(previous);
    mem_free(previous);
    return there;
}

int checkpoint_name_check(const char *path, struct err *err)
{
    struct checkpoint_name name;
    if (check_places(path, ERR_STUDY, err) != 0)
        return -1;
    if (checkpoint_name_open(&name, path, err) != 0) {
        if (err)
            err->code = ERR_STUDY;
        return -1;
    }
    // The longest name there will ever be must be possible, too.
    int rc = 0, fd = open(name.keep, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST)
        rc = err_set(err, ERR_STUDY, "checkpoint %s: cannot write: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(name.keep);
    }
    checkpoint_name_discard(&name);
    return rc;
}

static void remove_file(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
        unlink(path);
}

void checkpoint_name_remove(const char *path)
{
    char *previous = checkpoint_name_previous(path);
    remove_file(path);
    remove_file(previous);
    remove_all_abandoned(path);
    mem_free(previous);
}
