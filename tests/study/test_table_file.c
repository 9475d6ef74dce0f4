// SPDX-License-Identifier: Apache-2.0
#include "study/table_file.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

#define CPU "test_table_file_cpu.csv"
#define GPU "test_table_file_gpu.csv"

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static struct table_file parsed(const char *name, const char *text)
{
    struct table_file file;
    struct err err = {0};
    ck_assert_msg(table_file_parse(&file, name, text, strlen(text), &err) == 0, "%s", err.text);
    ck_assert_int_eq(cost_table_check(&file.table, NULL), 0);
    return file;
}

// YAML is the form of the program's own tables, and says where it names its model.
START_TEST(yaml_is_a_table)
{
    struct table_file file = parsed(
        "t.yaml", "name: t\nmodel: wnd\nplatform: p\nbatches_items: [1, 8]\nbusy_cores: [1]\n"
                  "seconds: [1ms, 2ms]\ncv: 0.1\n");
    ck_assert_double_eq(file.table.seconds_s.v[1], 2e-3);
    ck_assert_double_eq(file.table.cv, 0.1);
    ck_assert_str_eq(file.sources[0].model, "wnd");
    ck_assert_uint_eq(file.sources[0].model_at.line, 2);
    ck_assert(!file.any_size);
    table_file_release(&file);
}
END_TEST

#define LOG ":::MLLOG {\"key\": \"effective_scenario\", \"value\": \"Server\"}\n"
#define P50 ":::MLLOG {\"key\": \"result_50.00_percentile_latency_ns\", \"value\": 4000000}\n"
#define P99 ":::MLLOG {\"key\": \"result_99.00_percentile_latency_ns\", \"value\": 9000000}\n"
#define MEAN ":::MLLOG {\"key\": \"result_mean_latency_ns\", \"value\": 4500000}\n"

// A log's mean is the time of a query, else its median, else what it has; the percentiles around
// them its spread.
START_TEST(logs_are_tables_of_any_size)
{
    static const struct {
        const char *text;
        double time_s;
        bool spreads;
    } cases[] = {{LOG P50 P99 MEAN, 4.5e-3, true},
                 {LOG P50 P99, 4e-3, true},
                 {LOG P99, 9e-3, false},
                 {"MLPerf Results Summary\nMean latency (ns)  : 7000000\n"
                  "90.00 percentile latency (ns)  : 8000000\n",
                  7e-3, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct table_file file = parsed("detail.txt", cases[i].text);
        ck_assert(file.any_size);
        ck_assert_double_eq_tol(cost_table_cpu_s(&file.table, 700, 3), cases[i].time_s, 1e-12);
        ck_assert_int_eq(file.table.cv > 0, cases[i].spreads);
        ck_assert_ptr_nonnull(strstr(file.sources[0].note, "LoadGen"));
        table_file_release(&file);
    }
}
END_TEST

// The accelerator's times may be in a file of their own, with batches of their own.
START_TEST(two_files_make_a_table)
{
    struct table_file file;
    struct err err = {0};
    write_text(CPU, "batch,ms\n1,1\n8,2\n");
    write_text(GPU, "# model: m\nbatch,ms\n1,3\n512,4\n");
    ck_assert_msg(table_file_read(&file, CPU, GPU, &err) == 0, "%s", err.text);
    ck_assert_double_eq(file.table.seconds_s.v[1], 2e-3);
    ck_assert_double_eq(cost_table_accel_batches(&file.table)->v[1], 512);
    ck_assert_double_eq(file.table.accel_compute_s.v[1], 4e-3);
    ck_assert_str_eq(file.sources[TABLE_FILE_ACCELERATOR].model, "m");
    table_file_release(&file);
    ck_assert_int_eq(table_file_read(&file, "", GPU, &err), 0);
    ck_assert_uint_eq(file.table.seconds_s.n, 0);
    table_file_release(&file);
}
END_TEST

// A file that is not there, that is no table, or that is for the wrong device.
START_TEST(faults_are_told)
{
    struct table_file file;
    struct err err = {0};
    ck_assert_int_eq(table_file_read(&file, "nowhere.csv", "", &err), -1);
    ck_assert_str_eq(err.text, "nowhere.csv: No such file or directory");
    write_text(CPU, "device,batch,ms\ncpu,1,1\n");
    ck_assert_int_eq(table_file_read(&file, "", CPU, &err), -1);
    ck_assert_str_eq(err.text, CPU ":1:1: expected times of the accelerator, got the CPU's");
    write_text(CPU, "device,batch,ms\ngpu,1,1\n");
    write_text(GPU, "batch,ms\n1,3\n");
    ck_assert_int_eq(table_file_read(&file, CPU, GPU, &err), -1);
    ck_assert_str_eq(err.text, GPU ":1:1: " CPU " has accelerator times already");
    ck_assert_int_eq(table_file_parse(&file, "t.yml", "[1]", 3, &err), -1);
    ck_assert_str_eq(err.text, "t.yml:1:1: expected a map, got a list");
    ck_assert_int_eq(table_file_parse(&file, "log.txt", LOG, strlen(LOG), &err), -1);
    ck_assert_str_eq(err.text, "log.txt: there is no percentile in it");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", yaml_is_a_table},
                                       {"core", logs_are_tables_of_any_size},
                                       {"core", two_files_make_a_table},
                                       {"errors", faults_are_told}};
    int failed = suite_run("table_file", tests, sizeof tests / sizeof *tests);
    remove(CPU);
    remove(GPU);
    return failed;
}
