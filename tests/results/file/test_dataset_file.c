// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_file.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "results/file/dataset_write.h"
#include "results/file/farm.h"
#include "support/suite.h"

#define PATH "test_dataset_file.h5"

static struct dataset_file *open_farm(struct err *err)
{
    struct farm farm = farm_make(1);
    int rc = dataset_write(&farm_layout, &farm, NULL, PATH, true, err);
    ck_assert_msg(rc == 0, "%s", err->text);
    dataset_destroy(&farm_layout, &farm);
    struct dataset_file *f = dataset_file_open(PATH, err);
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
    int n_groups, n_variables, n_keys;
};

static void see_object(void *user, const char *path, bool is_group)
{
    struct found *found = user;
    ck_assert_int_eq(path[0], '/');
    found->n_groups += is_group;
    found->n_variables += !is_group;
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
    ck_assert_int_eq(found.n_variables, 8);
    ck_assert_int_eq(found.n_keys, 1);
    dataset_file_each_object(f, "/day", see_object, &found);
    ck_assert_int_eq(dataset_file_close(f), -1);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", finds}, {"core", shapes_and_types}, {"core", lists}, {"errors", first_failure}};
    return suite_run("dataset_file", tests, sizeof tests / sizeof *tests);
}
