// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_verify.h"

#include <hdf5.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/farm.h"
#include "results/fixture.h"
#include "results/file/hurt.h"
#include "support/suite.h"

#define SOUND "test_dataset_verify_sound.h5"
#define HURT "test_dataset_verify_hurt.h5"

static void write_farm(double price, const struct run_info *run)
{
    struct farm farm = farm_make(4);
    struct err err = {0};
    farm.prices[1] = price;
    int rc = dataset_write(&farm_layout, &farm, run, SOUND, true, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    dataset_destroy(&farm_layout, &farm);
}

static void make(void)
{
    write_farm(1, NULL);
}

static void *verified(const char *path, struct err *err)
{
    return dataset_verify(path, NULL, err) == 0 ? mem_alloc(1) : NULL;
}

static const struct hurt_reader reader = {SOUND, HURT, make, verified};

static void digest(const char *path, char hex[CONTENT_DIGEST_CHARS])
{
    struct err err = {0};
    int rc = dataset_verify(path, hex, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

// What was computed while writing is what the file says, whoever ran it; another number is another
// digest.
START_TEST(same_and_other)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    struct run_info run = fixture_run();
    write_farm(1, NULL);
    digest(SOUND, a);
    write_farm(1, &run);
    digest(SOUND, b);
    ck_assert_str_eq(a, b);
    write_farm(2, NULL);
    digest(SOUND, b);
    ck_assert_str_ne(a, b);
    unlink(SOUND);
}
END_TEST

// Without a checksum, and with its numbers laid out anew, it is the same answer.
START_TEST(repacked)
{
    char a[CONTENT_DIGEST_CHARS], b[CONTENT_DIGEST_CHARS];
    double prices[2];
    make();
    digest(SOUND, a);
    hid_t file = hurt_edit(&reader), old = H5Dopen2(file, "/price_usd", H5P_DEFAULT);
    H5Dread(old, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, prices);
    hid_t space = H5Dget_space(old), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Dclose(old);
    H5Ldelete(file, "/price_usd", H5P_DEFAULT);
    H5Pset_chunk(list, 1, (hsize_t[]){1});
    hid_t id =
        H5Dcreate2(file, "/price_usd", H5T_IEEE_F64BE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, prices);
    H5Dclose(id);
    H5Pclose(list);
    H5Sclose(space);
    H5Fclose(file);
    digest(HURT, b);
    ck_assert_str_eq(a, b);
    unlink(HURT);
}
END_TEST

// One changed value, one missing variable, one more, another attribute: found, in one line.
START_TEST(changed)
{
    const double prices[2] = {99.5, 2};
    hurt_overwrite(&reader, "/price_usd", H5T_NATIVE_DOUBLE, prices);
    hurt_refuses(&reader, HURT, "its content is not what was written");
    hid_t file = hurt_edit(&reader);
    H5Ldelete(file, "/readings/shift", H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "its content is not what was written");
    file = hurt_edit(&reader);
    H5Lcreate_hard(file, "/price_usd", file, "/price2", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "its content is not what was written");
    file = hurt_edit(&reader);
    H5Adelete(file, "seed");
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "its content is not what was written");
    file = hurt_edit(&reader);
    H5Adelete(file, "content_digest");
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "has no content_digest");
    unlink(HURT);
}
END_TEST

// What lies in /run may change.
START_TEST(run_is_free)
{
    const double wall_s[2] = {3, 4};
    hurt_overwrite(&reader, "/run/wall_s", H5T_NATIVE_DOUBLE, wall_s);
    char hex[CONTENT_DIGEST_CHARS];
    digest(HURT, hex);
    unlink(HURT);
}
END_TEST

static void release(void *opened)
{
    mem_free(opened);
}

// Damaged, foreign, and a group that holds itself: refused, and the program lives.
START_TEST(hostile)
{
    hurt_foreign(&(struct hurt_reader){SOUND, HURT, make, verified});
    hurt_flipped(&reader, 11);
    hurt_bare(&reader, 37, release);
    hid_t file = hurt_edit(&reader);
    H5Lcreate_hard(file, "/", file, "/readings/root", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "is nested too deeply");
    unlink(HURT);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", same_and_other},
                                       {"core", repacked},
                                       {"core", run_is_free},
                                       {"errors", changed},
                                       {"errors", hostile}};
    return suite_run("dataset_verify", tests, sizeof tests / sizeof *tests);
}
