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

struct query {
    int64_t arrive_ns;   // at the balancer, since the start of the simulation
    uint64_t seq;        // number of the query in its cell, 0, 1, 2, ... in arrival order
    uint32_t size_items; // 1 .. QUERY_MAX_ITEMS
    uint32_t server;     // number of the server in its cell; set by the balancer
    uint16_t service;    // index of the service
    uint16_t flags;      // enum query_flag
    uint32_t reserved;   // 0
};

#endif
