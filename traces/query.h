// SPDX-License-Identifier: Apache-2.0
// query: the record that flows from traffic to balancer to server.
//
// 32 bytes, plain data: it is sent between ranks as it is.
#ifndef TRACES_QUERY_H
#define TRACES_QUERY_H

#include <stdint.h>

#define QUERY_MAX_ITEMS 65535u

enum query_flag {
    QUERY_SAMPLED = 1, // this query is kept in the uniform sample
};

// `seq` also says whose number it is and how often it was tried, so that every attempt has random
// draws of its own and no two queries of a cell share any: bits 0..43 the number in its own cell's
// stream, bits 44..57 zero for the cell's own and c + 1 for cell c's whose traffic comes here, bits
// 58..59 the attempt, 0 for the first.
#define QUERY_ORIGIN_SHIFT 44
#define QUERY_ATTEMPT_SHIFT 58
#define QUERY_MAX_RETRIES 3
#define QUERY_MAX_ORIGINS ((1 << 14) - 1) // cells whose traffic can go elsewhere

struct query {
    int64_t arrive_ns; // of this attempt at the balancer, since the start of the simulation
    uint64_t seq;      // number of the query in its cell, 0, 1, 2, ... in arrival order; see above
    uint16_t size_items;    // 1 .. QUERY_MAX_ITEMS
    uint16_t history_items; // length of the history, 0 .. QUERY_MAX_ITEMS; 0 where none matters
    uint32_t server;        // number of the server in its cell; set by the balancer
    uint16_t service;       // index of the service
    uint16_t flags;         // enum query_flag
    uint32_t delay_us; // of this attempt after the query first arrived: a retry leaves on a whole
                       // microsecond after that; 0 for the first attempt
};

// When the query first arrived: its latency counts from there, and it belongs to that time bin.
static inline int64_t query_first_ns(const struct query *query)
{
    return query->arrive_ns - (int64_t)query->delay_us * 1000;
}

static inline uint32_t query_attempt(const struct query *query)
{
    return (uint32_t)(query->seq >> QUERY_ATTEMPT_SHIFT) & QUERY_MAX_RETRIES;
}

#endif
