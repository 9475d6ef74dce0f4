// SPDX-License-Identifier: Apache-2.0
// The data files of models/, as they are loaded: derived work against published figures, and the
// roofline cost against public measurements.
#include "study/library.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "models/cost.h"
#include "support/suite.h"

static const struct cost_config roofline_config; // kind 0

static struct library loaded(void)
{
    struct library library = {0};
    struct err err = {0};
    ck_assert_msg(library_load(&library, &err) == 0, "%s", err.text);
    return library;
}

static const struct model *found(const struct library *library, const char *name)
{
    const struct model *model = library_model(library, name);
    ck_assert_msg(model != NULL, "no model %s", name);
    return model;
}

// A figure and half a unit of its last printed digit. 0 stands for one that is not known.
struct figure {
    double value, half_digit;
};

static void same(const char *model, const char *what, double got, struct figure figure)
{
    if (figure.value == 0)
        return;
    double off = got - figure.value;
    ck_assert_msg(off <= 1.001 * figure.half_digit && off >= -1.001 * figure.half_digit,
                  "%s: %s: %.10g is not %g", model, what, got, figure.value);
}

// Work per item of every model with a published or independently counted figure. Layers count
// fully connected, attention and recurrent classes; tables in GB of 10^9 bytes.
START_TEST(derived_work_matches_the_figures)
{
    struct library library = loaded();
    const struct {
        const char *name;
        struct figure mflop, weights_mb;
        double lookups, embedding_bytes, index_bytes;
        struct figure tables_gb;
    } rows[] = {
        {"rmc1-repo", {0.201, 5e-4}, {0.40, 5e-3}, 640, 81920, 5120, {4.10, 5e-3}},
        {"rmc2-repo", {0.639, 5e-4}, {1.28, 5e-3}, 3840, 983040, 30720, {4.10, 5e-3}},
        {"rmc3-repo", {6.407, 5e-4}, {12.8, 5e-2}, 200, 25600, 1600, {2.56, 5e-3}},
        {"ncf-repo", {0.295, 5e-4}, {0.59, 5e-3}, 4, 1024, 32, {0.086, 5e-4}},
        {"wnd-repo", {4.129, 5e-4}, {8.27, 5e-3}, 27, 3456, 216, {3.46, 5e-3}},
        {"mtwnd-repo", {5.24, 5e-3}, {10.5, 5e-2}, 43, 5504, 344, {3.90, 5e-3}},
        {"mtwnd-repo-8", {7.54, 5e-3}, {15.1, 5e-2}, 43, 5504, 344, {3.90, 5e-3}},
        {"din-shipped", {0.084, 5e-4}, {0.17, 5e-3}, 12, 1536, 96, {2.7, 5e-2}},
        {"din-repo", {0.156, 5e-4}, {0, 0}, 762, 97536, 6096, {5.9, 5e-2}},
        {"dien-repo", {1.57, 5e-3}, {0.269, 5e-4}, 43, 5504, 344, {3.90, 5e-3}},
        {"rmc1", {0.287, 5e-4}, {0.58, 5e-3}, 800, 102400, 6400, {0.1, 5e-4}},
        {"rmc2", {1.549, 5e-4}, {3.1, 5e-2}, 3200, 409600, 25600, {10, 5e-2}},
        {"rmc3", {3.146, 5e-4}, {6.3, 5e-2}, 200, 25600, 1600, {1, 5e-3}},
        {"ncf", {0.262, 5e-4}, {0.53, 5e-3}, 4, 1024, 32, {0, 0}},
        {"wnd", {4.13, 5e-3}, {8.3, 5e-2}, 27, 3456, 216, {0, 0}},
        // The cross-checks of docs/models.md.
        {"dlrm-dcnv2", {32.06, 5e-3}, {0, 0}, 214, 109568, 1712, {104.5, 5e-2}},
        {"dlrm-dcnv2-int8", {32.06, 5e-3}, {0, 0}, 214, 27392, 1712, {104.5 / 4, 5e-2}},
        {"dlrm-v1", {4.82, 5e-3}, {0, 0}, 26, 13312, 208, {104.5, 5e-2}},
        {"masknet", {188, 0.5}, {4 * 94, 2}, 0, 0, 0, {0, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = rows[i].name;
        struct model_work work;
        model_derive(found(&library, name), &work);
        double flop = work.by_class[WORK_FC].flop_per_item +
                      work.by_class[WORK_ATTENTION].flop_per_item +
                      work.by_class[WORK_RECURRENT].flop_per_item;
        const struct model *model = found(&library, name);
        if (model->interaction == INTERACT_ATTENTION) // each unit begins with a sum
            flop += (double)(model->dim * model->behaviours);
        same(name, "MFLOP", flop / 1e6, rows[i].mflop);
        same(name, "weights", work_weight_bytes(&work) / 1e6, rows[i].weights_mb);
        same(name, "tables", work.table_bytes / 1e9, rows[i].tables_gb);
        ck_assert_double_eq(work.lookups_per_item, rows[i].lookups);
        ck_assert_double_eq(work.by_class[WORK_EMBEDDING].bytes_per_item, rows[i].embedding_bytes);
        ck_assert_double_eq(work.index_bytes_per_item, rows[i].index_bytes);
    }
    library_release(&library);
}
END_TEST

// FLOP of a request of HSTU, in its blocks: 5 (3.67 MF (S + C) + 2 * 2 * 4 * 128 (S^2 / 2 + C S))
// for S history items and C candidates, counted from the shapes of the published code.
START_TEST(sequences_grow_with_history)
{
    struct library library = loaded();
    const struct {
        double history, gflop, half_digit;
    } rows[] = {{1024, 83, 0.5}, {4096, 113 + 172, 1}, {14336, 300 + 1350, 10}};
    struct model_work work, small;
    model_derive(found(&library, "hstu"), &work);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double h = rows[i].history, flop = 0;
        for (int c = 0; c < N_WORK_CLASSES; c++)
            if (c == WORK_FC || c == WORK_ATTENTION)
                flop += 2048 * work.by_class[c].flop_per_item + h * work.by_class[c].history.flop +
                        h * h * work.by_class[c].history_sq_flop +
                        2048 * h * work.by_class[c].item_history_flop;
        same("hstu", "GFLOP", flop / 1e9, (struct figure){rows[i].gflop, rows[i].half_digit});
        ck_assert_double_gt(work_flop(&work, 2048, h), flop); // and the element-wise rest
        ck_assert_double_lt(work_flop(&work, 2048, h), 1.02 * flop);
    }
    same("hstu", "tables", work.table_bytes / 1e12, (struct figure){1.034, 5e-4});
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].history.bytes, 2 * 512 * 2);
    ck_assert_double_eq(work.by_class[WORK_EMBEDDING].request.bytes, 512 * 2);
    // SASRec scores candidates by one product each, whatever the history: two blocks of four
    // 50 x 50 projections and two layers each, and 2 * 2 * 50 FLOP a pair, half of them causal.
    model_derive(found(&library, "sasrec"), &small);
    ck_assert_double_eq(small.by_class[WORK_FC].flop_per_item, 2 * 50);
    ck_assert_double_eq(small.by_class[WORK_FC].history.flop, 2 * 6 * 2 * 2500);
    ck_assert_double_eq(small.by_class[WORK_ATTENTION].history_sq_flop, 2 * 2 * 50);
    ck_assert_double_eq(small.by_class[WORK_ATTENTION].item_history_flop, 0);
    library_release(&library);
}
END_TEST

// The operators that the reference's code runs, as counted when the models were run. DIEN ran 296:
// that run applied the attention's layer and softmax step by step, 40 of each. In the reference's
// operator shares both are too small for more than one each (1.9 % and 0.4 % at one item), so 78
// fewer are counted.
START_TEST(operators_match_the_runs)
{
    struct library library = loaded();
    const struct {
        const char *name;
        double n_ops;
    } rows[] = {{"ncf-repo", 17},   {"wnd-repo", 36},    {"mtwnd-repo", 52},
                {"din-repo", 1768}, {"din-shipped", 18}, {"dien-repo", 296 - 78},
                {"rmc1-repo", 19},  {"rmc2-repo", 43},   {"rmc3-repo", 23}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct model_work work;
        model_derive(found(&library, rows[i].name), &work);
        ck_assert_double_eq(work_n_ops(&work), rows[i].n_ops);
    }
    library_release(&library);
}
END_TEST

// All eight models in both variants, and targets half below and half above the medium one.
START_TEST(eight_models_in_two_variants)
{
    struct library library = loaded();
    const struct {
        const char *name;
        int64_t medium_ms;
    } eight[] = {{"ncf", 5},   {"wnd", 25},   {"mtwnd", 25}, {"din", 100},
                 {"dien", 35}, {"rmc1", 100}, {"rmc2", 400}, {"rmc3", 100}};
    for (size_t i = 0; i < sizeof eight / sizeof *eight; i++) {
        const struct model *paper = found(&library, eight[i].name);
        char *name = mem_printf("%s-repo", eight[i].name);
        const struct model *repo = found(&library, name);
        mem_free(name);
        ck_assert_int_eq(paper->variant, VARIANT_PAPER);
        ck_assert_int_eq(repo->variant, VARIANT_REPO);
        ck_assert_int_eq(paper->sla_medium_ns, eight[i].medium_ms * 1000000);
        ck_assert_int_eq(2 * paper->sla_low_ns, paper->sla_medium_ns);
        ck_assert_int_eq(2 * paper->sla_high_ns, 3 * paper->sla_medium_ns);
        ck_assert_int_eq(repo->sla_medium_ns, paper->sla_medium_ns);
    }
    library_release(&library);
}
END_TEST

static struct cost *made(const struct model *model, const struct platform *platform)
{
    struct err err = {0};
    ck_assert_int_eq(cost_type_find("roofline"), roofline_config.kind);
    struct cost *cost = cost_create(&roofline_config, model, platform, &err);
    ck_assert_msg(cost != NULL, "%s: %s", model->name, err.text);
    return cost;
}

// Every model has a roofline cost on every platform with every accelerator: no rate is missing.
START_TEST(every_pair_has_a_cost)
{
    struct library library = loaded();
    ck_assert_uint_gt(library.n_accelerators, 0);
    for (size_t p = 0; p < library.n_platforms; p++)
        for (size_t a = 0; a < library.n_accelerators; a++) {
            struct platform platform = platform_copy(&library.platforms[p]);
            platform_attach(&platform, &library.accelerators[a]);
            for (size_t m = 0; m < library.n_models; m++) {
                struct cost *cost = made(&library.models[m], &platform);
                ck_assert(cost_cpu_s(cost, 1, 1) > 0);
                double alone_s = cost_cpu_s(cost, 64, 1);
                double crowded_s = cost_cpu_s(cost, 64, (uint32_t)platform.cores);
                // but for the last digit of the weights' time, whichever way it is split
                ck_assert_msg(crowded_s >= alone_s * (1 - 1e-14), "%s on %s: %.17g < %.17g",
                              library.models[m].name, platform.name, crowded_s, alone_s);
                bool fits = cost_memory_bytes(cost) <= platform.accelerator.memory_bytes;
                ck_assert(cost_has_accel(cost) == fits);
                ck_assert(!fits ||
                          (cost_accel_load_s(cost, 1) > 0 && cost_accel_compute_s(cost, 1) > 0));
                cost_destroy(cost);
            }
            platform_release(&platform);
        }
    library_release(&library);
}
END_TEST

// Measured tables belong to a model and a platform that exist, and give their knots back.
START_TEST(measured_tables_fit_their_names)
{
    struct library library = loaded();
    ck_assert_uint_gt(library.n_tables, 0);
    for (size_t i = 0; i < library.n_tables; i++) {
        const struct cost_table *table = &library.tables[i];
        const struct platform *platform = library_platform(&library, table->platform);
        ck_assert_ptr_nonnull(platform);
        struct cost_config config = {.kind = cost_type_find("table"), .measured = table};
        struct cost *cost = cost_create(&config, found(&library, table->model), platform, NULL);
        ck_assert_ptr_nonnull(cost);
        ck_assert_double_eq(cost_cpu_s(cost, (uint32_t)table->batches_items.v[0], 1),
                            table->seconds_s.v[0]);
        cost_destroy(cost);
    }
    library_release(&library);
}
END_TEST

// All nine configurations that were run have a table on both machines, with the batches that were
// printed and no others; two busy cores were measured with AVX-512 only.
START_TEST(nine_tables_on_two_machines)
{
    struct library library = loaded();
    const char *const models[] = {"ncf-repo",  "wnd-repo",  "mtwnd-repo", "din-repo", "din-shipped",
                                  "dien-repo", "rmc1-repo", "rmc2-repo",  "rmc3-repo"};
    const struct {
        const char *platform;
        size_t n_busy;
    } machines[] = {{"zen5-2core", 2}, {"zen5-2core-avx2", 1}};
    for (size_t m = 0; m < 9; m++)
        for (int k = 0; k < 2; k++) {
            const struct cost_table *table =
                library_table_for(&library, models[m], machines[k].platform);
            ck_assert_msg(table != NULL, "%s on %s", models[m], machines[k].platform);
            ck_assert_uint_eq(table->batches_items.n, 6);
            ck_assert_double_eq(table->batches_items.v[5], 1024);
            ck_assert_uint_eq(table->busy_cores.n, machines[k].n_busy);
            ck_assert_ptr_nonnull(strstr(table->sources, "measured 2026-11-22"));
            ck_assert(!table->provisional);
        }
    library_release(&library);
}
END_TEST

// A measurement is not monotone, and is kept as it is: with AVX2, WnD takes less for 4 items than
// for 1, and DIN on two busy cores less for 16 than for 4.
START_TEST(dips_are_kept)
{
    struct library library = loaded();
    const struct cost_table *wnd = library_table_for(&library, "wnd-repo", "zen5-2core-avx2");
    const struct cost_table *din = library_table_for(&library, "din-repo", "zen5-2core");
    ck_assert_double_eq(cost_table_cpu_s(wnd, 1, 1), 0.627e-3);
    ck_assert_double_eq(cost_table_cpu_s(wnd, 4, 1), 0.582e-3);
    ck_assert_double_eq(cost_table_cpu_s(din, 4, 2), 3.89e-3);
    ck_assert_double_eq(cost_table_cpu_s(din, 16, 2), 3.88e-3);
    library_release(&library);
}
END_TEST

// What the closed form a + b n + c (1 - exp(-n / h)) fitted to 16 batch sizes and the line between
// the six printed knots are off each other, at worst over 1 .. 1024 items: within the fit's largest
// error and what a knot at every fourth power of two misses (docs/tables.md).
START_TEST(tables_are_near_their_closed_form)
{
    struct library library = loaded();
    const struct {
        const char *model;
        double a_ms, b_ms, c_ms, h_items, worst_frac;
    } fits[] = {
        {"ncf-repo", 0.024895, 0.0013586, 0.051622, 16.267, 0.137},
        {"wnd-repo", 0.38273, 0.022962, 0.23372, 2.4085, 0.107},
        {"mtwnd-repo", 0.54416, 0.028885, 0.37249, 3.9072, 0.089},
        {"din-repo", 1.1541, 0.02385, 2.9104, 1.1422, 0.118},
        {"din-shipped", 0.026895, 0.00076705, 0.013657, 9.0938, 0.041},
        {"dien-repo", 0.38927, 0.027285, 0.58339, 46.928, 0.056},
        {"rmc1-repo", 0.032423, 0.014415, 0.038283, 1.5706, 0.110},
        {"rmc2-repo", 0.11177, 0.033563, 15.364, 209.27, 0.118},
        {"rmc3-repo", 0.67559, 0.036155, 0.46773, 4.1985, 0.038},
    };
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++) {
        const struct cost_table *table = library_table_for(&library, fits[i].model, "zen5-2core");
        double worst = 0;
        for (uint32_t n = 1; n <= 1024; n++) {
            double form_ms = fits[i].a_ms + fits[i].b_ms * n +
                             fits[i].c_ms * (1 - exp(-(double)n / fits[i].h_items));
            worst = fmax(worst, fabs(1e3 * cost_table_cpu_s(table, n, 1) / form_ms - 1));
        }
        ck_assert_msg(fabs(worst - fits[i].worst_frac) < 0.001, "%s: %.4f", fits[i].model, worst);
    }
    library_release(&library);
}
END_TEST

// Keys that say what a file is, rather than a value that needs a source.
static bool is_label(const char *key)
{
    const char *const labels[] = {"name",  "title", "class",    "year",        "variant",
                                  "bound", "model", "platform", "provisional", "sources"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (strcmp(key, labels[i]) == 0)
            return true;
    return false;
}

static bool has_line(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = text; (at = strstr(at, key)) != NULL; at += n)
        if ((at == text || at[-1] == '\n') && at[n] == ':')
            return true;
    return false;
}

// Every value that differs from its default says where it comes from; a file of which one is
// provisional says so as a whole, and one that is provisional has such a value.
static void sourced(const struct field *fields, const void *config, const char *name,
                    const char *sources, bool provisional)
{
    _Alignas(16) char plain[4096] = {0};
    ck_assert_msg(sources && *sources, "%s: no sources", name);
    schema_defaults(fields, plain);
    for (const struct field *field = fields; field->key; field++) {
        if (is_label(field->key))
            continue;
        char *value = schema_format(field, config);
        char *dflt = schema_format(field, plain);
        bool is_default = field->dflt && strcmp(value, dflt) == 0;
        bool is_empty = strcmp(value, "[]") == 0;
        mem_free(value);
        mem_free(dflt);
        ck_assert_msg(is_default || is_empty || has_line(sources, field->key),
                      "%s: %s has no source", name, field->key);
    }
    schema_release(fields, plain);
    ck_assert_msg(provisional == (strstr(sources, "provisional") != NULL),
                  "%s: provisional does not say what its sources say", name);
}

// Of all files alike.
START_TEST(every_number_has_a_source)
{
    struct library library = loaded();
    for (size_t i = 0; i < library.n_models; i++) {
        const struct model *model = &library.models[i];
        sourced(model_fields, model, model->name, model->sources, model->provisional);
    }
    for (size_t i = 0; i < library.n_platforms; i++) {
        const struct platform *platform = &library.platforms[i];
        sourced(platform_fields, platform, platform->name, platform->sources,
                platform->provisional);
    }
    for (size_t i = 0; i < library.n_accelerators; i++) {
        const struct accelerator *accelerator = &library.accelerators[i];
        sourced(accelerator_fields, accelerator, accelerator->name, accelerator->sources,
                accelerator->provisional);
    }
    for (size_t i = 0; i < library.n_tables; i++) {
        const struct cost_table *table = &library.tables[i];
        sourced(cost_table_fields, table, table->name, table->sources, table->provisional);
    }
    library_release(&library);
}
END_TEST

// The platforms of the paper have its core counts; the accelerators are there.
START_TEST(the_platforms_are_there)
{
    struct library library = loaded();
    const struct platform *skylake = library_platform(&library, "skylake");
    const struct platform *broadwell = library_platform(&library, "broadwell");
    ck_assert(skylake && broadwell);
    ck_assert_int_eq(skylake->cores, 40);
    ck_assert_int_eq(broadwell->cores, 28);
    ck_assert(broadwell->l3_inclusive && !skylake->l3_inclusive);
    ck_assert_ptr_nonnull(library_accelerator(&library, "gtx1080ti"));
    ck_assert_ptr_nonnull(library_accelerator(&library, "t4"));
    library_release(&library);
}
END_TEST

// The rules that docs/models.md states for devices known from a data sheet, by hand for two of
// each kind: 0.49 and 0.24 of the fp32 peak (half of bf16), 0.8 and 0.42 of memory; a server's
// watts and kilograms from its parts by GreenSKU's figures.
START_TEST(data_sheets_become_rates)
{
    struct library library = loaded();
    const struct {
        const char *name;
        double bf16_flops, memory_bw, memory_gb, busy_w, n_dies;
    } devices[] = {{"l4", 121e12, 300e9, 24, 72, 1}, {"b200", 2250e12, 7.7e12, 180, 1000, 2}};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        const struct accelerator *a = library_accelerator(&library, devices[i].name);
        ck_assert_ptr_nonnull(a);
        double fp32 = devices[i].bf16_flops / 2;
        ck_assert_double_eq_tol(a->fc.peak_flops / (0.49 * fp32), 1, 0.005);
        ck_assert_double_eq_tol(a->attention.peak_flops / (0.24 * fp32), 1, 0.005);
        ck_assert(a->formats.bf16_speedup == 2 && a->formats.int8_speedup == 4);
        ck_assert_double_eq_tol(a->memory_bw / (0.8 * devices[i].memory_bw), 1, 0.005);
        ck_assert_double_eq_tol(a->gather_bw / (0.42 * devices[i].memory_bw), 1, 0.005);
        ck_assert_double_eq(a->memory_bytes, devices[i].memory_gb * 1e9);
        ck_assert_double_eq(a->power.busy_w, devices[i].busy_w);
        ck_assert_double_eq_tol(a->embodied.carbon_kg,
                                devices[i].memory_gb * 105.4 / 64 + 30.7 * devices[i].n_dies, 0.5);
    }
    const struct {
        const char *name;
        double cores, cpu_w, memory_gb;
    } servers[] = {{"emerald-rapids-8592", 128, 350, 1024}, {"genoa-9654", 192, 360, 1536}};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        const struct platform *p = library_platform(&library, servers[i].name);
        ck_assert_ptr_nonnull(p);
        double dimms = servers[i].memory_gb / 64, w = 2 * servers[i].cpu_w + 23.7 * dimms + 46.2;
        ck_assert(p->provisional && (double)p->cores == servers[i].cores);
        ck_assert_double_eq_tol(p->power.busy_w / (0.95 * w), 1, 0.005);
        ck_assert_double_eq_tol(p->power.idle_w / (0.12 * w), 1, 0.005);
        ck_assert_double_eq_tol(p->embodied.carbon_kg / (384.65 + 2 * 30.7 + 105.4 * dimms), 1,
                                0.005);
        ck_assert_double_eq(p->embodied.lifetime_s, 6 * 365 * 86400.0);
    }
    library_release(&library);
}
END_TEST

// Plausible beside what was measured on an H100 SXM (docs/models.md): 32 requests of HSTU in 9.30
// ms, of which its two fractions were taken; and MLPerf's DLRM-v2, of which nothing was: 595658
// queries a second of 270 items on eight, in int8.
START_TEST(the_h100_is_plausible)
{
    struct library library = loaded();
    struct platform platform = platform_copy(library_platform(&library, "sapphire-rapids-8480"));
    platform_attach(&platform, library_accelerator(&library, "h100-sxm"));
    struct cost *hstu = made(found(&library, "hstu"), &platform);
    struct cost_history history = cost_history(hstu, COST_ACCEL, 1);
    double first_s = cost_bare_s(hstu, COST_ACCEL, 1, 1);
    double items_s = cost_bare_s(hstu, COST_ACCEL, 2049, 1) - first_s;
    double ms = 1e3 * (first_s + 32 * (items_s + history.item_s * 1024 + history.square_s * 0x1p20 +
                                       history.item_history_s * 0x1p21));
    ck_assert_msg(ms > 9.30 / 1.3 && ms < 9.30 * 1.3, "%.2f ms", ms);
    struct cost *dcn = made(found(&library, "dlrm-dcnv2-int8"), &platform);
    double ns = 1e9 * (cost_accel_compute_s(dcn, 20000) - cost_accel_compute_s(dcn, 10000)) / 1e4;
    double measured_ns = 1e9 / (595658.0 / 8 * 270);
    ck_assert_msg(ns > measured_ns / 1.8 && ns < measured_ns * 1.8, "%.1f ns of %.1f", ns,
                  measured_ns);
    cost_destroy(hstu);
    cost_destroy(dcn);
    platform_release(&platform);
    library_release(&library);
}
END_TEST

// Two 8592+ reach 0.67 TFLOP/s a core in int8.
START_TEST(formats_speed_layers_up)
{
    struct library library = loaded();
    const struct platform *p = library_platform(&library, "emerald-rapids-8592");
    ck_assert_double_eq_tol(p->fc.peak_flops * p->formats.int8_speedup / 0.67e12, 1, 0.02);
    library_release(&library);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", derived_work_matches_the_figures},
        {"core", sequences_grow_with_history},
        {"core", operators_match_the_runs},
        {"core", eight_models_in_two_variants},
        {"core", every_pair_has_a_cost},
        {"core", measured_tables_fit_their_names},
        {"core", nine_tables_on_two_machines},
        {"core", dips_are_kept},
        {"core", tables_are_near_their_closed_form},
        {"core", every_number_has_a_source},
        {"core", the_platforms_are_there},
        {"core", data_sheets_become_rates},
        {"core", formats_speed_layers_up},
        {"core", the_h100_is_plausible},
    };
    return suite_run("catalog_data", tests, sizeof tests / sizeof *tests);
}
