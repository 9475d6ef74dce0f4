// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_read.h"

#include <hdf5.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/farm.h"
#include "results/file/fixture_capacity.h"
#include "results/file/fixture_sweep.h"
#include "results/file/fixture_tuning.h"
#include "results/file/hurt.h"
#include "results/file/run_file.h"
#include "results/file/run_layout.h"
#include "results/file/same_artefact.h"
#include "results/file/sweep_file.h"
#include "results/fixture.h"
#include "support/suite.h"

#define SOUND "test_dataset_read_sound.h5"
#define HURT "test_dataset_read_hurt.h5"

static void make(void)
{
    struct farm farm = farm_make(4);
    struct run_info run = fixture_run();
    struct err err = {0};
    farm.sample.n = 3;
    int rc = dataset_write(&farm_layout, &farm, &run, SOUND, true, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    dataset_destroy(&farm_layout, &farm);
}

static void *open_farm(const char *path, struct err *err)
{
    struct farm *farm = mem_alloc(sizeof *farm);
    if (dataset_read(&farm_layout, path, DATASET_ALL, farm, NULL, err) == 0)
        return farm;
    mem_free(farm);
    return NULL;
}

static const struct hurt_reader reader = {SOUND, HURT, make, open_farm};

// What was stored comes back, with a checksum and without one.
START_TEST(comes_back)
{
    struct farm farm = farm_make(4), back;
    struct err err = {0};
    farm.sample.n = 3;
    H5Fclose(hurt_edit(&reader));
    make();
    const char *const paths[] = {SOUND, HURT};
    for (int i = 0; i < 2; i++) {
        int rc = dataset_read(&farm_layout, paths[i], DATASET_ALL, &back, NULL, &err);
        ck_assert_msg(rc == 0, "%s", err.text);
        same_artefact(&farm_layout, &farm, &back);
        dataset_destroy(&farm_layout, &back);
    }
    dataset_destroy(&farm_layout, &farm);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

// What says nothing stays so; what has no rows has none.
START_TEST(least)
{
    struct farm farm = {0}, back;
    struct err err = {0};
    dataset_create(&farm_layout, &farm);
    farm.day_s = 1;
    ck_assert_int_eq(dataset_write(&farm_layout, &farm, NULL, SOUND, true, &err), 0);
    int rc = dataset_read(&farm_layout, SOUND, DATASET_ALL, &back, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    same_artefact(&farm_layout, &farm, &back);
    dataset_destroy(&farm_layout, &farm);
    dataset_destroy(&farm_layout, &back);
    unlink(SOUND);
}
END_TEST

// How the run went comes back when it is asked for.
START_TEST(run_comes_back)
{
    struct run_info wrote = fixture_run(), run;
    struct farm back;
    struct err err = {0};
    make();
    int rc = dataset_read(&farm_layout, SOUND, DATASET_ALL, &back, &run, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(run.host, wrote.host);
    ck_assert_int_eq(run.n_ranks, wrote.n_ranks);
    ck_assert_double_eq(run.wall_s, wrote.wall_s);
    ck_assert_int_eq(run.window_ns, wrote.window_ns);
    data_field_release(run_info_fields, &run);
    dataset_destroy(&farm_layout, &back);
    unlink(SOUND);
}
END_TEST

// A head is the attributes alone, and that of a file without a checksum is not trusted.
START_TEST(head_alone)
{
    struct farm head;
    struct err err = {0};
    H5Fclose(hurt_edit(&reader));
    make();
    int rc = dataset_read(&farm_layout, SOUND, DATASET_HEAD, &head, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    ck_assert_str_eq(head.name, "farm");
    ck_assert_uint_eq(head.seed, UINT64_C(0xfedcba9876543210));
    ck_assert_uint_eq(head.n_disks, 0);
    ck_assert_ptr_null(head.readings);
    dataset_destroy(&farm_layout, &head);
    ck_assert_int_eq(dataset_read(&farm_layout, HURT, DATASET_HEAD, &head, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "not finished by recfleet"));
    ck_assert_ptr_null(head.name);
    unlink(SOUND);
    unlink(HURT);
}
END_TEST

static void set_schema(int32_t version)
{
    hid_t file = hurt_edit(&reader), id = H5Aopen(file, "schema_version", H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(id, H5T_NATIVE_INT32, &version), 0);
    H5Aclose(id);
    H5Fclose(file);
}

// Another kind, and an older and a newer schema: one line that says which, and who wrote it.
START_TEST(other_kinds)
{
    struct dataset_layout other = farm_layout;
    struct farm back;
    struct err err = {0};
    other.kind = "run";
    other.title = "run";
    make();
    ck_assert_int_eq(dataset_read(&other, SOUND, DATASET_ALL, &back, NULL, &err), -1);
    ck_assert_str_eq(err.text, SOUND ": holds the results of a farm, not of a run");
    unlink(SOUND);
    set_schema(1);
    hurt_refuses(&reader, HURT, "with schema version 1, which this program no longer reads");
    set_schema(DATASET_SCHEMA_VERSION + 1);
    hurt_refuses(&reader, HURT, "which is newer than this program's");
    unlink(HURT);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    hurt_foreign(&reader);
}
END_TEST

// Cut or changed anywhere, a file with a checksum is refused.
START_TEST(damaged)
{
    hurt_cut(&reader, 11, "");
    hurt_flipped(&reader, 17);
}
END_TEST

static void walk(void *opened)
{
    struct farm *farm = opened;
    for (const struct dataset_array *a = farm_layout.arrays; a->name; a++)
        dataset_is_known(&farm_layout, farm, a);
    for (uint32_t i = 0; i < farm->n_events; i++)
        ck_assert_ptr_nonnull(farm->disks[farm->events[i].disk]);
    dataset_destroy(&farm_layout, farm);
    mem_free(farm);
}

// Without a checksum nothing vouches for the bytes: whatever is in them, the program lives, and
// what it accepts can be walked through.
START_TEST(damaged_without_checksum)
{
    hurt_bare(&reader, 37, walk);
}
END_TEST

// Numbers that index something must be in range, labels must be names.
START_TEST(wrong_values)
{
    const int32_t codes[6] = {[5] = 3}, indices[4] = {[2] = 2}, booleans[6] = {2};
    const double times[6] = {1e10}, nans[6] = {[3] = NAN}, quantiles[2] = {0.5, 0.95};
    hurt_overwrite(&reader, "/readings/state", H5T_NATIVE_INT32, codes);
    hurt_refuses(&reader, HURT, "/readings/state holds an unknown code");
    hurt_overwrite(&reader, "/readings/spinning", H5T_NATIVE_INT32, booleans);
    hurt_refuses(&reader, HURT, "/readings/spinning holds an unknown code");
    hurt_overwrite(&reader, "/deep/events/model", H5T_NATIVE_INT32, indices);
    hurt_refuses(&reader, HURT, "/deep/events/model holds an unknown code");
    hurt_overwrite(&reader, "/readings/busy_s", H5T_NATIVE_DOUBLE, times);
    hurt_refuses(&reader, HURT, "/readings/busy_s holds an impossible time");
    hurt_overwrite(&reader, "/readings/busy_s", H5T_NATIVE_DOUBLE, nans);
    hurt_refuses(&reader, HURT, "/readings/busy_s holds an impossible time");
    hurt_overwrite(&reader, "/quantile", H5T_NATIVE_DOUBLE, quantiles);
    hurt_refuses(&reader, HURT, "/quantile is not what this program knows");
    const char *names[4] = {"a + b, µ", "", "a", ""};
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    hurt_overwrite(&reader, "/deep/events/disk", text, names);
    hurt_refuses(&reader, HURT, "/deep/events/disk holds an unknown code");
    H5Tclose(text);
    unlink(HURT);
}
END_TEST

static void without(const char *path)
{
    hid_t file = hurt_edit(&reader);
    ck_assert_int_ge(H5Ldelete(file, path, H5P_DEFAULT), 0);
    H5Fclose(file);
}

// An object of another type or shape in place of one of ours.
static void replace(const char *path, hid_t type, int n_dims, hsize_t first, hsize_t second)
{
    hid_t file = hurt_edit(&reader);
    H5Ldelete(file, path, H5P_DEFAULT);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t size[2] = {first, second}, chunk[2] = {1, 1};
    if (n_dims > 0)
        H5Pset_chunk(list, n_dims, chunk);
    hid_t space = n_dims ? H5Screate_simple(n_dims, size, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Dcreate2(file, path, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    ck_assert_int_ge(id, 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(file);
}

// Everything that the layout names must be there, with its type and lengths.
START_TEST(wrong_shapes)
{
    without("/readings/wait_s_half_95");
    hurt_refuses(&reader, HURT, "/readings/wait_s_half_95 is missing");
    without("/deep/events/at_s");
    hurt_refuses(&reader, HURT, "/deep/events/at_s is missing");
    without("/disk");
    hurt_refuses(&reader, HURT, "has another length than the rest implies");
    replace("/readings/n_reads", H5T_IEEE_F64LE, 2, 3, 2);
    hurt_refuses(&reader, HURT, "/readings/n_reads is not of the expected type");
    replace("/readings/n_errors", H5T_STD_U64LE, 2, 3, 2);
    hurt_refuses(&reader, HURT, "/readings/n_errors is not of the expected type");
    replace("/readings/n_errors", H5T_STD_U32LE, 2, 2, 3);
    hurt_refuses(&reader, HURT, "/readings/n_errors has another length");
    replace("/readings/n_errors", H5T_STD_U32LE, 0, 0, 0);
    hurt_refuses(&reader, HURT, "/readings/n_errors has another length");
    replace("/readings/note", H5T_STD_U32LE, 2, 3, 2);
    hurt_refuses(&reader, HURT, "/readings/note is not of the expected type");
    hid_t file = hurt_edit(&reader);
    H5Adelete(file, "seed");
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "/ lacks the attribute seed");
    unlink(HURT);
}
END_TEST

// A length that the file's own size does not bear out asks for no memory.
START_TEST(forged_lengths)
{
    replace("/event", H5T_STD_U32LE, 1, UINT64_C(1) << 34, 0);
    hurt_refuses(&reader, HURT, "/event is too long");
    replace("/event", H5T_STD_U32LE, 1, 30000000, 0);
    hurt_refuses(&reader, HURT, "impossible dimensions");
    replace("/day", H5T_IEEE_F64LE, 2, 3, 3);
    hurt_refuses(&reader, HURT, "/day is no dimension");
    unlink(HURT);
}
END_TEST

static void set_text(const char *key, const char *text)
{
    hid_t file = hurt_edit(&reader), type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Adelete(file, key);
    hid_t id = H5Acreate2(file, key, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(id, type, text);
    H5Aclose(id);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
}

// The axes of a grid must be there as they are listed.
START_TEST(wrong_axes)
{
    set_text("axes", "maker name");
    hurt_refuses(&reader, HURT, "a list of axes that makes no sense");
    set_text("axes", "maker name\nrate\nthird");
    hurt_refuses(&reader, HURT, "a list of axes that makes no sense");
    set_text("axis_variables", "maker_name speed");
    hurt_refuses(&reader, HURT, "/speed is missing");
    set_text("axis_variables", "maker_name score");
    hurt_refuses(&reader, HURT, "/score is not of the expected type");
    set_text("axis_variables", "maker_name maker");
    hurt_refuses(&reader, HURT, "/maker has another length than the rest implies");
    char many[4 * DATASET_MAX_AXES] = "a"; // each would be read as often as it is named
    for (int i = 0; i < DATASET_MAX_AXES; i++)
        strcat(many, " a");
    set_text("axis_variables", many);
    hurt_refuses(&reader, HURT, "has an impossible number of axes");
    unlink(HURT);
}
END_TEST

// The layout's own check has the last word.
START_TEST(senseless)
{
    hid_t file = hurt_edit(&reader), id = H5Aopen(file, "day_s", H5P_DEFAULT);
    const double none = 0;
    H5Awrite(id, H5T_NATIVE_DOUBLE, &none);
    H5Aclose(id);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "its days have no length");
    unlink(HURT);
}
END_TEST

// ---- every kind of file

static void *open_kind(const struct dataset_layout *layout, const char *path, struct err *err)
{
    void *artefact = mem_alloc(layout->size);
    if (dataset_read(layout, path, DATASET_ALL, artefact, NULL, err) == 0)
        return artefact;
    mem_free(artefact);
    return NULL;
}

static void close_kind(const struct dataset_layout *layout, void *opened)
{
    for (const struct dataset_array *a = layout->arrays; a->name; a++)
        dataset_is_known(layout, opened, a);
    dataset_destroy(layout, opened);
    mem_free(opened);
}

static void make_run(void)
{
    ck_assert_int_eq(run_file_write(SOUND, NULL, NULL), 0);
}

static void make_sweep(void)
{
    struct sweep_result *p = fixture_sweep();
    p->replication = -1; // its cases are not read
    ck_assert_int_eq(sweep_file_write(SOUND, true, p, NULL), 0);
    sweep_result_destroy(p);
}

static void make_tuning(void)
{
    struct tuning_result *t = fixture_tuning(1);
    ck_assert_int_eq(dataset_write(&tuning_result_layout, t, NULL, SOUND, true, NULL), 0);
    tuning_result_destroy(t);
}

static void make_capacity(void)
{
    struct capacity_result *s = fixture_capacity_sizes();
    ck_assert_int_eq(dataset_write(&capacity_result_layout, s, NULL, SOUND, true, NULL), 0);
    capacity_result_destroy(s);
}

#define KIND(name, layout)                                                                         \
    static void *open_##name(const char *path, struct err *err)                                    \
    {                                                                                              \
        return open_kind(&(layout), path, err);                                                    \
    }                                                                                              \
    static void close_##name(void *opened)                                                         \
    {                                                                                              \
        close_kind(&(layout), opened);                                                             \
    }
KIND(run, run_layout)
KIND(sweep, sweep_file_layout)
KIND(tuning, tuning_result_layout)
KIND(capacity, capacity_result_layout)

// Changed anywhere, a file with a checksum is refused, whatever its kind. Without one nothing
// vouches for the bytes: whatever is in them, the program lives, and what it accepts can be used.
START_TEST(every_kind)
{
    static const struct {
        struct hurt_reader reader;
        void (*use)(void *opened);
    } kinds[] = {{{SOUND, HURT, make_run, open_run}, close_run},
                 {{SOUND, HURT, make_sweep, open_sweep}, close_sweep},
                 {{SOUND, HURT, make_tuning, open_tuning}, close_tuning},
                 {{SOUND, HURT, make_capacity, open_capacity}, close_capacity}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        hurt_flipped(&kinds[i].reader, 5);
        hurt_bare(&kinds[i].reader, 4, kinds[i].use);
        make_sweep();
        void *opened = kinds[i].reader.open(SOUND, NULL);
        ck_assert((opened != NULL) == (i == 1)); // each takes its own kind alone
        if (opened)
            kinds[i].use(opened);
        unlink(SOUND);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", comes_back},       {"core", run_comes_back},
        {"core", head_alone},       {"limits", least},
        {"errors", other_kinds},    {"errors", foreign},
        {"errors", damaged},        {"errors", damaged_without_checksum},
        {"errors", wrong_values},   {"errors", wrong_shapes},
        {"errors", forged_lengths}, {"errors", wrong_axes},
        {"errors", senseless},      {"errors", every_kind}};
    return suite_run("dataset_read", tests, sizeof tests / sizeof *tests);
}
