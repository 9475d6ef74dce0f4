// SPDX-License-Identifier: Apache-2.0
#include "results/file/run_result.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/run_file.h"
#include "results/fixture.h"
#include "support/suite.h"

#define SOUND "test_run_result_sound.h5"

static void make(void)
{
    struct err err = {0};
    int rc = run_file_write(SOUND, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void same_estimate(struct ci a, struct ci b)
{
    ck_assert_mem_eq(&a.value, &b.value, sizeof a.value);
    ck_assert_mem_eq(&a.half_95, &b.half_95, sizeof a.half_95);
}

// What was stored comes back: names, numbers with intervals, bins, the study to the byte.
START_TEST(round_trip)
{
    struct err err = {0};
    make();
    struct run_result *run = run_result_read(SOUND, DATASET_ALL, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *s = summary_create(total, meta);
    ck_assert_str_eq(run->meta->study_text, meta->study_text);
    ck_assert_str_eq(run->meta->study_digest, meta->study_digest);
    ck_assert_str_eq(run->meta->services[1].name, "ads, banner");
    ck_assert_str_eq(run->meta->groups[1].platform, "skylake");
    ck_assert_uint_eq(run->meta->groups[1].streams, 1);
    ck_assert_uint_eq(run->meta->groups[1].n_servers, meta->groups[1].n_servers);
    ck_assert_uint_eq(run->meta->n_servers, 4);
    ck_assert_uint_eq(run->meta->traffic_fingerprint, meta->traffic_fingerprint);
    ck_assert_int_eq(run->meta->services[0].sla_ns, 25 * SIMTIME_MS);
    for (uint32_t i = 0; i <= 2; i++) {
        const struct summary_service *a = &run->summary->services[i], *b = &s->services[i];
        ck_assert_uint_eq(a->n_queries, b->n_queries);
        ck_assert_uint_eq(a->n_run_answered, b->n_run_answered);
        ck_assert_int_eq(a->sla, b->sla);
        same_estimate(a->lost_frac, b->lost_frac);
        same_estimate(a->served_qps, b->served_qps);
        same_estimate(a->latency_s[2], b->latency_s[2]);
        // What Welch's t needs.
        ck_assert_uint_eq(a->latency_s[2].n_batches, b->latency_s[2].n_batches);
        ck_assert_uint_eq(a->latency_mean_s.n_batches, b->latency_mean_s.n_batches);
        ck_assert_uint_eq(a->served_qps.n_batches, b->served_qps.n_batches);
    }
    ck_assert_uint_eq(run->summary->fleet.power_w.n_batches, s->fleet.power_w.n_batches);
    ck_assert_double_eq(run->summary->fleet.energy_j, s->fleet.energy_j);
    ck_assert_int_eq(run->summary->fleet.to_ns, SIMTIME_S);
    ck_assert_double_eq(run->summary->groups[1].parts[PART_ACCEL].energy_j,
                        s->groups[1].parts[PART_ACCEL].energy_j);
    ck_assert_uint_eq(run->bins.n, 10);
    ck_assert_uint_eq(run->bins.services[3].n_queries, 1000);
    ck_assert_double_eq(run->bins.times[9].end_s, 1);
    ck_assert_int_eq(run->info.n_ranks, 1);
    ck_assert_str_eq(run->info.nodes, "n[1-2]");
    ck_assert_uint_eq(run->info.n_restarts, 3);
    run_result_destroy(run);
    summary_destroy(s);
    record_destroy(total);
    meta_destroy(meta);
    unlink(SOUND);
}
END_TEST

// The head alone says whose file it is, and has nothing else; of a study that is not known, "".
START_TEST(head)
{
    const char *const digests[] = {"00112233445566778899aabbccddeeff", ""};
    struct meta *meta = fixture_meta();
    for (int i = 0; i < 2; i++) {
        struct err err = {0};
        ck_assert_int_eq(run_file_write(SOUND, digests[i], &err), 0);
        struct run_result *run = run_result_read(SOUND, DATASET_HEAD, &err);
        ck_assert_msg(run != NULL, "%s", err.text);
        ck_assert_str_eq(run->meta->study_name, meta->study_name);
        ck_assert_str_eq(run->meta->program_version, meta->program_version);
        ck_assert_str_eq(run->meta->study_digest, digests[i]);
        ck_assert_uint_eq(run->meta->n_services, 0);
        ck_assert_uint_eq(run->bins.n, 0);
        run_result_destroy(run);
    }
    meta_destroy(meta);
    unlink(SOUND);
}
END_TEST

// Of a run that was measured, the rows that compare it come back with their names; an interval is
// its half-width, as in all files.
START_TEST(fidelity_comes_back)
{
    struct err err = {0};
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *summary = summary_create(total, meta);
    struct run_info info = fixture_run();
    struct fidelity fidelity = {.n = 0};
    struct fidelity_row row = {{{0}}};
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++)
        row.number[i].error_frac = ci_none();
    fidelity_add(&fidelity, "measured", &row);
    row.number[FIDELITY_P95].value = 0.25;
    row.number[FIDELITY_P95].error_frac = (struct ci){-0.125, 0.5, 16};
    fidelity_add(&fidelity, "at its own speed", &row);
    const struct run_result_input in = {meta, summary, total, &info, &fidelity};
    ck_assert_msg(run_result_write(&in, SOUND, true, &err) == 0, "%s", err.text);
    struct run_result *run = run_result_read(SOUND, DATASET_ALL, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    ck_assert_uint_eq(run->fidelity.n, 2);
    ck_assert_str_eq(run->fidelity.names[0], "measured");
    ck_assert_str_eq(run->fidelity.names[1], "at its own speed");
    ck_assert_double_eq(run->fidelity.rows[1].number[FIDELITY_P95].value, 0.25);
    ck_assert_double_eq(run->fidelity.rows[1].number[FIDELITY_P95].error_frac.value, -0.125);
    ck_assert_double_eq(run->fidelity.rows[1].number[FIDELITY_P95].error_frac.half_95, 0.5);
    ck_assert_double_nan(run->fidelity.rows[0].number[FIDELITY_P95].error_frac.value);
    run_result_destroy(run);
    fidelity_release(&fidelity);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    unlink(SOUND);
}
END_TEST

// No queries, no samples: still a whole file.
START_TEST(empty_run)
{
    struct err err = {0};
    struct meta *meta = fixture_meta();
    struct record_shape shape = fixture_shape(meta, 3, 1000);
    struct record *total = record_create(&shape);
    struct summary *summary = summary_create(total, meta);
    struct run_info info = fixture_run();
    const struct run_result_input in = {meta, summary, total, &info, NULL};
    int rc = run_result_write(&in, SOUND, false, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    struct run_result *run = run_result_read(SOUND, DATASET_ALL, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    ck_assert_uint_eq(run->bins.n, 3);
    ck_assert_uint_eq(run->fidelity.n, 0);
    run_result_destroy(run);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
    unlink(SOUND);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", round_trip}, {"core", head}, {"core", fidelity_comes_back}, {"limits", empty_run}};
    return suite_run("run_result", tests, sizeof tests / sizeof *tests);
}
