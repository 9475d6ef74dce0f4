// SPDX-License-Identifier: Apache-2.0
#include "results/timeline.h"

#include "support/suite.h"

static void put(struct timeline *timeline, int64_t ready_ns, int64_t begin_ns, int64_t end_ns)
{
    timeline_put(timeline, &(struct timeline_slice){ready_ns, begin_ns, end_ns, .unit = 0});
}

static void end(struct timeline *timeline, uint64_t seq, int64_t back_ns, bool lost)
{
    timeline_end(timeline, &(struct timeline_query){.seq = seq, .back_ns = back_ns, .lost = lost});
}

// ---- core ---------------------------------------------------------------------------------------

// What waits or runs in the range is kept, with the query it is of; what was over or comes later is
// not.
START_TEST(range)
{
    struct timeline timeline = {.from_ns = 100, .to_ns = 200};
    put(&timeline, 10, 10, 99);
    end(&timeline, 1, 99, false);
    put(&timeline, 20, 20, 90);
    put(&timeline, 20, 90, 101); // its second part reaches into the range
    end(&timeline, 2, 101, false);
    put(&timeline, 150, 250, 300); // waits in it
    end(&timeline, 3, 300, false);
    put(&timeline, 200, 200, 210);
    end(&timeline, 4, 210, false);
    ck_assert_uint_eq(timeline.n_queries, 2);
    ck_assert_uint_eq(timeline.n_slices, 2);
    ck_assert_uint_eq(timeline.queries[timeline.slices[0].query].seq, 2);
    ck_assert_int_eq(timeline.slices[0].begin_ns, 90);
    ck_assert_uint_eq(timeline.queries[timeline.slices[1].query].seq, 3);
    timeline_release(&timeline);
}
END_TEST

// A server that goes down at 150 ends what runs, drops what waits and leaves what was done.
START_TEST(lost)
{
    struct timeline timeline = {.from_ns = 100, .to_ns = 200};
    put(&timeline, 110, 110, 150);
    put(&timeline, 110, 120, 151);
    put(&timeline, 110, 150, 160);
    end(&timeline, 1, 150, true);
    end(&timeline, 2, 160, true); // refused: none of its parts began to wait
    end(&timeline, 3, 200, true);
    ck_assert_uint_eq(timeline.n_queries, 2);
    ck_assert_uint_eq(timeline.n_slices, 3);
    ck_assert_uint_eq(timeline.slices[0].fate, TIMELINE_DONE);
    ck_assert_uint_eq(timeline.slices[1].fate, TIMELINE_CUT);
    ck_assert_int_eq(timeline.slices[1].end_ns, 150);
    ck_assert_uint_eq(timeline.slices[2].fate, TIMELINE_DROPPED);
    ck_assert_int_eq(timeline.slices[2].begin_ns, 150);
    timeline_release(&timeline);
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// More than can be kept is noticed, and takes no more memory.
START_TEST(full)
{
    struct timeline timeline = {.to_ns = 200};
    uint32_t n_kept = 0;
    for (uint32_t i = 0; i < TIMELINE_MOST_SLICES + 10; i++) {
        put(&timeline, 1, 1, 2);
        end(&timeline, i, 2, false);
        n_kept += !timeline.full;
    }
    ck_assert(timeline.full);
    ck_assert_uint_eq(n_kept, TIMELINE_MOST_SLICES);
    ck_assert_uint_eq(timeline.n_slices, TIMELINE_MOST_SLICES);
    timeline_release(&timeline);
}
END_TEST

// ---- errors -------------------------------------------------------------------------------------

// As bytes and back; a part of the bytes is refused and nothing is changed.
START_TEST(bytes)
{
    struct timeline timeline = {.server = 7, .from_ns = 100, .to_ns = 200, .n_cores = 3},
                    copy = {0};
    struct blob blob = {0};
    struct err err = {0};
    put(&timeline, 110, 120, 130);
    end(&timeline, 5, 130, false);
    timeline_save(&timeline, &blob);
    struct blob_reader part = blob_read(blob.bytes, blob.n - 1);
    struct blob_reader whole = blob_read(blob.bytes, blob.n);
    ck_assert_int_eq(timeline_load(&copy, &part, &err), -1);
    ck_assert_uint_eq(copy.n_queries, 0);
    ck_assert_int_eq(timeline_load(&copy, &whole, &err), 0);
    ck_assert(copy.server == 7 && copy.n_cores == 3 && copy.n_slices == 1);
    ck_assert_uint_eq(copy.queries[0].seq, 5);
    ck_assert_int_eq(copy.slices[0].begin_ns, 120);
    blob_release(&blob);
    timeline_release(&copy);
    timeline_release(&timeline);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", range}, {"core", lost}, {"limits", full}, {"errors", bytes}};
    return suite_run("timeline", tests, sizeof tests / sizeof *tests);
}
