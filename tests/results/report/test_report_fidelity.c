// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_fidelity.h"

#include <string.h>

#include "base/mem.h"
#include "results/report/shown.h"
#include "support/suite.h"

// A run of a median of 2 ms, and one that is 10 % longer.
static char *report_of(uint32_t n, int format)
{
    struct shown shown;
    struct report_out *out = shown_open(&shown);
    struct fidelity fidelity = {.n = 0};
    struct fidelity_row row = {{{0}}};
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++)
        row.number[i].error_frac = ci_none();
    for (uint32_t r = 0; r < n; r++) {
        row.number[FIDELITY_P50].value = r == 0 ? 2e-3 : 2.2e-3;
        row.number[FIDELITY_BUSY].value = 0.625;
        if (r > 0)
            row.number[FIDELITY_P50].error_frac = (struct ci){0.1, 0.02, 16};
        fidelity_add(&fidelity, r == 0 ? "measured" : "simulated", &row);
    }
    out->format = format;
    report_fidelity_print(out, &fidelity);
    report_end(out);
    fidelity_release(&fidelity);
    return shown_text(&shown);
}

// In milliseconds and percent, with the interval of an error.
START_TEST(rows)
{
    char *text = report_of(2, REPORT_TEXT);
    ck_assert_msg(strstr(text, "p50 ms") && strstr(text, "2.200") && strstr(text, "62.50"), "%s",
                  text);
    ck_assert_msg(strstr(text, "10.0 \u00b12.0"), "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "computed over measured, less 1"));
    mem_free(text);
}
END_TEST

// Programs get seconds and fractions; of what was measured there is no error.
START_TEST(for_programs)
{
    char *text = report_of(2, REPORT_CSV);
    ck_assert_msg(strstr(text, "fidelity,measured,0,,,0.002,,,"), "%s", text);
    ck_assert_msg(strstr(text, ",0.0022,0.1,0.02,"), "%s", text);
    mem_free(text);
}
END_TEST

START_TEST(none)
{
    char *text = report_of(0, REPORT_TEXT);
    ck_assert_str_eq(text, "");
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", rows}, {"core", for_programs}, {"limits", none}};
    return suite_run("report_fidelity", tests, sizeof tests / sizeof *tests);
}
