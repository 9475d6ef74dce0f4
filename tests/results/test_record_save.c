// SPDX-License-Identifier: Apache-2.0
// record_save() and record_load() of results/record.h.
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "results/record.h"
#include "support/suite.h"

static struct blob save(const struct record *record)
{
    struct blob blob = {0};
    record_save(record, &blob);
    return blob;
}

static int load(struct record *record, const void *bytes, size_t n, struct err *err)
{
    struct blob_reader reader = blob_read(bytes, n);
    if (record_load(record, &reader, err) != 0)
        return -1;
    return blob_end(&reader, err);
}

static void check_same(const struct record *a, const struct record *b)
{
    size_t n_tallies = (size_t)a->shape.n_bins * a->shape.n_services * N_PATHS;
    for (size_t i = 0; i < n_tallies; i++) {
        ck_assert_mem_eq(&a->tallies[i], &b->tallies[i], offsetof(struct tally, hist));
        ck_assert_mem_eq(a->tallies[i].hist, b->tallies[i].hist,
                         HIST_N_BUCKETS * sizeof *a->tallies[i].hist);
    }
    size_t n_groups = (size_t)a->shape.n_bins * a->shape.n_groups;
    ck_assert_mem_eq(a->groups, b->groups, n_groups * sizeof *a->groups);
    ck_assert_mem_eq(a->servers, b->servers, a->shape.n_servers * sizeof *a->servers);
    ck_assert_mem_eq(a->n_generated, b->n_generated, a->shape.n_services * sizeof *a->n_generated);
    ck_assert_uint_eq(a->n_samples, b->n_samples);
    if (a->n_samples > 0)
        ck_assert_mem_eq(a->samples, b->samples, a->n_samples * sizeof *a->samples);
}

// A record with something everywhere comes back as it was, down to the last bit.
START_TEST(comes_back)
{
    struct meta *meta = fixture_meta();
    struct record *record = fixture_part(meta, 0, 1), *back = record_create(&record->shape);
    record_tally(record, 3, 1, PATH_ACCEL)->latency_sq_sum_ns2 += (unsigned __int128)7 << 100;
    record->n_generated[1] = UINT64_C(1) << 40;
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    check_same(back, record);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
    meta_destroy(meta);
}
END_TEST

// A tally of which no query has an end has no histogram, and comes back all the same; twice, it has
// twice as many.
START_TEST(lost_come_back)
{
    struct record_shape shape = {2, 1, 2, 1, 0, SIMTIME_S};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    struct tally *t = record_tally(record, 1, 1, PATH_ACCEL);
    t->n_lost = 3;
    t->n_pending = 4;
    t->n_retries = 5;
    record->n_generated[1] = 7;
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    check_same(back, record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    t = record_tally(back, 1, 1, PATH_ACCEL);
    ck_assert_uint_eq(t->n_lost, 6);
    ck_assert_uint_eq(t->n_pending, 8);
    ck_assert_uint_eq(t->n_retries, 10);
    ck_assert_uint_eq(back->n_generated[0], 0);
    ck_assert_uint_eq(back->n_generated[1], 14);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
}
END_TEST

// Loading adds to what is there, exactly as merging does.
START_TEST(adds_like_merge)
{
    struct meta *meta = fixture_meta();
    struct record *a = fixture_part(meta, 0, 3), *b = fixture_part(meta, 1, 3);
    struct record *merged = fixture_part(meta, 0, 3);
    record_merge(merged, b);
    struct blob blob = save(b);
    ck_assert_int_eq(load(a, blob.bytes, blob.n, NULL), 0);
    check_same(a, merged);
    blob_release(&blob);
    record_destroy(a);
    record_destroy(b);
    record_destroy(merged);
    meta_destroy(meta);
}
END_TEST

// Servers that counted nothing are not saved, wherever they are; those that did find their place.
START_TEST(servers_in_runs)
{
    struct record_shape shape = {1, 1, 1, 1000, 0, SIMTIME_S};
    const uint32_t busy[] = {0, 1, 2, 500, 998, 999};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    struct blob none = save(record);
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++)
        record->servers[busy[i]].energy_uj = 1 + busy[i];
    struct blob blob = save(record);
    // Three runs of 8 bytes each and six servers.
    ck_assert_uint_eq(blob.n - none.n, 3 * 8 + 6 * sizeof *record->servers);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    check_same(back, record);
    blob_release(&none);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
}
END_TEST

// The state is as long as what was counted: here less than a hundredth of the record's room.
START_TEST(is_compact)
{
    struct record_shape shape = {2, 2, 100, 10, 0, SIMTIME_S};
    struct record *record = record_create(&shape);
    for (uint32_t bin = 0; bin < 100; bin++) {
        struct tally *t = record_tally(record, bin, 0, PATH_CPU);
        t->n_queries = 3;
        t->latency_max_ns = 1000000;
        t->hist[hist_index(1000000)] = 1;
        t->hist[hist_index(990000)] = 2;
    }
    struct blob blob = save(record);
    size_t room = 400 * HIST_N_BUCKETS * sizeof(uint32_t);
    ck_assert_uint_lt(blob.n, room / 100);
    blob_release(&blob);
    record_destroy(record);
}
END_TEST

// Nothing measured, no server, the longest latency there is, a bucket that is full.
START_TEST(ends_of_the_ranges)
{
    struct record_shape shape = {1, 1, 2, 0, 0, SIMTIME_S};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    check_same(back, record);
    struct tally *t = record_tally(record, 1, 0, PATH_ACCEL);
    t->n_queries = (uint64_t)UINT32_MAX + 1;
    t->latency_max_ns = INT64_MAX;
    t->hist[0] = 1;
    t->hist[HIST_N_BUCKETS - 1] = UINT32_MAX;
    blob_clear(&blob);
    record_save(record, &blob);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    check_same(back, record);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
}
END_TEST

// A small record with one of everything.
static struct record *small_record(void)
{
    struct record_shape shape = {1, 1, 2, 3, 0, SIMTIME_S};
    struct record *record = record_create(&shape);
    struct tally *t = record_tally(record, 1, 0, PATH_CPU);
    t->n_queries = 3;
    t->latency_max_ns = 9;
    t->hist[7] = 2;
    t->hist[9] = 1;
    t->n_lost = 1;
    record->n_generated[0] = 4;
    record_group(record, 0, 0)->cpu_busy_ns = 5;
    record->servers[1].n_queries = 3;
    record_add_sample(record, &(struct query_sample){.arrive_ns = 4, .latency_ns = 9, .server = 1});
    return record;
}

// Cut anywhere, the bytes are refused and the record is what it was.
START_TEST(cut_is_refused)
{
    struct record *record = small_record(), *into = small_record(), *same = small_record();
    struct blob blob = save(record);
    for (size_t n = 0; n < blob.n; n++) {
        struct err err = {0};
        // As long as it is: a sanitizer then sees a read behind the end.
        void *bytes = memcpy(mem_alloc(n), blob.bytes, n);
        ck_assert_int_eq(load(into, bytes, n, &err), -1);
        ck_assert_int_eq(err.code, ERR_FAIL);
        ck_assert_ptr_nonnull(strstr(err.text, "damaged state"));
        mem_free(bytes);
        check_same(into, same);
    }
    blob_release(&blob);
    record_destroy(record);
    record_destroy(into);
    record_destroy(same);
}
END_TEST

// Any byte changed is either refused, and then nothing has changed, or a record that can be used:
// it can be merged, saved and loaded again. (What finds every change is the file's checksum.)
START_TEST(changed_is_refused_or_sound)
{
    struct record *record = small_record(), *same = small_record();
    struct blob blob = save(record);
    const unsigned char masks[] = {0x01, 0x80, 0xff};
    unsigned refused = 0;
    for (size_t i = 0; i < blob.n; i++) {
        struct record *into = small_record();
        blob.bytes[i] ^= masks[i % 3];
        struct blob_reader reader = blob_read(blob.bytes, blob.n);
        if (record_load(into, &reader, NULL) != 0) {
            check_same(into, same);
            refused++;
        } else {
            struct record *again = record_create(&into->shape);
            struct blob saved = save(into);
            ck_assert_int_eq(load(again, saved.bytes, saved.n, NULL), 0);
            check_same(again, into);
            blob_release(&saved);
            record_destroy(again);
        }
        blob.bytes[i] ^= masks[i % 3];
        record_destroy(into);
    }
    // The shape (32 bytes), numbers of tallies and servers, ranges and counts, at least.
    ck_assert_uint_gt(refused, 60);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(same);
}
END_TEST

// A record of another shape is refused, even where only the times differ.
START_TEST(other_shape_is_refused)
{
    struct record *record = small_record();
    struct blob blob = save(record);
    for (int i = 0; i < 6; i++) {
        struct record_shape shape = record->shape;
        shape.n_services += i == 0;
        shape.n_groups += i == 1;
        shape.n_bins += i == 2;
        shape.n_servers += i == 3;
        shape.warmup_ns += i == 4;
        shape.end_ns += i == 5;
        struct record *other = record_create(&shape);
        struct err err = {0};
        ck_assert_int_eq(load(other, blob.bytes, blob.n, &err), -1);
        ck_assert_ptr_nonnull(strstr(err.text, "shape"));
        record_destroy(other);
    }
    blob_release(&blob);
    record_destroy(record);
}
END_TEST

// The same tally twice, or the same run of servers, is refused: the second would not find zeros.
START_TEST(twice_is_refused)
{
    struct record *record = small_record(), *into = record_create(&record->shape);
    struct blob blob = save(record), twice = {0};
    // Behind the shape: the one tally (number, 15 words, range, 3 counts), the mark behind it, the
    // groups, the one run of servers.
    size_t tally = 32, n_tally = 4 + 15 * 8 + 8 + 3 * 4;
    size_t run = tally + n_tally + 4 + 2 * sizeof *record->groups;
    size_t n_run = 8 + sizeof *record->servers;
    blob_put(&twice, blob.bytes, tally + n_tally);
    blob_put(&twice, blob.bytes + tally, blob.n - tally);
    ck_assert_int_eq(load(into, twice.bytes, twice.n, NULL), -1);
    blob_clear(&twice);
    blob_put(&twice, blob.bytes, run + n_run);
    blob_put(&twice, blob.bytes + run, blob.n - run);
    ck_assert_int_eq(load(into, twice.bytes, twice.n, NULL), -1);
    ck_assert_int_eq(load(into, blob.bytes, blob.n, NULL), 0);
    blob_release(&blob);
    blob_release(&twice);
    record_destroy(record);
    record_destroy(into);
}
END_TEST

// A number of samples that cannot be there asks for no memory.
START_TEST(many_samples_are_refused)
{
    struct record *record = small_record(), *into = record_create(&record->shape);
    struct blob blob = save(record);
    const uint64_t many[] = {2, UINT64_MAX, UINT64_MAX / sizeof(struct query_sample) + 1};
    size_t at = blob.n - sizeof(struct query_sample) - sizeof many[0];
    for (size_t i = 0; i < 3; i++) {
        memcpy(blob.bytes + at, &many[i], sizeof many[i]);
        ck_assert_int_eq(load(into, blob.bytes, blob.n, NULL), -1);
        ck_assert_uint_eq(into->samples_cap, 0);
    }
    blob_release(&blob);
    record_destroy(record);
    record_destroy(into);
}
END_TEST

// What would not fit when added is refused: a full bucket, a sum of times at its end.
START_TEST(overflow_is_refused)
{
    struct record *full = small_record(), *busy = small_record(), *into = small_record();
    struct tally *t = record_tally(full, 1, 0, PATH_CPU);
    t->n_queries += UINT32_MAX - t->hist[7];
    t->hist[7] = UINT32_MAX;
    busy->servers[2].energy_uj = INT64_MAX;
    into->servers[2].energy_uj = 1;
    struct blob counts = save(full), sums = save(busy);
    ck_assert_int_eq(load(into, counts.bytes, counts.n, NULL), -1);
    ck_assert_int_eq(load(into, sums.bytes, sums.n, NULL), -1);
    into->servers[2].energy_uj = 0;
    ck_assert_int_eq(load(into, sums.bytes, sums.n, NULL), 0);
    blob_release(&counts);
    blob_release(&sums);
    record_destroy(full);
    record_destroy(busy);
    record_destroy(into);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", comes_back},
        {"core", lost_come_back},
        {"core", adds_like_merge},
        {"core", servers_in_runs},
        {"core", is_compact},
        {"limits", ends_of_the_ranges},
        {"errors", cut_is_refused},
        {"errors", changed_is_refused_or_sound},
        {"errors", other_shape_is_refused},
        {"errors", twice_is_refused},
        {"errors", many_samples_are_refused},
        {"errors", overflow_is_refused},
    };
    return suite_run("record_save", tests, sizeof tests / sizeof *tests);
}
