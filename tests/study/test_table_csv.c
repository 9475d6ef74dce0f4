// SPDX-License-Identifier: Apache-2.0
#include "study/table_csv.h"

#include <math.h>
#include <string.h>

#include "support/suite.h"

static struct table_csv parsed(const char *text, bool for_accelerator)
{
    struct table_csv csv;
    struct err err = {0};
    ck_assert_msg(table_csv_parse(&csv, "x/t.csv", text, strlen(text), for_accelerator, &err) == 0,
                  "%s", err.text);
    ck_assert_int_eq(cost_table_check(&csv.table, NULL), 0);
    return csv;
}

static void assert_list(const struct reals *list, size_t n, const double *expected)
{
    ck_assert_uint_eq(list->n, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(list->v[i], expected[i], 1e-12 * expected[i] + 1e-300);
}

// Lines in any order become a grid of batches and busy cores; a column that says nothing is left.
START_TEST(lines_become_a_grid)
{
    struct table_csv csv = parsed("concurrency,note,time_ms,batch\n2,a,9,64\n1,b,1.5,1\n1,c,6,64\n"
                                  "2,d,2,1\n",
                                  false);
    assert_list(&csv.table.batches_items, 2, (const double[]){1, 64});
    assert_list(&csv.table.busy_cores, 2, (const double[]){1, 2});
    assert_list(&csv.table.seconds_s, 4, (const double[]){1.5e-3, 6e-3, 2e-3, 9e-3});
    ck_assert_str_eq(csv.table.name, "t.csv");
    ck_assert_double_eq(csv.table.cv, 0);
    ck_assert_ptr_null(csv.note);
    table_csv_release(&csv);
}
END_TEST

// A unit stands in the name of a column, alone, in brackets, as the micro sign, or behind a number.
START_TEST(units_are_where_people_write_them)
{
    static const char *const texts[] = {"batch,seconds\n8,0.002\n",
                                        "Batch Size;Latency [ms]\n8;2\n",
                                        "items\tMean latency (\xc2\xb5s)\n8\t2000\n",
                                        "batch,time\n8,2ms\n",
                                        "batch,latency_ns\n8,\"2,000,000\"\n",
                                        "batch,load_ms,compute_us\n8,0.5,1500\n",
                                        "batch,p50,p99,mean_ms\n8,1.9,2.5,2\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct table_csv csv = parsed(texts[i], false);
        assert_list(&csv.table.batches_items, 1, (const double[]){8});
        assert_list(&csv.table.seconds_s, 1, (const double[]){2e-3});
        table_csv_release(&csv);
    }
}
END_TEST

// A median stands for a mean that is not there, and that is told.
START_TEST(a_median_stands_for_the_mean)
{
    struct table_csv csv = parsed("batch,p50_us,p99_us\n4,300,400\n", false);
    assert_list(&csv.table.seconds_s, 1, (const double[]){300e-6});
    ck_assert_ptr_nonnull(strstr(csv.note, "medians"));
    table_csv_release(&csv);
}
END_TEST

#define PERF                                                                                       \
    "Batch,Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,"       \
    "Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,p50 latency\n"    \
    "1,1,520,9,61,12,20,1790,11,1,1904\n8,1,3960,9,66,12,22,1880,12,1,2002\n"

// perf_analyzer says no unit: microseconds. What the server computed is the time, not the latency,
// which is that where there is nothing else.
START_TEST(perf_analyzer_is_read_as_it_is)
{
    struct table_csv csv = parsed(PERF, false);
    assert_list(&csv.table.seconds_s, 2, (const double[]){1821e-6, 1914e-6});
    ck_assert_ptr_nonnull(strstr(csv.note, "compute input + infer + output"));
    table_csv_release(&csv);
    csv = parsed(PERF, true);
    ck_assert_uint_eq(csv.table.seconds_s.n, 0);
    assert_list(&csv.table.accel_load_s, 2, (const double[]){20e-6, 22e-6});
    assert_list(&csv.table.accel_compute_s, 2, (const double[]){1801e-6, 1892e-6});
    table_csv_release(&csv);
    csv = parsed("Concurrency,Batch,Inferences/Second,p50 latency,p95 latency\n1,1,410,2400,2700\n",
                 false);
    assert_list(&csv.table.seconds_s, 1, (const double[]){2400e-6});
    ck_assert_ptr_nonnull(strstr(csv.note, "median latency, queue and network included"));
    table_csv_release(&csv);
}
END_TEST

// What was measured stands in columns, or above the table, with the batch that all lines are of.
START_TEST(says_what_it_is_of)
{
    struct table_csv csv = parsed("# model: wnd\n#platform: my-server\nbatch,ms\n1,1\n", false);
    ck_assert_str_eq(csv.table.model, "wnd");
    ck_assert_str_eq(csv.table.platform, "my-server");
    ck_assert_uint_eq(csv.model_at.line, 1);
    ck_assert_uint_eq(csv.model_at.column, 10);
    table_csv_release(&csv);
    csv = parsed("model,batch,ms\nwnd,1,1\nwnd,2,2\n", false);
    ck_assert_str_eq(csv.table.model, "wnd");
    ck_assert_uint_eq(csv.model_at.line, 2);
    table_csv_release(&csv);
    csv = parsed("# batch: 16\nconcurrency,ms\n1,3\n4,5\n", false);
    assert_list(&csv.table.batches_items, 1, (const double[]){16});
    assert_list(&csv.table.busy_cores, 2, (const double[]){1, 4});
    table_csv_release(&csv);
}
END_TEST

// Both devices in one file, load and compute apart; a time that is not in two has no load.
START_TEST(devices_share_a_file)
{
    struct table_csv csv = parsed("device,batch,load_ms,compute_ms\ncpu,1,0,2\ncpu,64,0,8\n"
                                  "gpu,1,1,3\ngpu,64,2,4\ngpu,256,5,6\n",
                                  false);
    assert_list(&csv.table.seconds_s, 2, (const double[]){2e-3, 8e-3});
    assert_list(&csv.table.accel_batches_items, 3, (const double[]){1, 64, 256});
    assert_list(&csv.table.accel_load_s, 3, (const double[]){1e-3, 2e-3, 5e-3});
    assert_list(&csv.table.accel_compute_s, 3, (const double[]){3e-3, 4e-3, 6e-3});
    table_csv_release(&csv);
}
END_TEST

// Percentiles of a lognormal give its coefficient of variation back, with the median or, for small
// ones, without; a column cv is taken as it is, and lines join by their mean square.
START_TEST(percentiles_tell_the_spread)
{
    const double z90 = 1.2815515655446004, z99 = 2.3263478740408408, sigma = 0.2;
    const double q[] = {0.5, 0.9, 0.99}, median = 3, mean = 3;
    const double t[] = {median, median * exp(z90 * sigma), median * exp(z99 * sigma)};
    double cv = sqrt(exp(sigma * sigma) - 1);
    ck_assert_double_eq_tol(table_csv_cv(mean, median, q, t, 3), cv, 1e-4);
    ck_assert_double_eq_tol(table_csv_cv(mean, 0, q, t, 3), cv, 1e-4);
    ck_assert_double_eq(table_csv_cv(mean, median, q, t, 1), 0);
    struct table_csv csv = parsed("batch,ms,cv\n1,1,0.3\n2,1,0.4\n", false);
    ck_assert_double_eq_tol(csv.table.cv, 0.3536, 1e-12);
    table_csv_release(&csv);
}
END_TEST

// What a history adds is above the table: for each count of busy cores, or one for all.
START_TEST(histories_stand_above)
{
    struct table_csv csv =
        parsed("# per_history: 18.5us, 19us\n#per_history_square: 2ns\n"
               "# per_item_history:4ns 0ns \nbatch,busy_cores,ms\n1,1,2\n1,4,3\n",
               false);
    assert_list(&csv.table.per_history_s, 2, (const double[]){18.5e-6, 19e-6});
    assert_list(&csv.table.per_history_square_s, 1, (const double[]){2e-9});
    assert_list(&csv.table.per_item_history_s, 2, (const double[]){4e-9, 0});
    table_csv_release(&csv);
    csv = parsed("# a history of none\nbatch,ms\n1,2\n", false);
    ck_assert(!cost_table_has_history(&csv.table));
    table_csv_release(&csv);
}
END_TEST

// Every fault is one line with its place.
START_TEST(faults_have_a_place)
{
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"batch,ms\n1,2\n4,-3\n", "t.csv:3:3: expected a time above 0, got \"-3\""},
        {"batch,ms\n1,2\n4,\n", "t.csv:3:3: expected a time above 0, got nothing"},
        {"batch,ms\n1,2\n4,1e9\n", "t.csv:3:3: expected a time of at most a day, got \"1e9\""},
        {"batch,ms\n1,2\n4,nan\n", "t.csv:3:3: expected a time above 0, got \"nan\""},
        {"batch,ms\n1,2\n1,3\n", "t.csv:3:1: batch 1 with 1 at a time is in line 2 already"},
        {"batch,latency\n1,2\n",
         "t.csv:2:3: expected a time with its unit, such as \"1.9ms\", or the unit in the column's "
         "name, such as time_ms, got \"2\""},
        {"concurrency,ms\n1,2\n", "t.csv:1:1: concurrency without a batch: expected a column "
                                  "\"batch\", or a line \"# batch: "
                                  "8\" where all are of one"},
        {"batch,busy_cores,ms\n1,1,2\n4,1,3\n1,2,2\n",
         "t.csv:3:1: batch 4 was measured with 1 at a time and not with 2: expected every batch "
         "with each"},
        {"batch,busy_cores,ms\n1,1,2\n4,2,3\n1,2,2\n",
         "t.csv:3:1: batch 4 was measured with 2 at a time and not with 1: expected every batch "
         "with each"},
        {"batch,ms\n0,2\n", "t.csv:2:1: expected a batch of 1 to 1000000 items, got \"0\""},
        {"batch,ms\n1.5,2\n", "t.csv:2:1: expected a batch of 1 to 1000000 items, got \"1.5\""},
        {"batch,ms\n1,2,3\n", "t.csv:2:5: expected 2 fields as in the header, got 3"},
        {"batch,p50_ms,p99_ms\n1,2,1\n",
         "t.csv:2:5: p99 is 1 ms and p50 is 2 ms: expected the higher to be longer"},
        {"batch,ms,mean_us\n1,2,3\n",
         "t.csv:1:10: \"mean_us\" says the same as \"ms\": rename one"},
        {"model,batch,ms\na,1,2\nb,2,2\n",
         "t.csv:3:1: expected \"a\" as above, got \"b\": a table is of one model on one platform"},
        {"device,batch,ms\ntpu,1,2\n", "t.csv:2:1: expected cpu or accelerator, got \"tpu\""},
        {"batch\n1\n", "t.csv:1:1: expected a column of times, such as \"time_ms\" or \"p50_ms\", "
                       "next to the batch"},
        {"1,2\n3,4\n", "t.csv:1:1: expected a header with a column \"batch\", and one such as "
                       "\"time_ms\""},
        {"batch,ms\n", "t.csv:1:1: expected lines with times below the header"},
        {"# batch: x\nconcurrency,ms\n1,2\n", "t.csv:1:10: expected a batch of 1 to 1000000 items"},
        {"# per_history: 1us -2us\nbatch,ms\n1,2\n",
         "t.csv:1:20: expected times of 0 or more with their unit, such as \"1.9us\""},
        {"# per_history: 3\nbatch,ms\n1,2\n",
         "t.csv:1:16: expected times of 0 or more with their unit, such as \"1.9us\""},
        {"# per_history: 1us\n# per_history: 1us\nbatch,ms\n1,2\n",
         "t.csv:2:16: per_history is there already"},
        {"# per_history: 1us 2us\nbatch,ms\n1,2\n", "t.csv:1:1: per_history and its like: expected "
                                                    "one time, or 1, as there are counts of busy "
                                                    "cores, got 2"},
        {"", "t.csv:1:1: the file is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table_csv csv;
        struct err err = {0};
        ck_assert_int_eq(
            table_csv_parse(&csv, "t.csv", cases[i].text, strlen(cases[i].text), false, &err), -1);
        ck_assert_str_eq(err.text, cases[i].line);
        ck_assert_int_eq(err.code, ERR_STUDY);
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", lines_become_a_grid},          {"core", units_are_where_people_write_them},
        {"core", a_median_stands_for_the_mean}, {"core", perf_analyzer_is_read_as_it_is},
        {"core", says_what_it_is_of},           {"core", devices_share_a_file},
        {"core", percentiles_tell_the_spread},  {"core", histories_stand_above},
        {"errors", faults_have_a_place}};
    return suite_run("table_csv", tests, sizeof tests / sizeof *tests);
}
