// SPDX-License-Identifier: Apache-2.0
#include "results/file/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/durable.h"

#define MAX_TRIES 64 // as often as others may take over or leave while this one comes
#define TRY_NS 1000000

struct claim {
    char *lock; // owned; path of the lock file
    int fd;     // -1: the folder takes none
};

// ---- who ----------------------------------------------------------------------------------------

// A word of the environment, "-" where there is none or it would not be one word.
static void take_word(char *word, size_t size, const char *variable)
{
    const char *value = getenv(variable);
    bool good = value && *value && strlen(value) < size && !strpbrk(value, " \t\r\n");
    snprintf(word, size, "%s", good ? value : "-");
}

struct claim_holder claim_self(void)
{
    struct claim_holder self = {.pid = (long)getpid()};
    const char *n_restarts = getenv("SLURM_RESTART_COUNT");
    if (gethostname(self.host, sizeof self.host - 1) != 0 || !*self.host)
        strcpy(self.host, "-");
    take_word(self.job, sizeof self.job, "SLURM_JOB_ID");
    take_word(self.chain, sizeof self.chain, "RECFLEET_CHAIN");
    self.n_restarts = n_restarts ? strtol(n_restarts, NULL, 10) : 0;
    return self;
}

bool claim_has_ended(const struct claim_holder *holder, const struct claim_holder *self,
                     bool locked)
{
    bool same_job = strcmp(holder->job, self->job) == 0 && strcmp(self->job, "-") != 0;
    bool same_chain = strcmp(holder->chain, self->chain) == 0 && strcmp(self->chain, "-") != 0;
    if (same_job)
        return holder->n_restarts < self->n_restarts;
    if (same_chain)
        return true; // a link begins when the one before has ended
    return !locked && strcmp(holder->host, self->host) == 0 && kill((pid_t)holder->pid, 0) != 0 &&
           errno == ESRCH;
}

// What another has written into its lock file; false when that is not there (yet).
static bool read_holder(int fd, struct claim_holder *holder)
{
    char text[320];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return sscanf(text, "%63s %ld %63s %ld %63s", holder->host, &holder->pid, holder->job,
                  &holder->n_restarts, holder->chain) == 5;
}

// On the disk at once: another machine is to see it. A disk that is full keeps the lock all the
// same.
static void write_holder(int fd, const struct claim_holder *self)
{
    char *text = mem_printf("%s %ld %s %ld %s\n", self->host, self->pid, self->job,
                            self->n_restarts, self->chain);
    if (ftruncate(fd, 0) == 0 && durable_write(fd, text, strlen(text)) == 0)
        fdatasync(fd);
    mem_free(text);
}

// ---- the lock file ------------------------------------------------------------------------------

// Opens the lock file, or makes it (*made). Another user's may be locked, if not written to.
// EAGAIN: it was there, and its holder has removed it before it could be opened.
static int open_lock(const char *lock, bool *made)
{
    const int common = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = open(lock, O_RDWR | O_CREAT | O_EXCL | common, 0666);
    *made = fd >= 0;
    if (fd >= 0 || errno != EEXIST)
        return fd;
    fd = open(lock, O_RDWR | common);
    if (fd < 0 && errno == EACCES)
        fd = open(lock, O_RDONLY | common);
    if (fd < 0 && errno == ENOENT)
        errno = EAGAIN;
    return fd;
}

// Removes the claim of a holder that has ended, which claim->fd is of. Of several that find it at
// once each must remove that very file, and not the claim that another has meanwhile put in its
// place: one at a time may look and remove, by making a second file. False when this user must not.
static bool remove_ended(const struct claim *claim)
{
    char *turn = mem_printf("%s.turn", claim->lock);
    struct stat ended, there;
    int fd = open(turn, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666), rc = fd < 0 ? -1 : 0;
    if (fd >= 0 && fstat(claim->fd, &ended) == 0 && lstat(claim->lock, &there) == 0 &&
        ended.st_dev == there.st_dev && ended.st_ino == there.st_ino)
        rc = unlink(claim->lock);
    bool may = rc == 0 || (errno != EACCES && errno != EPERM && errno != EROFS);
    if (fd >= 0) {
        unlink(turn);
        close(fd);
    }
    mem_free(turn);
    return may;
}

enum outcome { OURS, AGAIN, THEIRS };

// One try. THEIRS: *holder says whose, as far as it is known; *locked: by a lock.
static enum outcome try_lock(struct claim *claim, const struct claim_holder *self,
                             struct claim_holder *holder, bool *locked)
{
    bool made;
    struct stat st;
    claim->fd = open_lock(claim->lock, &made);
    if (claim->fd < 0)
        return errno == EAGAIN ? AGAIN : OURS;
    bool got = flock(claim->fd, LOCK_EX | LOCK_NB) == 0;
    *locked = !got && errno == EWOULDBLOCK;
    bool gone = fstat(claim->fd, &st) != 0 || st.st_nlink == 0; // its holder has just removed it
    bool known = !gone && !made && !got && read_holder(claim->fd, holder);
    bool ended = got || (known && claim_has_ended(holder, self, *locked));
    if (!gone && ((made && !*locked) || (ended && !remove_ended(claim) && got))) {
        write_holder(claim->fd, self);
        return OURS;
    }
    // Who holds the lock of a process that has ended is about to take over.
    bool again = gone || ended || (known && claim_has_ended(holder, self, false));
    close(claim->fd);
    claim->fd = -1;
    return again ? AGAIN : THEIRS;
}

static void name_holder(const struct claim *claim, const char *what, const char *path,
                        const struct claim_holder *holder, const struct claim_holder *self,
                        bool locked, struct err *err)
{
    bool here = strcmp(holder->host, self->host) == 0, in_job = strcmp(holder->job, "-") != 0;
    if (!holder->pid)
        err_set(err, ERR_STUDY, "%s %s: another process is writing it", what, path);
    else
        err_set(err, ERR_STUDY, "%s %s: process %ld on %s%s%s is writing it", what, path,
                holder->pid, holder->host, in_job ? ", job " : "", in_job ? holder->job : "");
    if (!here || !locked)
        err_append(err, "; if it no longer runs, remove %s", claim->lock);
}

static char *lock_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    int n_folder = slash ? (int)(slash + 1 - path) : 0;
    return mem_printf("%.*s.%s.lock", n_folder, path, path + n_folder);
}

bool claim_is_there(const char *path)
{
    struct stat st;
    char *lock = lock_of(path);
    bool there = lstat(lock, &st) == 0;
    mem_free(lock);
    return there;
}

struct claim *claim_take(const char *what, const char *path, struct err *err)
{
    struct claim *claim = mem_calloc(1, sizeof *claim);
    claim->lock = lock_of(path);
    claim->fd = -1;
    const struct claim_holder self = claim_self();
    struct claim_holder holder = {.pid = 0};
    bool locked = false;
    enum outcome outcome = AGAIN;
    for (int i = 0; i < MAX_TRIES && outcome == AGAIN; i++) {
        if (i > 1)
            nanosleep(&(struct timespec){0, TRY_NS}, NULL);
        outcome = try_lock(claim, &self, &holder, &locked);
    }
    if (outcome == OURS)
        return claim;
    name_holder(claim, what, path, &holder, &self, locked, err);
    mem_free(claim->lock);
    mem_free(claim);
    return NULL;
}

void claim_release(struct claim *claim)
{
    struct stat st;
    if (!claim)
        return;
    // One that has been taken over has lost its name, which is another's now.
    if (claim->fd >= 0 && fstat(claim->fd, &st) == 0 && st.st_nlink > 0)
        unlink(claim->lock);
    if (claim->fd >= 0)
        close(claim->fd);
    mem_free(claim->lock);
    mem_free(claim);
}
