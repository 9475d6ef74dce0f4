// SPDX-License-Identifier: Apache-2.0
#include "results/file/checksum.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"

// 01 was a hash of our own; such a file counts as one without a trailer.
static const char trailer_magic[8] = {'r', 'f', 's', 'e', 'a', 'l', '0', '2'};

struct trailer {
    char magic[8];
    uint64_t n_bytes, hash; // little-endian
};

#define PIECE_BYTES (1u << 20)

uint64_t checksum_bytes(const void *bytes, uint64_t n)
{
    return XXH3_64bits(bytes, n);
}

int checksum_stream(FILE *file, uint64_t n, uint64_t *hash)
{
    size_t piece_bytes = n < PIECE_BYTES ? (size_t)n : PIECE_BYTES;
    XXH3_state_t *state = XXH3_createState();
    unsigned char *piece = mem_alloc(piece_bytes);
    bool good = state != NULL;
    errno = 0;
    if (good)
        XXH3_64bits_reset(state);
    for (uint64_t left = n; good && left > 0;) {
        size_t want = left < piece_bytes ? (size_t)left : piece_bytes;
        good = fread(piece, 1, want, file) == want;
        if (good)
            XXH3_64bits_update(state, piece, want);
        left -= want;
    }
    if (good)
        *hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    mem_free(piece);
    return good ? 0 : -1;
}

FILE *checksum_open(const char *path, const char *name, uint64_t *n_bytes, struct err *err)
{
    struct stat st;
    // Not blocked: a FIFO without a writer would never come back.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *file = NULL;
    if (fd < 0) {
        err_set(err, ERR_STUDY, "%s: %s", name, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        err_set(err, ERR_STUDY, "%s: not a regular file", name);
    else if (!(file = fdopen(fd, "rb")))
        err_set(err, ERR_FAIL, "%s: %s", name, strerror(errno));
    if (file)
        *n_bytes = (uint64_t)st.st_size;
    else
        close(fd);
    return file;
}

void checksum_trailer(const void *bytes, uint64_t n, unsigned char trailer[CHECKSUM_TRAILER_BYTES])
{
    struct trailer t = {.n_bytes = htole64(n), .hash = htole64(checksum_bytes(bytes, n))};
    memcpy(t.magic, trailer_magic, sizeof t.magic);
    memcpy(trailer, &t, sizeof t);
}

static int check(FILE *file, uint64_t n_bytes, enum checksum_state *state)
{
    struct trailer t;
    uint64_t hash;
    *state = CHECKSUM_ABSENT;
    if (n_bytes < sizeof t)
        return 0;
    uint64_t body = n_bytes - sizeof t;
    if (fseeko(file, (off_t)body, SEEK_SET) != 0 || fread(&t, sizeof t, 1, file) != 1)
        return -1;
    if (memcmp(t.magic, trailer_magic, sizeof t.magic) != 0)
        return 0;
    rewind(file);
    if (checksum_stream(file, body, &hash) != 0)
        return -1;
    *state =
        le64toh(t.n_bytes) == body && le64toh(t.hash) == hash ? CHECKSUM_WHOLE : CHECKSUM_BROKEN;
    return 0;
}

int checksum_check(const char *path, enum checksum_state *state, struct err *err)
{
    uint64_t n_bytes;
    FILE *file = checksum_open(path, path, &n_bytes, err);
    if (!file)
        return -1;
    errno = 0;
    int rc = check(file, n_bytes, state);
    if (rc != 0)
        err_set(err, ERR_FAIL, "%s: cannot read: %s", path,
                errno ? strerror(errno) : "it has become shorter");
    fclose(file);
    return rc;
}
