// SPDX-License-Identifier: Apache-2.0
// arrival: when queries arrive, one stream.
//
// Processes are const descriptors in arrival_types[]. A descriptor's fields say which members of
// struct arrival_config its keys fill. A stream fills blocks of arrival times; times are kept in
// units of 2^-10 ns inside (ticks.h) so that rounding to whole nanoseconds does not bend the rate.
//
//     struct arrival *a = arrival_create(&setup, &err);
//     int64_t ns[512];
//     arrival_fill(a, 512, ns, NULL); // the next 512 times, never decreasing
//
// Every draw is keyed (seed, purpose, RNG_ENTITY(cell, service), index): the state of a stream is
// a few counters, and how a stream is cut into fills does not change it. A process that rejects
// proposals gives each gap its own range of indices. After the last arrival (a trace that ends, or
// times beyond 52 days) a stream goes on with SIMTIME_NEVER for ever.
//
// Those counters are the stream's place: plain bytes that, put into another stream of the same
// setup, make it go on with the very same times. What start() derives from the setup is not in it.
#ifndef TRACES_ARRIVAL_H
#define TRACES_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/schema.h"
#include "traces/trace.h"
#include "traces/trace_csv.h"

// Each process reads its own members.
struct arrival_config {
    int64_t process; // index into arrival_types
    // gamma, hyperexponential: coefficient of variation of the gaps; diurnal: the same of a gamma
    // distribution at a steady rate, 1 or 0 is Poisson.
    double cv;
    // mmpp, diurnal (empty: none): by state, relative rate and mean time per visit; the states are
    // visited in turn.
    struct reals state_rate_frac, state_hold_s;
    // diurnal: rate at equal steps over the period, relative; linear between them and from the last
    // back to the first. The simulation starts start_s into the period. Exactly one of a curve, a
    // shape and a file gives it (daycurve.h).
    struct reals curve_frac; // empty: not given
    int shape;               // enum daycurve_shape
    double trough_frac;      // of the shape: lowest over highest rate
    char *curve_file;        // "" or NULL: none; how to read it is in `csv`, as for a trace, and:
    char *series;            // which of the file's; "" or NULL: the service's, or the only one
    int gaps;                // enum daycurve_gaps
    const char *service;     // name of the service, borrowed; NULL: not known
    struct reals file_frac;  // owned: what arrival_load read from the file
    double file_step_s;      // between its points; 0: it has no times
    bool file_closes;        // its last point was where the next period starts, and left out:
    double file_next;        // that point
    double period_s, start_s;
    // replay
    struct trace_csv_config csv; // where the trace is and how to read it
    bool repeat;                 // start over when it ends
    bool rescale;                // stretch its times so that its mean rate is the service's
    int sizes_from;              // enum arrival_sizes
    const struct trace *trace;   // the records; NULL until arrival_load or whoever else sets it
    struct trace *owned_trace;   // what arrival_load read; NULL: `trace` is borrowed
};

enum arrival_sizes { ARRIVAL_SIZES_TRACE, ARRIVAL_SIZES_DISTRIBUTION };

// Highest rate of one stream: its mean gap is still 102 ticks.
#define ARRIVAL_MAX_QPS 1e10
// Most times that one call of a descriptor's fill makes; arrival_fill has no such limit.
#define ARRIVAL_BLOCK 512
// Most bytes that the place of a stream takes.
#define ARRIVAL_PLACE_MAX 64

// One stream of a service: what one cell sees of it.
struct arrival_setup {
    const struct arrival_config *config; // borrowed until arrival_destroy
    double rate_qps;                     // of the service, over the whole fleet
    uint64_t seed;
    uint32_t cell, service;
    // This cell's share of the fleet: [share_first, share_first + share_num) of share_den.
    uint64_t share_first, share_num, share_den;
    int64_t end_ns; // arrivals at or after it may be given as SIMTIME_NEVER; 0: no end
};

// A process. `state` is `state_bytes` of zeroed memory, aligned for any type. Its first member is
// the stream's place, a struct without pointers or padding: all that fill changes, save for caches
// that are right at any place; start gives it its first value. Whatever else the state holds, start
// alone writes.
struct arrival_type {
    const char *name;
    const char *help;           // one line
    const struct field *fields; // rows over struct arrival_config; ends with FIELD_END
    size_t state_bytes;
    size_t place_bytes; // of the first member, at most ARRIVAL_PLACE_MAX
    bool carries_rate;  // the rate comes with the process: the service's is needed to rescale only
    // Whether the keys fit together; the text begins with the key: "cv: expected ...". NULL: yes.
    int (*check)(const struct arrival_config *config, struct err *err);
    // Reads what is needed from files into the config, once; the text begins with the key. NULL:
    // there are none.
    int (*load)(struct arrival_config *config, struct err *err);
    // Gets a checked config. Fails only where a file must be read (NULL err allowed).
    int (*start)(void *state, const struct arrival_setup *setup, struct err *err);
    // The next n <= ARRIVAL_BLOCK times; of a replay also which record of its trace each is (may be
    // NULL), 0 behind its end. Others leave that alone.
    void (*fill)(void *state, size_t n, int64_t *arrive_ns, uint32_t *records);
    void (*stop)(void *state); // releases what start acquired; NULL: nothing
    // Whether fill can go on from the place in `state`, which may come from a damaged file: all
    // that it indexes with or adds to is in range. NULL: from any.
    bool (*place_fits)(const void *state);
};

extern const struct arrival_type *const arrival_types[]; // ends with NULL

// Variants, one file each.
extern const struct arrival_type arrival_poisson;
extern const struct arrival_type arrival_deterministic;
extern const struct arrival_type arrival_gamma;
extern const struct arrival_type arrival_hyperexponential;
extern const struct arrival_type arrival_mmpp;
extern const struct arrival_type arrival_diurnal;
extern const struct arrival_type arrival_replay; // replay.c
extern const struct arrival_type arrival_poisson_ms;

// The index of the process with that name, or -1.
int64_t arrival_find(const char *name);

// Whether the config and the rate (queries per second of the whole fleet) make a process. The error
// text begins with the key that is wrong ("rate: ...", "cv: ...").
int arrival_check(const struct arrival_config *config, double rate_qps, struct err *err);

// Reads what the process needs from files: for a replay without a trace, the trace; for a diurnal
// process with a file, its curve. To be called once per service, before any stream is created; a
// second time has no effect. The error text begins with the key. arrival_unload releases what it
// read and leaves the settings as they are.
int arrival_load(struct arrival_config *config, struct err *err);
void arrival_unload(struct arrival_config *config);

// The rates that a diurnal process follows, whichever way they are given. The list is the caller's
// to free with mem_free(out->v). Fails where a file that was not loaded cannot be read.
int arrival_diurnal_curve(const struct arrival_config *config, struct reals *out, struct err *err);

// Makes of a process whose rate follows the time (diurnal, replay) the one that is left when its
// rate stands still: of a curve with its bursts, and Poisson of a trace. Others stay as they are.
void arrival_steady(struct arrival_config *config);

// Whether queries get their sizes from the process instead of the service's size distribution.
bool arrival_carries_sizes(const struct arrival_config *config);
// Likewise their histories, which a trace that has them always gives.
bool arrival_carries_histories(const struct arrival_config *config);
// Mean rate of the whole fleet's stream, given the service's rate; they differ only for a loaded
// replay that is not rescaled.
double arrival_mean_qps(const struct arrival_config *config, double rate_qps);

// Checks and starts a stream of a loaded config; NULL on error.
struct arrival;
struct arrival *arrival_create(const struct arrival_setup *setup, struct err *err);
void arrival_destroy(struct arrival *arrival); // NULL: no effect

// The next n arrival times, never decreasing, and records as a descriptor's fill.
void arrival_fill(struct arrival *arrival, size_t n, int64_t *arrive_ns, uint32_t *records);

// The place of the stream: arrival_place_bytes() of them, between fills. Set, the stream goes on as
// the one of the same setup did that the place was got from. false: no place of such a stream,
// which is then good for arrival_destroy only.
size_t arrival_place_bytes(const struct arrival *arrival);
void arrival_get_place(const struct arrival *arrival, void *place);
bool arrival_set_place(struct arrival *arrival, const void *place);

// The stream's mean rate: the fleet's times the cell's share.
double arrival_share_qps(const struct arrival_setup *setup);
// The mean gap in ticks at that rate.
double arrival_gap_ticks(const struct arrival_setup *setup);

// For variants: the place of a process that adds up gaps, and what tests it.
struct arrival_place {
    uint64_t index;    // of the next gap
    int64_t now_ticks; // 0 .. TICKS_TOP
};
bool arrival_place_fits(const void *state);
// Adds up n gaps (0 .. TICKS_TOP each), starting from the place, which moves on.
void arrival_accumulate(struct arrival_place *place, const int64_t *gaps_ticks, size_t n,
                        int64_t *arrive_ns);

#endif
