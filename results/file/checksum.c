// SPDX-License-Identifier: Apache-2.0
#include "results/file/checksum.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static const char seal_magic[8] = {'r', 'f', 's', 'e', 'a', 'l', '0', '1'};

struct trailer {
    char magic[8];
    uint64_t n_bytes, hash; // little-endian
};

#define BLOCK_BYTES (1u << 20) // a multiple of 8

static int failed(struct err *err, const char *path, const char *what)
{
    return err_set(err, ERR_FAIL, "%s: cannot %s: %s", path, what, strerror(errno));
}

// Reads until n bytes are there or the file ends; -1 on an error.
static ssize_t read_full(int fd, void *buf, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(fd, (char *)buf + have, n - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

// Hash of the first n_bytes of the file, the last word filled with zeros.
static int hash_file(int fd, uint64_t n_bytes, uint64_t *hash)
{
    unsigned char *block = mem_alloc(BLOCK_BYTES);
    uint64_t h = UINT64_C(0xcbf29ce484222325), left = n_bytes;
    int rc = lseek(fd, 0, SEEK_SET) == 0 ? 0 : -1;
    while (rc == 0 && left > 0) {
        size_t want = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        if (read_full(fd, block, want) != (ssize_t)want) {
            rc = -1;
            break;
        }
        memset(block + want, 0, (8 - want % 8) % 8);
        for (size_t i = 0; i < want; i += 8) {
            uint64_t word;
            memcpy(&word, block + i, sizeof word);
            h = (h ^ le64toh(word)) * UINT64_C(0x100000001b3);
            h ^= h >> 32; // FNV's prime moves little towards the low bits
        }
        left -= want;
    }
    mem_free(block);
    *hash = h;
    return rc;
}

static int write_full(int fd, const void *buf, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t put = write(fd, (const char *)buf + done, n - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        done += (size_t)put;
    }
    return 0;
}

int checksum_append(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return failed(err, path, "open");
    int rc = 0;
    struct stat st;
    uint64_t hash;
    struct trailer t;
    memcpy(t.magic, seal_magic, sizeof t.magic);
    if (fstat(fd, &st) != 0 || hash_file(fd, (uint64_t)st.st_size, &hash) != 0) {
        rc = failed(err, path, "read back");
    } else {
        t.n_bytes = htole64((uint64_t)st.st_size);
        t.hash = htole64(hash);
        if (lseek(fd, 0, SEEK_END) < 0 || write_full(fd, &t, sizeof t) != 0 || fsync(fd) != 0)
            rc = failed(err, path, "write");
    }
    if (close(fd) != 0 && rc == 0)
        rc = failed(err, path, "close");
    return rc;
}

int checksum_check(const char *path, enum checksum_state *state, struct err *err)
{
    // Not blocked: a FIFO without a writer would never come back.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc = 0;
    struct stat st;
    struct trailer t;
    if (fd < 0)
        return failed(err, path, "open");
    *state = CHECKSUM_ABSENT;
    if (fstat(fd, &st) != 0) {
        rc = failed(err, path, "read");
    } else if (!S_ISREG(st.st_mode)) {
        rc = err_set(err, ERR_FAIL, "%s: not a regular file", path);
    } else if (st.st_size >= (off_t)sizeof t) {
        uint64_t body = (uint64_t)st.st_size - sizeof t, hash;
        if (lseek(fd, (off_t)body, SEEK_SET) < 0 ||
            read_full(fd, &t, sizeof t) != (ssize_t)sizeof t || hash_file(fd, body, &hash) != 0)
            rc = failed(err, path, "read");
        else if (memcmp(t.magic, seal_magic, sizeof t.magic) == 0)
            *state = le64toh(t.n_bytes) == body && le64toh(t.hash) == hash ? CHECKSUM_WHOLE
                                                                           : CHECKSUM_BROKEN;
    }
    close(fd);
    return rc;
}
