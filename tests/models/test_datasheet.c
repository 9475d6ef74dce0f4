// SPDX-License-Identifier: Apache-2.0
#include "models/datasheet.h"

#include "base/mem.h"
#include "support/suite.h"

static struct platform measured(void)
{
    return (struct platform){.year = 2024,
                             .cores = 64,
                             .sockets = 2,
                             .clock_hz = 2e9,
                             .stream_bw = 20e9,
                             .gather_bw = 9e9};
}

// Rates by clock, bandwidths by socket: 64 cores at 2 GHz, 400 GB/s on two sockets.
START_TEST(rates_follow_from_the_sheet)
{
    struct platform p = measured();
    p.class = mem_strdup("virtual");
    const struct datasheet sheet = {.memory_bandwidth = 400e9};
    ck_assert_int_eq(datasheet_derive(&sheet, &p, NULL), 0);
    ck_assert_double_eq(p.fc.peak_flops, 64e9);
    ck_assert_double_eq_tol(p.attention.peak_flops, 18.56e9, 1);
    ck_assert_double_eq_tol(p.stream_socket_bw, 160e9, 1);
    ck_assert_double_eq_tol(p.gather_socket_bw, 110e9, 1);
    ck_assert_double_eq(p.stream_bw, 20e9);
    ck_assert(p.provisional);
    ck_assert_int_eq(p.year, 0); // not that of what it started as
    ck_assert_str_eq(p.class, "");
    platform_release(&p);
}
END_TEST

// A peak goes before the clock, and a core draws no more than its socket has.
START_TEST(peak_and_small_memory)
{
    struct platform p = measured();
    const struct datasheet sheet = {.peak_flops = 6.4e12, .memory_bandwidth = 20e9};
    ck_assert_int_eq(datasheet_derive(&sheet, &p, NULL), 0);
    ck_assert_double_eq(p.fc.peak_flops, 100e9);
    ck_assert_double_eq(p.stream_bw, p.stream_socket_bw);
    ck_assert_double_eq(p.gather_bw, p.gather_socket_bw);
    p.power.gamma = 1;
    ck_assert_int_eq(platform_check(&p, NULL), 0);
    platform_release(&p);
}
END_TEST

// Neither clock nor peak: no rate.
START_TEST(some_rate_is_needed)
{
    struct platform p = measured();
    struct err err = {0};
    p.clock_hz = 0;
    ck_assert_int_eq(datasheet_derive(&(struct datasheet){.memory_bandwidth = 1e9}, &p, &err), -1);
    ck_assert_str_eq(err.text,
                     "memory_bandwidth: a platform from a data sheet needs a clock or a peak");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", rates_follow_from_the_sheet},
                                       {"limits", peak_and_small_memory},
                                       {"errors", some_rate_is_needed}};
    return suite_run("datasheet", tests, sizeof tests / sizeof *tests);
}
