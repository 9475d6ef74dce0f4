// SPDX-License-Identifier: Apache-2.0
#include "traces/source.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"

#define BLOCK_MAX 512
// No run comes to so many queries.
#define SEQ_END (UINT64_C(1) << 62)

// Where a stream stands when n_taken entries of what follows the place are taken.
struct mark {
    _Alignas(8) unsigned char place[ARRIVAL_PLACE_MAX];
    uint64_t n_sizes;
    uint32_t n_taken;
};

// One service: arrivals and sizes made ahead, entries pos .. n_block - 1 not yet taken.
struct stream {
    struct arrival_config arrivals; // a shallow copy, with a trace of its own where none was loaded
    bool loaded_here;
    struct arrival *arrival;
    const struct qsize *sizes; // NULL: the arrivals carry sizes
    struct qsize *owned_sizes; // NULL where borrowed
    struct rng_stream size_draws;
    const struct qsize *histories; // NULL: none, or the arrivals carry them
    struct qsize *owned_histories; // NULL where borrowed
    struct rng_stream history_draws;
    const struct trace *trace; // whose records carry sizes or histories; NULL: none
    uint64_t n_sizes;          // drawn so far, histories likewise
    uint32_t pos;
    int64_t *arrive_ns;
    uint32_t *size_items;
    uint32_t *history_items; // NULL: all are 0
    uint32_t *records;       // room for the trace's; NULL without one
    struct mark buffer_mark; // of the buffer's first entry
    struct mark block_mark;  // of the first query after the block's start
};

struct source {
    uint32_t n_services, n_block;
    struct stream *streams;
    struct query *block; // entries pos .. n - 1 are made and not yet handed out
    uint32_t pos, n;
    bool ended; // nothing comes after the block
    bool any_history;
    uint64_t seq; // of the first query after the block
    int64_t end_ns, last_until_ns;
    // The uniform sample: gaps between sampled queries are geometric.
    struct rng_stream sample_draws;
    uint64_t n_sampled, next_sampled_seq;
    double sample_decay; // -log(1 - sample_frac); 0: no sample
    // As they were at the block's start: with the streams' block_mark, all that the block and what
    // follows is made from.
    uint64_t block_seq, block_n_sampled, block_next_sampled_seq;
};

static void stream_here(const struct stream *stream, struct mark *mark)
{
    arrival_get_place(stream->arrival, mark->place);
    mark->n_sizes = stream->n_sizes;
    mark->n_taken = 0;
}

// What the records of a trace carry.
static void take_records(struct stream *stream, uint32_t n)
{
    const struct trace *trace = stream->trace;
    for (uint32_t i = 0; !stream->sizes && i < n; i++)
        stream->size_items[i] = trace->size_items[stream->records[i]];
    for (uint32_t i = 0; stream->history_items && !stream->histories && i < n; i++)
        stream->history_items[i] = trace->history_items[stream->records[i]];
}

// Not inlined: it is called once in n_block times, and would cost every look at a head registers.
static __attribute__((noinline)) void stream_refill(struct stream *stream, uint32_t n)
{
    stream_here(stream, &stream->buffer_mark);
    arrival_fill(stream->arrival, n, stream->arrive_ns, stream->records);
    if (stream->records)
        take_records(stream, n);
    if (stream->sizes)
        qsize_fill(stream->sizes, &stream->size_draws, stream->n_sizes, n, stream->size_items);
    if (stream->histories)
        qsize_fill(stream->histories, &stream->history_draws, stream->n_sizes, n,
                   stream->history_items);
    if (stream->sizes || stream->histories)
        stream->n_sizes += n;
    stream->pos = 0;
}

static int64_t stream_head_ns(struct stream *stream, uint32_t n_block)
{
    if (stream->pos == n_block)
        stream_refill(stream, n_block);
    return stream->arrive_ns[stream->pos];
}

// Puts the next sampled query a geometric number of queries further on.
static void sample_skip(struct source *source)
{
    uint64_t words[2];
    double exponential;
    rng_block(&source->sample_draws, source->n_sampled++, words);
    rng_exponential(words, 1, &exponential);
    double skip = exponential / source->sample_decay;
    source->next_sampled_seq += skip < 0x1p61 ? (uint64_t)skip : UINT64_C(1) << 61;
}

// -log(1 - p) without cancellation for small p.
static double sample_decay(double p)
{
    if (p >= 1)
        return 1e300; // every gap is 0
    return p < 1e-4 ? p * (1 + p * (0.5 + p / 3)) : -rng_log(1 - p);
}

static void sample_init(struct source *source, const struct source_config *config)
{
    source->next_sampled_seq = UINT64_MAX;
    if (!(config->sample_frac > 0))
        return;
    source->sample_draws = rng_stream(config->seed, RNG_SAMPLE, config->cell);
    source->sample_decay = sample_decay(config->sample_frac);
    source->next_sampled_seq = 0;
    sample_skip(source);
}

int source_check_sizes(const struct service_traffic *traffic, const struct trace *trace,
                       struct err *err)
{
    for (size_t i = 0; i < trace->n; i++)
        if (trace->size_items[i] > traffic->sizes.max_items)
            return err_set(err, ERR_STUDY,
                           "max_items: the trace has a query of %u items, more than the service's "
                           "sizes.max_items of %lld",
                           trace->size_items[i], (long long)traffic->sizes.max_items);
    return 0;
}

// Where histories come from, and room for them and for the records of a trace.
static int stream_histories(struct stream *stream, const struct source_config *config, uint32_t i,
                            uint32_t n_block, struct err *err)
{
    const struct service_traffic *traffic = &config->services[i];
    bool carried = arrival_carries_histories(&stream->arrivals);
    if (traffic->has_history && !carried) {
        stream->histories = traffic->histories;
        if (!stream->histories)
            stream->histories = stream->owned_histories = qsize_create(&traffic->history, err);
        if (!stream->histories)
            return err_prefix(err, "services[%u].history", i);
    }
    stream->history_draws = rng_stream(config->seed, RNG_HISTORY, RNG_ENTITY(config->cell, i));
    if (traffic->has_history)
        stream->history_items = mem_alloc(n_block * sizeof *stream->history_items);
    if (!stream->sizes || (carried && traffic->has_history)) {
        stream->trace = stream->arrivals.trace;
        stream->records = mem_alloc(n_block * sizeof *stream->records);
    }
    return 0;
}

static int stream_create(struct stream *stream, const struct source_config *config, uint32_t i,
                         uint32_t n_block, struct err *err)
{
    const struct service_traffic *traffic = &config->services[i];
    struct arrival_setup setup = {
        .config = &stream->arrivals,
        .rate_qps = traffic->rate_qps,
        .seed = config->seed,
        .cell = config->cell,
        .service = i,
        .share_first = config->share_first,
        .share_num = config->share_num,
        .share_den = config->share_den,
        .end_ns = config->end_ns,
    };
    stream->arrivals = traffic->arrivals;
    stream->loaded_here = !traffic->arrivals.trace && traffic->arrivals.file_frac.n == 0;
    if (arrival_load(&stream->arrivals, err) == 0)
        stream->arrival = arrival_create(&setup, err);
    if (!stream->arrival)
        return err_prefix(err, "services[%u].arrivals", i);
    if (arrival_carries_sizes(&stream->arrivals)) {
        if (source_check_sizes(traffic, stream->arrivals.trace, err))
            return err_prefix(err, "services[%u].arrivals", i);
    } else {
        stream->sizes = config->sizes ? config->sizes[i] : NULL;
        if (!stream->sizes)
            stream->sizes = stream->owned_sizes = qsize_create(&traffic->sizes, err);
        if (!stream->sizes)
            return err_prefix(err, "services[%u].sizes", i);
    }
    if (stream_histories(stream, config, i, n_block, err))
        return -1;
    stream->size_draws = rng_stream(config->seed, RNG_SIZE, RNG_ENTITY(config->cell, i));
    stream->arrive_ns = mem_alloc(n_block * sizeof *stream->arrive_ns);
    stream->size_items = mem_alloc(n_block * sizeof *stream->size_items);
    stream->pos = n_block;
    return 0;
}

static void stream_destroy(struct stream *stream)
{
    arrival_destroy(stream->arrival);
    if (stream->loaded_here)
        arrival_unload(&stream->arrivals);
    qsize_destroy(stream->owned_sizes);
    qsize_destroy(stream->owned_histories);
    mem_free(stream->arrive_ns);
    mem_free(stream->size_items);
    mem_free(stream->history_items);
    mem_free(stream->records);
}

// Notes where the streams are, so that source_save() can say how to make the next block again.
static void mark_block(struct source *source)
{
    for (uint32_t i = 0; i < source->n_services; i++) {
        struct stream *stream = &source->streams[i];
        if (stream->pos == source->n_block) {
            stream_here(stream, &stream->block_mark);
        } else {
            stream->block_mark = stream->buffer_mark;
            stream->block_mark.n_taken = stream->pos;
        }
    }
    source->block_seq = source->seq;
    source->block_n_sampled = source->n_sampled;
    source->block_next_sampled_seq = source->next_sampled_seq;
}

struct source *source_create(const struct source_config *config, struct err *err)
{
    assert(config->n_services >= 1 && config->n_services <= UINT16_MAX);
    assert(config->n_block <= BLOCK_MAX && config->cell < config->n_cells);
    struct source *source = mem_calloc(1, sizeof *source);
    source->n_block = config->n_block ? config->n_block : BLOCK_MAX;
    source->n_services = config->n_services;
    source->end_ns = config->end_ns;
    source->last_until_ns = INT64_MIN;
    source->streams = mem_calloc(config->n_services, sizeof *source->streams);
    source->block = mem_aligned(64, source->n_block * sizeof *source->block);
    sample_init(source, config);
    for (uint32_t i = 0; i < config->n_services; i++) {
        if (stream_create(&source->streams[i], config, i, source->n_block, err)) {
            source_destroy(source);
            return NULL;
        }
        source->any_history |= source->streams[i].history_items != NULL;
    }
    mark_block(source);
    return source;
}

void source_destroy(struct source *source)
{
    if (!source)
        return;
    for (uint32_t i = 0; i < source->n_services; i++)
        stream_destroy(&source->streams[i]);
    mem_free(source->streams);
    mem_free(source->block);
    mem_free(source);
}

typedef uint64_t half_of_longs __attribute__((vector_size(16)));
typedef uint16_t half_of_words __attribute__((vector_size(16)));
_Static_assert(sizeof(struct query) == 32 && offsetof(struct query, seq) == 8 &&
                   offsetof(struct query, size_items) == 16 &&
                   offsetof(struct query, history_items) == 18 &&
                   offsetof(struct query, service) == 24,
               "the halves of a query");

// In two stores, with what is 0; field by field it would be six.
static inline void put_query(struct query *query, int64_t arrive_ns, uint64_t seq,
                             uint32_t size_items, uint32_t history_items, uint32_t service)
{
    half_of_longs first = {(uint64_t)arrive_ns, seq};
    half_of_words second = {(uint16_t)size_items, (uint16_t)history_items, 0, 0, (uint16_t)service};
    memcpy(query, &first, sizeof first);
    memcpy((char *)query + sizeof first, &second, sizeof second);
}

// One service: its block as it is.
static void make_single(struct source *source)
{
    struct stream *stream = &source->streams[0];
    if (stream->pos > 0)
        stream_refill(stream, source->n_block);
    // Copies, which what is stored into the block cannot be thought to change.
    struct query *block = source->block;
    const int64_t *arrive_ns = stream->arrive_ns;
    const uint32_t *size_items = stream->size_items;
    const uint64_t seq = source->seq;
    for (uint32_t i = 0, n = source->n_block; i < n; i++)
        put_query(&block[i], arrive_ns[i], seq + i, size_items[i], 0, 0);
    for (uint32_t i = 0; stream->history_items && i < source->n_block; i++)
        source->block[i].history_items = (uint16_t)stream->history_items[i];
    stream->pos = source->n_block;
}

// The stream with the earliest head; among equals the lowest.
static uint32_t earliest(struct source *source, int64_t *head_ns)
{
    uint32_t best = 0;
    *head_ns = stream_head_ns(&source->streams[0], source->n_block);
    for (uint32_t i = 1; i < source->n_services; i++) {
        int64_t ns = stream_head_ns(&source->streams[i], source->n_block);
        bool earlier = ns < *head_ns;
        best = earlier ? i : best;
        *head_ns = earlier ? ns : *head_ns;
    }
    return best;
}

static void make_merged(struct source *source)
{
    for (uint32_t i = 0; i < source->n_block; i++) {
        int64_t ns;
        uint32_t service = earliest(source, &ns);
        struct stream *stream = &source->streams[service];
        uint32_t pos = stream->pos;
        bool has_history = source->any_history && stream->history_items;
        put_query(&source->block[i], ns, source->seq + i, stream->size_items[pos],
                  has_history ? stream->history_items[pos] : 0, service);
        stream->pos++;
    }
}

// The first of block[low .. high) that arrives at or after until_ns, by steps that double, so that
// short answers are found in few steps.
static uint32_t first_at_or_after(const struct query *block, uint32_t low, uint32_t high,
                                  int64_t until_ns)
{
    uint32_t step = 1;
    while (low + step < high && block[low + step].arrive_ns < until_ns) {
        low += step;
        step *= 2;
    }
    high = low + step < high ? low + step : high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (block[middle].arrive_ns < until_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void mark_sampled(struct source *source)
{
    while (source->next_sampled_seq < source->seq + source->n) {
        source->block[source->next_sampled_seq - source->seq].flags |= QUERY_SAMPLED;
        source->next_sampled_seq++;
        sample_skip(source);
    }
}

static void make_block(struct source *source)
{
    mark_block(source);
    if (source->n_services == 1)
        make_single(source);
    else
        make_merged(source);
    source->pos = 0;
    source->n = source->n_block;
    if (source->block[source->n - 1].arrive_ns >= source->end_ns) {
        source->n = first_at_or_after(source->block, 0, source->n, source->end_ns);
        source->ended = true;
    }
    mark_sampled(source);
    source->seq += source->n;
}

int64_t source_peek_ns(struct source *source)
{
    int64_t ns = SIMTIME_NEVER;
    if (source->pos < source->n)
        return source->block[source->pos].arrive_ns;
    if (!source->ended)
        earliest(source, &ns);
    return ns < source->end_ns ? ns : SIMTIME_NEVER;
}

struct query *source_next(struct source *source, int64_t until_ns, size_t max, size_t *n)
{
    assert(until_ns >= source->last_until_ns);
    source->last_until_ns = until_ns;
    if (source->pos == source->n && source_peek_ns(source) < until_ns)
        make_block(source);
    uint32_t pos = source->pos, limit = source->n;
    if (limit - pos > max)
        limit = pos + (uint32_t)max;
    if (pos < limit && source->block[limit - 1].arrive_ns >= until_ns)
        limit = first_at_or_after(source->block, pos, limit, until_ns);
    source->pos = limit;
    *n = limit - pos;
    return source->block + pos;
}

void source_save(const struct source *source, struct blob *blob)
{
    blob_put_u32(blob, source->n_services);
    blob_put_u32(blob, source->pos);
    blob_put_u64(blob, source->block_seq);
    blob_put_u64(blob, source->block_n_sampled);
    blob_put_u64(blob, source->block_next_sampled_seq);
    for (uint32_t i = 0; i < source->n_services; i++) {
        const struct stream *stream = &source->streams[i];
        blob_put(blob, stream->block_mark.place, arrival_place_bytes(stream->arrival));
        blob_put_u64(blob, stream->block_mark.n_sizes);
        blob_put_u32(blob, stream->block_mark.n_taken);
    }
}

// Puts the stream at the saved mark, its buffer empty; what was taken of the saver's buffer is made
// once more to get past it.
static int stream_load(struct stream *stream, uint32_t n_block, struct blob_reader *reader)
{
    struct mark mark;
    blob_get(reader, mark.place, arrival_place_bytes(stream->arrival));
    mark.n_sizes = blob_get_u64(reader);
    mark.n_taken = blob_get_u32(reader);
    if (reader->short_of || mark.n_taken >= BLOCK_MAX ||
        !arrival_set_place(stream->arrival, mark.place))
        return blob_refuse(reader);
    for (uint32_t left = mark.n_taken; left > 0;) {
        uint32_t n = left < n_block ? left : n_block;
        arrival_fill(stream->arrival, n, stream->arrive_ns, stream->records);
        left -= n;
    }
    stream->n_sizes = mark.n_sizes + (stream->sizes || stream->histories ? mark.n_taken : 0);
    stream->pos = n_block;
    return 0;
}

// Makes the next n queries and forgets them, as far as there are; returns how many there were.
static uint32_t pass_over(struct source *source, uint32_t n)
{
    uint32_t done = 0;
    while (done < n && source_peek_ns(source) != SIMTIME_NEVER) {
        if (source->pos == source->n)
            make_block(source);
        uint32_t part = source->n - source->pos;
        part = part < n - done ? part : n - done;
        source->pos += part;
        done += part;
    }
    return done;
}

// The saver's block is made again, in blocks of this source's length: the queries are the same
// however they are cut, so what is left of it follows.
int source_load(struct source *source, struct blob_reader *reader, struct err *err)
{
    uint32_t n_services = blob_get_u32(reader), n_passed = blob_get_u32(reader);
    source->seq = blob_get_u64(reader);
    source->n_sampled = blob_get_u64(reader);
    source->next_sampled_seq = blob_get_u64(reader);
    source->last_until_ns = INT64_MIN; // whoever goes on may cut time otherwise
    source->pos = source->n = 0;
    source->ended = false;
    // A sampled query is marked by its distance to seq: that must not wrap around.
    bool fits = n_services == source->n_services && n_passed <= BLOCK_MAX &&
                source->seq < SEQ_END && source->next_sampled_seq >= source->seq;
    for (uint32_t i = 0; fits && i < n_services; i++)
        fits = stream_load(&source->streams[i], source->n_block, reader) == 0;
    if (!fits) {
        blob_refuse(reader);
        return blob_end(reader, err);
    }
    mark_block(source);
    if (pass_over(source, n_passed) == n_passed)
        return 0;
    blob_refuse(reader);
    return blob_end(reader, err);
}
