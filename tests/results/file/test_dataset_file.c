// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_file.h"

#include <hdf5.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/farm.h"
#include "support/column_file.h"
#include "support/suite.h"

#define PATH "test_dataset_file.h5"

static struct dataset_file *open_farm(struct err *err)
{
    struct farm farm = farm_make(1);
    int rc = dataset_write(&farm_layout, &farm, NULL, PATH, true, err);
    ck_assert_msg(rc == 0, "%s", err->text);
    dataset_destroy(&farm_layout, &farm);
    struct dataset_file *f = dataset_file_open(PATH, true, err);
    ck_assert_msg(f != NULL, "%s", err->text);
    unlink(PATH);
    return f;
}

// Paths of any depth are looked for step by step.
START_TEST(finds)
{
    struct err err = {0};
    struct dataset_file *f = open_farm(&err);
    ck_assert(dataset_file_has(f, "/") && dataset_file_has(f, "/deep/events/at_s"));
    ck_assert(!dataset_file_has(f, "/shallow/events/at_s") && !dataset_file_has(f, "/deep/x"));
    ck_assert(dataset_file_has_attribute(f, "/", "seed"));
    ck_assert(!dataset_file_has_attribute(f, "/", "sed"));
    ck_assert_int_eq(dataset_file_close(f), 0);
}
END_TEST

// Types and lengths are as stored; narrower whole numbers fit in wider ones, and no others.
START_TEST(shapes_and_types)
{
    struct err err = {0};
    struct dataset_file *f = open_farm(&err);
    struct dataset_file_shape shape;
    uint64_t wide[6];
    ck_assert(dataset_file_shape(f, "/readings/n_errors", &shape));
    ck_assert_int_eq(shape.type, CONTENT_U32);
    ck_assert_int_eq(shape.n_dims, 2);
    ck_assert_uint_eq(shape.sizes[0], 3);
    ck_assert_uint_eq(shape.n, 6);
    ck_assert(dataset_file_shape(f, "/study/text", &shape));
    ck_assert_int_eq(shape.type, CONTENT_TEXT);
    ck_assert_int_eq(shape.n_dims, 0);
    dataset_file_values(f, "/readings/n_errors", CONTENT_U64, 2, (uint64_t[]){3, 2}, wide);
    ck_assert_uint_eq(wide[5], UINT32_MAX - 5);
    ck_assert(!dataset_file_failed(f));
    dataset_file_values(f, "/readings/n_errors", CONTENT_F64, 2, (uint64_t[]){3, 2}, wide);
    ck_assert_int_eq(dataset_file_close(f), -1);
    ck_assert_str_eq(err.text, PATH ": not a readable recfleet result: /readings/n_errors is not "
                                    "of the expected type");
}
END_TEST

// The first failure stays; later calls do nothing.
START_TEST(first_failure)
{
    struct err err = {0};
    struct dataset_file *f = open_farm(&err);
    double value = 7;
    dataset_file_refuse(f, "it is %d", 1);
    dataset_file_fail(f, "/x", "is missing");
    dataset_file_attribute(f, "/", "day_s", CONTENT_F64, &value);
    ck_assert_double_eq(value, 7);
    ck_assert(!dataset_file_has(f, "/"));
    ck_assert_int_eq(dataset_file_close(f), -1);
    ck_assert_str_eq(err.text, PATH ": it is 1");
}
END_TEST

struct found {
    int n_groups, n_variables, n_others, n_keys;
};

static void see_object(void *user, const char *path, enum dataset_file_object what)
{
    struct found *found = user;
    ck_assert_int_eq(path[0], '/');
    found->n_groups += what == DATASET_FILE_GROUP;
    found->n_variables += what == DATASET_FILE_VARIABLE;
    found->n_others += what == DATASET_FILE_OTHER;
}

static void see_key(void *user, const char *key, enum content_type type)
{
    struct found *found = user;
    found->n_keys += strcmp(key, "seed") == 0 && type == CONTENT_U64;
}

// All that lies in a group, and the root's attributes.
START_TEST(lists)
{
    struct err err = {0};
    struct found found = {0};
    struct dataset_file *f = open_farm(&err);
    dataset_file_each_object(f, "/", see_object, &found);
    dataset_file_each_attribute(f, see_key, &found);
    ck_assert_int_eq(found.n_groups, 5);
    ck_assert_int_eq(found.n_variables, 13);
    ck_assert_int_eq(found.n_keys, 1);
    dataset_file_each_object(f, "/day", see_object, &found);
    ck_assert_int_eq(dataset_file_close(f), -1);
}
END_TEST

// ---- other programs' files

// A file with one dataset "x" of that stored type, made from n 64-bit numbers.
static void write_stored(hid_t stored, hid_t memory, hsize_t n, const void *data)
{
    hid_t file = H5Fcreate(PATH, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t id = H5Dcreate2(file, "x", stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
    H5Dclose(id);
    H5Sclose(space);
    H5Fclose(file);
}

static void reads(enum content_type type, uint64_t n, const void *wanted)
{
    struct err err = {0};
    int64_t values[8];
    struct dataset_file *f = dataset_file_open(PATH, false, &err);
    dataset_file_values(f, "/x", type, 1, &n, values);
    ck_assert_msg(dataset_file_close(f) == 0, "%s", err.text);
    ck_assert_mem_eq(values, wanted, n * sizeof *values);
}

// Integers of each width, sign and byte order come exactly, the extremes of 64 bits too, and
// floating point of 32 and 64 bits.
START_TEST(any_numbers)
{
    const int64_t small[] = {0, 1, 127}, large[] = {INT64_MIN, INT64_MAX, -1};
    const double real[] = {0.5, -3.25, 1e9};
    const hid_t types[] = {H5T_STD_I8LE,  H5T_STD_U8BE,  H5T_STD_I16BE, H5T_STD_U16LE,
                           H5T_STD_I32LE, H5T_STD_U32BE, H5T_STD_I64BE, H5T_STD_U64LE};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        write_stored(types[i], H5T_NATIVE_INT64, 3, small);
        reads(CONTENT_I64, 3, small);
    }
    write_stored(H5T_STD_I64BE, H5T_NATIVE_INT64, 3, large);
    reads(CONTENT_I64, 3, large);
    write_stored(H5T_IEEE_F32BE, H5T_NATIVE_DOUBLE, 3, real);
    reads(CONTENT_F64, 3, real);
    write_stored(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, real);
    reads(CONTENT_F64, 3, real);
    unlink(PATH);
}
END_TEST

// Texts of fixed length without room for a NUL, of variable length, and none.
START_TEST(any_texts)
{
    const double one = 1;
    struct err err = {0};
    write_stored(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &one);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t fixed = H5Tcopy(H5T_C_S1), variable = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    const char *text = "seconds";
    H5Tset_size(fixed, 2);
    H5Tset_strpad(fixed, H5T_STR_NULLPAD);
    H5Tset_size(variable, H5T_VARIABLE);
    const struct {
        const char *key;
        hid_t type;
        const void *value;
    } rows[] = {{"a", fixed, "us"}, {"b", variable, &text}, {"c", H5T_NATIVE_DOUBLE, &one}};
    for (size_t i = 0; i < 3; i++) {
        hid_t id = H5Acreate_by_name(file, "/x", rows[i].key, rows[i].type, space, H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(id, rows[i].type, rows[i].value);
        H5Aclose(id);
    }
    H5Tclose(fixed);
    H5Tclose(variable);
    H5Sclose(space);
    H5Fclose(file);
    struct dataset_file *f = dataset_file_open(PATH, false, &err);
    const char *const wanted[] = {"us", "seconds", "", ""}, *const keys[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) {
        char *found = dataset_file_text(f, "/x", keys[i]);
        ck_assert_str_eq(found, wanted[i]);
        mem_free(found);
    }
    ck_assert_int_eq(dataset_file_close(f), 0);
    unlink(PATH);
}
END_TEST

// Only the first bytes of a regular file tell that it is HDF5.
START_TEST(signatures)
{
    const double one = 1;
    write_stored(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &one);
    ck_assert(dataset_file_is_hdf5(PATH));
    column_file_spit(PATH, "\x89HDF\r\n\x1a", 7);
    ck_assert(!dataset_file_is_hdf5(PATH));
    column_file_spit(PATH, "arrive_s,size_items\n", 20);
    ck_assert(!dataset_file_is_hdf5(PATH));
    ck_assert(!dataset_file_is_hdf5("/") && !dataset_file_is_hdf5("/dev/zero") &&
              !dataset_file_is_hdf5("/no/such/file"));
    unlink(PATH);
}
END_TEST

// What is wrong with such a file is said without calling it a result; a type without a name in our
// files is neither a group nor a variable.
START_TEST(not_ours)
{
    const double one = 1;
    struct err err = {0};
    struct found found = {0};
    struct dataset_file_shape shape;
    write_stored(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &one);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDWR, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Tclose(type);
    H5Fclose(file);
    struct dataset_file *f = dataset_file_open(PATH, false, &err);
    dataset_file_each_object(f, "/", see_object, &found);
    ck_assert_int_eq(found.n_variables, 1);
    ck_assert_int_eq(found.n_others, 1);
    ck_assert(!dataset_file_shape(f, "/type", &shape));
    ck_assert_int_eq(dataset_file_close(f), -1);
    ck_assert_str_eq(err.text, PATH ": /type is a type");
    unlink(PATH);
}
END_TEST

static void assert_probe(const char *path, const char *wanted)
{
    struct err err = {0};
    struct dataset_file_shape shape;
    struct dataset_file *f = dataset_file_open(PATH, false, &err);
    const char *wrong = dataset_file_probe(f, path, &shape);
    ck_assert_str_eq(wrong ? wrong : "", wanted);
    ck_assert_int_eq(shape.n == DATASET_FILE_TOO_LONG, strstr(wanted, "too long") != NULL);
    ck_assert_int_eq(dataset_file_close(f), 0);
}

static void add_empty(hid_t file, const char *name, hid_t type, hid_t space)
{
    H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
}

// A soft or external link is not followed where objects are listed, but where it is named; what
// cannot be read says whether it is the kind, the type or the length.
START_TEST(links_and_odd_datasets)
{
    const double one = 1;
    const hsize_t huge = UINT64_C(1) << 32, few = 2;
    struct err err = {0};
    struct found found = {0};
    write_stored(H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &one);
    hid_t file = H5Fopen(PATH, H5F_ACC_RDWR, H5P_DEFAULT), wide = H5Tcopy(H5T_STD_I64LE);
    H5Tset_size(wide, 16);
    H5Lcreate_soft("/x", file, "same", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/", file, "circle", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/y", file, "broken", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("/dev/null", "/x", file, "away", H5P_DEFAULT, H5P_DEFAULT);
    add_empty(file, "wide", wide, H5Screate_simple(1, &few, NULL));
    add_empty(file, "opaque", H5T_STD_REF_OBJ, H5Screate_simple(1, &few, NULL));
    add_empty(file, "huge", H5T_STD_I64LE, H5Screate_simple(1, &huge, NULL));
    add_empty(file, "null", H5T_STD_I64LE, H5Screate(H5S_NULL));
    H5Tclose(wide);
    H5Fclose(file);
    struct dataset_file *f = dataset_file_open(PATH, false, &err);
    dataset_file_each_object(f, "/", see_object, &found);
    ck_assert_int_eq(dataset_file_close(f), 0);
    ck_assert_int_eq(found.n_variables, 5);
    ck_assert_int_eq(found.n_groups, 0);
    ck_assert_int_eq(found.n_others, 4);
    assert_probe("/same", "");
    assert_probe("/none", "is missing");
    assert_probe("/circle", "is a group");
    assert_probe("/broken", "is a dangling link");
    assert_probe("/away", "is a dangling link");
    assert_probe("/wide", "has numbers of more than 64 bits");
    assert_probe("/opaque", "has neither numbers nor text");
    assert_probe("/huge", "is too long");
    assert_probe("/null", "has no values");
    unlink(PATH);
}
END_TEST

static size_t as_it_is(unsigned flags, size_t n_values, const unsigned *values, size_t n_bytes,
                       size_t *room, void **buffer)
{
    (void)flags, (void)n_values, (void)values, (void)room, (void)buffer;
    return n_bytes;
}

// Values that went through a filter that is not there are not called damaged.
START_TEST(filter_not_there)
{
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 307, 1, 1, "squeeze", NULL, NULL, as_it_is};
    const double values[2] = {1, 2};
    double back[2];
    struct err err = {0};
    H5Zregister(&filter);
    hid_t file = H5Fcreate(PATH, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t created = H5Pcreate(H5P_DATASET_CREATE),
          space = H5Screate_simple(1, (hsize_t[]){2}, NULL);
    H5Pset_chunk(created, 1, (hsize_t[]){2});
    H5Pset_filter(created, 307, 0, 0, NULL);
    hid_t data = H5Dcreate2(file, "/v", H5T_IEEE_F64LE, space, H5P_DEFAULT, created, H5P_DEFAULT);
    H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(data);
    H5Sclose(space);
    H5Pclose(created);
    H5Fclose(file);
    H5Zunregister(307);
    struct dataset_file *f = dataset_file_open(PATH, false, &err);
    dataset_file_values(f, "/v", CONTENT_F64, 1, (uint64_t[]){2}, back);
    ck_assert_int_eq(dataset_file_close(f), -1);
    ck_assert_str_eq(err.text, PATH ": /v is compressed by filter 307 (squeeze), which is not "
                                    "there; rewrite the file with h5repack -f GZIP=4");
    unlink(PATH);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", finds},           {"core", shapes_and_types},
        {"core", lists},           {"core", any_numbers},
        {"core", any_texts},       {"core", signatures},
        {"errors", not_ours},      {"errors", links_and_odd_datasets},
        {"errors", first_failure}, {"errors", filter_not_there}};
    return suite_run("dataset_file", tests, sizeof tests / sizeof *tests);
}
