// SPDX-License-Identifier: Apache-2.0
#include "traces/replay.h"

#include <assert.h>

#include "base/simtime.h"
#include "traces/draw.h"

struct replay {
    struct replay_place {
        uint64_t pass;
        uint64_t next;   // record of the pass
        int64_t last_ns; // handed out
    } place;
    const struct trace *trace;
    struct trace *owned; // NULL: the trace is the config's
    struct rng_stream deal;
    uint64_t share_first, share_num, share_den;
    bool repeat;
    double time_factor, period_ns; // period: 0 unless repeated
    // Words of the dealing stream last read; they are the same at any place.
    uint64_t words[DRAW_BUFFER];
    uint64_t words_first; // index of words[0]; UINT64_MAX: none
};

double replay_time_factor(const struct arrival_config *config, double rate_qps)
{
    return config->rescale ? trace_rate_qps(config->trace) / rate_qps : 1;
}

double replay_period_ns(const struct arrival_config *config, double rate_qps)
{
    return trace_length_ns(config->trace) * replay_time_factor(config, rate_qps);
}

static int check_trace(const struct arrival_config *config, struct err *err)
{
    if (trace_validate(config->trace, err))
        return err_prefix(err, "file");
    if ((config->rescale || config->repeat) && trace_length_ns(config->trace) == 0)
        return err_set(err, ERR_STUDY, "%s: the records of the trace all arrive at once",
                       config->rescale ? "rescale" : "repeat");
    return 0;
}

static int replay_check(const struct arrival_config *config, struct err *err)
{
    if (config->trace)
        return check_trace(config, err);
    if (!config->csv.file || !config->csv.file[0])
        return err_set(err, ERR_STUDY, "file: expected the name of a trace");
    return 0;
}

static int replay_load(struct arrival_config *config, struct err *err)
{
    if (config->trace)
        return 0;
    struct trace *trace = trace_csv_read(&config->csv, err);
    if (!trace)
        return err_prefix(err, "file");
    config->trace = config->owned_trace = trace;
    return 0;
}

static int replay_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    struct replay *r = state;
    struct arrival_config config = *setup->config;
    if (!config.trace) {
        if (replay_load(&config, err))
            return -1;
        r->owned = config.owned_trace;
        if (check_trace(&config, err)) {
            trace_destroy(r->owned);
            return -1;
        }
    }
    r->trace = config.trace;
    r->deal = rng_stream(setup->seed, RNG_REPLAY, setup->service);
    r->share_first = setup->share_first;
    r->share_num = setup->share_num;
    r->share_den = setup->share_den;
    r->repeat = config.repeat;
    r->time_factor = replay_time_factor(&config, setup->rate_qps);
    r->period_ns = config.repeat ? replay_period_ns(&config, setup->rate_qps) : 0;
    r->words_first = UINT64_MAX;
    return 0;
}

static void replay_stop(void *state)
{
    struct replay *r = state;
    trace_destroy(r->owned);
}

// Word `index` of the dealing stream, read in blocks.
static uint64_t deal_word(struct replay *r, uint64_t index)
{
    uint64_t first = index - index % DRAW_MAX;
    if (first != r->words_first) {
        draw_words(&r->deal, first, DRAW_MAX, r->words);
        r->words_first = first;
    }
    return r->words[index - first];
}

static bool is_ours(struct replay *r, uint64_t index)
{
    if (r->share_num == r->share_den)
        return true;
    unsigned __int128 product = (unsigned __int128)deal_word(r, index) * r->share_den;
    uint64_t place = (uint64_t)(product >> 64);
    return place - r->share_first < r->share_num;
}

// Times of all passes lie in one increasing order; rounding must not break it.
static int64_t record_ns(struct replay *r, size_t i)
{
    double ns = (double)r->trace->arrive_ns[i] * r->time_factor;
    if (r->time_factor == 1 && r->place.pass == 0)
        return r->trace->arrive_ns[i];
    ns += (double)r->place.pass * r->period_ns;
    int64_t whole = ns < 0x1p62 ? (int64_t)(ns + 0.5) : SIMTIME_NEVER;
    return whole > r->place.last_ns ? whole : r->place.last_ns;
}

// The next record that this cell gets: its number and its time; the first and SIMTIME_NEVER.
static int64_t next_record(struct replay *r, uint32_t *record)
{
    const struct trace *trace = r->trace;
    while (r->place.last_ns != SIMTIME_NEVER) {
        if (r->place.next == trace->n) {
            if (!r->repeat)
                break;
            r->place.next = 0;
            r->place.pass++;
        }
        size_t i = r->place.next++;
        if (!is_ours(r, r->place.pass * trace->n + i)) {
            // A cell that gets nothing for ever must still find the end of time.
            if (i == 0 && (double)r->place.pass * r->period_ns > (double)SIMTIME_LONGEST)
                break;
            continue;
        }
        *record = (uint32_t)i;
        return r->place.last_ns = record_ns(r, i);
    }
    *record = 0;
    return r->place.last_ns = SIMTIME_NEVER;
}

static void replay_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *records)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t record;
        arrive_ns[i] = next_record(state, &record);
        if (records)
            records[i] = record;
    }
}

static bool replay_place_fits(const void *state)
{
    const struct replay *r = state;
    return r->place.next <= r->trace->n;
}

static const char *const sizes_from_names[] = {"trace", "distribution", NULL};

static const struct field replay_fields[] = {
    TRACE_CSV_FIELDS(arrival_config, csv.),
    FIELD(arrival_config, "repeat", FIELD_BOOL, UNIT_NONE, repeat, 0, 1, "false",
          "start the trace over when it ends"),
    FIELD(arrival_config, "rescale", FIELD_BOOL, UNIT_NONE, rescale, 0, 1, "false",
          "stretch the times so that the trace's mean rate is the service's rate"),
    FIELD_CHOICES(arrival_config, "sizes_from", sizes_from, sizes_from_names, "trace",
                  "sizes as recorded, or drawn from the service's size distribution"),
    FIELD_END,
};

const struct arrival_type arrival_replay = {
    .name = "replay",
    .help = "the records of a trace, dealt to the cells by their shares",
    .fields = replay_fields,
    .state_bytes = sizeof(struct replay),
    .place_bytes = sizeof(struct replay_place),
    .carries_rate = true,
    .check = replay_check,
    .load = replay_load,
    .start = replay_start,
    .fill = replay_fill,
    .stop = replay_stop,
    .place_fits = replay_place_fits,
};
