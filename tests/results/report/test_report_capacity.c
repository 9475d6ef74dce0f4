// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_capacity.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_capacity.h"
#include "results/report/shown.h"
#include "support/suite.h"

// Destroys the answer.
static char *report_as(enum report_format format, struct capacity_result *answer)
{
    char *text = NULL;
    size_t n = 0;
    struct report_out out = {.file = open_memstream(&text, &n), .format = format};
    report_capacity_print(&out, answer);
    fclose(out.file);
    capacity_result_destroy(answer);
    return text;
}

static char *report_of(struct capacity_result *answer)
{
    return report_as(REPORT_TEXT, answer);
}

// But for the answer at its head, which is a sentence and as long as it is.
static void tables_are_tidy(const char *text)
{
    shown_tidy(text + strcspn(text, "\n"), 120);
}

// Servers with what is spare when cells are down, the range where the number is not sure, and the
// evidence at it and below it.
START_TEST(sizes)
{
    char *text = report_of(fixture_capacity_sizes());
    const char *const wanted[] = {
        "capacity: servers",
        "p95 of every service is within its target; headroom 10 %",
        "down      servers  spare   QPS  of bound %       p95 ms  cpu %  power W    $/h  SLA  one "
        "less\n",
        "skylake           2           46      6  8000        90.9  97.00 ±0.97   83.0",
        "23.00  met    MISSED\n",
        "cpu + gpu, ti     1  23 (22..25)      3",
        "20 servers of `cpu + gpu, ti` hold it as measured",
        "fixed      skylake        ads *      p95 100  97.00 ±0.97  3.00 ±0.20        4000     -  "
        "met",
        "54 simulations, 5.4e+06 queries"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    tables_are_tidy(text);
    ck_assert_ptr_null(strstr(text, "allocation")); // nothing of what was not asked
    mem_free(text);
}
END_TEST

// How busy accelerators are is shown where there are some that do something; a row without any has
// a "-" there.
START_TEST(accelerators)
{
    struct capacity_result *answer = fixture_capacity_sizes();
    for (int i = 3; i < 6; i++)
        answer->sizes[i].at_n.accel_util_frac = 0.974;
    char *text = report_of(answer);
    const char *const wanted[] = {"p95 ms  cpu %  accel %  power W", "97.00 ±0.97   83.0        -",
                                  "97.00 ±0.97   83.0     97.4"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    mem_free(text);
}
END_TEST

// Of a search that was stopped the rows that are done, without an answer.
START_TEST(part)
{
    char *text = NULL;
    size_t n = 0;
    struct capacity_result *answer = fixture_capacity_sizes();
    struct report_out out = {.file = open_memstream(&text, &n), .format = REPORT_TEXT};
    report_capacity_part(&out, answer, 1);
    fclose(out.file);
    const char *const wanted[] = {"capacity: servers", "\nfixed      skylake "};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    ck_assert_ptr_null(strstr(text, "hold it"));
    const char *table = strstr(text, "one less\n") + 1;
    ck_assert_ptr_null(strstr(table, "\nfixed      cpu + gpu, ti"));
    mem_free(text);
    text = NULL;
    out = (struct report_out){.file = open_memstream(&text, &n), .format = REPORT_TEXT};
    report_capacity_part(&out, answer, 0);
    fclose(out.file);
    ck_assert_ptr_null(strstr(text, "one less"));
    mem_free(text);
    capacity_result_destroy(answer);
}
END_TEST

// Sizes, loads and plans show the percentile that the target names; each cell says which where they
// differ.
START_TEST(percentile_of_the_target)
{
    struct capacity_result *s = fixture_capacity_sizes();
    s->sla_quantile = 0.99;
    for (uint32_t i = 0; i < s->n_sizes; i++) {
        s->sizes[i].at_n.sla_latency_s = (struct ci){0.0123, 0.0004, 9};
        s->sizes[i].at_n.allowed_frac = 0.01;
        for (uint32_t m = 0; m < s->n_services; m++)
            s->size_services[i * s->n_services + m].allowed_frac = 0.01;
    }
    char *one = report_of(s);
    shown_has(one, (const char *const[]){"     p99 ms  ", " 12.30 ±0.40 "}, 2);
    ck_assert_ptr_null(strstr(one, " p95 ms"));
    s = fixture_capacity_sizes();
    s->sla_quantile = NAN;
    s->sizes[0].at_n.sla_latency_s = (struct ci){0.0123, 0.0004, 9};
    s->sizes[0].at_n.allowed_frac = 0.01;
    char *mixed = report_of(s);
    shown_has(mixed, (const char *const[]){" latency ms  ", " p99 12.30 ±0.40 ", " p95 "}, 3);
    s = fixture_capacity_loads();
    s->sla_quantile = 0.999;
    char *load = report_of(s);
    shown_has(load, (const char *const[]){" p99.9 ms  "}, 1);
    s = fixture_capacity();
    s->sla_quantile = 0.99;
    char *plan = report_of(s);
    shown_has(plan, (const char *const[]){"  p99/target  "}, 1);
    mem_free(one);
    mem_free(mixed);
    mem_free(load);
    mem_free(plan);
}
END_TEST

// Where nothing was tuned there is no tuple to show, as with cores counted.
START_TEST(without_tuples)
{
    struct capacity_result *s = fixture_capacity();
    for (uint32_t i = 0; i < s->n_schedulers * s->n_types * s->n_services; i++) {
        s->tuples[i].state = CAPACITY_FOUND;
        s->tuples[i].qps = NAN;
    }
    char *text = report_of(s);
    ck_assert_ptr_null(strstr(text, "of one server"));
    mem_free(text);
}
END_TEST

// What holds a margin more has its load marked so, and is not "spare"; an idle server that is too
// slow is "none", whatever was tried.
START_TEST(margins)
{
    struct capacity_result *s = fixture_capacity_sizes();
    for (uint32_t i = 0; i < 6; i++)
        s->sizes[i].cells_down = 0;
    s->sizes[1].margin_frac = 0.1;
    s->sizes[1].rate_qps = 8800;
    s->unloaded[3].sla = VERDICT_MISSED;
    char *text = report_of(s);
    const char *const wanted[] = {"fixed      skylake             43  8800 +10 %",
                                  "fixed      cpu + gpu, ti     none"};
    shown_has(text, wanted, 2);
    mem_free(text);
}
END_TEST

// Without cells down there is no column for them; what no number of servers holds says so.
START_TEST(sizes_beyond)
{
    struct capacity_result *s = fixture_capacity_sizes();
    for (uint32_t i = 0; i < 6; i++)
        s->sizes[i].cells_down = 0;
    s->sizes[1].state = CAPACITY_BEYOND;
    s->sizes[1].n_most = 500;
    mem_free(s->find);
    s->find = mem_strdup("cores");
    char *text = report_of(s);
    const char *const wanted[] = {"cores", ">500", "the SLA with one core less\n"};
    shown_has(text, wanted, 3);
    ck_assert_ptr_null(strstr(text, "down"));
    ck_assert_ptr_null(strstr(text, "spare"));
    mem_free(text);
}
END_TEST

// For programs a number that is not known, or not alone, is no riddle: its state and range are
// columns of their own.
START_TEST(sizes_as_data)
{
    struct capacity_result *s = fixture_capacity_sizes();
    s->sizes[1].state = CAPACITY_BEYOND;
    s->sizes[1].n_least = s->sizes[1].n_most = 500;
    char *text = report_as(REPORT_JSON, s);
    const char *const wanted[] = {
        "\"servers\": 40, \"state\": \"found\", \"n_least\": 40, \"n_most\": 40,",
        "\"servers\": null, \"state\": \"beyond\", \"n_least\": 500, \"n_most\": null,",
        "\"servers\": 20, \"state\": \"range\", \"n_least\": 19, \"n_most\": 22,"};
    shown_has(text, wanted, 3);
    mem_free(text);
    s = fixture_capacity_sizes();
    s->unloaded[1].sla = VERDICT_UNSURE;
    text = report_as(REPORT_JSON, s);
    shown_has(text,
              (const char *const[]){
                  "\"servers\": 40, \"state\": \"none\", \"n_least\": null, \"n_most\": 40,"},
              1);
    mem_free(text);
}
END_TEST

// A run that is too short for an interval says so, and what to do.
START_TEST(short_runs)
{
    struct capacity_result *s = fixture_capacity_loads();
    s->loads[0].at_held.sla_latency_s.half_95 = NAN;
    char *text = report_of(s);
    shown_has(text, (const char *const[]){"98.00 ±n/a", "a longer one (capacity.queries) has"}, 2);
    mem_free(text);
    text = report_of(fixture_capacity_loads());
    ck_assert_ptr_null(strstr(text, "n/a"));
    mem_free(text);
}
END_TEST

// The load held, missed, and how many times what was asked; none where none is held.
START_TEST(loads)
{
    char *text = report_of(fixture_capacity_loads());
    const char *const wanted[] = {"9000        9100       8000           1.125  98.00 ±0.98   84.0",
                                  "deeprecsched      none       10.00       8000"};
    shown_has(text, wanted, 2);
    tables_are_tidy(text);
    mem_free(text);
}
END_TEST

// What one server holds, per watt too, by type and service; nothing where it holds no rate.
START_TEST(tuples)
{
    char *text = report_of(fixture_capacity());
    const char *const wanted[] = {
        "QPS (QPS/W) of one server, fixed            feed            ads\n",
        "skylake                           100.0 (0.5000)  200.0 (1.000)\n",
        "cpu + gpu, ti                      300.0 (1.500)              -\n",
        "cpu + gpu, ti                            700.0 (3.500)"};
    shown_has(text, wanted, sizeof wanted / sizeof *wanted);
    tables_are_tidy(text);
    mem_free(text);
}
END_TEST

// Nothing known at all prints no garbage.
START_TEST(nothing_known)
{
    char *empty = report_of(capacity_result_create(&(struct capacity_shape){0}));
    shown_tidy(empty, 120);
    mem_free(empty);
    struct capacity_result *s = fixture_capacity();
    struct capacity_result *bare =
        capacity_result_create(&(struct capacity_shape){2, 3, 2, 4, 2, 2, 3, 1});
    for (const struct dataset_dim *d = capacity_result_layout.dims; d->name; d++) { // names only
        char *const *from = dataset_names(d, s);
        char **to = (char **)(uintptr_t)dataset_names(d, bare);
        for (uint32_t i = 0; from && i < dataset_length(d, s); i++)
            to[i] = mem_strdup(from[i]);
    }
    capacity_result_destroy(s);
    char *text = report_of(bare);
    shown_tidy(text, 120);
    mem_free(text);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", sizes},
                                       {"core", accelerators},
                                       {"core", part},
                                       {"core", margins},
                                       {"core", loads},
                                       {"core", tuples},
                                       {"core", percentile_of_the_target},
                                       {"core", sizes_as_data},
                                       {"core", short_runs},
                                       {"limits", without_tuples},
                                       {"limits", sizes_beyond},
                                       {"limits", nothing_known}};
    return suite_run("report_capacity", tests, sizeof tests / sizeof *tests);
}
