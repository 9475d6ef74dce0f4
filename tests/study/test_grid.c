// SPDX-License-Identifier: Apache-2.0
#include "study/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "study/study.h"
#include "support/suite.h"

#define HEAD                                                                                       \
    "duration: 1s\n"                                                                               \
    "traffic: [{service: feed, model: wnd, rate: 10qps}]\n"                                        \
    "fleet: {groups: [{platform: skylake, servers: 1}]}\n"
#define TWO_AXES                                                                                   \
    HEAD "sweep:\n"                                                                                \
         "  - {axis: model, key: \"traffic[0].model\", values: [ncf, wnd, din]}\n"                 \
         "  - axis: platform\n"                                                                    \
         "    points:\n"                                                                           \
         "      - {label: cpu, set: {\"fleet.groups[0].platform\": broadwell}}\n"                  \
         "      - label: cpu+gpu\n"                                                                \
         "        set:\n"                                                                          \
         "          fleet.groups[0].platform: skylake\n"                                           \
         "          fleet.groups[0].accelerator: {name: t4, streams: 2}\n"

static struct grid *parsed(const char *text, const char *setting)
{
    struct err err = {0};
    struct grid *grid = grid_parse("s.yaml", text, strlen(text), &setting, setting != NULL, &err);
    ck_assert_msg(grid != NULL, "%s", err.text);
    return grid;
}

static void assert_refused(const char *text, const char *line)
{
    struct err err = {0};
    ck_assert_ptr_null(grid_parse("s.yaml", text, strlen(text), NULL, 0, &err));
    ck_assert_str_eq(err.text, line);
    ck_assert_int_eq(err.code, ERR_STUDY);
}

// `sweep: LIST` in line 1.
static void assert_sweep_refused(const char *list, const char *line)
{
    char *text = mem_printf("sweep: %s\n", list);
    assert_refused(text, line);
    mem_free(text);
}

static void assert_name(const struct grid *grid, uint32_t point, const char *expected)
{
    char *name = grid_name(grid, point);
    ck_assert_str_eq(name, expected);
    mem_free(name);
}

// Points count like an odometer: the last axis turns fastest.
START_TEST(counter_order)
{
    struct grid *grid = parsed(TWO_AXES, NULL);
    ck_assert_uint_eq(grid_n_axes(grid), 2);
    ck_assert_uint_eq(grid_n_points(grid), 6);
    ck_assert_str_eq(grid_axis_name(grid, 1), "platform");
    ck_assert_uint_eq(grid_n_labels(grid, 0), 3);
    ck_assert_str_eq(grid_label(grid, 0, 2), "din");
    assert_name(grid, 0, "model=ncf,platform=cpu");
    assert_name(grid, 1, "model=ncf,platform=cpu+gpu");
    assert_name(grid, 2, "model=wnd,platform=cpu");
    assert_name(grid, 5, "model=din,platform=cpu+gpu");
    ck_assert_uint_eq(grid_value(grid, 3, 0), 1);
    ck_assert_uint_eq(grid_value(grid, 3, 1), 1);
    grid_destroy(grid);
}
END_TEST

// A point's settings are those of its values, axis by axis, as the command line would take them.
START_TEST(settings_of_a_point)
{
    struct grid *grid = parsed(TWO_AXES, NULL);
    size_t n;
    const char *const *settings = grid_settings(grid, 3, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(settings[0], "traffic[0].model=wnd");
    ck_assert_str_eq(settings[1], "fleet.groups[0].platform=skylake");
    ck_assert_str_eq(settings[2], "fleet.groups[0].accelerator={name: t4, streams: 2}");
    settings = grid_settings(grid, 0, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(settings[1], "fleet.groups[0].platform=broadwell");
    grid_destroy(grid);
}
END_TEST

// A point reads as a study: its own settings come after those of the command line and win.
START_TEST(point_is_a_study)
{
    struct library library;
    struct err err = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    const char *given[] = {"traffic[0].model=rmc1", "traffic[0].rate=77qps"};
    struct grid *grid = parsed(TWO_AXES, given[0]);
    size_t n;
    const char **settings = grid_point_settings(grid, 3, given, 2, &n);
    ck_assert_uint_eq(n, 5);
    struct study *study =
        study_parse("s.yaml", TWO_AXES, strlen(TWO_AXES), settings, n, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    ck_assert_str_eq(study->services[0].model, "wnd");
    ck_assert_double_eq(study->services[0].traffic.rate_qps, 77);
    ck_assert_int_eq(study->groups[0].platform.accelerator.streams, 2);
    mem_free(settings);
    study_destroy(study);
    grid_destroy(grid);
    library_release(&library);
}
END_TEST

// The resolved study of a point is that point alone.
START_TEST(resolved_without_sweep)
{
    struct library library;
    struct err err = {0};
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct study *study =
        study_parse("s.yaml", TWO_AXES, strlen(TWO_AXES), NULL, 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    char *text = study_format(study);
    ck_assert_ptr_null(strstr(text, "sweep"));
    mem_free(text);
    study_destroy(study);
    library_release(&library);
}
END_TEST

// The command line may change the sweep itself.
START_TEST(sweep_from_the_command_line)
{
    struct grid *grid = parsed(TWO_AXES, "sweep[0].values=[rmc1, rmc2]");
    ck_assert_uint_eq(grid_n_points(grid), 4);
    assert_name(grid, 3, "model=rmc2,platform=cpu+gpu");
    grid_destroy(grid);
}
END_TEST

// Labels name values that are lists or maps, or whose texts read badly.
START_TEST(labels_beside_values)
{
    struct grid *grid =
        parsed("sweep: [{axis: sizes, key: \"traffic[0].sizes\", labels: [tiny, usual], "
               "values: [{distribution: fixed, items: 3}, production]}]\n",
               NULL);
    size_t n;
    assert_name(grid, 0, "sizes=tiny");
    ck_assert_str_eq(grid_settings(grid, 0, &n)[0],
                     "traffic[0].sizes={distribution: fixed, items: 3}");
    ck_assert_str_eq(grid_settings(grid, 1, &n)[0], "traffic[0].sizes=production");
    grid_destroy(grid);
}
END_TEST

// A study without a sweep is one point without a name, whether or not it is a good study.
START_TEST(no_sweep)
{
    struct grid *grid = parsed(HEAD, NULL);
    size_t n = 9;
    ck_assert_uint_eq(grid_n_axes(grid), 0);
    ck_assert_uint_eq(grid_n_points(grid), 1);
    grid_settings(grid, 0, &n);
    ck_assert_uint_eq(n, 0);
    assert_name(grid, 0, "");
    grid_destroy(grid);
    grid = parsed("", NULL);
    ck_assert_uint_eq(grid_n_points(grid), 1);
    grid_destroy(grid);
    grid_destroy(NULL);
}
END_TEST

// The seed that a point's settings end with; 0 and *has false when they set none.
static uint64_t last_seed(const struct grid *grid, uint32_t point, bool *has)
{
    size_t n;
    const char *const *settings = grid_settings(grid, point, &n);
    *has = n > 0 && strncmp(settings[n - 1], "seed=", 5) == 0;
    return *has ? strtoull(settings[n - 1] + 5, NULL, 10) : 0;
}

// Replications are a last axis that turns slowest; the first keeps the point's seed, the others
// bring their own.
START_TEST(replications_are_the_last_axis)
{
    struct grid *grid = parsed(TWO_AXES "replications: 3\n", NULL);
    bool has;
    ck_assert_uint_eq(grid_n_replications(grid), 3);
    ck_assert_uint_eq(grid_n_axes(grid), 3);
    ck_assert_uint_eq(grid_n_points(grid), 18);
    ck_assert_str_eq(grid_axis_name(grid, 2), "replication");
    assert_name(grid, 0, "model=ncf,platform=cpu,replication=0");
    assert_name(grid, 17, "model=din,platform=cpu+gpu,replication=2");
    for (uint32_t p = 0; p < 18; p++) {
        last_seed(grid, p, &has);
        ck_assert_int_eq(has, p >= 6);
        ck_assert_uint_eq(grid_value(grid, p, 2), p / 6);
        ck_assert_uint_eq(grid_value(grid, p, 0), p % 6 / 2);
        ck_assert_uint_eq(grid_value(grid, p, 1), p % 2);
    }
    grid_destroy(grid);
}
END_TEST

// Points that differ in something else than the seed see the same random draws in each replication.
START_TEST(replications_have_common_seeds)
{
    struct grid *grid = parsed(TWO_AXES "replications: 3\n", NULL);
    bool has;
    uint64_t first = last_seed(grid, 6, &has), second = last_seed(grid, 12, &has);
    ck_assert_uint_ne(first, second);
    for (uint32_t p = 0; p < 6; p++) {
        ck_assert_uint_eq(last_seed(grid, p + 6, &has), first);
        ck_assert_uint_eq(last_seed(grid, p + 12, &has), second);
    }
    grid_destroy(grid);
    // They follow from the study's seed, wherever it was set.
    grid = parsed(TWO_AXES "replications: 3\nseed: 2\n", NULL);
    ck_assert_uint_ne(last_seed(grid, 6, &has), first);
    grid_destroy(grid);
    grid = parsed(TWO_AXES "replications: 3\nseed: 2\n", "seed=1");
    ck_assert_uint_eq(last_seed(grid, 6, &has), first);
    grid_destroy(grid);
}
END_TEST

// A seed in the results of old studies must not change: these are Philox2x64-10 of Random123 with
// key 1, high word 11 << 48 and low words 1 and 2, first word without its lowest bit.
START_TEST(replication_seeds_are_fixed)
{
    struct grid *grid = parsed(HEAD "replications: 3\n", NULL);
    bool has;
    ck_assert_uint_eq(last_seed(grid, 1, &has), UINT64_C(8709052232807772129));
    ck_assert_uint_eq(last_seed(grid, 2, &has), UINT64_C(247395024937092414));
    grid_destroy(grid);
}
END_TEST

static int compare_seeds(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// A sweep over neighbouring seeds with many replications each: no seed is there twice.
START_TEST(seeds_of_a_seed_sweep_differ)
{
    struct grid *grid = parsed("replications: 100\n"
                               "sweep: [{axis: s, key: seed, values: [1, 2, 3, 4, 5, 6, 7, 8]}]\n",
                               NULL);
    uint64_t seeds[800];
    bool has;
    ck_assert_uint_eq(grid_n_points(grid), 800);
    for (uint32_t p = 0; p < 800; p++) {
        seeds[p] = last_seed(grid, p, &has);
        ck_assert(has);
        ck_assert_uint_lt(seeds[p], UINT64_C(1) << 63);
    }
    ck_assert_uint_eq(seeds[1], 2); // the axis' own, in replication 0
    qsort(seeds, 800, sizeof *seeds, compare_seeds);
    for (uint32_t p = 1; p < 800; p++)
        ck_assert_uint_ne(seeds[p], seeds[p - 1]);
    grid_destroy(grid);
}
END_TEST

// A point of several settings may bring a seed; the last axis that does wins.
START_TEST(last_seed_wins)
{
    struct grid *grid = parsed("replications: 2\n"
                               "sweep:\n"
                               "  - {axis: a, key: seed, values: [5]}\n"
                               "  - {axis: b, points: [{label: x, set: {seed: 1, bins: 7}}]}\n",
                               NULL);
    struct grid *plain = parsed("replications: 2\n", NULL);
    bool has;
    ck_assert_uint_eq(last_seed(grid, 1, &has), last_seed(plain, 1, &has));
    grid_destroy(plain);
    grid_destroy(grid);
}
END_TEST

// A replicated point reads as a study with that seed.
START_TEST(replication_is_a_study)
{
    struct library library;
    struct err err = {0};
    const char *text = HEAD "replications: 2\n";
    ck_assert_int_eq(library_load(&library, &err), 0);
    struct grid *grid = parsed(text, NULL);
    size_t n;
    bool has;
    const char **settings = grid_point_settings(grid, 1, NULL, 0, &n);
    struct study *study =
        study_parse("s.yaml", text, strlen(text), settings, n, &library, true, &err);
    ck_assert_msg(study != NULL, "%s", err.text);
    ck_assert_uint_eq(study->settings.seed, last_seed(grid, 1, &has));
    char *resolved = study_format(study);
    ck_assert_ptr_null(strstr(resolved, "replications"));
    mem_free(resolved);
    mem_free(settings);
    study_destroy(study);
    grid_destroy(grid);
    library_release(&library);
}
END_TEST

// Where the results go is the study's, not a point's; without a file it is the name with .h5.
START_TEST(names_of_the_study)
{
    struct grid *grid = parsed("name: day\noutput: {file: out/day.h5}\n", NULL);
    ck_assert_str_eq(grid_study_name(grid), "day");
    ck_assert_str_eq(grid_output(grid), "out/day.h5");
    grid_destroy(grid);
    grid = parsed("name: day\n", "name=night");
    ck_assert_str_eq(grid_output(grid), "night.h5");
    grid_destroy(grid);
    grid = parsed("", NULL);
    ck_assert_str_eq(grid_study_name(grid), "study");
    ck_assert_str_eq(grid_output(grid), "study.h5");
    grid_destroy(grid);
}
END_TEST

// Text with `n_axes` axes of `n_values` values each.
static char *many(size_t n_axes, size_t n_values)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "sweep:\n");
    for (size_t a = 0; a < n_axes; a++) {
        fprintf(out, "- {axis: a%zu, key: seed, values: [", a);
        for (size_t v = 0; v < n_values; v++)
            fprintf(out, "%s%zu", v ? ", " : "", v);
        fprintf(out, "]}\n");
    }
    fclose(out);
    return text;
}

// Sixteen axes and a million points are the most; the last point takes every last value.
START_TEST(largest_grids)
{
    char *text = many(GRID_MAX_AXES, 2);
    struct grid *grid = parsed(text, NULL);
    ck_assert_uint_eq(grid_n_points(grid), 65536);
    grid_destroy(grid);
    free(text);
    text = many(6, 10);
    grid = parsed(text, NULL);
    ck_assert_uint_eq(grid_n_points(grid), GRID_MAX_POINTS);
    assert_name(grid, GRID_MAX_POINTS - 1, "a0=9,a1=9,a2=9,a3=9,a4=9,a5=9");
    size_t n;
    ck_assert_str_eq(grid_settings(grid, GRID_MAX_POINTS - 1, &n)[5], "seed=9");
    ck_assert_uint_eq(n, 6);
    grid_destroy(grid);
    free(text);
}
END_TEST

// One axis or one value more is refused, and so are products that would not fit in 64 bits.
START_TEST(too_large)
{
    char *text = many(GRID_MAX_AXES + 1, 1);
    assert_refused(text, "s.yaml:2:1: sweep: expected at most 16 axes, got 17");
    free(text);
    text = many(GRID_MAX_AXES, 100);
    assert_refused(text, "s.yaml:2:1: sweep: expected at most 1000000 points in all");
    free(text);
}
END_TEST

// Replications count as points, and have a bound of their own; an axis of each size fits beside.
START_TEST(too_many_replications)
{
    struct grid *grid = parsed("replications: 10000\n", NULL);
    ck_assert_uint_eq(grid_n_points(grid), GRID_MAX_REPLICATIONS);
    grid_destroy(grid);
    assert_refused("replications: 10001\n", "s.yaml:1:15: replications: expected a whole number "
                                            "from 1 to 10000, got \"10001\"");
    assert_refused("replications: 0\n", "s.yaml:1:15: replications: expected a whole number from "
                                        "1 to 10000, got \"0\"");
    assert_refused("replications: [3]\n", "s.yaml:1:15: replications: expected a whole number from "
                                          "1 to 10000, got a list");
    char *axes = many(2, 100), *text = mem_printf("replications: 101\n%s", axes);
    assert_refused(text, "s.yaml:1:15: replications: expected at most 1000000 points in all, "
                         "replications included");
    mem_free(text);
    free(axes);
    axes = many(GRID_MAX_AXES, 1);
    text = mem_printf("replications: 2\n%s", axes);
    grid = parsed(text, NULL);
    ck_assert_uint_eq(grid_n_axes(grid), GRID_MAX_AXES + 1);
    grid_destroy(grid);
    mem_free(text);
    free(axes);
}
END_TEST

// Points times settings is bounded, too: 999999 points of 9 settings each are 8999991.
START_TEST(too_many_settings)
{
    char *axes = many(2, 999), *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "%s- {axis: b, points: [{label: b, set: {", axes);
    for (int i = 0; i < 7; i++)
        fprintf(out, "k%d: 1, ", i);
    fprintf(out, "seed: 1}}]}\n");
    fclose(out);
    assert_refused(text, "s.yaml:2:1: sweep: expected at most 8000000 settings over all points");
    free(text);
    free(axes);
}
END_TEST

// Whatever stands in the wrong place is one line that names it.
START_TEST(wrong_shapes)
{
    assert_sweep_refused("{}", "s.yaml:1:8: sweep: expected a list, got a map");
    assert_sweep_refused("[]", "s.yaml:1:8: sweep: empty; expected at least one axis");
    assert_sweep_refused("[3]", "s.yaml:1:9: sweep[0]: expected a map, got \"3\"");
    assert_sweep_refused("[{axis: a, key: b, value: [1]}]",
                         "s.yaml:1:27: sweep[0].value: unknown key; did you mean \"values\"?");
    assert_sweep_refused("[{axis: a, key: b, values: []}]",
                         "s.yaml:1:35: sweep[0].values: empty; expected at least one of values");
    assert_sweep_refused("[{axis: a, key: b, values: 3}]",
                         "s.yaml:1:35: sweep[0].values: expected a list, got \"3\"");
    assert_sweep_refused("[{axis: a, key: b, values: [1, [2]]}]",
                         "s.yaml:1:39: sweep[0].values[1]: expected a single value, got a list, "
                         "which needs labels as well as values");
    assert_sweep_refused("[{axis: a, key: b, values: [1, ~]}]",
                         "s.yaml:1:39: sweep[0].values[1]: expected a value, got nothing");
    assert_sweep_refused("[{axis: a, key: b, values: [1, 2], labels: [x]}]",
                         "s.yaml:1:51: sweep[0].labels: expected as many as values (2), got 1");
    assert_sweep_refused("[{axis: a, points: []}]",
                         "s.yaml:1:27: sweep[0].points: empty; expected at least one of points");
    assert_sweep_refused("[{axis: a, points: [3]}]",
                         "s.yaml:1:28: sweep[0].points[0]: expected a map, got \"3\"");
    assert_sweep_refused("[{axis: a, points: [{label: x, set: {a: 1}}], key: b}]",
                         "s.yaml:1:54: sweep[0].key: not together with points");
    assert_sweep_refused(
        "[{axis: a, points: [{label: x, sets: {a: 1}}]}]",
        "s.yaml:1:39: sweep[0].points[0].sets: unknown key; did you mean \"set\"?");
}
END_TEST

// What is missing is named at the map that lacks it.
START_TEST(missing_keys)
{
    assert_sweep_refused("[{key: b, values: [1]}]",
                         "s.yaml:1:9: sweep[0].axis: missing; expected text");
    assert_sweep_refused(
        "[{axis: a, values: [1]}]",
        "s.yaml:1:9: sweep[0].key: missing; expected a key such as traffic[0].rate");
    assert_sweep_refused("[{axis: a, key: b}]",
                         "s.yaml:1:9: sweep[0].values: missing; expected a list of values");
    assert_sweep_refused("[{axis: a, points: [{set: {a: 1}}]}]",
                         "s.yaml:1:28: sweep[0].points[0].label: missing; expected text");
    assert_sweep_refused(
        "[{axis: a, points: [{label: x, set: {}}]}]",
        "s.yaml:1:44: sweep[0].points[0].set: missing; expected a map from keys to values");
}
END_TEST

// Names and labels tell points apart.
START_TEST(duplicates)
{
    assert_sweep_refused("[{axis: a, key: b, values: [1]}, {axis: a, key: c, values: [1]}]",
                         "s.yaml:1:48: sweep[1].axis: axis \"a\" is there already");
    assert_sweep_refused("[{axis: a, key: b, values: [7, 5, 1, 7, 5]}]",
                         "s.yaml:1:45: sweep[0].values[3]: label \"7\" is there already");
    assert_sweep_refused("[{axis: a, key: b, values: [1, 2], labels: [x, x]}]",
                         "s.yaml:1:55: sweep[0].labels[1]: label \"x\" is there already");
    assert_sweep_refused("[{axis: a, points: [{label: x, set: {a: 1}}, {label: x, set: {a: 2}}]}]",
                         "s.yaml:1:61: sweep[0].points[1].label: label \"x\" is there already");
    assert_sweep_refused("[{axis: \"\", key: b, values: [1]}]",
                         "s.yaml:1:16: sweep[0].axis: expected text, got \"\"");
}
END_TEST

// Keys must be paths that a setting can take, and not the sweep's own.
START_TEST(bad_key_paths)
{
    assert_sweep_refused("[{axis: a, key: \"b..c\", values: [1]}]",
                         "s.yaml:1:24: sweep[0].key: expected a key such as traffic[0].rate");
    assert_sweep_refused("[{axis: a, key: \"b=c\", values: [1]}]",
                         "s.yaml:1:24: sweep[0].key: expected key.path without \"=\"");
    assert_sweep_refused("[{axis: a, key: sweep.0.axis, values: [1]}]",
                         "s.yaml:1:24: sweep[0].key: a sweep cannot change itself");
    assert_sweep_refused(
        "[{axis: a, points: [{label: x, set: {\"sweep[0]\": 1}}]}]",
        "s.yaml:1:45: sweep[0].points[0].set.sweep[0]: a sweep cannot change itself");
    assert_sweep_refused("[{axis: a, key: replications, values: [1]}]",
                         "s.yaml:1:24: sweep[0].key: a sweep cannot change itself");
    assert_sweep_refused("[{axis: replication, key: b, values: [1]}]",
                         "s.yaml:1:16: sweep[0].axis: \"replication\" is the name of the axis that "
                         "the key replications makes");
}
END_TEST

// A setting that cannot be applied and a text that is no YAML are errors of their own.
START_TEST(bad_sources)
{
    struct err err = {0};
    const char *setting = "sweep[3].key=1";
    ck_assert_ptr_null(grid_parse("s.yaml", TWO_AXES, strlen(TWO_AXES), &setting, 1, &err));
    ck_assert_str_eq(err.text, "--set sweep[3].key=1: no element \"3\" in a list of 2");
    assert_refused("- 3\n", "s.yaml:1:1: expected a map with keys such as \"traffic\", got a list");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", counter_order},
        {"core", settings_of_a_point},
        {"core", point_is_a_study},
        {"core", resolved_without_sweep},
        {"core", sweep_from_the_command_line},
        {"core", labels_beside_values},
        {"core", replications_are_the_last_axis},
        {"core", replications_have_common_seeds},
        {"core", replication_seeds_are_fixed},
        {"core", seeds_of_a_seed_sweep_differ},
        {"core", last_seed_wins},
        {"core", replication_is_a_study},
        {"core", names_of_the_study},
        {"limits", no_sweep},
        {"limits", largest_grids},
        {"limits", too_large},
        {"limits", too_many_replications},
        {"limits", too_many_settings},
        {"errors", wrong_shapes},
        {"errors", missing_keys},
        {"errors", duplicates},
        {"errors", bad_key_paths},
        {"errors", bad_sources},
    };
    return suite_run("grid", tests, sizeof tests / sizeof *tests);
}
