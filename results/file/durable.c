// SPDX-License-Identifier: Apache-2.0
#include "results/file/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/checksum.h"

// Linux gives no process a larger number, so adding multiples makes further names of our own.
#define PID_LIMIT (1L << 22)
#define MAX_TRIES 64 // as many processes of one number, on as many machines

void durable_split(const char *path, char **folder, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!slash)
        *folder = mem_strdup(".");
    else if (slash == path)
        *folder = mem_strdup("/");
    else
        *folder = mem_printf("%.*s", (int)(slash - path), path);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool durable_same(const char *a, const char *b)
{
    char *folder_a, *folder_b;
    const char *name_a, *name_b;
    if (same_file(a, b))
        return true;
    durable_split(a, &folder_a, &name_a);
    durable_split(b, &folder_b, &name_b);
    bool same = strcmp(name_a, name_b) == 0 && same_file(folder_a, folder_b);
    mem_free(folder_a);
    mem_free(folder_b);
    return same;
}

char *durable_temporary(const char *path, long pid)
{
    char *folder;
    const char *name;
    durable_split(path, &folder, &name);
    char *temporary = mem_printf("%s/.%s.tmp-%ld", folder, name, pid);
    mem_free(folder);
    return temporary;
}

long durable_number(const char *path)
{
    long number = (long)getpid();
    struct stat st;
    for (int i = 0; i < MAX_TRIES; i++) {
        char *temporary = durable_temporary(path, number);
        bool taken = lstat(temporary, &st) == 0;
        mem_free(temporary);
        if (!taken)
            break;
        number += PID_LIMIT;
    }
    return number;
}

int durable_check_place(const char *what, const char *path, enum err_code code, struct err *err)
{
    struct stat st;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        return err_set(err, code, "%s '%s': expected the name of a file", what, path);
    if (stat(path, &st) == 0) {
        if (S_ISREG(st.st_mode))
            return 0;
        return err_set(err, code, "%s %s: exists and is not a regular file", what, path);
    }
    if (errno != ENOENT)
        return err_set(err, code, "%s %s: %s", what, path, strerror(errno));
    if (lstat(path, &st) == 0)
        return err_set(err, code, "%s %s: a dangling symbolic link", what, path);
    return 0;
}

bool durable_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

int durable_write(int fd, const void *bytes, uint64_t n)
{
    sigset_t limit, before;
    int reason = 0;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit, &before);
    for (uint64_t done = 0; done < n && reason == 0;) {
        ssize_t put = write(fd, (const unsigned char *)bytes + done, n - done);
        if (put > 0)
            done += (uint64_t)put;
        else if (put == 0) // nothing written of something to write: no space, whatever errno says
            reason = ENOSPC;
        else if (errno != EINTR)
            reason = errno;
    }
    // Blocked, the signal waits, and would end the program as soon as it no longer is.
    while (reason == EFBIG && !sigismember(&before, SIGXFSZ) &&
           sigtimedwait(&limit, NULL, &(struct timespec){0, 0}) == SIGXFSZ)
        continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason;
}

// ---- results ------------------------------------------------------------------------------------

int durable_check_target(const char *path, bool force, enum err_code code, struct err *err)
{
    struct stat st;
    if (durable_check_place("output", path, code, err) != 0)
        return -1;
    if (!force && stat(path, &st) == 0)
        return err_set(err, code, "output %s: exists; --force overwrites it", path);
    return 0;
}

int durable_check(const char *path, bool force, uint64_t least_bytes, struct err *err)
{
    if (durable_check_target(path, force, ERR_STUDY, err) != 0)
        return -1;
    char *temporary = durable_temporary(path, durable_number(path)), *folder;
    const char *name;
    struct statvfs fs;
    int rc = 0;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    durable_split(path, &folder, &name);
    if (fd < 0) {
        rc = err_set(err, ERR_STUDY, "output %s: cannot write in %s: %s", path, folder,
                     strerror(errno));
    } else {
        if (fstatvfs(fd, &fs) == 0 && fs.f_bavail * fs.f_frsize < least_bytes)
            rc = err_set(err, ERR_STUDY, "output %s: no space left in %s", path, folder);
        close(fd);
        unlink(temporary);
    }
    mem_free(folder);
    mem_free(temporary);
    return rc;
}

int durable_reserve(const char *temporary, uint64_t bytes, const char *path, struct err *err)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, ERR_FAIL, "%s: cannot write: %s", path, strerror(errno));
    int reason = posix_fallocate(fd, 0, (off_t)bytes), rc = 0; // returns the error number
    if (reason != 0 && reason != EOPNOTSUPP && reason != EINVAL && reason != ENOSYS)
        rc = err_set(err, ERR_FAIL, "%s: cannot write: %s (up to %.1f MB needed)", path,
                     strerror(reason), (double)bytes * 1e-6);
    close(fd);
    unlink(temporary);
    return rc;
}

void durable_hold(const char *temporary, uint64_t bytes)
{
    int fd = open(temporary, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) != 0)
        errno = 0; // a file system that cannot hold space for us
    close(fd);
}

int durable_sync_folder(const char *path, struct err *err)
{
    char *folder;
    const char *name;
    durable_split(path, &folder, &name);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    // Some file systems cannot sync a folder (EINVAL): the rename is done all the same.
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        rc = err_set(err, ERR_FAIL, "%s: cannot sync %s: %s", path, folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    mem_free(folder);
    return rc;
}

// Releases what durable_hold() took and HDF5 did not use.
static int trim(const char *temporary, const char *path, struct err *err)
{
    struct stat st;
    if (stat(temporary, &st) != 0 || truncate(temporary, st.st_size) != 0)
        return err_set(err, ERR_FAIL, "%s: %s", path, strerror(errno));
    return 0;
}

static int give_name(const char *temporary, const char *path, bool force, struct err *err)
{
    int rc = durable_check_target(path, force, ERR_FAIL, err);
    if (rc != 0)
        return rc;
    // Without force, a file that appeared this very moment is not replaced either.
    rc = force ? rename(temporary, path)
               : renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);
    if (rc != 0 && !force && (errno == EINVAL || errno == ENOSYS))
        rc = rename(temporary, path);
    if (rc != 0)
        return err_set(err, ERR_FAIL, "%s: cannot rename %s to it: %s", path, temporary,
                       strerror(errno));
    return durable_sync_folder(path, err);
}

int durable_finish(const char *temporary, const char *path, bool force, struct err *err)
{
    if (trim(temporary, path, err) != 0 || checksum_append(temporary, err) != 0)
        return -1;
    return give_name(temporary, path, force, err);
}

// ---- files that keep the one before -------------------------------------------------------------

char *durable_previous(const char *path)
{
    return mem_printf("%s.previous", path);
}

static int check_places(const char *what, const char *path, enum err_code code, struct err *err)
{
    char *previous = durable_previous(path);
    int rc = durable_check_place(what, path, code, err);
    if (rc == 0)
        rc = durable_check_place(what, previous, code, err);
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

// Is it ".NAME.tmp-", digits, and then nothing or ".previous"?
static bool is_temporary(const char *entry, const char *name)
{
    const char tail[] = ".tmp-";
    size_t n = strlen(name);
    if (entry[0] != '.' || strncmp(entry + 1, name, n) != 0 ||
        strncmp(entry + 1 + n, tail, sizeof tail - 1) != 0)
        return false;
    const char *number = entry + 1 + n + sizeof tail - 1;
    size_t digits = strspn(number, "0123456789");
    return digits > 0 && (!number[digits] || strcmp(number + digits, ".previous") == 0);
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

static void release(struct durable_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    mem_free(file->path);
    mem_free(file->previous);
    mem_free(file->temporary);
    mem_free(file->second_name);
    *file = (struct durable_file){.fd = -1};
}

// Opens the file and takes its lock. False when another had the name, or took the file for
// abandoned before the lock was ours: another name must be tried.
static bool open_locked(struct durable_file *file)
{
    struct stat st;
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->fd < 0)
        return errno != EEXIST;
    if (durable_lock(file->fd) && fstat(file->fd, &st) == 0 && st.st_nlink > 0)
        return true;
    close(file->fd);
    file->fd = -1;
    errno = EEXIST;
    return false;
}

int durable_open(struct durable_file *file, const char *what, const char *path, struct err *err)
{
    *file = (struct durable_file){.what = what, .fd = -1};
    if (check_places(what, path, ERR_FAIL, err) != 0)
        return -1;
    remove_all_abandoned(path);
    file->path = mem_strdup(path);
    file->previous = durable_previous(path);
    bool done = false;
    for (long i = 0; i < MAX_TRIES && !done; i++) {
        mem_free(file->temporary);
        file->temporary = durable_temporary(path, (long)getpid() + i * PID_LIMIT);
        done = open_locked(file);
    }
    file->second_name = durable_previous(file->temporary);
    if (file->fd >= 0)
        return 0;
    err_set(err, ERR_FAIL, "%s %s: cannot write: %s", what, path, strerror(errno));
    release(file);
    return -1;
}

void durable_discard(struct durable_file *file)
{
    if (file->temporary)
        unlink(file->temporary);
    release(file);
}

// The file that has the name becomes PATH.previous, without losing the name if there are hard links
// and the second name is not too long. *moved: it has lost it.
static int keep_old(const struct durable_file *file, bool *moved, struct err *err)
{
    struct stat st;
    *moved = false;
    if (lstat(file->path, &st) != 0 && errno == ENOENT)
        return 0;
    unlink(file->second_name); // as a rule it is not there
    *moved = link(file->path, file->second_name) != 0;
    int rc = rename(*moved ? file->path : file->second_name, file->previous), reason = errno;
    if (!*moved)
        unlink(file->second_name); // still there when the rename failed, or had nothing to do
    // Another writer may have taken the second name for abandoned.
    if (rc == 0 || (!*moved && reason == ENOENT))
        return 0;
    *moved = false;
    return err_set(err, ERR_FAIL, "%s %s: cannot keep the one before as %s: %s", file->what,
                   file->path, file->previous, strerror(reason));
}

static int take_name(const struct durable_file *file, struct err *err)
{
    bool moved;
    if (fsync(file->fd) != 0)
        return err_set(err, ERR_FAIL, "%s %s: cannot write: %s", file->what, file->path,
                       strerror(errno));
    // What has the name may have changed since the file was opened.
    if (check_places(file->what, file->path, ERR_FAIL, err) != 0 ||
        keep_old(file, &moved, err) != 0)
        return -1;
    if (rename(file->temporary, file->path) == 0)
        return durable_sync_folder(file->path, err);
    err_set(err, ERR_FAIL, "%s %s: cannot rename %s to it: %s", file->what, file->path,
            file->temporary, strerror(errno));
    if (moved)
        (void)rename(file->previous, file->path); // else it is still there as PATH.previous
    return -1;
}

int durable_publish(struct durable_file *file, struct err *err)
{
    int rc = take_name(file, err);
    if (rc == 0)
        release(file);
    else
        durable_discard(file);
    return rc;
}

int durable_try(const char *what, const char *path, struct err *err)
{
    struct durable_file file;
    int rc = durable_open(&file, what, path, err);
    if (rc == 0) {
        // The longest name there will ever be must be possible, too.
        int fd = open(file.second_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            rc = err_set(err, ERR_STUDY, "%s %s: cannot write: %s", what, path, strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(file.second_name);
        }
        durable_discard(&file);
    }
    if (rc != 0 && err)
        err->code = ERR_STUDY;
    return rc;
}

bool durable_exists(const char *path)
{
    struct stat st;
    char *previous = durable_previous(path);
    bool there = lstat(path, &st) == 0 || lstat(previous, &st) == 0;
    mem_free(previous);
    return there;
}

static void remove_file(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
        unlink(path);
}

void durable_remove(const char *path)
{
    char *previous = durable_previous(path);
    remove_file(path);
    remove_file(previous);
    remove_all_abandoned(path);
    mem_free(previous);
}
