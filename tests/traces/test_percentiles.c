// SPDX-License-Identifier: Apache-2.0
#include "traces/percentiles.h"

#include <math.h>
#include <string.h>

#include "support/suite.h"

static struct percentiles parsed(const char *text, double unit_s)
{
    struct percentiles p;
    struct err err = {0};
    int rc = percentiles_parse(&p, "x", text, strlen(text), unit_s, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    return p;
}

static void has(const struct percentiles *p, size_t i, double quantile, double latency_s)
{
    ck_assert_uint_lt(i, p->n);
    ck_assert_double_eq_tol(p->quantile[i], quantile, 1e-12);
    ck_assert_double_eq_tol(p->latency_s[i], latency_s, 1e-12 + 1e-9 * latency_s);
}

// As HdrHistogram writes it, with its footer; the last line has no fourth number, or "inf".
START_TEST(hgrm)
{
    const char *const texts[] = {
        "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
        "       1.500 0.000000000000          1           1.00\n"
        "       4.600 0.500000000000        500           2.00\n"
        "      46.000 0.990000000000        990         100.00\n"
        "      51.200 1.000000000000       1000\n"
        "#[Mean    =        5.001, StdDeviation   =        2.001]\n"
        "#[Max     =       51.200, Total count    =         1000]\n"
        "#[Buckets =           27, SubBuckets     =         2048]\n",
        "Value Percentile TotalCount 1/(1-Percentile)\r\n1.5 0 1 1\r\n4.6 0.5 500 2\r\n"
        "46 0.99 990 100\r\n51.2 1.0 1000 inf",
        "1.5 0 1 1\n4.6 0.5 500 2\n46 0.99 990 100\n51.2 1.0 1000 Infinity\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct percentiles p = parsed(texts[i], 1e-3);
        ck_assert_str_eq(p.kind, "hgrm");
        ck_assert_uint_eq(p.n, 4);
        ck_assert_uint_eq(p.n_total, 1000);
        ck_assert(!p.has_unit);
        has(&p, 0, 0, 1.5e-3);
        has(&p, 1, 0.5, 4.6e-3);
        has(&p, 2, 0.99, 46e-3);
        has(&p, 3, 1, 51.2e-3);
        percentiles_release(&p);
    }
    struct percentiles us = parsed(texts[2], 1e-6);
    has(&us, 1, 0.5, 4.6e-6);
    percentiles_release(&us);
}
END_TEST

// LoadGen's summary, and its detail log.
START_TEST(loadgen)
{
    struct percentiles p =
        parsed("================================================\nMLPerf Results Summary\n"
               "================================================\nSUT name : x\nScenario : Server\n"
               "Scheduled samples per second : 2000.10\nResult is : VALID\n"
               "Min latency (ns)                : 1000000\n"
               "Mean latency (ns)               : 5000000\n"
               "50.00 percentile latency (ns)   : 4600123\n"
               "90.00 percentile latency (ns)   : 9000000\n"
               "99.90 percentile latency (ns)   : 51200345\n",
               1e-3);
    ck_assert_str_eq(p.kind, "LoadGen");
    ck_assert(p.has_unit);
    ck_assert_uint_eq(p.n, 3);
    has(&p, 0, 0.5, 4600123e-9);
    has(&p, 2, 0.999, 51200345e-9);
    percentiles_release(&p);
    p = parsed(
        ":::MLLOG {\"key\": \"effective_target_qps\", \"value\": 2000, \"time_ms\": 0.005}\n"
        ":::MLLOG {\"key\": \"result_first_token_60.00_percentile_latency_ns\", \"value\": "
        "7}\n:::MLLOG {\"key\": \"result_50.00_percentile_latency_ns\", \"value\": 4600123}\n"
        ":::MLLOG {\"key\": \"result_first_token_60.00_percentile_latency_ns\", \"value\": "
        "7}\n"
        ":::MLLOG {\"key\": \"result_99.00_percentile_latency_ns\", \"value\": 51200345, "
        "\"time_ms\": 60000.1}\n",
        1e-3);
    ck_assert_uint_eq(p.n, 2);
    has(&p, 1, 0.99, 51200345e-9);
    percentiles_release(&p);
}
END_TEST

// Columns are found by their names, and units behind them; percent by the name or a number above 1.
START_TEST(csv)
{
    const struct {
        const char *text;
        double unit_s, quantile, latency_s;
        bool has_unit;
    } cases[] = {
        {"quantile,latency_ms\n0.5,4.6\n0.99,46\n", 1, 0.99, 46e-3, true},
        {"latency (us);percentile\n4600;50\n46000;99\n", 1, 0.99, 46e-3, true},
        {"percentile,latency\n50,4.6\n99,46\n", 1e-3, 0.99, 46e-3, false},
        {"p,n,Latency_s\n0.5,3,0.0046\n0.99,3,0.046\n", 1e-3, 0.99, 46e-3, true},
        {"\"Value\",\"Percentile\",\"TotalCount\",\"1/"
         "(1-Percentile)\"\n4.6,0.5,2,2\n46,0.99,3,100\n",
         1e-3, 0.99, 46e-3, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct percentiles p = parsed(cases[i].text, cases[i].unit_s);
        ck_assert_str_eq(p.kind, "CSV");
        ck_assert(p.has_unit == cases[i].has_unit);
        has(&p, 1, cases[i].quantile, cases[i].latency_s);
        percentiles_release(&p);
    }
}
END_TEST

// What is none is an error of one line that says where.
START_TEST(errors)
{
    const struct {
        const char *text, *wanted;
    } cases[] = {
        {":::MLLOG {\"key\": \"result_99.00_percentile_latency_ns\", \"value\": 5120",
         "x:1:69: the line is cut off: expected its }"},
        {":::MLLOG {\"key\": \"result_mean_latency_ns\", \"value\": 5120\n",
         "x:1:57: the line is cut off: expected its }"},
        {"name: x\nservers: 3\n", "x: neither results nor measured percentiles"},
        {"", "x:1:1: the file is empty"},
        {"Value Percentile TotalCount 1/(1-Percentile)\n", "x: there is no percentile in it"},
        {"1 0.5 1 2\n2 zero 2 2\n", "x:2:3: expected Value, Percentile"},
        {"1 0.5 1 2\n2 0.4 2 2\n", "x:2:3: the quantile is below"},
        {"2 0.5 1 2\n1 0.6 2 2\n", "x:2:1: the latency is below"},
        {"1 0.5 1 2\n2 1.4 2 2\n", "x:2:3: expected a quantile from 0 to 1"},
        {"-1 0.5 1 2\n", "x:1:1: expected a latency of 0 or more"},
        {"nan 0.5 1 2\n", "x: "},
        {"quantile,latency_ms\n0.5,fast\n", "x:2:5: expected a latency"},
        {"quantile,latency_ms\n0.5\n", "x:2:1: expected a quantile and a latency"},
        {"quantile,latency_ms\n0.9,3\n0.5,4\n", "x:3:1: the quantile is below"},
        {"quantile,latency_ms\n50,3\n101,4\n", "x:3:1: expected a quantile from 0 to 1"},
        {"quantile,latency_ms\n0.5,4\n0.9,3\n", "x:3:5: the latency is below"},
        {"MLPerf Results Summary\n50.00 percentile latency (ns)   : 4600123\n"
         "90.00 percentile latency (ns)   : 460012\n",
         "x:3:35: the latency is below"},
        {"MLPerf Results Summary\n50.00 percentile latency (ns)   : fast\n",
         "x:2:35: expected a latency in ns"},
        {"MLPerf Results Summary\n50.00 percentile latency (ns)\n",
         "x:2:30: expected a latency in ns"},
        {"MLPerf Results Summary\n150.00 percentile latency (ns) : 4\n",
         "x:2:1: expected a quantile from"},
        {":::MLLOG {\"key\": \"result_99.00_percentile_latency_ns\", \"value\": \"7\"}\n",
         "x:1:65: expected a latency in ns"},
        {":::MLLOG {\"key\": \"result_99.00_percentile_latency_ns\", \"value\": -7}\n",
         "x:1:65: expected a latency of 0 or more"},
        {":::MLLOG {\"key\": \"result_101_percentile_latency_ns\", \"value\": 7}\n",
         "x:1:26: expected a quantile from"},
        {"MLPerf Results Summary\nno percentile\n", "x: there is no percentile in it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct percentiles p;
        struct err err = {0};
        ck_assert_msg(percentiles_parse(&p, "x", cases[i].text, strlen(cases[i].text), 1e-3, &err) <
                          0,
                      "%zu", i);
        ck_assert_msg(strncmp(err.text, cases[i].wanted, strlen(cases[i].wanted)) == 0, "%zu: %s",
                      i, err.text);
        ck_assert_ptr_null(strchr(err.text, '\n'));
    }
}
END_TEST

// Any bytes: an error, or rising numbers. Every prefix of a good file, and every file with one byte
// of it changed.
START_TEST(any_bytes)
{
    const char *const texts[] = {
        "Value Percentile TotalCount 1/(1-Percentile)\n1.5 0 1 1\n4.6 0.5 500 2\n",
        "50.00 percentile latency (ns)   : 4600123\n99.00 percentile latency (ns) : 5600123\n",
        "quantile,latency_ms\n0.5,4.6\n\"0.99\",46\n"};
    const char bytes[] = {0, '\n', ',', '"', '-', '9', 'e', (char)0xff, ' ', '#'};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t n = strlen(texts[i]);
        for (size_t at = 0; at < n * sizeof bytes; at++) {
            char text[256];
            struct percentiles p;
            struct err err = {0};
            memcpy(text, texts[i], n);
            text[at / sizeof bytes] = bytes[at % sizeof bytes];
            size_t length = at % 2 ? n : at / sizeof bytes;
            if (percentiles_parse(&p, "x", text, length, 1e-3, &err) < 0) {
                ck_assert(err.text[0] && !strchr(err.text, '\n'));
                continue;
            }
            for (size_t k = 1; k < p.n; k++)
                ck_assert(p.quantile[k] > p.quantile[k - 1] &&
                          p.latency_s[k] >= p.latency_s[k - 1] && isfinite(p.latency_s[k]));
            percentiles_release(&p);
        }
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", hgrm},
                                       {"core", loadgen},
                                       {"core", csv},
                                       {"limits", any_bytes},
                                       {"errors", errors}};
    return suite_run("percentiles", tests, sizeof tests / sizeof *tests);
}
