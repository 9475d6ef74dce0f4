// SPDX-License-Identifier: Apache-2.0
#include "results/file/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

// Linux gives no process a larger number, so adding multiples makes further names of our own.
#define PID_LIMIT (1L << 22)
#define MAX_TRIES 64 // as many processes of one number, on as many machines

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// "." when the path names none; caller mem_free()s.
static char *folder_of(const char *path)
{
    int n = (int)(name_of(path) - path);
    return n == 0 ? mem_strdup(".") : mem_printf("%.*s", n > 1 ? n - 1 : n, path);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool durable_same(const char *a, const char *b)
{
    if (same_file(a, b))
        return true;
    char *folder_a = folder_of(a), *folder_b = folder_of(b);
    bool same = strcmp(name_of(a), name_of(b)) == 0 && same_file(folder_a, folder_b);
    mem_free(folder_a);
    mem_free(folder_b);
    return same;
}

char *durable_temporary(const char *path, long pid)
{
    char *folder = folder_of(path);
    char *temporary = mem_printf("%s/.%s.tmp-%ld", folder, name_of(path), pid);
    mem_free(folder);
    return temporary;
}

int durable_check_place(const char *what, const char *path, enum err_code code, struct err *err)
{
    struct stat st;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        return err_set(err, code, "%s '%s': expected the name of a file", what, path);
    if (strcmp(path, "-") == 0)
        return err_set(err, code,
                       "%s -: expected the name of a file: nothing is written to standard output "
                       "(./- is a file of that name)",
                       what);
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
    int reason = 0;
    for (uint64_t done = 0; done < n && reason == 0;) {
        ssize_t put = write(fd, (const unsigned char *)bytes + done, n - done);
        if (put > 0)
            done += (uint64_t)put;
        else if (put == 0) // nothing written of something to write: no space, whatever errno says
            reason = ENOSPC;
        else if (errno != EINTR)
            reason = errno;
    }
    return reason;
}

int durable_sync_folder(const char *path, struct err *err)
{
    char *folder = folder_of(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    // Some file systems cannot sync a folder (EINVAL): the rename is done all the same.
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        rc = err_set(err, ERR_FAIL, "%s: cannot sync %s: %s", path, folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    mem_free(folder);
    return rc;
}

// ---- a file on its way to its name ----------------------------------------------------------

char *durable_previous(const char *path)
{
    return mem_printf("%s.previous", path);
}

// May the file take the name, and the one that has it another?
static int check_places(const struct durable_file *file, enum err_code code, struct err *err)
{
    struct stat st;
    if (durable_check_place(file->what, file->path, code, err) != 0)
        return -1;
    if (file->mode == DURABLE_KEEP)
        return durable_check_place(file->what, file->previous, code, err);
    if (file->mode == DURABLE_NEW && stat(file->path, &st) == 0)
        return err_set(err, code, "%s %s: exists; --force overwrites it", file->what, file->path);
    return 0;
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
    char *folder = folder_of(path);
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!is_temporary(entry->d_name, name_of(path)))
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

// The file that a symbolic link leads to is what is replaced, so that the link stays one. Caller
// mem_free()s.
static char *target_of(const char *path, enum durable_mode mode)
{
    struct stat st;
    bool leads = mode == DURABLE_REPLACE && lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    char *target = leads ? realpath(path, NULL) : NULL;
    char *copy = mem_strdup(target ? target : path);
    free(target);
    return copy;
}

int durable_open(struct durable_file *file, const char *what, const char *name,
                 enum durable_mode mode, struct err *err)
{
    char *path = target_of(name, mode);
    *file = (struct durable_file){
        .what = what, .mode = mode, .path = path, .previous = durable_previous(path), .fd = -1};
    if (check_places(file, ERR_FAIL, err) != 0) {
        release(file);
        return -1;
    }
    remove_all_abandoned(path);
    bool done = false;
    for (long i = 0; i < MAX_TRIES && !done; i++) {
        mem_free(file->temporary);
        file->temporary = durable_temporary(path, (long)getpid() + i * PID_LIMIT);
        done = open_locked(file);
    }
    file->second_name = durable_previous(file->temporary);
    if (file->fd >= 0)
        return 0;
    int reason = errno;
    char *folder = folder_of(path);
    err_set(err, ERR_FAIL, "%s %s: cannot write in %s: %s", what, path, folder, strerror(reason));
    mem_free(folder);
    release(file);
    errno = reason;
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

// Renames. A file of a new name that appeared this very moment is not replaced, where the file
// system can tell.
static int rename_to(const char *temporary, const char *path, enum durable_mode mode)
{
    if (mode != DURABLE_NEW)
        return rename(temporary, path);
    int rc = renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);
    return rc != 0 && (errno == EINVAL || errno == ENOSYS) ? rename(temporary, path) : rc;
}

static int take_name(const struct durable_file *file, struct err *err)
{
    bool moved = false;
    if (fsync(file->fd) != 0)
        return err_set(err, ERR_FAIL, "%s %s: cannot write: %s", file->what, file->path,
                       strerror(errno));
    // What has the name may have changed since the file was opened.
    if (check_places(file, ERR_FAIL, err) != 0 ||
        (file->mode == DURABLE_KEEP && keep_old(file, &moved, err) != 0))
        return -1;
    if (rename_to(file->temporary, file->path, file->mode) == 0)
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

// What stdio has written is in the file, all of it. 0, or the number of the error.
static int print(int fd, durable_print_fn *put, const void *table)
{
    int own = dup(fd);
    FILE *stream = own < 0 ? NULL : fdopen(own, "wb");
    if (!stream)
        return errno;
    errno = 0;
    put(stream, table);
    bool lost = fflush(stream) != 0 || ferror(stream);
    int reason = errno;
    lost |= fclose(stream) != 0;
    return !lost ? 0 : reason ? reason : EIO;
}

int durable_print(struct durable_file *file, durable_print_fn *put, const void *table,
                  struct err *err)
{
    int reason = print(file->fd, put, table);
    if (reason == 0)
        return durable_publish(file, err);
    err_set(err, ERR_FAIL, "%s %s: cannot be written: %s", file->what, file->path,
            strerror(reason));
    durable_discard(file);
    return -1;
}

// The longest name there will ever be must be possible, too.
static int try_second_name(const struct durable_file *file, struct err *err)
{
    int fd = open(file->second_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST)
        return err_set(err, ERR_STUDY, "%s %s: cannot write: %s", file->what, file->path,
                       strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(file->second_name);
    }
    return 0;
}

int durable_check(const char *what, const char *path, enum durable_mode mode, uint64_t least_bytes,
                  struct err *err)
{
    struct durable_file file;
    struct statvfs fs;
    errno = 0;
    int rc = durable_open(&file, what, path, mode, err);
    bool full = rc != 0 && (errno == ENOSPC || errno == EDQUOT);
    if (rc == 0) {
        full = fstatvfs(file.fd, &fs) == 0 && fs.f_bavail * fs.f_frsize < least_bytes;
        if (full)
            rc = err_set(err, ERR_FAIL, "%s %s: no space left in its folder", what, path);
        if (rc == 0 && mode == DURABLE_KEEP)
            rc = try_second_name(&file, err);
        durable_discard(&file);
    }
    if (rc != 0 && err)
        err->code = full ? ERR_FAIL : ERR_STUDY;
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
