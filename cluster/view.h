// SPDX-License-Identifier: Apache-2.0
// view: what a balancer knows of its servers, and how old that knowledge is.
//
// load[s] = what the balancer has sent to server s minus the completions it has HEARD of, in the
// study's load unit (queries, requests, items or nanoseconds of work). A completion at server time
// `end` is heard at
//
//     heard = report(end) + status_delay,    report(end) = end rounded up to the report period
//
// so a view by periodic report is the same thing as one by completion with later news.
//
// News lies in a ring of buckets by the time it is heard (a calendar, after Brown 1988), unsorted;
// a bucket is sorted once, when time enters it. So a completion costs an append, a share of a small
// sort and a subtraction, whatever the number of servers, and no list is walked in between.
//
// That serves policies that look at all servers. One that compares a few (view_config.in_lanes) is
// better served by lanes of the times at which reports are due (due.h): the load of a server is
// then counted when it is asked for, and only news that does not fit its lanes is in the calendar.
// load[] is what is not in lanes; policies add what view_ask() says. A view starts with one plane
// of lanes and gets another when more than one report in 32 finds none free. None of this shows in
// the loads.
//
// News that will be heard more than a turn of the ring ahead, as behind a backlog that grows
// without end, waits in a radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990) over half turns of
// the ring: far[b] has what differs in bit b, and in none above, from the number of the half turn
// that time is in. When half turn h begins, what it brings near lies in far[lowest bit of h] alone;
// so each news is placed again at most as often as there are bits in its distance, not once per
// half turn.
#ifndef CLUSTER_VIEW_H
#define CLUSTER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "cluster/completions.h"
#include "cluster/due.h"

struct view_config {
    uint32_t n_servers;
    int64_t status_delay_ns;
    int64_t report_period_ns; // 0: per completion
    double reports_per_ns;    // expected, > 0
    int64_t lookahead_ns;     // news is never heard sooner than this after its query was routed
    int64_t horizon_ns;       // usual time from dispatch to report
    bool in_lanes;            // few servers are asked about at a time, and loads are small numbers
};

struct view_news {
    int64_t heard_ns;
    uint32_t server;
    uint32_t weight; // a heavier report is cut into several
};

struct view_chunk; // a few news of one bucket

enum { VIEW_FAR_LEVELS = 64 };

// The news of one bucket: full chunks and one being filled. `tail` is where the next one goes; at a
// chunk's end (and in an empty bucket) its low bits are 0.
struct view_bucket {
    struct view_news *tail;
};

struct view {
    int64_t *load;       // that of server s, but for what is in lanes: load[s << load_shift]
    uint32_t load_shift; // 0 without lanes
    uint32_t n_servers;
    int64_t now_ns;              // of the last view_advance()
    struct due due;              // no planes: no lanes
    size_t n_reports, n_crowded; // and those of them that found no free lane, for a while
    // The bucket that time is in, sorted, ended by a sentinel that is never heard.
    struct view_news *staged;
    size_t n_staged, n_applied, staged_cap;
    int64_t staged_end_ns; // end of that bucket; INT64_MAX while all news is in lanes
    // The others.
    struct view_bucket *buckets; // [bucket_mask + 1]
    uint64_t bucket_mask;
    uint32_t bucket_shift;                   // a bucket is 2^shift ns
    struct view_bucket far[VIEW_FAR_LEVELS]; // heard more than a turn of the ring ahead
    uint64_t half_turn;                      // that time is in
    struct view_chunk *free_chunks;
    size_t n_waiting; // news in buckets and far
};

struct view *view_create(const struct view_config *config);
void view_destroy(struct view *view); // NULL: no effect

// Loads and all news not yet applied. view_load() fills a view that was made from the same config
// and has heard nothing; errors are the reader's (blob_end()).
void view_save(const struct view *view, struct blob *blob);
void view_load(struct view *view, struct blob_reader *reader);

// Completions that will be heard later than the last view_advance().
void view_report(struct view *view, const struct completion *completions, size_t n);

// Moves to the bucket that t_ns lies in: the slow part of view_advance().
void view_turn(struct view *view, int64_t t_ns);

// The load of a server; with lanes, but for what is in them.
static inline int64_t *view_rest(const struct view *view, uint32_t server)
{
    return view->load + ((size_t)server << view->load_shift);
}

// Applies everything heard at or before t_ns; t_ns must not decrease.
static inline void view_advance(struct view *view, int64_t t_ns)
{
    if (t_ns >= view->staged_end_ns)
        view_turn(view, t_ns);
    const struct view_news *news = view->staged + view->n_applied;
    for (; news->heard_ns <= t_ns; news++)
        *view_rest(view, news->server) -= news->weight;
    view->n_applied = (size_t)(news - view->staged);
    view->now_ns = t_ns;
}

static inline void view_sent(struct view *view, uint32_t server, int64_t weight)
{
    *view_rest(view, server) += weight;
}

// For n queries that ask about d servers each, before they are routed: under_way[k] is what
// *view_rest() of servers[k] is short of its load at the arrival of query k / d.
void view_ask(const struct view *view, const struct query *queries, size_t n,
              const uint32_t *servers, uint32_t d, uint8_t *under_way);
// The load of a server at the last view_advance().
int64_t view_load_of(const struct view *view, uint32_t server);

#endif
