// SPDX-License-Identifier: Apache-2.0
#include "results/file/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/checksum.h"

// Linux gives no process a larger number, so adding multiples makes further names of our own.
#define PID_LIMIT (1L << 22)
#define MAX_TRIES 64

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

int durable_check_target(const char *path, bool force, enum err_code code, struct err *err)
{
    struct stat st;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        return err_set(err, code, "output '%s': expected the name of a file", path);
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_set(err, code, "output %s: %s", path, strerror(errno));
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
        return err_set(err, code, "output %s: a link that leads nowhere", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, code, "output %s: exists and is not a regular file", path);
    if (!force)
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
        return err_set(err, ERR_FAIL, "%s: cannot take its name: %s", path, strerror(errno));
    return durable_sync_folder(path, err);
}

int durable_finish(const char *temporary, const char *path, bool force, struct err *err)
{
    if (trim(temporary, path, err) != 0 || checksum_append(temporary, err) != 0)
        return -1;
    return give_name(temporary, path, force, err);
}
