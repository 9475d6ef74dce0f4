// SPDX-License-Identifier: Apache-2.0
#include "results/load.h"

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
#include "results/store.h"
#include "support/column_file.h"
#include "support/suite_mpi.h"

#define SOUND "test_load_sound.h5"
#define HURT "test_load_hurt.h5"

static void make_sound(void)
{
    struct meta *meta = fixture_meta();
    struct record *total = fixture_part(meta, 0, 1);
    struct summary *summary = summary_create(total, meta);
    struct run_info run = fixture_run();
    struct store_input in = {meta, summary, total, &run};
    struct err err = {0};
    int rc = store_write(MPI_COMM_SELF, SOUND, true, &in, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    summary_destroy(summary);
    record_destroy(total);
    meta_destroy(meta);
}

static void refuses(const char *path, const char *reason)
{
    struct err err = {0};
    ck_assert_ptr_null(load_open(path, &err));
    ck_assert_int_ne(err.code, ERR_NONE);
    ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s", err.text);
    ck_assert_msg(!reason || strstr(err.text, reason), "%s", err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

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
    size_t n;
    make_sound();
    unsigned char *bytes = column_file_slurp(SOUND, &n);
    for (size_t keep = 0; keep + 24 < n; keep += 1 + n / 97) {
        column_file_spit(HURT, bytes, keep);
        refuses(HURT, "not an HDF5 file, or a truncated one");
    }
    free(bytes);
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// A flipped bit anywhere is found.
START_TEST(flipped)
{
    size_t n;
    make_sound();
    unsigned char *bytes = column_file_slurp(SOUND, &n);
    for (size_t at = 0; at + 24 < n; at += 1 + n / 53) {
        bytes[at] ^= 0x10;
        column_file_spit(HURT, bytes, n);
        refuses(HURT, "checksum");
        bytes[at] ^= 0x10;
    }
    free(bytes);
    unlink(HURT);
    unlink(SOUND);
}
END_TEST

// Files of other kinds: none, empty, text, a folder, a device, HDF5 of another program.
START_TEST(foreign)
{
    refuses("test_load_absent.h5", "No such file");
    column_file_spit(HURT, "", 0);
    refuses(HURT, "not an HDF5 file");
    column_file_spit(HURT, "name: quickstart\n", 17);
    refuses(HURT, "not an HDF5 file");
    refuses("/", "not a regular file");
    refuses("/dev/full", "not a regular file");
    unlink(HURT);
    hid_t file = H5Fcreate(HURT, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refuses(HURT, "not a recfleet result");
    unlink(HURT);
}
END_TEST

// Opens the sound file for an edit by HDF5, which drops nothing but makes the seal wrong; so the
// seal is cut off too, as another tool's rewriting would.
static hid_t edit(void)
{
    size_t n;
    make_sound();
    unsigned char *bytes = column_file_slurp(SOUND, &n);
    column_file_spit(HURT, bytes, n - 24);
    free(bytes);
    unlink(SOUND);
    return H5Fopen(HURT, H5F_ACC_RDWR, H5P_DEFAULT);
}

// Without a seal the file is still read.
START_TEST(no_seal)
{
    struct err err = {0};
    H5Fclose(edit());
    struct load *load = load_open(HURT, &err);
    ck_assert_msg(load != NULL, "%s", err.text);
    load_close(load);
    unlink(HURT);
}
END_TEST

// A missing dataset, a newer layout, a code that means nothing, are each named.
START_TEST(wrong_inside)
{
    int32_t version = 99, code = 77;
    hid_t file = edit();
    H5Ldelete(file, "/summary/latency_s", H5P_DEFAULT);
    H5Fclose(file);
    refuses(HURT, "/summary/latency_s");

    file = edit();
    hid_t id = H5Aopen(file, "schema_version", H5P_DEFAULT);
    H5Awrite(id, H5T_NATIVE_INT32, &version);
    H5Aclose(id);
    H5Fclose(file);
    refuses(HURT, "schema version 99");

    file = edit();
    id = H5Dopen2(file, "/total/verdict", H5P_DEFAULT);
    H5Dwrite(id, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, &code);
    H5Dclose(id);
    H5Fclose(file);
    refuses(HURT, "unknown code");
    unlink(HURT);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {{"core", round_trip},  {"core", no_seal},
                                       {"errors", truncated}, {"errors", flipped},
                                       {"errors", foreign},   {"errors", wrong_inside}};
    return suite_mpi_run(&argc, &argv, "load", tests, sizeof tests / sizeof *tests);
}
