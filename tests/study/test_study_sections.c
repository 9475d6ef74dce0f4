// SPDX-License-Identifier: Apache-2.0
#include "study/study_sections.h"

#include <string.h>

#include "study/study_fleet.h"
#include "support/suite.h"

#define MAX 128

static const struct study_section *find(const struct study_section *sections, size_t n,
                                        const char *path, const char *when)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(sections[i].path, path) == 0 && strcmp(sections[i].when, when) == 0)
            return &sections[i];
    return NULL;
}

// The listing shows the very tables that studies are read with.
START_TEST(tables_are_the_readers)
{
    struct study_section sections[MAX];
    size_t n = study_sections(sections, MAX);
    ck_assert_uint_le(n, MAX);
    ck_assert_str_eq(sections[0].path, "");
    const struct study_section *groups = find(sections, n, "fleet.groups[]", "");
    ck_assert_ptr_nonnull(groups);
    ck_assert_ptr_eq(groups->fields, study_group_fields);
}
END_TEST

// Each member of a family stands under the choice that brings its keys.
START_TEST(variants_say_when_they_hold)
{
    struct study_section sections[MAX];
    size_t n = study_sections(sections, MAX);
    const struct study_section *gamma = find(sections, n, "traffic[].arrivals", "process: gamma");
    ck_assert_ptr_nonnull(gamma);
    ck_assert_ptr_nonnull(schema_find(gamma->fields, "cv"));
    ck_assert_ptr_nonnull(find(sections, n, "balancer", "policy: power-of-d"));
}
END_TEST

// Every part has a line of help, and none is there twice with the same table.
START_TEST(parts_are_explained_once)
{
    struct study_section sections[MAX];
    size_t n = study_sections(sections, MAX);
    for (size_t i = 0; i < n; i++) {
        ck_assert_ptr_nonnull(sections[i].help);
        ck_assert_uint_gt(strlen(sections[i].help), 0);
        for (size_t k = 0; k < i; k++)
            ck_assert(sections[i].fields != sections[k].fields ||
                      strcmp(sections[i].path, sections[k].path) != 0 ||
                      strcmp(sections[i].when, sections[k].when) != 0);
    }
}
END_TEST

// With too little room the count is still that of all, and nothing is written past the room.
START_TEST(little_room)
{
    struct study_section sections[3], all[MAX];
    memset(sections, 0, sizeof sections);
    size_t n = study_sections(NULL, 0);
    ck_assert_uint_gt(n, 20);
    ck_assert_uint_eq(study_sections(sections, 2), n);
    ck_assert_uint_eq(study_sections(all, MAX), n);
    ck_assert_str_eq(sections[1].path, all[1].path);
    ck_assert_ptr_null(sections[2].help);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", tables_are_the_readers},
        {"core", variants_say_when_they_hold},
        {"core", parts_are_explained_once},
        {"limits", little_room},
    };
    return suite_run("study_sections", tests, sizeof tests / sizeof *tests);
}
