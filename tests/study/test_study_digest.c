// SPDX-License-Identifier: Apache-2.0
#include "study/study_digest.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "models/cost_table.h"
#include "support/suite.h"

#define FOLDER "test_study_digest.d"

static struct library library; // of the whole program; set by main

// What suits all tests: a service of a known model, a group of a known platform.
static const char *const plain = "name: small\n"
                                 "duration: 10s\n"
                                 "traffic:\n"
                                 "  - {service: a, model: wnd, rate: 1000qps, sla: {p95: 25ms}}\n"
                                 "fleet: {cells: 2, groups: [{platform: skylake, servers: 4}]}\n";

static struct study *parsed(const char *path, const char *text, const char *setting)
{
    struct err err = {0};
    struct study *study =
        study_parse(path, text, strlen(text), &setting, setting ? 1 : 0, &library, true, &err);
    ck_assert_msg(study != NULL, "%s: %s", setting, err.text);
    return study;
}

static char *digest_of(const char *path, const char *text, const char *setting)
{
    struct study *study = parsed(path, text, setting);
    char *digest = study_digest(study);
    ck_assert_uint_eq(strlen(digest), 32);
    ck_assert_uint_eq(strspn(digest, "0123456789abcdef"), 32);
    study_destroy(study);
    return digest;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

// Whether a setting of a study changes its digest.
static bool changes(const char *text, const char *setting)
{
    char *before = digest_of("s.yaml", text, NULL), *after = digest_of("s.yaml", text, setting);
    bool differ = strcmp(before, after) != 0;
    mem_free(before);
    mem_free(after);
    return differ;
}

// The same study spelled in another way, with defaults written out, is the same study.
START_TEST(spelling_does_not_count)
{
    const char *const other =
        "fleet: {groups: [{servers: 4, name: skylake, platform: skylake}], cells: 2}\n"
        "seed: 1\n"
        "duration: 10000ms\n"
        "traffic: [{rate_qps: 1e3, service: a, model: wnd, sla: {p95: 0.025s}}]\n"
        "name: small\n";
    char *first = digest_of("s.yaml", plain, NULL), *second = digest_of("s.yaml", other, NULL);
    ck_assert_str_eq(first, second);
    mem_free(first);
    mem_free(second);
}
END_TEST

// Every key that decides what is measured or stored changes it.
START_TEST(what_decides_counts)
{
    const char *const settings[] = {"name=large",
                                    "seed=2",
                                    "duration=11s",
                                    "warmup=1s",
                                    "bins=61",
                                    "traffic[0].service=b",
                                    "traffic[0].model=rmc1",
                                    "traffic[0].rate=1000.001qps",
                                    "traffic[0].arrivals=deterministic",
                                    "traffic[0].arrivals={process: gamma, cv: 1.5}",
                                    "traffic[0].sizes={distribution: mlperf}",
                                    "traffic[0].sla={p99: 25ms}",
                                    "fleet.cells=1",
                                    "fleet.groups[0].servers=5",
                                    "fleet.groups[0].weight=2",
                                    "fleet.groups[0].platform=broadwell",
                                    "fleet.groups[0].cores=41",
                                    "fleet.groups[0].accelerator=t4",
                                    "fleet.groups[0].scheduler={batch_items: 64}",
                                    "fleet.groups[0].cost={kind: synthetic, fixed: 1us}",
                                    "fleet.groups[0].cost={kind: roofline, cold_factor: 1.5, "
                                    "cooling_time: 1ms, warming_time: 1ms}",
                                    "fleet.groups[0].noise={distribution: gamma, cv: 0.2}",
                                    "balancer.policy=round-robin",
                                    "balancer.dispatch_delay=51us",
                                    "balancer.return_delay=1us",
                                    "models=[{name: wnd, dense_inputs: 14}]",
                                    "output.sample=1001",
                                    "output.queries=all",
                                    "output.queries=slowest 10"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        ck_assert_msg(changes(plain, settings[i]), "%s", settings[i]);
}
END_TEST

// Where results and checkpoints go, and how often, does not.
START_TEST(outputs_do_not_count)
{
    ck_assert(!changes(plain, "output.file=x.h5"));
    ck_assert(!changes(plain, "checkpoint={every: 1s, file: y}"));
}
END_TEST

static const char *const with_trace = "duration: 1s\n"
                                      "traffic:\n"
                                      "  - service: a\n"
                                      "    arrivals: {process: replay, file: t.csv}\n"
                                      "fleet: {groups: [{cores: 2, servers: 1, "
                                      "cost: {kind: synthetic, fixed: 1ms}}]}\n";

static const char *const with_sizes = "duration: 1s\n"
                                      "traffic:\n"
                                      "  - service: a\n"
                                      "    rate: 10qps\n"
                                      "    sizes: {distribution: empirical, file: sizes.csv}\n"
                                      "fleet: {groups: [{cores: 2, servers: 1, "
                                      "cost: {kind: synthetic, fixed: 1ms}}]}\n";

// The digest of a study in FOLDER whose file `name` holds `content`.
static char *digest_with(const char *study, const char *name, const char *content)
{
    char *path = mem_printf(FOLDER "/%s", name);
    mkdir(FOLDER, 0700);
    write_text(path, content);
    char *digest = digest_of(FOLDER "/s.yaml", study, NULL);
    unlink(path);
    rmdir(FOLDER);
    mem_free(path);
    return digest;
}

// What is in a trace counts: another time, another size, one record more.
START_TEST(trace_counts)
{
    char *first = digest_with(with_trace, "t.csv", "0.1,10\n0.2,20\n");
    const char *const others[] = {"0.1,10\n0.200000001,20\n", "0.1,10\n0.2,21\n",
                                  "0.1,10\n0.2,20\n0.3,30\n"};
    for (size_t i = 0; i < 3; i++) {
        char *other = digest_with(with_trace, "t.csv", others[i]);
        ck_assert_str_ne(first, other);
        mem_free(other);
    }
    char *again = digest_with(with_trace, "t.csv", "0.10,10\n0.20,20\n");
    ck_assert_str_eq(first, again);
    mem_free(first);
    mem_free(again);
}
END_TEST

static const char *const with_curve = "duration: 1s\n"
                                      "traffic:\n"
                                      "  - service: a\n"
                                      "    rate: 10qps\n"
                                      "    arrivals: {process: diurnal, curve_file: c.csv}\n"
                                      "fleet: {groups: [{cores: 2, servers: 1, "
                                      "cost: {kind: synthetic, fixed: 1ms}}]}\n";

// What is in the file of a curve counts, not how it is written.
START_TEST(curves_count)
{
    char *first = digest_with(with_curve, "c.csv", "1\n2\n");
    char *other = digest_with(with_curve, "c.csv", "1\n2.5\n");
    char *again = digest_with(with_curve, "c.csv", "time,rate\n0,1\n60,2.0\n");
    ck_assert_str_ne(first, other);
    ck_assert_str_eq(first, again);
    mem_free(first);
    mem_free(other);
    mem_free(again);
}
END_TEST

// Failures, prices and what capacity is to be found are part of a study.
START_TEST(sections_of_capacity_count)
{
    ck_assert(changes(plain, "failures={mtbf: 30d, mttr: 1h}"));
    ck_assert(changes(plain, "failures.events=[{at: 0, for: 1s, cell: 0}]"));
    ck_assert(changes(plain, "fleet.groups[0].on={servers: [4, 2]}"));
    ck_assert(changes(plain, "fleet.groups[0].price=1usd/h"));
    ck_assert(changes(plain, "capacity.max_servers=100"));
    ck_assert(!changes(plain, "capacity={find: servers}"));
}
END_TEST

// What is in a file of sizes counts.
START_TEST(sizes_count)
{
    char *first = digest_with(with_sizes, "sizes.csv", "1\n2\n3\n");
    char *other = digest_with(with_sizes, "sizes.csv", "1\n2\n2\n");
    char *again = digest_with(with_sizes, "sizes.csv", "3\n2\n1\n");
    ck_assert_str_ne(first, other);
    ck_assert_str_eq(first, again);
    mem_free(first);
    mem_free(other);
    mem_free(again);
}
END_TEST

// A measured table counts by its numbers.
START_TEST(table_counts)
{
    const char *const text = "duration: 1s\ntraffic: [{service: a, model: wnd-repo, rate: 9qps}]\n"
                             "fleet: {groups: [{platform: zen5-2core, servers: 4, cost: table}]}\n";
    struct study *study = parsed("s.yaml", text, NULL);
    struct cost_config *config = &study->groups[0].cost_configs[0];
    struct cost_table own = *config->measured;
    char *before = study_digest(study);
    double *seconds_s = mem_alloc(own.seconds_s.n * sizeof *seconds_s);
    memcpy(seconds_s, own.seconds_s.v, own.seconds_s.n * sizeof *seconds_s);
    seconds_s[own.seconds_s.n - 1] *= 1.0000001;
    own.seconds_s.v = seconds_s;
    config->measured = &own;
    char *after = study_digest(study);
    ck_assert_str_ne(before, after);
    mem_free(seconds_s);
    mem_free(before);
    mem_free(after);
    study_destroy(study);
}
END_TEST

// Where the study and its files lie does not count, nor how they are named from there.
START_TEST(place_does_not_count)
{
    char here[512];
    char *first = digest_with(with_trace, "t.csv", "0.1,10\n");
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    write_text("test_study_digest.csv", "0.1,10\n");
    char *absolute = mem_printf("traffic[0].arrivals.file=%s/test_study_digest.csv", here);
    char *second = digest_of("other.yaml", with_trace, absolute);
    ck_assert_str_eq(first, second);
    unlink("test_study_digest.csv");
    mem_free(first);
    mem_free(second);
    mem_free(absolute);
}
END_TEST

// The results get it.
START_TEST(meta_has_it)
{
    struct study *study = parsed("s.yaml", plain, NULL);
    struct meta *meta = study_meta(study);
    char *digest = study_digest(study);
    ck_assert_str_eq(meta->study_digest, digest);
    mem_free(digest);
    meta_destroy(meta);
    study_destroy(study);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", spelling_does_not_count},
                                       {"core", what_decides_counts},
                                       {"core", outputs_do_not_count},
                                       {"core", trace_counts},
                                       {"core", sizes_count},
                                       {"core", curves_count},
                                       {"core", sections_of_capacity_count},
                                       {"core", meta_has_it},
                                       {"limits", table_counts},
                                       {"limits", place_does_not_count}};
    if (library_load(&library, NULL) < 0)
        return 1;
    int failed = suite_run("study_digest", tests, sizeof tests / sizeof *tests);
    library_release(&library);
    return failed;
}
