// SPDX-License-Identifier: Apache-2.0
#include "results/file/dataset_page.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/file/capacity_result.h"
#include "results/file/farm.h"
#include "results/file/run_layout.h"
#include "results/file/sweep_file.h"
#include "results/file/tuning_result.h"
#include "support/suite.h"

static char *page_of(const struct dataset_layout *layout)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    dataset_page_print(layout, out);
    fclose(out);
    return text;
}

static void expect_line(const char *page, const char *line)
{
    ck_assert_msg(strstr(page, line) != NULL, "no line %s in\n%s", line, page);
}

// Attributes and dimensions are there with type, unit and words.
START_TEST(head)
{
    char *page = page_of(&farm_layout);
    expect_line(page, "\n| `length_s` | float64 | s | length |\n");
    expect_line(page, "\n| `automatic` | int32 | - | is the warm-up found? (0 no, 1 yes) |\n");
    expect_line(page, "\n| `component` | string | - | component of a disk; names: motor, head |\n");
    expect_line(page, "\n| `quantile` | float64 | - | quantile; values: 0.5, 0.99 |\n");
    free(page);
}
END_TEST

// A variable of every kind, with the dimensions that it has in the file.
START_TEST(variables)
{
    char *page = page_of(&farm_layout);
    expect_line(page, "\n### farm: `/readings`\n");
    expect_line(page, "\n| `n_reads` | uint64 | day, disk | - | reads |\n");
    expect_line(page,
                "\n| `state` | int32 | day, disk | - | is it up? (0 up, 1 down, 2 not_asked)");
    expect_line(page,
                "\n| `wait_s`, `wait_s_half_95` | float64 | day, disk, quantile | s | wait |\n");
    expect_line(page,
                "\n| `component_share_frac` | float64 | day, disk, component | - | share |\n");
    expect_line(page, "\n| the settings | uint64 | day, disk |");
    expect_line(page,
                "\n| `disk` | string | event | - | disk it happened to, by its name, as along "
                "`disk` |\n");
    expect_line(page, "\n| `text` | string | - | - | the study |\n");
    // A folded table has estimates in place of all numbers.
    expect_line(page, "\n| `share_frac`, `share_frac_half_95` | float64 | round | - | share |\n");
    free(page);
}
END_TEST

// Every group of every kind of file is said in words, and no cell breaks the table.
START_TEST(words)
{
    const struct dataset_layout *const layouts[] = {&run_layout, &sweep_file_layout,
                                                    &tuning_result_layout, &capacity_result_layout};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        char *page = page_of(layouts[i]);
        ck_assert_ptr_nonnull(layouts[i]->groups);
        for (const struct dataset_group *g = layouts[i]->groups; g->group; g++)
            expect_line(page, g->help);
        for (const struct dataset_array *a = layouts[i]->arrays; a->name; a++) {
            const struct dataset_group *g = layouts[i]->groups;
            while (g->group && strcmp(g->group, a->group) != 0)
                g++;
            ck_assert_msg(g->group != NULL, "%s: no words for %s", layouts[i]->kind, a->group);
        }
        for (char *line = strtok(page, "\n"); line; line = strtok(NULL, "\n")) {
            int bars = 0;
            for (const char *c = line; *c; c++)
                bars += *c == '|';
            ck_assert_msg(bars == 0 || bars == 5 || bars == 6, "%s", line);
        }
        free(page);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", head}, {"core", variables}, {"core", words}};
    return suite_run("dataset_page", tests, sizeof tests / sizeof *tests);
}
