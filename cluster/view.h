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
// Because only sums matter, news heard by time t may be applied in any order: a hashed timing wheel
// (Varghese and Lauck, 1987) holds them, unsorted inside a slot. Cost is a few operations per
// completion, independent of the number of servers.
#ifndef CLUSTER_VIEW_H
#define CLUSTER_VIEW_H

#include <stddef.h>
#include <stdint.h>

// A completion, as a server reports it. 24 bytes, plain data: sent between ranks as it is.
struct report {
    int64_t end_ns;  // at the server
    int64_t weight;  // load units that ended
    uint32_t server; // number in its cell
    uint32_t reserved;
};

struct view_config {
    uint32_t n_servers;
    int64_t status_delay_ns;
    int64_t report_period_ns; // 0: per completion
    double reports_per_ns;    // expected, for the width of a slot
    int64_t horizon_ns;       // usual time from dispatch to report, for the number of slots
};

struct view_news {
    int64_t heard_ns;
    int64_t weight;
    uint32_t server;
    uint32_t next; // index + 1 of the next in the slot, 0: end
};

struct view {
    int64_t *load; // [n_servers]
    uint32_t n_servers;
    int64_t status_delay_ns, report_period_ns;
    // the wheel
    uint32_t *slots; // [n_slots] index + 1 of the first news
    uint64_t slot_mask;
    uint32_t slot_shift;
    int64_t now_ns; // everything heard by then has been applied
    struct view_news *news;
    size_t n_news, news_cap;
    uint32_t free_news; // index + 1
};

struct view *view_create(const struct view_config *config);
void view_destroy(struct view *view); // NULL: no effect

// A completion that will be heard later than now_ns.
void view_report(struct view *view, const struct report *report);

// Applies everything heard at or before t_ns; t_ns must not decrease.
void view_advance(struct view *view, int64_t t_ns);

static inline void view_sent(struct view *view, uint32_t server, int64_t weight)
{
    view->load[server] += weight;
}

#endif
