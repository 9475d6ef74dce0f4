// SPDX-License-Identifier: Apache-2.0
#include "study/table_fit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "models/cost.h"
#include "study/doc.h"
#include "study/library.h"
#include "support/suite.h"

static struct library library; // of the whole program; set by main

static double batches[] = {1, 8, 64, 256}, busy[] = {1, 5};

// An exact affine form with contention comes back: 1 ms and 10 us an item, half as long again with
// all five busy; nothing is wrong with a point that was left out.
START_TEST(affine_is_found)
{
    double seconds[8];
    struct cost_table table = {.name = "t",
                               .model = "m",
                               .platform = "p",
                               .batches_items = {4, batches},
                               .busy_cores = {2, busy},
                               .seconds_s = {8, seconds}};
    struct table_fit fit;
    for (int i = 0; i < 8; i++)
        seconds[i] = (1e-3 + 1e-5 * batches[i % 4]) * (i < 4 ? 1 : 1.5);
    ck_assert_int_eq(table_fit_affine(&fit, &table, NULL), 0);
    ck_assert_double_eq_tol(fit.first, 1e-3, 1e-9);
    ck_assert_double_eq_tol(fit.second, 1e-5, 1e-11);
    ck_assert_double_eq_tol(fit.contention_frac, 0.5, 1e-6);
    ck_assert_double_lt(fit.left_out_worst_frac, 1e-5);
    char *text = table_fit_table_yaml(&fit, &table, "x");
    ck_assert_ptr_nonnull(strstr(text, "    busy_cores: [1, 5]\n    seconds: [0.00101s, 0.00356s, "
                                       "0.001515s, 0.00534s]\n"));
    mem_free(text);
    table_fit_release(&fit);
}
END_TEST

// Relative least squares by the normal equations with weights 1 / time^2.
START_TEST(errors_are_relative)
{
    double three[] = {1, 2, 4}, one[] = {1}, seconds[] = {2, 3, 5.5};
    struct cost_table table = {.name = "t",
                               .batches_items = {3, three},
                               .busy_cores = {1, one},
                               .seconds_s = {3, seconds}};
    struct table_fit fit;
    double saa = 0, sab = 0, sbb = 0, say = 0, sby = 0;
    for (int i = 0; i < 3; i++) {
        double w = 1 / (seconds[i] * seconds[i]);
        saa += w;
        sab += w * three[i];
        sbb += w * three[i] * three[i];
        say += w * seconds[i];
        sby += w * three[i] * seconds[i];
    }
    double det = saa * sbb - sab * sab;
    ck_assert_int_eq(table_fit_affine(&fit, &table, NULL), 0);
    ck_assert_double_eq_tol(fit.first, (say * sbb - sab * sby) / det, 1e-9);
    ck_assert_double_eq_tol(fit.second, (saa * sby - sab * say) / det, 1e-9);
    // Without the last point the line goes through the other two: 1 + 1 * 4.
    ck_assert_double_eq_tol(fit.points[2].left_out_s, 5, 1e-9);
    table_fit_release(&fit);
}
END_TEST

// Times that fall make no negative number: what is left is their level.
START_TEST(nothing_is_below_zero)
{
    double one[] = {1}, seconds[] = {4, 3, 2, 1};
    struct cost_table table = {.name = "t",
                               .batches_items = {4, batches},
                               .busy_cores = {1, one},
                               .seconds_s = {4, seconds}};
    struct table_fit fit;
    ck_assert_int_eq(table_fit_affine(&fit, &table, NULL), 0);
    ck_assert_double_eq(fit.second, 0);
    ck_assert_double_gt(fit.first, 0);
    table_fit_release(&fit);
}
END_TEST

// Times of a platform with twice the fixed times and rates of a third, worked out by the cost
// itself, give these two numbers back, and the platform that is printed, to four
// digits, has these times.
START_TEST(roofline_is_found)
{
    const struct platform *base = library_platform(&library, "skylake");
    const struct model *model = library_model(&library, "wnd");
    const struct cost_config twice = {.kind = cost_type_find("roofline"), .fixed_scale = 2},
                             none = {.kind = cost_type_find("roofline"), .fixed_scale = 1};
    struct cost *two = cost_create(&twice, model, base, NULL);
    struct cost *one = cost_create(&none, model, base, NULL);
    double seconds[8];
    struct cost_table table = {.name = "t",
                               .batches_items = {4, batches},
                               .busy_cores = {2, busy},
                               .seconds_s = {8, seconds}};
    struct table_fit fit;
    for (int i = 0; i < 8; i++) {
        uint32_t n = (uint32_t)batches[i % 4], b = (uint32_t)busy[i / 4];
        double fixed = cost_cpu_s(two, n, b) - cost_cpu_s(one, n, b);
        seconds[i] = 2 * fixed + 3 * (cost_cpu_s(one, n, b) - fixed);
    }
    ck_assert_int_eq(table_fit_roofline(&fit, &table, model, base, NULL), 0);
    ck_assert_double_eq_tol(fit.first, 2, 1e-6);
    ck_assert_double_eq_tol(fit.second, 3, 1e-6);
    char *text = table_fit_platform_yaml(&fit, base, "mine");
    const struct library_source source = {"x", NULL, false};
    struct library mine = {.base = &library};
    struct err err = {0};
    struct doc *doc = doc_parse("x.yaml", text, strlen(text), &err);
    ck_assert_msg(doc && library_add(&mine, doc_root(doc), &source, &err) == 0, "%s", err.text);
    struct cost *fitted = cost_create(&none, model, library_platform(&mine, "mine"), &err);
    for (int i = 0; i < 8; i++)
        ck_assert_double_eq_tol(cost_cpu_s(fitted, (uint32_t)batches[i % 4], (uint32_t)busy[i / 4]),
                                seconds[i], 1e-3 * seconds[i]);
    cost_destroy(fitted);
    library_release(&mine);
    doc_destroy(doc);
    mem_free(text);
    table_fit_release(&fit);
    cost_destroy(two);
    cost_destroy(one);
}
END_TEST

// Too little to fit.
START_TEST(too_few_points)
{
    double one[] = {1}, seconds[] = {1};
    struct cost_table table = {.name = "t",
                               .batches_items = {1, batches},
                               .busy_cores = {1, one},
                               .seconds_s = {1, seconds}};
    struct table_fit fit;
    struct err err = {0};
    ck_assert_int_eq(table_fit_affine(&fit, &table, &err), -1);
    ck_assert_str_eq(err.text, "t: expected times of at least two batches to fit");
    table.seconds_s.n = 0;
    ck_assert_int_eq(table_fit_affine(&fit, &table, &err), -1);
    ck_assert_str_eq(err.text, "t has no CPU times to fit");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", affine_is_found},
                                       {"core", errors_are_relative},
                                       {"core", roofline_is_found},
                                       {"limits", nothing_is_below_zero},
                                       {"errors", too_few_points}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("table_fit", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
