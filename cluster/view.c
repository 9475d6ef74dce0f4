// SPDX-License-Identifier: Apache-2.0
#include "cluster/view.h"

#include <string.h>

#include "base/mem.h"

enum {
    CHUNK_BYTES = 1024, // also the alignment of a chunk
    CHUNK_NEWS = CHUNK_BYTES / 16 - 1,
    MIN_BUCKET_NEWS = 4,   // below, turning buckets costs more than sorting
    MAX_BUCKET_NEWS = 256, // above, a bucket leaves the first-level cache
    MIN_BUCKETS_LOG2 = 4,
    MAX_BUCKETS_LOG2 = 16,
    MAX_SORT_BITS = 10,
    REPORT_BATCH = 256,
    CROWD_REPORTS = 4096, // over which it is counted how many found no free lane
    CROWD_SHARE = 32,     // one in so many is worth another plane
};

// Aligned to its size, so that the address of a news tells its chunk and whether it is the last.
struct view_chunk {
    struct view_chunk *next;
    uint64_t reserved;
    struct view_news news[CHUNK_NEWS];
};

_Static_assert(sizeof(struct view_news) == 16, "a news is 16 bytes");
_Static_assert(sizeof(struct view_chunk) == CHUNK_BYTES, "a chunk fills its alignment");

// A bucket is no longer than half the lookahead where that leaves it a few news: then little is
// reported for the bucket that time is in, which would have to be inserted.
static void size_ring(struct view *view, const struct view_config *config)
{
    double width_ns = (double)config->lookahead_ns / 2;
    double least_ns = MIN_BUCKET_NEWS / config->reports_per_ns;
    double most_ns = MAX_BUCKET_NEWS / config->reports_per_ns;
    width_ns = width_ns < least_ns ? least_ns : width_ns > most_ns ? most_ns : width_ns;
    while (view->bucket_shift < 40 && (double)(INT64_C(2) << view->bucket_shift) <= width_ns)
        view->bucket_shift++;
    uint32_t log2 = MIN_BUCKETS_LOG2;
    while (log2 < MAX_BUCKETS_LOG2 &&
           (INT64_C(1) << (log2 + view->bucket_shift)) < config->horizon_ns)
        log2++;
    view->bucket_mask = (UINT64_C(1) << log2) - 1;
    view->buckets = mem_calloc(view->bucket_mask + 1, sizeof *view->buckets);
}

static void reserve_staged(struct view *view, size_t n)
{
    if (n + 1 <= view->staged_cap)
        return;
    view->staged_cap = 2 * (n + 1);
    view->staged = mem_realloc(view->staged, view->staged_cap, sizeof *view->staged);
}

static void end_staged(struct view *view)
{
    view->staged[view->n_staged] = (struct view_news){.heard_ns = INT64_MAX};
}

struct view *view_create(const struct view_config *config)
{
    struct view *view = mem_calloc(1, sizeof *view);
    view->n_servers = config->n_servers;
    due_init(&view->due, config->n_servers, config->status_delay_ns, config->report_period_ns,
             config->in_lanes);
    if (config->in_lanes) {
        view->load = due_rests(&view->due);
        view->load_shift = DUE_REST_SHIFT;
        view->staged_end_ns = INT64_MAX;
    } else {
        view->load = mem_calloc(config->n_servers, sizeof *view->load);
    }
    size_ring(view, config);
    reserve_staged(view, MAX_BUCKET_NEWS);
    end_staged(view);
    return view;
}

// The chunk that is being filled; NULL in an empty bucket.
static struct view_chunk *chunk_of(struct view_bucket bucket)
{
    uintptr_t tail = (uintptr_t)bucket.tail;
    return tail ? (struct view_chunk *)((tail - 1) & ~(uintptr_t)(CHUNK_BYTES - 1)) : NULL;
}

// News in the first chunk of a bucket; all further ones are full.
static size_t n_in_first(struct view_bucket bucket)
{
    return (size_t)(bucket.tail - chunk_of(bucket)->news);
}

static size_t n_in_bucket(struct view_bucket bucket)
{
    size_t n = n_in_first(bucket);
    for (const struct view_chunk *chunk = chunk_of(bucket)->next; chunk; chunk = chunk->next)
        n += CHUNK_NEWS;
    return n;
}

static void free_chunks(struct view_chunk *chunk)
{
    while (chunk) {
        struct view_chunk *next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
}

void view_destroy(struct view *view)
{
    if (!view)
        return;
    for (uint64_t i = 0; i <= view->bucket_mask; i++)
        free_chunks(chunk_of(view->buckets[i]));
    for (int level = 0; level < VIEW_FAR_LEVELS; level++)
        free_chunks(chunk_of(view->far[level]));
    free_chunks(view->free_chunks);
    mem_free(view->buckets);
    mem_free(view->staged);
    if (view->due.n_planes == 0)
        mem_free(view->load);
    due_release(&view->due);
    mem_free(view);
}

static __attribute__((noinline)) void add_chunk(struct view *view, struct view_bucket *bucket)
{
    struct view_chunk *fresh = view->free_chunks;
    if (fresh)
        view->free_chunks = fresh->next;
    else
        fresh = mem_aligned(CHUNK_BYTES, sizeof *fresh);
    fresh->next = chunk_of(*bucket);
    bucket->tail = fresh->news;
}

// Touches the bucket and the place of the news and reads neither: a store that misses the cache
// waits for nobody.
static inline void append(struct view *view, struct view_bucket *bucket, int64_t heard,
                          uint32_t server, uint32_t weight)
{
    if (__builtin_expect(((uintptr_t)bucket->tail & (CHUNK_BYTES - 1)) == 0, 0))
        add_chunk(view, bucket);
    struct view_news *news = bucket->tail++;
    view->n_waiting++;
    news->heard_ns = heard;
    news->server = server;
    news->weight = weight;
}

static __attribute__((noinline)) void insert_staged(struct view *view, int64_t heard,
                                                    uint32_t server, uint32_t weight)
{
    reserve_staged(view, view->n_staged + 1);
    size_t i = view->n_staged++;
    for (; i > view->n_applied && view->staged[i - 1].heard_ns > heard; i--)
        view->staged[i] = view->staged[i - 1];
    view->staged[i] = (struct view_news){heard, server, weight};
    end_staged(view);
}

static uint64_t half_turn_places(const struct view *view)
{
    return view->bucket_mask / 2 + 1;
}

// Kept out of the way of the many that are near.
static __attribute__((noinline)) void append_far(struct view *view, int64_t heard, uint32_t server,
                                                 uint32_t weight)
{
    uint64_t half_turn = ((uint64_t)heard >> view->bucket_shift) / half_turn_places(view);
    int level = 63 - __builtin_clzll(half_turn ^ view->half_turn);
    append(view, &view->far[level], heard, server, weight);
}

static inline void place_news(struct view *view, int64_t heard, uint32_t server, uint32_t weight)
{
    if (__builtin_expect(heard < view->staged_end_ns, 0)) {
        insert_staged(view, heard, server, weight);
        return;
    }
    uint64_t ahead = (uint64_t)(heard - view->staged_end_ns) >> view->bucket_shift;
    uint64_t place = ((uint64_t)heard >> view->bucket_shift) & view->bucket_mask;
    if (__builtin_expect(ahead < view->bucket_mask, 1))
        append(view, &view->buckets[place], heard, server, weight);
    else
        append_far(view, heard, server, weight);
}

static inline void place_report(struct view *view, const struct completion *report)
{
    int64_t heard = due_at_ns(&view->due, report->end_ns), weight = report->weight;
    for (; __builtin_expect(weight > UINT32_MAX, 0); weight -= UINT32_MAX)
        place_news(view, heard, report->server, UINT32_MAX);
    place_news(view, heard, report->server, (uint32_t)weight);
}

static void recycle(struct view *view, struct view_chunk *chunk)
{
    while (chunk) {
        struct view_chunk *next = chunk->next;
        chunk->next = view->free_chunks;
        view->free_chunks = chunk;
        chunk = next;
    }
}

static struct view_bucket take_bucket(struct view_bucket *bucket)
{
    struct view_bucket taken = *bucket;
    bucket->tail = NULL;
    return taken;
}

// A half turn begins. What differed from the one before in a bit above the lowest of the new number
// still does; what differed in one below was in the past of it.
static void begin_half_turn(struct view *view, uint64_t half_turn)
{
    view->half_turn = half_turn;
    if (half_turn == 0) // the first: nothing was before it
        return;
    struct view_bucket far = take_bucket(&view->far[__builtin_ctzll(half_turn)]);
    if (!far.tail)
        return;
    size_t n = n_in_first(far);
    view->n_waiting -= n_in_bucket(far);
    for (struct view_chunk *chunk = chunk_of(far); chunk; chunk = chunk->next, n = CHUNK_NEWS)
        for (size_t i = 0; i < n; i++)
            place_news(view, chunk->news[i].heard_ns, chunk->news[i].server, chunk->news[i].weight);
    recycle(view, chunk_of(far));
}

static void apply_bucket(struct view *view, uint64_t place)
{
    struct view_bucket bucket = take_bucket(&view->buckets[place & view->bucket_mask]);
    if (!bucket.tail)
        return;
    view->n_waiting -= n_in_bucket(bucket);
    size_t n = n_in_first(bucket);
    for (struct view_chunk *chunk = chunk_of(bucket); chunk; chunk = chunk->next, n = CHUNK_NEWS)
        for (size_t i = 0; i < n; i++)
            *view_rest(view, chunk->news[i].server) -= chunk->news[i].weight;
    recycle(view, chunk_of(bucket));
}

static void apply_staged(struct view *view)
{
    for (size_t i = view->n_applied; i < view->n_staged; i++)
        *view_rest(view, view->staged[i].server) -= view->staged[i].weight;
    view->n_applied = view->n_staged = 0;
}

// Scatters a bucket into `staged` by the leading bits of the time inside it, less than one news a
// cell, so that the insertion pass that follows finds almost everything in place.
static void scatter(struct view *view, struct view_bucket bucket, uint32_t bits)
{
    uint32_t start[(1 << MAX_SORT_BITS) + 1];
    uint64_t cells = (UINT64_C(1) << bits) - 1;
    uint32_t shift = view->bucket_shift - bits;
    struct view_news *staged = view->staged;
    memset(start, 0, (cells + 2) * sizeof *start);
    size_t n = n_in_first(bucket);
    for (struct view_chunk *chunk = chunk_of(bucket); chunk; chunk = chunk->next, n = CHUNK_NEWS)
        for (size_t i = 0; i < n; i++)
            start[(((uint64_t)chunk->news[i].heard_ns >> shift) & cells) + 1]++;
    for (uint64_t i = 1; i <= cells; i++)
        start[i] += start[i - 1];
    n = n_in_first(bucket);
    for (struct view_chunk *chunk = chunk_of(bucket); chunk; chunk = chunk->next, n = CHUNK_NEWS)
        for (size_t i = 0; i < n; i++) {
            uint64_t cell = ((uint64_t)chunk->news[i].heard_ns >> shift) & cells;
            staged[start[cell]++] = chunk->news[i];
        }
}

static void insertion_pass(struct view_news *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (v[i].heard_ns >= v[i - 1].heard_ns)
            continue;
        struct view_news news = v[i];
        size_t j = i;
        for (; j > 0 && v[j - 1].heard_ns > news.heard_ns; j--)
            v[j] = v[j - 1];
        v[j] = news;
    }
}

static void stage_bucket(struct view *view, uint64_t place)
{
    struct view_bucket bucket = take_bucket(&view->buckets[place & view->bucket_mask]);
    if (bucket.tail) {
        view->n_staged = n_in_bucket(bucket);
        view->n_waiting -= view->n_staged;
        reserve_staged(view, view->n_staged);
        uint32_t bits = 0;
        while (bits < MAX_SORT_BITS && bits < view->bucket_shift &&
               (1u << bits) < 2 * view->n_staged)
            bits++;
        scatter(view, bucket, bits);
        recycle(view, chunk_of(bucket));
        insertion_pass(view->staged, view->n_staged);
    }
    end_staged(view);
}

static void turn(struct view *view, int64_t t_ns)
{
    uint64_t place = (uint64_t)view->staged_end_ns >> view->bucket_shift;
    uint64_t last = (uint64_t)t_ns >> view->bucket_shift, half = half_turn_places(view);
    apply_staged(view);
    for (; place <= last; place++) {
        if (view->n_waiting == 0) { // an idle gap, however long
            view->half_turn = last / half;
            place = last + 1;
            break;
        }
        if (place % half == 0) {
            view->staged_end_ns = (int64_t)(place << view->bucket_shift);
            begin_half_turn(view, place / half);
        }
        if (place < last)
            apply_bucket(view, place);
    }
    view->staged_end_ns = (int64_t)(place << view->bucket_shift);
    stage_bucket(view, last);
}

void view_turn(struct view *view, int64_t t_ns)
{
    turn(view, t_ns);
    if (view->due.n_planes > 0 && view->n_waiting == 0 && view->n_staged == 0)
        view->staged_end_ns = INT64_MAX; // nothing to turn for
}

// ---- lanes --------------------------------------------------------------------------------------

// Into the calendar. It may not know yet how late it is.
static void spill(struct view *view, const struct completion *report)
{
    if (view->staged_end_ns == INT64_MAX) {
        view->staged_end_ns = 0;
        turn(view, view->now_ns); // empty: one step
    }
    place_report(view, report);
}

// Another plane is worth its memory where lanes run out often; not for reports too heavy for
// lanes, or due beyond their reach.
static void count_crowd(struct view *view, size_t n)
{
    view->n_reports += n;
    if (view->n_reports < CROWD_REPORTS)
        return;
    if (view->n_crowded > view->n_reports / CROWD_SHARE && view->due.n_planes < DUE_MOST_PLANES)
        due_grow(&view->due);
    view->n_reports = view->n_crowded = 0;
}

void view_report(struct view *view, const struct completion *completions, size_t n)
{
    if (view->due.n_planes == 0) {
        for (size_t i = 0; i < n; i++)
            place_report(view, &completions[i]);
        return;
    }
    const int64_t reach_ns = INT32_MAX - (INT64_C(1) << DUE_BASE_SHIFT);
    uint32_t left[REPORT_BATCH];
    for (size_t m; n > 0; completions += m, n -= m) {
        m = n < REPORT_BATCH ? n : REPORT_BATCH;
        size_t n_left = view->due.kernel->put(&view->due, completions, m, view->now_ns, left);
        for (size_t i = 0; i < n_left; i++) {
            const struct completion *report = &completions[left[i]];
            view->n_crowded += report->weight <= DUE_FIRST_LANES &&
                               due_at_ns(&view->due, report->end_ns) - view->now_ns <= reach_ns;
            spill(view, report);
        }
        count_crowd(view, m);
    }
}

void view_ask(const struct view *view, const struct query *queries, size_t n,
              const uint32_t *servers, uint32_t d, uint8_t *under_way)
{
    if (view->due.n_planes > 0) {
        view->due.kernel->count(&view->due, queries, n, servers, d, under_way);
        return;
    }
    memset(under_way, 0, n * d);
    for (size_t k = 0; k < n * d; k++)
        __builtin_prefetch(view_rest(view, servers[k]), 1);
}

int64_t view_load_of(const struct view *view, uint32_t server)
{
    uint8_t under_way;
    view_ask(view, &(struct query){.arrive_ns = view->now_ns}, 1, &server, 1, &under_way);
    return *view_rest(view, server) + under_way;
}

// ---- as bytes -----------------------------------------------------------------------------------

static void save_bucket(struct view_bucket bucket, struct blob *blob)
{
    if (!bucket.tail)
        return;
    size_t n = n_in_first(bucket);
    for (const struct view_chunk *chunk = chunk_of(bucket); chunk; chunk = chunk->next) {
        blob_put(blob, chunk->news, n * sizeof *chunk->news);
        n = CHUNK_NEWS;
    }
}

// What is in lanes as news, all of one time as one; returns how many.
static uint64_t save_lanes(const struct view *view, struct blob *blob)
{
    uint64_t n_news = 0;
    for (uint32_t s = 0; view->due.n_planes > 0 && s < view->n_servers; s++) {
        int64_t times_ns[DUE_MOST_LANES];
        size_t n = due_times(&view->due, s, view->now_ns, times_ns);
        for (size_t i = 0, of_one; i < n; i += of_one, n_news++) {
            for (of_one = 1; i + of_one < n && times_ns[i + of_one] == times_ns[i];)
                of_one++;
            struct view_news news = {times_ns[i], s, (uint32_t)of_one};
            blob_put(blob, &news, sizeof news);
        }
    }
    return n_news;
}

// The same whether news is in lanes or in the calendar.
void view_save(const struct view *view, struct blob *blob)
{
    uint64_t n_news = view->n_staged - view->n_applied;
    for (uint32_t s = 0; s < view->n_servers; s++)
        blob_put_i64(blob, view_load_of(view, s));
    blob_put_i64(blob, view->now_ns);
    size_t n_at = blob->n;
    blob_put_u64(blob, 0);
    blob_put(blob, view->staged + view->n_applied, n_news * sizeof *view->staged);
    for (uint64_t i = 0; i <= view->bucket_mask; i++)
        save_bucket(view->buckets[i], blob);
    for (int level = 0; level < VIEW_FAR_LEVELS; level++)
        save_bucket(view->far[level], blob);
    n_news += view->n_waiting + save_lanes(view, blob);
    memcpy(blob->bytes + n_at, &n_news, sizeof n_news);
}

void view_load(struct view *view, struct blob_reader *reader)
{
    for (uint32_t s = 0; s < view->n_servers; s++)
        *view_rest(view, s) = blob_get_i64(reader);
    int64_t now_ns = blob_get_i64(reader);
    uint64_t n = blob_get_u64(reader);
    if (now_ns < 0 || n > blob_left(reader) / sizeof(struct view_news)) {
        blob_refuse(reader);
        return;
    }
    view_advance(view, now_ns); // empty as yet: one step, however late it is
    for (uint64_t i = 0; i < n; i++) {
        struct view_news news;
        blob_get(reader, &news, sizeof news);
        if (news.server >= view->n_servers || news.heard_ns <= now_ns ||
            news.heard_ns > INT64_MAX / 2) {
            blob_refuse(reader);
            return;
        }
        int64_t end_ns = news.heard_ns - view->due.status_delay_ns; // a multiple of the period
        view_report(view, &(struct completion){end_ns, news.weight, news.server, 0}, 1);
    }
}
