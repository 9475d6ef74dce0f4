// SPDX-License-Identifier: Apache-2.0
#include "traces/qsize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gsl/gsl_cdf.h>

#include "base/mem.h"
#include "support/suite.h"

static struct size_config config_of(const char *name)
{
    struct size_config config = {.distribution = qsize_find(name),
                                 .mu = 5.1,
                                 .sigma = 0.2,
                                 .mean_items = 165,
                                 .sd_items = 16,
                                 .items = 77,
                                 .max_items = 1024};
    ck_assert_int_ge(config.distribution, 0);
    return config;
}

static struct qsize *made(const struct size_config *config)
{
    struct err err = {0};
    struct qsize *qsize = qsize_create(config, &err);
    ck_assert_msg(qsize != NULL, "%s", err.text);
    return qsize;
}

static void assert_refused(const struct size_config *config, const char *start)
{
    struct err err = {0};
    ck_assert_ptr_null(qsize_create(config, &err));
    ck_assert_int_eq(err.code, ERR_STUDY);
    ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0, "\"%s\" does not begin \"%s\"",
                  err.text, start);
}

// A file of sizes with that text; caller unlinks path.
static void write_file(char path[32], const char *text)
{
    strcpy(path, "/tmp/test_qsize.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

struct expected {
    const char *name;
    double mean, cv;
    uint32_t p5, p50, p75, p95, p99;
    double top_quarter;
};

// Statistics of the forms as published for them by sampling; the means and percentiles there are
// rounded to whole items, the CV and share to 1 %, and percentiles sampled: 1.5 items of slack.
static void check_statistics(const struct expected *e)
{
    struct size_config config = config_of(e->name);
    struct qsize *q = made(&config);
    ck_assert_double_eq_tol(qsize_mean_items(q), e->mean, 0.6);
    ck_assert_double_eq_tol(qsize_sd_items(q) / qsize_mean_items(q), e->cv, 0.006);
    const double p[] = {0.05, 0.50, 0.75, 0.95, 0.99};
    const uint32_t items[] = {e->p5, e->p50, e->p75, e->p95, e->p99};
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(qsize_quantile_items(q, p[i]), items[i], 1.5);
    ck_assert_double_eq_tol(qsize_top_work_frac(q, 0.25), e->top_quarter, 0.006);
    qsize_destroy(q);
}

// Form K of the production sizes (Kairos, HPDC 2023).
START_TEST(production_statistics)
{
    check_statistics(&(struct expected){"production", 239, 0.75, 62, 178, 239, 604, 921, 0.52});
}
END_TEST

// MLPerf's sizes have their p95 between two values (650); the whole table is checked below.
START_TEST(mlperf_is_twenty_equal_parts)
{
    const double twentieths[] = {0, 2, 12, 2, 1, 1, 1, 1};
    struct size_config config = config_of("mlperf");
    struct qsize *q = made(&config);
    for (uint32_t s = 0; s <= 1024; s++)
        ck_assert_double_eq_tol(qsize_pmf(q, s),
                                s % 100 == 0 && s <= 700 ? twentieths[s / 100] / 20 : 0, 1e-15);
    ck_assert_double_eq_tol(qsize_mean_items(q), 270, 1e-9);
    ck_assert_double_eq_tol(qsize_sd_items(q) / 270, 0.57, 0.005);
    ck_assert_double_eq_tol(qsize_queries_above_frac(q, 299), 0.30, 1e-12);
    ck_assert_double_eq_tol(qsize_work_above_frac(q, 299), 0.52, 0.005);
    ck_assert_double_eq_tol(qsize_work_above_frac(q, 399), 0.41, 0.005);
    ck_assert_double_eq_tol(qsize_top_work_frac(q, 0.25), 0.46, 0.005);
    qsize_destroy(q);
}
END_TEST

// The lognormal that the reference's scripts use.
START_TEST(lognormal_statistics)
{
    check_statistics(&(struct expected){"lognormal", 167, 0.20, 118, 164, 188, 228, 262, 0.32});
}
END_TEST

// And their normal.
START_TEST(normal_statistics)
{
    check_statistics(&(struct expected){"normal", 165, 0.10, 139, 165, 176, 191, 202, 0.28});
}
END_TEST

// The parts of form K have exactly their shares of 99ths.
START_TEST(production_parts_are_ninety_ninths)
{
    struct size_config config = config_of("production");
    struct qsize *q = made(&config);
    double small = 1 - qsize_queries_above_frac(q, 99);
    double large = qsize_queries_above_frac(q, 599);
    ck_assert_double_eq_tol(small, 8.0 / 99, 1e-12);
    ck_assert_double_eq_tol(large, 5.0 / 99, 1e-12);
    // Above 200 lies the second part but for its first size of 400.
    ck_assert_double_eq_tol(qsize_queries_above_frac(q, 200), 5.0 / 99 + 22.0 / 99 * 399 / 400,
                            1e-12);
    ck_assert_uint_eq(qsize_min_items(q), 1);
    ck_assert_uint_eq(qsize_max_items(q), 999);
    // U{190..199} takes what the lognormal has outside 100..200: sizes 189 and 190 differ by it.
    double outside = 1 - 0.5 * (erfc(-(log(200) - 5.1) / 0.2 / sqrt(2)) -
                                erfc(-(log(100) - 5.1) / 0.2 / sqrt(2)));
    ck_assert_double_eq_tol(qsize_pmf(q, 190) - qsize_pmf(q, 189), 64.0 / 99 * outside / 10, 2e-4);
    qsize_destroy(q);
}
END_TEST

// Shares of queries and work above thresholds of form K, as published in percent.
START_TEST(production_work_above_thresholds)
{
    const struct {
        uint32_t items;
        double queries, work;
    } rows[] = {{200, 0.27, 0.54}, {256, 0.24, 0.51}, {300, 0.22, 0.48}, {512, 0.10, 0.28}};
    struct size_config config = config_of("production");
    struct qsize *q = made(&config);
    for (int i = 0; i < 4; i++) {
        ck_assert_double_eq_tol(qsize_queries_above_frac(q, rows[i].items), rows[i].queries, 0.006);
        ck_assert_double_eq_tol(qsize_work_above_frac(q, rows[i].items), rows[i].work, 0.006);
    }
    qsize_destroy(q);
}
END_TEST

// Draws of each distribution follow its pmf: chi-square over cells of at least 50 expected draws,
// refused at a chance of 1e-4. The draws are fixed, so the verdict is too.
START_TEST(draws_follow_the_pmf)
{
    const char *names[] = {"production", "mlperf", "lognormal", "normal"};
    const size_t n = 400000;
    uint32_t *items = mem_alloc(n * sizeof *items);
    for (int k = 0; k < 4; k++) {
        struct size_config config = config_of(names[k]);
        struct qsize *q = made(&config);
        struct rng_stream stream = rng_stream(11, RNG_SIZE, RNG_ENTITY(0, k));
        double count[1025] = {0}, chi2 = 0, expected = 0, seen = 0;
        int n_cells = 0;
        qsize_fill(q, &stream, 0, n, items);
        for (size_t i = 0; i < n; i++)
            count[items[i]]++;
        for (uint32_t s = 1; s <= 1024; s++) {
            expected += (double)n * qsize_pmf(q, s);
            seen += count[s];
            if (expected < 50)
                continue;
            chi2 += (seen - expected) * (seen - expected) / expected;
            expected = seen = 0;
            n_cells++;
        }
        ck_assert_msg(gsl_cdf_chisq_Q(chi2, n_cells - 1) > 1e-4, "%s: %g of %d", names[k], chi2,
                      n_cells);
        qsize_destroy(q);
    }
    mem_free(items);
}
END_TEST

// However the stream is cut into fills, query i has the same size.
START_TEST(cuts_do_not_matter)
{
    struct size_config config = config_of("production");
    struct qsize *q = made(&config);
    struct rng_stream stream = rng_stream(11, RNG_SIZE, 5);
    uint32_t whole[2000], part[2000];
    qsize_fill(q, &stream, 0, 2000, whole);
    qsize_fill(q, &stream, 0, 777, part);
    qsize_fill(q, &stream, 777, 1223, part + 777);
    ck_assert_mem_eq(whole, part, sizeof whole);
    qsize_destroy(q);
}
END_TEST

// Fixed is fixed, whatever the word.
START_TEST(fixed_is_fixed)
{
    struct size_config config = config_of("fixed");
    struct qsize *q = made(&config);
    ck_assert_uint_eq(qsize_draw(q, 0), 77);
    ck_assert_uint_eq(qsize_draw(q, UINT64_MAX), 77);
    ck_assert_double_eq(qsize_sd_items(q), 0);
    qsize_destroy(q);
}
END_TEST

// A file of weighted sizes, with a header, a comment and a size that comes twice.
START_TEST(empirical_reads_weights)
{
    char path[32];
    write_file(path, "items,weight\n# a comment\n10,1\n20,0.5\n\n10,0.5\n400,2\n");
    struct size_config config = config_of("empirical");
    config.file = path;
    struct qsize *q = made(&config);
    ck_assert_double_eq_tol(qsize_pmf(q, 10), 1.5 / 4, 1e-12);
    ck_assert_double_eq_tol(qsize_pmf(q, 20), 0.5 / 4, 1e-12);
    ck_assert_double_eq_tol(qsize_pmf(q, 400), 0.5, 1e-12);
    qsize_destroy(q);
    unlink(path);
}
END_TEST

// A plain list of sizes counts each line once.
START_TEST(empirical_reads_a_plain_list)
{
    char path[32];
    write_file(path, "5\n5\n5\n9");
    struct size_config config = config_of("empirical");
    config.file = path;
    struct qsize *q = made(&config);
    ck_assert_double_eq_tol(qsize_pmf(q, 5), 0.75, 1e-12);
    ck_assert_uint_eq(qsize_max_items(q), 9);
    qsize_destroy(q);
    unlink(path);
}
END_TEST

// A header says which column holds what, whatever their order and the case of its letters.
START_TEST(empirical_reads_by_header)
{
    const char *const texts[] = {"weight,items\n0.5,10\n1.5,400\n", "Count;Size\n1;10\n3;400\n",
                                 "share\tsize_items\n25\t10\n75\t400\n",
                                 "sep=;\n# n\n10;1\n400;3\n", "a,b\n10,1\n400,3\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[32];
        write_file(path, texts[i]);
        struct size_config config = config_of("empirical");
        config.file = path;
        struct qsize *q = made(&config);
        ck_assert_double_eq_tol(qsize_pmf(q, 10), 0.25, 1e-12);
        ck_assert_double_eq_tol(qsize_pmf(q, 400), 0.75, 1e-12);
        qsize_destroy(q);
        unlink(path);
    }
}
END_TEST

// What is above the cap is counted: lines, their share of the queries, the largest.
START_TEST(what_is_cut_is_known)
{
    char path[32];
    write_file(path, "items,weight\n10,1\n1024,1\n1025,1\n7437,5\n");
    struct size_config config = config_of("empirical");
    config.file = path;
    struct qsize *q = made(&config);
    unlink(path);
    ck_assert_uint_eq(qsize_cut(q)->n, 2);
    ck_assert_uint_eq(qsize_cut(q)->n_lines, 4);
    ck_assert_double_eq_tol(qsize_cut(q)->frac, 0.75, 1e-12);
    ck_assert_double_eq(qsize_cut(q)->largest_items, 7437);
    ck_assert_double_eq_tol(qsize_pmf(q, 1024), 7.0 / 8, 1e-12);
    qsize_destroy(q);
    config = config_of("normal"); // 1024.5 is its median
    config.mean_items = 1024.5;
    q = made(&config);
    ck_assert_double_eq_tol(qsize_cut(q)->frac, 0.5, 1e-12);
    qsize_destroy(q);
    config = config_of("production");
    config.max_items = 599; // 5 of 99 are 600 to 999
    q = made(&config);
    ck_assert_double_eq_tol(qsize_cut(q)->frac, 5.0 / 99, 1e-12);
    qsize_destroy(q);
}
END_TEST

// Sizes above the cap count as the cap, for every distribution.
START_TEST(larger_sizes_count_as_the_cap)
{
    const char *names[] = {"production", "mlperf", "lognormal", "normal"};
    for (int k = 0; k < 4; k++) {
        struct size_config config = config_of(names[k]);
        struct qsize *all = made(&config);
        config.max_items = 150;
        struct qsize *cut = made(&config);
        ck_assert_uint_eq(qsize_max_items(cut), 150);
        ck_assert_double_eq_tol(qsize_pmf(cut, 150), qsize_queries_above_frac(all, 149), 1e-12);
        ck_assert_double_eq_tol(qsize_pmf(cut, 140), qsize_pmf(all, 140), 1e-12);
        qsize_destroy(all);
        qsize_destroy(cut);
    }
}
END_TEST

// A normal far below zero is all ones; one far above the cap all cap.
START_TEST(tails_collapse_into_the_ends)
{
    struct size_config config = config_of("normal");
    config.mean_items = 0;
    config.sd_items = 0.01;
    struct qsize *q = made(&config);
    ck_assert_uint_eq(qsize_max_items(q), 1);
    qsize_destroy(q);
    config.mean_items = 60000;
    q = made(&config);
    ck_assert_uint_eq(qsize_min_items(q), 1024);
    qsize_destroy(q);
}
END_TEST

// Numbers that make no distribution are refused by key.
START_TEST(bad_numbers_are_refused)
{
    struct size_config config = config_of("lognormal");
    config.sigma = 0;
    assert_refused(&config, "sigma: expected more than 0");
    config = config_of("normal");
    config.sd_items = 0;
    assert_refused(&config, "sd: expected more than 0");
    config = config_of("fixed");
    config.items = 2000;
    assert_refused(&config, "items: expected 1 to 1024, got 2000");
    config.max_items = 0;
    assert_refused(&config, "max_items: expected 1 to 65535, got 0");
    config = config_of("empirical");
    assert_refused(&config, "file: expected the name");
}
END_TEST

// A bad file is refused with file, line and column.
START_TEST(bad_files_are_refused)
{
    const struct {
        const char *text, *where;
    } rows[] = {
        {"items\n12\nabc\n", ":3:1: expected a size of at least 1, got \"abc\""},
        {"-2\n5\n", ":1:1: expected a size of at least 1, got \"-2\""},
        {"+7\n5\n", ":1:1: expected a size of at least 1, got \"+7\""},
        {",7\n5,1\n", ":1:1: expected a size of at least 1, got \"\""},
        {"1,2\n0,2\n", ":2:1: expected a size of at least 1, got \"0\""},
        {"1,2\n2,-1\n", ":2:3: expected a weight >= 0, got \"-1\""},
        {"1,2\n2\n", ":2:1: expected 2 fields as in the first line, got 1"},
        {"1,2,3\n", ":1:5: expected \"items\" or \"items,weight\""},
        {"items\n", ":1:1: no sizes in the file"},
        {"weight\n5\n", ":1:1: items: column 1 is named \"weight\", which is something else; "
                        "expected one named \"items\""},
        {"time,items\n0,5\n", ":1:6: weight: column 2 is named \"items\", which is something else"},
        {"items,time\n5,0\n", ":1:7: weight: column 2 is named \"time\", which is something else; "
                              "expected one named \"weight\""},
        {"items,items\n5,1\n", ":1:7: items: columns 1 and 2 are both named \"items\": rename"},
        {"items\n5,1\n", ":2:3: expected 1 field as in the first line, got 2"},
        {"", ":1:1: the file is empty"},
        {"1,0\n", ":1:1: expected a weight above 0, all are 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[32], start[160];
        write_file(path, rows[i].text);
        struct size_config config = config_of("empirical");
        config.file = path;
        snprintf(start, sizeof start, "file: %s%s", path, rows[i].where);
        assert_refused(&config, start);
        unlink(path);
    }
    char missing[] = "/nonexistent/sizes.csv";
    struct size_config config = config_of("empirical");
    config.file = missing;
    assert_refused(&config, "file: /nonexistent/sizes.csv: No such file");
}
END_TEST

// Recorded sizes come as often as they were recorded.
START_TEST(records_are_counted)
{
    const uint32_t items[] = {5, 65535, 5, 1};
    struct qsize *sizes = qsize_of_records(items, 4);
    ck_assert_uint_eq(qsize_min_items(sizes), 1);
    ck_assert_uint_eq(qsize_max_items(sizes), 65535);
    ck_assert_double_eq(qsize_pmf(sizes, 5), 0.5);
    ck_assert_double_eq(qsize_pmf(sizes, 6), 0);
    ck_assert_double_eq(qsize_mean_items(sizes), (1 + 5 + 5 + 65535) / 4.0);
    qsize_destroy(sizes);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", production_statistics},
        {"core", mlperf_is_twenty_equal_parts},
        {"core", lognormal_statistics},
        {"core", normal_statistics},
        {"core", production_parts_are_ninety_ninths},
        {"core", production_work_above_thresholds},
        {"core", draws_follow_the_pmf},
        {"core", cuts_do_not_matter},
        {"core", fixed_is_fixed},
        {"core", empirical_reads_weights},
        {"core", empirical_reads_a_plain_list},
        {"core", empirical_reads_by_header},
        {"core", what_is_cut_is_known},
        {"core", records_are_counted},
        {"limits", larger_sizes_count_as_the_cap},
        {"limits", tails_collapse_into_the_ends},
        {"errors", bad_numbers_are_refused},
        {"errors", bad_files_are_refused},
    };
    return suite_run("qsize", tests, sizeof tests / sizeof *tests);
}
