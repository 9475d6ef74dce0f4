// SPDX-License-Identifier: Apache-2.0
#include "results/file/load.h"

#include <hdf5.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "results/file/hurt.h"
#include "results/file/run_file.h"
#include "support/suite_mpi.h"

#define SOUND "test_load_sound.h5"
#define HURT "test_load_hurt.h5"

static void make_sound(void)
{
    struct err err = {0};
    int rc = run_file_write(SOUND, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
}

static void *open_run(const char *path, struct err *err)
{
    return load_open(path, err);
}

static const struct hurt_reader reader = {SOUND, HURT, make_sound, open_run};

// What was stored comes back: names, numbers with intervals, bins, the study to the byte.
START_TEST(round_trip)
{
    struct err err = {0};
    make_sound();
    struct load *load = load_open(SOUND, &err);
    ck_assert_msg(load != NULL, "%s", err.text);
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *s = summary_create(total, meta);
    ck_assert_str_eq(load->meta->study_text, meta->study_text);
    ck_assert_str_eq(load->meta->services[1].name, "ads, banner");
    ck_assert_str_eq(load->meta->groups[1].platform, "skylake");
    ck_assert_uint_eq(load->meta->groups[1].streams, 1);
    ck_assert_uint_eq(load->meta->traffic_fingerprint, meta->traffic_fingerprint);
    ck_assert_int_eq(load->meta->services[0].sla_ns, 25 * SIMTIME_MS);
    ck_assert_mem_eq(load->meta->server_group, meta->server_group, 4 * sizeof(uint32_t));
    for (uint32_t i = 0; i <= 2; i++) {
        const struct summary_service *a = &load->summary->services[i], *b = &s->services[i];
        ck_assert_uint_eq(a->n_queries, b->n_queries);
        ck_assert_uint_eq(a->n_run_answered, b->n_run_answered);
        ck_assert_double_eq(a->lost_frac.value, b->lost_frac.value);
        ck_assert_int_eq(a->sla, b->sla);
        ck_assert_double_eq(a->latency_s[2].value, b->latency_s[2].value);
        ck_assert_double_eq(a->latency_s[2].half_95, b->latency_s[2].half_95);
        ck_assert_uint_eq(a->latency_s[2].n_batches, b->latency_s[2].n_batches);
        ck_assert_double_eq(a->served_qps.half_99, b->served_qps.half_99);
    }
    ck_assert_double_eq(load->summary->fleet.energy_j, s->fleet.energy_j);
    ck_assert_int_eq(load->summary->fleet.to_ns, SIMTIME_S);
    ck_assert_uint_eq(load->bins.n, 10);
    ck_assert_uint_eq(load->bins.n_queries[3], 1000);
    ck_assert_double_eq(load->bins.end_s[9], 1);
    ck_assert_int_eq(load->n_ranks, 1);
    ck_assert_str_eq(load->git_revision, "0123abc");
    ck_assert_str_eq(load->meta->study_digest, meta->study_digest);
    ck_assert_str_eq(load->job_id, "4711");
    ck_assert_str_eq(load->nodes, "n[1-2]");
    ck_assert_int_eq(load->n_nodes, 2);
    ck_assert_uint_eq(load->n_restarts, 3);
    load_close(load);
    summary_destroy(s);
    record_destroy(total);
    meta_destroy(meta);
    unlink(SOUND);
}
END_TEST

// Cut anywhere, the file is refused with one line (only without its last bytes, the seal, whole).
START_TEST(truncated)
{
    hurt_cut(&reader, 97, "not an HDF5 file, or a truncated one");
}
END_TEST

// A flipped bit anywhere is found.
START_TEST(flipped)
{
    hurt_flipped(&reader, 53);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    hurt_foreign(&reader);
}
END_TEST

// Without a seal the file is still read.
START_TEST(no_seal)
{
    struct err err = {0};
    H5Fclose(hurt_edit(&reader));
    struct load *load = load_open(HURT, &err);
    ck_assert_msg(load != NULL, "%s", err.text);
    load_close(load);
    unlink(HURT);
}
END_TEST

// A file of before there were failures lacks what is about them: then nothing was lost.
START_TEST(before_failures)
{
    const char *const names[] = {"n_lost",
                                 "n_pending",
                                 "n_retries",
                                 "lost_frac",
                                 "lost_frac_half_95",
                                 "lost_frac_half_99",
                                 "lost_frac_n_batches",
                                 "n_run_generated",
                                 "n_run_answered",
                                 "n_run_lost",
                                 "n_run_in_flight"};
    struct err err = {0};
    char path[64];
    hid_t file = hurt_edit(&reader);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/summary/%s", names[i]);
        ck_assert_int_ge(H5Ldelete(file, path, H5P_DEFAULT), 0);
        snprintf(path, sizeof path, "/total/%s", names[i]);
        ck_assert_int_ge(H5Ldelete(file, path, H5P_DEFAULT), 0);
    }
    H5Adelete(file, "has_outages");
    H5Fclose(file);
    struct load *load = load_open(HURT, &err);
    ck_assert_msg(load != NULL, "%s", err.text);
    ck_assert(!summary_has_losses(load->summary) && !load->meta->has_outages);
    ck_assert_uint_eq(summary_total(load->summary)->n_queries, 20000);
    load_close(load);
    unlink(HURT);
}
END_TEST

// A missing dataset, a newer layout, a code that means nothing, are each named.
START_TEST(wrong_inside)
{
    int32_t version = 99, code = 77;
    hid_t file = hurt_edit(&reader);
    H5Ldelete(file, "/summary/latency_s", H5P_DEFAULT);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "/summary/latency_s");

    file = hurt_edit(&reader);
    hid_t id = H5Aopen(file, "schema_version", H5P_DEFAULT);
    H5Awrite(id, H5T_NATIVE_INT32, &version);
    H5Aclose(id);
    H5Fclose(file);
    hurt_refuses(&reader, HURT, "schema version 99");

    hurt_overwrite(&reader, "/total/verdict", H5T_NATIVE_INT32, &code);
    hurt_refuses(&reader, HURT, "unknown code");
    unlink(HURT);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", round_trip}, {"core", no_seal},   {"core", before_failures}, {"errors", truncated},
        {"errors", flipped},  {"errors", foreign}, {"errors", wrong_inside}};
    return suite_mpi_run(&argc, &argv, "load", tests, sizeof tests / sizeof *tests);
}
