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

// A record with something everywhere comes back as it was, down to the last bit; loaded where there
// is something already, it is added exactly as merging does.
START_TEST(comes_back)
{
    struct meta *meta = fixture_meta();
    struct record *record = fixture_part(meta, 1, 3), *back = record_create(&record->shape);
    struct record *sum = fixture_part(meta, 0, 3), *merged = fixture_part(meta, 0, 3);
    record_tally(record, 3, 1, PATH_ACCEL)->latency_sq_sum_ns2 += (unsigned __int128)7 << 100;
    record->n_generated[1] = UINT64_C(1) << 40;
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    fixture_same_records(back, record);
    ck_assert_int_eq(load(sum, blob.bytes, blob.n, NULL), 0);
    record_merge(merged, record);
    fixture_same_records(sum, merged);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
    record_destroy(sum);
    record_destroy(merged);
    meta_destroy(meta);
}
END_TEST

// A tally of which no query has an end has no histogram, and comes back all the same; twice, it has
// twice as many.
START_TEST(lost_come_back)
{
    struct record_shape shape = {2, 1, 2, 1, 0, SIMTIME_S, 0, 0};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    struct tally *t = record_tally(record, 1, 1, PATH_ACCEL);
    t->n_lost = 3;
    t->n_pending = 4;
    t->n_retries = 5;
    record->n_generated[1] = 7;
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    fixture_same_records(back, record);
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

// The state is as long as what was counted: here of a hundred thousand servers those that did
// something, and less than a hundredth of the histograms' room. All find their place again.
START_TEST(is_compact)
{
    struct record_shape shape = {2, 2, 100, 100000, 0, SIMTIME_S, 0, 0};
    const uint32_t busy[] = {0, 1, 2, 500, 99998, 99999};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    for (uint32_t bin = 0; bin < 100; bin++) {
        struct tally *t = record_tally(record, bin, 0, PATH_CPU);
        t->n_queries = 3;
        t->latency_max_ns = 1000000;
        t->hist[hist_index(1000000)] = 1;
        t->hist[hist_index(990000)] = 2;
    }
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++)
        record->servers[busy[i]].energy_uj = 1 + busy[i];
    struct blob blob = save(record);
    ck_assert_uint_lt(blob.n, 400 * HIST_N_BUCKETS * sizeof(uint32_t) / 100);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    fixture_same_records(back, record);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
}
END_TEST

// Nothing measured, no server, the longest latency there is, a bucket that is full.
START_TEST(ends_of_the_ranges)
{
    struct record_shape shape = {1, 1, 2, 0, 0, SIMTIME_S, 0, 0};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    fixture_same_records(back, record);
    struct tally *t = record_tally(record, 1, 0, PATH_ACCEL);
    t->n_queries = (uint64_t)UINT32_MAX + 1;
    t->latency_max_ns = INT64_MAX;
    t->hist[0] = 1;
    t->hist[HIST_N_BUCKETS - 1] = UINT32_MAX;
    blob_clear(&blob);
    record_save(record, &blob);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    fixture_same_records(back, record);
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
}
END_TEST

// The slowest come back, and are joined with those that are there as merging does.
START_TEST(slowest_come_back)
{
    struct record_shape shape = {1, 1, 4, 3, 0, SIMTIME_S, 5, 0};
    struct record *record = record_create(&shape), *back = record_create(&shape);
    struct record *sum = record_create(&shape), *merged = record_create(&shape);
    for (int i = 0; i < 90; i++) {
        const struct query_sample query = {
            .arrive_ns = i * SIMTIME_S / 90, .latency_ns = i * 37 % 90, .seq = (uint64_t)i};
        record_add_slow(i % 2 ? record : sum, query);
        if (i % 2 == 0)
            record_add_slow(merged, query);
    }
    struct blob blob = save(record);
    ck_assert_int_eq(load(back, blob.bytes, blob.n, NULL), 0);
    ck_assert_int_eq(load(sum, blob.bytes, blob.n, NULL), 0);
    record_merge(merged, record);
    struct record *pairs[][2] = {{back, record}, {sum, merged}};
    for (int i = 0; i < 2; i++) {
        record_sort_samples(pairs[i][0]);
        record_sort_samples(pairs[i][1]);
        const struct slowest *a = pairs[i][0]->slowest, *b = pairs[i][1]->slowest;
        ck_assert(a->n >= 5 && a->n == b->n && memcmp(a->v, b->v, a->n * sizeof *a->v) == 0);
    }
    blob_release(&blob);
    record_destroy(record);
    record_destroy(back);
    record_destroy(sum);
    record_destroy(merged);
}
END_TEST

// A small record with one of everything.
static struct record *small_record(void)
{
    struct record_shape shape = {1, 1, 2, 3, 0, SIMTIME_S, 0, 0};
    struct record *record = record_create(&shape);
    struct tally *t = record_tally(record, 1, 0, PATH_CPU);
    t->n_queries = 3;
    t->latency_max_ns = 9;
    t->hist[7] = 2;
    t->hist[9] = 1;
    t->n_lost = 1;
    record->n_generated[0] = 4;
    record_group(record, 0, 0)->busy_ns[PART_CPU] = 5;
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
        fixture_same_records(into, same);
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
            fixture_same_records(into, same);
            refused++;
        } else {
            struct record *again = record_create(&into->shape);
            struct blob saved = save(into);
            ck_assert_int_eq(load(again, saved.bytes, saved.n, NULL), 0);
            fixture_same_records(again, into);
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

// The same tally twice, or the same server, is refused: the second would not find zeros.
START_TEST(twice_is_refused)
{
    struct record *record = small_record(), *into = record_create(&record->shape);
    struct blob blob = save(record), twice = {0};
    // Behind the shape: the one tally (number, 15 words, range, 3 counts), the mark behind it, the
    // groups, the one server.
    size_t tally = 32, n_tally = 4 + 15 * 8 + 8 + 3 * 4;
    size_t server = tally + n_tally + 4 + 2 * sizeof *record->groups;
    size_t n_server = 4 + sizeof *record->servers;
    blob_put(&twice, blob.bytes, tally + n_tally);
    blob_put(&twice, blob.bytes + tally, blob.n - tally);
    ck_assert_int_eq(load(into, twice.bytes, twice.n, NULL), -1);
    blob_clear(&twice);
    blob_put(&twice, blob.bytes, server + n_server);
    blob_put(&twice, blob.bytes + server, blob.n - server);
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
    // Of the sample; behind it is the number of the slowest, of which there are none.
    size_t at = blob.n - sizeof many[0] - sizeof(struct query_sample) - sizeof many[0];
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

// A bucket that would not hold the sum is refused, and the reason is not damage.
START_TEST(overflow_is_refused)
{
    struct record *full = small_record(), *into = small_record();
    struct tally *t = record_tally(full, 1, 0, PATH_CPU);
    struct err err = {0};
    t->n_queries += UINT32_MAX - t->hist[7];
    t->hist[7] = UINT32_MAX;
    struct blob blob = save(full);
    ck_assert_int_eq(load(into, blob.bytes, blob.n, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "2^32 or more queries of one latency"));
    blob_release(&blob);
    record_destroy(full);
    record_destroy(into);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", comes_back},
        {"core", slowest_come_back},
        {"core", lost_come_back},
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
