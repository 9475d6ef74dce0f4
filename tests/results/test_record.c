// SPDX-License-Identifier: Apache-2.0
#include "results/record.h"

#include <string.h>

#include "base/simtime.h"
#include "results/fixture.h"
#include "support/suite.h"

// Each time lies in the bin whose start is at or before it and whose end is after it.
START_TEST(bins_hold_their_times)
{
    const struct record_shape shapes[] = {{1, 1, 7, 1, 0, 1000, 0, 0},
                                          {1, 1, 8, 1, 13, 1000, 0, 0},
                                          {1, 1, 40, 1, 0, SIMTIME_LONGEST, 0, 0},
                                          {1, 1, 3, 1, 999, 1001, 0, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct record_shape *s = &shapes[i];
        ck_assert_int_eq(record_bin_start_ns(s, 0), 0);
        ck_assert_int_eq(record_bin_start_ns(s, s->n_bins), s->end_ns);
        for (uint32_t bin = 0; bin < s->n_bins; bin++) {
            int64_t start_ns = record_bin_start_ns(s, bin);
            int64_t end_ns = record_bin_start_ns(s, bin + 1);
            ck_assert(start_ns < end_ns);
            ck_assert_uint_eq(record_bin_of(s, start_ns), bin);
            ck_assert_uint_eq(record_bin_of(s, end_ns - 1), bin);
        }
    }
}
END_TEST

// A given warm-up is bin 0, exactly as long as it says.
START_TEST(warmup_is_bin_0)
{
    struct record_shape shape = {1, 1, 5, 1, 100, 500, 0, 0};
    ck_assert_int_eq(record_bin_start_ns(&shape, 1), 100);
    ck_assert_uint_eq(record_bin_of(&shape, 99), 0);
    ck_assert_uint_eq(record_bin_of(&shape, 100), 1);
    ck_assert_int_eq(record_bin_start_ns(&shape, 2), 200);
}
END_TEST

// More bins than nanoseconds: some are empty, and no time is lost between them.
START_TEST(bins_shorter_than_1_ns)
{
    struct record_shape shape = {1, 1, 10, 1, 0, 4, 0, 0};
    for (int64_t t = 0; t < 4; t++) {
        uint32_t bin = record_bin_of(&shape, t);
        ck_assert(record_bin_start_ns(&shape, bin) <= t &&
                  t < record_bin_start_ns(&shape, bin + 1));
    }
}
END_TEST

// The cells of a record are separate places.
START_TEST(cells_are_apart)
{
    struct record_shape shape = {3, 2, 4, 5, 0, 100, 0, 0};
    struct record *r = record_create(&shape);
    uint32_t n = 0;
    for (uint32_t bin = 0; bin < 4; bin++) {
        for (uint32_t service = 0; service < 3; service++) {
            for (int path = 0; path < N_PATHS; path++)
                record_tally(r, bin, service, (enum record_path)path)->hist[0] = ++n;
        }
    }
    n = 0;
    for (uint32_t bin = 0; bin < 4; bin++) {
        for (uint32_t service = 0; service < 3; service++) {
            for (int path = 0; path < N_PATHS; path++)
                ck_assert_uint_eq(record_tally(r, bin, service, (enum record_path)path)->hist[0],
                                  ++n);
        }
    }
    record_destroy(r);
}
END_TEST

// Merging the parts of a record gives the whole, whatever the number of parts.
START_TEST(parts_make_the_whole)
{
    struct meta *meta = fixture_meta();
    struct record *whole = fixture_part(meta, 0, 1);
    for (uint32_t n_parts = 2; n_parts <= 3; n_parts++) {
        struct record *sum = fixture_part(meta, 0, n_parts);
        for (uint32_t part = 1; part < n_parts; part++) {
            struct record *other = fixture_part(meta, part, n_parts);
            record_merge(sum, other);
            record_destroy(other);
        }
        record_sort_samples(sum);
        fixture_same_records(sum, whole);
        record_destroy(sum);
    }
    record_destroy(whole);
    meta_destroy(meta);
}
END_TEST

// The range of a tally's histogram is that of its first and last bucket that is not empty.
START_TEST(range_is_tight)
{
    struct meta *meta = fixture_meta();
    struct record *r = fixture_part(meta, 0, 1);
    uint32_t n_found = 0, first, last;
    for (size_t i = 0; i < 40; i++) {
        const uint32_t *hist = r->tallies[i].hist;
        uint64_t n = 0;
        if (!record_tally_range(&r->tallies[i], &first, &last)) {
            ck_assert_uint_eq(r->tallies[i].n_queries, 0);
            continue;
        }
        ck_assert(hist[first] > 0 && hist[last] > 0);
        for (uint32_t k = first; k <= last; k++)
            n += hist[k];
        ck_assert_uint_eq(n, r->tallies[i].n_queries);
        n_found++;
    }
    ck_assert_uint_gt(n_found, 10);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// A cleared record is a new one, and what is then added is all there is; other times are fine,
// another number of bins is not.
START_TEST(cleared_is_new)
{
    struct meta *meta = fixture_meta();
    struct record *used = fixture_part(meta, 0, 2), *part = fixture_part(meta, 1, 2);
    struct record_shape shape = used->shape;
    // Also queries without an end, in a tally (of the other part's service) that has no latency.
    record_tally(used, 0, 1, PATH_CPU)->n_lost = 2;
    used->n_generated[1] = 3;
    ck_assert(record_reshape(used, &shape));
    ck_assert_uint_eq(used->n_samples, 0);
    record_merge(used, part);
    fixture_same_records(used, part);
    shape.end_ns *= 3;
    ck_assert(record_reshape(used, &shape));
    ck_assert_int_eq(used->shape.end_ns, shape.end_ns);
    shape.n_bins++;
    ck_assert(!record_reshape(used, &shape));
    record_destroy(used);
    record_destroy(part);
    meta_destroy(meta);
}
END_TEST

// Samples are ordered by arrival, then cell, then number, whatever order they came in.
START_TEST(samples_have_one_order)
{
    struct record_shape shape = {1, 1, 1, 1, 0, 100, 0, 0};
    struct record *r = record_create(&shape);
    const struct query_sample unordered[] = {{.arrive_ns = 9},
                                             {.arrive_ns = 3, .cell = 1},
                                             {.arrive_ns = 3, .cell = 0, .seq = 5},
                                             {.arrive_ns = 3, .cell = 0, .seq = 4}};
    for (size_t i = 0; i < 1000; i++)
        record_add_sample(r, &unordered[i % 4]);
    record_sort_samples(r);
    ck_assert_uint_eq(r->n_samples, 1000);
    ck_assert_uint_eq(r->samples[0].seq, 4);
    ck_assert_uint_eq(r->samples[250].seq, 5);
    ck_assert_uint_eq(r->samples[500].cell, 1);
    ck_assert_int_eq(r->samples[750].arrive_ns, 9);
    record_destroy(r);
}
END_TEST

// Nothing was measured: destroying, and destroying nothing, is fine.
START_TEST(empty_is_fine)
{
    struct record_shape shape = {1, 1, 1, 0, 0, 1, 0, 0};
    struct record *r = record_create(&shape);
    record_sort_samples(r);
    record_destroy(r);
    record_destroy(NULL);
}
END_TEST

// Adding a tally adds each of its sums, which lie side by side, and keeps the longest latency; the
// histogram is not touched.
START_TEST(tallies_add)
{
    struct tally a = {.latency_max_ns = 5}, b = {.latency_max_ns = 4, .n_retries = 9};
    uint64_t *words = &b.n_queries, *sums = &a.n_queries;
    b.latency_sq_sum_ns2 = (unsigned __int128)1 << 100;
    for (int i = 0; i < TALLY_SUMS; i++)
        words[i] = (uint64_t)i + 1;
    record_add_tally(&a, &b);
    record_add_tally(&a, &b);
    for (int i = 0; i < TALLY_SUMS; i++)
        ck_assert_uint_eq(sums[i], 2 * ((uint64_t)i + 1));
    ck_assert(a.latency_sq_sum_ns2 == (unsigned __int128)1 << 101);
    ck_assert_int_eq(a.latency_max_ns, 5);
    ck_assert_ptr_null(a.hist);
    ck_assert_uint_eq(offsetof(struct tally, service_sum_ns) - offsetof(struct tally, n_queries),
                      (TALLY_SUMS - 1) * sizeof *sums);
}
END_TEST

// A record in which queries of service 1 have met all fates, in two bins and on both paths, and one
// of service 0 was answered.
static struct record *fates_record(void)
{
    struct record_shape shape = {2, 1, 3, 1, 0, 100, 0, 0};
    struct record *r = record_create(&shape);
    struct tally *cpu = record_tally(r, 0, 1, PATH_CPU), *accel = record_tally(r, 2, 1, PATH_ACCEL);
    *cpu = (struct tally){
        .n_queries = 10, .n_in_flight = 3, .n_lost = 2, .n_retries = 7, .hist = cpu->hist};
    *accel = (struct tally){.n_queries = 4, .n_pending = 5, .n_retries = 1, .hist = accel->hist};
    record_tally(r, 1, 0, PATH_CPU)->n_queries = 1;
    cpu->hist[0] = 10;
    accel->hist[0] = 4;
    record_tally(r, 1, 0, PATH_CPU)->hist[0] = 1;
    r->n_generated[0] = 1;
    r->n_generated[1] = 21;
    return r;
}

// What became of a service's queries is summed over bins and paths: answered, lost, or in flight,
// be their end known or not. Together they are those that were generated.
START_TEST(fates_add_up)
{
    struct record *r = fates_record();
    struct record_fates fates = record_fates(r, 1);
    ck_assert_uint_eq(fates.n_generated, 21);
    ck_assert_uint_eq(fates.n_answered, 7 + 4);
    ck_assert_uint_eq(fates.n_lost, 2);
    ck_assert_uint_eq(fates.n_in_flight, 3 + 5);
    fates = record_fates(r, 0);
    ck_assert_uint_eq(fates.n_generated, 1);
    ck_assert_uint_eq(fates.n_answered, 1);
    ck_assert_uint_eq(fates.n_lost + fates.n_in_flight, 0);
    record_destroy(r);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", bins_hold_their_times},
        {"core", warmup_is_bin_0},
        {"core", cells_are_apart},
        {"core", parts_make_the_whole},
        {"core", range_is_tight},
        {"core", cleared_is_new},
        {"core", samples_have_one_order},
        {"limits", bins_shorter_than_1_ns},
        {"core", tallies_add},
        {"core", fates_add_up},
        {"limits", empty_is_fine},
    };
    return suite_run("record", tests, sizeof tests / sizeof *tests);
}
