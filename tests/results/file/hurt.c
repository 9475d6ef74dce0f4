// SPDX-License-Identifier: Apache-2.0
#include "results/file/hurt.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/column_file.h"

// Behind what HDF5 wrote.
#define SEAL_BYTES 24

static unsigned char *sound_bytes(const struct hurt_reader *reader, size_t *n)
{
    reader->make();
    unsigned char *bytes = column_file_slurp(reader->sound, n);
    unlink(reader->sound);
    return bytes;
}

void hurt_refuses(const struct hurt_reader *reader, const char *path, const char *reason)
{
    struct err err = {0};
    ck_assert_ptr_null(reader->open(path, &err));
    ck_assert_int_ne(err.code, ERR_NONE);
    ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s", err.text);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

void hurt_foreign(const struct hurt_reader *reader)
{
    hurt_refuses(reader, "test_hurt_absent.h5", "No such file");
    column_file_spit(reader->hurt, "", 0);
    hurt_refuses(reader, reader->hurt, "not an HDF5 file");
    column_file_spit(reader->hurt, "name: quickstart\n", 17);
    hurt_refuses(reader, reader->hurt, "not an HDF5 file");
    hurt_refuses(reader, "/", "not a regular file");
    hurt_refuses(reader, "/dev/full", "not a regular file");
    unlink(reader->hurt);
    H5Fclose(H5Fcreate(reader->hurt, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    hurt_refuses(reader, reader->hurt, "not a recfleet result");
    unlink(reader->hurt);
}

void hurt_cut(const struct hurt_reader *reader, size_t n, const char *reason)
{
    size_t n_bytes;
    unsigned char *bytes = sound_bytes(reader, &n_bytes);
    for (size_t keep = 0; keep + SEAL_BYTES < n_bytes; keep += 1 + n_bytes / n) {
        column_file_spit(reader->hurt, bytes, keep);
        hurt_refuses(reader, reader->hurt, reason);
    }
    free(bytes);
    unlink(reader->hurt);
}

void hurt_flipped(const struct hurt_reader *reader, size_t n)
{
    size_t n_bytes;
    unsigned char *bytes = sound_bytes(reader, &n_bytes);
    for (size_t at = 0; at + SEAL_BYTES < n_bytes; at += 1 + n_bytes / n) {
        bytes[at] ^= 0x10;
        column_file_spit(reader->hurt, bytes, n_bytes);
        hurt_refuses(reader, reader->hurt, "checksum");
        bytes[at] ^= 0x10;
    }
    free(bytes);
    unlink(reader->hurt);
}

void hurt_bare(const struct hurt_reader *reader, size_t n, void (*use)(void *opened))
{
    size_t n_bytes;
    unsigned char *bytes = sound_bytes(reader, &n_bytes);
    for (size_t at = 0; at + SEAL_BYTES < n_bytes; at += 1 + n_bytes / n) {
        unsigned char before = bytes[at];
        struct err err = {0};
        bytes[at] = (unsigned char)~before;
        column_file_spit(reader->hurt, bytes, n_bytes - SEAL_BYTES);
        bytes[at] = before;
        void *opened = reader->open(reader->hurt, &err);
        ck_assert(opened != NULL || err.code != ERR_NONE);
        if (opened)
            use(opened);
    }
    free(bytes);
    unlink(reader->hurt);
}

hid_t hurt_edit(const struct hurt_reader *reader)
{
    size_t n_bytes;
    unsigned char *bytes = sound_bytes(reader, &n_bytes);
    column_file_spit(reader->hurt, bytes, n_bytes - SEAL_BYTES);
    free(bytes);
    return H5Fopen(reader->hurt, H5F_ACC_RDWR, H5P_DEFAULT);
}

void hurt_overwrite(const struct hurt_reader *reader, const char *dataset, hid_t type,
                    const void *values)
{
    hid_t file = hurt_edit(reader), id = H5Dopen2(file, dataset, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
    H5Dclose(id);
    H5Fclose(file);
}
